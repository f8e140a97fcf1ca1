"""Entities as points: their own row, and what the families under it look like.

An attacker who knows a person knows the rows that belong to the person too; attacks on single rows
underestimate what leaks (Hu et al., MT-MIA, arXiv 2602.07126).  Under every entity each table gives
the number of its rows, the mean of every coordinate, the smallest and the largest number, and the
coordinates of the first row.  All tables weigh the same, whatever their columns.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.memorise import Half, Side, World, coordinates, is_number
from dbsynth.randomness import hashed

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MOST_ENTITIES = 10_000  # of a side
_NONE = -0.5  # where there is no row


@dataclass(frozen=True)
class Points:
    """Entities of one side as points.

    Attributes:
        own: Coordinates of their own rows.
        family: Coordinates of all that is under them; no columns where there is nothing.
    """

    own: Float64
    family: Float64

    def __len__(self) -> int:
        return len(self.own)

    @property
    def whole(self) -> Float64:
        """All coordinates."""
        return np.concatenate([self.own, self.family], axis=1)

    def __getitem__(self, rows: slice | npt.NDArray[Any]) -> Points:
        return Points(self.own[rows], self.family[rows])


def smaller(world: World) -> World:
    """The world with so many entities on each side as can be compared, and all that is theirs."""
    sides = (_some(side, world) for side in (world.train, world.held_out, world.synthetic))
    train, held_out, synthetic = sides
    return replace(world, train=train, held_out=held_out, synthetic=synthetic)


def _some(side: Side, world: World) -> Side:
    """The rows of some entities of a side, drawn by their places."""
    count = len(side[world.entity].rows)
    if count <= MOST_ENTITIES:
        return side
    order = np.argsort(hashed(0, np.arange(count)), kind="stable")
    kept = {world.entity: np.sort(order[:MOST_ENTITIES])}
    found: dict[str, Half] = {}
    for name, half in side.items():
        if name in kept:
            families = None if half.families is None else half.families[kept[name]]
        else:
            assert half.families is not None
            place = np.full(len(side[world.parents[name]].rows) + 1, -1)
            place[kept[world.parents[name]]] = np.arange(len(kept[world.parents[name]]))
            kept[name] = np.flatnonzero(place[half.families] >= 0)
            families = place[half.families[kept[name]]]
        found[name] = Half(half.rows.take(pa.array(kept[name])), families)
    return found


def owners(side: Side, world: World) -> dict[str, Int64]:
    """The entity that each row of each table belongs to, -1 for none."""
    found = {world.entity: np.arange(len(side[world.entity].rows))}
    for name, half in side.items():
        if name in world.parents and world.parents[name] in found:
            assert half.families is not None
            found[name] = np.append(found[world.parents[name]], -1)[half.families]
    return found


def entity_points(world: World) -> tuple[Points, Points, Points]:
    """The entities of the training half, of the held-out half, and the invented ones."""
    sides = (world.train, world.held_out, world.synthetic)
    owner = [owners(side, world) for side in sides]
    limits = np.cumsum([0, *(len(side[world.entity].rows) for side in sides)])
    own = _weighed(list(_rows([side[world.entity].rows for side in sides])), int(limits[-1]))
    blocks = []
    for name in world.synthetic:
        if name == world.entity or name not in owner[0]:
            continue
        of = np.concatenate(
            [np.where(o[name] >= 0, o[name] + start, -1)
             for o, start in zip(owner, limits[:-1], strict=True)]
        )  # fmt: skip
        rows = [side[name].rows for side in sides]
        blocks.append(_weighed(list(_family(rows, of, int(limits[-1]))), int(limits[-1])))
    family = np.concatenate(blocks, axis=1) if blocks else np.zeros((limits[-1], 0))
    made = [Points(own[a:b], family[a:b]) for a, b in itertools.pairwise(limits)]
    return made[0], made[1], made[2]


def _rows(tables: Sequence[pa.Table]) -> Iterator[Float64]:
    for name in tables[0].column_names:
        yield from coordinates(tables, name).T


def _weighed(columns: Sequence[Float64], size: int) -> Float64:
    """Columns side by side, divided so that every table weighs the same."""
    if not columns:
        return np.zeros((size, 0))
    points = np.stack(columns, axis=1)
    spread = float(np.sqrt(points.var(axis=0).sum()))
    return points / spread if spread > 0 else points


def _family(tables: Sequence[pa.Table], owner: Int64, size: int) -> Iterator[Float64]:
    """What the rows of one table say of the entities that they belong to."""
    inside = np.flatnonzero(owner >= 0)
    order = inside[np.argsort(owner[inside], kind="stable")]
    entity = owner[order]
    start = np.flatnonzero(np.r_[True, entity[1:] != entity[:-1]]) if len(entity) else inside
    some = entity[start]
    counts = np.bincount(entity, minlength=size)
    yield _ranks(counts)
    for name in tables[0].column_names:
        number = is_number(tables, name)
        for column in coordinates(tables, name).T:
            values = column[order]
            sums = np.bincount(entity, weights=values, minlength=size)
            yield np.where(counts > 0, sums / np.maximum(counts, 1), _NONE)
            found = [values[start]]
            if number and len(start):
                found += [np.minimum.reduceat(values, start), np.maximum.reduceat(values, start)]
            for told in found:
                spread = np.full(size, _NONE)
                spread[some] = told
                yield spread


def _ranks(counts: Int64) -> Float64:
    """Mean ranks between 0 and 1."""
    sizes = np.bincount(counts)
    return ((np.cumsum(sizes) - sizes / 2) / max(len(counts), 1))[counts]
