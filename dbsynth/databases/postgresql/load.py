"""COPY into a table, and why the server refused rows."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from dbsynth.databases.postgresql.connect import Connection, command, explain, value
from dbsynth.databases.postgresql.encode import COPY_OPTIONS
from dbsynth.databases.postgresql.names import column_list
from dbsynth.errors import LoadError, RowsRejected

_FRESH = """
SELECT relkind = 'r' AND pg_catalog.pg_relation_size(oid) = 0
FROM pg_catalog.pg_class WHERE oid = %s::pg_catalog.regclass
"""
_DATA = frozenset({"22", "23", "P0"})  # classes of SQL states that are about rows


def copy_in(
    connection: Connection, target: str, columns: Iterable[str], chunks: Iterable[bytes], label: str
) -> int:
    """Append encoded rows in one transaction; returns their number.

    An empty table begins a new file in that transaction, as then its rows lie in their order, and
    need no visit later on to be marked as visible to all (``FREEZE``; no partitioned table can).

    Raises:
        RowsRejected: Names the constraint or column, never a value.
    """
    try:
        with connection.transaction(), connection.cursor() as cursor:
            options = COPY_OPTIONS
            if value(connection, _FRESH, [target]):
                command(connection, f"TRUNCATE ONLY {target}")
                options += ", FREEZE"
            query = f"COPY {target} ({column_list(columns)}) FROM STDIN ({options})"
            with cursor.copy(query.encode()) as copy:
                for chunk in chunks:
                    copy.write(chunk)
            return cursor.rowcount
    except psycopg.Error as error:
        raise _rejection(error, label) from None


def _rejection(error: psycopg.Error, label: str) -> LoadError:
    state = error.sqlstate or ""
    diagnosis = error.diag
    if state[:2] not in _DATA:
        return LoadError(f"Table `{label}` cannot be loaded: {explain(error)}")
    if diagnosis.constraint_name:
        where = f"constraint `{diagnosis.constraint_name}`"
    elif diagnosis.column_name:
        where = f"column `{diagnosis.column_name}`"
    elif column := _column_of_context(diagnosis.context):
        where = f"column `{column}`"
    else:
        where = ""
    reason = f"{explain(error)}{', ' + where if where else ''}"
    return RowsRejected(f"The server refused rows of table `{label}`: {reason}")


def _column_of_context(context: str | None) -> str:
    """The column in ``COPY t, line 3, column c: "..."``; what follows it is a value."""
    first = (context or "").partition("\n")[0]
    head, found, rest = first.partition(", column ")
    if not found or not head.startswith("COPY "):
        return ""
    return rest.partition(":")[0]
