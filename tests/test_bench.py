"""The measures of the bench, on clones with planted faults, and the pieces around them."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from bench.fidelity import PAGES
from bench.measures import (
    Side,
    cardinality,
    copies,
    detect,
    family_contest,
    hops,
    measure,
    pairs,
    row_contest,
    shapes,
    sides,
    telltales,
    whole,
)
from bench.page import page
from bench.rivals import piece
from bench.rows import Rows, read_rows, rows_of
from bench.sources import keep_half, root_of
from dbsynth.embedded import Server
from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table
from dbsynth.shop.build import build_shop

PARENTS, CHILDREN = 400, 6
DAY = 86_400.0
# An area under the curve of 2 x 200 rows in three folds has a standard deviation of about .03.
NOTHING = pytest.approx(0.5, abs=0.1)
CAUGHT = 0.8


def shop_schema() -> Schema:
    key = ForeignKey("child", ("parent_id",), "parent", ("id",))
    parent = Table(
        "parent", "parent", None,
        (Column("id", Kind.INTEGER, "integer"), Column("sort", Kind.TEXT, "text"),
         Column("size", Kind.DECIMAL, "numeric"), Column("since", Kind.DATE, "date")),
        ("id",),
    )  # fmt: skip
    child = Table(
        "child", "child", None,
        (Column("id", Kind.INTEGER, "integer"), Column("parent_id", Kind.INTEGER, "integer"),
         Column("on", Kind.DATE, "date"), Column("amount", Kind.DECIMAL, "numeric"),
         Column("cost", Kind.DECIMAL, "numeric")),
        ("id",), foreign_keys=(key,),
    )  # fmt: skip
    return Schema((parent, child))


SCHEMA = shop_schema()
KEY = SCHEMA.foreign_keys[0]


def shop(seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    """Parents whose children's amounts follow their size and rise with time; cost follows amount."""
    dice = np.random.default_rng(seed)
    size = dice.gamma(3, 10, PARENTS)
    since = dice.integers(0, 2000, PARENTS)
    parent = np.repeat(np.arange(PARENTS), CHILDREN)
    rank = np.tile(np.arange(CHILDREN), PARENTS)
    amount = size[parent] * (1 + rank) + dice.normal(0, 2, len(parent))
    return {
        "parent": {
            "id": np.arange(PARENTS),
            "sort": np.where(size > np.median(size), "large", "small").astype(object),
            "size": size,
            "since": since,
        },
        "child": {
            "id": np.arange(len(parent)),
            "parent_id": parent,
            "on": since[parent] + 30 * (1 + rank) + dice.integers(0, 9, len(parent)),
            "amount": amount,
            "cost": 2 * amount + dice.normal(0, 1, len(parent)),
        },
    }


def rows(data: dict[str, dict[str, np.ndarray]]) -> Rows:
    dates = {"since", "on"}
    raw = {
        table: pa.table(
            {
                name: pa.array(values.astype(np.int32)).cast(pa.date32())
                if name in dates
                else pa.array(values)
                for name, values in columns.items()
            }
        )
        for table, columns in data.items()
    }
    return rows_of(SCHEMA, raw)


def area(real: Side, other: Side, table: str, *, spread: bool | None = None) -> float:
    contest = (
        row_contest(real, other, table)
        if spread is None
        else family_contest(real, other, table, spread=spread)
    )
    found = detect(contest)
    assert found is not None
    return found


SOURCE = rows(shop())


def test_rows_are_numbers_texts_and_positions() -> None:
    assert SOURCE.columns == {
        "parent": {"sort": "category", "size": "number", "since": "time"},
        "child": {"on": "time", "amount": "number", "cost": "number"},
    }
    assert (SOURCE.links[KEY] == np.repeat(np.arange(PARENTS), CHILDREN)).all()
    assert SOURCE.frames["parent"]["since"].iloc[0] == shop()["parent"]["since"][0] * DAY


def test_halves_share_no_entity() -> None:
    parents = SOURCE.first_half("parent")
    assert (SOURCE.first_half("child") == np.repeat(parents, CHILDREN)).all()
    assert 0.4 < parents.mean() < 0.6


def test_a_copy_is_as_good_as_real_and_is_seen_as_a_copy() -> None:
    real, second, other = sides(SOURCE, rows(shop()))
    floor, found = measure(SOURCE, real, second), measure(SOURCE, real, other)
    assert set(found["copies of any"].values()) == {1.0}
    assert min(found["copies"].values()) > 0.4
    assert set(floor["copies"].values()) == {0.0}
    for name in ("C2ST", "C2ST-Agg", "Agg+"):
        assert found[name] == floor[name]
        assert all(value == NOTHING for value in found[name].values())


def test_another_draw_is_as_good_as_real_and_no_copy() -> None:
    real, _, other = sides(SOURCE, rows(shop(1)))
    assert area(real, other, "child") == NOTHING
    assert area(real, other, "parent", spread=False) == NOTHING
    assert area(real, other, "parent", spread=True) == NOTHING
    assert set(copies(whole(SOURCE, SOURCE), other).values()) == {0.0}
    # Of 200 parents and 1,200 children a Kolmogorov-Smirnov statistic is below .14 in 19 of 20.
    assert min(shapes(real, other).values()) > 0.8


def test_independent_columns_are_caught() -> None:
    data = shop(1)
    data["child"]["cost"] = np.random.default_rng(2).permutation(data["child"]["cost"])
    real, second, other = sides(SOURCE, rows(data))
    assert area(real, other, "child") > CAUGHT
    pair = "child.amount ~ cost"
    assert pairs(real, other)[pair] < pairs(real, second)[pair] - 0.3
    assert min(shapes(real, other).values()) > 0.8  # each column by itself is right


def test_children_of_the_wrong_parents_are_caught_by_aggregates_alone() -> None:
    data = shop(1)
    whose = np.random.default_rng(2).permutation(PARENTS)
    data["child"]["parent_id"] = np.repeat(whose, CHILDREN)
    real, second, other = sides(SOURCE, rows(data))
    assert area(real, other, "child") == NOTHING
    assert area(real, other, "parent", spread=False) > CAUGHT
    path = "child -> parent (parent_id)"
    assert hops(real, other, 1)[path] < hops(real, second, 1)[path] - 0.1
    assert hops(real, other, 2) == {}


def test_a_wrong_order_is_caught_by_spread_alone() -> None:
    data = shop(1)
    dice = np.random.default_rng(2)
    order = np.argsort(dice.random((PARENTS, CHILDREN)), axis=1)
    places = (CHILDREN * np.arange(PARENTS)[:, None] + order).ravel()
    for name in ("amount", "cost"):
        data["child"][name] = data["child"][name][places]
    real, _, other = sides(SOURCE, rows(data))
    assert area(real, other, "parent", spread=False) == NOTHING
    assert area(real, other, "parent", spread=True) > CAUGHT


def test_wrong_child_counts_are_caught() -> None:
    data = shop(1)
    data["child"]["parent_id"] = np.sort(
        np.random.default_rng(2).integers(0, PARENTS, PARENTS * CHILDREN)
    )
    clone = rows(data)
    assert cardinality(SOURCE, clone)[str(KEY)] < 0.7
    assert cardinality(SOURCE, rows(shop(1)))[str(KEY)] == 1.0


def test_a_wrong_share_of_null_is_caught() -> None:
    data = shop(1)
    data["child"]["cost"][:1200] = np.nan
    real, _, other = sides(SOURCE, rows(data))
    assert shapes(real, other)["child.cost"] == pytest.approx(0.5, abs=0.06)


def test_the_telling_feature_is_named() -> None:
    data = shop(1)
    data["parent"]["size"] = data["parent"]["size"] + 100
    real, _, other = sides(SOURCE, rows(data))
    first, *others = telltales(row_contest(real, other, "parent"))
    assert first.feature == "size"
    assert min(first.alone, 0.5 + first.lost) > CAUGHT
    assert all(told.alone == NOTHING and told.lost < 0.1 for told in others)


def test_too_few_rows_are_no_figure() -> None:
    data = shop()
    few = {table: {n: v[:40] for n, v in columns.items()} for table, columns in data.items()}
    real, second, _ = sides(rows(few), rows(few))
    assert detect(row_contest(real, second, "parent")) is None


def test_hma_gets_parents_with_children_but_no_chain() -> None:
    assert piece(SOURCE) == ("child", "parent")


def test_halves_of_a_database_lack_no_parent(postgres: Server) -> None:
    source = postgres.create_database("bench_whole")
    build_shop(source, customers=150)
    before = read_rows(source)
    root = before.schema[root_of(before)]
    found = 0
    for side in (0, 1):
        url = postgres.create_database(f"bench_half_{side}")
        build_shop(url, customers=150)
        keep_half(url, before.schema, root, side)
        half = read_rows(url)
        found += len(half.frames[root.name])
        for fk in half.schema.foreign_keys:
            real = (before.links[fk] < 0).mean()
            assert real > 0 or (half.links[fk] >= 0).all()
    assert found == len(before.frames[root.name])


def test_the_page_shows_the_figures_that_were_kept() -> None:
    figures = json.loads((PAGES / "fidelity.json").read_text(encoding="utf-8"))
    assert (PAGES / "fidelity.md").read_text(encoding="utf-8") == page(figures)


def test_nothing_measured_gives_a_page() -> None:
    empty = {"databases": {}, "hma": {}, "failed": {}, "skipped": {"a": "no dump"}}
    text = page(empty | {"surroundings": {"machine": "2 cores", "versions": "Python"}})
    assert text.startswith("# Fidelity\n")
    assert "Skipped: a, no dump." in text


def test_the_page_goes_by_what_is_kept_and_shows_both() -> None:
    figures = json.loads((PAGES / "fidelity.json").read_text(encoding="utf-8"))
    name, entry = next((n, e) for n, e in figures["databases"].items() if e["invented"])
    for run in entry["clones"]:
        run["kept"] = json.loads(json.dumps(run["judge"]))
        for area in run["kept"]["detectors"]["C2ST-Agg"].values():
            area[0] = 0.123
    text = page({**figures, "databases": {name: entry}, "hma": {}})
    assert "### Detectors (judge of what is kept)" in text
    assert "### Detectors (judge)" in text
    summary = next(line for line in text.splitlines() if line.startswith(f"| {name} "))
    assert "0.12, 0.12" in summary
