"""Rows of `checked_keys`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    lockers = [(2 * i, random.randint(0, 4)) for i in range(1, 121)]
    rooms = [i for i in range(1, 201) if i != 13]
    guests = [
        (room, random.choice(lockers)[0] if random.random() < 0.8 else None, 1001 + 100 * room)
        for room in rooms
    ]
    shifts = [(1000 + i, random.randint(900, 999)) for i in range(60)]
    return {"locker": lockers, "guest": guests, "shift": shifts}
