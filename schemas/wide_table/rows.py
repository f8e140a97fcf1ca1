"""Rows of `wide_table`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    def value(level: float, i: int) -> object:
        if i % 3 and random.random() < 0.15:
            return None
        noisy = level * i + random.gauss(0, 3)
        options = (
            int(noisy),
            round(noisy * 1.5, 2),
            f"group {int(noisy) % 7}",
            noisy > 0,
            date(2024, 1, 1) + timedelta(days=int(noisy)),
        )
        return options[i % 5]

    rows_: list[tuple[object, ...]] = []
    for key in range(1, 201):
        level = random.gauss(0, 2)
        rows_.append((key, *(value(level, i) for i in range(1, 80))))
    return {"wide": rows_}
