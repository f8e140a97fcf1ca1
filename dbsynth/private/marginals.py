"""Counts of the codes of one variable and of pairs of variables, exact and with noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.private.purse import Purse

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

MOST_GROUPS = 32
_CLEAR = 1.5  # a cell of a pair is worth so many standard deviations of the noise, on average
_APART = 3.0  # the same of a word that keeps a group of its own


def _no_weight() -> Int64:
    """Of what is known and never drawn."""
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class Variable:
    """A variable of the rows of one table: its own, or one that its rows know.

    Attributes:
        codes: Of the real rows; with their weights all that is here that must not get out.
        weight: Of the real rows.
        cap: Rows of one entity weigh no more than so many rows.
        possible: Which codes can occur.
        counts: Estimated number of rows with each code.
        groups: Group of each code, as pairs are counted by groups.
        scale: Standard deviation of the noise in ``counts`` before they were made consistent.
        pair_scale: The same in each cell of a pair in which it is drawn.
        part: Whether it is drawn in some rows only, so that only these are counted.
        everywhere: Whether it stands for one that is drawn in some rows only.
        seen: The same in all rows, for what is drawn after it; None where it is drawn in all.
    """

    name: str
    alphabet: Alphabet
    codes: Codes = field(repr=False)
    possible: Bool
    counts: Float64
    groups: Int64
    weight: Int64 = field(default_factory=_no_weight, repr=False)
    cap: int = 1
    scale: float = 0.0
    pair_scale: float = 0.0
    part: bool = False
    everywhere: bool = False
    seen: Variable | None = None

    @property
    def shown(self) -> Variable:
        """The variable as others see it."""
        return self.seen or self

    @property
    def width(self) -> int:
        """Number of groups."""
        return int(self.groups.max(initial=0)) + 1

    @property
    def by_group(self) -> Float64:
        """Estimated number of rows in each group."""
        found = np.bincount(self.groups, weights=self.counts, minlength=self.width)
        return found.astype(np.float64)

    @property
    def grouped(self) -> Int64:
        """The group of each real row; -1 where its code cannot occur."""
        inside = np.minimum(self.codes.astype(np.int64), len(self.groups) - 1)
        known = self.possible[inside] & (self.codes < len(self.groups))
        return np.where(known, self.groups[inside], -1)


def one_way(
    purse: Purse, subject: str, codes: Codes, weight: Int64, possible: Bool, cap: int, rho: float
) -> Float64:
    """Noisy numbers of rows with each code; 0 for those that cannot occur."""
    found = np.zeros(len(possible))
    inside = codes < len(possible)
    exact = summed(codes[inside], weight[inside], len(possible))
    found[possible] = purse.weights(subject, exact[possible], cap, rho)
    return found


def summed(cells: npt.NDArray[Any], weight: Int64, size: int) -> Int64:
    """The exact weight of the rows in each cell."""
    return np.bincount(cells, weights=weight, minlength=size).astype(np.int64)


def joint(first: Variable, second: Variable) -> Int64:
    """Exact weights of rows in each pair of groups; shape (groups of first, of second)."""
    a, b = first.grouped, second.grouped
    both = (a >= 0) & (b >= 0)
    cells = a[both] * second.width + b[both]
    found = summed(cells, first.weight[both], first.width * second.width)
    return found.reshape(first.width, second.width)


def on_simplex(noisy: Float64, total: float, possible: Bool) -> Float64:
    """The nearest counts that are not negative and add up to a total (Euclidean projection).

    Held, Wolfe and Crowder, Mathematical Programming 6, 1974.
    """
    found = np.zeros(len(noisy))
    values = noisy[possible]
    if not len(values):
        return found
    total = max(total, 1e-9)
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, len(values) + 1)
    last = np.flatnonzero(falling > excess)[-1]
    found[possible] = np.maximum(values - excess[last], 0.0)
    return found


def groups_wanted(rows: float, scale: float) -> int:
    """How many groups either side of a pair may have so that its cells stand out of the noise."""
    return int(np.clip(np.sqrt(rows / (_CLEAR * max(scale, 1e-9))), 2, MOST_GROUPS))


def groups_of(
    counts: Float64, possible: Bool, scale: float, *, ordered: bool, apart: bool
) -> Int64:
    """Groups of codes that pairs can tell apart under noise: few, and each with enough rows.

    Numbers are cut into groups of about as many rows; words keep a group each, but for rare ones.

    Args:
        counts: Estimated number of rows with each code.
        scale: Standard deviation of the noise in each cell of a pair.
        ordered: Whether only neighbours may share a group.
        apart: Whether code 0 always has a group of its own.
    """
    total = float(counts.sum())
    most = groups_wanted(total, scale)
    least = max(total / most, _CLEAR * scale)
    own = np.zeros(len(counts), bool)
    if not ordered:  # words that share a group have nothing else in common, so few of them do
        falling = np.argsort(-counts, kind="stable")[: MOST_GROUPS - 1]
        own[falling] = possible[falling] & (counts[falling] >= _APART * scale)
    own[0] = possible[0] and (apart or counts[0] >= _APART * scale)
    groups = np.full(len(counts), -1, np.int64)
    groups[own] = np.arange(int(own.sum()))
    rest = np.flatnonzero(possible & ~own)
    if ordered and len(rest):
        middles = np.cumsum(counts[rest]) - counts[rest] / 2
        wanted = max(1, min(int(counts[rest].sum() / least), most))
        place = np.floor(middles / max(counts[rest].sum(), 1e-9) * wanted).astype(np.int64)
        groups[rest] = int(own.sum()) + np.unique(place, return_inverse=True)[1]
    else:
        groups[rest] = int(own.sum())
    return np.maximum(groups, 0)
