"""Rows of `bookkeeping`, all invented."""

from datetime import date, datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    day = datetime(2024, 1, 1, 9)
    return {
        "alembic_version": [("3f2a9c81d0be",)],
        "schema_migrations": [(f"2024{month:02d}01120000",) for month in range(1, 11)],
        "flyway_schema_history": [
            (
                i,
                f"1.{i}",
                f"step {i}",
                f"V1_{i}__step.sql",
                1000003 * i,
                day + timedelta(days=i),
                True,
            )
            for i in range(1, 7)
        ],
        "django_migrations": [
            (i, "notes", f"{i:04d}_change", day + timedelta(days=i, microseconds=i))
            for i in range(1, 9)
        ],
        "note": [
            (i, date(2024, 1, 1) + timedelta(days=i), random.randint(1, 300)) for i in range(1, 81)
        ],
    }
