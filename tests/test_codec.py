from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from dbsynth.codec import (
    Category,
    codec_from_json,
    fit_category,
    fit_number,
    k_threshold,
    parse_form,
    write_form,
)  # fmt: skip
from dbsynth.schema import Column, Kind

ROWS = 4000
RANDOM = np.random.Generator(np.random.Philox(3))


def _round_trip(column: Column, values: pa.Array) -> pa.Array:
    """Encoded and decoded again, through the saved state."""
    codec = fit_number(column, values, 5)
    restored = codec_from_json(json.loads(json.dumps(codec.to_json())))
    codes = codec.encode(values)
    return restored.decode(codes, np.arange(len(codes)), 11)


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (Column("n", Kind.FLOAT, "real"), RANDOM.normal(50, 9, ROWS)),
        (Column("n", Kind.FLOAT, "real"), RANDOM.lognormal(3, 1, ROWS)),
        (Column("n", Kind.DECIMAL, "numeric(8,2)", scale=2), RANDOM.gamma(2, 30, ROWS).round(2)),
    ],
    ids=["normal", "skewed", "decimal"],
)
def test_quantiles_survive(column: Column, numbers: np.ndarray) -> None:
    decoded = np.asarray(_round_trip(column, pa.array(numbers)))
    levels = np.linspace(0.02, 0.98, 25)
    # Within a 64th of the rows a value is interpolated, so a level moves by at most 1/64 + 2/320.
    reached = (decoded[:, None] <= np.quantile(numbers, levels)).mean(axis=0)
    assert np.abs(reached - levels).max() < 1 / 64 + 2 / 320


def test_null_nan_and_infinity_survive() -> None:
    special = [None, float("nan"), float("inf"), float("-inf")]
    values = pa.array([*special, *RANDOM.normal(0, 1, 200)], pa.float64(), from_pandas=False)
    decoded = _round_trip(Column("n", Kind.FLOAT, "real"), values).to_pylist()
    assert repr(decoded[:4]) == repr(special)
    assert all(value is not None and np.isfinite(value) for value in decoded[4:])


def test_grids_survive() -> None:
    fives = pa.array((RANDOM.integers(0, 5000, ROWS) * 5).tolist())
    decoded = _round_trip(Column("n", Kind.INTEGER, "integer"), fives).to_pylist()
    assert all(value % 5 == 0 for value in decoded)
    hours = [datetime(2024, 1, 1) + timedelta(hours=int(h)) for h in RANDOM.integers(0, 9999, ROWS)]
    decoded = _round_trip(
        Column("t", Kind.TIMESTAMP, "timestamp"), pa.array(hours, pa.timestamp("us"))
    )
    assert all(value.minute == value.second == 0 for value in decoded.to_pylist())


def test_dates_stay_within_their_range() -> None:
    days = pa.array(
        [date(2020, 1, 1) + timedelta(days=int(d)) for d in RANDOM.integers(0, 900, ROWS)]
    )
    decoded = _round_trip(Column("d", Kind.DATE, "date"), days).to_pylist()
    assert min(days.to_pylist()) <= min(decoded)
    assert max(decoded) <= max(days.to_pylist())


def test_rare_values_leave_no_trace() -> None:
    values = pa.array(["red"] * 50 + ["blue"] * 30 + ["only me"] * 2 + [None] * 3)
    category = fit_category(Column("c", Kind.TEXT, "text"), values, k_threshold(85))
    assert "only me" not in json.dumps(category.to_json())
    decoded = category.decode(category.encode(values), np.arange(85), 1).to_pylist()
    assert set(decoded) == {"red", "blue", None}
    assert decoded[-3:] == [None] * 3


def test_enumerations_are_kept_whole() -> None:
    column = Column("e", Kind.ENUM, "mood", choices=("sad", "even", "glad"))
    category = fit_category(column, pa.array(["sad"] * 9), 5)
    assert isinstance(category, Category)
    assert set(category.shown) == {"sad", "even", "glad"}


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("integer", ["0", "12", "-7"]),
        ("decimal:2", ["0.50", "12.00", "-7.25"]),
        ("%d.%m.%Y", ["01.02.2024", "28.02.2023"]),
        ("%Y-%m-%d %H:%M:%S", ["2024-01-31 23:59:59"]),
    ],
)
def test_forms_are_written_as_they_are_read(form: str, texts: list[str]) -> None:
    assert write_form(parse_form(pa.array(texts), form), form).to_pylist() == texts
    assert parse_form(pa.array(["no such thing"]), form).to_pylist() == [None]
