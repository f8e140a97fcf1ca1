"""Rows of `no_columns_to_model`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    pairs = {
        (random.randint(1, 40), min(random.randint(1, 40), random.randint(1, 40)))
        for _ in range(150)
    }
    return {
        "node": [(i,) for i in range(1, 41)],
        "edge": [(a, b) for a, b in sorted(pairs) if a != b],
    }
