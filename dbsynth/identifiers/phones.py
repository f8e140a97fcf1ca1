"""Telephone numbers written like the column's, which nobody answers.

Numbers come from ranges that regulators keep for fiction, where a country has one (Ofcom, ACMA,
ARCEP, BNetzA, ComReg, PTS; 555-0100 to 555-0199 in North America).  Elsewhere, and where all of
these are in use, they begin with digits that the country's numbering plan, as Google's
libphonenumber has it, assigns to nobody: neither the number nor any beginning of it can be reached.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.numbers import shapes_of, written
from dbsynth.identifiers.places import Place
from dbsynth.identifiers.strings import (
    digits_of,
    plain,
    positions,
    scatter,
    shuffle,
    subkey,
    weighted,
    where,
    within,
)
from dbsynth.identifiers.traits import Traits, unknown
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

_FICTION: dict[str, dict[int, tuple[str, ...]]] = {
    "GB": {10: ("7700900", "2079460", "1632960", "1134960", "1144960", "1154960", "1164960",
                "1174960", "1184960", "1214960", "1314960", "1414960", "1514960", "1614960",
                "1914980", "2890180", "2920180")},
    "AU": {9: ("25550", "27010", "35550", "37010", "75550", "77010", "85550", "87010")},
    "FR": {9: ("19900", "26191", "35301", "46571", "53649", "63998")},
    "IE": {9: ("2091",)},
    "DE": {10: ("3023125", "6990009", "4066969", "2214710", "8999998", "17139200"),
           11: ("176040690",)},
    "SE": {9: ("8465004", "9803192")},
}  # fmt: skip
_AREAS = tuple(str(area) for area in range(220, 990) if area // 10 % 10 != 9 and area % 100 != 11)
_FICTIONAL = "55501"  # 555-01xx, behind any area code of North America
_AMERICAN = 10
_LOCAL = 7
_STARTS = 8
_SHORTEST = 5  # digits that could reach anybody
_LONGEST = 18
_TRIALS = 100  # all next two digits
_ABROAD = re.compile(r"^(\+\s*|00|\(\+)(#+)")  # a shape that begins with the code of a country
_KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number",
          "voip", "pager", "uan", "voicemail")  # fmt: skip


def _library() -> Any:
    """Google's libphonenumber, loaded when a number is drawn first: it is large."""
    return import_module("phonenumbers")


def _code_of(country: str) -> int:
    """The code of a country; 0 if there is none."""
    return int(_library().country_code_for_region(country))


@lru_cache(maxsize=512)
def _assigned(country: str) -> re.Pattern[str] | None:
    """What numbers of a country in use look like; None where the plan is not known."""
    plan = _library().PhoneMetadata.metadata_for_region(country, None)
    if plan is None:
        return None
    kinds = [getattr(plan, kind) for kind in _KINDS]
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None]
    return re.compile("|".join(f"(?:{p})" for p in patterns if p))


def reachable(number: str, country: str) -> bool:
    """Whether a national number, without the 0 in front, or a beginning of it may be somebody's."""
    pattern = _assigned(country)
    if pattern is None:
        return True
    return any(
        pattern.fullmatch(number[:size]) is not None
        for size in range(min(_SHORTEST, len(number)), len(number) + 1)
    )


@dataclass(frozen=True)
class Ranges:
    """Where numbers of one length may lie: beginnings, and how many numbers each has."""

    values: UInt64
    sizes: UInt64

    @property
    def total(self) -> int:
        """How many numbers there are."""
        return int(self.sizes.sum())


@lru_cache(maxsize=4096)
def ranges_of(country: str, digits: int) -> tuple[Ranges, Ranges]:
    """Ranges of national numbers of some digits: those kept for fiction, and then all usable ones.

    The first are the second where a country keeps none.
    """
    kept = _kept_for_fiction(country, digits)
    dead = _unassigned(country, digits)
    both = _ranges((*kept, *dead), digits)
    return (_ranges(kept, digits), both) if kept else (both, both)


def _ranges(starts: tuple[str, ...], digits: int) -> Ranges:
    free = np.array([digits - len(start) for start in starts], np.uint64)
    sizes = np.uint64(10) ** free
    return Ranges(np.array([int(start or 0) for start in starts], np.uint64) * sizes, sizes)


def _american(country: str) -> bool:
    return _code_of(country) in (0, 1)


def _kept_for_fiction(country: str, digits: int) -> tuple[str, ...]:
    if _american(country):
        areas = tuple("1" + area for area in _AREAS)
        forms = {_LOCAL: ("",), _AMERICAN: _AREAS, _AMERICAN + 1: areas}
        return tuple(start + _FICTIONAL for start in forms.get(digits, ()))
    return _FICTION.get(country, {}).get(digits, ())


def _unassigned(country: str, digits: int) -> tuple[str, ...]:
    """Beginnings of a few digits with which no number that is in use begins."""
    country = country if country and _assigned(country) else "US"
    width = min(3, max(digits - 2, 1))
    numbers = [f"{n:0{width}}" for n in range(10**width)]
    order = hashed(71, np.arange(len(numbers))).argsort()
    found: list[str] = []
    for start in [numbers[i] for i in order]:
        if start[0] in "019" or start[:2] == "11":  # trunk codes, services, emergencies
            continue
        rest = [f"{n % 100:02}{r:020}" for n, r in enumerate(hashed(73, range(_TRIALS)).tolist())]
        if any(reachable((start + r)[:digits], country) for r in rest):
            continue
        found.append(start)
        if len(found) == _STARTS:
            break
    return tuple(found) or ("0" * width,)


def _numbers(
    country: str, digits: int, index: UInt64, key: int, *, unique: bool
) -> tuple[npt.NDArray[np.uint8], UInt64]:
    """The digits of a number for every index, and how often all of them were used up."""
    inner = min(digits, _LONGEST)
    fiction, every = ranges_of(country, inner)
    if unique:
        ranges = every
        small = np.uint64(fiction.total)
        number, rounds = shuffle(index, fiction.total, key=key)
        if every.total > fiction.total and (index >= small).any():
            number = np.where(index < small, number, index % np.uint64(every.total))
            rounds = np.where(index < small, np.uint64(0), index // np.uint64(every.total))
    else:
        ranges = fiction
        number = hashed(subkey(key, 2), index) % np.uint64(fiction.total)
        rounds = np.zeros(len(index), np.uint64)
    ends = np.cumsum(ranges.sizes)
    at = np.searchsorted(ends, number, side="right")
    value = ranges.values[at] + number - (ends - ranges.sizes)[at]
    head = np.ones((len(index), digits - inner), np.uint8)
    return np.concatenate([head, digits_of(value, 10, inner)], axis=1), rounds


_LOOKED_AT = 20_000


@dataclass(frozen=True)
class Phone:
    """Telephone numbers that nobody answers, of the country of their row."""

    name: str = "phone"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """The frequent shapes, and whether national numbers begin with 0."""
        found = shapes_of(values, k, "###-###-####", column.length)
        digits = pc.replace_substring_regex(values.drop_null().cast(pa.string()), r"[^0-9]", "")
        trunk = len(digits) >= k and bool(
            pc.mean(pc.cast(pc.starts_with(digits, "0"), pa.float64())).as_py() > 0.5
        )
        by_code = _by_code(values.drop_null().cast(pa.string()), found["shapes"], k)
        return {**found, "unique": unique, "limit": column.length, "locale": locale, "zero": trunk,
                "by_code": by_code}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One number for every index."""
        index = positions(index)
        return self.draw_of(state, index, unknown(index, state["locale"]), key=key)

    def draw_of(self, state: State, index: UInt64, traits: Traits, *, key: int) -> pa.Array:
        """One number for every index, of the country of its row."""
        chosen = weighted(subkey(key, 1), index, state["weights"])
        for number, place in enumerate(traits.places):
            at = np.flatnonzero(traits.place == number)
            if place.country and len(at):
                own = _weights(state, place.country, told=traits.told)
                chosen[at] = weighted(subkey(key, 1), index[at], own)
        groups = chosen * len(traits.places) + traits.place
        parts = []
        for group in np.unique(groups).tolist():
            at = np.flatnonzero(groups == group)
            shape, place = divmod(group, len(traits.places))
            form, there, home = state["shapes"][shape], traits.places[place], traits.places[0]
            parts.append((at, _telephone(state, form, (there, home), index[at], key)))
        if not parts:
            return pa.array([], pa.string())
        values = scatter(groups, parts)
        return within(values, index, key=key, limit=state["limit"], unique=state["unique"])


def _weights(state: State, country: str, *, told: bool) -> list[int]:
    """How often numbers of a country have each shape.

    Those with its code are counted; else, where rows say their country, all shapes with as many
    digits as numbers of the country may have; else any.
    """
    own = state.get("by_code", {}).get(str(_code_of(country)))
    if own is not None:
        return list(own)
    weights = list(state["weights"])
    sizes = _sizes(country) if told else frozenset[int | None]()
    fitting = [
        w if _digits(shape, country, zero=state["zero"]) in sizes else 0
        for w, shape in zip(weights, state["shapes"], strict=True)
    ]
    return fitting if any(fitting) else weights


def _digits(shape: str, country: str, *, zero: bool) -> int | None:
    """How many digits of a shape are a number inside a country; None for one with its code."""
    if _ABROAD.match(shape):
        return None
    return shape.count("#") - (zero and not _american(country))


@lru_cache(maxsize=512)
def _sizes(country: str) -> frozenset[int | None]:
    """How many digits numbers of a country may have, without the 0 or the area in front."""
    plan = _library().PhoneMetadata.metadata_for_region(country, None)
    if plan is None:
        return frozenset((None,))
    whole = plan.general_desc
    return frozenset((None, *whole.possible_length, *whole.possible_length_local_only))


def _by_code(texts: pa.Array, shapes: Sequence[str], k: int) -> dict[str, list[int]]:
    """How often each shape occurs with the code of a country, where ``k`` numbers have it."""
    texts, known = texts[:_LOOKED_AT], _library().COUNTRY_CODE_TO_REGION_CODE
    found: dict[str, Counter[int]] = defaultdict(Counter)
    number = {shape: i for i, shape in enumerate(shapes)}
    marked = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), "[0-9]", "#")
    for text, shape in zip(texts.to_pylist(), marked.to_pylist(), strict=True):
        digits = re.match(r"\s*\(?(?:\+|00)\s*(\d{1,3})", text)
        if digits is None or shape not in number:
            continue
        code = next((digits[1][:n] for n in (1, 2, 3) if int(digits[1][:n]) in known), "")
        found[code][number[shape]] += 1
    return {code: [counts[i] for i in range(len(shapes))]
            for code, counts in found.items() if code and counts.total() >= k}  # fmt: skip


def _telephone(
    state: State, shape: str, places: tuple[Place, Place], index: UInt64, key: int
) -> pa.Array:
    """Numbers of a country in one shape.

    Args:
        places: Theirs, and the one where numbers come from that say no country but must all differ.
    """
    place, home = places
    shape, zero, abroad = _for_country(shape, place.country, zero=state["zero"])
    country = place.country if abroad or not state["unique"] else home.country
    country = _main(country) if abroad else country
    digits = shape.count("#") - zero
    drawn, rounds = _numbers(country, digits, index, key, unique=state["unique"])
    if zero:
        drawn = np.concatenate([np.zeros((len(index), 1), np.uint8), drawn], axis=1)
    values = written(shape, drawn)
    if not state["unique"] or not rounds.any():
        return values
    extended = pc.binary_join_element_wise(values, plain(rounds), "x")
    return where(rounds == 0, values, extended)


def _main(country: str) -> str:
    """The country that shares its code with this one, and lends it its numbers."""
    code = _code_of(country)
    return str(_library().region_code_for_country_code(code)) if code else country


def _for_country(shape: str, country: str, *, zero: bool) -> tuple[str, int, bool]:
    """The shape with the code of the country, how many zeros precede the number, if it is abroad.

    A number for callers from abroad says its country.
    """
    found = _ABROAD.match(shape)
    if found is None:
        american = _american(country)
        return shape, int(zero and not american and shape.count("#") > _LOCAL), False
    code = str((_code_of(country) if country else 1) or 1)
    group, rest = found[2], shape[found.end() :]
    if len(group) > len(code) and "#" not in rest:  # one row of digits: the code and the number
        rest = "#" * (len(group) - len(code)) + rest
    if rest.count("#") < _SHORTEST:
        rest = " " + "#" * 9
    return found[1] + code + rest, 0, True
