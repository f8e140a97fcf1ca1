"""Values of numeric and time columns as plain numbers, and numbers as values, for rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import (
    Formatted,
    Number,
    form_kind,
    from_numbers,
    parse_form,
    to_numbers,
    write_form,
)
from dbsynth.model import MADE, ColumnModel, TableFacts
from dbsynth.read.times import DAY
from dbsynth.schema import Column, Kind, Table

Float64 = npt.NDArray[np.float64]
_TIMES = (Kind.DATE, Kind.TIMESTAMP)
_LARGEST_POWER = 300  # of ten, as a float
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Quantity:
    """How the values of a column are written as numbers.

    Attributes:
        kind: What the values are, also where they are stored as text.
        form: Their text form; empty where they are no text.
        unit: The least that two values differ by (times in microseconds); 0 for no grid.
        grid: What all values are a multiple of, which may be wider.
        digits: Digits after the point, -1 for no rounding.
        limit: The largest number that the column can hold.
    """

    kind: Kind
    form: str
    unit: float
    digits: int
    zoned: bool = False
    limit: float = np.inf
    grid: float = 0.0

    @property
    def timed(self) -> bool:
        """Whether it is a date or timestamp."""
        return self.kind in _TIMES

    def numbers(self, values: pa.Array) -> Float64:
        """Numbers, times in microseconds; NaN for NULL."""
        if self.form:
            values = parse_form(values, self.form)
        numbers, present = to_numbers(values)
        numbers = np.where(present & np.isfinite(numbers), numbers, np.nan)
        return numbers * DAY if self.kind is Kind.DATE else numbers

    def values(self, numbers: Float64) -> pa.Array:
        """Values on the column's grid; NULL for NaN."""
        present = ~np.isnan(numbers)
        numbers = np.clip(np.where(present, numbers, 0.0), -self.limit, self.limit)
        if self.kind is Kind.DATE:
            numbers = np.floor(numbers / DAY)
        elif self.digits >= 0 and not self.timed:
            numbers = np.round(numbers, self.digits)
        found = from_numbers(numbers, present, self.kind, zoned=self.zoned)
        return write_form(found, self.form) if self.form else found


def quantity_of(table: Table, name: str, facts: TableFacts) -> Quantity | None:
    """The quantity of a column; None where it is none, or a key or an invented number."""
    column, model = table.column_by_name[name], facts.columns.get(name)
    if name in table.foreign_columns() or column.generated or model is None:
        return None
    if facts.strategy == "copy":
        return None if name in table.primary_key else _declared(column)
    codec = model.codec
    if facts.strategy not in MADE or codec is None:
        return None
    form = model.anchor.form if model.anchor else getattr(codec, "form", "")
    kind = form_kind(form) if form else column.kind
    number = codec.number if isinstance(codec, Formatted) else codec
    if not isinstance(number, Number) or kind not in (*_TIMES, *_NUMBERS):
        return None
    if kind in _TIMES:
        unit = DAY if kind is Kind.DATE else 1.0
        step = model.anchor.step if model.anchor else number.step
        return Quantity(kind, form, unit, 0, column.zoned, grid=max(step, unit))
    digits = number.digits if kind is not Kind.INTEGER else 0
    unit = 10.0**-digits if digits >= 0 else 0.0
    return Quantity(kind, form, unit, digits, limit=_limit(column), grid=unit)


def _limit(column: Column) -> float:
    """The largest number that a column can hold."""
    if column.kind is Kind.INTEGER and column.bits:
        return 2.0 ** (column.bits - 1) - 1
    if column.kind in (Kind.INTEGER, Kind.DECIMAL) and column.precision is not None:
        scale = column.scale or 0
        if column.precision - scale > _LARGEST_POWER:
            return np.inf
        return float(10.0 ** (column.precision - scale) - 10.0**-scale)
    return np.inf


def _declared(column: Column) -> Quantity | None:
    """The quantity of a column that is copied, of which only the type is known."""
    if column.kind in _TIMES:
        return Quantity(column.kind, "", DAY if column.kind is Kind.DATE else 1.0, 0, column.zoned)
    if column.kind is Kind.INTEGER:
        return Quantity(column.kind, "", 1.0, 0)
    if column.kind in _NUMBERS:
        digits = -1 if column.scale is None else column.scale
        return Quantity(column.kind, "", 10.0**-digits if digits >= 0 else 0.0, digits)
    return None


def truth_of(column: Column, model: ColumnModel) -> tuple[int, int] | None:
    """The codes of true and false of a boolean column; None for any other."""
    shown = getattr(model.codec, "shown", ())
    if column.kind is not Kind.BOOLEAN or not {"true", "false"} <= set(shown):
        return None
    return 1 + shown.index("true"), 1 + shown.index("false")


def quantities_of(table: Table, facts: TableFacts) -> dict[str, Quantity]:
    """The quantities of a table by the names of their columns."""
    found = {column.name: quantity_of(table, column.name, facts) for column in table.written}
    return {name: quantity for name, quantity in found.items() if quantity is not None}
