"""The project itself: the zoo is complete, the Makefile explains itself, nothing is left lying."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import tomllib
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from tests.strategies import RandomDatabase, databases
from tests.zoo import POSTGRESQL_ONLY, ZOO, Exhibit, load_exhibit

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("*.py", "*.md", "*.sql", "*.toml", "*.yaml", "*.sh")
SQLITE_ZOO = [exhibit for exhibit in ZOO if "sqlite" in exhibit.kinds]


def named(exhibit: Exhibit) -> str:
    return exhibit.name


def rows_by_table(exhibit: Exhibit) -> dict[str, int]:
    return {table.split(" (")[0]: len(rows) for table, rows in exhibit.rows().items()}


@pytest.mark.parametrize("exhibit", ZOO, ids=named)
def test_exhibit_is_complete_and_small(exhibit: Exhibit) -> None:
    assert (exhibit.folder / "schema.sql").is_file()
    lines = (exhibit.folder / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert 1 <= len(lines[2:]) <= 3
    assert all(rows <= 300 for rows in rows_by_table(exhibit).values())


@pytest.mark.parametrize("exhibit", ZOO, ids=named)
def test_rows_are_the_same_each_time(exhibit: Exhibit) -> None:
    assert exhibit.rows() == exhibit.rows()


def test_postgresql_only_names_exhibits() -> None:
    assert {exhibit.name for exhibit in ZOO} >= POSTGRESQL_ONLY


@pytest.mark.parametrize("exhibit", SQLITE_ZOO, ids=named)
def test_exhibit_loads_into_sqlite(exhibit: Exhibit, tmp_path: Path) -> None:
    path = tmp_path / "exhibit.sqlite"
    load_exhibit(exhibit, f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        found = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in rows_by_table(exhibit)
        }
    assert found == rows_by_table(exhibit)


@pytest.mark.parametrize("exhibit", ZOO, ids=named)
def test_exhibit_loads_into_postgresql(exhibit: Exhibit, fresh_database: str) -> None:
    load_exhibit(exhibit, fresh_database)
    with psycopg.connect(fresh_database.replace("+psycopg", "")) as connection:
        found = {
            table: connection.execute(f"SELECT count(*) FROM ONLY {table}").fetchone()[0]
            for table in rows_by_table(exhibit)
            if exhibit.name != "partitions"  # ONLY a root has no rows
        }
    assert found == ({} if exhibit.name == "partitions" else rows_by_table(exhibit))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(database=databases())
def test_random_databases_satisfy_their_constraints(
    tmp_path: Path, database: RandomDatabase
) -> None:
    path = tmp_path / "random.sqlite"
    path.unlink(missing_ok=True)
    database.write(str(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    shown = subprocess.run(["make", "-s", "-C", ROOT], capture_output=True, text=True, check=True)
    listed = [line.split()[0] for line in shown.stdout.splitlines() if line.startswith("  ")]
    assert listed == targets


@pytest.mark.parametrize("script", [".ci/run", "docker/refresh.sh", "docker/reader.sh"])
def test_shell_scripts_parse(script: str) -> None:
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_changelog_speaks_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"## {project['version']} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def project_files() -> list[Path]:
    folders = ("dbsynth", "schemas", "tests", "docs", "docker")
    inside = [path for folder in folders for kind in TEXTS for path in (ROOT / folder).rglob(kind)]
    return [*inside, *(path for kind in TEXTS for path in ROOT.glob(kind)), ROOT / "Makefile"]


# Spelt in two halves, so that this file does not hold them.
@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "/ro" + "ot/", "/ho" + "me/user"])
def test_no_file_holds(word: str) -> None:
    holders = [path for path in project_files() if word in path.read_text(encoding="utf-8")]
    assert holders == []


def test_no_class_has_an_empty_name() -> None:
    pattern = re.compile(r"^class (\w*(?:Manager|Helper|Utils?|Handler|Processor))\b", re.MULTILINE)
    found = {
        name
        for path in (ROOT / "dbsynth").rglob("*.py")
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert found == set()
