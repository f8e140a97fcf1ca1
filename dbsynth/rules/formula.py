"""Arithmetic: a column that follows from others of its row, its parent or its children."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dbsynth.rules.base import Bool, Cases, Float64, Place, View
from dbsynth.rules.expression import Expression, read_expression
from dbsynth.rules.words import RuleError, Words, column_name
from dbsynth.schema import ForeignKey, Schema

EXAMPLE = "invoice.total = sum of line.quantity * line.price"
_BLUR = 1e-13  # what sums of floats lose
_LOOSE = 1e-6  # how far numbers without a grid may lie apart, in proportion


@dataclass(frozen=True)
class Formula:
    """A column equals an expression, up to rounding to the column's grid.

    Attributes:
        sentence: The rule in words.
    """

    target: Place
    expression: Expression
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table of the column."""
        return self.target[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """The column, then those it follows from."""
        return (self.target, *self.expression.places)

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The keys of the expression."""
        return self.expression.keys

    @property
    def within(self) -> bool:
        """Whether it follows from the row itself and its parents, not from children."""
        return all(key.child == self.table for key in self.keys)

    def cases(self, view: View) -> Cases | None:
        """Rows where nothing is NULL; those with another value."""
        own, wanted = view.numbers(self.target), self.expression.value(view)
        if own is None or wanted is None:
            return None
        wanted = np.broadcast_to(wanted, own.shape)
        could = ~(np.isnan(own) | np.isnan(wanted))
        return Cases(could, ~near(own, wanted, view.unit(self.target)))


def near(own: Float64, wanted: Float64, unit: float) -> Bool:
    """Whether values equal others after rounding to their grid; NaN equals nothing.

    A grid wider than one is that of dates, and a time is rounded down to its date.
    """
    if unit > 1:
        return np.asarray(own == np.floor(wanted / unit) * unit)
    size = np.maximum(np.abs(own), np.abs(wanted))
    limit = 0.5 * unit * (1 + 1e-9) + _BLUR * size if unit else _LOOSE * size
    return np.asarray(np.abs(own - wanted) <= limit)


def formula_rule(schema: Schema, target: Place, expression: Expression) -> Formula:
    """The rule with its sentence."""
    sentence = f"{column_name(schema, target)} = {expression.words(schema)}"
    return Formula(target, expression, sentence)


def parse(words: Words) -> Formula:
    """``table.column = expression``."""
    target = words.column()
    words.expect("=")
    expression = read_expression(words, target[0])
    if target in expression.places:
        raise RuleError("the column follows from itself")
    if not expression.places and not expression.keys:
        raise RuleError("the column follows from nothing")
    return formula_rule(words.schema, target, expression)
