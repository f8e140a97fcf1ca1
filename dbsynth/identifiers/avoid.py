"""Values that must not be drawn, remembered as single bits instead of as values."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import Personal, Provider, State
from dbsynth.identifiers.strings import positions
from dbsynth.identifiers.traits import Traits
from dbsynth.randomness import UInt64

ROUNDS = 40
_BITS_PER_VALUE = 8
_HEADER = struct.Struct("<QQ")
_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)


@dataclass(frozen=True)
class AvoidList:
    """A bit set of hashed values, letter case and outer blanks ignored.

    It never misses a value; about one of nine other values is taken for one of them.
    """

    salt: int
    bits: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, values: pa.Array, salt: int) -> AvoidList:
        """The list of some values; nulls are left out."""
        hashes = _hashes(values.drop_null(), salt)
        found = cls.room(len(np.unique(hashes)), salt)
        _mark(found.bits, hashes)
        return found

    @classmethod
    def room(cls, values: int, salt: int) -> AvoidList:
        """An empty list with room for so many values; see `add`."""
        size = max(8, 1 << int(np.ceil(np.log2(max(values, 1)))))
        return cls(salt, np.zeros(size * _BITS_PER_VALUE // 8, np.uint8))

    def add(self, values: pa.Array) -> None:
        """Take more values in, in place: lists of large tables grow batch by batch."""
        _mark(self.bits, _hashes(values.drop_null(), self.salt))

    def contains(self, values: pa.Array) -> npt.NDArray[np.bool_]:
        """Whether each value may be one of the list; false for null, and for what is empty."""
        hashes = _hashes(values, self.salt)
        at = (hashes % np.uint64(len(self.bits) * 8)).astype(np.int64)
        found = (self.bits[at >> 3] >> (7 - (at & 7)).astype(np.uint8)) & 1
        present: npt.NDArray[np.bool_] = np.asarray(values.is_valid())
        result: npt.NDArray[np.bool_] = found.astype(bool) & present
        return result & ~_empty(values)

    def to_bytes(self) -> bytes:
        """The list as bytes; `from_bytes` is its inverse."""
        return _HEADER.pack(self.salt % 2**64, len(self.bits)) + self.bits.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> AvoidList:
        """The list that `to_bytes` wrote."""
        salt, size = _HEADER.unpack_from(data)
        return cls(salt, np.frombuffer(data, np.uint8, size, _HEADER.size))


def _empty(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Whether a text or blob has nothing in it, which tells of nobody."""
    if not (pa.types.is_string(values.type) or pa.types.is_binary(values.type)):
        return np.zeros(len(values), bool)
    lengths = pc.fill_null(pc.binary_length(values), 1)
    return np.asarray(pc.equal(lengths, 0).to_numpy(zero_copy_only=False))


def drawn_of(
    provider: Provider, state: State, index: UInt64, key: int, traits: Traits | None
) -> pa.Array:
    """The provider's values, of persons of whom something is known where it can use that."""
    if traits is not None and isinstance(provider, Personal):
        return provider.draw_of(state, positions(index), traits, key=key)
    return provider.draw(state, index, key=key)


def draw_avoiding(
    provider: Provider,
    state: State,
    index: UInt64,
    key: int,
    avoid: AvoidList | None,
    span: int,
    traits: Traits | None = None,
) -> pa.Array:
    """The provider's values, redrawn where the list may hold them.

    Args:
        provider: What draws.
        state: What it learnt.
        index: Where to draw.
        key: The stream.
        avoid: The values that must not be drawn, or None.
        span: A number larger than every index in use, so that redrawn values stay unique.
        traits: What is known of the persons.
    """
    index = positions(index)
    values = drawn_of(provider, state, index, key, traits)
    if avoid is None:
        return values
    again = np.flatnonzero(avoid.contains(values))
    drawn, source = [values], np.arange(len(values))
    reached = len(values)
    for turn in range(1, ROUNDS + 1):
        if not len(again):
            break
        mine = None if traits is None else traits.taken(again)
        fresh = drawn_of(provider, state, index[again] + np.uint64(turn * span), key, mine)
        drawn.append(fresh.cast(values.type))
        source[again] = reached + np.arange(len(again))
        reached += len(again)
        again = again[avoid.contains(fresh)]
    return values if len(drawn) == 1 else pa.concat_arrays(drawn).take(pa.array(source))


def _hashes(values: pa.Array, salt: int) -> UInt64:
    """64-bit hashes of values, as they read when trimmed and case-folded."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_floating(values.type):
        whole = pc.cast(pc.round(values), pa.int64(), safe=False)
        even = pc.equal(pc.cast(whole, values.type), values)
        values = pc.if_else(even, pc.cast(whole, pa.string()), pc.cast(values, pa.string()))
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        texts = pc.cast(values, pa.large_binary())
    else:
        folded = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(values, pa.large_string())))
        texts = pc.cast(folded, pa.large_binary())
    texts = pc.fill_null(texts, b"")
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[
        texts.offset : texts.offset + len(texts) + 1
    ]
    data = (
        np.frombuffer(texts.buffers()[2], np.uint8) if texts.buffers()[2] else np.zeros(0, np.uint8)
    )
    hashes: UInt64 = _string_hashes(data, offsets, np.uint64(salt % 2**64))
    return hashes


@numba.njit(cache=True, nogil=True)
def _mark(bits: Any, hashes: Any) -> None:
    mask = np.uint64(len(bits) * 8 - 1)
    for h in hashes:
        at = h & mask
        bits[at >> np.uint64(3)] |= np.uint8(1) << np.uint8(np.uint64(7) - (at & np.uint64(7)))


@numba.njit(cache=True, nogil=True)
def _string_hashes(data: Any, offsets: Any, salt: np.uint64) -> Any:
    """FNV-1a over the bytes of each string (Fowler, Noll and Vo), begun at the salt, then mixed."""
    hashes = np.empty(len(offsets) - 1, np.uint64)
    for i in range(len(hashes)):
        h = _BASIS ^ salt
        for j in range(offsets[i], offsets[i + 1]):
            h = (h ^ np.uint64(data[j])) * _PRIME
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        hashes[i] = h ^ (h >> np.uint64(31))
    return hashes
