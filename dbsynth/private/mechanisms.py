"""Noise and private choice.  The only module that knows OpenDP.

All that goes in are whole numbers, and the noise is discrete (Canonne, Kamath and Steinke, NeurIPS
2020), so that the rounding of floating point plays no part (Mironov, CCS 2012).  Each mechanism
tells its loss itself; what it tells is compared with what was meant to be spent.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dbsynth.errors import EngineError, MissingExtra

Int64 = npt.NDArray[np.int64]

_SLACK = 1e-9
_SAFE = 1.0 + 1e-12  # scales are rounded up, so that no loss is above what was meant


class Noise(Protocol):
    """What adds noise and chooses.

    Attributes:
        private: Whether the randomness is nobody's to know.
    """

    @property
    def private(self) -> bool:
        """Whether it gives any privacy."""

    def counts(self, exact: Int64, sensitivity: int, rho: float) -> Int64:
        """Counts with discrete Gaussian noise, ``rho``-zCDP.

        Args:
            sensitivity: Most that one entity changes them, as a Euclidean distance.
        """

    def choose(self, scores: Sequence[int], sensitivity: int, rho: float) -> int:
        """The place of one of the highest scores, ``rho``-zCDP.

        Args:
            sensitivity: Most that one entity changes any score.
        """

    def shared(
        self, holders: Mapping[str, int], most: int, rho: float, delta: float
    ) -> frozenset[str]:
        """Which values enough entities hold, ``rho``-zCDP but for probability ``delta``.

        Args:
            holders: Number of entities that hold each value that any holds.
            most: Most values that one entity holds.
        """

    def generator(self) -> np.random.Generator:
        """Random numbers for uniform choices."""


def scale_of(sensitivity: int, rho: float) -> float:
    """The scale of Gaussian noise that makes counts ``rho``-zCDP."""
    return sensitivity / math.sqrt(2.0 * rho) * _SAFE


def threshold_of(scale: float, most: int, delta: float) -> int:
    """From which noisy number of holders on a value is shown.

    A value that one entity alone holds is shown with probability ``delta / most`` at most (Rogers,
    https://arxiv.org/abs/2309.09170); the tail of the discrete Gaussian is below that of the
    continuous one.
    """
    share = delta / most
    return 2 + math.ceil(scale * math.sqrt(2.0 * math.log(1.0 / share)))


@dataclass(frozen=True)
class OpenDP:
    """Noise of OpenDP, from the randomness of the operating system."""

    library: Any = field(repr=False)

    @property
    def private(self) -> bool:
        """It is."""
        return True

    def counts(self, exact: Int64, sensitivity: int, rho: float) -> Int64:
        """See `Noise.counts`."""
        dp = self.library
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
        measurement = dp.m.make_gaussian(*space, scale=scale_of(sensitivity, rho))
        _affordable(measurement.map(float(sensitivity)), rho)
        found = measurement([int(x) for x in exact]) if len(exact) else []
        return np.array(found, np.int64)

    def choose(self, scores: Sequence[int], sensitivity: int, rho: float) -> int:
        """See `Noise.choose`."""
        dp = self.library
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
        scale = scale_of(sensitivity, rho)
        measurement = dp.m.make_noisy_max(*space, dp.zero_concentrated_divergence(), scale=scale)
        _affordable(measurement.map(sensitivity), rho)
        return int(measurement([int(score) for score in scores]))

    def shared(
        self, holders: Mapping[str, int], most: int, rho: float, delta: float
    ) -> frozenset[str]:
        """See `Noise.shared`."""
        dp = self.library
        sensitivity = math.isqrt(most - 1) + 1  # the distance of ``most`` ones, rounded up
        scale = scale_of(sensitivity, rho)
        measurement = dp.m.make_gaussian_threshold(
            dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T="i64")),
            dp.l02inf_distance(dp.absolute_distance(T="i64")),
            scale=scale,
            threshold=threshold_of(scale, most, delta),
        )
        spent, unlikely = measurement.map((most, sensitivity, 1))
        _affordable(spent, rho)
        _affordable(unlikely, delta)
        return frozenset(measurement(dict(holders))) if holders else frozenset()

    def generator(self) -> np.random.Generator:
        """Seeded by the operating system."""
        return np.random.default_rng()


@dataclass(frozen=True)
class Seeded:
    """Noise of the same size that anybody who knows the seed can take off again: no privacy."""

    source: np.random.Generator

    @property
    def private(self) -> bool:
        """It is not."""
        return False

    def counts(self, exact: Int64, sensitivity: int, rho: float) -> Int64:
        """See `Noise.counts`."""
        noise = np.rint(self.source.normal(0.0, scale_of(sensitivity, rho), len(exact)))
        return exact + noise.astype(np.int64)

    def choose(self, scores: Sequence[int], sensitivity: int, rho: float) -> int:
        """See `Noise.choose`."""
        gumbel = self.source.gumbel(0.0, scale_of(sensitivity, rho), len(scores))
        return int(np.argmax(np.asarray(scores, np.float64) + gumbel))

    def shared(
        self, holders: Mapping[str, int], most: int, rho: float, delta: float
    ) -> frozenset[str]:
        """See `Noise.shared`."""
        scale = scale_of(math.isqrt(most - 1) + 1, rho)
        noise = self.source.normal(0.0, scale, len(holders))
        least = threshold_of(scale, most, delta)
        return frozenset(
            value
            for (value, held), extra in zip(sorted(holders.items()), noise, strict=True)
            if held + extra >= least
        )

    def generator(self) -> np.random.Generator:
        """The same as that of the noise."""
        return self.source


def noise_of(seed: int | None) -> Noise:
    """The noise of OpenDP; with a seed, noise that gives no privacy.

    Raises:
        MissingExtra: OpenDP is not installed.
    """
    if seed is not None:
        return Seeded(np.random.default_rng(seed))
    try:
        library = importlib.import_module("opendp.prelude")
    except ImportError as error:
        raise MissingExtra(
            "the engine `dp` draws its noise with OpenDP, which is not installed",
            hint="run: pip install 'dbsynth[dp]'",
        ) from error
    library.enable_features("contrib")
    return OpenDP(library)


def _affordable(spent: float, meant: float) -> None:
    """Refuse a mechanism that loses more than was meant.

    Raises:
        EngineError: It does; that is a defect.
    """
    if not spent <= meant * (1.0 + _SLACK):
        raise EngineError(
            f"a mechanism would spend {spent:.3g} instead of {meant:.3g}",
            hint="nothing was measured; please report this",
        )
