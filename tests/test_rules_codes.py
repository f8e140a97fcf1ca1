"""Rules about codes: what follows, what is NULL or 0 together, what families share, ranks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
import pytest
from conftest import Server

import dbsynth
from dbsynth.graph import Plan
from dbsynth.rules import Data, mine, parse_rule
from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table

KEY = ForeignKey("sale", ("shop",), "shop", ("id",))


def column(name: str) -> Column:
    return Column(name, Kind.TEXT, "text")


def data_of(
    rows: dict[str, np.ndarray], links: np.ndarray | None = None, **above: np.ndarray
) -> Data:
    """Categories of the table `sale`, and of `shop` above it, where there are links."""
    count = len(next(iter(rows.values())))
    keys = () if links is None else (KEY,)
    schema = Schema(
        (
            Table("shop", "shop", None, (column("id"), *map(column, above)), ("id",)),
            Table("sale", "sale", None, (column("shop"), *map(column, rows)), foreign_keys=keys),
        )
    )
    plan = Plan(("shop", "sale"), {"sale": KEY} if keys else {}, (), (), (), ())
    parents = len(next(iter(above.values()))) if above else 0
    if links is not None and not above:
        parents = int(links.max()) + 1
    codes = {name: array.astype(np.uint16) for name, array in rows.items()}
    upper = {name: array.astype(np.uint16) for name, array in above.items()}
    return Data(
        schema, {"shop": parents, "sale": count}, {}, {"shop": upper, "sale": codes},
        {} if links is None else {KEY: links}, plan=plan,
    )  # fmt: skip


def mined(data: Data) -> dict[str, str]:
    return {str(kept.rule): kept.support for kept in mine(data)}


SENTENCES = [
    "sale.a follows from sale.b",
    "sale.a follows from sale.b and shop.c",
    "sale.a is null exactly where sale.b is not null",
    "sale.a is 0 where sale.b is true",
    "sale.a is not null at some values of sale.b",
    "sale.a is the same within sale(shop)",
    "sale.a is different within sale(shop)",
    "sale.a has value 2 by frequency exactly once within sale(shop)",
    "sale.a counts from 1 within sale(shop)",
    "sale.a ranks from 0 within sale.b but for 0",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_reads_back(sentence: str) -> None:
    names = ("a", "b")
    data = data_of({name: np.ones(3) for name in names}, np.zeros(3, np.int64), c=np.ones(1))
    assert str(parse_rule(sentence, data.schema)) == sentence


def test_a_dependence_is_mined_once_and_minimal() -> None:
    rng = np.random.default_rng(1)
    city = rng.integers(1, 40, 3000)
    state = 1 + city % 7
    rows = {"city": city, "state": state, "land": 1 + state // 4, "other": rng.integers(1, 9, 3000)}
    assert mined(data_of(rows)) == {
        "sale.state follows from sale.city": "all 2961",
        "sale.land follows from sale.state": "all 2993",
    }


def test_two_columns_determine_where_none_does() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(1, 9, 4000), rng.integers(1, 7, 4000)
    rows = {"a": a, "b": b, "c": 1 + (a + 3 * b) // 5, "d": rng.integers(1, 9, 4000)}
    assert list(mined(data_of(rows))) == ["sale.c follows from sale.a and sale.b"]


def test_a_column_of_the_parent_determines() -> None:
    rng = np.random.default_rng(3)
    land = rng.integers(1, 6, 400)
    links = np.sort(rng.integers(0, 400, 3000))
    found = mined(data_of({"money": 1 + land[links] % 3}, links, land=land))
    assert list(found) == ["sale.money follows from shop.land"]


def test_repeated_facts_of_a_family_are_one_case() -> None:
    rng = np.random.default_rng(4)
    land = rng.integers(1, 4, 12)
    links = np.sort(rng.integers(0, 12, 3000))
    found = mined(data_of({"money": land[links], "x": rng.integers(1, 3, 3000)}, links, land=land))
    assert "sale.money follows from shop.land" not in found


def test_a_key_determines_nothing() -> None:
    rng = np.random.default_rng(5)
    rows = {"key": 1 + rng.permutation(2000), "state": rng.integers(1, 5, 2000)}
    rows["near"] = 1 + rng.permutation(2000) // 2
    assert mined(data_of(rows)) == {}


def test_a_slip_is_tolerated_and_many_are_not() -> None:
    rng = np.random.default_rng(6)
    a = rng.integers(1, 20, 5000)
    for slips, expected in ((3, 1), (200, 0)):
        b = 1 + a % 5
        b[:slips] = 1 + (b[:slips] + 1) % 5
        assert len(mined(data_of({"a": a, "b": b}))) == expected


def test_presence_follows() -> None:
    rng = np.random.default_rng(7)
    status = rng.integers(1, 5, 2000)
    shipped = np.where(status > 2, rng.integers(1, 30, 2000), 0)
    carrier = np.where(shipped > 0, rng.integers(1, 4, 2000), 0)
    back = np.where((status == 4) & (rng.random(2000) < 0.5), rng.integers(1, 9, 2000), 0)
    found = mined(data_of({"status": status, "shipped": shipped, "carrier": carrier, "back": back}))
    assert list(found) == [
        "sale.carrier is null exactly where sale.shipped is null",
        "sale.back is null at some values of sale.status",
        "sale.shipped is null exactly at some values of sale.status",
    ]


def test_facts_about_families() -> None:
    rng = np.random.default_rng(8)
    links = np.sort(rng.integers(0, 600, 3000))
    first = np.r_[True, np.diff(links) > 0]
    rows = {
        "role": np.where(first, 1, rng.integers(2, 4, 3000)),
        "colour": rng.integers(1, 9, 600)[links],
        "noise": rng.integers(1, 4, 3000),
    }
    found = mined(data_of(rows, links))
    assert list(found) == [
        "sale.role has value 1 by frequency exactly once within sale(shop)",
        "sale.colour is the same within sale(shop)",
    ]


def test_what_differs_in_a_family() -> None:
    rng = np.random.default_rng(9)
    links = np.repeat(np.arange(500), 3)
    kinds = np.concatenate([1 + rng.permutation(9)[:3] for _ in range(500)])
    assert list(mined(data_of({"kind": kinds}, links))) == [
        "sale.kind is different within sale(shop)"
    ]


def test_random_tables_give_no_rule() -> None:
    found: list[str] = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rows = int(rng.integers(20, 3000))
        parents = max(rows // int(rng.integers(2, 30)), 1)
        columns = {f"c{i}": _random(rng, rows) for i in range(7)}
        above = {f"p{i}": _random(rng, parents) for i in range(3)}
        links = np.sort(rng.integers(0, parents, rows))
        found += mined(data_of(columns, links, **above))
    assert found == []


def _random(rng: np.random.Generator, rows: int) -> np.ndarray:
    size = int(rng.choice([1, 2, 3, 6, 20, 200, 3000]))
    shares = rng.dirichlet(np.full(size, rng.choice([0.1, 1.0, 10.0])))
    drawn = 1 + rng.choice(size, rows, p=shares)
    if rng.random() < 0.4:
        drawn[rng.random(rows) < rng.choice([0.02, 0.3, 0.95])] = 0
    return drawn


def test_small_tables_give_no_rule() -> None:
    rng = np.random.default_rng(10)
    for rows in (5, 20, 60, 95):
        a = rng.integers(1, 4, rows)
        links = np.sort(rng.integers(0, max(rows // 4, 1), rows))
        data = data_of({"a": a, "b": a % 2 + 1, "c": np.where(a == 1, 0, a)}, links)
        assert mined(data) == {}


# ---------------------------------------------------------------------------------------------
# Kept in the clone
# ---------------------------------------------------------------------------------------------

SHOP = """
CREATE TABLE shop (id INTEGER PRIMARY KEY, land TEXT NOT NULL, opened DATE);
CREATE TABLE day_sale (
    shop INTEGER NOT NULL REFERENCES shop, day DATE NOT NULL, promo INTEGER NOT NULL,
    open BOOLEAN NOT NULL, sales INTEGER NOT NULL CHECK (sales >= 0), money TEXT NOT NULL,
    tier TEXT NOT NULL, note TEXT, noted INTEGER, UNIQUE (shop, day)
);
CREATE TABLE line (
    id INTEGER PRIMARY KEY, shop INTEGER NOT NULL REFERENCES shop, place INTEGER NOT NULL,
    role TEXT NOT NULL, colour TEXT NOT NULL, score INTEGER NOT NULL CHECK (score < 40)
);
"""
BROKEN = {
    "promo": "SELECT count(*) FROM (SELECT 1 FROM day_sale GROUP BY day HAVING"
    " count(DISTINCT promo) > 1)",
    "closed": "SELECT count(*) FROM day_sale WHERE (sales = 0) <> (NOT open)",
    "money": "SELECT count(*) FROM (SELECT 1 FROM day_sale JOIN shop ON shop.id = shop GROUP BY"
    " land HAVING count(DISTINCT money) > 1)",
    "noted": "SELECT count(*) FROM day_sale WHERE (note IS NULL) <> (noted IS NULL)",
    "place": "SELECT count(*) FROM (SELECT place, row_number() OVER (PARTITION BY shop ORDER BY id)"
    " AS n FROM line) AS l WHERE n <> place",
    "owner": "SELECT count(*) FROM (SELECT 1 FROM line GROUP BY shop HAVING"
    " sum(CASE WHEN role = 'owner' THEN 1 ELSE 0 END) <> 1)",
    "colour": "SELECT count(*) FROM (SELECT 1 FROM line GROUP BY shop HAVING"
    " count(DISTINCT colour) > 1)",
    "score": "SELECT count(*) FROM (SELECT 1 FROM line GROUP BY shop HAVING"
    " count(DISTINCT score) < count(*) OR min(score) <> 1 OR max(score) <> count(*))",
}


def build(path: Path) -> None:
    rng = np.random.default_rng(11)
    lands = rng.choice(["at", "de", "fr", "it"], 300)
    promo = {day: int(rng.integers(0, 2)) for day in range(700)}
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SHOP)
        for shop in range(1, 301):
            land = str(lands[shop - 1])
            db.execute("INSERT INTO shop VALUES (?,?,?)", (shop, land, _date(shop % 90 - 400)))
            money = {"at": "EUR", "de": "EUR", "fr": "EUR", "it": "LIT"}[land]
            for day in np.sort(rng.choice(700, 40, replace=False)):
                open_ = rng.random() > 0.15
                sales = int(rng.lognormal(6, 1)) + 1 if open_ else 0
                note = f"n{int(rng.integers(0, 6))}" if rng.random() < 0.3 else None
                row = (shop, _date(int(day)), promo[int(day)], bool(open_), sales, money,
                       "AB"[promo[int(day)]], note, None if note is None else 7)  # fmt: skip
                db.execute("INSERT INTO day_sale VALUES (?,?,?,?,?,?,?,?,?)", row)
            size = int(rng.integers(1, 9))
            owner, score = int(rng.integers(0, size)), rng.permutation(size) + 1
            colour = f"c{int(rng.integers(0, 5))}"
            for i in range(size):
                role = "owner" if i == owner else str(rng.choice(["user", "guest"]))
                row = (shop, i + 1, role, colour, int(score[i]))
                db.execute(
                    "INSERT INTO line (shop, place, role, colour, score) VALUES (?,?,?,?,?)", row
                )
        db.commit()


def _date(day: int) -> str:
    return str(np.datetime64("2020-01-01") + day)


def broken(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as db:
        return {name: db.execute(sql).fetchone()[0] for name, sql in BROKEN.items()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("codes") / "shop.db"
    build(path)
    assert not any(broken(path).values())
    return path


def test_the_rules_of_a_database_are_found(source: Path) -> None:
    rules = {str(kept.rule) for kept in dbsynth.plan(f"sqlite:///{source}").rules}
    assert {
        "day_sale.promo follows from day_sale.day",
        "day_sale.sales is 0 exactly where day_sale.open is false",
        "day_sale.money follows from shop.land",
        "day_sale.noted is null exactly where day_sale.note is null",
        "line.place counts from 1 within line(shop)",
        "line.colour is the same within line(shop)",
        "line.score ranks from 1 within line(shop)",
    } <= rules
    assert any("line.role has value" in rule and "exactly once" in rule for rule in rules)


@pytest.mark.parametrize("scale", [1.0, 0.1, 3.0])
def test_a_clone_holds_them(source: Path, tmp_path: Path, scale: float) -> None:
    target = tmp_path / "clone.db"
    spec = dbsynth.Spec(scale=scale)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=spec)
    assert not any(broken(target).values()), broken(target)
    rules = [finding for finding in report.findings if finding.check == "rule"]
    assert len(rules) >= 8
    assert all(finding.count == 0 for finding in rules), rules


def test_a_clone_of_another_kind_holds_them(
    source: Path, postgres: Server, fresh_database: str
) -> None:
    dbsynth.clone(f"sqlite:///{source}", fresh_database)
    with psycopg.connect(fresh_database) as connection:
        for name, sql in BROKEN.items():
            assert connection.execute(sql).fetchone() == (0,), name  # type: ignore[call-overload]


def test_a_struck_rule_is_not_kept(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "clone.db"
    dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=dbsynth.Spec(rules=()))
    assert broken(target)["promo"] > 0


def test_the_bytes_do_not_depend_on_processes(source: Path, tmp_path: Path) -> None:
    dumps = []
    for processes in (1, 2):
        target = tmp_path / f"{processes}.db"
        dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", processes=processes)
        with closing(sqlite3.connect(target)) as db:
            dumps.append("\n".join(db.iterdump()))
    assert dumps[0] == dumps[1]


def test_a_model_file_keeps_the_maps(source: Path, tmp_path: Path) -> None:
    file, target = tmp_path / "a.model", tmp_path / "clone.db"
    dbsynth.fit(f"sqlite:///{source}", file)
    report = dbsynth.load(file, f"sqlite:///{target}", source=None)
    assert not any(broken(target).values())
    assert all(f.count == 0 for f in report.findings if f.check == "rule")
