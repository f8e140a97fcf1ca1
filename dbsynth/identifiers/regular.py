"""What codes may look like: regular expressions of CHECKs, and check digits."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_DIGITS, _UPPER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CLASSES = {"d": _DIGITS, "w": _UPPER + _DIGITS}
_STATED = re.compile(
    r"(?:~\*?|\bREGEXP\b|\bRLIKE\b|\bSIMILAR TO\b|\bGLOB\b)\s*\(?\s*(?:E)?'((?:[^']|'')*)'", re.I
)
_TOKEN = re.compile(r"(\[\^?[^\]]+\]|\\.|[^\[\]\\{}*+?()|^$.])(\{(\d+)(,(\d*))?\}|[*+?])?")
_MOST = 12  # characters of a part without a limit
_LEAST = 4  # values by chance right are told from check digits by so many
Place = str
"""The characters that may stand in one place."""


def places_of(sql: str, length: int | None) -> list[Place] | None:
    """The widest row of places that a CHECK with one plain regular expression allows.

    Returns:
        Nothing where there is no such expression, or one of another form.

    >>> places_of("code ~ '^[A-C]{2}-[0-9]$'", None)
    ['ABC', 'ABC', '-', '0123456789']
    """
    found = _STATED.findall(sql)
    if len(found) != 1:
        return None
    pattern = found[0].replace("''", "'").removeprefix("^").removesuffix("$")
    places: list[Place] = []
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return None
        letters = _letters(token[1])
        if not letters:
            return None
        places += [letters] * _times(token)
        at = token.end()
    return places if length is None or len(places) <= length else None


def _times(token: re.Match[str]) -> int:
    """How often a part may be repeated at most."""
    if token[2] is None or token[2] == "?":
        return 1
    if token[3] is None:
        return _MOST
    if token[4] is None:
        return int(token[3])
    return int(token[5]) if token[5] else int(token[3]) + _MOST


def _letters(part: str) -> str:
    if part.startswith("\\"):
        return _CLASSES.get(part[1], part[1] if not part[1].isalnum() else "")
    if not part.startswith("["):
        return part
    inner = part[1:-1]
    if inner.startswith("^"):
        return ""
    letters = ""
    for low, high, single in re.findall(r"(\w)-(\w)|(.)", inner):
        letters += single or "".join(map(chr, range(ord(low), ord(high) + 1)))
    return "".join(dict.fromkeys(c for c in letters if c.isascii()))


def checksum_of(texts: Sequence[str]) -> str:
    """The check digit that all numbers end in: ``luhn``, ``ean``, or nothing."""
    for name, weights in (("luhn", None), ("ean", 3)):
        rows = [[int(c) for c in text if c.isdigit()] for text in texts]
        if len(rows) < _LEAST or any(len(row) < _LEAST for row in rows):
            return ""
        if all(_check_digit(np.array([row[:-1]]), weights)[0] == row[-1] for row in rows):
            return name
    return ""


def with_check_digit(characters: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.uint8]:
    """Codes, as rows of ASCII characters, with the right digit in the place of the last one."""
    first = characters[0] if len(characters) else np.zeros(0, np.uint8)
    places = np.flatnonzero((first >= ord("0")) & (first <= ord("9")))
    if not len(places):
        return characters
    digits = characters[:, places[:-1]].astype(np.int64) - ord("0")
    out = characters.copy()
    out[:, places[-1]] = _check_digit(digits, 3 if name == "ean" else None) + ord("0")
    return out


def _check_digit(digits: npt.NDArray[np.int64], weight: int | None) -> npt.NDArray[np.int64]:
    """Of ISO/IEC 7812 (Luhn), or of GS1 with a weight of 3, for rows of digits."""
    odd = np.arange(digits.shape[1])[::-1] % 2 == 0
    if weight is None:
        doubled = digits * np.where(odd, 2, 1)
        total = np.where(doubled > 9, doubled - 9, doubled).sum(axis=1)
    else:
        total = (digits * np.where(odd, weight, 1)).sum(axis=1)
    found: npt.NDArray[np.int64] = (10 - total % 10) % 10
    return found
