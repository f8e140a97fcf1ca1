"""The zoo: one small database for each difficulty, from the folders of `schemas/`.

A folder holds ``schema.sql`` (PostgreSQL, and SQLite where there is no ``sqlite.sql``), ``rows.py``
with a function ``rows(random)`` that returns the rows of each table, optionally ``after.sql``
(PostgreSQL statements that run once the rows are in, such as the last key of a cycle), and a
``README.md`` that names the difficulty.  A new folder is a new exhibit; nothing else has to change.
"""

from __future__ import annotations

import json
import runpy
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"

POSTGRESQL_ONLY = frozenset(
    {
        "crowded_key",
        "domains_enums",
        "exclusion",
        "hostile_types",
        "inheritance",
        "namespaces",
        "partitions",
        "policies_triggers_views",
    }
)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One difficulty, and the kinds of database that know it."""

    name: str
    folder: Path
    kinds: frozenset[str]

    def ddl(self, kind: str) -> str:
        """The statements that create its tables."""
        own = self.folder / f"{kind}.sql"
        return (own if own.exists() else self.folder / "schema.sql").read_text(encoding="utf-8")

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Rows by the SQL name of their table (perhaps with a list of columns), parents first."""
        return runpy.run_path(str(self.folder / "rows.py"))["rows"](Random(self.name))


def _exhibits() -> Iterator[Exhibit]:
    for rows in sorted(SCHEMAS.glob("*/rows.py")):
        name = rows.parent.name
        kinds = {"postgresql"} if name in POSTGRESQL_ONLY else {"postgresql", "sqlite"}
        yield Exhibit(name, rows.parent, frozenset(kinds))


ZOO: tuple[Exhibit, ...] = tuple(_exhibits())
EXHIBIT_BY_NAME = {exhibit.name: exhibit for exhibit in ZOO}


def load_exhibit(exhibit: Exhibit | str, url: str) -> None:
    """Create an exhibit in the empty database that ``url`` names, rows and all.

    Args:
        exhibit: The exhibit, or its name.
        url: ``postgresql://...`` (also with ``+psycopg``) or ``sqlite:///path``.
    """
    found = EXHIBIT_BY_NAME[exhibit] if isinstance(exhibit, str) else exhibit
    scheme, _, rest = url.partition("://")
    if scheme.startswith("sqlite"):
        _load_sqlite(found, rest.removeprefix("/"))
    else:
        _load_postgresql(found, f"postgresql://{rest}")


def _load_postgresql(exhibit: Exhibit, url: str) -> None:
    after = exhibit.folder / "after.sql"
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(exhibit.ddl("postgresql"))
        for table, rows in exhibit.rows().items():
            if rows:
                marks = ", ".join(["%s"] * len(rows[0]))
                insert = f"INSERT INTO {table.replace('%', '%%')} VALUES ({marks})"
                cursor.executemany(insert, [tuple(map(_for_postgresql, row)) for row in rows])
        if after.exists():
            # Constraints that are deferred have events pending, which ALTER TABLE refuses.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(after.read_text(encoding="utf-8"))


def _load_sqlite(exhibit: Exhibit, path: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(exhibit.ddl("sqlite"))
        for table, rows in exhibit.rows().items():
            if rows:
                insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"
                connection.executemany(insert, [tuple(map(_for_sqlite, row)) for row in rows])


def _for_postgresql(value: object) -> object:
    return Jsonb(value) if isinstance(value, dict) else value


def _for_sqlite(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value)
        case UUID() | Decimal() | timedelta():
            return str(value)
        case _:
            return value
