from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from dbsynth.deal import _Cells, match, repeats, spread
from dbsynth.draft import fitted_counts
from dbsynth.engines.variables import likeness
from dbsynth.model import Degrees
from dbsynth.pipeline import clone
from dbsynth.spec import Spec

RANDOM = np.random.Generator(np.random.Philox(4))


def test_every_parent_gets_the_children_of_its_degree() -> None:
    degrees = RANDOM.poisson(3, 200)
    cells = _Cells(np.zeros(degrees.sum(), np.int64), np.zeros(200, np.int64))
    links = match(cells, degrees, single=False, key=1)
    assert np.bincount(links, minlength=200).tolist() == degrees.tolist()


def test_children_stay_in_their_cell() -> None:
    child, parent = RANDOM.integers(0, 7, 900), RANDOM.integers(0, 7, 60)
    links = match(_Cells(child, parent), np.full(60, 15), single=False, key=1)
    assert (parent[links] == child).all()


def test_a_cell_without_parents_leaves_its_children_alone() -> None:
    links = match(_Cells(np.array([0, 1, 1]), np.array([0])), np.array([3]), single=False, key=1)
    assert links.tolist() == [0, -1, -1]


def test_unique_links_are_given_once() -> None:
    cells = _Cells(np.zeros(40, np.int64), np.zeros(60, np.int64))
    links = match(cells, np.ones(60, np.int64), single=True, key=1)
    assert len(np.unique(links)) == 40


@pytest.mark.parametrize("share", [0.1, 0.6, 1.0], ids=["sparse", "dense", "complete"])
def test_pairs_become_unique_and_sparse_degrees_are_kept(share: float) -> None:
    owners, parents = 30, 20
    each = max(1, round(share * parents))
    owner = np.repeat(np.arange(owners), each)
    links = RANDOM.integers(0, parents, len(owner))
    none, groups = np.zeros(len(owner), bool), np.zeros(parents, np.int64)
    found = spread(links, owner, none, np.zeros(len(owner), np.int64), groups, 1)
    assert not repeats(owner, found, none).any()
    if share < 0.5:
        assert np.bincount(found).tolist() == np.bincount(links).tolist()


@pytest.mark.parametrize("total", [0, 37, 300, 900, 60_000])
def test_counts_add_up_within_limits(total: int) -> None:
    degrees = Degrees(np.array([0, 1, 2, 9]), np.array([50, 30, 15, 5]), 105, 0)
    most = np.where(np.arange(100) % 10 == 0, 2**31, 7)
    counts = fitted_counts(degrees, 100, total, most, 1)
    assert counts.sum() == total
    assert (counts <= np.sort(most)).all()


def test_cheap_lines_take_cheap_products() -> None:
    prices = np.repeat(np.arange(10), 20)
    order = np.random.default_rng(0).permutation(200)
    wanted = (prices[order], np.arange(10))
    cells = _Cells(np.zeros(200, np.int64), np.zeros(10, np.int64), wanted)
    links = match(cells, np.full(10, 20), single=False, key=1)
    assert (links == prices[order]).all()


def test_likeness_is_found_in_either_direction() -> None:
    rng = np.random.default_rng(0)
    parent = {"price": rng.integers(0, 50, 300), "noise": rng.integers(0, 50, 300)}
    links = rng.integers(-1, 300, 4000)
    rising = np.where(links >= 0, parent["price"][links], 0)
    child = {"same": rising, "noise": rng.integers(0, 9, 4000)}
    codes = [{n: c.astype(np.uint16) for n, c in side.items()} for side in (child, parent)]
    assert likeness(*codes, links) == ("same", "price", False)
    codes[0]["same"] = (60 - rising).astype(np.uint16)
    assert likeness(*codes, links) == ("same", "price", True)


def test_there_is_no_likeness_by_chance() -> None:
    rng = np.random.default_rng(0)
    child, parent = (
        {n: rng.integers(0, 50, rows).astype(np.uint16) for n in "abc"} for rows in (150, 40)
    )
    assert likeness(child, parent, rng.integers(0, 40, 150)) is None
    assert likeness(child, parent, np.full(150, -1)) is None


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_single_root_among_many_rows_does_not_leave_all_without_a_parent(tmp_path, seed) -> None:
    draw = random.Random(2)
    with closing(sqlite3.connect(tmp_path / "staff.db")) as connection, connection:
        connection.executescript("""
            CREATE TABLE dept (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER REFERENCES emp);
            CREATE TABLE emp (
                id INTEGER PRIMARY KEY, dep INTEGER NOT NULL REFERENCES dept,
                mgr INTEGER REFERENCES emp, "order" INTEGER, r REAL, z TEXT
            )""")
        connection.executemany(
            "INSERT INTO dept VALUES (?, ?, ?)", [(i, f"d{i}", 3 * i) for i in range(1, 21)]
        )
        connection.executemany(
            "INSERT INTO emp VALUES (?, ?, ?, ?, ?, ?)",
            [(i, draw.randint(1, 20), draw.randint(1, i - 1) if i > 1 else None,
              draw.randint(1, 9), draw.gauss(5, 1), draw.choice("xyz")) for i in range(1, 401)],
        )  # fmt: skip
    target = tmp_path / "clone.db"
    clone(f"sqlite:///{tmp_path}/staff.db", f"sqlite:///{target}", spec=Spec(seed=seed))
    with closing(sqlite3.connect(target)) as connection:
        roots = connection.execute("SELECT count(*) FROM emp WHERE mgr IS NULL").fetchone()[0]
    assert 1 <= roots <= 6  # 1 in the source; a count of rare rows varies by its square root
