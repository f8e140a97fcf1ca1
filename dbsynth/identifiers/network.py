"""Providers of machine-made identifiers: addresses of networks and devices, UUIDs, tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.strings import (
    BASE36,
    Bytes,
    case_style,
    digits_of,
    drawn_lengths,
    fixed,
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
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

_HEX = b"0123456789abcdef"
_NETS = pa.array(["192.0.2.", "198.51.100.", "203.0.113."])
_HEXLETTERS = np.frombuffer(_HEX, np.uint8)
_WIDEST_V4 = 15
_WIDE = 16  # so many random characters do not repeat


def _hex(number: UInt64, width: int) -> pa.Array:
    return fixed(number, width, _HEX)


def ipv4(index: UInt64, *, key: int) -> pa.Array:
    """Addresses of the networks reserved for documentation (RFC 5737); only 762 of them."""
    number, _ = shuffle(index, 3 * 254, key=key)
    net, host = np.divmod(number, np.uint64(254))
    return joined(_NETS.take(pa.array(net)), plain(host + np.uint64(1)))


def ipv6(index: UInt64, *, key: int) -> pa.Array:
    """Addresses of 2001:db8::/32 (RFC 3849), different for every index."""
    number, rounds = shuffle(index, 2**40, key=key)
    tail = [_hex((number >> np.uint64(shift)) & np.uint64(0xFFFF), 4) for shift in (32, 16, 0)]
    return joined("2001:db8", _hex(rounds & np.uint64(0xFFFF), 4), *tail[:1], "", *tail[1:],
                  separator=":")  # fmt: skip


@dataclass(frozen=True)
class Address:
    """IP addresses of the ranges reserved for documentation."""

    name: str = "ip"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Shares of version 6 and of addresses with a network mask."""
        texts = values.drop_null()
        six = pc.match_substring(texts, ":")
        masked = pc.match_substring(texts, "/")
        share = (pc.mean(pc.cast(six, pa.float64())).as_py() or 0.0) if len(texts) >= k else 0.0
        mask = (pc.mean(pc.cast(masked, pa.float64())).as_py() or 0.0) if len(texts) >= k else 0.0
        fits = column.length is None or column.length >= 32
        return {"unique": unique, "limit": column.length, "six": round(share, 2) if fits else 0.0,
                "fits": fits, "mask": mask > 0.5}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One address for every index; unique ones go over to version 6 when version 4 is full."""
        index = positions(index)
        points = (hashed(subkey(key, 1), index) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        six = points < state["six"]
        if state["unique"] and state["fits"]:
            six |= index >= np.uint64(762)
        values = where(six, ipv6(index, key=key), ipv4(index, key=key))
        if state["mask"]:
            values = joined(values, where(six, "/128", "/32"))
        limit = state["limit"]
        if limit is not None and limit < _WIDEST_V4:
            if state["unique"]:
                return short_code(index, min(limit, 8), key=key)
            return within(values, index, key=key, limit=limit, unique=False)
        if state["unique"] and not state["fits"]:
            values = where(index >= np.uint64(762), short_code(index, 8, key=key), values)
        return values


@dataclass(frozen=True)
class Mac:
    """Hardware addresses with the locally administered bit."""

    name: str = "mac"
    groups: int = 6

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Separator and casing."""
        texts = values.drop_null()
        dashes = pc.sum(pc.match_substring(texts, "-")).as_py() or 0
        dashed = len(texts) >= k and dashes > len(texts) / 2
        return {"separator": "-" if dashed else ":", "unique": unique, "limit": column.length,
                "case": case_style(texts) if len(texts) >= k else "lower"}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One address for every index, all different below 2**40."""
        index = positions(index)
        number, _ = shuffle(index, 2**40, key=key)
        parts = [_hex((number >> np.uint64(8 * i)) & np.uint64(0xFF), 2) for i in range(5)]
        filler = ["00"] * (self.groups - 6)
        values = recased(joined("02", *filler, *parts, separator=state["separator"]), state["case"])
        return within(values, index, key=key, limit=state["limit"], unique=state["unique"])


@dataclass(frozen=True)
class Uuid:
    """Random UUIDs of version 4."""

    name: str = "uuid"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Casing and whether dashes are written."""
        texts = values.drop_null()
        dashes = pc.sum(pc.match_substring(texts, "-")).as_py() or 0
        narrow = column.length is not None and column.length < 36
        known = len(texts) >= k
        return {"dashes": not (narrow or (known and not dashes)), "unique": unique,
                "limit": column.length if narrow else None,
                "case": case_style(texts) if known else "lower"}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One UUID for every index; 58 bits of it are a bijection of the index."""
        index = positions(index)
        matrix = _hex_matrix(index, key=key)
        matrix[:, 12] = ord("4")
        matrix[:, 16] = _HEXLETTERS[8 + (np.searchsorted(_HEXLETTERS, matrix[:, 16]) & 3)]
        if state["dashes"]:
            matrix = np.insert(matrix, (8, 12, 16, 20), ord("-"), axis=1)
        values = recased(from_matrix(matrix), state["case"])
        return within(values, index, key=key, limit=state["limit"], unique=state["unique"])


def _hex_matrix(index: UInt64, *, key: int) -> Bytes:
    halves = [hashed(key, index), hashed(subkey(key, 7), index)]
    packed = np.stack(halves, axis=1).byteswap().view(np.uint8).reshape(len(index), 16)
    out = np.empty((len(index), 32), np.uint8)
    out[:, 0::2] = _HEXLETTERS[packed >> 4]
    out[:, 1::2] = _HEXLETTERS[packed & 15]
    return out


@dataclass(frozen=True)
class Token:
    """Hashes, passwords, keys and other random strings, of the column's alphabet and length."""

    name: str = "token"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Alphabet and lengths."""
        texts = values.drop_null()
        known = len(texts) >= k
        limit = column.length
        lengths = length_quantiles(texts, 11) if known else [min(limit or 32, 32)]
        lengths = [max(1, min(n, limit or n, 512)) for n in lengths]
        return {"unique": unique, "lengths": lengths,
                "alphabet": _alphabet(texts) if known else _HEX.decode()}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One random string for every index."""
        index = positions(index)
        lengths = state["lengths"]
        width = max(lengths)
        letters = np.frombuffer(state["alphabet"].encode(), np.uint8)
        if width < _WIDE and state["unique"]:
            return _counted(letters, width, index, key=key)
        values = from_matrix(_random_characters(letters, width, index, key=key))
        if min(lengths) == width:
            return values
        size = drawn_lengths(lengths, subkey(key, 8), index)
        if state["unique"]:
            size = np.maximum(size, _WIDE)
        return _cut(values, size, width)


def _counted(letters: Bytes, width: int, index: UInt64, *, key: int) -> pa.Array:
    """Strings of a fixed width, different for each index as far as they go."""
    lower = np.unique(np.frombuffer(letters.tobytes().lower(), np.uint8))
    if len(lower) ** width < 2**40:
        lower = np.frombuffer(BASE36, np.uint8)
    size = min(len(lower) ** width, 2**60)
    number, _ = shuffle(index, size, key=key)
    return from_matrix(lower[digits_of(number, len(lower), width)])


def _random_characters(letters: Bytes, width: int, index: UInt64, *, key: int) -> Bytes:
    out = np.empty((len(index), width), np.uint8)
    for start in range(0, width, 8):
        word = hashed(subkey(key, start), index)
        for column in range(start, min(start + 8, width)):
            part = (word >> np.uint64(8 * (column - start))) & np.uint64(0xFF)
            out[:, column] = letters[(part.astype(np.int64) * len(letters)) >> 8]
    return out


def _cut(values: pa.Array, size: npt.NDArray[np.int64], width: int) -> pa.Array:
    """ASCII values of one width, each cut to its own size."""
    ends = np.cumsum(np.minimum(size, width))
    mask = np.arange(width)[None, :] < np.minimum(size, width)[:, None]
    data = np.frombuffer(values.buffers()[2], np.uint8)[: len(values) * width]
    kept = data.reshape(len(values), width)[mask]
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    return pa.Array.from_buffers(
        pa.string(),
        len(values),
        [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(kept.tobytes())],
    )


def _alphabet(texts: pa.Array) -> str:
    """The smallest usual alphabet that nearly all values are written in."""
    lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
    for pattern, alphabet in (
        (r"^[0-9]*$", digits),
        (r"^[0-9a-f]*$", _HEX.decode()),
        (r"^[0-9A-F]*$", _HEX.decode().upper()),
        (r"^[0-9a-z]*$", digits + lower),
        (r"^[0-9A-Z]*$", digits + upper),
    ):
        if pc.mean(pc.cast(pc.match_substring_regex(texts, pattern), pa.float64())).as_py() > 0.9:
            return alphabet
    return digits + lower + upper
