"""Diamonds: two ways from a row to the same table that always end in the same row.

A payment's customer is the customer of its rental.  Where the source holds to that, the link is not
drawn but followed, and the clone holds to it as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from dbsynth.graph import Plan, shared_columns
from dbsynth.schema import ForeignKey, Schema

Int64 = npt.NDArray[np.int64]
Path = tuple[ForeignKey, ...]

_SHARE = 0.995  # of the rows that have to agree; a few slips of the source are not imitated
_FEWEST_ROWS = 30
_FEWEST_PARENTS = 3  # fewer could agree by chance
_LONGEST = 4


def find_diamonds(
    schema: Schema, plan: Plan, links: Mapping[ForeignKey, Int64], own: Mapping[str, int]
) -> dict[ForeignKey, Path]:
    """The path of foreign keys that leads where a dealt key leads, for each that has one.

    Keys that share columns with others are left out: their columns settle them already.

    Args:
        own: How many rows of each table tell, the first ones.
    """
    found: dict[ForeignKey, Path] = {}
    for fk in plan.dealt:
        if shared_columns(schema[fk.child], fk) or fk.parent == fk.child:
            continue
        rows = own[fk.child]
        mine = links[fk][:rows]
        linked = mine[mine >= 0]
        if len(linked) < _FEWEST_ROWS or len(np.unique(linked)) < _FEWEST_PARENTS:
            continue
        for path in _paths(plan, fk):
            if not set(path) & set(found) and np.mean(follow(path, links)[:rows] == mine) >= _SHARE:
                found[fk] = path
                break
    return found


def follow(path: Path, links: Mapping[ForeignKey, Int64]) -> Int64:
    """The row that a path leads to from every row, -1 where it breaks off."""
    reached = links[path[0]]
    for fk in path[1:]:
        reached = np.append(links[fk], -1)[reached]
    return reached


def _paths(plan: Plan, fk: ForeignKey) -> Iterator[Path]:
    """Ways up the generating parents, and from one of them to the same table, short ones first."""
    climbed: list[ForeignKey] = []
    table = fk.child
    while table in plan.generating and len(climbed) < _LONGEST:
        climbed.append(plan.generating[table])
        table = climbed[-1].parent
        for last in _keys_of(plan, table):
            if last.parent == fk.parent and last != fk:
                yield (*climbed, last)


def _keys_of(plan: Plan, table: str) -> Sequence[ForeignKey]:
    own = plan.generating.get(table)
    return (*((own,) if own else ()), *plan.dealt_of(table))
