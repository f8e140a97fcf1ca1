"""What siblings have in common: gaps in time, payees that come back, walks along another parent."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

import dbsynth
from dbsynth.codec import Alphabet, Codes
from dbsynth.engines.base import Derive, nothing
from dbsynth.engines.relational import Tree, TreeChain
from dbsynth.engines.variables import YES, same
from dbsynth.learn.arrival import order_of, pace_of, served, stretches
from dbsynth.learn.families import parted, recall_keys, sample_families
from dbsynth.learn.repeats import identity_index, slots_of
from dbsynth.model import load_model
from dbsynth.read.times import DAY, Times, gap_of
from dbsynth.schema import Kind

CLUB = """
CREATE TABLE member (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, city TEXT NOT NULL,
    joined DATE NOT NULL);
CREATE TABLE fee (id INTEGER PRIMARY KEY, member INTEGER NOT NULL REFERENCES member(id),
    due DATE NOT NULL, amount NUMERIC NOT NULL);
CREATE TABLE transfer (id INTEGER PRIMARY KEY, member INTEGER NOT NULL REFERENCES member(id),
    made DATE NOT NULL, purpose TEXT NOT NULL, iban TEXT, contact_email TEXT NOT NULL);
CREATE TABLE meeting (id INTEGER PRIMARY KEY, season INTEGER NOT NULL, number INTEGER NOT NULL);
CREATE TABLE attendance (id INTEGER PRIMARY KEY, member INTEGER NOT NULL REFERENCES member(id),
    meeting INTEGER NOT NULL REFERENCES meeting(id), seat INTEGER NOT NULL);
"""
MEMBERS, SEASONS, MEETINGS = 260, 15, 12
PURPOSES = ("rent", "lessons", "travel", "drinks")


def day(number: int) -> str:
    return (date(2015, 1, 1) + timedelta(days=int(number))).isoformat()


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fees every 28 days, one payee for each purpose of a member, attendance in a row."""
    path = tmp_path_factory.mktemp("club") / "club.db"
    rng = np.random.default_rng(3)
    people = [
        (i, f"person{i}@mail{i % 7}.org", f"Town{rng.integers(40)}", int(rng.integers(0, 900)))
        for i in range(1, MEMBERS + 1)
    ]
    fees, transfers, attendance = [], [], []
    for member, email, _, joined in people:
        start = joined + int(rng.integers(0, 200))
        fees += [(member, start + 28 * k, 20 + member % 5) for k in range(rng.integers(3, 20))]
        payees = {p: f"DE{rng.integers(10**17, 10**18)}" for p in PURPOSES}
        for _ in range(int(rng.integers(6, 24))):
            purpose = str(rng.choice(PURPOSES))
            payee = None if purpose == "drinks" else payees[purpose]
            transfers.append((member, int(rng.integers(joined, 2500)), purpose, payee, email))
        first = int(rng.integers(0, SEASONS * MEETINGS - 40))
        attendance += [
            (member, first + place + 1, int(rng.integers(1, 30)))
            for place in range(int(rng.integers(5, 40)))
        ]
    meetings = [(s * MEETINGS + n, 2000 + s, n) for s in range(SEASONS) for n in range(1, 13)]
    fees.sort(key=lambda row: row[1])
    transfers.sort(key=lambda row: row[1])
    attendance.sort(key=lambda row: row[1])
    with closing(sqlite3.connect(path)) as db:
        db.executescript(CLUB)
        db.executemany("INSERT INTO member VALUES (?, ?, ?, ?)",
                       [(i, e, c, day(j)) for i, e, c, j in people])  # fmt: skip
        db.executemany("INSERT INTO fee VALUES (NULL, ?, ?, ?)",
                       [(m, day(d), a) for m, d, a in fees])  # fmt: skip
        db.executemany("INSERT INTO transfer VALUES (NULL, ?, ?, ?, ?, ?)",
                       [(m, day(d), p, i, e) for m, d, p, i, e in transfers])  # fmt: skip
        db.executemany("INSERT INTO meeting VALUES (?, ?, ?)", meetings)
        db.executemany("INSERT INTO attendance VALUES (NULL, ?, ?, ?)", attendance)
        db.commit()
    return path


@pytest.fixture(scope="module")
def clone(club: Path) -> Path:
    target = club.with_name("clone.db")
    dbsynth.clone(f"sqlite:///{club}", f"sqlite:///{target}")
    return target


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def test_gaps_between_siblings_are_those_of_the_source(clone: Path) -> None:
    gaps = Counter(
        gap
        for (gap,) in rows(
            clone,
            "SELECT julianday(due) - julianday(lag(due) OVER (PARTITION BY member ORDER BY due, id))"
            " FROM fee",
        )
        if gap is not None
    )
    # The walk stops at the last date of the source, where a few last gaps may be shorter.
    assert gaps[28.0] >= 0.97 * sum(gaps.values())
    assert all(gap >= 1 for gap in gaps)


def test_numbers_follow_the_time_where_they_did(club: Path, clone: Path) -> None:
    back = "SELECT avg(made < before) FROM (SELECT made, lag(made) OVER (ORDER BY id) before FROM transfer)"
    assert rows(club, back) == [(0.0,)]
    # A few rows change their time afterwards, as a rule wants them behind the member's joining.
    assert rows(clone, back)[0][0] <= 0.02  # type: ignore[operator]
    seasons = [s for (s,) in rows(clone, "SELECT season FROM meeting ORDER BY id")]
    assert seasons == sorted(seasons)


def test_payees_come_back_for_the_same_purpose(club: Path, clone: Path) -> None:
    query = (
        "SELECT avg(n) FROM (SELECT count(DISTINCT iban) n FROM transfer"
        " WHERE purpose = '{}' GROUP BY member HAVING count(*) > 3)"
    )
    for purpose in ("rent", "lessons", "travel"):
        assert rows(club, query.format(purpose)) == [(1.0,)]
        assert rows(clone, query.format(purpose))[0][0] <= 1.5
    assert rows(
        clone, "SELECT count(*) FROM transfer WHERE (iban IS NULL) <> (purpose = 'drinks')"
    ) == [(0,)]
    real = {v for (v,) in rows(club, "SELECT iban FROM transfer UNION SELECT email FROM member")}
    mine = {v for (v,) in rows(clone, "SELECT iban FROM transfer UNION SELECT email FROM member")}
    assert real & mine <= {None}


def test_a_column_that_repeats_the_parents_does_so_in_the_clone(clone: Path) -> None:
    query = "SELECT count(*) FROM transfer t JOIN member m ON m.id = t.member WHERE m.email <> contact_email"
    assert rows(clone, query) == [(0,)]


def test_siblings_walk_along_the_order_of_another_parent(club: Path, clone: Path) -> None:
    query = (
        "SELECT avg(abs(meeting - before) <= 3) FROM (SELECT meeting,"
        " lag(meeting) OVER (PARTITION BY member ORDER BY meeting) before FROM attendance)"
    )
    assert rows(club, query) == [(1.0,)]
    assert rows(clone, query)[0][0] >= 0.9
    per_meeting = (
        "SELECT n, count(*) FROM (SELECT count(*) n FROM attendance GROUP BY meeting) GROUP BY n"
    )
    assert sum(n * c for n, c in rows(clone, per_meeting)) == sum(
        n * c for n, c in rows(club, per_meeting)
    )  # type: ignore[operator]


def test_a_saved_model_draws_the_same(club: Path, clone: Path, tmp_path: Path) -> None:
    model, target = tmp_path / "model", tmp_path / "again.db"
    dbsynth.fit(f"sqlite:///{club}", model)
    facts = load_model(model).tables
    assert facts["fee"].columns["due"].gap is not None
    assert [fk.parent for fk in load_model(model).histories] == ["member"]
    assert facts["meeting"].order == ("season", "number")
    assert facts["transfer"].columns["contact_email"].echo == "email"
    assert facts["transfer"].columns["iban"].repeats is not None
    assert any("column:purpose" in key for key in facts["transfer"].recalled)
    dbsynth.load(model, f"sqlite:///{target}", source=None)
    for table in ("fee", "transfer", "attendance"):
        query = f"SELECT * FROM {table} ORDER BY id"
        assert rows(target, query) == rows(clone, query)


def test_times_at_random_have_no_telling_gaps() -> None:
    rng = np.random.default_rng(0)
    times = rng.integers(0, 3000, 4000) * DAY
    assert gap_of(Times(times, DAY, Kind.DATE), rng.integers(0, 300, 4000), 5) is None


def test_even_gaps_are_found_and_coded_in_place() -> None:
    links = np.repeat(np.arange(200), 10)
    starts = np.random.default_rng(0).integers(0, 3000, 200)
    times = (starts[links] + np.tile(np.arange(10) * 7, 200)) * DAY
    shuffled = np.random.default_rng(1).permutation(2000)
    found = gap_of(Times(times[shuffled], DAY, Kind.DATE), links[shuffled], 5)
    assert found is not None
    first = np.tile(np.arange(10) == 0, 200)[shuffled]
    assert ((found[1] == 0) == first).all()


def test_slots_number_the_values_of_a_family_as_they_come() -> None:
    links = np.repeat(np.arange(40), 6)
    hashes = (np.tile([1, 2, 1, 0, 2, 3], 40) + 10 * (links + 1)).astype(np.uint64)
    hashes[np.tile([0, 0, 0, 1, 0, 0], 40).astype(bool)] = 0
    found = slots_of(hashes, links)
    assert found is not None
    repeats, codes = found
    assert repeats.shared == 0
    assert codes[:6].tolist() == [1, 2, 1, 0, 2, 3]


def test_values_of_many_families_share_a_code() -> None:
    links = np.repeat(np.arange(50), 4)
    hashes = np.where(np.tile([True, False, True, False], 50), 7, 100 + links).astype(np.uint64)
    found = slots_of(hashes, links)
    assert found is not None
    assert found[0].shared == 1
    assert set(found[1][hashes == 7].tolist()) == {1}
    index = identity_index(found[0], found[1], links, np.arange(200), 50)
    assert len(set(index[hashes == 7].tolist())) == 1
    assert len(set(index[hashes != 7].tolist())) == 50


def test_values_that_hardly_come_back_have_no_slots() -> None:
    assert slots_of(np.arange(1, 401, dtype=np.uint64), np.repeat(np.arange(40), 10)) is None


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"a": np.arange(100.0), "b": np.zeros(100)}, ("a",)),
        ({"a": np.repeat(np.arange(10.0), 12), "b": np.tile(np.arange(12.0), 10)}, ("a", "b")),
        ({"a": np.random.default_rng(0).normal(size=200)}, ()),
        ({"a": np.zeros(100)}, ()),
        ({"a": np.arange(10.0)}, ()),
        ({"a": np.append(np.arange(99.0), np.nan)}, ()),
        ({}, ()),
    ],
)
def test_order_of_rows(numbers: dict[str, np.ndarray], expected: tuple[str, ...]) -> None:
    assert order_of(numbers) == expected


def test_children_are_served_in_order_and_in_number() -> None:
    places = np.array([0.9, 0.1, 0.5, 0.2, 0.95])
    degrees = np.array([2, 0, 1, 2])
    links = served(places, degrees, np.zeros(5))
    assert links.tolist() == [3, 0, 2, 0, 3]


def test_a_random_link_is_no_walk() -> None:
    rng = np.random.default_rng(0)
    assert pace_of(rng.integers(0, 500, 3000), np.repeat(np.arange(300), 10), 5) is None


def test_stretches_cover_the_order() -> None:
    codes = stretches(np.array([0.0, 0.5, 1.0, 2.0]))
    assert codes.tolist() == [1, 33, 64, 64]


def test_nothing_is_recalled_of_random_siblings() -> None:
    rng = np.random.default_rng(0)
    names = ["column:a", "column:b", "column:c"]
    codes = {n: rng.integers(1, 6, 3000).astype(np.uint16) for n in names}
    alphabets = {n: Alphabet(6, ordered=False) for n in names}
    assert recall_keys(codes, alphabets, np.repeat(np.arange(300), 10), names) == ()


class AlwaysTheSame:
    """A model that says of every row that it has what the sibling before had."""

    def sample(
        self,
        rows: int,
        context: Mapping[str, Codes],
        *,
        key: int,
        derive: Derive = nothing,
    ) -> dict[str, Codes]:
        del context, key
        drawn = {same("column:a"): np.full(rows, YES, np.uint16)}
        derive(same("column:a"), drawn)
        drawn["column:a"] = np.arange(1, rows + 1).astype(np.uint16)
        derive("column:a", drawn)
        return drawn

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {}


def test_the_first_of_a_family_repeats_nobody() -> None:
    links = np.repeat(np.arange(3), 4)
    repeated = {"column:a": "previous:column:a"}
    codes = sample_families(AlwaysTheSame(), {}, links, 1, repeated=repeated)["column:a"]
    assert codes.tolist() == [1] * 4 + [2] * 4 + [3] * 4


@pytest.mark.parametrize("engine", ["relational", "independent"])
def test_a_link_that_may_not_be_missing_is_not(tmp_path: Path, engine: str) -> None:
    """Few families, and a category that mostly is that of the sibling before."""
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    rng = np.random.default_rng(1)
    with closing(sqlite3.connect(source)) as db:
        db.executescript(
            "CREATE TABLE shelf (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
            "CREATE TABLE maker (id INTEGER PRIMARY KEY, stars INTEGER);"
            "CREATE TABLE product (id INTEGER PRIMARY KEY,"
            " maker INTEGER NOT NULL REFERENCES maker(id),"
            " shelf INTEGER NOT NULL REFERENCES shelf(id), price NUMERIC NOT NULL);"
        )
        names = [f"shelf {i}" for i in range(20)]
        db.executemany("INSERT INTO shelf VALUES (?, ?)", list(enumerate(names, 1)))
        db.executemany("INSERT INTO maker VALUES (?, ?)", [(i, i % 5) for i in range(1, 31)])
        shelf = 1
        for number in range(400):
            shelf = int(rng.integers(1, 21)) if rng.random() < 0.3 else shelf
            maker, price = 1 + number // 14, round(float(rng.lognormal(2, 1)), 2)
            db.execute("INSERT INTO product VALUES (?, ?, ?, ?)", (number, maker, shelf, price))
        db.commit()
    spec = dbsynth.Spec(engine=engine)
    dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=spec)
    assert rows(target, "SELECT count(*) FROM product WHERE shelf IS NULL") == [(0,)]
    assert rows(target, "SELECT count(*) FROM product") == [(400,)]


@pytest.mark.parametrize(("feature", "late"), [("a", 1), (same("a"), 0), ("recall:a", 0)])
def test_what_is_known_among_siblings_alone_is_used_among_them(feature, late):
    """A tree that asks whether a value came again cannot be drawn when all siblings are there."""

    def tree(target, *features):
        none = np.zeros(0, np.int64)
        return Tree(target, features, (), np.zeros((4, 0), np.int32), none, none, none)

    model, after = parted(TreeChain((tree("a"), tree("count:b", feature))))
    assert (len(model.trees), len(after.trees)) == (2 - late, late)
