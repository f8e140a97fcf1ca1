"""Building blocks for drawing arrays of strings: numbers as text, permutations, casing, lengths.

Everything is a pure function of positions, so a block of rows can be drawn alone.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.randomness import UInt64, hashed

Bytes = npt.NDArray[np.uint8]
BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"
_ENDS = (".Com", ".Org", ".Net")  # of domains, which nobody writes so
_TIGHT = 3  # so short codes need all of their room
CODE_WIDTH = 9
"""Length of a code that tells any two positions below 2**40 apart and begins with a digit."""


def positions(index: npt.ArrayLike) -> UInt64:
    """The positions as unsigned numbers."""
    return np.asarray(index).astype(np.uint64)


def choose(key: int, index: UInt64, count: int) -> npt.NDArray[np.int64]:
    """A number below ``count`` for every position."""
    return (hashed(key, index) % np.uint64(max(count, 1))).astype(np.int64)


def pick(words: pa.Array, key: int, index: UInt64) -> pa.Array:
    """A word for every position."""
    return words.take(pa.array(choose(key, index, len(words))))


def weighted(key: int, index: UInt64, weights: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The number of a weight for every position, in proportion to the weights."""
    cumulative = np.cumsum(np.asarray(weights, np.float64))
    points = (hashed(key, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    found = np.searchsorted(cumulative, points * cumulative[-1], side="right")
    places: npt.NDArray[np.int64] = np.minimum(found, len(cumulative) - 1).astype(np.int64)
    return places


Sizes = int | UInt64


def shuffle_pair(
    index: UInt64, first: Sizes, second: Sizes, *, key: int
) -> tuple[UInt64, UInt64, UInt64]:
    """Positions as (a, b, round) with a < first and b < second, different for each position.

    Within a round it is a random-looking bijection: a Feistel network with modular addition.  The
    sizes may differ from row to row; then positions differ among rows of the same sizes.
    """
    many, few = np.asarray(first, np.uint64), np.asarray(second, np.uint64)
    rounds, rest = np.divmod(index, many * few)
    b, a = np.divmod(rest, many)
    with np.errstate(over="ignore"):
        a = (a + hashed(key, b) % many) % many
        b = (b + hashed(key + 1 & 2**64 - 1, a) % few) % few
        a = (a + hashed(key + 2 & 2**64 - 1, b) % many) % many
    return a, b, rounds


def shuffle(index: UInt64, size: int, *, key: int) -> tuple[UInt64, UInt64]:
    """Positions as (number below size, round), different for each position."""
    if size <= 1:
        return np.zeros_like(index), index
    side = int(np.ceil(np.sqrt(size)))
    rounds, number = np.divmod(index, np.uint64(size))
    outside = np.ones(len(index), bool)
    while outside.any():  # walks along cycles until the number is below size
        a, b, _ = shuffle_pair(number[outside], side, side, key=key)
        number[outside] = a + b * np.uint64(side)
        outside = number >= np.uint64(size)
    return number, rounds


def from_matrix(characters: Bytes) -> pa.Array:
    """Strings from rows of ASCII characters, all of one length."""
    rows, width = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    data = pa.py_buffer(np.ascontiguousarray(characters).tobytes())
    large = pa.Array.from_buffers(
        pa.large_string(), rows, [None, pa.py_buffer(offsets.tobytes()), data]
    )
    return large.cast(pa.string())


def digits_of(number: UInt64, base: int, width: int) -> npt.NDArray[np.uint8]:
    """The digits of numbers in a base, most significant first, as a matrix."""
    out = np.empty((len(number), width), np.uint8)
    rest = number
    for column in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, np.uint64(base))
        out[:, column] = digit
    return out


def fixed(number: UInt64, width: int, alphabet: bytes = BASE36) -> pa.Array:
    """Numbers as text of a fixed width in the given alphabet."""
    letters = np.frombuffer(alphabet, np.uint8)
    return from_matrix(letters[digits_of(number, len(alphabet), width)])


def plain(number: npt.NDArray[Any]) -> pa.Array:
    """Numbers as decimal text without leading zeros."""
    return pc.cast(pa.array(number), pa.string())


def code(index: UInt64, *, key: int) -> pa.Array:
    """A code of nine characters, the first a digit, different for each position below 2**40."""
    rest, first = np.divmod(index, np.uint64(10))
    a, b, _ = shuffle_pair(rest, 36**4, 36**4, key=key)
    return joined(fixed(first, 1), fixed(a, 4), fixed(b, 4))


def short_code(index: UInt64, width: int, *, key: int) -> pa.Array:
    """A code of at most eight characters, the first a digit where there is room for one.

    No name begins so, which keeps codes and names apart.
    """
    if width > _TIGHT:
        rest, first = np.divmod(index, np.uint64(10))
        number, _ = shuffle(rest, 36 ** (width - 1), key=key)
        return joined(fixed(first, 1), fixed(number, width - 1))
    left, right = (width + 1) // 2, width // 2
    a, b, _ = shuffle_pair(index, 36**left, 36**right, key=key)
    return joined(fixed(a, left), fixed(b, right)) if right else fixed(a, left)


def joined(*parts: pa.Array | str, separator: str = "") -> pa.Array:
    """The parts of each row, one after the other."""
    return pc.binary_join_element_wise(*parts, separator)


def where(mask: npt.NDArray[np.bool_], yes: pa.Array | str, no: pa.Array | str) -> pa.Array:
    """``yes`` where the mask is true, else ``no``."""
    if isinstance(yes, str) and isinstance(no, str):
        return pa.array([no, yes]).take(pa.array(mask.astype(np.int8)))
    return pc.if_else(pa.array(mask), yes, no)


def within(
    values: pa.Array, index: UInt64, *, key: int, limit: int | None, unique: bool
) -> pa.Array:
    """The values, shortened to the limit, by whole words where half of it remains.

    Unique ones stay unique by a code at their end.
    """
    if limit is None:
        return values
    long = pc.greater(pc.utf8_length(values), limit)
    if not pc.any(long).as_py():
        return values
    if not unique:
        cut = pc.utf8_slice_codeunits(values, 0, limit)
        inside = pc.not_equal(pc.utf8_slice_codeunits(values, limit, limit + 1), " ")
        words = pc.replace_substring_regex(cut, rf"^(.{{{limit // 2},}})\s\S*$", r"\1")
        cut = pc.utf8_rtrim(pc.if_else(inside, words, cut), " ,-/")
        return pc.if_else(long, cut, values)
    if limit <= CODE_WIDTH:
        return pc.if_else(long, short_code(index, max(1, min(limit, 8)), key=key), values)
    cut = pc.utf8_slice_codeunits(values, 0, limit - CODE_WIDTH - 1)
    return pc.if_else(long, joined(cut, code(index, key=key), separator="-"), values)


def scatter(
    chosen: npt.NDArray[np.int64], parts: list[tuple[npt.NDArray[np.int64], pa.Array]]
) -> pa.Array:
    """One array from parts that belong at given places."""
    places = np.concatenate([at for at, _ in parts]) if parts else np.arange(0)
    order = np.empty(len(chosen), np.int64)
    order[places] = np.arange(len(chosen))
    return pa.concat_arrays([part for _, part in parts]).take(pa.array(order))


def length_quantiles(values: pa.Array, points: int = 21) -> list[int]:
    """Quantiles of the lengths in characters."""
    lengths = pc.utf8_length(values.drop_null()).to_numpy(zero_copy_only=False)
    if not len(lengths):
        return []
    return [int(q) for q in np.quantile(lengths, np.linspace(0, 1, points), method="nearest")]


def drawn_lengths(quantiles: list[int], key: int, index: UInt64) -> npt.NDArray[np.int64]:
    """A length for every position, from the quantiles."""
    points = (hashed(key, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    at = points * (len(quantiles) - 1)
    lengths = np.interp(at, np.arange(len(quantiles)), np.asarray(quantiles, np.float64))
    return np.rint(lengths).astype(np.int64)


def frequent(values: pa.Array, k: int) -> tuple[pa.Array, npt.NDArray[np.int64], float]:
    """The values seen at least ``k`` times, how often, and their share of all values."""
    counted = pc.value_counts(values.drop_null())
    names, counts = counted.field("values"), counted.field("counts").to_numpy()
    keep = counts >= k
    share = float(counts[keep].sum() / counts.sum()) if len(counts) else 0.0
    order = np.argsort(-counts[keep], kind="stable")
    kept = names.filter(pa.array(keep)).take(pa.array(order))
    return kept, counts[keep][order].astype(np.int64), share


def subkey(key: int, salt: int) -> int:
    """Another stream beside ``key``."""
    return int(hashed(key, np.array([salt + 1_000_003]))[0])


def recased(values: pa.Array, style: str) -> pa.Array:
    """The values in upper or lower case, with a capital at each name in them, or as they are."""
    match style:
        case "upper":
            return cast(pa.Array, pc.utf8_upper(values))
        case "lower":
            return cast(pa.Array, pc.utf8_lower(values))
        case "capital":
            found = pc.utf8_title(values)
            for end in _ENDS:
                found = pc.replace_substring_regex(found, f"{end}$", end.lower())
            return found
        case _:
            return values


def mail_style(values: pa.Array) -> str:
    """As `case_style`, of logins and addresses; ``capital`` where names in them are written so."""
    style, texts = case_style(values), values.drop_null()
    if style in ("upper", "lower") or not len(texts):
        return style
    locals_ = pc.replace_substring_regex(texts, "@.*", "")
    named = pc.equal(locals_, pc.utf8_title(locals_))
    return "capital" if pc.mean(named.cast(pa.float64())).as_py() > 0.6 else style


def case_style(values: pa.Array) -> str:
    """``upper``, ``lower``, ``title`` or ``mixed``: how most of the values are written."""
    texts = values.drop_null()
    if not len(texts):
        return "mixed"
    letters = pc.match_substring_regex(texts, r"\p{L}")
    texts = texts.filter(letters)
    if not len(texts):
        return "mixed"

    def share(same: pa.Array) -> float:
        return float(pc.mean(pc.cast(pc.equal(texts, same), pa.float64())).as_py())

    if share(pc.utf8_upper(texts)) > 0.8:
        return "upper"
    if share(pc.utf8_lower(texts)) > 0.8:
        return "lower"
    return "title" if share(pc.utf8_title(texts)) > 0.6 else "mixed"
