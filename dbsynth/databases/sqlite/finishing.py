"""The last steps of a clone: indexes and the like, proofs, numbering and statistics."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from dbsynth.databases.sqlite.connection import number, reason, rows
from dbsynth.databases.sqlite.sql import quoted
from dbsynth.databases.sqlite.structure import Structure
from dbsynth.errors import LoadError
from dbsynth.plural import counted, do
from dbsynth.schema import ForeignKey, Schema


def add(connection: sqlite3.Connection, statement: str) -> None:
    """Executes a statement that creates an index, trigger or view."""
    try:
        connection.execute(statement)
    except sqlite3.IntegrityError as error:
        raise LoadError(
            f"a unique index does not hold: {reason(error)}", hint="Check the columns of that index"
        ) from None
    except sqlite3.Error as error:
        what = " ".join(statement.split()[:5])
        raise LoadError(f"`{what} ...` failed: {reason(error)}") from None


def prove(connection: sqlite3.Connection, schema: Schema, names: Mapping[str, str]) -> None:
    """Makes sure that no foreign key and no other constraint is broken."""
    for table in schema.tables:
        if table.foreign_keys:
            _prove_keys(connection, table.foreign_keys, names)
    _prove_file(connection)


def _prove_keys(
    connection: sqlite3.Connection, keys: tuple[ForeignKey, ...], names: Mapping[str, str]
) -> None:
    child = names.get(keys[0].child, keys[0].child)
    for key in keys:
        orphans = number(connection, _orphans_sql(key, names))
        if orphans:
            raise LoadError(
                f"{counted(orphans, 'row')} of table {child} {do(orphans, 'have')} no parent in"
                f" table {key.parent} for foreign key {key}"
            )


def _orphans_sql(key: ForeignKey, names: Mapping[str, str]) -> str:
    pairs = list(zip(key.columns, key.parent_columns, strict=True))
    present = " AND ".join(f"c.{quoted(c)} IS NOT NULL" for c, _ in pairs)
    same = " AND ".join(f"p.{quoted(p)} = c.{quoted(c)}" for c, p in pairs)
    child = quoted(names.get(key.child, key.child))
    parent = quoted(names.get(key.parent, key.parent))
    return (
        f"SELECT count(*) FROM main.{child} AS c WHERE {present}"
        f" AND NOT EXISTS (SELECT 1 FROM main.{parent} AS p WHERE {same})"
    )


def _prove_file(connection: sqlite3.Connection) -> None:
    complaints = [row[0] for row in rows(connection, "PRAGMA main.integrity_check(1)")]
    if complaints != ["ok"]:
        raise LoadError(f"the built file is not sound: {complaints[0]}")


def settle(connection: sqlite3.Connection, structure: Structure) -> None:
    """Sets the numbers of the file, and gathers planner statistics where the source had them."""
    for name in ("user_version", "application_id"):
        connection.execute(f"PRAGMA main.{name} = {int(structure.pragmas[name])}")
    if structure.analyzed:
        connection.execute("ANALYZE main")
