"""No value of the source in anything that a run leaves behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pytest

import dbsynth
from dbsynth import Spec
from dbsynth.embedded import Server
from dbsynth.identifiers.avoid import AvoidList
from dbsynth.model import ColumnModel, Provided, TableFacts
from dbsynth.outline.proposals import SAMPLE_ROWS
from dbsynth.read.guard import guard_of

ROWS = 240


def secret(*path: object) -> str:
    """Twelve letters that occur nowhere else."""
    digest = hashlib.sha256(repr(path).encode()).digest()
    return "".join(chr(97 + byte % 26) for byte in digest[:12])


def number(*path: object, digits: int = 11) -> int:
    """A number that occurs nowhere else."""
    whole = int.from_bytes(hashlib.sha256(repr(path).encode()).digest()[:12])
    return 10 ** (digits - 1) + whole % (9 * 10 ** (digits - 1))


COLUMNS = {
    "email": lambda i: f"{secret('mail', i)}@{secret('host', i)}.org",
    "first_name": lambda i: secret("first", i).title(),
    "last_name": lambda i: secret("last", i).title(),
    "full_name": lambda i: f"{secret('f', i).title()} {secret('l', i).title()}",
    "phone": lambda i: f"+49 {number('phone', i)}",
    "street": lambda i: f"{secret('street', i).title()} Road {i}",
    "login": lambda i: secret("login", i),
    "note": lambda i: f"patient {secret('note', i)} came back and said {secret('said', i)}",
    "city": lambda i: "Springfield" if i % 40 else secret("rare", i).title(),
    "code": lambda i: secret("code", i)[:9].upper(),
    "token": lambda i: hashlib.sha256(str(i).encode()).hexdigest(),
    "iban": lambda i: f"DE{number('iban', i, digits=20)}",
    "url": lambda i: f"https://{secret('site', i)}.net/{secret('path', i)}",
    "title": lambda i: f"{secret('t', i).title()} of the {secret('u', i)}",
    "remark": lambda i: secret("remark", i) if i == 7 else None,
    "doc": lambda i: json.dumps(
        {"who": secret("who", i), "n": [secret("n", i)], "m": number("m", i)}
    ),
    "account": lambda i: number("account", i),
    "paid": lambda i: number("paid", i, digits=9) / 100,
    "blob": lambda i: f"file of {secret('blob', i)}".encode(),
}
TYPES = {"account": "bigint UNIQUE", "paid": "numeric(12,2)", "blob": "bytea", "doc": "jsonb"}


def secrets() -> set[str]:
    """Every word and long number of the source, lower-case."""
    found: set[str] = set()
    for name, value_of in COLUMNS.items():
        for i in range(ROWS):
            value = value_of(i)
            text = value.decode() if isinstance(value, bytes) else str(value)
            found |= set(re.findall(r"[a-z]{9,}|\d{7,}|[0-9a-f]{64}", text.lower()))
            if name == "blob":
                found.add(value.hex())
    return found - {"springfield"}


def rows() -> Iterator[tuple[object, ...]]:
    for i in range(ROWS):
        yield tuple(value_of(i) for value_of in COLUMNS.values())


def assert_nothing_of(found: dict[str, str]) -> None:
    wanted = secrets()
    for place, text in found.items():
        words = set(re.findall(r"[a-z]+|\d+|[0-9a-f]+", text.lower()))
        assert sorted(wanted & words) == [], place
        assert not [w for w in wanted if len(w) > 15 and w in text.lower()], place


def test_nothing_of_a_postgresql_source_is_left_anywhere(
    postgres: Server, fresh_database: str, tmp_path: Path, caplog
):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("numba").setLevel(logging.WARNING)  # it logs machine code
    columns = ", ".join(f'"{name}" {TYPES.get(name, "text")}' for name in COLUMNS)
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        connection.execute(
            f"CREATE TABLE person (id serial PRIMARY KEY, {columns}, tags text[],"
            " loud text GENERATED ALWAYS AS (upper(note)) STORED, uid uuid, at inet);"
            " CREATE MATERIALIZED VIEW known AS SELECT email, note FROM person".encode()
        )
        marks = ", ".join(["%s"] * len(COLUMNS))
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        insert = f"INSERT INTO person ({names}) VALUES ({marks})".encode()
        connection.cursor().executemany(insert, list(rows()))
        connection.execute(
            "UPDATE person SET tags = ARRAY[login, code], uid = left(token, 32)::uuid,"
            " at = ('10.' || id % 200 || '.7.' || id % 250)::inet;"
            " REFRESH MATERIALIZED VIEW known; ANALYZE"
        )
        uids = {str(u).lower() for (u,) in connection.execute("SELECT uid FROM person")}
    target = postgres.url("leaks_target")
    try:
        report = dbsynth.clone(fresh_database, target, spec=Spec())
        model, _ = dbsynth.fit(fresh_database, tmp_path / "model")
        done = subprocess.run(
            [postgres.programs / "pg_dump", "--dbname", target],
            capture_output=True,
            text=True,
            check=True,
        )
        with psycopg.connect(target) as connection:
            statistics = connection.execute("SELECT * FROM pg_stats WHERE tablename = 'person'")
            found = {
                "clone": done.stdout,
                "statistics": str(statistics.fetchall()),
                "model": contents(tmp_path / "model"),
                "report": json.dumps(report.to_json()) + repr(report) + repr(model)[:10_000_000],
                "log": caplog.text,
            }
    finally:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS leaks_target WITH (FORCE)")
    assert_nothing_of(found)
    assert not [u for u in uids if u in found["clone"]]


def contents(model: Path) -> str:
    """Every file of a model, unpacked."""
    files = [model] if model.is_file() else [p for p in model.rglob("*") if p.is_file()]
    found = []
    for path in files:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found += [archive.read(name).decode("latin-1") for name in archive.namelist()]
        else:
            found.append(path.read_bytes().decode("latin-1"))
    return "\n".join(found)


def test_nothing_of_an_sqlite_source_is_left_anywhere(tmp_path: Path, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("numba").setLevel(logging.WARNING)  # it logs machine code
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    affinity = {"account": "INTEGER UNIQUE", "paid": "REAL", "blob": "BLOB"}
    columns = ", ".join(f'"{name}" {affinity.get(name, "TEXT")}' for name in COLUMNS)
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(f"CREATE TABLE person (id INTEGER PRIMARY KEY, {columns})")
        marks = ", ".join("?" * (len(COLUMNS) + 1))
        numbered = [(i + 1, *row) for i, row in enumerate(rows())]
        connection.executemany(f"INSERT INTO person VALUES ({marks})", numbered)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.db", "target.db"]
    raw = target.read_bytes().decode("latin-1")
    with contextlib.closing(sqlite3.connect(target)) as connection:
        dumped = "\n".join(connection.iterdump())
    assert_nothing_of(
        {"file": raw, "clone": dumped, "report": json.dumps(report.to_json()), "log": caplog.text}
    )


@pytest.mark.parametrize("size", [12, 300])
def test_small_and_awkward_columns_pass_the_gate(tmp_path: Path, size: int):
    """Names in several scripts, and codes whose space is small."""
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    given = ["Анна", "José", "Zoë", "Søren", "Jürgen", "愛", "Li", "Åsa"]
    made = {
        "name": lambda i: f"{given[i % 8]} {secret('n', i).title()}",
        "plate": lambda i: f"B-XY {100 + i}",
        "short": lambda i: f"A{100 + 2 * i}",
        "six": lambda i: f"{(i * 7919) % 1_000_000:06}",
        "product_name": lambda i: f"{secret('p', i).title()} Pro {i % 3}",
        "mixed": lambda i: secret("m", i)[:6].swapcase() + secret("m", i)[6:],
        "zip": lambda i: f"{10_000 + i * 37:05}",
    }
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        listed = ", ".join(f"{n} TEXT{' UNIQUE' if n in ('short', 'six') else ''}" for n in made)
        connection.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {listed})")
        values = [(None, *(f(i) for f in made.values())) for i in range(size)]
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * (len(made) + 1))})", values)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}")
    assert report.ok
    with contextlib.closing(sqlite3.connect(target)) as connection:
        for place, (name, value_of) in enumerate(made.items()):
            drawn = [row[place + 1] for row in connection.execute("SELECT * FROM t")]
            real = {value_of(i).lower() for i in range(size)}
            shared = sum(str(value).lower() in real for value in drawn)
            assert shared <= 0.01 * size, name


def test_what_no_sample_held_is_avoided_too():
    values = pa.array([f"v{i}" for i in range(1000)])
    column = ColumnModel(None, provided=Provided("text", {}, AvoidList.of(values[:10], 7)))  # type: ignore[arg-type]  # no decision is needed here
    facts = TableFacts("synthesize", "", SAMPLE_ROWS + 1, {"a": column})
    guard = guard_of(facts)
    assert guard.columns == {"a"}
    for start in range(0, 1000, 100):
        guard.look({"a": values[start : start + 100]})
    provided = guard.completed(facts).columns["a"].provided
    assert provided is not None
    assert provided.avoid is not None
    assert provided.avoid.contains(values).all()
    others = provided.avoid.contains(pa.array([f"w{i}" for i in range(1000)]))
    assert np.mean(others) < 0.3
