"""Numbers that count or rank the rows of a group: 1, 2, 3 in the order of rows, or in any order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbsynth.codec import k_threshold
from dbsynth.keys import rank_in_group
from dbsynth.rules.base import Bool, Cases, Data, Float64, Int64, Kept, Place, View
from dbsynth.rules.dependence import beyond_chance
from dbsynth.rules.identity import coded, declared_unique, derived, identities
from dbsynth.rules.words import NotMine, RuleError, Words, column_name, key_name
from dbsynth.schema import ForeignKey, Schema
from dbsynth.sorting import by_group

EXAMPLE = "line.position counts from 1 within line(order_id)"
_SHARE = 0.8  # of the groups of several rows; the slips of the source are not imitated
_COUNTING = 0.995  # of the rows that have to stand in order


@dataclass(frozen=True)
class Ranks:
    """Inside each group the column holds so many different numbers in a row.

    Attributes:
        group: A foreign key of the table, or a column of it.
        first: The smallest number.
        counting: Whether they rise with the order of the rows.
        zeros: Whether rows with 0 are left out.
    """

    place: Place
    group: ForeignKey | Place
    first: int
    counting: bool
    zeros: bool
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table whose rows can break it."""
        return self.place[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """The column, and the one that makes the groups."""
        return (self.place,) if isinstance(self.group, ForeignKey) else (self.place, self.group)

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The key that makes the groups."""
        return (self.group,) if isinstance(self.group, ForeignKey) else ()

    def cases(self, view: View) -> Cases | None:
        """Rows with a group; those whose number is not the one of its place."""
        numbers, groups = view.numbers(self.place), groups_of(view, self.group)
        if numbers is None or groups is None:
            return None
        could = (groups >= 0) & ~np.isnan(numbers)
        if self.zeros:
            could &= numbers != 0
        return Cases(could, np.nan_to_num(numbers, nan=-1) != self.numbers(numbers, groups, could))

    def numbers(self, scores: Float64, groups: Int64, rows: Bool) -> Float64:
        """The numbers of the chosen rows, by their order or by their scores; NaN elsewhere."""
        chosen = np.flatnonzero(rows)
        order = chosen if self.counting else chosen[np.argsort(scores[chosen], kind="stable")]
        found = np.full(len(groups), np.nan)
        found[order] = rank_in_group(groups[order]) + float(self.first)
        return found


def groups_of(view: View, group: ForeignKey | Place) -> Int64 | None:
    """The group of every row, -1 for none."""
    if isinstance(group, ForeignKey):
        return view.links(group)
    ids = identities(view, group)
    return None if ids is None else ids - 1


def ranks_rule(
    schema: Schema, place: Place, group: ForeignKey | Place, first: int, *,
    counting: bool, zeros: bool,
) -> Ranks:  # fmt: skip
    """The rule with its sentence."""
    where = key_name(schema, group) if isinstance(group, ForeignKey) else column_name(schema, group)
    sentence = (
        f"{column_name(schema, place)} {'counts' if counting else 'ranks'} from {first} within"
        f" {where}{' but for 0' if zeros else ''}"
    )
    return Ranks(place, group, first, counting, zeros, sentence)


def parse(words: Words) -> Ranks:
    """``table.column counts from 1 within child(columns)``, or ``ranks``, or within a column."""
    place = words.column()
    counting = words.take("counts")
    if not counting:
        words.expect("ranks")
    words.expect("from")
    first = int(words.number())
    words.expect("within")
    group: ForeignKey | Place = words.key() if words.has("(") else words.column()
    zeros = words.take("but", "for", "0")
    table = group.child if isinstance(group, ForeignKey) else group[0]
    if table != place[0]:
        raise RuleError("the column and its group must be of one table")
    if first not in (0, 1):
        raise NotMine
    return ranks_rule(words.schema, place, group, first, counting=counting, zeros=zeros)


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """Columns of whole numbers that count or rank the rows of a key's or column's groups."""
    settled = derived(found)
    for table in data.plan.order if data.plan is not None else ():
        columns = [
            (table, name) for name in data.values.get(table, {})
            if (table, name) not in settled and (table, name) not in data.times
            and _whole(data.values[table][name])
        ]  # fmt: skip
        if columns and table not in data.thinned:
            yield from _mine_table(data, table, columns)


def _whole(numbers: Float64) -> bool:
    present = numbers[~np.isnan(numbers)]
    if not len(present) or (present < 0).any() or (present != np.floor(present)).any():
        return False
    return bool(1 < present.max() <= len(numbers))


def _mine_table(data: Data, table: str, columns: Sequence[Place]) -> Iterator[Kept]:
    groupings = list(_groupings(data, table))
    tried = max(1, 2 * len(groupings) * len(columns))
    counted: set[Place] = set()
    for group, groups in groupings:
        order = by_group(groups)
        order = order[groups[order] >= 0]
        for place in columns:
            own = group.columns if isinstance(group, ForeignKey) else (group[1],)
            if place in counted or place == group or declared_unique(data.schema, place, own):
                continue
            kept = _ranked(data, place, group, groups, order, tried)
            if kept is not None:
                counted.add(place)
                yield kept


def _groupings(data: Data, table: str) -> Iterator[tuple[ForeignKey | Place, Int64]]:
    """The generating key, then columns whose values several rows share.

    Families of dealt keys are known when the rows are drawn already, and numbers given to them
    afterwards fit the rest of the row badly; such a rule can be declared.
    """
    fk = None if data.plan is None else data.plan.generating.get(table)
    if fk is not None:
        yield fk, data.links(fk)
    for name in data.coded.get(table, {}):
        column = coded(data, (table, name), k_threshold(data.rows(table)))
        if column is not None and column.known is None and column.size > 2:
            yield (table, name), column.codes - 1


def _ranked(
    data: Data, place: Place, group: ForeignKey | Place, groups: Int64, order: Int64, tried: int
) -> Kept | None:
    numbers = data.values[place[0]][place[1]]
    for zeros in (False, True):
        rows = order[~np.isnan(numbers[order])]
        if zeros:
            rows = rows[numbers[rows] != 0]
            if len(rows) == len(order):
                continue
        if len(rows) < 2:
            continue
        starts = np.flatnonzero(np.r_[True, groups[rows][1:] != groups[rows][:-1]])
        sizes = np.diff(np.r_[starts, len(rows)])
        low = np.minimum.reduceat(numbers[rows], starts)
        high = np.maximum.reduceat(numbers[rows], starts)
        several = sizes > 1
        for first in (1, 0) if not zeros else (1,):
            fits = (low == first) & (high == sizes + first - 1)
            if not several.any() or np.mean(fits[several]) < _SHARE or np.mean(fits) < _SHARE:
                continue
            values = numbers[rows][np.lexsort((numbers[rows], groups[rows]))]
            step = np.diff(values, prepend=values[0] - 1) == 1
            step[starts] = True
            fits &= np.minimum.reduceat(step, starts)
            if np.mean(fits[several]) < _SHARE:
                continue
            if not _beyond_chance(numbers[rows], sizes, fits, first, tried):
                continue
            rank = rank_in_group(groups[rows]) + first
            right = np.repeat(fits, sizes)
            in_order = bool(np.mean((numbers[rows] == rank)[right]) >= _COUNTING)
            # The rows of a clone lie family by family: only there their order says something.
            counting = in_order and isinstance(group, ForeignKey)
            rule = ranks_rule(data.schema, place, group, first, counting=counting, zeros=zeros)
            return Kept(rule, int(sizes[fits & several].sum()), int(sizes[several].sum()))
    return None


def _beyond_chance(numbers: Float64, sizes: Int64, fits: Bool, first: int, tried: int) -> bool:
    """Whether independent draws from the column would not so often be 1, 2, 3 in some order."""
    shares = np.bincount(numbers.astype(np.int64)) / len(numbers)
    with np.errstate(divide="ignore"):
        reached = np.cumsum(np.log(shares[first:]))
    used = fits & (sizes > 1)
    logs = np.array([math.lgamma(n + 1) for n in range(int(sizes.max()) + 1)])
    surprise = -float((logs[sizes[used]] + reached[sizes[used] - 1]).sum())
    cases = float(sizes[sizes > 1].sum())
    return surprise > 0 and beyond_chance(surprise, cases, 0, tried)
