"""Values of the source that must not come back: a table of salted hashes, never the values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dbsynth.gate import kernel
from dbsynth.gate.texts import Bool, Int64, Texts
from dbsynth.randomness import UInt64, mix

FULLEST = 0.6
MOST = 16_000_000  # values held at a time: 2**25 places of 13 bytes
SHORTEST, LONGEST = kernel.PREFIX, 96  # marks of a value that is looked for inside texts
_LEAST = 1 << 12

NUMBER, MIXED, WORD, WORDS, SURE = range(5)
"""What a value is: digits only, one word with digits, one word of letters, several words with
letters, or long and irregular enough that nobody writes it by chance."""

_SURE_MARKS = 20  # marks of one word of letters and digits: more than 64 bits


def kinds_of(facts: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """What each described text is."""
    marks, digits, words, sign = facts.T
    found = np.where(words > 1, WORDS, np.where(digits > 0, MIXED, WORD))
    found = np.where(digits == marks, NUMBER, found)
    sure = ((sign > 0) & (words > 2)) | ((words == 1) & (digits > 0) & (marks >= _SURE_MARKS))
    return np.where(sure & (digits < marks), SURE, found)


@dataclass
class Table:
    """Hashes with a tag each, and how often each was met.

    Attributes:
        salt: Drawn for one run and never stored.
        slots: Hashes, 0 for a free place; open addressing.
        tags: ``subject * 8 + kind`` of the first that put each in.
        times: How often each was met, up to 255.
        filter: Bits of the first marks of the values that are looked for inside texts.
    """

    salt: np.uint64
    count: int = 0
    slots: UInt64 = field(default_factory=lambda: np.zeros(_LEAST, np.uint64))
    tags: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(_LEAST, np.uint32))
    times: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(_LEAST, np.uint8))
    filter: npt.NDArray[np.uint8] = field(
        default_factory=lambda: np.zeros(1 << (kernel.PREFIX_BITS - 3), np.uint8)
    )

    def put(self, hashes: UInt64, subject: int, kinds: npt.NDArray[np.int64]) -> Bool:
        """Take values of a subject in; returns which are new."""
        self._room(len(hashes))
        tags = (subject * 8 + kinds).astype(np.uint32)
        new: Bool = kernel.put(self.slots, self.tags, self.times, hashes, tags)
        self.count += int(new.sum())
        return new

    def _room(self, more: int) -> None:
        size = len(self.slots)
        while (self.count + more) > FULLEST * size:
            size *= 2
        if size > len(self.slots):
            slots, tags = np.zeros(size, np.uint64), np.zeros(size, np.uint32)
            times = np.zeros(size, np.uint8)
            kernel.moved(slots, tags, times, self.slots, self.tags, self.times)
            self.slots, self.tags, self.times = slots, tags, times

    def places(self, hashes: UInt64) -> Int64:
        """Where each hash is, -1 where it is not."""
        places: Int64 = kernel.found(self.slots, hashes)
        return places

    def searchable(self, texts: Texts, wanted: Bool) -> None:
        """Let some texts, which were put in, be found inside others."""
        kernel.prefixes(texts.words, wanted, self.filter)

    def inside(self, texts: Texts, chosen: Bool, tried: Int64, most: int) -> npt.NDArray[np.int64]:
        """The searchable values inside the chosen texts.

        Returns:
            Text, place, the bytes between which each value stands, and its marks; (found, 5).
        """
        hits = np.empty((most, 5), np.int64)
        wanted = kernel.Wanted(self.slots, self.tags, self.filter, self.salt, SHORTEST, LONGEST)
        number = kernel.search(texts.words, chosen, wanted, tried, hits)
        return hits[: min(number, most)]


def of_column(hashes: UInt64, subject: int) -> UInt64:
    """The hashes of values that count in one column only."""
    with np.errstate(over="ignore"):
        return mix(hashes + np.uint64(subject + 1) * np.uint64(0x9E3779B97F4A7C15))


def new_table(entropy: Any = None) -> Table:
    """An empty table with a salt of its own."""
    rng = np.random.default_rng(entropy)
    return Table(rng.integers(1, 2**63, dtype=np.uint64))
