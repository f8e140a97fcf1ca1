"""An SQLite file opened for reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dbsynth.databases.part import Drawn, Part, conditions
from dbsynth.databases.sqlite import reflection
from dbsynth.databases.sqlite import structure as native
from dbsynth.databases.sqlite.connection import (
    CAPABILITIES,
    KEY_HASH,
    connect_snapshot,
    explained,
    file_of,
    identity_of,
    number,
)
from dbsynth.databases.sqlite.sql import quoted, table_text
from dbsynth.databases.sqlite.values import arrow_type, decoded
from dbsynth.randomness import Streams, hashed
from dbsynth.schema import Check, Column, ForeignKey, Kind, Schema, Table, UniqueKey

_COUNT = "\x1fcount"  # no column has this name
_ROWID_NAMES = ("rowid", "_rowid_", "oid")
_SCANNED = 65_536
_FETCHED = 1024  # rows that stay in the processor's cache while they are turned into columns


def open_sqlite(url: sa.URL) -> SqliteDatabase:
    """The SQLite file of a URL, opened for reading in one snapshot.

    Raises:
        MissingFile: The file does not exist.
        CannotConnect: It is no readable SQLite database.
    """
    return SqliteDatabase(file_of(url), url.render_as_string(hide_password=True))


class SqliteDatabase:
    """An SQLite file opened for reading, in one consistent snapshot.

    The snapshot is that of the moment of entering, or of the first question; `identity` asks no
    question, so that a file that does not exist yet has one too.

    Args:
        names: Name in the file by `Table.name`, for tables of a schema of another kind.
    """

    capabilities = CAPABILITIES

    def __init__(self, path: Path, label: str, names: Mapping[str, str] | None = None) -> None:
        self.label = label
        self._path = path
        self._names = dict(names or {})
        self._opened: sqlite3.Connection | None = None

    def __enter__(self) -> SqliteDatabase:
        self._opened = self._connection
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the snapshot; may be called twice."""
        if self._opened is not None:
            self._opened.close()

    def identity(self) -> frozenset[str]:
        """The device and inode of the file."""
        return identity_of(self._path)

    def reflect(self) -> Schema:
        """The schema: every base table, by name."""
        with explained(self.label):
            return reflection.reflect(self._connection)

    def structure(self) -> bytes:
        """The statements of the catalog and the settings of the file, as JSON."""
        with explained(self.label):
            return native.read(self._connection).to_bytes()

    def count_rows(self, table: Table, part: Part | None = None) -> int:
        """Number of rows, exactly."""
        where = self._where(part)
        return self._number(f"SELECT count(*) FROM {self._from(table.name)}{where}")

    def read(
        self, table: Table, columns: Sequence[str], batch_rows: int = 65_536,
        part: Part | None = None,
    ) -> Iterator[pa.RecordBatch]:  # fmt: skip
        """All rows, streamed, in the order of the primary key or else of the rowid."""
        with explained(f"table {table.name}"):
            cursor = self._connection.execute(self._select(table, columns, self._where(part)))
            while (batch := _batch(cursor, table, columns, batch_rows)).num_rows:
                yield batch

    def scan(self, table: Table, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows, streamed, in the order of `read`, which costs nothing."""
        return self.read(table, columns)

    def sample(self, table: Table, columns: Sequence[str], rows: int, seed: int) -> pa.Table:
        """About ``rows`` random rows in the order of `read`, same seed same rows."""
        key = Streams(seed).key("sample", table.name)
        count = self.count_rows(table)
        share = 1.0 if count <= rows else rows / count
        if share == 1.0:
            batches = list(self.read(table, columns))
        elif (rowid := self._rowid(table)) is not None:
            batches = self._picked(table, columns, rowid, key, share)
        else:
            batches = list(_kept(self.read(table, columns), key, share))
        return pa.Table.from_batches(batches, _schema(table, columns))

    def count_children(self, key: ForeignKey, parents: Part | None) -> Iterator[pa.RecordBatch]:
        """References of a foreign key and how many rows hold each."""
        table = self._reflected[key.child]
        count = Column(_COUNT, Kind.INTEGER, "integer", nullable=False)
        wide = replace(table, columns=(*table.columns, count))
        names = ", ".join(map(quoted, key.columns))
        where = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key.columns)
        if parents is not None:
            own = names if len(key.columns) == 1 else f"({names})"
            theirs = ", ".join(map(quoted, key.parent_columns))
            where += (
                f" AND {own} IN (SELECT {theirs} FROM {self._from(key.parent)}"
                f"{self._where(parents)})"
            )
        query = (
            f"SELECT {names}, count(*) FROM {self._from(key.child)} WHERE {where} GROUP BY {names}"
        )
        with explained(f"table {table.name}"):
            cursor = self._connection.execute(query)
            while (batch := _batch(cursor, wide, [*key.columns, _COUNT], _SCANNED)).num_rows:
                yield batch

    def count_degrees(self, key: ForeignKey) -> Mapping[int, int]:
        """How many parents have how many children, among parents that have any."""
        pairs = list(zip(key.columns, key.parent_columns, strict=True))
        present = " AND ".join(f"c.{quoted(c)} IS NOT NULL" for c, _ in pairs)
        same = " AND ".join(f"p.{quoted(p)} = c.{quoted(c)}" for c, p in pairs)
        names = ", ".join(f"c.{quoted(c)}" for c, _ in pairs)
        counted = (
            f"SELECT count(*) AS n FROM {self._from(key.child)} AS c WHERE {present} AND EXISTS"
            f" (SELECT 1 FROM {self._from(key.parent)} AS p WHERE {same}) GROUP BY {names}"
        )
        with explained(f"table {key.child}"):
            found = self._connection.execute(f"SELECT n, count(*) FROM ({counted}) GROUP BY n")
            return {int(children): int(parents) for children, parents in found}

    def count_present(self, table: Table, columns: Sequence[str]) -> Mapping[str, int]:
        """How many rows have a value in each column."""
        counted = ", ".join(f"count({quoted(name)})" for name in columns)
        with explained(f"table {table.name}"):
            query = f"SELECT {counted} FROM {self._from(table.name)}"
            return dict(zip(columns, self._connection.execute(query).fetchone(), strict=True))

    def count_values(self, table: Table, columns: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """How many rows have each value."""
        return {name: self._values(table, name) for name in columns}

    def _values(self, table: Table, column: str) -> dict[str, int]:
        count = Column(_COUNT, Kind.INTEGER, "integer", nullable=False)
        wide = replace(table, columns=(*table.columns, count))
        name = quoted(column)
        query = f"SELECT {name}, count(*) FROM {self._from(table.name)} GROUP BY {name}"
        found: dict[str, int] = {}
        with explained(f"table {table.name}"):
            cursor = self._connection.execute(query)
            while (batch := _batch(cursor, wide, [column, _COUNT], _SCANNED)).num_rows:
                words = pc.cast(batch.column(0), pa.string()).to_pylist()
                for word, rows in zip(words, batch.column(1).to_pylist(), strict=True):
                    if word is not None:
                        found[word] = found.get(word, 0) + rows
        return found

    def proves(self, table: Table) -> bool:
        """Never: SQLite tests no constraint on rows that are there."""
        return False

    def count_orphans(self, key: ForeignKey) -> int:
        """Rows of the child, without NULL in the key, that have no parent."""
        pairs = list(zip(key.columns, key.parent_columns, strict=True))
        present = " AND ".join(f"c.{quoted(c)} IS NOT NULL" for c, _ in pairs)
        # the parent's column comes first: its collation decides
        same = " AND ".join(f"p.{quoted(p)} = c.{quoted(c)}" for c, p in pairs)
        return self._number(
            f"SELECT count(*) FROM {self._from(key.child)} AS c WHERE {present}"
            f" AND NOT EXISTS (SELECT 1 FROM {self._from(key.parent)} AS p WHERE {same})"
        )

    def count_duplicates(self, table: Table, key: UniqueKey) -> int:
        """Rows whose key an earlier row has."""
        parts = key.expressions or tuple(map(quoted, key.columns))
        conditions = [f"({key.where})"] if key.where is not None else []
        if not key.nulls_equal:
            conditions += [f"({part}) IS NOT NULL" for part in parts]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        grouped = ", ".join(parts)
        return self._number(
            f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n"
            f" FROM {self._from(table.name)}{where} GROUP BY {grouped} HAVING count(*) > 1)"
        )

    def count_nulls(self, table: Table, column: str) -> int:
        """Rows with NULL in a column."""
        return self._number(
            f"SELECT count(*) FROM {self._from(table.name)} WHERE {quoted(column)} IS NULL"
        )

    def count_failing(self, table: Table, check: Check) -> int:
        """Rows that make a CHECK false."""
        return self._number(
            f"SELECT count(*) FROM {self._from(table.name)} WHERE NOT ({check.sql})"
        )

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = connect_snapshot(self._path, self.label)
        return self._opened

    def _number(self, sql: str) -> int:
        with explained(self.label):
            return number(self._connection, sql)

    def _name(self, table: str) -> str:
        return self._names.get(table, table)

    def _from(self, table: str) -> str:
        return f"main.{quoted(self._name(table))}"

    def _where(self, part: Part | None) -> str:
        """The rows of a part, behind the name of the table."""
        if part is None:
            return ""
        found = conditions(part, _Sqlite(self._from, self._key_of))
        return f" WHERE ({') OR ('.join(found)})"

    def _key_of(self, drawn: Drawn) -> list[str]:
        table = self._reflected[drawn.table]
        rowid = self._rowid(table)
        if rowid and not drawn.columns:
            return [rowid]
        columns = drawn.columns or tuple(column.name for column in table.columns)
        # Not every text is UTF-8, and a function is handed nothing else as text.
        return [f"CAST({quoted(name)} AS BLOB)" for name in columns]

    @cached_property
    def _reflected(self) -> Schema:
        return self.reflect()

    def _rowid(self, table: Table) -> str | None:
        """The name under which the table's rowid can be asked for."""
        name = self._name(table.name)
        found = self._connection.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)
        ).fetchone()
        if found is None or table_text(found[0].decode("utf-8", "replace"), ()).without_rowid:
            return None
        taken = {column.name.lower() for column in table.columns}
        return next((word for word in _ROWID_NAMES if word not in taken), None)

    def _select(self, table: Table, columns: Sequence[str], where: str = "") -> str:
        rowid = self._rowid(table)
        identity = any(table.column_by_name[name].identity for name in table.primary_key)
        order = [] if identity and rowid else [quoted(name) for name in table.primary_key]
        order += [rowid] if rowid else []
        listed = ", ".join(map(quoted, columns)) or "NULL"
        ordered = f" ORDER BY {', '.join(order)}" if order else ""
        return f"SELECT {listed} FROM {self._from(table.name)}{where}{ordered}"

    def _picked(
        self, table: Table, columns: Sequence[str], rowid: str, key: int, share: float
    ) -> list[pa.RecordBatch]:
        """The rows whose rowid the random stream picks."""
        with explained(f"table {table.name}"):
            cursor = self._connection.execute(f"SELECT {rowid} FROM {self._from(table.name)}")
            picked: list[int] = []
            while rows := cursor.fetchmany(_SCANNED):
                numbers = np.fromiter((row[0] for row in rows), np.int64, len(rows))
                picked += numbers[_chosen(key, numbers, share)].tolist()
            where = f" WHERE {rowid} IN (SELECT value FROM json_each(?))"
            found = self._connection.execute(self._select(table, columns, where), (str(picked),))
            return [_batch(found, table, columns, len(picked))]


@dataclass(frozen=True, slots=True)
class _Sqlite:
    """A `dbsynth.databases.part.Dialect`.

    Attributes:
        origin: A table, by its name, behind FROM.
        key: Expressions that tell a row from all others.
    """

    origin: Callable[[str], str]
    key: Callable[[Drawn], Sequence[str]]

    def quote(self, name: str) -> str:
        """A column's name."""
        return quoted(name)

    def hashed(self, drawn: Drawn) -> str:
        """A hash of the key, made by a function of ours."""
        return f"{KEY_HASH}({drawn.seed % 2**63}, {', '.join(self.key(drawn))})"


def _chosen(key: int, positions: np.ndarray[Any, Any], share: float) -> np.ndarray[Any, Any]:
    return hashed(key, positions) < np.uint64(min(int(share * 2**64), 2**64 - 1))


def _kept(batches: Iterator[pa.RecordBatch], key: int, share: float) -> Iterator[pa.RecordBatch]:
    seen = 0
    for batch in batches:
        positions = np.arange(seen, seen + batch.num_rows)
        seen += batch.num_rows
        yield batch.filter(pa.array(_chosen(key, positions, share)))


def _schema(table: Table, columns: Sequence[str]) -> pa.Schema:
    return pa.schema([(name, arrow_type(table.column_by_name[name].kind)) for name in columns])


def _batch(
    cursor: sqlite3.Cursor, table: Table, columns: Sequence[str], most: int
) -> pa.RecordBatch:
    """The next rows of a cursor."""
    lists: list[list[Any]] = [[] for _ in columns] or [[]]
    while (wanted := min(most - len(lists[0]), _FETCHED)) and (rows := cursor.fetchmany(wanted)):
        for values, more in zip(lists, zip(*rows, strict=True), strict=True):
            values.extend(more)
    if not columns:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(lists[0]), pa.struct([])))
    arrays = [
        decoded(values, table.column_by_name[name])
        for name, values in zip(columns, lists, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=_schema(table, columns))
