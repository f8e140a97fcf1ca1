"""The gate finds what was let through on purpose, and only that."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dbsynth
from dbsynth.cli import run
from dbsynth.codec import Category
from dbsynth.databases import open_database
from dbsynth.errors import DbsynthError, SpecError, VerificationFailed
from dbsynth.gate import examine
from dbsynth.gate.chance import more_often, tail, too_many
from dbsynth.gate.copies import Made, Real, judged
from dbsynth.gate.table import NUMBER, SURE, WORD, WORDS
from dbsynth.model import Model, load_model
from dbsynth.report import Finding, Status
from dbsynth.spec import Spec

ROWS = 240
GIVEN = [
    "Ottokar",
    "Wendelin",
    "Kunigunde",
    "Isolde",
    "Pankraz",
    "Adelgunde",
    "Liborius",
    "Mechthild",
]
FAMILY = [
    "Grünwald",
    "Petzholdt",
    "Saßnick",
    "Vogelsang",
    "Quandel",
    "Zirbelstock",
    "Hagedorn",
    "Ypsilanti",
]
EMAIL, PHONE, IBAN, NAME, LOGIN, CARD = range(1, 7)


def number(*path: object, digits: int) -> int:
    """A number that occurs nowhere else."""
    whole = int.from_bytes(hashlib.sha256(repr(path).encode()).digest()[:12])
    return 10 ** (digits - 1) + whole % (9 * 10 ** (digits - 1))


def valid(digits: str) -> str:
    """The digits with their check digit behind (Luhn)."""
    doubled = [int(d) * (2 - at % 2) for at, d in enumerate(reversed(digits))]
    return digits + str(-sum(d // 10 + d % 10 for d in doubled) % 10)


def person(i: int) -> tuple[object, ...]:
    given, family = GIVEN[i % 8], FAMILY[(i // 8) % 8] + chr(97 + i // 64)
    return (
        i + 1,
        f"{given.lower()}.{i}@kunde-{i % 7}.de",
        f"+49 {number('area', i, digits=3)} {number('phone', i, digits=7)}",
        f"DE{number('iban', i, digits=20)}",
        f"{given} {family}",
        f"{given.lower()[:4]}{1000 + 7 * i}",
        valid(f"4{number('card', i, digits=14)}"),
        ("Köln", "Ulm", "Bonn", "Trier")[i % 4],
    )


def event(i: int) -> tuple[object, ...]:
    a, b, c, d, e, f = hashlib.sha256(f"event {i}".encode()).digest()[:6]
    return (
        i + 1,
        i % ROWS + 1,
        f"the parcel number {a % 6} was late and the door was shut for {b % 3} days",
        ("new", "open", "shut")[c % 3],
        10_000_000 + 13 * i,
        json.dumps({"state": ("a", "b")[d % 2], "size": d % 3, "by": "nobody"}),
        json.dumps(["red", "blue", "green"][: e % 3 + 1]),
        f"blob {f % 11}".encode() * 3,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path, Model]:
    """A source, its clone, and the model between them."""
    folder = tmp_path_factory.mktemp("gate")
    source, clone, path = folder / "source.db", folder / "clone.db", folder / "model"
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript(
            """
            CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT, phone TEXT, iban TEXT,
                full_name TEXT, login TEXT, card TEXT, city TEXT);
            CREATE TABLE event (id INTEGER PRIMARY KEY, person INT REFERENCES person, note TEXT,
                state TEXT, number INT, doc JSON, tags TEXT, file BLOB);
            """
        )
        connection.executemany(f"INSERT INTO person VALUES ({marks(8)})", map(person, range(ROWS)))
        connection.executemany(f"INSERT INTO event VALUES ({marks(8)})", map(event, range(600)))
    dbsynth.fit(f"sqlite:///{source}", path)
    dbsynth.load(path, f"sqlite:///{clone}", source=None)
    return source, clone, dbsynth.model.load_model(path)


def marks(count: int) -> str:
    return ", ".join("?" * count)


def findings(made: tuple[Path, Path, Model], clone: Path, most: int = 10_000) -> list[Finding]:
    source, _, model = made
    with (
        open_database(f"sqlite:///{source}") as real,
        open_database(f"sqlite:///{clone}") as synthetic,
    ):
        return list(examine(real, synthetic, model, most))


def failed(found: list[Finding]) -> dict[str, int]:
    return {f.subject: f.count for f in found if f.status is Status.FAILED}


def test_an_honest_clone_passes(made):
    found = findings(made, made[1])
    assert failed(found) == {}
    assert {f"person.{c}" for c in ("email", "phone", "iban", "full_name", "login", "card")} < {
        f.subject for f in found
    }


EMAIL_7, PHONE_7, NAME_7 = (str(person(7)[at]) for at in (EMAIL, PHONE, NAME))
IBAN_7, LOGIN_7, CARD_7 = (str(person(7)[at]) for at in (IBAN, LOGIN, CARD))
DIGITS_7 = "".join(c for c in PHONE_7 if c.isdigit())
GROUPED = " ".join(CARD_7[i : i + 4] for i in range(0, 16, 4))
PLANTS = {
    "the value itself": ("person.email", EMAIL_7),
    "in capitals, with blanks": ("person.email", f"  {EMAIL_7.upper()} "),
    "a telephone number without separators": ("person.phone", DIGITS_7),
    "a telephone number with others": ("person.phone", f"0049/{DIGITS_7[2:5]}/{DIGITS_7[5:]}"),
    "an account in groups": ("person.iban", " ".join(IBAN_7[i : i + 4] for i in range(0, 22, 4))),
    "a name without accents": ("person.full_name", NAME_7.replace("ü", "u").upper()),
    "in another column": ("event.state", EMAIL_7),
    "a name in another column": ("event.state", NAME_7),
    "a login in another column": ("event.state", LOGIN_7),
    "inside a text": ("event.note", f"she wrote from {EMAIL_7}, and nobody answered"),
    "a number inside a text": ("event.note", f"call 0{DIGITS_7[2:]} again"),
    "a card inside a text": ("event.note", f"paid with ({GROUPED})."),
    "a name inside a text": ("event.note", f"Talked to {NAME_7}; she is angry"),
    "a name the other way round": (
        "event.note",
        f"{NAME_7.split()[1]}, {NAME_7.split()[0]}: angry",
    ),
    "a login inside a text": ("event.note", f"user={LOGIN_7};"),
    "a number in a number": ("event.number", int(CARD_7)),
    "in a document": ("event.doc", json.dumps({"a": [{"b": EMAIL_7}]})),
    "escaped in a document": ("event.doc", json.dumps({"by": f"Frau {NAME_7}"}, ensure_ascii=True)),
    "in an array": ("event.tags", json.dumps(["red", EMAIL_7])),
    "as part of a URL": ("event.note", f"https://x.de/?to={EMAIL_7.replace('@', '%40')}"),
    "in a blob": ("event.file", f"file of {EMAIL_7}".encode()),
}


@pytest.mark.parametrize("plant", list(PLANTS))
def test_a_single_planted_value_is_found(made, tmp_path, plant):
    where, value = PLANTS[plant]
    table, column = where.split(".")
    clone = tmp_path / "clone.db"
    clone.write_bytes(made[1].read_bytes())
    with contextlib.closing(sqlite3.connect(clone)) as connection, connection:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = 3", (value,))
    found = findings(made, clone)
    assert failed(found) == {where: 1}
    (leak,) = (f for f in found if f.status is Status.FAILED)
    said = f"{leak.subject} {leak.detail} {leak.part}".lower()
    assert leak.part
    for word in (EMAIL_7, *NAME_7.split(), LOGIN_7, DIGITS_7, CARD_7, IBAN_7):
        assert word.lower() not in said


def test_values_of_too_few_entities_are_found(made):
    """A model that shows what one row alone has, and what one person alone has in many rows."""
    source, clone, model = made
    events = model.tables["event"]
    state, note = events.columns["state"], events.columns["note"]
    assert isinstance(state.codec, Category)
    assert isinstance(note.codec, Category)
    lonely = str(event(11)[2])
    with contextlib.closing(sqlite3.connect(source)) as connection:
        holders = "SELECT count(DISTINCT person), count(*) FROM event WHERE note = ?"
        assert connection.execute(holders, (lonely,)).fetchone()[0] >= 5
    assert not rare(model, source, clone)
    for column, word, count in (("state", "sealed", 1), ("state", "nowhere", 0)):
        shown = replace(state.codec, shown=(*state.codec.shown, word))
        told = {**events.columns, column: replace(state, codec=shown)}
        other = replace(model, tables={**model.tables, "event": replace(events, columns=told)})
        with contextlib.closing(sqlite3.connect(source)) as connection, connection:
            connection.execute("UPDATE event SET state = 'sealed' WHERE person = 9")
        try:
            assert rare(other, source, clone) == ({"event.state": 1} if count else {})
        finally:
            with contextlib.closing(sqlite3.connect(source)) as connection, connection:
                connection.execute("UPDATE event SET state = 'new' WHERE state = 'sealed'")


def rare(model: Model, source: Path, clone: Path) -> dict[str, int]:
    found = findings((source, clone, model), clone)
    return failed([f for f in found if f.check == "rare"])


def test_a_word_of_one_customer_in_many_rows_is_not_learnt(tmp_path):
    source = tmp_path / "source.db"
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INT REFERENCES customer);
            CREATE TABLE line (id INTEGER PRIMARY KEY, purchase INT REFERENCES purchase,
                remark TEXT, fee INT, kind TEXT);
            """
        )
        connection.executemany(
            "INSERT INTO customer VALUES (?, ?)", [(i + 1, f"a{i}@firm-{i}.de") for i in range(80)]
        )
        connection.executemany(
            "INSERT INTO purchase VALUES (?, ?)", [(i + 1, i % 80 + 1) for i in range(800)]
        )
        rows = [
            (i + 1, i % 800 + 1, *(("leave with cousin", 7317) if i % 80 == 5 else ("door", 20 + i % 3)),
             ("a", "b")[i % 2])
            for i in range(2400)
        ]  # fmt: skip
        connection.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?)", rows)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{tmp_path}/clone.db")
    assert report.ok
    with contextlib.closing(sqlite3.connect(tmp_path / "clone.db")) as connection:
        assert dict(connection.execute("SELECT remark, count(*) FROM line GROUP BY 1")) == {
            "door": 2400
        }
        assert connection.execute("SELECT count(*) FROM line WHERE fee = 7317").fetchone() == (0,)


def test_copied_rows_and_families_are_found(tmp_path):
    source, clone, path = (tmp_path / name for name in ("source.db", "clone.db", "model"))
    rng = np.random.default_rng(5)
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript(
            """
            CREATE TABLE account (id INTEGER PRIMARY KEY, kind TEXT, limit_ INT);
            CREATE TABLE entry (id INTEGER PRIMARY KEY, account INT REFERENCES account, sort TEXT,
                amount INT);
            """
        )
        kinds = rng.choice(["gold", "blue", "none"], 400)
        rows = [
            (i + 1, kind, int(x))
            for i, (kind, x) in enumerate(zip(kinds, rng.integers(0, 5000, 400), strict=True))
        ]
        connection.executemany("INSERT INTO account VALUES (?, ?, ?)", rows)
        rows = [
            (i + 1, i % 400 + 1, str(s), int(x))
            for i, (s, x) in enumerate(
                zip(rng.choice(["in", "out"], 1600), rng.integers(1, 20, 1600), strict=True)
            )
        ]
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows)
    dbsynth.fit(f"sqlite:///{source}", path)
    dbsynth.load(path, f"sqlite:///{clone}", source=None)
    model = dbsynth.model.load_model(path)

    def compared() -> dict[str, int]:
        return failed(findings((source, clone, model), clone))

    assert compared() == {}  # entries have 40 possible rows: all of them are real
    with contextlib.closing(sqlite3.connect(clone)) as connection, connection:
        connection.execute("ATTACH ? AS real", (str(source),))
        for table in ("entry", "account"):
            connection.execute(f"DELETE FROM {table} WHERE id <= 250")
            connection.execute(f"INSERT INTO {table} SELECT * FROM real.{table} WHERE id <= 250")
    assert set(compared()) == {"account (copied rows)"}
    with contextlib.closing(sqlite3.connect(clone)) as connection, connection:
        connection.execute("ATTACH ? AS real", (str(source),))
        connection.execute("UPDATE account SET limit_ = 0")  # no row is real, but its family is
        connection.execute("DELETE FROM entry")
        connection.execute("INSERT INTO entry SELECT * FROM real.entry")
        connection.execute(
            "UPDATE account SET kind = r.kind, limit_ = r.limit_ FROM real.account r"
            " WHERE r.id = account.id AND r.id <= 250"
        )
    assert "entry(account) -> account (copied families)" in compared()


def test_what_follows_from_a_number_written_as_text_is_no_copy(tmp_path):
    """Numbers from 1 to n are met by any draw, and so is now and then all that hangs on them."""
    source, clone = tmp_path / "source.db", tmp_path / "clone.db"
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE tested (run TEXT, a INT, b TEXT, c INT)")
        rows = [(str(i), i % 100, str(i % 50), i % 25) for i in range(1, 5001)]
        connection.executemany("INSERT INTO tested VALUES (?, ?, ?, ?)", rows)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{clone}", spec=synthesized("tested"))
    (said,) = (f for f in report.findings if f.subject == "tested (copied rows)")
    assert said.status is not Status.FAILED
    assert said.count > 25  # as many as chance gives: one in a hundred


def test_a_list_of_all_combinations_is_no_copy(tmp_path):
    """Each combination is there but once, so two halves share none, and any draw hits them."""
    source, clone = tmp_path / "source.db", tmp_path / "clone.db"
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(
            "CREATE TABLE rate (id INTEGER PRIMARY KEY, zone TEXT, tier TEXT, days INT)"
        )
        cells = [(z, t, d) for z in "abcdefghij" for t in ("x", "y", "z") for d in range(1, 13)]
        rows = [(i + 1, *cell) for i, cell in enumerate(cells) if i % 9]
        connection.executemany("INSERT INTO rate VALUES (?, ?, ?, ?)", rows)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{clone}", spec=synthesized("rate"))
    (said,) = (f for f in report.findings if f.subject == "rate (copied rows)")
    assert said.status is Status.NOTE
    assert said.count > 50


UNIQUE = (
    "CREATE TABLE visit (id INTEGER PRIMARY KEY, person INT REFERENCES person, ward TEXT, day DATE,"
    " weight REAL, pulse INT)"
)


def visits(rows: int, seed: int, persons: int = 300) -> list[tuple[object, ...]]:
    """Rows that are all different, several of each person."""
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 3000, rows)
    return [
        (i + 1, i % persons + 1, "ABCD"[w], f"20{10 + d // 336:02}-{d // 28 % 12 + 1:02}-{d % 28 + 1:02}",
         round(float(kg), 1), int(p))
        for i, (w, d, kg, p) in enumerate(zip(
            rng.integers(0, 4, rows), days, rng.normal(75, 12, rows), rng.integers(50, 120, rows),
            strict=True,
        ))
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [1000, 3000])
def test_three_copied_rows_of_a_hundred_are_found(rows, tmp_path):
    """Rows are all different, so nature gives a clone none of them."""
    source, clone, path = (tmp_path / name for name in ("source.db", "clone.db", "model"))
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT)")
        connection.execute(UNIQUE)
        names = [(i + 1, f"{GIVEN[i % 8]} {FAMILY[i // 8 % 8]}{i}") for i in range(300)]
        connection.executemany("INSERT INTO person VALUES (?, ?)", names)
        connection.executemany(f"INSERT INTO visit VALUES ({marks(6)})", visits(rows, 3))
    dbsynth.fit(f"sqlite:///{source}", path)
    dbsynth.load(path, f"sqlite:///{clone}", source=None)
    made = source, clone, load_model(path)
    assert failed(findings(made, clone)) == {}
    with contextlib.closing(sqlite3.connect(clone)) as connection, connection:
        connection.execute("ATTACH ? AS real", (str(source),))
        connection.execute(
            "UPDATE visit SET ward = r.ward, day = r.day, weight = r.weight, pulse = r.pulse"
            f" FROM real.visit r WHERE r.id = visit.id AND r.id <= {3 * rows // 100}"
        )
    found = {f.subject: f for f in findings(made, clone) if f.status is Status.FAILED}
    assert set(found) == {"visit (copied rows)"}
    said = found["visit (copied rows)"]
    assert said.count >= 3 * rows // 100
    assert said.part.endswith("by heart, as far as they are ward, day, weight, pulse")


def test_rows_that_repeat_by_nature_are_no_copies(tmp_path):
    """Of such a table any other sample of the same population has a tenth of the lone rows."""
    source, clone, path = (tmp_path / name for name in ("source.db", "clone.db", "model"))
    rng = np.random.default_rng(8)

    def drawn(rows: int) -> list[tuple[object, ...]]:
        sizes = np.minimum(rng.geometric(0.02, rows), 400)
        return [
            (i + 1, "ABCDEF"[w], int(size))
            for i, (w, size) in enumerate(zip(rng.integers(0, 6, rows), sizes, strict=True))
        ]

    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE parcel (id INTEGER PRIMARY KEY, sort TEXT, size INT)")
        connection.executemany("INSERT INTO parcel VALUES (?, ?, ?)", drawn(1500))
    dbsynth.fit(f"sqlite:///{source}", path, spec=synthesized("parcel"))
    for scale in (1.0, 3.0):
        dbsynth.load(path, f"sqlite:///{clone}", spec=Spec(scale=scale), replace=True, source=None)
        made = source, clone, load_model(path)
        (said,) = (f for f in findings(made, clone) if f.subject == "parcel (copied rows)")
        assert said.status is Status.NOTE
        with contextlib.closing(sqlite3.connect(clone)) as connection, connection:
            connection.execute("DELETE FROM parcel")  # another sample, and no model at all
            fresh = drawn(int(1500 * scale))
            connection.executemany("INSERT INTO parcel VALUES (?, ?, ?)", fresh)
        (said,) = (f for f in findings(made, clone) if f.subject == "parcel (copied rows)")
        assert said.status is Status.NOTE
        assert said.count > 0.05 * len(fresh)


def test_an_honest_sample_alarms_as_seldom_as_it_is_said():
    """Two samples of one population, 400 times: none is a copy of the other."""
    for turn in range(400):
        rng = np.random.default_rng(turn)
        size = int(10 ** rng.uniform(2, 4))  # of the population
        first, second = (1 + rng.integers(0, size, rows).astype(np.uint64) for rows in (900, 1400))
        owners = np.arange(900, dtype=np.uint64)
        found = judged("rows", "t", Real(first, 900, owners), Made(second, 1400))
        assert found.status is not Status.FAILED
    first, second = (rng.integers(1, 10**9, rows).astype(np.uint64) for rows in (900, 1400))
    found = judged("rows", "t", Real(first, 900, owners), Made(np.r_[first[:60], second], 1460))
    assert found.status is Status.FAILED


def test_a_neighbour_of_a_row_is_as_likely_as_the_row_itself():
    """A model that knows a person to within a week meets him, and as often who is not there."""
    rng = np.random.default_rng(1)
    people = np.unique(rng.integers(0, 10**9, 2000).astype(np.uint64)) * 100 + 1
    owners = np.arange(len(people), dtype=np.uint64)
    guessed = people[rng.integers(0, len(people), 2000)] + rng.integers(0, 20, 2000).astype(
        np.uint64
    )
    made = Made(guessed, 2000)
    near = ((people, people + np.uint64(1)),)
    plain = Real(people, len(people), owners)
    assert judged("rows", "t", plain, made).status is Status.FAILED
    assert judged("rows", "t", replace(plain, near=near), made).status is Status.NOTE
    copied = Made(people[rng.integers(0, len(people), 100)], 2000)
    assert judged("rows", "t", replace(plain, near=near), copied).status is Status.FAILED


@pytest.mark.parametrize(
    ("hits", "trials", "others", "of", "by_hand"),
    [
        (3, 1, 0, 1, 1 / 8),
        (3, 2, 0, 1, 8 / 27),
        (1, 1, 5, 1, 1.0),
        (17, 600, 0, 600, 2.0**-17),
    ],
)
def test_counts_are_set_beside_each_other_by_a_binomial(hits, trials, others, of, by_hand):
    assert more_often(hits, trials, others, of) == pytest.approx(by_hand)


def synthesized(table: str) -> Spec:
    return Spec.parse({"tables": {table: {"strategy": "synthesize"}}}, {})


STATEMENTS = {
    "default": f"CREATE TABLE other (id INTEGER PRIMARY KEY, contact TEXT DEFAULT '{EMAIL_7}')",
    "check": f"CREATE TABLE other (id INTEGER PRIMARY KEY, a TEXT CHECK (a <> '{EMAIL_7}'))",
    "view": f"CREATE VIEW other AS SELECT * FROM person WHERE card = '{GROUPED}'",
    "index": f"CREATE INDEX other ON person (city) WHERE iban <> '{IBAN_7}'",
    "comment": f"CREATE TABLE other (id INTEGER PRIMARY KEY /* ask {DIGITS_7} */)",
}


@pytest.mark.parametrize("where", list(STATEMENTS))
def test_a_value_in_the_structure_stops_the_run(made, tmp_path, where):
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    source.write_bytes(made[0].read_bytes())
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(STATEMENTS[where])
    target.write_bytes(made[1].read_bytes())
    before = target.read_bytes()
    with pytest.raises(VerificationFailed) as raised:
        dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", replace=True, explain=True)
    assert target.read_bytes() == before
    assert raised.value.exit_code == 1
    assert "other" in raised.value.message
    assert "let through by the structure of the source" in raised.value.message
    assert not any(word in raised.value.message for word in (EMAIL_7, IBAN_7, DIGITS_7, CARD_7))


def test_a_leak_in_a_new_clone_leaves_the_target_and_is_explained(made, tmp_path):
    """A column that the database computes from a function of its own making."""
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    source.write_bytes(made[0].read_bytes())
    letters = "||".join(f"char({ord(c)})" for c in EMAIL_7)
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(f"ALTER TABLE event ADD COLUMN to_ TEXT AS ({letters})")
    target.write_bytes(made[1].read_bytes())
    before = target.read_bytes()
    with pytest.raises(VerificationFailed) as raised:
        dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", replace=True, explain=True)
    assert "leak event.to_: 600 of 600 values are real" in raised.value.message
    assert "(let through by a generated column: the database computes it" in raised.value.message
    assert EMAIL_7 not in raised.value.message + raised.value.hint
    assert target.read_bytes() == before


@pytest.fixture
def leaking(made, tmp_path) -> tuple[str, str, Path]:
    """A source whose clone has a real value in every row of `event.to_`; the target exists."""
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    source.write_bytes(made[0].read_bytes())
    letters = "||".join(f"char({ord(c)})" for c in EMAIL_7)
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(f"ALTER TABLE event ADD COLUMN to_ TEXT AS ({letters})")
    target.write_bytes(made[1].read_bytes())
    return f"sqlite:///{source}", f"sqlite:///{target}", target


def accepting(**more: object) -> Spec:
    said = {"finding": "leak event.to_", "at_most": 600, "approved_by": "Ann", "reason": "public"}
    return Spec.parse({"accepted": [{**said, **more}]}, {})


def test_a_finding_that_somebody_answers_for_passes_and_is_counted(leaking, tmp_path, capsys):
    source, target, file = leaking
    before = file.read_bytes()
    assert run(["clone", source, target, "--replace"]) == 1
    lines = capsys.readouterr().err.splitlines()
    at = lines.index("accepted:")
    assert lines[at + 1] == (
        '  - {finding: "leak event.to_", at_most: 600, approved_by: , reason: }'
    )
    spec = tmp_path / "spec.yaml"
    spec.write_text("\n".join(lines[at : at + 2]), encoding="utf-8")
    arguments = ["clone", source, target, "--replace", "--spec", str(spec)]
    assert run(arguments) == 2  # nobody has answered yet
    assert "line 2: an entry of `accepted` lacks `approved_by` and `reason`" in (
        capsys.readouterr().err
    )
    assert file.read_bytes() == before
    filled = spec.read_text(encoding="utf-8").replace("by: ,", "by: Ann,").replace(": }", ": ok}")
    spec.write_text(filled, encoding="utf-8")
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert (
        "ACCEPTED  leak event.to_: 600 of 600 values are real (values of person.email);"
        " accepted by Ann: ok\n"
    ) in shown
    assert " 0 failed, 1 accepted" in shown
    assert EMAIL_7 not in shown


def test_one_more_than_was_accepted_is_a_failure(leaking):
    source, target, file = leaking
    before = file.read_bytes()
    with pytest.raises(VerificationFailed) as raised:
        dbsynth.clone(source, target, replace=True, spec=accepting(at_most=599))
    assert "real (values of person.email), more than the 599 that Ann accepted" in (
        raised.value.message
    )
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("finding", "message"),
    [
        ("leak event.of", "the gate knows no finding `leak event.of` to accept"),
        ("foreign key event(person)", "the gate knows no finding `foreign key event(person)`"),
        ("leak event.tags", "nothing is found for `leak event.tags` to accept"),
    ],
)
def test_a_line_that_accepts_nothing_is_an_error(finding, message, leaking):
    source, target, file = leaking
    before = file.read_bytes()
    with pytest.raises(SpecError, match=re.escape(message)):
        dbsynth.clone(source, target, replace=True, spec=accepting(finding=finding))
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"accepted": [{"finding": "leak a.b", "at_most": 1, "reason": "x"}]}, "lacks"),
        (
            {"accepted": [{"finding": "leak a.b", "at_most": 1, "approved_by": " ", "reason": "x"}]},
            "is empty",
        ),
        ({"accepted": 2 * [{"finding": "leak a.b", "at_most": 1, "approved_by": "A", "reason": "x"}]},
         "`leak a.b` is accepted twice"),
        ({"engine": "dp",
          "accepted": [{"finding": "leak a.b", "at_most": 1, "approved_by": "A", "reason": "x"}]},
         "nothing can be accepted: no clone of `engine: dp` is searched"),
    ],
)  # fmt: skip
def test_nobody_accepts_without_a_name(said, message):
    with pytest.raises(SpecError, match=message):
        Spec.parse(said, {})


def test_a_broken_rule_stops_a_strict_run_alone(tmp_path, capsys):
    """Two rules that somebody declared, and of which only one can be kept."""
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(
            "CREATE TABLE span (id INTEGER PRIMARY KEY, a INT NOT NULL, b INT NOT NULL)"
        )
        rows = [(i, i % 40, i % 40 + 1 + i % 7) for i in range(300)]
        connection.executemany("INSERT INTO span VALUES (?, ?, ?)", rows)
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "rules: [span.a >= span.b, span.b = span.a + 3]\non_broken_rule: note\n", encoding="utf-8"
    )
    arguments = ["clone", f"sqlite:///{source}", f"sqlite:///{target}", "--spec", str(spec)]
    assert run([*arguments, "--strict"]) == 1
    assert "rule span.a >= span.b: 300 of 300 rows break it" in capsys.readouterr().err
    assert not target.exists()
    assert run(arguments) == 0
    assert "1 rule not kept" in capsys.readouterr().out


def test_what_cannot_be_read_stops_the_run(made, tmp_path):
    """A gate that is blind is shut: the source goes away between fitting and looking."""
    _, clone, model = made
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    with (
        open_database(f"sqlite:///{empty}") as real,
        open_database(f"sqlite:///{clone}") as synthetic,
        pytest.raises(DbsynthError),
    ):
        list(examine(real, synthetic, model))


def test_a_clone_without_its_source_says_that_nobody_looked(made, tmp_path, capsys):
    _, _, model = made
    path = tmp_path / "model"
    model.save(path)
    report = dbsynth.load(path, f"sqlite:///{tmp_path}/clone.db", source=None)
    (note,) = (f for f in report.findings if f.check == "leak")
    assert note.status is Status.NOTE
    assert "the source is not at hand" in note.detail
    report = dbsynth.load(path, f"sqlite:///{tmp_path}/looked.db", source=f"sqlite:///{made[0]}")
    assert sum(f.check == "leak" for f in report.findings) > 10
    target, source = f"sqlite:///{tmp_path}/c.db", f"sqlite:///{made[0]}"
    assert run(["load", str(path), "--to", target]) == 2
    assert "nobody would search the clone for real values" in capsys.readouterr().err
    assert not (tmp_path / "c.db").exists()
    assert run(["load", str(path), "--to", target, "--source", source, "--unsearched"]) == 2
    capsys.readouterr()
    assert run(["load", str(path), "--to", target, "--unsearched"]) == 0
    assert "WARNING: NOBODY SEARCHED THIS CLONE" in capsys.readouterr().out
    assert run(["load", str(path), "--to", target, "--replace", "--unsearched", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gate"] == "not searched"
    assert run(["load", str(path), "--to", target, "--replace", "--source", source]) == 0
    assert "WARNING" not in capsys.readouterr().out
    assert run(["load", str(path), "--to", target, "--replace", "--source", source, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gate"] == "searched"


def test_rows_are_counted_also_where_values_repeat(made, tmp_path):
    clone = tmp_path / "clone.db"
    clone.write_bytes(made[1].read_bytes())
    with contextlib.closing(sqlite3.connect(clone)) as connection, connection:
        connection.execute("UPDATE event SET state = ? WHERE rowid % 2", (EMAIL_7,))
    assert failed(findings(made, clone)) == {"event.state": 300}


@pytest.mark.parametrize("most", [1, 300])
def test_what_does_not_fit_at_once_is_searched_in_turns(made, tmp_path, most):
    clone = tmp_path / "clone.db"
    clone.write_bytes(made[1].read_bytes())
    with contextlib.closing(sqlite3.connect(clone)) as connection, connection:
        connection.execute("UPDATE event SET state = ? WHERE rowid = 5", (NAME_7,))
        connection.execute("UPDATE person SET iban = ? WHERE rowid = 5", (IBAN_7,))
    assert failed(findings(made, clone, most)) == {"event.state": 1, "person.iban": 1}


@pytest.mark.parametrize(
    ("hits", "expected", "kind", "leak"),
    [
        (0, 0.0, SURE, False),
        (1, 0.0, SURE, True),
        (1, 5e-5, NUMBER, True),
        (1, 5e-3, NUMBER, False),
        (40, 30.0, WORDS, False),
        (90, 30.0, WORDS, True),
        (2, 0.0, WORD, False),  # two logins that are plain words
        (3, 0.0, WORD, True),
    ],
)
def test_how_many_hits_are_more_than_chance(hits, expected, kind, leak):
    assert too_many(hits, expected, kind) is leak


def test_the_tail_is_that_of_poisson():
    by_hand = 1 - sum(math.exp(-3) * 3**i / math.factorial(i) for i in range(7))
    assert tail(7, 3.0) == pytest.approx(by_hand)
    assert tail(3, 3.0) == 1.0


@pytest.mark.parametrize("digits", [4, 5, 7])
def test_numbers_of_a_small_space_meet_by_chance(digits, tmp_path):
    """Half of all codes are in use, so that half of any other codes are real."""
    source, clone, path = (tmp_path / name for name in ("source.db", "clone.db", "model"))
    first, rng = 10 ** (digits - 1), np.random.default_rng(digits)
    codes = first + rng.choice(4000, 2000, replace=False)
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE visit (id INTEGER PRIMARY KEY, badge TEXT, ward TEXT)")
        rows = [(i, f"{code}", "ABC"[i % 3]) for i, code in enumerate(codes.tolist())]
        connection.executemany("INSERT INTO visit VALUES (?, ?, ?)", rows)
    columns = {"id": "key", "badge": "text:pattern", "ward": "category"}
    spec = Spec.parse({"tables": {"visit": {"columns": columns}}}, {})
    dbsynth.fit(f"sqlite:///{source}", path, spec=spec)
    dbsynth.load(path, f"sqlite:///{clone}", source=None)
    drawn = first + rng.choice(4000, 2000)
    with contextlib.closing(sqlite3.connect(clone)) as connection, connection:
        rows = [(f"{code}", i) for i, code in enumerate(drawn.tolist())]
        connection.executemany("UPDATE visit SET badge = ? WHERE id = ?", rows)
    found = findings((source, clone, load_model(path)), clone)
    assert failed(found) == {}
    (said,) = (f for f in found if f.subject == "visit.badge" and f.check == "leak")
    assert said.status is Status.NOTE
    assert said.count > 600
