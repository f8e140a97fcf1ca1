"""Conditions on the rows of a table: a small part of SQL, understood here and run nowhere else.

Comparisons of columns with literals or with each other, IN, BETWEEN, IS NULL, AND, OR and NOT, with
the three-valued logic of SQL: a row meets a condition that is true, not one that is unknown.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import expressions as sql

from dbsynth.codec import as_text, to_numbers
from dbsynth.schema import Column, Kind

Bool = npt.NDArray[np.bool_]
Values = Callable[[str], pa.Array]
Columns = Mapping[str, Column]
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
_TEXTS = (Kind.TEXT, Kind.ENUM, Kind.BOOLEAN)
_TIMES = (Kind.DATE, Kind.TIMESTAMP)
_PLAIN = (sql.Literal, sql.Boolean, sql.Neg)
_COMPARISONS: Mapping[type[sql.Expr], Callable[[Any, Any], Any]] = {
    sql.EQ: operator.eq,
    sql.NEQ: operator.ne,
    sql.GT: operator.gt,
    sql.GTE: operator.ge,
    sql.LT: operator.lt,
    sql.LTE: operator.le,
}


@dataclass(frozen=True)
class Condition:
    """A condition on the rows of one table.

    Attributes:
        columns: The columns that it mentions, and whether more is asked of each than being NULL.
    """

    text: str
    tree: sql.Expr
    kinds: Mapping[str, Kind]
    columns: Mapping[str, bool]

    def met(self, values: Values) -> Bool:
        """Which rows meet it.

        Args:
            values: Gives the values of a column.
        """
        truth, known = _Judge(self.kinds, values).judge(self.tree)
        return truth & known

    def sql(self, dialect: str) -> str:
        """The condition in the dialect of a database, never NULL."""
        return f"({self.tree.sql(dialect=dialect, identify=True)}) IS TRUE"


def parse(text: str, columns: Columns) -> tuple[Condition | None, list[str]]:
    """The condition of a text, or what is wrong with it."""
    try:
        tree = sqlglot.parse_one(text)
    except sqlglot.errors.SqlglotError:
        return None, ["is no condition that can be read; see `where` in the README"]
    problems = list(dict.fromkeys(_problems(tree, columns)))
    if problems:
        return None, problems
    kinds = {name: column.kind for name, column in columns.items()}
    asked: dict[str, bool] = {}
    for node in tree.find_all(sql.Column):
        only_null = isinstance(node.parent, sql.Is) and isinstance(node.parent.expression, sql.Null)
        asked[node.name] = asked.get(node.name, False) or not only_null
    return Condition(text, _named(tree, columns), kinds, asked), []


def _named(tree: sql.Expr, columns: Columns) -> sql.Expr:
    """The tree without qualifiers."""
    del columns

    def bare(node: sql.Expr) -> sql.Expr:
        return sql.column(node.name, quoted=True) if isinstance(node, sql.Column) else node

    return tree.transform(bare)


def _problems(node: sql.Expr, columns: Columns) -> Iterator[str]:
    """What of an expression is not understood."""
    match node:
        case sql.And() | sql.Or():
            yield from _problems(node.left, columns)
            yield from _problems(node.right, columns)
        case sql.Not() | sql.Paren():
            yield from _problems(node.this, columns)
        case sql.Boolean():
            return
        case sql.Column():  # a boolean by itself
            yield from _column_problems(node, columns, compared=True)
            found = columns.get(node.name)
            if found is not None and found.kind is not Kind.BOOLEAN:
                yield f"takes `{node.name}` for a condition, which is no boolean"
        case sql.Is() | sql.In() | sql.Between():
            yield from _predicate_problems(node, columns)
        case _ if type(node) in _COMPARISONS:
            yield from _operands((node.this, node.expression), columns)
        case _:
            yield (
                f"uses {node.key.upper()}, which is not understood; known are comparisons, IN,"
                " BETWEEN, IS NULL, AND, OR and NOT"
            )


def _predicate_problems(node: sql.Expr, columns: Columns) -> Iterator[str]:
    match node:
        case sql.Is() if isinstance(node.expression, sql.Null):
            yield from _column_problems(node.this, columns, compared=False)
        case sql.Is() if not isinstance(node.expression, sql.Boolean):
            yield "has an IS that is neither IS NULL nor IS TRUE or IS FALSE"
        case sql.Is():
            yield from _operands((node.this, node.expression), columns)
        case sql.In() if node.args.get("query") or not node.expressions:
            yield "has an IN that is not followed by a list of values"
        case sql.In():
            yield from _operands((node.this, *node.expressions), columns)
        case _:
            yield from _operands((node.this, node.args["low"], node.args["high"]), columns)


def _column_problems(node: sql.Expr, columns: Columns, *, compared: bool) -> Iterator[str]:
    if not isinstance(node, sql.Column):
        yield "asks something other than a column whether it is NULL"
    elif node.name not in columns:
        yield f"`{node.name}`"  # the caller says what is near
    elif compared and columns[node.name].kind not in (*_NUMBERS, *_TEXTS, *_TIMES):
        yield f"compares `{node.name}`, whose type has no comparison here"


def _operands(operands: tuple[sql.Expr, ...], columns: Columns) -> Iterator[str]:
    """What is wrong with operands that are compared with each other."""
    named = [o for o in operands if isinstance(o, sql.Column)]
    for column in named:
        yield from _column_problems(column, columns, compared=True)
    kinds = {columns[n.name].kind for n in named if n.name in columns}
    if len({_family(kind) for kind in kinds}) > 1:
        yield "compares columns of different types with each other"
    kind = next(iter(kinds), None)
    others = [o for o in operands if not isinstance(o, sql.Column)]
    strange = [o for o in others if not isinstance(_unwrapped(o), _PLAIN)]
    if strange:
        yield "compares something that is neither a column nor a plain value"
    elif not named:
        yield "compares two values of which none is a column"
    elif kind is not None and any(_literal(node, kind) is None for node in others):
        what = {"number": "number", "time": "date (YYYY-MM-DD)"}.get(_family(kind), "text")
        yield f"compares `{named[0].name}` with a value that is no {what}"


def _family(kind: Kind) -> str:
    return "number" if kind in _NUMBERS else "time" if kind in _TIMES else "text"


def _unwrapped(node: sql.Expr) -> sql.Expr:
    while isinstance(node, sql.Paren | sql.Cast):
        node = node.this
    return node


def _literal(node: sql.Expr, kind: Kind) -> float | str | None:
    """The value of a literal as columns of a kind are compared; None where it has none."""
    node = _unwrapped(node)
    sign = 1.0
    if isinstance(node, sql.Neg):
        sign, node = -1.0, _unwrapped(node.this)
    if isinstance(node, sql.Boolean):
        return str(bool(node.this)).lower() if kind is Kind.BOOLEAN else None
    if not isinstance(node, sql.Literal):
        return None
    text = str(node.this)
    if _family(kind) == "text":
        if kind is Kind.BOOLEAN:
            return {"t": "true", "f": "false", "1": "true", "0": "false"}.get(text, text).lower()
        return text
    try:
        if _family(kind) == "number":
            return sign * float(text)
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    seconds = moment.timestamp()
    return seconds / 86_400 if kind is Kind.DATE else round(seconds * 1e6)


@dataclass(frozen=True)
class _Judge:
    """Truth values of expressions: which rows are true, and of which that is known."""

    kinds: Mapping[str, Kind]
    values: Values

    def judge(self, node: sql.Expr) -> tuple[Bool, Bool]:
        match node:
            case sql.Paren():
                return self.judge(node.this)
            case sql.Not():
                truth, known = self.judge(node.this)
                return ~truth, known
            case sql.And():
                (a, ka), (b, kb) = self.judge(node.left), self.judge(node.right)
                return a & b, (ka & kb) | (ka & ~a) | (kb & ~b)
            case sql.Or():
                (a, ka), (b, kb) = self.judge(node.left), self.judge(node.right)
                truth = (a & ka) | (b & kb)
                return truth, (ka & kb) | truth
            case sql.Boolean():
                return np.array([bool(node.this)]), np.ones(1, bool)
            case _:
                return self._simple(node)

    def _simple(self, node: sql.Expr) -> tuple[Bool, Bool]:
        match node:
            case sql.Is() if isinstance(node.expression, sql.Null):
                null = np.asarray(
                    pc.is_null(self.values(node.this.name)).to_numpy(zero_copy_only=False)
                )
                return null, np.ones(len(null), bool)
            case sql.Is():
                truth, known = self._compared(operator.eq, node.this, node.expression)
                return truth & known, np.ones(len(truth), bool)
            case sql.In():
                found = [self._compared(operator.eq, node.this, e) for e in node.expressions]
                truth = np.any([t & k for t, k in found], axis=0)
                return truth, truth | np.all([k for _, k in found], axis=0)
            case sql.Between():
                low, known_low = self._compared(operator.ge, node.this, node.args["low"])
                high, known_high = self._compared(operator.le, node.this, node.args["high"])
                both = known_low & known_high
                return low & high, both | (known_low & ~low) | (known_high & ~high)
            case sql.Column():
                return self._compared(operator.eq, node, sql.true())
            case _:
                return self._compared(_COMPARISONS[type(node)], node.this, node.expression)

    def _compared(
        self, compare: Callable[[Any, Any], Any], left: sql.Expr,
        right: sql.Expr,
    ) -> tuple[Bool, Bool]:  # fmt: skip
        named = left if isinstance(left, sql.Column) else right
        kind = self.kinds[named.name]
        (a, known_a), (b, known_b) = self._operand(left, kind), self._operand(right, kind)
        truth, known = np.broadcast_arrays(
            np.asarray(compare(a, b), bool), np.asarray(known_a & known_b)
        )
        return truth & known, known

    def _operand(self, node: sql.Expr, kind: Kind) -> tuple[npt.NDArray[np.generic], Bool]:
        if not isinstance(node, sql.Column):
            return np.array([_literal(node, kind)]), np.ones(1, bool)
        array = self.values(node.name)
        if _family(kind) == "text":
            known = np.asarray(pc.is_valid(array).to_numpy(zero_copy_only=False))
            return np.asarray(pc.fill_null(as_text(array), "").to_pylist(), dtype=np.str_), known
        numbers, present = to_numbers(array)
        return numbers, present
