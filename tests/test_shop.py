"""The shop: what the simulation promises, and that it loads."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from dbsynth.cli import run
from dbsynth.errors import CannotConnect, DatabaseError, SchemaError
from dbsynth.shop import FACTS, build_shop, measure, schema_sql, simulate

# What each planted fact lies between, for 2,000 customers and any seed.  About 10,000 orders,
# 23,000 lines, 3,000 reviews, 10 customers with a fax and 120 gold customers stand behind them, so
# that three standard errors are 1.5 for weekends and evenings, 0.3 for refunds, 0.5 for faxes, 2.4
# for customers without orders, and 20 % of the ratio of orders; the bounds are wider.
BOUNDS = {
    "orders per customer, gold to no tier": (5, 12),
    "order total, gold to no tier": (1.4, 2.3),
    "price explained by category, %": (85, 98),
    "deliveries before their order, %": (0, 0),
    "lines refunded, %": (1.4, 2.6),
    "orders at weekends, %": (40, 46),
    "orders from 18 to 22 h, %": (38, 45),
    "lines that sell the top 1 % of products, %": (12, 40),
    "customers with a fax, %": (0, 1.2),
    "customers without orders, %": (11, 19),
    "days to deliver, express to standard": (0.2, 0.35),
    "review score, refunded less other": (-3, -1.7),
    "payments other than the sum of lines, %": (0, 0),
}


def test_same_seed_gives_the_same_rows() -> None:
    first, second = simulate(seed=3, customers=200), simulate(seed=3, customers=200)
    assert all(first[name].equals(second[name]) for name in first)


def test_another_seed_gives_other_rows() -> None:
    first, second = simulate(seed=3, customers=200), simulate(seed=4, customers=200)
    assert not first["customer"].equals(second["customer"])


def test_the_shop_of_the_demo_has_more_than_100_000_rows() -> None:
    tables = simulate()
    assert sum(map(len, tables.values())) > 100_000
    assert len(tables["customer"]) == 6000


# A clone is less exact than the shop itself; how much less, benchmarks tell.
NEAR = {
    "order total, gold to no tier": (1.4, 2.3),
    "deliveries before their order, %": (0, 0),
    "lines refunded, %": (1.4, 2.6),
    "orders at weekends, %": (38, 48),
    "customers without orders, %": (9, 21),
    "payments other than the sum of lines, %": (0, 0),
}


@pytest.mark.slow
def test_the_demo_runs_in_its_default_size(capsys: pytest.CaptureFixture[str]) -> None:
    value = demo(capsys)
    assert sum(table["synthetic_rows"] for table in value["tables"]) > 100_000
    found = {fact["fact"]: fact["synthetic"] for fact in value["facts"]}
    assert [n for n, (low, high) in NEAR.items() if not low <= found[n] <= high] == []


@pytest.mark.parametrize("customers", [10, 400])
def test_the_demo_runs_in_other_sizes(customers: int, capsys: pytest.CaptureFixture[str]) -> None:
    value = demo(capsys, "--customers", str(customers))
    rows = {table["name"]: table["synthetic_rows"] for table in value["tables"]}
    assert rows["customer"] == customers


def demo(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """What the demo says of itself; it has gone well."""
    assert run(["demo", "--json", *options]) == 0
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (value["ok"], value["gate"]) == (True, "searched")
    assert [fact["fact"] for fact in value["facts"]] == list(BOUNDS)
    return value


def test_every_fact_has_bounds() -> None:
    assert [fact.name for fact in FACTS] == list(BOUNDS)


def test_planted_facts_hold_in_the_database(fresh_database: str) -> None:
    build_shop(fresh_database, seed=1, customers=2000)
    found = measure(fresh_database)
    outside = {
        name: value
        for name, value in found.items()
        if not BOUNDS[name][0] <= value <= BOUNDS[name][1]
    }
    assert outside == {}


def test_numbering_goes_on_after_the_rows(fresh_database: str) -> None:
    build_shop(fresh_database, customers=100)
    with psycopg.connect(fresh_database.replace("+psycopg", "")) as connection:
        added = "INSERT INTO category (name) VALUES ('New') RETURNING id"
        assert connection.execute(added).fetchone() == (38,)


def test_facts_of_an_empty_shop_are_none_or_zero(fresh_database: str) -> None:
    with psycopg.connect(fresh_database.replace("+psycopg", "")) as connection:
        connection.execute(schema_sql())
    assert set(measure(fresh_database).values()) <= {None, 0.0}


def test_a_database_that_is_not_empty_is_refused(fresh_database: str) -> None:
    with psycopg.connect(fresh_database.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE customer (id INTEGER)")
    with pytest.raises(DatabaseError, match="SQLSTATE 42P07"):
        build_shop(fresh_database, customers=100)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(CannotConnect) as caught:
        build_shop("postgresql://someone:secret@127.0.0.1:1/shop", customers=100)
    assert "secret" not in str(caught.value)


def test_a_schema_that_does_not_come_with_dbsynth_is_an_error() -> None:
    with pytest.raises(SchemaError, match="`nowhere`"):
        schema_sql("nowhere")
