"""Times relative to other times: a delivery so many hours after its order, not on some date of its own.

A time column is coded as the distance to its *anchor*, an earlier time of the same row or of the
generating parent, where that is steadier than the time itself.  An order that always holds in the
source (delivered after ordered) then holds in the clone by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import (
    Formatted,
    Number,
    fit_number,
    form_kind,
    from_numbers,
    parse_form,
    to_numbers,
    write_form,
)  # fmt: skip
from dbsynth.model import Anchor, ColumnModel
from dbsynth.schema import Column, Kind

Float64 = npt.NDArray[np.float64]
DAY = 86_400e6  # microseconds
_STEADIER = 0.5  # a distance whose spread is this share of the time's own spread is worth it
_STEADIER_IN_ORDER = 0.95  # less is asked of a distance that never changes its sign
_FEWEST = 30


@dataclass(frozen=True, slots=True)
class Times:
    """The values of a time column in microseconds, NaN for NULL, and the grid on which they lie."""

    numbers: Float64
    step: float
    kind: Kind


def time_of(column: Column, model: ColumnModel) -> tuple[Kind, Number] | None:
    """Kind and codec of a column that holds dates or timestamps; None for any other column."""
    codec = model.codec
    if isinstance(codec, Formatted):
        kind = form_kind(codec.form)
        return (kind, codec.number) if kind in (Kind.DATE, Kind.TIMESTAMP) else None
    if isinstance(codec, Number) and column.kind in (Kind.DATE, Kind.TIMESTAMP):
        return column.kind, codec
    return None


def in_microseconds(values: pa.Array, column: Column, model: ColumnModel) -> Float64:
    """The values of a time column in microseconds, NaN for NULL."""
    found = time_of(column, model)
    assert found is not None
    if isinstance(model.codec, Formatted):
        values = parse_form(values, model.codec.form)
    numbers, present = to_numbers(values)
    return np.where(present, numbers * (DAY if found[0] is Kind.DATE else 1.0), np.nan)


def grid(kind: Kind, number: Number) -> float:
    """The grid of a time column in microseconds."""
    return DAY if kind is Kind.DATE else max(number.step, 1.0)


def best_anchor(
    own: Times, candidates: Iterable[tuple[Anchor, Float64]]
) -> tuple[Anchor, Float64] | None:
    """The anchor with the steadiest distance, and the distances in microseconds; None for none."""
    present = ~np.isnan(own.numbers)
    if present.sum() < _FEWEST:
        return None
    best: tuple[float, Anchor, Float64] | None = None
    spread = _spread(own.numbers[present])
    for anchor, numbers in candidates:
        floor = np.floor(numbers / own.step) * own.step
        distance = own.numbers - floor
        if np.isnan(distance[present]).any():
            continue
        ordered = bool((distance[present] >= 0).all() or (distance[present] <= 0).all())
        ratio = _spread(distance[present]) / spread if spread else 1.0
        if ratio < (_STEADIER_IN_ORDER if ordered else _STEADIER) and (
            best is None or ratio < best[0]
        ):
            best = ratio, anchor, distance
    return None if best is None else best[1:]


def _spread(numbers: Float64) -> float:
    low, high = np.quantile(numbers, [0.05, 0.95])
    return float(high - low)


def anchored(
    column: Column, model: ColumnModel, own: Times, anchor: Anchor, distance: Float64, k: int
) -> tuple[ColumnModel, pa.Array]:
    """The model of a column that is coded as a distance, and the distances to encode."""
    unit = DAY if own.kind is Kind.DATE else 1.0
    kind = Kind.INTEGER if own.kind is Kind.DATE else Kind.INTERVAL
    whole = np.nan_to_num(distance / unit)
    values = from_numbers(whole, ~np.isnan(distance), kind)
    number = fit_number(Column(column.name, kind, ""), values, k)
    form = model.codec.form if isinstance(model.codec, Formatted) else ""
    return replace(model, codec=number, anchor=replace(anchor, step=own.step, form=form)), values


def after_anchor(column: Column, anchor: Anchor, distance: pa.Array, times: Float64) -> pa.Array:
    """Anchor plus distance, as values of the column; NULL where either is."""
    numbers, present = to_numbers(distance)
    present = present & ~np.isnan(times)
    kind = form_kind(anchor.form) if anchor.form else column.kind
    unit = DAY if kind is Kind.DATE else 1.0
    floor = np.floor(np.nan_to_num(times) / anchor.step) * anchor.step
    values = from_numbers((floor + numbers * unit) / unit, present, kind, zoned=column.zoned)
    return write_form(values, anchor.form) if anchor.form else values


def microseconds_of(values: pa.Array, form: str) -> Float64:
    """Values of any time column in microseconds, NaN for NULL."""
    if form:
        values = parse_form(values, form)
    numbers, present = to_numbers(values)
    return np.where(present, numbers * (DAY if pa.types.is_date(values.type) else 1.0), np.nan)


def in_order_of_time(times: Mapping[str, Times]) -> list[str]:
    """Columns by their median; only an earlier one may anchor a later one."""

    def median(name: str) -> float:
        numbers = times[name].numbers
        return float(np.nanmedian(numbers)) if not np.isnan(numbers).all() else np.inf

    return sorted(times, key=lambda name: (median(name), list(times).index(name)))
