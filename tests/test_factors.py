"""Numbers that are multiples of others, and how numbers end."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import dbsynth
from dbsynth.endings import endings_of, from_json
from dbsynth.learn.factors import explained
from dbsynth.model import load_model

STORE = """
CREATE TABLE article (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, price NUMERIC(8, 2));
CREATE TABLE bill (id INTEGER PRIMARY KEY, city TEXT NOT NULL);
CREATE TABLE line (
    id INTEGER PRIMARY KEY, bill INTEGER NOT NULL REFERENCES bill (id),
    article INTEGER REFERENCES article (id), pieces INTEGER NOT NULL,
    price NUMERIC(8, 2) NOT NULL CHECK (price > 0), tax NUMERIC(8, 2) NOT NULL, fee NUMERIC(8, 2)
);
"""
SHARES = (1.0, 0.8, 0.75)
RATES = (0.07, 0.19)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines at the price of their article or less, at two rates of tax; a few without an article."""
    path = tmp_path_factory.mktemp("store") / "store.db"
    rng = np.random.default_rng(4)
    prices = np.round(rng.lognormal(3.4, 0.8, 300)).clip(2) - 0.01
    articles = [(i + 1, "abc"[i % 3], float(p)) for i, p in enumerate(prices)]
    articles[7] = (8, "b", 0)  # nothing is a multiple of it
    bills = [(i + 1, f"city {i % 9}") for i in range(900)]
    lines = []
    for i in range(4_000):
        article = int(rng.integers(300)) if i % 200 else None
        share = float(rng.choice(SHARES, p=[0.6, 0.3, 0.1]))
        listed = float(prices[article]) if article is not None else 20.0
        price = max(round(share * listed, 2), 0.01)
        tax = round(price * RATES[0 if article is None else article % 2], 2)
        fee = None if i % 5 == 0 else round(float(rng.uniform(1, 60)), 2)
        lines.append((i + 1, 1 + i % 900, None if article is None else article + 1,
                      int(rng.integers(1, 9)), price, tax, fee))  # fmt: skip
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(STORE)
        connection.executemany("INSERT INTO article VALUES (?, ?, ?)", articles)
        connection.executemany("INSERT INTO bill VALUES (?, ?)", bills)
        connection.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?)", lines)
    return path


@pytest.mark.parametrize("engine", ["relational", "independent"])
def test_lines_cost_what_their_article_costs_or_a_usual_share_of_it(
    store: Path, tmp_path: Path, engine: str
) -> None:
    clone = tmp_path / "clone.db"
    spec = dbsynth.Spec(engine=engine)
    dbsynth.clone(f"sqlite:///{store}", f"sqlite:///{clone}", spec=spec)
    ask = """
        SELECT round(l.price / a.price, 2), count(*) FROM line l JOIN article a ON a.id = l.article
        WHERE a.price > 5 GROUP BY 1
    """
    with closing(sqlite3.connect(clone)) as connection:
        shares = dict(connection.execute(ask).fetchall())
        rates = connection.execute(
            "SELECT round(tax / price, 2), count(*) FROM line WHERE price > 5 GROUP BY 1"
        ).fetchall()
        ends = connection.execute(
            "SELECT avg(abs(price - cast(price AS integer) - .99) < .001) FROM article"
        ).fetchone()[0]
    total = sum(shares.values())
    for share, wanted in zip(SHARES, (0.6, 0.3, 0.1), strict=True):
        assert shares[share] / total == pytest.approx(wanted, abs=0.05)
    assert sum(dict(rates).get(rate, 0) for rate in RATES) > 0.95 * sum(dict(rates).values())
    assert ends > 0.95


def test_the_model_file_says_which_number_is_a_multiple_of_which(
    store: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.dbsynth"
    dbsynth.fit(f"sqlite:///{store}", path)
    model = load_model(path)
    columns = model.tables["line"].columns
    price, tax = columns["price"].factor, columns["tax"].factor
    assert price is not None
    assert price.key is not None
    assert (price.key.parent, price.column) == ("article", "price")
    assert tax is not None
    assert (tax.key, tax.column) == (None, "price")
    assert columns["fee"].factor is None
    assert columns["pieces"].factor is None


def test_chance_explains_nothing() -> None:
    rng = np.random.default_rng(1)
    base = np.round(rng.lognormal(3, 1, 3_000), 2)
    alike = np.round(base * rng.uniform(0.5, 1, 3_000), 2)
    small = rng.integers(1, 4, 3_000).astype(float)
    few = rng.choice([10.0, 20.0], 3_000)
    for own, other, unit in ((alike, base, 0.01), (rng.permutation(base), base, 0.01),
                             (small, rng.integers(1, 30, 3_000) * 1.0, 1.0),
                             (few, few, 0.01)):  # fmt: skip
        assert not len(explained(own, other, unit, 5)[0])


def test_rounded_down_is_a_multiple_too() -> None:
    base = np.arange(100, 3_100) / 100
    own = np.floor(base * 90 + 1e-9) / 100
    factors, covered = explained(own, base, 0.01, 5)
    assert 0.9 in factors
    assert covered == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("numbers", "unit", "span", "units"),
    [
        (np.arange(1, 500) - 0.01, 0.01, 100, (99,)),
        (np.arange(20, 200) * 500.0, 1.0, 1_000, (0, 500)),
        (-np.arange(1, 500) * 10.0, 1.0, 10, (0,)),
    ],
)
def test_usual_endings_are_found_and_put(
    numbers: np.ndarray, unit: float, span: int, units: tuple[int, ...]
) -> None:
    found = from_json(json.loads(json.dumps(endings_of(numbers, unit, 5).to_json())))  # type: ignore[union-attr]
    assert found is not None
    assert (found.span, tuple(sorted(found.units))) == (span, units)
    rng = np.random.default_rng(2)
    drawn = rng.uniform(numbers.min(), numbers.max(), 500)
    put = found.put(drawn, rng.random(500))
    assert np.all(np.abs(put - drawn) <= span * unit)
    ends = np.round(np.abs(put) / unit).astype(int) % span
    assert set(ends) == set(units)
    assert np.all(np.sign(put) == np.sign(drawn))


@pytest.mark.parametrize(
    "numbers",
    [
        np.arange(1, 5_000).astype(float),
        np.random.default_rng(3).integers(1_950, 2_024, 3_000).astype(float),
        np.array([5.0] * 40),
        np.zeros(100),
    ],
    ids=["any", "years", "few", "noughts"],
)
def test_numbers_that_end_anyhow_have_no_endings(numbers: np.ndarray) -> None:
    assert endings_of(numbers, 1.0, 5) is None
