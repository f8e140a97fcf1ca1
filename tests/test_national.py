"""Numbers of persons tell the day of birth and the sex of their row, and are right by python-stdnum."""

from __future__ import annotations

import importlib
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from stdnum.pl import pesel
from stdnum.se import personnummer

import dbsynth
from dbsynth.identifiers import PROVIDERS
from dbsynth.identifiers.national import LAYOUTS, Born, layout_of
from dbsynth.identifiers.places import place_of
from dbsynth.identifiers.traits import Traits
from dbsynth.schema import Column, Kind

ROWS = 2_000
FIRST_MARKS = {"it": "Z9", "fr": "9999", "cn": "990101", "ro": "47"}  # of places that are nobody's


def born(rows: int = ROWS) -> np.ndarray:
    rng = np.random.default_rng(5)
    return np.datetime64("1930-01-01") + rng.integers(0, 33_000, rows)


def drawn(layout: str, shape: str = "", **known: np.ndarray) -> list[str]:
    traits = Traits(
        (place_of("sv_SE"),), np.zeros(ROWS, np.int64),
        known.get("female", np.full(ROWS, -1)).astype(np.int8), sexed="female" in known,
        born=known.get("born"),
    )  # fmt: skip
    width = "#" * LAYOUTS[layout].written(_one()).shape[1]
    state = {"layout": layout, "shape": shape or width, "locale": "sv_SE", "limit": None,
             "unique": False}  # fmt: skip
    index = np.arange(ROWS, dtype=np.uint64)
    values: list[str] = PROVIDERS["national_id"].draw_of(state, index, traits, key=7).to_pylist()
    return values


def _one() -> Born:
    year, one = np.array([1980]), np.array([1])
    return Born(year, one, one, one, one.astype(np.uint64), (pa.array(["ann"]), pa.array(["lee"])))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_number_tells_birth_and_sex(layout: str) -> None:
    days, female = born(), (np.arange(ROWS) % 2).astype(np.int8)
    numbers = drawn(layout, born=days, female=female)
    module = importlib.import_module(f"stdnum.{LAYOUTS[layout].module}")
    assert len(set(numbers)) > 0.97 * ROWS
    for number, day, woman in zip(numbers, days, female, strict=True):
        if layout == "cn":  # of no region
            assert module.calc_check_digit(number) == number[-1]
        elif layout == "fi":
            assert module.is_valid(number, allow_temporary=True)
        else:
            assert module.is_valid(number)
        if hasattr(module, "get_birth_date") and layout != "cn":
            told = module.get_birth_date(number)
            assert (told.month, told.day) == (day.item().month, day.item().day)
            assert told.year % 100 == day.item().year % 100
        if hasattr(module, "get_gender"):
            assert module.get_gender(number) == ("F" if woman else "M")
    if layout in FIRST_MARKS:
        assert all(FIRST_MARKS[layout] in number for number in numbers)


@pytest.mark.parametrize("layout", ["se", "pl", "dk", "it", "za"])
def test_without_birth_and_sex_numbers_are_still_right(layout: str) -> None:
    numbers = drawn(layout)
    valid = importlib.import_module(f"stdnum.{LAYOUTS[layout].module}").is_valid
    assert all(map(valid, numbers))


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"cn", "fi", "lt"}))
def test_a_layout_is_known_by_its_numbers(layout: str) -> None:
    """Those of Lithuania are those of Estonia, and the provider learns from what it would draw."""
    numbers = drawn(layout)[:100]
    assert layout_of(numbers) == layout
    state = PROVIDERS["national_id"].fit(
        Column("x", Kind.TEXT, "text"), pa.array(numbers), unique=True, locale="pl_PL", k=5
    )
    assert state["layout"] == layout
    assert layout_of(numbers[:5]) == ""
    assert layout_of([f"{i * 7_919_317 % 10**9:09}" for i in range(100)]) == ""


def test_numbers_keep_their_separators() -> None:
    assert all(n[6] == "-" and len(n) == 11 for n in drawn("se", "######-####"))
    assert all(n[8] == "-" and len(n) == 13 for n in drawn("se", "########-####"))
    old = np.full(ROWS, np.datetime64("1948-02-29"))
    assert {n[:4] for n in drawn("cz", "######/####", born=old)} == {"4802", "4852"}
    assert {len(n) for n in drawn("cz", "######/####", born=old)} == {10}  # nine digits


@pytest.mark.parametrize("kind", ["se", "pl"])
def test_rows_of_a_clone_agree_with_their_numbers(kind: str, tmp_path: Path) -> None:
    module = {"se": personnummer, "pl": pesel}[kind]
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    days, female = born(400), (np.arange(400) % 3 > 0).astype(np.int8)
    traits = Traits((place_of("sv_SE"),), np.zeros(400, np.int64), female, sexed=True, born=days)
    state = {"layout": kind, "shape": "######-####" if kind == "se" else "#" * 11,
             "locale": "sv_SE", "limit": None, "unique": True}  # fmt: skip
    real = PROVIDERS["national_id"].draw_of(state, np.arange(400, dtype=np.uint64), traits, key=1)
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(
            "CREATE TABLE person (id INTEGER PRIMARY KEY, national_id TEXT UNIQUE, sex TEXT,"
            " date_of_birth DATE, first_name TEXT, last_name TEXT, email TEXT)"
        )
        for i, number in enumerate(real.to_pylist()):
            row = (i, number, "MF"[female[i]], str(days[i]), f"Ann{i}", f"Berg{i}", f"a{i}@x.se")
            connection.execute("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}")
    assert report.ok
    with closing(sqlite3.connect(target)) as connection:
        rows = connection.execute("SELECT national_id, sex, date_of_birth FROM person").fetchall()
    assert len(rows) == 400
    assert not {number for number, _, _ in rows} & set(real.to_pylist())
    for number, sex, day in rows:
        assert module.is_valid(number)
        assert str(module.get_birth_date(number))[2:] == day[2:]
        assert module.get_gender(number) == sex
