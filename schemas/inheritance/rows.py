"""Rows of `inheritance`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    return {
        "vehicle": [(i, f"V-{i:04d}", random.choice((2, 4, 4))) for i in range(1, 61)],
        "lorry": [(i, f"L-{i:04d}", random.choice((6, 8)), i / 4) for i in range(101, 141)],
        "trip": [(i, random.randint(101, 140), random.randint(5, 900)) for i in range(1, 151)],
    }
