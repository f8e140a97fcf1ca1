"""Rows of `text_keys`, all invented."""

from datetime import date, timedelta
from random import Random
from uuid import UUID


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    def identifier() -> UUID:
        return UUID(int=random.getrandbits(128), version=4)

    codes = ("XA", "XB", "XC", "XD", "XE")
    accounts = [
        (identifier(), f"{random.choice(('ida', 'jon', 'kim'))}.{i}", random.choice(codes))
        for i in range(60)
    ]
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(60)]
    sessions = []
    for _ in range(220):
        account, login, _ = random.choice(accounts)
        sessions.append((identifier(), login, account, random.choice(days), random.randint(1, 90)))
    return {
        "country": [(code, f"Country {code}") for code in codes],
        "account": accounts,
        "calendar": [(day, day.weekday() == 6) for day in days],
        "session": sessions,
    }
