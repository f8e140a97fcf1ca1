"""Intervals without gaps: a row ends where its next sibling starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dbsynth.rules.base import Bool, Cases, Data, Float64, Int64, Kept, Place, View
from dbsynth.rules.chance import FEWEST, chance_equal, convincing, distinct_cases
from dbsynth.rules.expression import DAY, UNITS
from dbsynth.rules.words import RuleError, Words, column_name, key_name
from dbsynth.schema import ForeignKey, Schema

EXAMPLE = "salary.until = next salary.since within salary(employee)"
_JUDGED_ROWS = 20_000
_PRUNING_ROWS = 1_000
_PRUNING_SHARE = 0.9
_SPECIAL = 0.05
_NEIGHBOURS = 5
_QUANTILES = 33


@dataclass(frozen=True)
class Contiguous:
    """A row ends where the next sibling starts, or so much before; the last one ends as it likes.

    Attributes:
        before: How long before the next start a row ends: microseconds of times, else a number.
        sentence: The rule in words.
        lasts: Quantiles of how long the last one lasts, where it ends at no special value; none
            where there are few such rows.
    """

    end: Place
    start: Place
    key: ForeignKey
    before: float
    sentence: str
    lasts: tuple[float, ...] = ()

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table of the intervals."""
        return self.end[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """End and start."""
        return self.end, self.start

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The key that makes siblings."""
        return (self.key,)

    def cases(self, view: View) -> Cases | None:
        """Rows with a next sibling; those that end elsewhere."""
        end, wanted = view.numbers(self.end), self.wanted(view)
        if end is None or wanted is None:
            return None
        return Cases(~np.isnan(wanted), np.isnan(end) | (end != wanted))

    def wanted(self, view: View) -> Float64 | None:
        """Where every row should end; NaN for the last of a family."""
        start = view.numbers(self.start)
        if start is None:
            return None
        order, following = followers(view.links(self.key), start, view.numbers(self.end))
        wanted = np.full(len(start), np.nan)
        wanted[order[:-1][following]] = start[order[1:][following]] - self.before
        return wanted

    def last(self, view: View) -> Int64 | None:
        """The last row of the family of every row; a row without family is its own."""
        start = view.numbers(self.start)
        if start is None:
            return None
        order, following = followers(view.links(self.key), start, view.numbers(self.end))
        ends = np.flatnonzero(~np.r_[following, False]) if len(order) else order
        found = np.arange(len(start))
        found[order] = order[ends[np.searchsorted(ends, np.arange(len(order)))]]
        return found


def learnt(rule: Contiguous, view: View) -> Contiguous:
    """The rule that knows how long the last row of a family lasts."""
    end, start, last = view.numbers(rule.end), view.numbers(rule.start), rule.last(view)
    if end is None or start is None or last is None:
        return rule
    rows = np.unique(last)
    rows = rows[~(np.isnan(end[rows]) | np.isnan(start[rows]))]
    rows = rows[~special(end[rows])]
    if len(rows) < FEWEST:
        return rule
    # Means of neighbours, so that none is anybody's.
    lengths = np.sort(end[rows] - start[rows])
    means = np.lib.stride_tricks.sliding_window_view(lengths, _NEIGHBOURS).mean(axis=1)
    found = np.quantile(means, np.linspace(0, 1, _QUANTILES))
    return replace(rule, lasts=tuple(map(float, found)))


def special(ends: Float64) -> Bool:
    """Which ends are of the few values that many rows share, such as the end of all days."""
    inverse, counts = np.unique(ends, return_inverse=True, return_counts=True)[1:]
    return np.asarray((counts >= _SPECIAL * len(ends))[inverse])


def followers(links: Int64, start: Float64, end: Float64 | None = None) -> tuple[Int64, Bool]:
    """Rows by family and start, and whether each but the last is followed by a sibling.

    Rows without family or start come at the end, each alone.

    Args:
        end: What parts rows that start together.
    """
    alone = (links < 0) | np.isnan(start)
    family = np.where(alone, links.max(initial=0) + 1 + np.arange(len(links)), links)
    order = np.lexsort((start, family) if end is None else (end, start, family))
    return order, family[order[1:]] == family[order[:-1]]


def contiguous_rule(
    schema: Schema, end: Place, start: Place, key: ForeignKey, before: float, *, timed: bool
) -> Contiguous:
    """The rule with its sentence."""
    offset = ""
    if before:
        unit = next(u for u, w in UNITS.items() if before % w == 0 or w == 1) if timed else ""
        size = abs(before) / UNITS.get(unit, 1.0)
        text = str(int(size)) if size == int(size) else repr(size)
        offset = f" {'-' if before > 0 else '+'} {text}{' ' if unit else ''}{unit}"
    sentence = (
        f"{column_name(schema, end)} = next {column_name(schema, start)}{offset}"
        f" within {key_name(schema, key)}"
    )
    return Contiguous(end, start, key, before, sentence)


def parse(words: Words) -> Contiguous:
    """``table.end = next table.start - 1 days within table(key)``."""
    end = words.column()
    words.expect("=", "next")
    start = words.column()
    before, unit = 0.0, ""
    if words.peek() in ("+", "-"):
        sign = 1.0 if words.next_() == "-" else -1.0
        before = sign * words.number()
        if words.peek() in UNITS:
            unit = words.next_()
    words.expect("within")
    key = words.key()
    if start[0] != end[0] or key.child != end[0]:
        raise RuleError("end, start and key are not of one table")
    if start == end:
        raise RuleError("start and end are one column")
    timed = bool(unit)
    return contiguous_rule(
        words.schema, end, start, key, before * UNITS.get(unit, 1.0), timed=timed
    )


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """Ends that are the next start, or one unit before it."""
    settled = {kept.rule.places[0] for kept in found if "=" in str(kept.rule)}
    for table in data.schema.tables:
        places = [(table.name, name) for name in data.values.get(table.name, {})]
        in_keys = {name for key in table.keys for name in key.columns}
        ends = [p for p in places if p in data.free and p[1] not in in_keys and p not in settled]
        for key in table.foreign_keys:
            for start in places if key.parent != key.child else ():
                yield from _ending_at(data, start, ends, key)


def _ending_at(data: Data, start: Place, ends: Sequence[Place], key: ForeignKey) -> Iterator[Kept]:
    begin = data.numbers(start)
    assert begin is not None
    ends = [end for end in ends if end != start and (end in data.times) == (start in data.times)]
    if not ends or np.isnan(begin).all():
        return
    ends = _hopeful(data, start, ends, key)
    if not ends:
        return
    order, following = followers(data.links(key), begin)
    rows, after = order[:-1][following], order[1:][following]
    if len(rows) < FEWEST:
        return
    unit = max(data.unit(start), 0.0)
    for end in ends:
        stop = data.numbers(end)
        assert stop is not None
        distance = begin[after] - stop[rows]
        known = ~np.isnan(distance)
        if known.mean() < 0.5:
            continue
        before = float(np.median(distance[known]))
        if before not in (0.0, unit, DAY, 1e6) or (before and end not in data.times and unit != 1):
            continue
        timed = end in data.times
        rule = contiguous_rule(data.schema, end, start, key, before, timed=timed)
        cases = rule.cases(data)
        if cases is not None and _convincing(data, rule, cases, rows, len(ends)):
            rule = learnt(rule, data)
            yield Kept(rule, cases.held, cases.of, {"lasts": list(rule.lasts)})


def _hopeful(data: Data, start: Place, ends: Sequence[Place], key: ForeignKey) -> list[Place]:
    """Ends that lie at one distance before the next start in the first families."""
    links, begin = data.links(key), data.numbers(start)
    assert begin is not None
    linked = np.sort(links[links >= 0])
    last = linked[min(_PRUNING_ROWS, len(linked)) - 1] if len(linked) else -1
    some = np.flatnonzero((links >= 0) & (links <= last))
    order, following = followers(links[some], begin[some])
    rows, after = some[order[:-1][following]], some[order[1:][following]]
    found = []
    for end in ends:
        stop = data.numbers(end)
        assert stop is not None
        distance = begin[after] - stop[rows]
        distance = distance[~np.isnan(distance)]
        if not len(distance) or np.mean(distance == np.median(distance)) >= _PRUNING_SHARE:
            found.append(end)
    return found


def _convincing(data: Data, rule: Contiguous, cases: Cases, rows: Int64, tried: int) -> bool:
    stop, wanted = data.numbers(rule.end), rule.wanted(data)
    assert stop is not None
    assert wanted is not None
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _JUDGED_ROWS)).astype(np.int64)]
    own, other = stop[some], wanted[some]
    chance = chance_equal(own, other, 0.5 * data.unit(rule.end))
    distinct = distinct_cases(np.nan_to_num(own), other)
    return convincing(cases.held, cases.of, distinct, chance, 100 * tried)
