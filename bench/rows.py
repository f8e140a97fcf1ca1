"""The rows of a database in memory, as measures want them: numbers, categories and links.

Keys are gone once the rows are read: a link is the position of the parent row, so that source and
clone can be compared whatever keys they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.databases import open_database
from dbsynth.databases.base import Database
from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

NUMBER, TIME, CATEGORY = "number", "time", "category"
MOST_CATEGORIES = 200  # texts with more values are identities or prose, which a clone invents
FEWEST_OWNERS = 100  # fewer parents are groups, not entities
_DEPTH = 4
_MICROSECONDS = 1e6

_SORTS = {
    **dict.fromkeys((Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT), NUMBER),
    **dict.fromkeys((Kind.DATE, Kind.TIMESTAMP), TIME),
    **dict.fromkeys((Kind.TIME, Kind.INTERVAL), NUMBER),
    **dict.fromkeys((Kind.BOOLEAN, Kind.TEXT, Kind.ENUM), CATEGORY),
}


@dataclass(frozen=True)
class Rows:
    """All rows of a database.

    Attributes:
        frames: The columns of each table that can be compared: floats (times in seconds), NaN for
            NULL, or texts, None for NULL.  Rows stand in the order of the primary key.
        links: Position of the parent of each child row, -1 where there is none.
        keys: A hash of each row's primary key, or of its position where there is none.
        invented: Tables and columns whose values a clone replaces on purpose, such as names.
    """

    schema: Schema
    frames: Mapping[str, pd.DataFrame]
    links: Mapping[ForeignKey, Positions]
    keys: Mapping[str, Hashes]
    invented: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """The columns of each table that are worth measuring, and what they are."""
        return {table.name: dict(self._measured(table)) for table in self.schema.tables}

    def _measured(self, table: Table) -> list[tuple[str, str]]:
        linked = table.foreign_columns()
        alone = {key.columns[0] for key in table.keys if key.plain and len(key.columns) == 1}
        return [
            (name, sort)
            for name, sort in self.sorts(table).items()
            if name not in linked | alone
            and (table.name, name) not in self.invented
            and _repeats(self.frames[table.name][name], sort)
        ]

    def sorts(self, table: Table) -> dict[str, str]:
        """What each comparable column of a table is."""
        return {column.name: _SORTS[column.kind] for column in _comparable(table)}

    def children(self, table: str) -> list[ForeignKey]:
        """The foreign keys that refer to a table."""
        return [fk for fk in self.schema.foreign_keys if fk.parent == table]

    def counts(self, fk: ForeignKey) -> Positions:
        """Number of children of each parent row."""
        link = self.links[fk]
        return np.bincount(link[link >= 0], minlength=len(self.frames[fk.parent]))

    def owner(self, table: str) -> ForeignKey | None:
        """The foreign key whose parents own the rows of a table: that with most of them."""
        ranked = [
            (int((self.counts(fk) > 0).sum()), str(fk), fk)
            for fk in self.schema[table].foreign_keys
            if fk.parent != table
        ]
        best = max(ranked, default=None, key=lambda entry: entry[:2])
        return best[2] if best and best[0] >= FEWEST_OWNERS else None

    def entities(self, table: str, depth: int = _DEPTH) -> Hashes:
        """The key of the entity that each row belongs to, owner by owner upwards."""
        fk = self.owner(table) if depth else None
        if fk is None:
            return self.keys[table]
        above, link = self.entities(fk.parent, depth - 1), self.links[fk]
        return np.where(link >= 0, above[np.maximum(link, 0)], self.keys[table])

    def first_half(self, table: str) -> npt.NDArray[np.bool_]:
        """Which rows are in the first of two halves that share no entity."""
        return mixed(self.entities(table)) % np.uint64(2) == 0


def mixed(numbers: Hashes, seed: int = 0) -> Hashes:
    """Numbers that have nothing to do with the given ones, the same for the same."""
    return np.asarray(
        pd.util.hash_array(numbers ^ np.uint64(0x9E3779B97F4A7C15 * (seed + 1) % 2**64))
    )


def read_rows(url: str, invented: Iterable[tuple[str, str]] = ()) -> Rows:
    """All rows of a database, but for columns that no measure can compare."""
    with open_database(url) as database:
        schema = database.reflect()
        raw = {table.name: _read(database, table, schema) for table in schema.tables}
    return rows_of(schema, raw, frozenset(invented))


def rows_of(
    schema: Schema,
    raw: Mapping[str, pa.Table],
    invented: frozenset[tuple[str, str]] = frozenset(),
) -> Rows:
    """The rows of Arrow tables that hold at least the keys and what can be compared."""
    keys = {
        table.name: _hashed(raw[table.name], table.primary_key)
        if table.primary_key
        else np.arange(raw[table.name].num_rows, dtype=np.uint64)
        for table in schema.tables
    }
    links = {fk: _link(raw[fk.child], raw[fk.parent], fk) for fk in schema.foreign_keys}
    frames = {
        table.name: pd.DataFrame(
            {c.name: _values(raw[table.name][c.name], c) for c in _comparable(table)},
            index=range(raw[table.name].num_rows),
        )
        for table in schema.tables
    }
    return Rows(schema, frames, links, keys, invented)


def _comparable(table: Table) -> list[Column]:
    return [column for column in table.columns if column.kind in _SORTS]


def _read(database: Database, table: Table, schema: Schema) -> pa.Table:
    ends = {name for columns in schema.referenced_keys(table.name) for name in columns}
    needed = ends | table.foreign_columns() | set(table.primary_key)
    needed |= {column.name for column in _comparable(table)}
    names = [column.name for column in table.columns if column.name in needed]
    batches = list(database.read(table, names))
    return (
        pa.Table.from_batches(batches)
        if batches
        else pa.table({name: pa.nulls(0) for name in names})
    )


def _hashed(raw: pa.Table, columns: Sequence[str]) -> Hashes:
    total = np.zeros(raw.num_rows, dtype=np.uint64)
    for name in columns:
        texts = pc.cast(raw[name], pa.string()).to_pandas().fillna("").to_numpy(dtype=object)
        total = total * np.uint64(1_000_003) + pd.util.hash_array(texts)
    return total


def _link(child: pa.Table, parent: pa.Table, fk: ForeignKey) -> Positions:
    parents = pd.Series(np.arange(parent.num_rows), index=_hashed(parent, fk.parent_columns))
    parents = parents[~parents.index.duplicated()]
    found = parents.reindex(_hashed(child, fk.columns)).fillna(-1).to_numpy(np.int64, copy=True)
    for name in fk.columns:
        found[child[name].is_null().to_numpy()] = -1
    return found


def _values(values: pa.ChunkedArray, column: Column) -> Any:
    sort = _SORTS[column.kind]
    if sort == CATEGORY:
        return pc.cast(values, pa.string()).to_pandas().astype(object)
    if pa.types.is_temporal(values.type):
        unit = 86_400.0 if pa.types.is_date32(values.type) else 1 / _MICROSECONDS
        whole = pa.int32() if pa.types.is_date32(values.type) else pa.int64()
        values = pc.cast(values, whole)
    else:
        unit = 1.0
    numbers = pc.cast(values, pa.float64(), safe=False).to_pandas().to_numpy(np.float64) * unit
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _repeats(values: pd.Series, sort: str) -> bool:
    """Whether a column has a distribution, rather than a new value in nearly every row."""
    present = values.dropna()
    distinct = present.nunique()
    if not distinct:
        return False
    if sort == CATEGORY:
        return distinct <= MOST_CATEGORIES and distinct <= max(len(present) / 5, 2)
    whole = bool((present % 1 == 0).all())
    return sort == TIME or not whole or distinct < len(present) or distinct <= 20
