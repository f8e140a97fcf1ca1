"""Rows of `unique_shapes`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    clubs = [
        (
            i,
            f"Club {(i + 1) // 2}",
            ("Norvik", "Estara")[i % 2],
            None if i % 3 == 0 else f"+99 555 {i:04d}",
        )
        for i in range(1, 41)
    ]
    members = []
    for i in range(1, 201):
        club, place = (i - 1) % 40 + 1, (i - 1) // 40
        role = "owner" if place == 0 and club % 5 else random.choice(("guest", "player"))
        number = None if random.random() < 0.3 else 10 + place
        seat = None if place == 2 else place
        members.append((i, club, role, f"Member{i}@club.example", number, seat))
    return {"club": clubs, "member": members}
