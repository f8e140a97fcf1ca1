"""Rows of `awkward_names`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    orders = [
        (
            i,
            f"Name {i}",
            random.randint(0, 9),
            random.randint(0, 99999) / 100,
            random.randint(140, 200),
            random.random() * 100,
            random.choice(("p:q", "%s", ":x", None)),
            random.choice(("it's", "{}", "$1")),
            i % 3 == 0,
        )
        for i in range(1, 61)
    ]
    lines = [(i, j, random.choice(("a", "b", None))) for i in range(1, 61) for j in range(i % 4)]
    notes = [(*random.choice(lines)[:2], date(2024, 1, 1) + timedelta(days=i)) for i in range(120)]
    return {
        '"Order"': orders,
        '"group"': lines,
        '"a table.with a name as long as PostgreSQL allows, just 63 bytes"': notes,
    }
