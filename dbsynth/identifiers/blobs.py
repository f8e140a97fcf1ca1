"""Bytes: valid files of the column's kinds and about its sizes, else random ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.files import FILES, kind_of
from dbsynth.identifiers.strings import drawn_lengths, positions, subkey, weighted
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

_LONGEST = 65_536
_MEAN = 16_384  # longer values on average are made shorter: a block of rows has to fit in memory
_POOL = 1 << 20
_SMALLEST = 24  # bytes in which files differ from each other
_LOOKED_AT = 1_000


@dataclass(frozen=True)
class Blob:
    """Files of the kinds that the values are, which viewers open; random bytes for any others."""

    name: str = "bytes"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Quantiles of length, and how often each kind of file occurs that k values are."""
        present = values.drop_null()
        limit = min(column.length or _LONGEST, _LONGEST)
        if len(present) < k:
            return {"lengths": [min(16, limit)], "kinds": {}, "unique": unique, "limit": limit}
        sizes = pc.binary_length(present).to_numpy(zero_copy_only=False)
        lengths = np.quantile(sizes, np.linspace(0, 1, 101), method="nearest").astype(np.float64)
        lengths = np.minimum(lengths, limit)
        lengths = np.minimum(lengths, lengths * _MEAN / max(float(lengths.mean()), _MEAN))
        seen = Counter(kind_of(value) for value in present[:_LOOKED_AT].to_pylist() if value)
        return {"lengths": [int(n) for n in lengths], "unique": unique, "limit": limit,
                "kinds": {kind: n for kind, n in sorted(seen.items()) if n >= k}}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One value for every index."""
        index = positions(index)
        size = drawn_lengths(state["lengths"], subkey(key, 1), index)
        if state["unique"]:
            size = np.maximum(size, min(8, state["limit"]))
        kinds = state["kinds"]
        if not set(kinds) & set(FILES):
            return _random_bytes(size, index, key)
        chosen = weighted(subkey(key, 4), index, list(kinds.values()))
        filler = _random_bytes(size + _SMALLEST, index, key)
        names = list(kinds)
        values = [
            _file(names[kind], data, wanted) if wanted else b""
            for kind, data, wanted in zip(
                chosen.tolist(), filler.to_pylist(), size.tolist(), strict=True
            )
        ]
        return pa.array(values, pa.binary())


def _file(kind: str, filler: bytes, size: int) -> bytes:
    return FILES[kind](filler, size) if kind in FILES else filler[:size]


def _random_bytes(size: npt.NDArray[np.int64], index: UInt64, key: int) -> pa.Array:
    """Eight bytes of the index's own, then a piece of one pool."""
    pool = hashed(subkey(key, 2), np.arange(_POOL // 8)).view(np.uint8)
    start = hashed(subkey(key, 3), index) % np.uint64(_POOL - _LONGEST - _SMALLEST)
    offsets = np.concatenate([[0], np.cumsum(size)])
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], size)
    data = pool[np.repeat(start.astype(np.int64), size) + place]
    own = hashed(key, index).view(np.uint8).reshape(-1, 8)
    mine = place < 8
    data[mine] = own[np.repeat(np.arange(len(index)), size)[mine], place[mine]]
    return pa.Array.from_buffers(
        pa.large_binary(), len(index),
        [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data.tobytes())],
    ).cast(pa.binary())  # fmt: skip
