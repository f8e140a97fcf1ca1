"""One seed, many named streams of random numbers, each addressable by position.

A stream is a 64-bit key derived from the seed and a path of names.  Its numbers are a pure function
of (key, position), so any block of rows can be drawn alone, in any order and on any number of
processes, with the same result (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC
2011; the mixing function is the finaliser of SplitMix64, Steele et al., OOPSLA 2014).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UInt64 = npt.NDArray[np.uint64]
Float64 = npt.NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def mix(values: UInt64) -> UInt64:
    """A bijection of 64-bit numbers whose output bits look random."""
    with np.errstate(over="ignore"):
        z = (values ^ (values >> np.uint64(30))) * _MIX1
        z = (z ^ (z >> np.uint64(27))) * _MIX2
        return z ^ (z >> np.uint64(31))


def hashed(key: int, positions: npt.ArrayLike) -> UInt64:
    """A pseudo-random 64-bit number for every position of the stream ``key``."""
    with np.errstate(over="ignore"):
        steps = np.asarray(positions).astype(np.uint64) + np.uint64(1)
        return mix(np.uint64(key) + steps * _GOLDEN)


def uniform(key: int, positions: npt.ArrayLike) -> Float64:
    """A number in [0, 1) for every position of the stream ``key``."""
    return (hashed(key, positions) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def in_some_groups(key: int, groups: npt.ArrayLike, most: int) -> npt.NDArray[np.bool_]:
    """Which rows belong to random whole groups of about ``most`` rows; all if there are no more."""
    names = np.asarray(groups)
    if len(names) <= most:
        return np.ones(len(names), bool)
    chosen: npt.NDArray[np.bool_] = hashed(key, names) < np.uint64(most / len(names) * 2.0**64)
    return chosen


@dataclass(frozen=True, slots=True)
class Streams:
    """Named streams of one seed; results depend on names, never on the order of calls."""

    seed: int

    def key(self, *path: str | int) -> int:
        """The 64-bit key of the stream named by ``path``."""
        text = "\x1f".join([str(self.seed), *map(str, path)])
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")

    def rng(self, *path: str | int) -> np.random.Generator:
        """A generator of its own for the stream named by ``path``."""
        return np.random.Generator(np.random.Philox(key=self.key(*path)))
