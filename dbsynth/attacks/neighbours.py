"""Nearest rows, in slices that bound memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_SLICE = 256


def distances(points: Float64, others: Float64, ranks: Sequence[int]) -> Float64:
    """Distances to the nearest, the second nearest and so on; shape (points, ranks).

    Args:
        ranks: Which, 1 for the nearest; where there are too few, the farthest stands for the rest.
    """
    wanted = np.minimum(np.array(ranks), len(others)) - 1
    found = [np.partition(part, np.unique(wanted), axis=1)[:, wanted]
             for part in squares(points, others)]  # fmt: skip
    whole = np.concatenate(found) if found else np.zeros((0, len(wanted)))
    # Rounding leaves traces where two points are one.
    return np.asarray(np.round(np.sqrt(np.maximum(whole, 0.0)), 6), np.float64)


def nearest(points: Float64, others: Float64, count: int) -> Int64:
    """Which others are the nearest; shape (points, count), in no order."""
    count = min(count, len(others))
    found = [np.argpartition(part, count - 1, axis=1)[:, :count]
             for part in squares(points, others)]  # fmt: skip
    return np.concatenate(found) if found else np.zeros((0, count), np.int64)


def squares(points: Float64, others: Float64) -> Iterator[Float64]:
    """Squared distances, a slice of points after the other."""
    norms = (others**2).sum(axis=1)
    for start in range(0, len(points), _SLICE):
        part = points[start : start + _SLICE]
        yield norms - 2 * part @ others.T + (part**2).sum(axis=1)[:, None]
