"""Every type is modelled, not only survived: shares, means and quantiles of clones, measured by SQL.

`schemas/hostile_types` in 2,500 rows is cloned once; each case asks both databases the same thing.
"""

from __future__ import annotations

import json
import runpy
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import numpy as np
import psycopg
import pyarrow as pa
import pytest

import dbsynth
from dbsynth.codec import k_threshold
from dbsynth.embedded import Server
from dbsynth.model import load_model
from dbsynth.pipeline import fit
from dbsynth.schema import Column, Kind
from dbsynth.structures import structure_from_json, structure_of
from dbsynth.structures.base import Values
from dbsynth.structures.notation import Notation
from tests.zoo import SCHEMAS, _for_postgresql

ROWS = 2_500
SIGMAS = 4  # deviations that two samples of one distribution may lie apart; seeds are fixed
BINS = 64  # quantile bins of a number: a place inside one is interpolated


def load(url: str) -> None:
    folder = SCHEMAS / "hostile_types"
    specimens = runpy.run_path(str(folder / "rows.py"))["specimens"](Random(5), ROWS)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute((folder / "schema.sql").read_text(encoding="utf-8"))
        for table, rows in specimens.items():
            marks = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(
                f"INSERT INTO {table} VALUES ({marks})",
                [tuple(map(_for_postgresql, row)) for row in rows],
            )


@pytest.fixture(scope="module")
def both(postgres: Server) -> tuple[str, str]:
    """The real database and its clone."""
    real, clone = (postgres.create_database(f"structures {name}") for name in ("real", "clone"))
    load(real)
    dbsynth.clone(real, clone, replace=True)
    return real, clone


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


# What holds or not: its share of the rows (of those where it is not NULL).
SHARES = {
    "moments": """day < '0001-01-01'|until = 'infinity'|expires = 'infinity'|expires = '-infinity'
        |pause < '0'|term = '1 year'|term = '1 mon'|term = '14 days'|extract(year from term) = 1
        |extract(timezone_hour from zoned_clock) = -5|extract(timezone from zoned_clock) = 19800""",
    "numbers": """measure = 'NaN'|measure = 'Infinity'|measure = '-Infinity'|bare = 'NaN'
        |bare = 'Infinity'|price IS NULL|tiny < 1e-300|tiny < 1e-13|cost < '0'|small = -32768|constant = 7
        |nothing IS NULL|relation IS NULL|relation = 'pg_type'::regclass|object = 16384|yes|flags = B'10000100'
        |substring(flags from 1 for 1) = B'1'|substring(flags from 3 for 1) = B'1'|pattern IS NULL
        |substring(flags from 6 for 1) = B'1'|length(pattern) = 0|hundreds % 100 = 0|share > 50""",
    "words": """filled = to_tsvector('simple', body)|feeling = 'calm'|code = 'ab'|octet_length(code) = 6|letter = 'a'|tags IS NULL|tags = '{}'
        |cardinality(tags) = 3|'river' = ANY (tags)|'tide' = ANY (tags)|array_ndims(grid) = 2
        |grid[1][1] = 1|grid[2][3] = 1|cardinality(scores) = 4|scores[1] IS NULL|moods = '{calm}'
        |'sad' = ANY (moods)|cardinality(days) = 0|(box_size).width IS NULL|(box_size).unit = 'mm'
        |(box_size).unit = 'cm, or so'|cardinality(parts) = 2|(parts[1]).unit = 'cm'|'red' = ANY (named)
        |feeling = 'calm' AND 'river' = ANY (tags)|cardinality(array(SELECT DISTINCT unnest(tags))) =
        cardinality(tags)|cardinality(array(SELECT DISTINCT unnest(named))) = 2""",
    "documents": """profile->'plan'->>'tier' = plan|profile ? 'invoice'|jsonb_typeof(profile->'score') = 'null'
        |jsonb_typeof(profile->'score') = 'string'|plan = 'pro' AND profile ? 'invoice'
        |(profile->'active')::boolean|profile->'tags' ? 'tide'|profile->'tags' = '[]'
        |per_user = '{}'|jsonb_array_length(lines) = 8|lines->0 ? 'note'|lines->0->>'sku' = 'SKU-001'
        |settings::text = 'null'|settings::text = '[]'|settings->>'theme' = 'dark'|settings::text = '7'""",
    "spans": """isempty(whole)|lower_inf(whole)|upper_inf(whole)|isempty(days)|upper_inf(times)|isempty(zoned)
        |zoned IS NULL|lower_inc(amounts)|isempty(amounts)|isempty(wholes)|isempty(many_zoned)
        |kind = 'long' AND upper(whole) - lower(whole) >= 100|kind = 'short' AND upper(large) - lower(large) < 1e10
        |kind = 'long' AND upper(many_days) - lower(many_days) > 100|upper_inc(many_amounts)""",
    "places": """spot IS NULL|isclosed(track)|npoints(outline) = 3|npoints(track) = 6|masklen(network) = 8
        |masklen(network) = 24|masklen(address) = 8|family(address) = 6|octet_length(picture) = 0""",
}  # fmt: skip

# Numbers: mean, and share of the clone below the real quantiles.
NUMBERS = {
    "moments": """extract(epoch from pause)|extract(epoch from expires - stamp) FILTER isfinite(expires)
        |extract(epoch from zoned_clock::time)|extract(epoch from stamp)|extract(month from term)""",
    "numbers": """cost::numeric|price|ratio|hundreds|share|measure FILTER abs(measure) < 1e300
        |length(pattern)|measure FILTER yes AND abs(measure) < 1e300|ln(tiny) FILTER tiny > 1e-300
        |(place - '0/0')""",
    "words": """cardinality(scores)|scores[2]|(box_size).width|(parts[1]).height|cardinality(days)
        |days[1] - date '2020-01-01'|length(body)|(SELECT avg(s) FROM unnest(scores) s)""",
    "documents": """(profile->'plan'->>'seats')::int|(profile->>'score')::float FILTER
        jsonb_typeof(profile->'score') = 'number' AND plan = 'pro'|(lines->0->>'quantity')::int
        |jsonb_array_length(lines)|(profile->>'since')::date - date '2020-01-01'
        |(SELECT count(*) FROM jsonb_object_keys(per_user))""",
    "spans": """lower(whole)|upper(whole) - lower(whole)|lower(large) / 1e9|upper(amounts) - lower(amounts)
        |lower(days) - date '2021-01-01'|upper(days) - lower(days)|extract(epoch from upper(times) - lower(times))
        |extract(epoch from upper(zoned) - lower(zoned))|(SELECT count(*) FROM unnest(wholes))
        |lower(many_amounts)|extract(epoch from upper(many_times) - lower(many_times))""",
    "places": """spot[0]|spot[1]|(area[0])[0] - (area[1])[0]|radius(round)|(center(round))[1]|length(stretch)
        |npoints(track)|octet_length(picture)|masklen(address)|width(box(outline))""",
}  # fmt: skip


def cases(listed: dict[str, str]) -> list[tuple[str, str]]:
    return [(t, " ".join(e.split())) for t, text in listed.items() for e in text.split("|")]


@pytest.mark.parametrize(("table", "fact"), cases(SHARES))
def test_shares_are_kept(both: tuple[str, str], table: str, fact: str) -> None:
    query = f"SELECT avg(({fact})::int)::float, count({fact}) FROM {table}"
    (real, known), (clone, drawn) = (ask(url, query)[0] for url in both)
    assert known > 0
    assert isinstance(real, float)
    assert isinstance(clone, float)
    # Two binomial shares of one probability; half a row for shares of 0 and 1.
    allowed = SIGMAS * np.sqrt(real * (1 - real) * (1 / known + 1 / drawn)) + 0.5 / known
    assert abs(clone - real) <= allowed


@pytest.mark.parametrize(("table", "number"), cases(NUMBERS))
def test_distributions_of_numbers_are_kept(both: tuple[str, str], table: str, number: str) -> None:
    expression, _, where = number.partition(" FILTER ")
    query = (
        f"SELECT n FROM (SELECT CASE WHEN {where or 'true'} THEN ({expression})::float8 END AS n"
        f" FROM {table}) AS numbers WHERE n IS NOT NULL"
    )
    real, clone = (np.array([row[0] for row in ask(url, query)], float) for url in both)
    assert len(real) > 100
    noise = np.sqrt(1 / len(real) + 1 / len(clone))
    assert abs(real.mean() - clone.mean()) <= SIGMAS * real.std() * noise + 0.01 * real.std()
    # Two-sample Kolmogorov-Smirnov distance, beyond the chance of 1 in 10,000, and one bin.
    points = np.unique(np.concatenate([real, clone]))
    below = [np.searchsorted(np.sort(x), points, side="right") / len(x) for x in (real, clone)]
    assert np.abs(below[0] - below[1]).max() <= 2.23 * noise + 1 / BINS


def test_sizes_of_arrays_and_documents_are_kept(both: tuple[str, str]) -> None:
    for query in (
        "SELECT cardinality(tags)::text, count(*) FROM words GROUP BY 1",
        "SELECT jsonb_array_length(lines)::text, count(*) FROM documents GROUP BY 1",
        "SELECT npoints(track)::text, count(*) FROM places GROUP BY 1",
        "SELECT jsonb_typeof(profile->'score'), count(*) FROM documents GROUP BY 1",
        "SELECT array_dims(grid), count(*) FROM words GROUP BY 1",
    ):
        real, clone = (dict(ask(url, query)) for url in both)
        distance = sum(abs(real.get(n, 0) - clone.get(n, 0)) for n in {*real, *clone}) / 2 / ROWS
        assert distance <= 0.05, query  # half a row in ten classes at four deviations


def test_keys_that_are_data_do_not_come_back(both: tuple[str, str]) -> None:
    keys = "SELECT DISTINCT jsonb_object_keys(per_user) FROM documents"
    real, clone = ({row[0] for row in ask(url, keys)} for url in both)
    assert len(real) > ROWS
    assert len(clone) > ROWS / 2
    assert not real & clone
    assert all("@" in str(key) for key in clone)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT profile->>'email' FROM documents",
        "SELECT profile->>'invoice' FROM documents WHERE profile ? 'invoice'",
        "SELECT address::text FROM places",
        "SELECT network::text FROM places",
        "SELECT hardware::text FROM places",
        "SELECT token::text FROM places",
        "SELECT body FROM words",
        "SELECT title FROM words",
        "SELECT profile::text FROM documents",
        "SELECT outline::text FROM places",
        "SELECT spot::text FROM places WHERE spot IS NOT NULL",
        "SELECT measure::text FROM numbers WHERE abs(measure) < 1e300",
    ],
)
def test_real_values_that_hardly_repeat_do_not_come_back(both: tuple[str, str], query: str) -> None:
    real, clone = ([row[0] for row in ask(url, query)] for url in both)
    assert len({*real}) > 100
    shared = len({*real} & {*clone})
    # Two coordinates of four decimals: some of the 25 million places in reach are hit by chance.
    assert shared <= (3 if "spot" in query else 0)


def test_model_file_keeps_structures_and_no_rare_key(both: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "model"
    model, _ = fit(both[0], path)
    saved = load_model(path)
    assert saved.tables["documents"].columns.keys() == model.tables["documents"].columns.keys()
    text = json.dumps(
        {
            n: c.structure and c.structure.to_json()
            for n, c in saved.tables["documents"].columns.items()
        }
    )
    assert "invoice" in text
    assert "@" not in text


def test_trees_do_not_depend_on_the_number_of_processes(postgres: Server, tmp_path: Path) -> None:
    real = postgres.create_database("structures again")
    load(real)
    outs = []
    for processes in (1, 2):
        target = f"sqlite:///{tmp_path / str(processes)}.sqlite"
        dbsynth.clone(real, target, processes=processes)
        with closing(sqlite3.connect(tmp_path / f"{processes}.sqlite")) as connection:
            outs.append(connection.execute("SELECT * FROM documents ORDER BY id").fetchall())
    assert outs[0] == outs[1]


def test_weighted_vectors_are_computed_from_their_texts(postgres: Server) -> None:
    real, clone = (postgres.create_database(f"vectors {name}") for name in ("real", "clone"))
    vector = (
        "setweight(to_tsvector('english', coalesce(title, '')), 'A')"
        " || setweight(to_tsvector('english', coalesce(body, '')), 'B')"
    )
    with psycopg.connect(real) as connection:
        connection.execute(
            "CREATE TABLE page (id serial PRIMARY KEY, title text, body text, found tsvector);"
            "INSERT INTO page (title, body) SELECT 'Walking ' || md5(i::text),"
            " 'Rivers are running past ' || md5((i * 7)::text) FROM generate_series(1, 300) AS i;"
            f"UPDATE page SET found = {vector}"
        )
    dbsynth.clone(real, clone, replace=True)
    assert ask(clone, f"SELECT count(*) FROM page WHERE found = {vector}") == [(300,)]
    assert ask(clone, "SELECT count(*) FROM page WHERE length(found) > 1")[0][0] > 200  # type: ignore[operator]


def documents(count: int) -> list[str]:
    random = Random(3)
    return [
        json.dumps({
            "kind": kind, "price": random.randint(1, 9) * (100 if kind == "big" else 1),
            "tags": random.sample(["a", "b", "c", "d"], random.randint(0, 3)),
            **({"until": "2024-01-01"} if kind == "big" else {}), "ref": f"{i}-{random.random()}",
        })
        for i in range(count) for kind in [random.choice(("big", "small"))]
    ]  # fmt: skip


def test_documents_in_text_columns_of_sqlite(tmp_path: Path) -> None:
    real, clone = tmp_path / "real.sqlite", tmp_path / "clone.sqlite"
    texts = documents(2_000)
    with closing(sqlite3.connect(real)) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, kind TEXT, doc TEXT)")
        connection.executemany(
            "INSERT INTO t (kind, doc) VALUES (?, ?)", [(json.loads(x)["kind"], x) for x in texts]
        )
    dbsynth.clone(f"sqlite:///{real}", f"sqlite:///{clone}")
    queries = {
        "avg(doc ->> 'kind' = kind)": 0.0,
        "avg(doc ->> 'until' IS NOT NULL AND kind = 'big')": 0.05,
        "avg(doc ->> 'until' IS NOT NULL AND kind = 'small')": 0.0,
        "avg(json_array_length(doc, '$.tags'))": 0.15,
        "avg(iif(kind = 'big', (doc ->> 'price') / 100.0, doc ->> 'price'))": 0.35,
    }
    for query, allowed in queries.items():
        found = []
        for path in (real, clone):
            with closing(sqlite3.connect(path)) as connection:
                found.append(connection.execute(f"SELECT {query} FROM t").fetchone()[0])
        assert abs(found[0] - found[1]) <= allowed, query
    with closing(sqlite3.connect(clone)) as connection:
        refs = {row[0] for row in connection.execute("SELECT doc ->> 'ref' FROM t")}
    assert not refs & {json.loads(x)["ref"] for x in texts}


def drawn_alike(structure: object, values: pa.Array) -> list[str]:
    """Values put together of the real parts, row by row: what went apart comes together."""
    found: dict[str, Values] = structure.split(values)  # type: ignore[attr-defined]

    def draw(part: str, rows: np.ndarray, turn: int) -> pa.Array:  # type: ignore[type-arg]
        mine = found[part]
        if mine.owners is None:
            return mine.array.take(pa.array(rows))
        order = np.argsort(mine.owners, kind="stable")
        first = np.searchsorted(mine.owners[order], rows)
        place = np.minimum(first + max(turn % 4_096 - 1, 0), len(order) - 1)  # turns count from 1
        return mine.array.take(pa.array(order[place]))

    again = structure_from_json(structure.to_json())  # type: ignore[attr-defined]
    return again.assembled(len(values), draw).to_pylist()


@pytest.mark.parametrize(
    ("type_", "texts"),
    [
        ("point", ["(1,2)", "(-0.5,0.00001)"]),
        ("box", ["(3,4),(1,2)", "(0.5,0.25),(0,0)"]),
        ("circle", ["<(1,2),3>", "<(0,0.5),0>"]),
        ("lseg", ["[(1,2),(3,4)]", "[(0,0),(0.5,1)]"]),
        ("line", ["{1,-1,0}", "{0,2,3}"]),
        ("path", ["[(1,2),(3,4)]", "((0,0),(1,1),(2,0))"]),
        ("polygon", ["((0,0),(1,1),(2,0))", "((5,5),(6,5),(6,6),(5,6))"]),
        ("int4range", ["empty", "[1,5)", "(,5)", "[1,)", "(,)"]),
        ("numrange", ["(1.5,2.25]", "[0,1]", "empty"]),
        ("daterange", ["[2020-01-01,2020-02-01)", "[-infinity,2020-02-01)", "empty"]),
        ("tsrange", ['["2020-01-01 00:00:00","2020-01-01 10:30:00")', "(,)"]),
        ("tstzrange", ['["2020-01-01 00:00:00+00","2020-01-01 10:30:00+00"]', "empty"]),
        ("int4multirange", ["{}", "{[1,3),[5,9)}", "{[1,4),[6,)}"]),
        ("datemultirange", ["{[2020-01-01,2020-01-05),[2020-02-01,2020-02-03)}", "{}"]),
        ("timetz", ["10:00:00+02", "23:59:59.5-05:30"]),
        ("bit", ["0101", "1111"]),
        ("varbit", ["", "1", "010101"]),
        ("pg_lsn", ["0/0", "16/B374D848"]),
        ("hstore", ['"a"=>"1", "b"=>NULL', '"a"=>"x \\"y\\""', ""]),
        ("size_of_things", ['(1,"a b",)', '(2,x,"c,d")']),
        ("text[]", ["{}", '{a,NULL,"b c"}', '{"x\\"y","back\\\\slash","NULL"}']),
        ("integer[]", ["{1,2}", "{{1,2},{3,4}}", "{}", "{{1,2},{NULL,4}}"]),
        ("size_of_things[]", ['{"(1,\\"a b\\",)"}', '{"(2,x,y)","(3,,z)"}']),
        ("jsonb", ['{"a": [1, {"b": null}], "c": "ü\\n"}', "[]", "7", '"x"', "null", "true", "1.5"]),
        ("xml", ['<r a="1"><b>x &amp; y</b><b>z</b></r>', '<r a="2"><b>x</b><c>3</c></r>', "<r>t</r>"]),
        ("xml", ["<r><b>x</b><b>z</b></r>", "<r><b>y</b><b>z</b></r>"]),  # few lists of children
    ],
)  # fmt: skip
def test_what_is_taken_apart_comes_together(type_: str, texts: list[str]) -> None:
    kinds = {"jsonb": Kind.JSON} | ({type_: Kind.ARRAY} if type_.endswith("]") else {})
    column = Column("c", kinds.get(type_, Kind.OTHER), type_)
    values = pa.array(texts * 12, pa.string())
    structure = structure_of(column, "xml" if type_ == "xml" else None, values, 5)
    assert structure is not None
    found = drawn_alike(structure, values)
    if type_ == "jsonb":
        assert [json.loads(t) for t in found] == [json.loads(t) for t in values.to_pylist()]
    elif type_ == "xml":
        read = Notation("xml").read
        assert [read(t) for t in found] == [read(t) for t in values.to_pylist()]
    else:
        assert found == values.to_pylist()


def test_intervals_come_together_as_numbers() -> None:
    texts = ["1 year 2 mons -3 days +04:05:06.7", "-00:00:01", "00:00:00", "-1 years"]
    structure = structure_of(
        Column("c", Kind.OTHER, "interval"), None, pa.array(texts * 5, pa.string()), 5
    )
    assert structure is not None
    found = drawn_alike(structure, pa.array(texts, pa.string()))
    assert found == [
        "14 mons -3 days 14706700000 microseconds", "-1000000 microseconds",
        "0 microseconds", "-12 mons 0 microseconds",
    ]  # fmt: skip


def test_arrays_of_arrays_need_not_be_of_one_size() -> None:
    random = Random(3)
    lines = [[random.choices(range(9), k=random.randint(1, 4)) for _ in range(i % 3 + 1)]
             for i in range(300)]  # fmt: skip
    values = pa.array([json.dumps({"lines": each}) for each in lines])
    structure = structure_of(Column("c", Kind.JSON, "jsonb"), None, values, 5)
    assert structure is not None
    found = [json.loads(text)["lines"] for text in drawn_alike(structure, values)]
    assert [len(each) for each in found] == [len(each) for each in lines]
    assert {len(line) for each in found for line in each} == {1, 2, 3, 4}


def test_thresholds_count_documents_not_items() -> None:
    rare = ['{"tags": ["secret", "secret", "secret", "secret", "secret", "secret"]}']
    texts = rare + ['{"tags": ["river"]}', '{"tags": ["stone", "river"]}'] * 500
    structure = structure_of(Column("c", Kind.JSON, "jsonb"), None, pa.array(texts), 5)
    assert structure is not None
    assert k_threshold(len(texts)) == 5
    assert "secret" not in json.dumps(structure.to_json())
