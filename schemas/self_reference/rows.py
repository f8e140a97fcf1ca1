"""Rows of `self_reference`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    titles = ("director", "lead", "engineer", "engineer", "apprentice")
    employees: list[tuple[object, ...]] = []
    depths = {}
    for i in range(1, 151):
        boss = None if i <= 3 else random.randint(1, max(1, i // 4))
        depths[i] = 0 if boss is None else depths[boss] + 1
        salary = round(9000 / (1 + depths[i]) + random.randint(0, 400), 2)
        hired = date(2015, 1, 5) + timedelta(days=random.randint(0, 3000))
        employees.append((i, boss, f"Employee {i:03d}", titles[min(depths[i], 4)], salary, hired))
    return {"employee": employees}
