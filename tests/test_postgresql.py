"""Reading PostgreSQL, and cloning a schema that has one of everything."""

from __future__ import annotations

import re
import subprocess
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa

import dbsynth
from dbsynth.codec import ENDLESS
from dbsynth.databases import open_database, open_stage
from dbsynth.databases.base import Database, Stage
from dbsynth.databases.url import display
from dbsynth.embedded import Server
from dbsynth.errors import CannotConnect, DatabaseError, LoadError, RowsRejected
from dbsynth.schema import Check, Exclusion, ForeignKey, Kind, Schema, UniqueKey

TORTURE = Path(__file__).with_name("torture.sql").read_text()
ORDER = "Sales Dept.Order"


def execute(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text)


def ask(url: str, text: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(text).fetchall()


def renamed(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def pg_dump(server: Server, url: str) -> str:
    done = subprocess.run(
        [server.programs / "pg_dump", "--schema-only", "--no-owner", url],
        capture_output=True,
        text=True,
        check=True,
    )
    return re.sub(r"^\\(un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)


def copy_rows(source: Database, stage: Stage, schema: Schema) -> None:
    for table in schema.tables:
        columns = [column.name for column in table.written]
        encode = stage.encoder(table, columns)
        stage.load(table, columns, (encode(batch) for batch in source.read(table, columns)))


def copy_database(source_url: str, target_url: str, *, replace: bool = False) -> None:
    with open_database(source_url) as source, open_stage(target_url, replace=replace) as stage:
        schema = source.reflect()
        assert stage.create(schema, source.structure()) == ()
        copy_rows(source, stage, schema)
        stage.finish()
        stage.publish()


@pytest.fixture
def torture(fresh_database: str) -> str:
    execute(fresh_database, TORTURE)
    return fresh_database


def test_clone_of_everything_has_the_same_structure_and_rows(postgres, torture):
    target = renamed(torture, "Clone-of.Everything")
    copy_database(torture, target)
    with open_database(torture) as source, open_database(target) as clone:
        schema = source.reflect()
        assert clone.reflect() == schema
        for table in schema.tables:
            columns = [column.name for column in table.columns]
            rows = [pa.Table.from_batches(db.read(table, columns)) for db in (source, clone)]
            assert str(rows[0].to_pydict()) == str(
                rows[1].to_pydict()
            )  # NaN is not equal to itself
    assert pg_dump(postgres, torture) == pg_dump(postgres, target)
    assert ask(target, "SELECT n FROM a_totals") == [(2,)]
    assert ask(target, "SELECT relispopulated FROM pg_class WHERE relname = 'never'") == [(False,)]
    assert ask(target, "SELECT touched FROM customer") == [(True,)] * 3
    assert ask(target, "SELECT nextval('customer_id_seq'), nextval('down')") == [(4, -15)]
    assert ask(target, 'SELECT nextval(\'"Sales Dept"."Order_Order No_seq"\')') == [(9,)]
    assert ask(
        target,
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = current_database()",
    ) == [(None,)]
    execute(postgres.url(), 'DROP DATABASE "Clone-of.Everything"')


def test_reflection_of_everything(torture):
    with open_database(torture) as database:
        schema = database.reflect()
    assert [table.name for table in schema.tables] == [
        "Sales Dept.Order",
        "animal",
        "countdown",
        "customer",
        "dog",
        "event",
        "scratch",
        "we\"ird.name.ta.b'le",
    ]
    customer = schema["customer"]
    assert customer.uniques == (
        UniqueKey(("id", "select"), "customer_covering"),
        UniqueKey(
            ("born", "Full Name"),
            "customer_lower",
            ('lower("Full Name")', "born"),
            "touched",
            ("touched",),
        ),
        UniqueKey(("mail",), "customer_mail_key"),
        UniqueKey(("select", "mood"), "customer_mood", nulls_equal=True),
    )
    mail = customer.column_by_name["mail"]
    assert (mail.kind, mail.sql_type, mail.base_type, mail.length, mail.nullable) == (
        Kind.TEXT, "public.short_email", "character varying(60)", 60, False,
    )  # fmt: skip
    assert customer.checks[0] == Check(
        "customer_born_check", "((born > '1900-01-01'::date) OR (born IS NULL))", ("born",)
    )
    assert [c.columns for c in customer.checks] == [("born",), ("select",), ("mail",), ("mail",)]
    assert "'VALUE@x'" in customer.checks[3].sql
    assert customer.column_by_name["mood"].choices == ("sad", "it's ok", "happy")
    assert customer.column_by_name["id"].identity
    assert customer.column_by_name["name_length"].generated
    order = schema[ORDER]
    assert order.primary_key == ("Order No", "line")
    assert order.column_by_name["Order No"].identity
    assert order.exclusions == (
        Exclusion("Order_during_excl", (("during", "&&"),), ("during",), "(line > 0)"),
    )
    assert schema.foreign_keys == (
        ForeignKey(ORDER, ("customer",), "customer", ("id",), nullable=True, deferrable=True),
        ForeignKey("event", ("id",), "customer", ("id",)),
        ForeignKey(
            "we\"ird.name.ta.b'le", ("order", "line"), ORDER, ("Order No", "line"),
            nullable=True, full=True,
        ),
    )  # fmt: skip
    event = schema["event"]
    assert [(key.columns, key.name) for key in event.uniques] == [(("id",), "event_2020_id_key")]
    assert [check.name for check in event.checks] == ["event_2020.early", "partition bounds"]
    assert schema["scratch"].column_by_name["n"].kind is Kind.INTEGER
    assert schema["scratch"].column_by_name["big"].kind is Kind.DECIMAL
    assert Schema.from_json(schema.to_json()) == schema


def test_questions_count_offending_rows(fresh_database):
    execute(
        fresh_database,
        """
        CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b));
        CREATE TABLE c (a integer, b integer, t text, u integer);
        INSERT INTO p VALUES (1, 1);
        INSERT INTO c VALUES (1, 1, 'x', 1), (1, 2, 'X', NULL), (NULL, 3, 'y', NULL),
          (NULL, NULL, NULL, 5);
        """,
    )
    key = ForeignKey("c", ("a", "b"), "p", ("a", "b"))
    full = ForeignKey("c", ("a", "b"), "p", ("a", "b"), full=True)
    with open_database(fresh_database) as database:
        table = database.reflect()["c"]
        assert database.count_orphans(key) == 1
        assert database.count_orphans(full) == 2
        assert database.count_duplicates(table, UniqueKey(("a",))) == 1
        assert database.count_duplicates(table, UniqueKey(("a",), nulls_equal=True)) == 2
        assert database.count_duplicates(table, UniqueKey(("t",), expressions=("lower(t)",))) == 1
        assert database.count_duplicates(table, UniqueKey(("a",), where="(u IS NOT NULL)")) == 0
        assert database.count_nulls(table, "u") == 2
        assert database.count_failing(table, Check("", "(u > 1)", ("u",))) == 1


EVERY_TYPE = """
CREATE TYPE mood AS ENUM ('a', 'b c');
CREATE TABLE every (
  id integer PRIMARY KEY, i2 smallint, i8 bigint, n numeric, n2 numeric(12,3), n0 numeric(9),
  f4 real, f8 double precision, flag boolean, t text, v varchar(9), c char(3), e mood, u uuid,
  j json, jb jsonb, ia integer[], ta text[][], d date, tm time, tz timetz, ts timestamp,
  tsz timestamptz,
  ts0 timestamp(0), iv interval, b bytea, ip inet, net cidr, mac macaddr, r int4range,
  tv tsvector, pt point, bits bit(5), cash money
);
INSERT INTO every VALUES
(1, -32768, 9223372036854775807, 12345.678901, -1.5, 7, 0.1, 1e-300, true, 'q"uo''te', 'a,b', 'x',
 'b c', 'c0ffee00-0000-4000-8000-000000000001', '{"a": 1}', '[1, "z"]', '{1,NULL,3}',
 '{{a,"b c"},{"",NULL}}', '2024-02-29', '23:59:59.999999', '12:00:00+00',
 '1999-12-31 23:59:59.5',
 '2020-06-01 12:00:00+02', '2020-01-01 00:00:01', '1 year 2 mons 3 days 04:05:06.7', '\\x00ff',
 '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', '[1,5)', 'fat:1 cat:2', '(1,2)',
 B'10101', '12.34'),
(2, 0, 0, 0, 0, 0, 0, 0, false, '', '', '', 'a', NULL, '""', '{}', '{}', '{}', '0001-01-01',
 '00:00', '00:00+00', '0001-01-01', '0001-01-01 00:00+00', '9999-12-31', '0', '', '::1', '::/0',
 '00:00:00:00:00:00', 'empty', '', '(0,0)', B'00000', '0');
INSERT INTO every (id, i2, i8, n, n0, f4, f8, t, v, c, iv) VALUES
(3, 1, -1, -1, 1, 'NaN', 'Infinity',
 E'line\\nbreak\\t\\\\', 'ünï', '😀', '-1 day'),
(4, NULL, NULL, NULL, NULL, '-Infinity', NULL, E'\\\\.', E'\\\\N', NULL, NULL);
"""


def test_every_type_survives_reading_and_loading(fresh_database):
    execute(fresh_database, EVERY_TYPE)
    target = renamed(fresh_database, "every_type")
    copy_database(fresh_database, target)
    query = "SELECT * FROM every ORDER BY id"
    assert str(ask(target, query)) == str(ask(fresh_database, query))
    with open_database(fresh_database) as database:
        table = database.reflect()["every"]
        [batch] = database.read(table, [column.name for column in table.columns])
    first, second, third, _ = batch.to_pylist()
    assert (first["d"], first["tm"]) == (date(2024, 2, 29), time(23, 59, 59, 999999))
    assert first["tsz"] == datetime(2020, 6, 1, 10, tzinfo=ZoneInfo("UTC"))
    assert first["iv"] == "1 year 2 mons 3 days 04:05:06.7"
    assert (first["b"], second["b"], third["b"]) == (b"\x00\xff", b"", None)
    assert (second["t"], third["t"]) == ("", "line\nbreak\t\\")
    assert first["ta"] == '{{a,"b c"},{"",NULL}}'
    execute(renamed(fresh_database, "postgres"), "DROP DATABASE every_type")


def test_values_beyond_arrow_are_brought_into_its_range(fresh_database):
    execute(
        fresh_database,
        """
        CREATE TABLE t (d date, ts timestamp, tsz timestamptz, tm time, iv interval, n numeric);
        INSERT INTO t VALUES
          ('infinity', 'infinity', 'infinity', '24:00', '170000000 years', 1e400),
          ('-infinity', '-infinity', '-infinity', '00:00', '-170000000 years', -1e400),
          ('0044-03-15 BC', '0044-03-15 BC', '20000-01-01', '00:00', '0', 'NaN');
        """,
    )
    with open_database(fresh_database) as database:
        table = database.reflect()["t"]
        found = database.sample(table, ["d", "ts", "tm", "n"], 10, 1)
        assert database.sample(table, ["tsz", "iv"], 10, 1).num_rows == 3
    low, high = ENDLESS[Kind.DATE]
    ides = -735_160  # days from 1970-01-01 to the Ides of March of 44 BC
    assert found["d"].cast(pa.int32()).to_pylist() == [high, low, ides]
    low, high = ENDLESS[Kind.TIMESTAMP]
    assert found["ts"].cast(pa.int64()).to_pylist()[:2] == [high, low]
    assert found["ts"][2].as_py() == datetime.min
    assert [str(n) for n in found["n"].to_pylist()] == ["inf", "-inf", "nan"]
    assert found["tm"][0].as_py() == time.max


def test_sampling_is_repeatable_and_reading_may_be_abandoned(fresh_database):
    execute(
        fresh_database,
        "CREATE TABLE n (i integer PRIMARY KEY, t text);"
        "INSERT INTO n SELECT i, NULL FROM generate_series(1, 20000) i",
    )
    with open_database(fresh_database) as database:
        table = database.reflect()["n"]
        sample = database.sample(table, ["t", "i"], 1000, 5)
        assert sample.equals(database.sample(table, ["t", "i"], 1000, 5))
        assert not sample.equals(database.sample(table, ["t", "i"], 1000, 6))
        assert 850 < sample.num_rows < 1150  # binomial: 1000 with a deviation of 31
        reading = database.read(table, ["t"], 500)
        assert next(reading).num_rows == 500
        reading.close()
        both = zip(
            database.read(table, ["i"], 5000), database.read(table, ["i"], 5000), strict=True
        )
        assert [a.equals(b) for a, b in both] == [True] * 4
        execute(fresh_database, "DELETE FROM n")
        assert database.count_rows(table) == 20000
        assert sum(batch.num_rows for batch in database.read(table, [])) == 20000


def test_expressions_are_evaluated_in_the_order_of_the_rows(torture, fresh_database):
    target = renamed(torture, "evaluating")
    with open_database(torture) as source, open_stage(target, replace=False) as stage:
        schema = source.reflect()
        stage.create(schema, source.structure())
        table = schema["customer"]
        rows = pa.table(
            {"mail": ["no mail", "a@b", None], "select": pa.array([3, 4, None], pa.int64())}
        )
        sql = [table.checks[1].sql, table.checks[3].sql, 'upper(mail) || "select"']
        assert stage.evaluate(table, rows, sql).to_pydict() == {
            "0": [False, True, None],
            "1": [False, True, None],
            "2": ["NO MAIL3", "A@B4", None],
        }
        with pytest.raises(DatabaseError, match="division by zero"):
            stage.evaluate(table, rows, ['1 / ("select" - 3)'])
        assert stage.evaluate(table, rows, ["true"]).to_pydict() == {"0": [True] * 3}


def test_rejected_rows_are_told_without_their_values(torture):
    with (
        open_database(torture) as source,
        open_stage(renamed(torture, "rejecting"), replace=False) as stage,
    ):
        schema = source.reflect()
        stage.create(schema, source.structure())
        table = schema["customer"]
        with pytest.raises(RowsRejected) as raised:
            stage.load(table, ["mail", "mood"], [b'"secret","sad"\n'])
        assert raised.value.message == (
            "The server refused rows of table `customer`: check violation (SQL state 23514),"
            " constraint `email_check`"
        )
        with pytest.raises(RowsRejected) as raised:
            stage.load(table, ["mail", "mood"], [b'"a@b","secret"\n'])
        assert raised.value.message == (
            "The server refused rows of table `customer`: invalid text representation"
            " (SQL state 22P02), column `mood`"
        )
        batch = pa.record_batch({"id": [7, 7], "mail": ["s@1", "s@2"]})
        encode = stage.encoder(table, ["id", "mail"])
        assert stage.load(table, ["id", "mail"], [encode(batch)]) == 2
        with pytest.raises(LoadError) as raised:
            stage.finish()
        assert "constraint customer_pkey of public.customer (could not create" in str(raised.value)
        assert "7" not in str(raised.value)


def test_identity_is_the_same_through_socket_and_network(postgres, fresh_database):
    name = sa.make_url(fresh_database).database
    urls = [fresh_database, postgres.network_url(name), postgres.network_url(name, "localhost")]
    found = set()
    for url in [*urls, postgres.url()]:
        with open_database(url) as database:
            found.add(database.identity())
    assert len(found) == 2


def test_a_role_needs_no_more_than_select(postgres, torture):
    execute(
        torture,
        """
        CREATE ROLE reader LOGIN BYPASSRLS;
        DROP EVENT TRIGGER ddl;
        """,
    )
    name = sa.make_url(torture).database
    try:
        with open_database(postgres.url(name, "reader")) as database:
            schema = database.reflect()
            table = schema["customer"]
            with pytest.raises(
                DatabaseError, match="permission denied for table customer"
            ) as raised:
                database.count_rows(table)
            assert "GRANT SELECT" in raised.value.hint
            assert database.identity()
        for namespace in ("public", '"Sales Dept"', '"we""ird.name"'):
            execute(torture, f"GRANT USAGE ON SCHEMA {namespace} TO reader")
            execute(torture, f"GRANT SELECT ON ALL TABLES IN SCHEMA {namespace} TO reader")
        with open_database(postgres.url(name, "reader")) as database:
            assert database.reflect() == schema
            assert database.structure()
            for table in schema.tables:
                columns = [column.name for column in table.columns]
                rows = sum(batch.num_rows for batch in database.read(table, columns))
                assert rows == database.count_rows(table)
        execute(torture, "ALTER ROLE reader NOBYPASSRLS")
        with (
            open_database(postgres.url(name, "reader")) as database,
            pytest.raises(DatabaseError, match="row-level security"),
        ):
            database.count_rows(schema[ORDER])
    finally:
        execute(torture, "DROP OWNED BY reader; DROP ROLE reader")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"database": "nowhere"}, "There is no database `nowhere`"),
        ({"password": "hunter2"}, "rejected the user name or password"),
        ({"port": 1}, "Cannot connect to"),
    ],
    ids=["database", "password", "port"],
)
def test_refused_connections_are_explained_without_the_password(postgres, change, message):
    url = sa.make_url(postgres.network_url()).set(**change)
    text = url.render_as_string(hide_password=False)
    for opened in (lambda: open_database(text), lambda: open_stage(text, replace=False)):
        if "database" in change and opened().__class__.__name__ == "PostgresStage":
            continue  # a stage makes its database
        with pytest.raises(CannotConnect, match=message) as raised:
            opened().__enter__()
        assert raised.value.hint
        shown = f"{raised.value!r} {raised.value.hint} {opened()!r} {opened().label}"
        assert str(url.password) not in shown


def test_display_hides_every_password():
    url = sa.make_url("postgresql://me:s3cret@h/d?sslpassword=s3cret&sslmode=require")
    assert display(url) == "postgresql://me:***@h/d?sslmode=require&sslpassword=%2A%2A%2A"


def test_checks_about_arrays_are_met_together(postgres, fresh_database):
    with psycopg.connect(fresh_database) as connection:
        connection.execute(
            "CREATE TABLE probe (op text[] CHECK (cardinality(op) > 0), value text[], hits int[],"
            " CHECK (cardinality(op) = cardinality(value)),"
            " CHECK (cardinality(op) = cardinality(hits)))"
        )
        connection.execute(
            "INSERT INTO probe SELECT (ARRAY['<', '>', '=', '~'])[1 : n % 4 + 1],"
            " ARRAY(SELECT md5(n::text || i) FROM generate_series(0, n % 4) AS i),"
            " ARRAY(SELECT n * 7 % (10 + i) FROM generate_series(0, n % 4) AS i)"
            " FROM generate_series(1, 19) AS n"
        )
    target = postgres.create_database("probed")
    report = dbsynth.clone(fresh_database, target, replace=True)
    assert report.ok
    with psycopg.connect(target) as connection:
        sizes = "SELECT count(*), count(DISTINCT cardinality(op)) FROM probe"
        assert connection.execute(sizes).fetchone() == (19, 4)
