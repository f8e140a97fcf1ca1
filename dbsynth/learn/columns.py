"""The variables of the engine behind the columns of a table."""

from __future__ import annotations

from dbsynth.codec import Alphabet
from dbsynth.engines import variables
from dbsynth.model import ColumnModel
from dbsynth.outline.pieces import piece_variables
from dbsynth.read import codec_of


def column_variables(name: str, model: ColumnModel) -> dict[str, Alphabet]:
    """The variables of the engine behind one column, in the order in which they are drawn."""
    if model.repeats is not None:
        return {variables.column(name): model.repeats.alphabet}
    if model.factor is not None:
        return {variables.factor(name): model.factor.codec.alphabet}
    codec = codec_of(model)
    if model.echo is not None:
        return {}
    if codec is None:
        return piece_variables(name, model)
    found = {variables.column(name): codec.alphabet} | piece_variables(name, model)
    if model.calendar is not None:
        found[variables.weekday(name)] = variables.WEEKDAY_ALPHABET
        if model.calendar.clock is not None:
            found[variables.clock(name)] = model.calendar.clock.alphabet
    if model.climb is not None:
        found = {variables.gap(name): model.climb.alphabet, **found}
    if model.gap is not None:  # the time follows from the gap and its place on the calendar
        found = {variables.gap(name): model.gap.codec.alphabet, **found}
        found[variables.column(name)] = found.pop(variables.column(name))
    return found
