"""Rows of `two_self_references`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    people: list[tuple[object, ...]] = []
    for i in range(1, 161):
        generation = (i - 1) // 40
        born = date(1900 + 28 * generation, 1, 1) + timedelta(days=random.randint(0, 4000))
        before = range(40 * (generation - 1) + 1, 40 * generation + 1)
        mother = random.choice([p for p in before if p % 2]) if generation else None
        father = random.choice([p for p in before if not p % 2]) if generation and i % 5 else None
        people.append((i, f"Person {i:03d}", "f" if i % 2 else "m", born, mother, father))
    return {"person": people}
