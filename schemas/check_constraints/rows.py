"""Rows of `check_constraints`, all invented."""

from datetime import date, datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    words = ("apple", "bridge", "candle", "drum")
    offers = []
    for i in range(1, 81):
        status = random.choice(("draft", "open", "open", "closed"))
        code = "".join(random.choices("ABCDEF", k=3)) + f"-{random.randint(0, 9999):04d}"
        low = random.randint(1, 50000) / 100
        starts = date(2024, 1, 1) + timedelta(days=random.randint(0, 300))
        offers.append(
            (
                i,
                code,
                status,
                random.choice((0, 10, 25, 50, 100)),
                low,
                None if i % 3 == 0 else low + random.randint(0, 10000) / 100,
                f"Offer of {random.choice(words)}",
                f"{random.choice(words)}-{i}",
                starts,
                None if i % 4 == 0 else starts + timedelta(days=random.randint(0, 60)),
                datetime(2025, 1, 1) + timedelta(hours=i) if status == "closed" else None,
            )
        )
    bids = [
        (
            i,
            random.randint(1, 80),
            random.randint(1, 999999) / 100,
            None if i % 5 == 0 else round(random.random(), 3),
            2 * random.randint(-5, 5),
            None if i % 2 else f"bidder{i}@bids.example",
        )
        for i in range(1, 201)
    ]
    return {"offer": offers, "bid": bids}
