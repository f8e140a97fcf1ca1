"""Rows of `nested_cycles`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    projects = [(i, f"Project {i}", 3 * i, None if i % 3 else 15 * i) for i in range(1, 16)]
    milestones = [
        (i, (i + 2) // 3, 5 * i - 4, date(2024, 1, 1) + timedelta(days=20 * i))
        for i in range(1, 46)
    ]
    tasks = [
        (
            i,
            (i + 14) // 15,
            (i + 4) // 5,
            i - 1 if i % 5 in (2, 3) else None,
            random.randint(1, 80) / 2,
            random.random() < 0.6,
        )
        for i in range(1, 226)
    ]
    return {"project": projects, "milestone": milestones, "task": tasks}
