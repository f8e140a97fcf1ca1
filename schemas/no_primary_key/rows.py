"""Rows of `no_primary_key`, all invented."""

from datetime import datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    levels = ("info", "info", "info", "warning", "error")
    return {
        "sensor": [(i, random.choice(("attic", "cellar", "roof"))) for i in range(1, 16)],
        "reading": [
            (
                random.randint(1, 15),
                datetime(2024, 6, 1) + timedelta(minutes=10 * (i // 2)),
                None if i % 20 == 0 else round(random.gauss(20, 4), 2),
            )
            for i in range(260)
        ],
        "event_log": [
            (random.choice(levels), f"step {random.randint(1, 3)} done") for _ in range(60)
        ],
    }
