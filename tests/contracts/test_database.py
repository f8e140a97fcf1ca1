"""Every kind of database on every exhibit: rows go in as they came out, also into the other kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest

import dbsynth
from dbsynth.databases import open_database, open_stage
from dbsynth.databases.base import Database
from dbsynth.embedded import Server
from dbsynth.errors import SchemaError
from dbsynth.schema import Schema
from tests.judge import counts, structure
from tests.zoo import ZOO, Exhibit, load_exhibit

CASES = [
    pytest.param(exhibit, kind, id=f"{exhibit.name}-{kind}")
    for exhibit in ZOO
    for kind in sorted(exhibit.kinds)
]

OFTEN = ("awkward_names", "check_constraints", "every_type", "nested_cycles", "unique_shapes")

_numbers = count(1)

New = Callable[[str, str], str]


@pytest.fixture
def new(request: pytest.FixtureRequest, tmp_path: Path) -> New:
    """The URL of an empty database of a kind."""

    def url(kind: str, name: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / name}.sqlite"
        server: Server = request.getfixturevalue("postgres")
        return server.create_database(f"contract {next(_numbers)} {name}")

    return url


def _rows(database: Database, schema: Schema) -> dict[str, list[object]]:
    """All rows of all tables, in no order."""
    found = {}
    for table in schema.tables:
        names = [column.name for column in table.columns]
        batches = list(database.read(table, names)) if names else []
        found[table.name] = (
            sorted(map(repr, _readable(pa.Table.from_batches(batches)))) if batches else []
        )
    return found


def _readable(table: pa.Table) -> list[object]:
    """Rows with their days and moments as texts, as Python has no infinite ones."""
    columns = [
        column.cast(pa.string()) if pa.types.is_temporal(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names).to_pylist()


def _without_checks(schema: Schema) -> tuple[object, ...]:
    return tuple(replace(table, checks=()) for table in schema.tables)


@pytest.mark.parametrize(("exhibit", "kind"), CASES)
def test_rows_written_are_rows_read(exhibit: Exhibit, kind: str, new: New) -> None:
    real, copy = new(kind, "real"), new(kind, "copy")
    load_exhibit(exhibit, real)
    with open_database(real) as source, open_stage(copy, replace=True) as stage:
        schema = source.reflect()
        assert stage.create(schema, source.structure()) == ()
        for table in schema.tables:
            names = [column.name for column in table.written]
            encode = stage.encoder(table, names)
            stage.load(table, names, (encode(batch) for batch in source.read(table, names)))
        stage.finish()
        with stage.reader() as reader:
            # pg_dump writes casts into CHECKs that were not there; `structure` compares its words.
            assert _without_checks(reader.reflect()) == _without_checks(schema)
            assert _rows(reader, schema) == _rows(source, schema)
        stage.publish()
    assert structure(copy) == structure(real)


@pytest.mark.parametrize(
    ("exhibit", "kind"),
    [
        # A PostgreSQL server takes its time to build a database.
        pytest.param(exhibit, kind, id=f"{exhibit.name}-{kind}", marks=marks)
        for exhibit in ZOO
        for kind in sorted(exhibit.kinds)
        for often in [kind == "postgresql" or exhibit.name in OFTEN]
        for marks in [[] if often else [pytest.mark.slow]]
    ],
)
def test_clone_crosses_kinds(exhibit: Exhibit, kind: str, new: New) -> None:
    other = "postgresql" if kind == "sqlite" else "sqlite"
    real, clone = new(kind, "real"), new(other, "clone")
    load_exhibit(exhibit, real)
    if (exhibit.name, other) == ("namespaces", "sqlite"):
        # SQLite has no namespaces and ignores letter case: `Account` and `account` are one name.
        with pytest.raises(SchemaError, match="would both be named"):
            dbsynth.clone(real, clone)
        return
    report = dbsynth.clone(real, clone)
    rows = {table.name: table.synthetic_rows for table in report.tables}
    assert sorted(counts(clone).values()) == sorted(rows.values())
    assert dbsynth.check(clone).ok
    assert all(isinstance(loss, str) and loss for loss in report.losses)
    if exhibit.name in ("domains_enums", "exclusion", "generated_columns"):
        assert report.losses
