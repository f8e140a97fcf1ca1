"""Entities that come back with all that belongs to them, exactly or nearly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dbsynth.attacks.features import Points, owners
from dbsynth.attacks.neighbours import distances
from dbsynth.memorise import Side, World, beyond_allowed, row_hashes
from dbsynth.randomness import UInt64, hashed

NEAR = 0.01  # share of held-out entities that lie as near to a training one by nature


@dataclass(frozen=True, slots=True)
class Copies:
    """Entities with their families that are those of others.

    Attributes:
        exact, near: Share of synthetic entities that are, or nearly are, those of the shown half.
        natural, natural_near: Share of held-out ones that are.
        chance, chance_near: Share of synthetic entities that are those of the held-out half.
    """

    entities: int
    exact: float
    natural: float
    chance: float
    near: float
    natural_near: float
    chance_near: float

    @property
    def remembered(self) -> bool:
        """Whether more come back than two real halves share, or than are alike by chance."""
        return beyond_allowed(
            self.exact, max(self.natural, self.chance), self.entities
        ) or beyond_allowed(self.near, max(self.natural_near, self.chance_near), self.entities)


def copies(world: World, points: tuple[Points, Points, Points]) -> Copies:
    """Compare whole entities."""
    train, held_out, made = (
        _entity_hashes(side, world) for side in (world.train, world.held_out, world.synthetic)
    )
    here, there, invented = (p.whole for p in points)
    size = min(len(here), len(there))
    here, there = here[:size], there[:size]
    natural = distances(there, here, [1])[:, 0]
    limit = float(np.quantile(natural, NEAR, method="lower")) if len(natural) else 0.0
    shares = [
        float((distances(a, b, [1])[:, 0] <= limit).mean()) if len(a) and len(b) else 0.0
        for a, b in ((invented, here), (invented, there))
    ]
    return Copies(
        len(invented), _share(made, train), _share(held_out, train), _share(made, held_out),
        shares[0], float((natural <= limit).mean()) if len(natural) else 0.0, shares[1],
    )  # fmt: skip


def _entity_hashes(side: Side, world: World) -> UInt64:
    """Equal numbers for entities with the same rows, in whatever order."""
    total = hashed(0, row_hashes(side[world.entity].rows).view(np.int64))
    for number, (name, owner) in enumerate(owners(side, world).items()):
        if name != world.entity and len(owner):
            rows = hashed(number + 1, row_hashes(side[name].rows).view(np.int64))
            inside = owner >= 0
            np.add.at(total, owner[inside], rows[inside])
    return total


def _share(mine: UInt64, others: UInt64) -> float:
    return float(np.isin(mine, others).mean()) if len(mine) else 0.0
