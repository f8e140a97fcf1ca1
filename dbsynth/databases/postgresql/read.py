"""Rows as Arrow batches: ``COPY (SELECT ...) TO STDOUT`` in CSV, parsed by Arrow.

The server brings awkward values (timestamps BC, NaN in whole numbers, 24:00) into the range of the
Arrow types, so that the parser never meets them.  Days and moments without end are the ends of the
Arrow types (`dbsynth.codec.ENDLESS`).  In CSV an empty field is NULL and a quoted
empty one is the empty string.
"""

from __future__ import annotations

import selectors
from collections.abc import Iterator, Sequence
from io import BytesIO

import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import pq
from pyarrow import csv

from dbsynth.codec import ENDLESS, arrow_type
from dbsynth.databases.postgresql.connect import Connection
from dbsynth.databases.postgresql.names import column_list, quote
from dbsynth.errors import DatabaseError
from dbsynth.schema import Column, Kind, Table

_FIRST, _LAST = "0001-01-01 00:00:00.000003", "9999-12-31 23:59:59.999997"  # for infinity
_BATCH_BYTES = 64 << 20


def arrow_schema(table: Table, columns: Sequence[str]) -> pa.Schema:
    """The Arrow schema of some columns of a table."""
    return pa.schema([(name, arrow_type(table.column_by_name[name])) for name in columns])


def select(table: Table, columns: Sequence[str], origin: str) -> str:
    """The query of some columns ``FROM origin``, written so that `parse` understands its rows."""
    parts = ", ".join(_expression(table.column_by_name[name]) for name in columns) or "NULL"
    order = f" ORDER BY {column_list(table.primary_key)}" if table.primary_key else ""
    return f"SELECT {parts} FROM {origin}{order}"


def _expression(column: Column) -> str:
    name = quote(column.name)
    match column.kind:
        case Kind.INTEGER if column.precision is not None:  # numeric without fraction
            return f"NULLIF({name}, 'NaN')::int8"
        case Kind.DECIMAL if (column.base_type or column.sql_type) == "money":
            return f"{name}::numeric"
        case Kind.DECIMAL if column.precision is None:  # may be wider than a float
            return (
                f"CASE WHEN abs({name}) <= 1e308 OR {name} = 'NaN' THEN {name}::float8"
                f" WHEN {name} > 0 THEN 'Infinity' WHEN {name} < 0 THEN '-Infinity' END"
            )
        case Kind.DATE:
            low, high = ENDLESS[Kind.DATE]
            return (
                f"CASE {name} WHEN '-infinity' THEN {low} WHEN 'infinity' THEN {high}"
                f" ELSE {name} - date '1970-01-01' END"
            )
        case Kind.TIMESTAMP:
            plain = f"({name} AT TIME ZONE 'UTC')" if column.zoned else name
            clipped = _clipped(plain, "timestamp", "0001-01-01", "9999-12-31 23:59:59.999999")
            return (
                f"CASE {name} WHEN '-infinity' THEN timestamp '{_FIRST}'"
                f" WHEN 'infinity' THEN timestamp '{_LAST}' ELSE {clipped} END"
            )
        case Kind.TIME:
            return _clipped(name, "time", "00:00", "23:59:59.999999")
        case Kind.BYTES:
            return f"encode({name}, 'hex')"
        case _:
            return name


def _clipped(name: str, type_name: str, low: str, high: str) -> str:
    low, high = f"{type_name} '{low}'", f"{type_name} '{high}'"
    return f"CASE WHEN {name} < {low} THEN {low} WHEN {name} > {high} THEN {high} ELSE {name} END"


def batches(
    connection: Connection, query: str, schema: pa.Schema, batch_rows: int
) -> Iterator[pa.RecordBatch]:
    """The rows of a query, parsed, in batches of a bounded size."""
    repair = unchecked(connection)
    for lines, count in _blocks(connection, query, batch_rows):
        text = lines.decode(errors="replace").encode() if repair else lines
        yield parse(text, schema, count)


def unchecked(connection: Connection) -> bool:
    """Whether the server takes texts for mere bytes, so that they may be in any encoding."""
    return connection.info.parameter_status("server_encoding") == "SQL_ASCII"


def parse(lines: bytes, schema: pa.Schema, count: int) -> pa.RecordBatch:
    """CSV lines as the server writes them, as one batch."""
    if not schema.names:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * count, pa.struct([])))
    places = [str(place) for place in range(len(schema))]
    try:
        return _parse(lines, schema, places)
    except pa.ArrowInvalid:  # its message quotes the value
        where = _unreadable(lines, schema, places)
    raise DatabaseError(
        f"A value of {where} cannot be read",
        hint="Give the table the strategy `empty` in the spec, and report the type of the column",
    )


def _unreadable(lines: bytes, schema: pa.Schema, places: Sequence[str]) -> str:
    """The column that the parser stumbles over."""
    texts = _parse(lines, pa.schema([(name, pa.string()) for name in schema.names]), places)
    for field, column in zip(schema, texts.columns, strict=True):
        try:
            _finished(pa.chunked_array([column.cast(_parsed(field.type))]), field.type)
        except pa.ArrowInvalid:
            return f"column `{field.name}`"
    return f"the columns {', '.join(schema.names)}"


def _parse(lines: bytes, schema: pa.Schema, places: Sequence[str]) -> pa.RecordBatch:
    read = csv.read_csv(
        BytesIO(lines),
        read_options=csv.ReadOptions(column_names=places, block_size=len(lines) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types={p: _parsed(f.type) for p, f in zip(places, schema, strict=True)},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    columns = [
        _finished(column, field.type) for column, field in zip(read.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _parsed(wanted: pa.DataType) -> pa.DataType:
    if pa.types.is_date(wanted):
        return pa.int32()
    if pa.types.is_timestamp(wanted):
        return pa.timestamp("us")
    return pa.string() if pa.types.is_binary(wanted) else wanted


def _finished(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if pa.types.is_binary(wanted):
        decoded = pl.Series("", pl.from_arrow(array), dtype=pl.String).str.decode("hex")
        return decoded.to_arrow().cast(wanted)
    if pa.types.is_timestamp(wanted):
        array = _without_end(array)
    return array.cast(wanted) if array.type != wanted else array


def _without_end(moments: pa.Array) -> pa.Array:
    """Moments, those that stand for infinity moved to the ends of their type."""
    low, high = ENDLESS[Kind.TIMESTAMP]
    for sign, end in ((_FIRST, low), (_LAST, high)):
        found = pc.equal(moments, pa.scalar(sign).cast(pa.timestamp("us")))
        if pc.any(found).as_py():
            moments = pc.if_else(found, pa.scalar(end, pa.int64()).cast(moments.type), moments)
    return moments


def _blocks(connection: Connection, query: str, batch_rows: int) -> Iterator[tuple[bytes, int]]:
    """The lines that the server sends, joined to blocks.

    The driver's own copy object costs three times as much a row as these calls to libpq.
    """
    wire = connection.pgconn
    wire.send_query(f"COPY ({query}) TO STDOUT (FORMAT csv)".encode())
    with selectors.DefaultSelector() as selector:
        selector.register(wire.socket, selectors.EVENT_READ)
        _expect(wire, _result(wire, selector), pq.ExecStatus.COPY_OUT)
        lines: list[bytes] = []
        size = 0
        while (length := _line(wire, selector, lines)) >= 0:
            size += length
            if len(lines) >= batch_rows or size >= _BATCH_BYTES:
                yield b"".join(lines), len(lines)
                lines, size = [], 0
        if lines:
            yield b"".join(lines), len(lines)
        _expect(wire, _result(wire, selector), pq.ExecStatus.COMMAND_OK)
        _result(wire, selector)


def _line(wire: pq.abc.PGconn, selector: selectors.BaseSelector, lines: list[bytes]) -> int:
    while True:
        length, data = wire.get_copy_data(1)
        if length > 0:
            lines.append(bytes(data))
        if length != 0:
            return length
        selector.select()
        wire.consume_input()


def _result(wire: pq.abc.PGconn, selector: selectors.BaseSelector) -> pq.abc.PGresult | None:
    while wire.is_busy():
        selector.select()
        wire.consume_input()
    return wire.get_result()


def _expect(wire: pq.abc.PGconn, result: pq.abc.PGresult | None, status: pq.ExecStatus) -> None:
    if result is None:
        raise psycopg.OperationalError("the connection was lost")
    if result.status != status:
        error = psycopg.errors.error_from_result(result)
        while wire.get_result() is not None:  # or the connection would stay busy
            pass
        raise error
