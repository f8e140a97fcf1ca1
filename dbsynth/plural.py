"""Numbers of things in words."""

from __future__ import annotations


def counted(number: int, thing: str, things: str = "") -> str:
    """A number of things.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "entity", "entities")
    ('1 row', '1,200 rows', '2 entities')
    """
    return f"1 {thing}" if number == 1 else f"{number:,} {things or thing + 's'}"


def do(number: int, verb: str) -> str:
    """A verb as so many things do it.

    >>> do(1, "hold"), do(2, "hold"), do(1, "are"), do(0, "are")
    ('holds', 'hold', 'is', 'are')
    """
    if number != 1:
        return verb
    return {"are": "is", "do": "does", "have": "has"}.get(verb, f"{verb}s")
