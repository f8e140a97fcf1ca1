"""What an attacker who knows all but one entity can tell: a test of the claim, not a proof of it.

Two databases that differ in one entity are asked the same questions.  `Script` answers without
listening, so that both fits take the same way: their models must be equal, and their exact counts
no further apart than each question claims.  `Trial` then asks the questions anew many times in both
worlds and looks at the best possible statistic; what it tells apart gives a lower bound on epsilon
(Nasr et al., USENIX Security 2023, for Gaussian DP; Jagielski et al., NeurIPS 2020, by Clopper and
Pearson 1934).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from dbsynth.private.contents import WHOLE
from dbsynth.private.mechanisms import Noise

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_NORMAL = NormalDist()
_STEPS = 60


@dataclass(frozen=True)
class Question:
    """One question with its exact answer.

    Attributes:
        kind: ``counts``, ``choose`` or ``shared``.
        exact: Counts, scores, or holders of each value.
        sensitivity: What one entity may change.
    """

    kind: str
    exact: Int64 | Mapping[str, int]
    sensitivity: int
    rho: float

    def distance(self, other: Question) -> float:
        """How far one entity moved the exact answer, in the measure of its sensitivity."""
        if isinstance(self.exact, Mapping) or isinstance(other.exact, Mapping):
            return self._holders_apart(other)
        moved = np.abs(self.exact - other.exact).astype(np.float64)
        return float(np.sqrt((moved**2).sum()) if self.kind == "counts" else moved.max(initial=0))

    def _holders_apart(self, other: Question) -> float:
        """How many values have another number of holders; infinite where one differs by more."""
        mine, theirs = dict(self.exact), dict(other.exact)
        apart = [abs(mine.get(v, 0) - theirs.get(v, 0)) for v in {*mine, *theirs}]
        return math.inf if max(apart, default=0) > 1 else float(sum(apart))


@dataclass
class Script:
    """Answers that depend on the seed and on the number of answers asked for, on nothing else.

    Attributes:
        words: What is answered where values that many entities hold are asked for.
        asked: The questions with what they would have let out.
    """

    source: np.random.Generator
    words: frozenset[str] = frozenset()
    asked: list[Question] = field(default_factory=list)

    @property
    def private(self) -> bool:
        """Whoever does not listen cannot tell."""
        return True

    def counts(self, exact: Int64, sensitivity: int, rho: float) -> Int64:
        """Numbers of the usual size."""
        self.asked.append(Question("counts", exact.copy(), sensitivity, rho))
        grain = WHOLE if sensitivity >= WHOLE else 1  # of weights, or of rows
        return grain * (self.source.integers(0, 500, len(exact)) + (len(exact) == 1) * 5000)

    def choose(self, scores: Sequence[int], sensitivity: int, rho: float) -> int:
        """Any place."""
        self.asked.append(Question("choose", np.array(scores, np.int64), sensitivity, rho))
        return int(self.source.integers(0, len(scores)))

    def shared(
        self, holders: Mapping[str, int], most: int, rho: float, delta: float
    ) -> frozenset[str]:
        """The words of the script."""
        del delta
        self.asked.append(Question("shared", dict(holders), most, rho))
        return self.words

    def generator(self) -> np.random.Generator:
        """One that always begins alike."""
        return np.random.default_rng(7)


@dataclass(frozen=True)
class Trial:
    """The same questions in a world with an entity and in one without it."""

    with_entity: Sequence[Question]
    without: Sequence[Question]

    def statistics(self, noise: Noise, runs: int) -> tuple[Float64, Float64]:
        """The log of the likelihood ratio of all noisy counts, of many runs in either world."""
        found = np.zeros((2, runs))
        for one, other in zip(self.with_entity, self.without, strict=True):
            if one.kind != "counts":
                continue
            assert not isinstance(one.exact, Mapping)
            assert not isinstance(other.exact, Mapping)
            moved = (one.exact - other.exact).astype(np.float64)
            there = np.flatnonzero(moved)  # the other counts tell nothing
            variance = (one.sensitivity**2) / (2 * one.rho)
            for world, exact in enumerate((one.exact, other.exact)):
                noisy = noise.counts(np.tile(exact[there], runs), one.sensitivity, one.rho)
                found[world] += noisy.reshape(runs, -1) @ moved[there] / variance
        return found[0], found[1]


@dataclass(frozen=True)
class Bound:
    """What a trial shows with confidence.

    Attributes:
        mu: Lower bound on the parameter of Gaussian differential privacy.
        epsilon: Lower bound on epsilon, by mu.
        counted: Lower bound on epsilon by the rates alone, whatever the noise looks like.
    """

    mu: float
    epsilon: float
    counted: float


def lower_bound(inside: Float64, outside: Float64, delta: float, confidence: float = 0.95) -> Bound:
    """The bound that the statistics of two worlds give.

    The threshold is chosen on the first half of the runs and judged on the second.
    """
    half = len(inside) // 2
    options = np.quantile(np.r_[inside[:half], outside[:half]], np.linspace(0.1, 0.9, 33))
    best = max(options, key=lambda t: _mu(inside[:half] < t, outside[:half] >= t, confidence))
    missed, false = inside[half:] < best, outside[half:] >= best
    mu = max(0.0, _mu(missed, false, confidence))
    low, high = _rate(missed, confidence), _rate(false, confidence)
    counted = [math.log(max(1 - delta - a, 1e-300) / b) for a, b in ((low, high), (high, low))]
    return Bound(mu, gaussian_epsilon(mu, delta), max(0.0, *counted))


def _mu(missed: npt.NDArray[np.bool_], false: npt.NDArray[np.bool_], confidence: float) -> float:
    alpha, beta = _rate(false, confidence), _rate(missed, confidence)
    if alpha >= 1 or beta >= 1:
        return -math.inf
    return _NORMAL.inv_cdf(1 - alpha) - _NORMAL.inv_cdf(beta)


def _rate(events: npt.NDArray[np.bool_], confidence: float) -> float:
    """Upper bound of a rate (Clopper and Pearson), half of the doubt going to either rate."""
    number, seen = len(events), int(events.sum())
    doubt = (1 - confidence) / 2
    if seen >= number:
        return 1.0
    low, high = seen / number, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(seen, number, middle) > doubt else (low, middle)
    return high


def _at_most(seen: int, number: int, rate: float) -> float:
    """The probability of so few events or fewer (binomial)."""
    if not 0 < rate < 1:
        return float(rate <= 0)
    k = np.arange(seen + 1)
    logs = np.cumsum(np.log(np.r_[1.0, (number - k[:-1]) / (k[:-1] + 1)]))
    terms = logs + k * math.log(rate) + (number - k) * math.log1p(-rate)
    return float(np.exp(terms - terms.max()).sum() * math.exp(float(terms.max())))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The least epsilon of mu-Gaussian differential privacy (Balle and Wang, ICML 2018)."""
    if mu <= 0:
        return 0.0

    def delta_at(epsilon: float) -> float:
        a, b = -epsilon / mu + mu / 2, -epsilon / mu - mu / 2
        return _NORMAL.cdf(a) - math.exp(min(epsilon, 700.0)) * _NORMAL.cdf(b)

    low, high = 0.0, mu**2 / 2 + mu * math.sqrt(2 * math.log(1 / delta)) + 1
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_at(middle) > delta else (low, middle)
    return high
