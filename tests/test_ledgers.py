"""Balances that are added up while their family is drawn, however a day's rows are numbered."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import dbsynth
from dbsynth.model import load_model
from dbsynth.rules.chains import chained, clear

BANK = """
CREATE TABLE account (id INTEGER PRIMARY KEY, branch TEXT NOT NULL);
CREATE TABLE booking (
    id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account (id), day DATE NOT NULL,
    kind TEXT NOT NULL, amount NUMERIC(10, 2) NOT NULL, balance NUMERIC(10, 2) NOT NULL
);
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accounts with several bookings a day, whose numbers say nothing of their order."""
    path = tmp_path_factory.mktemp("bank") / "bank.db"
    rng = np.random.default_rng(5)
    accounts, bookings = [], []
    for account in range(1, 301):
        accounts.append((account, "abc"[account % 3]))
        day, balance, income = dt.date(2023, 1, 1), 0.0, 800 + 600 * (account % 3)
        for turn in range(int(rng.integers(8, 40))):
            day += dt.timedelta(days=int(rng.choice([0, 0, 1, 6])))
            put = turn == 0 or balance < income / 4 or rng.random() < 0.3
            amount = 100.0 * rng.integers(1, 9) if turn == 0 else rng.uniform(0.5, 1.5) * income
            amount = round(amount if put else min(rng.exponential(income / 4), balance), 2)
            balance = round(balance + amount if put else balance - amount, 2)
            bookings.append((account, str(day), "in" if put else "out", amount, balance))
    numbers = rng.permutation(len(bookings)) + 1
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(BANK)
        connection.executemany("INSERT INTO account VALUES (?, ?)", accounts)
        connection.executemany(
            "INSERT INTO booking VALUES (?, ?, ?, ?, ?, ?)",
            [(int(n), *row) for n, row in zip(numbers, bookings, strict=True)],
        )
    return path


@pytest.fixture(scope="module")
def report(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dbsynth.Report, Path]:
    """The report of a clone, and the clone."""
    path = tmp_path_factory.mktemp("twin") / "twin.db"
    return dbsynth.clone(f"sqlite:///{bank}", f"sqlite:///{path}"), path


def balances(path: Path) -> np.ndarray:
    """Amount with its sign, balance and the one before, in the order of days and numbers."""
    ask = """
        SELECT CASE kind WHEN 'in' THEN amount ELSE -amount END, balance,
               coalesce(lag(balance) OVER (PARTITION BY account ORDER BY day, id), 0)
        FROM booking
    """
    with closing(sqlite3.connect(path)) as connection:
        return np.array(connection.execute(ask).fetchall(), float)


def test_balances_follow_though_the_numbers_of_the_source_hide_their_order(
    bank: Path, report: tuple[dbsynth.Report, Path]
) -> None:
    real, made = balances(bank), balances(report[1])
    assert (np.abs(real[:, 2] + real[:, 0] - real[:, 1]) > 0.01).mean() > 0.3
    assert np.abs(made[:, 2] + made[:, 0] - made[:, 1]).max() < 0.01
    found = [rule for rule in report[0].rules if "previous booking.balance" in str(rule)]
    assert len(found) == 1


def test_no_more_is_taken_than_is_there(bank: Path, report: tuple[dbsynth.Report, Path]) -> None:
    real, made = balances(bank), balances(report[1])
    assert real[:, 1].min() >= 0
    assert made[:, 1].min() >= 0
    for share in (0.25, 0.5, 0.75):
        wanted = np.quantile(real[:, 1], share)
        assert np.quantile(made[:, 1], share) == pytest.approx(wanted, rel=0.25)


def test_a_model_says_what_is_added(bank: Path, tmp_path: Path) -> None:
    dbsynth.fit(f"sqlite:///{bank}", tmp_path / "bank.dbsynth")
    ledger = load_model(tmp_path / "bank.dbsynth").tables["booking"].columns["balance"].ledger
    assert ledger is not None
    assert (ledger.amount, ledger.kind, ledger.opening) == ("amount", "kind", True)
    assert sorted(ledger.signs) == [-1, 0, 1]
    assert ledger.overdrawn == 0


def test_rows_of_a_moment_follow_each_other_as_their_totals_do() -> None:
    time = np.array([1.0, 2.0, 2.0, 2.0, 3.0])
    total = np.array([10.0, 12.0, 20.0, 15.0, 11.0])
    change = np.array([10.0, -3.0, 10.0, -5.0, -1.0])  # 10, 20, 15, 12, 11
    order, following = np.arange(5), np.ones(4, bool)
    assert chained(order, following, time, total, change, 0.01).tolist() == [0, 2, 3, 1, 4]
    assert clear(order, following, time).tolist() == [False, False, False, False]
    apart = np.array([1.0, 2.0, 3.0, 3.0, 4.0])
    assert clear(order, following, apart).tolist() == [True, False, False, False]


def test_a_chain_that_begins_anew_begins_at_its_beginning() -> None:
    time, total = np.full(3, 5.0), np.array([130.0, 100.0, 120.0])
    change = np.array([10.0, 7.0, 20.0])  # nobody knows what was there before the 100
    order = chained(np.arange(3), np.ones(2, bool), time, total, change, 0.01)
    assert order.tolist() == [1, 2, 0]
