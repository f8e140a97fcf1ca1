"""The kind of a column: what its declared type promises, corrected by what it really holds.

SQLite lets any value stand in any column, so the storage classes of the values are looked at, those
of the first million rows.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dbsynth.databases.sqlite.connection import number
from dbsynth.databases.sqlite.sql import quoted
from dbsynth.databases.sqlite.values import fits, shape_of
from dbsynth.schema import Kind

_COLUMNS_AT_ONCE = 300
_BATCH = 65_536
LOOKED_AT = 1_000_000
_ARGUMENTS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")


@dataclass(frozen=True, slots=True)
class Contents:
    """Which storage classes the values of a column have.

    Attributes:
        values: Number of values that are not NULL.
        first, last: Least and greatest name of a storage class among them, in alphabetical order
            (blob, integer, real, text).
        longest: Characters of the longest text.
    """

    values: int
    first: str
    last: str
    longest: int

    def only(self, *classes: str) -> bool:
        """Whether there are values, and all of them of these (neighbouring) classes."""
        return self.values > 0 and self.first in classes and self.last in classes


@dataclass(frozen=True, slots=True)
class Typing:
    """What is known of the values of a column."""

    kind: Kind
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    zoned: bool = False
    text_format: str = ""


def looked_at(table: str, rows: int) -> str:
    """The rows of a table that decide about its kinds, as a term of FROM."""
    whole = f"main.{quoted(table)}"
    return whole if rows <= LOOKED_AT else f"(SELECT * FROM {whole} LIMIT {LOOKED_AT})"


def contents(
    connection: sqlite3.Connection, source: str, columns: Sequence[str]
) -> Mapping[str, Contents]:
    """The storage classes in each column of a table."""
    found = {}
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        some = columns[start : start + _COLUMNS_AT_ONCE]
        asked = ", ".join(
            f"count({c}), min(typeof({c})) FILTER (WHERE {c} IS NOT NULL),"
            f" max(typeof({c})) FILTER (WHERE {c} IS NOT NULL), max(length({c}))"
            for c in map(quoted, some)
        )
        row = connection.execute(f"SELECT {asked} FROM {source}").fetchone()
        for i, name in enumerate(some):
            count, first, last, longest = row[4 * i : 4 * i + 4]
            found[name] = Contents(
                count, (first or b"").decode(), (last or b"").decode(), longest or 0
            )
    return found


def typing_of(
    connection: sqlite3.Connection, source: str, column: str, declared: str, held: Contents
) -> Typing:
    """What the values of a column are."""
    words = declared.upper()
    precision, scale = _arguments(words)
    length = precision if precision and scale is None and held.longest <= precision else None
    if not held.values:
        return _promised(words, precision, scale)
    if held.only("blob"):
        return Typing(Kind.BYTES)
    if "JSON" in words and held.first != "blob" and _all_json(connection, source, column):
        return Typing(Kind.JSON)
    if held.only("integer"):
        return Typing(_integer(connection, source, column, words))
    if held.only("integer", "real"):
        return _fractional(connection, source, column, words)
    if held.only("text") and ("DATE" in words or "TIME" in words):
        moment = _moment(connection, source, column)
        return moment or Typing(Kind.TEXT, length)
    return Typing(Kind.TEXT, length)


def lost_classes(name: str, declared: str, kind: Kind, held: Contents) -> str | None:
    """A sentence on storage classes that values lose in a clone, as their column keeps none.

    A column with an affinity makes numbers of texts again; one without a type, or of blobs, leaves
    every value as it is written.
    """
    if held.first == held.last or not (_free(declared) or held.first == "blob"):
        return None
    became = {Kind.TEXT: "text", Kind.FLOAT: "real", Kind.DECIMAL: "real"}.get(kind)
    if became is None:
        return None
    why = "has no type that would tell" if _free(declared) else f"is declared as {declared}"
    return (
        f"column {name} {why}, and holds values of several storage classes ({held.first} to"
        f" {held.last}); in the clone all are {became}"
    )


def _free(declared: str) -> bool:
    """Whether values keep their storage class (SQLite's affinity BLOB)."""
    words = declared.upper()
    if any(word in words for word in ("INT", "CHAR", "CLOB", "TEXT")):
        return False
    return not words or "BLOB" in words


def _arguments(words: str) -> tuple[int | None, int | None]:
    match = _ARGUMENTS.search(words)
    if match is None:
        return None, None
    return int(match[1]), None if match[2] is None else int(match[2])


def _is_decimal(words: str) -> bool:
    return any(word in words for word in ("DECIMAL", "NUMERIC", "NUMBER", "MONEY"))


def _promised(words: str, precision: int | None, scale: int | None) -> Typing:
    """The kind of a column without values, by the rules of affinity and by common names."""
    if _is_decimal(words):
        if scale:
            return Typing(Kind.DECIMAL, precision=precision, scale=scale)
        return Typing(Kind.INTEGER if precision else Kind.FLOAT)
    if "DATETIME" in words or "TIMESTAMP" in words:
        return Typing(Kind.TIMESTAMP)
    for word, kind in _PROMISES:
        if word in words:
            return Typing(kind, precision if kind is Kind.TEXT else None)
    return Typing(Kind.FLOAT if words else Kind.TEXT)


_PROMISES = (
    ("BOOL", Kind.BOOLEAN),
    ("JSON", Kind.JSON),
    ("DATE", Kind.DATE),
    ("TIME", Kind.TIME),
    ("INT", Kind.INTEGER),
    ("CHAR", Kind.TEXT),
    ("CLOB", Kind.TEXT),
    ("TEXT", Kind.TEXT),
    ("STRING", Kind.TEXT),
    ("UUID", Kind.TEXT),
    ("ANY", Kind.TEXT),
    ("BLOB", Kind.BYTES),
    ("BINARY", Kind.BYTES),
    ("YEAR", Kind.INTEGER),
    ("BIT", Kind.INTEGER),
)


def _integer(connection: sqlite3.Connection, source: str, column: str, words: str) -> Kind:
    if "BOOL" not in words:
        return Kind.INTEGER
    c = quoted(column)
    others = number(connection, f"SELECT count(*) FROM {source} WHERE {c} NOT IN (0, 1)")
    return Kind.INTEGER if others else Kind.BOOLEAN


def _all_json(connection: sqlite3.Connection, source: str, column: str) -> bool:
    c = quoted(column)
    sql = f"SELECT count(*) FROM {source} WHERE {c} IS NOT NULL AND NOT json_valid({c})"
    return number(connection, sql) == 0


def _fractional(connection: sqlite3.Connection, source: str, column: str, words: str) -> Typing:
    precision, scale = _arguments(words)
    if not _is_decimal(words) or scale is None:
        return Typing(Kind.FLOAT)
    c = quoted(column)
    longer = number(
        connection,
        f"SELECT count(*) FROM {source} WHERE {c} <> round({c}, {scale})",
    )
    if longer:
        return Typing(Kind.FLOAT)
    largest = connection.execute(f"SELECT max(abs({c})) FROM {source}").fetchone()[0]
    wide_enough = precision is not None and largest < 10.0 ** (precision - scale)
    return Typing(Kind.DECIMAL, precision=precision if wide_enough else None, scale=scale)


def _moment(connection: sqlite3.Connection, source: str, column: str) -> Typing | None:
    """The kind of a column of texts that are all dates or times of one shape."""
    c = quoted(column)
    cursor = connection.execute(f"SELECT {c} FROM {source} WHERE {c} IS NOT NULL")
    shape: tuple[Kind, str] | None = None
    while batch := cursor.fetchmany(_BATCH):
        texts = [row[0] for row in batch]
        shape = shape or shape_of(texts[0].decode("utf-8", "replace"))
        if shape is None or not fits(texts, *shape):
            return None
    if shape is None:
        return None
    kind, form = shape
    return Typing(
        kind, precision=form.count("f"), zoned=form.endswith(("Z", "+00:00")), text_format=form
    )
