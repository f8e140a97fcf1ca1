"""A small bank as SQLite: frauds that hang on the customer, the amount and the hour; loans that hang
on the sex of the customer, directly and through the income."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

SQL = """
CREATE TABLE customer (
    id INTEGER PRIMARY KEY, sex TEXT NOT NULL, region TEXT NOT NULL, age INTEGER NOT NULL,
    income REAL NOT NULL, vip BOOLEAN NOT NULL
);
CREATE TABLE card (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer (id), kind TEXT NOT NULL
);
CREATE TABLE payment (
    id INTEGER PRIMARY KEY, card_id INTEGER NOT NULL REFERENCES card (id), hour INTEGER NOT NULL,
    fraud BOOLEAN NOT NULL, amount REAL NOT NULL, channel TEXT
);
CREATE TABLE item (
    id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL REFERENCES payment (id), price REAL NOT NULL,
    sort TEXT NOT NULL
);
CREATE TABLE loan (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer (id),
    score INTEGER NOT NULL, repaid BOOLEAN NOT NULL, approved BOOLEAN NOT NULL, size REAL
);
"""


def build_bank(path: Path, customers: int = 2_000, seed: int = 1) -> None:
    """Write the bank."""
    rng = np.random.default_rng(seed)
    n = customers
    sex = rng.choice(["f", "m"], n)
    region = rng.choice(["north", "south", "east", "west"], n, p=[0.4, 0.3, 0.2, 0.1])
    age = rng.integers(18, 80, n)
    income = np.round(rng.lognormal(7.6 + 0.4 * (sex == "m") + 0.003 * age, 0.35), 2)
    vip = rng.random(n) < 0.02 + 0.25 * (income > 4_000)
    card = np.repeat(np.arange(n), 1 + (rng.random(n) < 0.4))
    kind = np.where(vip[card] & (rng.random(len(card)) < 0.7), "gold",
                    rng.choice(["debit", "credit"], len(card)))  # fmt: skip
    risk = 0.004 + 0.05 * (region[card] == "west") + 0.015 * (kind == "credit")
    payment = np.repeat(np.arange(len(card)), 1 + rng.poisson(6 + 6 * vip[card]))
    hour = rng.choice(24, len(payment), p=np.array([1] * 7 + [4] * 14 + [2] * 3) / 69)
    night = hour < 6
    fraud = rng.random(len(payment)) < risk[payment] * np.where(night, 5, 0.6)
    amount = np.round(np.where(fraud, rng.lognormal(6, 0.6, len(payment)),
                               rng.lognormal(3.5, 0.9, len(payment))), 2)  # fmt: skip
    channel = np.where(fraud, rng.choice(["web", "shop", "atm"], len(payment), p=[0.8, 0.1, 0.1]),
                       rng.choice(["web", "shop", "atm"], len(payment), p=[0.3, 0.6, 0.1]))  # fmt: skip
    item = np.repeat(np.arange(len(payment)), 1 + (rng.random(len(payment)) < 0.3))
    sort = np.where(fraud[item] & (rng.random(len(item)) < 0.7), "voucher",
                    rng.choice(["food", "clothes", "voucher"], len(item), p=[0.6, 0.35, 0.05]))  # fmt: skip
    price = np.round(amount[item] * rng.uniform(0.3, 0.9, len(item)), 2)
    loan = np.repeat(np.arange(n), 1 + (rng.random(n) < 0.5))
    score = np.clip(rng.normal(500 + income[loan] / 20, 60), 300, 900).astype(int)
    repaid = rng.random(len(loan)) < np.clip((score - 350) / 450, 0.1, 0.95)
    approved = rng.random(len(loan)) < np.clip(
        0.15 + (score - 400) / 500 + 0.18 * (sex[loan] == "m") + 0.2 * repaid - 0.2, 0.02, 0.98
    )
    size = np.where(approved, np.round(rng.lognormal(9, 0.5, len(loan)), 0), np.nan)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL)

        def fill(table: str, *columns: np.ndarray) -> None:
            rows = zip(range(1, len(columns[0]) + 1), *(c.tolist() for c in columns), strict=True)
            marks = ", ".join("?" * (len(columns) + 1))
            clean = [
                [None if isinstance(v, float) and np.isnan(v) else v for v in row] for row in rows
            ]
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", clean)

        fill("customer", sex, region, age, income, vip)
        fill("card", card + 1, kind)
        fill("payment", payment + 1, hour, fraud, amount, channel)
        fill("item", item + 1, price, sort)
        fill("loan", loan + 1, score, repaid, approved, size)
        connection.commit()
