"""Small databases of customers and what they own, for the tests of differential privacy."""

from __future__ import annotations

import datetime as dt
import sqlite3

import numpy as np

DDL = """
create table country(id integer primary key, name text not null);
create table customer(
  id integer primary key, name text not null, email text unique, tier varchar(20) not null,
  country_id integer not null references country, born date, income integer,
  active boolean not null, referrer_id integer references customer);
create table purchase(
  id integer primary key, customer_id integer not null references customer,
  bought date not null, amount decimal(8,2) not null, channel varchar(20));
create table line(
  purchase_id integer not null references purchase, number integer not null,
  quantity integer not null, gift boolean, primary key (purchase_id, number));
"""
TIERS, CHANNELS = ("gold", "silver", "bronze"), ("web", "shop", "phone")


def build(path, customers, seed=0, extra=()):
    """A database; ``extra`` are statements run at its end."""
    draw = np.random.default_rng(seed)
    connection = sqlite3.connect(path)
    connection.executescript(DDL)
    connection.executemany(
        "insert into country values (?, ?)", [(i, f"Land {i}") for i in range(1, 6)]
    )
    purchase = 0
    for i in range(1, customers + 1):
        tier = int(draw.choice(3, p=[0.1, 0.3, 0.6]))
        born = dt.date(1940, 1, 1) + dt.timedelta(days=int(draw.integers(22_000)))
        row = (
            i, f"Person {i}", f"p{i}@real.com", TIERS[tier], int(draw.integers(1, 6)),
            born.isoformat() if draw.random() < 0.9 else None,
            int(np.exp(draw.normal(10.8 - 0.4 * tier, 0.3))), int(draw.random() < 0.8),
            int(draw.integers(1, i)) if i > 1 and draw.random() < 0.3 else None,
        )  # fmt: skip
        connection.execute("insert into customer values (?,?,?,?,?,?,?,?,?)", row)
        day, channel = dt.date(2020, 1, 1), CHANNELS[int(draw.integers(3))]
        for _ in range(min(int(draw.poisson((6, 3, 1)[tier])), 12)):
            purchase += 1
            day += dt.timedelta(days=int(draw.exponential(30)) + 1)
            channel = CHANNELS[int(draw.integers(3))] if draw.random() < 0.2 else channel
            amount = round(float(np.exp(draw.normal(3 + 0.5 * (2 - tier), 0.8))), 2)
            connection.execute(
                "insert into purchase values (?,?,?,?,?)",
                (purchase, i, day.isoformat(), amount, channel),
            )
            for number in range(1, int(draw.integers(1, 4)) + 1):
                connection.execute(
                    "insert into line values (?,?,?,?)",
                    (purchase, number, int(draw.integers(1, 5)), int(draw.random() < 0.1)),
                )
    for statement in extra:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


PURCHASES, LINES = 30, 5
CANARY = (
    "insert into customer values (9000001, 'Canary Bird', 'canary@real.com', 'unheard-of', 5,"
    " '1801-01-01', 2000000000, 0, 1)",
    *(
        f"insert into purchase values ({9_000_001 + i}, 9000001, '2099-12-{1 + i:02d}', 99999.99,"
        f" {'null' if i % 2 else repr('secret ' + str(i))})"
        for i in range(PURCHASES)
    ),
    *(
        f"insert into line values ({9_000_001 + i}, {n}, 1000000, null)"
        for i in range(PURCHASES)
        for n in range(1, LINES + 1)
    ),
)
"""One entity like no other: values far outside, new words, many rows; its rows lie last."""


def build_tiny(path, *, canary):
    """Forty customers with nothing bought; one more with as much as the caps of 20 allow."""
    connection = sqlite3.connect(path)
    connection.executescript(
        "create table customer(id integer primary key, active boolean not null);"
        "create table purchase(id integer primary key,"
        " customer_id integer not null references customer, gift boolean not null);"
    )
    for i in range(1, 41):
        connection.execute("insert into customer values (?, ?)", (i, i % 2))
    for i in range(20 if canary else 0):
        if not i:
            connection.execute("insert into customer values (999, 1)")
        connection.execute("insert into purchase values (?, 999, 1)", (i,))
    connection.execute("insert into purchase values (900, 1, 0)")  # so that there is a kind to see
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"
