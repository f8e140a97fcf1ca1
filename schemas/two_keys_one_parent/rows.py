"""Rows of `two_keys_one_parent`, all invented."""

from datetime import datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    codes = [f"Q{a}{b}" for a in "ABCDE" for b in "XYZW"]
    flights = []
    for i in range(1, 251):
        origin, destination = random.sample(codes[:4] * 3 + codes, 2)
        while origin == destination:
            destination = random.choice(codes)
        departs = datetime(2024, 5, 1, 6) + timedelta(minutes=45 * i)
        arrives = departs + timedelta(minutes=random.randint(50, 500))
        flights.append(
            (i, origin, destination, departs, arrives, random.choice((120, 120, 180, 300)))
        )
    airports = [(code, f"Airfield {i}", i < 4) for i, code in enumerate(codes)]
    return {"airport": airports, "flight": flights}
