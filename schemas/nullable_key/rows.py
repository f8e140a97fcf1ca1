"""Rows of `nullable_key`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    customers = [(i, f"Customer {i}", None if i % 3 == 0 else 5000 + i) for i in range(1, 61)]
    visits = []
    for i in range(1, 241):
        customer, _, card = (
            (None, None, None) if random.random() < 0.4 else random.choice(customers)
        )
        spent = round(random.expovariate(1 / (10 if customer is None else 35)), 2)
        visits.append((i, customer, card, spent))
    return {"customer": customers, "visit": visits}
