"""Rows of `lookup`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    currencies = [
        ("XAA", "crown", 2),
        ("XBB", "shell", 0),
        ("XCC", "florin", 2),
        ("XDD", "bead", 3),
    ]
    return {
        "currency": currencies,
        "payment_state": [(1, "open"), (2, "paid"), (3, "failed"), (9, "refunded")],
        "payment": [
            (
                i,
                random.choices(currencies, weights=(8, 3, 2, 1))[0][0],
                random.choices((1, 2, 3, 9), weights=(2, 12, 1, 1))[0],
                round(random.lognormvariate(3, 1), 2),
            )
            for i in range(1, 241)
        ],
    }
