"""Names, values, files and servers that want more than to be cloned."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import dbsynth
from dbsynth.cli import run
from dbsynth.embedded import Server
from dbsynth.errors import CannotConnect, DbsynthError, ModelError
from dbsynth.model import load_model

ESCAPES = "\x1b]0;owned\x07\x1b[31mred\x9b2J\u202egnp.exe\x08\x08"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def execute(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text.encode())


@pytest.fixture
def target(postgres: Server) -> Iterator[str]:
    yield postgres.url("attacks_target")
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS attacks_target WITH (FORCE)")


# ---------------------------------------------------------------------------------------------
# Names and values
# ---------------------------------------------------------------------------------------------

NAMES = [
    'x"; DROP TABLE victim; --',
    "it's; DELETE FROM victim; --",
    "$$; DROP TABLE victim; $$",
    "$1 %s %(a)s {0} :b ?",
    "back\\slash\\'",
    "/* half a comment",
    "`[quoted]`",
    "Case",
    "case",
    "CASE",
    "😀 emoji",
    "عربى \u200f rtl",
    "名前",
    "n" * 63,
    "ß" * 31,
    "select",
    "new\nline\ttab",
    ESCAPES[:40],
    " ",
    "../../etc/passwd",
    "=cmd|'/c calc'!A1",
]
VALUES = [
    "'; DROP TABLE victim; --",
    '"; DROP TABLE victim; --',
    "\\",
    "\\.",
    "\\N",
    "$$ || pg_sleep(9) || $$",
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)",
    "{{7*7}} ${7*7} %s %n",
    "<script>alert(1)</script>",
    "😀\u202e\u0301",
    "\x01\x02\x1b[31m",
    "a\tb\r\nc",
    "NULL",
    "",
]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def tables(names: list[str]) -> Iterator[str]:
    """A table for each name, with a column of that name, and a child that refers to it."""
    yield "CREATE TABLE victim (a int); INSERT INTO victim VALUES (1), (2), (3);"
    for number, name in enumerate(names):
        table, column = quoted(name), quoted(name if name != "id" else "id2")
        yield f"CREATE TABLE {table} (id int PRIMARY KEY, {column} text NOT NULL);"
        yield f"CREATE TABLE child_{number} (id int PRIMARY KEY, {column} int REFERENCES {table});"
        for row in range(45):
            word = VALUES[(row + number) % len(VALUES)].replace("'", "''")
            yield f"INSERT INTO {table} VALUES ({row}, '{word}');"
            yield f"INSERT INTO child_{number} VALUES ({row}, {row % 40});"


def test_names_and_values_are_never_run_by_postgresql(postgres, fresh_database, target):
    execute(fresh_database, "\n".join(tables(NAMES)))
    report = dbsynth.clone(fresh_database, target)
    assert report.ok
    assert_whole(report, NAMES)
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM victim").fetchone() == (3,)


def test_names_and_values_are_never_run_by_sqlite(tmp_path):
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    names = [name for name in NAMES if name not in ("CASE", "case")]  # one with "Case" here
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript("\n".join(tables(names)))
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}")
    assert report.ok
    assert_whole(report, names)
    with contextlib.closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT count(*) FROM victim").fetchone() == (3,)


def assert_whole(report: dbsynth.Report, names: list[str]) -> None:
    assert [t.name for t in report.tables if t.synthetic_rows != t.real_rows] == []
    assert len(report.tables) == 2 * len(names) + 1


@pytest.mark.parametrize("form", ["plan", "init", "clone", "fit", "inspect", "check", "json"])
def test_escapes_in_names_do_not_reach_a_terminal(form, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name = quoted(ESCAPES)
    with contextlib.closing(sqlite3.connect("s.db")) as connection, connection:
        connection.executescript(
            f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {name} TEXT CHECK ({name} <> 'x'),"
            f" up INT REFERENCES {name});"
            f" CREATE VIEW {quoted(ESCAPES + 'v')} AS SELECT 1 AS a;"
        )
        rows = [(i, f"word {i % 3}", i // 2 or None) for i in range(1, 60)]
        connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
    url = "sqlite:///s.db"
    words = {
        "plan": ["plan", url],
        "init": ["init", url, "-o", "-"],
        "clone": ["clone", url, "sqlite:///t.db"],
        "fit": ["fit", url, "-o", "m"],
        "inspect": ["inspect", "m"],
        "check": ["check", url],
        "json": ["clone", url, "sqlite:///t.db", "--json"],
    }[form]
    if form == "inspect":
        dbsynth.fit(url, Path("m"))
    assert run(words) == 0
    shown = capsys.readouterr()
    assert RAW.findall((shown.out + shown.err).replace("\n", "")) == []
    if form == "json":
        assert ESCAPES in [t["name"] for t in json.loads(shown.out)["tables"]]
    if form == "init":
        Path("dbsynth.yaml").write_text(shown.out, encoding="utf-8")
        assert ESCAPES in dbsynth.Spec.load(Path("dbsynth.yaml"), {}).tables


def test_escapes_in_what_a_server_says_do_not_reach_a_terminal(postgres, fresh_database, capsys):
    execute(
        fresh_database,
        """
        CREATE TABLE t (id int PRIMARY KEY, a int);
        INSERT INTO t SELECT g, g FROM generate_series(1, 60) g;
        CREATE FUNCTION f(int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN
          RAISE EXCEPTION E'\\x1b]0;owned\\x07 secret 4711'; END$$;
        ALTER TABLE t ADD CHECK (f(a)) NOT VALID
        """,
    )
    assert run(["clone", fresh_database, postgres.url("attacks_none")]) == 1
    shown = capsys.readouterr()
    assert RAW.findall((shown.out + shown.err).replace("\n", "")) == []
    assert "4711" not in shown.out + shown.err


OVERSIZE = {
    "a number of 400 digits": ("numeric", "repeat('9', 400)::numeric"),
    "a number with a long fraction": ("numeric", "('0.' || repeat('3', 900))::numeric"),
    "the last date": ("date", "'5874897-12-31'::date"),
    "the first time": ("timestamptz", "'4714-11-24 00:00:00+00 BC'::timestamptz"),
    "a long interval": ("interval", "'178000000 years'::interval"),
    "a deep document": ("jsonb", "(repeat('[', 3000) || repeat(']', 3000))::jsonb"),
    "a deep array of objects": ("json", "(repeat('{\"a\":', 2000) || '1' || repeat('}', 2000))::json"),
    "a wide document": ("jsonb", "(SELECT jsonb_object_agg('k' || i, i) FROM generate_series(1, 3000) i)"),
    "a long text": ("text", "repeat('lorem ', 300000)"),
    "a long array": ("int[]", "array_fill(7, ARRAY[100000])"),
    "a large blob": ("bytea", "decode(repeat('ab', 2000000), 'hex')"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(OVERSIZE))
def test_values_of_no_sane_size_are_cloned_or_refused_in_words(what, fresh_database, target):
    kind, huge = OVERSIZE[what]
    execute(
        fresh_database,
        f"CREATE TABLE t (id int PRIMARY KEY, v {kind}); INSERT INTO t SELECT g, {huge}"
        " FROM generate_series(1, 4) g;"
        f" INSERT INTO t SELECT g, NULL FROM generate_series(5, 60) g",
    )
    with contextlib.suppress(DbsynthError):  # any other error is a bug
        assert dbsynth.clone(fresh_database, target).ok


def test_values_of_no_sane_size_in_sqlite(tmp_path):
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    deep = "[" * 900 + "]" * 900
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, d DATE, j JSON, x REAL)")
        rows = [
            (i, *(
                (2**63 - 1, "9999-99-99", deep, 1e308),
                (-(2**63), "-4713-01-01", '{"a": ' * 400 + "1" + "}" * 400, -1e308),
                ("nine", "now", "{broken", "inf"),
                (i, "2024-02-30", '"\\ud800"', 5e-324),
            )[i % 4])
            for i in range(80)
        ]  # fmt: skip
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
    with contextlib.suppress(DbsynthError):
        assert dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}").ok


# ---------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT, city TEXT)")
        rows = [(i, f"canary{i}@secret-{i}.org", f"Town {i % 3}") for i in range(90)]
        connection.executemany("INSERT INTO person VALUES (?, ?, ?)", rows)
    return path


def test_a_model_is_for_its_owner_and_follows_no_link(shop, tmp_path):
    victim, model = tmp_path / "victim", tmp_path / "model"
    victim.write_text("precious")
    (tmp_path / "model.part").symlink_to(victim)
    dbsynth.fit(f"sqlite:///{shop}", model)
    assert victim.read_text() == "precious"
    assert stat.S_IMODE(model.stat().st_mode) == 0o600
    model.unlink()
    model.symlink_to(victim)
    dbsynth.fit(f"sqlite:///{shop}", model)
    assert victim.read_text() == "precious"
    assert not model.is_symlink()


def packed(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return path


def test_a_bomb_is_not_unpacked(shop, tmp_path):
    model = tmp_path / "model"
    dbsynth.fit(f"sqlite:///{shop}", model)
    with zipfile.ZipFile(model) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    load_model(packed(tmp_path / "same", parts))
    blank = b" " * 150_000_000  # packs to a thousandth
    for name in ("model.json", "structure", "engine/0"):
        with pytest.raises(ModelError, match="is not a readable model"):
            load_model(packed(tmp_path / "bomb", {**parts, name: parts[name] + blank}))


def test_a_part_that_comes_twice_is_refused(shop, tmp_path):
    model = tmp_path / "model"
    dbsynth.fit(f"sqlite:///{shop}", model)
    with zipfile.ZipFile(model, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("structure", b"DROP TABLE victim")
    with pytest.raises(ModelError, match="is not a readable model"):
        load_model(model)


@pytest.mark.parametrize("name", ["../up.dbsynth", "sub/none/m", "\x1b[31m"])
def test_odd_names_of_files_are_an_error_or_a_file_there(name, shop, tmp_path, monkeypatch, capsys):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    code = run(["fit", f"sqlite:///{shop}", "-o", name])
    shown = capsys.readouterr()
    assert RAW.findall((shown.out + shown.err).replace("\n", "")) == []
    if code == 0:
        assert (Path.cwd() / name).is_file()
    else:
        assert code in (1, 2)
        assert list(Path.cwd().rglob("*.part")) == []


# ---------------------------------------------------------------------------------------------
# Secrets
# ---------------------------------------------------------------------------------------------

SECRET = "hunter2-canary"


@pytest.fixture
def loud(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every logger at its loudest."""
    caplog.set_level(logging.DEBUG)
    for name in ("numba", "sqlglot"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they log code
    return caplog


def test_a_password_is_shown_nowhere(postgres, shop, tmp_path, monkeypatch, capsys, loud):
    monkeypatch.setenv("PGPASSWORD", SECRET)
    monkeypatch.setenv("HIDDEN", SECRET)
    service = tmp_path / "service.conf"
    service.write_text(f"[hidden]\nhost=127.0.0.1\nport=1\nuser=u\npassword={SECRET}\ndbname=d\n")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    spec = tmp_path / "dbsynth.yaml"
    spec.write_text("source: postgresql://u:${HIDDEN}@127.0.0.1:1/d\ntarget: sqlite:///t.db\n")
    wrong = [
        ["clone", f"postgresql://u:{SECRET}@127.0.0.1:1/d", "sqlite:///t.db"],
        ["clone", f"postgresql://u:{SECRET}@127.0.0.1:1/d?password={SECRET}", "sqlite:///t.db"],
        ["clone", f"postgresql://u@127.0.0.1:1/d?password={SECRET}", "sqlite:///t.db"],
        ["clone", "postgresql:///?service=hidden", "sqlite:///t.db"],
        ["clone", f"sqlite:///{shop}", f"postgresql://u:{SECRET}@127.0.0.1:1/d"],
        ["clone", f"sqlite:///{shop}", f"mysql://u:{SECRET}@127.0.0.1:1/d"],
        ["clone", f"postgresql://u:{SECRET}@127.0.0.1:port/d", "sqlite:///t.db"],
        ["clone", f"postgresql://u:{SECRET}@[::1/d", "sqlite:///t.db"],
        ["clone", str(spec)],
        ["plan", f"postgresql://u:{SECRET}@127.0.0.1:1/d", "--json"],
        ["check", f"postgresql://u:{SECRET}@no.such.host.invalid/d", "--json"],
        ["init", f"postgresql://u:{SECRET}@127.0.0.1:1/d"],
        ["load", str(tmp_path / "none"), "--to", f"postgresql://u:{SECRET}@127.0.0.1:1/d"],
    ]
    monkeypatch.chdir(tmp_path)
    for words in wrong:
        assert run(words) in (1, 2), words
        shown = capsys.readouterr()
        assert SECRET not in shown.out + shown.err, words
    assert SECRET not in loud.text
    with pytest.raises(CannotConnect) as raised:
        dbsynth.clone(f"postgresql://u:{SECRET}@127.0.0.1:1/d", "sqlite:///t.db")
    assert SECRET not in everything(raised.value)


def everything(error: BaseException | None) -> str:
    """All that an exception and its causes may show."""
    found = []
    while error is not None:
        found += [str(error), repr(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(found)


def test_the_log_of_a_bug_holds_no_value(shop, tmp_path, monkeypatch, capsys, loud):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def broken(*_: object, **__: object) -> None:
        private = f"{SECRET} of somebody"
        try:
            raise KeyError(private)
        except KeyError as error:
            raise ValueError(private) from error

    monkeypatch.setattr("dbsynth.pipeline.compose", broken)
    code = run(["clone", f"sqlite:///{shop}", f"sqlite:///{tmp_path}/t.db", "--json"])
    assert code == 3
    shown = capsys.readouterr()
    (log,) = tmp_path.glob("dbsynth-*.log")
    assert str(log) in shown.err
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    assert "ValueError <- KeyError" in text
    for place in (text, shown.out, shown.err, loud.text):
        assert SECRET not in place
        assert "canary" not in place


def test_no_artefact_holds_a_canary(shop, tmp_path, monkeypatch, capsys, loud):
    """All that the commands leave behind, read back byte by byte."""
    monkeypatch.chdir(tmp_path)
    url, before = f"sqlite:///{shop}", set(os.listdir(tmp_path))
    shop_lines = [
        ["init", url],
        ["plan", "dbsynth.yaml"],
        ["plan", url, "--json"],
        ["diff", "dbsynth.yaml"],
        ["fit", url, "-o", "model"],
        ["inspect", "model"],
        ["inspect", "model", "--json"],
        ["clone", url, "sqlite:///clone.db", "--json", "--explain"],
        ["load", "model", "--to", "sqlite:///loaded.db", "--source", url],
        ["check", "sqlite:///clone.db"],
        ["clone", url, url],
        ["clone", url, "sqlite:///clone.db"],
    ]
    said = ""
    for words in shop_lines:
        run(words)
        shown = capsys.readouterr()
        said += shown.out + shown.err
    for name in sorted(set(os.listdir(tmp_path)) - before):
        data = Path(name).read_bytes()
        if zipfile.is_zipfile(name):
            with zipfile.ZipFile(name) as file:
                data = b"".join(file.read(part) for part in file.namelist())
        assert b"canary" not in data.lower(), name
        assert b"secret-" not in data.lower(), name
        assert "canary".encode("utf-16-le") not in data, name
        assert b"canary".hex().encode() not in data.lower(), name
    assert "canary" not in said.lower() + loud.text.lower()
