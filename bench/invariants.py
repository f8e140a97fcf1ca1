"""Facts that hold in well-known databases and must hold in their clones as often.

Each is a query for one number, asked of source and clone alike: mostly the share, in percent, of
rows that obey a rule, sometimes a mean or a correlation that nothing in the schema enforces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from dbsynth.shop.facts import FACTS, plain_url


@dataclass(frozen=True, slots=True)
class Invariant:
    """A number that source and clone share.

    Attributes:
        name: What is counted.
        sql: A query that returns it.
    """

    name: str
    sql: str


def share(name: str, condition: str, rows: str) -> Invariant:
    """The percentage of rows that meet a condition; rows where it is NULL do not count."""
    return Invariant(name, f"SELECT 100.0 * avg(({condition})::int) FROM {rows}")


def once(name: str, table: str, *columns: str) -> Invariant:
    """The percentage of rows whose values no other row has."""
    by = ", ".join(columns)
    return share(
        name, "n = 1", f"(SELECT count(*) OVER (PARTITION BY {by}) AS n FROM {table}) AS x"
    )


def mean(name: str, value: str, rows: str) -> Invariant:
    """The mean of an expression."""
    return Invariant(name, f"SELECT avg({value}) FROM {rows}")


_OF_TYPE = "sales JOIN store USING (store) WHERE sales.open AND store.store_type"
_ACCOUNT_OF_LOAN = "loan JOIN account USING (account_id)"
_OWNERS = "(SELECT count(*) FILTER (WHERE type = 'OWNER') AS n FROM disp GROUP BY account_id) AS x"
_SALARIED = "salary JOIN employee USING (emp_no)"
_NEXT = "lead(from_date) OVER (PARTITION BY emp_no ORDER BY from_date)"
_SHIPPED = "shipments s JOIN (SELECT DISTINCT shipment_id, order_id FROM order_items) i USING"
_SHIPPED += " (shipment_id) JOIN orders o USING (order_id)"

_BERKA = (
    share("loan amount = payments times duration", "amount = payments * duration", "loan"),
    share("loan not before its account", "loan.date >= account.date", _ACCOUNT_OF_LOAN),
    share("accounts with exactly one owner", "n = 1", _OWNERS),
    share(
        "card not before its account", "card.issued >= account.date",
        "card JOIN disp USING (disp_id) JOIN account USING (account_id)",
    ),
)  # fmt: skip

INVARIANTS: Mapping[str, tuple[Invariant, ...]] = {
    "rossmann_sub": (
        share("closed days without sales", "sales = 0", "sales WHERE NOT open"),
        share("day_of_week fits the date", "day_of_week = extract(isodow FROM date)", "sales"),
        once("one row per store and day", "sales", "store", "date"),
        share(
            "dates on which all stores agree on the promotion", "n = 1",
            "(SELECT count(DISTINCT promo) AS n FROM sales GROUP BY date) AS x",
        ),
        Invariant(
            "correlation of sales and customers, when open",
            "SELECT corr(sales, customers) FROM sales WHERE open",
        ),
        *(
            mean(f"mean sales, stores of type {kind}", "sales.sales", f"{_OF_TYPE} = '{kind}'")
            for kind in "abcd"
        ),
    ),
    "f1_small": (
        once("one result per race and driver", "result", "race_id", "driver_id"),
        once("one result per race and position", "result", "race_id", "position_order"),
        once("one qualifying per race and driver", "qualify", "race_id", "driver_id"),
        once("one driver standing per race and driver", "driver_standings", "race_id", "driver_id"),
        once(
            "one constructor standing per race and constructor", "constructor_standings",
            "race_id", "constructor_id",
        ),
        once("one constructor result per race and constructor", "constructor_results",
             "race_id", "constructor_id"),
        once("one race per year and round", "race", "year", "round"),
        once("one race per year and circuit", "race", "year", "circuit_id"),
    ),
    "berka": _BERKA,
    "berka_full_notrans": _BERKA,
    "employees": (
        share(
            "salary that starts where the one before ended", "follows",
            f"(SELECT to_date = {_NEXT} AS follows FROM salary) AS x",
        ),
        share(
            "title that starts where the one before ended", "follows",
            f"(SELECT to_date = {_NEXT} AS follows FROM title) AS x",
        ),
        share("salary not before hiring", "from_date >= hire_date", _SALARIED),
        share("interval that ends after it starts", "to_date >= from_date", "salary"),
        share("hired as an adult", "hire_date >= birth_date + 18 * 365", "employee"),
        share(
            "at most one salary without an end", "n <= 1",
            "(SELECT count(*) FILTER (WHERE to_date = '9999-01-01') AS n FROM salary"
            " GROUP BY emp_no) AS x",
        ),
    ),
    "pagila": (
        share(
            "payment by the customer who rented", "payment.customer_id = rental.customer_id",
            "payment JOIN rental USING (rental_id)",
        ),
        share("returned after it was rented", "return_date >= rental_date", "rental"),
    ),
    "chinook": (
        share(
            "invoice total = sum of its lines", "total = lines",
            "(SELECT total, sum(unit_price * quantity) AS lines FROM invoice JOIN invoice_line"
            " USING (invoice_id) GROUP BY invoice_id, total) AS x",
        ),
        share(
            "line at the price of its track", "l.unit_price = t.unit_price",
            "invoice_line l JOIN track t USING (track_id)",
        ),
        share(
            "invoice to the country of the customer", "billing_country = country",
            "invoice JOIN customer USING (customer_id)",
        ),
    ),
    "oracle_co": (
        share("shipment to the customer of its order", "s.customer_id = o.customer_id", _SHIPPED),
        share("shipment from the store of its order", "s.store_id = o.store_id", _SHIPPED),
        once("one stock per store and product", "inventory", "store_id", "product_id"),
    ),
    "northwind": (
        share("shipped after it was ordered", "shipped_date >= order_date", "orders"),
        share("required after it was ordered", "required_date >= order_date", "orders"),
    ),
    "tpch": (
        share(
            "shipped after the order", "l_shipdate > o_orderdate",
            "lineitem JOIN orders ON l_orderkey = o_orderkey",
        ),
        share("received after it was shipped", "l_receiptdate > l_shipdate", "lineitem"),
        share(
            "orders whose lines are numbered from 1", "n = last",
            "(SELECT count(*) AS n, max(l_linenumber) AS last FROM lineitem"
            " GROUP BY l_orderkey) AS x",
        ),
        share(
            "finished exactly if every line is", "(o_orderstatus = 'F') = finished",
            "orders JOIN (SELECT l_orderkey, bool_and(l_linestatus = 'F') AS finished FROM lineitem"
            " GROUP BY l_orderkey) AS x ON l_orderkey = o_orderkey",
        ),
    ),
    "shop": tuple(Invariant(fact.name, fact.sql) for fact in FACTS),
}  # fmt: skip


def ask(name: str, url: str) -> dict[str, float | None]:
    """The numbers of a database, by invariant; None where a query finds nothing to count."""
    with psycopg.connect(plain_url(url)) as connection:
        found = {}
        for invariant in INVARIANTS.get(name, ()):
            row = connection.execute(invariant.sql.encode()).fetchone()
            found[invariant.name] = None if row is None or row[0] is None else float(row[0])
        return found
