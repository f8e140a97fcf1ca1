"""Real rows in a clone: masked, chosen, closed under their keys, beside drawn ones."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from zoo import ZOO, load_exhibit

from dbsynth.cli import run
from dbsynth.errors import ModelError, SpecError
from dbsynth.pipeline import clone, fit, plan
from dbsynth.schema import ForeignKey
from dbsynth.spec import Spec, TableSpec

SHOP = """
CREATE TABLE region (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE person (
    id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, first_name TEXT, last_name TEXT,
    birth_date DATE, points INTEGER NOT NULL CHECK (points >= 0), status TEXT,
    region_id INTEGER NOT NULL REFERENCES region (id), friend_id INTEGER REFERENCES person (id)
);
CREATE TABLE purchase (
    id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person (id),
    amount REAL NOT NULL, day DATE NOT NULL
);
CREATE TABLE line (
    purchase_id INTEGER NOT NULL REFERENCES purchase (id), no INTEGER NOT NULL,
    price REAL NOT NULL, PRIMARY KEY (purchase_id, no)
);
CREATE TABLE visit (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person (id), ip TEXT);
INSERT INTO region VALUES (1, 'north'), (2, 'south'), (3, 'nowhere');
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO person SELECT i, 'canary' || i || '@mail.invalid',
    (SELECT value FROM json_each('["Anna", "Bert", "Carla", "David", "Emma", "Frank", "Grace", "Henry",
     "Irene", "Jack"]') WHERE key = i % 10),
    (SELECT value FROM json_each('["Adams", "Brown", "Clark", "Davis", "Evans", "Foster", "Green",
     "Harris", "Irving", "Jones", "King", "Lewis"]') WHERE key = i / 10 % 12), date('1950-01-01', (i * 97) || ' days'), (i * 7919) % 100003,
    iif(i % 3, 'open', 'closed'), 1 + i % 2, iif(i % 4, NULL, 1 + i / 2) FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
INSERT INTO purchase SELECT i, 1 + (i * 31) % 120, round(1.37 * i, 2),
    date('2020-01-01', i || ' days') FROM n;
INSERT INTO line SELECT p.id, k.k, p.amount / 2 FROM purchase p, (SELECT 1 k UNION SELECT 2) k;
INSERT INTO visit SELECT id, iif(id % 5, 1 + id % 120, NULL), '10.0.0.' || (id % 250) FROM purchase;
"""
FRIENDS = (
    "WITH RECURSIVE p (id) AS (SELECT id FROM person WHERE status = 'closed' UNION SELECT friend_id"
    " FROM person JOIN p USING (id) WHERE friend_id IS NOT NULL) SELECT count(*) FROM p"
)
MASK, SUBSET = TableSpec("mask", approved_by="Ann"), TableSpec("subset", approved_by="Ann")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("shop.db")) as connection:
        connection.executescript(SHOP)
    return "sqlite:///shop.db"


def asked(path: str, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def chosen(where: str | None = None, share: float | None = None) -> TableSpec:
    return TableSpec("subset", where=where, share=share, approved_by="Ann")


def test_a_masked_table_keeps_its_rows_and_no_identifier(source):
    report = clone(source, "sqlite:///c.db", spec=Spec(tables={"person": MASK}))
    assert report.ok
    note = next(note for note in report.notes if note.startswith("person: "))
    assert note.startswith(
        "person: 120 REAL rows, masked (replaced: id, email, first_name, last_name"
    )
    assert "generalised: birth_date" in note
    assert "as in the source: points" in note
    assert b"canary" not in Path("c.db").read_bytes()
    names = "SELECT first_name, last_name FROM person"
    assert not set(asked("c.db", names)) & set(asked("shop.db", names))
    query = "SELECT points FROM person ORDER BY 1"
    assert asked("c.db", query) == asked("shop.db", query)
    real = dict(asked("shop.db", "SELECT points, id FROM person"))
    new = dict(asked("c.db", "SELECT points, id FROM person"))
    # Of 120 numbers in a new order one stays in its place on average; 7 or more, once in 12,000.
    assert sum(real[points] == id_ for points, id_ in new.items()) < 7
    # A friendship is one of the source, whatever the two are called now.
    pairs = "SELECT a.points, b.points FROM person a JOIN person b ON b.id = a.friend_id ORDER BY 1"
    assert asked("c.db", pairs) == asked("shop.db", pairs)
    born = "SELECT points, birth_date FROM person"
    same = set(asked("c.db", born)) & set(asked("shop.db", born))
    # A day moves inside a bin of about 120 / 24 distinct days over 32 years: some stay by chance.
    assert len(same) < 12


def test_drawn_rows_hang_under_real_ones_and_the_other_way_round(source):
    tables = {
        "person": chosen("points < 30000"),
        "purchase": TableSpec("synthesize"),
        "visit": SUBSET,
    }
    report = clone(source, "sqlite:///c.db", spec=Spec(tables=tables))
    assert report.ok
    rows = {t.name: (t.real_rows, t.synthetic_rows) for t in report.tables}
    real = asked("shop.db", "SELECT count(*) FROM person WHERE points < 30000")[0][0]
    assert rows["person"][1] >= real
    # Drawn purchases keep their mean number for each person: 400 for 120.
    assert rows["purchase"][1] == pytest.approx(400 * rows["person"][1] / 120, abs=1)
    assert rows["visit"][1] < 400
    tables = {"purchase": MASK, "line": TableSpec("synthesize"), "person": TableSpec("synthesize")}
    report = clone(source, "sqlite:///d.db", spec=Spec(tables=tables))
    assert report.ok
    days = "SELECT day, amount FROM purchase ORDER BY 1"
    assert asked("d.db", days) == asked("shop.db", days)
    assert asked("d.db", "SELECT count(*) FROM line")[0][0] == 800


def test_a_subset_is_closed_under_its_keys(source):
    tables = {
        "person": chosen("status = 'closed'"),
        "purchase": SUBSET,
        "line": SUBSET,
        "region": SUBSET,
    }
    report = clone(source, "sqlite:///c.db", spec=Spec(tables=tables))
    assert report.ok
    wanted = asked(
        "shop.db",
        "WITH RECURSIVE p (id) AS (SELECT id FROM person WHERE status = 'closed' UNION"
        " SELECT friend_id FROM person JOIN p USING (id) WHERE friend_id IS NOT NULL)"
        " SELECT points FROM person WHERE id IN p ORDER BY 1",
    )
    assert asked("c.db", "SELECT points FROM person ORDER BY 1") == wanted
    own = "SELECT amount FROM purchase WHERE person_id IN (SELECT id FROM person WHERE status = 'closed')"
    assert asked("c.db", "SELECT amount FROM purchase ORDER BY 1") == asked(
        "shop.db", own + " ORDER BY 1"
    )
    assert asked("c.db", "SELECT count(*) FROM line")[0][0] == 2 * len(asked("shop.db", own))
    assert asked("c.db", "SELECT count(*) FROM region") == [(2,)]  # nobody lives nowhere


def test_a_plan_shows_the_closure_before_anything_is_done(source, capsys):
    Path("s.yaml").write_text(
        "source: sqlite:///shop.db\ntables:\n"
        "  person: {strategy: subset, where: status = 'closed', approved_by: Ann}\n"
        "  purchase: {strategy: subset, approved_by: Ann}\n"
        "  region: {strategy: subset}\n",
        encoding="utf-8",
    )
    assert run(["plan", "s.yaml"]) == 0
    shown = capsys.readouterr().out
    added = asked("shop.db", FRIENDS)[0][0] - 40
    assert 0 < added < 20
    line = f"real rows: person: {40 + added} of 120, masked (40 chosen; {added} added, as others"
    assert f"{line} refer to them)" in shown
    assert "real rows: region: 2 of 3, masked (2 added, as others refer to them)" in shown
    assert run(["plan", "s.yaml", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    sizes = {s["table"]: s for s in value["real_rows"]}
    planned = {t["name"]: t["synthetic_rows"] for t in value["tables"]}
    assert sizes["person"] == {
        "table": "person", "rows": 40 + added, "of": 120, "asked": 40, "added": added,
        "left_out": 0,
    }  # fmt: skip
    report = clone("sqlite:///shop.db", "sqlite:///c.db", spec=Spec.load(Path("s.yaml"), {}))
    rows = {t.name: t.synthetic_rows for t in report.tables}
    assert planned == rows


def test_a_share_is_the_same_rows_for_the_same_seed(source):
    found = []
    for seed, name in ((1, "a"), (1, "b"), (2, "c")):
        clone(
            source,
            f"sqlite:///{name}.db",
            spec=Spec(seed=seed, tables={"purchase": chosen(share=0.3)}),
        )
        found.append(asked(f"{name}.db", "SELECT amount FROM purchase ORDER BY 1"))
    assert Path("a.db").read_bytes() == Path("b.db").read_bytes()
    assert len(found[0]) == len(found[2]) == 120
    assert found[0] != found[2]


def test_bytes_do_not_depend_on_processes(source):
    spec = Spec(tables={"person": MASK, "purchase": chosen(share=0.5)})
    clone(source, "sqlite:///a.db", spec=spec)
    clone(source, "sqlite:///b.db", spec=spec, processes=2)
    assert Path("a.db").read_bytes() == Path("b.db").read_bytes()


KEYS = {
    "a cycle": (
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b (id), x INTEGER);"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a (id), y INTEGER);"
        "INSERT INTO a SELECT value, (value + 1) % 50 + 1, value FROM generate;"
        "INSERT INTO b SELECT value, iif(value % 2, value, NULL), value FROM generate;",
        {"a": chosen("x <= 5"), "b": SUBSET}, (),
    ),
    "a self-reference that may not be NULL": (
        "CREATE TABLE a (id INTEGER PRIMARY KEY, up INTEGER NOT NULL REFERENCES a (id), x INTEGER);"
        "INSERT INTO a SELECT value, max(1, value / 2), value FROM generate;",
        {"a": chosen("x > 45")}, (),
    ),
    "several columns, of which one is NULL": (
        "CREATE TABLE a (p INTEGER, q TEXT, x INTEGER, PRIMARY KEY (p, q));"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, p INTEGER, q TEXT, y INTEGER,"
        " FOREIGN KEY (p, q) REFERENCES a (p, q));"
        "INSERT INTO a SELECT value, 'q' || value % 3, value FROM generate;"
        "INSERT INTO b SELECT value, value, iif(value % 4, 'q' || value % 3, NULL), value FROM generate;",
        {"a": chosen("x <= 9"), "b": SUBSET}, (),
    ),
    "a key that is not declared": (
        "CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER);"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER, y INTEGER);"
        "INSERT INTO a SELECT value * 10, value FROM generate;"
        "INSERT INTO b SELECT value, value * 10, value FROM generate;",
        {"a": chosen("x <= 9"), "b": SUBSET},
        (ForeignKey("b", ("a",), "a", ("id",), nullable=True, declared=False),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_every_kind_lead_to_rows_that_are_there(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script, tables, keys = KEYS[name]
    with closing(sqlite3.connect("s.db")) as connection:
        connection.executescript(
            "CREATE TABLE generate AS WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL"
            " SELECT value + 1 FROM n WHERE value < 50) SELECT value FROM n;"
            + script + "DROP TABLE generate;"
        )  # fmt: skip
    spec = Spec(tables=tables, virtual_foreign_keys=keys)
    report = clone("sqlite:///s.db", "sqlite:///c.db", spec=spec)
    assert report.ok
    with closing(sqlite3.connect("c.db")) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    for t in report.tables:
        assert 0 < t.synthetic_rows < t.real_rows
    if "b" in tables and name != "a cycle":
        pairs = "SELECT x, y FROM a JOIN b ON " + ("a.p = b.p AND a.q = b.q" if "several" in name
                                                   else "b.a = a.id") + " ORDER BY 1"  # fmt: skip
        assert asked("c.db", pairs) == [row for row in asked("s.db", pairs) if row[0] <= 9]


def test_a_skipped_table_is_not_read_and_what_refers_to_it_is_null(source, capsys):
    tables = {
        "purchase": TableSpec("skip"),
        "line": TableSpec("skip"),
        "person": TableSpec("empty"),
    }
    with pytest.raises(SpecError, match="may not be NULL") as error:
        clone(source, "sqlite:///c.db", spec=Spec(tables={"person": TableSpec("skip")}))
    assert error.value.message == (
        "purchase(person_id) -> person may not be NULL, and the rows of `person` are left out; leave"
        " out `purchase` too, or give `person` another strategy"
    )
    report = clone(source, "sqlite:///c.db", spec=Spec(tables=tables))
    rows = {t.name: t.synthetic_rows for t in report.tables}
    assert (rows["purchase"], rows["line"], rows["person"], rows["visit"]) == (0, 0, 0, 400)
    assert asked("c.db", "SELECT count(person_id) FROM visit") == [(0,)]


WRONG = {
    "nobody answers for it": (
        {"person": TableSpec("mask")},
        "`strategy: mask` of table `person` lets real rows of people through (`email` is a direct"
        " identifier, `first_name` is a direct identifier, `last_name` is a direct identifier,"
        " `birth_date` is a quasi-identifier), so it needs `approved_by`",
    ),
    "a copy of people": (
        {"person": TableSpec("copy"), "region": TableSpec("copy")},
        "`strategy: copy` of table `person` lets real rows of people through",
    ),
    "nothing meets the condition": (
        {"person": chosen("points < 0")}, "no row of `person` meets `where`",
    ),
    "a condition on nothing": (
        {"person": chosen("points2 < 0")}, "`where` of `person`: column `person.points2` does not exist (did you mean `points`?)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_done_is_said_before_anything_is(name, source):
    tables, message = WRONG[name]
    for act in (
        lambda spec: plan(source, spec=spec),
        lambda spec: clone(source, "sqlite:///c.db", spec=spec),
    ):
        with pytest.raises(SpecError) as error:
            act(Spec(tables=tables))
        assert message in error.value.message
    assert not Path("c.db").exists()


def test_entries_that_fit_no_real_row_are_refused():
    value = {"tables": {"a": {"strategy": "mask", "rows": 3, "share": 0.1}, "b": {"share": 2}}}
    with pytest.raises(SpecError) as error:
        Spec.parse(value, {})
    assert (
        error.value.message.split("; ")
        == [
            "`share` of table `b` is no number of more than 0 and 1 or less",
            "`share` of table `a` goes with `strategy: subset` only",
            "`rows` of table `a`: its rows are real ones, not drawn",
        ]
        or len(error.value.message.split("; ")) == 3
    )


def test_real_rows_belong_in_no_model(source):
    with pytest.raises((ModelError, SpecError), match="belong in no model file"):
        fit(source, Path("m.dbsynth"), spec=Spec(tables={"person": MASK}))
    assert not Path("m.dbsynth").exists()


def mixed(names: list[str], turn: int) -> dict[str, TableSpec]:
    some = [MASK, TableSpec(), chosen(share=0.4), SUBSET]
    return {name: some[(place + turn) % 4] for place, name in enumerate(names)}


# Mixtures that cannot be: drawn rows need rows of a subset that chooses none, or real rows say
# twice which drawn row they have.
REFUSED = {
    ("multi_tenant", 1): "subset of which no row is chosen, and `assignment` needs one of them",
    ("multi_tenant", 2): "rows of `assignment` are real, and say twice which row of `tenant`",
    ("one_to_one_chain", 1): "subset of which no row is chosen, and `company` needs one of them",
    ("text_keys", 1): "subset of which no row is chosen, and `account` needs one of them",
    ("text_keys", 2): "subset of which no row is chosen, and `session` needs one of them",
}


def refused(name: str, turn: int, url: str, spec: Spec) -> bool:
    """Whether a mixture is refused when it is planned, as it has to be."""
    told = REFUSED.get((name, turn))
    if told is None:
        return False
    with pytest.raises(SpecError, match=told):
        plan(url, spec=spec)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("exhibit", [e for e in ZOO if "sqlite" in e.kinds], ids=lambda e: e.name)
def test_the_zoo_loads_with_any_mixture(exhibit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_exhibit(exhibit, "sqlite:///s.db")
    names = list(plan("sqlite:///s.db").tables)
    for turn in itertools.islice(range(4), max(2, min(4, len(names)))):
        spec = Spec(tables=mixed(names, turn))
        if refused(exhibit.name, turn, "sqlite:///s.db", spec):
            continue
        report = clone("sqlite:///s.db", "sqlite:///c.db", spec=spec, replace=True)
        assert report.ok


@pytest.mark.slow
@pytest.mark.parametrize("exhibit", ZOO, ids=lambda e: e.name)
def test_the_zoo_of_postgresql_loads_masked(exhibit, fresh_database, postgres):
    load_exhibit(exhibit, fresh_database)
    names = list(plan(fresh_database).tables)
    for turn in (0, 2):
        target = fresh_database.replace("fresh_", "masked_")
        spec = Spec(tables=mixed(names, turn))
        if refused(exhibit.name, turn, fresh_database, spec):
            continue
        report = clone(fresh_database, target, spec=spec, replace=True)
        assert report.ok


def test_a_value_that_is_taken_apart_is_not_put_together_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("s.db")) as connection:
        connection.executescript(
            "CREATE TABLE doc (id INTEGER PRIMARY KEY, body JSON NOT NULL, size INTEGER);"
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
            """INSERT INTO doc SELECT i, json_object('a', i % 13, 'b', i % 11, 'c', i % 7, 'd', i % 5),
            i FROM n;"""
        )
    assert clone("sqlite:///s.db", "sqlite:///c.db", spec=Spec(tables={"doc": MASK})).ok
    assert asked("c.db", "SELECT size FROM doc ORDER BY 1") == asked("s.db", "SELECT size FROM doc")
    new, real = (
        dict(asked("c.db", "SELECT size, body FROM doc")),
        dict(asked("s.db", "SELECT size, body FROM doc")),
    )
    # Parts of other rows make up the same document once in 13 * 11 * 7 * 5: 300 rows, 0.06 of them.
    assert sum(json.loads(new[size]) == json.loads(real[size]) for size in real) <= 2


TOTAL = "purchase.amount = sum of line.price"


@pytest.mark.parametrize("listed", [None, (TOTAL,)], ids=["mined", "declared"])
@pytest.mark.parametrize("strategy", ["mask", "subset"])
def test_a_rule_that_real_rows_break_is_told(listed, strategy, source, capsys):
    real = MASK if strategy == "mask" else chosen("amount > 100")
    spec = Spec(tables={"purchase": real}, rules=listed)
    Path("s.yaml").write_text(
        f"source: {source}\ntables:\n  purchase: {{strategy: {strategy}, approved_by: Ann"
        + (", where: amount > 100}" if strategy == "subset" else "}")
        + (f"\nrules: ['{TOTAL}']\n" if listed else "\n"),
        encoding="utf-8",
    )
    assert run(["plan", "s.yaml"]) == 0
    told = f"rule: {TOTAL} (held in all 400); may break, as rows of purchase are real"
    assert told in capsys.readouterr().out
    assert run(["plan", "s.yaml", "--json"]) == 0
    rules = {r["rule"]: r["real"] for r in json.loads(capsys.readouterr().out)["rules"]}
    assert rules[TOTAL] == ["purchase"]
    report = clone(source, "sqlite:///c.db", spec=spec)
    finding = next(f for f in report.findings if f.check == "rule" and f.subject == TOTAL)
    sums = "SELECT count(*) FROM purchase p WHERE abs(amount - (SELECT sum(price) FROM line l"
    broken = asked("c.db", f"{sums} WHERE l.purchase_id = p.id)) > 0.0051")[0][0]
    assert finding.status == "note"
    assert finding.count == broken > 0
    assert finding.detail.endswith("rows break it, as rows of purchase are real")
    assert run(["clone", "s.yaml", "sqlite:///c.db", "--replace"]) == 0  # as with any broken rule
    out = capsys.readouterr().out
    assert f"rule: {TOTAL} (held in all 400): {finding.detail}" in out
    assert " not kept" in out


def test_rules_hold_in_rows_that_are_all_real(source, capsys):
    Path("s.yaml").write_text(
        f"source: {source}\ntables:\n  purchase: {{strategy: mask, approved_by: Ann}}\n"
        "  line: {strategy: mask, approved_by: Ann}\n",
        encoding="utf-8",
    )
    assert run(["plan", "s.yaml"]) == 0
    assert f"rule: {TOTAL} (held in all 400)\n" in capsys.readouterr().out
    assert run(["clone", "s.yaml", "sqlite:///c.db"]) == 0
    assert f"rule: {TOTAL} (held in all 400): kept\n" in capsys.readouterr().out


def test_what_is_drawn_over_real_rows_keeps_its_rules(source):
    """A drawn total is that of the lines that came along, not of those that a rule would make."""
    tables = {"line": chosen(share=0.3)}
    rules = (TOTAL, "line.price = purchase.amount * 0.5")  # of which real lines break the second
    report = clone(source, "sqlite:///c.db", spec=Spec(tables=tables, rules=rules))
    found = {f.subject: f for f in report.findings if f.check == "rule"}
    assert found[TOTAL].status == "passed"
