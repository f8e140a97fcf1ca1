"""What the engine `dp` finds out of columns and sizes before it measures pairs: from noisy counts."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing

import numpy as np
import pytest

import dbsynth
from dbsynth.private.contents import WHOLE, Contents, buckets, weighed
from dbsynth.private.domains import Coarse, coarse_edges, codec_of_edges, refined
from dbsynth.private.inference import towards_independence
from dbsynth.private.limits import ENDLESS, limits_of
from dbsynth.private.marginals import MOST_GROUPS, groups_of
from dbsynth.private.measure import brought_to
from dbsynth.private.sizes import cut_of, hidden
from dbsynth.private.walking import Gaps
from dbsynth.schema import Check, Column, Kind, Table
from dbsynth.spec import Spec

DAY = Column("until", Kind.DATE, "date")
EPOCH = dt.date(1970, 1, 1)


@pytest.mark.parametrize(
    ("check", "limits"),
    [
        ("((n >= 1) AND (n <= 7))", (1, 7)), ("n BETWEEN 1 AND 7", (1, 7)), ("(n > 0)", (1, np.inf)),
        ("((n)::numeric > (0)::numeric)", (1, np.inf)), ('"n" < 5', (-np.inf, 4)),
        ("((n < 0) OR (n > 9))", ENDLESS), ("n > 5 and n < 2", ENDLESS), ("length(n) > 2", ENDLESS),
        ("not (n > 2)", ENDLESS), ("other.n >= 4", ENDLESS), ("n >= 2 and span >= 9", (2, np.inf)),
    ],
)  # fmt: skip
def test_limits_are_those_that_a_check_names(check, limits):
    column = Column("n", Kind.INTEGER, "integer")
    table = Table("t", "t", None, (column,), checks=(Check("c", check, ("n",)),))
    assert limits_of(table, column) == limits


def entities(sizes):
    """The contents of entities with so many rows each."""
    entity = np.repeat(np.arange(len(sizes)), sizes)
    nothing = np.full(len(entity), WHOLE)
    return Contents(None, entity, entity, len(sizes), len(entity), nothing)


@pytest.mark.parametrize("cap", [1, 3, 40])
def test_rows_of_an_entity_never_weigh_more_than_the_cap(cap):
    sizes = np.array([0, 1, 2, 3, 7, 1000, 5000])
    found = weighed(entities(sizes), cap)
    weights = np.bincount(found.entity, weights=found.weight, minlength=len(sizes)) / WHOLE
    assert (weights <= np.minimum(sizes, cap)).all()
    assert weights[:5] == pytest.approx(np.minimum(sizes, cap)[:5], rel=0.01)  # but for rounding


def test_a_cap_is_low_where_noise_is_large_and_high_where_it_is_small():
    """Some own very much; each row more in the cap is noise in all counts."""
    sizes = np.r_[np.full(900, 2), np.full(100, 60)]
    caps = [cut_of(None, buckets(entities(sizes)), 1.0, rho).cap for rho in (1e-5, 1e-2, 10.0)]
    assert caps[0] <= 4
    assert caps[2] >= 50
    assert caps == sorted(caps)
    same = cut_of(None, buckets(entities(np.full(1000, 60))), 1.0, 1e-5)  # nothing is bent by it
    assert same.weight == pytest.approx(1000 * same.cap, rel=0.01)


def test_two_grids_agree_on_what_the_better_one_says():
    edges, fine = np.array([0.0, 4.0, 8.0]), np.arange(9.0)
    exact = np.array([40.0, 0, 0, 0, 10, 10, 10, 10])
    noisy = exact + np.array([8.0, -4, 4, 0, 2, -2, 2, 2])
    sure = Coarse(edges, np.array([40.0, 40.0]), 1e-6).pooled(fine, noisy, 5.0)
    assert sure[:4].sum() == pytest.approx(40)
    assert sure[4:].sum() == pytest.approx(40)
    assert np.diff(sure - noisy)[[0, 1, 2, 4, 5, 6]] == pytest.approx(0)  # shared out evenly
    vague = Coarse(edges, np.array([90.0, 0.0]), 1e6).pooled(fine, noisy, 5.0)
    assert vague == pytest.approx(noisy, abs=1e-3)


def test_no_day_is_drawn_between_the_years_and_never():
    """Validity that ends in 2000 to 2002, or never: the year 5000 stands for nothing."""
    grid = coarse_edges(DAY, 1.0)
    years = (np.array([dt.date(year, 6, 1) for year in (2000, 2001, 2002)]) - EPOCH).tolist()
    never = (dt.date(9999, 12, 31) - EPOCH).days
    noise = np.rint(np.random.default_rng(1).normal(0, 5, len(grid) - 1))
    for day, rows in zip([*(y.days for y in years), never], (300, 400, 300, 900), strict=True):
        noise[np.searchsorted(grid, day, side="right") - 1] += rows
    coarse = Coarse(grid, noise, 5.0)
    edges = coarse.finer(30, whole=True)
    filled = np.flatnonzero(coarse.filled(edges))
    codec = codec_of_edges(DAY, edges, 1.0)
    drawn = codec.decode((4 + filled).repeat(40).astype(np.uint16), np.arange(40 * len(filled)), 5)
    found = {day.as_py().year for day in drawn}
    assert found == {2000, 2001, 2002, 9999}


def test_thin_ends_of_a_range_stand_out_together():
    """Neighbours with 18 rows each are lost in noise of 6 one by one, and not as a group of 8."""
    edges = np.arange(31.0)
    exact = np.r_[np.zeros(10), np.full(8, 18), np.full(4, 500), np.zeros(8)]
    found = [
        refined(edges, exact + np.random.default_rng(seed).normal(0, 6, 30), 6.0, whole=True)
        for seed in range(20)
    ]
    assert np.mean([one[0] <= 12 for one in found]) > 0.9
    assert np.mean([one[-1] <= 23 for one in found]) > 0.9


def test_sentences_that_many_share_come_back_and_those_of_few_do_not(tmp_path):
    path = tmp_path / "reviews.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table review(id integer primary key, comment text not null)")
        shared = ["It came late, but it came.", "Just what I was looking for."]
        told = [
            shared[i % 2] if i % 10 else f"My name is {i} and I am unhappy." for i in range(2000)
        ]
        connection.executemany("insert into review(comment) values (?)", [(t,) for t in told])
    spec = Spec.parse(
        {"engine": "dp", "privacy": {"unit": "review", "epsilon": 5, "delta": 1e-6,
                                     "ledger": str(tmp_path / "ledger")}}, {},
    )  # fmt: skip
    target = f"sqlite:///{tmp_path / 'clone.db'}"
    assert dbsynth.clone(f"sqlite:///{path}", target, spec=spec).ok
    with closing(sqlite3.connect(tmp_path / "clone.db")) as connection:
        found = {comment for (comment,) in connection.execute("select comment from review")}
    assert found == set(shared)


@pytest.mark.parametrize("size", [4, 8, 16])
def test_noise_alone_says_that_variables_have_nothing_to_do_with_each_other(size):
    """What is kept of a table of noise: less than a third of it on average of 50 (its distance from
    the table of independent variables has a relative error of sqrt(2 / (size - 1)^2))."""
    draw, alone = np.random.default_rng(size), np.full((size, size), 100.0)
    margins = alone.sum(axis=0)
    kept = []
    for _ in range(50):
        noisy = alone + draw.normal(0, 20, alone.shape)
        found = towards_independence(noisy, 20.0, margins, margins)
        kept.append(np.abs(found - alone).sum() / np.abs(noisy - alone).sum())
    assert np.mean(kept) < 1 / 3


def test_a_table_that_stands_out_of_the_noise_stays_as_it_is():
    real = np.diag(np.full(6, 1000.0))
    noisy = real + np.random.default_rng(0).normal(0, 20, real.shape)
    found = towards_independence(noisy, 20.0, real.sum(axis=0), real.sum(axis=0))
    assert np.abs(found - real).sum() < 1.1 * np.abs(noisy - real).sum() + 20


def test_what_is_thinly_spread_is_found_by_a_first_look():
    """60 of 200 cells hold 8 rows each, in noise of 10: no cell stands out, all together do."""
    lost = []
    for seed in range(20):
        draw = np.random.default_rng(seed)
        exact = np.where((np.arange(200) >= 80) & (np.arange(200) < 140), 8.0, 0.0)
        noisy = exact + draw.normal(0, 10, 200)
        edges = refined(np.arange(201.0), noisy, 10.0, whole=True, guess=True)
        lost.append(exact[(np.arange(200) < edges[0]) | (np.arange(200) >= edges[-1])].sum() / 480)
    assert np.mean(lost) < 0.1


@pytest.mark.parametrize(("one", "least", "most"), [(0, 7, 9), (-30, 2, 4), (40, 39, 42)])
def test_noise_hides_as_many_rows_as_it_can(one, least, most):
    """Of a normal distribution around 0 with a deviation of 10 the upper half has a mean of 8."""
    assert least <= hidden(np.array([1000, one, 0]), 10.0) <= most


@pytest.mark.parametrize(
    ("words", "rows", "groups"), [(15, 218.0, 15), (15, 50.0, 1), (100, 1e6, MOST_GROUPS)]
)
def test_words_share_a_group_only_where_they_are_rare(words, rows, groups):
    """Fifteen words as frequent as each other used to share one group, and told nothing."""
    counts, possible = np.r_[0.0, np.full(words, rows)], np.r_[False, np.ones(words, bool)]
    found = groups_of(counts, possible, 22.0, ordered=False, apart=False)
    assert len(np.unique(found[possible])) == groups
    assert found.max() == len(np.unique(found[possible])) - 1


def test_noise_in_cells_far_off_makes_no_gap_longer():
    """All of 5,000 gaps are between four and eight days; 28 cells hold nothing but noise."""
    edges = np.r_[0.0, 2.0 ** np.arange(31)]
    exact = np.where(edges[:-1] == 4, 5000.0, 0.0)
    noise = np.random.default_rng(1).normal(0, 50, (40, len(exact)))
    nothing = np.zeros(0, np.int64)
    found = [Gaps(nothing, np.zeros(0), Coarse(edges, exact + one, 50.0)).usual for one in noise]
    assert np.mean(found) == pytest.approx(3, abs=0.03)


@pytest.mark.parametrize("parents", [[900.0, 60.0, 40.0], [1000.0, 0.0, 0.0]])
def test_children_that_entities_own_are_there_though_noise_hides_their_parents(parents):
    found = brought_to(np.array(parents), np.arange(3.0), 70.0)
    assert found @ np.arange(3.0) == pytest.approx(70)
    assert found.sum() == pytest.approx(1000)


def test_plan_tells_the_error_of_links_to_all_rows_of_a_public_table(tmp_path):
    """What is told is what counts are off by: of 90 places of a link, and of a pair, not of 8."""
    path = tmp_path / "guests.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table town(id integer primary key)")
        connection.execute(
            "create table guest(id integer primary key, vip boolean not null,"
            " town integer not null references town(id))"
        )
        connection.executemany("insert into town values (?)", [(i,) for i in range(90)])
        guests = [(i % 3 == 0, i % 90) for i in range(3000)]
        connection.executemany("insert into guest(vip, town) values (?, ?)", guests)
    spec = Spec.parse(
        {"engine": "dp", "privacy": {"unit": "guest", "epsilon": 3, "delta": 1e-6,
                                     "public": ["town"], "ledger": str(tmp_path / "ledger")}}, {},
    )  # fmt: skip
    told = {m.name: m for m in dbsynth.foresee(f"sqlite:///{path}", spec=spec).marginals}
    model, _ = dbsynth.fit(f"sqlite:///{path}", tmp_path / "m.dbsynth", spec=spec)
    paid = {question["of"]: question for question in model.privacy["questions"]}
    (link,) = (name for name in told if name.startswith("link:"))
    assert told[link].cells == paid[f"guest: {link}"]["cells"] == 90
    assert told[link].error == pytest.approx(0.798 * told[link].noise * 90 / 3000, rel=0.01)
    assert told["each of 2 pairs"].cells < 32**2 / 2
