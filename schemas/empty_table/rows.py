"""Rows of `empty_table`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    first = ("Ilse", "Juno", "Kai", "Lorne")
    return {"customer": [(i, f"{random.choice(first)} Example {i}") for i in range(1, 51)]}
