"""Properties that hold for every database: random SQLite databases, cloned."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

import dbsynth
from dbsynth.databases import open_database
from dbsynth.graph import make_plan
from dbsynth.schema import Schema
from tests.judge import contents, counts, structure
from tests.strategies import RandomDatabase, databases
from tests.zoo import load_exhibit

FEW = settings(
    max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
MANY = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def _written(database: RandomDatabase, folder: str) -> tuple[str, str]:
    """URLs of the database, now written, and of a clone to come."""
    database.write(f"{folder}/real.sqlite")
    return f"sqlite:///{folder}/real.sqlite", f"sqlite:///{folder}/clone.sqlite"


def _complaints(url: str) -> list[object]:
    """What SQLite itself says against the rows: orphans, and broken keys, NOT NULLs and CHECKs."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        broken = connection.execute("PRAGMA integrity_check").fetchall()
    return [*orphans, *(row for row in broken if row != ("ok",))]


def _clone_holds(database: RandomDatabase, scale: float) -> None:
    with TemporaryDirectory() as folder:
        real, clone = _written(database, folder)
        report = dbsynth.clone(real, clone, spec=dbsynth.Spec(scale=scale))
        assert _complaints(clone) == []
        assert structure(clone) == structure(real)
        strategies = {table.name: table.strategy for table in report.tables}
        excused = {name for name in strategies if any(name in note for note in report.notes)}
        for (name,), rows in counts(real).items():
            scaled = strategies[name] != "copy" and rows
            expected = max(1, round(rows * scale)) if scaled else rows
            assert name in excused or (name, counts(clone)[(name,)]) == (name, expected)


@FEW
@given(databases())
def test_clone_holds_every_constraint(database: RandomDatabase) -> None:
    _clone_holds(database, 1.0)


@FEW
@given(databases())
def test_scaled_clone_holds_every_constraint(database: RandomDatabase) -> None:
    _clone_holds(database, 2.5)


@pytest.mark.slow
@MANY
@given(databases())
def test_many_clones_hold_every_constraint(database: RandomDatabase) -> None:
    for scale in (0.4, 1.0, 3.0):
        _clone_holds(database, scale)


@FEW
@given(databases())
def test_seed_decides_every_byte_also_of_a_saved_model(database: RandomDatabase) -> None:
    with TemporaryDirectory() as folder:
        real, clone = _written(database, folder)
        spec = dbsynth.Spec(seed=7)
        dbsynth.clone(real, clone, spec=spec)
        dbsynth.fit(real, Path(folder, "model"), spec=spec)
        dbsynth.load(
            Path(folder, "model"), f"sqlite:///{folder}/loaded.sqlite", spec=spec, source=None
        )
        assert contents(f"sqlite:///{folder}/loaded.sqlite") == contents(clone)


@FEW
@given(databases(rows=40))
def test_plan_places_tables_and_keys_once(database: RandomDatabase) -> None:
    with TemporaryDirectory() as folder:
        real, _ = _written(database, folder)
        with open_database(real) as source:
            schema = source.reflect()
            rows = {table.name: source.count_rows(table) for table in schema.tables}
    for copied in ([], [schema.tables[0].name]):
        plan = make_plan(schema, rows, copied)
        assert sorted([*plan.order, *plan.copied]) == sorted(rows)
        places = [*plan.generating.values(), *plan.lookups, *plan.dealt]
        asked = [fk for fk in schema.foreign_keys if fk.child not in copied]
        assert sorted(map(str, places)) == sorted(map(str, asked))
        place = {name: i for i, name in enumerate(plan.order)}
        assert all(place[fk.parent] < place[fk.child] for fk in plan.generating.values())


@FEW
@given(databases())
def test_schema_survives_json(database: RandomDatabase) -> None:
    with TemporaryDirectory() as folder:
        real, _ = _written(database, folder)
        with open_database(real) as source:
            schema = source.reflect()
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('blog') / 'blog.sqlite'}"
    load_exhibit("blog", url)
    return url


def test_processes_change_nothing(blog: str, tmp_path: Path) -> None:
    one, two = (f"sqlite:///{tmp_path}/{n}.sqlite" for n in (1, 2))
    dbsynth.clone(blog, one)
    dbsynth.clone(blog, two, processes=2)
    assert contents(one) == contents(two)


def test_another_seed_gives_other_rows(blog: str, tmp_path: Path) -> None:
    one, two = (f"sqlite:///{tmp_path}/{n}.sqlite" for n in (1, 2))
    dbsynth.clone(blog, one, spec=dbsynth.Spec(seed=1))
    dbsynth.clone(blog, two, spec=dbsynth.Spec(seed=2))
    assert contents(one) != contents(two)
