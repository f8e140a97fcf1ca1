"""Rows of `crowded_key`, all invented."""

import itertools
from random import Random
from uuid import UUID

SHIFTS = ("early", "day", "late", "night")
ROOMS = (1, 2, 3, 4)


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    slots = [(label, shift) for label in ("A", "B", "C", "AB", "BC") for shift in SHIFTS]
    desks = [(room, number) for room in ROOMS for number in range(1, 11)]
    pairs = list(itertools.product((*ROOMS, None), (*SHIFTS, None)))
    random.shuffle(pairs)
    bookings = []
    for room, shift in pairs[:20]:
        number = None if room is None else random.randint(1, 10)
        label = None if shift is None else random.choice(slots)[0]
        identity = UUID(int=random.getrandbits(128))
        bookings.append((identity, room, number, label, shift, random.randint(5, 90)))
    return {"slot": slots, "desk": desks, "booking": bookings}
