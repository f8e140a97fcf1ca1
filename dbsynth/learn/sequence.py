"""In which order rows lie and siblings follow each other, and times as distances to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Formatted, Number, k_threshold
from dbsynth.engines import variables
from dbsynth.graph import is_unique, shared_columns
from dbsynth.learn.arrival import order_of, pace_of
from dbsynth.learn.lawful import settled_times
from dbsynth.model import REAL, Anchor, ColumnModel, Pace
from dbsynth.outline import Outline
from dbsynth.read import Rows, reorder
from dbsynth.read.times import (
    Times,
    anchored,
    best_anchor,
    calendar_codes,
    calendar_of,
    gap_of,
    grid,
    in_order_of_time,
    in_sequence,
    time_of,
)
from dbsynth.schema import Column, ForeignKey, Schema, Table
from dbsynth.sorting import by_group

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def with_order(plan: Outline, encoded: Mapping[str, Rows]) -> Outline:
    """The outline that says in the order of which columns the rows of each table lie."""
    tables = dict(plan.tables)
    for table in plan.schema.tables:
        facts, rows = tables[table.name], encoded[table.name]
        telling = {
            name: numbers[: rows.own]
            for name, numbers in rows.numbers.items()
            if isinstance(facts.columns[name].codec, Number | Formatted)
            and name not in table.foreign_columns()
        }
        tables[table.name] = replace(facts, order=order_of(telling))
    return replace(plan, tables=tables)


def with_anchors(
    plan: Outline, encoded: dict[str, Rows], links: dict[ForeignKey, Int64]
) -> Outline:
    """The outline where times are coded relative to other times, if that is steadier.

    Tables whose siblings follow each other in time are put in the order of time.
    """
    tables, fixed = dict(plan.tables), settled_times(plan)
    for name in plan.plan.order:
        rows, facts = encoded[name], tables[name]
        if facts.strategy in REAL:  # they stay as they are
            continue
        fk = plan.plan.generating.get(name)
        columns = dict(facts.columns)
        times = {n: _times(plan.schema[name], n, columns[n], rows) for n in rows.times}
        parent = {}
        if fk is not None:
            parent = {
                Anchor(n, fk): np.append(t, np.nan)[links[fk]]
                for n, t in encoded[fk.parent].times.items()
            }
        earlier: dict[Anchor, Float64] = {}
        for column in in_order_of_time(times):
            candidates = [] if (name, column) in fixed else [*parent.items(), *earlier.items()]
            found = best_anchor(times[column], candidates)
            if found is not None:
                declared = plan.schema[name].column_by_name[column]
                model, distance = anchored(
                    declared, columns[column], times[column], *found, k_threshold(facts.rows)
                )
                columns[column] = model
                assert model.codec is not None
                rows.codes[column] = model.codec.encode(distance)
            if (name, column) not in fixed:
                distance = found and found[1]
                _put_on_calendar(rows, columns, column, times[column], distance, facts.rows)
            earlier[Anchor(column)] = times[column].numbers
        pace = None
        if fk is not None and name not in plan.reading.thinned:
            timed = _in_sequence(plan.schema, name, columns, times, encoded, links, fk)
            pace = None if timed else _paced(plan, name, encoded, links, fk)
        tables[name] = replace(facts, columns=columns, pace=pace)
    return replace(plan, tables=tables)


def _in_sequence(
    schema: Schema, name: str, columns: dict[str, ColumnModel], times: Mapping[str, Times],
    encoded: dict[str, Rows], links: dict[ForeignKey, Int64], fk: ForeignKey,
) -> bool:  # fmt: skip
    """Put siblings in the order of their time, and draw it as gaps where these tell something.

    Returns whether there is such a time.
    """
    rows = encoded[name]
    guests = np.arange(rows.count) >= rows.own  # their siblings were not read
    for column in in_sequence(times, np.where(guests, -1, links[fk])):
        anchor, own = columns[column].anchor, times[column].numbers
        if anchor and anchor.key is None:
            continue
        found = gap_of(times[column], np.where(guests, -1, links[fk]), k_threshold(len(own)))
        if found is not None:
            gap, codes = found
            columns[column] = replace(columns[column], gap=gap)
            encoded[name].calendar[variables.gap(column)] = codes
        reorder(schema, name, np.lexsort((own, guests)), encoded, links)
        return True
    return False


def _paced(
    plan: Outline, name: str, encoded: dict[str, Rows], links: dict[ForeignKey, Int64],
    fk: ForeignKey,
) -> Pace | None:  # fmt: skip
    """How siblings walk along the order of another parent, if they do; puts them in that order."""
    rows = encoded[name]
    earlier = plan.plan.order[: plan.plan.order.index(name)]
    for key in plan.plan.dealt_of(name):
        whole = rows.own == rows.count and encoded[key.parent].own == encoded[key.parent].count
        ordered = key.parent in earlier and plan.tables[key.parent].order
        if not whole or not ordered or shared_columns(plan.schema[name], key):
            continue
        if (links[key] < 0).any() or is_unique(plan.schema[name], key.columns):
            continue
        found = pace_of(links[key], links[fk], k_threshold(rows.count))
        if found is None:
            continue
        gap, codes = found
        rows.calendar[variables.gap(str(key))] = codes
        reorder(plan.schema, name, by_group(links[key]), encoded, links)
        return Pace(key, gap)
    return None


def _put_on_calendar(
    rows: Rows, columns: dict[str, ColumnModel], name: str, own: Times,
    distance: Float64 | None, count: int,
) -> None:  # fmt: skip
    """Add the variables of week and day to a time column that spreads over months."""
    codec = columns[name].codec
    number = codec.number if isinstance(codec, Formatted) else codec
    assert isinstance(number, Number)
    column = Column(name, own.kind, "")
    calendar = calendar_of(column, own, number, distance, k_threshold(count))
    if calendar is None:
        return
    columns[name] = replace(columns[name], calendar=calendar)
    weekdays, clock = calendar_codes(own, calendar)
    rows.calendar[variables.weekday(name)] = weekdays
    if clock is not None:
        rows.calendar[variables.clock(name)] = clock


def _times(table: Table, name: str, model: ColumnModel, rows: Rows) -> Times:
    found = time_of(table.column_by_name[name], model)
    assert found is not None
    return Times(rows.times[name], grid(*found), found[0])
