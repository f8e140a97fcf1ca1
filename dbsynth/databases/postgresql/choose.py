"""Where to build: beside the target where the role may, else inside an empty target."""

from __future__ import annotations

import sqlalchemy as sa

from dbsynth.databases.postgresql import server
from dbsynth.databases.postgresql.connect import Connection, refused, value
from dbsynth.databases.postgresql.inside import Inside
from dbsynth.databases.postgresql.names import quote
from dbsynth.databases.postgresql.place import Beside, Place, lock, refuse_contents
from dbsynth.databases.postgresql.server import DatabaseFacts
from dbsynth.databases.url import display
from dbsynth.errors import DatabaseError, TargetNotEmpty

_MAY_CREATE = "SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user"


def choose_place(url: sa.URL, *, replace: bool) -> Place:
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
            return _place(url, connection, replace=replace)
    except BaseException:
        connection.close()
        raise


def _place(url: sa.URL, connection: Connection, *, replace: bool) -> Place:
    target = server.facts(connection, url.database or "")
    if target is not None and not replace:
        refuse_contents(url)
    obstacle = _obstacle(connection, target)
    if not obstacle:
        return Beside(url, connection, target)
    if target is None:
        raise DatabaseError(f"{display(url)} cannot be created: {obstacle[0]}", hint=obstacle[1])
    try:
        refuse_contents(url)
    except TargetNotEmpty:
        raise DatabaseError(
            f"{display(url)} cannot be replaced: {obstacle[0]}", hint=obstacle[1]
        ) from None
    return Inside(url, connection)


def _obstacle(connection: Connection, target: DatabaseFacts | None) -> tuple[str, str] | None:
    """Why the role cannot build beside the target, and what would help."""
    role = value(connection, "SELECT quote_ident(current_user)")
    if not value(connection, _MAY_CREATE):
        return f"role {role} may not create databases", f"Run `ALTER ROLE {role} CREATEDB`."
    if target is not None and not target.mine:
        owner = quote(target.owner)
        return f"role {role} does not own it", f"Run `GRANT {owner} TO {role}`, or use its owner."
    return None
