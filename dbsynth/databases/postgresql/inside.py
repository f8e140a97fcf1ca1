"""Where a role without CREATEDB builds: inside the target, which must be empty.

The target is not replaced in one step here; what was made is removed if the run fails.
"""

from __future__ import annotations

import psycopg
import sqlalchemy as sa

from dbsynth.databases.postgresql.connect import Connection, command, connect, refused, value
from dbsynth.databases.postgresql.contents import clear
from dbsynth.databases.postgresql.names import quote

# An empty namespace that says: everything in this database comes from an unfinished run.
_UNFINISHED = "dbsynth_unfinished"


class Inside:
    """A `dbsynth.databases.postgresql.place.Place` in the target itself.

    Args:
        connection: Holds the lock on the target's name; closed by `close`.
    """

    def __init__(self, url: sa.URL, connection: Connection) -> None:
        self._url = url
        self._connection = connection
        self._ours = False
        self.database = url.database or ""

    def begin(self) -> None:
        """Mark the target, which is empty, as being built."""
        with refused(f"Cannot build in database `{self.database}`"), self._connect() as inside:
            self._ours = True
            try:
                command(inside, f"CREATE SCHEMA {quote(_UNFINISHED)}")
            except psycopg.errors.InsufficientPrivilege:
                return  # without the mark a killed run leaves a target that is not empty

    def discard(self) -> None:
        """Remove what was made in the target."""
        if not self._ours:
            return
        with refused(f"Cannot clear database `{self.database}`"), self._connect() as inside:
            clear(inside)

    def publish(self) -> None:
        """Remove the mark: the target is built."""
        with refused(f"Cannot finish database `{self.database}`"), self._connect() as inside:
            command(inside, f"DROP SCHEMA IF EXISTS {quote(_UNFINISHED)}")

    def close(self) -> None:
        """Give up the lock."""
        self._connection.close()

    def _connect(self) -> Connection:
        return connect(self._url, self.database)


def clear_unfinished(connection: Connection) -> None:
    """Remove what a killed run left; call it only with the lock on the target's name."""
    if value(connection, "SELECT true FROM pg_namespace WHERE nspname = %s", [_UNFINISHED]):
        clear(connection)
