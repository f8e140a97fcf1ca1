"""Rows of `blog`, all invented."""

from datetime import date, datetime, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    first, last = ("Ada", "Bo", "Cleo", "Dunja", "Emil", "Farah"), ("Amber", "Birk", "Cove", "Dorn")
    words = ("quiet", "harbour", "paper", "lantern", "winter", "garden", "signal", "mosaic")
    authors = [
        (
            i,
            f"{random.choice(first)} {random.choice(last)}",
            f"author{i}@blog.example",
            date(2021, 1, 1) + timedelta(days=17 * i),
            None if i % 4 == 0 else f"Writes about the {random.choice(words)}.",
        )
        for i in range(1, 31)
    ]
    posts = [
        (
            i,
            random.randint(1, 30),
            f"On the {random.choice(words)} {random.choice(words)}",
            " ".join(random.choices(words, k=random.randint(8, 30))),
            None if i % 7 == 0 else datetime(2023, 1, 1, 8) + timedelta(hours=31 * i),
            int(random.expovariate(1 / 200)),
        )
        for i in range(1, 121)
    ]
    comments = [
        (
            i,
            min(random.randint(1, 120), random.randint(1, 120)),
            None if random.random() < 0.2 else random.randint(1, 30),
            " ".join(random.choices(words, k=random.randint(2, 9))),
            random.choice((None, 1, 3, 4, 4, 5)),
        )
        for i in range(1, 261)
    ]
    return {"author": authors, "post": posts, "comment": comments}
