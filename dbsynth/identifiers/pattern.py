"""Codes in the shape of the column's own: ALFKI, SKU-0042, 12/345-B."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.checks import CHECKS, checksum_of, marked_places, with_check_digit
from dbsynth.identifiers.network import Token
from dbsynth.identifiers.strings import (
    code,
    frequent,
    from_matrix,
    joined,
    positions,
    scatter,
    shuffle,
    subkey,
    weighted,
    where,
    within,
)
from dbsynth.randomness import UInt64
from dbsynth.schema import Column

_SETS = {
    "9": b"0123456789",
    "A": b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "a": b"abcdefghijklmnopqrstuvwxyz",
}
_MARKS = ((r"[0-9]", "9"), (r"[A-Z]", "A"), (r"[a-z]", "a"), (r"[^\x00-\x7F]", "a"))
_SPARSE = 5  # so many possible codes for each one in use
_HALF_EMPTY = 2  # enough where codes may repeat
_NEAR_UNIQUE = 0.5
_ENOUGH = 0.5  # share of the values that frequent shapes have to cover
_MOST_SHAPES = 40
_CHECKED = 2_000
_SURE = 12  # so many values have a right check digit by chance once in 10**12


@dataclass(frozen=True)
class Pattern:
    """Codes: letters, digits and separators where the column has them.

    A character is kept only where all values of a shape, at least ``k`` different ones, agree.
    Where ``default`` is given, it is the shape to fall back on.
    """

    name: str = "pattern"
    default: str = ""

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """The frequent shapes, each a row of places: a character, or a zero byte and its class."""
        texts = pc.utf8_trim_whitespace(values.drop_null())
        texts = texts.filter(pc.greater(pc.binary_length(texts), 0))
        shapes = _shapes(texts, k)
        if not shapes and len(texts) >= k and not self.default:
            return {"token": Token().fit(column, texts, unique=unique, locale=locale, k=k)}
        if not shapes:
            template = self.default or _blank(column.length)
            shapes = [(["\0" + c if c in _SETS else c for c in template], 1, 0)]
        if self.name == "national_id":
            shapes = [(_never_issued(places), weight, n) for places, weight, n in shapes]
        check = checksum_of(texts[:_CHECKED].to_pylist()) if len(texts) >= max(k, _SURE) else ""
        if check:  # it follows from the others
            shapes = _without_check(shapes, check)
        distinct = pc.count_distinct(texts).as_py()
        if unique:
            shapes = _roomy(shapes, column.length, _SPARSE)
        elif distinct > _NEAR_UNIQUE * len(texts):  # real codes are avoided: there must be others
            shapes = _roomy(shapes, column.length, _HALF_EMPTY)
        return {
            "unique": unique,
            "limit": column.length,
            "shapes": [places for places, _, _ in shapes],
            "weights": [weight for _, weight, _ in shapes],
            "check": check,
            "wide": [_wider(places, check) for places, _, _ in shapes] if unique else [],
        }

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One code for every index."""
        index = positions(index)
        if "token" in state:
            return Token().draw(state["token"], index, key=key)
        chosen = weighted(subkey(key, 1), index, state["weights"])
        parts = []
        for number in range(len(state["shapes"])):
            at = np.flatnonzero(chosen == number)
            if len(at):
                parts.append((at, _drawn(state, number, index[at], key)))
        if not parts:
            return pa.array([], pa.string())
        values = scatter(chosen, parts)
        return within(values, index, key=key, limit=state["limit"], unique=state["unique"])


def _never_issued(places: list[str]) -> list[str]:
    """The shape with a leading 9 where it is that of a social security number."""
    digits = sum(place[-1] == "9" or place.isdigit() for place in places)
    return ["9", *places[1:]] if digits == 9 and places[0] == "\0" + "9" else places


Shape = tuple[list[str], int, int]  # places, rows, distinct values


def _blank(limit: int | None) -> str:
    return "AAA-99999"[: limit or 9] if limit is None or limit >= 9 else "A" * limit


def _marked(texts: pa.Array) -> pa.Array:
    for pattern, mark in _MARKS:
        texts = pc.replace_substring_regex(texts, pattern, mark)
    return texts


def _shapes(texts: pa.Array, k: int) -> list[Shape]:
    marked = _marked(texts)
    found, counts, share = frequent(marked, k)
    if share < _ENOUGH:
        return []
    shapes: dict[str, Shape] = {}
    for shape, count in zip(found[:_MOST_SHAPES].to_pylist(), counts.tolist(), strict=False):
        if not shape.isascii() or len(shape) > 200:
            continue
        members = pc.unique(texts.filter(pc.equal(marked, shape)))
        shapes.setdefault(shape.casefold(), (_places(shape, members, k), count, len(members)))
    return list(shapes.values())


def _places(shape: str, members: pa.Array, k: int) -> list[str]:
    """The shape with characters in place of classes where all members have one character."""
    places = ["\0" + c if c in _SETS else c for c in shape]
    if len(members) < max(k, 2):
        return places
    for at, place in enumerate(places):
        if len(place) > 1:
            seen = pc.unique(pc.utf8_slice_codeunits(members, at, at + 1))
            if len(seen) == 1 and seen[0].as_py().isascii():
                places[at] = seen[0].as_py()
    return places


def _capacity(places: list[str]) -> int:
    size = 1
    for place in places:
        size *= len(_SETS[place[1]]) if len(place) > 1 else 1
    return size


def _roomy(shapes: list[Shape], limit: int | None, sparse: int) -> list[Shape]:
    """Shapes with room for many more codes than are in use; else the commonest, made wider."""
    total = sum(distinct for _, _, distinct in shapes)
    wide = [s for s in shapes if _capacity(s[0]) >= sparse * max(s[2], 1)]
    if sum(s[2] for s in wide) >= _ENOUGH * total:
        return wide
    places, weight, distinct = max(shapes, key=lambda shape: shape[1])
    places = list(places)
    while _capacity(places) < sparse * max(total, 1):
        zero = next((i for i in reversed(range(len(places))) if places[i].isdigit()), None)
        if zero is not None:
            places[zero] = "\0" + "9"
            continue
        if limit is None or len(places) < limit:
            places.append("\0" + ("9" if "\0a" not in places and "\0A" not in places else "A"))
            continue
        letter = next((i for i in reversed(range(len(places))) if places[i].isalpha()), None)
        if letter is None:
            break
        places[letter] = "\0" + "A"
    return [(places, weight, distinct)]


def _without_check(shapes: list[Shape], name: str) -> list[Shape]:
    """The shapes with 0 in the places that a check computes; those that are one then, together."""
    found: dict[str, Shape] = {}
    for places, weight, distinct in shapes:
        marked = marked_places([ord(place[-1]) for place in places], name)
        computed = CHECKS[name].places(marked)
        plain = ["0" if i in computed else place for i, place in enumerate(places)]
        before = found.get("".join(plain), (plain, 0, 0))
        found["".join(plain)] = plain, before[1] + weight, before[2] + distinct
    return list(found.values())


def _wider(places: list[str], check: str) -> list[str]:
    """As `wider`, with what a check computes left alone."""
    if not check:
        return wider(places)
    computed = CHECKS[check].places(marked_places([ord(place[-1]) for place in places], check))
    found = wider(["-" if i in computed else place for i, place in enumerate(places)])
    return ["0" if i in computed else letters for i, letters in enumerate(found)]


def wider(places: list[str], allowed: list[str] | None = None) -> list[str]:
    """The characters of each place of codes that are none of a shape, but of the same form.

    A letter or digit that all codes of the shape have in common may be another one, at least in
    one place.

    Args:
        places: The shape.
        allowed: What a CHECK lets stand in each place; letters and digits in their kind, if None.

    Returns:
        Nothing where there are no such codes.
    """
    found = allowed or [_kin(place) for place in places]
    if len(found) != len(places):  # of another length, so none is of the shape
        return found
    for at, place in enumerate(places):
        others = found[at].replace(place, "") if len(place) == 1 else ""
        if others:
            return [*found[:at], others, *found[at + 1 :]]
    return []


def _kin(place: str) -> str:
    """The characters of the class of a place."""
    if len(place) > 1:
        return _SETS[place[1]].decode()
    kinds = (("isdigit", "9"), ("isupper", "A"), ("islower", "a"))
    of = next((mark for test, mark in kinds if getattr(place, test)()), None)
    return _SETS[of].decode() if of and place.isascii() else place


def _drawn(state: State, shape: int, index: UInt64, key: int) -> pa.Array:
    """Codes of a shape; where it has too few, of one that is wider; at last with more behind."""
    places = state["shapes"][shape]
    check = state.get("check", "")
    number, rounds = shuffle(index, min(_capacity(places), 2**60), key=subkey(key, len(places)))
    values = _coded([_alphabet(place) for place in places], number, check)
    if not state["unique"] or not rounds.any():
        return values
    wide = state["wide"][shape] if state.get("wide") else []
    more = np.flatnonzero(rounds)
    if wide:
        further = index[more] - np.uint64(min(_capacity(places), 2**60))
        size = min(math.prod(len(letters) for letters in wide), 2**60)
        other, turns = shuffle(further, size, key=subkey(key, 77))
        longer = _coded(wide, other, check)
    else:
        longer, turns = values.take(pa.array(more)), rounds[more]
    if turns.any():
        behind = joined(longer, code(turns, key=key), separator="-")
        longer = where(turns == 0, longer, behind)
    return scatter(rounds.astype(np.int64), [
        (np.flatnonzero(rounds == 0), values.filter(pa.array(rounds == 0))), (more, longer),
    ])  # fmt: skip


def _alphabet(place: str) -> str:
    return _SETS[place[1]].decode() if len(place) > 1 else place


def _coded(alphabets: list[str], number: UInt64, check: str) -> pa.Array:
    """Numbers spelt with the characters of each place, the last place running fastest."""
    out = np.empty((len(number), len(alphabets)), np.uint8)
    rest = number
    for at in range(len(alphabets) - 1, -1, -1):
        letters = np.frombuffer(alphabets[at].encode(), np.uint8)
        if len(letters) == 1:
            out[:, at] = letters[0]
            continue
        rest, digit = np.divmod(rest, np.uint64(len(letters)))
        out[:, at] = letters[digit.astype(np.int64)]
    return from_matrix(with_check_digit(out, check) if check else out)


def described(state: State) -> dict[str, Any]:
    """The shapes of a state as templates, for people: ``SKU-9999``."""
    return {"shapes": ["".join(p[-1] for p in places) for places in state.get("shapes", [])]}
