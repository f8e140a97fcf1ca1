"""Utility against epsilon: what is measured, what is drawn, and what is refused."""

from __future__ import annotations

import importlib
import json
import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import pytest

import dbsynth
from bench.dp import EPSILONS, PAGES, Kept, alone, deep, page
from dbsynth.cli import run
from dbsynth.errors import MissingExtra, SchemaError, SpecError
from dbsynth.memorise import Half
from dbsynth.spec import Spec
from dbsynth.tradeoffs import WARNING
from dbsynth.tradeoffs.learning import accuracy
from dbsynth.tradeoffs.picture import picture
from dbsynth.tradeoffs.utility import KINDS, mean, yardstick


def build(path, people):
    """People whose city tells their tier, and whose tier tells what they buy, and how often."""
    draw = np.random.default_rng(5)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            "create table person(id integer primary key, city varchar(9) not null,"
            " tier varchar(9) not null, income integer);"
            "create table sale(id integer primary key,"
            " person integer not null references person, kind varchar(9) not null);"
        )
        for i in range(people):
            city = int(draw.integers(4))
            income = int(1000 * (city + draw.random())) if draw.random() < 0.9 else None
            row = (i, f"city {city}", f"tier {city % 2}", income)
            connection.execute("insert into person values (?, ?, ?, ?)", row)
            connection.executemany(
                "insert into sale(person, kind) values (?, ?)",
                [(i, f"kind {city}")] * (1 + city % 2),
            )
    return f"sqlite:///{path}"


def spec_of(tmp_path, seed=7, **privacy):
    said = {
        "unit": "person", "epsilon": 3, "delta": 1e-6, "seed": seed,
        "vocabularies": {
            "person.city": [f"city {i}" for i in range(4)],
            "person.tier": ["tier 0", "tier 1"],
            "sale.kind": [f"kind {i}" for i in range(4)],
        },
        "ledger": str(tmp_path / "ledger.jsonl"), **privacy,
    }  # fmt: skip
    return Spec.parse({"engine": "dp", "privacy": said}, {})


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return build(tmp_path_factory.mktemp("source") / "source.db", 2000)


@pytest.fixture(scope="module")
def found(source, tmp_path_factory):
    spec = spec_of(tmp_path_factory.mktemp("ledger"))
    return dbsynth.tradeoff(source, spec=spec, epsilons=(100, 0.01, 2))


def test_a_larger_budget_keeps_more_of_what_belongs_together(found):
    """Pairs and families are planted without exception.  With 1,000 people of a half, epsilon 100
    leaves noise of few rows, so next to nothing of it is lost; at 2 noise drowns a good part."""
    refused, small, large = found.of("dp")
    assert [line.epsilon for line in found.of("dp")] == [0.01, 2, 100]
    assert refused.utility is None
    assert "cannot work" in refused.refused
    assert large.utility > small.utility + 0.02
    assert large.parts["pairs"] > small.parts["pairs"]
    (real,), (relational,), (independent,) = map(found.of, ("real", "relational", "independent"))
    assert real.utility > 0.9
    assert relational.utility > independent.utility + 0.05  # which knows nothing of parents
    assert large.parts["families"] > independent.parts["families"] + 0.1
    assert set(real.parts) == set(KINDS)
    # The city tells what is bought; 1,500 sales, so each share is known to about .01.
    assert real.accuracy > 0.95
    assert large.accuracy > independent.accuracy + 0.1


def test_halves_are_of_units_and_no_ledger_is_touched(found, source, tmp_path):
    assert found.shown + found.held_out == 2000
    assert abs(found.shown - 1000) < 5 * np.sqrt(500)  # a fair coin for each
    assert found.columns == {"person": ("city", "tier", "income"), "sale": ("kind",)}
    paid = spec_of(tmp_path, seed=None)
    again = dbsynth.tradeoff(source, spec=paid, epsilons=[9])
    assert again.private
    assert not found.private
    assert not (tmp_path / "ledger.jsonl").exists()


def test_utility_is_told_by_hand():
    """Two halves of a parent with two children each: every distance can be counted on fingers."""

    def side(parent, child, places):
        rows = [pa.table({"a": parent}), pa.table({"b": child})]
        return {"up": Half(rows[0]), "down": Half(rows[1], np.array(places))}

    held_out = side(["x", "y", None, "x"], [1, 2, 3, 4], [0, 0, 1, 3])
    judge = yardstick(held_out, {"down": "up"})
    assert judge.utility(held_out) == {"columns": 1, "families": 1, "children": 1}
    other = side(["x", "z", None, "x"], [4, 2, 1, 3], [1, 1, 0, -1])
    parts = judge.utility(other)
    assert parts["columns"] == pytest.approx((0.75 + 1) / 2)  # z for y; the same numbers
    assert parts["families"] == pytest.approx(0.25)  # of four, only (x, 1) is in both
    assert parts["children"] == pytest.approx(0.75)  # 2, 1, 0, 1 against 1, 2, 0, 0
    assert mean(parts) == pytest.approx(np.mean(list(parts.values())))
    nothing = {"up": Half(pa.table({"a": pa.array([], pa.string())})),
               "down": Half(pa.table({"b": pa.array([], pa.int64())}))}  # fmt: skip
    assert judge.utility(nothing) == {"columns": 0, "families": 0, "children": 0}


def test_the_picture_says_all_and_no_words_lie_on_others(found):
    tree = ET.fromstring(picture(found))
    texts = [node for node in tree.iter() if node.tag.endswith("text")]
    words = [node.text for node in texts]
    for wanted in ("0.01", "2", "100", "refused", "epsilon (log scale)", "dp, with privacy"):
        assert wanted in words
    assert any(w.startswith("Real rows were read") for w in words)
    assert any("NOT PRIVATE" in w for w in words)
    labels = sorted(float(t.get("y")) for t in texts if float(t.get("x")) > 570
                    and t.get("text-anchor") == "start")  # fmt: skip
    assert len(labels) == 4
    assert min(np.diff(labels)) >= 13  # the height of a line
    assert all(0 < float(t.get("y")) < 470 for t in texts)


def test_the_command_prints_a_table_or_one_object_and_draws(source, tmp_path, capsys):
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"source: {source}\nprivacy: {{unit: person, epsilon: 3, delta: 1e-6, seed: 7}}\n",
        encoding="utf-8",
    )
    drawn = tmp_path / "drawn.svg"
    arguments = ["tradeoff", str(path), "--epsilons", "0.01,20", "-q"]
    assert run([*arguments, "--picture", str(drawn)]) == 0
    shown = capsys.readouterr().out
    assert drawn.read_text(encoding="utf-8").startswith("<svg")
    assert [line.split()[0] for line in shown.splitlines()[4:9]] == [
        "real", "relational", "dp", "dp", "independent",
    ]  # fmt: skip
    assert "refused: epsilon 0.01" in shown
    assert "accuracy: of classifiers" in shown
    assert "NOT PRIVATE" in shown
    assert shown.splitlines()[-1] == WARNING
    assert run([*arguments, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is True
    assert value["warning"] == WARNING
    assert [line["engine"] for line in value["lines"]].count("dp") == 2
    assert run([*arguments, "--picture", str(tmp_path)]) == 2
    assert run(["tradeoff", str(path), "--epsilons", "0.1;1"]) == 2
    assert run(["tradeoff", str(path), "--epsilons", "0"]) == 2
    assert "an epsilon is a number above 0" in capsys.readouterr().err


def test_what_cannot_be_weighed_is_refused(source, tmp_path, monkeypatch):
    with pytest.raises(SpecError, match=r"no `privacy\.unit` is named"):
        dbsynth.tradeoff(source, spec=Spec())
    with pytest.raises(SpecError, match="table `persn` does not exist"):
        dbsynth.tradeoff(source, spec=spec_of(tmp_path, unit="persn"))
    with pytest.raises(SchemaError, match="`person` has 60 rows, too few"):
        dbsynth.tradeoff(build(tmp_path / "small.db", 60), spec=spec_of(tmp_path))
    known = importlib.import_module

    def without(name, *rest):
        if name.startswith("opendp"):
            raise ImportError(name)
        return known(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(MissingExtra, match="OpenDP, which is not installed"):
        dbsynth.tradeoff(source, spec=spec_of(tmp_path, seed=None))


# The bench.


def planted(rows, seed):
    """Two coins and a column that tells whether they agree: no pair shows it, the triple does."""
    coins = np.random.default_rng(seed).integers(0, 2, (2, rows))
    words = {"a": coins[0], "b": coins[1], "c": coins[0] ^ coins[1]}
    return {"t": Half(pa.table({n: pa.array(v.astype(str)) for n, v in words.items()}))}


def test_triples_and_classifiers_see_what_pairs_do_not():
    """Shares of 2,000 rows are known to .01, of eight cells together to about .03."""
    judge, like = deep(planted(2000, 0), {}), planted(2000, 1)
    same, shuffled = judge.utility(like), planted(2000, 2)
    rows = shuffled["t"].rows
    loose = rows.set_column(2, "c", rows["c"].take(np.random.default_rng(3).permutation(2000)))
    found = judge.utility({"t": Half(loose)})
    assert min(same["pairs"], found["pairs"], same["triples"]) > 0.94
    assert found["triples"] == pytest.approx(0.5, abs=0.05)
    assert accuracy(judge, like) > 0.99
    assert accuracy(judge, {"t": Half(loose)}) < 0.7
    assert accuracy(judge, {"t": Half(loose[:0])}) == 0
    lone = planted(12_000, 6)["t"].rows.slice(1)
    lone = pa.concat_tables([lone, pa.table({"a": ["0"], "b": ["0"], "c": ["2"]})])
    assert accuracy(judge, {"t": Half(lone)}) > 0.99  # a class of one row among many
    single = {"t": Half(rows.select(["a"]))}
    assert accuracy(deep(single, {}), single) is None  # there is nothing to guess it from


def test_a_table_alone_is_measured_and_rivals_that_fail_say_why():
    kept, (shown, held_out) = Kept(), (planted(3000, 4), planted(3000, 5))
    kept.judging(held_out, {}).utility(shown)
    assert kept.single.table == "t"
    ours, mst, aim = alone(kept.single, 10, 1e-6, "false")  # a program that fails
    assert ours["parts"]["columns"] > 0.95
    assert mst["refused"] == aim["refused"] == "no word"


def test_the_page_is_written_from_the_figures_that_are_kept():
    kept = json.loads((PAGES / "dp.json").read_text(encoding="utf-8"))
    assert (PAGES / "dp.md").read_text(encoding="utf-8") == page(kept)
    for entry in kept.values():
        assert {line["epsilon"] for line in entry["lines"]} == {None, *EPSILONS}
