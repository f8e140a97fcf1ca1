"""What the rest of dbsynth asks of a database.

A `Database` is opened for reading only and holds one consistent snapshot.  A `Stage` is a database
that is being built beside the target; it becomes the target in one step, or disappears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from dbsynth.databases.part import Part
from dbsynth.schema import Check, ForeignKey, Schema, Table, UniqueKey

Encoder = Callable[[pa.RecordBatch], bytes]
"""Turns rows into what `Stage.load` takes.  A module-level function or a frozen value, so that it
can be sent to another process."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of database can do.

    Attributes:
        kind: ``postgresql`` or ``sqlite``.
        namespaces: Whether tables live in namespaces.
        proves_constraints: Whether the server itself validates every key, NOT NULL and CHECK when
            the structure is finished, so that no query has to.
        identifier_limit: Longest name in bytes, 0 for no limit.
    """

    kind: str
    namespaces: bool
    proves_constraints: bool
    identifier_limit: int


class Database(Protocol):
    """A database opened for reading, in one consistent snapshot.

    Every method may raise `dbsynth.errors.DatabaseError`.  No message holds a stored value or a
    password.  Used as a context manager; leaving it closes the connection.
    """

    capabilities: Capabilities
    label: str  # the URL with its password hidden

    def __enter__(self) -> Database: ...
    def __exit__(self, *exception: object) -> None: ...

    def identity(self) -> frozenset[str]:
        """Who this database says it is, in one or several ways.

        Two connections share one of them exactly if both reach the same database, whatever the URLs
        say (a server's system identifier or moment of start with the database's number; a file's
        device and inode).  Raises an error where the database does not tell.
        """

    def reflect(self) -> Schema:
        """The schema: every user table of every namespace, in a deterministic order."""

    def count_rows(self, table: Table, part: Part | None = None) -> int:
        """Number of rows, exactly, of a table or of a part of it."""

    def sample(self, table: Table, columns: Sequence[str], rows: int, seed: int) -> pa.Table:
        """About ``rows`` random rows (all rows where the table has no more), same seed same rows.

        Arrow types as `dbsynth.schema.Kind` says.  Column order as asked.
        """

    def read(
        self, table: Table, columns: Sequence[str], batch_rows: int = 65_536,
        part: Part | None = None,
    ) -> Iterator[pa.RecordBatch]:  # fmt: skip
        """All rows, streamed, in a stable order (that of the primary key, where there is one).

        Args:
            part: Read the rows of this part of the table only.
        """

    def scan(self, table: Table, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows, streamed, in the order that is cheapest."""

    def structure(self) -> bytes:
        """The native definition of the whole schema, opaque to all but a stage of the same kind."""

    def proves(self, table: Table) -> bool:
        """Whether the server itself has validated every constraint of the table."""

    # Counts over whole tables, for what is read in part.
    def count_children(self, key: ForeignKey, parents: Part | None) -> Iterator[pa.RecordBatch]:
        """References of a foreign key and the number of rows that hold each, in this order.

        Args:
            parents: Only references to the rows of this part.
        """

    def count_degrees(self, key: ForeignKey) -> Mapping[int, int]:
        """How many parents have how many children, among parents that have any."""

    def count_present(self, table: Table, columns: Sequence[str]) -> Mapping[str, int]:
        """How many rows have a value in each column, in one pass."""

    def count_values(self, table: Table, columns: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """How many rows have each value, as text, in columns of few texts or truth values."""

    # Questions of verification.  Each answers with a number of offending rows.
    def count_orphans(self, key: ForeignKey) -> int:
        """Child rows whose parent does not exist."""

    def count_duplicates(self, table: Table, key: UniqueKey) -> int:
        """Rows whose key an earlier row has already."""

    def count_nulls(self, table: Table, column: str) -> int:
        """Rows without a value in a column."""

    def count_failing(self, table: Table, check: Check) -> int:
        """Rows for which a CHECK is false."""


class Stage(Protocol):
    """A database being built beside the target.

    Used as a context manager: leaving it without `publish` removes every trace, also after an
    exception or an interrupt, and the target is as it was.

    Order of calls: `create`, any number of `evaluate` and `load`, `finish`, `reader`, `publish`.
    """

    capabilities: Capabilities
    label: str

    def __enter__(self) -> Stage: ...
    def __exit__(self, *exception: object) -> None: ...

    def create(self, schema: Schema, structure: bytes | None) -> tuple[str, ...]:
        """Create empty tables: from ``structure`` where it is of this kind, else from ``schema``.

        Returns:
            What this kind of database cannot hold, a sentence each (empty for a native structure).
        """

    def encoder(self, table: Table, columns: Sequence[str]) -> Encoder:
        """The function that encodes batches with these columns for `load`."""

    def load(self, table: Table, columns: Sequence[str], chunks: Iterable[bytes]) -> int:
        """Append encoded rows, in order; returns their number.

        Raises:
            RowsRejected: The server refused a row; names the constraint, never a value.
        """

    def load_defaults(self, table: Table, rows: int) -> int:
        """Append rows of which no column is written; returns their number."""

    def evaluate(self, table: Table, rows: pa.Table, expressions: Sequence[str]) -> pa.Table:
        """The values of SQL expressions over the given rows, in the order of the rows.

        ``rows`` has some columns of ``table`` (in their Arrow types); the expressions mention no
        others, but for generated columns where ``rows`` has all that are written and the stage has
        the native structure.  Nothing is stored.  The result has columns ``0``, ``1``, ...: bool
        for a Boolean expression, else string; NULL stays null.
        """

    def finish(self) -> None:
        """Add what waits for the rows: keys, constraints, indexes, triggers and views.

        Sequences and identities are set past the rows, materialized views refreshed, and planner
        statistics gathered.

        Raises:
            LoadError: A constraint does not hold; names it, never a value.
        """

    def reader(self) -> Database:
        """The staged database, opened for reading."""

    def publish(self) -> None:
        """Make it the target, in one step that either happens or does not."""
