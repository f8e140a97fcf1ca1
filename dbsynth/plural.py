"""Numbers of things in words."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """A number of things.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "entity")
    ('1 row', '1,200 rows', '2 entities')
    """
    if number == 1:
        return f"1 {thing}"
    return f"{number:,} " + (thing[:-1] + "ies" if thing.endswith("ty") else f"{thing}s")


def do(number: int, verb: str) -> str:
    """A verb as so many things do it.

    >>> do(1, "hold"), do(2, "hold"), do(1, "are"), do(0, "are")
    ('holds', 'hold', 'is', 'are')
    """
    if number != 1:
        return verb
    return {"are": "is", "do": "does", "have": "has"}.get(verb, f"{verb}s")
