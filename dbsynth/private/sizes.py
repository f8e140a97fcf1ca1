"""How many rows entities own: the cap of a table and its size, from noisy counts alone.

Rows of an entity that owns more than the cap weigh together as many as the cap.  A low cap means
little noise, but entities with many rows then count for less than they should: the cap is where
both together do the least harm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.private.contents import bucket_edges

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_CLEAR = 4.0
_CELLS = 4.0  # the total variation of deciles in standard deviations of the noise over all rows
_HARM = 0.3  # of the total variation between families that comes through to their rows
_MOST_TRIED = 60
MOST_WORDS = 8  # different values of one column that an entity's choice is drawn from


@dataclass(frozen=True)
class Cut:
    """What a cap does to a table, by noisy counts alone.

    Attributes:
        entities: Estimated share of owning entities that own more rows.
        rows: Estimated share of all rows that the cap takes from their weight.
        weight: Estimated rows, as they are weighed.
        all: The same, as they are.
        words: Most different values of one column that are looked at of an entity.
    """

    cap: int
    chosen: bool
    entities: float
    rows: float
    weight: float
    all: float
    words: int = 1


def cut_of(cap: int | None, noisy: Int64, scale: float, one: float) -> Cut:
    """The cap, chosen where it is not given, and what it does.

    Args:
        noisy: Entities by number of rows (`dbsynth.private.contents.buckets`).
        scale: Standard deviation of their noise.
        one: What counting one variable of the table may cost, about.
    """
    sizes, entities = _spread(significant(noisy, scale))
    rows = max(float(entities @ sizes), 1e-9)
    best = _best_cap(sizes, entities, one) if cap is None else cap
    kept = float(entities @ np.minimum(sizes, best))
    owners = max(float(entities.sum()), 1e-9)
    return Cut(
        best, cap is None, float(entities[sizes > best].sum()) / owners, 1 - kept / rows,
        rows_within(noisy, best, scale), rows, _words(sizes, entities),
    )  # fmt: skip


def significant(noisy: Int64, scale: float) -> Float64:
    """The counts, 0 where they may well be noise; of entities that own nothing, in any case."""
    found = np.where(noisy > _CLEAR * scale, noisy, 0).astype(np.float64)
    found[0] = max(int(noisy[0]), 0)
    return found


def hidden(noisy: Int64, scale: float) -> float:
    """How many entities with a row of a table the noise hides, where it tells none.

    The mean of what the noisy number of entities with one row leaves possible: of a normal
    distribution around it, cut off at 0.
    """
    place = float(noisy[1]) / scale
    density = np.exp(-place * place / 2) / np.sqrt(2 * np.pi)
    above = max(0.5 * math.erfc(-place / math.sqrt(2)), 1e-12)
    return max(0.0, scale * (place + float(density) / above))


def rows_within(noisy: Int64, cap: int, scale: float) -> float:
    """Estimated weight, 0 where the owners, bucket by bucket and together, may well be noise."""
    sizes, entities = _spread(significant(noisy, scale))
    owners = float(noisy[1:].sum())
    together = owners if owners > _CLEAR * scale * np.sqrt(len(noisy) - 1) else 0.0
    return max(together, float(entities @ np.minimum(sizes, cap)))


def _spread(entities: Float64) -> tuple[Float64, Float64]:
    """Numbers of rows from 1 on, and entities that own so many, evenly over each bucket."""
    edges = bucket_edges()
    widths = np.diff(edges).astype(np.int64)
    shares = np.repeat(entities / widths, widths)
    last = int(np.flatnonzero(shares)[-1]) if shares.any() else 0
    return np.arange(1.0, last + 1), shares[1 : last + 1]


def _best_cap(sizes: Float64, entities: Float64, one: float) -> int:
    if not entities.any():
        return 1
    tried = np.unique(np.round(np.geomspace(1, sizes[-1], _MOST_TRIED)))
    kept = entities * np.minimum(sizes, tried[:, None])
    weight = np.maximum(kept.sum(axis=1), 1e-9)
    whole = entities * sizes / (entities @ sizes)
    apart = np.abs(kept / weight[:, None] - whole).sum(axis=1) / 2
    noise = _CELLS * tried / weight / np.sqrt(2 * one)
    return int(tried[int(np.argmin(_HARM * apart + noise))])


def _words(sizes: Float64, entities: Float64) -> int:
    """How many words of an entity are worth their noise, which grows with the root of them."""
    if not entities.any():
        return 1
    most = np.arange(1, MOST_WORDS + 1)
    held = (entities * np.minimum(sizes, most[:, None])).sum(axis=1)
    return int(most[int(np.argmax(held / np.sqrt(most)))])
