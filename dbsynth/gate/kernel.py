"""Compiled loops of the gate: values as numbers that only a secret salt ties to them.

A value is read as its *marks*: letters in lower case and digits, without accents, spaces and
punctuation, so that ``+49 (171) 12-34``, ``49171/1234`` and ``0049 171 1234`` are one value
(noughts at its begin do not count).  Marks are hashed with FNV-1a (Fowler, Noll and Vo), begun at
the salt and mixed at the end.  A *word* is a run of marks; a text is searched from the begin of
every word to the end of every other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_NOUGHT, _NINE, _A, _Z, _AT = 48, 57, 97, 122, 64
_QUOTES = (34, 39, 44, 60, 62, 91, 93, 123, 125)  # " ' , < > [ ] { }
_APART = 4  # bytes that may stand between two words of one value
_MOST_WORDS = 12
PREFIX = 5  # marks by which a search begins
PREFIX_BITS = 20
WORD = 2  # as in `dbsynth.gate.table`
_NONE, _LETTER, _DIGIT, _SIGN, _ACCENT = range(5)


class Words(NamedTuple):
    """Texts as their words.

    Attributes:
        data, offsets: The bytes of all texts, and where each text begins and the last one ends.
        marks: The marks of all texts, one after the other.
        rows: Where the words of each text begin; (texts + 1,).
        begins: Where the marks of each word begin; (words + 1,).
        firsts, lasts: The bytes of the text between which each word stands; (words,).
        digits: Number of digits of each word; (words,).
        addresses: Whether each text has an ``@``; (texts,).
    """

    data: Any
    offsets: Any
    marks: Any
    rows: Any
    begins: Any
    firsts: Any
    lasts: Any
    digits: Any
    addresses: Any


class Wanted(NamedTuple):
    """What is looked for.

    Attributes:
        slots, tags, filter, salt: Of a `dbsynth.gate.table.Table`.
        shortest, longest: Marks of the values.
    """

    slots: Any
    tags: Any
    filter: Any
    salt: Any
    shortest: int
    longest: int


@numba.njit(cache=True, nogil=True)
def mixed(h: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64."""
    h = (h ^ (h >> np.uint64(30))) * _MIX1
    h = (h ^ (h >> np.uint64(27))) * _MIX2
    return h ^ (h >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def _character(data: Any, at: Any, end: Any) -> Any:
    """What the character at a byte is, and how many bytes it has."""
    first = data[at]
    if first < 0x80:
        if _NOUGHT <= first <= _NINE:
            return _DIGIT, 1
        lower = first | 0x20
        return (_LETTER if _A <= lower <= _Z else _NONE), 1
    width = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    width = min(width, end - at)
    code = np.int64(first & (0x1F if width == 2 else 0x0F if width == 3 else 0x07))
    for i in range(1, width):
        code = (code << 6) | np.int64(data[at + i] & 0x3F)
    if 0x300 <= code <= 0x36F:
        return _ACCENT, width
    if code < 0xC0 or 0x2000 <= code <= 0x206F or 0x3000 <= code <= 0x303F:
        return _NONE, width
    return (_SIGN if 0x3040 <= code <= 0x9FFF else _LETTER), width


@numba.njit(cache=True, nogil=True)
def words_of(data: Any, offsets: Any) -> Any:
    """The words of texts, as the other fields of `Words`; a sign of Chinese or Japanese is one."""
    texts = len(offsets) - 1
    room = (offsets[-1] - offsets[0]) + 1
    marks = np.empty(room, np.uint8)
    rows = np.zeros(texts + 1, np.int64)
    begins, firsts = np.zeros(room + 1, np.int64), np.empty(room, np.int64)
    lasts, digits = np.empty(room, np.int64), np.zeros(room, np.int64)
    addresses = np.zeros(texts, np.bool_)
    word, mark = 0, 0
    for i in range(texts):
        at, end, inside = offsets[i], offsets[i + 1], False
        while at < end:
            kind, width = _character(data, at, end)
            if kind == _NONE:
                addresses[i] |= data[at] == _AT
                inside = False
            elif kind != _ACCENT:
                if not inside or kind == _SIGN:
                    begins[word], firsts[word] = mark, at
                    word += 1
                inside = kind != _SIGN
                for j in range(at, at + width):
                    ascii_letter = kind == _LETTER and width == 1
                    marks[mark] = data[j] | 0x20 if ascii_letter else data[j]
                    mark += 1
                digits[word - 1] += kind == _DIGIT
                lasts[word - 1] = at + width
            at += width
        rows[i + 1] = word
    begins[word] = mark
    return (marks[:mark], rows, begins[: word + 1], firsts[:word], lasts[:word], digits[:word],
            addresses)  # fmt: skip


@numba.njit(cache=True, nogil=True)
def described(words: Words, salt: np.uint64) -> Any:
    """Every text as a whole.

    Returns:
        ``hashes`` (texts,) uint64; ``facts`` (texts, 4) int32: marks, digits, words, and ``@``.
    """
    texts = len(words.rows) - 1
    hashes = np.empty(texts, np.uint64)
    facts = np.zeros((texts, 4), np.int32)
    for i in range(texts):
        first, last = words.rows[i], words.rows[i + 1]
        begin, end = words.begins[first], words.begins[last]
        while begin < end and words.marks[begin] == _NOUGHT:
            begin += 1
        h = _BASIS ^ salt
        digits = 0
        for j in range(begin, end):
            h = (h ^ np.uint64(words.marks[j])) * _PRIME
            digits += _NOUGHT <= words.marks[j] <= _NINE
        hashes[i] = mixed(h)
        facts[i, 0], facts[i, 1] = end - begin, digits
        facts[i, 2], facts[i, 3] = last - first, words.addresses[i]
    return hashes, facts


@numba.njit(cache=True, nogil=True)
def _prefix(marks: Any, begin: Any, end: Any) -> Any:
    """A number for the first marks; -1 where there are too few."""
    while begin < end and marks[begin] == _NOUGHT:
        begin += 1
    if end - begin < PREFIX:
        return np.int64(-1)
    code = np.uint64(0)
    for j in range(begin, begin + PREFIX):
        code = (code << np.uint64(8)) | np.uint64(marks[j])
    return np.int64(mixed(code) >> np.uint64(64 - PREFIX_BITS))


@numba.njit(cache=True, nogil=True)
def prefixes(words: Words, wanted: Any, filter_: Any) -> None:
    """Set the bits of the first marks of texts, in place."""
    for i in range(len(words.rows) - 1):
        if wanted[i]:
            begin, end = words.begins[words.rows[i]], words.begins[words.rows[i + 1]]
            place = _prefix(words.marks, begin, end)
            if place >= 0:
                filter_[place >> 3] |= np.uint8(1 << (place & 7))


@numba.njit(cache=True, nogil=True)
def _slot(slots: Any, h: Any) -> Any:
    """The place of a hash, -1 where it is not there."""
    mask = np.uint64(len(slots) - 1)
    at = h & mask
    while True:
        found = slots[at]
        if found == h:
            return np.int64(at)
        if found == 0:
            return np.int64(-1)
        at = (at + np.uint64(1)) & mask


@numba.njit(cache=True, nogil=True)
def found(slots: Any, hashes: Any) -> Any:
    """The place of every hash, -1 where it is not there."""
    places = np.empty(len(hashes), np.int64)
    for i in range(len(hashes)):
        places[i] = _slot(slots, hashes[i])
    return places


@numba.njit(cache=True, nogil=True)
def put(slots: Any, tags: Any, times: Any, hashes: Any, tag: Any) -> Any:
    """Take hashes in; the first tag of each stays, and its times are counted, up to 255.

    Returns which are new.
    """
    mask = np.uint64(len(slots) - 1)
    fresh_ = np.zeros(len(hashes), np.bool_)
    for i in range(len(hashes)):
        h = hashes[i]
        at = h & mask
        while slots[at] != 0 and slots[at] != h:
            at = (at + np.uint64(1)) & mask
        if slots[at] == 0:
            slots[at] = h
            tags[at] = tag[i]
            fresh_[i] = True
        if times[at] < 255:
            times[at] += 1
    return fresh_


@numba.njit(cache=True, nogil=True)
def moved(slots: Any, tags: Any, times: Any, old: Any, old_tags: Any, old_times: Any) -> None:
    """Fill a larger table from a smaller one."""
    mask = np.uint64(len(slots) - 1)
    for i in range(len(old)):
        h = old[i]
        if h != 0:
            at = h & mask
            while slots[at] != 0:
                at = (at + np.uint64(1)) & mask
            slots[at], tags[at], times[at] = h, old_tags[i], old_times[i]


@numba.njit(cache=True, nogil=True)
def fresh(seen: Any, filled: int, most: int, hashes: Any) -> Any:
    """Whether each hash is met for the first time, and how many are held now.

    A table that holds so many takes no more: what it does not hold counts as new every time.
    """
    mask = np.uint64(len(seen) - 1)
    new = np.zeros(len(hashes), np.bool_)
    for i in range(len(hashes)):
        h = hashes[i] | np.uint64(1)
        at = h & mask
        while seen[at] != 0 and seen[at] != h:
            at = (at + np.uint64(1)) & mask
        if seen[at] == 0:
            new[i] = True
            if filled < most:
                seen[at] = h
                filled += 1
    return new, filled


@numba.njit(cache=True, nogil=True)
def _alone(words: Words, row: Any, first: Any, last: Any) -> Any:
    """Whether a stretch is a whole text, or all that stands between marks of a notation."""
    before = first == words.offsets[row] or words.data[first - 1] in _QUOTES
    return before and (last == words.offsets[row + 1] or words.data[last] in _QUOTES)


@numba.njit(cache=True, nogil=True)
def search(words: Words, chosen: Any, wanted: Wanted, tried: Any, hits: Any) -> Any:
    """Look for values inside texts.

    Args:
        words: The texts.
        chosen: Which texts to search.
        wanted: The values; one that is a single word of letters counts where it stands alone.
        tried: Counts what was met, by number of marks: numbers, and words with digits; (2, marks).
        hits: Room for text, place in the table, first and last byte of what was found, and its
            marks; (n, 5).

    Returns:
        How many were found (also where there was no more room).
    """
    number = 0
    for i in range(len(words.rows) - 1):
        if chosen[i]:
            for word in range(words.rows[i], words.rows[i + 1]):
                number = _from(words, word, i, wanted, tried, hits, number)
    return number


@numba.njit(cache=True, nogil=True)
def _from(
    words: Words, first: Any, row: Any, wanted: Wanted, tried: Any, hits: Any, number: Any
) -> Any:
    """Look from the begin of one word, up to the end of each that follows."""
    last = min(words.rows[row + 1], first + _MOST_WORDS)
    place = _prefix(words.marks, words.begins[first], words.begins[last])
    open_ = place >= 0 and (wanted.filter[place >> 3] & (1 << (place & 7))) != 0
    h, marks, plain = _BASIS ^ wanted.salt, 0, True
    for word in range(first, last):
        begin, end = words.begins[word], words.begins[word + 1]
        plain = plain and words.digits[word] == end - begin
        apart = 0 if word == first else words.firsts[word] - words.lasts[word - 1]
        if apart > _APART or not (open_ or plain or (word == first and words.digits[word])):
            return number
        while marks == 0 and begin < end and words.marks[begin] == _NOUGHT:
            begin += 1
        for j in range(begin, end):
            h = (h ^ np.uint64(words.marks[j])) * _PRIME
        marks += end - begin
        if marks > wanted.longest:
            return number
        if plain or (word == first and words.digits[word]):
            tried[0 if plain else 1, min(marks, tried.shape[1] - 1)] += 1
        if open_ and marks >= wanted.shortest:
            slot = _slot(wanted.slots, mixed(h))
            if slot >= 0 and (
                wanted.tags[slot] & 7 != WORD
                or _alone(words, row, words.firsts[first], words.lasts[word])
            ):
                if number < len(hits):
                    hits[number, 0], hits[number, 1] = row, slot
                    hits[number, 2], hits[number, 3] = words.firsts[first], words.lasts[word]
                    hits[number, 4] = marks
                number += 1
    return number
