"""Real SQLite files survive reading and writing, value by value."""

import os
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from dbsynth.databases.sqlite import open_sqlite, stage_sqlite
from dbsynth.databases.sqlite.sql import quoted
from dbsynth.errors import LoadError
from dbsynth.schema import Table

SHARED = os.environ.get("DBSYNTH_SHARED")
# the sources themselves hold orphans
ORPHANS = {"allergy_1", "car_1", "flight_4", "hospital_1", "hr_1", "pilot_1"}
FILES = sorted(Path(SHARED).glob("data/sqlite/**/*.sqlite")) if SHARED else []


def values(path: Path, table: Table) -> list[tuple]:
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    listed = ", ".join(f"quote({quoted(column.name)})" for column in table.columns)
    try:
        return sorted(connection.execute(f"SELECT {listed} FROM {quoted(table.name)}").fetchall())
    finally:
        connection.close()


@pytest.mark.skipif(not FILES, reason="DBSYNTH_SHARED does not name a folder of SQLite files")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_real_files_survive(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "clone.db"
    with (
        open_sqlite(sa.URL.create("sqlite", database=str(path))) as source,
        stage_sqlite(sa.URL.create("sqlite", database=str(target)), replace=False) as stage,
    ):
        schema = source.reflect()
        stage.create(schema, source.structure())
        for table in schema.tables:
            columns = [column.name for column in table.written]
            encode = stage.encoder(table, columns)
            stage.load(table, columns, map(encode, source.read(table, columns)))
        if path.stem in ORPHANS:
            with pytest.raises(LoadError, match=r"ha(ve|s) no parent"):
                stage.finish()
            return
        stage.finish()
        stage.publish()
    for table in schema.tables:
        assert values(target, table) == values(path, table)
