"""Connections to a PostgreSQL server, and its refusals in words that hold no value of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from dbsynth.databases.url import display, hide_secrets
from dbsynth.errors import CannotConnect, DatabaseError

Connection = psycopg.Connection[tuple[Any, ...]]

# Settings under which values read as `read.py` expects them and long work is not cut off.
_SETTINGS = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "default_transaction_read_only": "off",  # a target may have set it for its readers
    "jit": "off",
    "synchronize_seqscans": "off",
    "lc_messages": "C",
    "lc_monetary": "C",  # an amount of money is read and written as a number with two decimals
}

# Classes of SQL states whose primary message names objects only, never values.
_SPEAKING_CLASSES = frozenset(
    {"08", "0A", "28", "2B", "3D", "3F", "42", "53", "54", "55", "57", "58"}
)


def parameters(url: sa.URL, database: str | None = None) -> dict[str, str]:
    """What libpq is told for a URL, the password included."""
    values: dict[str, str] = {
        name: value if isinstance(value, str) else ",".join(value)
        for name, value in url.query.items()
    }
    if url.host:
        values["host"] = url.host
    if url.port:
        values["port"] = str(url.port)
    if url.username:
        values["user"] = url.username
    if url.password:
        values["password"] = str(url.password)
    name = database or url.database
    if name:
        values["dbname"] = name
    return values


def connect(url: sa.URL, database: str | None = None) -> Connection:
    """An autocommitting connection to the database of a URL, or to another of the same server.

    Raises:
        CannotConnect: With the reason and a hint, without the password.
    """
    values = {"connect_timeout": "15", **parameters(url, database)}
    values |= {"client_encoding": "UTF8", "application_name": "dbsynth"}
    try:
        connection: Connection = psycopg.connect(make_conninfo("", **values), autocommit=True)
    except psycopg.Error as error:
        raise refusal(url, str(error), database) from None
    connection.prepare_threshold = None
    apply_settings(connection, _SETTINGS)
    return connection


def apply_settings(connection: Connection, settings: dict[str, str]) -> None:
    """Set run-time parameters, passing over those the server does not know or let us set."""
    connection.execute(
        "SELECT pg_catalog.set_config(name, value, false)"
        " FROM unnest(%s::text[], %s::text[]) AS wanted (name, value)"
        " WHERE EXISTS (SELECT FROM pg_catalog.pg_settings AS s"
        "  WHERE s.name = lower(wanted.name) AND (s.context = 'user' OR s.context = 'superuser'"
        "  AND current_setting('is_superuser') = 'on'))",
        [list(settings), list(settings.values())],
    )


def refusal(url: sa.URL, text: str, database: str | None = None) -> CannotConnect:
    """Why a server let nobody in, as an error with a hint."""
    name = database or url.database or ""
    where = display(url.set(database=name) if name else url)
    lines = [line.strip() for line in hide_secrets(text, url).splitlines() if line.strip()]
    reason = lines[-1].removeprefix("connection failed: ") if lines else "no reason given"
    low = text.lower()
    if "no password supplied" in low or "password authentication failed" in low:
        return CannotConnect(
            f"The server of {where} rejected the user name or password",
            hint="Check the user and password in the URL, or set PGPASSWORD or a ~/.pgpass file.",
        )
    if "does not exist" in low and "database" in low:
        return CannotConnect(
            f"There is no database `{name}` on the server of {where}",
            hint="Check the name at the end of the URL, or create the database first.",
        )
    if "permission denied for database" in low:
        return CannotConnect(
            f"The user of {where} may not connect to database `{name}`",
            hint=f'Let it in with `GRANT CONNECT ON DATABASE "{name}" TO <user>`.',
        )
    return CannotConnect(
        f"Cannot connect to {where}: {reason.rstrip('.')}",
        hint="Check that the server runs, and the host, port and sslmode of the URL.",
    )


def explain(error: psycopg.Error) -> str:
    """What a server complained of, in words that never hold a value of a row."""
    state = error.sqlstate
    if state is None:
        return "the connection was lost"
    primary = error.diag.message_primary
    if state[:2] in _SPEAKING_CLASSES and primary:
        return primary
    try:
        name = psycopg.errors.lookup(state).__name__
    except KeyError:
        name = "error"
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    return f"{words} (SQL state {state})"


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Turn a refusal of the server into a `DatabaseError` that begins with ``what``."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseError(f"{what}: {explain(error)}", hint=_right(error)) from None
    except psycopg.Error as error:
        raise DatabaseError(f"{what}: {explain(error)}", hint=_way_out(error)) from None


def _right(error: psycopg.Error) -> str:
    text = error.diag.message_primary or ""
    if "row-level security" in text:
        return "Use a role with BYPASSRLS: a clone of the visible rows alone would be wrong."
    if "schema" in text:
        return "Run `GRANT USAGE ON SCHEMA <schema> TO <role>` as its owner."
    if "table" in text or "relation" in text:
        return "Run `GRANT SELECT ON <table> TO <role>` as its owner."
    return "Grant the role this right, or use another role."


def _way_out(error: psycopg.Error) -> str:
    if error.sqlstate is None:
        return "Check that the server still runs, then run again."
    if error.sqlstate[:2] == "53":
        return "Free disk space or memory on the server, then run again."
    return ""


def rows(
    connection: Connection, text: str, values: Sequence[Any] | None = None
) -> list[tuple[Any, ...]]:
    """The rows of a query whose text is built at run time."""
    return connection.execute(text.encode(), values).fetchall()


def value(connection: Connection, text: str, values: Sequence[Any] | None = None) -> Any:
    """The first value of a query, or None."""
    row = connection.execute(text.encode(), values).fetchone()
    return row[0] if row else None


def command(connection: Connection, text: str) -> None:
    """Run a statement whose text is built at run time."""
    connection.execute(text.encode())
