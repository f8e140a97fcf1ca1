"""Rows of `namespaces`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    return {
        "account": [(i, f"Account {i}") for i in range(1, 61)],
        "sales.account": [(i, 2 * i, round(random.lognormvariate(6, 1), 2)) for i in range(1, 31)],
        "support.account": [
            (i, None if i % 3 == 0 else random.randint(1, 30), random.randint(0, 6))
            for i in range(1, 51)
        ],
        '"Field Work".account': [
            (i, random.randint(1, 50), random.choice(("calm", "calm", "tense")))
            for i in range(1, 91)
        ],
        '"Account"': [(i, random.choice((None, i)), "{calm,tense}") for i in range(1, 21)],
    }
