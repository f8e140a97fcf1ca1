"""Rows of `one_to_one`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    people = [
        (i, f"Person {i:03d}", date(1950, 1, 1) + timedelta(days=random.randint(0, 20000)))
        for i in range(1, 121)
    ]
    passports = [
        (i, f"X{10000000 + 7919 * i}", date(2016, 1, 1) + timedelta(days=random.randint(0, 3000)))
        for i, _, born in people
        if born.year < 1990 or random.random() < 0.3
    ]
    return {"person": people, "passport": passports}
