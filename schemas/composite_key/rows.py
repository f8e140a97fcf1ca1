"""Rows of `composite_key`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    buildings = [
        (c, n, random.randint(1, 9)) for c in ("Norvik", "Estara", "Loma") for n in range(1, 9)
    ]
    rooms = [
        (city, number, f"{'ABC'[r % 3]}{100 + r}", random.choice((4, 8, 8, 20)))
        for city, number, _ in buildings
        for r in range(random.randint(1, 5))
    ]
    bookings = []
    for i in range(1, 181):
        city, number, label, seats = random.choice(rooms)
        day = date(2024, 1, 1) + timedelta(days=random.randint(0, 365))
        bookings.append((i, city, number, label, day, random.randint(1, seats)))
    return {"building": buildings, "room": rooms, "booking": bookings}
