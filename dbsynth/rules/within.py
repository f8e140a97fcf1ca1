"""Facts about families: a column is the same in all rows of a parent, or has a value once in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbsynth.codec import k_threshold
from dbsynth.rules.base import Bool, Cases, Data, Float64, Int64, Kept, Place, View
from dbsynth.rules.chance import FEWEST
from dbsynth.rules.dependence import (
    FEWEST_CASES,
    MOST_EXCEPTIONS,
    Coded,
    beyond_chance,
    commonest,
    purely,
)
from dbsynth.rules.identity import coded, declared_unique, derived, identities
from dbsynth.rules.words import NotMine, RuleError, Words, column_name, key_name
from dbsynth.schema import ForeignKey, Schema
from dbsynth.sorting import by_group

EXAMPLE = "orders.currency is the same within orders(customer_id)"
SAME, DIFFERS = "the same", "different"
ONCE, AT_MOST_ONCE, AT_LEAST_ONCE = "exactly once", "at most once", "at least once"
_TIMES = (ONCE, AT_MOST_ONCE, AT_LEAST_ONCE)
_MOST_CODES = 24
_LOOSE = 0.98  # share of equal neighbours below which a column is not the same within families
_NOT_EMPTY = 0.05  # the least share of families that independent draws break
_RARE = 0.1  # share of the other column's values on which a value of this one may be concentrated


@dataclass(frozen=True)
class Within:
    """What the rows of one parent have in common in a column.

    Attributes:
        fact: That all are ``the same``, or ``different``, or how often one value occurs.
        rank: Which value, counted from the commonest (its code); 0 where the fact is about all.
    """

    place: Place
    key: ForeignKey
    fact: str
    rank: int
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table whose rows can break it."""
        return self.place[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """The column."""
        return (self.place,)

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The key that makes the families."""
        return (self.key,)

    def cases(self, view: View) -> Cases | None:
        """Rows with a parent; those that differ, or repeat, or whose family has it wrong."""
        ids, links = identities(view, self.place), view.links(self.key)
        if ids is None:
            return None
        linked = links >= 0
        if self.fact == SAME:
            alone = np.where(linked, links, -1 - np.arange(len(links)))
            return Cases(linked, ids != commonest(alone, ids))
        if self.fact == DIFFERS:
            return Cases(linked, repeats(links, ids))
        has = linked & (ids == self.rank)
        times = np.bincount(links[has], minlength=int(links.max(initial=0)) + 1)
        return Cases(linked, linked & ~allowed(self.fact, times)[links])


def allowed(fact: str, times: Int64) -> Bool:
    """Whether a value may occur so often."""
    if fact == ONCE:
        return np.asarray(times == 1)
    return np.asarray(times <= 1) if fact == AT_MOST_ONCE else np.asarray(times >= 1)


def repeats(links: Int64, ids: Int64) -> Bool:
    """Rows whose value a sibling before them has; NULL repeats nothing."""
    size = int(ids.max(initial=0)) + 1
    told = np.flatnonzero((links >= 0) & (ids > 0))
    _, first = np.unique(links[told] * size + ids[told], return_index=True)
    found = np.zeros(len(links), bool)
    found[told] = True
    found[told[first]] = False
    return found


def within_rule(schema: Schema, place: Place, key: ForeignKey, fact: str, rank: int = 0) -> Within:
    """The rule with its sentence."""
    says = f"has value {rank} by frequency {fact}" if rank else f"is {fact}"
    sentence = f"{column_name(schema, place)} {says} within {key_name(schema, key)}"
    return Within(place, key, fact, rank, sentence)


def parse(words: Words) -> Within:
    """``table.column is the same within child(columns)``, or how often it has a value there."""
    place = words.column()
    rank = 0
    if words.take("has", "value"):
        rank = int(words.number())
        words.expect("by", "frequency")
        fact = next((f for f in _TIMES if words.take(*f.split())), "")
    else:
        words.expect("is")
        fact = next((f for f in (SAME, DIFFERS) if words.take(*f.split())), "")
    if not fact or (rank < 1 and fact in _TIMES):
        raise NotMine
    words.expect("within")
    key = words.key()
    if key.child != place[0]:
        raise RuleError("the column and the key must be of one table")
    return within_rule(words.schema, place, key, fact, rank)


@dataclass(frozen=True)
class _Families:
    """The families of one key: rows with a parent in the order of parents, and rows per parent."""

    key: ForeignKey
    links: Int64
    order: Int64
    sizes: Int64


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """Facts about the families of all keys, beyond what other rules and declared keys say."""
    settled = derived(found)
    for table in data.plan.order if data.plan is not None else ():
        if data.rows(table) < FEWEST_CASES:
            continue
        keys = [fk for fk in data.schema[table].foreign_keys if fk in data.keys]
        generating = None if data.plan is None else data.plan.generating.get(table)
        keys = sorted(keys, key=lambda fk: fk != generating)  # used at once
        columns = [(table, n) for n in data.coded.get(table, {}) if (table, n) not in settled]
        said: set[Place] = set()
        for key in keys:
            if key.parent == key.child:
                continue
            families = _families(data, key)
            for place in columns:
                if place in said or declared_unique(data.schema, place, key.columns):
                    continue
                rules = list(_mine_column(data, place, families, len(columns) * len(keys)))
                if rules:
                    said.add(place)
                yield from rules


def _families(data: Data, key: ForeignKey) -> _Families:
    links = data.links(key)
    linked = np.flatnonzero(links >= 0)
    order = linked[by_group(links[linked])]
    return _Families(key, links, order, np.bincount(links[linked], minlength=data.rows(key.parent)))


def _mine_column(data: Data, place: Place, families: _Families, tried: int) -> Iterator[Kept]:
    same = _same(data, place, families, tried)
    if same is not None:
        yield same
        return
    if place[0] in data.thinned:
        return  # what is missing from a family cannot be told
    column = coded(data, place, k_threshold(data.rows(place[0])))
    if column is None or column.size > _MOST_CODES + 1 or column.known is not None:
        return
    if data.numbers(place) is not None:
        return  # how often a number occurs is no fact about kinds; see `ranks`
    different = _different(data, place, column, families, tried)
    if different is not None:
        yield different
    else:
        yield from _times(data, place, column, families, tried)


def _same(data: Data, place: Place, families: _Families, tried: int) -> Kept | None:
    unnamed = data.unnamed.get(place)
    if unnamed is not None and unnamed.sum() > MOST_EXCEPTIONS * len(unnamed):
        return None
    order, sizes = families.order, families.sizes
    links = families.links[order]
    numbers, codes = data.numbers(place), data.codes(place)
    assert codes is not None
    values = codes[order] if numbers is None else np.nan_to_num(numbers[order], nan=-0.5)
    sibling = links[1:] == links[:-1]
    if sibling.sum() < FEWEST_CASES or np.mean((values[1:] == values[:-1])[sibling]) < _LOOSE:
        return None
    ids = identities(data, place)
    assert ids is not None
    ids = ids[order]
    exceptions = int((ids != commonest(links, ids)).sum())
    shares = np.bincount(ids) / max(len(ids), 1)
    shares = shares[shares > 0]
    of = int(sizes.sum() - (sizes > 0).sum())
    expected = of * float(1 - (shares**2).sum())
    if exceptions > MOST_EXCEPTIONS * of:
        return None
    if not beyond_chance(purely(sizes.astype(float), shares), expected, exceptions, tried):
        return None
    return Kept(within_rule(data.schema, place, families.key, SAME), of - exceptions, of)


def _different(
    data: Data, place: Place, column: Coded, families: _Families, tried: int
) -> Kept | None:
    """That no value repeats in a family, which is less likely the larger families are."""
    sizes = families.sizes[families.sizes > 1]
    if column.size <= 3 or not len(sizes) or sizes.max() >= column.size:
        return None
    broken = int(repeats(families.links, column.codes).sum())
    if broken > MOST_EXCEPTIONS * sizes.sum():
        return None
    shares = np.bincount(column.codes[column.codes > 0]) / len(column.codes)
    logs = _all_different(shares[shares > 0], int(sizes.max()))[sizes]
    expected = float((1 - np.exp(logs)).sum())
    if not beyond_chance(float(-logs.sum()), expected, broken, tried):
        return None
    of = int(sizes.sum())
    return Kept(within_rule(data.schema, place, families.key, DIFFERS), of - broken, of)


def _all_different(shares: Float64, most: int) -> Float64:
    """The log-probability that so many independent draws differ: n! times a symmetric sum."""
    sums = np.zeros(most + 1)
    sums[0] = 1.0
    for share in shares:
        sums[1:] += share * sums[:-1]
    factorials = np.array([math.lgamma(n + 1) for n in range(most + 1)])
    return np.asarray(np.minimum(np.log(np.maximum(sums, 1e-300)) + factorials, 0.0))


def _times(
    data: Data, place: Place, column: Coded, families: _Families, tried: int
) -> Iterator[Kept]:
    """Values that occur exactly, at most or at least once in every family."""
    links, busy = families.links, families.sizes > 0
    linked, sizes = links >= 0, families.sizes[busy]
    ranked = np.flatnonzero(np.bincount(column.codes)[1:]) + 1
    others = 0
    for code in map(int, ranked):
        has = linked & (column.codes == code)
        times = np.bincount(links[has], minlength=len(busy))[busy]
        share = float(has.sum() / max(linked.sum(), 1))
        for fact in _TIMES:
            held = _occurs(times, sizes, share, fact, tried * 3 * len(ranked))
            if held is None:
                continue
            if fact == AT_MOST_ONCE and _elsewhere(data, place, has, families):
                continue
            others += fact == ONCE
            if not (len(ranked) == 2 and others == 2):  # in all families of two: said already
                rule = within_rule(data.schema, place, families.key, fact, code)
                yield Kept(rule, held, len(times))
            break


def _occurs(times: Int64, sizes: Int64, share: float, fact: str, tried: int) -> int | None:
    """Families in which the fact holds; None where it is no rule."""
    broken = int((~allowed(fact, times)).sum())
    if broken > MOST_EXCEPTIONS * len(times) or not 0 < share < 1:
        return None
    none = sizes * np.log1p(-share)
    one = np.log(sizes) + np.log(share) + (sizes - 1) * np.log1p(-share)
    logs = {
        ONCE: one,
        AT_MOST_ONCE: np.minimum(np.logaddexp(none, one), 0.0),
        AT_LEAST_ONCE: np.log1p(-np.minimum(np.exp(none), 1 - 1e-12)),
    }[fact]
    expected = float((1 - np.exp(logs)).sum())
    # Every family is a trial of its own from both sides: it may lack the value, or repeat it.
    trials = fact == ONCE and len(times) >= FEWEST_CASES
    least = max(FEWEST, _NOT_EMPTY * len(times)) if trials else FEWEST_CASES
    if not beyond_chance(float(-logs.sum()), expected, broken, tried, least):
        return None
    return len(times) - broken


def _elsewhere(data: Data, place: Place, has: Bool, families: _Families) -> bool:
    """Whether the value comes with a few values of another column that itself never repeats.

    A holiday comes once per shop because its date does.
    """
    for name in data.coded.get(place[0], {}):
        other = (place[0], name)
        if other == place:
            continue
        ids = identities(data, other)
        assert ids is not None
        if repeats(families.links, ids).sum() > MOST_EXCEPTIONS * len(ids):
            continue
        if len(np.unique(ids[has])) <= _RARE * len(np.unique(ids)):
            return True
    return False
