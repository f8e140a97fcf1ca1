"""Several parents at once: races of a season, drivers who walk along them, and their standings."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import dbsynth
from dbsynth.cli import run
from dbsynth.databases import open_database
from dbsynth.deal.seating import accompanied, seated
from dbsynth.deal.trades import traded
from dbsynth.model import load_model
from dbsynth.outline import make_outline
from dbsynth.progress import Silent
from dbsynth.randomness import Streams
from dbsynth.rosters import Course, Events
from dbsynth.spec import Spec

LEAGUE = """
CREATE TABLE track (id INTEGER PRIMARY KEY, length INTEGER NOT NULL);
CREATE TABLE driver (id INTEGER PRIMARY KEY, country INTEGER NOT NULL);
CREATE TABLE team (id INTEGER PRIMARY KEY, country INTEGER NOT NULL);
CREATE TABLE race (id INTEGER PRIMARY KEY, track INTEGER NOT NULL REFERENCES track(id),
    year INTEGER NOT NULL, round INTEGER NOT NULL);
CREATE TABLE result (id INTEGER PRIMARY KEY, race INTEGER NOT NULL REFERENCES race(id),
    driver INTEGER NOT NULL REFERENCES driver(id), team INTEGER NOT NULL REFERENCES team(id),
    place INTEGER NOT NULL, points INTEGER NOT NULL);
CREATE TABLE standing (id INTEGER PRIMARY KEY, race INTEGER NOT NULL REFERENCES race(id),
    driver INTEGER NOT NULL REFERENCES driver(id), points INTEGER NOT NULL,
    wins INTEGER NOT NULL, rank INTEGER NOT NULL, UNIQUE (race, driver));
"""
YEARS, ROUNDS, DRIVERS, TEAMS, STARTERS = 24, 12, 90, 12, 14
POINTS = (9, 6, 4, 3, 2, 1)


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each driver races for a few years in a row; the better finish in front."""
    path = tmp_path_factory.mktemp("league") / "league.db"
    rng = np.random.default_rng(5)
    skill = rng.normal(size=DRIVERS)
    results, standings, races = [], [], []
    for year in range(YEARS):
        active = np.arange(DRIVERS)[(np.arange(DRIVERS) * YEARS // DRIVERS - year) % YEARS < 6]
        team = dict(zip(active.tolist(), rng.integers(1, TEAMS + 1, len(active)), strict=True))
        total, wins = dict.fromkeys(team, 0), dict.fromkeys(team, 0)
        seen: set[int] = set()
        for round_ in range(1, ROUNDS + 1):
            race = len(races) + 1
            races.append((race, int(rng.integers(1, 13)), 1990 + year, round_))
            starters = rng.choice(active, STARTERS, replace=False)
            order = starters[np.argsort(-skill[starters] + rng.normal(0, 0.5, STARTERS))]
            for place, driver in enumerate(order.tolist(), 1):
                points = POINTS[place - 1] if place <= len(POINTS) else 0
                results.append((race, driver + 1, int(team[driver]), place, points))
                total[driver] += points
                wins[driver] += place == 1
            seen |= set(starters.tolist())
            ranked = sorted(seen, key=lambda d: (-total[d], -wins[d], d))
            standings += [
                (race, d + 1, total[d], wins[d], rank) for rank, d in enumerate(ranked, 1)
            ]
    with closing(sqlite3.connect(path)) as db:
        db.executescript(LEAGUE)
        db.executemany("INSERT INTO track VALUES (?, ?)", [(i, 3 + i % 5) for i in range(1, 13)])
        db.executemany(
            "INSERT INTO driver VALUES (?, ?)", [(i, i % 7) for i in range(1, DRIVERS + 1)]
        )
        db.executemany("INSERT INTO team VALUES (?, ?)", [(i, i % 4) for i in range(1, TEAMS + 1)])
        db.executemany("INSERT INTO race VALUES (?, ?, ?, ?)", races)
        db.executemany("INSERT INTO result VALUES (NULL, ?, ?, ?, ?, ?)", results)
        db.executemany("INSERT INTO standing VALUES (NULL, ?, ?, ?, ?, ?)", standings)
        db.commit()
    return path


@pytest.fixture(scope="module")
def clone(league: Path) -> Path:
    target = league.with_name("clone.db")
    model = league.with_name("model")
    dbsynth.fit(f"sqlite:///{league}", model)
    dbsynth.load(model, f"sqlite:///{target}", source=None)
    return target


def value(path: Path, query: str) -> float:
    with closing(sqlite3.connect(path)) as db:
        return float(db.execute(query).fetchone()[0])


def test_a_plan_shows_the_keys_that_lead(league: Path, tmp_path: Path) -> None:
    source, url = tmp_path / "s.db", f"sqlite:///{tmp_path / 's.db'}"
    source.write_bytes(league.read_bytes())
    with closing(sqlite3.connect(source)) as db, db:  # more drivers than races, most at home
        rows = [(DRIVERS + i, i % 7) for i in range(1, 400)]
        db.executemany("INSERT INTO driver VALUES (?, ?)", rows)
    with open_database(url) as database:
        by_size = make_outline(database, Spec(), Streams(0), Silent())
    assert by_size.plan.generating["result"].parent == "driver"
    outline, (model, _) = dbsynth.plan(url), dbsynth.fit(url, tmp_path / "model")
    assert outline.plan.generating["result"].parent == "race"
    assert outline.plan.generating == model.plan.generating
    assert outline.plan.order == model.plan.order
    assert {str(kept.rule) for kept in outline.rules} == {str(kept.rule) for kept in model.rules}


def test_inspect_tells_of_histories_and_rosters(clone: Path, capsys) -> None:
    path = clone.with_name("model")
    model, found = load_model(path), dbsynth.inspect(path)
    told = [text for text in found.ties if text.startswith("history of")]
    assert len(told) == len(model.histories)
    for fk, history in model.histories.items():
        (text,) = (text for text in told if text.startswith(f"history of `{fk}`"))
        leaves = sum(len(tree.starts) - 1 for tree in history.engine.trees)
        assert "follow each other from race to race" in text
        assert f"{len(history.engine.trees)} trees of {leaves:,} leaves" in text
        exact = sum(int((tree.counts == 1).sum()) for tree in history.engine.trees)
        assert f"history of `{fk}`: {exact:,} counts in leaves stand for a single row" in " ".join(
            found.attention
        )
    (roster,) = (text for text in found.ties if text.startswith("roster of `standing`"))
    assert "lists the drivers of `result` of the same `year`" in roster
    assert "`points` adds up `result.points`" in roster
    assert "`wins` counts one value of `result.place`" in roster
    assert roster.endswith("no row and no number, but for the value that `wins` counts")
    assert any(text.startswith("trades, ") for text in found.ties)
    assert run(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "about rows that belong together:" in shown
    assert all(text in shown for text in found.ties)


def test_the_ordered_parent_leads_and_siblings_are_found(league: Path, clone: Path) -> None:
    model = load_model(clone.with_name("model"))
    assert model.plan.generating["result"].parent == "race"
    assert model.plan.generating["standing"].parent == "race"
    assert {fk.parent for fk in model.histories} >= {"driver"}
    roster = model.rosters["standing"]
    assert (roster.base.child, roster.group) == ("result", "year")
    assert {(t.column, t.source, t.equals) for t in roster.totals} == {
        ("points", "points", None), ("wins", "place", 1.0)
    }  # fmt: skip
    assert roster.ranking is not None
    assert (roster.ranking.column, roster.ranking.by) == ("rank", ("points", "wins"))


def test_standings_add_up_what_results_say(clone: Path) -> None:
    query = (
        "SELECT avg(s.points = (SELECT coalesce(sum(x.points), 0) FROM result x JOIN race q"
        " ON q.id = x.race WHERE x.driver = s.driver AND q.year = r.year AND q.id <= r.id))"
        " FROM standing s JOIN race r ON r.id = s.race"
    )
    assert value(clone, query) == 1.0


def test_places_and_ranks_are_one_to_n_in_every_race(clone: Path) -> None:
    for table, column in (("result", "place"), ("standing", "rank")):
        query = (
            f"SELECT avg(n = most AND n = several) FROM (SELECT count(*) n, max({column}) most,"
            f" count(DISTINCT {column}) several FROM {table} GROUP BY race)"
        )
        assert value(clone, query) == 1.0


def test_seasons_are_as_long_and_drivers_as_busy_as_in_the_source(
    league: Path, clone: Path
) -> None:
    longest = "SELECT max(n) FROM (SELECT count(*) n FROM race GROUP BY year)"
    assert value(clone, longest) == value(league, longest)
    years = (
        "SELECT avg(n) FROM (SELECT count(DISTINCT year) n FROM result x JOIN race r"
        " ON r.id = x.race GROUP BY driver)"
    )
    # A driver races in 6 years; at random, some 60 rows would spread over all 24.
    assert value(clone, years) <= 1.5 * value(league, years)


def test_half_and_double_sizes_load(clone: Path) -> None:
    for scale in (0.1, 2.0):
        target = clone.with_name(f"scaled{scale}.db")
        spec = dbsynth.Spec(scale=scale)
        report = dbsynth.load(
            clone.with_name("model"), f"sqlite:///{target}", spec=spec, source=None
        )
        assert report.ok


def test_nobody_sits_twice_in_a_family_and_all_sit() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(3, 9, 50)
    member = rng.permutation(np.repeat(np.arange(40), -(-sizes.sum() // 40))[: sizes.sum()])
    found = seated(member, np.ones(len(member), np.int64), sizes, 40)
    assert sorted(found.tolist()) == sorted(member.tolist())
    families = np.repeat(np.arange(50), sizes)
    # Only the last families may lack comers who do not sit there already.
    early = families < 45
    assert len(np.unique(families[early] * 40 + found[early])) == early.sum()


def test_companions_stay_together() -> None:
    member = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    companion = np.array([5, 6, 7, 7, 6, 5, 6, 5, 7])
    beside = accompanied(member, companion, np.ones(9, bool), np.array([0, 3, 6, 9]), 3)
    assert companion[beside].tolist() == [5, 6, 7] * 3


def test_trades_bring_members_what_they_wish() -> None:
    rng = np.random.default_rng(2)
    member = np.tile(np.arange(8), 60)
    level = np.linspace(-1, 1, 8)
    rows = rng.normal(size=(480, 1)).astype(np.float32)
    wishes = (level[member] + rng.normal(size=480) * 0.3)[None, :, None].astype(np.float32)
    starts = np.arange(0, 481, 8)
    dealt = traded(
        rows, wishes, member[None], np.array([8]), starts, 0.1, 0.0, 50, 1.0, np.uint64(7)
    )
    assert (np.sort(dealt.reshape(60, 8), axis=1) == np.arange(480).reshape(60, 8)).all()
    means = np.array([rows[dealt][member == m].mean() for m in range(8)])
    # Without trades the means of 60 rows differ by some 0.13 by chance.
    assert np.corrcoef(means, level)[0, 1] > 0.95


def test_trades_bring_steps_from_row_to_row_near_to_what_members_wish() -> None:
    rng = np.random.default_rng(3)
    member = np.tile(np.arange(8), 60)
    rows = rng.normal(size=(480, 1)).astype(np.float32)
    # All wish the same on the whole; half of the members keep to a level, half jump about.
    calm, wild = np.repeat(rng.normal(size=(6, 8)), 10, axis=0), rng.normal(size=(60, 8))
    wishes = np.where(np.arange(8) < 4, calm, wild).reshape(1, 480, 1).astype(np.float32)
    starts = np.arange(0, 481, 8)

    def contrast(steps: float) -> float:
        args = member[None], np.array([8]), starts, 0.0, steps, 100, 1.0, np.uint64(7)
        dealt = rows[traded(rows, wishes, *args)].reshape(60, 8)
        lengths = np.abs(np.diff(dealt, axis=0)).mean(axis=0)
        return float(lengths[4:].mean() - lengths[:4].mean())

    # The mean of 59 steps between normal numbers errs by some 0.12, that of four members by 0.06.
    assert abs(contrast(0.0)) < 0.3
    assert contrast(1.5) > 0.6


def test_sums_run_within_a_group() -> None:
    base = Events(np.array([0, 0, 0, 1]), np.array([3, 3, 4, 3]), np.array([0, 1, 1, 2]))
    at = Events(np.array([0, 0, 1, 1]), np.array([3, 4, 3, 4]), np.array([1, 0, 2, 2]))
    course = Course(base, at)
    assert course.summed(np.array([5.0, 2.0, 7.0, 1.0])).tolist() == [7.0, 0.0, 1.0, 0.0]
    least = course.least(np.array([5.0, 2.0, 7.0, 1.0]))
    assert least.tolist() == [2.0, np.inf, 1.0, np.inf]
