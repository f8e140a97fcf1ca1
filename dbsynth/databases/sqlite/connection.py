"""SQLite files: their paths, and connections whose errors are dbsynth's own."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dbsynth.databases.base import Capabilities
from dbsynth.errors import CannotConnect, DatabaseError, SpecError

CAPABILITIES = Capabilities(
    kind="sqlite", namespaces=False, proves_constraints=False, identifier_limit=0
)


def file_of(url: sa.URL) -> Path:
    """The file that a URL names, absolute, with links resolved."""
    name = url.database or ""
    if not name or ":memory:" in name or name.startswith("file:"):
        raise SpecError(
            "an SQLite URL has to name a file, not a database in memory or a file: address",
            hint="Write sqlite:///relative.db or sqlite:////absolute.db",
        )
    return Path(name).expanduser().resolve()


def identity_of(path: Path) -> str:
    """A name that two paths share exactly if they reach one file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return f"sqlite:{path.resolve()}"
    return f"sqlite:{status.st_dev}:{status.st_ino}"


@contextmanager
def explained(label: str) -> Iterator[None]:
    """Turns errors of SQLite into `DatabaseError`; their texts name columns, never values."""
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseError(f"SQLite refused a question about {label}: {error}") from error


def connect(path: Path, mode: str, timeout: float = 5.0) -> sqlite3.Connection:
    """A connection in autocommit mode; texts arrive as bytes, because not all of them are UTF-8."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        timeout=timeout,
        isolation_level=None,
        uri=True,
        check_same_thread=False,
        cached_statements=16,
    )
    connection.text_factory = bytes
    return connection


def connect_snapshot(path: Path, label: str) -> sqlite3.Connection:
    """A read-only connection inside a read transaction, which sees one state of the file."""
    if not path.exists():
        raise CannotConnect(f"the file of {label} does not exist", hint="Check the path in the URL")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise CannotConnect(
            f"the file of {label} cannot be read", hint="Check that it is a file, and its rights"
        )
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path, "ro")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise CannotConnect(f"{label} cannot be opened: {error}", hint=_hint(error)) from error
    return connection


def _hint(error: sqlite3.Error) -> str:
    text = str(error)
    if "not a database" in text:
        return "Check that the file is an SQLite 3 database and that it is not encrypted"
    if "locked" in text:
        return "Wait until the program that writes to the file has finished"
    if "malformed" in text:
        return "Repair the file with the .recover command of the sqlite3 shell"
    return "Check the rights of the file and of its folder, which a WAL database must write to"


def rows(connection: sqlite3.Connection, sql: str, values: Sequence[object] = ()) -> list[Any]:
    """The rows of a question to the catalog, as tuples with texts as str."""
    return [
        tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in row)
        for row in connection.execute(sql, values)
    ]


def number(connection: sqlite3.Connection, sql: str) -> int:
    """The one number that a question answers with."""
    return int(connection.execute(sql).fetchone()[0] or 0)
