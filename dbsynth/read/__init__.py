"""The rows of the source as codes and hashed keys.

What is kept of a row are the codes of its columns, the hashes of its keys and a few numbers that
cannot be coded before all rows are known; the values are gone.  Of a table that is read in part,
what concerns all of its rows is counted by the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import Category, Codec, Codes, Formatted, Presence, as_text, to_numbers
from dbsynth.databases.base import Database
from dbsynth.databases.part import Part
from dbsynth.graph import is_unique
from dbsynth.identifiers import PROVIDERS
from dbsynth.keys import hash_keys, join
from dbsynth.model import LEFT_OUT, MADE, NAMES_JOINED, ColumnModel
from dbsynth.outline import Outline
from dbsynth.outline.pieces import piece_codes, piece_variables
from dbsynth.outline.proposals import SAMPLE_ROWS
from dbsynth.outline.unreviewed import even_links, unreviewed, unreviewed_keys
from dbsynth.progress import Progress
from dbsynth.randomness import Streams, UInt64
from dbsynth.read.guard import Guard, guard_of
from dbsynth.read.quantities import Quantity, quantities_of
from dbsynth.read.times import in_microseconds, time_of
from dbsynth.schema import ForeignKey, Kind, Schema, Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
_SHARES_SEED = 1
_COUNTED = (Kind.TEXT, Kind.ENUM, Kind.BOOLEAN)  # kinds that every database can group by


@dataclass
class Rows:
    """The rows of one table, or of a sample of it, without their values."""

    codes: dict[str, Codes] = field(default_factory=dict)
    keys: dict[tuple[str, ...], UInt64] = field(default_factory=dict)
    references: dict[ForeignKey, tuple[UInt64, npt.NDArray[np.bool_]]] = field(default_factory=dict)
    counters: dict[str, Int64] = field(default_factory=dict)  # integers that may count within a key
    times: dict[str, Float64] = field(default_factory=dict)  # in microseconds, NaN for NULL
    calendar: dict[str, Codes] = field(default_factory=dict)  # weekdays and clocks of times
    pieces: dict[str, Codes] = field(default_factory=dict)  # of values that are taken apart
    numbers: dict[str, Float64] = field(default_factory=dict)  # as rules see them, NaN for NULL
    hashes: dict[str, UInt64] = field(default_factory=dict)  # of values to compare, 0 for NULL
    unnamed: dict[str, Bool] = field(default_factory=dict)  # values that have no code of their own
    copied: pa.Table | None = None
    guard: Guard = field(default_factory=lambda: Guard({}))
    count: int = 0
    own: int = 0  # rows of the table or of its sample; those after them are guests
    shares: dict[str, Float64] = field(default_factory=dict)  # of each code in the whole table

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
            pieces={n: c[order] for n, c in self.pieces.items()},
            numbers={n: x[order] for n, x in self.numbers.items()},
            hashes={n: h[order] for n, h in self.hashes.items()},
            unnamed={n: u[order] for n, u in self.unnamed.items()},
        )


def codec_of(column: ColumnModel) -> Codec | None:
    """The codec through which the engine sees a column; None where it does not see it."""
    if column.derived:
        return Presence(always=False) if column.nulls else None
    if column.codec is not None:
        return column.codec
    if column.blanks and column.provided:
        return Presence(always=False, blanks=column.blanks)
    if column.nulls and (column.provided or column.mint or column.structure):
        return Presence(always=False)
    return None


@dataclass(frozen=True)
class _Coding:
    """What becomes of the values of one table."""

    table: Table
    referenced: tuple[tuple[str, ...], ...]
    codecs: Mapping[str, Codec]
    timed: Mapping[str, ColumnModel]
    counted: Mapping[str, Quantity]
    counters: tuple[str, ...]
    structured: Mapping[str, ColumnModel]
    hashed: frozenset[str]

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are needed for it."""
        keys = frozenset(name for key in self.referenced for name in key)
        return keys | {
            *self.codecs,
            *self.counters,
            *self.structured,
            *(part for name in self.hashed for part in name.split(NAMES_JOINED)),
            *(name for fk in self.table.foreign_keys for name in fk.columns),
        }

    @property
    def worded(self) -> Mapping[str, Category | Presence]:
        """The codecs that may give a value the code of another one."""
        return {n: c for n, c in self.codecs.items() if isinstance(c, Category | Presence)}

    def encode(self, columns: Mapping[str, pa.Array], rows: int, *, guests: bool) -> Rows:
        """The rows of a batch."""
        part = Rows(count=rows, own=0 if guests else rows)
        for name, codec in self.codecs.items():
            part.codes[name] = codec.encode(columns[name])
        for name, model in self.timed.items():
            column = self.table.column_by_name[name]
            part.times[name] = in_microseconds(columns[name], column, model)
        part.hashes = {n: _hashes(_whole_name(columns, n)) for n in self.hashed}
        part.numbers = {n: q.numbers(columns[n]) for n, q in self.counted.items()}
        part.unnamed = {n: c.unnamed(columns[n]) for n, c in self.worded.items()}
        for key in self.referenced:
            hashes, complete = hash_keys([columns[c] for c in key])
            part.keys[key] = np.where(complete, hashes, np.uint64(0))
        for fk in self.table.foreign_keys:
            part.references[fk] = hash_keys([columns[c] for c in fk.columns])
        for name, model in self.structured.items():
            part.pieces |= piece_codes(name, model, columns[name])
        for name in self.counters:
            part.counters[name] = to_numbers(columns[name])[0].astype(np.int64)
        return part

    def joined(self, parts: list[Rows]) -> Rows:
        """The rows of several batches."""

        def whole(arrays: list[npt.NDArray[Any]], dtype: type) -> npt.NDArray[Any]:
            return np.concatenate(arrays) if arrays else np.zeros(0, dtype)

        rows = Rows(count=sum(p.count for p in parts), own=sum(p.own for p in parts))
        pieces = [
            v for name, model in self.structured.items() for v in piece_variables(name, model)
        ]
        kept: tuple[tuple[str, Iterable[Any], type], ...] = (
            ("codes", self.codecs, np.uint16),
            ("times", self.timed, np.float64),
            ("numbers", self.counted, np.float64),
            ("hashes", self.hashed, np.uint64),
            ("unnamed", self.worded, np.bool_),
            ("keys", self.referenced, np.uint64),
            ("pieces", pieces, np.uint16),
            ("counters", self.counters, np.int64),
        )
        for attribute, names, dtype in kept:
            for name in names:
                arrays = [getattr(part, attribute).pop(name) for part in parts]
                getattr(rows, attribute)[name] = whole(arrays, dtype)
        rows.numbers |= rows.times
        for fk in self.table.foreign_keys:
            rows.references[fk] = (
                whole([p.references[fk][0] for p in parts], np.uint64),
                whole([p.references[fk][1] for p in parts], np.bool_),
            )
        return rows


def _coding(plan: Outline, table: Table, hashed: frozenset[str]) -> _Coding:
    facts = plan.tables[table.name]
    codecs = {n: c for n, m in facts.columns.items() if (c := codec_of(m))}
    if facts.strategy not in MADE:
        codecs = {}
    timed = {
        n: facts.columns[n] for n in codecs if time_of(table.column_by_name[n], facts.columns[n])
    }
    counted = {n: q for n, q in quantities_of(table, facts).items() if n not in timed}
    referenced = plan.schema.referenced_keys(table.name)
    made = facts.strategy in MADE
    structured = {n: m for n, m in facts.columns.items() if made and m.structure}
    counters = _counter_columns(table)
    return _Coding(table, referenced, codecs, timed, counted, counters, structured, hashed)


def read_rows(
    database: Database,
    plan: Outline,
    table: Table,
    progress: Progress,
    hashed: frozenset[str] = frozenset(),
) -> Rows:
    """Stream what is read of one table.

    Args:
        hashed: Columns whose values are kept as hashes, to be compared.
    """
    facts = plan.tables[table.name]
    coding = _coding(plan, table, hashed)
    made = bool(facts.rows) and facts.strategy not in LEFT_OUT
    if facts.strategy == "copy":
        rows, copied = _copied(database, coding, facts.columns, progress)
        rows.copied = copied
        return rows
    parts = plan.reading.parts(table.name)
    whole = parts == (None,)
    rows = (
        _learnt(database, coding, guard_of(facts), parts, progress) if made else coding.joined([])
    )
    if made and not whole:
        _guard_all(database, table, rows.guard)
        rows.shares = _shares(database, table, coding.codecs, facts.rows)
    if made and not coding.columns:  # nothing of a row is looked at
        rows.count = rows.own = facts.rows
    return rows


def read_tables(
    database: Database, plan: Outline, progress: Progress,
    hashed: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, Rows]:  # fmt: skip
    """Stream what is read of all tables, the references that nobody has reviewed made up.

    Args:
        hashed: Per table, columns whose values are kept as hashes, to be compared.
    """
    rows = {}
    for table in plan.schema.tables:
        progress.step(f"read {table.name}", plan.tables[table.name].rows)
        wanted = frozenset((hashed or {}).get(table.name, ()))
        rows[table.name] = read_rows(database, plan, table, progress, wanted)
    for fk in unreviewed_keys(plan.schema, plan.tables):
        parents = rows[fk.parent].keys[fk.parent_columns]
        links = even_links(fk, rows[fk.child].count, len(parents))
        known = links >= 0
        found = parents[links] if len(parents) else np.zeros(len(links), np.uint64)
        rows[fk.child].references[fk] = (found, known)
    return rows


def _copied(
    database: Database, coding: _Coding, columns_: Mapping[str, ColumnModel], progress: Progress
) -> tuple[Rows, pa.Table]:
    """All rows of a table, also as they are, but for columns that nobody has reviewed."""
    names = [column.name for column in coding.table.written]
    empty = database.sample(coding.table, names, 1, 0).schema
    found, batches = [], []
    start = 0
    for read in database.read(coding.table, names):
        batch = _reviewed(read, coding.table, columns_, start)
        start += batch.num_rows
        columns = dict(zip(names, batch.columns, strict=True))
        found.append(coding.encode(columns, batch.num_rows, guests=False))
        batches.append(batch)
        progress.advance(batch.num_rows)
    schema = batches[0].schema if batches else empty
    return coding.joined(found), pa.Table.from_batches(batches, schema)


def _reviewed(
    batch: pa.RecordBatch, table: Table, columns: Mapping[str, ColumnModel], start: int
) -> pa.RecordBatch:
    """Rows whose values of columns that nobody has reviewed are made from the type."""
    index = np.arange(start, start + batch.num_rows, dtype=np.uint64)
    for name in batch.schema.names:
        model, at = columns[name], batch.schema.get_field_index(name)
        if unreviewed(model):
            provided, types = model.provided, batch.schema.types
            drawn = pa.nulls(batch.num_rows, types[at])
            if provided is not None:
                key = Streams(0).key("from type", table.name, name)
                drawn = PROVIDERS[provided.provider].draw(provided.state, index, key=key)
            batch = batch.set_column(at, batch.schema.field(at), drawn.cast(types[at]))
    return batch


def _learnt(
    database: Database, coding: _Coding, guard: Guard, parts: Sequence[Part | None],
    progress: Progress,
) -> Rows:  # fmt: skip
    """The rows of a table or of parts of it; the guard looks at them where they are all."""
    table, whole = coding.table, parts == (None,)
    key = table.primary_key or next(iter(coding.referenced), ())
    needed = sorted(coding.columns | (guard.columns if whole else frozenset(key)))
    found = []
    for batch, guests in _batches(database, table, needed, parts, key) if needed else ():
        columns = dict(zip(needed, batch.columns, strict=True))
        if whole:
            guard.look(columns)
        found.append(coding.encode(columns, batch.num_rows, guests=guests))
        progress.advance(batch.num_rows)
    rows = coding.joined(found)
    rows.guard = guard
    return rows


def _batches(
    database: Database, table: Table, columns: Sequence[str], parts: Sequence[Part | None],
    key: tuple[str, ...],
) -> Iterator[tuple[pa.RecordBatch, bool]]:  # fmt: skip
    """Rows that were not read before, and whether they are guests."""
    if len(parts) == 1:
        for batch in database.read(table, columns, part=parts[0]):
            yield batch, False
        return
    at = [list(columns).index(name) for name in key]
    seen = np.zeros(0, np.uint64)
    for number, part in enumerate(parts):
        fresh = [seen]
        for batch in database.read(table, columns, part=part):
            hashes, complete = hash_keys([batch.column(i) for i in at])
            new = ~(np.isin(hashes, seen) & complete)
            fresh.append(hashes[new])
            if new.any():
                yield batch if new.all() else batch.filter(pa.array(new)), number > 0
        seen = np.unique(np.concatenate(fresh))


def _guard_all(database: Database, table: Table, guard: Guard) -> None:
    """Gather what must not come back from all rows."""
    columns = sorted(guard.columns)
    if columns:
        for batch in database.scan(table, columns):
            guard.look(dict(zip(columns, batch.columns, strict=True)))


def _shares(
    database: Database, table: Table, codecs: Mapping[str, Codec], rows: int
) -> dict[str, Float64]:
    """The share of each code among all rows: NULL and the words of a category exactly.

    The rest is told by single rows drawn from the whole table, which say more about one column than
    as many rows of a few large families do.
    """
    names = sorted(codecs)
    drawn = database.sample(table, names, SAMPLE_ROWS, _SHARES_SEED)
    kinds = {name: table.column_by_name[name].kind for name in names}
    worded = {n: c for n in names if isinstance(c := codecs[n], Category) and kinds[n] in _COUNTED}
    words = database.count_values(table, tuple(worded)) if worded else {}
    told = [name for name in names if not isinstance(codecs[name], Formatted)]
    absent = tuple(name for name in told if table.column_by_name[name].nullable)
    present = dict.fromkeys(told, rows)
    present |= database.count_present(table, absent) if absent else {}
    found = {}
    for name in names:
        codec = codecs[name]
        codes = codec.encode(drawn[name].combine_chunks())
        counts = np.bincount(codes, minlength=codec.alphabet.size).astype(np.float64)
        if name in worded:
            exact = [words[name].get(word, 0) for word in worded[name].vocabulary]
            counts[1:] = exact if any(exact) else counts[1:]
        if name in present:
            counts[0] = rows - present[name]
            counts[1:] *= present[name] / max(counts[1:].sum(), 1.0)
        found[name] = counts / max(counts.sum(), 1.0)
    return found


def _whole_name(columns: Mapping[str, pa.Array], name: str) -> pa.Array:
    """A column, or two put together with a blank."""
    parts = name.split(NAMES_JOINED)
    if len(parts) == 1:
        return columns[name]
    return pc.binary_join_element_wise(*(as_text(columns[part]) for part in parts), " ")


def _hashes(values: pa.Array) -> UInt64:
    hashes, present = hash_keys([values])
    return np.where(present, np.maximum(hashes, np.uint64(1)), np.uint64(0))


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


def link_rows(schema: Schema, rows: Mapping[str, Rows]) -> dict[ForeignKey, Int64]:
    """Row position of the parent for every child row; -1 for none."""
    return {fk: link_key(fk, rows) for fk in schema.foreign_keys}


def reorder(
    schema: Schema, name: str, order: Int64, encoded: dict[str, Rows],
    links: dict[ForeignKey, Int64],
) -> None:  # fmt: skip
    """Put the rows of a table in another order, and let the links from and to it follow."""
    encoded[name] = encoded[name].taken(order)
    for key in schema.foreign_keys:
        if name in (key.child, key.parent):
            links[key] = link_key(key, encoded)


def link_key(fk: ForeignKey, rows: Mapping[str, Rows]) -> Int64:
    """Row position of the parent under one key for every child row; -1 for none."""
    return join(*rows[fk.child].references[fk], rows[fk.parent].keys[fk.parent_columns])[0]


@dataclass(frozen=True)
class Children:
    """How many children the parents of a foreign key have.

    Attributes:
        counts: Of each parent row that was read.
        degrees: Number of children, and number of parents in the whole table that have so many.
        linked, unlinked: Child rows with and without a parent.
        whole: Whether all children of every parent row were read.
    """

    counts: Int64
    degrees: Mapping[int, int]
    linked: int
    unlinked: int
    whole: bool


def count_children(
    database: Database, fk: ForeignKey, plan: Outline, rows: Mapping[str, Rows], links: Int64
) -> Children:
    """The children of all parents of a foreign key, whatever was read of them."""
    reading = plan.reading
    parents, children = plan.tables[fk.parent].rows, plan.tables[fk.child].rows
    if fk in set(unreviewed_keys(plan.schema, plan.tables)):
        each, more = divmod(children if parents else 0, max(parents, 1))
        counts = np.full(rows[fk.parent].count, each, np.int64)
        degrees = {n: times for n, times in ((each, parents - more), (each + 1, more)) if times}
        whole = fk.child not in reading.own
        return Children(counts, degrees, each * parents + more, 0 if parents else children, whole)
    if fk.child not in reading.own:
        children = len(links)
        counts = np.bincount(links[links >= 0], minlength=rows[fk.parent].count)
    else:
        counts = np.zeros(rows[fk.parent].count, np.int64)
        keys = rows[fk.parent].keys[fk.parent_columns]
        for part in reading.parts(fk.parent):
            for batch in database.count_children(fk, part):
                hashes, complete = hash_keys(batch.columns[:-1])
                found, _ = join(hashes, complete, keys)
                number = batch.columns[-1].to_numpy(zero_copy_only=False)
                counts[found[found >= 0]] = number[found >= 0]
    if fk.parent not in reading.own:
        values, times = np.unique(counts, return_counts=True)
        degrees = dict(zip(values.tolist(), times.tolist(), strict=True))
    else:
        degrees = dict(database.count_degrees(fk))
        childless = parents - sum(degrees.values())
        degrees = {0: childless, **degrees} if childless > 0 else degrees
    linked = sum(n * times for n, times in degrees.items()) if fk.nullable else children
    return Children(
        counts, dict(sorted(degrees.items())), linked, children - linked,
        fk.child not in reading.own,
    )  # fmt: skip
