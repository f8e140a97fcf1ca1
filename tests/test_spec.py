"""The spec file: read with every problem at once, kept up to date without losing a word."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import yaml

from dbsynth.cli import run
from dbsynth.cli.schema import document
from dbsynth.errors import SpecError
from dbsynth.pipeline import clone, fit, load, plan
from dbsynth.spec import Spec
from dbsynth.spec.documents import parse_document
from dbsynth.spec.drift import drift

LOAD = ("load", "model.dbsynth", "--unsearched")
BEFORE = """
CREATE TABLE tier (code TEXT PRIMARY KEY, label TEXT NOT NULL);
CREATE TABLE customer (
    id INTEGER PRIMARY KEY, email VARCHAR(60) NOT NULL UNIQUE, fax VARCHAR(20), age INTEGER,
    tier TEXT NOT NULL REFERENCES tier (code)
);
CREATE TABLE "odd: name" ("a b" TEXT, "#x" INTEGER, "ключ" TEXT);
CREATE TABLE purchase (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer (id),
    amount REAL NOT NULL, note TEXT
);
INSERT INTO tier VALUES ('a', 'gold'), ('b', 'none');
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
INSERT INTO customer SELECT i, 'person' || i || '@mail.invalid', '0' || (4711 * i), 20 + i % 50,
    iif(i % 3, 'b', 'a') FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
INSERT INTO purchase SELECT i, 1 + i % 60, 1.5 + i % 7, NULL FROM n;
INSERT INTO "odd: name" VALUES ('x', 1, 'y');
"""
# One night later: a column renamed, one added, one of another type, one dropped, a table each.
AFTER = """
ALTER TABLE customer RENAME COLUMN fax TO fax_number;
ALTER TABLE customer ADD COLUMN nickname TEXT;
UPDATE customer SET nickname = 'canary' || id;
ALTER TABLE purchase DROP COLUMN note;
DROP TABLE "odd: name";
CREATE TABLE badge (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer (id),
    secret TEXT NOT NULL);
INSERT INTO badge SELECT id, id, 'canary' || id FROM customer;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'age INTEGER', 'age REAL') WHERE name = 'customer';
PRAGMA writable_schema = OFF;
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with its spec, in the current folder."""
    monkeypatch.chdir(tmp_path)
    execute(BEFORE)
    assert run(["init", "sqlite:///shop.db"]) == 0
    return tmp_path / "dbsynth.yaml"


def execute(script: str, path: str = "shop.db") -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def said(text: str) -> Spec:
    return Spec.parse(parse_document(text, "spec").value, {})


# ---------------------------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------------------------

WRONG = {
    "unknown entry": ("sede: 3\n", "line 1: unknown entry `sede` in the spec (did you mean `seed`?)"),
    "unknown strategy": (
        "tables:\n  a:\n\n    strategy: sinthesize\n",
        "line 4: `strategy` of table `a`: unknown word `sinthesize` (did you mean `synthesize`?)",
    ),
    "unknown role with a type": (
        "tables:\n  a:\n    columns:\n      b: idntifier:email as text\n",
        "line 4: unknown role `idntifier` of column `a.b` (did you mean `identifier`?)",
    ),
    "a number as a role": (
        "tables:\n  a:\n    columns:\n      b: 7\n",
        "line 4: column `a.b` has no role, such as `category` or `identifier:email`",
    ),
    "a name that stands twice": (
        "tables:\n  a: {}\n  b: {}\n  a: {}\n", "line 4: `a` stands twice",
    ),
    "a name that YAML reads as a boolean": (
        "tables:\n  no: {}\n",
        "line 1: `tables` has an entry that YAML reads as False; put the name in quotes",
    ),
    "a number that is none": ("scale: .nan\n", "line 1: `scale` is no number of 0 or more"),
    "an oversize number": (f"seed: {10**40}\n", "line 1: `seed` is too large a number"),
    "epochs of what is no network": (
        "engine: hma\nepochs: 5\n",
        "line 2: `epochs` goes with `engine: ctgan` or `tvae` only",
    ),
    "half an epoch": (
        "engine: tvae\nepochs: 0\n",
        "line 2: `epochs` is no whole number of 1 or more",
    ),
    "a half row": ("fit_rows: 1.5\n", "line 1: `fit_rows` is no whole number of 1 or more"),
    "a key of two lengths": (
        "virtual_foreign_keys:\n- {child: a, columns: [b, c], parent: d, parent_columns: [e]}\n",
        "line 2: an entry of `virtual_foreign_keys` has `columns` and `parent_columns` of different"
        " length",
    ),
    "a key without a parent": (
        "virtual_foreign_keys:\n- {child: a, columns: [b]}\n",
        "line 2: an entry of `virtual_foreign_keys` lacks `parent` and `parent_columns`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_its_line(name, tmp_path):
    text, message = WRONG[name]
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as error:
        Spec.load(path, {})
    assert error.value.message == message
    assert error.value.exit_code == 2


def test_all_problems_are_told_at_once_in_the_order_of_lines(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("scale: x\nsede: 1\ntables:\n  a: 3\n  b: {rows: -1}\n", encoding="utf-8")
    with pytest.raises(SpecError) as error:
        Spec.load(path, {})
    found = error.value.message.split("; ")
    assert [part.split(":")[0] for part in found] == ["line 1", "line 2", "line 4", "line 5"]


BOMBS = {
    "laughs": "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "a circle": "tables: &t\n  a: *t\n",
    "deep": "tables: " + "[" * 3000 + "]" * 3000 + "\n",
    "an object": "tables: !!python/object/apply:os.system ['true']\n",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_is_refused(name, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(BOMBS[name], encoding="utf-8")
    with pytest.raises(SpecError):
        Spec.load(path, {})


def test_roles_and_types_are_read():
    spec = said("tables: {t: {columns: {a: 'identifier:email as varchar(9)', b: 'time as \"T as x\"',"
                " c: category}}}")  # fmt: skip
    table = spec.tables["t"]
    assert {n: (r.value, p) for n, (r, p) in table.columns.items()} == {
        "a": ("identifier", "email"), "b": ("time", None), "c": ("category", None),
    }  # fmt: skip
    assert table.types == {"a": "varchar(9)", "b": '"T as x"'}


def test_a_file_that_lists_columns_stops_at_what_is_new():
    assert said("scale: 1").on_new == "propose"
    assert said("tables: {a: {rows: 3}}").on_new == "propose"
    assert said("tables: {a: {columns: {b: key}}}").on_new == "stop"
    assert said("on_new: propose\ntables: {a: {columns: {b: key}}}").on_new == "propose"


def test_the_schema_for_editors_is_fresh():
    path = Path(__file__).parent.parent / "docs" / "dbsynth.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == document(), "make docs"


def test_the_schema_for_editors_knows_what_the_reader_knows(shop):
    value = yaml.safe_load(shop.read_text(encoding="utf-8"))
    schema = document()
    assert set(value) <= set(schema["properties"])
    table = schema["properties"]["tables"]["additionalProperties"]
    for entry in value["tables"].values():
        assert set(entry) <= set(table["properties"])
        assert entry["strategy"] in table["properties"]["strategy"]["enum"]


# ---------------------------------------------------------------------------------------------
# Drift
# ---------------------------------------------------------------------------------------------

DRIFT = {
    "rename": (
        "ALTER TABLE customer RENAME COLUMN fax TO fax_number;",
        ["dropped column: column `customer.fax` does not exist (perhaps it was renamed to"
         " `fax_number`)",
         "added column: column `customer.fax_number` is new and not in the spec (perhaps `fax` was"
         " renamed)"],
        "column `customer.fax` does not exist (perhaps it was renamed to `fax_number`)",
    ),
    "add": (
        "ALTER TABLE customer ADD COLUMN nickname TEXT;",
        ["added column: column `customer.nickname` is new and not in the spec"],
        "column `customer.nickname` is new and not in the spec",
    ),
    "retype": (
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'age INTEGER',"
        " 'age REAL') WHERE name = 'customer';",
        ["retyped column: column `customer.age` was reviewed as INTEGER and is REAL now"],
        "column `customer.age` was reviewed as INTEGER and is REAL now",
    ),
    "drop": (
        "ALTER TABLE purchase DROP COLUMN note;",
        ["dropped column: column `purchase.note` does not exist"],
        "column `purchase.note` does not exist",
    ),
    "add a table": (
        "CREATE TABLE badge (id INTEGER PRIMARY KEY);",
        ["added table: table `badge` is new and not in the spec"],
        "table `badge` is new and not in the spec",
    ),
    "drop a table": (
        "DROP TABLE purchase;",
        ["dropped table: table `purchase` does not exist"],
        "table `purchase` does not exist",
    ),
    "rename a table": (
        "ALTER TABLE purchase RENAME TO sale;",
        ["dropped table: table `purchase` does not exist (perhaps it was renamed to `sale`)",
         "added table: table `sale` is new and not in the spec (perhaps `purchase` was renamed)"],
        "table `purchase` does not exist (perhaps it was renamed to `sale`)",
    ),
    "drop a key": (
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql,"
        " ' REFERENCES customer (id)', '') WHERE name = 'purchase';",
        ["dropped key: column `purchase.customer_id` was reviewed as a reference, and no foreign"
         " key holds it any more"],
        "column `purchase.customer_id` was reviewed as a reference",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("name", DRIFT)
def test_each_night_s_change_is_listed_and_stops_a_run(name, capsys):
    script, lines, message = DRIFT[name]
    assert run(["diff", "dbsynth.yaml"]) == 0
    assert capsys.readouterr().out.endswith("dbsynth.yaml covers the source\n")
    execute(script)
    assert run(["diff", "dbsynth.yaml"]) == 1
    assert capsys.readouterr().out.split("\n\n")[0].splitlines() == lines
    assert run(["diff", "dbsynth.yaml", "sqlite:///shop.db", "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is False
    assert [f"{c['kind']} {c['what']}: {c['message']}" for c in value["changes"]] == lines
    for command in (
        ["plan", "dbsynth.yaml"],
        ["fit", "dbsynth.yaml"],
        ["clone", "sqlite:///shop.db", "sqlite:///clone.db", "--spec", "dbsynth.yaml"],
    ):
        assert run(command) == 2
        assert message in capsys.readouterr().err
    assert not Path("clone.db").exists()


CONSTRAINTS = {
    "a key that leads elsewhere": (
        "UPDATE sqlite_schema SET sql = replace(sql, 'REFERENCES customer (id)',"
        " 'REFERENCES branch (id)') WHERE name = 'purchase';",
        ["changed constraint: foreign key purchase(customer_id) led to `customer(id)` when it was"
         " reviewed, and leads to `branch(id)` now"],
    ),
    "a CHECK with other words": (
        "UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (size > 0)', 'CHECK (size >= 0)')"
        " WHERE name = 'branch';",
        ["changed constraint: check branch.positive says something else than when it was reviewed"],
    ),
    "a CHECK less": (
        "UPDATE sqlite_schema SET sql = replace(sql, 'CONSTRAINT positive CHECK (size > 0)', '')"
        " WHERE name = 'branch';",
        ["dropped constraint: check branch.positive is gone"],
    ),
    "a CHECK more": (
        "UPDATE sqlite_schema SET sql = replace(sql, 'amount REAL NOT NULL', 'amount REAL NOT NULL"
        " CONSTRAINT low CHECK (amount < 100)') WHERE name = 'purchase';",
        ["added constraint: check purchase.low is new"],
    ),
    "a unique index less": (
        "DROP INDEX town;",
        ["dropped constraint: unique branch(town) is gone"],
    ),
    "a unique index more": (
        "CREATE UNIQUE INDEX pair ON branch (town, size);",
        ["added constraint: unique branch(town, size) is new"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_that_changed_are_listed_and_no_run_stops(name, tmp_path, monkeypatch, capsys):
    script, lines = CONSTRAINTS[name]
    monkeypatch.chdir(tmp_path)
    execute(
        BEFORE + "CREATE TABLE branch (id INTEGER PRIMARY KEY, town TEXT, size INTEGER CONSTRAINT"
        " positive CHECK (size > 0)); CREATE UNIQUE INDEX town ON branch (town);"
        "INSERT INTO branch SELECT id, 'town' || id, id FROM customer;"
    )
    assert run(["init", "sqlite:///shop.db"]) == 0
    assert run(["diff", "dbsynth.yaml"]) == 0
    execute(f"PRAGMA writable_schema = ON; {script}")
    capsys.readouterr()
    assert run(["diff", "dbsynth.yaml"]) == 1
    assert capsys.readouterr().out.split("\n\n")[0].splitlines() == lines
    assert run(["diff", "dbsynth.yaml", "--json"]) == 1
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert f"{change['kind']} {change['what']}: {change['message']}" == lines[0]
    assert change["table"] in ("branch", "purchase")
    assert run(["plan", "dbsynth.yaml"]) == 0
    assert f"note: {change['message']} (`dbsynth diff`" in capsys.readouterr().out
    assert run(["init", "--update"]) == 0
    assert run(["diff", "dbsynth.yaml"]) == 0
    before = Path("dbsynth.yaml").read_bytes()
    assert run(["init", "--update"]) == 0
    assert Path("dbsynth.yaml").read_bytes() == before


def test_other_labels_of_an_enumeration_are_listed(fresh_database, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with psycopg.connect(fresh_database) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('dull', 'canary')")
        connection.execute("CREATE TABLE day (id int PRIMARY KEY, mood mood)")
    assert run(["init", fresh_database]) == 0
    assert "canary" not in Path("dbsynth.yaml").read_text(encoding="utf-8")
    with psycopg.connect(fresh_database) as connection:
        connection.execute("ALTER TYPE mood ADD VALUE 'bright'")
    capsys.readouterr()
    assert run(["diff", "dbsynth.yaml"]) == 1
    shown = capsys.readouterr().out
    told = "labels day.mood are others than the 2 that were reviewed: 3 now"
    assert f"changed constraint: {told}" in shown
    assert run(["init", "--update"]) == 0
    assert run(["diff", "dbsynth.yaml"]) == 0


@pytest.mark.usefixtures("shop")
def test_a_spec_without_constraints_is_told_how_to_record_them(shop, capsys):
    text = shop.read_text(encoding="utf-8")
    shop.write_text(text[: text.index("# Keys, CHECKs and labels")], encoding="utf-8")
    assert run(["diff", "dbsynth.yaml"]) == 0
    assert "The spec records no constraints" in capsys.readouterr().out
    with shop.open("a", encoding="utf-8") as file:
        file.write("constraints: []\n")
    assert run(["diff", "dbsynth.yaml"]) == 1
    assert run(["init", "--update"]) == 0
    capsys.readouterr()
    assert run(["diff", "dbsynth.yaml"]) == 0
    assert "records no" not in capsys.readouterr().out


def test_the_lines_of_a_diff_cover_what_is_new(shop, capsys):
    execute("ALTER TABLE customer ADD COLUMN nickname TEXT; CREATE TABLE b (id INTEGER, x TEXT);")
    capsys.readouterr()
    assert run(["diff", "dbsynth.yaml", "--json"]) == 1
    lines = yaml.safe_load("\n".join(json.loads(capsys.readouterr().out)["lines"]))
    assert set(lines["tables"]) == {"customer", "b"}
    assert set(lines["tables"]["customer"]["columns"]) == {"nickname"}
    value = yaml.safe_load(shop.read_text(encoding="utf-8"))
    value["tables"]["customer"]["columns"] |= lines["tables"]["customer"]["columns"]
    value["tables"]["b"] = lines["tables"]["b"]
    spec = Spec.parse(value, {})
    assert drift(spec, plan("sqlite:///shop.db").schema) == ()


@pytest.mark.usefixtures("shop")
def test_a_rule_that_matches_nothing_is_an_error(capsys):
    Path("rules.yaml").write_text(
        "source: sqlite:///shop.db\nrules:\n- purchase.amount >= purchase.note\n"
        "- purchase.amount >= customer.age\n",
        encoding="utf-8",
    )
    for command in (["plan", "rules.yaml"], ["fit", "rules.yaml"]):
        assert run(command) == 2
        assert capsys.readouterr().err.splitlines() == [
            "error: rule `purchase.amount >= purchase.note` matches no row of the source",
            "hint: strike or mend these rules of the spec",
        ]


# ---------------------------------------------------------------------------------------------
# Default-deny
# ---------------------------------------------------------------------------------------------


def values_of(path: str) -> bytes:
    return Path(path).read_bytes()


def test_what_nobody_reviewed_is_made_from_its_type_alone(shop):
    execute(
        "ALTER TABLE customer ADD COLUMN nickname TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE customer ADD COLUMN flag BOOLEAN; ALTER TABLE customer ADD COLUMN born DATE;"
        "ALTER TABLE tier ADD COLUMN secret TEXT;"
        "UPDATE customer SET nickname = 'canary', flag = 1, born = '1911-11-11';"
        "UPDATE tier SET secret = 'canary';"
        "CREATE TABLE badge (id INTEGER PRIMARY KEY, secret TEXT NOT NULL, code INTEGER,"
        " customer_id INTEGER NOT NULL REFERENCES customer (id));"
        "INSERT INTO badge SELECT id, 'canary', 987654321, 1 FROM customer;"
    )
    text = shop.read_text(encoding="utf-8").replace("on_new: stop", "on_new: synthesize")
    spec = Spec.parse(yaml.safe_load(text), {})
    fit("sqlite:///shop.db", Path("model.dbsynth"), spec=spec)
    report = clone("sqlite:///shop.db", "sqlite:///clone.db", spec=spec)
    assert report.ok
    assert sum("made from its type alone" in note for note in report.notes) == 5
    for path in ("clone.db", "model.dbsynth"):
        assert b"canary" not in values_of(path)
        assert b"987654321" not in values_of(path)
        assert b"1911-11-11" not in values_of(path)
    with closing(sqlite3.connect("clone.db")) as connection:
        rows, names = connection.execute("SELECT count(*), count(secret) FROM badge").fetchone()
        assert rows == names == 60
        # All real badges belong to one customer.  Nothing of that is learnt: each customer gets one.
        assert connection.execute("SELECT max(n) FROM (SELECT count(*) n FROM badge GROUP BY"
                                  " customer_id)").fetchone() == (1,)  # fmt: skip
        flags = dict(connection.execute("SELECT flag, count(*) FROM customer GROUP BY 1"))
        assert set(flags) == {0, 1}  # 60 fair coins: a side is missing once in 2**59
        tiers = connection.execute("SELECT code, secret FROM tier ORDER BY 1").fetchall()
        assert [code for code, _ in tiers] == ["a", "b"]


def test_what_is_drawn_does_not_depend_on_values_of_an_unreviewed_column(shop):
    text = shop.read_text(encoding="utf-8").replace("on_new: stop", "on_new: synthesize")
    spec = Spec.parse(yaml.safe_load(text), {})
    found = []
    for value in ("'canary' || id", "NULL", "printf('%040d', id * id)"):
        execute("CREATE TABLE IF NOT EXISTS badge (id INTEGER PRIMARY KEY, a TEXT, b INTEGER,"
                " customer_id INTEGER REFERENCES customer (id));"
                "DELETE FROM badge;"
                f"INSERT INTO badge SELECT id, {value}, length({value}),"
                f" iif({value} LIKE 'c%', id, 1) FROM customer;")  # fmt: skip
        clone("sqlite:///shop.db", "sqlite:///clone.db", spec=spec, replace=True)
        with closing(sqlite3.connect("clone.db")) as connection:
            found.append(connection.execute("SELECT * FROM badge ORDER BY id").fetchall())
    assert found[0] == found[1] == found[2]


def test_a_model_is_loaded_with_a_spec_that_it_was_not_fitted_with(shop, capsys):
    assert run(["fit", "dbsynth.yaml"]) == 0
    text = shop.read_text(encoding="utf-8")
    shop.write_text(text.replace("  purchase:", "  purchases:"), encoding="utf-8")
    capsys.readouterr()
    assert run([*LOAD, "--to", "sqlite:///c.db", "--spec", "dbsynth.yaml"]) == 2
    assert "table `purchases` does not exist (did you mean `purchase`?)" in capsys.readouterr().err
    shop.write_text(text.replace("email: identifier:email", "email: category"), encoding="utf-8")
    assert run([*LOAD, "--to", "sqlite:///c.db", "--spec", "dbsynth.yaml"]) == 0
    assert (
        "note: column `customer.email` is identifier in the model, which stands; the spec says"
        " category" in capsys.readouterr().out
    )
    for old, new, message in (
        (
            "age: quantity",
            "age: identifier:digits",
            "column `customer.age` is identifier in the spec, and the model was fitted with it as"
            " quantity",
        ),
        (
            "strategy: copy",
            "strategy: empty",
            "table `tier` is empty in the spec, and copy in the model",
        ),
        (
            "      age: quantity as INTEGER",
            "      # age",
            "column `customer.age` is new and not in the spec",
        ),
    ):
        shop.write_text(text.replace(old, new), encoding="utf-8")
        assert text != shop.read_text(encoding="utf-8")
        arguments = [*LOAD, "--to", "sqlite:///e.db", "--spec", "dbsynth.yaml"]
        assert run(arguments) == 2
        assert message in capsys.readouterr().err
    assert not Path("e.db").exists()
    report = load(Path("model.dbsynth"), "sqlite:///d.db", source=None)
    assert report.ok


# ---------------------------------------------------------------------------------------------
# Keeping a file up to date
# ---------------------------------------------------------------------------------------------

HUMAN = """\
# Our spec.  Ünïcødé: 表 🙂
source: sqlite:///shop.db   # where it is
scale: 1.0

on_new: stop
tables:
  # the customers come first, as they matter
  customer:
      strategy: synthesize     # as agreed with Ann
      columns:
        # keys
        id: key as INTEGER
        "tier":   reference as TEXT # quoted for fun

        # contact data
        'email': identifier:email as VARCHAR(60)   # never show
        fax: text:pattern as VARCHAR(20)  # Bob: nobody has one
        # age is fine
        age: quantity as INTEGER # reviewed 2024-01-01
        # the end of the columns of customer
      # the end of customer

  "odd: name": # nobody knows
      strategy: empty
      columns: {a b: text:text as TEXT, "#x": quantity as INTEGER, ключ: text:text as TEXT}

  tier: {strategy: copy, columns: {code: key:label as TEXT, label: category as TEXT}} # small
  purchase:
      columns:
          id: key as INTEGER
          customer_id: reference as INTEGER
          amount: quantity as REAL
          note: text:text as TEXT # free text
# rules that Ann likes
rules:
    - purchase.amount >= customer.age   # struck if silly
    # - a struck rule
# the end
"""


@pytest.fixture
def human(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec that people have written, in forms of their own."""
    monkeypatch.chdir(tmp_path)
    execute(BEFORE)
    path = tmp_path / "dbsynth.yaml"
    path.write_text(HUMAN, encoding="utf-8")
    assert run(["diff", "dbsynth.yaml"]) == 0
    return path


FORMS = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "no newline at the end": lambda text: text.rstrip("\n"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "a document": lambda text: "---\n" + text + "...\n",
    "block lists without indentation": lambda text: text.replace("    - pur", "- pur"),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_update_keeps_every_word(form, human):
    before = FORMS[form](HUMAN)
    human.write_bytes(before.encode())
    execute(AFTER)
    assert run(["init", "--update"]) == 0
    after = human.read_bytes().decode()
    newline = "\r\n" if "\r\n" in before else "\n"
    assert (after.count("\r\n") == after.count("\n")) == (newline == "\r\n")
    left = iter(after.splitlines())
    struck = ("fax: ", "note: ", '"odd: name":', "strategy: empty", "columns: {a b")
    for line in before.splitlines():  # every line is there, in order: as it was, or as a comment
        words = line.strip()
        if words.startswith("age: "):
            assert any("age: quantity as REAL # reviewed 2024-01-01" in x for x in left), line
        elif words.startswith(struck):
            assert any(words in x and x.lstrip().startswith("#") for x in left), line
        else:
            assert any(x == line for x in left), line
    spec = Spec.load(human, {})
    roles = spec.tables["customer"].columns
    assert list(roles) == ["id", "tier", "email", "fax_number", "age", "nickname"] or set(roles) == {
        "id", "tier", "email", "fax_number", "age", "nickname",
    }  # fmt: skip
    assert (roles["fax_number"][0].value, roles["fax_number"][1]) != ("text", None)
    assert spec.tables["customer"].types["age"] == "REAL"
    assert "badge" in spec.tables
    assert "odd: name" not in spec.tables
    assert run(["diff", "dbsynth.yaml"]) == 0
    assert run(["init", "--update"]) == 0
    assert human.read_bytes().decode() == after, "a second update changes nothing"


def test_an_update_without_changes_leaves_the_bytes(human):
    before = human.read_bytes()
    assert run(["init", "--update"]) == 0
    assert human.read_bytes() == before


SHAPES = {
    "flow": ("tables: {customer: {columns: {id: key}}}\n", True),
    "flow over lines": (
        "tables: {customer: {columns: {id: key as INTEGER, # c\n  email: text}\n  },\n}\n", True),
    "empty": ("tables:\n", True),
    "empty braces": ("tables: {}\n", True),
    "none": ("scale: 2\n", True),
    "a table without a word": ("tables:\n  customer:\n  tier: {}\n", True),
    "a table of braces": ("tables:\n  customer: {} # c\n  tier: {strategy: copy}\n", True),
    "columns without a word": ("tables:\n  customer:\n    columns:\n    rows: 3\n", True),
    "columns of braces": ("tables:\n  customer:\n    columns: {}\n    rows: 3\n", True),
    "an alias as a value": (
        "tables:\n  customer:\n    columns:\n      id: key\n      fax: &t text:text as INTEGER\n"
        "      email: *t\n", True),
    "a merge": (
        "tables:\n  customer:\n    columns: &c\n      id: key\n  tier:\n    columns:\n"
        "      <<: *c\n", False),
    "an anchor on what is gone": (
        "tables:\n  customer:\n    columns:\n      gone: &g text:text\n      email: *g\n", False),
    "one step of indentation": ("tables:\n customer:\n  columns:\n   id: key\n", True),
    "a long text": (
        "tables:\n  customer:\n    where: >\n      id > 1\n\n      AND id < 9\n\n  # c\n  tier:\n"
        "    strategy: copy\n", True),
    "explicit keys": ("tables:\n  ? customer\n  : columns:\n      id: key\n", True),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_files_of_any_form_are_brought_up_to_date_or_left_alone(name, human, capsys):
    text, works = SHAPES[name]
    human.write_text(text, encoding="utf-8")
    code = run(["init", "sqlite:///shop.db", "--update"])
    assert code == (0 if works else 2), capsys.readouterr().err
    after = human.read_text(encoding="utf-8")
    if not works:
        assert after == text
        assert "by hand" in capsys.readouterr().err
        return
    assert run(["diff", "dbsynth.yaml", "sqlite:///shop.db"]) == 0
    for word in text.split():
        if word not in ("{}", "*t"):  # an alias whose column got another type is written out
            assert word.strip("{},") in after
    assert run(["init", "sqlite:///shop.db", "--update"]) == 0
    assert human.read_text(encoding="utf-8") == after


def test_a_link_by_value_is_no_reference_in_the_spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    execute(
        BEFORE + "CREATE TABLE audit (id INTEGER PRIMARY KEY, email TEXT NOT NULL, what TEXT);"
        "INSERT INTO audit SELECT id, email, 'login' FROM customer WHERE id < 58;"
    )
    assert run(["init", "sqlite:///shop.db"]) == 0
    assert "email: reference" not in Path("dbsynth.yaml").read_text(encoding="utf-8")
    assert run(["diff", "dbsynth.yaml"]) == 0
    assert run(["plan", "dbsynth.yaml"]) == 0


def test_virtual_keys_are_suggested_as_comments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    execute(
        BEFORE + "CREATE TABLE visit (id INTEGER PRIMARY KEY, customer_id INTEGER, tier_code TEXT,"
        " purchase_no INTEGER);"
        "INSERT INTO visit SELECT id, id, tier, id + 1000 FROM customer;"
    )
    assert run(["init", "sqlite:///shop.db"]) == 0
    text = Path("dbsynth.yaml").read_text(encoding="utf-8")
    shown = [line for line in text.splitlines() if "child: " in line]
    assert shown == [
        "#  - {child: visit, columns: [customer_id], parent: customer, parent_columns: [id]}",
        "#  - {child: visit, columns: [tier_code], parent: tier, parent_columns: [code]}",
    ]
    uncommented = text.replace("# virtual_f", "virtual_f").replace("#  - {", "  - {")
    assert len(said(uncommented).virtual_foreign_keys) == 2


def test_hint_of_a_wrong_option_names_the_option():
    with pytest.raises(SpecError) as raised:
        Spec.parse({}, {}, said={"engine": "foo", "scale": float("nan")})
    assert raised.value.hint == "give `--engine` and `--scale` another value"
    with pytest.raises(SpecError) as raised:
        Spec.parse({"seed": -1}, {}, said={"engine": "foo"})
    assert raised.value.hint.startswith("give `--engine` another value; mend the spec")
