"""Values as the bytes that the gate reads: one spelling for what a reader takes for the same."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import as_text
from dbsynth.gate import kernel
from dbsynth.randomness import UInt64

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SMALLEST = 100_000  # numbers below have fewer than six digits
_ESCAPED = r"\\u[0-9a-fA-F]{4}|\\[nrtbf/]|&#?\w+;|%[0-9a-fA-F]{2}"
_JSON = re.compile(r"\\u([0-9a-fA-F]{4})|\\([nrtbf/])")


@dataclass(frozen=True)
class Texts:
    """Texts of one column, one after the other.

    Attributes:
        data: All bytes.
        offsets: Where each begins, and where the last one ends.
    """

    data: npt.NDArray[np.uint8]
    offsets: Int64

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def words(self) -> kernel.Words:
        """The texts as words."""
        return kernel.Words(self.data, self.offsets, *kernel.words_of(self.data, self.offsets))

    def described(self, salt: np.uint64) -> tuple[UInt64, npt.NDArray[np.int32]]:
        """The hash of every text as a whole; its numbers of marks, digits, words, and ``@``."""
        hashes, facts = kernel.described(self.words, salt)
        return hashes, facts

    def cut(self, firsts: Int64, lasts: Int64) -> list[bytes]:
        """Stretches of the texts."""
        pairs = zip(firsts.tolist(), lasts.tolist(), strict=True)
        return [self.data[first:last].tobytes() for first, last in pairs]


def read(values: pa.Array) -> Texts:
    """The values of a column as texts; NULL, small and broken numbers become empty ones."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        return _laid_out(values)
    if pa.types.is_floating(values.type):
        whole = pc.cast(values, pa.int64(), safe=False)
        again = pc.cast(whole, values.type, safe=False)
        values = pc.if_else(pc.equal(again, values), whole, None)
    if pa.types.is_integer(values.type):
        large = pc.or_(pc.greater_equal(values, SMALLEST), pc.less_equal(values, -SMALLEST))
        values = pc.if_else(large, values, None)
    return _laid_out(_plain(as_text(values)))


def _laid_out(values: pa.Array) -> Texts:
    filled = pc.fill_null(pc.cast(values, pa.large_binary()), b"")
    _, offsets, data = filled.buffers()
    places = np.frombuffer(offsets, np.int64)[filled.offset : filled.offset + len(filled) + 1]
    bytes_ = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    return Texts(bytes_, places if len(places) else np.zeros(1, np.int64))


def _plain(texts: pa.Array) -> pa.Array:
    """Texts without escapes, and in one form of Unicode."""
    data = texts.buffers()[2]
    if data is None:
        return texts
    raw = np.frombuffer(data, np.uint8)
    if np.isin(raw, (37, 38, 92)).any():  # % & \
        texts = _unescaped(texts)
    if (raw >= 0x80).any() or (np.frombuffer(texts.buffers()[2], np.uint8) >= 0x80).any():
        texts = pc.utf8_lower(pc.utf8_normalize(texts, "NFKD"))
        texts = pc.replace_substring(texts, "\u00df", "ss")
    return texts


def _unescaped(texts: pa.Array) -> pa.Array:
    escaped = pc.fill_null(pc.match_substring_regex(texts, _ESCAPED), False)
    if not pc.any(escaped).as_py():
        return texts
    mended = [unescaped(text) for text in texts.filter(escaped).to_pylist()]
    return pc.replace_with_mask(texts, escaped, pa.array(mended, texts.type))


def unescaped(text: str) -> str:
    """A text without the escapes of JSON, HTML and URLs."""

    def character(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else ("/" if found[2] == "/" else "\n")

    plain = _JSON.sub(character, text)
    plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "%" in plain:
        plain = unquote(plain, errors="replace")
    return html.unescape(plain) if "&" in plain else plain
