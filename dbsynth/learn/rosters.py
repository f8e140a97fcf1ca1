"""Sibling tables are found: whose pairs of parents, and sums, those of another table are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dbsynth.learn.work import Work
from dbsynth.rosters import Course, Events, Ranking, Roster, Total
from dbsynth.rules.ranks import Ranks
from dbsynth.schema import ForeignKey

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_LISTED = 0.98  # of the rows have their pair in the base
_ADDS_UP = 0.85  # of the rows
_TELLING = 0.7  # of the rows that differ from the commonest value
_COUNTED = 3  # commonest values that may be counted
_FEWEST = 100


@dataclass(frozen=True)
class _Table:
    """A table whose rows pair a family with a member."""

    key: ForeignKey
    own: ForeignKey
    member: Int64
    rank: Int64

    @property
    def name(self) -> str:
        return self.key.child

    def events(self, groups: Int64) -> Events:
        """Its rows in groups of families."""
        return Events(groups[self.rank], self.member, self.rank)


def find_rosters(work: Work) -> dict[str, Roster]:
    """Per table, the roster that it follows."""
    tables = [
        _Table(fk, paced.own, work.links[fk], paced.rank)
        for fk, paced in work.paced.items()
        if len(paced.rank) >= _FEWEST
    ]
    candidates: list[tuple[int, int, Roster]] = []
    for table in tables:
        if not work.paced[table.key].once:
            continue
        for base in tables:
            found = None if base.name == table.name else _roster(work, table, base, tables)
            if found is not None:
                candidates.append((len(found.derived), len(base.rank), found))
    chosen: dict[str, Roster] = {}
    for _, _, roster in sorted(candidates, key=lambda c: (-c[0], -c[1], str(c[2].key))):
        name = roster.key.child
        if name not in chosen and not any(_leads(chosen, b, name) for b in roster.bases):
            chosen[name] = roster
    return chosen


def _leads(chosen: dict[str, Roster], start: str, goal: str) -> bool:
    """Whether a table follows another one, directly or not."""
    if start == goal:
        return True
    roster = chosen.get(start)
    return roster is not None and any(_leads(chosen, base, goal) for base in roster.bases)


def groupings(work: Work, own: ForeignKey) -> Iterator[tuple[str, Int64]]:
    """Per column that groups the families, the group of every rank; the families by themselves."""
    count = work.rows[own.parent].count
    yield "", np.arange(count)
    order = work.tables[own.parent].order
    if order:
        numbers = work.rows[own.parent].numbers[order[0]]
        groups = np.unique(np.sort(numbers), return_inverse=True)[1].astype(np.int64)
        if 2 * (groups.max(initial=0) + 1) <= count:
            yield order[0], groups


def _roster(work: Work, table: _Table, base: _Table, tables: list[_Table]) -> Roster | None:
    if not _comparable(table, base):
        return None
    for group, groups in groupings(work, table.own):
        course = Course(base.events(groups), table.events(groups))
        if np.mean(course.summed(np.ones(len(base.rank))) > 0) < _LISTED:
            continue
        totals = _totals(work, table, tables)
        pairs = len(np.unique(base.rank * (base.member.max() + 1) + base.member))
        if not totals and (group or len(table.rank) > pairs):
            return None
        others = () if group else tuple(_others(work, table, base))
        roster = Roster(table.key, base.key, group, others, totals, None)
        return replace(roster, ranking=_ranking(work, table, base, roster))
    return None


def _comparable(table: _Table, base: _Table) -> bool:
    """Whether two tables have the same families and members."""
    return (
        table.name != base.name
        and table.own.parent == base.own.parent
        and table.key.parent == base.key.parent
        and table.key.parent_columns == base.key.parent_columns
    )


def _totals(work: Work, table: _Table, tables: list[_Table]) -> tuple[Total, ...]:
    """For every column the sum that it agrees with most often."""
    best: dict[str, tuple[float, Total]] = {}
    for base in tables:
        if not _comparable(table, base):
            continue
        for group, groups in groupings(work, table.own):
            course = Course(base.events(groups), table.events(groups))
            if np.mean(course.summed(np.ones(len(base.rank))) > 0) < _LISTED:
                continue
            for source, equals, values in _addends(work, base):
                found = course.summed(values)
                for column, numbers in work.rows[table.name].numbers.items():
                    share = _agreement(numbers, found)
                    if share > best.get(column, (0.0, None))[0] + 1e-9:
                        best[column] = share, Total(column, base.key, group, source, equals)
    return tuple(total for _, total in best.values())


def _addends(work: Work, base: _Table) -> Iterator[tuple[str, float | None, Float64]]:
    """The columns of a base that may be added up, and values of them that may be counted."""
    for source, numbers in work.rows[base.name].numbers.items():
        if np.isnan(numbers).any():
            continue
        yield source, None, numbers
        values, times = np.unique(numbers, return_counts=True)
        common = values[np.argsort(-times, kind="stable")[:_COUNTED]]
        for equals in dict.fromkeys((float(values[0]), *map(float, common))):
            yield source, equals, (numbers == equals).astype(np.float64)


def _agreement(numbers: Float64, found: Float64) -> float:
    """The share of rows in which a sum agrees; 0 where it does not explain the column."""
    right = np.isclose(numbers, found)
    values, times = np.unique(numbers, return_counts=True)
    telling = numbers != values[np.argmax(times)]
    if len(values) < 2 or np.mean(right) < _ADDS_UP or np.mean(right[telling]) < _TELLING:
        return 0.0
    return float(np.mean(right))


def _others(work: Work, table: _Table, base: _Table) -> Iterator[tuple[ForeignKey, ForeignKey]]:
    """Further keys whose parents are those of the base's row with the same pair."""
    width = int(max(base.member.max(), table.member.max())) + 1
    theirs = base.rank * width + base.member
    order = np.argsort(theirs, kind="stable")
    mine = table.rank * width + table.member
    at = np.minimum(np.searchsorted(theirs[order], mine), len(order) - 1)
    rows = order[at]
    for fk, paced in work.paced.items():
        if fk.child != table.name or fk == table.key or paced.own != table.own:
            continue
        for other in work.paced:
            same = other.parent == fk.parent and other.parent_columns == fk.parent_columns
            same = same and other.child == base.name and other != base.key
            if same and np.mean(work.links[other][rows] == work.links[fk]) >= _LISTED:
                yield fk, other
                break


def _ranking(work: Work, table: _Table, base: _Table, roster: Roster) -> Ranking | None:
    """The column that ranks rows by their totals."""
    ranked = [
        kept.rule.place[1] for kept in work.rules
        if isinstance(kept.rule, Ranks) and kept.rule.group == table.own
        and kept.rule.first == 1 and not kept.rule.zeros
    ]  # fmt: skip
    numbers = work.rows[table.name].numbers
    for column in ranked:
        order = np.lexsort((numbers[column], table.rank))
        sibling = np.diff(table.rank[order]) == 0
        left, by = sibling, []
        names = [t.column for t in roster.totals]
        while names:
            falls = {n: np.diff(numbers[n][order])[left] <= 0 for n in names}
            best = max(names, key=lambda n: (float(np.mean(falls[n])), n))
            if not left.any() or np.mean(falls[best]) < _LISTED:
                break
            by.append(best)
            names.remove(best)
            left = left & (np.diff(numbers[best][order]) == 0)
        if by:
            source, falling = _tie(work, table, base, roster, order, left)
            return Ranking(column, tuple(by), source, falling)
    return None


def _tie(
    work: Work, table: _Table, base: _Table, roster: Roster, order: Int64,
    left: npt.NDArray[np.bool_],
) -> tuple[str, bool]:  # fmt: skip
    """The base's column whose best value so far tells best which of equal rows comes first."""
    groups = dict(groupings(work, table.own))[roster.group]
    course = Course(base.events(groups), table.events(groups))
    best: tuple[float, str, bool] = (0.5, "", False)
    for source, numbers in work.rows[base.name].numbers.items():
        for falling in (False, True):
            signed = -numbers if falling else numbers
            found = course.least(signed)[order]
            apart = left & (found[1:] != found[:-1])
            if apart.any():
                share = float(np.mean((found[1:] > found[:-1])[apart]))
                best = max(best, (share, source, falling))
    return best[1], best[2]
