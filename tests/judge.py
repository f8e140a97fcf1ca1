"""An independent judge of clones: plain SQL and pg_dump, nothing of dbsynth's own verification."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import psycopg
from psycopg import sql

from dbsynth.databases.pgtools import find_tools

_SHORTEST = 4  # shorter texts say too little to be a leak
_FEWEST = 10
_CASTS = re.compile(r"::[a-z]+(?: [a-z]+)*(?:\[\])?|[()]")
_NEAR_UNIQUE = 0.9

Rows = list[tuple[Any, ...]]
Name = tuple[str, ...]


def query(url: str, statement: str | sql.Composed) -> Rows:
    """The rows of a query."""
    if url.startswith("sqlite"):
        assert isinstance(statement, str)
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def structure(url: str) -> str:
    """The definition of the whole schema, as the database's own tools write it."""
    if url.startswith("sqlite"):
        listed = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        return "\n".join(map(repr, query(url, listed)))
    command = [find_tools(18).path("pg_dump"), "--schema-only", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    text = re.sub(r"(?m)^\\(un)?restrict .*$", "", text)
    # The server itself writes other casts and parentheses into a CHECK that it reads back.
    return re.sub(r"(?m)^.*\bCHECK \(.*$", lambda line: _CASTS.sub("", line[0]), text)


def tables(url: str) -> dict[Name, list[tuple[str, str]]]:
    """Columns and their types by table."""
    if url.startswith("sqlite"):
        names = query(url, "SELECT name FROM sqlite_master WHERE type = 'table'"
                           " AND name NOT LIKE 'sqlite_%'")  # fmt: skip
        return {
            (name,): [(c[1], c[2]) for c in query(url, f"PRAGMA table_info({_quoted(name)})")]
            for (name,) in names
        }
    found: dict[Name, list[tuple[str, str]]] = {}
    for namespace, table, column, type_ in query(
        url,
        "SELECT nspname, relname, attname, format_type(atttypid, NULL) FROM pg_class c"  # type: ignore[arg-type]
        " JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute ON attrelid = c.oid"
        " WHERE relkind IN ('r', 'p') AND NOT relispartition AND attnum > 0 AND NOT attisdropped"
        " AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 1, 2, attnum",
    ):
        found.setdefault((namespace, table), []).append((column, type_))
    return found


def counts(url: str) -> dict[Name, int]:
    """Number of rows by table."""
    only = "" if url.startswith("sqlite") else "ONLY "
    return {
        table: query(
            url, f"SELECT count(*) FROM {only if _plain(url, table) else ''}{_name(table)}"
        )[0][0]
        for table in tables(url)
    }


def _plain(url: str, table: Name) -> bool:
    """Whether it is no partitioned table, whose rows all lie in others."""
    if url.startswith("sqlite"):
        return True
    return query(url, f"SELECT relkind FROM pg_class WHERE oid = '{_name(table)}'::regclass") == [
        ("r",)
    ]


def leaks(source: str, clone: str, copied: Iterable[str]) -> list[str]:
    """Columns of near-unique text in the source whose values occur in the clone's column."""
    kept = {name.rpartition(".")[2] for name in copied}
    found = []
    for table, columns in tables(source).items():
        for column, type_ in columns:
            if table[-1] in kept or not re.search("(?i)char|text|uuid|email", type_):
                continue
            real = _texts(source, table, column)
            secret = {
                value for value in real if len(value) >= _SHORTEST and set(value) - {"0", "1"}
            }
            if len(real) < _FEWEST or len(set(real)) < _NEAR_UNIQUE * len(real):
                continue
            if shared := secret & set(_texts(clone, table, column)):
                found.append(f"{'.'.join(table)}.{column}: {len(shared)} of {len(secret)}")
    return found


def _texts(url: str, table: Name, column: str) -> list[str]:
    rows = query(
        url, f"SELECT {_quoted(column)} FROM {_name(table)} WHERE {_quoted(column)} IS NOT NULL"
    )
    return [str(value).strip().lower() for (value,) in rows]


def contents(url: str) -> dict[Name, Rows]:
    """All rows of all tables, ordered."""
    return {
        table: sorted(query(url, f"SELECT * FROM {_name(table)}"), key=repr)
        for table in tables(url)
    }


def _name(table: Name) -> str:
    return ".".join(map(_quoted, table))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
