"""Where a clone is built: in a database of its own beside the target."""

from __future__ import annotations

import hashlib
import time
from typing import Protocol

import psycopg
import sqlalchemy as sa

from dbsynth.databases.postgresql import server
from dbsynth.databases.postgresql.connect import Connection, connect, explain, refused, value
from dbsynth.databases.postgresql.contents import is_empty
from dbsynth.databases.postgresql.inside import clear_unfinished
from dbsynth.databases.postgresql.names import cut, quote
from dbsynth.databases.postgresql.server import DatabaseFacts
from dbsynth.databases.url import display
from dbsynth.errors import DatabaseError, TargetNotEmpty

BUILDING = "dbsynth: a clone is being built here"
_NEW, _OLD = "__dbsynth_new", "__dbsynth_old"
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2
REPLACED = "dbsynth: replaced by a newer clone, to be dropped"


class Place(Protocol):
    """Where a clone is built.  Order of calls: `begin`, then `publish` or `discard`, then `close`.

    Attributes:
        database: The database to build in.
    """

    database: str

    def begin(self) -> None:
        """Make the place ready and empty."""

    def discard(self) -> None:
        """Remove what was built."""

    def publish(self) -> None:
        """Make what was built the target."""

    def close(self) -> None:
        """Let the next run begin."""


class Beside:
    """A new database that takes the target's name in one transaction.

    A lock on the target's name is held throughout, so that only one run builds it.  Whatever a
    killed run left is known by its name and comment and removed by the next run.

    Args:
        connection: To another database of the server; closed by `close`.
        target: What the target is now, or None where it does not exist.
    """

    def __init__(self, url: sa.URL, connection: Connection, target: DatabaseFacts | None) -> None:
        self._url = url
        self._connection = connection
        self._target = target
        self.name = url.database or ""
        self.database = cut(self.name, _NEW)
        self._old = cut(self.name, _OLD)

    def begin(self) -> None:
        """Make the empty database."""
        with refused(f"Cannot create a database beside {display(self._url)}"):
            self._remove_leftovers()
            like = self._target or server.facts(self._connection, "template1")
            if like is None:
                raise DatabaseError(
                    "The server has no database `template1`",
                    hint="Create it: CREATE DATABASE template1 TEMPLATE template0",
                )
            owner = self._target.owner if self._target else None
            server.create_database(self._connection, self.database, like, owner=owner)
            server.set_comment(self._connection, self.database, BUILDING)
            self._rehearse()

    def _rehearse(self) -> None:
        """Find out now, not after hours, whether what hangs on the target can be carried over."""
        if self._target is not None:
            with self._connection.transaction(force_rollback=True):
                server.carry_over(self._connection, self.database, self._target)

    def _remove_leftovers(self) -> None:
        old = server.facts(self._connection, self._old)
        if old is not None:
            if old.comment != REPLACED:
                raise _foreign(self._old)
            server.drop_database(self._connection, self._old)
        new = server.facts(self._connection, self.database)
        if new is None:
            return
        if server.sessions(self._connection, self.database):
            raise in_use(self._url)
        # A run killed between two statements leaves an empty database without the comment.
        if new.comment != BUILDING and not self._is_empty():
            raise _foreign(self.database)
        server.drop_database(self._connection, self.database)

    def _is_empty(self) -> bool:
        with connect(self._url, self.database) as connection:
            return is_empty(connection)

    def discard(self) -> None:
        """Remove the database."""
        if self._connection.closed:
            self._connection = server.maintenance(self._url, self.name)
        with refused(f"Cannot drop database `{self.database}`"):
            server.drop_database(self._connection, self.database)

    def publish(self) -> None:
        """Let the database take the target's name, and drop the one that had it."""
        if self._connection.closed or not _alive(self._connection):
            self._connection = server.maintenance(self._url, self.name)
        with refused(f"Cannot rename the clone to `{self.name}`"):
            server.until_unused(self._swap)
        if self._target is not None:
            self._drop_old()

    def _swap(self) -> None:
        connection = self._connection
        server.end_sessions(connection, self.database)
        if self._target is not None:
            server.end_sessions(connection, self.name)
        with connection.transaction():
            now = server.facts(connection, self.name)
            if (now and now.number) != (self._target and self._target.number):
                raise DatabaseError(
                    f"Database `{self.name}` was made or replaced by somebody else meanwhile",
                    hint="Run again.",
                )
            if now is not None:
                _rename(connection, self.name, self._old)
                server.set_comment(connection, self._old, REPLACED)
                server.carry_over(connection, self.database, now)
            else:
                server.set_comment(connection, self.database, None)
            _rename(connection, self.database, self.name)

    def _drop_old(self) -> None:
        try:
            server.drop_database(self._connection, self._old)
        except psycopg.errors.ObjectInUse:
            return  # marked as replaced: the next run drops it

    def close(self) -> None:
        """Give up the lock."""
        self._connection.close()


def lock(connection: Connection, url: sa.URL) -> None:
    """Claim a target's name until the connection ends.

    Raises:
        DatabaseError: Another run has it.
    """
    digest = hashlib.sha256(f"dbsynth {url.database}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    for _ in range(_ATTEMPTS):  # the session of a run that just ended may linger
        if value(connection, "SELECT pg_try_advisory_lock(%s::int8)", [number]):
            return
        time.sleep(_PAUSE_SECONDS)
    raise in_use(url)


def names_in_danger(name: str) -> tuple[str, str, str]:
    """The names of databases that building a target may replace or drop."""
    return name, cut(name, _NEW), cut(name, _OLD)


def in_use(url: sa.URL) -> DatabaseError:
    """The error of a target that another run is building."""
    return DatabaseError(
        f"Another run is building {display(url)}", hint="Wait until it ends, or end it."
    )


def refuse_contents(url: sa.URL) -> None:
    """Refuse a target that is not empty.

    Raises:
        TargetNotEmpty: It holds something.
    """
    with refused(f"Cannot look into {display(url)}"), connect(url) as connection:
        clear_unfinished(connection)
        if not is_empty(connection):
            raise TargetNotEmpty(
                f"Target {display(url)} is not empty",
                hint="Pass `--replace` to replace it, or name another target.",
            )


def _alive(connection: Connection) -> bool:
    try:
        return bool(value(connection, "SELECT true"))
    except psycopg.Error as error:
        connection.close()
        return not explain(error)


def _rename(connection: Connection, name: str, new_name: str) -> None:
    connection.execute(f"ALTER DATABASE {quote(name)} RENAME TO {quote(new_name)}".encode())


def _foreign(name: str) -> DatabaseError:
    return DatabaseError(
        f"Database `{name}`, whose name is needed for building, was not made by dbsynth",
        hint="Rename or drop it.",
    )
