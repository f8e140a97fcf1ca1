"""An SQLite clone while it is being built."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dbsynth.databases import ddl
from dbsynth.databases.base import Encoder
from dbsynth.databases.signals import uninterrupted
from dbsynth.databases.sqlite import building, finishing
from dbsynth.databases.sqlite.connection import (
    CAPABILITIES,
    connect,
    explained,
    file_of,
    identity_of,
    reason,
    rows,
)
from dbsynth.databases.sqlite.database import SqliteDatabase
from dbsynth.databases.sqlite.sql import is_virtual, quoted, table_text
from dbsynth.databases.sqlite.structure import Structure
from dbsynth.databases.sqlite.values import python_values, stored
from dbsynth.errors import DatabaseError, LoadError, RowsRejected
from dbsynth.schema import Column, Schema, Table

_BEFORE_TABLES = ("page_size", "encoding", "auto_vacuum")
_BOOLEANS = frozenset({0, 1, None})
_LIVE_SETTINGS = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
)


def stage_sqlite(url: sa.URL, *, replace: bool) -> SqliteStage:
    """A new SQLite file beside the one that the URL names, begun when the stage is entered.

    Entering it raises `TargetNotEmpty` where the target holds tables or views and ``replace`` is
    false, and `DatabaseError` where it is no SQLite database or another program uses it.
    """
    return SqliteStage(file_of(url), url.render_as_string(hide_password=True), replace=replace)


def sqlite_at_risk(url: sa.URL) -> frozenset[str]:
    """The identities of the target of a URL and of the file in which it is built."""
    target = file_of(url)
    return identity_of(target) | identity_of(building.path_beside(target))


@dataclass(frozen=True, slots=True)
class SqliteEncoder:
    """Encodes batches as Arrow streams of what SQLite stores; can be sent to another process."""

    columns: tuple[Column, ...]

    def __call__(self, batch: pa.RecordBatch) -> bytes:
        """The batch in the form that `SqliteStage.load` takes."""
        arrays = [stored(batch.column(c.name), c) for c in self.columns]
        whole = pa.RecordBatch.from_arrays(arrays, names=[c.name for c in self.columns])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, whole.schema) as writer:
            writer.write_batch(whole)
        return bytes(sink.getvalue().to_pybytes())


class SqliteStage:
    """An SQLite file that is built beside the target and becomes it by a rename."""

    capabilities = CAPABILITIES

    def __init__(self, target: Path, label: str, *, replace: bool) -> None:
        self.label = label
        self._target = target
        self._replace = replace
        self._published = False
        self._lock: int | None = None
        self._path = building.path_beside(target)
        self._opened: sqlite3.Connection | None = None
        self._readers: list[SqliteDatabase] = []
        self._schema = Schema(())
        self._structure: Structure | None = None
        self._afterwards: list[str] = []
        self._names: dict[str, str] = {}

    def __enter__(self) -> SqliteStage:
        building.check_target(self._target, self.label, replace=self._replace)
        self._lock = building.claim(self._path, self.label)
        try:
            self._opened = connect(self._path, "rw")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes every trace of an unpublished clone; may be called twice."""
        if self._lock is None:
            return
        self._close_connections()
        if not self._published:
            with uninterrupted():
                self._path.unlink(missing_ok=True)
                building.remove_leftovers(self._path)
        os.close(self._lock)
        self._lock = None

    def create(self, schema: Schema, structure: bytes | None) -> tuple[str, ...]:
        """Creates the tables, empty; see `dbsynth.databases.base.Stage.create`."""
        self._schema = schema
        self._structure = None if structure is None else Structure.from_bytes(structure)
        for setting in _LIVE_SETTINGS:
            self._connection.execute(setting)
        if self._structure is None:
            before, self._afterwards, losses = ddl.create_statements(schema, "sqlite")
            self._names = dict(ddl.target_names(schema, "sqlite"))
        else:
            before, losses = self._set_up(self._structure), ()
        self._connection.execute("BEGIN")
        for statement in before:
            with explained(f"target {self.label}"):
                self._connection.execute(statement)
        return losses + self._virtual_tables()

    def encoder(self, table: Table, columns: Sequence[str]) -> Encoder:
        """The function that encodes batches with these columns for `load`."""
        return SqliteEncoder(tuple(table.column_by_name[name] for name in columns))

    def load(self, table: Table, columns: Sequence[str], chunks: Iterable[bytes]) -> int:
        """Appends encoded rows, in order; returns their number."""
        listed = ", ".join(map(quoted, columns))
        marks = ", ".join("?" * len(columns))
        into = f"main.{quoted(self._name(table))}"
        statement = f"INSERT INTO {into} ({listed}) VALUES ({marks})"
        count = 0
        for chunk in chunks:
            batch = _unpacked(chunk)
            self._insert(statement, batch, f"table {table.name}")
            count += batch.num_rows
        return count

    def load_defaults(self, table: Table, rows: int) -> int:
        """Appends rows of which no column is written; returns their number."""
        statement = f"INSERT INTO main.{quoted(self._name(table))} DEFAULT VALUES"
        self._execute_many(statement, [()] * rows, f"table {table.name}")
        return rows

    def evaluate(self, table: Table, rows: pa.Table, expressions: Sequence[str]) -> pa.Table:
        """The values of SQL expressions over the given rows, in the order of the rows."""
        scratch = f"temp.{quoted(self._name(table))}"  # expressions may name the table
        with explained(f"an expression of table {table.name}"):
            self._connection.execute(f"CREATE TEMP TABLE {self._scratch_text(table, rows)}")
            try:
                self._fill(scratch, table, rows)
                asked = ", ".join(f"({expression})" for expression in expressions)
                found = self._connection.execute(f"SELECT {asked} FROM {scratch} ORDER BY rowid")
                answers = list(zip(*found.fetchall(), strict=True)) or [()] * len(expressions)
            finally:
                self._connection.execute(f"DROP TABLE {scratch}")
        return pa.table({str(i): _answer(values) for i, values in enumerate(answers)})

    def finish(self) -> None:
        """Adds indexes, triggers and views, and proves keys and constraints."""
        later = self._structure.of_type("index", "trigger", "view") if self._structure else ()
        for statement in [statement.sql for statement in later] + self._afterwards:
            finishing.add(self._connection, statement)
        finishing.prove(self._connection, self._schema, self._names)
        if self._structure is not None:
            finishing.settle(self._connection, self._structure)
        with explained(f"target {self.label}"):
            self._connection.execute("COMMIT")

    def reader(self) -> SqliteDatabase:
        """The staged database, opened for reading."""
        reader = SqliteDatabase(self._path, self.label, self._names)
        self._readers.append(reader)
        return reader

    def publish(self) -> None:
        """Makes the file the target, by a rename."""
        with explained(f"target {self.label}"):
            for reader in self._readers:
                reader.close()
            if self._structure and self._structure.pragmas["journal_mode"] == "wal":
                self._connection.execute("PRAGMA journal_mode = WAL")
        self._close_connections()
        with uninterrupted():
            building.publish(self._path, self._target, self.label)
            self._published = True

    def _close_connections(self) -> None:
        for reader in self._readers:
            reader.close()
        if self._opened is not None:
            self._opened.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            raise DatabaseError(
                f"target {self.label} is not being built yet", hint="Enter the stage first"
            )
        return self._opened

    def _name(self, table: Table) -> str:
        return self._names.get(table.name, table.name)

    def _set_up(self, structure: Structure) -> list[str]:
        """Settings that have to be made first, and the statements of the base tables."""
        for name in _BEFORE_TABLES:
            value = structure.pragmas[name]
            self._connection.execute(f"PRAGMA {name} = {quoted(str(value))}")
        return [s.sql for s in structure.of_type("table") if not is_virtual(s.sql)]

    def _virtual_tables(self) -> tuple[str, ...]:
        found = self._structure.of_type("table") if self._structure else ()
        losses = []
        for statement in found:
            if not is_virtual(statement.sql):
                continue
            try:
                self._connection.execute(statement.sql)
            except sqlite3.Error:
                losses.append(f"virtual table {statement.name} needs a module that is not here")
        return tuple(losses)

    def _insert(self, statement: str, batch: pa.RecordBatch, where: str) -> None:
        values = [python_values(column) for column in batch.columns]
        parameters: Iterable[Any] = zip(*values, strict=True) if values else [()] * batch.num_rows
        self._execute_many(statement, parameters, where)

    def _execute_many(self, statement: str, parameters: Iterable[Any], where: str) -> None:
        try:
            self._connection.executemany(statement, parameters)
        except sqlite3.IntegrityError as error:
            raise RowsRejected(
                f"{where} refuses rows: {reason(error)}", hint="Check the constraint that is named"
            ) from None
        except sqlite3.Error as error:
            raise LoadError(f"{where} cannot be filled: {reason(error)}") from None

    def _scratch_text(self, table: Table, given: pa.Table) -> str:
        """A table with the declared types and collations of the staged one, without constraints."""
        name = self._name(table)
        statement = rows(
            self._connection, "SELECT sql FROM main.sqlite_master WHERE name = ?", (name,)
        )
        if not statement:
            raise DatabaseError(f"table {table.name} does not exist in the target")
        described = rows(self._connection, f"PRAGMA main.table_xinfo({quoted(name)})")
        type_by_name = {row[1]: row[2] for row in described}
        text = table_text(statement[0][0], list(type_by_name))
        collations = text.collations
        parts = [
            f"{quoted(c)} {type_by_name[c]} COLLATE {quoted(collations.get(c.lower(), 'BINARY'))}"
            for c in given.column_names
        ]
        if {column.name for column in table.written} <= set(given.column_names):
            parts += [
                f"{quoted(c.name)} {type_by_name[c.name]} COLLATE"
                f" {quoted(collations.get(c.name.lower(), 'BINARY'))}"
                f" AS {text.computed[c.name.lower()]}"
                for c in table.columns
                if c.generated and c.name.lower() in text.computed
            ]
        return f"{quoted(name)} ({', '.join(parts) or 'dbsynth_nothing'})"

    def _fill(self, scratch: str, table: Table, given: pa.Table) -> None:
        columns = [table.column_by_name[name] for name in given.column_names]
        marks = ", ".join("?" * len(columns)) or "NULL"
        encode = SqliteEncoder(tuple(columns))
        for batch in given.to_batches():
            self._insert(
                f"INSERT INTO {scratch} VALUES ({marks})", _unpacked(encode(batch)), "scratch table"
            )


def _unpacked(chunk: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(chunk) as reader:
        return reader.read_next_batch()


def _answer(values: Sequence[Any]) -> pa.Array:
    """Truth values where all are 0, 1 or NULL, else texts."""
    if all(value in _BOOLEANS and not isinstance(value, float) for value in values):
        return pa.array(values, pa.int64()).cast(pa.bool_())
    return pa.array(list(_texts_of(values)), pa.string())


def _texts_of(values: Sequence[Any]) -> Iterator[str | None]:
    for value in values:
        if isinstance(value, bytes):
            yield value.decode("utf-8", "replace")
        else:
            yield None if value is None else repr(value)
