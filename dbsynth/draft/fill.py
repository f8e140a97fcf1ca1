"""The value of any column at any row positions: a pure function of the draft.

Nothing is remembered: a foreign key's value is the value of the parent's column at the linked
position, computed where it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Role
from dbsynth.codec import Codes, arrow_type, as_text, from_numbers, to_numbers
from dbsynth.draft.drafted import Draft
from dbsynth.draft.mentions import Naming, mentioning, named_values
from dbsynth.draft.persons import span_of, strangers, traits_of
from dbsynth.engines import variables
from dbsynth.errors import Unsatisfiable
from dbsynth.identifiers import PROVIDERS
from dbsynth.identifiers.avoid import draw_avoiding
from dbsynth.identifiers.people import place_names
from dbsynth.identifiers.traits import Traits
from dbsynth.keys import Mint
from dbsynth.learn.repeats import identity_index
from dbsynth.model import (
    NAMES_JOINED,
    Anchor,
    Calendar,
    ColumnModel,
    Factor,
    Mention,
    renamed_by_place,
)
from dbsynth.outline.pieces import Persons, piece_variables, put_together
from dbsynth.randomness import Float64, hashed
from dbsynth.read.quantities import quantity_of
from dbsynth.read.times import (
    cell_limits,
    form_of,
    microseconds_of,
    on_calendar,
    placed,
    within_days,
)
from dbsynth.schema import Column, ForeignKey, Kind, Table

Int64 = npt.NDArray[np.int64]
_DEEPEST = 40
_WHOLE_ROUNDS = 4
_APART = 2**34  # so far apart lie what the leaves of one row are drawn by


def values(draft: Draft, table: Table, name: str, positions: Int64, depth: int = 0) -> pa.Array:
    """The values of a column at row positions, in the Arrow type of its kind."""
    if depth > _DEEPEST:
        raise Unsatisfiable(f"the key `{table.name}.{name}` refers to itself in a circle")
    column = table.column_by_name[name]
    facts = draft.model.tables[table.name]
    if facts.copied is not None:
        return facts.copied[name].combine_chunks().take(pa.array(positions))
    settled = draft.settled.get(table.name, {}).get(name)
    if settled is not None:
        return settled.take(pa.array(positions))
    keys = keys_of(draft, table, name)
    if keys:
        return _referenced(draft, table, column, keys, positions, depth)
    model = facts.columns[name]
    if model.echo is not None:
        return _echoed(draft, table, column, model.echo, positions, depth)
    index = positions
    if model.repeats is not None and variables.column(name) in draft.codes[table.name]:
        fk = draft.model.plan.generating[table.name]
        codes = draft.codes[table.name][variables.column(name)][positions]
        links, parents = draft.links[fk][positions], draft.rows[fk.parent]
        index = identity_index(model.repeats, codes, links, positions, parents)
        own = own_values(draft, table, column, model, positions, index)
        theirs = np.flatnonzero((codes == 1 + model.repeats.shared) & (links >= 0))
        if model.repeats.echo is None or not len(theirs):
            return own
        echo = _echoed(draft, table, column, model.repeats.echo, positions[theirs], depth)
        return put(own, theirs, echo)
    return own_values(draft, table, column, model, positions, index)


def _echoed(
    draft: Draft, table: Table, column: Column, theirs: str, positions: Int64, depth: int
) -> pa.Array:
    """The values of a column of the generating parent; NULL where there is no parent."""
    fk = draft.model.plan.generating[table.name]
    links, parent = draft.links[fk][positions], draft.model.schema[fk.parent]
    if not draft.rows[fk.parent]:
        return pa.nulls(len(positions), arrow_type(column))
    parts = [values(draft, parent, name, np.maximum(links, 0), depth + 1)
             for name in theirs.split(NAMES_JOINED)]  # fmt: skip
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")
    found = converted(joined, arrow_type(column))
    if column.length is not None and pa.types.is_string(found.type):
        found = pc.utf8_slice_codeunits(found, 0, column.length)
    return pc.if_else(pa.array(links >= 0), found, pa.scalar(None, found.type))


def keys_of(draft: Draft, table: Table, column: str) -> list[ForeignKey]:
    """The foreign keys that hold a column: carried, generating, lookups, then dealt ones."""
    plan = draft.model.plan
    found = [
        *plan.carried_of(table.name),
        plan.generating.get(table.name),
        *plan.lookups_of(table.name),
        *plan.dealt_of(table.name),
    ]
    return [fk for fk in found if fk is not None and column in fk.given and fk in draft.links]


def own_values(
    draft: Draft, table: Table, column: Column, model: ColumnModel, positions: Int64, index: Int64,
    rows: Int64 | None = None,
) -> pa.Array:  # fmt: skip
    """The values of a column that is in no foreign key.

    Args:
        rows: The rows that the values are for, where others (``positions``) lend their codes.
        index: What codes inside bins and provided values are drawn by: the positions themselves, or
            other numbers where a value shall be drawn anew.
    """
    if model.derived:  # until its rule is applied
        return pa.nulls(len(positions), arrow_type(column))
    rows = positions if rows is None else rows
    key = draft.streams.key("values", table.name, column.name)
    if model.factor is not None:
        return _multiplied(draft, table, column.name, model.factor, positions, rows)
    codes = draft.codes[table.name].get(variables.column(column.name))
    mine = None if codes is None else codes[positions]
    if (model.anchor or model.calendar) and model.codec is not None and mine is not None:
        drawn = {v: codes[positions] for v, codes in draft.codes[table.name].items()
                 if v in time_variables(column.name)}  # fmt: skip
        return placed_times(draft, table, column, model, drawn, rows, index)
    if model.codec is not None and mine is not None:
        found = _typed(model.codec.decode(mine, index, key), column)
        return _renamed(draft, table, column, found, (positions, rows), mine)
    present = np.ones(len(positions), bool) if mine is None else mine > 0
    if model.mint is not None:
        return _minted(draft, table, column, model, positions, present, key)
    if model.structure is not None:
        return _structured(draft, table, column, model, (positions, rows), index, present)
    if model.provided is None:
        return pa.nulls(len(positions), arrow_type(column))
    drawn = _typed(_invented(draft, table, column.name, model, positions, index), column)
    if model.mention is not None:
        about = _about(draft, table, column.name, (positions, rows), index)
        drawn = _naming(draft, about, drawn, column.length)
    if model.blanks and mine is not None:
        blanks = converted(pa.array(model.blanks, pa.string()), arrow_type(column))
        here = np.flatnonzero((mine > 0) & (mine <= len(blanks)))
        drawn = put(drawn, here, blanks.take(pa.array(mine[here].astype(np.int64) - 1)))
    return pc.if_else(pa.array(present), drawn, pa.scalar(None, arrow_type(column)))


def _invented(
    draft: Draft, table: Table, name: str, model: ColumnModel, positions: Int64, index: Int64
) -> pa.Array:
    """Values of the provider of a column, or of the one in reserve, if that is in the model."""
    assert model.provided is not None
    provider, state = PROVIDERS[model.provided.provider], model.provided.state
    at, key = index.astype(np.uint64), draft.streams.key("values", table.name, name)
    traits = _traits(draft, table, name, positions)
    if model.decision.role is Role.IDENTIFIER:  # the columns of a row share one identity
        key = draft.streams.key("person", table.name)
        at = strangers(draft, table, at, key, traits)
    return draw_avoiding(
        provider, state, at, key, model.provided.avoid, span_of(draft, table), traits
    )


def _renamed(
    draft: Draft, table: Table, column: Column, values_: pa.Array, at: tuple[Int64, Int64],
    codes: Codes,
) -> pa.Array:  # fmt: skip
    """Decoded values, those that name places or persons by the places and persons of the clone.

    Args:
        at: The rows that lend their codes, and those that the values are for.
    """
    model, (positions, rows) = draft.model.tables[table.name].columns[column.name], at
    if renamed_by_place(model):
        values_ = _of_places(draft, table, column, values_, positions, codes)
    if model.mention is None:
        return values_
    about = _about(draft, table, column.name, at, rows)
    return pc.if_else(pa.array(codes > 0), _naming(draft, about, values_, column.length), values_)


def _of_places(
    draft: Draft, table: Table, column: Column, values_: pa.Array, positions: Int64, codes: Codes
) -> pa.Array:
    """New names of regions and towns that are of the country of their row, where that is told."""
    model = draft.model.tables[table.name].columns[column.name]
    traits = _traits(draft, table, column.name, positions)
    source = model.spare or model.provided
    if traits is None or not traits.told or source is None:
        return values_
    key = draft.streams.key("renamed", source.provider)  # one new name has one in all columns
    names = place_names(source.state, source.provider, traits, values_, key)
    if column.length is not None:
        names = pc.utf8_rtrim(pc.utf8_slice_codeunits(names, 0, column.length), " ,-/")
    blank = pc.is_in(values_, pa.array(model.blanks, pa.string()))
    kept = pc.or_(blank, pa.array(codes == 0))
    return pc.if_else(kept, values_, _typed(names, column))


def _about(draft: Draft, table: Table, name: str, at: tuple[Int64, Int64], index: Int64) -> Naming:
    """Rows whose column names somebody; all columns that do so as a whole name the same person."""
    positions, rows = at
    mention = draft.model.tables[table.name].columns[name].mention
    assert mention is not None
    stream = draft.streams.key("mention", table.name, mention.group or name)
    told = draft.codes[table.name].get(variables.column(mention.leader)) if mention.leader else None
    codes = None if told is None else told[positions].astype(np.int64)
    return Naming(mention, stream, rows, index, codes)


def _naming(draft: Draft, it: Naming, drawn: pa.Array, limit: int | None = None) -> pa.Array:
    """Drawn texts that name somebody of the clone; as drawn where they name nobody."""

    def theirs(owner: Table, name: str, at: Int64) -> pa.Array:
        return values(draft, owner, name, at, 1)

    named = named_values(draft, it, theirs)
    if named is None:
        return drawn
    if it.mention.places:
        return mentioning(drawn, named, it, limit)
    return pc.coalesce(named, drawn)


def _multiplied(
    draft: Draft, table: Table, name: str, factor: Factor, positions: Int64, rows: Int64
) -> pa.Array:
    """Numbers that are others, of the rows or of their parents, times the factors of positions."""
    base = _numbers(draft, table, factor.column, factor.key, rows)
    base = np.where(np.isnan(base) | (base == 0), factor.typical, base)
    codes = draft.codes[table.name][variables.factor(name)][positions]
    key = draft.streams.key("values", table.name, name)
    factors, present = to_numbers(factor.codec.decode(codes, positions, key))
    quantity = quantity_of(table, name, draft.model.tables[table.name])
    assert quantity is not None
    return quantity.values(np.where(present, factors * base, np.nan))


def _numbers(draft: Draft, table: Table, name: str, key: ForeignKey | None, rows: Int64) -> Float64:
    """The numbers of a column of rows, or of their parents; NaN where there is none."""
    owner, links = table, rows
    if key is not None:
        owner, links = draft.model.schema[key.parent], draft.links[key][rows]
    quantity = quantity_of(owner, name, draft.model.tables[owner.name])
    found = np.full(len(rows), np.nan)
    here = np.flatnonzero(links >= 0)
    if quantity is not None and len(here):
        found[here] = quantity.numbers(values(draft, owner, name, links[here]))
    return found


def _structured(
    draft: Draft, table: Table, column: Column, model: ColumnModel, at: tuple[Int64, Int64],
    index: Int64, present: npt.NDArray[np.bool_],
) -> pa.Array:  # fmt: skip
    """Values put together of their parts.

    Args:
        at: The rows that lend their codes, and those that the values are for.
    """
    here, (positions, rows) = np.flatnonzero(present), at
    codes = {
        variable: codes[positions[here]]
        for variable in piece_variables(column.name, model)
        if (codes := draft.codes[table.name].get(variable)) is not None
    }
    key = draft.streams.key("person", table.name)
    traits = _traits(draft, table, column.name, positions[here])
    people = strangers(draft, table, index[here].astype(np.uint64), key, traits)
    mine = draft.streams.key("values", table.name, column.name)
    leaves = _Leaves(draft, table, column.name, rows[here])
    found = put_together(
        column.name, model, codes, index[here], mine, Persons(people, key, traits),
        mentioned=leaves.naming,
    )  # fmt: skip
    for turn in range(1, _WHOLE_ROUNDS + 1):  # a whole that is somebody's is put together anew
        again = np.flatnonzero(model.avoid.contains(found)) if model.avoid else here[:0]
        if not len(again):
            break
        theirs = {variable: codes_[again] for variable, codes_ in codes.items()}
        same = Persons(people[again], key, traits.taken(again) if traits else None)
        others = _Leaves(draft, table, column.name, rows[here[again]])
        fresh = put_together(
            column.name, model, theirs, index[here[again]], mine, same, turn, others.naming
        )
        found = put(found, again, fresh)
    return put(pa.nulls(len(positions), arrow_type(column)), here, _typed(found, column))


@dataclass(frozen=True)
class _Leaves:
    """The leaves of documents of some rows."""

    draft: Draft
    table: Table
    column: str
    rows: Int64

    def naming(
        self, mention: Mention, part: str, turn: int, rows: Int64, index: Int64, drawn: pa.Array,
        codes: Int64 | None,
    ) -> pa.Array:  # fmt: skip
        """Leaves that name somebody of the clone."""
        what = (mention.group,) if mention.group else (self.column, part)
        key = self.draft.streams.key("mention", self.table.name, *what)
        mine = index if codes is not None else index + turn * _APART
        return _naming(self.draft, Naming(mention, key, self.rows[rows], mine, codes), drawn)


def _traits(draft: Draft, table: Table, column: str, positions: Int64) -> Traits | None:
    def drawn(owner: Table, name: str, rows: Int64) -> pa.Array:
        return values(draft, owner, name, rows, 1)

    return traits_of(draft, table, column, positions, drawn)


def time_variables(name: str) -> tuple[str, ...]:
    """The variables that make up the values of a time column."""
    return variables.column(name), variables.weekday(name), variables.clock(name)


def placed_times(
    draft: Draft, table: Table, column: Column, model: ColumnModel, drawn: Mapping[str, Codes],
    rows: Int64, index: Int64,
) -> pa.Array:  # fmt: skip
    """Times at their distance from their anchors, and in their place in week and day.

    Args:
        drawn: Codes of the `time_variables`.
        rows: The rows that the values are for.
        index: What codes inside bins are drawn by.
    """
    assert model.codec is not None
    key = draft.streams.key("values", table.name, column.name)
    decoded = model.codec.decode(drawn[variables.column(column.name)], index, key)
    anchors = None
    if model.anchor is not None:
        anchors = anchor_times(draft, table, model.anchor, rows)
    calendar = model.calendar
    if calendar is None:
        return placed(column, model, decoded, anchors, None)
    weekdays = drawn[variables.weekday(column.name)]
    clock = clock_times(draft, table, column.name, calendar, drawn, index)
    low, high = cell_limits(column, model, drawn[variables.column(column.name)])

    def move(times: Float64, floor: Float64 | None) -> Float64:
        moved = on_calendar(times, floor, weekdays, clock, calendar)
        origin = 0.0 if floor is None else floor
        return within_days(moved, times, low + origin, high + origin)

    return placed(column, model, decoded, anchors, move)


def clock_times(
    draft: Draft, table: Table, name: str, calendar: Calendar, drawn: Mapping[str, Codes],
    index: Int64,
) -> Float64 | None:  # fmt: skip
    """The drawn times of day of a time column in microseconds; None for dates."""
    if calendar.clock is None:
        return None
    key = draft.streams.key("clock", table.name, name)
    return microseconds_of(calendar.clock.decode(drawn[variables.clock(name)], index, key), "")


def anchor_times(draft: Draft, table: Table, anchor: Anchor, rows: Int64) -> Float64:
    """The anchors of some rows in microseconds, NaN where there is none."""
    if anchor.key is None:
        return _microseconds(draft, table, anchor.column, rows)
    links = draft.links[anchor.key][rows]
    parent = draft.model.schema[anchor.key.parent]
    times = _microseconds(draft, parent, anchor.column, np.maximum(links, 0))
    return np.where(links >= 0, times, np.nan)


def _microseconds(draft: Draft, table: Table, column: str, rows: Int64) -> Float64:
    model = draft.model.tables[table.name].columns[column]
    _, form = form_of(table.column_by_name[column], model)
    return microseconds_of(values(draft, table, column, rows), form)


def _minted(
    draft: Draft, table: Table, column: Column, model: ColumnModel, positions: Int64,
    present: npt.NDArray[np.bool_], key: int,
) -> pa.Array:  # fmt: skip
    """Numbers of a mint in the type of their column."""
    mint = model.mint
    assert mint is not None

    def unwanted(units: Int64) -> npt.NDArray[np.bool_]:
        assert model.avoid is not None
        return model.avoid.contains(as_text(coined(column, mint, units)))

    real = draft.model.real.get(table.name)
    positions = positions if real is None else real.order[positions]
    units = mint.draw(positions, draft.rows[table.name], key, unwanted if model.avoid else None)
    return pc.if_else(
        pa.array(present), coined(column, mint, units), pa.scalar(None, arrow_type(column))
    )


def coined(column: Column, mint: Mint, units: Int64) -> pa.Array:
    """Numbers, in units of a mint's step, in the type of their column."""
    kind, here = (
        Kind.INTEGER if column.kind is Kind.TEXT else column.kind,
        np.ones(len(units), bool),
    )
    if kind in (Kind.DECIMAL, Kind.FLOAT):
        digits = max(0, round(-np.log10(mint.step))) if mint.step < 1 else 0
        return _typed(from_numbers(np.round(units * mint.step, digits), here, kind), column)
    return _typed(from_numbers(units * int(mint.step), here, kind, zoned=column.zoned), column)


def _typed(array: pa.Array, column: Column) -> pa.Array:
    wanted = arrow_type(column)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.type == wanted:
        return array
    if pa.types.is_string(wanted):
        return as_text(array)
    return array.cast(wanted)


def _referenced(
    draft: Draft, table: Table, column: Column, keys: list[ForeignKey], positions: Int64, depth: int
) -> pa.Array:
    """The value of the first linked foreign key; NULL where none is linked."""
    result = pa.nulls(len(positions), arrow_type(column))
    missing = np.ones(len(positions), bool)
    for fk in keys:
        links = draft.links[fk][positions]
        ready = np.flatnonzero(missing & (links >= 0))
        if len(ready):
            found = _parent_values(draft, fk, column, links[ready], depth)
            result = put(result, ready, found)
            missing[ready] = False
    if missing.any() and not column.nullable:
        # Part of a composite key whose other part is NULL: any value of the parent will do.
        for fk in keys:
            parents = draft.rows[fk.parent]
            if len(fk.columns) > 1 and parents:
                gaps = np.flatnonzero(missing)
                key = draft.streams.key("partial", str(fk))
                place = (hashed(key, positions[gaps]) % np.uint64(parents)).astype(np.int64)
                return put(result, gaps, _parent_values(draft, fk, column, place, depth))
    return result


def _parent_values(
    draft: Draft, fk: ForeignKey, column: Column, place: Int64, depth: int
) -> pa.Array:
    parent = draft.model.schema[fk.parent]
    name = fk.parent_columns[fk.columns.index(column.name)]
    return converted(values(draft, parent, name, place, depth + 1), arrow_type(column))


def converted(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """An array in another type, through text where there is no direct way."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.type == wanted:
        return array
    if pa.types.is_string(wanted):
        if pa.types.is_floating(array.type):
            array = pc.if_else(pc.equal(array, pc.floor(array)), array, array)
            return pc.replace_substring_regex(as_text(array), r"\.0$", "")
        return as_text(array)
    if pa.types.is_string(array.type) and pa.types.is_integer(wanted):
        return array.cast(pa.float64()).cast(wanted)
    return array.cast(wanted)


def put(array: pa.Array, places: Int64, found: pa.Array) -> pa.Array:
    """An array with some entries replaced."""
    if len(places) == len(array):
        return found
    source = np.full(len(array), -1, np.int64)
    source[places] = np.arange(len(found))
    both = pa.concat_arrays([array, found])
    index = np.where(source >= 0, len(array) + source, np.arange(len(array)))
    return both.take(pa.array(index))


def whole(draft: Draft, table: Table, names: tuple[str, ...]) -> pa.Table:
    """Some columns of all rows of a table."""
    positions = np.arange(draft.rows[table.name])
    return pa.table({name: values(draft, table, name, positions) for name in names})


def needed(table: Table, *columns: Sequence[str]) -> tuple[str, ...]:
    """The written columns behind some columns, sorted: all of them where one is generated."""
    asked = {name for group in columns for name in group}
    written = {column.name for column in table.written}
    return tuple(sorted(asked if asked <= written else written))


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def combined(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
