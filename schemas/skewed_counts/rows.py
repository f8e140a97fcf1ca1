"""Rows of `skewed_counts`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    sales = []
    for i in range(1, 301):
        shop = 17 if i % 2 else random.randint(1, 100)
        sales.append((i, shop, round(random.expovariate(1 / (90 if shop == 17 else 20)), 2)))
    shops = [
        (i, "flagship" if i == 17 else random.choice(("kiosk", "corner"))) for i in range(1, 101)
    ]
    return {"shop": shops, "sale": sales}
