"""Sibling tables: who is listed in one table was so in another, and what is listed adds up.

The standings after a race list who has raced this season, with the points won so far: a table whose
pairs of parents are those of a base table, in the same family or in an earlier one of the same
group, and whose columns are sums, or running sums, of the base's columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dbsynth.schema import ForeignKey

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Total:
    """A column that is a sum over the rows of another table with the same member.

    Attributes:
        base: The key of the other table to the member.
        group: The column of the families' table within whose values the sum runs; empty for a sum
            over the same family.
        source: The column that is added up.
        equals: The value whose occurrences are counted instead of adding values up.
    """

    column: str
    base: ForeignKey
    group: str
    source: str
    equals: float | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """A column that ranks the rows of a family: by totals, the largest first, then by the best.

    Attributes:
        source: The base's column whose least (or largest) value so far parts equal rows.
        falling: Whether the largest value is the best.
    """

    column: str
    by: tuple[str, ...]
    source: str
    falling: bool


@dataclass(frozen=True, slots=True)
class Roster:
    """What a table takes over from a base table.

    Attributes:
        key: Its key to the member.
        base: The base's key to the member.
        group: As of `Total`: where members come from.
        others: Further keys that have the parents of the base's row, and the base's keys.
    """

    key: ForeignKey
    base: ForeignKey
    group: str
    others: tuple[tuple[ForeignKey, ForeignKey], ...]
    totals: tuple[Total, ...]
    ranking: Ranking | None

    @property
    def bases(self) -> frozenset[str]:
        """The tables that it follows."""
        return frozenset({self.base.child, *(total.base.child for total in self.totals)})

    @property
    def derived(self) -> frozenset[str]:
        """The columns that follow from other tables."""
        ranked = {self.ranking.column} if self.ranking else set()
        return frozenset(ranked | {total.column for total in self.totals})


def bases_first(names: Iterable[str], rosters: Mapping[str, Roster]) -> list[str]:
    """Tables in their order, but none before the tables that it follows."""
    found: list[str] = []
    left = list(names)
    while left:
        waiting = set(left)
        ready = [n for n in left if n not in rosters or not rosters[n].bases & (waiting - {n})]
        found += ready or left
        left = [n for n in left if n not in ready] if ready else []
    return found


@dataclass(frozen=True)
class Events:
    """Rows of a table as events: of members, in groups, at times.

    Attributes:
        group, member, time: One entry per row; times are ranks of families.
    """

    group: Int64
    member: Int64
    time: Int64


class Course:
    """The events of a base table and those at which somebody asks what they have come to."""

    def __init__(self, base: Events, at: Events) -> None:
        self._count, asked = len(base.time), len(at.time)
        late = np.r_[np.zeros(self._count, np.int64), np.ones(asked, np.int64)]
        group = np.r_[base.group, at.group]
        member = np.r_[base.member, at.member]
        time = np.r_[base.time, at.time]
        self._order = np.lexsort((late, time, member, group))
        self._start = np.ones(len(late), bool)
        self._start[1:] = (np.diff(group[self._order]) != 0) | (np.diff(member[self._order]) != 0)

    def summed(self, values: Float64) -> Float64:
        """The sum of the values of a member's events in a group so far, one for each question."""
        padded = np.r_[values, np.zeros(len(self._order) - self._count)][self._order]
        total = np.cumsum(padded)
        heads = np.flatnonzero(self._start)
        before = np.r_[0.0, total[:-1]][heads]
        return self._asked(total - np.repeat(before, np.diff(np.r_[heads, len(total)])))

    def least(self, values: Float64) -> Float64:
        """The least value so far; infinite where there is none."""
        padded = np.r_[values, np.full(len(self._order) - self._count, np.inf)][self._order]
        return self._asked(_least(padded, self._start))

    def _asked(self, ordered: Float64) -> Float64:
        found = np.empty(len(ordered))
        found[self._order] = ordered
        return found[self._count :]


def _least(values: Float64, start: npt.NDArray[np.bool_]) -> Float64:
    """The least value so far in every stretch (by doubling distances)."""
    rows = np.arange(len(values))
    place = rows - np.maximum.accumulate(np.where(start, rows, 0))
    found, step = values.copy(), 1
    while step <= place.max(initial=0):
        earlier = np.where(place >= step, np.r_[np.full(step, np.inf), found[:-step]], np.inf)
        found = np.minimum(found, earlier)
        step *= 2
    return found


def to_json(roster: Roster, keys: Sequence[ForeignKey]) -> dict[str, Any]:
    """The roster with foreign keys as numbers."""
    ranking = roster.ranking
    return {
        "key": keys.index(roster.key),
        "base": keys.index(roster.base),
        "group": roster.group,
        "others": [[keys.index(a), keys.index(b)] for a, b in roster.others],
        "totals": [
            [t.column, keys.index(t.base), t.group, t.source, t.equals] for t in roster.totals
        ],
        "ranking": ranking and [ranking.column, ranking.by, ranking.source, ranking.falling],
    }


def from_json(value: Mapping[str, Any], keys: Sequence[ForeignKey]) -> Roster:
    """The inverse of `to_json`."""
    ranking = value["ranking"]
    return Roster(
        keys[value["key"]],
        keys[value["base"]],
        value["group"],
        tuple((keys[a], keys[b]) for a, b in value["others"]),
        tuple(Total(c, keys[b], g, s, e) for c, b, g, s, e in value["totals"]),
        Ranking(ranking[0], tuple(ranking[1]), ranking[2], ranking[3]) if ranking else None,
    )
