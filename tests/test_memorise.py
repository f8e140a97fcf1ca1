"""Memorising: what is measured, and the halves it is measured on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from dbsynth.databases import open_database
from dbsynth.databases.narrowed import Narrowed
from dbsynth.graph import make_plan
from dbsynth.memorise import Half, Sides, below, entity_tables, half, measure, memory_of
from dbsynth.spec import Spec

RANDOM = np.random.Generator(np.random.Philox(1))
START = RANDOM.bit_generator.state
DDL = """
CREATE TABLE shop (id integer PRIMARY KEY, city text NOT NULL, size integer NOT NULL);
CREATE TABLE person (id integer PRIMARY KEY, age integer NOT NULL);
CREATE TABLE sale (id integer PRIMARY KEY, shop integer NOT NULL REFERENCES shop,
  person integer NOT NULL REFERENCES person, amount integer NOT NULL);
CREATE TABLE note (sale integer NOT NULL REFERENCES sale, stars integer NOT NULL);
"""


@pytest.fixture(autouse=True)
def the_same_numbers_in_any_order_of_the_tests() -> None:
    RANDOM.bit_generator.state = START


def drawn(rows: int) -> pa.Table:
    return pa.table({"size": RANDOM.normal(size=rows), "sort": RANDOM.choice(["a", "b"], rows)})


def test_rows_of_the_same_source_are_no_copies() -> None:
    found = memory_of(Sides("t", *(Half(drawn(900)) for _ in range(3))))
    assert found.copied == found.natural == found.chance == 0.0
    assert not found.remembered
    assert found.closer == pytest.approx(0.5, abs=0.07)  # four standard errors of 900 rows
    assert found.distance == pytest.approx(1.0, abs=0.2)


def test_copies_are_found_among_others() -> None:
    train = drawn(900)
    made = pa.concat_tables([drawn(800), train.slice(0, 100)])
    found = memory_of(Sides("t", Half(train), Half(drawn(900)), Half(made)))
    assert found.copied == pytest.approx(1 / 9)
    assert found.remembered


def test_what_is_common_by_nature_is_no_copy() -> None:
    few = [pa.table({"stars": RANDOM.integers(1, 6, 500)}) for _ in range(3)]
    found = memory_of(Sides("t", *map(Half, few)))
    assert found.copied == found.natural == 1.0
    assert not found.remembered


def test_whole_families_are_found_whatever_their_order() -> None:
    train = drawn(90)
    family = np.repeat(np.arange(30), 3)
    turned = np.arange(90).reshape(30, 3)[:, ::-1].ravel()
    sides = Sides(
        "t", Half(train, family), Half(drawn(90), family), Half(train.take(turned), family + 7)
    )
    found = memory_of(sides)
    assert (found.families, found.natural_families) == (1.0, 0.0)


@pytest.fixture
def source(tmp_path: Path) -> str:
    random = Random(3)
    path = tmp_path / "source.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(DDL)
        shops = [(i, random.choice(["Ulm", "Bern"]), random.randrange(90)) for i in range(400)]
        people = [(i, random.randrange(18, 90)) for i in range(300)]
        sales = [(i, i % 400, random.randrange(300), random.randrange(50)) for i in range(1600)]
        notes = [(random.randrange(1600), random.randrange(1, 6)) for _ in range(800)]
        for table, rows in (("shop", shops), ("person", people), ("sale", sales), ("note", notes)):
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    return f"sqlite:///{path}"


def test_halves_are_disjoint_and_refer_to_nothing_outside(source: str) -> None:
    with open_database(source) as database:
        schema = database.reflect()
        rows = {table.name: database.count_rows(table) for table in schema.tables}
        plan = make_plan(schema, rows)
        entities = entity_tables(plan, rows)
        assert set(entities) == {"person", "shop"}
        for entity in entities:
            sides = [
                Narrowed(database, half(schema, plan, entity, limits, 0))
                for limits in ((0.0, 0.5), (0.5, 1.0))
            ]
            for name in below(plan, entity):
                counted = [side.count_rows(schema[name]) for side in sides]
                assert sum(counted) == rows[name]
                assert min(counted) > 0.3 * rows[name]
            for side in sides:
                for fk in schema.foreign_keys:
                    assert side.count_orphans(fk) == 0, (entity, str(fk))


def test_every_table_with_entities_is_judged_once_and_copies_nothing(source: str) -> None:
    judged = [memory_of(sides) for sides in measure(source, Spec())]
    assert sorted(memory.table for memory in judged) == ["note", "person", "sale", "shop"]
    assert not [memory.table for memory in judged if memory.remembered]
