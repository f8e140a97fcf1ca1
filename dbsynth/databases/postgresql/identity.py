"""Which database of which server a connection reaches, whatever its URL says."""

from __future__ import annotations

from dbsynth.databases.postgresql.connect import Connection, value

_STARTED = "SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text"
_MAY_ASK = """
SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
"""
_SYSTEM = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"
_NUMBER = "SELECT oid::int8 FROM pg_catalog.pg_database WHERE datname = %s"
_CURRENT = "SELECT pg_catalog.current_database()"


def identity(connection: Connection, database: str | None = None) -> frozenset[str]:
    """The names of the connected database, or of another of its server; perhaps none.

    The microsecond in which the server started is one name: every role may ask for it, so that two
    roles never disagree.  The system identifier is another, which also tells a standby from nothing
    but its primary; not every role of every database may ask for it.
    """
    number = value(connection, _NUMBER, [database or value(connection, _CURRENT)])
    if number is None:
        return frozenset()
    names = {f"postgresql started {value(connection, _STARTED)} {number}"}
    if value(connection, _MAY_ASK):
        names.add(f"postgresql system {value(connection, _SYSTEM)} {number}")
    return frozenset(names)
