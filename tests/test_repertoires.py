"""What families use at all, and values that stand for nobody."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import dbsynth
from dbsynth.classify import blanks_of, without
from dbsynth.codec import Alphabet, Presence
from dbsynth.learn.reach import reaches_of
from dbsynth.learn.repertoires import ANY, FIRST, NO_ROWS, kept, repertoires_of
from dbsynth.model import Repertoire, load_model
from dbsynth.pipeline import fit

BANK = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, phone TEXT NOT NULL);
CREATE TABLE payment (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customer(id),
    kind TEXT NOT NULL, account_number INTEGER);
"""
CUSTOMERS = 240
KINDS = ("cash", "card", "transfer", "cheque", "voucher")
USES = (("cash",), ("card", "transfer"), ("cash", "card"), ("transfer", "cheque", "voucher"))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Customers keep to some kinds of payment; cash has account 0, a third has phone `-`."""
    path = tmp_path_factory.mktemp("bank") / "bank.db"
    rng = np.random.default_rng(5)
    people, payments = [], []
    for i in range(1, CUSTOMERS + 1):
        phone = "-" if i % 3 == 0 else f"+49 30 {rng.integers(10**6, 10**7)}"
        people.append((i, f"somebody{i}@mail{i % 5}.org", phone))
        account = int(rng.integers(10**8, 10**9))
        for _ in range(int(rng.integers(8, 24))):
            kind = str(rng.choice(USES[i % len(USES)]))
            number = {"cash": 0, "voucher": None}.get(kind, account)
            payments.append((i, kind, number))
    with closing(sqlite3.connect(path)) as db:
        db.executescript(BANK)
        db.executemany("INSERT INTO customer VALUES (?, ?, ?)", people)
        db.executemany("INSERT INTO payment VALUES (NULL, ?, ?, ?)", payments)
        db.commit()
    return path


@pytest.fixture(scope="module")
def clone(bank: Path) -> Path:
    target = bank.with_name("clone.db")
    dbsynth.clone(f"sqlite:///{bank}", f"sqlite:///{target}")
    return target


def column(path: Path, query: str) -> list[object]:
    with closing(sqlite3.connect(path)) as db:
        return [value for (value,) in db.execute(query)]


def test_families_use_what_families_of_the_source_use(bank: Path, clone: Path) -> None:
    query = "SELECT group_concat(DISTINCT kind) FROM payment GROUP BY customer"
    uses = [Counter(frozenset(str(u).split(",")) for u in column(p, query)) for p in (bank, clone)]
    assert all(any(use <= real for real in uses[0]) for use in uses[1])
    # Each repertoire is drawn for its share of 240 customers: a deviation of at most 7.
    assert all(abs(uses[1][use] - n) <= 30 for use, n in uses[0].items() if n > 20)


def test_values_that_stand_for_nobody_come_back_as_they_are(bank: Path, clone: Path) -> None:
    phones = [Counter(column(p, "SELECT phone FROM customer")) for p in (bank, clone)]
    # A third of 240 is drawn with a deviation of 7.
    assert abs(phones[0]["-"] - phones[1]["-"]) <= 28
    assert set(phones[0]) & set(phones[1]) == {"-"}
    mixed = "SELECT count(*) FROM payment WHERE (kind = 'cash') <> (account_number IS 0)"
    assert column(bank, mixed) == [0]
    assert column(clone, mixed)[0] <= 0.02 * len(column(clone, "SELECT 1 FROM payment"))  # type: ignore[operator]
    numbers = "SELECT DISTINCT account_number FROM payment"
    assert set(column(bank, numbers)) & set(column(clone, numbers)) == {0, None}


def test_a_model_file_tells_blanks_and_repertoires(bank: Path, tmp_path: Path) -> None:
    model, _ = fit(f"sqlite:///{bank}", tmp_path / "bank.model")
    read = load_model(tmp_path / "bank.model")
    facts, again = model.tables["payment"], read.tables["payment"]
    assert "column:kind" in [r.variable for r in again.repertoires]
    for left, right in zip(facts.repertoires, again.repertoires, strict=True):
        assert left.variable == right.variable
        assert (left.shares == right.shares).all()
    assert again.columns["account_number"].blanks == ("0",)
    assert read.tables["customer"].columns["phone"].blanks == ("-",)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["-"] * 5 + ["030 1234"] * 5, ("-",)),
        (["N/A"] * 5 + ["none"] * 5 + ["x@y.z"] * 90, ("N/A", "none")),
        (["unknown"] * 4 + ["x@y.z"] * 96, ()),  # four may be four persons
        (["-"] * 5 + ["x@y.z"] * 995, ()),  # as rare as any other
        (["Nguyen"] * 50 + ["Null Island"] * 50, ()),
        ([0] * 30 + list(range(1000, 1070)), ("0",)),
        ([7] * 30 + list(range(1000, 1070)), ()),
        ([0.0] * 30 + [1.5] * 70, ("0",)),
        ([], ()),
        ([None] * 9, ()),
    ],
)
def test_blanks_are_shared_and_mean_none(values: list[object], found: tuple[str, ...]) -> None:
    array = pa.array(values) if values else pa.array([], pa.string())
    assert blanks_of(array, max(len(values), 100)) == found
    left = without(array, found)
    assert left.null_count == array.null_count + sum(str(v) in found or v == 0 for v in values)


def test_presence_has_codes_for_blanks() -> None:
    codec = Presence(always=False, blanks=("-", "?"))
    codes = codec.encode(pa.array(["-", None, "030", "?"]))
    assert codes.tolist() == [1, 0, 3, 2]
    assert codec.unnamed(pa.array(["-", None, "030", "?"])).tolist() == [False, False, True, False]
    assert codec.alphabet.size == 4


def test_repertoires_are_found_where_families_differ_in_them() -> None:
    rng = np.random.default_rng(2)
    links = np.repeat(np.arange(100), 12)
    own = np.where(links % 2 == 0, rng.integers(1, 3, 1200), rng.integers(3, 5, 1200))
    any_ = rng.integers(1, 5, 1200)
    codes = {"column:own": own.astype(np.uint16), "column:any": any_.astype(np.uint16)}
    alphabets = dict.fromkeys(codes, Alphabet(5, ordered=False))
    ((found, kinds),) = repertoires_of(codes, alphabets, links, 101)
    assert found.variable == "column:own"
    assert kinds[100] == NO_ROWS
    assert sorted({int(k) for k in kinds[:100]} - {ANY}) == [FIRST, FIRST + 1]


def test_what_a_family_does_not_use_is_drawn_again() -> None:
    shares = np.array([[0, 9, 9, 9], [0, 9, 9, 9], [5, 8, 0, 2], [7, 0, 0, 0]])
    codes = np.array([2, 2, 1, 0, 2, 3], np.uint16)
    kinds = np.array([ANY, FIRST, FIRST, FIRST, FIRST + 1, FIRST], np.uint16)
    found = kept(Repertoire("column:x", shares), kinds, codes, np.full(6, 0.9))
    assert found.tolist() == [2, 3, 1, 0, 0, 3]  # NULL only where nothing else is used


def test_families_have_a_reach_where_they_are_long_and_numbers_many() -> None:
    rng = np.random.default_rng(4)
    links = np.repeat(np.arange(90), 12)
    scale = rng.integers(20, 90, 90)
    codes = {
        "column:x": (4 + rng.random(1080) * scale[links]).astype(np.uint16),
        "column:few": rng.integers(4, 9, 1080).astype(np.uint16),
    }
    alphabets = {"column:x": Alphabet(100, ordered=True), "column:few": Alphabet(9, ordered=True)}
    found = list(reaches_of(codes, alphabets, list(codes), links, 91))
    assert [(side, name) for side, name, _, _ in found] == [
        ("most", "column:x"),
        ("least", "column:x"),
    ]
    _, _, steps, alphabet = found[0]
    assert steps[90] == 0
    assert alphabet.size == int(steps.max()) + 1 <= 11  # ten families a step
    largest = np.zeros(90, np.int64)
    np.maximum.at(largest, links, codes["column:x"].astype(np.int64))
    assert np.all(np.diff(steps[:90][np.argsort(largest, kind="stable")].astype(int)) >= 0)
    short = np.arange(1080) // 7
    assert not list(reaches_of(codes, alphabets, list(codes), short, 155))
