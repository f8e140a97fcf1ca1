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
            entry = {
                "actor": who[2].upper(),
                "action": WORDS[i % 5],
                "size": int(rng.integers(1, 99)),
            }
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
