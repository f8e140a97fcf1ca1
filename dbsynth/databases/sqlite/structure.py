"""The native definition of an SQLite file: its statements and settings."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import NamedTuple

from dbsynth.databases.sqlite.connection import rows
from dbsynth.databases.sqlite.reflection import names

_PRAGMAS = (
    "page_size",
    "encoding",
    "auto_vacuum",
    "user_version",
    "application_id",
    "journal_mode",
)


class Statement(NamedTuple):
    """One row of the catalog."""

    type: str
    name: str
    table: str
    sql: str


@dataclass(frozen=True, slots=True)
class Structure:
    """Everything of a file but its rows.

    Attributes:
        statements: Rows of the catalog, in its order, without those that others bring along.
        pragmas: Settings that are kept in the file.
        analyzed: Whether it has planner statistics.
    """

    statements: tuple[Statement, ...]
    pragmas: dict[str, str | int]
    analyzed: bool = False

    def to_bytes(self) -> bytes:
        """The structure as JSON."""
        return json.dumps(asdict(self), ensure_ascii=True).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> Structure:
        """The structure that `to_bytes` wrote."""
        found = json.loads(value)
        statements = tuple(Statement(*row) for row in found["statements"])
        return cls(statements, found["pragmas"], found["analyzed"])

    def of_type(self, *types: str) -> tuple[Statement, ...]:
        """The statements that create tables, indexes, triggers or views."""
        return tuple(statement for statement in self.statements if statement.type in types)


def statements(content: bytes) -> tuple[tuple[str, str], ...]:
    """What each statement of a structure makes, and its SQL."""
    found = Structure.from_bytes(content).statements
    return tuple((f"{one.type.upper()} {one.name}", one.sql) for one in found)


def read(connection: sqlite3.Connection) -> Structure:
    """The structure of the open file."""
    shadow = set(names(connection).shadow)
    catalog = rows(
        connection,
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        r" AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY rowid",
    )
    statements = tuple(Statement(*row) for row in catalog if row[2] not in shadow)
    pragmas = {name: rows(connection, f"PRAGMA main.{name}")[0][0] for name in _PRAGMAS}
    analyzed = bool(rows(connection, "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"))
    return Structure(statements, pragmas, analyzed)
