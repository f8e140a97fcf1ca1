"""Rows of `cycle_not_null`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    countries = [(i, f"Country {i}", random.randint(10, 900) * 100, 5 * i) for i in range(1, 31)]
    cities = [
        (i, (i + 4) // 5, f"City {i}", int(random.paretovariate(1.2) * 5000)) for i in range(1, 151)
    ]
    return {"country": countries, "city": cities}
