"""SQLite files: their paths, and connections whose errors are dbsynth's own."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dbsynth.databases.base import Capabilities
from dbsynth.errors import CannotConnect, DatabaseError, MissingFile, SpecError

KEY_HASH = "dbsynth_key_hash"  # SQLite has no hash function of its own
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


def identity_of(path: Path) -> frozenset[str]:
    """A name that two paths share exactly if they reach one file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return frozenset({f"sqlite:{path.resolve()}"})
    except OSError as error:
        raise DatabaseError(
            f"the file {path} cannot be looked at: {error.strerror}",
            hint="Check the path and the rights on its folder",
        ) from None
    return frozenset({f"sqlite:{status.st_dev}:{status.st_ino}"})


# Messages that name objects.  Others may quote a value of a row, and are not repeated.
_SPEAKING = re.compile(
    r"^(?:[\w ]*constraint failed|no such|near |duplicate column|table .* (?:has|already)"
    r"|unable to open"
    r"|database (?:is|disk|or|table|schema)|disk I/O|file is|attempt to write|datatype mismatch$"
    r"|cannot (?:store|INSERT|modify)|not authorized|out of memory|unrecognized token|too many"
    r"|string or blob too big|wrong number of arguments|misuse|ambiguous|interrupted"
    r"|unsupported file)"
)


def reason(error: sqlite3.Error) -> str:
    """What SQLite complained of, in words that hold no value of a row."""
    text = str(error)
    if _SPEAKING.match(text):
        return text
    return getattr(error, "sqlite_errorname", None) or type(error).__name__


@contextmanager
def explained(label: str) -> Iterator[None]:
    """Turns errors of SQLite into `DatabaseError`, without values of rows."""
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseError(
            f"SQLite refused a question about {label}: {reason(error)}",
            hint="Check the file with `PRAGMA integrity_check`; if it is sound, please report this",
        ) from None


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
        raise MissingFile(f"the file of {label} does not exist", hint="Check the path in the URL")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise CannotConnect(
            f"the file of {label} cannot be read", hint="Check that it is a file, and its rights"
        )
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path, "ro")
        connection.execute("PRAGMA query_only = ON")
        connection.create_function(KEY_HASH, -1, _key_hash, deterministic=True)
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise CannotConnect(
            f"{label} cannot be opened: {reason(error)}", hint=_hint(error)
        ) from None
    return connection


def _key_hash(*values: object) -> int:
    """A hash of a key between 0 and 2 to the 62."""
    return int.from_bytes(blake2b(repr(values).encode(), digest_size=8).digest(), "little") >> 2


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
