"""Numbers that go on from sibling to sibling, and families with a beat that end today."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import dbsynth
from dbsynth.codec import fit_number
from dbsynth.draft.walk import in_time
from dbsynth.learn.climbs import climb_of
from dbsynth.model import load_model
from dbsynth.schema import Column, Kind

UTILITY = """
CREATE TABLE home (id INTEGER PRIMARY KEY, joined DATE NOT NULL, people INTEGER NOT NULL);
CREATE TABLE reading (
    id INTEGER PRIMARY KEY, home INTEGER NOT NULL REFERENCES home (id), taken DATE NOT NULL,
    meter INTEGER NOT NULL, level REAL NOT NULL, noise INTEGER NOT NULL
);
"""
EVERY, LAST = 30, dt.date(2024, 6, 30)


@pytest.fixture(scope="module")
def utility(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Meters read every 30 days since a home joined, until today."""
    path = tmp_path_factory.mktemp("utility") / "utility.db"
    rng = np.random.default_rng(8)
    homes, readings = [], []
    for home in range(1, 801):
        first = LAST - dt.timedelta(days=int(rng.integers(20, 900)))
        people = int(rng.integers(1, 6))
        homes.append((home, first - dt.timedelta(days=int(rng.integers(10))), people))
        day, meter, level = first, int(rng.integers(100, 90_000)), float(rng.normal(50, 12))
        while day <= LAST:
            level += float(rng.normal(0, 0.8))
            row = (home, day, meter, round(level, 2), int(rng.integers(1_000)))
            readings.append((len(readings) + 1, *row))
            day += dt.timedelta(days=EVERY)
            meter += int(rng.integers(20, 60)) * people
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(UTILITY)
        connection.executemany(
            "INSERT INTO home VALUES (?, ?, ?)", [(a, b.isoformat(), c) for a, b, c in homes]
        )
        connection.executemany(
            "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?)",
            [(a, b, c.isoformat(), *more) for a, b, c, *more in readings],
        )
    return path


@pytest.fixture(scope="module")
def twin(utility: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of it."""
    path = tmp_path_factory.mktemp("twin") / "twin.db"
    dbsynth.clone(f"sqlite:///{utility}", f"sqlite:///{path}")
    return path


def steps(path: Path) -> np.ndarray:
    """Days since the reading before, and by how much meter and level rose."""
    ask = """
        SELECT julianday(taken) - julianday(lag(taken) OVER home), meter - lag(meter) OVER home,
               level - lag(level) OVER home, people
        FROM reading JOIN home ON home.id = reading.home
        WINDOW home AS (PARTITION BY home ORDER BY taken)
    """
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(ask).fetchall()
    return np.array([row for row in rows if row[0] is not None], float)


def test_meters_never_run_backwards_and_run_as_fast_as_the_real_ones(
    utility: Path, twin: Path
) -> None:
    real, made = steps(utility), steps(twin)
    assert (made[:, 1] >= 0).all()
    assert made[:, 1].max() <= real[:, 1].max()
    for share in (0.1, 0.5, 0.9):
        wanted = np.quantile(real[:, 1], share)
        assert np.quantile(made[:, 1], share) == pytest.approx(wanted, rel=0.1)
    assert np.corrcoef(made[:, 1], made[:, 3])[0, 1] > 0.7  # more people, more water
    assert made[:, 2].std() == pytest.approx(real[:, 2].std(), rel=0.2)


def test_a_beat_is_kept_to_the_end_of_nearly_every_family(utility: Path, twin: Path) -> None:
    off_beat = float((steps(twin)[:, 0] != EVERY).mean())
    assert (steps(utility)[:, 0] == EVERY).all()
    assert off_beat < 0.02
    ask = "SELECT count(*) FROM reading JOIN home ON home.id = home WHERE taken < joined"
    with closing(sqlite3.connect(twin)) as connection:
        assert connection.execute(ask).fetchone()[0] == 0
        assert connection.execute("SELECT max(taken) FROM reading").fetchone()[0] <= str(LAST)


def test_a_model_file_holds_steps(utility: Path, tmp_path: Path) -> None:
    dbsynth.fit(f"sqlite:///{utility}", tmp_path / "utility.dbsynth")
    model = load_model(tmp_path / "utility.dbsynth")
    columns = model.tables["reading"].columns
    assert columns["meter"].climb is not None
    assert columns["level"].climb is not None
    assert columns["noise"].climb is None


def climbs(own: np.ndarray, links: np.ndarray) -> bool:
    """Whether numbers are found to go on from sibling to sibling."""
    codec = fit_number(Column("x", Kind.FLOAT, ""), pa.array(own), 5)
    return climb_of(own, links, codec, len(own)) is not None


def test_numbers_about_a_level_of_their_family_do_not_climb() -> None:
    rng, links = np.random.default_rng(3), np.repeat(np.arange(200), 12)
    level = rng.normal(0, 100, 200)[links]
    assert not climbs(level + rng.normal(0, 3, len(links)), links)
    assert not climbs(rng.normal(0, 100, len(links)), links)
    walk = np.cumsum(rng.normal(0, 3, (200, 12)), axis=1).ravel()
    assert climbs(level + walk, links)


def test_a_column_with_missing_numbers_or_few_siblings_does_not_climb() -> None:
    links = np.repeat(np.arange(200), 12)
    numbers = links * 100.0 + np.tile(np.arange(12.0) ** 1.5, 200)
    assert climbs(numbers, links)
    numbers[5] = np.nan
    assert not climbs(numbers, links)
    assert not climbs(np.arange(400.0), np.arange(400))


def test_times_change_hands_so_that_families_end_in_time() -> None:
    rng = np.random.default_rng(2)
    times = rng.uniform(0, 900, 2_000)
    latest = times + rng.uniform(0, 30, 2_000)
    ranks = np.argsort(np.argsort(times + rng.normal(0, 40, 2_000)))
    drawn = np.sort(times)[ranks]  # each about its time
    order = in_time(drawn, np.full(2_000, -np.inf), latest)
    assert sorted(order) == list(range(2_000))
    assert (drawn > latest + 5).mean() > 0.25
    assert (drawn[order] > latest + 5).mean() < 0.05
    same = in_time(times, times - 1, times + 1)
    assert (same == np.arange(2_000)).all()
