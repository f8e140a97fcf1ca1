"""SDV's HMA beside us, on the largest piece of a schema that it accepts.

HMA of SDV 2 takes five tables at most, and no table that is both parent and child.  It gets the
same columns as the measures, with positions as keys, so that nothing but the method differs.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import psycopg
from psycopg import sql

from bench.rows import CATEGORY, NUMBER, TIME, Rows
from dbsynth.schema import Schema, Table

MOST_TABLES = 5
MOST_CANDIDATES = 25
MOST_CATEGORIES = 500
TYPES = {NUMBER: "double precision", TIME: "timestamp", CATEGORY: "text"}


@dataclass(frozen=True)
class Sample:
    """What HMA made.

    Attributes:
        rows: Its rows, under the schema of the piece; None where it did not come to an end.
        refused: Why there are none, in a sentence.
    """

    tables: tuple[str, ...]
    fit_s: float = 0.0
    sample_s: float = 0.0
    version: str = ""
    rows: Rows | None = None
    refused: str = ""


def piece(rows: Rows) -> tuple[str, ...]:
    """The tables with most keys between them, then most rows, that HMA takes together."""
    sizes = {name: len(frame) for name, frame in rows.frames.items() if len(frame)}
    links = [
        fk
        for fk in rows.schema.foreign_keys
        if fk.child in sizes and fk.parent in sizes and (rows.links[fk] >= 0).all()
    ]
    graph = nx.DiGraph((fk.parent, fk.child) for fk in links)
    largest = sorted(graph, key=lambda name: -sizes[name])[:MOST_CANDIDATES]
    best: tuple[int, int, tuple[str, ...]] = (0, 0, ())
    for count in range(2, MOST_TABLES + 1):
        for chosen in itertools.combinations(largest, count):
            inside = graph.subgraph(chosen)
            if _accepted(inside):
                total = sum(sizes[name] for name in chosen)
                best = max(best, (inside.number_of_edges(), total, chosen))
    return tuple(sorted(best[2]))


def _accepted(graph: nx.DiGraph) -> bool:
    flat = not any(graph.in_degree(n) and graph.out_degree(n) for n in graph)
    return flat and nx.is_weakly_connected(graph)


def restricted(rows: Rows, names: Iterable[str]) -> Rows:
    """Some tables of a database, with the keys between them."""
    kept = set(names)
    tables = tuple(
        replace(
            table,
            foreign_keys=tuple(fk for fk in table.foreign_keys if fk.parent in kept),
        )
        for table in rows.schema.tables
        if table.name in kept
    )
    schema = Schema(tables)
    return Rows(
        schema,
        {table.name: rows.frames[table.name] for table in tables},
        {fk: rows.links[fk] for fk in schema.foreign_keys},
        {table.name: rows.keys[table.name] for table in tables},
        rows.invented,
    )


def hma(source: Rows, python: Path, seconds: float) -> Sample:
    """Fit HMA on its piece of a database and sample as many rows.

    Args:
        python: An interpreter that has SDV.
        seconds: When to give up.
    """
    names = piece(source)
    if not names:
        return Sample((), refused="no two tables are linked in a way that it accepts")
    small = restricted(source, names)
    with tempfile.TemporaryDirectory(prefix="dbsynth-hma-") as name:
        folder = Path(name)
        _describe(small, folder)
        script = Path(__file__).with_name("hma.py")
        try:
            done = subprocess.run(
                [python, script, folder],
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Sample(names, refused=f"not done after {seconds / 60:.0f} minutes")
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            return Sample(names, refused=f"refused: {last[:160]}")
        took = json.loads((folder / "took.json").read_text())
        made = _sampled(small, folder)
    return Sample(names, took["fit_s"], took["sample_s"], took["version"], made)


def _given(rows: Rows, table: Table) -> dict[str, str]:
    """What HMA is given of a table: what any measure looks at, and a little more."""
    keys = {key.columns[0] for key in table.keys if key.plain and len(key.columns) == 1}
    sorts = rows.sorts(table)
    return {
        name: sort
        for name, sort in sorts.items()
        if name not in keys | table.foreign_columns()
        and rows.frames[table.name][name].notna().any()
        and (sort != CATEGORY or rows.frames[table.name][name].nunique() <= MOST_CATEGORIES)
    }


def _describe(rows: Rows, folder: Path) -> None:
    described = {}
    for number, table in enumerate(rows.schema.tables):
        columns = _given(rows, table)
        frame = rows.frames[table.name][list(columns)].copy()
        frame.insert(0, "__row", np.arange(len(frame)))
        links = {}
        for place, fk in enumerate(table.foreign_keys):
            links[f"__{place}"] = fk.parent
            frame[f"__{place}"] = rows.links[fk]
        frame.to_csv(folder / f"{number}.csv", index=False)
        described[table.name] = {"columns": columns, "links": links}
    (folder / "tables.json").write_text(json.dumps({"tables": described}))


def _sampled(like: Rows, folder: Path) -> Rows:
    raw = {
        table.name: pd.read_csv(
            folder / f"sampled-{number}.csv",
            dtype={name: str for name, sort in _given(like, table).items() if sort == CATEGORY},
            keep_default_na=False,
            na_values=[""],
        )
        for number, table in enumerate(like.schema.tables)
    }
    frames, links = {}, {}
    for table in like.schema.tables:
        given, raws = _given(like, table), raw[table.name]
        frames[table.name] = pd.DataFrame(
            {
                name: _values(raws[name], sort) if name in given else _nothing(len(raws), sort)
                for name, sort in like.sorts(table).items()
            },
            index=range(len(raws)),
        )
        for place, fk in enumerate(table.foreign_keys):
            parents = pd.Index(raw[fk.parent]["__row"])
            links[fk] = parents.get_indexer(raws[f"__{place}"]).astype(np.int64)
    keys = {name: np.arange(len(frame), dtype=np.uint64) for name, frame in frames.items()}
    return Rows(like.schema, frames, links, keys)


def _values(values: pd.Series, sort: str) -> pd.Series:
    if sort == CATEGORY:
        return values.astype(object).where(values.notna(), None)
    if sort == TIME:
        moments = pd.to_datetime(values, errors="coerce", format="mixed")
        return (moments - pd.Timestamp(0)).dt.total_seconds()
    return pd.to_numeric(values, errors="coerce").astype(float)


def _nothing(rows: int, sort: str) -> pd.Series:
    return pd.Series([None] * rows, dtype=object if sort == CATEGORY else float)


def write(rows: Rows, url: str) -> None:
    """Put rows into an empty database, for judges that read databases; keys are positions."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in rows.schema.tables:
            _write_table(cursor, rows, table)


def _write_table(cursor: psycopg.Cursor, rows: Rows, table: Table) -> None:
    ends = {name for keys in _ends(rows.schema, table.name) for name in keys}
    frame, columns = rows.frames[table.name], {}
    values: dict[str, Iterator[object]] = {}
    for column in table.columns:
        columns[column.name] = TYPES[rows.sorts(table).get(column.name, CATEGORY)]
        values[column.name] = itertools.repeat(None)
        if column.name in frame:
            values[column.name] = _stored(frame[column.name], columns[column.name])
        if column.name in ends | set(table.primary_key):
            columns[column.name], values[column.name] = "bigint", iter(range(len(frame)))
    for fk in table.foreign_keys:
        columns[fk.columns[0]] = "bigint"
        values[fk.columns[0]] = (int(x) for x in rows.links[fk])
    name = sql.Identifier(*filter(None, (table.namespace, table.bare)))
    if table.namespace not in (None, "public"):
        cursor.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(table.namespace))
        )
    typed = [sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t)) for c, t in columns.items()]
    cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(typed)))
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy:
        # Columns without values repeat NULL for ever; the range ends them.
        for _, *row in zip(range(len(frame)), *values.values(), strict=False):
            copy.write_row(row)


def _ends(schema: Schema, name: str) -> tuple[tuple[str, ...], ...]:
    return schema.referenced_keys(name)


def _stored(values: pd.Series, type_: str) -> Iterator[object]:
    if type_ == "timestamp":
        moments = pd.to_datetime(values, unit="s")
        return (None if m is pd.NaT else m.to_pydatetime() for m in moments)
    return (None if pd.isna(v) else v for v in values)
