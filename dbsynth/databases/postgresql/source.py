"""A PostgreSQL database opened for reading, in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dbsynth.databases.base import Capabilities
from dbsynth.databases.part import Part, conditions
from dbsynth.databases.postgresql import questions
from dbsynth.databases.postgresql.connect import (
    Connection,
    apply_settings,
    command,
    connect,
    parameters,
    refused,
    rows,
    value,
)
from dbsynth.databases.postgresql.identity import identity
from dbsynth.databases.postgresql.names import IDENTIFIER_LIMIT, qualified, quote
from dbsynth.databases.postgresql.read import arrow_schema, batches, select, unchecked
from dbsynth.databases.postgresql.reflect import reflect
from dbsynth.databases.postgresql.structure import dump
from dbsynth.databases.url import display
from dbsynth.errors import DatabaseError
from dbsynth.schema import Check, Column, ForeignKey, Kind, Schema, Table, UniqueKey

CAPABILITIES = Capabilities("postgresql", True, True, IDENTIFIER_LIMIT)

_READ_ONLY = {
    "default_transaction_read_only": "on",
    "row_security": "off",  # rows hidden by a policy are an error, not silence
}
_PARTITIONED = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p'
"""
_UNPOPULATED = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND NOT c.relispopulated ORDER BY 1
"""
# Tables (for a partition its root) with a constraint of their own or of a column's domain that the
# server has not tested on the rows.
_UNVALIDATED = """
SELECT n.nspname, t.relname FROM (
  SELECT c.conrelid AS relation FROM pg_catalog.pg_constraint c
  WHERE NOT c.convalidated AND c.conrelid <> 0
  UNION SELECT a.attrelid FROM pg_catalog.pg_constraint c
  JOIN pg_catalog.pg_attribute a ON a.atttypid = c.contypid
  WHERE NOT c.convalidated AND c.contypid <> 0
) AS found
JOIN pg_catalog.pg_class t
  ON t.oid = coalesce(pg_catalog.pg_partition_root(found.relation), found.relation)
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
"""


class PostgresDatabase:
    """A `dbsynth.databases.base.Database`.

    Args:
        url: Of the database.
        database: Another database of the same server, to be read instead.
    """

    capabilities = CAPABILITIES

    def __init__(self, url: sa.URL, database: str | None = None) -> None:
        self._url = url
        self._database = database
        self.label = display(url.set(database=database) if database else url)
        self._open: Connection | None = None
        self._snapshot = ""
        self._idle: list[Connection] = []

    def __repr__(self) -> str:
        return f"PostgresDatabase({self.label})"

    def __enter__(self) -> Self:
        self._open = self._connect()
        with refused(f"Cannot begin to read {self.label}"):
            command(self._open, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self._snapshot = value(self._open, "SELECT pg_catalog.pg_export_snapshot()")
        return self

    def __exit__(self, *exception: object) -> None:
        for connection in [*self._idle, *filter(None, [self._open])]:
            connection.close()
        self._idle, self._open = [], None

    def _connect(self) -> Connection:
        connection = connect(self._url, self._database)
        apply_settings(connection, _READ_ONLY)
        return connection

    @property
    def _connection(self) -> Connection:
        if self._open is None:
            raise DatabaseError(f"{self.label} is not open")
        return self._open

    def identity(self) -> frozenset[str]:
        """Which server and database this is; see `dbsynth.databases.base.Database.identity`."""
        with refused(f"Cannot tell which server {self.label} is"):
            return identity(self._connection)

    def reflect(self) -> Schema:
        """The schema of all user tables."""
        with refused(f"Cannot read the catalog of {self.label}"):
            return reflect(self._connection)

    def structure(self) -> bytes:
        """The native definition of the whole schema, taken in the same snapshot."""
        major = self._connection.info.server_version // 10_000
        unpopulated = [name for (name,) in rows(self._connection, _UNPOPULATED)]
        conninfo = parameters(self._url, self._database)
        return dump(conninfo, major, self._snapshot, unpopulated).to_bytes()

    # Rows

    def count_rows(self, table: Table, part: Part | None = None) -> int:
        """Number of rows, exactly."""
        return self._ask(table, questions.rows(self._part_of(table, part)))

    def sample(self, table: Table, columns: Sequence[str], rows: int, seed: int) -> pa.Table:
        """About ``rows`` random rows, or all where there are no more; same seed, same rows."""
        total = self.count_rows(table)
        sampling = ""
        if total > rows:
            percent = max(0.0, 100 * rows / total)
            sampling = f" TABLESAMPLE BERNOULLI ({percent!r}) REPEATABLE ({seed % 2**31})"
        query = select(table, columns, self._origin(table) + sampling)
        schema = arrow_schema(table, columns)
        return pa.Table.from_batches(self._stream(table, query, schema, 65_536), schema)

    def read(
        self, table: Table, columns: Sequence[str], batch_rows: int = 65_536,
        part: Part | None = None,
    ) -> Iterator[pa.RecordBatch]:  # fmt: skip
        """All rows, streamed, in the order of the primary key (else as they are stored)."""
        query = select(table, columns, self._part_of(table, part))
        return self._stream(table, query, arrow_schema(table, columns), batch_rows)

    def scan(self, table: Table, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows, streamed, in no particular order."""
        query = select(replace(table, primary_key=()), columns, self._origin(table))
        return self._stream(table, query, arrow_schema(table, columns), 65_536)

    def _stream(
        self, table: Table, query: str, schema: pa.Schema, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        # A connection of its own: several reads may run at a time, and one that is abandoned
        # half-way does not spoil the transaction that holds the snapshot.
        with refused(f"Cannot read table `{table.name}`"):
            connection = self._idle.pop() if self._idle else self._reading()
            done = False
            try:
                yield from batches(connection, query, schema, batch_rows)
                done = True
            finally:
                if done and self._open is not None:
                    self._idle.append(connection)
                else:
                    connection.close()

    def _reading(self) -> Connection:
        connection = self._connect()
        command(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        command(connection, f"SET TRANSACTION SNAPSHOT '{self._snapshot}'")
        # Parallel workers would hand over rows in an order of their own.
        command(connection, "SET LOCAL max_parallel_workers_per_gather = 0")
        if unchecked(connection):  # the server would stumble over bytes that are not UTF-8
            command(connection, "SET LOCAL client_encoding = 'SQL_ASCII'")
        return connection

    def proves(self, table: Table) -> bool:
        """Whether no constraint of the table is NOT VALID."""
        return qualified(table) not in self._doubtful

    @cached_property
    def _doubtful(self) -> frozenset[str]:
        found = rows(self._connection, _UNVALIDATED)
        return frozenset(f"{quote(namespace)}.{quote(bare)}" for namespace, bare in found)

    # Counts for what is read in part

    def count_children(self, key: ForeignKey, parents: Part | None) -> Iterator[pa.RecordBatch]:
        """References of a foreign key and how many rows hold each."""
        counted = f"({questions.children(key, parents, self._dialect)}) AS counted"
        return self._counted(self._reflected[key.child], key.columns, counted)

    def count_degrees(self, key: ForeignKey) -> Mapping[int, int]:
        """How many parents have how many children, among parents that have any."""
        proved = key.declared and self.proves(self._reflected[key.child])
        query = questions.degrees(key, self._dialect, orphans=not proved)
        with refused(f"Cannot count the children of `{key}`"), self._connection.transaction():
            found = rows(self._connection, query)
        return {int(children): int(parents) for children, parents in found}

    def count_present(self, table: Table, columns: Sequence[str]) -> Mapping[str, int]:
        """How many rows have a value in each column."""
        query = questions.present(columns, self._origin(table))
        with refused(f"Cannot read table `{table.name}`"), self._connection.transaction():
            counts = rows(self._connection, query)[0]
        return dict(zip(columns, map(int, counts), strict=True))

    def count_values(self, table: Table, columns: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """How many rows have each value, all columns in one pass."""
        found: dict[str, dict[str, int]] = {name: {} for name in columns}
        counted = f"({questions.values(columns, self._origin(table))}) AS counted"
        for batch in self._counted(table, columns, counted):
            *values, counts = batch.columns
            for name, column in zip(columns, values, strict=True):
                words = pc.cast(column, pa.string()).to_pylist()
                numbers = counts.to_pylist()
                found[name] |= {
                    word: n for word, n in zip(words, numbers, strict=True) if word is not None
                }
        return found

    def _counted(
        self, table: Table, columns: Sequence[str], counted: str
    ) -> Iterator[pa.RecordBatch]:
        """Some columns of a table and a count, in their Arrow types, from a query that groups."""
        count = Column(questions.COUNT, Kind.INTEGER, "bigint", nullable=False)
        wide = replace(table, columns=(*table.columns, count), primary_key=())
        names = [*columns, questions.COUNT]
        return self._stream(table, select(wide, names, counted), arrow_schema(wide, names), 65_536)

    # Questions of verification

    def count_orphans(self, key: ForeignKey) -> int:
        """Rows that refer to no parent."""
        origins = self._origin_of(key.child), self._origin_of(key.parent)
        return self._count(f"Cannot check foreign key `{key}`", questions.orphans(key, *origins))

    def count_duplicates(self, table: Table, key: UniqueKey) -> int:
        """Rows that repeat a unique key."""
        return self._ask(table, questions.duplicates(key, self._origin(table)))

    def count_nulls(self, table: Table, column: str) -> int:
        """Rows with NULL in a column."""
        return self._ask(table, questions.nulls(column, self._origin(table)))

    def count_failing(self, table: Table, check: Check) -> int:
        """Rows that make a condition false."""
        return self._ask(table, questions.failing(check, self._origin(table)))

    def _ask(self, table: Table, query: str) -> int:
        return self._count(f"Cannot read table `{table.name}`", query)

    def _count(self, what: str, query: str) -> int:
        with refused(what), self._connection.transaction():
            return int(value(self._connection, query))

    @cached_property
    def _partitioned(self) -> frozenset[str]:
        found = rows(self._connection, _PARTITIONED)
        return frozenset(f"{quote(namespace)}.{quote(bare)}" for namespace, bare in found)

    def _origin(self, table: Table) -> str:
        """The table behind FROM: with its partitions, but without tables that inherit from it."""
        whole = qualified(table) in self._partitioned
        return qualified(table) if whole else f"ONLY {qualified(table)}"

    def _origin_of(self, name: str) -> str:
        return self._origin(self._reflected[name])

    def _part_of(self, table: Table, part: Part | None) -> str:
        """A part of a table behind FROM."""
        if part is None:
            return self._origin(table)
        found = [
            f"SELECT * FROM {self._origin(table)} WHERE {condition}"
            for condition in conditions(part, self._dialect)
        ]
        return f"({' UNION ALL '.join(found)}) AS part"

    @property
    def _dialect(self) -> questions.Postgres:
        return questions.Postgres(self._origin_of)

    @cached_property
    def _reflected(self) -> Schema:
        return self.reflect()
