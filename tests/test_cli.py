"""The command line: what stands on stdout, what on stderr, and the exit code."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from dbsynth.authoring.writing import spec_text
from dbsynth.cli import COMMANDS, run
from dbsynth.cli.output import plain, table
from dbsynth.outline import Outline
from dbsynth.pipeline import plan
from dbsynth.spec import Spec
from tests.zoo import ZOO, Exhibit, load_exhibit

GOLDEN = Path(__file__).with_name("golden")
SQLITE_ZOO = [exhibit for exhibit in ZOO if "sqlite" in exhibit.kinds and exhibit.name != "shop"]

SHOP = """
CREATE TABLE tier (code TEXT PRIMARY KEY, label TEXT NOT NULL);
CREATE TABLE customer (
    id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, tier TEXT NOT NULL REFERENCES tier (code)
);
CREATE TABLE purchase (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer (id),
    amount REAL NOT NULL CHECK (amount > 0)
);
CREATE VIEW turnover AS SELECT sum(amount) AS total FROM purchase;
INSERT INTO tier VALUES ('a', 'gold'), ('b', 'none');
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO customer SELECT i, 'person' || i || '@mail.invalid', iif(i % 3, 'b', 'a') FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO purchase SELECT i, 1 + i % 40, 1.5 + i % 7 FROM n;
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small SQLite database in the current folder."""
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("shop.sqlite")) as connection:
        connection.executescript(SHOP)
    return tmp_path / "shop.sqlite"


def golden(name: str, shown: str) -> None:
    """Compare with a file of expected output; `GOLDEN=write pytest` writes the files anew."""
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def result(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Everything that a command shows, with its exit code."""
    code = run(list(arguments))
    shown = capsys.readouterr()
    return f"exit code {code}\n--- stdout\n{shown.out}--- stderr\n{shown.err}"


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(command, option, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    arguments = [*filter(None, [command]), option]
    golden(f"help{'_' if command else ''}{command}.txt", result(capsys, *arguments))


ERRORS = {
    "unknown_command": ["cloan"],
    "missing_spec": ["plan", "missing.yaml"],
    "no_source": ["plan"],
    "no_target": ["clone", "sqlite:///shop.sqlite"],
    "sqlite_file_instead_of_url": ["plan", "shop.sqlite"],
    "missing_source": ["plan", "sqlite:///missing.sqlite"],
    "unknown_scheme": ["plan", "oracle://me:secret@host/shop"],
    "no_url": ["check", "://"],
    "unreachable_server": ["plan", "postgresql://me:secret@127.0.0.1:1/shop"],
    "missing_model": ["load", "missing.dbsynth", "--to", "sqlite:///target.sqlite"],
    "target_is_source": ["clone", "sqlite:///shop.sqlite", "sqlite:///./shop.sqlite", "--replace"],
    "target_not_empty": ["clone", "sqlite:///shop.sqlite", "sqlite:///other.sqlite"],
    "unknown_engine": ["plan", "sqlite:///shop.sqlite", "--spec", "engine.yaml"],
    "unreadable_yaml": ["plan", "sqlite:///shop.sqlite", "--spec", "unreadable.yaml"],
    "wrong_spec": ["plan", "sqlite:///shop.sqlite", "--spec", "wrong.yaml"],
    "unknown_names": ["plan", "sqlite:///shop.sqlite", "--spec", "names.yaml"],
    "view_as_table": ["plan", "sqlite:///shop.sqlite", "--spec", "view.yaml"],
    "new_tables": ["plan", "sqlite:///shop.sqlite", "--spec", "stop.yaml"],
    "unset_variable": ["plan", "variable.yaml"],
    "inspect_missing": ["inspect", "missing.dbsynth"],
    "inspect_no_model": ["inspect", "names.yaml"],
    "wrong_steering": ["plan", "sqlite:///shop.sqlite", "--spec", "steering.yaml"],
    "unsteerable": ["plan", "sqlite:///shop.sqlite", "--spec", "unsteerable.yaml"],
}
SPECS = {
    "engine.yaml": "engine: relationnal\n",
    "unreadable.yaml": "tables:\n  customer: [\n",
    "wrong.yaml": (
        "sede: 3\nscale: -1\ntables:\n  on: {}\n  customer:\n    strategie: copy\n"
        "    columns: {email: identifer, id: identifier:emial}\n"
    ),
    "names.yaml": "tables:\n  Customer: {}\n  purchase:\n    columns: {amuont: quantity}\n",
    "view.yaml": "tables:\n  turnover: {strategy: empty}\n",
    "stop.yaml": "on_new: stop\ntables:\n  customer:\n    columns: {id: key, email: text}\n",
    "steering.yaml": (
        "tables:\n  customer:\n    where: 7\n    rebalance: {tier: {a: 1.5}}\n"
        "fairness:\n  - {outcome: amount, protected: customer.tier, kind: equal}\n"
    ),
    "unsteerable.yaml": (
        "tables:\n  tier: {rows: 5}\n  customer:\n    where: emial IS NULL OR tier = 3\n"
        "    rebalance: {email: {x: 0.5}}\n  purchase:\n    where: amount > 2\n"
        "    rebalance: {amount: {cheap: 0.5, '<2': 0.4, '1..3': 0.1}}\n"
    ),
    "variable.yaml": "source: ${DBSYNTH_NOT_SET}\n",
}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("name", ERRORS)
def test_error(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for file, text in SPECS.items():
        Path(file).write_text(text, encoding="utf-8")
    with closing(sqlite3.connect("other.sqlite")) as connection:
        connection.execute("CREATE TABLE t (a)")
    shown = result(capsys, *ERRORS[name])
    assert "secret" not in shown
    assert "Traceback" not in shown
    golden(f"error_{name}.txt", shown)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        (["plan", "missing.yaml"], "MissingFile", 2),
        (["plan", "sqlite:///shop.sqlite", "--spec", "missing.yaml"], "MissingFile", 2),
        (["load", "missing.dbsynth", "--to", "sqlite:///target.sqlite"], "MissingFile", 2),
        (["inspect", "missing.dbsynth"], "MissingFile", 2),
        (["clone", "sqlite:///shop.sqlite", "sqlite:///missing/target.sqlite"], "MissingFile", 2),
        (["fit", "sqlite:///shop.sqlite", "-o", "missing/model"], "SpecError", 2),
        (["clone", "--scale", "much"], "UsageError", 2),
        (["check", "sqlite:///missing.sqlite"], "MissingFile", 2),
        (["check", "postgresql://me@127.0.0.1:1/shop"], "CannotConnect", 1),
    ],
)
def test_an_error_is_one_json_object(arguments, kind, code, capsys):
    assert run([*arguments, "--json"]) == code
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is False
    assert value["error"].keys() == {"kind", "message", "hint", "exit_code"}
    assert (value["error"]["kind"], value["error"]["exit_code"]) == (kind, code)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "arguments", [["init", "sqlite:///shop.sqlite"], ["schema"]], ids=["init", "schema"]
)
def test_a_file_that_cannot_be_written_is_no_bug(arguments, capsys):
    assert run([*arguments, "-o", "missing/file"]) == 2
    assert "error: `missing/file` cannot be written: No such file" in capsys.readouterr().err


@pytest.mark.usefixtures("shop")
def test_an_attack_on_no_table_of_entities_is_told_the_nearest(capsys):
    with closing(sqlite3.connect("shop.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE visit (id INTEGER PRIMARY KEY, day INTEGER)")
        rows = [(i, i % 40) for i in range(300)]
        connection.executemany("INSERT INTO visit VALUES (?, ?)", rows)
    for name, told in (
        ("custmer", "table `custmer` does not exist (did you mean `customer`?)"),
        ("Nope", "table `Nope` does not exist"),
        ("tier", "`tier` is no table of 200 entities or more that hang under no other"),
    ):
        assert run(["attack", "sqlite:///shop.sqlite", "--table", name]) == 2
        error, hint = capsys.readouterr().err.splitlines()
        assert error == f"error: {told}"
        assert hint == "hint: attack `visit`"


@pytest.mark.usefixtures("shop")
def test_a_rule_about_a_column_that_is_not_there_is_told_the_nearest(capsys):
    Path("rules.yaml").write_text(
        "source: sqlite:///shop.sqlite\nrules:\n- purchase.amuont >= customer.id\n"
        "- custmer.id is the same within purchase(customer_id)\n- purchase.amount is the same"
        " within purchase(custmer_id)\n",
        encoding="utf-8",
    )
    assert run(["plan", "rules.yaml"]) == 2
    shown = capsys.readouterr().err
    for line, name in (("3", "amount"), ("4", "customer"), ("5", "customer_id")):
        assert f"line {line}: rule" in shown
        assert f"did you mean `{name}`?" in shown or f"did you mean `purchase.{name}`?" in shown


def shape(value: object) -> object:
    """The keys and the types of a JSON value; a list by its first element."""
    if isinstance(value, dict):
        return {name: shape(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [shape(entry) for entry in value[:1]]
    return type(value).__name__


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    """The object on stdout of a command that succeeds and says nothing else."""
    assert run([*arguments, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return json.loads(shown.out)


def test_json_of_every_command(shop, capsys):
    del shop
    source, target = "sqlite:///shop.sqlite", "sqlite:///clone.sqlite"
    shapes = {
        "plan": shape(json_of(capsys, "plan", source)),
        "clone": shape(json_of(capsys, "clone", source, target)),
        "fit": shape(json_of(capsys, "fit", source)),
        "load": shape(
            json_of(capsys, "load", "model.dbsynth", "--to", target, "--replace", "--unsearched")
        ),
        "inspect": shape(json_of(capsys, "inspect", "model.dbsynth")),
        "check": shape(json_of(capsys, "check", target)),
    }
    golden("json_shapes.txt", json.dumps(shapes, indent=2) + "\n")


def test_clone_tells_of_every_table(shop, capsys):
    del shop
    value = json_of(capsys, "clone", "sqlite:///shop.sqlite", "sqlite:///c.sqlite", "--scale", "2")
    assert isinstance(value, dict)
    tables = {t["name"]: t for t in value["tables"]}
    assert tables["customer"]["strategy"] == "synthesize"
    assert (tables["customer"]["real_rows"], tables["customer"]["synthetic_rows"]) == (40, 80)
    assert all(t["reason"] for t in tables.values())
    assert value["ok"] is True
    assert {"fit", "generate", "load", "verify"} <= value["timings"].keys()


def test_inspect_lists_a_model(shop, capsys):
    del shop
    assert run(["fit", "sqlite:///shop.sqlite"]) == 0
    capsys.readouterr()
    # Sizes of compressed parts may differ between versions of zlib.
    shown = re.sub(r"\d[\d,]* bytes", "N bytes", result(capsys, "inspect", "model.dbsynth"))
    golden("inspect.txt", re.sub(r"(?m)^(\S+/?\S*) +\d[\d,]*$", r"\1 N", shown))


def test_a_steered_clone_says_what_came_of_it(shop, capsys):
    del shop
    Path("steered.yaml").write_text(
        "tables: {customer: {rows: 80, where: tier = 'a'}, purchase: {rebalance: {amount:"
        " {'<4': 0.7}}}}\n",
        encoding="utf-8",
    )
    arguments = ["sqlite:///shop.sqlite", "sqlite:///c.sqlite", "--spec", "steered.yaml"]
    shown = result(capsys, "clone", *arguments)
    shown = re.sub(r"seconds: .*", "seconds: N", shown)
    golden("steered.txt", re.sub(r"\d\.\d+", lambda m: re.sub(r"\d", "0", m[0]), shown))


def test_check_shows_what_fails_and_still_prints_one_object(shop, capsys):
    with closing(sqlite3.connect(shop)) as connection:
        connection.execute("INSERT INTO purchase VALUES (999, 4711, 3.0)")
        connection.commit()
    golden("check_fails.txt", result(capsys, "check", "sqlite:///shop.sqlite"))
    assert run(["check", "sqlite:///shop.sqlite", "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is False
    assert [f["subject"] for f in value["findings"] if f["status"] == "failed"] == [
        "purchase(customer_id) -> customer"
    ]


@pytest.mark.usefixtures("shop")
def test_clone_from_a_spec_alone(capsys):
    assert run(["init", "sqlite:///shop.sqlite"]) == 0
    with Path("dbsynth.yaml").open("a", encoding="utf-8") as file:
        file.write("target: sqlite:///clone.sqlite\n")
    assert run(["clone", "dbsynth.yaml"]) == 0
    assert "The clone is in sqlite:///clone.sqlite" in capsys.readouterr().out
    assert run(["check", "sqlite:///clone.sqlite"]) == 0


@pytest.mark.usefixtures("shop")
def test_init_does_not_overwrite(capsys):
    assert run(["init", "sqlite:///shop.sqlite"]) == 0
    assert run(["init", "sqlite:///shop.sqlite"]) == 2
    assert "--force" in capsys.readouterr().err
    assert run(["init", "sqlite:///shop.sqlite", "--force"]) == 0


def agrees(outline: Outline, url: str) -> None:
    """The spec written for a database says of it what was proposed, name by name."""
    path = Path("spec.yaml")
    path.write_text(spec_text(outline, url), encoding="utf-8")
    spec = Spec.load(path, {})
    assert spec.source == url
    again = plan(url, spec=spec)
    assert {n: f.strategy for n, f in again.tables.items()} == {
        n: f.strategy for n, f in outline.tables.items()
    }
    for name, facts in outline.tables.items():
        roles = {c: (m.decision.role, m.decision.provider) for c, m in facts.columns.items()}
        assert spec.tables[name].columns == roles


@pytest.mark.parametrize("exhibit", SQLITE_ZOO, ids=lambda exhibit: exhibit.name)
def test_spec_of_the_zoo_reads_back(exhibit: Exhibit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_exhibit(exhibit, "sqlite:///zoo.sqlite")
    agrees(plan("sqlite:///zoo.sqlite"), "sqlite:///zoo.sqlite")


def test_spec_of_awkward_names_reads_back_from_postgresql(fresh_database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_exhibit("awkward_names", fresh_database)
    agrees(plan(fresh_database), fresh_database)


NAMES = [
    "on", "No", "null", "~", "1", "1.5", "0x1F", "1_000", "12:30", "2020-01-01", "=", "<<", "- a",
    "a: b", "# a", "'", '"', "\\", "a\tb", "a\nb", "a.b", ".", "...", "---", "", " a ", "%x", "@x",
    "`x`", "{a}", "[a]", "&a", "*a", "!a", "|", ">", "é", "Ünïcødé", "表", "🙂", "\u2028", "\x85",
    "\x7f", "a" * 200, "key: value # comment", "${HOME}", "true", "y", "N", ".inf", "1e3", "0o7",
]  # fmt: skip


def test_spec_of_any_name_reads_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("names.sqlite")) as connection:
        for name in filter(str.strip, NAMES):
            quoted = '"' + name.replace('"', '""') + '"'
            other = '"c' + name.replace('"', '""') + '"'
            connection.execute(f"CREATE TABLE {quoted} ({quoted} INTEGER, {other} TEXT)")
    agrees(plan("sqlite:///names.sqlite"), "sqlite:///names.sqlite")


def test_password_stays_out_of_the_spec(fresh_database, postgres, capsys):
    url = postgres.network_url(fresh_database.split("/")[-1].split("?")[0])
    assert run(["init", url, "-o", "-"]) == 0
    shown = capsys.readouterr()
    assert postgres.password not in shown.out + shown.err
    assert ":${DBSYNTH_PASSWORD}@" in shown.out


def test_nothing_unprintable_is_shown():
    assert plain("a\x1b[31mb\u202ec\n") == "a?[31mb?c?"
    assert (
        table(("a", "b"), [("1", "x\x07"), ("22", "y")], frozenset({0})) == " a  b\n 1  x?\n22  y"
    )


def test_a_bug_becomes_a_log_without_values(shop, capsys, monkeypatch):
    del shop

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"value {4700 + 11} of a row")

    monkeypatch.setattr("dbsynth.pipeline.make_outline", broken)
    assert run(["plan", "sqlite:///shop.sqlite"]) == 3
    shown = capsys.readouterr()
    assert "4711" not in shown.err
    log = Path(shown.err.split("log file ")[1].split(",")[0])
    assert "RuntimeError" in log.read_text(encoding="utf-8")
    assert "4711" not in log.read_text(encoding="utf-8")
    log.unlink()


def test_help_is_quick_and_loads_little():
    start = time.perf_counter()
    heavy = "{'numpy', 'polars', 'pyarrow', 'numba', 'sqlalchemy', 'rich'}"
    code = (
        "import sys, dbsynth.cli as cli; cli.run(['--help']);"
        f"sys.exit(len({heavy} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert time.perf_counter() - start < 5  # about 0.15 s on an idle machine


def test_python_dash_m(tmp_path):
    command = [sys.executable, "-m", "dbsynth", "plan", str(tmp_path / "missing.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: there is no spec file")
