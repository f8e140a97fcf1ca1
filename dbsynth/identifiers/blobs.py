"""Bytes: random ones of the column's lengths, or tiny valid files of the column's format."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.strings import drawn_lengths, positions, subkey
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

_LONGEST = 4_096
_POOL = 1 << 20


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_FILES = {
    "png": (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(b"\0\x80"))
        + _chunk(b"IEND", b"")
    ),
    "gif": b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9",
    "pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
}
_MAGIC = {"png": b"\x89PNG", "gif": b"GIF8", "jpeg": b"\xff\xd8\xff", "pdf": b"%PDF"}


@dataclass(frozen=True)
class Blob:
    """Random bytes; pictures and PDF files become the smallest ones, followed by random bytes."""

    name: str = "bytes"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Quantiles of length, and the file format that most values share."""
        present = values.drop_null()
        limit = min(column.length or _LONGEST, _LONGEST)
        if len(present) < k:
            return {"lengths": [min(16, limit)], "format": "", "unique": unique, "limit": limit}
        sizes = pc.binary_length(present).to_numpy(zero_copy_only=False)
        lengths = np.quantile(sizes, np.linspace(0, 1, 101), method="nearest")
        heads = [value[:4] for value in present[:1000].to_pylist()]
        formats = [name for name, magic in _MAGIC.items()
                   if sum(h.startswith(magic) for h in heads) * 2 > len(heads)]  # fmt: skip
        return {"lengths": [min(int(n), limit) for n in lengths], "format": next(iter(formats), ""),
                "unique": unique, "limit": limit}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One value for every index."""
        index = positions(index)
        size = drawn_lengths(state["lengths"], subkey(key, 1), index)
        if state["unique"]:
            size = np.maximum(size, min(8, state["limit"]))
        head = _FILES.get(state["format"], b"")
        body = _random_bytes(np.maximum(size - len(head), 0), index, key)
        if not head:
            return body
        return pc.binary_join_element_wise(pa.scalar(head, pa.binary()), body,
                                           pa.scalar(b"", pa.binary()))  # fmt: skip


def _random_bytes(size: npt.NDArray[np.int64], index: UInt64, key: int) -> pa.Array:
    """Eight bytes of the index's own, then a piece of one pool."""
    pool = hashed(subkey(key, 2), np.arange(_POOL // 8)).view(np.uint8)
    start = (hashed(subkey(key, 3), index) % np.uint64(_POOL - _LONGEST)).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(size)])
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], size)
    data = pool[np.repeat(start, size) + place]
    own = hashed(key, index).view(np.uint8).reshape(-1, 8)
    mine = place < 8
    data[mine] = own[np.repeat(np.arange(len(index)), size)[mine], place[mine]]
    return pa.Array.from_buffers(
        pa.large_binary(), len(index),
        [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data.tobytes())],
    ).cast(pa.binary())  # fmt: skip
