"""Which database of which server a connection reaches, whatever its URL says."""

from __future__ import annotations

from dbsynth.databases.postgresql.connect import Connection, rows, value

_PUBLIC = """
SELECT pg_catalog.has_function_privilege('public', 'pg_catalog.pg_control_system()', 'EXECUTE')
"""
_DATABASE = """
SELECT oid::int8, datname FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
"""


def identity(connection: Connection) -> str:
    """The server's number with the number and name of the database.

    Whether the server's number is used depends on PUBLIC's rights, not on the role's own: two roles
    must get one answer, or a source could be taken for another database.  Where PUBLIC may not ask,
    the microsecond in which the server started stands for it, which anybody may read.
    """
    if value(connection, _PUBLIC):
        server = value(connection, "SELECT system_identifier FROM pg_catalog.pg_control_system()")
    else:
        server = value(
            connection,
            "SELECT 'started ' || extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text",
        )
    [(number, name)] = rows(connection, _DATABASE)
    return f"postgresql {server} {number} {name}"
