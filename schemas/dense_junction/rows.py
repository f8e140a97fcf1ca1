"""Rows of `dense_junction`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    return {
        "warehouse": [(i, f"Town {i}") for i in range(1, 9)],
        "product": [(i, f"Product {i}", random.randint(100, 9000) / 100) for i in range(1, 31)],
        "stock": [
            (w, p, max(0, int(random.gauss(20, 15)))) for w in range(1, 9) for p in range(1, 31)
        ],
    }
