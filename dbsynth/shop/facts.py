"""The facts planted in the shop: each a query for one number that is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from dbsynth.errors import DatabaseError


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that a good clone shares with its source.

    Attributes:
        name: What the number is, for a table of facts.
        sql: A PostgreSQL query that returns it, on source and clone alike (NULL where a clone has
            no row to compute it from).
        planted: What the simulation makes of it.
    """

    name: str
    sql: str
    planted: str


FACTS: tuple[Fact, ...] = (
    Fact(
        "orders per customer, gold to no tier",
        """
        SELECT avg(n) FILTER (WHERE tier = 'gold') / avg(n) FILTER (WHERE tier = 'none')
        FROM (SELECT c.tier, count(o.id) AS n FROM customer c
              LEFT JOIN sales.orders o ON o.customer_id = c.id GROUP BY c.id) AS customers
        """,
        "loyal customers order 8 times as often",
    ),
    Fact(
        "order total, gold to no tier",
        """
        SELECT avg(t.total) FILTER (WHERE c.tier = 'gold')
             / avg(t.total) FILTER (WHERE c.tier = 'none')
        FROM sales.order_total t JOIN customer c ON c.id = t.customer_id
        """,
        "and their orders are twice as large",
    ),
    Fact(
        "price explained by category, %",
        """
        SELECT 100 * (1 - avg((ln(price) - mean) ^ 2) / var_pop(ln(price)))
        FROM (SELECT price, avg(ln(price)) OVER (PARTITION BY category_id) AS mean
              FROM product) AS products
        """,
        "prices follow categories",
    ),
    Fact(
        "deliveries before their order, %",
        """
        SELECT 100 * avg((s.delivered_at < o.placed_at)::int)
        FROM sales.shipment s JOIN sales.orders o ON o.id = s.order_id
        WHERE s.delivered_at IS NOT NULL
        """,
        "deliveries come after orders",
    ),
    Fact(
        "lines refunded, %",
        """
        SELECT 100.0 * (SELECT count(*) FROM sales.refund)
             / nullif((SELECT count(*) FROM sales.order_line), 0)
        """,
        "refunds are rare",
    ),
    Fact(
        "orders at weekends, %",
        """
        SELECT 100 * avg((extract(isodow FROM placed_at AT TIME ZONE 'UTC') >= 6)::int)
        FROM sales.orders
        """,
        "43 instead of the even 29",
    ),
    Fact(
        "orders from 18 to 22 h, %",
        """
        SELECT 100 * avg((extract(hour FROM placed_at AT TIME ZONE 'UTC') BETWEEN 18 AND 21)::int)
        FROM sales.orders
        """,
        "41 instead of the even 17",
    ),
    Fact(
        "lines that sell the top 1 % of products, %",
        """
        SELECT 100 * sum(n) / nullif((SELECT count(*) FROM sales.order_line), 0)
        FROM (SELECT count(*) AS n FROM sales.order_line GROUP BY product_id ORDER BY n DESC
              LIMIT (SELECT ceil(count(*) / 100.0)::bigint FROM product)) AS top
        """,
        "few products sell most",
    ),
    Fact(
        "customers with a fax, %",
        "SELECT 100.0 * count(fax) / nullif(count(*), 0) FROM customer",
        "almost always empty",
    ),
    Fact(
        "customers without orders, %",
        """
        SELECT 100 * avg((NOT EXISTS (SELECT FROM sales.orders o WHERE o.customer_id = c.id))::int)
        FROM customer c
        """,
        "15 never ordered",
    ),
    Fact(
        "days to deliver, express to standard",
        """
        SELECT avg(days) FILTER (WHERE service = 'express')
             / avg(days) FILTER (WHERE service = 'standard')
        FROM (SELECT service, extract(epoch FROM delivered_at - shipped_at) / 86400 AS days
              FROM sales.shipment) AS shipments
        """,
        "express takes a quarter of the time",
    ),
    Fact(
        "review score, refunded less other",
        """
        SELECT avg(r.score) FILTER (WHERE f.order_id IS NOT NULL)
             - avg(r.score) FILTER (WHERE f.order_id IS NULL)
        FROM review r LEFT JOIN sales.refund f USING (order_id, line_number)
        """,
        "refunded lines get 2.3 points less",
    ),
    Fact(
        "payments other than the sum of lines, %",
        """
        SELECT 100 * avg((p.amount <> t.total)::int)
        FROM sales.payment p LEFT JOIN sales.order_total t ON t.order_id = p.order_id
        """,
        "a payment is the sum of its lines",
    ),
)


def measure(url: str) -> dict[str, float | None]:
    """The number of every fact in a database, by name; None where a query finds no rows.

    Args:
        url: ``postgresql://...`` (also with ``+psycopg``) of a shop or of its clone.
    """
    try:
        with psycopg.connect(plain_url(url)) as connection:
            return {fact.name: _number(connection, fact.sql) for fact in FACTS}
    except psycopg.Error as error:
        raise DatabaseError(
            f"the facts of the shop cannot be measured (SQLSTATE {error.sqlstate or 'unknown'})",
            hint="Give the URL of a database that `build_shop` made, or of its clone",
        ) from None


def plain_url(url: str) -> str:
    """The URL as libpq wants it: without the name of a Python driver."""
    scheme, separator, rest = url.partition("://")
    return scheme.partition("+")[0] + separator + rest


def _number(connection: psycopg.Connection, query: str) -> float | None:
    row = connection.execute(query.encode()).fetchone()
    return None if row is None or row[0] is None else float(row[0])
