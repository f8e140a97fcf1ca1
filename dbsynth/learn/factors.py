"""Numbers that are another number times one of a few factors: the product's price, or 80 % of it.

Sellers copy a price into the line and take a usual discount off; taxes are one of a few rates of an
amount.  Such a number says little by itself and its factor says all: so the factor is learnt, and
the number is computed when the other one is known, whichever key leads there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import fit_number, k_threshold
from dbsynth.engines import variables
from dbsynth.learn.lawful import drawn_quantities, spoken_of
from dbsynth.model import Factor, TableFacts
from dbsynth.outline import Outline
from dbsynth.randomness import hashed
from dbsynth.read import Rows
from dbsynth.read.quantities import quantity_of
from dbsynth.schema import Column, ForeignKey, Kind, Table

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_ROWS = 20_000  # that factors are looked for in
_DIGITS = (2, 3, 4)  # of factors, coarse ones first
_LIKELY = 24  # factors that are tried, of each number of digits
_MOST = 16  # factors
_FEW = 0.005  # of the rows that a factor explains at least
_COVERED = 0.9  # of the rows that some factor explains
_BY_CHANCE = 0.6  # of that share is explained with another row's base at most
_VARIED = 8  # different bases at least
_KNOWN = 0.99  # of the rows that have a base


@dataclass(frozen=True)
class _Found:
    factor: Factor
    factors: Float64
    doubt: float


def with_factors(
    plan: Outline, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]
) -> Outline:
    """The outline where such numbers are coded by their factors; their own codes leave the rows."""
    tables = dict(plan.tables)
    taken = spoken_of(plan)
    for name in plan.plan.order:
        facts, table = tables[name], plan.schema[name]
        if facts.strategy != "synthesize":
            continue
        columns = dict(facts.columns)
        for column in drawn_quantities(table, facts, encoded[name], taken):
            found = _best(plan, tables, encoded, links, table, column)
            if found is None:
                continue
            columns[column] = replace(columns[column], factor=found.factor)
            rows = encoded[name]
            rows.codes.pop(column, None)
            rows.calendar[variables.factor(column)] = found.factor.codec.encode(
                pa.array(found.factors, from_pandas=True)
            )
            facts = replace(facts, columns=columns)
            tables[name] = facts
    return replace(plan, tables=tables)


def _best(
    plan: Outline, tables: Mapping[str, TableFacts], encoded: Mapping[str, Rows],
    links: Mapping[ForeignKey, Int64], table: Table, column: str,
) -> _Found | None:  # fmt: skip
    """The base that leaves least of a column open; None where none explains it."""
    facts, rows = tables[table.name], encoded[table.name]
    own = rows.numbers[column]
    quantity = quantity_of(table, column, facts)
    if quantity is None or not quantity.unit or len(np.unique(own[~np.isnan(own)])) < _VARIED:
        return None
    best: _Found | None = None
    for key, name, numbers in _bases(plan, tables, encoded, links, table):
        if key is None and _leads(facts, name, column):
            continue
        factors, _ = explained(own, numbers, quantity.unit, k_threshold(facts.rows))
        typical = float(f"{np.nanmedian(numbers):.2g}") if len(factors) else 0.0
        if not typical:
            continue
        base = np.where(np.isnan(numbers) | (numbers == 0), typical, numbers)
        shown = _snapped(own, base, quantity.unit, factors)
        doubt = _doubt(shown[: rows.own])
        if best is not None and doubt >= best.doubt:
            continue
        codec = fit_number(
            Column("factor", Kind.FLOAT, ""), pa.array(shown[: rows.own], from_pandas=True),
            k_threshold(facts.rows),
        )  # fmt: skip
        best = _Found(Factor(name, key, codec, typical), shown, doubt)
    return best


def _leads(facts: TableFacts, name: str, column: str) -> bool:
    """Whether a number of the row is, or is a multiple of, a column."""
    while name != column:
        factor = facts.columns[name].factor
        if factor is None or factor.key is not None:
            return False
        name = factor.column
    return True


def _doubt(factors: Float64) -> float:
    """How much is left open when the other number is known: the entropy of the factors, in bits."""
    counts = np.unique(np.round(factors[~np.isnan(factors)], _DIGITS[-1]), return_counts=True)[1]
    shares = counts / max(counts.sum(), 1)
    return float(-(shares * np.log2(shares)).sum())


def _bases(
    plan: Outline, tables: Mapping[str, TableFacts], encoded: Mapping[str, Rows],
    links: Mapping[ForeignKey, Int64], table: Table,
) -> Iterator[tuple[ForeignKey | None, str, Float64]]:  # fmt: skip
    """Numbers of the row and of its parents, for every row."""
    own = tables[table.name]
    for name, numbers in encoded[table.name].numbers.items():
        if _is_number(table, name, own):
            yield None, name, numbers
    for key in table.foreign_keys:
        parent = plan.schema[key.parent]
        if key.parent == table.name or key not in links:
            continue
        for name, numbers in encoded[key.parent].numbers.items():
            if _is_number(parent, name, tables[key.parent]):
                yield key, name, np.append(numbers, np.nan)[links[key]]


def _is_number(table: Table, name: str, facts: TableFacts) -> bool:
    quantity = quantity_of(table, name, facts)
    in_key = any(name in key.columns for key in table.keys)
    return quantity is not None and not quantity.timed and not in_key


def explained(own: Float64, base: Float64, unit: float, k: int) -> tuple[Float64, float]:
    """The factors by which numbers are multiples of their bases, and the share that they explain.

    Args:
        own, base: Numbers, NaN for none.
        unit: The grid of the numbers.
        k: Rows that each factor explains at least.

    Returns:
        No factors where a base of another row would explain nearly as much.
    """
    nothing = np.zeros(0), 0.0
    known = np.flatnonzero(~np.isnan(own))
    based = known[~np.isnan(base[known]) & (base[known] != 0)]
    if len(based) < k or len(based) < _KNOWN * len(known):
        return nothing
    based = _some(based)
    x, y = own[based], base[based]
    if len(np.unique(y)) < _VARIED:
        return nothing
    factors, covered = _factors(x, y, unit, k)
    if covered < _COVERED:
        return nothing
    others = np.roll(y, len(y) // 2 + 1)  # the rows lie in random order
    if _factors(x, others, unit, k)[1] > _BY_CHANCE * covered:
        return nothing
    return factors, covered


def _some(rows: Int64) -> Int64:
    """At most so many of some rows as factors are looked for in, in random order."""
    place = hashed(1, rows)
    if len(rows) > _ROWS:
        first = np.flatnonzero(place <= np.partition(place, _ROWS - 1)[_ROWS - 1])
        rows, place = rows[first], place[first]
    return np.asarray(rows[np.argsort(place)][:_ROWS])


def _factors(x: Float64, y: Float64, unit: float, k: int) -> tuple[Float64, float]:
    """Factors, the likeliest first, and the share of numbers that they explain."""
    open_ = np.ones(len(x), np.bool_)
    found: list[float] = []
    least = max(k, _FEW * len(x))
    ratio = x / y
    for digits in _DIGITS:
        clear = open_ & (unit < np.abs(y) * 10.0**-digits)
        values, counts = np.unique(np.round(ratio[clear], digits), return_counts=True)
        for value in values[np.argsort(-counts, kind="stable")[:_LIKELY]]:
            near = open_ & _near(x, y, unit, float(value))
            if near.sum() >= least and len(found) < _MOST:
                found.append(float(value))
                open_ &= ~near
    return np.array(found), 1.0 - float(open_.mean())


def _near(x: Float64, y: Float64, unit: float, factor: float) -> Bool:
    """Numbers that are a multiple, rounded up or down to the grid."""
    return np.asarray(np.abs(x - factor * y) < unit * (1 - 1e-9))


def _snapped(own: Float64, base: Float64, unit: float, factors: Float64) -> Float64:
    """The factor of every row: one of those given where it fits; NaN where there is no number."""
    found = own / base
    open_ = ~np.isnan(own)
    for factor in factors:
        near = open_ & _near(own, base, unit, float(factor))
        found[near] = factor
        open_ &= ~near
    return found
