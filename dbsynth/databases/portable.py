"""CHECK constraints that mean the same in another kind of database.

Only those are carried over that compare columns with each other and with literals of their own
sort.  All others depend on casts, functions or collations, and are lost rather than guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dbsynth.schema import Check, Kind, Schema, Table

DIALECT = {"postgresql": "postgres", "sqlite": "sqlite"}
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})
_TEXTS = frozenset({Kind.TEXT, Kind.ENUM, Kind.UUID})
# casts that change no comparison
_WIDENING = exp.DataType.TEXT_TYPES | {
    exp.DataType.Type.DECIMAL,
    exp.DataType.Type.DOUBLE,
    exp.DataType.Type.FLOAT,
}
_ORDER = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between)
_ALLOWED = (
    *_ORDER,
    exp.EQ,
    exp.NEQ,
    exp.In,
    exp.Is,
    exp.Null,
    exp.And,
    exp.Or,
    exp.Not,
    exp.Paren,
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Neg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Length,
)


def translated(check: Check, table: Table, source: str, target: str) -> str | None:
    """The CHECK in the words of the target's kind, or None where it is not portable."""
    try:
        tree = sqlglot.parse_one(check.sql, read=DIALECT[source])
        tree = tree.transform(_plain)
        if not _is_portable(tree, table):
            return None
        for column in tree.find_all(exp.Column):
            column.replace(exp.column(_own_name(column, table), quoted=True))
        return tree.sql(dialect=DIALECT[target])
    except (SqlglotError, RecursionError):
        return None


def carried(schema: Schema, source: str, target: str) -> Schema:
    """What of a schema still has to hold in a target of another kind, in the words of that kind.

    Keys over plain columns stay; CHECKs stay where they can be translated; keys over expressions,
    partial keys and exclusions are lost with the structure.
    """
    return Schema(tuple(_carried(table, source, target) for table in schema.tables), schema.notes)


def _carried(table: Table, source: str, target: str) -> Table:
    checks = ((check, translated(check, table, source, target)) for check in table.checks)
    return replace(
        table,
        uniques=tuple(key for key in table.uniques if key.plain),
        checks=tuple(replace(check, sql=sql) for check, sql in checks if sql is not None),
        exclusions=(),
    )


def _plain(node: exp.Expression) -> exp.Expression:
    """Without the casts that PostgreSQL writes everywhere, and with IN for = ANY (ARRAY ...)."""
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        array = node.expression.this
        while isinstance(array, exp.Paren | exp.Cast):
            array = array.this
        if isinstance(array, exp.Array):
            return exp.In(this=node.this, expressions=array.expressions).transform(_plain)
    if isinstance(node, exp.Cast):
        inner = node.this.unnest()
        literal = isinstance(inner, exp.Literal)
        if literal and inner.is_string and node.to.this in exp.DataType.NUMERIC_TYPES:
            return _negative_too(inner.name)  # PostgreSQL writes '-90'::integer
        if node.to.this in _WIDENING or (literal and node.to.this in exp.DataType.NUMERIC_TYPES):
            return _plain(inner)
    return node


def _negative_too(number: str) -> exp.Expression:
    positive = exp.Literal.number(number.removeprefix("-"))
    return exp.Neg(this=positive) if number.startswith("-") else positive


def _is_portable(tree: exp.Expression, table: Table) -> bool:
    nodes = list(tree.walk())
    if not all(isinstance(node, _ALLOWED) for node in nodes):
        return False
    sorts = {_sort(node, table) for node in nodes if isinstance(node, exp.Column | exp.Literal)}
    if sorts == {"number"}:
        return True
    # texts are ordered by collations, which differ
    return sorts == {"text"} and not any(isinstance(node, (*_ORDER, exp.Add)) for node in nodes)


def _sort(node: exp.Expression, table: Table) -> str:
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    column = table.column_by_name.get(_own_name(node, table))
    if column is None:
        return "unknown"
    if isinstance(node.parent, exp.Length):
        return "number" if column.kind in _TEXTS else "unknown"
    if column.kind in _NUMBERS:
        return "number"
    return "text" if column.kind in _TEXTS else "other"


def _own_name(column: exp.Expression, table: Table) -> str:
    """The column's name as the table spells it; unquoted names ignore case."""
    return _spelling(column.name, table.column_by_name)


def _spelling(name: str, known: Iterable[str]) -> str:
    known = tuple(known)
    if name in known:
        return name
    return next((other for other in known if other.lower() == name.lower()), name)
