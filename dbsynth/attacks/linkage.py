"""Can two records of a person, one of the own row and one of the family, be linked by the clone?

The attacker has the two apart and looks for the nearest synthetic entities of each; where one is
among both, the two are linked (after Giomi et al., A Unified Framework for Quantifying Privacy Risk
in Synthetic Data, PoPETs 2023).  The control are entities that were never shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.attacks.features import Points
from dbsynth.attacks.intervals import Share, share_of
from dbsynth.attacks.membership import MOST_ATTACKED
from dbsynth.attacks.neighbours import nearest
from dbsynth.randomness import hashed

Float64 = npt.NDArray[np.float64]
NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Linkage:
    """Entities whose two parts are linked.

    Attributes:
        attack: Of those shown to the model.
        control: Of those never shown.
        real: Of those never shown, by the rows of the shown ones instead of synthetic rows.
        masked: Of those shown, by their own rows with other names.
        guess: Share by chance.
    """

    attack: Share
    control: Share
    real: Share
    masked: Share
    guess: float


def linkage(train: Points, held_out: Points, synthetic: Points, key: int) -> Linkage | None:
    """Link the rows of entities to their families, or the columns where there is no family."""
    if not train.family.shape[1]:
        train, held_out, synthetic = (_torn(points) for points in (train, held_out, synthetic))
    if not train.family.shape[1] or not len(synthetic):
        return None
    tried = [points[: MOST_ATTACKED // 2] for points in (train, held_out)]
    chance = 1 - (1 - NEIGHBOURS / max(len(synthetic), NEIGHBOURS)) ** NEIGHBOURS
    return Linkage(
        _linked(tried[0], synthetic, key), _linked(tried[1], synthetic, key),
        _linked(tried[1], train, key), _linked(tried[0], train, key), chance,
    )  # fmt: skip


def _torn(points: Points) -> Points:
    """Every second coordinate for the other part of an entity."""
    return Points(points.own[:, ::2], points.own[:, 1::2])


def _linked(targets: Points, among: Points, key: int) -> Share:
    found = []
    for number, (mine, theirs) in enumerate(
        ((targets.own, among.own), (targets.family, among.family))
    ):
        # Of equally near ones each look has its own order.
        order = np.argsort(hashed(key ^ number, np.arange(len(among))), kind="stable")
        found.append(order[nearest(mine, theirs[order], NEIGHBOURS)])
    both = (found[0][:, :, None] == found[1][:, None, :]).any(axis=(1, 2))
    return share_of(int(both.sum()), len(both))
