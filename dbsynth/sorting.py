"""Rows in the order of their groups, without comparing where numbers of groups are small."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

_SPARSE = 4  # numbers of groups a row beyond which counting takes more memory than it saves time


def by_group(groups: npt.NDArray[Any]) -> Int64:
    """The rows ordered by group, those of one group in their order: a stable argsort.

    Links and codes lie close together, so that they can be counted (counting sort: Knuth, TAOCP
    vol. 3, 5.2), which takes a tenth of the time of comparing.

    Args:
        groups: Integers, shape (rows,).

    Returns:
        Places of rows, shape (rows,).
    """
    if not len(groups):
        return np.zeros(0, np.int64)
    low, high = int(groups.min()), int(groups.max())
    if high - low > _SPARSE * len(groups):
        return np.argsort(groups, kind="stable")
    close = groups.astype(np.int64) - np.array(low, groups.dtype).astype(np.int64)
    order: Int64 = _counted(close, high - low + 1)
    return order


@numba.njit(cache=True, nogil=True)
def _counted(groups: Any, size: int) -> Any:
    place = np.zeros(size + 1, np.int64)
    for group in groups:
        place[group + 1] += 1
    for i in range(size):
        place[i + 1] += place[i]
    order = np.empty(len(groups), np.int64)
    for row in range(len(groups)):
        group = groups[row]
        order[place[group]] = row
        place[group] += 1
    return order
