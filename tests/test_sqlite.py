"""A torture file is read, rebuilt beside its target, and published or removed."""

import multiprocessing
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from dbsynth import cli
from dbsynth.databases.sqlite import open_sqlite, stage_sqlite
from dbsynth.errors import (
    CannotConnect,
    DatabaseError,
    LoadError,
    MissingFile,
    RowsRejected,
    SpecError,
    TargetNotEmpty,
)
from dbsynth.schema import Check, Column, ForeignKey, Kind, Schema, Table, UniqueKey

TORTURE = '''
PRAGMA page_size = 8192;
PRAGMA encoding = 'UTF-16le';
PRAGMA auto_vacuum = FULL;
PRAGMA user_version = 7;
PRAGMA application_id = 4711;
CREATE TABLE "order" (
    "select" INTEGER PRIMARY KEY AUTOINCREMENT,
    "größe ""x""" TEXT NOT NULL DEFAULT 'a,b',
    [wo rd] VARCHAR(10) CONSTRAINT "short ( one" CHECK (length([wo rd]) < 11 AND ([wo rd] <> ')')),
    total REAL, twice REAL GENERATED ALWAYS AS (total * 2) STORED,
    thrice AS (total * 3), -- CHECK (total > 1000)
    CHECK (total >= (1 - (0.5 + 0.5))) CHECK ("größe ""x""" <> 'CHECK (')
);
CREATE TABLE person (
    code TEXT COLLATE NOCASE PRIMARY KEY, boss TEXT REFERENCES PERSON, picture BLOB,
    born DATE, seen DATETIME, up TIME, stamp TIMESTAMP, active BOOLEAN, price DECIMAL(8,2),
    note, document JSON, amount INTEGER, UNIQUE (born, code)
) WITHOUT ROWID;
CREATE TABLE egg (id INTEGER PRIMARY KEY, hen INT REFERENCES hen(id), n INT, m TEXT, UNIQUE (n, m));
CREATE TABLE hen (id INTEGER PRIMARY KEY, egg INTEGER REFERENCES egg, n INT, m TEXT,
    FOREIGN KEY (N, M) REFERENCES egg (n, m));
CREATE TABLE strict_one (a INT, b ANY, c TEXT, PRIMARY KEY (a, c)) STRICT;
CREATE TABLE lost (a INT REFERENCES nowhere, b INT REFERENCES hen(feathers),
    c INT REFERENCES hen(n));
CREATE UNIQUE INDEX partly ON hen (n) WHERE m IS NOT NULL;
CREATE UNIQUE INDEX lowered ON person (lower(note) DESC, amount);
CREATE INDEX plain ON hen (m);
CREATE VIEW overview AS SELECT * FROM hen JOIN egg ON hen.egg = egg.id;
CREATE TRIGGER no_more BEFORE INSERT ON hen BEGIN SELECT RAISE(ABORT, 'no more hens'); END;
CREATE VIRTUAL TABLE words USING fts5(body);
DROP TRIGGER no_more;
INSERT INTO "order" ("select", "größe ""x""", [wo rd], total)
    VALUES (41, 'x', 'w', 1.5), (99, 'ÄÖ', NULL, NULL);
INSERT INTO person VALUES
    ('Ann', NULL, x'00ff', '2000-01-31', '2020-01-31 10:11:12', '10:11', '2020-01-31T10:11:12.500Z',
     1, 1.25, 'text', '{"a": 1}', 5),
    ('bob', 'ANN', NULL, NULL, '1999-12-31 00:00:00', '23:59', '2020-01-31T00:00:00.000Z',
     0, 3, 7, NULL, 'NA');
INSERT INTO egg VALUES (1, 2, 5, 'five'), (2, NULL, NULL, NULL);
INSERT INTO hen VALUES (2, 1, 5, 'five'), (3, NULL, 5, NULL);
INSERT INTO strict_one VALUES (1, 'any', 'c'), (1, 2, 'd');
INSERT INTO words VALUES ('hello');
CREATE TRIGGER no_more BEFORE INSERT ON hen BEGIN SELECT RAISE(ABORT, 'no more hens'); END;
ANALYZE;
'''


def url_of(path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(path))


def run(path: Path, script: str) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return path


def ask(path: Path, sql: str) -> list[tuple]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.fixture
def torture(tmp_path: Path) -> Path:
    return run(tmp_path / "tor ture%20ü?#.db", TORTURE)


@pytest.fixture
def schema(torture: Path) -> Schema:
    with open_sqlite(url_of(torture)) as source:
        return source.reflect()


def fill(source, stage, schema: Schema) -> None:
    stage.create(schema, source.structure())
    for table in schema.tables:
        columns = [column.name for column in table.written]
        encode = stage.encoder(table, columns)
        assert stage.load(table, columns, map(encode, source.read(table, columns))) == (
            source.count_rows(table)
        )


def clone(source_path: Path, target_path: Path, *, replace: bool = False) -> None:
    with (
        open_sqlite(url_of(source_path)) as source,
        stage_sqlite(url_of(target_path), replace=replace) as stage,
    ):
        fill(source, stage, source.reflect())
        stage.finish()
        with stage.reader() as reader:
            assert reader.reflect().tables == source.reflect().tables
        stage.publish()


CATALOG = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"


def test_round_trip_keeps_the_catalog_and_the_values(torture: Path, tmp_path: Path) -> None:
    target = tmp_path / "clone.db"
    clone(torture, target)
    assert ask(target, CATALOG) == ask(torture, CATALOG)
    for name in ("user_version", "application_id", "page_size", "encoding", "auto_vacuum"):
        assert ask(target, f"PRAGMA {name}") == ask(torture, f"PRAGMA {name}")
    for table in ("order", "person", "egg", "hen", "lost", "strict_one", "sqlite_sequence"):
        names = [row[1] for row in ask(torture, f'PRAGMA table_xinfo("{table}")')]
        listed = ", ".join(
            'quote("{}")'.format(name.replace('"', '""'))
            for name in names
            if (table, name) not in {("person", "note"), ("strict_one", "b")}
        )
        question = f'SELECT {listed} FROM "{table}" ORDER BY 1'
        assert ask(target, question) == ask(torture, question)
    # a column without affinity that mixes storage classes becomes text, the documented loss
    assert ask(target, "SELECT quote(note) FROM person ORDER BY code") == [("'text'",), ("'7'",)]
    assert ask(target, "SELECT count(*) FROM words") == [(0,)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clone.db", torture.name]


def test_kinds_come_from_declarations_and_values(schema: Schema) -> None:
    person = schema["person"].column_by_name
    assert {name: (c.kind, c.text_format) for name, c in person.items()} == {
        "code": (Kind.TEXT, ""),
        "boss": (Kind.TEXT, ""),
        "picture": (Kind.BYTES, ""),
        "born": (Kind.DATE, "YYYY-MM-DD"),
        "seen": (Kind.TIMESTAMP, "YYYY-MM-DD HH:MM:SS"),
        "up": (Kind.TIME, "HH:MM"),
        "stamp": (Kind.TIMESTAMP, "YYYY-MM-DDTHH:MM:SS.fffZ"),
        "active": (Kind.BOOLEAN, ""),
        "price": (Kind.DECIMAL, ""),
        "note": (Kind.TEXT, ""),
        "document": (Kind.JSON, ""),
        "amount": (Kind.TEXT, ""),
    }
    assert person["stamp"].zoned
    assert person["price"].scale == 2
    assert not person["code"].nullable


def test_keys_are_reflected(schema: Schema) -> None:
    order, person, hen = schema["order"], schema["person"], schema["hen"]
    assert order.columns[0].identity
    assert not order.columns[0].nullable
    assert [c.generated for c in order.columns] == [False, False, False, False, True, True]
    by_code = '"code" COLLATE "NOCASE"'
    assert person.uniques == (
        UniqueKey(("code",), "primary key", (by_code,)),
        UniqueKey(("born", "code"), "unique (born, code)", ('"born"', by_code)),
        UniqueKey(("note", "amount"), "lowered", ("lower(note)", '"amount"')),
    )
    assert hen.uniques == (UniqueKey(("n",), "partly", (), "m IS NOT NULL", ("m",)),)
    assert person.foreign_keys == (
        ForeignKey("person", ("boss",), "person", ("code",), nullable=True),
    )
    assert hen.foreign_keys == (
        ForeignKey("hen", ("egg",), "egg", ("id",), nullable=True),
        ForeignKey("hen", ("n", "m"), "egg", ("n", "m"), nullable=True),
    )
    assert [str(key) for key in schema["lost"].foreign_keys] == ["lost(c) -> hen"]
    assert len(schema.notes) == 5  # the virtual table, two dropped keys, one kept, numbers in texts


def test_checks_are_cut_out_of_the_statement(schema: Schema) -> None:
    assert schema["order"].checks == (
        Check("short ( one", "length([wo rd]) < 11 AND ([wo rd] <> ')')", ("wo rd",)),
        Check("check 2", "total >= (1 - (0.5 + 0.5))", ("total",)),
        Check("check 3", '"größe ""x""" <> \'CHECK (\'', ('größe "x"',)),
    )


def test_questions_count_offending_rows(tmp_path: Path) -> None:
    path = run(
        tmp_path / "wrong.db",
        "CREATE TABLE p (k TEXT COLLATE NOCASE, n INT);"
        "INSERT INTO p VALUES ('a', 1), ('A', 1), ('b', -1), (NULL, NULL), (NULL, NULL);"
        "CREATE TABLE c (k TEXT REFERENCES p (k));"
        "INSERT INTO c VALUES ('B'), ('x'), ('y'), (NULL);",
    )
    with open_sqlite(url_of(path)) as source:
        schema = source.reflect()
        p = schema["p"]
        assert source.count_orphans(schema["c"].foreign_keys[0]) == 2
        assert source.count_duplicates(p, UniqueKey(("k",))) == 1
        assert source.count_duplicates(p, UniqueKey(("k",), nulls_equal=True)) == 2
        assert source.count_duplicates(p, UniqueKey(("n",), where="n > 5")) == 0
        assert source.count_nulls(p, "k") == 2
        assert source.count_failing(p, Check("positive", "n > 0", ("n",))) == 1


def test_a_sample_is_random_and_repeatable(tmp_path: Path) -> None:
    path = run(
        tmp_path / "many.db",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, v INT);"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, v INT) WITHOUT ROWID;"
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " INSERT INTO a SELECT i, -i FROM n; INSERT INTO b SELECT * FROM a;",
    )
    with open_sqlite(url_of(path)) as source:
        schema = source.reflect()
        for name in ("a", "b"):
            table = schema[name]
            drawn = source.sample(table, ["v", "id"], 1000, 1)
            assert drawn.column_names == ["v", "id"]
            # a binomial count, five standard deviations (31 each) around its mean
            assert 850 < drawn.num_rows < 1150
            assert drawn.equals(source.sample(table, ["v", "id"], 1000, 1))
            assert not drawn.equals(source.sample(table, ["v", "id"], 1000, 2))
            assert source.sample(table, ["id"], 20000, 1).num_rows == 20000


def test_text_that_is_not_utf8_is_replaced(tmp_path: Path) -> None:
    path = run(
        tmp_path / "latin.db",
        "CREATE TABLE t (a TEXT, b TEXT);"
        "INSERT INTO t VALUES (CAST(x'4de4727a' AS TEXT), x'ff41');"
        "INSERT INTO t VALUES ('plain', 'text');",
    )
    with open_sqlite(url_of(path)) as source:
        (batch,) = source.read(source.reflect()["t"], ["a", "b"])
    assert batch.to_pydict() == {"a": ["M\ufffdrz", "plain"], "b": ["\ufffdA", "text"]}


def test_a_snapshot_does_not_see_later_rows(tmp_path: Path) -> None:
    path = run(
        tmp_path / "wal.db",
        "PRAGMA journal_mode = WAL; CREATE TABLE t (a INTEGER PRIMARY KEY);"
        "INSERT INTO t VALUES (1), (2);",
    )
    with open_sqlite(url_of(path)) as source:
        table = source.reflect()["t"]
        batches = source.read(table, ["a"], batch_rows=1)
        seen = next(batches)["a"].to_pylist()
        run(path, "INSERT INTO t VALUES (3), (4); UPDATE t SET a = 20 WHERE a = 2;")
        seen += [value for batch in batches for value in batch["a"].to_pylist()]
        assert seen == [1, 2]
        assert source.count_rows(table) == 2
    assert ask(path, "SELECT count(*) FROM t") == [(4,)]


def test_a_wal_database_is_cloned_and_replaced(tmp_path: Path) -> None:
    source = run(tmp_path / "s.db", "PRAGMA journal_mode = WAL; CREATE TABLE t (a);")
    target = run(tmp_path / "t.db", "PRAGMA journal_mode = WAL; CREATE TABLE old (a);")
    target.chmod(0o640)
    clone(source, target, replace=True)
    assert ask(target, "PRAGMA journal_mode") == [("wal",)]
    assert ask(target, "SELECT name FROM sqlite_master") == [("t",)]
    assert target.stat().st_mode & 0o777 == 0o640
    # a read-only connection may not remove the empty log of the source, s.db-wal
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith("s.db")] == ["t.db"]


def _clone_and_stop(source_path: Path, target: Path, stop: type[BaseException]) -> None:
    with (
        open_sqlite(url_of(source_path)) as source,
        stage_sqlite(url_of(target), replace=True) as stage,
    ):
        fill(source, stage, source.reflect())
        stage.finish()
        raise stop


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_target_alone(
    torture: Path, tmp_path: Path, stop: type[BaseException]
) -> None:
    target = run(tmp_path / "target.db", "CREATE TABLE mine (a); INSERT INTO mine VALUES (1);")
    before = target.read_bytes()
    with pytest.raises(stop):
        _clone_and_stop(torture, target, stop)
    assert target.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["target.db", torture.name]


def test_a_target_with_tables_is_not_replaced_unasked(torture: Path, tmp_path: Path) -> None:
    target = run(tmp_path / "target.db", "CREATE VIEW mine AS SELECT 1;")
    with pytest.raises(TargetNotEmpty), stage_sqlite(url_of(target), replace=False):
        pass


def test_a_target_that_is_no_database_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "letter.txt"
    target.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(DatabaseError, match="no SQLite database"):
        stage_sqlite(url_of(target), replace=True).__enter__()
    assert target.read_text().startswith("Dear")
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_a_target_in_use_is_refused(torture: Path, tmp_path: Path) -> None:
    target = run(tmp_path / "target.db", "CREATE TABLE mine (a);")
    writer = sqlite3.connect(target, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="another program is using"):
        stage_sqlite(url_of(target), replace=True).__enter__()
    writer.close()


def _begin_and_die(target: Path) -> None:
    stage_sqlite(url_of(target), replace=True).__enter__()
    os._exit(1)


def test_a_live_run_is_respected_and_a_dead_one_swept_away(torture: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.db"
    with (
        stage_sqlite(url_of(target), replace=False),
        pytest.raises(DatabaseError, match="another run is building"),
    ):
        stage_sqlite(url_of(target), replace=False).__enter__()
    process = multiprocessing.get_context("spawn").Process(target=_begin_and_die, args=(target,))
    process.start()
    process.join()
    assert (tmp_path / ".target.db.dbsynth-new").exists()
    clone(torture, target)
    assert ask(target, "SELECT count(*) FROM egg") == [(2,)]


def test_orphans_stop_the_finish(torture: Path, tmp_path: Path) -> None:
    run(torture, "INSERT INTO egg VALUES (9, 77, NULL, NULL)")
    with pytest.raises(LoadError, match="1 row of table egg has no parent in table hen"):
        clone(torture, tmp_path / "target.db")


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ({"a": [1, 1], "c": ["x", "x"]}, "UNIQUE constraint failed: strict_one.a, strict_one.c"),
        ({"a": [None], "c": ["x"]}, "NOT NULL constraint failed: strict_one.a"),
    ],
    ids=["duplicate", "null"],
)
def test_rejected_rows_name_the_constraint(
    torture: Path, tmp_path: Path, rows: dict[str, list], named: str
) -> None:
    batch = pa.record_batch(rows, pa.schema([("a", pa.int64()), ("c", pa.string())]))
    with (
        open_sqlite(url_of(torture)) as source,
        stage_sqlite(url_of(tmp_path / "target.db"), replace=False) as stage,
    ):
        schema = source.reflect()
        stage.create(schema, source.structure())
        table = schema["strict_one"]
        encode = stage.encoder(table, ["a", "c"])
        with pytest.raises(RowsRejected, match=named):
            stage.load(table, ["a", "c"], [encode(batch)])


def test_expressions_are_evaluated_without_a_trace(torture: Path, tmp_path: Path) -> None:
    rows = pa.table({"total": [2.0, None, -1.0], "wo rd": ["b", "B", None]})
    with (
        open_sqlite(url_of(torture)) as source,
        stage_sqlite(url_of(tmp_path / "target.db"), replace=False) as stage,
    ):
        schema = source.reflect()
        stage.create(schema, source.structure())
        table = schema["order"]
        found = stage.evaluate(table, rows, ["total > 0", 'lower("order"."wo rd")', "total * 2"])
        assert found.to_pydict() == {
            "0": [True, None, False],
            "1": ["b", "b", None],
            "2": ["4.0", None, "-2.0"],
        }
        assert stage.evaluate(table, rows.slice(0, 0), ["total > 0"]).num_rows == 0
        assert source.count_rows(table) == 2


def test_a_schema_of_another_kind_is_built(tmp_path: Path) -> None:
    columns = (
        Column("id", Kind.INTEGER, "bigint", nullable=False, identity=True),
        Column("seen", Kind.TIMESTAMP, "timestamp with time zone", zoned=True),
        Column("took", Kind.INTERVAL, "interval"),
        Column("range", Kind.OTHER, "int4range"),
        Column("good", Kind.BOOLEAN, "boolean"),
    )
    table = Table("shop.sale", "sale", "shop", columns, ("id",), checks=())
    other = Table(
        "x.sale",
        "sale",
        "x",
        columns,
        ("id",),
        foreign_keys=(ForeignKey("x.sale", ("id",), "shop.sale", ("id",)),),
    )
    rows = pa.record_batch(
        [[1, 2], [0, None], [5, None], ["[1,2)", None], [True, None]],
        pa.schema(
            [
                ("id", pa.int64()),
                ("seen", pa.timestamp("us")),
                ("took", pa.duration("us")),
                ("range", pa.string()),
                ("good", pa.bool_()),
            ]
        ),
    )
    names = rows.schema.names
    with stage_sqlite(url_of(tmp_path / "t.db"), replace=False) as stage:
        assert len(stage.create(Schema((table, other)), None)) == 1
        for each in (table, other):
            assert stage.load(each, names, [stage.encoder(each, names)(rows)]) == 2
        assert stage.evaluate(table, pa.table({"id": [3]}), ["id > 2"])["0"].to_pylist() == [True]
        stage.finish()
        with stage.reader() as reader:
            assert reader.count_orphans(other.foreign_keys[0]) == 0
            (batch,) = reader.read(other, names)
            assert batch.equals(rows)
        stage.publish()
    assert ask(tmp_path / "t.db", "SELECT * FROM shop_sale") == [
        (1, "1970-01-01 00:00:00.000000", 5, "[1,2)", 1),
        (2, None, None, None, None),
    ]


def test_identity_is_that_of_the_file(torture: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(torture)
    hard = tmp_path / "hard.db"
    hard.hardlink_to(torture)
    identities = {open_sqlite(url_of(p)).identity() for p in (torture, link, hard)}
    assert len(identities) == 1
    assert open_sqlite(url_of(tmp_path / "new.db")).identity() not in identities


@pytest.mark.parametrize("name", [None, "", ":memory:", "file:x.db"])
def test_databases_in_memory_are_refused(name: str | None) -> None:
    with pytest.raises(SpecError):
        open_sqlite(sa.URL.create("sqlite", database=name))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    letter = tmp_path / "letter.db"
    letter.write_text("no database " * 1000)
    with pytest.raises(CannotConnect, match="not a database"), open_sqlite(url_of(letter)):
        pass
    with pytest.raises(MissingFile, match="not exist"), open_sqlite(url_of(tmp_path / "x.db")):
        pass


def test_a_source_cannot_be_written(torture: Path) -> None:
    before = torture.read_bytes()
    with open_sqlite(url_of(torture)) as source, pytest.raises(sqlite3.Error, match="readonly"):
        source._connection.execute("DELETE FROM hen")
    assert torture.read_bytes() == before


def test_storage_classes_that_a_clone_loses_are_told(tmp_path: Path, capsys) -> None:
    source, clone = tmp_path / "s.db", tmp_path / "c.db"
    classes = {
        "one": [1, 2],
        "mixed": [1, "n/a"],
        "numbers": [1, 2.5],
        "typed NUMERIC": [1, 2.5, "old"],
        "words TEXT": ["a", b"b"],
        "bytes BLOB": [b"a", b"b"],
    }
    with closing(sqlite3.connect(source)) as db, db:
        db.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(classes)})")
        for i in range(120):
            row = [values[i % len(values)] for values in classes.values()]
            db.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", [i, *row])
    told = [
        "column t.mixed has no type that would tell, and holds values of several storage classes"
        " (integer to text); in the clone all are text",
        "column t.numbers has no type that would tell, and holds values of several storage classes"
        " (integer to real); in the clone all are real",
        "column t.words is declared as TEXT, and holds values of several storage classes (blob to"
        " text); in the clone all are text",
    ]
    assert cli.run(["plan", f"sqlite:///{source}"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if "storage" in line] == [f"note: {text}" for text in told]
    assert cli.run(["clone", f"sqlite:///{source}", f"sqlite:///{clone}"]) == 0
    assert all(f"note: {text}" in capsys.readouterr().out for text in told[:1])
    asked = "SELECT {0} FROM t WHERE {1} IS NOT NULL GROUP BY 1 ORDER BY 1"
    for name, lost in (("one", ""), ("mixed", "text"), ("numbers", "real"), ("typed", "")):
        kinds = [ask(path, asked.format(f"typeof({name})", name)) for path in (source, clone)]
        assert kinds[1] == ([(lost,)] if lost else kinds[0]), name
