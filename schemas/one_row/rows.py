"""Rows of `one_row`, all invented."""

from datetime import date
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    return {
        "settings": [(1, "The Invented Shop", date(2020, 2, 29), None)],
        "owner": [(7, "Olive Example")],
        "asset": [(1, 7, random.randint(1, 100000) / 100)],
    }
