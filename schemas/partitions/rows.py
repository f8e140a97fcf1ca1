"""Rows of `partitions`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    measurements = []
    for i in range(1, 241):
        day = date(2022, 10, 1) + timedelta(days=4 * i)
        auditor = random.randint(1, 5) if day.year == 2023 and i % 2 else None
        value = None if i % 11 == 0 else round(random.gauss(15, 6), 2)
        measurements.append((i, day, random.randint(1, 12), auditor, random.choice("aabc"), value))
    corrections = [
        (i, m[0], m[1], m[4], round(random.gauss(0, 1), 2))
        for i, m in enumerate(random.sample(measurements, 60), start=1)
    ]
    return {
        "station": [(i, f"Station {i}") for i in range(1, 13)],
        "auditor": [(i, f"Auditor {i}") for i in range(1, 6)],
        "measurement": measurements,
        "correction": corrections,
    }
