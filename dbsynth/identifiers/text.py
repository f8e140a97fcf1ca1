"""Providers of free text and of invented proper names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.faker import words_of
from dbsynth.identifiers.strings import (
    CODE_WIDTH,
    case_style,
    digits_of,
    drawn_lengths,
    from_matrix,
    joined,
    length_quantiles,
    plain,
    positions,
    recased,
    short_code,
    shuffle,
    subkey,
    where,
    within,
)
from dbsynth.identifiers.tongue import language_of
from dbsynth.randomness import UInt64, hashed, uniform
from dbsynth.schema import Column

_CORPUS_WORDS = 60_000
_LONGEST = 20_000
_LOOKED_AT = 300  # texts, to know their language
_SYLLABLES = 80  # 16 consonants with 5 vowels
_CONSONANTS = np.frombuffer(b"bdfghjklmnprstvz", np.uint8)
_VOWELS = np.frombuffer(b"aeiou", np.uint8)
_ENDINGS = np.frombuffer(b"nrslmtdk", np.uint8)


@dataclass(frozen=True)
class _Corpus:
    """A long row of words, twice over, with the byte at which each begins and ends."""

    data: npt.NDArray[np.uint8]
    begins: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    starts: int  # words at which a text may begin


@lru_cache(maxsize=16)
def _corpus(locale: str, sentences: bool) -> _Corpus:
    words = [word.lower() for word in words_of(locale) if " " not in word]
    at = hashed(17, np.arange(_CORPUS_WORDS)) % np.uint64(len(words))
    ends_sentence = uniform(19, np.arange(_CORPUS_WORDS)) < 1 / 9
    row: list[str] = []
    fresh = True
    for number, last in zip(at.tolist(), ends_sentence.tolist(), strict=True):
        word = words[number].capitalize() if fresh and sentences else words[number]
        row.append(word + "." if last and sentences else word)
        fresh = last
    encoded = [word.encode() for word in row + row]
    sizes = np.array([len(word) + 1 for word in encoded])
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    data = np.frombuffer(b" ".join(encoded) + b" ", np.uint8)
    return _Corpus(data, begins, begins + sizes - 1, _CORPUS_WORDS)


@dataclass(frozen=True)
class Text:
    """Meaningless text of the column's language, as long and written in the way of the column."""

    name: str = "text"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Language, quantiles of length, casing, final punctuation, whether there are sentences."""
        texts = values.drop_null()
        known = len(texts) >= k
        lengths = length_quantiles(texts) if known else [8, 24, 60]
        limit = column.length
        return {
            "locale": language_of(texts[:_LOOKED_AT].to_pylist(), locale) if known else locale,
            "unique": unique,
            "limit": limit,
            "lengths": [max(1, min(n, limit or n, _LONGEST)) for n in lengths],
            "case": case_style(texts) if known else "mixed",
            "capital": not known or _share(texts, r"^\P{L}*\p{Lu}") > 0.5,
            "stop": known and _share(texts, r"[.!?]\s*$") > 0.5,
            "sentences": known and _share(texts, r"[.!?]\s+\p{Lu}") > 0.2,
        }

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One text for every index."""
        index = positions(index)
        limit = state["limit"]
        if limit is not None and state["unique"] and limit <= 2 * CODE_WIDTH:
            return short_code(index, max(1, min(limit, 8)), key=key)
        target = drawn_lengths(state["lengths"], subkey(key, 1), index)
        values = _passages(state, target, subkey(key, 2), index)
        if state["unique"]:
            values = joined(values, counted_word(index), separator=" ")
        if state["stop"]:
            values = joined(pc.utf8_rtrim(values, " .,"), ".")
        return within(_styled(values, state), index, key=key, limit=limit, unique=state["unique"])


def _share(texts: pa.Array, pattern: str) -> float:
    return float(pc.mean(pc.cast(pc.match_substring_regex(texts, pattern), pa.float64())).as_py())


def _passages(state: State, target: npt.NDArray[np.int64], key: int, index: UInt64) -> pa.Array:
    """Runs of whole words of about the target lengths; one word is cut where none fits."""
    corpus = _corpus(state["locale"], state["sentences"])
    first = (hashed(key, index) % np.uint64(corpus.starts)).astype(np.int64)
    begin = corpus.begins[first]
    room = np.maximum(target - (len("") + int(state["stop"])), 1)
    last = np.searchsorted(corpus.ends, begin + room, side="right") - 1
    end = np.where(last >= first, corpus.ends[np.maximum(last, 0)], begin + room)
    return gathered(corpus.data, begin, end)


def gathered(
    data: npt.NDArray[np.uint8], begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> pa.Array:
    """Strings cut out of a row of bytes; where a cut hits a wide character, it is dropped."""
    sizes = end - begin
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    steps = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - begin, sizes)
    cut = data[steps]
    wide = cut >= 0x80
    if wide.any():
        return _whole_characters(cut, offsets)
    return pa.Array.from_buffers(
        pa.large_string(),
        len(sizes),
        [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(cut.tobytes())],
    ).cast(pa.string())


def _whole_characters(cut: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> pa.Array:
    raw = cut.tobytes()
    pairs = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    return pa.array([raw[a:b].decode("utf-8", "ignore") or "x" for a, b in pairs], pa.string())


def _styled(values: pa.Array, state: State) -> pa.Array:
    match state["case"]:
        case "title":
            return pc.utf8_title(values)
        case "upper" | "lower":
            return recased(values, state["case"])
    if not state["capital"]:
        return values
    head = pc.utf8_upper(pc.utf8_slice_codeunits(values, 0, 1))
    return joined(head, pc.utf8_slice_codeunits(values, 1))


def syllables(number: UInt64, count: int) -> npt.NDArray[np.uint8]:
    """Numbers as ``count`` syllables of two letters, as a matrix of letters."""
    digits = digits_of(number, _SYLLABLES, count)
    out = np.empty((len(number), 2 * count), np.uint8)
    out[:, 0::2] = _CONSONANTS[digits // 5]
    out[:, 1::2] = _VOWELS[digits % 5]
    return out


def counted_word(index: UInt64) -> pa.Array:
    """An invented word for every index, different words for different indexes."""
    near, _ = shuffle(np.minimum(index, np.uint64(_SYLLABLES**3 - 1)), _SYLLABLES**3, key=5)
    short = from_matrix(syllables(near, 3))
    far = index >= np.uint64(_SYLLABLES**3)
    if not far.any():
        return short
    return where(far, from_matrix(syllables(index, 7)), short)


@dataclass(frozen=True)
class Label:
    """Invented proper names of one to four words: titles, products, places nobody knows."""

    name: str = "label"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Quantiles of length, and casing."""
        texts = values.drop_null()
        known = len(texts) >= k
        lengths = length_quantiles(texts, 11) if known else [6, 10, 16]
        limit = column.length
        lengths = [max(2, min(n, limit or n, 60)) for n in lengths]
        style = case_style(texts) if known else "title"
        return {"unique": unique, "limit": limit, "lengths": lengths, "case": style}

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One name for every index."""
        index = positions(index)
        if state["unique"]:
            values = self._distinct(state, index, key=key)
        else:
            values = self._varied(state, index, key=key)
        style = state["case"]
        values = recased(values, style) if style in ("upper", "lower") else pc.utf8_title(values)
        return within(values, index, key=key, limit=state["limit"], unique=state["unique"])

    def _distinct(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """All of one number of syllables, which spell a shuffled index; words differ in length."""
        middle = state["lengths"][len(state["lengths"]) // 2]
        count = int(np.clip(round((middle - 1) / 2.4), 3, 8))
        number, rounds = shuffle(index, min(_SYLLABLES**count, 2**60), key=key)
        values = _spelt(syllables(number, count), subkey(key, 3), index)
        if rounds.any():
            values = where(rounds == 0, values, joined(values, plain(rounds), separator=" "))
        return values

    def _varied(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        target = drawn_lengths(state["lengths"], subkey(key, 4), index)
        count = np.clip(np.rint((target - 1) / 2.4), 1, 16).astype(np.int64)
        sizes = np.unique(count)
        parts = []
        for size in sizes.tolist():
            at = np.flatnonzero(count == size)
            letters = np.concatenate(
                [syllables(hashed(subkey(key, 5 + i), index[at]) % np.uint64(_SYLLABLES**4),
                           min(4, size - i)) for i in range(0, size, 4)], axis=1)  # fmt: skip
            parts.append((at, _spelt(letters, subkey(key, 3), index[at])))
        return _ordered(len(index), parts)


def _ordered(count: int, parts: list[tuple[npt.NDArray[np.int64], pa.Array]]) -> pa.Array:
    if not parts:
        return pa.array([], pa.string())
    order = np.empty(count, np.int64)
    order[np.concatenate([at for at, _ in parts])] = np.arange(count)
    return pa.concat_arrays([part for _, part in parts]).take(pa.array(order))


def _spelt(letters: npt.NDArray[np.uint8], key: int, index: UInt64) -> pa.Array:
    """Syllables as words: some words end in a consonant, a space stands after two to four."""
    rows, width = letters.shape
    count = width // 2
    bits = hashed(key, index)
    out = np.zeros((rows, count * 4), np.uint8)
    out[:, 0::4] = letters[:, 0::2]
    out[:, 1::4] = letters[:, 1::2]
    since = np.ones(rows, np.int64)
    for at in range(count):
        left = count - at - 1
        rolled = (bits >> np.uint64(3 * (at % 20))) & np.uint64(7)
        ends = (left == 0) | ((since >= 2) & (left >= 2) & ((rolled < 3) | (since >= 4)))
        closed = ends & (rolled % np.uint64(3) == 0)
        letter = _ENDINGS[((bits >> np.uint64(at + 5)) & np.uint64(7)).astype(np.int64)]
        out[:, 4 * at + 2] = np.where(closed, letter, 0)
        if left:
            out[:, 4 * at + 3] = np.where(ends, ord(" "), 0)
        since = np.where(ends, 1, since + 1)
    return compacted(out)


def compacted(characters: npt.NDArray[np.uint8]) -> pa.Array:
    """Strings from rows of ASCII characters, zeros left out."""
    kept = characters != 0
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    data = characters[kept]
    return pa.Array.from_buffers(
        pa.large_string(), len(characters),
        [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data.tobytes())],
    ).cast(pa.string())  # fmt: skip


def fitted(provider: Any, values: pa.Array, *, locale: str, k: int, column: Column) -> State:
    """The state of a provider for values that need not differ."""
    state: State = provider.fit(column, values, unique=False, locale=locale, k=k)
    return state
