"""What codes may look like by the regular expressions of CHECKs."""

from __future__ import annotations

import re

_DIGITS, _UPPER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CLASSES = {"d": _DIGITS, "w": _UPPER + _DIGITS}
_STATED = re.compile(
    r"(?:~\*?|\bREGEXP\b|\bRLIKE\b|\bSIMILAR TO\b|\bGLOB\b)\s*\(?\s*(?:E)?'((?:[^']|'')*)'", re.I
)
_TOKEN = re.compile(r"(\[\^?[^\]]+\]|\\.|[^\[\]\\{}*+?()|^$.])(\{(\d+)(,(\d*))?\}|[*+?])?")
_MOST = 12  # characters of a part without a limit
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
