"""Inequalities: a number or time is never below another of its row, or of its parent's row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbsynth.rules.base import Bool, Cases, Data, Float64, Int64, Kept, Place, View
from dbsynth.rules.chance import chance_at_most, convincing, distinct_cases, effective_cases
from dbsynth.rules.formula import Formula
from dbsynth.rules.words import NotMine, RuleError, Words, along, column_name
from dbsynth.schema import ForeignKey, Schema

EXAMPLE = "rental.returned >= rental.rented"
_PRUNING_ROWS = 256
_PRUNING_SHARE = 0.02  # breaks in so few rows may be slips
_NEAREST = 0.01  # the share of rows in which two columns of one measure come close
_NEAR = 0.05  # of the spread of the narrower one
_JUDGED_ROWS = 20_000  # are enough to say what chance would do


@dataclass(frozen=True)
class Order:
    """A column is never below (``at_least``) or above another one.

    Attributes:
        subject: The column that gives way where the two would be the wrong way round.
        key: From the subject's table to the other's; None within one row.
        sentence: The rule in words.
    """

    subject: Place
    other: Place
    at_least: bool
    key: ForeignKey | None
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
    def keys(self) -> tuple[ForeignKey, ...]:
        """The key between them."""
        return () if self.key is None else (self.key,)

    def turned(self) -> Order | None:
        """The same with the other column giving way; None along a key."""
        if self.key is not None:
            return None
        return Order(self.other, self.subject, not self.at_least, None, self.sentence)

    def cases(self, view: View) -> Cases | None:
        """Rows where neither is NULL; those the wrong way round."""
        own, other = view.numbers(self.subject), view.numbers(self.other)
        if own is None or other is None:
            return None
        if self.key is not None:
            other = np.append(other, np.nan)[view.links(self.key)]
        could = ~(np.isnan(own) | np.isnan(other))
        return Cases(could, (own < other) if self.at_least else (own > other))


def order_rule(
    schema: Schema, subject: Place, other: Place, key: ForeignKey | None, *, at_least: bool
) -> Order:
    """The rule with its sentence."""
    sign = ">=" if at_least else "<="
    sentence = f"{column_name(schema, subject)} {sign} {column_name(schema, other)}"
    return Order(subject, other, at_least, key, sentence + (along(schema, key) if key else ""))


def parse(words: Words) -> Order:
    """``table.column >= table.column``, perhaps ``along child(columns)``."""
    subject = words.column()
    sign = words.next_()
    if sign not in (">=", "<="):
        raise NotMine
    other = words.column()
    key = None
    if other[0] != subject[0] or words.peek() == "along":
        key = words.key_between(subject[0], other[0])
    if key is None and subject == other:
        raise RuleError("it compares a column with itself")
    return order_rule(words.schema, subject, other, key, at_least=sign == ">=")


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """Inequalities within rows and along keys that hold, and that independence would break."""
    settled = _settled(found)
    tried = sum(len(own) * (len(own) + 2 * len(other)) for own, other, _ in _sides(data))
    for own, other, key in _sides(data):
        if not own or not other:
            continue
        rules = list(_between(data, own, other, key, max(tried, 1)))
        for kept in _reduced(data, rules) if key is None else rules:
            first, second = kept.rule.places
            if not _follows(settled, first, second):
                yield kept


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


def _sides(data: Data) -> Iterator[tuple[list[Place], list[Place], ForeignKey | None]]:
    """Columns that can be compared: of one row, and of child and parent; times with times."""
    for table in data.schema.tables:
        for timed in (True, False):
            own = [p for p in _places(data, table.name) if (p in data.times) == timed]
            if not any(place in data.free for place in own):
                continue
            yield own, own, None
            for fk in table.foreign_keys:
                above = [p for p in _places(data, fk.parent) if (p in data.times) == timed]
                yield own, above, fk


def _places(data: Data, table: str) -> list[Place]:
    return [(table, name) for name in data.values.get(table, {})]


def _between(
    data: Data, own: Sequence[Place], others: Sequence[Place], key: ForeignKey | None, tried: int
) -> Iterator[Kept]:
    rows = data.rows(own[0][0])
    links = None if key is None else data.links(key)
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, _PRUNING_ROWS)).astype(np.int64))
    right = _matrix(data, others, chosen if links is None else links[chosen])
    for mine_ in own:
        numbers = _numbers(data, mine_)
        left = numbers[chosen][:, None]
        present = ~(np.isnan(left) | np.isnan(right))
        limit = np.maximum(_PRUNING_SHARE * present.sum(axis=0), 0)
        for at_least in (True, False):
            if key is None and not at_least:
                continue  # the other of the two is at least this one
            broken = ((left < right) if at_least else (left > right)).sum(axis=0)
            hopeful = np.flatnonzero((broken <= limit) & (present.sum(axis=0) > 1))
            if mine_ not in data.times:
                hopeful = hopeful[_touching(left, right[:, hopeful])]
            for place in hopeful:
                other = others[int(place)]
                if key is None and other == mine_:
                    continue
                kept = _judged(data, mine_, other, key, at_least, tried)
                if kept is not None:
                    yield kept


def _judged(
    data: Data, own: Place, other: Place, key: ForeignKey | None, at_least: bool, tried: int
) -> Kept | None:
    """The rule, if it is one; the column that gives way has to be a free one."""
    if own not in data.free and (key is not None or other not in data.free):
        return None
    if own in data.free:
        rule = order_rule(data.schema, own, other, key, at_least=at_least)
    else:
        rule = order_rule(data.schema, other, own, None, at_least=not at_least)
    cases = rule.cases(data)
    if cases is None or not cases.of:
        return None
    rows = np.flatnonzero(cases.could)
    if len(rows) > _JUDGED_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, _JUDGED_ROWS).astype(np.int64)]
    left, right = _numbers(data, rule.subject)[rows], _numbers(data, rule.other)
    right = right[rows if key is None else data.links(key)[rows]]
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
    own, other = _numbers(data, rule.subject), _numbers(data, rule.other)
    return own - (other if rule.key is None else np.append(other, np.nan)[data.links(rule.key)])


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
