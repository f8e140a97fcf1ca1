"""Every engine on every exhibit of the zoo: the clone loads, and holds what its schema promises."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

import dbsynth
from dbsynth.embedded import Server
from dbsynth.engines import ENGINES, TRAINED
from dbsynth.engines.sdv import SDV_ENGINES
from dbsynth.errors import EngineError
from tests.judge import counts, leaks, structure
from tests.private_spec import guessed
from tests.zoo import ZOO, Exhibit, load_exhibit

# What the engine `dp` is tried on whenever tests run; on all others with the slow tests.
OFTEN_PRIVATE = {
    "blog", "check_constraints", "composite_key", "cycle", "deep_chain", "diamond", "hostile_types",
    "junction", "lookup", "multi_tenant", "nullable_key", "one_to_one_chain", "overlapping_keys",
    "self_reference", "two_keys_one_parent", "wide_table",
}  # fmt: skip

# Tables whose keys leave no room for as many rows as the scale asks for, and why.
FEWER = {
    ("crowded_key", 3.0): {"slot": "there are 20 pairs of label and shift"},
    ("dense_junction", 0.3): {
        "stock": "a pair of warehouse and product occurs once, and both shrink"
    },
    ("one_row", 3.0): {"settings": "its key has to be 1"},
}

WITH_SDV = pytest.mark.skipif(
    importlib.util.find_spec("sdv") is None, reason="the extra `sdv` is not installed"
)

_numbers = count(1)

Source = Callable[[Exhibit, str], str]


@pytest.fixture(scope="module")
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The URL of an exhibit in a kind of database, loaded once."""
    folder = tmp_path_factory.mktemp("zoo")
    url_by_exhibit: dict[tuple[str, str], str] = {}

    def loaded(exhibit: Exhibit, kind: str) -> str:
        key = (exhibit.name, kind)
        if key not in url_by_exhibit:
            if kind == "sqlite":
                url = f"sqlite:///{folder / exhibit.name}.sqlite"
            else:
                server: Server = request.getfixturevalue("postgres")
                url = server.create_database(f"zoo {exhibit.name}")
            load_exhibit(exhibit, url)
            url_by_exhibit[key] = url
        return url_by_exhibit[key]

    return loaded


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The URL of an empty database of a kind."""

    def fresh(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / 'clone.sqlite'}"
        return request.getfixturevalue("fresh_database")

    return fresh


def _cases() -> list[object]:
    """All engines at scale 1, the first also smaller and bigger; the slow server less often."""
    cases = []
    for exhibit in ZOO:
        for kind in sorted(exhibit.kinds):
            for engine in ENGINES:
                if engine in SDV_ENGINES and kind != "sqlite" and "sqlite" in exhibit.kinds:
                    continue  # they never see a database, and take minutes
                for scale in (1.0, 0.3, 3.0) if engine == "relational" else (1.0,):
                    often = scale == 1 and engine == "relational"
                    often |= kind == "sqlite" and (scale >= 1 or (exhibit.name, scale) in FEWER)
                    often |= exhibit.kinds == {"postgresql"} and engine == "relational"
                    marks = [] if often and engine not in SDV_ENGINES else [pytest.mark.slow]
                    if engine in SDV_ENGINES:
                        marks.append(WITH_SDV)
                    name = f"{exhibit.name}-{kind}-{engine}-{scale:g}"
                    cases.append(pytest.param(exhibit, kind, engine, scale, id=name, marks=marks))
    return cases


@pytest.mark.parametrize(("exhibit", "kind", "engine", "scale"), _cases())
def test_clone_of_exhibit_holds(
    exhibit: Exhibit,
    kind: str,
    engine: str,
    scale: float,
    source: Source,
    target: Callable[[str], str],
) -> None:
    real, clone = source(exhibit, kind), target(kind)
    epochs = 5 if engine in TRAINED else None  # what a clone has to hold does not need good rows
    spec = dbsynth.Spec(scale=scale, engine=engine, epochs=epochs)
    report = dbsynth.clone(real, clone, spec=spec)
    copied = {table.name for table in report.tables if table.strategy == "copy"}
    fewer = FEWER.get((exhibit.name, scale), {})

    assert dbsynth.check(clone).ok
    assert structure(clone) == structure(real)
    assert leaks(real, clone, copied) == []
    for name, rows in counts(real).items():
        wanted = rows if name[-1] in copied or not rows else max(1, round(rows * scale))
        found = counts(clone)[name]
        if name[-1] in fewer:
            assert 0 < found < wanted
            assert any(note.startswith(f"{name[-1]} has ") for note in report.notes)
        else:
            assert (name, found) == (name, wanted)


def _private_cases() -> list[object]:
    """On SQLite, where an exhibit has it: the engine `dp` asks a database for rows and no more."""
    cases = []
    for exhibit in ZOO:
        kind = "sqlite" if "sqlite" in exhibit.kinds else "postgresql"
        marks = [] if exhibit.name in OFTEN_PRIVATE else [pytest.mark.slow]
        cases.append(pytest.param(exhibit, kind, id=f"{exhibit.name}-{kind}-dp", marks=marks))
    return cases


@pytest.mark.parametrize(("exhibit", "kind"), _private_cases())
def test_clone_with_privacy_of_exhibit_holds(
    exhibit: Exhibit, kind: str, source: Source, target: Callable[[str], str]
) -> None:
    """With nearly no noise, as these are small; keys and checks have to hold whatever is drawn."""
    real, clone = source(exhibit, kind), target(kind)
    if exhibit.name == "all_empty":
        with pytest.raises(EngineError, match="has about 0 rows"):
            dbsynth.clone(real, clone, spec=guessed(real))
        return
    assert dbsynth.clone(real, clone, spec=guessed(real)).ok
    assert dbsynth.check(clone).ok
    assert structure(clone) == structure(real)
