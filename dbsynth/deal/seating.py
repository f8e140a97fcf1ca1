"""Who takes part where: compiled loops over the families of one parent and the members of another.

A family, such as a race, has so many seats; members, such as drivers, come in the order of their
places.  Which row each seat gets is another matter (`trades`).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

LOOKED_AT = 64  # members waiting that a family looks at for each seat


@numba.njit(cache=True)  # compiled loops over queues that share their state
def seated(member: Any, times: Any, sizes: Any, members: int) -> Any:  # noqa: C901, PLR0912
    """Who takes each seat, families one after the other.

    Nobody comes twice to a family: who would, or finds too few seats left, waits for the next one.

    Args:
        member: Who comes, in the order of places.
        times: How many seats each comer takes; as many as there are seats in all.
        sizes: Seats of each family, in their order.
        members: How many members there are.
    """
    seats = 0
    for family in range(len(sizes)):
        seats += sizes[family]
    found = np.empty(seats, np.int64)
    last = np.full(members, -1, np.int64)
    needs = times.copy()
    waiting = np.empty(len(member), np.int64)
    end, comes, seat = 0, 0, 0
    for family in range(len(sizes)):
        left = sizes[family]
        kept = 0
        for i in range(end):
            comer = waiting[i]
            fits = needs[comer] <= left and last[member[comer]] != family
            if left > 0 and fits and i < LOOKED_AT * sizes[family]:
                last[member[comer]] = family
                for _ in range(needs[comer]):
                    found[seat] = member[comer]
                    seat += 1
                left -= needs[comer]
            else:
                waiting[kept] = comer
                kept += 1
        end, looked = kept, 0
        while left > 0 and comes < len(member) and looked < LOOKED_AT:
            if needs[comes] > left or last[member[comes]] == family:
                waiting[end] = comes
                end += 1
                looked += 1
            else:
                last[member[comes]] = family
                for _ in range(needs[comes]):
                    found[seat] = member[comes]
                    seat += 1
                left -= needs[comes]
            comes += 1
        while left > 0:  # whoever waits longest takes what is left, and comes again
            if end == 0:
                waiting[0] = comes
                end, comes = 1, comes + 1
            choice = 0
            for i in range(min(end, LOOKED_AT)):
                if last[member[waiting[i]]] != family:
                    choice = i
                    break
            comer = waiting[choice]
            taken = min(left, needs[comer])
            last[member[comer]] = family
            for _ in range(taken):
                found[seat] = member[comer]
                seat += 1
            left -= taken
            needs[comer] -= taken
            if needs[comer] == 0:
                for i in range(choice, end - 1):
                    waiting[i] = waiting[i + 1]
                end -= 1
    return found


@numba.njit(cache=True)
def accompanied(member: Any, companion: Any, keeps: Any, starts: Any, members: int) -> Any:
    """Which companion's seat goes with each member's seat, families one after the other.

    A member that keeps to its last companion gets a seat of it, if there is one; the others are
    served in the order of their seats.

    Args:
        member, companion: Of each seat, in the order in which they suit each other.
        keeps: Whether the member of a seat keeps to its last companion.
        starts: The first seat of each family, and the number of seats.
    """
    found = np.empty(len(member), np.int64)
    taken = np.zeros(len(member), np.bool_)
    last = np.full(members, -1, np.int64)
    for family in range(len(starts) - 1):
        begin, end = starts[family], starts[family + 1]
        for seat in range(begin, end):
            found[seat] = -1
            wanted = last[member[seat]]
            if wanted < 0 or not keeps[seat]:
                continue
            for other in range(begin, end):
                if not taken[other] and companion[other] == wanted:
                    taken[other] = True
                    found[seat] = other
                    break
        free = begin
        for seat in range(begin, end):
            if found[seat] < 0:
                while taken[free]:
                    free += 1
                taken[free] = True
                found[seat] = free
            last[member[seat]] = companion[found[seat]]
    return found
