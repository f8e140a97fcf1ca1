"""Arrow batches as CSV for ``COPY ... FROM STDIN``, written by polars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from dbsynth.codec import ENDLESS
from dbsynth.schema import Column, Kind, Table

_JULIAN = 2_440_588  # of 1970-01-01
_ORDINARY_DAYS = (-719_162, 2_932_896)  # the years 1 to 9999
_ORDINARY_MOMENTS = (-719_162 * 86_400_000_000, 2_932_897 * 86_400_000_000 - 1)
_MOST_DIGITS = 300  # of a float before its point
COPY_OPTIONS = "FORMAT csv, NULL ''"


@dataclass(frozen=True, slots=True)
class CsvEncoder:
    """A `dbsynth.databases.base.Encoder` for the columns it holds, in their order.

    Texts are quoted and NULLs are not, so the empty string stays apart from NULL and no text is
    taken for the end of the data.
    """

    columns: tuple[Column, ...]

    def __call__(self, batch: pa.RecordBatch) -> bytes:
        """The batch as lines of CSV."""
        if not self.columns or not batch.num_rows:
            return b""
        frame = pl.DataFrame(pl.from_arrow(batch.select([c.name for c in self.columns])))
        written = frame.select(_written(c, frame[c.name]).alias(c.name) for c in self.columns)
        return written.write_csv(
            include_header=False,
            quote_style="non_numeric",
            null_value="",
            datetime_format="%Y-%m-%d %H:%M:%S%.6f",
            time_format="%H:%M:%S%.6f",
        ).encode()


def csv_encoder(table: Table, columns: Sequence[str]) -> CsvEncoder:
    """The encoder of some columns of a table."""
    return CsvEncoder(tuple(table.column_by_name[name] for name in columns))


def _written(column: Column, values: pl.Series) -> pl.Expr:
    value, found = pl.col(column.name), values.dtype
    if found == pl.Date and _odd(values, _ORDINARY_DAYS):
        return _days(value)
    if found == pl.Duration:
        return _interval(value)
    if found == pl.Binary:
        return pl.lit("\\x") + value.bin.encode("hex")
    if isinstance(found, pl.Datetime):
        zone = "UTC" if found.time_zone else None
        utc = value.dt.convert_time_zone("UTC") if zone else value
        text = utc.dt.replace_time_zone(None)
        if _odd(values, _ORDINARY_MOMENTS):
            return _moments(text)
        return text.dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00") if column.zoned else text
    if column.kind is Kind.INTEGER and found.is_float():
        return value.round().cast(pl.Int64)
    if column.kind is Kind.DECIMAL and found.is_float():
        if column.scale is None:  # the server keeps the digits it is given: 5.0 is not 5
            return value.cast(pl.String).str.strip_suffix(".0")
        return _within(value.round(max(column.scale, 0)), column)
    if isinstance(found, pl.Categorical):
        return value.cast(pl.String)
    return value


def _odd(values: pl.Series, ordinary: tuple[int, int]) -> bool:
    """Whether days or moments are there that only the server can write."""
    whole = values.to_physical()
    return bool(((whole < ordinary[0]) | (whole > ordinary[1])).any())


def _days(value: pl.Expr) -> pl.Expr:
    """Days as their Julian numbers, which reach further than dates."""
    days = value.to_physical().cast(pl.Int64)
    low, high = ENDLESS[Kind.DATE]
    return (
        pl.when(days == low).then(pl.lit("-infinity"))
        .when(days == high).then(pl.lit("infinity"))
        .otherwise(pl.format("J{}", days + _JULIAN))
    )  # fmt: skip


def _moments(value: pl.Expr) -> pl.Expr:
    whole = value.to_physical()
    low, high = ENDLESS[Kind.TIMESTAMP]
    held = whole.clip(*_ORDINARY_MOMENTS).cast(pl.Datetime("us"))
    return (
        pl.when(whole == low).then(pl.lit("-infinity"))
        .when(whole == high).then(pl.lit("infinity"))
        .otherwise(held.dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00"))
    )  # fmt: skip


def _within(value: pl.Expr, column: Column) -> pl.Expr:
    """Numbers that rounding has carried past the column's digits, brought back."""
    if column.precision is None or column.scale is None:
        return value
    if column.precision - column.scale > _MOST_DIGITS:
        return value
    above = 10.0 ** (column.precision - column.scale)
    most = min(above - 10.0**-column.scale, math.nextafter(above, 0.0))
    return pl.when(value.is_finite()).then(value.clip(-most, most)).otherwise(value)


def _interval(value: pl.Expr) -> pl.Expr:
    """Whole days and microseconds: a single unit would overflow the server's parser."""
    total = value.dt.total_microseconds()
    days, rest = total // 86_400_000_000, total % 86_400_000_000
    return pl.format("{} days {} microseconds", days, rest)
