"""A PostgreSQL database that is being built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import psycopg
import pyarrow as pa
import sqlalchemy as sa

from dbsynth.databases import ddl
from dbsynth.databases.base import Encoder
from dbsynth.databases.postgresql import finish
from dbsynth.databases.postgresql.choose import choose_place
from dbsynth.databases.postgresql.connect import (
    Connection,
    command,
    connect,
    explain,
    parameters,
    refused,
    value,
)
from dbsynth.databases.postgresql.encode import csv_encoder
from dbsynth.databases.postgresql.evaluate import evaluate
from dbsynth.databases.postgresql.load import copy_in
from dbsynth.databases.postgresql.names import qualified, quote
from dbsynth.databases.postgresql.place import Place
from dbsynth.databases.postgresql.source import CAPABILITIES, PostgresDatabase
from dbsynth.databases.postgresql.structure import Complaint, Structure, is_structure, restore
from dbsynth.databases.signals import uninterrupted
from dbsynth.databases.url import display
from dbsynth.errors import DatabaseError, LoadError
from dbsynth.schema import Schema, Table

_JOBS = 2
# What a clone can do without, where the role may not make it.
_MINOR = ("COMMENT ", "CREATE PUBLICATION ", "ALTER PUBLICATION ")
_KIND = "postgresql"


class PostgresStage:
    """A `dbsynth.databases.base.Stage`.

    Args:
        replace: Whether a target that is not empty may be replaced.
    """

    capabilities = CAPABILITIES

    def __init__(self, url: sa.URL, *, replace: bool) -> None:
        self._url = url
        self._replace = replace
        self.label = display(url)
        self._place: Place | None = None
        self._open: Connection | None = None
        self._structure: Structure | None = None
        self._after: list[str] = []
        self._names: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"PostgresStage({self.label})"

    def __enter__(self) -> Self:
        self._place = choose_place(self._url, replace=self._replace)
        try:
            self._place.begin()
            self._open = connect(self._url, self._place.database)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._leave()

    def _leave(self) -> None:
        """Remove what was not published."""
        place, self._place = self._place, None
        if self._open is not None:
            self._open.close()
        if place is not None:
            try:
                with uninterrupted():
                    place.discard()
            finally:
                place.close()

    @property
    def _connection(self) -> Connection:
        if self._open is None or self._place is None:
            raise DatabaseError(f"The stage of {self.label} is not open")
        return self._open

    def _conninfo(self) -> dict[str, str]:
        if self._place is None:
            raise DatabaseError(f"The stage of {self.label} is not open")
        return parameters(self._url, self._place.database)

    # Tables

    def create(self, schema: Schema, structure: bytes | None) -> tuple[str, ...]:
        """Create empty tables; returns what PostgreSQL cannot hold."""
        if structure is not None and is_structure(structure):
            losses = self._restore_tables(Structure.from_bytes(structure))
        else:
            losses = self._create_tables(schema)
        self._set_search_path(schema)
        return losses

    def _restore_tables(self, structure: Structure) -> tuple[str, ...]:
        self._structure = structure
        complaints = restore(structure, "pre-data", self._conninfo())
        minor = [c for c in complaints if c.entry.startswith(_MINOR)]
        grave = [c for c in complaints if c not in minor]
        if grave:
            raise LoadError(
                f"The structure cannot be created: {_listed(grave)}", hint=_advice(grave)
            )
        return tuple(f"{c.entry}: {c.reason}" for c in minor)

    def _create_tables(self, schema: Schema) -> tuple[str, ...]:
        before, self._after, losses = ddl.create_statements(schema, _KIND)
        self._names = ddl.target_names(schema, _KIND)
        with refused("The tables cannot be created"), self._connection.transaction():
            for statement in before:
                command(self._connection, statement)
        return losses

    def _set_search_path(self, schema: Schema) -> None:
        # Functions that checks call may rely on a search path, as they do in the source.
        found = {t.namespace for t in schema.tables if t.namespace} - {"public"}
        path = ", ".join(map(quote, ["public", *sorted(found)]))
        command(self._connection, f"SET search_path TO {path}")

    def _target(self, table: Table) -> str:
        if self._names:
            return f"public.{quote(self._names[table.name])}"
        return qualified(table)

    def _columns(self, table: Table, columns: Sequence[str]) -> list[str]:
        if not self._names:
            return list(columns)
        name_by_name = ddl.column_names(table, _KIND)
        return [name_by_name[name] for name in columns]

    # Rows

    def encoder(self, table: Table, columns: Sequence[str]) -> Encoder:
        """The function that turns batches into CSV."""
        return csv_encoder(table, columns)

    def load(self, table: Table, columns: Sequence[str], chunks: Iterable[bytes]) -> int:
        """Append encoded rows; returns their number."""
        names = self._columns(table, columns)
        return copy_in(self._connection, self._target(table), names, chunks, table.name)

    def load_defaults(self, table: Table, rows: int) -> int:
        """Append rows of which no column is written; returns their number."""
        none = f"SELECT FROM pg_catalog.generate_series(1, {int(rows)})"
        with refused(f"Table `{table.name}` cannot be loaded"):
            command(self._connection, f"INSERT INTO {self._target(table)} {none}")
        return rows

    def evaluate(self, table: Table, rows: pa.Table, expressions: Sequence[str]) -> pa.Table:
        """The values of SQL expressions over rows."""
        like = self._target(table) if self._names else None
        return evaluate(self._connection, table, rows, expressions, like=like)

    # The end

    def finish(self) -> None:
        """Add keys, constraints, triggers and views; set sequences; refresh; gather statistics."""
        if self._structure is not None:
            # Parallel workers deadlock over partitions: a key of the root locks every leaf.
            related = value(self._connection, "SELECT EXISTS (SELECT FROM pg_inherits)")
            jobs = 1 if related else _JOBS
            complaints = restore(self._structure, "post-data", self._conninfo(), jobs=jobs)
            grave = [c for c in complaints if not c.entry.startswith(_MINOR)]
            if grave:
                raise LoadError(f"The clone does not hold: {_listed(grave)}", hint=_advice(grave))
        self._add_constraints()
        with refused(f"Cannot finish the clone of {self.label}"):
            finish.mute_event_triggers(self._connection)
            finish.set_sequences(self._connection)
            unpopulated = self._structure.unpopulated if self._structure else ()
            finish.refresh_views(self._connection, unpopulated)
            finish.analyze(self._connection)

    def _add_constraints(self) -> None:
        for statement in self._after:
            try:
                command(self._connection, statement)
            except psycopg.Error as error:
                name, table = error.diag.constraint_name, error.diag.table_name
                where = f": constraint `{name}` of table `{table}`" if name else ""
                raise LoadError(f"The clone does not hold{where}, {explain(error)}") from None

    def reader(self) -> PostgresDatabase:
        """The staged database, opened for reading."""
        if self._place is None:
            raise DatabaseError(f"The stage of {self.label} is not open")
        return PostgresDatabase(self._url, self._place.database)

    def publish(self) -> None:
        """Make it the target."""
        connection, place = self._connection, self._place
        connection.close()
        self._open = None
        if place is not None:
            with uninterrupted():
                place.publish()
                self._place = None
            place.close()


def _listed(complaints: Sequence[Complaint]) -> str:
    shown = [f"{c.entry or 'session'} ({c.reason})" for c in complaints[:5]]
    more = len(complaints) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _advice(complaints: Sequence[Complaint]) -> str:
    text = " ".join(f"{c.entry} {c.reason}" for c in complaints)
    if "role " in text and "does not exist" in text:
        return "Create the roles that the schema names on the target's server."
    if "EXTENSION" in text:
        return "Install the extension on the target's server, or let a superuser create it there."
    if "permission denied" in text or "must be owner" in text:
        return "Use a role with more rights on the target's server."
    return ""
