"""Rows of `policies_triggers_views`, all invented."""

from datetime import datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    owners = ("ash", "beech", "cedar")
    return {
        "note (owner, label, words, changed)": [
            (
                random.choice(owners),
                f"label {i % 7}",
                random.randint(1, 400),
                None if i % 3 else datetime(2024, 2, 1) + timedelta(hours=i),
            )
            for i in range(120)
        ]
    }
