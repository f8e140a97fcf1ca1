"""What must never happen: a source written or replaced, a target half built, a secret told."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

import dbsynth
from dbsynth import Spec
from dbsynth.databases.postgresql.place import Beside
from dbsynth.embedded import Server
from dbsynth.errors import (
    CannotConnect,
    DatabaseError,
    DbsynthError,
    LoadError,
    SpecError,
    TargetIsSource,
    TargetNotEmpty,
    VerificationFailed,
)

_numbers = count(1)
SHOP = """
CREATE TABLE customer (id serial PRIMARY KEY, email text NOT NULL UNIQUE, city text);
CREATE TABLE purchase (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customer, total numeric(9,2));
INSERT INTO customer (email, city) SELECT 'someone' || g || '@firm.test', 'Town ' || g % 4
  FROM generate_series(1, 60) g;
INSERT INTO purchase (customer, total) SELECT 1 + g % 60, g * 1.25 FROM generate_series(1, 200) g;
"""


def execute(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text.encode())


def ask(url: str, text: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(text.encode()).fetchall()


def databases(server: Server) -> set[str]:
    return {name for (name,) in ask(server.url(), "SELECT datname FROM pg_database")}


def made(server: Server, text: str = "", name: str = "") -> str:
    """The URL of a new database that holds what the statements make."""
    name = name or f"safety_{next(_numbers)}"
    execute(server.url(), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    execute(server.url(), f'CREATE DATABASE "{name}" TEMPLATE template0')
    if text:
        execute(server.url(name), text)
    return server.url(name)


@pytest.fixture
def clean(postgres: Server) -> Iterator[None]:
    """Drops every database and role that the test makes."""
    before = databases(postgres)
    yield
    for name in databases(postgres) - before:
        execute(postgres.url(), f'DROP DATABASE "{name}" WITH (FORCE)')
    for (role,) in ask(postgres.url(), "SELECT rolname FROM pg_roles WHERE rolname LIKE 'safety%'"):
        execute(postgres.url(), f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.fixture
def shop(postgres: Server, clean: None) -> str:
    return made(postgres, SHOP)


@pytest.fixture
def target(postgres: Server, clean: None) -> str:
    """A database that holds something."""
    return made(postgres, "CREATE TABLE keep (a int); INSERT INTO keep VALUES (1), (2)")


@contextlib.contextmanager
def untouched(server: Server, target: str) -> Iterator[None]:
    """Whatever happens inside leaves the target and the list of databases as they were."""
    before = databases(server), ask(target, "SELECT * FROM keep")
    yield
    assert (databases(server), ask(target, "SELECT * FROM keep")) == before


# ---------------------------------------------------------------------------------------------
# The target is not the source
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replace", [False, True], ids=["", "replace"])
@pytest.mark.parametrize("way", ["socket", "options", "address", "name", "role"])
def test_a_target_that_is_the_source_is_refused(postgres, shop, way, replace):
    name = sa.make_url(shop).database
    execute(postgres.url(), "CREATE ROLE safety_other LOGIN SUPERUSER")
    target = {
        "socket": shop,
        "options": f"{shop}&application_name=other&connect_timeout=9",
        "address": postgres.network_url(name),
        "name": postgres.network_url(name, "localhost"),
        "role": postgres.url(name, "safety_other"),
    }[way]
    before = databases(postgres)
    with pytest.raises(TargetIsSource):
        dbsynth.clone(shop, target, replace=replace)
    assert databases(postgres) == before
    assert ask(shop, "SELECT count(*) FROM customer") == [(60,)]


def test_a_source_that_lets_the_role_of_the_target_not_in_is_known_all_the_same(postgres, shop):
    name = sa.make_url(shop).database
    execute(postgres.url(), "CREATE ROLE safety_out LOGIN CREATEDB")
    execute(shop, f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
    with pytest.raises(TargetIsSource):
        dbsynth.clone(shop, postgres.url(name, "safety_out"), replace=True)


def test_a_source_whose_name_is_needed_for_building_is_refused(postgres, clean):
    source = made(postgres, SHOP, "safe__dbsynth_old")
    execute(
        source,
        'COMMENT ON DATABASE "safe__dbsynth_old" IS'
        " 'dbsynth: replaced by a newer clone, to be dropped'",
    )
    with pytest.raises(TargetIsSource):
        dbsynth.clone(source, postgres.url("safe"))
    assert ask(source, "SELECT count(*) FROM customer") == [(60,)]


def test_a_server_that_does_not_tell_who_it_is_is_refused(postgres, shop, target):
    execute(
        shop, "CREATE ROLE safety_reader LOGIN BYPASSRLS; GRANT pg_read_all_data TO safety_reader"
    )
    execute(shop, "REVOKE EXECUTE ON FUNCTION pg_postmaster_start_time() FROM PUBLIC")
    source = postgres.url(sa.make_url(shop).database, "safety_reader")
    with (
        untouched(postgres, target),
        pytest.raises(DatabaseError, match="Cannot tell which server"),
    ):
        dbsynth.clone(source, target, replace=True)


@pytest.mark.parametrize("way", ["absolute", "relative", "symlink", "hard link", "building"])
def test_a_file_that_is_the_source_is_refused(tmp_path, monkeypatch, way):
    monkeypatch.chdir(tmp_path)
    source = Path(".target.db.dbsynth-new" if way == "building" else "source.db")
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);")
    before = source.read_bytes()
    other = {"absolute": str(source.resolve()), "relative": f"./x/../{source}"}.get(
        way, "target.db"
    )
    Path("x").mkdir()
    if way == "symlink":
        Path("target.db").symlink_to(source)
    if way == "hard link":
        Path("target.db").hardlink_to(source)
    with pytest.raises(TargetIsSource):
        dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{other}", replace=True)
    assert source.read_bytes() == before


def test_a_link_in_place_of_the_building_file_is_not_followed(tmp_path):
    source, victim = tmp_path / "source.db", tmp_path / "victim"
    with contextlib.closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);")
    victim.write_text("precious")
    (tmp_path / ".target.db.dbsynth-new").symlink_to(victim)
    with pytest.raises(DatabaseError):
        dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{tmp_path}/target.db")
    assert victim.read_text() == "precious"


# ---------------------------------------------------------------------------------------------
# What a target holds
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t (a int)",
        "CREATE VIEW v AS SELECT 1 AS a",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE mood AS ENUM ('happy')",
        "CREATE SCHEMA s",
        "CREATE SEQUENCE q",
    ],
    ids=lambda statement: statement.split()[1].lower(),
)
def test_a_target_that_holds_anything_is_refused(postgres, shop, statement):
    target = made(postgres, statement)
    before = databases(postgres)
    with pytest.raises(TargetNotEmpty) as raised:
        dbsynth.clone(shop, target)
    assert "--replace" in raised.value.hint
    assert databases(postgres) == before


# ---------------------------------------------------------------------------------------------
# The source is only read
# ---------------------------------------------------------------------------------------------

READING = re.compile(
    r"SELECT|WITH|COPY \(SELECT|SHOW|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|PREPARE|EXECUTE"
    r"|DEALLOCATE|DECLARE|FETCH|CLOSE|LOCK TABLE .* IN ACCESS SHARE MODE"
)


def test_nothing_but_reading_reaches_the_source(postgres, shop):
    name = sa.make_url(shop).database
    execute(shop, f"ALTER DATABASE \"{name}\" SET log_statement = 'all'")
    log = postgres.sockets / "log"
    start = log.stat().st_size
    dbsynth.clone(shop, postgres.url("safe_copy"))
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    found = [line for line in lines if re.search(r"LOG:  (?:statement|execute [^:]*):", line)]
    statements = [
        re.split(r"LOG:  (?:statement|execute [^:]*):", line, maxsplit=1)[1] for line in found
    ]
    assert len(statements) > 20
    assert [s for s in statements if s.strip() and not READING.match(s.strip())] == []
    assert any(s.strip().startswith("COPY (SELECT") for s in statements)


def test_what_writes_when_it_is_read_is_refused(postgres, clean):
    source = made(
        postgres,
        """
        CREATE TABLE t (a int); CREATE TABLE spy (a int);
        CREATE FUNCTION note(int) RETURNS boolean LANGUAGE plpgsql AS
          'BEGIN INSERT INTO public.spy VALUES ($1); RETURN true; END';
        INSERT INTO t VALUES (1), (2);
        ALTER TABLE t ADD CHECK (note(a)) NOT VALID;
        """,
    )
    with pytest.raises(DatabaseError, match=r"read-only|read only"):
        dbsynth.clone(source, postgres.url("safe_copy"))
    assert ask(source, "SELECT * FROM spy") == []
    assert "safe_copy" not in databases(postgres)


# ---------------------------------------------------------------------------------------------
# Failures and interrupts
# ---------------------------------------------------------------------------------------------

ELSEWHERE = "current_database() LIKE '%dbsynth_new'"
FAILURES = {
    "create": "CREATE FUNCTION f(int) RETURNS int LANGUAGE internal AS 'int4abs'",
    "settle": """CREATE FUNCTION fine(int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN
          IF ELSEWHERE THEN RAISE EXCEPTION 'canary-4711'; END IF; RETURN true; END$$;
          ALTER TABLE purchase ADD CHECK (fine(customer))""",
    "load": """CREATE FUNCTION g(numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$BEGIN
          IF ELSEWHERE THEN RAISE EXCEPTION 'canary-4711 %', $1; END IF; RETURN $1; END$$;
          ALTER TABLE purchase ADD twice numeric GENERATED ALWAYS AS (g(total)) STORED""",
    "finish": """CREATE FUNCTION m() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN
          IF ELSEWHERE THEN RAISE EXCEPTION 'canary-4711'; END IF; RETURN 1; END$$;
          CREATE MATERIALIZED VIEW v AS SELECT m()""",
    "verify": """CREATE FUNCTION m() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN
          IF ELSEWHERE THEN DELETE FROM public.purchase WHERE id % 2 = 0; END IF; RETURN 1; END$$;
          CREATE MATERIALIZED VIEW v AS SELECT m()""",
}
RAISED = {"verify": VerificationFailed, "settle": DatabaseError}


@pytest.mark.parametrize("step", list(FAILURES))
def test_a_failure_at_any_step_leaves_the_target(postgres, shop, target, step):
    execute(shop, FAILURES[step].replace("ELSEWHERE", ELSEWHERE))
    url = target
    if step == "create":
        execute(postgres.url(), "CREATE ROLE safety_maker LOGIN CREATEDB")
        name = sa.make_url(target).database
        execute(target, f'ALTER DATABASE "{name}" OWNER TO safety_maker')
        url = postgres.url(name, "safety_maker")
    try:
        with untouched(postgres, target), pytest.raises(RAISED.get(step, LoadError)) as raised:
            dbsynth.clone(shop, url, replace=True)
    finally:
        if step == "create":
            execute(target, f'ALTER DATABASE "{name}" OWNER TO CURRENT_USER')
    assert "canary" not in everything(raised.value)


def everything(error: BaseException | None) -> str:
    """All that an exception and its causes may show."""
    found = []
    while error is not None:
        found += [str(error), repr(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(found)


class At:
    """Progress that does something when a step begins."""

    def __init__(self, step: str, action) -> None:
        self._step, self._action = step, action

    def step(self, name: str, total: int | None = None) -> None:
        if name.startswith(self._step):
            self._action()

    def advance(self, amount: int) -> None:
        pass


STEPS = ("profile", "read purchase", "fit", "sample", "load purchase", "constraints", "verify")


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupt_at_any_step_leaves_the_target(postgres, shop, target, step):
    happened = []

    def interrupt() -> None:
        happened.append(step)
        signal.raise_signal(signal.SIGINT)

    with untouched(postgres, target), pytest.raises(KeyboardInterrupt):
        dbsynth.clone(shop, target, replace=True, progress=At(step, interrupt))
    assert happened == [step]


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupt_at_any_step_leaves_the_file(tmp_path, shop_file, step):
    target = tmp_path / "target.db"
    target.write_bytes(shop_file.read_bytes())
    before = sorted(p.name for p in tmp_path.iterdir()), target.read_bytes()
    progress = At(step, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        dbsynth.clone(
            f"sqlite:///{shop_file}", f"sqlite:///{target}", replace=True, progress=progress
        )
    assert (sorted(p.name for p in tmp_path.iterdir()), target.read_bytes()) == before


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, city TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INT REFERENCES customer, total REAL);
            """
        )
        rows = [(f"someone{i}@firm.test", f"Town {i % 4}") for i in range(60)]
        connection.executemany("INSERT INTO customer (email, city) VALUES (?, ?)", rows)
        rows = [(1 + i % 60, i * 1.25) for i in range(200)]
        connection.executemany("INSERT INTO purchase (customer, total) VALUES (?, ?)", rows)
    return path


def test_an_interrupt_comes_too_late_for_publishing(postgres, shop, target, monkeypatch):
    swap = Beside._swap

    def interrupted(place: Beside) -> None:
        signal.raise_signal(signal.SIGINT)
        swap(place)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Beside, "_swap", interrupted)
    before = databases(postgres)
    assert dbsynth.clone(shop, target, replace=True).ok
    assert databases(postgres) == before
    assert ask(target, "SELECT count(*) FROM customer") == [(60,)]


def test_somebody_elses_target_is_not_replaced(postgres, shop):
    name = f"safety_{next(_numbers)}"
    progress = At("verify", lambda: made(postgres, "CREATE TABLE theirs (a int)", name))
    before = databases(postgres)
    with pytest.raises(DatabaseError, match="somebody else"):
        dbsynth.clone(shop, postgres.url(name), progress=progress)
    assert databases(postgres) == before | {name}
    assert ask(postgres.url(name), "SELECT * FROM theirs") == []


@pytest.mark.parametrize("word", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("seconds", [0.6, 1.4])
def test_a_signal_ends_a_run_without_a_trace(postgres, shop, target, word, seconds):
    with untouched(postgres, target):
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "dbsynth",
                "clone",
                shop,
                target,
                "--replace",
                "--scale",
                "3000",
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + 60
        new = f"{sa.make_url(target).database}__dbsynth_new"
        while (
            new not in databases(postgres) and process.poll() is None and time.monotonic() < until
        ):
            time.sleep(0.02)
        time.sleep(seconds)
        process.send_signal(getattr(signal, word))
        output, talk = process.communicate(timeout=60)
        assert (process.returncode, output) == (130, ""), talk
        assert "Traceback" not in talk


# ---------------------------------------------------------------------------------------------
# Bad input
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"port": 1}, "Cannot connect"),
        ({"host": "nowhere.invalid"}, "Cannot connect"),
        ({"password": "pa55-canary"}, "user name or password"),
        ({"database": "nowhere"}, "no database `nowhere`"),
    ],
    ids=lambda change: next(iter(change)) if isinstance(change, dict) else "",
)
@pytest.mark.parametrize("end", ["source", "target"])
def test_a_server_that_cannot_be_reached(postgres, shop, change, message, end):
    name = sa.make_url(shop).database
    if end == "target" and "database" in change:
        pytest.skip("a target is made")
    bad = (
        sa.make_url(postgres.network_url(name)).set(**change).render_as_string(hide_password=False)
    )
    ends = (bad, postgres.url("safe_copy")) if end == "source" else (shop, bad)
    with pytest.raises(CannotConnect, match=message) as raised:
        dbsynth.clone(*ends, replace=True)
    assert str(sa.make_url(bad).password) not in everything(raised.value)
    assert raised.value.hint


def test_a_missing_right_names_the_table(postgres, shop):
    execute(shop, "CREATE ROLE safety_reader LOGIN; GRANT SELECT ON customer TO safety_reader")
    source = postgres.url(sa.make_url(shop).database, "safety_reader")
    with pytest.raises(DatabaseError, match="purchase") as raised:
        dbsynth.clone(source, postgres.url("safe_copy"))
    assert "GRANT SELECT" in raised.value.hint
    assert "safe_copy" not in databases(postgres)


def test_rows_hidden_by_a_policy_are_an_error(postgres, shop):
    execute(
        shop,
        """CREATE ROLE safety_reader LOGIN; GRANT pg_read_all_data TO safety_reader;
        ALTER TABLE customer ENABLE ROW LEVEL SECURITY;
        CREATE POLICY few ON customer USING (id < 10)""",
    )
    source = postgres.url(sa.make_url(shop).database, "safety_reader")
    with pytest.raises(DatabaseError, match="row-level security"):
        dbsynth.clone(source, postgres.url("safe_copy"))


@pytest.mark.parametrize("name", ["nowhere", "a_view"])
def test_a_table_of_the_spec_that_is_none(postgres, shop, name):
    execute(shop, "CREATE VIEW a_view AS SELECT 1 AS a")
    with pytest.raises(SpecError, match=name):
        dbsynth.clone(
            shop,
            postgres.url("safe_copy"),
            spec=Spec.parse({"tables": {name: {"strategy": "empty"}}}, {}),
        )


ODD = {
    "nothing": "SELECT 1",
    "no tables": "CREATE VIEW v AS SELECT 1 AS a; CREATE TYPE mood AS ENUM ('happy')",
    "no rows": "CREATE TABLE t (id serial PRIMARY KEY, a text NOT NULL);"
    " CREATE TABLE u (t int REFERENCES t)",
    "no columns": "CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
    "generated alone": "CREATE TABLE t (g int GENERATED ALWAYS AS (1 + 1) STORED);"
    " INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
    "identity alone": "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"
    " INSERT INTO t DEFAULT VALUES",
    "names": 'CREATE SCHEMA "a""b %s"; CREATE TABLE "a""b %s"."t{x}:y \\ 😀" ("new\nline" int'
    ' PRIMARY KEY, "it\'s %(a)s" text); INSERT INTO "a""b %s"."t{x}:y \\ 😀"'
    " SELECT g, 'v' || g % 3 FROM generate_series(1, 40) g;"
    ' CREATE TABLE "a.b" (c int); INSERT INTO "a.b" VALUES (1);'
    f" CREATE TABLE {'n' * 63} ({'c' * 63} int); INSERT INTO {'n' * 63} VALUES (1)",
    "characters": "CREATE TABLE t (id int PRIMARY KEY, a text, b text);"
    " INSERT INTO t SELECT g, chr(g) || E'\\n\\\\.\\n\"\\t', nullif('', repeat('x', g % 2))"
    " FROM generate_series(1, 200) g; INSERT INTO t VALUES (0, repeat('word ', 200000), '')",
    "extremes": "CREATE TABLE t (a smallint, b bigint, c numeric(38), d numeric, e float8, f date,"
    ' g timestamptz, h interval, i money, j timetz, k int[][], l oid, m pg_lsn, n "char",'
    " o bit varying(9), p point, q regclass, r jsonpath, s txid_snapshot,"
    " t numeric(1000, 500), u timestamptz UNIQUE);"
    " INSERT INTO t SELECT -32768, 9223372036854775807, repeat('9', 38)::numeric, 'NaN', 'Infinity',"
    " 'infinity', '-infinity', '1 mon 2 days', 1, '04:05+02', '{{1,2},{3,4}}', 5, '1/A', 'a',"
    " B'101', '(1,2)', 'pg_class', '$.a', '10:20:10,14' FROM generate_series(1, 30);"
    " INSERT INTO t SELECT g, -g, -repeat('9', 38)::numeric, repeat('9', 400)::numeric, g"
    " FROM generate_series(1, 30) g;"
    " UPDATE t SET u = now() + a * interval '1 hour', t = 1.5 WHERE a > 0;"
    " INSERT INTO t (u) VALUES ('infinity')",
    "constraints": "CREATE TABLE p (id int PRIMARY KEY, w int UNIQUE DEFERRABLE);"
    " INSERT INTO p SELECT g, g FROM generate_series(1, 50) g;"
    " CREATE TABLE c (p int, q int REFERENCES p DEFERRABLE);"
    " INSERT INTO c SELECT CASE WHEN g % 9 = 0 THEN 999 ELSE g % 50 + 1 END, g % 50 + 1"
    " FROM generate_series(1, 90) g;"
    " ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p NOT VALID;"
    " ALTER TABLE p ADD CHECK (w < 40) NOT VALID",
    "rules and triggers": "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 30);"
    " CREATE UNLOGGED TABLE u (a int); INSERT INTO u SELECT generate_series(1, 30);"
    " CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING;"
    " CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';"
    " CREATE TRIGGER s BEFORE INSERT ON u EXECUTE FUNCTION f();"
    " CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';"
    " CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()",
    "sequences": "CREATE SEQUENCE down INCREMENT -1 MINVALUE -1000 MAXVALUE -1 START -1;"
    " CREATE TABLE a (id int PRIMARY KEY DEFAULT nextval('down'), v int);"
    " INSERT INTO a (v) SELECT generate_series(1, 40); CREATE SEQUENCE cycling MAXVALUE 9 CYCLE;"
    " CREATE TABLE b (k int DEFAULT nextval('cycling'), v int);"
    " INSERT INTO b (v) SELECT generate_series(1, 40); CREATE SEQUENCE full_ MAXVALUE 60;"
    " CREATE TABLE c (id int PRIMARY KEY DEFAULT nextval('full_'));"
    " INSERT INTO c SELECT generate_series(21, 60); SELECT setval('full_', 60)",
    "views on views": "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 30);"
    " CREATE FUNCTION n() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.t';"
    " CREATE MATERIALIZED VIEW z AS SELECT a FROM t; CREATE MATERIALIZED VIEW a0 AS SELECT n(), a FROM z;"
    " CREATE VIEW w AS SELECT * FROM t WHERE a > 3 WITH CASCADED CHECK OPTION; SELECT lo_create(0);"
    " CREATE PUBLICATION pub FOR TABLE t",
    "wide": "DO $$BEGIN EXECUTE (SELECT 'CREATE TABLE w (' || string_agg('c' || g || ' int', ',') || ')'"
    " FROM generate_series(1, 1600) g); END$$; INSERT INTO w (c7, c9) SELECT g, g % 3 FROM"
    " generate_series(1, 30) g",
}


@pytest.mark.parametrize("name", list(ODD))
def test_odd_databases_are_cloned(postgres, clean, name):
    source = made(postgres, ODD[name])
    report = dbsynth.clone(source, postgres.url("safe_copy"))
    assert report.ok
    assert [t for t in report.tables if t.synthetic_rows != t.real_rows] == []
    assert dump(postgres, source) == dump(postgres, postgres.url("safe_copy"))


def dump(server: Server, url: str) -> list[str]:
    done = subprocess.run(
        [server.programs / "pg_dump", "-s", "-O", "-x", "--dbname", url],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if not line.startswith(("--", "\\"))]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_other_encodings_are_cloned(postgres, clean, encoding):
    execute(
        postgres.url(),
        f"CREATE DATABASE safe_latin TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        " LOCALE_PROVIDER libc",
    )
    source = postgres.url("safe_latin")
    execute(source, "CREATE TABLE t (id int PRIMARY KEY, a text, b text)")
    byte = "convert_from('\\xe9', 'LATIN1')" if encoding == "LATIN1" else "chr(233)"
    execute(
        source,
        f"INSERT INTO t SELECT g, 'caf' || {byte} || g % 3, {byte} || g FROM generate_series(1, 60) g",
    )
    assert dbsynth.clone(source, postgres.url("safe_copy")).ok


def test_a_source_that_is_written_to_is_seen_at_one_moment(postgres, shop):
    work = """
        import psycopg, sys
        with psycopg.connect(sys.argv[1], autocommit=True) as c:
            print("ready", flush=True)
            for i in range(10**6):
                c.execute("WITH n AS (INSERT INTO customer (email) VALUES (%s) RETURNING id)"
                          " INSERT INTO purchase (customer, total) SELECT id, 1 FROM n", [f"w{i}@firm.test"])
                if i % 3 == 0:
                    c.execute("DELETE FROM purchase WHERE customer = (SELECT max(id) FROM customer)")
                    c.execute("DELETE FROM customer WHERE id = (SELECT max(id) FROM customer)"
                              " AND id NOT IN (SELECT customer FROM purchase)")
    """
    command = [sys.executable, "-c", textwrap.dedent(work), shop]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None
            writer.stdout.readline()
            report = dbsynth.clone(shop, postgres.url("safe_copy"))
            assert writer.poll() is None
        finally:
            writer.kill()
    assert report.ok


def test_check_lists_what_is_broken(postgres, shop):
    execute(
        shop,
        """ALTER TABLE purchase DROP CONSTRAINT purchase_customer_fkey;
        UPDATE purchase SET customer = 9999, total = -1 WHERE id <= 3;
        ALTER TABLE purchase ADD CONSTRAINT lost FOREIGN KEY (customer) REFERENCES customer NOT VALID;
        ALTER TABLE purchase ADD CONSTRAINT positive CHECK (total > 0) NOT VALID""",
    )
    done = subprocess.run(
        [sys.executable, "-m", "dbsynth", "check", shop],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    failed = [line for line in (done.stdout + done.stderr).splitlines() if "FAILED" in line]
    assert len(failed) == 2
    assert "3 orphans" in "".join(failed)
    assert "3 failing rows" in "".join(failed)


def test_errors_are_dbsynths_own(tmp_path):
    folder = tmp_path / "folder.db"
    folder.mkdir()
    text = tmp_path / "text.db"
    text.write_text("no database " * 100)
    for source in ("nonsense", "mysql://a:canary@b/c", f"sqlite:///{folder}", f"sqlite:///{text}"):
        with pytest.raises(DbsynthError) as raised:
            dbsynth.clone(source, f"sqlite:///{tmp_path}/target.db")
        assert "canary" not in everything(raised.value)
    assert sorted(os.listdir(tmp_path)) == ["folder.db", "text.db"]
