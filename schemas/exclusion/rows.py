"""Rows of `exclusion`, all invented."""

from datetime import datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    bookings = []
    for i in range(1, 151):
        starts = datetime(2024, 1, 1, 8) + timedelta(hours=4 * (i // 10))
        ends = starts + timedelta(minutes=random.choice((60, 90, 240)))
        bookings.append((i, i % 10 + 1, f"[{starts},{ends})", random.random() < 0.1))
    return {"room": [(i, f"Room {i}") for i in range(1, 11)], "booking": bookings}
