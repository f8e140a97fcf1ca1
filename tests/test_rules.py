"""Rules: sentences, mining and its threshold, the list in the spec."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dbsynth.rules import Data, RuleError, choose, mine, parse_rule
from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table

KEY = ForeignKey("rental", ("customer",), "customer", ("id",))
OTHER = ForeignKey("rental", ("friend",), "customer", ("id",))


def column(name: str, kind: Kind = Kind.INTEGER) -> Column:
    return Column(name, kind, kind.value)


SCHEMA = Schema(
    (
        Table("customer", "customer", None, (column("id"), column("since"), column("limit")), ("id",)),
        Table(
            "shop.rental", "rental", "shop",
            (column("customer"), column("a"), column("b"), column("odd name"), column("sum")),
            foreign_keys=(ForeignKey("shop.rental", ("customer",), "customer", ("id",)),),
        ),
        Table(
            "rental", "rental", None,
            (column("customer"), column("friend"), column("a"), column("b")),
            foreign_keys=(KEY, OTHER),
        ),
    )
)  # fmt: skip

SENTENCES = [
    "shop.rental.b >= shop.rental.a",
    'shop.rental."odd name" <= shop.rental.sum',
    "shop.rental.a >= customer.since",
    "rental.a >= customer.since along rental(friend)",
    "rental.a = rental.b + 7 days",
    "rental.a = rental.b * (1 - rental.friend / 100) - 0.25",
    "rental.a = rental.b - (rental.friend - 3)",
    "rental.a = (rental.b - rental.friend) / 1 hours",
    "shop.rental.a = shop.rental.b * customer.since",
    "shop.rental.a = customer.since",
    "customer.since = max of rental.a along rental(friend)",
    "customer.since = count of shop.rental",
    "customer.since = sum of round(shop.rental.a * shop.rental.sum * (1 - shop.rental.b), 2)",
    "rental.a = sum of shop.rental.b with the same rental(friend)",
    "rental.b = next rental.a within rental(friend)",
    "rental.b = next rental.a - 1 days within rental(customer)",
    "rental.b = previous rental.b - rental.a within rental(customer)",
    "rental.b = previous rental.b + rental.a signed by rental.friend within rental(customer)"
    " in order of rental.a starting at 0",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_reads_back(sentence: str) -> None:
    assert str(parse_rule(sentence, SCHEMA)) == sentence


@pytest.mark.parametrize(
    ("sentence", "hint"),
    [
        ("rentl.a >= rental.b", "did you mean `rental`"),
        ("rental.a >= rental.bb", "did you mean `b`"),
        ("rental.a >= customer.since", "add `along rental(customer)` or `along rental(friend)`"),
        ("customer.since >= rental.a", "no foreign key leads from `customer` to `rental`"),
        ("rental.a is odd", "one like it"),
        ("rental.a >= 'x'", "one like it"),
        ("rental.a >= rental.a", "with itself"),
        ("rental.a ; drop", "`;` belongs to no rule"),
    ],
)
def test_a_wrong_sentence_is_told_how_to_mend_it(sentence: str, hint: str) -> None:
    with pytest.raises(RuleError, match=re.escape(hint)):
        parse_rule(sentence, SCHEMA)


def data_of(
    rows: dict[str, np.ndarray], key: np.ndarray | None = None, **above: np.ndarray
) -> Data:
    """A view of the table `rental`, and of `customer` above it."""
    count = len(next(iter(rows.values())))
    parents = len(next(iter(above.values()))) if above else 1
    links = np.zeros(count, np.int64) if key is None else key
    places = [("rental", n) for n in rows] + [("customer", n) for n in above]
    schema = Schema(
        (
            Table("customer", "customer", None, (column("id"), *map(column, above)), ("id",)),
            Table(
                "rental", "rental", None, (column("customer"), *map(column, rows)),
                foreign_keys=(KEY,),
            ),
        )
    )  # fmt: skip
    return Data(
        schema, {"rental": count, "customer": parents}, {"rental": rows, "customer": above}, {},
        {KEY: links}, dict.fromkeys(places, 1.0), frozenset(places),
    )  # fmt: skip


def mined(data: Data) -> dict[str, str]:
    return {str(kept.rule): kept.support for kept in mine(data)}


def test_inequalities_in_a_row_and_along_a_key_are_mined() -> None:
    rng = np.random.default_rng(1)
    since = rng.integers(0, 1000, 50).astype(float)
    key = rng.integers(0, 50, 600)
    a = since[key] + rng.integers(0, 700, 600)
    b = a + rng.integers(0, 700, 600)
    b[::7] = np.nan
    found = mined(data_of({"a": a, "b": b}, key, since=since))
    assert found["rental.a >= customer.since"] == "all 600"
    assert found["rental.b >= rental.a"] == f"all {int((~np.isnan(b)).sum())}"


def test_times_are_compared_along_chains_of_keys() -> None:
    rng = np.random.default_rng(8)
    first, second = ForeignKey("c", ("b",), "b", ("id",)), ForeignKey("b", ("a",), "a", ("id",))
    schema = Schema(
        (
            Table("a", "a", None, (column("id"), column("opened")), ("id",)),
            Table("b", "b", None, (column("id"), column("a")), ("id",), foreign_keys=(second,)),
            Table("c", "c", None, (column("b"), column("made")), foreign_keys=(first,)),
        )
    )
    opened = rng.integers(0, 1000, 60).astype(float)
    above, links = rng.integers(0, 60, 200), rng.integers(0, 200, 500)
    made = opened[above[links]] + rng.integers(0, 600, 500)
    places = frozenset({("a", "opened"), ("c", "made")})
    data = Data(
        schema, {"a": 60, "b": 200, "c": 500}, {"a": {"opened": opened}, "c": {"made": made}}, {},
        {first: links, second: above}, dict.fromkeys(places, 1.0), places, times=places,
    )  # fmt: skip
    sentence = "c.made >= a.opened along c(b) -> b(a)"
    assert mined(data) == {sentence: "all 500"}
    assert str(parse_rule(sentence, schema)) == sentence
    with pytest.raises(RuleError, match="must begin where"):
        parse_rule("c.made >= a.opened along b(a) -> c(b)", schema)
    with pytest.raises(RuleError, match="ends in `a`, not in `c`"):
        parse_rule("c.made >= c.made along c(b) -> b(a)", schema)
    broken = Data(**{**vars(data), "values": {"a": {"opened": opened}, "c": {"made": -made}}})
    assert mined(broken) == {}


def test_a_slip_is_tolerated_and_told() -> None:
    rng = np.random.default_rng(2)
    a = rng.integers(0, 1000, 1000).astype(float)
    b = a + rng.integers(1, 900, 1000)
    b[5] = a[5] - 3
    data = data_of({"a": a, "b": b})
    assert mined(data) == {"rental.b >= rental.a": "999 of 1000"}
    assert "999 of 1000" in choose(mine(data), None, data)[1][0]


def test_few_rows_and_disjoint_ranges_give_nothing() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 1000, 10).astype(float)
    assert mined(data_of({"a": a, "b": a + rng.integers(1, 900, 10)})) == {}
    a = rng.integers(1900, 2000, 5000).astype(float)
    assert mined(data_of({"a": a, "b": a + rng.integers(100, 200, 5000)})) == {}


def test_random_tables_give_no_rule() -> None:
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rows = int(rng.integers(5, 400))
        parents = max(rows // 7, 1)
        columns = {f"c{i}": _random(rng, rows) for i in range(8)}
        above = {f"p{i}": _random(rng, parents) for i in range(3)}
        found += mined(data_of(columns, rng.integers(0, parents, rows), **above))
    assert found == []


def _random(rng: np.random.Generator, rows: int) -> np.ndarray:
    kind = rng.integers(0, 6)
    drawn = [
        lambda: rng.integers(0, 3, rows).astype(float),
        lambda: rng.integers(1, 60, rows).astype(float),
        lambda: np.round(rng.lognormal(3, 1, rows), 2),
        lambda: rng.normal(0, 1, rows),
        lambda: np.full(rows, 5.0),
        lambda: np.sort(rng.integers(0, 10_000, rows)).astype(float),
    ][kind]()
    if rng.random() < 0.3:
        drawn[rng.random(rows) < 0.3] = np.nan
    return drawn


def test_a_list_of_rules_strikes_and_declares() -> None:
    rng = np.random.default_rng(4)
    a = rng.integers(0, 1000, 500).astype(float)
    data = data_of({"a": a, "b": a + rng.integers(0, 900, 500), "c": a[::-1].copy()})
    found = mine(data)
    assert len(found) == 1
    assert choose(found, (), data) == ((), ())
    declared = parse_rule("rental.c >= rental.a", data.schema)
    kept, notes = choose(found, (declared,), data)
    assert [(str(k.rule), k.declared, k.of) for k in kept] == [(str(declared), True, 500)]
    assert "declared, not mined" in notes[0]
