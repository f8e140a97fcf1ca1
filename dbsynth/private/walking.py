"""Times that siblings have one after the other.

Where most gaps between them are about as long (a salary a year, a payment a month), they are drawn
as gaps.  Elsewhere that would not be right: gaps know nothing of how many siblings are yet to come,
so that the last ones pile up at the end.  There each time is drawn by itself, from what is known of
the parent, and siblings take theirs in order, as in a Poisson process whose number of events is
known.
"""

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
    standing_out,
    units_of,
)
from dbsynth.private.recipes import Recipe
from dbsynth.rules import Rule
from dbsynth.schema import Column, ForeignKey, Kind, Table

Float64 = npt.NDArray[np.float64]
_MICROSECONDS, _DAY = 1e6, 86_400e6
_MOST, _NEARLY_ALL, _CLEAR = 0.5, 0.8, 4.0


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


@dataclass(frozen=True)
class Gaps:
    """The gaps between siblings, in units, and noisy counts of them by powers of two.

    Attributes:
        later: The rows that have a sibling before them.
    """

    later: npt.NDArray[np.int64]
    gaps: Float64
    counts: Coarse

    @property
    def regular(self) -> bool:
        """Whether most are between one power of two and the next; of random times a quarter is."""
        top = float(self.counts.counts.max(initial=0.0))
        return self.share > _MOST and top > _CLEAR * self.counts.scale

    @property
    def usual(self) -> float:
        """The mean of log2(1 + gap), in units, rounded up: 0 for none, 1 for one, 2 up to three."""
        edges, found, scale = self.counts.edges, self.counts.counts, self.counts.scale
        # Far off, noise alone would weigh much.
        counts = np.where(standing_out(found, scale, guess=False), np.maximum(found, 0.0), 0.0)
        return float(counts @ np.ceil(np.log2(edges[1:]))) / max(float(counts.sum()), 1e-9)

    @property
    def share(self) -> float:
        """The largest share between one power of two and the next."""
        return float(self.counts.counts.max(initial=0.0)) / max(self.counts.rows, 1.0)


def gaps_of(recipe: Recipe, values: pa.Array, search: Search, subject: str) -> Gaps:
    """The gaps of a time column; their counts are paid for."""
    units, _ = units_of(values, recipe.unit)
    later = np.flatnonzero(rank_in_group(search.contents.parent) > 0)  # siblings lie side by side
    gaps = np.maximum(units[later] - units[later - 1], 0.0)
    grid = coarse_edges(_column_of(recipe), _unit_of(recipe))
    name = f"gaps of {subject}"
    return Gaps(later, gaps, search.first(name, grid[grid >= 0], gaps, later))


def walked(
    domain: Domain, gaps: Gaps, codes: Codes, search: Search, recipe: Recipe, subject: str
) -> Walked:
    """The times of siblings as gaps; their range is paid for.

    Args:
        codes: Of the time itself, of all rows.
    """
    assert domain.edges is not None
    assert isinstance(domain.codec, Number)
    column, unit, later = _column_of(recipe), _unit_of(recipe), gaps.later
    coarse = search.within(
        gaps.counts, f"gaps of {subject}", gaps.gaps, later, search.later, whole=True
    )
    edges = coarse.finer(search.cells(coarse), whole=True)
    codec = codec_of_edges(column, edges, unit)
    found = np.full(len(codes), UNKNOWN, np.uint16)
    places = np.clip(np.searchsorted(edges, gaps.gaps, side="right") - 1, 0, len(edges) - 2)
    found[later] = 4 + places
    first = codes.copy()
    first[later] = UNKNOWN
    step = _DAY if _in_days(recipe) else _MICROSECONDS
    beat = _beat(coarse) if gaps.share > _NEARLY_ALL else 0.0
    gap = Gap(codec, step, float(domain.edges[-1] - 1) * step, beat * step)
    model = replace(domain.model, gap=gap)
    return Walked(replace(domain, model=model), codec, edges, coarse, found, first)


def _beat(coarse: Coarse) -> float:
    """The middle of the gaps, in units."""
    counts = np.maximum(coarse.counts, 0.0)
    middle = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    return float(np.round((coarse.edges[middle] + coarse.edges[middle + 1] - 1) / 2))


def _in_days(recipe: Recipe) -> bool:
    return recipe.column.kind is Kind.DATE


def _column_of(recipe: Recipe) -> Column:
    return Column("gap", Kind.INTEGER if _in_days(recipe) else Kind.INTERVAL, "", nullable=False)


def _unit_of(recipe: Recipe) -> float:
    return 1.0 if _in_days(recipe) else _MICROSECONDS
