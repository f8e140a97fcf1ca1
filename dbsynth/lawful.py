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
from dbsynth.rules.balance import Balance
from dbsynth.rules.contiguous import Contiguous
from dbsynth.rules.formula import Formula
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
    """The outline with the rules to keep: those mined, or those of the spec.

    What they settle alone leaves the rows.
    """
    data = data_of(plan, rows, links)
    rules, notes = choose(mine(data), plan.wanted, data)
    plan = replace(plan, rules=rules, notes=plan.notes + notes)
    plan = without_derived(plan, rows, data)
    _give_to_families(plan, rows, data)
    return plan


def _give_to_families(plan: Outline, rows: Mapping[str, Rows], data: Data) -> None:
    """Give all siblings the end of the last, or the balance of the first.

    The others' follow from rules.  So the model learns one value for a family, and whichever row
    comes out last, or first, has it.
    """
    found = []
    for kept in plan.rules:
        if isinstance(kept.rule, Contiguous):
            found.append((kept.rule.end, kept.rule.last(data)))
        elif isinstance(kept.rule, Balance):
            found.append((kept.rule.total, kept.rule.first(data)))
    for (table, name), source in found:
        own = rows[table]
        if source is None or name not in own.codes:
            continue
        own.codes[name] = own.codes[name][source]
        for numbers in (own.times, own.numbers):
            if name in numbers:
                numbers[name] = numbers[name][source]


def without_derived(plan: Outline, rows: Mapping[str, Rows], data: Data) -> Outline:
    """The outline where columns that follow from their own row and its parents are not drawn.

    Their presence is drawn where they are NULL beside known columns; where they have a value beside
    a NULL they are drawn as ever, and computed only where they can be.
    """
    tables = dict(plan.tables)
    for kept in plan.rules:
        rule = kept.rule
        if not isinstance(rule, Formula) or not rule.within:
            continue
        table, name = rule.target
        own, wanted = data.numbers(rule.target), rule.expression.value(data)
        if own is None or wanted is None or tables[table].strategy != "synthesize":
            continue
        missing, unknown = np.isnan(own), np.isnan(np.broadcast_to(wanted, own.shape))
        if (unknown & ~missing).any():
            continue
        mixed = bool((missing & ~unknown).any())
        columns = dict(tables[table].columns)
        columns[name] = replace(columns[name], derived=True, nulls=mixed)
        tables[table] = replace(tables[table], columns=columns)
        rows[table].times.pop(name, None)
        rows[table].codes.pop(name, None)
        if mixed:
            rows[table].codes[name] = (~missing).astype(np.uint16)
    return replace(plan, tables=tables)


def data_of(plan: Outline, rows: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]) -> Data:
    """The rows read, as rules see them."""
    quantities = {
        (name, column): quantity
        for name, facts in plan.tables.items()
        for column, quantity in quantities_of(plan.schema[name], facts).items()
    }
    return Data(
        plan.schema,
        {name: found.count for name, found in rows.items()},
        {name: found.numbers for name, found in rows.items()},
        {name: found.codes for name, found in rows.items()},
        links,
        {place: quantity.unit for place, quantity in quantities.items()},
        frozenset(p for p in quantities if plan.tables[p[0]].strategy == "synthesize"),
        frozenset(place for place, quantity in quantities.items() if quantity.timed),
    )
