"""Which row each seat of a family gets: compiled loops over trades between two seats.

Rows are dealt to the seats of their family so that they come near to what members wish, one by one,
on the whole, and from each row of a member to the next (local search; the trades keep families,
numbers of children and unique pairs as they are).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True)
def _random(state: Any) -> Any:
    """The next state of a stream (xorshift: Marsaglia 2003)."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state


@numba.njit(cache=True)
def _chain(member: Any, members: int) -> Any:
    """The seats of the same member before and after each seat; -1 for none."""
    chain = np.full((2, len(member)), -1, np.int64)
    last = np.full(members, -1, np.int64)
    for seat in range(len(member)):
        before = last[member[seat]]
        if before >= 0:
            chain[0, seat], chain[1, before] = before, seat
        last[member[seat]] = seat
    return chain


@numba.njit(cache=True)
def _add_steps(rows: Any, dealt: Any, before: int, after: int, sign: float, total: Any) -> None:
    """Add how far the rows of two seats lie apart, feature by feature."""
    if before >= 0 and after >= 0:
        for d in range(rows.shape[1]):
            total[d] += sign * abs(rows[dealt[after], d] - rows[dealt[before], d])


@numba.njit(cache=True)
def _add_around(
    rows: Any, dealt: Any, chain: Any, seat: int, left_out: int, sign: float, total: Any
) -> None:
    """Add the steps to a seat and from it; none to or from a seat that is left out."""
    if chain[0, seat] != left_out:
        _add_steps(rows, dealt, chain[0, seat], seat, sign, total)
    if chain[1, seat] != left_out:
        _add_steps(rows, dealt, seat, chain[1, seat], sign, total)


@numba.njit(cache=True)
def _change_of_steps(rows: Any, dealt: Any, chain: Any, member: Any, a: int, b: int) -> Any:
    """By how much a trade changes the steps of the members of two seats; shape (2, features).

    The second is 0 where both seats are of one member.
    """
    change = np.zeros((2, rows.shape[1]))
    second = 0 if member[a] == member[b] else 1
    for sign in (-1.0, 1.0):
        # A step between the two seats would count twice.
        _add_around(rows, dealt, chain, a, -2, sign, change[0])
        _add_around(rows, dealt, chain, b, a, sign, change[second])
        dealt[a], dealt[b] = dealt[b], dealt[a]
    return change


@numba.njit(cache=True)
def _off(change: Any, excess: Any) -> float:
    """By how much a change of an excess changes the sum of its squares."""
    total = 0.0
    for d in range(len(change)):
        total += change[d] * (2 * excess[d] + change[d])
    return total


@numba.njit(cache=True)
def _excesses(rows: Any, wishes: Any, member: Any, chain: Any, members: int) -> Any:
    """By how much what members have exceeds what they wish: their rows, and their steps."""
    count, width = wishes.shape
    excess = np.zeros((2, members, width))
    same = np.arange(count)
    for seat in range(count):
        who, before = member[seat], chain[0, seat]
        for d in range(width):
            excess[0, who, d] += rows[seat, d] - wishes[seat, d]
        _add_steps(rows, same, before, seat, 1.0, excess[1, who])
        _add_steps(wishes, same, before, seat, -1.0, excess[1, who])
    return excess


@numba.njit(cache=True)  # compiled loops: parts of them would be called millions of times
def traded(  # noqa: C901, PLR0912, PLR0913, PLR0917
    rows: Any, wishes: Any, member: Any, members: Any, starts: Any, single: float, steps: float,
    passes: int, power: float, key: np.uint64,
) -> Any:  # fmt: skip
    """Which row each seat gets, such that members have on the whole what they wish.

    Args:
        rows: What each row is like; float32, shape (rows, features).
        wishes: What each seat wishes, per kind of member; shape (kinds, rows, features).
        member: The member of each seat, per kind; shape (kinds, rows).
        members: How many members of each kind there are.
        starts: The first seat of each family, and the number of seats.
        single: Weight of the distance between a row and the wish of its seat.
        steps: Weight of how far a member's rows, one after the other, lie apart on the whole.
        passes: How often every seat looks for a trade.
        power: Errors of a member count as its rows to the power of minus this.
    """
    kinds, count, width = wishes.shape
    dealt = np.arange(count)
    most = 0
    for kind in range(kinds):
        most = max(most, members[kind])
    chains = np.empty((kinds, 2, count), np.int64)
    excess = np.empty((kinds, 2, most, width))
    weight = np.empty((kinds, most))
    for kind in range(kinds):
        chains[kind] = _chain(member[kind], most)
        excess[kind] = _excesses(rows, wishes[kind], member[kind], chains[kind], most)
        times = np.bincount(member[kind], minlength=most)
        weight[kind] = np.maximum(times, 1.0) ** -power
    state = key | np.uint64(1)
    step = np.empty(width)
    change = np.empty((kinds, 2, width))
    for _ in range(passes):
        for family in range(len(starts) - 1):
            begin, size = starts[family], starts[family + 1] - starts[family]
            if size < 2:
                continue
            for i in range(size):
                state = _random(state)
                a = begin + i
                b = begin + np.int64(state % np.uint64(size))
                if a == b:
                    continue
                gain = 0.0
                for d in range(width):
                    step[d] = rows[dealt[b], d] - rows[dealt[a], d]
                for kind in range(kinds):
                    one, other = member[kind, a], member[kind, b]
                    for d in range(width):
                        # (b - wish a)^2 + (a - wish b)^2 - (a - wish a)^2 - (b - wish b)^2
                        gain += single * 2 * step[d] * (wishes[kind, b, d] - wishes[kind, a, d])
                    if one != other:
                        gain += weight[kind, one] * _off(step, excess[kind, 0, one])
                        gain += weight[kind, other] * _off(-step, excess[kind, 0, other])
                    change[kind] = _change_of_steps(rows, dealt, chains[kind], member[kind], a, b)
                    for side, who in ((0, one), (1, other)):
                        off = _off(change[kind, side], excess[kind, 1, who])
                        gain += steps * weight[kind, who] * off
                if gain < -1e-9:
                    dealt[a], dealt[b] = dealt[b], dealt[a]
                    for kind in range(kinds):
                        one, other = member[kind, a], member[kind, b]
                        excess[kind, 0, one] += step
                        excess[kind, 0, other] -= step
                        excess[kind, 1, one] += change[kind, 0]
                        excess[kind, 1, other] += change[kind, 1]
    return dealt
