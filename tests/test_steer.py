"""Steering: shares, numbers of rows, conditions and fairness, each with what depends on it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pytest

import dbsynth
from dbsynth import Spec
from dbsynth.cli.output import report_text
from dbsynth.errors import SpecError, Unsatisfiable
from dbsynth.schema import Column, Kind
from dbsynth.steer.condition import parse
from tests.bank import build_bank

FAIR = {"outcome": "loan.approved", "protected": "customer.sex"}
EQUAL = {**FAIR, "kind": "equal_rates", "given": "repaid"}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bank") / "bank.db"
    build_bank(path)
    return path


@pytest.fixture(scope="module")
def model(bank: Path) -> Path:
    path = bank.with_name("bank.dbsynth")
    dbsynth.fit(f"sqlite:///{bank}", path, spec=Spec.parse({"fairness": [EQUAL]}, {}))
    return path


def steered(model: Path, target: Path, said: Mapping[str, Any]) -> dbsynth.Report:
    return dbsynth.load(model, f"sqlite:///{target}", spec=Spec.parse(said, {}), source=None)


def ask(path: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def rates(report: dbsynth.Report, kind: str) -> dict[str, dbsynth.Rate]:
    return {r.name: r for s in report.steering if s.kind == kind for r in s.rates}


PAYMENTS = """
    SELECT p.fraud, p.hour, p.amount, p.channel, k.kind, u.region, u.vip, u.age, i.n, i.voucher
    FROM payment p JOIN card k ON k.id = p.card_id JOIN customer u ON u.id = k.customer_id
    JOIN (SELECT payment_id, count(*) n, max(sort = 'voucher') voucher FROM item GROUP BY 1) i
        ON i.payment_id = p.id
"""


def distance(real: list[Any], other: list[Any]) -> float:
    """Total variation distance; numbers in the fifths of the real ones."""
    if len(set(real)) > 30:
        edges = np.quantile(real, [0.2, 0.4, 0.6, 0.8])
        real, other = (np.searchsorted(edges, x).tolist() for x in (real, other))
    values = set(real) | set(other)
    return sum(abs(real.count(v) / len(real) - other.count(v) / len(other)) for v in values) / 2


def test_a_rebalanced_class_keeps_what_goes_with_it(bank, model, tmp_path):
    target = tmp_path / "clone.db"
    report = steered(model, target, {"tables": {"payment": {"rebalance": {"fraud": {True: 0.2}}}}})
    real, made = ask(bank, PAYMENTS), ask(target, PAYMENTS)
    count, share = ask(target, "SELECT count(*), avg(fraud) FROM payment")[0]
    assert count == ask(bank, "SELECT count(*) FROM payment")[0][0]
    assert share == pytest.approx(0.2, abs=0.006)
    rate = rates(report, "rebalance")["true"]
    assert (rate.wanted, rate.got) == (0.2, pytest.approx(0.2, abs=0.006))
    assert rate.source == pytest.approx(np.mean([row[0] for row in real]), abs=0.001)
    for fraud, most in ((0, 0.06), (1, 0.16)):
        for place in range(1, 10):
            a = [row[place] for row in real if row[0] == fraud]
            b = [row[place] for row in made if row[0] == fraud]
            # 330 real frauds part from their own distribution by up to 0.1 in 24 hours.
            assert distance(a, b) < most, (fraud, place)
    # The customers of frauds are those of the source: far more of them live in the west.
    west = [np.mean([r[5] == "west" for r in rows if r[0]]) for rows in (real, made)]
    assert west[0] > 0.3
    assert west[1] > 0.22
    vouchers = [np.mean([r[9] for r in rows if r[0]]) for rows in (real, made)]
    assert vouchers[1] == pytest.approx(vouchers[0], abs=0.1)
    assert report.steering[0].effects[0].column == "payment.amount"


def test_rebalancing_keeps_rows_keys_and_degrees(bank, model, tmp_path):
    target = tmp_path / "clone.db"
    report = steered(model, target, {"tables": {"payment": {"rebalance": {"fraud": {True: 0.3}}}}})
    assert report.ok
    for table in ("customer", "card", "payment", "item", "loan"):
        assert ask(bank, f"SELECT count(*) FROM {table}") == ask(
            target, f"SELECT count(*) FROM {table}"
        )
    degrees = "SELECT n, count(*) FROM (SELECT count(*) n FROM payment GROUP BY card_id) GROUP BY n"
    real, made = dict(ask(bank, degrees)), dict(ask(target, degrees))
    assert sum(abs(real.get(n, 0) - made.get(n, 0)) for n in {*real, *made}) < 0.05 * sum(
        real.values()
    )


def test_a_share_that_the_leaves_hardly_allow_is_met(model, tmp_path):
    report = steered(
        model,
        tmp_path / "clone.db",
        {"tables": {"payment": {"rebalance": {"fraud": {True: 0.6}}}}},
    )
    assert rates(report, "rebalance")["true"].got == pytest.approx(0.6, abs=0.02)


def test_several_columns_of_a_root_are_rebalanced(model, tmp_path):
    target = tmp_path / "clone.db"
    wanted = {
        "vip": {True: 0.4},
        "region": {"west": 0.5, "north": 0.1},
        "age": {"<30": 0.5, "70..200": 0.0},
    }
    report = steered(model, target, {"tables": {"customer": {"rebalance": wanted}}})
    found = ask(
        target,
        "SELECT avg(vip), avg(region = 'west'), avg(region = 'north'), avg(age < 30),"
        " avg(age >= 70), avg(region = 'south') / avg(region = 'east') FROM customer",
    )[0]
    assert found[:5] == pytest.approx((0.4, 0.5, 0.1, 0.5, 0.0), abs=0.01)
    source = rates(report, "rebalance")
    assert source["70..200"].source > 0.05
    assert found[5] == pytest.approx(1.5, abs=0.5)  # the others keep their proportions
    assert "rebalance of customer.vip" in report_text(report)


def test_children_follow_the_rows_of_their_parent(bank, model, tmp_path):
    target = tmp_path / "clone.db"
    report = steered(model, target, {"tables": {"customer": {"rows": 300}, "item": {"rows": 50}}})
    counts = {t.name: t.synthetic_rows for t in report.tables}
    real = {t.name: t.real_rows for t in report.tables}
    assert (counts["customer"], counts["item"]) == (300, 50)
    for table in ("card", "loan", "payment"):
        assert counts[table] == round(real[table] * 300 / 2_000)
    found = rates(report, "rows")
    assert found["card per row"].got == pytest.approx(found["card per row"].source, abs=0.01)
    assert ask(target, "SELECT count(*) FROM customer") == [(300,)]
    assert report.ok


def test_more_rows_of_a_child_alone(model, tmp_path):
    report = steered(model, tmp_path / "clone.db", {"tables": {"loan": {"rows": 6_000}}})
    counts = {t.name: t.synthetic_rows for t in report.tables}
    assert (counts["loan"], counts["customer"]) == (6_000, 2_000)


def test_all_rows_of_a_root_meet_its_condition_and_children_follow(bank, model, tmp_path):
    target = tmp_path / "clone.db"
    said = "vip AND income >= 4000.5 AND region IN ('north', 'west') OR age = 77"
    report = steered(model, target, {"tables": {"customer": {"where": said, "rows": 800}}})
    assert ask(target, f"SELECT count(*), sum({said}) FROM customer") == [(800, 800)]
    rate = rates(report, "where")["rows that meet it"]
    assert (rate.wanted, rate.got) == (1.0, 1.0)
    assert 0 < rate.without < 0.2
    gold = "SELECT avg(kind = 'gold') FROM card k JOIN customer u ON u.id = k.customer_id WHERE vip"
    assert ask(target, gold)[0][0] == pytest.approx(ask(bank, gold)[0][0], abs=0.15)
    # Rich customers have more payments per card, and those in the clone have too.
    fan = "SELECT 1.0 * (SELECT count(*) FROM payment) / (SELECT count(*) FROM card)"
    assert ask(target, fan)[0][0] > 0
    assert [f.status for f in report.findings if f.check == "where"] == ["passed"]


def test_conditions_hold_in_postgresql(postgres, fresh_database):
    source = fresh_database
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE TYPE size AS ENUM ('small', 'large')")
        connection.execute(
            "CREATE TABLE parcel (id int PRIMARY KEY, size size NOT NULL, sent date, kilos"
            " numeric(6, 2) CHECK (kilos > 0), fragile boolean NOT NULL, sort text)"
        )
        connection.execute(
            "INSERT INTO parcel SELECT i, (ARRAY['small', 'large'])[1 + i % 2]::size, CASE WHEN"
            " i % 7 > 0 THEN date '2020-01-01' + i % 400 END, 1 + i % 50 + 0.25, i % 3 = 0,"
            " 'sort ' || i % 5 FROM generate_series(1, 900) i"
        )
    said = (
        "size = 'large' AND (sent >= '2020-06-01' OR sent IS NULL) AND kilos BETWEEN 2.5 AND 30"
        " AND NOT fragile AND sort IN ('sort 1', 'sort 3')"
    )
    spec = Spec.parse({"tables": {"parcel": {"where": said, "rows": 300}}}, {})
    target = postgres.url("conditions")
    assert dbsynth.clone(source, target, spec=spec, replace=True).ok
    with psycopg.connect(target) as connection:
        query = f"SELECT count(*), count(*) FILTER (WHERE {said}) FROM parcel"
        assert connection.execute(query).fetchone() == (300, 300)


def test_a_condition_that_hardly_a_row_meets_is_an_error(model, tmp_path):
    with pytest.raises(Unsatisfiable, match="`where` of `customer`"):
        steered(model, tmp_path / "clone.db", {"tables": {"customer": {"where": "income > 1e9"}}})
    assert not (tmp_path / "clone.db").exists()


@pytest.mark.parametrize("said", [FAIR, EQUAL])
def test_outcomes_are_fair(bank, model, tmp_path, said):
    target = tmp_path / "clone.db"
    report = steered(model, target, {"fairness": [said]})
    given = "repaid" if "given" in said else "1"
    query = (
        f"SELECT {given}, sex, avg(approved), count(*) FROM loan l JOIN customer c"
        " ON c.id = l.customer_id GROUP BY 1, 2"
    )
    real, made = ask(bank, query), ask(target, query)
    for y in {row[0] for row in made}:
        apart = [np.ptp([row[2] for row in rows if row[0] == y]) for rows in (real, made)]
        assert apart[0] > 0.15
        assert apart[1] < 0.02
    # What follows from the outcome still does.
    assert ask(target, "SELECT DISTINCT approved, size IS NULL FROM loan ORDER BY 1") == [
        (0, 1),
        (1, 0),
    ]
    for rate in rates(report, "fairness").values():
        assert rate.got == pytest.approx(rate.wanted, abs=0.02)
        assert abs(rate.without - rate.wanted) > 0.02
        assert (rate.source is not None) == (said is EQUAL)  # counted where the fit was told


def test_the_same_seed_gives_the_same_steered_bytes(model, tmp_path):
    said = (
        '{"tables": {"payment": {"rebalance": {"fraud": {"true": 0.2}}}, "customer":'
        ' {"where": "age < 40"}}, "fairness": [{"outcome": "loan.approved",'
        ' "protected": "customer.sex"}]}'
    )
    script = (
        "import sys, json, dbsynth; from pathlib import Path\n"
        "dbsynth.load(Path(sys.argv[1]), sys.argv[2], spec=dbsynth.Spec.parse("
        "json.loads(sys.argv[3]), {}), processes=int(sys.argv[4]), source=None)"
    )
    dumps = []
    for hash_seed, processes in (("1", "1"), ("2", "2")):
        target = tmp_path / f"{hash_seed}.db"
        subprocess.run(
            [sys.executable, "-c", script, model, f"sqlite:///{target}", said, processes],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        with closing(sqlite3.connect(target)) as connection:
            dumps.append(list(connection.iterdump()))
    assert dumps[0] == dumps[1]


def test_every_problem_is_said_at_once(model, tmp_path):
    said = {
        "tables": {
            "customer": {
                "where": "regions = 'x' AND age > 'old'",
                "rebalance": {
                    "vip": {"yes": 0.2},
                    "region": {"wst": 0.2},
                    "age": {"<30": 0.5, "20..40": 0.1},
                    "id": {"1": 0.2},
                },
            },
            "payment": {"where": "fraud"},
            "loan": {"rebalance": {"approved": {"true": 0.5, "false": 0.2}}},
        },
        "fairness": [{"outcome": "loan.size", "protected": "payment.fraud"}],
    }
    with pytest.raises(SpecError) as raised:
        steered(model, tmp_path / "clone.db", said)
    for part in (
        "`customer.regions` does not exist (did you mean `region`?)",
        "compares `age` with a value that is no number",
        "has no value `yes`",
        "has no value `wst` (did you mean `west`?)",
        "ranges overlap",
        "`customer.id` are invented",
        "`payment`: its rows are drawn under those of `card`",
        "`loan.approved` names all values, so the shares must add up to 1",
        "the rows of `loan` are not drawn under those of `payment`",
    ):
        assert part in raised.value.message


def test_unknown_names_are_refused_before_anything_is_read(bank, tmp_path):
    said = {
        "tables": {"paiment": {"rebalance": {"fraud": {True: 0.2}}}},
        "fairness": [{"outcome": "loan.approve", "protected": "customer.sex"}],
    }
    with pytest.raises(SpecError) as raised:
        dbsynth.plan(f"sqlite:///{bank}", spec=Spec.parse(said, {}))
    assert "did you mean `payment`?" in raised.value.message
    assert "did you mean `approved`?" in raised.value.message


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"tables": {"t": {"rebalance": {"a": {"x": 2}}}}}, "no number from 0 to 1"),
        ({"tables": {"t": {"rebalance": {"a": {"x": 0.7, "y": 0.7}}}}}, "add up to more than 1"),
        ({"tables": {"t": {"rebalance": ["a"]}}}, "`rebalance` of table `t` is no mapping"),
        ({"tables": {"t": {"where": True}}}, "no text"),
        ({"fairness": [{"outcome": "t.a"}]}, "lacks `protected`"),
        ({"fairness": [{**FAIR, "kind": "fair"}]}, "unknown word `fair`"),
        ({"fairness": [{**FAIR, "kind": "equal_rates"}]}, "needs `given`"),
        ({"fairness": [{**FAIR, "given": "x"}]}, "goes with `kind: equal_rates`"),
        ({"fairness": ["x"]}, "no mapping"),
    ],
)
def test_a_wrong_spec_says_what_is_wrong(said, part):
    with pytest.raises(SpecError, match=part):
        Spec.parse(said, {})


# ---------------------------------------------------------------------------------------------
# Conditions
# ---------------------------------------------------------------------------------------------

COLUMNS = {
    "n": Column("n", Kind.INTEGER, ""),
    "t": Column("t", Kind.TEXT, ""),
    "b": Column("b", Kind.BOOLEAN, ""),
    "d": Column("d", Kind.DATE, ""),
}
ROWS = {
    "n": pa.array([1, 2, None, 4], pa.int64()),
    "t": pa.array(["x", None, "y", "it's"]),
    "b": pa.array([True, False, None, True]),
    "d": pa.array([0, 365, None, 10_957], pa.int32()).cast(pa.date32()),
}
CONDITIONS = [
    "n > 1", "n = 1 OR t = 'y'", "NOT n > 1", "n IN (1, 4)", "n NOT IN (1, 4)", "t IN ('x', 'y')",
    "n BETWEEN 2 AND 4", "n NOT BETWEEN 2 AND 3", "t IS NULL", "t IS NOT NULL AND n <> 4", "b",
    "NOT b", "b IS FALSE", "b IS NOT TRUE", "t = 'it''s'", "n >= -1.5 AND (n < 2 OR t > 'a')",
    "3 > n", "d > '1970-06-01'", "d BETWEEN '1970-01-01' AND '1971-01-01'", "n IS NULL OR d IS NULL",
    "NOT (n > 1 AND t = 'x')", "NOT (n > 5 OR b)",
]  # fmt: skip


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions_mean_what_sql_means(text):
    condition, problems = parse(text, COLUMNS)
    assert problems == []
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE r (i, n, t, b, d)")
        rows = zip(*(v.to_pylist() for v in ROWS.values()), strict=True)
        connection.executemany(
            "INSERT INTO r VALUES (?, ?, ?, ?, ?)",
            [
                (i, n, t, b, None if d is None else d.isoformat())
                for i, (n, t, b, d) in enumerate(rows)
            ],
        )
        wanted = [i for (i,) in connection.execute(f"SELECT i FROM r WHERE {text}")]
        also = [
            i for (i,) in connection.execute(f"SELECT i FROM r WHERE {condition.sql('sqlite')}")
        ]
    assert np.flatnonzero(condition.met(ROWS.__getitem__)).tolist() == wanted == also


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("n >", "no condition that can be read"),
        ("n IN (SELECT 1)", "IN that is not followed by a list"),
        ("lower(t) = 'x'", "neither a column nor a plain value"),
        ("n", "no boolean"),
        ("m = 1", "`m`"),
        ("n = 'x'", "no number"),
        ("d = 'soon'", "no date"),
        ("1 = 1", "none is a column"),
        ("n = t", "different types"),
        ("DROP TABLE r", "uses DROP"),
        ("SELECT 1", "uses SELECT"),
    ],
)
def test_what_a_condition_may_not_say(text, part):
    condition, problems = parse(text, COLUMNS)
    assert condition is None
    assert part in "; ".join(problems)
