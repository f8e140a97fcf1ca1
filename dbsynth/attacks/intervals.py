"""Shares with exact intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_BISECTIONS = 60
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, and the limits between which the true share lies with 95 % confidence."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share that was seen."""
        return self.hits / self.of if self.of else 0.0


def share_of(hits: int, of: int) -> Share:
    """A share with its interval (Clopper and Pearson, Biometrika 1934).

    >>> share_of(0, 100).high < 0.037
    True
    """
    if not of:
        return Share(0, 0, 0.0, 1.0)
    tail = (1 - LEVEL) / 2
    low = _root(lambda p: 1 - _at_most(hits - 1, of, p) < tail) if hits else 0.0
    high = _root(lambda p: _at_most(hits, of, p) > tail) if hits < of else 1.0
    return Share(hits, of, low, high)


def _root(below: Callable[[float], bool]) -> float:
    """Where a condition that holds from 0 on ceases to hold."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def _at_most(hits: int, of: int, p: float) -> float:
    """P(at most so many hits) of a binomial distribution."""
    if p <= 0 or hits >= of:
        return 1.0
    if p >= 1 or hits < 0:
        return 0.0
    logs = [
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
        + k * math.log(p) + (of - k) * math.log1p(-p)
        for k in range(hits + 1)
    ]  # fmt: skip
    return min(1.0, math.fsum(math.exp(x) for x in logs))


def lead_of(attack: Share, control: Share) -> tuple[float, float]:
    """By how much one share leads another, and in how many standard errors."""
    lead = attack.value - control.value
    pooled = (attack.hits + control.hits) / max(attack.of + control.of, 1)
    spread = pooled * (1 - pooled) * (1 / max(attack.of, 1) + 1 / max(control.of, 1))
    return lead, lead / math.sqrt(spread) if spread > 0 else 0.0
