"""Noisy counts into distributions that agree with each other and are nowhere negative.

The pairs of a table form a tree, so it is enough that pairs agree on the variables that they share:
then they are the marginals of one distribution (a junction tree whose cliques are the pairs;
Wainwright and Jordan, Foundations and Trends in Machine Learning 1, 2008, proposition 2.1).  First
all estimates of each variable are averaged, then each pair is moved to the nearest table with these
margins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dbsynth.engines.conditional import Conditional
from dbsynth.private.marginals import Variable, on_simplex
from dbsynth.private.structure import Edge

Float64 = npt.NDArray[np.float64]

_ROUNDS = 200
_CLOSE = 1e-6


@dataclass(frozen=True)
class Pair:
    """Noisy counts of an edge; shape (groups of the variable, groups of what is given).

    Attributes:
        scale: Standard deviation of the noise in each of them.
    """

    edge: Edge
    counts: Float64
    scale: float


@dataclass(frozen=True)
class Estimate:
    """What is known of a table once the noisy counts are made to agree.

    Attributes:
        margins: Estimated number of rows in each group of each variable.
        pairs: Estimated number of rows in each pair of groups, by the name of the variable.
    """

    margins: Mapping[str, Float64]
    pairs: Mapping[str, Float64]


def estimate(own: Sequence[Variable], pairs: Sequence[Pair], total: float) -> Estimate:
    """Tables that agree.

    Args:
        own: Variables with noisy counts of their own.
        pairs: All edges that were measured.
        total: Estimated number of rows, by weight.
    """
    votes: dict[str, list[tuple[Float64, Float64]]] = {}
    for v in own:
        if v.scale > 0:
            sizes = np.bincount(v.groups[v.possible], minlength=v.width)
            votes.setdefault(v.name, []).append(
                (v.by_group, 1 / (np.maximum(sizes, 1) * v.scale**2))
            )
    for pair in pairs:
        assert pair.edge.given is not None
        sides = [(pair.edge.variable.name, 1), (key_of(pair.edge.given), 0)]
        for name, axis in sides[: 1 if pair.edge.variable.part else 2]:
            found = pair.counts.sum(axis=axis)
            noise = pair.counts.shape[axis] * pair.scale**2
            weight = np.full(len(found), 1 / noise)
            votes.setdefault(name, []).append((found, weight))
    margins = {}
    parts = {v.name: float(v.counts.sum()) for v in own if v.part}
    for name, cast in votes.items():
        weights = np.stack([w for _, w in cast])
        mean = (np.stack([x for x, _ in cast]) * weights).sum(axis=0) / weights.sum(axis=0)
        rows = parts.get(name, total)
        margins[name] = on_simplex(mean, rows, np.ones(len(mean), bool))
    tables = {}
    for pair in pairs:
        assert pair.edge.given is not None
        name = pair.edge.variable.name
        if pair.edge.variable.part:  # of what is given, in these rows
            below = pair.counts.sum(axis=0)
            given = on_simplex(below, float(margins[name].sum()), np.ones(len(below), bool))
        else:
            given = margins[key_of(pair.edge.given)]
        believed = towards_independence(pair.counts, pair.scale, margins[name], given)
        tables[name] = with_margins(believed, margins[name], given)
    return Estimate(margins, tables)


def towards_independence(counts: Float64, scale: float, rows: Float64, columns: Float64) -> Float64:
    """A noisy table moved to that of independent variables, as far as noise explains the distance.

    The estimator of James and Stein (1961), its factor not below zero: what lies within the noise
    says nothing, and a table that holds nothing else becomes that of independent variables.

    Args:
        scale: Standard deviation of the noise in each cell.
        rows, columns: Margins that the table shall have.
    """
    alone = rows[:, None] * columns[None, :] / max(float(rows.sum()), 1e-9)
    apart = counts - alone
    apart -= apart.mean(axis=0)[None, :] + apart.mean(axis=1)[:, None] - apart.mean()
    free = (len(rows) - 1) * (len(columns) - 1)
    far = float((apart**2).sum())
    kept = max(0.0, 1 - max(free - 2, 1) * scale**2 / max(far, 1e-12)) if free else 0.0
    found: Float64 = alone + kept * apart
    return found


def key_of(given: Variable) -> str:
    """The name under which the estimates of a variable are averaged: as it is seen, or drawn."""
    return f"{given.name}|seen" if given.everywhere else given.name


def with_margins(counts: Float64, rows: Float64, columns: Float64) -> Float64:
    """The nearest table that is not negative and has these margins (Dykstra, JASA 78, 1983)."""
    found, correction = counts.astype(np.float64), np.zeros(counts.shape)
    total = max(float(rows.sum()), 1e-9)
    for _ in range(_ROUNDS):
        step = _moved(found, rows, columns)
        found = np.maximum(step + correction, 0.0)
        correction = step + correction - found
        if np.abs(found.sum(axis=1) - rows).sum() < _CLOSE * total:
            break
    return _scaled(found, rows, columns)


def _moved(table: Float64, rows: Float64, columns: Float64) -> Float64:
    """The nearest table with these margins, be it negative."""
    height, width = table.shape
    by_row = (rows - table.sum(axis=1))[:, None] / width
    by_column = (columns - table.sum(axis=0))[None, :] / height
    over = (rows.sum() - table.sum()) / table.size
    moved: Float64 = table + by_row + by_column - over
    return moved


def _scaled(table: Float64, rows: Float64, columns: Float64) -> Float64:
    """The table with exact margins (iterative proportional fitting; Deming and Stephan 1940)."""
    total = max(float(rows.sum()), 1e-9)
    alone = rows[:, None] * columns[None, :] / total
    found = np.maximum(table, 1e-9 * alone)
    for _ in range(_ROUNDS):
        found = found * (rows / np.maximum(found.sum(axis=1), 1e-300))[:, None]
        sums = found.sum(axis=0)
        found = found * (columns / np.maximum(sums, 1e-300))[None, :]
        if np.abs(found.sum(axis=1) - rows).sum() < _CLOSE * total:
            break
    return found


def settled(variable: Variable, margins: Mapping[str, Float64]) -> Variable:
    """A variable whose counts agree with the margins of its groups."""
    margin = margins.get(variable.name)
    if margin is None:
        return variable
    inside = _inside(variable)
    return replace(variable, counts=inside * margin[variable.groups])


def _inside(variable: Variable) -> Float64:
    """The share of each code in its group."""
    counts = np.where(variable.possible, np.maximum(variable.counts, 0.0), 0.0)
    sums = np.bincount(variable.groups, weights=counts, minlength=variable.width)
    number = np.bincount(variable.groups[variable.possible], minlength=variable.width)
    even = variable.possible / np.maximum(number, 1)[variable.groups]
    held = sums[variable.groups]
    return np.where(held > 0, counts / np.maximum(held, 1e-300), even)


def conditional(edge: Edge, found: Estimate) -> Conditional:
    """How a variable is drawn, given the tables that agree."""
    variable, given = edge.variable, edge.given
    inside = _inside(variable)
    alone = found.margins.get(variable.name, variable.by_group)
    if not alone.sum():
        alone = np.ones(variable.width)
    table = found.pairs.get(variable.name)
    if given is None or table is None:
        shares = (alone / alone.sum())[variable.groups] * inside
        return Conditional(variable.name, (), (), shares[None, :])
    sums = table.sum(axis=0)
    known = np.where(sums > 0, table / np.maximum(sums, 1e-300), (alone / alone.sum())[:, None])
    shares = known.T[:, variable.groups] * inside[None, :]
    return Conditional(variable.name, (given.name,), (given.groups,), shares)
