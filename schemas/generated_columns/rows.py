"""Rows of `generated_columns`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    products = [(i, f"Item {i}", random.randint(100, 9999) / 100) for i in range(1, 31)]
    lines = []
    for i in range(1, 201):
        product, _, net = random.choice(products)
        lines.append((i, product, random.randint(1, 9), round(net * 1.2, 2)))
    return {"product (id, name, net)": products, "line (id, product_id, quantity, price)": lines}
