"""Rows of `composite_reference_to_unique`, all invented."""

from datetime import datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    stations = [
        (i, random.choice(("XA", "XB", "XC")), f"S{i % 20:02d}{i // 20}", random.randint(0, 2500))
        for i in range(1, 41)
    ]
    measurements = []
    for i in range(1, 241):
        _, country, code, altitude = random.choice(stations)
        taken = datetime(2024, 3, 1) + timedelta(minutes=37 * i)
        measurements.append(
            (i, code, country, taken, round(20 - altitude / 150 + random.gauss(0, 3), 1))
        )
    return {"station": stations, "measurement": measurements}
