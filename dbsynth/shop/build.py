"""Builds the shop in an empty PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg
from psycopg import sql

from dbsynth.errors import CannotConnect, DatabaseError, SchemaError
from dbsynth.shop.facts import plain_url
from dbsynth.shop.simulate import simulate

_NUMBERED = (
    "customer",
    "address",
    "category",
    "supplier",
    "product",
    "review",
    "sales.orders",
    "sales.payment",
    "sales.shipment",
)


def schema_sql(name: str = "shop") -> str:
    """The PostgreSQL statements of a schema that comes with dbsynth.

    Args:
        name: Its folder under `schemas/`, which a checkout has beside the package and an installed
            wheel has inside it.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_schemas", package.parent / "schemas"):
        file = folder / name / "schema.sql"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise SchemaError(
        f"there is no schema `{name}` beside the package",
        hint="Install dbsynth from its wheel or work in a checkout",
    )


def build_shop(url: str, *, seed: int = 0, customers: int = 6000) -> None:
    """Create the tables of the shop in an empty database and fill them, in one transaction.

    Args:
        url: ``postgresql://...`` (also with ``+psycopg``).
        seed: Same seed, same rows.
        customers: Rows of ``customer``; the others follow (6,000 give 180,000 rows in all).
    """
    tables = simulate(seed=seed, customers=customers)
    try:
        with psycopg.connect(plain_url(url)) as connection:
            _fill(connection, tables)
            connection.commit()
            connection.autocommit = True
            connection.execute("ANALYZE")
    except psycopg.OperationalError as error:
        raise CannotConnect(
            f"no PostgreSQL server lets us build the shop (SQLSTATE {error.sqlstate or 'unknown'})",
            hint="Check that the server runs and that the URL is right",
        ) from None
    except psycopg.Error as error:
        raise DatabaseError(
            f"the shop could not be built (SQLSTATE {error.sqlstate or 'unknown'})",
            hint="Give an empty database, and a role that may create tables in it",
        ) from None


def _fill(connection: psycopg.Connection, tables: dict[str, pl.DataFrame]) -> None:
    connection.execute("SET LOCAL TIME ZONE 'UTC'")
    connection.execute(schema_sql().encode())
    with connection.cursor() as cursor:
        for name, frame in tables.items():
            columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
                _table(name), columns
            )
            with cursor.copy(statement) as copy:
                copy.write(frame.write_csv(include_header=False))
    for name in _NUMBERED:
        # Identity columns go on after the rows that are there.
        connection.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}").format(
                sql.Literal(name), _table(name)
            )
        )
    connection.execute("REFRESH MATERIALIZED VIEW sales.monthly_revenue")


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))
