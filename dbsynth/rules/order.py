"""Inequalities: a number or time is never below another of its row, its parent's row, or above."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbsynth.diamonds import Path, follow
from dbsynth.rules.base import Bool, Cases, Data, Float64, Int64, Kept, Place, View
from dbsynth.rules.chance import chance_at_most, convincing, distinct_cases, effective_cases
from dbsynth.rules.formula import Formula
from dbsynth.rules.words import NotMine, RuleError, Words, along, column_name, key_name
from dbsynth.schema import Schema

EXAMPLE = "rental.returned >= rental.rented"
_PRUNING_ROWS = 256
_PRUNING_SHARE = 0.02  # breaks in so few rows may be slips
_NEAREST = 0.01  # the share of rows in which two columns of one measure come close
_NEAR = 0.05  # of the spread of the narrower one
_LONGEST = 3  # keys between two times
_JUDGED_ROWS = 20_000  # are enough to say what chance would do


@dataclass(frozen=True)
class Order:
    """A column is never below (``at_least``) or above another one.

    Attributes:
        subject: The column that gives way where the two would be the wrong way round.
        path: The keys from the subject's table to the other's; none within one row.
        sentence: The rule in words.
    """

    subject: Place
    other: Place
    at_least: bool
    path: Path
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table whose rows can break it."""
        return self.subject[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """Both columns."""
        return self.subject, self.other

    @property
    def keys(self) -> Path:
        """The keys between them."""
        return self.path

    def turned(self) -> Order | None:
        """The same with the other column giving way; None along a key."""
        if self.path:
            return None
        return Order(self.other, self.subject, not self.at_least, (), self.sentence)

    def bound(self, view: View) -> Float64 | None:
        """The other's number for every row of the subject's table, NaN where there is none."""
        other = view.numbers(self.other)
        if other is None or not self.path:
            return other
        return np.append(other, np.nan)[follow(self.path, {k: view.links(k) for k in self.path})]

    def cases(self, view: View) -> Cases | None:
        """Rows where neither is NULL; those the wrong way round."""
        own, other = view.numbers(self.subject), self.bound(view)
        if own is None or other is None:
            return None
        could = ~(np.isnan(own) | np.isnan(other))
        return Cases(could, (own < other) if self.at_least else (own > other))


def order_rule(
    schema: Schema, subject: Place, other: Place, path: Path, *, at_least: bool
) -> Order:
    """The rule with its sentence."""
    sign = ">=" if at_least else "<="
    sentence = f"{column_name(schema, subject)} {sign} {column_name(schema, other)}"
    if len(path) == 1:
        sentence += along(schema, path[0])
    elif path:
        sentence += " along " + " -> ".join(key_name(schema, key) for key in path)
    return Order(subject, other, at_least, path, sentence)


def parse(words: Words) -> Order:
    """``table.column >= table.column``, perhaps ``along child(columns) -> other(columns)``."""
    subject = words.column()
    sign = words.next_()
    if sign not in (">=", "<="):
        raise NotMine
    other = words.column()
    path: Path = ()
    if other[0] != subject[0] or words.peek() == "along":
        path = words.path_between(subject[0], other[0])
    if not path and subject == other:
        raise RuleError("it compares a column with itself")
    return order_rule(words.schema, subject, other, path, at_least=sign == ">=")


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """Inequalities within rows and along keys that hold, and that independence would break."""
    settled = _settled(found)
    tried = sum(len(own) * (len(own) + 2 * len(other)) for own, other, _ in _sides(data))
    near: list[Order] = []
    for own, other, path in _sides(data):
        if not own or not other:
            continue
        rules = list(_between(data, own, other, path, max(tried, 1)))
        for kept in rules if path else _reduced(data, rules):
            rule = kept.rule
            assert isinstance(rule, Order)
            if not _follows(settled, *rule.places) and not _through(data, near, rule):
                near.append(rule)
                yield kept


def _through(data: Data, near: Sequence[Order], far: Order) -> bool:
    """Whether an inequality along several keys follows from two along parts of them."""
    for first, second in itertools.product(near, near) if len(far.path) > 1 else ():
        joined = (first.subject, *first.path, second.other, *second.path)
        whole = (far.subject, *first.path, far.other, *far.path[len(first.path) :])
        if (
            joined == whole
            and first.other == second.subject
            and first.at_least == second.at_least == far.at_least
            and not np.isnan(_numbers(data, first.other)).any()
        ):
            return True
    return False


def _settled(found: Sequence[Kept]) -> dict[Place, set[Place]]:
    """All that each column follows from, by formulas, near and far."""
    settled = {
        kept.rule.places[0]: set(kept.rule.places[1:])
        for kept in found
        if isinstance(kept.rule, Formula)
    }
    for place in settled:
        open_ = list(settled[place])
        while open_:
            fresh = settled.get(open_.pop(), set()) - settled[place]
            settled[place] |= fresh
            open_ += fresh
    return settled


def _follows(settled: dict[Place, set[Place]], first: Place, second: Place) -> bool:
    """Whether formulas leave an inequality of two columns nothing to say."""
    if first in settled and second in settled:
        return True
    return second in settled.get(first, ()) or first in settled.get(second, ())


def _sides(data: Data) -> Iterator[tuple[list[Place], list[Place], Path]]:
    """Columns that can be compared: of one row, and of child and parent; times with times.

    Times are also compared with those of the rows above the parent: what happens on a card comes
    after the account was opened that the card's owner has.
    """
    for table in data.schema.tables:
        for timed in (True, False):
            own = [p for p in _places(data, table.name) if (p in data.times) == timed]
            if not any(place in data.free for place in own):
                continue
            yield own, own, ()
            for path in _paths(data, table.name, _LONGEST if timed else 1):
                end = path[-1].parent
                yield own, [p for p in _places(data, end) if (p in data.times) == timed], path


def _paths(data: Data, table: str, longest: int) -> Iterator[Path]:
    """Ways up from a table, short ones first; those of more than one key lead nowhere twice."""
    ways: list[Path] = [()]
    for _ in range(longest):
        ways = [
            (*way, fk)
            for way in ways
            for fk in data.schema[way[-1].parent if way else table].foreign_keys
            if not way or fk.parent not in (table, *(step.parent for step in way))
        ]
        yield from ways


def _places(data: Data, table: str) -> list[Place]:
    return [(table, name) for name in data.values.get(table, {})]


def _between(
    data: Data, own: Sequence[Place], others: Sequence[Place], path: Path, tried: int
) -> Iterator[Kept]:
    rows = data.rows(own[0][0])
    links = follow(path, data.keys) if path else None
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, _PRUNING_ROWS)).astype(np.int64))
    right = _matrix(data, others, chosen if links is None else links[chosen])
    for mine_ in own:
        numbers = _numbers(data, mine_)
        left = numbers[chosen][:, None]
        present = ~(np.isnan(left) | np.isnan(right))
        limit = np.maximum(_PRUNING_SHARE * present.sum(axis=0), 0)
        for at_least in (True, False):
            if not path and not at_least:
                continue  # the other of the two is at least this one
            broken = ((left < right) if at_least else (left > right)).sum(axis=0)
            hopeful = np.flatnonzero((broken <= limit) & (present.sum(axis=0) > 1))
            if mine_ not in data.times:
                hopeful = hopeful[_touching(left, right[:, hopeful])]
            for place in hopeful:
                other = others[int(place)]
                if not path and other == mine_:
                    continue
                kept = _judged(data, mine_, other, path, at_least, tried)
                if kept is not None:
                    yield kept


def _judged(
    data: Data, own: Place, other: Place, path: Path, at_least: bool, tried: int
) -> Kept | None:
    """The rule, if it is one; the column that gives way has to be a free one."""
    if own not in data.free and (path or other not in data.free):
        return None
    if own in data.free:
        rule = order_rule(data.schema, own, other, path, at_least=at_least)
    else:
        rule = order_rule(data.schema, other, own, (), at_least=not at_least)
    cases = rule.cases(data)
    if cases is None or not cases.of:
        return None
    rows = np.flatnonzero(cases.could)
    if len(rows) > _JUDGED_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, _JUDGED_ROWS).astype(np.int64)]
    bound = rule.bound(data)
    assert bound is not None
    left, right = _numbers(data, rule.subject)[rows], bound[rows]
    if (left == right).all():
        return None
    low, high = (right, left) if rule.at_least else (left, right)
    chance = chance_at_most(low, high)
    could = np.flatnonzero(cases.could)
    gaps = _gaps(data, rule)[could]
    groups = [data.links(fk)[could] for fk in data.schema[rule.table].foreign_keys]
    worth = min(distinct_cases(left, right), effective_cases(gaps, groups))
    kept = convincing(cases.held, cases.of, worth, chance, tried)
    return Kept(rule, cases.held, cases.of) if kept else None


def _touching(left: Float64, right: Float64) -> Bool:
    """Which columns come close to the left one, as those of one measure do.

    A price stays below a weight in grams without being bound by it: the two never come near.
    """
    if not right.shape[1]:
        return np.zeros(0, bool)
    gap = np.nanquantile(np.abs(left - right), _NEAREST, axis=0)
    spread = np.minimum(_spread(left), _spread(right))
    return np.asarray(gap <= _NEAR * spread)


def _spread(numbers: Float64) -> Float64:
    low, high = np.nanquantile(numbers, [0.05, 0.95], axis=0)
    return np.asarray(high - low)


def _gaps(data: Data, rule: Order) -> Float64:
    bound = rule.bound(data)
    assert bound is not None
    return _numbers(data, rule.subject) - bound


def _reduced(data: Data, rules: Sequence[Kept]) -> Iterator[Kept]:
    """Without what follows from two others: a <= c where a <= b <= c and b is there with both."""
    above: dict[Place, set[Place]] = {}
    for kept in rules:
        low, high = _ends(kept)
        above.setdefault(low, set()).add(high)
    for kept in rules:
        low, high = _ends(kept)
        between = (b for b in above[low] if b != high and high in above.get(b, ()))
        if not any(_present_with(data, b, (low, high)) for b in between):
            yield kept


def _ends(kept: Kept) -> tuple[Place, Place]:
    rule = kept.rule
    assert isinstance(rule, Order)
    return (rule.other, rule.subject) if rule.at_least else (rule.subject, rule.other)


def _present_with(data: Data, place: Place, others: Iterable[Place]) -> bool:
    both = np.logical_and.reduce([~np.isnan(_numbers(data, other)) for other in others])
    return not np.isnan(_numbers(data, place)[both]).any()


def _numbers(data: Data, place: Place) -> Float64:
    found = data.numbers(place)
    assert found is not None
    return found


def _matrix(data: Data, places: Sequence[Place], rows: Int64) -> Float64:
    """Numbers of columns, a column each; NaN where there is no row."""
    return np.stack([np.append(_numbers(data, place), np.nan)[rows] for place in places], axis=1)
