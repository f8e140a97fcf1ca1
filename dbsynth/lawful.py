"""The rules of a source: mined from the rows that were read, or those that the spec wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dbsynth.databases.base import Database
from dbsynth.outline import Outline
from dbsynth.progress import Progress
from dbsynth.quantities import quantities_of
from dbsynth.read import Rows, link_rows, read_rows
from dbsynth.rules import Data, choose, mine
from dbsynth.schema import ForeignKey

Int64 = npt.NDArray[np.int64]


def find_rules(database: Database, plan: Outline, progress: Progress) -> Outline:
    """The outline with the rules that a model of all tables would keep."""
    rows = {}
    for table in plan.schema.tables:
        progress.step(f"read {table.name}", plan.tables[table.name].rows)
        rows[table.name] = read_rows(database, plan, table, progress)
    return with_rules(plan, rows, link_rows(plan.schema, rows))


def with_rules(
    plan: Outline, rows: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]
) -> Outline:
    """The outline with the rules to keep: those mined, or those of the spec."""
    data = data_of(plan, rows, links)
    rules, notes = choose(mine(data), plan.wanted, data)
    return replace(plan, rules=rules, notes=plan.notes + notes)


def data_of(plan: Outline, rows: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]) -> Data:
    """The rows read, as rules see them."""
    quantities = {
        (name, column): quantity
        for name, facts in plan.tables.items()
        for column, quantity in quantities_of(plan.schema[name], facts).items()
    }
    return Data(
        plan.schema,
        {name: _count(found, plan.tables[name].rows) for name, found in rows.items()},
        {name: found.numbers for name, found in rows.items()},
        {name: found.codes for name, found in rows.items()},
        links,
        {place: quantity.unit for place, quantity in quantities.items()},
        frozenset(p for p in quantities if plan.tables[p[0]].strategy == "synthesize"),
        frozenset(place for place, quantity in quantities.items() if quantity.timed),
    )


def _count(rows: Rows, counted: int) -> int:
    """How many rows of a table were read."""
    for arrays in (rows.codes, rows.numbers, rows.keys):
        for array in arrays.values():
            return len(array)
    for hashes, _ in rows.references.values():
        return len(hashes)
    return counted
