"""Values that must not be drawn, remembered as single bits instead of as values."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import Provider, State
from dbsynth.identifiers.strings import positions
from dbsynth.randomness import UInt64, mix

ROUNDS = 40
_BITS_PER_VALUE = 8
_HEADER = struct.Struct("<QQ")
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
        hashes = np.unique(_hashes(values.drop_null(), salt))
        size = max(64, 1 << int(np.ceil(np.log2(max(len(hashes), 1) * _BITS_PER_VALUE))))
        flags = np.zeros(size, bool)
        flags[(hashes % np.uint64(size)).astype(np.int64)] = True
        return cls(salt, np.packbits(flags))

    def contains(self, values: pa.Array) -> npt.NDArray[np.bool_]:
        """Whether each value may be one of the list; false for null."""
        hashes = _hashes(values, self.salt)
        at = (hashes % np.uint64(len(self.bits) * 8)).astype(np.int64)
        found = (self.bits[at >> 3] >> (7 - (at & 7)).astype(np.uint8)) & 1
        present: npt.NDArray[np.bool_] = np.asarray(values.is_valid())
        result: npt.NDArray[np.bool_] = found.astype(bool) & present
        return result

    def to_bytes(self) -> bytes:
        """The list as bytes; `from_bytes` is its inverse."""
        return _HEADER.pack(self.salt % 2**64, len(self.bits)) + self.bits.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> AvoidList:
        """The list that `to_bytes` wrote."""
        salt, size = _HEADER.unpack_from(data)
        return cls(salt, np.frombuffer(data, np.uint8, size, _HEADER.size))


def draw_avoiding(
    provider: Provider,
    state: State,
    index: UInt64,
    key: int,
    avoid: AvoidList | None,
    span: int,
) -> pa.Array:
    """The provider's values, redrawn where the list may hold them.

    Args:
        provider: What draws.
        state: What it learnt.
        index: Where to draw.
        key: The stream.
        avoid: The values that must not be drawn, or None.
        span: A number larger than every index in use, so that redrawn values stay unique.
    """
    index = positions(index)
    values = provider.draw(state, index, key=key)
    if avoid is None:
        return values
    for turn in range(1, ROUNDS + 1):
        again = np.flatnonzero(avoid.contains(values))
        if not len(again):
            break
        fresh = provider.draw(state, index[again] + np.uint64(turn * span), key=key)
        values = _replaced(values, again, fresh)
    return values


def _replaced(values: pa.Array, at: npt.NDArray[np.int64], fresh: pa.Array) -> pa.Array:
    source = np.arange(len(values))
    source[at] = len(values) + np.arange(len(at))
    return pa.concat_arrays([values, fresh.cast(values.type)]).take(pa.array(source))


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
    return _string_hashes(data, offsets, salt)


def _string_hashes(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], salt: int
) -> UInt64:
    """A polynomial of the bytes of each string modulo 2**64, mixed with length and salt."""
    begin, end = offsets[:-1], offsets[1:]
    base, last = int(offsets[0]) if len(offsets) else 0, int(offsets[-1]) if len(offsets) else 0
    sizes = end - begin
    at = np.arange(last - base, dtype=np.int64) + base
    within = at - np.repeat(begin, sizes)
    with np.errstate(over="ignore"):
        terms = mix(
            (data[base:last].astype(np.uint64) + np.uint64(1)) * _PRIME
            + (within.astype(np.uint64) << np.uint64(9))
            + np.uint64(salt % 2**64)
        )
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
        totals = sums[end - base] - sums[begin - base]
        return mix(totals + sizes.astype(np.uint64) * _PRIME + np.uint64(salt % 2**64))
