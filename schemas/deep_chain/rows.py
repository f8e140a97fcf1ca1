"""Rows of `deep_chain`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    names = ("continent", "country", "region", "city", "street", "house")
    counts = (3, 10, 30, 70, 140, 280)
    tables: dict[str, list[tuple[object, ...]]] = {}
    above: list[int] = []
    for name, count in zip(names, counts, strict=True):
        table: list[tuple[object, ...]] = []
        sizes = []
        for i in range(1, count + 1):
            parent = random.randint(1, len(above)) if above else 0
            sizes.append(
                (above[parent - 1] if above else 1000 * i) * random.randint(3, 9) // 10 + 1
            )
            links = (parent,) if above else ()
            table.append((i, *links, f"{name} {i}", sizes[-1]))
        tables[name] = table
        above = sizes
    return tables
