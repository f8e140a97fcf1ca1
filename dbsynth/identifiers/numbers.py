"""Providers of numbers that identify: telephones, accounts, cards, serial numbers, places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.checks import CHECKS, checksum_of
from dbsynth.identifiers.strings import (
    Bytes,
    digits_of,
    fixed,
    frequent,
    from_matrix,
    plain,
    positions,
    scatter,
    shuffle,
    subkey,
    weighted,
    within,
)
from dbsynth.randomness import UInt64, uniform
from dbsynth.schema import Column, Kind

_CHECKED = 2_000
_SURE = 12  # so many numbers have a right check digit by chance once in 10**12
_MOST_DIGITS = 19
_SPARSE = 20  # so many possible numbers for each one in use


def shapes_of(values: pa.Array, k: int, default: str, limit: int | None) -> dict[str, Any]:
    """The frequent ways of writing a number, with ``#`` for a digit."""
    texts = pc.utf8_trim_whitespace(values.drop_null())
    marked = pc.replace_substring_regex(texts, r"[0-9]", "#")
    shapes, counts, _ = frequent(marked, k)
    usable = [
        (shape, int(n))
        for shape, n in zip(shapes.to_pylist(), counts.tolist(), strict=True)
        if "#" in shape and shape.isascii() and not any(c.isalpha() for c in shape)
    ][:20]
    usable = usable or [(_shortened(default, limit), 1)]
    return {"shapes": [s for s, _ in usable], "weights": [n for _, n in usable]}


def _shortened(shape: str, limit: int | None) -> str:
    if limit is None or len(shape) <= limit:
        return shape
    plain_shape = "".join(c for c in shape if c == "#")
    return plain_shape[:limit]


def written(shape: str, digits: Bytes) -> pa.Array:
    """Digits (as numbers) in the places of ``#``."""
    out = np.empty((len(digits), len(shape)), np.uint8)
    out[:] = np.frombuffer(shape.encode(), np.uint8)
    places = [i for i, c in enumerate(shape) if c == "#"]
    out[:, places] = digits + ord("0")
    return from_matrix(out)


@dataclass(frozen=True)
class Card:
    """Numbers of payment cards in the ranges used for tests, with a right check digit."""

    name: str = "card"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """The frequent shapes."""
        found = shapes_of(values, k, "#" * min(16, column.length or 16), column.length)
        shapes = [(s, w) for s, w in zip(found["shapes"], found["weights"], strict=True)
                  if s.count("#") > 11]  # fmt: skip
        default = [(_shortened("#" * 16, column.length), 1)]
        return {"shapes": [s for s, _ in shapes or default],
                "weights": [w for _, w in shapes or default], "unique": unique,
                "limit": column.length}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One number for every index."""
        index = positions(index)
        chosen = weighted(subkey(key, 1), index, state["weights"])
        parts = []
        for number, shape in enumerate(state["shapes"]):
            at = np.flatnonzero(chosen == number)
            parts.append((at, written(shape, card_digits(index[at], shape.count("#"), key=key))))
        return within(scatter(chosen, parts), index, key=key, limit=state["limit"],
                      unique=state["unique"])  # fmt: skip


def card_digits(index: UInt64, count: int, *, key: int) -> Bytes:
    """Digits 4, 11111 (then other blocks), a shuffled number, and the check digit of Luhn."""
    if count < 8:
        return digits_of(shuffle(index, 10**count, key=key)[0], 10, count)
    free = count - 7
    number, rounds = shuffle(index, 10**free, key=key)
    bank = (rounds + np.uint64(11111)) % np.uint64(100_000)
    digits = np.concatenate(
        [
            np.full((len(index), 1), 4, np.uint8),
            digits_of(bank, 10, 5),
            digits_of(number, 10, free),
        ],
        axis=1,
    )
    weights = np.where(np.arange(count - 1)[::-1] % 2 == 0, 2, 1)
    products = digits.astype(np.int64) * weights
    total = np.where(products > 9, products - 9, products).sum(axis=1)
    return np.column_stack([digits, ((10 - total % 10) % 10).astype(np.uint8)])


_IBAN_LENGTH = {"DE": 22, "FR": 27, "ES": 24, "PL": 28, "PT": 25, "IT": 27, "AT": 20, "CH": 21,
                "BE": 16, "GB": 22, "NL": 18, "IE": 22}  # fmt: skip
_LETTERED = ("GB", "NL", "IE")


@dataclass(frozen=True)
class Iban:
    """International account numbers with a right checksum, of banks that do not exist."""

    name: str = "iban"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """The frequent countries."""
        texts = pc.utf8_upper(pc.replace_substring(values.drop_null(), " ", ""))
        prefixes, counts, _ = frequent(pc.utf8_slice_codeunits(texts, 0, 2), k)
        known = [(c, int(n)) for c, n in zip(prefixes.to_pylist(), counts.tolist(), strict=True)
                 if c in _IBAN_LENGTH]  # fmt: skip
        country = locale.partition("_")[2]
        known = known or [(country if country in _IBAN_LENGTH else "DE", 1)]
        return {"countries": [c for c, _ in known], "weights": [n for _, n in known],
                "unique": unique, "limit": column.length}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One account number for every index."""
        index = positions(index)
        chosen = weighted(subkey(key, 1), index, state["weights"])
        parts = []
        for number, country in enumerate(state["countries"]):
            at = np.flatnonzero(chosen == number)
            parts.append((at, _account(country, index[at], key=key)))
        return within(scatter(chosen, parts), index, key=key, limit=state["limit"],
                      unique=state["unique"])  # fmt: skip


def _account(country: str, index: UInt64, *, key: int) -> pa.Array:
    bank = "TEST" if country in _LETTERED else "99"
    free = _IBAN_LENGTH[country] - 4 - len(bank)
    low, _ = shuffle(index, 10 ** min(free, 13), key=key)
    digits = np.concatenate(
        [np.zeros((len(index), free - min(free, 13)), np.uint8), digits_of(low, 10, min(free, 13))],
        axis=1,
    )
    rest = np.full(len(index), _mod97("".join(str(int(c, 36)) for c in bank)), np.int64)
    for column in digits.T:
        rest = (rest * 10 + column) % 97
    for digit in "".join(str(int(c, 36)) for c in country) + "00":
        rest = (rest * 10 + int(digit)) % 97
    check = fixed((98 - rest).astype(np.uint64), 2, b"0123456789")
    tail = from_matrix(digits + ord("0"))
    return pc.binary_join_element_wise(country, check, bank, tail, "")


def _mod97(digits: str) -> int:
    return int(digits) % 97


@dataclass(frozen=True)
class Digits:
    """Serial numbers: whole numbers spread over the magnitudes that the column uses."""

    name: str = "digits"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """A range with round bounds, wide enough that few numbers of the column are hit."""
        numbers = _numeric(values)
        low, high = _bounds(numbers, column, unique=unique) if len(numbers) >= k else (
            1, _most(column, 999_999_999))  # fmt: skip
        width = _common_width(values) if column.kind is Kind.TEXT else 0
        check = _check_of(numbers, column) if len(numbers) >= max(k, _SURE) else ""
        shift = 10 ** CHECKS[check].width if check else 1
        return {
            "low": low // shift,
            "high": high // shift,
            "check": check,
            "unique": unique,
            "kind": str(column.kind),
            "most": _most(column, 2**63 - 1) // shift,
            "width": width,
        }

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One number for every index."""
        index = positions(index)
        low, size = state["low"], state["high"] - state["low"] + 1
        number, rounds = shuffle(index, size, key=key)
        result = number.astype(np.int64) + low
        if state["unique"] and rounds.any():
            result = _further(result, rounds, size, state["low"], state["most"])
        if state.get("check"):
            result = _with_check(result, state["check"])
        match state["kind"]:
            case "integer":
                return pa.array(result)
            case "decimal" | "float":
                return pa.array(result.astype(np.float64))
        texts = plain(result)
        return pc.utf8_lpad(texts, state["width"], "0") if state["width"] else texts


def _check_of(numbers: npt.NDArray[np.int64], column: Column) -> str:
    """The check digits that positive whole numbers end in."""
    few = np.unique(numbers)[:_CHECKED]
    if column.kind in (Kind.DECIMAL, Kind.FLOAT) or few[0] <= 0:
        return ""
    found = checksum_of([f"{number:0{_MOST_DIGITS}}" for number in few.tolist()])
    return found if found and not CHECKS[found].letters else ""


def _with_check(numbers: npt.NDArray[np.int64], name: str) -> npt.NDArray[np.int64]:
    """The numbers with what a check computes of them behind; zeros before them change nothing."""
    check = CHECKS[name]
    told = check.of(digits_of(numbers.astype(np.uint64), 10, _MOST_DIGITS).astype(np.int64))
    found: npt.NDArray[np.int64] = numbers * 10**check.width + told
    return found


def _further(
    result: npt.NDArray[np.int64], rounds: UInt64, size: int, low: int, most: int
) -> npt.NDArray[np.int64]:
    """Numbers of later rounds, above the range, below zero where the type ends."""
    above = result + rounds.astype(np.int64) * size
    return np.where(above <= most, above, low - 1 - (above - most))


def _numeric(values: pa.Array) -> npt.NDArray[np.int64]:
    plain_values = values.drop_null()
    if pa.types.is_string(plain_values.type) or pa.types.is_large_string(plain_values.type):
        plain_values = plain_values.filter(
            pc.match_substring_regex(plain_values, r"^\s*-?[0-9]{1,18}\s*$")
        )
        plain_values = pc.cast(pc.utf8_trim_whitespace(plain_values), pa.int64())
    array = np.asarray(plain_values.to_numpy(zero_copy_only=False))
    return array.astype(np.int64)


def _most(column: Column, otherwise: int) -> int:
    """The largest number that the column holds."""
    most = otherwise
    if column.kind is Kind.INTEGER and column.bits:
        most = min(most, 2 ** (column.bits - 1) - 1)
    if column.kind is Kind.TEXT and column.length:
        most = min(most, 10 ** min(column.length, 18) - 1)
    if column.kind in (Kind.DECIMAL, Kind.INTEGER) and column.precision:
        most = min(most, 10 ** min(column.precision - (column.scale or 0), 18) - 1)
    return most


def _bounds(numbers: npt.NDArray[np.int64], column: Column, *, unique: bool) -> tuple[int, int]:
    low, high = _outward(int(numbers.min()), down=True), _outward(int(numbers.max()), down=False)
    most = _most(column, 2**62)
    needed = _SPARSE * len(np.unique(numbers)) if unique else 2
    if high - low + 1 < needed:
        digits = len(str(abs(int(numbers.max()))))
        low = 10 ** (digits - 1) if int(numbers.min()) > 0 else low
        high = 10**digits - 1
        while high - low + 1 < needed and high < most:
            high = 10 * high + 9
    high = min(high, most)
    return min(low, high), high


def _outward(number: int, *, down: bool) -> int:
    """The number rounded to two leading digits, away from the range's middle."""
    if abs(number) < 10:
        return number if number in (0, 1) else (0 if down and number > 0 else number)
    step = 10 ** (math.floor(math.log10(abs(number))) - 1)
    return int(number // step * step if down else -(-number // step) * step)


def _common_width(values: pa.Array) -> int:
    """The length of the values, where all have the same and some begin with zero."""
    texts = values.drop_null()
    if not len(texts):
        return 0
    lengths = pc.unique(pc.utf8_length(texts))
    zeros = pc.any(pc.starts_with(texts, "0")).as_py()
    return int(lengths[0].as_py()) if len(lengths) == 1 and zeros else 0


@dataclass(frozen=True)
class Coordinates:
    """Latitudes or longitudes, or both as text, inside the column's own range."""

    name: str = "coordinates"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """A range in whole degrees."""
        present = values.drop_null()
        low, high = 0.0, 60.0
        if len(present) >= k and not pa.types.is_string(present.type):
            numbers = present.to_numpy(zero_copy_only=False)
            low, high = math.floor(np.nanmin(numbers)), math.ceil(np.nanmax(numbers))
        return {"low": low, "high": max(high, low + 1), "unique": unique, "kind": str(column.kind),
                "scale": 6 if column.scale is None else column.scale,
                "limit": column.length}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One place for every index."""
        index = positions(index)
        scale = 10 ** state["scale"]
        size = int((state["high"] - state["low"]) * scale)
        number, _ = shuffle(index, size, key=key)
        degrees = number.astype(np.float64) / scale + state["low"]
        if state["kind"] in ("decimal", "float"):
            return pa.array(np.round(degrees, state["scale"]))
        other = np.round(uniform(subkey(key, 1), index) * 60, 6)
        text = pc.binary_join_element_wise(plain(np.round(degrees, 6)), plain(other), ",")
        return within(text, index, key=key, limit=state["limit"], unique=state["unique"])
