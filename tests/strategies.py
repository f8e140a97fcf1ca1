"""Hypothesis strategies for random relational databases: SQLite tables with rows that fit them.

The structure is drawn by hypothesis, so that a failure shrinks to few tables, references and rows.
The values come from one drawn seed.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

Row = tuple[Any, ...]

KEYS = {
    "integer": {"id": "INTEGER"},
    "text": {"code": "TEXT"},
    "composite": {"region": "TEXT", "number": "INTEGER"},
}
ATTRIBUTES = {
    "score": "score REAL",
    "label": "label TEXT NOT NULL",
    "serial": "serial INTEGER UNIQUE",
    "percent": "percent INTEGER CHECK (percent BETWEEN 0 AND 100)",
    "state": "state TEXT NOT NULL CHECK (state IN ('new', 'open', 'done'))",
    "span": "starts DATE NOT NULL, ends DATE, CHECK (ends >= starts)",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key to the table with this number."""

    parent: int
    nullable: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What hypothesis decides about a table.

    Attributes:
        key: One of `KEYS`, or ``shared``: its primary key refers to that of table ``twin`` (1:1).
        ranked: Whether a row has a unique rank among the children of its first parent.
    """

    key: str
    twin: int
    references: tuple[Reference, ...]
    attributes: tuple[str, ...]
    ranked: bool
    rows: int


@dataclass(frozen=True, slots=True)
class RandomDatabase:
    """Tables and rows that satisfy every constraint of theirs."""

    ddl: str
    rows: dict[str, list[Row]]

    def write(self, path: str) -> None:
        """Create it in a new SQLite file."""
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(self.ddl)
            for table, rows in self.rows.items():
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


@st.composite
def databases(draw: st.DrawFn, *, tables: int = 6, rows: int = 30) -> RandomDatabase:
    """A database of 2 to ``tables`` tables with at most ``rows`` rows each."""
    count = draw(st.integers(2, tables))
    shapes = [draw(_shapes(number, count, rows)) for number in range(count)]
    return _build(shapes, Random(draw(st.integers(0, 2**32 - 1))))


@st.composite
def _shapes(draw: st.DrawFn, number: int, count: int, rows: int) -> Shape:
    kinds = [*KEYS, "shared"] if number else [*KEYS]
    references = [
        # A reference to itself or to a later table closes a cycle, and may be NULL.
        Reference(parent, nullable=draw(st.booleans()) if parent < number else True)
        for parent in draw(st.lists(st.integers(0, count - 1), max_size=2))
    ]
    return Shape(
        key=draw(st.sampled_from(kinds)),
        twin=draw(st.integers(0, max(0, number - 1))),
        references=tuple(references),
        attributes=tuple(draw(st.lists(st.sampled_from([*ATTRIBUTES]), unique=True, max_size=3))),
        ranked=bool(references) and draw(st.booleans()),
        rows=draw(st.integers(0, rows)),
    )


def _build(shapes: list[Shape], random: Random) -> RandomDatabase:
    columns: list[dict[str, str]] = []
    keys: list[list[Row]] = []
    for shape in shapes:
        columns.append(columns[shape.twin] if shape.key == "shared" else KEYS[shape.key])
        keys.append(_keys(shape, keys, random))
    # A row whose parent must exist, but has no row, cannot exist either.
    for number, shape in enumerate(shapes):
        if any(
            not reference.nullable and not keys[reference.parent] for reference in shape.references
        ):
            keys[number] = []
        if shape.key == "shared":
            keys[number] = [key for key in keys[number] if key in keys[shape.twin]]
    return RandomDatabase(
        "\n".join(_ddl(number, shapes, columns) for number in range(len(shapes))),
        {f"t{n}": _rows(shape, keys[n], keys, columns, random) for n, shape in enumerate(shapes)},
    )


def _keys(shape: Shape, keys: list[list[Row]], random: Random) -> list[Row]:
    match shape.key:
        case "shared":
            twins = keys[shape.twin]
            return random.sample(twins, min(shape.rows, len(twins)))
        case "integer":
            return [(number,) for number in random.sample(range(1, 10_000), shape.rows)]
        case "text":
            return [(f"code {number}",) for number in range(shape.rows)]
        case _:
            return [("north" if n % 2 else "south", n // 2) for n in range(shape.rows)]


def _ddl(number: int, shapes: list[Shape], columns: list[dict[str, str]]) -> str:
    shape, key = shapes[number], columns[number]
    parts = [f"{name} {kind} NOT NULL" for name, kind in key.items()]
    constraints = [f"PRIMARY KEY ({', '.join(key)})"]
    if shape.key == "shared":
        constraints.append(_foreign_key(tuple(key), shape.twin, columns))
    for n, reference in enumerate(shape.references):
        own = {f"r{n}_{name}": kind for name, kind in columns[reference.parent].items()}
        parts += [
            f"{name} {kind}{'' if reference.nullable else ' NOT NULL'}"
            for name, kind in own.items()
        ]
        constraints.append(_foreign_key(tuple(own), reference.parent, columns))
    if shape.ranked:
        parent = columns[shape.references[0].parent]
        parts.append("rank INTEGER NOT NULL")
        constraints.append(f"UNIQUE ({', '.join(f'r0_{name}' for name in parent)}, rank)")
    for attribute in shape.attributes:
        declared = ATTRIBUTES[attribute].split(", CHECK")
        parts.append(declared[0])
        constraints += [f"CHECK{check}" for check in declared[1:]]
    return f"CREATE TABLE t{number} (\n    " + ",\n    ".join(parts + constraints) + "\n);"


def _foreign_key(own: tuple[str, ...], parent: int, columns: list[dict[str, str]]) -> str:
    return f"FOREIGN KEY ({', '.join(own)}) REFERENCES t{parent} ({', '.join(columns[parent])})"


def _rows(
    shape: Shape,
    own: list[Row],
    keys: list[list[Row]],
    columns: list[dict[str, str]],
    random: Random,
) -> list[Row]:
    rows = []
    for rank, key in enumerate(own):
        links: list[Any] = []
        for reference in shape.references:
            there = keys[reference.parent]
            absent = reference.nullable and (not there or random.random() < 0.3)
            links += [None] * len(columns[reference.parent]) if absent else random.choice(there)
        values = [value for name in shape.attributes for value in _values(name, rank, random)]
        rows.append((*key, *links, *([rank] if shape.ranked else []), *values))
    return rows


def _values(attribute: str, rank: int, random: Random) -> Row:
    starts = date(2024, 1, 1) + timedelta(days=random.randint(0, 365))
    ends = random.choice((None, starts + timedelta(days=random.randint(0, 30))))
    match attribute:
        case "score":
            return (random.choice((None, random.gauss(0, 1))),)
        case "label":
            return (random.choice(("red", "green", "blue", "")),)
        case "serial":
            return (random.choice((None, 1000 + rank)),)
        case "percent":
            return (random.choice((None, random.randint(0, 100))),)
        case "state":
            return (random.choice(("new", "open", "done")),)
        case _:
            return (starts.isoformat(), ends and ends.isoformat())
