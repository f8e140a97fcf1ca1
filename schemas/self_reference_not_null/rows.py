"""Rows of `self_reference_not_null`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    return {
        "department": [
            (
                i,
                i if i <= 4 else random.randint(1, i - 1),
                f"Department {i}",
                random.randint(1, 90) * 1000,
            )
            for i in range(1, 81)
        ]
    }
