from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbsynth.errors import Unsatisfiable
from dbsynth.keys import Mint, fit_mint, group_ids, hash_keys, join, rank_in_group
from dbsynth.schema import Column, Kind, Table
from dbsynth.settle.distinct import folded

MINTS = [
    pytest.param(Mint(1, 1000, 1000, limit=2**31 - 1), id="dense"),
    pytest.param(Mint(17, 90_000_000, 1000, limit=2**31 - 1), id="sparse"),
    pytest.param(Mint(30_000, 32_767, 2000, limit=2**15 - 1), id="smallint"),
    pytest.param(Mint(-500, 10**15, 50, limit=2**63 - 1), id="bigint"),
]


@pytest.mark.parametrize("total", [1, 500, 1000, 3000])
@pytest.mark.parametrize("mint", MINTS)
def test_minted_numbers_grow_and_fit(mint: Mint, total: int) -> None:
    numbers = mint.draw(np.arange(total), total, key=5)
    assert (np.diff(numbers) > 0).all()
    assert numbers.min() >= mint.floor
    assert numbers.max() <= mint.limit


@pytest.mark.parametrize("mint", MINTS)
def test_a_minted_number_depends_on_its_position_alone(mint: Mint) -> None:
    whole = mint.draw(np.arange(900), 900, key=5)
    part = mint.draw(np.arange(400, 600), 900, key=5)
    assert part.tolist() == whole[400:600].tolist()


def test_more_numbers_than_a_column_can_hold_are_refused() -> None:
    mint = Mint(1, 100, 100, limit=2**15 - 1)
    assert mint.capacity == 2**16
    with pytest.raises(Unsatisfiable, match="70000 different numbers"):
        mint.draw(np.arange(10), 70_000, key=1)


def test_unwanted_numbers_are_stepped_around() -> None:
    mint = Mint(0, 99_999, 1000, limit=2**31 - 1)
    even = mint.draw(np.arange(1000), 1000, key=1, unwanted=lambda numbers: numbers % 2 == 1)
    assert (even % 2 == 0).all()
    assert len(np.unique(even)) == 1000


def test_fitted_mint_keeps_within_digits() -> None:
    mint = fit_mint(np.array([5, 70, 99]), 3, 1.0, None, 2)
    assert mint.limit == 99


def test_keys_join_whatever_their_types() -> None:
    child, complete = hash_keys([pa.array([3.0, None, 1.0, 9.0])])
    parent, _ = hash_keys([pa.array(["1", "2", "3"])])
    links, orphans = join(child, complete, parent)
    assert (links.tolist(), orphans) == ([2, -1, 0, -1], 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=40))
def test_groups_and_ranks(pairs: list[tuple[int, int]]) -> None:
    left, right = (np.array([p[i] for p in pairs], np.int64) for i in (0, 1))
    groups = group_ids([left, right])
    ranks = rank_in_group(groups)
    assert len(set(zip(groups.tolist(), pairs, strict=True))) == len(set(pairs))
    assert ranks.tolist() == [pairs[:i].count(pair) for i, pair in enumerate(pairs)]


def test_times_beyond_the_calendar_are_keys_like_others() -> None:
    days = pa.array([2**31 - 1, -(2**31), 0, None], pa.int32()).cast(pa.date32())
    moments = pa.array([2**63 - 1, -(2**63), 0, None], pa.int64()).cast(pa.timestamp("us", "UTC"))
    midnights = pa.array([86_400_000_000, 5, 0, None], pa.int64()).cast(pa.time64("us"))
    for column in (days, moments, midnights):
        hashes, complete = hash_keys([column])
        assert complete.tolist() == [True, True, True, False]
        assert len(set(hashes[:3].tolist())) == 3


def test_a_key_over_all_of_64_bits_grows_with_the_rows_and_stays_inside() -> None:
    mint = Mint(-(2**62), 2**62, 100, limit=2**63 - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = mint.draw(np.arange(400), 400, 3)
    assert len(set(drawn.tolist())) == 400
    assert drawn.min() >= -(2**62)


def test_case_makes_no_difference_where_the_database_says_so() -> None:
    column = Column("login", Kind.TEXT, "citext")
    table = Table("person", "person", None, (column, Column("nick", Kind.TEXT, "text")))
    values = pa.chunked_array([["Ann", "ann", None]])
    assert folded(table, "login", values).to_pylist() == ["ann", "ann", None]
    assert folded(table, "nick", values).to_pylist() == ["Ann", "ann", None]
