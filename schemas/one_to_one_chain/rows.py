"""Rows of `one_to_one_chain`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    organisations = [i for i in range(1, 151) if i % 3]
    companies = [i for i in organisations if random.random() < 0.6]
    listed = companies[::3]
    return {
        "party": [(i, f"Party {i}") for i in range(1, 151)],
        "organisation": [(i, random.randint(1900, 2020)) for i in organisations],
        "company": [(i, int(random.paretovariate(1) * 3)) for i in companies],
        "listed_company": [(i, f"T{i}", random.randint(100, 90000) / 100) for i in listed],
    }
