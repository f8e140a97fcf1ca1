"""A PostgreSQL database opened for reading, in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Self

import pyarrow as pa
import sqlalchemy as sa

from dbsynth.databases.base import Capabilities
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
from dbsynth.schema import Check, ForeignKey, Schema, Table, UniqueKey

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

    def count_rows(self, table: Table) -> int:
        """Number of rows, exactly."""
        return self._ask(table, questions.rows(self._origin(table)))

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
        self, table: Table, columns: Sequence[str], batch_rows: int = 65_536
    ) -> Iterator[pa.RecordBatch]:
        """All rows, streamed, in the order of the primary key (else as they are stored)."""
        query = select(table, columns, self._origin(table))
        return self._stream(table, query, arrow_schema(table, columns), batch_rows)

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

    @cached_property
    def _reflected(self) -> Schema:
        return self.reflect()
