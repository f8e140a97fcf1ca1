"""In which order rows of one moment follow each other, when their balances tell: compiled."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from dbsynth.rules.base import Bool, Float64, Int64

_MOST = 64  # rows of one moment that are put in order


def chained(
    order: Int64, following: Bool, time: Float64, total: Float64, change: Float64, slack: float
) -> Int64:
    """Rows in order, where those of one family and moment follow each other as their totals do.

    A row comes next if the total so far and its change make its own total.  Where none does, that
    one comes next which follows none of the others, so that a new chain begins at its beginning.

    Args:
        order: Rows by family and time; those of one moment in any order.
        following: Whether each but the last of them is followed by one of its family.
        time, total, change: Of every row; NaN where they are not known.
        slack: How far a total may be off.
    """
    if not len(order):
        return order
    tied = following & (time[order[1:]] == time[order[:-1]])
    if not tied.any():
        return order
    found = order.copy()
    _chain(found, np.append(following, False), np.append(tied, False), total, change, slack)
    return found


@numba.njit(cache=True)
def _chain(found: Any, following: Any, tied: Any, total: Any, change: Any, slack: float) -> None:
    """Put the rows of every moment in order, in place."""
    start = 0
    while start < len(found):
        end = start + 1
        while tied[end - 1]:
            end += 1
        if 1 < end - start <= _MOST:
            begun = start > 0 and following[start - 1]
            now = total[found[start - 1]] if begun else 0.0
            for place in range(start, end - 1):
                chosen = _next(found, place, end, total, change, now, slack)
                row = found[chosen]
                for i in range(chosen, place, -1):
                    found[i] = found[i - 1]
                found[place] = row
                now = total[row]
        start = end


@numba.njit(cache=True)
def _next(
    found: Any, place: int, end: int, total: Any, change: Any, now: float, slack: float
) -> int:
    """The place of the row that follows a total; else of one that follows none of the others."""
    for i in range(place, end):
        row = found[i]
        if abs(now + change[row] - total[row]) <= slack:
            return i
    for i in range(place, end):
        before = total[found[i]] - change[found[i]]
        alone = True
        for j in range(place, end):
            if j != i and abs(total[found[j]] - before) <= slack:
                alone = False
        if alone:
            return i
    return place


def clear(order: Int64, following: Bool, time: Float64) -> npt.NDArray[np.bool_]:
    """Which rows, but the first, follow a row with no other of their family at either moment."""
    if not len(order):
        return following
    at = time[order]
    same = np.r_[False, following & (at[1:] == at[:-1]), False]
    alone = ~(same[1:] | same[:-1])  # neither the row before nor the one after is of its moment
    return np.asarray(following & alone[1:] & alone[:-1])
