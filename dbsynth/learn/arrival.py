"""The order in which the rows of a table lie, and so its numbers count.

Orders are numbered as they come in, races season by season.  Where the rows of the source lie in
the order of some of their columns, those of the clone do as well: the latest rows have the largest
numbers.  And where siblings walk along such an order through the rows of another parent (a driver
from race to race), the link is drawn as a walk: so many rows after that of the sibling before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.model import Gap
from dbsynth.read.times import Times, gap_of
from dbsynth.schema import Kind

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MOST_COLUMNS = 3
STRETCHES = 64  # of the order, which a row can tell apart
_FEWEST = 30
_IN_ORDER = 0.98  # of the neighbours; a few rows may have come late
_FEWEST_VALUES = 3


def order_of(numbers: Mapping[str, Float64]) -> tuple[str, ...]:
    """The columns in whose order, taken one after the other, the rows lie; empty for none.

    Args:
        numbers: Columns that might tell, in the order of the rows; NaN for NULL.
    """
    known = {n: x for n, x in numbers.items() if len(x) >= _FEWEST and not np.isnan(x).any()}
    open_ = {name: (x[:-1], x[1:]) for name, x in known.items()}
    found: list[str] = []
    tied = np.ones(next((len(x) - 1 for x in known.values()), 0), bool)
    while open_ and len(found) < MOST_COLUMNS and tied.sum() >= _FEWEST:
        rising = {
            name: (float(np.mean(x[tied] <= y[tied])), float(np.mean(x[tied] < y[tied])))
            for name, (x, y) in open_.items()
        }
        name = max(rising, key=lambda n: (rising[n][0] >= _IN_ORDER, rising[n][1], n))
        values = len(np.unique(known[name]))
        if rising[name][0] < _IN_ORDER or not rising[name][1] or values < _FEWEST_VALUES:
            break
        found.append(name)
        before, after = open_.pop(name)
        tied &= before == after
    return tuple(found)


def pace_of(ranks: Int64, links: Int64, k: int) -> tuple[Gap, Codes] | None:
    """How siblings walk along the order of another parent; None where they do not.

    Args:
        ranks: The row of the other parent of every row.
        links: The generating parent of every row, -1 for none.
    """
    return gap_of(Times(ranks.astype(np.float64), 1.0, Kind.INTEGER), links, k)


def stretches(places: Float64) -> Codes:
    """In which stretch of an order rows stand: 1 for the first.

    Args:
        places: From 0, the first row, to 1, just behind the last.
    """
    return (1 + np.clip(np.floor(places * STRETCHES), 0, STRETCHES - 1)).astype(np.uint16)


def served(places: Float64, degrees: Int64, noise: Float64) -> Int64:
    """A parent for every child, as near to its place as the numbers of children allow.

    Both sides are laid side by side in their order (the optimal transport on a line).

    Args:
        places: Where each child would have its parent, from 0 to 1.
        degrees: Children of each parent, in order; they add up to the number of places.
        noise: What parts equal places.
    """
    links = np.empty(len(places), np.int64)
    links[np.lexsort((noise, places))] = np.repeat(np.arange(len(degrees)), degrees)
    return links
