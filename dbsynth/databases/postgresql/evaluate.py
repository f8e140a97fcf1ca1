"""Values of SQL expressions over rows that are nowhere stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from dbsynth.databases.postgresql.connect import Connection, command, refused
from dbsynth.databases.postgresql.encode import csv_encoder
from dbsynth.databases.postgresql.load import copy_in
from dbsynth.databases.postgresql.names import qualified, quote
from dbsynth.databases.postgresql.read import batches
from dbsynth.schema import Table

_BOOLEAN = 16  # the number of type boolean in every PostgreSQL
_ROWS = "dbsynth_rows"
_BATCH_ROWS = 65_536


def evaluate(
    connection: Connection,
    table: Table,
    rows: pa.Table,
    expressions: Sequence[str],
    *,
    like: str | None = None,
) -> pa.Table:
    """See `dbsynth.databases.base.Stage.evaluate`.

    ``like`` is the created table, where the column types of ``table`` are another database's.
    """
    names = rows.column_names
    computed = {} if like is not None else _computed(connection, table, names)
    with (
        refused(f"Cannot evaluate expressions over table `{table.name}`"),
        connection.transaction(force_rollback=True),  # takes the scratch table away
    ):
        command(connection, _scratch_table(table, names, like))
        _fill(connection, table, rows)
        return _ask(connection, table, expressions, computed)


def _computed(connection: Connection, table: Table, names: Sequence[str]) -> dict[str, str]:
    """Expressions of the generated columns, where all that they may mention is given."""
    columns = [column for column in table.columns if column.generated]
    if not columns or not {column.name for column in table.written} <= set(names):
        return {}
    query = (
        "SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attribute"
        " JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        " WHERE attgenerated <> '' AND attrelid = %s::regclass"
    )
    with connection.cursor() as cursor:
        expressions: dict[str, str] = dict(cursor.execute(query, (qualified(table),)).fetchall())
    return {c.name: f"({expressions[c.name]})::{c.base_type}" for c in columns}


def _scratch_table(table: Table, names: Sequence[str], like: str | None) -> str:
    if like is not None:
        listed = ", ".join(map(quote, names))
        return f"CREATE TEMPORARY TABLE {_ROWS} AS SELECT {listed} FROM {like} WITH NO DATA"
    columns = [f"{quote(n)} {table.column_by_name[n].base_type}" for n in names]
    return f"CREATE TEMPORARY TABLE {_ROWS} ({', '.join(columns)})"


def _fill(connection: Connection, table: Table, rows: pa.Table) -> None:
    encode = csv_encoder(table, rows.column_names)
    chunks = (encode(batch) for batch in rows.to_batches(_BATCH_ROWS))
    if rows.column_names:
        copy_in(connection, f"pg_temp.{_ROWS}", rows.column_names, chunks, table.name)
    else:
        count = f"SELECT FROM pg_catalog.generate_series(1, {rows.num_rows})"
        command(connection, f"INSERT INTO pg_temp.{_ROWS} {count}")


def _ask(
    connection: Connection, table: Table, expressions: Sequence[str], computed: Mapping[str, str]
) -> pa.Table:
    # The alias is the table's own name, which stands in references to a whole row.
    source = f"FROM pg_temp.{_ROWS} AS {quote(table.bare)}"
    if computed:
        added = ", ".join(f"{sql} AS {quote(name)}" for name, sql in computed.items())
        source = f"FROM (SELECT *, {added} FROM pg_temp.{_ROWS}) AS {quote(table.bare)}"
    listed = ", ".join(f"({expression})" for expression in expressions)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {listed} {source} LIMIT 0".encode())
        boolean = [column.type_code == _BOOLEAN for column in cursor.description or ()]
    parts = [
        f"({expression})" if is_boolean else f"({expression})::text"
        for expression, is_boolean in zip(expressions, boolean, strict=True)
    ]
    # No ORDER BY: the server scans a scratch table, filled once and by one session, from its first
    # row to its last (no other process may help), and numbering the rows would double the time.
    query = f"SELECT {', '.join(parts)} {source}"
    schema = pa.schema(
        [
            (str(i), pa.bool_() if is_boolean else pa.string())
            for i, is_boolean in enumerate(boolean)
        ]
    )
    return pa.Table.from_batches(batches(connection, query, schema, _BATCH_ROWS), schema)
