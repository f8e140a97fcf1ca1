"""Codes that count the rows of a year or a parent, in the order of time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import as_text
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import own_values, values
from dbsynth.engines import variables
from dbsynth.identifiers.serial import ticks_of
from dbsynth.keys import group_ids, rank_in_group
from dbsynth.schema import Table


def settle_serials(draft: Draft, table: Table) -> None:
    """Let the codes of a table count its rows as they now are; codes that cannot stay drawn."""
    for name, model in draft.model.tables[table.name].columns.items():
        if model.serial is None or table.name in draft.model.real:
            continue
        column, rows = table.column_by_name[name], np.arange(draft.rows[table.name])
        found = _counted(draft, table, name)
        drawn = own_values(draft, table, column, model, rows, rows)
        if column.length is not None:
            fits = pc.less_equal(pc.utf8_length(found), column.length)
            found = pc.if_else(fits, found, pa.scalar(None, found.type))
        draft.settled[table.name][name] = pc.if_else(
            pc.is_valid(drawn), pc.coalesce(found, drawn), drawn
        )


def _counted(draft: Draft, table: Table, name: str) -> pa.Array:
    """The codes of all rows; NULL where a row does not say what belongs in its own."""
    serial = draft.model.tables[table.name].columns[name].serial
    assert serial is not None
    rows = np.arange(draft.rows[table.name])
    times = None if serial.time is None else values(draft, table, serial.time, rows)
    parents = None if serial.parent is None else as_text(values(draft, table, serial.parent, rows))
    drawn = draft.codes[table.name].get(variables.column(name))
    absent = np.zeros(len(rows), bool) if drawn is None else drawn == 0
    groups = group_ids([absent, *serial.groups(times, parents)])
    order = np.lexsort((rows, rows if times is None else ticks_of(times), groups))
    numbers = np.empty(len(rows), np.int64)
    numbers[order] = rank_in_group(groups[order]) + serial.first
    return serial.written(numbers, times, parents)
