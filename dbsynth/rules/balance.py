"""Running balances: a number is that of the sibling before, plus or less an amount of the row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dbsynth.rules.base import Bool, Cases, Data, Float64, Int64, Kept, Place, View
from dbsynth.rules.chains import chained, clear
from dbsynth.rules.chance import FEWEST, chance_equal, convincing, distinct_cases
from dbsynth.rules.contiguous import followers
from dbsynth.rules.formula import near
from dbsynth.rules.words import NotMine, RuleError, Words, column_name, key_name
from dbsynth.schema import ForeignKey, Schema

EXAMPLE = "entry.balance = previous entry.balance + entry.amount within entry(account)"
_JUDGED_ROWS = 20_000
_PRUNING_ROWS = 96
_PRUNING_SHARE = 0.95
_SLACK = 1.5  # units: the total, the one before and the amount are each off by half a unit
_LEAST = 1e-9  # of totals without a grid
_MOST_KINDS = 50  # values of a column that may say which amounts are added


@dataclass(frozen=True)
class Balance:
    """A number is that of the sibling before, plus or less an amount of the row.

    Attributes:
        signs: For every code of ``kind`` 1 or -1, 0 for neither; just one entry without ``kind``.
        kind: The column whose value says whether the amount is added.
        order: The column by which siblings follow each other; those that agree in it follow as
            their balances do.
        opening: Whether the first of a family starts from 0.
        sentence: The rule in words.
    """

    total: Place
    amount: Place
    key: ForeignKey
    order: Place | None
    kind: Place | None
    signs: tuple[int, ...]
    opening: bool
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table of the balances."""
        return self.total[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """The balance, then what it follows from."""
        more = tuple(p for p in (self.order, self.kind) if p is not None)
        return (self.total, self.amount, *more)

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The key that makes siblings."""
        return (self.key,)

    def changes(self, view: View) -> Float64 | None:
        """What every row adds; NaN where that is not known."""
        amount = view.numbers(self.amount)
        if amount is None:
            return None
        if self.kind is None:
            return amount * (self.signs[0] if self.signs else 1)
        codes = view.codes(self.kind)
        if codes is None or not self.signs:
            return None
        signs = np.array(self.signs, np.float64)
        found = signs[np.minimum(codes, len(signs) - 1)]
        return np.where((found == 0) | (codes >= len(signs)), np.nan, amount * found)

    def chain(self, view: View) -> tuple[Int64, Bool] | None:
        """Rows in order, and whether each but the last is followed by a sibling."""
        links = view.links(self.key)
        time = np.zeros(len(links)) if self.order is None else view.numbers(self.order)
        return None if time is None else followers(links, time)

    def resolved(self, view: View) -> tuple[Int64, Bool] | None:
        """As `chain`, where rows of one moment follow each other as their balances tell."""
        chain, total, changes = self.chain(view), view.numbers(self.total), self.changes(view)
        time = None if self.order is None else view.numbers(self.order)
        if chain is None or time is None or total is None or changes is None:
            return chain
        slack = _SLACK * view.unit(self.total) or _LEAST
        return chained(*chain, time, total, changes, slack), chain[1]

    def first(self, view: View) -> Int64 | None:
        """The first row of the family of every row."""
        chain = self.resolved(view)
        if chain is None:
            return None
        order, following = chain
        begins = np.maximum.accumulate(np.where(np.r_[False, following], 0, np.arange(len(order))))
        found = np.empty(len(order), np.int64)
        found[order] = order[begins]
        return found

    def cases(self, view: View) -> Cases | None:
        """Rows after another (with ``opening`` also the first); those off the balance."""
        total, changes, chain = view.numbers(self.total), self.changes(view), self.resolved(view)
        if total is None or changes is None or chain is None:
            return None
        order, following = chain
        before = np.full(len(total), 0.0 if self.opening else np.nan)
        before[order[1:][following]] = total[order[:-1][following]]
        wanted = before + changes
        could = ~(np.isnan(total) | np.isnan(wanted))
        return Cases(could, ~_follows(total, wanted, view.unit(self.total)))

    def overdrawn(self, view: View) -> float:
        """Of the amounts that are taken from what is there, the share that is more."""
        total, changes, chain = view.numbers(self.total), self.changes(view), self.resolved(view)
        if total is None or changes is None or chain is None:
            return 1.0
        order, following = chain
        after, before = order[1:][following], total[order[:-1][following]]
        taken = (changes[after] < 0) & (before >= 0)
        return float(np.mean(total[after][taken] < 0)) if taken.any() else 1.0

    def balanced(self, view: View, own: Float64) -> Float64 | None:
        """The balances that follow from the first of each family."""
        changes, chain = self.changes(view), self.chain(view)
        if changes is None or chain is None:
            return None
        order, following = chain
        first = ~np.r_[False, following]
        opening = changes[order] if self.opening else own[order]
        steps = np.nan_to_num(np.where(first, opening, changes[order]))
        running = np.cumsum(steps)
        starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        found = np.empty(len(own))
        found[order] = running - running[starts] + steps[starts]
        return np.where(np.isnan(own), np.nan, found)


def learnt(rule: Balance, view: View) -> Balance:
    """The rule with the signs that explain the rows seen best."""
    total, amount, chain = view.numbers(rule.total), view.numbers(rule.amount), rule.chain(view)
    if total is None or amount is None or chain is None:
        return rule
    rows, change = _changes(total, *chain, _time(rule, view))
    codes = None if rule.kind is None else view.codes(rule.kind)
    if rule.kind is not None and codes is None:
        return rule
    signs = _signs(
        change, amount[rows], None if codes is None else codes[rows], view.unit(rule.total)
    )
    return replace(rule, signs=signs)


def _time(rule: Balance, view: View) -> Float64 | None:
    return None if rule.order is None else view.numbers(rule.order)


def _changes(
    total: Float64, order: Int64, following: Bool, time: Float64 | None
) -> tuple[Int64, Float64]:
    """Rows after another of their family, and by how much their total differs from its.

    Only rows of which it is clear which one they follow.
    """
    sure = following if time is None else clear(order, following, time)
    rows, before = order[1:][sure], order[:-1][sure]
    return rows, total[rows] - total[before]


def _follows(total: Float64, wanted: Float64, unit: float) -> Bool:
    """Whether totals are those wanted; each of three numbers may be rounded to a grid of parts."""
    return near(total, wanted, min(2 * _SLACK * unit, 1.0) if unit < 1 else unit)


def _signs(
    change: Float64, amount: Float64, codes: npt.NDArray[np.uint16] | None, unit: float
) -> tuple[int, ...]:
    """Whether more changes are the amount, or its opposite; for every code where there are some."""
    found = codes if codes is not None else np.zeros(len(change), np.uint16)
    size = int(found.max(initial=0)) + 1
    up = np.bincount(found, _follows(change, amount, unit), size)
    down = np.bincount(found, _follows(change, -amount, unit), size)
    return tuple(np.sign(up - down).astype(int).tolist())


def balance_rule(
    schema: Schema, total: Place, amount: Place, key: ForeignKey, order: Place | None,
    kind: Place | None, signs: tuple[int, ...], *, opening: bool,
) -> Balance:  # fmt: skip
    """The rule with its sentence."""
    sign = "-" if kind is None and signs == (-1,) else "+"
    sentence = f"{column_name(schema, total)} = previous {column_name(schema, total)} {sign} "
    sentence += column_name(schema, amount)
    if kind is not None:
        sentence += f" signed by {column_name(schema, kind)}"
    sentence += f" within {key_name(schema, key)}"
    if order is not None:
        sentence += f" in order of {column_name(schema, order)}"
    sentence += " starting at 0" if opening else ""
    return Balance(total, amount, key, order, kind, signs, opening, sentence)


def parse(words: Words) -> Balance:
    """``table.total = previous table.total + table.amount within table(key)``, and more."""
    total = words.column()
    words.expect("=", "previous")
    again = words.column()
    sign = words.next_()
    if sign not in ("+", "-"):
        raise NotMine
    amount = words.column()
    kind = words.column() if words.take("signed", "by") else None
    words.expect("within")
    key = words.key()
    order = words.column() if words.take("in", "order", "of") else None
    opening = words.take("starting", "at", "0")
    if again != total or amount == total:
        raise RuleError("a balance is its previous value and an amount")
    places = [total, amount, *(p for p in (kind, order) if p is not None)]
    if {place[0] for place in places} != {key.child}:
        raise RuleError("the columns and the key are not of one table")
    signs = (1 if sign == "+" else -1,) if kind is None else ()
    return balance_rule(words.schema, total, amount, key, order, kind, signs, opening=opening)


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """Numbers that change from sibling to sibling by an amount of the row."""
    settled = {kept.rule.places[0] for kept in found if " = " in str(kept.rule)}
    for table in data.schema.tables:
        numbers = [(table.name, name) for name in data.values.get(table.name, {})]
        in_keys = {name for key in table.keys for name in key.columns}
        amounts = [p for p in numbers if p not in data.times]
        totals = [p for p in amounts if p in data.free and p not in settled and p[1] not in in_keys]
        orders = [*(p for p in numbers if p in data.times), None]
        for key in table.foreign_keys:
            for order in orders if key.parent != key.child else ():
                for kept in _balances(data, totals, amounts, key, order):
                    totals.remove(kept.rule.places[0])
                    yield kept


def _balances(
    data: Data, totals: Sequence[Place], amounts: Sequence[Place], key: ForeignKey,
    order: Place | None,
) -> Iterator[Kept]:  # fmt: skip
    links = data.links(key)
    by = np.zeros(len(links)) if order is None else data.numbers(order)
    assert by is not None
    chain = followers(links, by)
    if int(chain[1].sum()) < FEWEST:
        return
    for total in tuple(totals):
        whole = data.numbers(total)
        assert whole is not None
        rows, change = _changes(whole, *chain, None if order is None else by)
        if len(rows) < FEWEST:
            continue
        some = np.linspace(0, len(rows) - 1, min(len(rows), _PRUNING_ROWS)).astype(np.int64)
        for amount in amounts:
            numbers = data.numbers(amount)
            assert numbers is not None
            size = np.abs(numbers[rows[some]])
            same = _follows(np.abs(change[some]), size, data.unit(total))
            if amount != total and same.mean() >= _PRUNING_SHARE and _apart(size):
                kept = _best_balance(data, total, amount, key, order, len(totals) * len(amounts))
                if kept is not None:
                    yield kept
                    break


def _apart(numbers: Float64) -> bool:
    known = numbers[~np.isnan(numbers)]
    return len(known) > 1 and bool((known != known[0]).any())


def _best_balance(
    data: Data, total: Place, amount: Place, key: ForeignKey, order: Place | None, tried: int
) -> Kept | None:
    """The plainest way to say which amounts are added and which are taken away."""
    coded = data.coded.get(total[0], {})
    kinds = [
        (total[0], name)
        for name, codes in coded.items()
        if (total[0], name) not in data.units and int(codes.max(initial=0)) <= _MOST_KINDS
    ]
    for kind in (None, *kinds):
        for opening in (True, False):
            rule = balance_rule(data.schema, total, amount, key, order, kind, (), opening=opening)
            rule = learnt(rule, data)
            rule = balance_rule(
                data.schema, total, amount, key, order, kind, rule.signs, opening=opening
            )
            cases, changes, own = rule.cases(data), rule.changes(data), data.numbers(total)
            if cases is None or changes is None or own is None or not cases.of:
                continue
            rows = np.flatnonzero(cases.could)[:_JUDGED_ROWS]
            chance = chance_equal(own[rows], changes[rows], _SLACK * data.unit(total))
            distinct = distinct_cases(own[rows], changes[rows])
            if convincing(cases.held, cases.of, distinct, chance, 4 * tried * (1 + len(kinds))):
                return Kept(rule, cases.held, cases.of, {"signs": list(rule.signs)})
    return None
