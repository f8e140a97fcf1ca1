"""Building a PostgreSQL database: what happens to the target when it works, fails or is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from dbsynth.databases import open_database, open_stage
from dbsynth.embedded import Server
from dbsynth.errors import DatabaseError, TargetNotEmpty
from dbsynth.schema import Column, Kind, Schema, Table

TABLE = Table("t", "t", "public", (Column("a", Kind.INTEGER, "integer", "integer", bits=32),))
SCHEMA = Schema((TABLE,))


def execute(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text)


def ask(url: str, text: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(text).fetchall()


def databases(server: Server) -> set[str]:
    found = ask(server.url(), "SELECT datname FROM pg_database WHERE NOT datistemplate")
    return {name for (name,) in found}


@pytest.fixture
def structure(fresh_database: str) -> bytes:
    """Of a database that has one table ``t (a integer)``."""
    execute(fresh_database, "CREATE TABLE t (a integer PRIMARY KEY)")
    with open_database(fresh_database) as database:
        return database.structure()


@pytest.fixture
def target(postgres: Server) -> Iterator[str]:
    """The URL of a database that does not exist, and is removed afterwards."""
    yield postgres.url("target")
    execute(postgres.url(), "DROP DATABASE IF EXISTS target WITH (FORCE)")


def build(url: str, structure: bytes, *, replace: bool = False) -> None:
    with open_stage(url, replace=replace) as stage:
        stage.create(SCHEMA, structure)
        stage.load(TABLE, ["a"], [b"1\n2\n"])
        stage.finish()
        stage.publish()


def build_half(url: str, structure: bytes, failure: type[BaseException]) -> None:
    with open_stage(url, replace=True) as stage:
        stage.create(SCHEMA, structure)
        stage.load(TABLE, ["a"], [b"1\n"])
        raise failure


def test_a_target_that_does_not_exist_is_made(postgres, target, structure):
    before = databases(postgres)
    build(target, structure)
    assert databases(postgres) == before | {"target"}
    assert ask(target, "SELECT * FROM t") == [(1,), (2,)]


def test_rows_of_a_new_table_need_no_second_visit_and_more_may_follow(target, structure):
    with open_stage(target, replace=False) as stage:
        stage.create(SCHEMA, structure)
        many = "".join(f"{n}\n" for n in range(300_000))
        assert stage.load(TABLE, ["a"], [many.encode()]) == 300_000
        assert stage.load(TABLE, ["a"], [b"300000\n"]) == 1
        stage.finish()
        stage.publish()
    stored = "WITH r AS (SELECT a, lag(a) OVER (ORDER BY ctid) AS last FROM t)"
    assert ask(target, f"{stored} SELECT count(*) FROM r WHERE a <> last + 1") == [(0,)]
    seen = "SELECT relallvisible > 0.9 * relpages FROM pg_class WHERE relname = 't'"
    assert ask(target, seen) == [(True,)]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_every_failure_removes_the_stage_and_leaves_the_target(
    postgres, target, structure, failure
):
    execute(postgres.url(), "CREATE DATABASE target")
    execute(target, "CREATE TABLE mine (a integer)")
    before = databases(postgres)
    with pytest.raises(failure):
        build_half(target, structure, failure)
    assert databases(postgres) == before
    assert ask(target, "SELECT * FROM mine") == []


@pytest.mark.parametrize(
    "content",
    [
        "CREATE TABLE x ()",
        "CREATE VIEW x AS SELECT 1 AS a",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE x AS ENUM ('a')",
        "CREATE TYPE x AS (a integer)",
        "CREATE SCHEMA x",
        "CREATE SEQUENCE x",
        "CREATE EXTENSION vector",
    ],
)
def test_a_target_that_holds_anything_is_refused_at_once(postgres, target, content):
    execute(postgres.url(), "CREATE DATABASE target")
    execute(target, content)
    before = databases(postgres)
    with pytest.raises(TargetNotEmpty) as raised:
        open_stage(target, replace=False).__enter__()
    assert "--replace" in raised.value.hint
    assert databases(postgres) == before


def test_replacing_keeps_what_hangs_on_the_target(postgres, target, structure):
    execute(postgres.url(), "CREATE ROLE keeper LOGIN")
    execute(postgres.url(), "CREATE DATABASE target OWNER keeper CONNECTION LIMIT 7")
    execute(target, "CREATE TABLE old (a integer)")
    for statement in (
        "ALTER DATABASE target SET search_path TO \"$user\", public, 'odd, name'",
        "ALTER DATABASE target SET work_mem TO '5MB'",
        "ALTER DATABASE target SET default_transaction_read_only TO on",
        "ALTER ROLE keeper IN DATABASE target SET statement_timeout TO '7s'",
        "REVOKE CONNECT ON DATABASE target FROM PUBLIC",
        "GRANT CREATE ON DATABASE target TO pg_monitor WITH GRANT OPTION",
        "COMMENT ON DATABASE target IS 'it''s ours'",
    ):
        execute(postgres.url(), statement)
    facts = """
        SELECT pg_get_userbyid(datdba), datconnlimit, shobj_description(d.oid, 'pg_database'),
          ARRAY(SELECT acl::text FROM unnest(datacl) acl ORDER BY 1),
          ARRAY(SELECT s.setrole::regrole || unnest(s.setconfig) FROM pg_db_role_setting s
            WHERE setdatabase = d.oid ORDER BY 1)
        FROM pg_database d WHERE datname = 'target'"""
    before = ask(postgres.url(), facts)
    with psycopg.connect(target) as bystander:
        build(target, structure, replace=True)
        with pytest.raises(psycopg.OperationalError):
            bystander.execute("SELECT 1")
    assert ask(postgres.url(), facts) == before
    assert ask(target, "SELECT count(*) FROM t") == [(2,)]
    assert not {name for name in databases(postgres) if "__dbsynth" in name}
    execute(postgres.url(), "DROP DATABASE target")
    execute(postgres.url(), "DROP ROLE keeper")


def test_two_runs_cannot_build_one_target(target, structure):
    with open_stage(target, replace=False) as stage:
        with pytest.raises(DatabaseError, match="Another run is building"):
            open_stage(target, replace=False).__enter__()
        stage.create(SCHEMA, structure)
        stage.finish()
        stage.publish()
    assert ask(target, "SELECT * FROM t") == []


def test_a_killed_run_is_cleared_away_by_the_next(postgres, target, structure):
    program = textwrap.dedent(
        """
        import sys, time
        from dbsynth.databases import open_stage
        with open_stage(sys.argv[1], replace=True):
            print("built", flush=True)
            time.sleep(60)
        """
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", program, target], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout.readline() == b"built\n"
        process.send_signal(signal.SIGKILL)
    assert "target__dbsynth_new" in databases(postgres)
    build(target, structure, replace=True)
    assert not {name for name in databases(postgres) if "__dbsynth" in name}


def test_a_run_killed_after_the_swap_is_cleared_away_by_the_next(postgres, target, structure):
    build(target, structure)
    execute(postgres.url(), "CREATE DATABASE target__dbsynth_old")
    with pytest.raises(DatabaseError, match="was not made by dbsynth"):
        build(target, structure, replace=True)
    execute(
        postgres.url(),
        "COMMENT ON DATABASE target__dbsynth_old IS"
        " 'dbsynth: replaced by a newer clone, to be dropped'",
    )
    build(target, structure, replace=True)
    assert not {name for name in databases(postgres) if "__dbsynth" in name}


def test_a_long_name_is_cut(postgres, structure):
    name = "ä" * 31
    url = sa.make_url(postgres.url()).set(database=name).render_as_string()
    build(url, structure)
    build(url, structure, replace=True)
    assert name in databases(postgres)
    execute(postgres.url(), f'DROP DATABASE "{name}"')


def test_without_createdb_an_empty_target_is_built_in_place(postgres, target, structure):
    execute(postgres.url(), "CREATE ROLE humble LOGIN")
    mine = postgres.url("target", "humble")
    try:
        with pytest.raises(DatabaseError, match="may not create databases") as raised:
            build(mine, structure)
        assert raised.value.hint == "Run `ALTER ROLE humble CREATEDB`."
        execute(postgres.url(), "CREATE DATABASE target OWNER humble")
        with pytest.raises(RuntimeError):
            build_half(mine, structure, RuntimeError)
        execute(target, "CREATE SCHEMA other")
        with pytest.raises(TargetNotEmpty):
            build(mine, structure)
        execute(target, "DROP SCHEMA other")
        execute(mine, "CREATE SCHEMA dbsynth_unfinished; CREATE TABLE half ()")
        build(mine, structure)  # clears away what a killed run left
        assert ask(target, "SELECT count(*) FROM t") == [(2,)]
        assert ask(target, "SELECT to_regclass('half'), to_regnamespace('dbsynth_unfinished')") == [
            (None, None)
        ]
        with pytest.raises(DatabaseError, match="cannot be replaced: role humble may not create"):
            build(mine, structure, replace=True)
    finally:
        execute(postgres.url(), "DROP DATABASE IF EXISTS target WITH (FORCE)")
        execute(postgres.url(), "DROP ROLE humble")


def test_an_ordinary_role_with_createdb_builds_beside(postgres, target, structure):
    execute(postgres.url(), "CREATE ROLE maker LOGIN CREATEDB")
    mine = postgres.url("target", "maker")
    try:
        build(mine, structure)
        build(mine, structure, replace=True)
        assert ask(mine, "SELECT count(*) FROM t") == [(2,)]
    finally:
        execute(postgres.url(), "DROP DATABASE IF EXISTS target WITH (FORCE)")
        execute(postgres.url(), "DROP ROLE maker")
