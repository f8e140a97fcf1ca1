"""Real rows that come into the clone: their codes, links, and values that others depend on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import Codes
from dbsynth.databases.base import Database
from dbsynth.engines import variables
from dbsynth.learn.dealt import dealt_variables
from dbsynth.learn.work import Work
from dbsynth.model import RealRows, TableFacts
from dbsynth.outline.masking import renumbered, streamed, told
from dbsynth.outline.pieces import piece_variables
from dbsynth.randomness import Streams, hashed
from dbsynth.read.quantities import quantities_of
from dbsynth.schema import Table

Bool = npt.NDArray[np.bool_]


def real_rows(
    work: Work, database: Database, name: str, chosen: Mapping[str, Bool], streams: Streams
) -> RealRows:
    """The chosen rows of one table.

    Args:
        chosen: Per table of real rows, whether each row that is read is in; all where it lacks one.
    """
    table, facts = work.outline.schema[name], work.tables[name]
    masks = {n: chosen.get(n, np.ones(work.rows[n].count, bool)) for n in work.outline.real}
    mask = masks[name]
    codes = {**work.codes[name], **dealt_variables(work, name, streams)[1]}
    codes |= _apart(facts, codes, streams.key("pieces", name))
    links = {}
    for fk in work.plan.carried_of(name):
        place = np.where(masks[fk.parent], np.cumsum(masks[fk.parent]) - 1, -1)
        links[fk] = np.append(place, -1)[work.links[fk]][mask]
    kept = streamed(table, facts)
    values = {
        column: quantity.values(work.rows[name].numbers[column][mask])
        for column, quantity in quantities_of(table, facts).items()
        if column in kept and column in work.rows[name].numbers
    }
    constrained = _constrained(table) & set(kept)
    if constrained:
        values |= _read(database, table, sorted(constrained), mask)
    numbers = renumbered(table, facts)
    for column, found in (_read(database, table, list(numbers), mask) if numbers else {}).items():
        values[column] = _renumbered(found, streams.key("renumber", name, column))
    rows = int(mask.sum())
    return RealRows(
        mask, {v: c[mask] for v, c in codes.items()}, links, kept, values,
        _shuffled(rows, streams.key("renumber", name)), told(table, facts, rows),
    )  # fmt: skip


def _apart(facts: TableFacts, codes: Mapping[str, Codes], key: int) -> dict[str, Codes]:
    """The codes of the parts of values that are taken apart, each from another row.

    All parts of one row would make up its real value again.
    """
    found = {}
    for name, model in facts.columns.items():
        for variable in piece_variables(name, model):
            own = codes[variable]
            there = codes.get(variables.column(name), np.ones(len(own), np.uint16)) > 0
            rows, mixed = np.flatnonzero(there), own.copy()
            key += 1
            mixed[rows] = own[rows[_shuffled(len(rows), key)]]
            found[variable] = mixed
    return found


def _renumbered(numbers: pa.Array, key: int) -> pa.Array:
    """Other numbers, equal where they were equal."""
    distinct, place = np.unique(
        pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False), return_inverse=True
    )
    fresh = pa.array(_shuffled(len(distinct), key)[place] + 1, numbers.type)
    return pc.if_else(pc.is_valid(numbers), fresh, pa.scalar(None, numbers.type))


def _shuffled(rows: int, key: int) -> npt.NDArray[np.int64]:
    return np.argsort(hashed(key, np.arange(rows)), kind="stable").astype(np.int64)


def _constrained(table: Table) -> set[str]:
    """The columns that constraints are about, which may be judged together with replaced ones."""
    limits = [check.columns for check in table.checks]
    limits += [exclusion.columns for exclusion in table.exclusions]
    limits += [(*key.columns, *key.where_columns) for key in table.keys]
    return {name for columns in limits for name in columns}


def _read(
    database: Database, table: Table, columns: list[str], mask: Bool
) -> dict[str, pa.Array]:  # fmt: skip
    """Values of the chosen rows as they are."""
    batches, seen = [], 0
    for batch in database.read(table, columns):
        here = mask[seen : seen + batch.num_rows]
        seen += batch.num_rows
        batches.append(batch.filter(pa.array(here)))
    rows = pa.Table.from_batches(batches) if batches else pa.table({})
    return {name: rows[name].combine_chunks() for name in rows.column_names}
