"""Times that walk from sibling to sibling: each lies a drawn gap after the one before.

The exact times are kept while a table is drawn, so that gaps add up, and so that the code of every
time is known to all that is drawn after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Codes, to_numbers
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import anchor_times, clock_times, placed_times, time_variables, values
from dbsynth.engines import variables
from dbsynth.engines.base import Derive, TableModel
from dbsynth.engines.conditional import Conditional, Conditionals
from dbsynth.learn.arrival import STRETCHES, stretches
from dbsynth.learn.families import sizes
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
from dbsynth.rules.base import Place
from dbsynth.rules.order import Order
from dbsynth.schema import Column, Kind, Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_LAST = 1 - 1e-9
_ROUNDS = 8  # of wishes for times
_PARENT = variables.of_parent("")
_SECOND = 1e6
_TRIED, _HALVINGS, _MOST_ALIKE = 50_000, 7, 0.98


def walk_of(draft: Draft, table: Table) -> Walk | None:
    """The walk of a table whose siblings follow each other in time."""
    for name, model in draft.model.tables[table.name].columns.items():
        if model.gap is not None:
            times = np.full(draft.rows[table.name], np.nan)
            return Walk(draft, table, table.column_by_name[name], model, model.gap, times)
    return None


def rise_of(
    draft: Draft, table: Table, engine: TableModel, inherited: Mapping[str, Codes], links: Int64
) -> Rise | None:
    """The times of a table that are drawn for whole families, from what is known of the parent."""
    for name, model in draft.model.tables[table.name].columns.items():
        if model.rising is not None and isinstance(engine, Conditionals):
            column, step = table.column_by_name[name], engine.step(variables.column(name))
            # One entry more than parents: what index -1 finds is code 0.
            known = {v: np.append(inherited[v.removeprefix(_PARENT)], np.uint16(0))[links]
                     for v in step.given}  # fmt: skip
            choir = Choir(draft, table, column, model, step, known, links)
            some = np.arange(min(len(links), _TRIED))
            codes, times = choir.drawn(np.arange(len(links)), choir.likeness(some, model.rising))
            return Rise(draft, table, column, model, codes, times)
    return None


@dataclass(frozen=True)
class Choir:
    """Times of families, which are more or less alike (a Gaussian copula; Li 2000).

    Every row has a score, and the higher it is among those of which the same is known, the later is
    its time.  So times are distributed as they should be however much the scores of siblings have
    in common; the more that is, the closer together siblings lie.
    """

    draft: Draft
    table: Table
    column: Column
    model: ColumnModel
    step: Conditional
    known: Mapping[str, Codes]
    links: Int64

    def drawn(self, rows: Int64, likeness: float) -> tuple[Codes, Float64]:
        """Codes and times in microseconds of some rows, in order inside each family.

        Args:
            likeness: Correlation of the scores of siblings.
        """
        name, streams = self.table.name, self.draft.streams
        family = np.where(
            self.links[rows] < 0, self.links.max(initial=0) + 1 + rows, self.links[rows]
        )
        own = _normal(streams.key("rising", name), rows)
        shared = _normal(streams.key("rising together", name), family)
        scores = np.sqrt(likeness) * shared + np.sqrt(1 - likeness) * own
        known = {v: codes[rows] for v, codes in self.known.items()}
        codes = self.step.draw(known, len(rows), streams.key("rising at", name), scores)
        drawn = {variables.column(self.column.name): codes}
        values = placed_times(self.draft, self.table, self.column, self.model, drawn, rows, rows)
        times = microseconds_of(values, form_of(self.column, self.model)[1])
        order = np.lexsort([times, family])
        return codes[order], times[order]

    def likeness(self, rows: Int64, wanted: float) -> float:
        """The correlation with which gaps are as they should be."""
        low, high = 0.0, _MOST_ALIKE
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if self._gaps(rows, middle) > wanted:
                low = middle
            else:
                high = middle
        return low

    def _gaps(self, rows: Int64, likeness: float) -> float:
        """The mean of log2(1 + gap) between siblings, in days or seconds, rounded up."""
        times = self.drawn(rows, likeness)[1]
        unit = DAY if form_of(self.column, self.model)[0] is Kind.DATE else _SECOND
        siblings = (self.links[rows][1:] == self.links[rows][:-1]) & (self.links[rows][1:] >= 0)
        gaps = np.diff(times)[siblings] / unit
        return float(np.ceil(np.log2(1 + np.floor(gaps))).mean()) if len(gaps) else 0.0


def _normal(key: int, index: Int64) -> Float64:
    """Numbers of a normal distribution by position (Box and Muller 1958)."""
    radius = np.sqrt(-2 * np.log1p(-uniform(key, index)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform(key ^ 1, index)), np.float64)


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


def make_room(draft: Draft, table: Table) -> None:
    """Let parents whose children come in a beat begin early enough for all of them.

    Where the first child is placed by a time of its parent, it is the times of the parents that are
    exchanged (`in_time`).
    """
    facts, rows = draft.model.tables[table.name], np.arange(draft.rows[table.name])
    codes, settled = draft.codes[table.name], draft.settled.setdefault(table.name, {})
    wanted: dict[str, Float64] = {}
    for column, gap, counts in _beats(draft, table):
        latest = wanted.get(column, np.full(len(rows), np.inf))
        key = draft.streams.key("in time", table.name, column)
        wanted[column] = np.minimum(latest, _deadlines(gap, counts, uniform(key, rows)))
    for name, deadlines in wanted.items():
        own = facts.columns[name]
        if own.anchor is not None or name in settled or variables.column(name) not in codes:
            continue
        found = values(draft, table, name, rows)
        times = microseconds_of(found, form_of(table.column_by_name[name], own)[1])
        order = in_time(times, np.full(len(rows), -np.inf), deadlines)
        codes |= {v: codes[v][order] for v in time_variables(name) if v in codes}
        settled[name] = found.take(pa.array(order))


def _beats(draft: Draft, table: Table) -> Iterator[tuple[str, Gap, Float64]]:
    """Times of a table that children in a beat begin at, their gaps, and how many there are."""
    for child, fk in draft.model.plan.generating.items():
        codes = draft.codes[table.name].get(variables.count(fk))
        if fk.parent != table.name or codes is None:
            continue
        key = draft.streams.key("room", str(fk))
        counts, _ = to_numbers(draft.model.counters[fk].decode(codes, np.arange(len(codes)), key))
        for name, model in draft.model.tables[child].columns.items():
            if model.gap is not None and model.gap.beat:
                for column in _begun_at(draft, (child, name), model):
                    yield column, model.gap, counts


def _begun_at(draft: Draft, place: Place, model: ColumnModel) -> Iterator[str]:
    """The times of the parent that the times of its children are relative to, or never before."""
    fk = draft.model.plan.generating[place[0]]
    if model.anchor is not None and model.anchor.key == fk:
        yield model.anchor.column
    for rule in (kept.rule for kept in draft.model.rules):
        if (
            isinstance(rule, Order)
            and rule.at_least
            and (rule.subject, rule.path) == (place, (fk,))
        ):
            yield rule.other[1]


def _deadlines(gap: Gap, many: npt.NDArray[Any], share: Float64) -> Float64:
    """The latest time of the first of so many siblings, less a share of a beat."""
    found = gap.latest - (np.maximum(many, 1) - 1 + share) * gap.beat
    return np.asarray(np.ceil(found / gap.step) * gap.step)


def in_time(times: Float64, earliest: Float64, latest: Float64) -> Int64:
    """Which row's time each row takes, so that each lies between its bounds where that can be.

    A family that pays every month since a day has so many rows, and one more if it came a month
    earlier; drawn one after the other, day and number agree but roughly.  Every row wishes for the
    time nearest to its own, and the times, which stay the same as a whole, are dealt out in the
    order of the wishes.

    Args:
        times: Times, all known; shape (rows,).
        earliest, latest: The bounds of each; where they contradict each other, the latest holds.
    """
    order = np.arange(len(times))
    by_time = np.argsort(times, kind="stable")
    for _ in range(_ROUNDS):
        now = times[order]
        wished = np.minimum(np.maximum(now, earliest), latest)
        if (wished == now).all():
            break
        order = np.empty(len(times), np.int64)
        order[np.argsort(wished, kind="stable")] = by_time
    return order


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
class Rise:
    """The times of one column, in microseconds, and their codes: siblings lie in their order."""

    draft: Draft
    table: Table
    column: Column
    model: ColumnModel
    codes: Codes
    times: Float64

    def derivation(self, rows: Int64, position: Int64, before: Int64) -> Derive:
        """What puts the codes of times in place while some rows are drawn."""
        del position, before
        own = variables.column(self.column.name)

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            if variable == own:
                drawn[variable] = self.codes[rows]

        return derive

    def settle(self) -> None:
        """Make the times the values of their column."""
        settled = self.draft.settled.setdefault(self.table.name, {})
        settled[self.column.name] = written(self.column, self.model, self.times)


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
        times = microseconds_of(found, form_of(self.column, self.model)[1])
        if not self.gap.beat or self.model.anchor is not None:
            return times
        return self._in_time(times, rows, drawn)

    def _in_time(self, times: Float64, rows: Int64, drawn: dict[str, Codes]) -> Float64:
        """First times from which a beat leads up to the latest time, not beyond."""
        links = self.draft.links[self.draft.model.plan.generating[self.table.name]]
        share = uniform(self.draft.streams.key("in time", self.table.name), rows)
        latest, earliest = _deadlines(self.gap, sizes(links)[rows], share), self._floors(rows)
        times = times[in_time(times, earliest, latest)]
        times = np.maximum(np.minimum(times, latest), earliest)
        self._show(times, rows, drawn)
        return times

    def _floors(self, rows: Int64) -> Float64:
        """The latest time of the parent before which no time of each row comes."""
        fk = self.draft.model.plan.generating[self.table.name]
        links, parent = self.draft.links[fk][rows], self.draft.model.schema[fk.parent]
        found = np.full(len(rows), -np.inf)
        for name in _begun_at(self.draft, (self.table.name, self.column.name), self.model):
            own = self.draft.model.tables[parent.name].columns[name]
            theirs = values(self.draft, parent, name, np.maximum(links, 0))
            times = microseconds_of(theirs, form_of(parent.column_by_name[name], own)[1])
            found = np.fmax(found, np.where(links >= 0, times, -np.inf))
        return found

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
        self._show(times, rows, drawn)

    def _show(self, times: Float64, rows: Int64, drawn: dict[str, Codes]) -> None:
        """Tell the codes of times to what is drawn after them."""
        name, calendar = self.column.name, self.model.calendar
        if calendar is not None:
            kind = form_of(self.column, self.model)[0]
            weekdays, clocks = calendar_codes(Times(times, self.gap.step, kind), calendar)
            drawn[variables.weekday(name)] = weekdays
            if clocks is not None:
                drawn[variables.clock(name)] = clocks
        anchors = None
        if self.model.anchor is not None:
            anchors = anchor_times(self.draft, self.table, self.model.anchor, rows)
        drawn[variables.column(name)] = encoded(self.column, self.model, times, anchors)
