"""Shapes of keys and constraints that are hard to meet, on PostgreSQL: one file of SQL each."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import dbsynth
from dbsynth.embedded import Server
from tests.judge import counts, structure

SHAPES = sorted((Path(__file__).parent / "shapes").glob("*.sql"))


@pytest.mark.parametrize("scale", [1.0, pytest.param(3.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda path: path.stem)
def test_clone_of_shape_holds(
    shape: Path, scale: float, postgres: Server, fresh_database: str
) -> None:
    real = postgres.create_database(f"{shape.stem} {scale:g}")
    with psycopg.connect(real) as connection:
        connection.execute(shape.read_text(encoding="utf-8"))
    report = dbsynth.clone(real, fresh_database, spec=dbsynth.Spec(scale=scale))
    copied = {table.name for table in report.tables if table.strategy == "copy"}

    assert dbsynth.check(fresh_database).ok
    assert structure(fresh_database) == structure(real)
    for name, rows in counts(real).items():
        wanted = rows if name[-1] in copied else round(rows * scale)
        assert (name, counts(fresh_database)[name]) == (name, wanted)


FEWER = {
    "keys of 16 bits": (
        """CREATE TABLE t (id smallint PRIMARY KEY, v int);
        INSERT INTO t SELECT g, g % 7 FROM generate_series(1, 25000) g;""",
        65_536,
    ),
    "keys of an enumeration": (
        """CREATE TYPE e AS ENUM ('a', 'b', 'c', 'd'); CREATE TABLE t (id e PRIMARY KEY, v int);
        INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 3);""",
        4,
    ),
    "times of a day": (
        """CREATE TABLE t (id time PRIMARY KEY, v int);
        INSERT INTO t SELECT time '00:00' + g * interval '10 minutes', g % 3
        FROM generate_series(0, 140) g;""",
        1440,
    ),
    "one key under a CHECK": (
        "CREATE TABLE t (id int PRIMARY KEY CHECK (id = 1), v int); INSERT INTO t VALUES (1, 5);",
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", FEWER)
def test_key_without_room_means_fewer_rows_and_a_note(
    shape: str, postgres: Server, fresh_database: str
) -> None:
    ddl, most = FEWER[shape]
    real = postgres.create_database(shape)
    with psycopg.connect(real) as connection:
        connection.execute(ddl)
    report = dbsynth.clone(real, fresh_database, spec=dbsynth.Spec(scale=30.0))
    (rows,) = counts(fresh_database).values()
    assert rows <= most
    assert [note for note in report.notes if note.startswith(f"t has {rows} rows")]
    assert dbsynth.check(fresh_database).ok
