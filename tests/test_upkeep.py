"""Rules about values hold in the clone, whatever else the schema asks for."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
import pytest

import dbsynth
from dbsynth.embedded import Server
from dbsynth.errors import SpecError

SCHEMA = """
CREATE TABLE product (id INTEGER PRIMARY KEY, price DECIMAL(8,2) NOT NULL);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, placed DATE NOT NULL, shipped DATE, due DATE NOT NULL,
    net DECIMAL(12,2), tax DECIMAL(12,2), gross DECIMAL(12,2) CHECK (gross > 0), lines INTEGER,
    temperature DOUBLE, fahrenheit DOUBLE
);
CREATE TABLE line (
    order_id INTEGER NOT NULL REFERENCES orders, number INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES product,
    quantity INTEGER NOT NULL CHECK (quantity > 0), price DECIMAL(8,2) NOT NULL,
    discount DECIMAL(4,2) NOT NULL, amount DECIMAL(10,2),
    PRIMARY KEY (order_id, number)
);
CREATE TABLE payment (
    order_id INTEGER PRIMARY KEY REFERENCES orders, paid DATE NOT NULL, amount DECIMAL(12,2)
);
"""

FORMULAS = {
    "line.price": "line.price = product.price",
    "line.amount": "line.amount = line.quantity * line.price * (1 - line.discount)",
    "orders.net": "orders.net = sum of line.amount",
    "orders.tax": "orders.tax = orders.net * 0.19",
    "orders.gross": "orders.gross = orders.net + orders.tax",
    "orders.lines": "orders.lines = count of line",
    "orders.due": "orders.due = orders.placed + 30 days",
    "orders.fahrenheit": "orders.fahrenheit = orders.temperature * 1.8",
    "payment.amount": "payment.amount = orders.net",
}

BROKEN = {
    "price": "SELECT count(*) FROM line l JOIN product p ON p.id = l.product_id"
    " WHERE l.price <> p.price",
    "amount": "SELECT count(*) FROM line WHERE abs(amount - quantity * price * (1 - discount))"
    " > 0.0051",
    "amount is null": "SELECT abs(count(*) - 60) FROM line WHERE amount IS NULL",
    "net": "SELECT count(*) FROM orders o WHERE abs(net - (SELECT sum(amount) FROM line l"
    " WHERE l.order_id = o.id)) > 0.001",
    "tax": "SELECT count(*) FROM orders WHERE abs(tax - net * 0.19) > 0.0051",
    "gross": "SELECT count(*) FROM orders WHERE abs(gross - net - tax) > 0.001",
    "lines": "SELECT count(*) FROM orders o WHERE lines <> (SELECT count(*) FROM line l"
    " WHERE l.order_id = o.id)",
    "fahrenheit": "SELECT count(*) FROM orders WHERE abs(fahrenheit - temperature * 1.8) > 0.001",
    "payment": "SELECT count(*) FROM payment p WHERE abs(amount - (SELECT sum(amount) FROM line l"
    " WHERE l.order_id = p.order_id)) > 0.001",
    "shipped": "SELECT count(*) FROM orders WHERE shipped < placed",
    "paid": "SELECT count(*) FROM payment p JOIN orders o ON o.id = p.order_id"
    " WHERE p.paid < o.placed",
}


def build(path: Path, orders: int) -> str:
    rng = np.random.default_rng(orders)
    prices = np.round(rng.lognormal(3, 1, 80), 2)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA)
        db.executemany("INSERT INTO product VALUES (?, ?)", [*enumerate(prices.tolist(), 1)])
        left = 60
        for order in range(1, orders + 1):
            day = int(rng.integers(0, 900))
            shipped = None if rng.random() < 0.2 else date(day + int(rng.integers(0, 40)))
            amounts = []
            for number in range(1, int(rng.integers(1, 6)) + 1):
                product, quantity = int(rng.integers(1, 81)), int(rng.integers(1, 9))
                discount = float(rng.choice([0, 0, 0, 0.05, 0.1, 0.25]))
                price = float(prices[product - 1])
                amount = half_up(quantity * price * (1 - discount))
                if number > 1 and left:
                    left, amount = left - 1, None
                amounts.append(amount or 0)
                db.execute(
                    "INSERT INTO line VALUES (?,?,?,?,?,?,?)",
                    (order, number, product, quantity, price, discount, amount),
                )
            net = round(sum(amounts), 2)
            tax = half_up(net * 0.19)
            degrees = float(rng.normal(15, 8))
            db.execute(
                "INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?)",
                (order, date(day), shipped, date(day + 30), net, tax, round(net + tax, 2),
                 len(amounts), degrees, degrees * 1.8),
            )  # fmt: skip
            paid = date(day + int(rng.integers(0, 60)))
            db.execute("INSERT INTO payment VALUES (?,?,?)", (order, paid, net))
        db.commit()
    return f"sqlite:///{path}"


def date(day: int) -> str:
    return str(np.datetime64("2020-01-01") + day)


def half_up(number: float) -> float:
    return float(np.floor(number * 100 * (1 + 1e-14) + 0.5) / 100)


def broken(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as db:
        return {name: db.execute(sql).fetchone()[0] for name, sql in BROKEN.items()}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "shop.db"
    build(path, 700)
    assert not any(broken(path).values())
    return path


def test_every_rule_is_found(shop: Path) -> None:
    rules = {str(kept.rule) for kept in dbsynth.plan(f"sqlite:///{shop}").rules}
    settled = {rule.split(" = ")[0] for rule in rules if " = " in rule}
    assert settled == set(FORMULAS)
    assert set(FORMULAS.values()) <= rules
    assert "orders.shipped >= orders.placed" in rules
    assert "payment.paid >= orders.placed" in rules


@pytest.mark.parametrize("scale", [1.0, 0.1, 3.0])
def test_the_clone_holds_every_rule(shop: Path, tmp_path: Path, scale: float) -> None:
    target = tmp_path / "clone.db"
    spec = dbsynth.Spec(scale=scale)
    report = dbsynth.clone(f"sqlite:///{shop}", f"sqlite:///{target}", spec=spec)
    found = broken(target)
    if scale != 1.0:
        del found["amount is null"]
    else:
        assert found.pop("amount is null") < 40
    assert not any(found.values()), found
    rules = [finding for finding in report.findings if finding.check == "rule"]
    assert len(rules) >= len(FORMULAS)
    assert all(finding.count == 0 for finding in rules)


def test_a_clone_of_another_kind_holds_every_rule(
    shop: Path, postgres: Server, fresh_database: str
) -> None:
    report = dbsynth.clone(f"sqlite:///{shop}", fresh_database)
    rules = [finding for finding in report.findings if finding.check == "rule"]
    assert len(rules) >= len(FORMULAS)
    assert all(finding.count == 0 for finding in rules)
    with psycopg.connect(fresh_database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM orders WHERE abs(gross - net - tax) > 0.001"
        ).fetchone()
    assert row == (0,)


def test_a_model_file_keeps_the_rules(shop: Path, tmp_path: Path) -> None:
    model, _ = dbsynth.fit(f"sqlite:///{shop}", tmp_path / "model")
    report = dbsynth.load(tmp_path / "model", f"sqlite:///{tmp_path}/clone.db", source=None)
    assert [rule for rule, _ in report.rules] == [str(kept.rule) for kept in model.rules]
    found = broken(tmp_path / "clone.db")
    del found["amount is null"]
    assert not any(found.values()), found


def test_struck_rules_are_not_kept(shop: Path, tmp_path: Path) -> None:
    target = tmp_path / "clone.db"
    spec = dbsynth.Spec(rules=("orders.gross = orders.net + orders.tax",))
    report = dbsynth.clone(f"sqlite:///{shop}", f"sqlite:///{target}", spec=spec)
    found = broken(target)
    assert found["gross"] == 0
    assert found["net"] > 100
    assert [rule for rule, _ in report.rules] == list(spec.rules or ())


def test_a_declared_rule_is_kept_though_the_source_breaks_it(tmp_path: Path) -> None:
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    rng = np.random.default_rng(7)
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE TABLE trip (id INTEGER PRIMARY KEY, out INTEGER, back INTEGER)")
        rows = [(int(a), int(a + rng.integers(-9, 40))) for a in rng.integers(0, 500, 300)]
        db.executemany("INSERT INTO trip (out, back) VALUES (?, ?)", rows)
        db.commit()
    spec = dbsynth.Spec(rules=("trip.back >= trip.out",))
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=spec)
    assert any("declared, not mined" in note for note in report.notes)
    with closing(sqlite3.connect(target)) as db:
        assert db.execute("SELECT count(*) FROM trip WHERE back < out").fetchone() == (0,)


def test_rules_that_lead_in_a_circle_are_not_kept_together(shop: Path, tmp_path: Path) -> None:
    rules = (
        "orders.gross = orders.net + orders.tax",
        "orders.net = orders.gross - orders.tax",
        "orders.gross = orders.net * 1.19",
    )
    target = tmp_path / "clone.db"
    spec = dbsynth.Spec(rules=rules)
    report = dbsynth.clone(f"sqlite:///{shop}", f"sqlite:///{target}", spec=spec)
    assert [rule for rule, _ in report.rules] == [rules[0]]
    assert sum("is not kept" in note for note in report.notes) == 2
    assert broken(target)["gross"] == 0


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("orders.gros = orders.net + orders.tax", "did you mean `gross`"),
        ("orders.gross = orders.gross + orders.tax", "follows from itself"),
        ("orders.gross = 7", "follows from nothing"),
        ("orders.net = sum of product.price", "no foreign key leads from `product` to `orders`"),
        ("orders.net equals its sum", "one like it"),
    ],
)
def test_a_wrong_rule_in_the_spec_is_one_clear_error(shop: Path, rule: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        dbsynth.plan(f"sqlite:///{shop}", spec=dbsynth.Spec(rules=(rule,)))
    assert hint in str(caught.value)


CONSTRAINED = """
CREATE TABLE sale (
    id INTEGER PRIMARY KEY, quantity INTEGER NOT NULL, price NUMERIC(6,2) NOT NULL,
    total NUMERIC(8,2) NOT NULL, fee NUMERIC(8,2) NOT NULL, day DATE NOT NULL,
    CHECK (total < 2000), CHECK (total + fee > 10), UNIQUE (day, total)
);
"""


def test_constraints_on_computed_columns_win(fresh_database: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    seen: set[tuple[str, float]] = set()
    with psycopg.connect(fresh_database) as connection:
        connection.execute(CONSTRAINED)
        while len(seen) < 800:
            quantity, price = int(rng.integers(-3, 30)), float(np.round(rng.lognormal(3, 1), 2))
            day, total = date(int(rng.integers(0, 60))), round(quantity * price, 2)
            fee = round(max(0.0, 12 - total) + float(rng.integers(0, 5)), 2)
            if total >= 2000 or price > 9999 or (day, total) in seen:
                continue
            seen.add((day, total))
            connection.execute(
                "INSERT INTO sale VALUES (%s, %s, %s, %s, %s, %s)",
                (len(seen), quantity, price, total, fee, day),
            )
    target = f"sqlite:///{tmp_path}/clone.db"
    for seed in range(2):
        spec = dbsynth.Spec(seed=seed)
        report = dbsynth.clone(fresh_database, target, spec=spec, replace=True)
        assert report.ok
        declared = dbsynth.Spec(seed=seed, rules=("sale.total = sale.quantity * sale.price",))
        report = dbsynth.clone(fresh_database, target, spec=declared, replace=True)
        counts = [f.count for f in report.findings if f.check == "rule"]
        assert counts == [0]


LEDGER = """
CREATE TABLE account (id INTEGER PRIMARY KEY, opened DATE NOT NULL);
CREATE TABLE rate (
    account INTEGER NOT NULL REFERENCES account, since DATE NOT NULL, until DATE,
    percent DECIMAL(4,2) NOT NULL, PRIMARY KEY (account, since)
);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account, day DATE NOT NULL,
    kind TEXT NOT NULL, amount DECIMAL(10,2) NOT NULL, balance DECIMAL(12,2) NOT NULL
);
"""

OFF_BALANCE = """
WITH e AS (SELECT *, lag(balance, 1, 0) OVER (PARTITION BY account ORDER BY day, id) AS before
           FROM entry)
SELECT count(*) FROM e WHERE abs(balance - before
    - CASE kind WHEN 'payment' THEN -amount ELSE amount END) > 0.001
"""

GAPS = """
WITH r AS (SELECT *, lead(since) OVER (PARTITION BY account ORDER BY since) AS next FROM rate)
SELECT sum(next IS NOT NULL AND until IS NOT date(next, '-1 day')), sum(next IS NULL),
       sum(next IS NULL AND until IS NULL) FROM r
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "ledger.db"
    rng = np.random.default_rng(5)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(LEDGER)
        entries: list[tuple[int, int, str]] = []
        for account in range(1, 151):
            opened = int(rng.integers(0, 500))
            db.execute("INSERT INTO account VALUES (?, ?)", (account, date(opened)))
            starts = np.cumsum(rng.integers(20, 300, int(rng.integers(1, 7)))) + opened
            for place, since in enumerate(starts):
                until = date(int(starts[place + 1]) - 1) if place + 1 < len(starts) else None
                percent = float(np.round(rng.uniform(0, 9), 2))
                row = (account, date(int(since)), until, percent)
                db.execute("INSERT INTO rate VALUES (?, ?, ?, ?)", row)
            days = opened + np.cumsum(rng.integers(0, 20, int(rng.integers(3, 15))))
            kinds = rng.choice(["deposit", "payment", "interest"], len(days), p=[0.5, 0.3, 0.2])
            entries += [
                (account, int(day), str(kind)) for day, kind in zip(days, kinds, strict=True)
            ]
        balance: dict[int, float] = {}
        for number, (account, day, kind) in enumerate(entries):
            amount = float(np.round(rng.lognormal(4, 1), 2))
            signed = -amount if kind == "payment" else amount
            balance[account] = round(balance.get(account, 0.0) + signed, 2)
            row = (number, account, date(day), kind, amount, balance[account])
            db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", row)
        db.commit()
    return path


@pytest.mark.parametrize("scale", [1.0, 0.4, 2.0])
def test_intervals_and_balances_are_kept(ledger: Path, tmp_path: Path, scale: float) -> None:
    model = tmp_path / "model"
    spec = dbsynth.Spec(scale=scale)
    dbsynth.fit(f"sqlite:///{ledger}", model, spec=spec)
    target = tmp_path / "clone.db"
    report = dbsynth.load(model, f"sqlite:///{target}", spec=spec, source=None)
    rules = {rule for rule, _ in report.rules}
    assert "rate.until = next rate.since - 1 days within rate(account)" in rules
    assert (
        "entry.balance = previous entry.balance + entry.amount signed by entry.kind"
        " within entry(account) in order of entry.day starting at 0"
    ) in rules
    assert [f for f in report.findings if f.check == "rule" and f.count] == []
    with closing(sqlite3.connect(target)) as db:
        assert db.execute(OFF_BALANCE).fetchone() == (0,)
        gaps, last, open_ = db.execute(GAPS).fetchone()
    assert gaps == 0
    assert open_ == last
