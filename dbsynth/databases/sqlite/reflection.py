"""The schema of an SQLite file, from its catalog, its PRAGMAs and the text of its statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dbsynth.databases.sqlite import sql as text
from dbsynth.databases.sqlite.connection import number, rows
from dbsynth.databases.sqlite.kinds import (
    LOOKED_AT,
    Contents,
    contents,
    looked_at,
    lost_classes,
    typing_of,
)
from dbsynth.databases.sqlite.sql import quoted
from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table, UniqueKey

_HIDDEN, _GENERATED = 1, (2, 3)


@dataclass(frozen=True, slots=True)
class Names:
    """The base tables of a file, how many of the others there are, and their statements."""

    base: Mapping[str, str]  # statement by name
    virtual: tuple[str, ...]
    shadow: tuple[str, ...]


def names(connection: sqlite3.Connection) -> Names:
    """The tables of a file: those that hold rows of their own, and those of modules."""
    found = rows(
        connection,
        "SELECT name, coalesce(sql, '') FROM sqlite_master"
        r" WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name",
    )
    virtual = tuple(name for name, sql in found if text.is_virtual(sql))
    kind_by_name = {row[1]: row[2] for row in rows(connection, "PRAGMA main.table_list")}
    shadow = tuple(
        name
        for name, _ in found
        if name not in virtual
        and (
            kind_by_name.get(name) == "shadow"
            # PRAGMA table_list came with SQLite 3.37
            or (not kind_by_name and name.startswith(tuple(f"{v}_" for v in virtual)))
        )
    )
    base = {name: sql for name, sql in found if name not in virtual and name not in shadow}
    return Names(base, virtual, shadow)


def reflect(connection: sqlite3.Connection) -> Schema:
    """The schema of the file."""
    tables = names(connection)
    notes = [f"{name} is a virtual table, its content is not cloned" for name in tables.virtual]
    drafts = {name: _draft(connection, name, sql, notes) for name, sql in tables.base.items()}
    finished = []
    for table in drafts.values():
        keys = tuple(_foreign_keys(connection, table, drafts, notes))
        finished.append(replace(table, foreign_keys=keys))
    views = rows(connection, "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")
    others = [(name, "view") for (name,) in views]
    others += [(name, "virtual table") for name in (*tables.virtual, *tables.shadow)]
    return Schema(tuple(finished), tuple(notes), tuple(others))


def _draft(connection: sqlite3.Connection, name: str, sql: str, notes: list[str]) -> Table:
    """A table without its foreign keys."""
    described = [
        row
        for row in rows(connection, f"PRAGMA main.table_xinfo({quoted(name)})")
        if row[6] != _HIDDEN
    ]
    column_names = [row[1] for row in described]
    words = text.table_text(sql, column_names)
    primary = tuple(row[1] for row in sorted(described, key=lambda r: r[5]) if row[5])
    indexes = rows(connection, f"PRAGMA main.index_list({quoted(name)})")
    alias = _is_rowid_alias(described, indexes, words)
    count = number(connection, f"SELECT count(*) FROM main.{quoted(name)}")
    source = looked_at(name, count)
    held = contents(connection, source, column_names)
    count = min(count, LOOKED_AT)
    columns = tuple(
        _column(connection, source, row, held[row[1]], count, bool(alias or words.without_rowid))
        for row in described
    )
    for column in columns:
        place, declared = f"{name}.{column.name}", column.sql_type
        lost = lost_classes(place, declared, column.kind, held[column.name])
        notes += [lost] if lost and not column.generated else []
    if alias:
        columns = tuple(replace(c, identity=c.name in primary) for c in columns)
    uniques = tuple(_uniques(connection, name, indexes, words, column_names))
    return Table(name, name, None, columns, primary, uniques, checks=words.checks)


def _is_rowid_alias(
    described: Sequence[Any], indexes: Sequence[Any], words: text.TableText
) -> bool:
    keys = [row for row in described if row[5]]
    return (
        len(keys) == 1
        and keys[0][2].upper() == "INTEGER"
        and not words.without_rowid
        and all(origin != "pk" for _, _, _, origin, _ in indexes)
    )


def _column(
    connection: sqlite3.Connection,
    source: str,
    row: Any,
    held: Contents,
    count: int,
    strict_key: bool,
) -> Column:
    _, name, declared, not_null, default, key, hidden = row
    known = typing_of(connection, source, name, declared, held)
    # other primary keys may hold NULL by an old mistake of SQLite; believe the data
    key_without_null = key and (strict_key or held.values == count)
    return Column(
        name,
        known.kind,
        declared,
        declared,
        nullable=not (not_null or key_without_null),
        length=known.length,
        precision=known.precision,
        scale=known.scale,
        bits=64 if known.kind is Kind.INTEGER else None,
        generated=hidden in _GENERATED,
        default=default is not None,
        zoned=known.zoned,
        text_format=known.text_format,
    )


def _uniques(
    connection: sqlite3.Connection,
    table: str,
    indexes: Sequence[Any],
    words: text.TableText,
    columns: Sequence[str],
) -> Iterator[UniqueKey]:
    for _, index, unique, origin, _ in sorted(indexes, key=lambda row: -row[0]):
        if not unique:
            continue
        found = rows(connection, "SELECT sql FROM sqlite_master WHERE name = ?", (index,))
        written = text.index_text(found[0][0]) if found and found[0][0] else text.IndexText()
        parts = [
            row for row in rows(connection, f"PRAGMA main.index_xinfo({quoted(index)})") if row[5]
        ]
        key = _unique(parts, written, words, columns)
        if origin == "pk" and key.plain:
            continue
        name = {"pk": "primary key", "u": f"unique ({', '.join(key.columns)})"}.get(origin, index)
        yield replace(key, name=name)


def _unique(
    parts: Sequence[Any], written: text.IndexText, words: text.TableText, columns: Sequence[str]
) -> UniqueKey:
    expressions = tuple(
        written.parts[i] if name is None else _collated(name, collation, words)
        for i, (_, _, name, _, collation, _) in enumerate(parts)
    )
    plain = all(
        name is not None and expression == quoted(name)
        for (_, _, name, _, _, _), expression in zip(parts, expressions, strict=True)
    )
    part_of = [
        column
        for (_, _, name, _, _, _), expression in zip(parts, expressions, strict=True)
        for column in ([name] if name is not None else text.mentioned(expression, columns))
    ]
    where = written.where
    return UniqueKey(
        tuple(dict.fromkeys(part_of)),
        "",
        () if plain else expressions,
        where,
        () if where is None else text.mentioned(where, columns),
    )


def _collated(name: str, collation: str, words: text.TableText) -> str:
    """A column as part of an index, with its collation where that is not the plain one."""
    if {collation.upper(), words.collations.get(name.lower(), "BINARY")} == {"BINARY"}:
        return quoted(name)
    return f"{quoted(name)} COLLATE {quoted(collation)}"


def _foreign_keys(
    connection: sqlite3.Connection, child: Table, tables: Mapping[str, Table], notes: list[str]
) -> Iterator[ForeignKey]:
    by_number: dict[int, list[Any]] = {}
    for row in rows(connection, f"PRAGMA main.foreign_key_list({quoted(child.name)})"):
        by_number.setdefault(row[0], []).append(row)
    parents = {name.lower(): table for name, table in tables.items()}
    seen = set()
    for number_ in sorted(by_number, reverse=True):
        parts = sorted(by_number[number_], key=lambda row: row[1])
        parent = parents.get(parts[0][2].lower())
        key = _foreign_key(child, parent, parts)
        if parent is None or key is None:
            notes.append(_dropped(child, parts, parent))
        elif key not in seen:
            seen.add(key)
            if not _is_unique(parent, key.parent_columns):
                notes.append(f"foreign key {key} refers to columns that are not unique")
            yield key


def _foreign_key(child: Table, parent: Table | None, parts: Sequence[Any]) -> ForeignKey | None:
    if parent is None:
        return None
    own = {name.lower(): name for name in child.column_by_name}
    theirs = {name.lower(): name for name in parent.column_by_name}
    columns = tuple(own.get(row[3].lower()) for row in parts)
    if parts[0][4] is None:
        referenced: tuple[str | None, ...] = parent.primary_key
    else:
        referenced = tuple(theirs.get(row[4].lower()) for row in parts)
    known = tuple(name for name in columns if name is not None)
    known_parent = tuple(name for name in referenced if name is not None)
    if not len(columns) == len(known) == len(known_parent) == len(referenced):
        return None
    nullable = any(child.column_by_name[name].nullable for name in known)
    return ForeignKey(child.name, known, parent.name, known_parent, nullable=nullable)


def _dropped(child: Table, parts: Sequence[Any], parent: Table | None) -> str:
    columns = ", ".join(row[3] for row in parts)
    why = "a table that does not exist" if parent is None else "columns that do not exist or match"
    return (
        f"foreign key {child.name}({columns}) -> {parts[0][2]} refers to {why} and is left out,"
        " SQLite cannot enforce it"
    )


def _is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    return any(
        set(key.columns) == set(columns)
        for key in table.keys
        if key.where is None and len(key.columns) == len(columns)
    )
