"""Texts that a CHECK of the schema asks for, made from its regular expression alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from random import Random

from dbsynth.schema import Column, Table

_PATTERN = re.compile(r"(~|\bglob\b)\s*(?:E)?'((?:[^']|'')*)'", re.IGNORECASE)
_CASE = re.compile(r"^\W*(\w+)\W[\w\s:.()]*=\s*\(?(lower|upper)\s*\(\W*\1\b", re.IGNORECASE)
_LETTERS = {"lower": "^[a-z]{4,9}$", "upper": "^[A-Z]{4,9}$"}
_GLOB = re.compile(r"\[[^\]]*\]|.", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<set>\[\^?\]?[^\]]*\])|(?P<escaped>\\.)|(?P<plain>[^\\\[\](){}?*+|^$])"
    r"|(?P<times>\{(\d+)(,(\d*))?\}|[?*+])|(?P<anchor>[\^$])"
)
_ESCAPED = {"d": "0-9", "w": "A-Za-z0-9_"}
_EXAMPLES, _MOST = 200, 8


def examples(table: Table, column: Column) -> list[str]:
    """Texts that match the regular expressions of all CHECKs about a column alone, or its case.

    Empty where there is none, or one that is not understood (groups and alternatives are not).
    """
    patterns = _patterns(table, column)
    if not patterns:
        return []
    parts = list(_parts(patterns[0]))
    random = Random(0)  # examples of a public form
    drawn = {"".join(_drawn(parts, random)) for _ in range(_EXAMPLES)} if parts else set()
    longest = column.length or 2**31
    return sorted(
        text
        for text in drawn
        if len(text) <= longest and all(re.search(pattern, text) for pattern in patterns)
    )


def possible(table: Table, column: Column) -> float:
    """How many texts the first of the regular expressions allows; endless where there is none."""
    patterns = _patterns(table, column)
    parts = list(_parts(patterns[0])) if patterns else []
    if not parts:
        return math.inf
    return float(
        math.prod(
            sum(float(len(set(characters))) ** n for n in range(low, high + 1))
            for characters, low, high in parts
        )
    )


def _patterns(table: Table, column: Column) -> list[str]:
    """The regular expressions of all CHECKs about a column alone, or its case as one."""
    patterns = [
        _expression(match[1], match[2].replace("''", "'"))
        for check in table.checks
        if check.columns == (column.name,)
        for match in _PATTERN.finditer(check.sql)
    ]
    patterns += [
        _LETTERS[match[2].lower()]
        for check in table.checks
        if not patterns and check.columns == (column.name,) and (match := _CASE.search(check.sql))
    ]
    return patterns


def _expression(sign: str, pattern: str) -> str:
    """A pattern as a regular expression; that of SQLite's GLOB is about the whole text."""
    if sign == "~":
        return pattern
    meant = {"*": ".*", "?": "."}
    parts = (
        part if len(part) > 1 else meant.get(part, re.escape(part))
        for part in _GLOB.findall(pattern)
    )
    return f"^{''.join(parts)}$"


def _parts(pattern: str) -> Iterator[tuple[str, int, int]]:
    """Characters to choose from, and how often; nothing where the form is not understood."""
    at = 0
    found: list[tuple[str, int, int]] = []
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return
        at = token.end()
        if token["times"]:
            if not found:
                return
            low, high = _times(token)
            found[-1] = (found[-1][0], low, high)
        elif not token["anchor"]:
            characters = _characters(token)
            if not characters:
                return
            found.append((characters, 1, 1))
    yield from found


def _times(token: re.Match[str]) -> tuple[int, int]:
    text = token["times"]
    if text in "?*+":
        return int(text == "+"), 1 if text == "?" else _MOST
    low, _, high = text[1:-1].partition(",")
    most = int(high) if high else int(low) + (_MOST if "," in text else 0)
    return int(low), most


def _characters(token: re.Match[str]) -> str:
    if token["plain"]:
        return "A" if token["plain"] == "." else token["plain"]
    inside = token["escaped"] or token["set"][1:-1]
    if inside.startswith("^"):
        return ""
    if token["escaped"]:
        inside = _ESCAPED.get(inside[1], re.escape(inside[1]))
        inside = inside[-1] if len(inside) <= 2 else inside
    wanted = re.compile(f"[{inside}]")
    return "".join(c for c in map(chr, range(32, 127)) if wanted.fullmatch(c))


def _drawn(parts: list[tuple[str, int, int]], random: Random) -> Iterator[str]:
    for characters, low, high in parts:
        for _ in range(random.randint(low, high)):
            yield random.choice(characters)
