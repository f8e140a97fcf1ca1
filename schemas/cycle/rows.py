"""Rows of `cycle`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    teams = [
        (i, f"Team {i}", random.choice(("north", "south")), None if i % 6 == 0 else 10 * i)
        for i in range(1, 21)
    ]
    players = [
        (
            i,
            (i - 1) // 10 + 1,
            f"Player {i:03d}",
            random.randint(1, 40),
            round(random.gauss(180, 8), 1),
        )
        for i in range(1, 201)
    ]
    return {"team": teams, "player": players}
