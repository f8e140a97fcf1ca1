"""Codes that count: the year of their row in them, and numbers from one in the order of time."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import dbsynth
from dbsynth.classify import classify_table
from dbsynth.identifiers.serial import Piece, Serial, serial_from_json
from dbsynth.model import ColumnModel, Provided, load_model
from dbsynth.outline.serials import with_serials
from dbsynth.schema import Column, Kind, Table

SCHEMA = """
CREATE TABLE project (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE invoice (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project (id),
    number TEXT UNIQUE, issued DATE NOT NULL, due DATE, total NUMERIC(9, 2));
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project (id),
    code VARCHAR(12) NOT NULL, opened TIMESTAMP NOT NULL, UNIQUE (project_id, code));
CREATE TABLE shipment (
    code TEXT PRIMARY KEY, sent TIMESTAMP NOT NULL, project_id INTEGER NOT NULL REFERENCES project (id));
CREATE TABLE parcel (
    id INTEGER PRIMARY KEY, shipment TEXT NOT NULL REFERENCES shipment (code), weight INTEGER);
CREATE TABLE badge (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project (id),
    label TEXT UNIQUE NOT NULL);
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invoices by year, tickets by project, shipments by month, badges by project in their code."""
    path, rng = tmp_path_factory.mktemp("serials") / "source.db", np.random.default_rng(3)
    days = np.sort(rng.integers(0, 1_400, 600))
    dates = [str(np.datetime64("2021-02-01") + int(day)) for day in days]
    counts: dict[object, int] = defaultdict(int)

    def next_in(*group: object) -> int:
        counts[group] += 1
        return counts[group]

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA)
        for i in range(1, 31):
            connection.execute("INSERT INTO project VALUES (?, ?)", (i, f"Project {i}"))
        for i, date in enumerate(dates):
            project = int(rng.integers(1, 31))
            drafted = rng.random() < 0.1
            number = None if drafted else f"INV-{date[:4]}-{next_in('i', date[:4]):05}"
            due = str(np.datetime64(date) + 30)
            row = (i + 1, project, number, date, due, round(float(rng.gamma(2, 90)), 2))
            connection.execute("INSERT INTO invoice VALUES (?, ?, ?, ?, ?, ?)", row)
            row = (i + 1, project, f"T-{next_in('t', project):03}", f"{date} 10:00:00")
            connection.execute("INSERT INTO ticket VALUES (?, ?, ?, ?)", row)
            code = f"S{date[:4]}{date[5:7]}{next_in('s', date[:7]):04}X"
            row = (code, f"{date} 08:{i % 60:02}:00", project)
            connection.execute("INSERT INTO shipment VALUES (?, ?, ?)", row)
            row = (i + 1, code, int(rng.integers(1, 40)))
            connection.execute("INSERT INTO parcel VALUES (?, ?, ?)", row)
            row = (i + 1, project, f"{project}/{next_in('b', project)}")
            connection.execute("INSERT INTO badge VALUES (?, ?, ?)", row)
    return path


@pytest.fixture(scope="module")
def clone(source: Path) -> Iterator[sqlite3.Connection]:
    """A clone that is larger than its source."""
    target = source.with_name("clone.db")
    spec = dbsynth.Spec(scale=1.5)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=spec)
    assert report.ok
    with closing(sqlite3.connect(target)) as connection:
        yield connection


def counts_up(rows: list[tuple[object, str, int]], first: int = 1) -> None:
    """Groups, times and numbers: in each group from the first on without a gap, in time order."""
    groups: dict[object, list[tuple[str, int]]] = defaultdict(list)
    for group, time, number in rows:
        groups[group].append((time, number))
    assert len(groups) > 3
    for found in groups.values():
        found.sort(key=lambda row: row[1])
        assert [number for _, number in found] == list(range(first, first + len(found)))
        times = [time for time, _ in found]
        assert times == sorted(times)


def test_a_number_counts_from_one_in_its_year(clone: sqlite3.Connection) -> None:
    found = clone.execute("SELECT number, issued FROM invoice ORDER BY id").fetchall()
    numbered = [(n, d) for n, d in found if n is not None]
    assert len(found) > 800
    assert 0.8 < len(numbered) / len(found) < 0.97
    assert all(n[:9] == f"INV-{d[:4]}-" and len(n) == 14 for n, d in numbered)
    counts_up([(d[:4], d, int(n[9:])) for n, d in numbered])


def test_a_number_counts_from_one_under_its_parent(clone: sqlite3.Connection) -> None:
    found = clone.execute("SELECT project_id, code, opened FROM ticket").fetchall()
    assert all(code.startswith("T-") and len(code) == 5 for _, code, _ in found)
    counts_up([(project, opened, int(code[2:])) for project, code, opened in found])


def test_a_key_counts_in_its_month_and_children_follow(clone: sqlite3.Connection) -> None:
    found = clone.execute("SELECT code, sent FROM shipment").fetchall()
    assert all(c[:7] == "S" + s[:4] + s[5:7] and c.endswith("X") for c, s in found)
    counts_up([(s[:7], s, int(c[7:-1])) for c, s in found])
    orphans = "SELECT count(*) FROM parcel WHERE shipment NOT IN (SELECT code FROM shipment)"
    assert clone.execute(orphans).fetchone() == (0,)


def test_the_number_of_the_parent_is_in_the_code(clone: sqlite3.Connection) -> None:
    found = clone.execute("SELECT project_id, label, id FROM badge").fetchall()
    assert all(label.split("/")[0] == str(project) for project, label, _ in found)
    groups: dict[int, set[int]] = defaultdict(set)
    for project, label, _ in found:
        groups[project].add(int(label.split("/")[1]))
    assert all(numbers == set(range(1, len(numbers) + 1)) for numbers in groups.values())


def test_a_model_file_keeps_how_codes_count(source: Path, tmp_path: Path) -> None:
    dbsynth.fit(f"sqlite:///{source}", tmp_path / "model")
    columns = load_model(tmp_path / "model").tables["invoice"].columns
    assert str(columns["number"].serial) == "INV-{%Y}-{number}"
    assert serial_from_json(columns["number"].serial.to_json()) == columns["number"].serial


def test_real_rows_get_other_codes(source: Path, tmp_path: Path) -> None:
    """With real times, codes that count would be the real ones."""
    said = {"strategy": "mask", "approved_by": "A. Berger"}
    spec = dbsynth.Spec.parse({"tables": {"invoice": said, "project": said}}, {})
    target = tmp_path / "clone.db"
    assert dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=spec).ok
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(target)) as after:
        real, masked = (dict(connection.execute("SELECT issued, number FROM invoice ORDER BY id"))
                        for connection in (before, after))  # fmt: skip
    assert real.keys() == masked.keys()
    assert not any(number == masked[day] for day, number in real.items() if number)


@pytest.mark.parametrize(
    "codes",
    [
        [f"INV-{2020 + i // 60}-{i * 7919 % 90_000:05}" for i in range(240)],  # not one by one
        [f"INV-{2020 + i // 60}-{i % 60 // 2:05}" for i in range(240)],  # twice
        [f"INV-{2023 - i // 60}-{i % 60:05}" for i in range(240)],  # not the year of the row
        [f"{i * 104_729 % 10**8:08}" for i in range(240)],
    ],
    ids=["sparse", "twice", "other", "random"],
)
def test_other_codes_do_not_count(codes: list[str]) -> None:
    dates = [f"{2020 + i // 60}-{3 + i % 60 // 20:02}-{1 + i % 20:02}" for i in range(240)]
    sample = pa.table({"code": codes, "day": pa.array(dates).cast(pa.date32())})
    table = Table(
        "t", "t", None, (Column("code", Kind.TEXT, "text"), Column("day", Kind.DATE, "date"))
    )
    good = [f"INV-{2020 + i // 60}-{i % 60 + 1:05}" for i in range(240)]
    counting = sample.set_column(0, "code", [good])
    decision = classify_table(table, counting, 240)["code"]
    columns = {"code": ColumnModel(decision, provided=Provided("pattern", {}))}
    assert with_serials(table, columns, sample, 240)["code"].serial is None
    found = with_serials(table, columns, counting, 240)["code"].serial
    year = (
        Piece("literal", "INV-"),
        Piece("time", "%Y"),
        Piece("literal", "-"),
        Piece("number", "", 5),
    )
    assert found == Serial(year, "day", restarts=True)
