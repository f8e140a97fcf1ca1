"""Rows of `diamond`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    customers = [
        (i, f"Customer {i:02d}", random.choice(("Norvik", "Estara"))) for i in range(1, 41)
    ]
    rentals, payments = [], []
    for i in range(1, 151):
        started = date(2024, 1, 1) + timedelta(days=random.randint(0, 300))
        ended = None if i % 10 == 0 else started + timedelta(days=random.randint(1, 14))
        rentals.append((i, random.randint(1, 40), started, ended))
    for i in range(1, 201):
        rental, customer, started, _ = random.choice(rentals)
        paid = started + timedelta(days=random.randint(0, 5))
        payments.append((i, customer, rental, random.choice((2.99, 4.99, 4.99, 9.99)), paid))
    return {"customer": customers, "rental": rentals, "payment": payments}
