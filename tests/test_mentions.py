"""Persons inside texts and documents are those of the table that they are of."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import dbsynth
from dbsynth.generate import BLOCK_ROWS
from dbsynth.model import load_model

SCHEMA = """
CREATE TABLE staff (
    id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT UNIQUE, city TEXT);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at TIMESTAMP, entry JSON, remark TEXT);
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY, staff_id INTEGER REFERENCES staff (id), body TEXT, meta JSON);
"""
GIVEN = ("Anna", "Berta", "Carla", "Doris", "Emma", "Frieda", "Greta", "Hanna", "Ida", "Jana")
FAMILY = ("Abel", "Bach", "Conrad", "Dietz", "Ebert", "Fuchs", "Gross", "Horn")
WORDS = ("printer", "does", "not", "work", "again", "after", "the", "update", "of", "today", "since",
         "monday", "please", "help", "with", "report", "window", "screen", "cable", "key")  # fmt: skip


def _words(rng: np.random.Generator, count: int) -> list[str]:
    return [WORDS[i] for i in rng.integers(0, len(WORDS), count)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, rng = tmp_path_factory.mktemp("mentions") / "source.db", np.random.default_rng(8)
    people = [(g, f, f"{g}.{f}@corp.test".lower()) for f in FAMILY for g in GIVEN]
    popular = rng.pareto(1.2, len(people)) + 0.2
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA)
        for i, (given, family, mail) in enumerate(people):
            row = (i + 1, given, family, mail, f"Town {i % 7}")
            connection.execute("INSERT INTO staff VALUES (?, ?, ?, ?, ?)", row)
        for i in range(900):
            who = people[rng.choice(len(people), p=popular / popular.sum())]
            author, reader = (people[j] for j in rng.integers(0, len(people), 2))
            entry = {
                "actor": who[2].upper(), "action": WORDS[i % 5], "size": int(rng.integers(1, 99)),
                "author": {"mail": author[2], "name": f"{author[0]} {author[1]}"},
                "reader_name": f"{reader[0]} {reader[1]}", "reader_email": reader[2],
            }  # fmt: skip
            words = _words(rng, 9)
            if i % 2:
                words.insert(4, f"{who[0]} {who[1]}")
            row = (i + 1, f"2024-01-{1 + i % 28:02} 10:00:00", json.dumps(entry), " ".join(words))
            connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", row)
            staff = int(rng.integers(0, len(people)))
            body = f"Ticket by {people[staff][2]}: {' '.join(_words(rng, 12))}"
            meta = {"assignees": [{"mail": people[j][2]} for j in rng.integers(0, 80, i % 3)],
                    "note": " ".join(_words(rng, 6)) + str(i)}  # fmt: skip
            row = (i + 1, staff + 1, body, json.dumps(meta))
            connection.execute("INSERT INTO ticket VALUES (?, ?, ?, ?)", row)
    return path


@pytest.fixture(scope="module")
def clone(source: Path) -> Iterator[sqlite3.Connection]:
    target = source.with_name("clone.db")
    assert dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}").ok
    with closing(sqlite3.connect(target)) as connection:
        yield connection


def mails(connection: sqlite3.Connection) -> dict[int, str]:
    found = dict(connection.execute("SELECT id, email FROM staff"))
    assert not any("corp.test" in mail for mail in found.values())
    return found


def test_an_address_in_a_document_is_that_of_a_person(clone: sqlite3.Connection) -> None:
    """In its own case, and as unevenly as in the source."""
    known = {mail.upper() for mail in mails(clone).values()}
    actors = [json.loads(e)["actor"] for (e,) in clone.execute("SELECT entry FROM audit")]
    assert set(actors) <= known
    counts = sorted(Counter(actors).values(), reverse=True)
    assert 25 < len(counts) <= 80
    assert sum(counts[:8]) > 0.3 * len(actors)


def test_leaves_of_one_object_are_of_one_person(clone: sqlite3.Connection) -> None:
    rows = clone.execute("SELECT email, first_name || ' ' || last_name FROM staff").fetchall()
    entries = [json.loads(e) for (e,) in clone.execute("SELECT entry FROM audit")]
    assert {(e["author"]["mail"], e["author"]["name"]) for e in entries} <= set(rows)
    assert {(e["reader_email"], e["reader_name"]) for e in entries} <= set(rows)
    assert sum(e["author"]["mail"] == e["reader_email"] for e in entries) < 0.1 * len(entries)


def test_addresses_in_lists_are_those_of_persons(clone: sqlite3.Connection) -> None:
    known = set(mails(clone).values())
    rows = [json.loads(m)["assignees"] for (m,) in clone.execute("SELECT meta FROM ticket")]
    found = [who["mail"] for row in rows for who in row]
    assert len(found) > 500
    assert set(found) <= known
    assert len(set(found)) > 40
    assert sum(len({w["mail"] for w in row}) == 2 for row in rows if len(row) == 2) > 100


def test_a_text_names_the_person_of_its_row(clone: sqlite3.Connection) -> None:
    known = mails(clone)
    rows = clone.execute("SELECT staff_id, body FROM ticket").fetchall()
    named = [(staff, re.search(r"[\w.]+@[\w.]+\w", body)) for staff, body in rows]
    assert sum(spot is not None for _, spot in named) > 0.97 * len(rows)
    assert all(spot[0] == known[staff] for staff, spot in named if spot)
    assert sum(spot.start() < 20 for _, spot in named if spot) > 0.9 * len(rows)
    lengths = [len(body) for _, body in rows]
    assert 60 < np.mean(lengths) < 140


def test_a_name_in_a_text_is_that_of_a_person(clone: sqlite3.Connection) -> None:
    people = {f"{g} {f}" for g, f in clone.execute("SELECT first_name, last_name FROM staff")}
    rows = [text for (text,) in clone.execute("SELECT remark FROM audit")]
    named = [any(who in text for who in people) for text in rows]
    assert 0.4 < np.mean(named) < 0.6
    assert not any(f"{g} {f}" in text for text in rows for g in GIVEN for f in FAMILY)


def test_a_model_file_keeps_who_is_named(source: Path, tmp_path: Path) -> None:
    model, _ = dbsynth.fit(f"sqlite:///{source}", tmp_path / "model")
    read = load_model(tmp_path / "model")
    for table, column in (("ticket", "body"), ("audit", "remark")):
        assert (
            read.tables[table].columns[column].mention
            == model.tables[table].columns[column].mention
        )
    assert read.tables["ticket"].columns["body"].mention.key.parent == "staff"
    assert read.tables["audit"].columns["remark"].mention.key is None
    assert b"corp" not in (tmp_path / "model").read_bytes()


def test_texts_that_name_nobody_are_left_alone(tmp_path: Path) -> None:
    source = tmp_path / "source.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript(SCHEMA)
        for i in range(80):
            row = (i, GIVEN[i % 10], FAMILY[i // 10], f"p{i}@corp.test", "Town")
            connection.execute("INSERT INTO staff VALUES (?, ?, ?, ?, ?)", row)
        for i in range(200):
            row = (
                i,
                "2024-01-01",
                json.dumps({"actor": f"x{i % 50}@else.test"}),
                f"mail x{i}@else.test",
            )
            connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", row)
    model, _ = dbsynth.fit(f"sqlite:///{source}", tmp_path / "model")
    columns = model.tables["audit"].columns
    assert columns["remark"].mention is None
    assert all(piece.model.mention is None for piece in columns["entry"].pieces.values())


OTHERS = ("John", "Mary", "Peter", "Susan", "Paul", "Linda", "Mark", "Karen")
VARIANTS = """
CREATE TABLE customer (
    id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT UNIQUE, phone TEXT, login TEXT,
    profile JSON);
CREATE TABLE subscriber (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, since DATE);
CREATE TABLE call (id INTEGER PRIMARY KEY, phone TEXT, minutes INTEGER);
CREATE TABLE login_log (id INTEGER PRIMARY KEY, email_address TEXT, at TIMESTAMP, ok BOOLEAN);
CREATE TABLE visit (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id), contact_email TEXT, day DATE);
"""


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """The same persons in five tables without a key, in other case and form."""
    path, rng = tmp_path_factory.mktemp("variants") / "source.db", np.random.default_rng(2)
    people = [
        (g + h, f + s) for f in FAMILY for g in GIVEN for h in ("", "lena") for s in ("", "er")
    ]
    rng.shuffle(people)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(VARIANTS)
        mail = [f"{g}.{f}@Corp.com" for g, f in people]
        phone = [f"+49 30 {3_000_000 + 7 * i}" for i in range(len(people))]
        for i, (given, family) in enumerate(people):
            row = (i + 1, given, family, mail[i], phone[i], f"{given}{family}{i}".lower(),
                   json.dumps({"mail": mail[i].upper(), "visits": i % 9}))  # fmt: skip
            connection.execute("INSERT INTO customer VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        for i, j in enumerate(rng.permutation(len(people))[:200]):
            known = i % 10 < 6  # the others are no customers
            row = (i + 1, mail[j].lower() if known else f"guest{i}@else.org",
                   " ".join(people[j]).upper() if known else f"{OTHERS[i % 8]} {GIVEN[i % 9]}SON".upper(),
                   "2024-01-01")  # fmt: skip
            connection.execute("INSERT INTO subscriber VALUES (?, ?, ?, ?)", row)
        for i in range(250):
            row = (i + 1, "0049/30-" + phone[rng.integers(0, 320)][7:], int(rng.integers(1, 60)))
            connection.execute("INSERT INTO call VALUES (?, ?, ?)", row)
        for i in range(300):
            row = (i + 1, mail[i % 12].upper(), f"2024-02-01 10:00:{i % 60:02}", i % 3 > 0)
            connection.execute("INSERT INTO login_log VALUES (?, ?, ?, ?)", row)
            at = int(rng.integers(0, 320))
            row = (i + 1, at + 1, mail[at].lower(), "2024-03-01")
            connection.execute("INSERT INTO visit VALUES (?, ?, ?, ?)", row)
    target = path.with_name("clone.db")
    assert dbsynth.clone(f"sqlite:///{path}", f"sqlite:///{target}").ok
    with closing(sqlite3.connect(target)) as connection:
        yield path, connection


def column(connection: sqlite3.Connection, table: str, name: str) -> list[str]:
    return [value for (value,) in connection.execute(f"SELECT {name} FROM {table} ORDER BY id")]


def test_a_person_without_a_key_keeps_the_case_of_each_table(variants) -> None:
    _, clone = variants
    mails = column(clone, "customer", "email")
    assert all(
        re.fullmatch(r"[A-Z][a-z]+\.[A-Z][a-z]+\d*@Example\.(com|org|net)", m) for m in mails
    )
    folded = {mail.lower() for mail in mails}
    found = column(clone, "subscriber", "email")
    assert all(mail == mail.lower() for mail in found)
    assert len(set(found)) == 200
    assert 100 < len(set(found) & folded) < 140  # six of ten, as in the source


def test_the_columns_of_a_row_are_of_one_person(variants) -> None:
    _, clone = variants
    people = clone.execute(
        "SELECT lower(email), upper(first_name || ' ' || last_name) FROM customer"
    )
    named = dict(people.fetchall())
    rows = clone.execute("SELECT email, name FROM subscriber").fetchall()
    same = [name == named[mail] for mail, name in rows if mail in named]
    assert len(same) > 100
    assert all(same)


def test_a_number_is_written_as_in_its_table(variants) -> None:
    _, clone = variants
    digits = {re.sub(r"\D", "", phone) for phone in column(clone, "customer", "phone")}
    calls = column(clone, "call", "phone")
    found = {re.sub(r"\D", "", phone).removeprefix("00") for phone in calls}
    assert len(found & digits) > 0.9 * len(found)
    assert len(found) > 100


def test_values_that_repeat_are_those_of_the_same_few_persons(variants) -> None:
    _, clone = variants
    mails = {mail.upper() for mail in column(clone, "customer", "email")}
    found = Counter(column(clone, "login_log", "email_address"))
    assert set(found) <= mails
    assert 8 <= len(found) <= 12


def test_a_document_of_a_person_names_the_person(variants) -> None:
    _, clone = variants
    rows = clone.execute("SELECT email, profile FROM customer").fetchall()
    assert all(json.loads(profile)["mail"] == mail.upper() for mail, profile in rows)


def test_a_variant_follows_the_key_of_its_row(variants) -> None:
    _, clone = variants
    rows = clone.execute(
        "SELECT lower(c.email), v.contact_email FROM visit v JOIN customer c ON c.id = v.customer_id"
    ).fetchall()
    assert len(rows) == 300
    assert all(one == other for one, other in rows)


@pytest.mark.slow
def test_who_is_named_does_not_depend_on_the_block(source: Path, tmp_path: Path) -> None:
    """Tickets of the second block of rows name whom their keys lead to, too."""
    spec = dbsynth.Spec(scale=60)
    assert BLOCK_ROWS < 900 * 60
    target = tmp_path / "clone.db"
    assert dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=spec).ok
    with closing(sqlite3.connect(target)) as clone:
        known = mails(clone)
        rows = clone.execute("SELECT staff_id, body FROM ticket WHERE id > 50000").fetchall()
    named = [
        (staff, spot[0]) for staff, body in rows if (spot := re.search(r"[\w.]+@[\w.]+\w", body))
    ]
    assert len(named) > 3_000
    assert all(mail == known[staff] for staff, mail in named)
