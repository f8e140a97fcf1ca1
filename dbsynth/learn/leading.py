"""Which parent the rows of a table with several are drawn under.

A race has results of many drivers, and a driver's results follow each other from race to race: what
all results of a race have in common, positions from 1 to n, is only kept where they are drawn under
their race.  So the key leads along whose parents, in their order, the rows under another key walk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dbsynth.codec import k_threshold
from dbsynth.graph import is_unique, make_plan, shared_columns
from dbsynth.learn.arrival import pace_of
from dbsynth.outline import Outline
from dbsynth.read import Rows
from dbsynth.schema import ForeignKey, Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def with_leading(
    plan: Outline, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]
) -> Outline:
    """The outline whose generating keys are those that lead, where all rows were read."""
    if plan.reading.own:
        return plan
    leading = []
    for table in plan.schema.tables:
        if plan.tables[table.name].strategy == "synthesize":
            leading += _leading(plan, table, encoded, links)
    if not leading:
        return plan
    rows = {name: found.count for name, found in encoded.items()}
    made = make_plan(plan.schema, rows, plan.plan.copied, leading=leading)
    return replace(plan, plan=made)


def _leading(
    plan: Outline, table: Table, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]
) -> list[ForeignKey]:
    """The key along whose parents those of most other keys have their rows; at most one."""
    keys = [fk for fk in table.foreign_keys if may_follow(plan, table, fk, links)]
    walkers: dict[ForeignKey, int] = {}
    for key in keys:
        if plan.tables[key.parent].order:
            rank = ranks(plan, encoded, key.parent)[links[key]]
            k = k_threshold(len(rank))
            others = [fk for fk in keys if fk != key]
            walkers[key] = sum(pace_of(rank, links[fk], k) is not None for fk in others)
    best = max(walkers, key=lambda fk: (walkers[fk], -len(encoded[fk.parent].keys), str(fk)),
               default=None)  # fmt: skip
    return [best] if best is not None and walkers[best] else []


def may_follow(
    plan: Outline, table: Table, fk: ForeignKey, links: Mapping[ForeignKey, Int64]
) -> bool:
    """Whether every row has a parent of its own choice under a key."""
    return (
        fk.parent != table.name
        and plan.tables[fk.parent].strategy == "synthesize"
        and not is_unique(table, fk.columns)
        and not shared_columns(table, fk)
        and len(links[fk]) > 0
        and bool((links[fk] >= 0).all())
    )


def ranks(plan: Outline, encoded: Mapping[str, Rows], table: str) -> Int64:
    """The place of every row in the order in which the rows of the source lie."""
    rows = encoded[table]
    told = [rows.numbers[name] for name in plan.tables[table].order[::-1]]
    found = np.empty(rows.count, np.int64)
    found[np.lexsort(told)] = np.arange(rows.count)
    return found
