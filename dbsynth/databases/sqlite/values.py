"""Values of SQLite as Arrow arrays and back.

SQLite stores integers, reals, texts and blobs.  A date or a time is a text in one of the ISO
shapes; `Column.text_format` keeps the shape (``YYYY-MM-DD HH:MM:SS``), so that it is written as it
was read.  Texts come as bytes.  What is not UTF-8 is replaced by U+FFFD.  A value that is not of
its column's kind, which only rows beyond those that the reflection looks at can hold, is taken for
missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import ARROW
from dbsynth.schema import Column, Kind

_FINEST = {Kind.TIME: "HH:MM:SS.ffffff", Kind.TIMESTAMP: "YYYY-MM-DD HH:MM:SS.ffffff"}
_SHAPE = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)?(?P<between>[ T])?"
    r"(?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?P<zone>Z|\+00:00)?",
    re.ASCII,
)
_FIRST_DAY, _LAST_DAY, _DAY = -719_162, 2_932_896, 86_400_000_000  # 0001-01-01 to 9999-12-31
_ZONE = re.compile(r"(Z|\+00:00)$")


def arrow_type(kind: Kind) -> pa.DataType:
    """The Arrow type that carries values of a kind."""
    return ARROW.get(kind, pa.string())


def shape_of(text: str) -> tuple[Kind, str] | None:
    """The kind and format of a date, time or timestamp in ISO form, or None.

    >>> shape_of("2020-01-31T10:11:12.5Z")
    (<Kind.TIMESTAMP: 'timestamp'>, 'YYYY-MM-DDTHH:MM:SS.fZ')
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    date, between, time, zone = match["date"], match["between"], match["time"], match["zone"]
    if bool(between) != bool(date and time) or (zone and not between):
        return None
    form = "HH:MM:SS"[: len(time)] + "." * (len(time) > 8) + "f" * (len(time) - 9) if time else ""
    whole = ("YYYY-MM-DD" if date else "") + (between or "") + form + (zone or "")
    if date and time:
        return Kind.TIMESTAMP, whole
    return (Kind.DATE, whole) if date else (Kind.TIME, whole) if time else None


def fits(values: Sequence[Any], kind: Kind, text_format: str) -> bool:
    """Whether all values survive the way to Arrow and back."""
    try:
        texts = _texts(values)
        return bool(texts.equals(_written(_moments(texts, kind, text_format), kind, text_format)))
    except pa.ArrowInvalid:
        return False


def decoded(values: Sequence[Any], column: Column) -> pa.Array:
    """Values as SQLite hands them out, in the Arrow type of the column's kind."""
    try:
        return _decoded(values, column)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array(
            [_decoded_alone(value, column) for value in values], arrow_type(column.kind)
        )


def stored(array: pa.Array, column: Column) -> pa.Array:
    """An Arrow array as SQLite stores it: int64, float64, string or binary."""
    kind = column.kind
    array = array.cast(arrow_type(kind)) if array.type != arrow_type(kind) else array
    match kind:
        case Kind.BOOLEAN | Kind.INTERVAL:
            return array.cast(pa.int64())
        case Kind.DECIMAL if column.scale is not None:
            return pc.round(array, column.scale)
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            array = _within_calendar(array)
            return _written(array, kind, column.text_format or _FINEST.get(kind, "YYYY-MM-DD"))
        case _:
            return array


def python_values(array: pa.Array) -> list[Any]:
    """The values of a stored array as Python objects, fast."""
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)
    return series.to_list()


def _decoded(values: Sequence[Any], column: Column) -> pa.Array:
    match column.kind:
        case Kind.INTEGER:
            return pa.array(values, pa.int64())
        case Kind.BOOLEAN | Kind.INTERVAL:
            return pa.array(values, pa.int64()).cast(arrow_type(column.kind))
        case Kind.FLOAT | Kind.DECIMAL:
            return _floats(values)
        case Kind.BYTES:
            return pa.array(values, pa.binary())
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            return _moments(_texts(values), column.kind, column.text_format)
        case _:
            return _texts(values)


def _decoded_alone(value: Any, column: Column) -> Any:
    """One value in its kind's Arrow type, or None where it does not fit."""
    try:
        return _decoded([value], column)[0].as_py()
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError):
        return None


def _floats(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values, pa.float64())
    except pa.ArrowInvalid:  # an integer beyond 2**53
        return pa.array([None if v is None else float(v) for v in values], pa.float64())


def _texts(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([_text(v) for v in values], pa.string())


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else repr(value)


def _moments(texts: pa.Array, kind: Kind, text_format: str) -> pa.Array:
    zone = len(_zone(text_format))
    plain = pc.utf8_slice_codeunits(texts, 0, -zone) if zone else texts
    if kind is Kind.TIME:  # Arrow reads no times without a day
        plain = pc.binary_join_element_wise("1970-01-01", plain, " ").cast(pa.timestamp("us"))
    return plain.cast(arrow_type(kind))


def _within_calendar(array: pa.Array) -> pa.Array:
    """Days and moments that are infinite or BC elsewhere, as the first or last of the calendar."""
    if pa.types.is_time(array.type):
        return array
    low, high = _FIRST_DAY, _LAST_DAY
    if pa.types.is_timestamp(array.type):
        low, high = low * _DAY, (high + 1) * _DAY - 1
    width = pa.int32() if pa.types.is_date(array.type) else pa.int64()
    whole = array.cast(width)
    held = pc.min_element_wise(pc.max_element_wise(whole, low, skip_nulls=False), high,
                               skip_nulls=False)  # fmt: skip
    return held.cast(width).cast(array.type)


def _written(array: pa.Array, kind: Kind, text_format: str) -> pa.Array:
    zone = _zone(text_format)
    texts = pc.utf8_slice_codeunits(array.cast(pa.string()), 0, len(text_format) - len(zone))
    if kind is Kind.TIMESTAMP and "T" in text_format:
        texts = pc.replace_substring(texts, " ", "T")
    return pc.binary_join_element_wise(texts, zone, "") if zone else texts


def _zone(text_format: str) -> str:
    match = _ZONE.search(text_format)
    return match.group() if match else ""
