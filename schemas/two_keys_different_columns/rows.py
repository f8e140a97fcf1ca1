"""Rows of `two_keys_different_columns`, all invented."""

from datetime import datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    accounts = [
        (i, f"user{i:02d}", 70000 + 13 * i, random.choice(("guest", "staff", "staff", "admin")))
        for i in range(1, 51)
    ]
    log = []
    for i in range(1, 201):
        _, login, badge, _ = random.choice(accounts)
        entered = datetime(2024, 2, 1, 7) + timedelta(minutes=random.randint(0, 40000))
        log.append(
            (i, login, None if i % 9 == 0 else badge, random.choice(("east", "west")), entered)
        )
    return {"account": accounts, "entry_log": log}
