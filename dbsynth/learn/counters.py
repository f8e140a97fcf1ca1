"""Integer key parts that count the rows of each group of their key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dbsynth.keys import group_ids, key_parts, rank_in_group
from dbsynth.model import ColumnModel, TableFacts
from dbsynth.outline import Outline
from dbsynth.read import Rows
from dbsynth.schema import ForeignKey, Table

Int64 = npt.NDArray[np.int64]
_RANKED_SHARE = 0.95


def ranked(
    table: Table, plan: Outline, rows: Rows, links: Mapping[ForeignKey, Int64]
) -> TableFacts:
    """The facts of a table, where integer key parts that count within the rest are found out."""
    facts = replace(rows.guard.completed(plan.tables[table.name]), copied=rows.copied)
    if facts.strategy != "synthesize":
        return facts
    columns = dict(facts.columns)
    for name in rows.counters:
        first = _first_of_counter(table, name, rows, links)
        if first is not None:
            columns[name] = ColumnModel(columns[name].decision, ranked=first)
            rows.codes.pop(name, None)
    return replace(facts, columns=columns)


def _first_of_counter(
    table: Table, name: str, rows: Rows, links: Mapping[ForeignKey, Int64]
) -> int | None:
    """0 or 1 where the column counts the rows of each group of its key from there, else None."""
    values = rows.counters[name][: rows.own]
    groups = counter_group(table, name)
    if groups is None or not len(values):
        return None
    group = group_ids([links[fk][: rows.own] for fk in groups])
    order = np.lexsort((values, group))
    rank = rank_in_group(group[order])
    for first in (1, 0):
        if np.mean(values[order] == rank + first) >= _RANKED_SHARE:
            return first
    return None


def counter_group(table: Table, name: str) -> tuple[ForeignKey, ...] | None:
    """The foreign keys that make up the rest of a key with this column; None if there is more."""
    for key in table.keys:
        if not key.plain or name not in key.columns or len(key.columns) < 2:
            continue
        found = key_parts(table, key)
        if set(key.columns) - {c for fk in found for c in fk.columns} == {name}:
            return found
    return None
