"""Zero-concentrated differential privacy inside, (epsilon, delta) outside.

zCDP (Bun and Steinke, TCC 2016, https://arxiv.org/abs/1605.02065) adds up exactly over mechanisms,
tables and fits; one conversion at the end tells what it is worth.  The conversion is that of
Canonne, Kamath and Steinke (NeurIPS 2020, https://arxiv.org/abs/2004.00010, proposition 12).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = 60  # halve an interval so often; its safe end is the answer
_NARROWINGS = 80
_LARGEST = 1e6
_FIRST, _LAST = 1.0 + 1e-9, 1e9  # orders of the Renyi divergence that are tried
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Loss:
    """Approximate zCDP: ``rho``-zCDP but for an event of probability ``delta``."""

    rho: float
    delta: float = 0.0

    def __add__(self, other: Loss) -> Loss:
        return Loss(self.rho + other.rho, self.delta + other.delta)


def total(losses: Iterable[Loss]) -> Loss:
    """What several mechanisms lose together."""
    found = list(losses)
    return Loss(math.fsum(x.rho for x in found), math.fsum(x.delta for x in found))


def delta_of(rho: float, epsilon: float) -> float:
    """The least delta with which ``rho``-zCDP is known to imply (epsilon, delta)."""
    if rho <= 0:
        return 0.0

    def exponent(log_order: float) -> float:
        order = 1.0 + math.exp(log_order)
        return (
            (order - 1.0) * (order * rho - epsilon)
            + order * math.log1p(-1.0 / order)
            - math.log(order - 1.0)
        )

    low, high = math.log(_FIRST - 1.0), math.log(_LAST)
    for _ in range(_NARROWINGS):  # the exponent has one minimum; any order gives a valid bound
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if exponent(left) < exponent(right) else (left, high)
    return min(1.0, math.exp(min(0.0, exponent((low + high) / 2.0))))


def epsilon_of(loss: Loss, delta: float) -> float:
    """The least epsilon known for a loss at a whole ``delta``; infinite where delta is used up."""
    left = delta - loss.delta
    if loss.rho <= 0 and left >= 0:
        return 0.0
    if left <= 0:
        return math.inf
    low, high = 0.0, loss.rho + 2.0 * math.sqrt(loss.rho * math.log(1.0 / left)) + 1e-12
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if delta_of(loss.rho, middle) <= left else (middle, high)
    return high


def rho_of(epsilon: float, delta: float) -> float:
    """The largest rho whose zCDP implies (epsilon, delta)."""
    low, high = 0.0, min(_LARGEST, epsilon + 1.0)
    while delta_of(high, epsilon) <= delta and high < _LARGEST:
        high *= 2.0
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if delta_of(middle, epsilon) <= delta else (low, middle)
    return low
