"""Tables of one kind of database, written for the other."""

import sqlite3
from dataclasses import replace

import pytest

from dbsynth.databases.ddl import column_names, create_statements, target_names
from dbsynth.errors import SchemaError
from dbsynth.schema import (
    Check,
    Column,
    Exclusion,
    ForeignKey,
    Kind,
    Schema,
    Table,
    UniqueKey,
)

CUSTOMER = Table(
    "customer",
    "customer",
    None,
    (
        Column("id", Kind.INTEGER, "integer", nullable=False, identity=True, bits=32),
        Column("mood", Kind.ENUM, "mood", nullable=False, choices=("it's", "b:c")),
        Column("tags", Kind.ARRAY, "text[]"),
        Column("price", Kind.DECIMAL, "numeric(8,2)", precision=8, scale=2),
        Column("total", Kind.DECIMAL, "numeric", nullable=False, generated=True),
        Column("token", Kind.UUID, "uuid"),
        Column("seen", Kind.TIMESTAMP, "timestamp with time zone", zoned=True, default=True),
    ),
    ("id",),
    (UniqueKey(("token",), "one_token"), UniqueKey(("mood",), "partly", where="price > 0")),
    (),
    (
        Check("positive", "((price > (0)::numeric))", ("price",)),
        Check("odd", "(price > f(id))", ("price", "id")),
        Check(
            "known", "((mood)::text = ANY ((ARRAY['it''s'::character varying])::text[]))", ("mood",)
        ),
    ),
    (Exclusion("apart", (("seen", "&&"),), ("seen",)),),
)
SALE = Table(
    "shop.sale",
    "sale",
    "shop",
    (
        Column("customer", Kind.INTEGER, "integer", nullable=False, bits=32),
        Column("day", Kind.DATE, "date", nullable=False),
    ),
    ("customer", "day"),
    (),
    (ForeignKey("shop.sale", ("customer",), "customer", ("id",), deferrable=True),),
)


def test_postgresql_tables_fit_into_sqlite() -> None:
    before, after, losses = create_statements(Schema((CUSTOMER, SALE)), "sqlite")
    connection = sqlite3.connect(":memory:")
    for statement in before:
        connection.execute(statement)
    assert after == []
    assert target_names(Schema((CUSTOMER, SALE)), "sqlite") == {
        "customer": "customer",
        "shop.sale": "shop_sale",
    }
    types = connection.execute("SELECT name, type FROM pragma_table_info('customer')").fetchall()
    assert dict(types) == {
        "id": "INTEGER",
        "mood": "VARCHAR(4)",
        "tags": "TEXT",
        "price": "NUMERIC(8, 2)",
        "total": "NUMERIC",
        "token": "CHAR(36)",
        "seen": "TIMESTAMP",
    }
    assert losses[2:] == (
        "table customer: column total is computed in the source and stays empty",
        "table customer: unique key partly over expressions or some of the rows is lost",
        "table customer: CHECK odd is not portable",
        "table customer: exclusion constraint apart is lost",
    )


@pytest.mark.parametrize(
    ("mood", "price", "named"),
    [("b:c", 1, "CHECK"), ("it's", -1, "CHECK"), ("it's", 1, None)],
)
def test_checks_are_carried_over(mood: str, price: int, named: str | None) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(create_statements(Schema((CUSTOMER,)), "sqlite")[0][0])
    insert = "INSERT INTO customer (mood, price) VALUES (?, ?)"
    if named is None:
        assert connection.execute(insert, (mood, price)).rowcount == 1
    else:
        with pytest.raises(sqlite3.IntegrityError, match=named):
            connection.execute(insert, (mood, price))


def test_names_that_collide_are_refused() -> None:
    clash = replace(SALE, name="shop_sale", bare="shop_sale", namespace=None)
    with pytest.raises(SchemaError, match=r"tables shop\.sale and shop_sale would both"):
        create_statements(Schema((SALE, clash)), "sqlite")
    columns = (Column("a", Kind.TEXT, "text"), Column("A", Kind.TEXT, "text"))
    with pytest.raises(SchemaError, match="columns of table t a and A would both"):
        column_names(Table("t", "t", None, columns), "sqlite")


def test_long_names_are_shortened_without_collision() -> None:
    columns = tuple(Column("ä" * 40 + end, Kind.TEXT, "text") for end in "xyz")
    names = column_names(Table("t", "t", None, columns), "postgresql")
    assert len(set(names.values())) == 3
    assert max(len(name.encode()) for name in names.values()) <= 63


def test_sqlite_tables_fit_into_postgresql() -> None:
    person = Table(
        "Person",
        "Person",
        None,
        (
            Column("id", Kind.INTEGER, "INTEGER", nullable=False, identity=True, bits=64),
            Column("boss", Kind.INTEGER, "INT"),
            Column("name", Kind.TEXT, "VARCHAR(20)", length=20),
            Column("code", Kind.TEXT, "TEXT"),
        ),
        ("id",),
        (UniqueKey(("code",), "no_case", ('"code" COLLATE "NOCASE"',)),),
        (
            ForeignKey("Person", ("boss",), "Person", ("id",), nullable=True),
            ForeignKey("Person", ("code",), "Person", ("id",), nullable=True),
        ),
        (Check("check 1", "boss <> ID AND id BETWEEN 1 AND 9", ("id", "boss")),),
    )
    before, after, losses = create_statements(Schema((person,)), "postgresql")
    assert [line.strip() for line in before[0].splitlines()] == [
        'CREATE TABLE "Person" (',
        '"id" BIGINT GENERATED BY DEFAULT AS IDENTITY,',
        '"boss" BIGINT,',
        '"name" VARCHAR(20),',
        '"code" TEXT,',
        'PRIMARY KEY ("id"),',
        'CHECK ("boss" <> "id" AND "id" BETWEEN 1 AND 9)',
        ")",
    ]
    assert after == [
        'ALTER TABLE "Person" ADD CONSTRAINT "Person_boss_Person_id_fkey"'
        ' FOREIGN KEY("boss") REFERENCES "Person" ("id")',
        """SELECT setval(pg_get_serial_sequence('"Person"', 'id'),"""
        """ greatest(coalesce(max("id"), 1), 1), coalesce(max("id"), 0) > 0) FROM "Person\"""",
    ]
    assert losses[1:] == (
        "table Person: unique key no_case over expressions or some of the rows is lost",
        "foreign key Person(code) -> Person is lost, because its columns and those of its parent"
        " have different types",
    )
