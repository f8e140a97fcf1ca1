"""Expressions over the columns of a row, its parents and its children, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dbsynth.rules.base import Float64, Int64, Place, View
from dbsynth.rules.words import NotMine, RuleError, Words, along, column_name, key_name, table_name
from dbsynth.schema import ForeignKey, Schema
from dbsynth.sorting import by_group

DAY = 86_400e6
UNITS = {"days": DAY, "hours": 3_600e6, "minutes": 60e6, "seconds": 1e6, "microseconds": 1.0}
FUNCTIONS = ("sum", "min", "max", "count")


class Expression(Protocol):
    """A number for every row of a table; NaN where something in it is NULL."""

    def value(self, view: View) -> Float64 | None:
        """The numbers; None where the view lacks a column."""

    def words(self, schema: Schema) -> str:
        """The expression in words."""

    @property
    def places(self) -> tuple[Place, ...]:
        """The columns in it."""

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The keys that it follows."""

    @property
    def size(self) -> int:
        """How much is said with it."""


@dataclass(frozen=True)
class Own:
    """A column of the row, or (along a key) of the row's parent."""

    place: Place
    key: ForeignKey | None = None

    def value(self, view: View) -> Float64 | None:
        """The column's numbers."""
        numbers = view.numbers(self.place)
        if numbers is None or self.key is None:
            return numbers
        return np.append(numbers, np.nan)[view.links(self.key)]

    def words(self, schema: Schema) -> str:
        """The column's name."""
        return column_name(schema, self.place) + (along(schema, self.key) if self.key else "")

    @property
    def places(self) -> tuple[Place, ...]:
        """The column."""
        return (self.place,)

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The key to the parent."""
        return () if self.key is None else (self.key,)

    @property
    def size(self) -> int:
        """One."""
        return 1


@dataclass(frozen=True)
class Constant:
    """The same number everywhere; with a unit, a span of time."""

    number: float
    unit: str = ""

    def value(self, view: View) -> Float64 | None:
        """The number, once: it is added to columns."""
        del view
        return np.array(self.number * UNITS.get(self.unit, 1.0))

    def words(self, schema: Schema) -> str:
        """The number as it is written."""
        del schema
        whole = self.number == int(self.number) and abs(self.number) < 1e15
        text = str(int(self.number)) if whole else repr(self.number)
        return f"{text} {self.unit}" if self.unit else text

    @property
    def places(self) -> tuple[Place, ...]:
        """None."""
        return ()

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """None."""
        return ()

    @property
    def size(self) -> int:
        """One."""
        return 1


@dataclass(frozen=True)
class Binary:
    """A sum, difference, product or quotient."""

    sign: str
    left: Expression
    right: Expression

    def value(self, view: View) -> Float64 | None:
        """The outcome; NaN where a divisor is 0."""
        left, right = self.left.value(view), self.right.value(view)
        if left is None or right is None:
            return None
        return combined(self.sign, left, right)

    def words(self, schema: Schema) -> str:
        """Both sides, in parentheses where the sign binds more."""
        left, right = self.left.words(schema), self.right.words(schema)
        if self.sign in "*/" and isinstance(self.left, Binary) and self.left.sign in "+-":
            left = f"({left})"
        if isinstance(self.right, Binary) and (
            self.sign in "*/" or (self.sign == "-" and self.right.sign in "+-")
        ):
            right = f"({right})"
        return f"{left} {self.sign} {right}"

    @property
    def places(self) -> tuple[Place, ...]:
        """Those of both sides."""
        return self.left.places + self.right.places

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """Those of both sides."""
        return self.left.keys + self.right.keys

    @property
    def size(self) -> int:
        """That of both sides."""
        return self.left.size + self.right.size


def combined(sign: str, left: Float64, right: Float64) -> Float64:
    """The outcome of a sign."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if sign == "+":
            return left + right
        if sign == "-":
            return left - right
        if sign == "*":
            return left * right
        return np.asarray(np.where(right == 0, np.nan, left / right))


@dataclass(frozen=True)
class Rounded:
    """Another expression, rounded to digits after the point."""

    inner: Expression
    digits: int

    def value(self, view: View) -> Float64 | None:
        """The rounded numbers; halves away from zero, as databases do."""
        found = self.inner.value(view)
        return None if found is None else rounded(found, self.digits)

    def words(self, schema: Schema) -> str:
        """``round(..., digits)``."""
        return f"round({self.inner.words(schema)}, {self.digits})"

    @property
    def places(self) -> tuple[Place, ...]:
        """Those inside."""
        return self.inner.places

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """Those inside."""
        return self.inner.keys

    @property
    def size(self) -> int:
        """A little more than what is inside."""
        return self.inner.size + 1


def rounded(numbers: Float64, digits: int) -> Float64:
    """Numbers rounded, halves away from zero; what a float blurs at a half counts as the half."""
    scaled = np.abs(numbers) * 10.0**digits
    return np.sign(numbers) * np.floor(scaled * (1 + 1e-14) + 0.5) / 10.0**digits


@dataclass(frozen=True)
class Aggregate:
    """The sum, minimum, maximum or number of the rows under a parent.

    Attributes:
        function: One of `FUNCTIONS`.
        inner: What is taken of every child; None for a count.
        key: From the children to the parent.
        up: From the row to that parent, where the parent is not the row itself.
    """

    function: str
    inner: Expression | None
    key: ForeignKey
    up: ForeignKey | None = None

    def value(self, view: View) -> Float64 | None:
        """NaN for a parent without children, but for a count."""
        rows, links = view.rows(self.key.parent), view.links(self.key)
        if self.inner is None:
            found = np.bincount(links[links >= 0], minlength=rows).astype(np.float64)
        else:
            numbers = self.inner.value(view)
            if numbers is None:
                return None
            found = gathered(self.function, numbers, links, rows)
        return found if self.up is None else np.append(found, np.nan)[view.links(self.up)]

    def words(self, schema: Schema) -> str:
        """``sum of ...``, perhaps ``of the same parent``."""
        inner = table_name(schema[self.key.child])
        if self.inner is not None:
            inner = self.inner.words(schema)
        text = f"{self.function} of {inner}{along(schema, self.key)}"
        if self.up is None:
            return text
        return f"{text} with the same {key_name(schema, self.up)}"

    @property
    def places(self) -> tuple[Place, ...]:
        """Those inside."""
        return () if self.inner is None else self.inner.places

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """All keys on the way."""
        inside = () if self.inner is None else self.inner.keys
        return (self.key, *inside, *(() if self.up is None else (self.up,)))

    @property
    def size(self) -> int:
        """A little more than what is inside."""
        return 1 + (0 if self.inner is None else self.inner.size)


def gathered(function: str, numbers: Float64, links: Int64, rows: int) -> Float64:
    """The sum, minimum or maximum of the known numbers under every parent; NaN where none is."""
    known = ~np.isnan(numbers) & (links >= 0)
    links, numbers = links[known], numbers[known]
    found = np.full(rows, np.nan)
    if not len(links):
        return found
    if function == "sum":
        total = np.bincount(links, weights=numbers, minlength=rows)
        return np.where(np.bincount(links, minlength=rows) > 0, total, np.nan)
    order = by_group(links)
    ordered = links[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    taken = np.minimum if function == "min" else np.maximum
    found[ordered[starts]] = taken.reduceat(numbers[order], starts)
    return found


# ---------------------------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------------------------


def read_expression(words: Words, table: str) -> Expression:
    """An expression over the rows of a table, or an aggregate."""
    if words.peek() in FUNCTIONS and words.peek(1) == "of":
        return _read_aggregate(words, table)
    return _read_sum(words, table)


def _read_aggregate(words: Words, table: str) -> Aggregate:
    function = words.next_()
    words.expect("of")
    if function == "count":
        child, inner = words.table().name, None
    else:
        child = _table_ahead(words)
        inner = _read_sum(words, child)
    key = words.key(None) if words.take("along") else None
    up = None
    if words.take("with", "the", "same"):
        up = words.key(None)
        if up.child != table:
            raise RuleError(f"the key {up} is none of `{table}`")
    parent = table if up is None else up.parent
    if key is None:
        key = words.key_between(child, parent)
    elif key.child != child or key.parent != parent:
        raise RuleError(f"the key {key} does not lead from `{child}` to `{parent}`")
    return Aggregate(function, inner, key, up)


def _table_ahead(words: Words) -> str:
    """The table of the first column that comes."""
    ahead = words.copy()
    while True:
        try:
            return ahead.column()[0]
        except NotMine:
            ahead.next_()


def _read_sum(words: Words, table: str) -> Expression:
    found = _read_product(words, table)
    while words.peek() in ("+", "-"):
        sign = words.next_()
        found = Binary(sign, found, _read_product(words, table))
    return found


def _read_product(words: Words, table: str) -> Expression:
    found = _read_factor(words, table)
    while words.peek() in ("*", "/"):
        sign = words.next_()
        found = Binary(sign, found, _read_factor(words, table))
    return found


def _read_factor(words: Words, table: str) -> Expression:
    if words.take("("):
        found = _read_sum(words, table)
        words.expect(")")
        return found
    if words.take("round", "("):
        inner = _read_sum(words, table)
        words.expect(",")
        digits = words.number()
        words.expect(")")
        return Rounded(inner, int(digits))
    if words.peek()[:1].isdigit() or words.peek() == "-":
        number = words.number()
        return Constant(number, words.next_() if words.peek() in UNITS else "")
    place = words.column()
    if place[0] == table:
        return Own(place)
    return Own(place, words.key_between(table, place[0]))
