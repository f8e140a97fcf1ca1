"""Providers of machine-made identifiers: addresses of networks and devices, UUIDs, tokens."""

from __future__ import annotations

import ipaddress
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
    weighted,
    where,
    within,
)
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

_HEX = b"0123456789abcdef"
_NETS = pa.array(["192.0.2.", "198.51.100.", "203.0.113."])
_HEXLETTERS = np.frombuffer(_HEX, np.uint8)
_WIDEST_V4 = 15
_WIDEST_V6 = 43  # with the length of a prefix
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
        wide = column.length is None or column.length >= _WIDEST_V6
        return {"unique": unique, "limit": column.length, "six": round(share, 2) if fits else 0.0,
                "fits": fits, "mask": mask > 0.5,
                "prefixes": prefixes(texts, k) if wide and mask else []}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One address for every index; unique ones go over to version 6 when version 4 is full."""
        index = positions(index)
        points = (hashed(subkey(key, 1), index) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        six = points < state["six"]
        if state["unique"] and state["fits"]:
            six |= index >= np.uint64(762)
        values = where(six, ipv6(index, key=key), ipv4(index, key=key))
        if state["prefixes"]:
            values = joined(values, _masks(state["prefixes"], six, index, key))
        elif state["mask"]:
            values = joined(values, where(six, "/128", "/32"))
        limit = state["limit"]
        if limit is not None and limit < _WIDEST_V4:
            if state["unique"]:
                return short_code(index, min(limit, 8), key=key)
            return within(values, index, key=key, limit=limit, unique=False)
        if state["unique"] and not state["fits"]:
            values = where(index >= np.uint64(762), short_code(index, 8, key=key), values)
        return values


def prefixes(texts: pa.Array, k: int) -> list[list[int]]:
    """Version (4 or 6), length of the prefix (-1 for none) and rows of the masks of k rows each."""
    six = pc.if_else(pc.match_substring(texts, ":"), "6", "4")
    found = pc.if_else(pc.match_substring(texts, "/"),
                       pc.replace_substring_regex(texts, "^[^/]*/", ""), "-1")  # fmt: skip
    counted = pc.value_counts(joined(six, " ", found)).to_pylist()
    forms = [[*map(int, one["values"].split()), one["counts"]] for one in counted]
    return sorted(form for form in forms if form[2] >= k)


def _prefix_lengths(
    forms: list[list[int]], six: npt.NDArray[np.bool_], index: UInt64, key: int
) -> npt.NDArray[np.int64]:
    """A length of the prefix for every address of a version; -1 for none."""
    lengths = np.full(len(index), -1, np.int64)
    for version, at in ((4, np.flatnonzero(~six)), (6, np.flatnonzero(six))):
        mine = [form for form in forms if form[0] == version]
        if mine and len(at):
            drawn = weighted(subkey(key, version), index[at], [form[2] for form in mine])
            lengths[at] = np.array([form[1] for form in mine])[drawn]
    return lengths


def _masks(forms: list[list[int]], six: npt.NDArray[np.bool_], index: UInt64, key: int) -> pa.Array:
    lengths = _prefix_lengths(forms, six, index, key)
    return where(lengths < 0, "", joined("/", plain(np.maximum(lengths, 0))))


@dataclass(frozen=True)
class Network:
    """Networks of ranges reserved for documentation, benchmarks and the future, by their size."""

    name: str = "cidr"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Versions and lengths of prefixes."""
        texts = values.drop_null()
        forms = prefixes(texts, k) if len(texts) >= k else []
        return {"unique": unique, "forms": forms or [[4, 24, 1]]}

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One network for every index; where they must differ, each has but one address."""
        index = positions(index)
        if state["unique"]:
            six = index >= np.uint64(762)
            return joined(where(six, ipv6(index, key=key), ipv4(index, key=key)),
                          where(six, "/128", "/32"))  # fmt: skip
        forms = state["forms"]
        chosen = weighted(subkey(key, 1), index, [form[2] for form in forms])
        number = (hashed(subkey(key, 2), index) >> np.uint64(1)).astype(np.int64)
        values = [_network(forms[c][0], forms[c][1], int(n))
                  for c, n in zip(chosen, number, strict=True)]  # fmt: skip
        return pa.array(values, pa.string())


def _network(version: int, prefix: int, number: int) -> str:
    """A network of a reserved block that has room for its size (RFC 1112, 2544, 5737, 9637)."""
    if version == 4:
        blocks = ([(0xC0000200, 24), (0xC6336400, 24), (0xCB007100, 24)] if prefix >= 24 else
                  [(0xC6120000, 15)] if prefix >= 15 else [(0xF0000000, 4)])  # fmt: skip
        width, kind = 32, ipaddress.IPv4Network
    else:
        blocks = [(0x20010DB8 << 96, 32)] if prefix >= 32 else [(0x3FFF << 112, 20)]
        width, kind = 128, ipaddress.IPv6Network  # type: ignore[assignment]
    base, size = blocks[number % len(blocks)]
    inner = max(prefix - size, 0)
    place = (number // 3 % 2**inner) << (width - prefix) if inner else 0
    return str(kind((base + place >> (width - prefix) << (width - prefix), prefix)))


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
