"""Check digits of codes: which one all codes of a column have, and codes that have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Digits = npt.NDArray[np.int64]
Characters = npt.NDArray[np.uint8]

_LEAST = 4  # marks, and codes, by chance right are told from check digits by so many
_ZERO, _A, _X = ord("0"), ord("A"), ord("X")
_TEN = 10


@dataclass(frozen=True, slots=True)
class Check:
    """A way to compute the last marks of a code from those before.

    Attributes:
        width: How many marks are computed.
        of: The number that the marks before give; what is computed of no code is -1.
        letters: Whether letters count, by their place after 9; else digits alone do.
        moved: How many marks stand before the computed ones and count behind all others.
    """

    width: int
    of: Callable[[Digits], Digits]
    letters: bool = False
    moved: int = 0

    def holds(self, marks: Digits) -> bool:
        """Whether codes of one length, a row each, have the right marks."""
        body, told = self._parts(marks)
        if body.shape[1] < _LEAST - 1:
            return False
        number = told[:, 0] if self.width == 1 else told[:, 0] * _TEN + told[:, 1]
        return bool(((self.of(body) == number) & (told < _TEN + (self.width == 1)).all(1)).all())

    def _parts(self, marks: Digits) -> tuple[Digits, Digits]:
        if not self.moved:
            return marks[:, : -self.width], marks[:, -self.width :]
        head, told = marks[:, : self.moved], marks[:, self.moved : self.moved + self.width]
        return np.concatenate([marks[:, self.moved + self.width :], head], axis=1), told

    def places(self, marked: Sequence[int]) -> list[int]:
        """Those of the places of all marks whose marks are computed."""
        start = self.moved if self.moved else len(marked) - self.width
        return list(marked[start : start + self.width])


def _luhn(digits: Digits) -> Digits:
    """ISO/IEC 7812."""
    doubled = digits * np.where(np.arange(digits.shape[1])[::-1] % 2 == 0, 2, 1)
    found: Digits = -np.where(doubled > 9, doubled - 9, doubled).sum(axis=1) % _TEN
    return found


def _ean(digits: Digits) -> Digits:
    """GS1, with a weight of 3."""
    odd = np.arange(digits.shape[1])[::-1] % 2 == 0
    found: Digits = -(digits * np.where(odd, 3, 1)).sum(axis=1) % _TEN
    return found


def _mod11(digits: Digits) -> Digits:
    """ISBN-10 and ISSN: 10 is written X."""
    weights = np.arange(digits.shape[1], 0, -1) + 1
    found: Digits = -(digits * weights).sum(axis=1) % 11
    return found


def _rest(marks: Digits) -> Digits:
    """The rest of a number of any length by 97; letters are two digits of it."""
    rest = np.zeros(len(marks), np.int64)
    for column in marks.T:
        rest = (rest * np.where(column < _TEN, _TEN, 100) + column) % 97
    return rest


def _iso97(marks: Digits) -> Digits:
    """ISO/IEC 7064, mod 97-10, as in LEI and in references to creditors."""
    return 98 - _rest(marks) * 100 % 97


def _mod97(digits: Digits) -> Digits:
    """The rest itself, 97 for none, as in Belgian references of payments."""
    rest = _rest(digits)
    return np.where(rest == 0, 97, rest)


def _minus97(digits: Digits) -> Digits:
    """What is missing to 97, as in Belgian and French numbers of persons."""
    return 97 - _rest(digits)


CHECKS = {
    "luhn": Check(1, _luhn),
    "ean": Check(1, _ean),
    "mod11": Check(1, _mod11, letters=True),
    "mod97": Check(2, _mod97),
    "minus97": Check(2, _minus97),
    "iso97": Check(2, _iso97),
    "lei": Check(2, _iso97, letters=True),
    "reference": Check(2, _iso97, letters=True, moved=2),
}


def checksum_of(texts: Sequence[str]) -> str:
    """The check that all codes meet, a name of `CHECKS`, or nothing."""
    codes = {"".join(c for c in text.upper() if c.isascii() and c.isalnum()) for text in texts}
    if len(codes) < _LEAST:
        return ""
    for name, check in CHECKS.items():
        marked = codes if check.letters else {"".join(filter(str.isdigit, c)) for c in codes}
        if min(map(len, marked)) < _LEAST:
            continue
        if name == "mod11" and not all(code[:-1].isdigit() for code in marked):
            continue
        if all(check.holds(rows) for rows in _by_length(marked, x=name == "mod11")):
            return name
    return ""


def _by_length(codes: set[str], *, x: bool) -> list[Digits]:
    """The marks of codes as numbers, those of each length in one array."""
    lengths = sorted({len(code) for code in codes})
    found = []
    for length in lengths:
        rows = "".join(code for code in codes if len(code) == length).encode()
        marks = values_of(np.frombuffer(rows, np.uint8).reshape(-1, length))
        if x:
            marks = np.where(marks == _X - _A + _TEN, _TEN, marks)
        found.append(marks)
    return found


def values_of(characters: Characters) -> Digits:
    """Digits and capitals as numbers: 0 to 9, then A is 10."""
    marks = characters.astype(np.int64)
    found: Digits = np.where(marks < _A, marks - _ZERO, (marks & 0xDF) - _A + _TEN)
    return found


def marked_places(row: Sequence[int] | Characters, name: str) -> list[int]:
    """The places of the characters of a code that count for a check."""
    letters = CHECKS[name].letters
    return [i for i, c in enumerate(row) if chr(c).isdigit() or (letters and chr(c).isalpha())]


def with_check_digit(characters: Characters, name: str) -> Characters:
    """Codes of one shape, as rows of ASCII characters, with the right marks in their places."""
    check = CHECKS[name]
    marked = marked_places(characters[0], name) if len(characters) else []
    if len(marked) <= check.width + check.moved:
        return characters
    computed = check.places(marked)
    others = [place for place in marked if place not in computed]
    others = others[check.moved :] + others[: check.moved]
    number = check.of(values_of(characters[:, others]))
    out = characters.copy()
    for place in reversed(computed):
        number, digit = (number, number) if check.width == 1 else np.divmod(number, _TEN)
        out[:, place] = np.where(digit == _TEN, _X, _ZERO + digit)
    return out
