"""The rows of the source as codes and hashed keys.

Every table is streamed once.  What is kept of a row are the codes of its columns, the hashes of its
keys and a few numbers that cannot be coded before all rows are known; the values are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Codec, Codes, Presence, to_numbers
from dbsynth.databases.base import Database
from dbsynth.graph import is_unique
from dbsynth.guard import Guard, guard_of
from dbsynth.keys import hash_keys, join
from dbsynth.model import ColumnModel
from dbsynth.outline import Outline
from dbsynth.progress import Progress
from dbsynth.quantities import quantities_of
from dbsynth.randomness import UInt64
from dbsynth.schema import ForeignKey, Kind, Schema, Table
from dbsynth.times import in_microseconds, time_of

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass
class Rows:
    """The rows of one table without their values."""

    codes: dict[str, Codes] = field(default_factory=dict)
    keys: dict[tuple[str, ...], UInt64] = field(default_factory=dict)
    references: dict[ForeignKey, tuple[UInt64, npt.NDArray[np.bool_]]] = field(default_factory=dict)
    counters: dict[str, Int64] = field(default_factory=dict)  # integers that may count within a key
    times: dict[str, Float64] = field(default_factory=dict)  # in microseconds, NaN for NULL
    calendar: dict[str, Codes] = field(default_factory=dict)  # weekdays and clocks of times
    numbers: dict[str, Float64] = field(default_factory=dict)  # as rules see them, NaN for NULL
    copied: pa.Table | None = None
    guard: Guard = field(default_factory=lambda: Guard({}))

    def taken(self, order: Int64) -> Rows:
        """The same rows in another order."""
        return replace(
            self,
            codes={n: c[order] for n, c in self.codes.items()},
            keys={n: h[order] for n, h in self.keys.items()},
            references={fk: (h[order], c[order]) for fk, (h, c) in self.references.items()},
            counters={n: c[order] for n, c in self.counters.items()},
            times={n: t[order] for n, t in self.times.items()},
            calendar={n: c[order] for n, c in self.calendar.items()},
            numbers={n: x[order] for n, x in self.numbers.items()},
        )


def codec_of(column: ColumnModel) -> Codec | None:
    """The codec through which the engine sees a column; None where it does not see it."""
    if column.derived:
        return Presence(always=False) if column.nulls else None
    if column.codec is not None:
        return column.codec
    if column.nulls and (column.provided or column.mint):
        return Presence(always=False)
    return None


def read_rows(database: Database, plan: Outline, table: Table, progress: Progress) -> Rows:
    """Stream one table."""
    facts = plan.tables[table.name]
    own = [column.name for column in table.written]
    referenced = plan.schema.referenced_keys(table.name)
    codecs = {n: c for n, m in facts.columns.items() if (c := codec_of(m))}
    if facts.strategy != "synthesize":
        codecs = {}
    timed = {
        n: facts.columns[n] for n in codecs if time_of(table.column_by_name[n], facts.columns[n])
    }
    counted = {n: q for n, q in quantities_of(table, facts).items() if n not in timed}
    counters = _counter_columns(table)
    guard = guard_of(facts)
    if facts.strategy == "copy":
        needed = own
    else:
        needed = sorted(
            {*codecs, *counters, *(c for key in referenced for c in key), *table.foreign_columns(),
             *guard.columns}
        )  # fmt: skip
    parts: list[Rows] = []
    batches = list[pa.RecordBatch]()
    if needed and facts.rows and facts.strategy != "empty":
        for batch in database.read(table, needed):
            columns = {name: batch.column(i) for i, name in enumerate(needed)}
            guard.look(columns)
            parts.append(_encode_batch(columns, table, referenced, codecs, counters, timed))
            parts[-1].numbers = {n: q.numbers(columns[n]) for n, q in counted.items()}
            if facts.strategy == "copy":
                batches.append(batch)
            progress.advance(batch.num_rows)
    whole = _concatenated(parts, table, referenced, codecs, counters)
    whole.guard = guard
    for name in timed:
        whole.times[name] = np.concatenate([p.times[name] for p in parts] or [np.zeros(0)])
    for name in counted:
        whole.numbers[name] = np.concatenate([p.numbers[name] for p in parts] or [np.zeros(0)])
    whole.numbers |= whole.times
    if facts.strategy == "copy":
        empty = database.sample(table, own, 1, 0).schema
        whole.copied = pa.Table.from_batches(batches, batches[0].schema if batches else empty)
    return whole


def _counter_columns(table: Table) -> tuple[str, ...]:
    """Integer columns of composite keys that are in no foreign key: perhaps 1, 2, 3 per parent."""
    foreign = table.foreign_columns()
    names = {
        name
        for key in table.keys
        if key.plain and len(key.columns) > 1 and set(key.columns) & foreign
        for name in key.columns
        if name not in foreign and table.column_by_name[name].kind is Kind.INTEGER
        and not is_unique(table, (name,))
    }  # fmt: skip
    return tuple(sorted(names))


def _encode_batch(
    columns: Mapping[str, pa.Array],
    table: Table,
    referenced: tuple[tuple[str, ...], ...],
    codecs: Mapping[str, Codec],
    counters: tuple[str, ...],
    timed: Mapping[str, ColumnModel],
) -> Rows:
    part = Rows()
    for name, codec in codecs.items():
        part.codes[name] = codec.encode(columns[name])
    for name, model in timed.items():
        part.times[name] = in_microseconds(columns[name], table.column_by_name[name], model)
    for key in referenced:
        hashes, complete = hash_keys([columns[c] for c in key])
        part.keys[key] = np.where(complete, hashes, np.uint64(0))
    for fk in table.foreign_keys:
        part.references[fk] = hash_keys([columns[c] for c in fk.columns])
    for name in counters:
        part.counters[name] = to_numbers(columns[name])[0].astype(np.int64)
    return part


def _concatenated(
    parts: list[Rows],
    table: Table,
    referenced: tuple[tuple[str, ...], ...],
    codecs: Mapping[str, Codec],
    counters: tuple[str, ...],
) -> Rows:
    def joined(arrays: list[npt.NDArray[Any]], dtype: type) -> npt.NDArray[Any]:
        return np.concatenate(arrays) if arrays else np.zeros(0, dtype)

    whole = Rows()
    for name in codecs:
        whole.codes[name] = joined([p.codes[name] for p in parts], np.uint16)
    for key in referenced:
        whole.keys[key] = joined([p.keys[key] for p in parts], np.uint64)
    for fk in table.foreign_keys:
        whole.references[fk] = (
            joined([p.references[fk][0] for p in parts], np.uint64),
            joined([p.references[fk][1] for p in parts], np.bool_),
        )
    for name in counters:
        whole.counters[name] = joined([p.counters[name] for p in parts], np.int64)
    return whole


def link_rows(schema: Schema, rows: Mapping[str, Rows]) -> dict[ForeignKey, Int64]:
    """Row position of the parent for every child row; -1 for none."""
    return {fk: link_key(fk, rows) for fk in schema.foreign_keys}


def link_key(fk: ForeignKey, rows: Mapping[str, Rows]) -> Int64:
    """Row position of the parent under one key for every child row; -1 for none."""
    return join(*rows[fk.child].references[fk], rows[fk.parent].keys[fk.parent_columns])[0]
