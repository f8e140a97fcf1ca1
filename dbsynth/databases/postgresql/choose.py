"""Where to build: beside the target where the role may, else inside an empty target."""

from __future__ import annotations

import sqlalchemy as sa

from dbsynth.databases.postgresql import server
from dbsynth.databases.postgresql.connect import refused
from dbsynth.databases.postgresql.place import Beside, lock, refuse_contents
from dbsynth.databases.url import display
from dbsynth.errors import DatabaseError


def choose_place(url: sa.URL, *, replace: bool) -> Beside:
    """The place in which a target is built, claimed for this run.

    Raises:
        TargetNotEmpty: The target holds something that may not be replaced.
        DatabaseError: Another run builds it, or the role lacks the rights.
    """
    name = url.database
    if not name:
        raise DatabaseError(
            f"{display(url)} names no database", hint="Add its name: `postgresql://host/name`."
        )
    connection = server.maintenance(url, name)
    try:
        with refused(f"Cannot prepare {display(url)}"):
            lock(connection, url)
            target = server.facts(connection, name)
            if target is not None and not replace:
                refuse_contents(url)
            return Beside(url, connection, target)
    except BaseException:
        connection.close()
        raise
