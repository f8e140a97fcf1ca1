"""Rows of `virtual_key`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    customers = [(i, 40000 + 7 * i, random.choice(("home", "home", "shop"))) for i in range(1, 61)]
    orders = []
    for i in range(1, 201):
        customer, _, segment = random.choice(customers)
        orders.append(
            (i, customer, round(random.expovariate(1 / (300 if segment == "shop" else 60)), 2))
        )
    tickets = []
    for i in range(1, 101):
        kind = random.choice(("customer", "order"))
        subject = random.randint(1, 60 if kind == "customer" else 200)
        number = None if i % 4 == 0 else random.choice(customers)[1]
        tickets.append((i, kind, subject, number, date(2024, 1, 1) + timedelta(days=i)))
    return {"customer": customers, "orders": orders, "ticket": tickets}
