"""Simulates the rows of the shop, column by column, from one seed.

The facts planted here are listed in `dbsynth.shop.facts`.  Amounts are whole cents until the end,
so that a payment is exactly the sum of its lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from dbsynth.randomness import Streams
from dbsynth.shop import words

Array = npt.NDArray[Any]

OPENED = np.datetime64("2021-01-01", "ms")
CLOSED = np.datetime64("2025-01-01", "ms")  # the day on which the snapshot is taken
TIERS = ("none", "bronze", "silver", "gold")
HOUR_WEIGHTS = np.array(
    [2, 1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 7, 7, 7, 8, 10, 16, 20, 20, 16, 9, 4]
)


def simulate(*, seed: int = 0, customers: int = 6000) -> dict[str, pl.DataFrame]:
    """The rows of every table, parents first; column names are those of the written columns."""
    streams = Streams(seed)
    people = _customers(streams.rng("shop", "customer"), customers)
    homes = _addresses(streams.rng("shop", "address"), customers)
    goods = _products(streams.rng("shop", "product"), max(100, customers // 5))
    tier = people["tier"].cast(pl.Enum(TIERS)).to_physical().to_numpy().astype(int)
    orders = _orders(streams.rng("shop", "orders"), people, homes, tier)
    lines = _lines(streams.rng("shop", "order_line"), orders, goods, tier)
    course = _course(streams.rng("shop", "course"), orders)
    sums = np.bincount(lines.order, weights=lines.cents, minlength=len(orders)).astype(np.int64)
    refunds, refunded = _refunds(streams.rng("shop", "refund"), lines, course)
    return {
        "alembic_version": pl.DataFrame({"version_num": ["7c1e0a54b2d9"]}),
        "customer": people,
        "address": homes,
        "category": _categories(),
        "supplier": _suppliers(streams.rng("shop", "supplier")),
        "product": goods,
        "warehouse": pl.DataFrame(
            {"id": [1, 2, 3], "code": ["NRV", "EST", "OBL"], "city": list(words.CITIES[:3])}
        ),
        "stock": _stock(streams.rng("shop", "stock"), len(goods)),
        "sales.orders": orders.with_columns(status=pl.Series(course.status)),
        "sales.order_line": lines.frame(),
        "sales.payment": _payments(streams.rng("shop", "payment"), course, sums),
        "sales.shipment": _shipments(streams.rng("shop", "shipment"), course),
        "sales.refund": refunds,
        "review": _reviews(streams.rng("shop", "review"), lines, course, refunded),
    }


@dataclass(frozen=True, slots=True)
class _Lines:
    """Order lines: position of the order, number in it, and amounts in cents."""

    order: Array
    number: Array
    product: Array
    quantity: Array
    price: Array
    discount: Array

    @property
    def cents(self) -> Array:
        return self.quantity * self.price - self.discount

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "order_id": self.order + 1,
                "line_number": self.number,
                "product_id": self.product + 1,
                "quantity": self.quantity,
                "unit_price": self.price / 100,
                "discount": self.discount / 100,
            }
        )


@dataclass(frozen=True, slots=True)
class _Course:
    """What became of each order, and when."""

    status: Array
    express: Array
    paid: Array
    shipped: Array
    delivered: Array

    def reached(self, *status: str) -> Array:
        return np.flatnonzero(np.isin(self.status, status))


def _pick(rng: np.random.Generator, options: tuple[str, ...], n: int) -> Array:
    return np.array(options)[rng.integers(len(options), size=n)]


def _keep(keep: Array, values: Array) -> pl.Series:
    """The values where ``keep`` holds, NULL elsewhere."""
    kept = pl.when(pl.Series(keep)).then(pl.Series(values))
    return pl.select(kept).to_series()


def _seconds(values: Array) -> Array:
    return (np.floor(values) * 1000).astype("timedelta64[ms]")


def _numbers(n: int) -> Array:
    return np.arange(1, n + 1)


def _phones(rng: np.random.Generator, n: int) -> Array:
    return np.array([f"+99 555 {number:07d}" for number in rng.integers(10**7, size=n)])


def _customers(rng: np.random.Generator, n: int) -> pl.DataFrame:
    first, last = _pick(rng, words.FIRST_NAMES, n), _pick(rng, words.LAST_NAMES, n)
    domains = _pick(rng, words.MAIL_DOMAINS, n)
    emails = [
        f"{a}.{b}{i}@{domain}".lower()
        for i, (a, b, domain) in enumerate(zip(first, last, domains, strict=True))
    ]
    languages = rng.choice(["en", "de", "fr"], n, p=[0.6, 0.3, 0.1])
    dark = rng.random(n) < 0.35
    preferences = np.array(
        [
            f'{{"language": "{language}", "theme": "{"dark" if on else "light"}"}}'
            for language, on in zip(languages, dark, strict=True)
        ]
    )
    # Older accounts had more time to climb to a higher tier.
    registered = OPENED + _seconds(rng.random(n) ** 1.3 * 3.8 * 365 * 86400)
    age = (CLOSED - registered) / (CLOSED - OPENED)
    tier = np.digitize(rng.random(n) - 0.25 * (age - 0.5), [0.55, 0.80, 0.94])
    birth = np.datetime64("1975-06-01") + (rng.normal(0, 13, n).clip(-40, 31) * 365).astype(int)
    return pl.DataFrame(
        {
            "id": _numbers(n),
            "first_name": first,
            "last_name": last,
            "email": emails,
            "phone": _keep(rng.random(n) < 0.7, _phones(rng, n)),
            "fax": _keep(rng.random(n) < 0.005, _phones(rng, n)),
            "birth_date": _keep(rng.random(n) < 0.85, birth),
            "tier": np.array(TIERS)[tier],
            "newsletter": rng.random(n) < 0.2 + 0.15 * tier,
            "preferences": _keep(rng.random(n) < 0.6, preferences),
            "registered_at": registered,
        }
    )


def _addresses(rng: np.random.Generator, customers: int) -> pl.DataFrame:
    counts = 1 + (rng.random(customers) < 0.2) + (rng.random(customers) < 0.05)
    owner = np.repeat(np.arange(customers), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    weights = 1 / np.arange(1, len(words.CITIES) + 1)
    city = rng.choice(len(words.CITIES), len(owner), p=weights / weights.sum())
    streets = _pick(rng, words.STREETS, len(owner))
    houses = rng.integers(1, 120, len(owner))
    postcodes = 10000 + 7000 * city + rng.integers(60, size=len(owner))
    labels = np.where(place == 0, "home", np.where(rng.random(len(owner)) < 0.7, "work", "other"))
    return pl.DataFrame(
        {
            "id": _numbers(len(owner)),
            "customer_id": owner + 1,
            "label": labels,
            "street": [f"{street} {house}" for street, house in zip(streets, houses, strict=True)],
            "postcode": [str(postcode) for postcode in postcodes],
            "city": np.array(words.CITIES)[city],
            "is_default": (place == 0) & (rng.random(customers) < 0.92)[owner],
        }
    )


def _categories() -> pl.DataFrame:
    roots = list(words.CATEGORIES)
    rows: list[tuple[int, int | None, str]] = [(i, None, root) for i, root in enumerate(roots, 1)]
    for parent, (_, leaves) in enumerate(words.CATEGORIES.values(), 1):
        rows.extend((i, parent, leaf) for i, leaf in enumerate(leaves, len(rows) + 1))
    return pl.DataFrame(rows, schema=["id", "parent_id", "name"], orient="row")


def _suppliers(rng: np.random.Generator) -> pl.DataFrame:
    names = [f"{head} {tail}" for head in words.SUPPLIER_HEADS for tail in words.SUPPLIER_TAILS]
    return pl.DataFrame(
        {
            "id": _numbers(len(names)),
            "name": names,
            "contact_email": [f"{name.lower().replace(' ', '@')}.example" for name in names],
            "lead_days": rng.integers(2, 45, len(names)),
        }
    )


def _products(rng: np.random.Generator, n: int) -> pl.DataFrame:
    categories = _categories()
    leaves = categories.filter(pl.col("parent_id").is_not_null()).rows()
    typical = [price for price, _ in words.CATEGORIES.values()]
    factor = rng.lognormal(0, 0.25, len(leaves))
    leaf = rng.integers(len(leaves), size=n)
    level = np.array([typical[parent - 1] for _, parent, _ in leaves]) * factor
    price = np.round(level[leaf] * rng.lognormal(0, 0.3, n)).clip(1) - 0.01
    adjectives = _pick(rng, words.ADJECTIVES, n)
    colours, materials = _pick(rng, words.COLOURS, n), _pick(rng, words.MATERIALS, n)
    names = [leaves[i][2] for i in leaf]
    suppliers = len(words.SUPPLIER_HEADS) * len(words.SUPPLIER_TAILS)
    return pl.DataFrame(
        {
            "id": _numbers(n),
            "sku": [f"{name[:3].upper()}-{10000 + 31 * i % 90000}" for i, name in enumerate(names)],
            "name": [f"{a} {name.lower()}" for a, name in zip(adjectives, names, strict=True)],
            "category_id": np.array([leaves[i][0] for i in leaf]),
            "supplier_id": 1 + (leaf * 5 + rng.integers(4, size=n)) % suppliers,
            "price": np.round(price, 2),
            "weight_grams": _keep(
                rng.random(n) < 0.9, 50 + (price * rng.lognormal(2, 0.5, n)).astype(int)
            ),
            "attributes": [
                f'{{"colour": "{colour}", "material": "{material}"}}'
                for colour, material in zip(colours, materials, strict=True)
            ],
            "discontinued": rng.random(n) < 0.07,
            "introduced": np.datetime64("2018-01-01") + rng.integers(0, 1090, n),
        }
    )


def _stock(rng: np.random.Generator, products: int) -> pl.DataFrame:
    here = rng.random((3, products)) < np.array([[1.0], [0.7], [0.4]])
    warehouse, product = np.nonzero(here)
    return pl.DataFrame(
        {
            "warehouse_id": warehouse + 1,
            "product_id": product + 1,
            "pieces": (rng.lognormal(3, 1, len(product)) - 5).clip(0).astype(int),
            "counted_on": np.datetime64("2024-12-01") + rng.integers(0, 30, len(product)),
        }
    )


def _orders(
    rng: np.random.Generator, people: pl.DataFrame, homes: pl.DataFrame, tier: Array
) -> pl.DataFrame:
    n = len(people)
    wanted = 1 + rng.negative_binomial(2, 2 / (2 + np.array([2.1, 4.9, 9.5, 18.0])[tier]))
    counts = np.where(rng.random(n) < np.array([0.22, 0.08, 0.03, 0.01])[tier], 0, wanted)
    customer = np.repeat(np.arange(n), counts)
    placed = _moments(rng, people["registered_at"].to_numpy()[customer])
    order = np.argsort(placed, kind="stable")
    customer, placed = customer[order], placed[order]
    owner = homes["customer_id"].to_numpy() - 1
    first, homes_of = np.searchsorted(owner, np.arange(n)), np.bincount(owner)
    elsewhere = (rng.random(len(customer)) < 0.15) & (homes_of[customer] > 1)
    phone_share = np.where(
        people["birth_date"].dt.year().fill_null(1980).to_numpy() < 1955, 0.3, 0.03
    )
    by_phone = rng.random(len(customer)) < phone_share[customer]
    web = np.where(rng.random(len(customer)) < 0.6, "web", "app")
    notes = _pick(rng, words.GIFT_NOTES, len(customer))
    return pl.DataFrame(
        {
            "id": _numbers(len(customer)),
            "customer_id": customer + 1,
            "address_id": first[customer] + 1 + elsewhere,
            "channel": np.where(by_phone, "phone", web),
            "gift_note": _keep(rng.random(len(customer)) < 0.03, notes),
            "placed_at": placed,
        }
    )


def _moments(rng: np.random.Generator, registered: Array) -> Array:
    """Moments between registration and the snapshot, more of them at weekends and in evenings."""
    n = len(registered)
    start = registered.astype("datetime64[D]") + 1
    span = (CLOSED.astype("datetime64[D]") - start).astype(int)
    day = start + (rng.random(n) * span).astype(int)
    weekday = (day.astype(int) + 3) % 7
    moved = day + (5 + rng.integers(2, size=n) - weekday)
    moves = (weekday < 5) & (rng.random(n) < 0.2) & (moved < CLOSED)
    hour = rng.choice(24, n, p=HOUR_WEIGHTS / HOUR_WEIGHTS.sum())
    seconds = 3600 * hour + rng.integers(3600, size=n)
    moments: Array = np.where(moves, moved, day).astype("datetime64[ms]") + _seconds(seconds)
    return moments


def _lines(
    rng: np.random.Generator, orders: pl.DataFrame, goods: pl.DataFrame, tier: Array
) -> _Lines:
    loyalty = tier[orders["customer_id"].to_numpy() - 1]
    counts = 1 + rng.poisson(0.9 + 0.3 * loyalty)
    order = np.repeat(np.arange(len(orders)), counts)
    n = len(order)
    number = 1 + np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    popularity = rng.permutation(np.arange(1, len(goods) + 1) ** -0.8)
    product = rng.choice(len(goods), n, p=popularity / popularity.sum())
    quantity = 1 + rng.poisson(0.25 + 0.1 * loyalty[order])
    listed = np.round(goods["price"].to_numpy() * 100).astype(np.int64)[product]
    price = np.where(rng.random(n) < 0.15, listed * 9 // 10, listed).clip(2)
    reduced = rng.random(n) < np.array([0.0, 0.05, 0.1, 0.25])[loyalty[order]]
    return _Lines(
        order, number, product, quantity, price, np.where(reduced, quantity * price // 10, 0)
    )


def _course(rng: np.random.Generator, orders: pl.DataFrame) -> _Course:
    n = len(orders)
    placed = orders["placed_at"].to_numpy().astype("datetime64[ms]")
    express = rng.random(n) < 0.25
    paid = placed + _seconds(60 + rng.exponential(1800, n))
    shipped = paid + _seconds((0.3 + rng.gamma(2, 0.4, n)) * 86400)
    days = np.where(express, 0.5 + rng.gamma(2, 0.3, n), 1.5 + rng.gamma(3, 0.9, n))
    delivered = shipped + _seconds(days * 86400)
    stages = (paid < CLOSED).astype(int) + (shipped < CLOSED) + (delivered < CLOSED)
    status = np.array(["placed", "paid", "shipped", "delivered"])[stages]
    cancelled = rng.random(n) < 0.04
    status = np.where(cancelled, "cancelled", status)
    return _Course(status, express, paid, shipped, delivered)


def _payments(rng: np.random.Generator, course: _Course, sums: Array) -> pl.DataFrame:
    at = course.reached("paid", "shipped", "delivered")
    method = rng.choice(["card", "transfer", "voucher"], len(at), p=[0.7, 0.25, 0.05])
    digits = np.array([f"{number:04d}" for number in rng.integers(10**4, size=len(at))])
    return pl.DataFrame(
        {
            "id": _numbers(len(at)),
            "order_id": at + 1,
            "method": method,
            "card_last_four": _keep(method == "card", digits),
            "amount": sums[at] / 100,
            "paid_at": course.paid[at],
        }
    )


def _shipments(rng: np.random.Generator, course: _Course) -> pl.DataFrame:
    at = course.reached("shipped", "delivered")
    return pl.DataFrame(
        {
            "id": _numbers(len(at)),
            "order_id": at + 1,
            "warehouse_id": 1 + rng.choice(3, len(at), p=[0.6, 0.3, 0.1]),
            "service": np.where(course.express[at], "express", "standard"),
            "tracking": [f"TR{number:012d}" for number in 10**9 + 7919 * at],
            "shipped_at": course.shipped[at],
            "delivered_at": _keep(course.status[at] == "delivered", course.delivered[at]),
        }
    )


def _refunds(
    rng: np.random.Generator, lines: _Lines, course: _Course
) -> tuple[pl.DataFrame, Array]:
    """The refunds, and whether each line was refunded."""
    refunded = (course.status[lines.order] == "delivered") & (rng.random(len(lines.order)) < 0.021)
    at = np.flatnonzero(refunded)
    order = lines.order[at]
    later = _seconds((1 + rng.exponential(6, len(at))) * 86400)
    frame = pl.DataFrame(
        {
            "order_id": order + 1,
            "line_number": lines.number[at],
            "reason": rng.choice(
                ["broken", "late", "unwanted", "wrong"], len(at), p=[0.4, 0.1, 0.35, 0.15]
            ),
            "amount": lines.cents[at] / 100,
            "refunded_at": course.delivered[order] + later,
        }
    )
    return frame, refunded


def _reviews(
    rng: np.random.Generator, lines: _Lines, course: _Course, refunded: Array
) -> pl.DataFrame:
    delivered = course.status[lines.order] == "delivered"
    chance = np.where(refunded, 0.4, 0.15)
    at = np.flatnonzero(delivered & (rng.random(len(lines.order)) < chance))
    sad = refunded[at]
    score = np.round(rng.normal(np.where(sad, 1.8, 4.3), 0.8)).clip(1, 5).astype(int)
    said = np.where(score >= 3, _pick(rng, words.PRAISE, len(at)), _pick(rng, words.BLAME, len(at)))
    order = lines.order[at]
    later = _seconds((0.5 + rng.exponential(9, len(at))) * 86400)
    return pl.DataFrame(
        {
            "id": _numbers(len(at)),
            "order_id": order + 1,
            "line_number": lines.number[at],
            "score": score,
            "body": _keep(rng.random(len(at)) < 0.6, said),
            "written_at": course.delivered[order] + later,
        }
    )
