"""Learning from a part of large tables: what is read, and what of the whole is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import psycopg
import pytest

from dbsynth import Spec, clone
from dbsynth.databases import open_database
from dbsynth.embedded import Server
from dbsynth.engines import engine_of, variables
from dbsynth.learn import fit
from dbsynth.model import Model
from dbsynth.outline import Outline, make_outline
from dbsynth.progress import Silent
from dbsynth.randomness import Streams
from dbsynth.read import Rows, count_children, link_rows, read_rows
from dbsynth.schema import ForeignKey

# A self-reference, a cycle, several parents, composite keys, a table without a key, a nullable
# generating key; all tables but the last are larger than what is read of them.
DDL = """
CREATE TABLE customer (id integer PRIMARY KEY, region varchar(20) NOT NULL, age integer,
  referrer integer REFERENCES customer);
CREATE TABLE voucher (code varchar(20) PRIMARY KEY, worth integer NOT NULL, made_shop integer,
  made_number integer);
CREATE TABLE product (id integer PRIMARY KEY, price integer NOT NULL, label varchar(20));
CREATE TABLE purchase (shop integer NOT NULL, number integer NOT NULL,
  customer integer NOT NULL REFERENCES customer, voucher varchar(20) REFERENCES voucher,
  paid varchar(20), PRIMARY KEY (shop, number));
CREATE TABLE line (shop integer NOT NULL, number integer NOT NULL, position integer NOT NULL,
  product integer NOT NULL REFERENCES product, amount integer,
  PRIMARY KEY (shop, number, position),
  FOREIGN KEY (shop, number) REFERENCES purchase);
CREATE TABLE visit (customer integer REFERENCES customer, page varchar(20));
CREATE TABLE refund (shop integer NOT NULL, number integer NOT NULL, reason varchar(20) NOT NULL,
  id integer PRIMARY KEY, FOREIGN KEY (shop, number) REFERENCES purchase);
"""
CYCLE = "ALTER TABLE voucher ADD FOREIGN KEY (made_shop, made_number) REFERENCES purchase"
IN_DDL = (
    "made_number integer)",
    "made_number integer, FOREIGN KEY (made_shop, made_number) REFERENCES purchase)",
)
MOST = 500
SPEC = Spec(fit_rows=MOST)


def made_rows() -> dict[str, list[tuple[Any, ...]]]:
    random = Random(5)
    customers = [
        (i, random.choice(["north", "south", "east"]), random.choice([None, 20, 30, 40]),
         random.randrange(1, i) if i > 1 and random.random() < 0.6 else None)
        for i in range(1, 1501)
    ]  # fmt: skip
    purchases: list[tuple[Any, ...]] = []
    for identity, region, *_ in customers:
        for _ in range(random.choice([0, 1, 1, 2, 6]) if region != "east" else 1):
            number = len(purchases)
            voucher = f"v{random.randrange(900)}" if random.random() < 0.3 else None
            paid = random.choice(["cash", "card", "card", None])
            purchases.append((number % 3, number, identity, voucher, paid))
    lines = [
        (shop, number, position, random.randrange(700), random.choice([None, 1, 2, 5]))
        for shop, number, *_ in purchases
        for position in range(1, random.randrange(1, 5))
    ]
    vouchers = [
        (f"v{i}", random.choice([5, 10]),
         *(random.choice(purchases)[:2] if random.random() < 0.5 else (None, None)))
        for i in range(900)
    ]  # fmt: skip
    reasons = ["late", "broken"]
    return {
        "customer": customers,
        "voucher": vouchers,
        "product": [(i, random.randrange(1, 90), f"p{i % 9}") for i in range(700)],
        "purchase": purchases,
        "line": lines,
        "visit": [
            (random.choice([None, *range(1, 1501)]), random.choice(["home", "cart", None]))
            for _ in range(2500)
        ],
        "refund": [(*random.choice(purchases)[:2], random.choice(reasons), i) for i in range(300)],
    }


def in_postgres(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(DDL)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for table, rows in made_rows().items():
                marks = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.execute(CYCLE)
    return url


def in_sqlite(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(DDL.replace(*IN_DDL))
        for table, rows in made_rows().items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def source(
    request: pytest.FixtureRequest, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if request.param == "sqlite":
        yield in_sqlite(tmp_path_factory.mktemp("sampling") / "source.db")
        return
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE sampling")
        yield in_postgres(postgres.url("sampling"))
        connection.execute("DROP DATABASE sampling WITH (FORCE)")


def read(source: str, spec: Spec) -> tuple[Outline, dict[str, Rows], dict[ForeignKey, Any]]:
    with open_database(source) as database:
        outline = make_outline(database, spec, Streams(spec.seed), Silent())
        rows = {t.name: read_rows(database, outline, t, Silent()) for t in outline.schema.tables}
        return outline, rows, link_rows(outline.schema, rows)


def model_of(source: str, spec: Spec) -> Model:
    with open_database(source) as database:
        outline = make_outline(database, spec, Streams(spec.seed), Silent())
        return fit(database, outline, engine_of("relational"), Streams(spec.seed), Silent())


def test_tables_that_are_too_large_are_read_in_part(source: str) -> None:
    outline, rows, _ = read(source, SPEC)
    assert sorted(outline.reading.own) == [
        "customer", "line", "product", "purchase", "visit", "voucher",
    ]  # fmt: skip
    assert rows["refund"].own == rows["refund"].count == 300
    for name in outline.reading.own:
        assert 0.05 * MOST < rows[name].own < 1.5 * MOST, name
    # The entities are customers: what hangs under them is the share of the largest, `line`.
    share = MOST / outline.tables["line"].rows
    assert rows["customer"].own == pytest.approx(1500 * share, rel=0.3)


def test_families_in_the_sample_are_whole(source: str) -> None:
    outline, rows, links = read(source, SPEC)
    inside = [
        fk for fk in outline.plan.generating.values()
        if fk.child in outline.reading.own and fk.parent in outline.reading.own
    ]  # fmt: skip
    assert {fk.child for fk in inside} >= {"line", "purchase"}
    with open_database(source) as database:
        for fk in inside:
            found = count_children(database, fk, outline, rows, links[fk]).counts
            mine = links[fk][: rows[fk.child].own]
            own = rows[fk.parent].own
            counted = np.bincount(mine[mine >= 0], minlength=rows[fk.parent].count)
            assert counted[:own].tolist() == found[:own].tolist(), str(fk)
            assert found.sum() > 0


def test_every_reference_of_a_sampled_row_finds_its_row(source: str) -> None:
    outline, rows, links = read(source, SPEC)
    for fk in outline.schema.foreign_keys:
        own = rows[fk.child].own
        present = rows[fk.child].references[fk][1][:own]
        assert (links[fk][:own][present] >= 0).all(), str(fk)
    chain = next(fk for fk in links if fk.parent == fk.child)
    climbed = np.arange(rows["customer"].own)
    present = rows["customer"].references[chain][1]
    for _ in range(3):  # and so on, up to the first
        climbed = climbed[present[climbed]]
        assert len(climbed)
        climbed = links[chain][climbed]
        assert (climbed >= 0).all()


def test_the_sample_is_that_of_the_seed(source: str) -> None:
    def keys(spec: Spec) -> list[int]:
        rows = read(source, spec)[1]["customer"]
        return rows.keys["id",][: rows.own].tolist()

    first = keys(SPEC)
    assert keys(SPEC) == first
    assert set(keys(Spec(fit_rows=MOST, seed=7))) != set(first)


def test_counts_are_those_of_the_whole_tables(source: str) -> None:
    part, whole = model_of(source, SPEC), model_of(source, Spec())
    assert part.plan == whole.plan
    for fk, degrees in whole.degrees.items():
        found = part.degrees[fk]
        assert found.values.tolist() == degrees.values.tolist(), str(fk)
        assert found.parents.tolist() == degrees.parents.tolist(), str(fk)
        assert (found.linked, found.unlinked) == (degrees.linked, degrees.unlinked), str(fk)
    assert {n: t.rows for n, t in part.tables.items()} == {
        n: t.rows for n, t in whole.tables.items()
    }


def test_nulls_are_learnt_from_the_whole_tables(source: str) -> None:
    model = model_of(source, SPEC)
    with open_database(source) as database:
        for table in model.schema.tables:
            rows = database.count_rows(table)
            columns = [column.name for column in table.written if column.nullable]
            present = database.count_present(table, columns) if columns else {}
            trees = {tree.target: tree for tree in model.engines[table.name].trees}
            wanted = {variables.column(name): 1 - n / rows for name, n in present.items()}
            for fk in table.foreign_keys:
                for variable in (variables.parent_class(fk), variables.depth(fk)):
                    wanted[variable] = 1 - min(present.get(c, rows) for c in fk.columns) / rows
            for name in wanted.keys() & trees.keys():
                tree = trees[name]
                null = tree.counts[tree.codes == 0].sum() / tree.counts.sum()
                assert null == pytest.approx(wanted[name], abs=0.001), (table.name, name)


def test_a_clone_from_a_sample_has_the_rows_and_nulls_of_the_whole(
    tmp_path: Path, source: str
) -> None:
    target = f"sqlite:///{tmp_path / 'clone.db'}"
    clone(source, target, spec=SPEC)
    real, made = numbers_of(source), numbers_of(target)
    read_ = read(source, SPEC)[1]
    for (table, column), (rows, present) in made.items():
        assert rows == real[table, column][0], table
        # Families differ, and with them the leaves that are drawn from: by the sampling error of
        # as many rows as were read, of which four are allowed.
        error = 4 * np.sqrt(0.25 / read_[table].own)
        assert present / rows == pytest.approx(real[table, column][1] / rows, abs=error), column


def numbers_of(url: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Rows of the table and values of the column, by both names."""
    with open_database(url) as database:
        return {
            (table.name, name): (database.count_rows(table), present)
            for table in database.reflect().tables
            for name, present in database.count_present(
                table, [column.name for column in table.columns]
            ).items()
        }


def test_rows_under_few_parents_are_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "skewed.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            "CREATE TABLE station (id integer PRIMARY KEY, place text NOT NULL);"
            "CREATE TABLE reading (station integer NOT NULL REFERENCES station, value integer NOT NULL)"
        )
        stations = [(i, "hill" if i % 2 else "lake") for i in range(3000)]
        connection.executemany("INSERT INTO station VALUES (?, ?)", stations)
        connection.executemany(
            "INSERT INTO reading VALUES (17, ?)", [(i % 7,) for i in range(4000)]
        )
    outline, rows, links = read(f"sqlite:///{path}", SPEC)
    assert 100 <= rows["reading"].own < 1.5 * MOST
    (link,) = links.values()
    assert (link >= 0).all()
    assert outline.reading.thinned == {"reading"}
    target = f"sqlite:///{tmp_path / 'clone.db'}"
    clone(f"sqlite:///{path}", target, spec=SPEC)
    assert numbers_of(target)["reading", "value"] == (4000, 4000)
