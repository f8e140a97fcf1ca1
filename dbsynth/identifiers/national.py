"""Numbers that states give to persons and that tell their day of birth and their sex.

Where a state keeps a range for tests or for nobody, or a place that it gives to nobody any more,
the numbers are from there; the rest of a number is drawn, and its check digits are right.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.checks import CHECKS
from dbsynth.identifiers.pattern import Pattern
from dbsynth.identifiers.people import people
from dbsynth.identifiers.strings import (
    Bytes,
    digits_of,
    frequent,
    from_matrix,
    positions,
    subkey,
    within,
)
from dbsynth.identifiers.traits import Traits, unknown
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

Int64 = npt.NDArray[np.int64]

_LOOKED_AT = 200
_SURE = 12  # so many numbers are right by chance once in 10**12
_VALID = 0.95
_OLDEST, _DAYS = np.datetime64("1945-01-01"), 21_000  # of people whose birth nobody tells
_TRIES = 40
_NONE = ord("~")  # stands for no character


@dataclass(frozen=True)
class Born:
    """Whom the numbers are of.

    Attributes:
        serial: A random number for each.
        names: Given and family names in plain lower-case letters.
    """

    year: Int64
    month: Int64
    day: Int64
    female: Int64
    serial: UInt64
    names: tuple[pa.Array, pa.Array]

    @property
    def century(self) -> Int64:
        """18, 19 or 20."""
        return np.clip(self.year // 100, 18, 20)

    def below(self, count: int, salt: int = 0) -> Int64:
        """A number below ``count`` for each."""
        return (hashed(salt, self.serial) % np.uint64(count)).astype(np.int64)

    def sexed(self, count: int, *, male: int = 1) -> Int64:
        """The same, odd for men and even for women, or the other way round."""
        return 2 * self.below(count // 2) + np.where(self.female == 1, 1 - male, male)

    def ymd(self, month: Int64 | int = 0, day: Int64 | int = 0) -> Bytes:
        """Two digits each of year, month and day, with something added."""
        parts = self.year % 100, self.month + month, self.day + day
        return _cat(*(_num(part, 2) for part in parts))

    def dmy(self) -> Bytes:
        """Two digits each of day, month and year."""
        return _cat(*(_num(part, 2) for part in (self.day, self.month, self.year % 100)))

    def taken(self, rows: Int64, turn: int) -> Born:
        """Some of them, with another random number."""
        serial = hashed(turn + 1, self.serial[rows])
        names = tuple(name.take(pa.array(rows)) for name in self.names)
        return Born(self.year[rows], self.month[rows], self.day[rows], self.female[rows], serial,
                    (names[0], names[1]))  # fmt: skip


def _num(number: npt.ArrayLike, width: int) -> Bytes:
    return digits_of(np.asarray(number).astype(np.uint64), 10, width) + np.uint8(ord("0"))


def _cat(*parts: Bytes) -> Bytes:
    return np.concatenate(parts, axis=1)


def _letters(texts: pa.Array | Sequence[str]) -> Bytes:
    """Texts of one width as rows of characters."""
    words = np.array(texts.to_pylist() if isinstance(texts, pa.Array) else texts, dtype=np.bytes_)
    return words.view(np.uint8).reshape(len(words), -1)


def _same(text: str, like: Born) -> Bytes:
    return np.tile(np.frombuffer(text.encode(), np.uint8), (len(like.year), 1))


def _sum(characters: Bytes, weights: Sequence[int]) -> Int64:
    found: Int64 = ((characters.astype(np.int64) - ord("0")) * np.array(weights)).sum(axis=1)
    return found


def _checked(body: Bytes, name: str) -> Bytes:
    """The body with one check digit of `CHECKS` behind."""
    return _cat(body, _num(CHECKS[name].of(body.astype(np.int64) - ord("0")), 1))


def _until(born: Born, make: Callable[[Born], tuple[Bytes, npt.NDArray[np.bool_]]]) -> Bytes:
    """Numbers of which some random numbers have none, drawn until all have one."""
    found, good = make(born)
    found = found.copy()
    for turn in range(_TRIES):
        left = np.flatnonzero(~good)
        if not len(left):
            break
        again, fine = make(born.taken(left, turn))
        found[left], good[left] = again, fine
    return found


def _sweden(it: Born) -> Bytes:
    body = _cat(it.ymd(), _num(it.sexed(1000), 3))
    return _cat(_num(it.century, 2), _checked(body, "luhn"))


def _denmark(it: Born) -> Bytes:
    century = np.where(it.century == 19, it.below(4, 1), 5 + it.below(4, 1))
    return _cat(it.dmy(), _num(century, 1), _num(it.below(100, 2), 2), _num(it.sexed(10), 1))


def _norway(born: Born) -> Bytes:
    def make(it: Born) -> tuple[Bytes, npt.NDArray[np.bool_]]:
        serial = np.where(it.century == 19, 0, 500) + it.sexed(500)
        body = _cat(it.dmy(), _num(serial, 3))
        first = -_sum(body, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
        body = _cat(body, _num(first % 10, 1))
        second = -_sum(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        return _cat(body, _num(second % 10, 1)), (first < 10) & (second < 10)

    return _until(born, make)


def _finland(it: Born) -> Bytes:
    """From 900 on: numbers that are given for a while, and used for tests."""
    sign = np.frombuffer(b"+-A", np.uint8)[it.century - 18][:, None]
    serial = _num(900 + it.sexed(100), 3)
    number = _sum(_cat(it.dmy(), serial), [10**i for i in range(8, -1, -1)])
    marks = np.frombuffer(b"0123456789ABCDEFHJKLMNPRSTUVWXY", np.uint8)
    return _cat(it.dmy(), sign, serial, marks[number % 31][:, None])


def _poland(it: Born) -> Bytes:
    month = np.array([80, 0, 20])[it.century - 18]
    body = _cat(it.ymd(month), _num(it.below(1000, 1), 3), _num(it.sexed(10), 1))
    return _cat(body, _num(-_sum(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10, 1))


def _france(it: Born) -> Bytes:
    """Born abroad (99), in countries whose numbers nobody has."""
    place = _num(99_990 + it.below(10, 1), 5)
    body = _cat(_num(1 + it.female, 1), it.ymd()[:, :4], place, _num(1 + it.below(999), 3))
    return _cat(body, _num(97 - _sum(body, [10**i for i in range(12, -1, -1)]) % 97, 2))


def _italy(it: Born) -> Bytes:
    """Born abroad (Z), in countries whose numbers nobody has."""
    given, family = (
        _letters(pc.utf8_lpad(_consonants(name, given=i == 0), 3, "X"))
        for i, name in enumerate(it.names)
    )
    month = np.frombuffer(b"ABCDEHLMPRST", np.uint8)[it.month - 1][:, None]
    day = _num(it.day + 40 * it.female, 2)
    body = _cat(family, given, _num(it.year % 100, 2), month, day, _same("Z9", it),
                _num(it.below(100), 2))  # fmt: skip
    values = np.where(body < ord("A"), body - ord("0"), body - ord("A")).astype(np.int64)
    odd = np.array([1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10,
                    22, 25, 24, 23])  # fmt: skip
    total = odd[values[:, ::2]].sum(axis=1) + values[:, 1::2].sum(axis=1)
    return _cat(body, (total % 26 + ord("A")).astype(np.uint8)[:, None])


def _consonants(names: pa.Array, *, given: bool) -> pa.Array:
    """Three letters of a name: consonants before vowels; of four, the second is left out."""
    coded = names.dictionary_encode()
    found = []
    for name in coded.dictionary.to_pylist():
        letters = re.sub("[^A-Z]", "", name.upper())
        plain, vowels = (re.sub(p, "", letters) for p in ("[AEIOU]", "[^AEIOU]"))
        plain = plain[0] + plain[2:] if given and len(plain) > 3 else plain
        found.append((plain + vowels + "XXX")[:3])
    return pa.array(found, pa.string()).take(coded.indices)


def _romania(it: Born) -> Bytes:
    """Of the seventh sector of Bucharest, which is none any more."""
    sex = np.array([3, 1, 5])[it.century - 18] + it.female
    body = _cat(_num(sex, 1), it.ymd(), _same("47", it), _num(1 + it.below(999), 3))
    check = _sum(body, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return _cat(body, _num(np.where(check == 10, 1, check), 1))


def _czechia(born: Born) -> Bytes:
    """Nine digits until 1953, then a tenth that makes the number a multiple of 11."""

    def make(it: Born) -> tuple[Bytes, npt.NDArray[np.bool_]]:
        body = _cat(it.ymd(50 * it.female), _num(1 + it.below(999), 3))
        check = _sum(body, [10**i for i in range(8, -1, -1)]) % 11
        old = it.year < 1954
        last = np.where(old, _NONE, check + ord("0")).astype(np.uint8)
        return _cat(body, last[:, None]), old | (check < 10)

    return _until(born, make)


def _bulgaria(it: Born) -> Bytes:
    month = np.array([20, 0, 40])[it.century - 18]
    body = _cat(it.ymd(month), _num(it.below(100, 1), 2), _num(it.sexed(10, male=0), 1))
    return _cat(body, _num(_sum(body, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10, 1))


def _baltic(it: Born) -> Bytes:
    sex = 2 * it.century - 35 + it.female
    body = _cat(_num(sex, 1), it.ymd(), _num(it.below(1000), 3))
    first = _sum(body, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    second = _sum(body, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return _cat(body, _num(np.where(first == 10, second, first), 1))


def _belgium(it: Born) -> Bytes:
    serial = np.where(it.female == 1, 2, 1) + 2 * it.below(498)
    body = _cat(it.ymd(), _num(serial, 3))
    number = _sum(body, [10**i for i in range(8, -1, -1)]) + 2 * 10**9 * (it.year >= 2000)
    return _cat(body, _num(97 - number % 97, 2))


def _korea(it: Born) -> Bytes:
    sex = np.array([9, 1, 3])[it.century - 18] + it.female
    sex = np.where((it.century == 18) & (it.female == 1), 0, sex)
    body = _cat(it.ymd(), _num(sex, 1), _num(it.below(96, 1), 2), _num(it.below(1000), 3))
    return _cat(body, _num((11 - _sum(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10, 1))


def _south_africa(it: Born) -> Bytes:
    serial = it.below(5000) + np.where(it.female == 1, 0, 5000)
    return _checked(_cat(it.ymd(), _num(serial, 4), _same("08", it)), "luhn")


def _greece(it: Born) -> Bytes:
    return _checked(_cat(it.dmy(), _num(it.sexed(10_000), 4)), "luhn")


def _slovenia(born: Born) -> Bytes:
    def make(it: Born) -> tuple[Bytes, npt.NDArray[np.bool_]]:
        serial = it.below(500) + 500 * it.female
        body = _cat(it.dmy()[:, :4], _num(it.year % 1000, 3), _same("50", it), _num(serial, 3))
        check = -_sum(body, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        return _cat(body, _num(check % 10, 1)), check < 10

    return _until(born, make)


def _china(it: Born) -> Bytes:
    """Of a region whose number nobody has."""
    date = _cat(_num(it.year, 4), it.ymd()[:, 2:])
    body = _cat(_same("990101", it), date, _num(it.sexed(1000), 3))
    check = (12 - _sum(body, [2 ** (17 - i) % 11 for i in range(17)]) % 11) % 11
    last = np.where(check == 10, ord("X"), check + ord("0")).astype(np.uint8)
    return _cat(body, last[:, None])


@dataclass(frozen=True, slots=True)
class Layout:
    """How a state writes its numbers.

    Attributes:
        module: Of stdnum, whose ``is_valid`` knows the real ones.
        written: The characters of new ones, without separators.
        shorter: How many characters at the beginning may be left out.
    """

    module: str
    written: Callable[[Born], Bytes]
    shorter: int = 0


LAYOUTS: Mapping[str, Layout] = {
    "it": Layout("it.codicefiscale", _italy),
    "fi": Layout("fi.hetu", _finland),
    "fr": Layout("fr.nir", _france),
    "cn": Layout("cn.ric", _china),
    "se": Layout("se.personnummer", _sweden, 2),
    "no": Layout("no.fodselsnummer", _norway),
    "pl": Layout("pl.pesel", _poland),
    "ro": Layout("ro.cnp", _romania),
    "cz": Layout("cz.rc", _czechia),
    "bg": Layout("bg.egn", _bulgaria),
    "ee": Layout("ee.ik", _baltic),
    "lt": Layout("lt.asmens", _baltic),
    "be": Layout("be.nn", _belgium),
    "kr": Layout("kr.rrn", _korea),
    "za": Layout("za.idnr", _south_africa),
    "gr": Layout("gr.amka", _greece),
    "si": Layout("si.emso", _slovenia),
    "dk": Layout("dk.cpr", _denmark),  # without a check digit, so that others come before
}


def layout_of(texts: Sequence[str]) -> str:
    """The layout of real numbers, a name of `LAYOUTS`, or nothing."""
    if len(texts) < _SURE:
        return ""
    for name, layout in LAYOUTS.items():
        valid: Any = importlib.import_module(f"stdnum.{layout.module}").is_valid
        if sum(map(valid, texts)) >= _VALID * len(texts):
            return name
    return ""


@dataclass(frozen=True)
class NationalId:
    """Numbers that go with birth and sex where their layout is known; else codes of shapes."""

    name: str = "national_id"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """The layout, and how the numbers are written; the shapes as of `Pattern`."""
        pattern = Pattern("national_id", "999-99-9999")
        state = pattern.fit(column, values, unique=unique, locale=locale, k=k)
        texts = pc.utf8_trim_whitespace(values.drop_null())
        layout = layout_of(texts[:_LOOKED_AT].to_pylist()) if len(texts) >= k else ""
        if not layout:
            return state
        marked = pc.replace_substring_regex(texts, "[0-9A-Za-z]", "#")
        if layout == "fi":  # its sign tells the century
            marked = pc.replace_substring_regex(marked, "[-+]", "#")
        shapes, _, _ = frequent(marked, k)
        plain = "#" * LAYOUTS[layout].written(_nobody()).shape[1]
        return {**state, "layout": layout, "locale": locale,
                "shape": shapes[0].as_py() if len(shapes) else plain}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One number for every index."""
        if "layout" not in state:
            return Pattern("national_id").draw(state, index, key=key)
        index = positions(index)
        return self.draw_of(state, index, unknown(index, state["locale"]), key=key)

    def draw_of(self, state: State, index: UInt64, traits: Traits, *, key: int) -> pa.Array:
        """One number for every index, of persons of whom something is known."""
        index = positions(index)
        if "layout" not in state:
            return Pattern("national_id").draw(state, index, key=key)
        if not len(index):
            return pa.array([], pa.string())
        characters = LAYOUTS[state["layout"]].written(_born(index, traits, key))
        values = _shaped(characters, state["shape"])
        return within(values, index, key=key, limit=state["limit"], unique=state["unique"])


def _nobody() -> Born:
    one = np.array([1], np.int64)
    names = pa.array(["lee"]), pa.array(["ann"])
    return Born(one + 1979, one, one, one, one.astype(np.uint64), names)


def _born(index: UInt64, traits: Traits, key: int) -> Born:
    who = people(index, traits, key=key)
    drawn = _OLDEST + (hashed(subkey(key, 71), index) % np.uint64(_DAYS)).astype(np.int64)
    days = drawn if traits.born is None else np.where(np.isnat(traits.born), drawn, traits.born)
    years = days.astype("datetime64[Y]")
    months = days.astype("datetime64[M]")
    return Born(
        np.clip(years.astype(np.int64) + 1970, 1800, 2099),
        (months - years).astype(np.int64) + 1,
        (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        who.female.astype(np.int64),
        hashed(subkey(key, 72), index),
        (who.given_slug, who.family_slug),
    )


def _shaped(characters: Bytes, shape: str) -> pa.Array:
    """Characters in the places of ``#``, those at the beginning left out that have none."""
    places = [i for i, c in enumerate(shape) if c == "#"]
    count = len(places)
    if count > characters.shape[1]:  # longer than all, as nine digits are than ten
        shape, places = "#" * characters.shape[1], list(range(characters.shape[1]))
    out = np.empty((len(characters), len(shape)), np.uint8)
    out[:] = np.frombuffer(shape.encode(), np.uint8)
    out[:, places] = characters[:, -len(places) :]
    return pc.replace_substring(from_matrix(out), chr(_NONE), "")
