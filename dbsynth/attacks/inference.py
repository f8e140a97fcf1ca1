"""Can a secret be guessed from all else that is known of a row, better than of rows never shown?

The attacker knows a row but for one column, and the entity that it belongs to, and guesses the
value of the nearest synthetic row.  What this finds in rows never shown is knowledge about
people in general; only the lead over it is a leak (as Giomi et al., PoPETs 2023, and before them
Stadler, Oprisanu and Troncoso, USENIX Security 2022, argue).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.attacks.features import owners
from dbsynth.attacks.intervals import Share, lead_of, share_of
from dbsynth.memorise import Side, World, coordinates, is_number
from dbsynth.randomness import hashed

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]

TARGETS = 1_000  # rows of each half, each of an entity of its own
CANDIDATES = 5_000
NEAR = 0.025  # ranks within which a number counts as guessed


@dataclass(frozen=True, slots=True)
class Inference:
    """Secrets of one column that are guessed.

    Attributes:
        attack: Of rows shown to the model.
        control: Of rows never shown.
        real: Of rows never shown, by the rows of the shown ones instead of synthetic rows.
        guess: By the value of any synthetic row.
    """

    table: str
    column: str
    attack: Share
    control: Share
    real: Share
    guess: float

    @property
    def lead(self) -> tuple[float, float]:
        """How far the attack leads the control, and in how many standard errors."""
        return lead_of(self.attack, self.control)


def inferences(world: World, key: int) -> Iterator[Inference]:
    """Every column of every table as the secret, one after the other."""
    for name in world.synthetic:
        yield from _of_table(world, name, key)


def _of_table(world: World, name: str, key: int) -> Iterator[Inference]:
    sides = (world.train, world.held_out, world.synthetic)
    tables = [side[name].rows for side in sides]
    if min(len(rows) for rows in tables) < TARGETS // 20:
        return
    owner = [owners(side, world)[name] for side in sides]
    chosen = [_one_each(o, TARGETS, key) for o in owner[:2]]
    others = [_some(len(rows), CANDIDATES, key) for rows in (tables[2], tables[0])]
    starts = np.cumsum([0, *(len(rows) for rows in tables)])
    shown, control = chosen[0], chosen[1] + starts[1]
    made, real = others[0] + starts[2], others[1]
    pairs = ((shown, made), (control, made), (control, real))
    blocks = {column: coordinates(tables, column) for column in tables[0].column_names}
    parent = _parents(world, owner) if name != world.entity else None
    known = [_squares(parent, *pair) if parent is not None else 0.0 for pair in pairs]
    total = [k + sum(_squares(b, *pair) for b in blocks.values())
             for k, pair in zip(known, pairs, strict=True)]  # fmt: skip
    for column, block in blocks.items():
        if len(blocks) == 1 and parent is None:
            return
        near = NEAR if is_number(tables, column) else 0.0
        attack, truth, real_hits = (
            _hit(block, targets, candidates, whole - _squares(block, targets, candidates), near)
            for whole, (targets, candidates) in zip(total, pairs, strict=True)
        )
        drawn = made[hashed(key, np.arange(len(control))) % np.uint64(len(made))]
        guess = float(_same(block[control], block[drawn], near).mean())
        yield Inference(name, column, attack, truth, real_hits, guess)


def _one_each(owner: Int64, most: int, key: int) -> Int64:
    """A row of each of some entities, drawn by lot."""
    order = np.argsort(hashed(key, np.arange(len(owner))), kind="stable")
    order = order[owner[order] >= 0]
    return np.sort(order[np.unique(owner[order], return_index=True)[1]][:most])


def _some(rows: int, most: int, key: int) -> Int64:
    return np.sort(np.argsort(hashed(key ^ 1, np.arange(rows)), kind="stable")[:most])


def _parents(world: World, owner: Sequence[Int64]) -> Float64:
    """The coordinates of the entity of every row of all sides, zeros where there is none."""
    sides: tuple[Side, ...] = (world.train, world.held_out, world.synthetic)
    tables = [side[world.entity].rows for side in sides]
    starts = np.cumsum([0, *(len(rows) for rows in tables)])
    points = np.concatenate([coordinates(tables, c) for c in tables[0].column_names], axis=1)
    points = np.concatenate([points, np.zeros((1, points.shape[1]))])
    place = [np.where(o >= 0, o + s, -1) for o, s in zip(owner, starts, strict=False)]
    found: Float64 = points[np.concatenate(place)]
    return found


def _squares(block: Float64, targets: Int64, candidates: Int64) -> Float32:
    a, b = block[targets].astype(np.float32), block[candidates].astype(np.float32)
    found: Float32 = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    return found


def _hit(
    block: Float64,
    targets: Int64,
    candidates: Int64,
    distance: npt.NDArray[np.float32],
    near: float,
) -> Share:
    found = candidates[np.argmin(np.round(distance, 4), axis=1)]
    return share_of(int(_same(block[targets], block[found], near).sum()), len(targets))


def _same(one: Float64, other: Float64, near: float) -> npt.NDArray[np.bool_]:
    """Whether values are the same, or numbers near each other in rank."""
    return np.asarray((np.abs(one - other) <= near + 1e-9).all(axis=1), np.bool_)
