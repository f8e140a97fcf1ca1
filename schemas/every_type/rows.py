"""Rows of `every_type`, all invented."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    def one(i: int) -> tuple[object, ...]:
        moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=991 * i, microseconds=i)
        naive = moment.replace(tzinfo=None)
        return (
            random.randint(-32768, 32767),
            random.choice((0, 0, 1, 2_147_483_647, -5)),
            random.getrandbits(62),
            Decimal(random.randint(-10000, 10000)) / 100,
            Decimal(random.getrandbits(80)) / 10**12,
            Decimal(random.getrandbits(60)),
            round(random.gauss(0, 1), 3),
            random.lognormvariate(0, 8),
            random.random() < 0.3,
            random.choice(("ab", "abcd", "x")),
            random.choice(("", " ", "tab\tand\nline", "quote ' \" \\", "çedille ß 漢字")),
            " ".join(random.choices(("river", "stone", "cloud", "ember"), k=random.randint(0, 40))),
            naive.date(),
            naive.time(),
            moment.timetz(),
            naive,
            naive.replace(microsecond=0),
            moment,
            timedelta(days=random.randint(-3, 400), seconds=random.randint(0, 86399)),
            UUID(int=random.getrandbits(128), version=4),
            {"kind": random.choice("ab"), "size": i, "tags": ["x"] * (i % 3)},
            {"nested": {"on": i % 2 == 0, "level": i % 5}, "nothing": None},
            random.randbytes(i % 9),
            [random.randint(0, 9) for _ in range(i % 4)],
            random.choice((["a", "b c"], [], ['with "quote"', "comma, too"])),
            f"192.0.2.{i % 256}",
            f"198.51.{i % 256}.0/24",
            f"02:00:00:00:00:{i % 256:02x}",
            f"{i % 16:04b}",
            f"{i:b}",
            f"[{i},{i + 10})",
            f"[{naive.date()},)",
            f"({i},{-i})",
            "river:1 stone:2",
            [0.5 * i, 9.99],
        )

    return {
        "specimen": [
            (i, *(None if random.random() < 0.1 else value for value in one(i)))
            for i in range(1, 201)
        ]
    }
