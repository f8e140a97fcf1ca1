"""Limits of numbers that a CHECK of the schema names, which are public as the schema is."""

from __future__ import annotations

import re

from dbsynth.schema import Column, Table

ENDLESS = (float("-inf"), float("inf"))
_OTHERWISE = re.compile(r"\b(or|not|case)\b", re.IGNORECASE)
_NUMBER = r"\(?\'?(-?\d+(?:\.\d+)?)"


def limits_of(table: Table, column: Column) -> tuple[float, float]:
    """The least and the largest number that the CHECKs about a column alone allow; else endless.

    What is not understood says nothing, and a number outside of limits becomes the nearest inside.
    """
    low, high = ENDLESS
    for check in table.checks:
        if check.columns != (column.name,) or _OTHERWISE.search(check.sql):
            continue
        for sign, number in _compared(check.sql, column):
            least = _above(float(number), column) if sign == ">" else float(number)
            most = _below(float(number), column) if sign == "<" else float(number)
            low = max(low, least) if sign in (">", ">=") else low
            high = min(high, most) if sign in ("<", "<=") else high
    return (low, high) if low <= high else ENDLESS


def _compared(sql: str, column: Column) -> list[tuple[str, str]]:
    # Not behind a word and a parenthesis, which is a function of the column.
    name = rf"(?<![\w.])(?<!\w\()[\"`\[]?{re.escape(column.name)}[\"`\]]?(?:\)?::\w+)?\)?"
    found = re.findall(rf"{name}\s*(>=|<=|>|<)\s*{_NUMBER}", sql, re.IGNORECASE)
    for low, high in re.findall(
        rf"{name}\s+between\s+{_NUMBER}\D*?\s+and\s+{_NUMBER}", sql, re.IGNORECASE
    ):
        found += [(">=", low), ("<=", high)]
    return found


def _above(number: float, column: Column) -> float:
    return number + 10.0 ** -(column.scale or 0)


def _below(number: float, column: Column) -> float:
    return number - 10.0 ** -(column.scale or 0)
