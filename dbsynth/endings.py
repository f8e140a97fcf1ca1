"""How numbers end: prices in .99 and .50, salaries in thousands, doses in fives and tens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

_FEWEST = 50  # numbers that tell how numbers end
_BELOW = 5  # how many times further numbers spread than those of one ending lie apart
_WIDEST = 6  # digits of an ending
_SHARE = 0.02  # of the numbers that have an ending, at least
_COVERED = 0.6  # of the numbers that end in one of them, at least
_RARE = 0.3  # of the numbers that would have them by chance, at most
_MORE = 1.2  # times the surprise that a longer ending has to bring
_MOST = 20
_EXACT = 2.0**53


@dataclass(frozen=True, slots=True)
class Endings:
    """The usual last digits of numbers.

    Attributes:
        unit: The grid of the numbers.
        span: How many units there are from one number with an ending to the next.
        units: Each usual ending, in units.
        shares: Share of the numbers with each; the rest ends anyhow.
    """

    unit: float
    span: int
    units: tuple[int, ...]
    shares: tuple[float, ...]

    def put(self, numbers: Float64, place: Float64) -> Float64:
        """Numbers moved by less than a span to where they end as usual.

        Args:
            place: Which ending each takes, between 0 and 1.
        """
        chosen = np.searchsorted(np.cumsum(self.shares), place, side="right")
        usual = chosen < len(self.units)
        ending = np.array([*self.units, 0], np.float64)[chosen]
        size = np.abs(numbers) / self.unit
        whole = np.maximum(np.round((size - ending) / self.span), 0) * self.span + ending
        moved = np.sign(numbers) * whole * self.unit
        return np.asarray(np.where(usual & (size < _EXACT), moved, numbers))

    def to_json(self) -> dict[str, Any]:
        """The state; `from_json` is the inverse."""
        return {"unit": self.unit, "span": self.span, "units": list(self.units),
                "shares": list(self.shares)}  # fmt: skip


def from_json(state: Mapping[str, Any] | None) -> Endings | None:
    """The endings whose state was saved."""
    if not state:
        return None
    units, shares = tuple(state["units"]), tuple(state["shares"])
    return Endings(state["unit"], state["span"], units, shares)


def endings_of(numbers: Float64, unit: float, k: int) -> Endings | None:
    """How numbers usually end; None where they end anyhow.

    Of all lengths that one is taken whose usual endings are the greatest surprise: how many times
    more numbers have them than would by chance.

    Args:
        numbers: Any numbers on the grid.
        unit: The grid.
        k: How many must share an ending.
    """
    sizes = np.abs(numbers) / unit if unit else numbers[:0]
    sizes = sizes[np.isfinite(sizes) & (sizes > 0) & (sizes < _EXACT)]
    if len(sizes) < max(_FEWEST, 2 * k):
        return None
    low, high = np.quantile(sizes, (0.1, 0.9))
    whole = np.round(sizes).astype(np.int64)
    best, surprise = None, 1.0 / _RARE
    for digits in range(1, _WIDEST + 1):
        span = 10**digits
        if span * _BELOW > high - low:
            break
        found, counts = np.unique(whole % span, return_counts=True)
        usual = np.argsort(-counts, kind="stable")[:_MOST]
        usual = usual[counts[usual] >= max(k, _SHARE * len(whole))]
        shares = counts[usual] / len(whole)
        lift = shares.sum() * span / max(len(usual), 1)
        if shares.sum() >= _COVERED and lift > surprise * _MORE:
            surprise = lift
            best = Endings(unit, span, tuple(found[usual].tolist()), tuple(shares.tolist()))
    return best
