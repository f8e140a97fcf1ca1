"""Times that siblings have one after the other: drawn as gaps, so that they stay in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Codes, Number
from dbsynth.graph import is_unique
from dbsynth.keys import rank_in_group
from dbsynth.model import Gap
from dbsynth.private.contents import sibling_time
from dbsynth.private.domains import (
    UNKNOWN,
    Coarse,
    Domain,
    Search,
    coarse_edges,
    codec_of_edges,
    units_of,
)
from dbsynth.private.recipes import Recipe
from dbsynth.rules import Rule
from dbsynth.schema import Column, ForeignKey, Kind, Table

Float64 = npt.NDArray[np.float64]
_MICROSECONDS, _DAY = 1e6, 86_400e6


@dataclass(frozen=True)
class Walked:
    """A time of siblings, coded.

    Attributes:
        domain: That of the time, with what its model says of gaps.
        edges, coarse: Of the gaps.
        gap: Codes of the gap to the sibling before; `UNKNOWN` of the first.
        first: Codes of the time of the first; `UNKNOWN` of the others.
    """

    domain: Domain
    codec: Number
    edges: Float64
    coarse: Coarse
    gap: Codes
    first: Codes


def walking_column(
    table: Table, key: ForeignKey | None, recipes: Mapping[str, Recipe], rules: Sequence[Rule]
) -> str | None:
    """The time in whose order siblings lie, if it is to be drawn as gaps; by the schema alone."""
    name = sibling_time(table)
    if key is None or name is None or is_unique(table, key.columns):
        return None
    bound = any((table.name, name) in rule.places for rule in rules)
    recipe = recipes[name]
    return name if recipe.number and not recipe.column.nullable and not bound else None


def walked(domain: Domain, values: pa.Array, codes: Codes, search: Search, subject: str) -> Walked:
    """The gaps of a time column; their range is paid for.

    Args:
        codes: Of the time itself, of all rows.
    """
    assert domain.edges is not None
    assert isinstance(domain.codec, Number)
    days = domain.codec.kind is Kind.DATE
    units, _ = units_of(values, domain.unit)
    later = np.flatnonzero(rank_in_group(search.contents.parent) > 0)  # siblings lie side by side
    gaps = np.maximum(units[later] - units[later - 1], 0.0)
    kind, unit = (Kind.INTEGER, 1.0) if days else (Kind.INTERVAL, _MICROSECONDS)
    gap_column = Column("gap", kind, "", nullable=False)
    grid = coarse_edges(gap_column, unit)
    coarse = search.coarse(f"gaps of {subject}", grid[grid >= 0], gaps, later, whole=True)
    edges = coarse.finer(search.cells(coarse), whole=True)
    codec = codec_of_edges(gap_column, edges, unit)
    found = np.full(len(units), UNKNOWN, np.uint16)
    places = np.clip(np.searchsorted(edges, gaps, side="right") - 1, 0, len(edges) - 2)
    found[later] = 4 + places
    first = codes.copy()
    first[later] = UNKNOWN
    step = _DAY if days else _MICROSECONDS
    gap = Gap(codec, step, float(domain.edges[-1] - 1) * step)
    model = replace(domain.model, gap=gap)
    return Walked(replace(domain, model=model), codec, edges, coarse, found, first)
