"""Times that walk from sibling to sibling: each lies a drawn gap after the one before.

The exact times are kept while a table is drawn, so that gaps add up, and so that the code of every
time is known to all that is drawn after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes, to_numbers
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import anchor_times, clock_times, placed_times
from dbsynth.engines import variables
from dbsynth.engines.base import Derive
from dbsynth.learn.arrival import STRETCHES, stretches
from dbsynth.model import ColumnModel, Gap, Pace
from dbsynth.randomness import uniform
from dbsynth.read.times import (
    DAY,
    Times,
    calendar_codes,
    encoded,
    form_of,
    microseconds_of,
    on_calendar,
    written,
)
from dbsynth.schema import Column, Kind, Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_LAST = 1 - 1e-9


def walk_of(draft: Draft, table: Table) -> Walk | None:
    """The walk of a table whose siblings follow each other in time."""
    for name, model in draft.model.tables[table.name].columns.items():
        if model.gap is not None:
            times = np.full(draft.rows[table.name], np.nan)
            return Walk(draft, table, table.column_by_name[name], model, model.gap, times)
    return None


def stroll_of(draft: Draft, table: Table) -> Stroll | None:
    """The walk of a table whose siblings go along the order of another parent."""
    pace = draft.model.tables[table.name].pace
    if pace is None or not draft.rows[pace.key.parent]:
        return None
    return Stroll(draft, pace, np.zeros(draft.rows[table.name]))


@dataclass(frozen=True)
class Stroll:
    """Places along the order of another parent, while a table is drawn: from 0 to 1."""

    draft: Draft
    pace: Pace
    places: Float64

    def derivation(self, rows: Int64, position: Int64, before: Int64) -> Derive:
        """What puts rows so much further along than their siblings as was drawn."""
        key, step = self.pace.key, variables.gap(str(self.pace.key))

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            if variable == step:
                drawn[variable] = np.where(position > 0, drawn[variable], 0).astype(np.uint16)
            if variable == variables.parent_class(key):
                if (position == 0).all():
                    inside = uniform(self.draft.streams.key("stroll", str(key)), rows)
                    stretch = np.maximum(drawn[variable].astype(np.float64) - 1, 0)
                    self.places[rows] = (stretch + inside) / STRETCHES
                else:
                    self.places[rows] = self._further(rows, before, drawn[step])
                    drawn[variable] = stretches(self.places[rows])

        return derive

    def settle(self) -> None:
        """Hand the places on to the dealing of the key."""
        self.draft.places[self.pace.key] = self.places

    def _further(self, rows: Int64, before: Int64, codes: Codes) -> Float64:
        """The places behind those of the siblings before."""
        key = self.draft.streams.key("stride", str(self.pace.key))
        parents = max(self.draft.model.tables[self.pace.key.parent].rows, 1)
        distance = _strides(self.pace.gap, codes, rows, key) / parents
        return np.minimum(self.places[before] + _since(before, distance), _LAST)


def _strides(gap: Gap, codes: Codes, rows: Int64, key: int) -> Float64:
    """How far each row goes: never back, and nowhere without a code."""
    distance, present = to_numbers(gap.codec.decode(codes, rows, key))
    return np.where(present, np.maximum(distance, 0), 0.0)


def _since(before: Int64, distance: Float64) -> Float64:
    """How far rows, siblings side by side, are from the sibling that was drawn before them all."""
    start = np.r_[True, before[1:] != before[:-1]]
    walked = np.cumsum(distance)
    found: Float64 = walked - np.maximum.accumulate(np.where(start, walked - distance, 0))
    return found


@dataclass(frozen=True)
class Walk:
    """The times of one column while its table is drawn, in microseconds."""

    draft: Draft
    table: Table
    column: Column
    model: ColumnModel
    gap: Gap
    times: Float64

    def derivation(self, rows: Int64, position: Int64, before: Int64) -> Derive:
        """What puts the codes of times in place while some rows are drawn.

        Args:
            rows: The rows, siblings side by side in their order.
            position: Their places among their siblings.
            before: The sibling that was drawn before each; -1 for the first of a family.
        """
        name = self.column.name

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            if variable == variables.gap(name):
                drawn[variable] = np.where(position > 0, drawn[variable], 0).astype(np.uint16)
            if variable == variables.column(name):
                if (position == 0).all():
                    self.times[rows] = self._first(rows, drawn)
                else:
                    self._follow(rows, before, drawn)

        return derive

    def _by_the_latest(
        self, times: Float64, floor: Float64, apart: npt.NDArray[np.bool_], rows: Int64
    ) -> Float64:
        """Times that would come after the latest lie somewhere before it, still in their order."""
        latest, step = self.gap.latest, self.gap.step
        share = uniform(self.draft.streams.key("latest", self.table.name), rows)
        room = np.maximum(latest - floor, 0.0)
        nearer = np.floor((floor + share * room) / step) * step
        nearer = np.maximum(nearer, floor + np.where(apart, step, 0.0))
        return np.where(times > latest, nearer, times)

    def settle(self) -> None:
        """Make the times the values of their column."""
        settled = self.draft.settled.setdefault(self.table.name, {})
        settled[self.column.name] = written(self.column, self.model, self.times)

    def _first(self, rows: Int64, drawn: dict[str, Codes]) -> Float64:
        """The times of the first rows of families, as they come from their codes."""
        found = placed_times(self.draft, self.table, self.column, self.model, drawn, rows, rows)
        return microseconds_of(found, form_of(self.column, self.model)[1])

    def _follow(self, rows: Int64, before: Int64, drawn: dict[str, Codes]) -> None:
        """Put rows the drawn gaps after their siblings, and in their place on the calendar."""
        name, kind = self.column.name, form_of(self.column, self.model)[0]
        codes = drawn[variables.gap(name)]
        key = self.draft.streams.key("gap", self.table.name, name)
        distance = _strides(self.gap, codes, rows, key) * (DAY if kind is Kind.DATE else 1.0)
        floor = self.times[before]
        times = np.floor((floor + _since(before, distance)) / self.gap.step) * self.gap.step
        calendar = self.model.calendar
        if calendar is not None:
            exact = ~np.isnan(self.gap.codec.points[np.maximum(codes.astype(np.int64) - 4, 0)])
            clock = clock_times(self.draft, self.table, name, calendar, drawn, rows)
            moved = on_calendar(times, floor, drawn[variables.weekday(name)], clock, calendar)
            times = np.where(exact | (moved < floor), times, moved)
        times = self._by_the_latest(times, floor, distance > 0, rows)
        self.times[rows] = times
        if calendar is not None:
            weekdays, clocks = calendar_codes(Times(times, self.gap.step, kind), calendar)
            drawn[variables.weekday(name)] = weekdays
            if clocks is not None:
                drawn[variables.clock(name)] = clocks
        anchors = None
        if self.model.anchor is not None:
            anchors = anchor_times(self.draft, self.table, self.model.anchor, rows)
        drawn[variables.column(name)] = encoded(self.column, self.model, times, anchors)
