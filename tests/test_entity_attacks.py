"""Attacks: they find what was planted, and nothing where nothing was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy import stats

import dbsynth
from bench.attacks import figures, page, specs
from dbsynth.attacks import attacked, masked
from dbsynth.attacks.features import entity_points, smaller
from dbsynth.attacks.intervals import share_of
from dbsynth.attacks.membership import auc, found_at, null_error
from dbsynth.cli import run
from dbsynth.codec import Alphabet, Codes
from dbsynth.engines import ENGINES
from dbsynth.engines.base import NO_MASKS, NO_SHARES, Arrays
from dbsynth.engines.pool import Pool, pool_of, restored
from dbsynth.errors import SchemaError, SpecError
from dbsynth.memorise import Half, World
from dbsynth.randomness import Streams
from dbsynth.report import Status
from dbsynth.spec import Spec, spec_shape

ENTITIES = 500


@pytest.mark.parametrize(("hits", "of"), [(0, 40), (1, 40), (13, 100), (999, 1000), (7, 7)])
def test_interval_is_that_of_the_beta_distribution(hits: int, of: int) -> None:
    found = share_of(hits, of)
    low = stats.beta.ppf(0.025, hits, of - hits + 1) if hits else 0.0
    high = stats.beta.ppf(0.975, hits + 1, of - hits) if hits < of else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_guesser_finds_his_share() -> None:
    shown = np.arange(20_000) % 2 == 0
    rng = np.random.Generator(np.random.Philox(1))
    for score in (rng.random(20_000), np.zeros(20_000)):  # also where all tie
        for false in (0.01, 0.1):
            found = found_at(false, score, shown, 3)
            assert found is not None
            assert found.low < false < found.high
        assert abs(auc(score, shown) - 0.5) < 4 * null_error(10_000, 10_000)


def test_attack_at_one_in_a_hundred_needs_a_hundred() -> None:
    assert found_at(0.01, np.zeros(99), np.arange(99) < 10, 0) is None


def side(seed: int, count: int = ENTITIES) -> dict[str, Half]:
    """People of one of 4 kinds, which their age and the sizes of their purchases follow."""
    rng = np.random.Generator(np.random.Philox(seed))
    kind = rng.integers(0, 4, count)
    bought = np.repeat(np.arange(count), rng.integers(0, 5, count))
    people = {
        "kind": np.array(["a", "b", "c", "d"])[kind],
        "age": rng.normal(20 + 15 * kind, 9),
        "income": rng.lognormal(7 + kind / 4, 0.4),
    }
    sales = {
        "amount": rng.lognormal(3 + kind[bought] / 2, 0.5),
        "paid": rng.random(len(bought)) < 0.9,
    }
    return {"person": Half(pa.table(people)), "sale": Half(pa.table(sales), bought)}


def world(synthetic: Mapping[str, Half]) -> World:
    return World("person", {"sale": "person"}, side(1), side(2), synthetic)


def failures(synthetic: Mapping[str, Half]) -> set[str]:
    found = attacked(world(synthetic), Streams(0)).findings
    return {f.check for f in found if f.status is Status.FAILED}


def mixed(copied: int) -> dict[str, Half]:
    """Entities of which the first are those shown, purchases and all, the others new."""
    shown, new = side(1), side(3)
    parts: list[tuple[dict[str, Half], npt.NDArray[np.bool_]]] = []
    for half, kept in ((shown, np.arange(ENTITIES) < copied), (new, np.arange(ENTITIES) >= copied)):
        parts.append((half, kept))
    people = pa.concat_tables([h["person"].rows.filter(pa.array(kept)) for h, kept in parts])
    sales, owner = [], []
    for half, kept in parts:
        families = half["sale"].families
        assert families is not None
        mine = kept[families]
        sales.append(half["sale"].rows.filter(pa.array(mine)))
        owner.append(families[mine])  # the places are the same in the mixture
    return {"person": Half(people), "sale": Half(pa.concat_tables(sales), np.concatenate(owner))}


def test_fresh_rows_of_the_same_distribution_give_nothing_away() -> None:
    assert failures(side(3)) == set()


def test_generator_that_ignores_the_data_gives_nothing_away() -> None:
    rng = np.random.Generator(np.random.Philox(9))
    people = {
        "kind": rng.choice(["a", "b", "c", "d"], ENTITIES),
        "age": rng.uniform(0, 90, ENTITIES),
        "income": rng.uniform(0, 9000, ENTITIES),
    }
    bought = np.repeat(np.arange(ENTITIES), 2)
    sales = {"amount": rng.uniform(0, 200, 2 * ENTITIES), "paid": rng.random(2 * ENTITIES) < 0.5}
    made = {"person": Half(pa.table(people)), "sale": Half(pa.table(sales), bought)}
    found = attacked(world(made), Streams(0))
    assert {f.check for f in found.findings if f.status is Status.FAILED} == set()
    clone = found.membership[0]
    assert abs(clone.auc - 0.5) < 4 * clone.auc_error
    assert clone.at_10 is not None
    assert clone.at_10.low < 0.1 < clone.at_10.high


def test_masked_rows_are_found_by_every_attack() -> None:
    found = attacked(masked(world(side(3))), Streams(0))
    failed = {(f.check, f.subject) for f in found.findings if f.status is Status.FAILED}
    assert {check for check, _ in failed} == {
        "membership", "inference", "linkage", "copied rows", "copied families"
    }  # fmt: skip
    assert found.membership[0].at_1 is not None
    assert found.membership[0].at_1.value > 0.9
    assert found.entities.exact == 1.0


def test_some_copies_among_others_are_found() -> None:
    assert failures(mixed(150)) >= {"membership", "copied rows", "copied families"}


def test_copies_that_were_moved_a_little_are_found() -> None:
    shown = side(1)
    rng = np.random.Generator(np.random.Philox(5))
    people = shown["person"].rows
    for number, name in ((1, "age"), (2, "income")):
        values = people[name].to_numpy() * rng.normal(1, 0.01, ENTITIES)
        people = people.set_column(number, name, pa.array(values))
    made = {"person": Half(people), "sale": shown["sale"]}
    found = attacked(world(made), Streams(0))
    assert found.entities.exact < 0.01  # no copy says so
    assert found.entities.near > 0.6
    assert {"membership", "copied families"} <= {
        f.check for f in found.findings if f.status is Status.FAILED
    }


def test_floor_and_ceiling_stand_beside() -> None:
    clone, real, plain = attacked(world(side(3)), Streams(0)).membership
    assert (clone.against, real.against, plain.against) == ("synthetic", "real", "masked")
    assert abs(real.auc - 0.5) < 4 * real.auc_error
    assert plain.auc > 0.95


def test_entities_are_points_of_equal_width_whatever_their_families() -> None:
    points = entity_points(world(side(3, 70)))
    assert [len(p) for p in points] == [ENTITIES, ENTITIES, 70]
    assert len({p.whole.shape[1] for p in points}) == 1
    assert all(np.isfinite(p.whole).all() for p in points)


def test_large_sides_are_attacked_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbsynth.attacks.features.MOST_ENTITIES", 90)
    small = smaller(world(side(3)))
    for one in (small.train, small.held_out, small.synthetic):
        families = one["sale"].families
        assert families is not None
        assert len(one["person"].rows) == 90
        assert len(one["sale"].rows) == len(families)
        assert 0 <= families.min() <= families.max() < 90


# ---------------------------------------------------------------------------------------------
# From a database
# ---------------------------------------------------------------------------------------------


class Rote:
    """An engine that learns the rows by heart."""

    name = "rote"

    def fit(
        self, variables: Mapping[str, Alphabet], codes: Mapping[str, Codes],
        context: Mapping[str, Alphabet], context_codes: Mapping[str, Codes],
        entities: npt.NDArray[np.int64], *, key: int,
        drawn: Mapping[str, npt.NDArray[np.bool_]] = NO_MASKS,
        shares: Mapping[str, npt.NDArray[np.float64]] = NO_SHARES,
    ) -> Pool:  # fmt: skip
        del entities, key, drawn, shares
        return pool_of({v: codes[v] for v in variables}, context_codes, context, alike=1)

    def restore(self, arrays: Arrays) -> Pool:
        return restored(arrays)


@pytest.fixture
def source(tmp_path: Path) -> str:
    rng = np.random.Generator(np.random.Philox(7))
    with closing(sqlite3.connect(tmp_path / "source.db")) as connection, connection:
        connection.executescript(
            "CREATE TABLE person (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, c INTEGER, d INTEGER);"
            "CREATE TABLE sale (id INTEGER PRIMARY KEY,"
            " person INTEGER NOT NULL REFERENCES person, amount INTEGER NOT NULL);"
        )
        people = rng.integers(0, 60, (600, 4)).tolist()
        connection.executemany(
            "INSERT INTO person VALUES (?, ?, ?, ?, ?)", [(i, *p) for i, p in enumerate(people)]
        )
        sales = [(i, int(rng.integers(600)), int(rng.integers(400))) for i in range(1500)]
        connection.executemany("INSERT INTO sale VALUES (?, ?, ?)", sales)
    return f"sqlite:///{tmp_path / 'source.db'}"


def test_report_is_json_and_the_same_again(source: str) -> None:
    found = dbsynth.attack(source)
    assert found.ok
    assert [a.entity for a in found.attacked] == ["person"]
    assert found.attacked[0].tables == ("person", "sale")
    text = json.dumps(found.to_json(), allow_nan=False)
    assert text == json.dumps(dbsynth.attack(source).to_json())


@pytest.fixture
def rote(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An engine more; what a spec may say is found out once, and lists the engines."""
    monkeypatch.setitem(ENGINES, "rote", Rote())
    spec_shape.cache_clear()
    yield
    spec_shape.cache_clear()


@pytest.mark.usefixtures("rote")
def test_rows_learnt_by_heart_are_a_failure(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["attack", source, "--engine", "rote", "-q"]) == 1
    said = capsys.readouterr()
    assert "LEAK: membership of person" in said.out
    assert "LEAK: copied families of person" in said.out
    assert "LEAK: inference of person." in said.out
    assert "LEAK: linkage of person" in said.out
    assert said.err.startswith("error: ")
    assert run(["attack", source, "--engine", "rote", "-q", "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is False
    failed = {f["check"] for f in value["entities"][0]["findings"] if f["status"] == "failed"}
    assert failed == {"membership", "inference", "linkage", "copied rows", "copied families"}


def test_too_few_entities_are_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "small.db")) as connection, connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(50)])
    with pytest.raises(SchemaError, match="no table has 200 entities"):
        dbsynth.attack(f"sqlite:///{tmp_path / 'small.db'}")


@pytest.mark.parametrize("seed", [None, 3])
def test_private_models_are_attacked_beside_the_budget(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int | None
) -> None:
    if seed is None:
        pytest.importorskip("opendp")
    (tmp_path / "spec.yaml").write_text(
        f"source: {source}\nengine: dp\nprivacy: {{unit: person, epsilon: 9, delta: 1e-5,"
        f" ledger: {tmp_path}/spent.jsonl{'' if seed is None else f', seed: {seed}'}}}\n"
    )
    before = {path.name for path in tmp_path.iterdir()}
    run(["attack", str(tmp_path / "spec.yaml"), "-q", "--json"])
    value = json.loads(capsys.readouterr().out)
    assert value["entities"][0]["tables"] == ["person", "sale"]
    assert value["privacy"] == {"unit": "person", "epsilon": 9, "delta": 1e-5, "fits": 1}
    assert "outside of the budget" in value["warnings"][0]
    assert any("NOT PRIVATE" in said for said in value["warnings"]) is (seed is not None)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert not Path("dbsynth-ledger.jsonl").exists()


def test_private_clone_says_in_words_that_no_budget_was_charged(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spec.yaml").write_text(
        f"source: {source}\nengine: dp\nprivacy: {{unit: person, epsilon: 9, delta: 1e-5, seed: 3}}\n"
    )
    assert run(["attack", str(tmp_path / "spec.yaml"), "-q"]) == 0
    said = capsys.readouterr().out
    assert "engine dp at (9, 1e-05): " in said
    assert "warning: an attack reads real rows, and no ledger was charged" in said
    with pytest.raises(SpecError, match="protects the entities of `person` by this spec"):
        dbsynth.attack(source, spec=Spec.load(tmp_path / "spec.yaml", {}), only=["sale"])
    with pytest.raises(SpecError, match="needs a section `privacy`"):
        dbsynth.attack(source, spec=Spec(engine="dp"))


def test_bench_protects_the_entities_that_are_attacked(source: str) -> None:
    ((spec, tables),) = specs("dp 3", source, Spec(), (), ("country",))
    said = spec.privacy
    assert said is not None
    assert (spec.engine, tables, said.unit, said.epsilon) == ("dp", ("person",), "person", 3.0)
    assert (said.public, said.invented, said.owner) == (("country",), {}, {"sale": ("person",)})


def test_page_of_the_bench_has_a_line_for_every_clone() -> None:
    found = attacked(world(side(3)), Streams(0))
    lines = {
        who: {**figures(found), "revision": of}
        for who, of in (("relational", "1234abcd"), ("plain masking", "5678abcd"))
    }
    entry = {
        "surroundings": {"machine": "m"},
        "missing": {"hma": "needs SDV", "tvae": "needs SDV", "ctgan": "too slow"},
        "entities": {"person": {"size": {"entities": 500, "tables": ["person", "sale"]}, "lines": lines}},
    }  # fmt: skip
    text = page({"shop": json.loads(json.dumps(entry))})
    assert "### person, with sale: 500 entities" in text
    assert text.count("Not run: hma, tvae: needs SDV; ctgan: too slow.") == 1
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in table] == [
        "| clone by",
        "| relational",
        "| plain masking",
    ]
    assert len({line.count("|") for line in table}) == 1
    assert [line.split(" | ")[-1] for line in table[1:]] == ["1234abcd |", "5678abcd |"]
