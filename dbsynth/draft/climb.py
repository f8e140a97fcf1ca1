"""Numbers that go on from that of the sibling before, by a drawn step or an amount of the row.

The exact numbers are kept while a table is drawn, so that steps add up, and so that the code of
every number is known to all that is drawn after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes, Number, to_numbers
from dbsynth.draft.drafted import Draft
from dbsynth.engines import variables
from dbsynth.engines.base import Derive
from dbsynth.learn.columns import column_variables
from dbsynth.model import Ledger, TableFacts
from dbsynth.randomness import hashed, uniform
from dbsynth.read.quantities import Quantity, quantity_of
from dbsynth.schema import Table

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_OFTEN = 0.05  # of the amounts taken, from which it is usual that they are more than is there


def climbs_of(draft: Draft, table: Table) -> Iterator[Climb]:
    """The climbs of the columns of a table."""
    facts = draft.model.tables[table.name]
    for name, model in facts.columns.items():
        quantity = None if model.climb is None else quantity_of(table, name, facts)
        if model.climb is not None and quantity is not None and isinstance(model.codec, Number):
            numbers = np.full(draft.rows[table.name], np.nan)
            yield Climb(draft, table, name, model.codec, model.climb, quantity, numbers)


@dataclass(frozen=True)
class Climb:
    """The numbers of one column while its table is drawn."""

    draft: Draft
    table: Table
    column: str
    codec: Number
    steps: Number
    quantity: Quantity
    numbers: Float64

    def derivation(self, rows: Int64, position: Int64, before: Int64) -> Derive:
        """What puts the codes of numbers in place while some rows are drawn.

        Args:
            rows: The rows, siblings side by side in their order.
            position: Their places among their siblings.
            before: The sibling that was drawn before each; -1 for the first of a family.
        """
        step, own = variables.gap(self.column), variables.column(self.column)

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            if variable == step:
                drawn[variable] = np.where(position > 0, drawn[variable], 0).astype(np.uint16)
            if variable == own:
                if (position == 0).all():
                    key = self.draft.streams.key("values", self.table.name, self.column)
                    found, _ = to_numbers(self.codec.decode(drawn[own], rows, key))
                    self.numbers[rows] = found
                else:
                    self.numbers[rows] = self._on(rows, before, drawn[step])
                    drawn[own] = self.codec.encode(self.quantity.values(self.numbers[rows]))

        return derive

    def settle(self) -> None:
        """Make the numbers the values of their column."""
        settled = self.draft.settled.setdefault(self.table.name, {})
        settled[self.column] = self.quantity.values(self.numbers)

    def _on(self, rows: Int64, before: Int64, codes: Codes) -> Float64:
        """The numbers a step on from the siblings before, inside the range of the source.

        A step that would lead out of it goes the other way, where there are steps that way.
        """
        key = self.draft.streams.key("step", self.table.name, self.column)
        steps, present = to_numbers(self.steps.decode(codes, rows, key))
        steps = np.where(present, steps, 0.0)
        low, high = self.codec.inner[0, 0], self.codec.inner[-1, -1]
        back = self.steps.inner[0, 0] < 0 < self.steps.inner[-1, -1]
        found = np.empty(len(rows))
        start = np.flatnonzero(np.r_[True, before[1:] != before[:-1]])
        many = np.diff(np.r_[start, len(rows)])
        at = self.numbers[before[start]]
        for place in range(int(many.max(initial=0))):
            here = many > place
            here_rows = start[here] + place
            there = at[here] + steps[here_rows]
            if back:
                out = (there < low) | (there > high)
                there = np.where(out, at[here] - steps[here_rows], there)
            at[here] = found[here_rows] = np.clip(self.codec.snap(there), low, high)
        return found


def ledgers_of(draft: Draft, table: Table) -> Iterator[Running]:
    """The balances of a table that are added up while it is drawn."""
    facts = draft.model.tables[table.name]
    for name, model in facts.columns.items():
        if model.ledger is None:
            continue
        ledger = model.ledger
        drawn = [name, ledger.amount, *([] if ledger.kind is None else [ledger.kind])]
        if any(variables.column(c) not in column_variables(c, facts.columns[c]) for c in drawn):
            continue  # others settle it; the balances are added up in the end
        found = [_quantified(table, facts, column) for column in (name, ledger.amount)]
        total, amount = found
        if total is not None and amount is not None:
            numbers = np.full((2, draft.rows[table.name]), np.nan)
            yield Running(draft, table, name, ledger, total, amount, *numbers)


def _quantified(table: Table, facts: TableFacts, name: str) -> tuple[Number, Quantity] | None:
    quantity, codec = quantity_of(table, name, facts), facts.columns[name].codec
    return (codec, quantity) if quantity is not None and isinstance(codec, Number) else None


@dataclass(frozen=True)
class Running:
    """The balances of one column, and the amounts behind them, while their table is drawn."""

    draft: Draft
    table: Table
    column: str
    ledger: Ledger
    total: tuple[Number, Quantity]
    amount: tuple[Number, Quantity]
    totals: Float64
    amounts: Float64

    def derivation(self, rows: Int64, position: Int64, before: Int64) -> Derive:
        """What puts the codes of balances in place while some rows are drawn; as of `Climb`."""
        own = variables.column(self.column)

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            if variable != own:
                return
            amounts = self._values(self.ledger.amount, self.amount, rows, drawn)
            signs = self._signs(drawn)
            if (position == 0).all() and not self.ledger.opening:
                self.totals[rows] = self._values(self.column, self.total, rows, drawn)
            else:
                opened = np.where(position == 0, 0.0, self.totals[before])
                lone = np.r_[True, before[1:] != before[:-1]] | (position == 0)
                amounts = self._within(amounts, signs, opened, lone, rows, drawn)
                self.totals[rows] = self._running(opened, signs * amounts, lone)
                drawn[own] = self.total[0].encode(self.total[1].values(self.totals[rows]))
            self.amounts[rows] = amounts

        return derive

    def _signs(self, drawn: Mapping[str, Codes]) -> Float64:
        """1 for rows that add their amount, -1 for those that take it, 0 for the others."""
        signs = np.array(self.ledger.signs, np.float64)
        if self.ledger.kind is None:
            return signs[:1]
        return signs[np.minimum(drawn[variables.column(self.ledger.kind)], len(signs) - 1)]

    def _running(self, opened: Float64, changes: Float64, first: Bool) -> Float64:
        """Totals of rows, siblings side by side, of which some were opened with a total."""
        changes = np.nan_to_num(changes)
        begins = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
        running, digits = np.cumsum(changes), self.total[0].digits
        totals = opened + running - (running - changes)[begins]
        return np.round(totals, digits) if digits >= 0 else totals

    def _within(
        self, amounts: Float64, signs: Float64, opened: Float64, first: Bool, rows: Int64,
        drawn: dict[str, Codes],
    ) -> Float64:  # fmt: skip
        """The amounts, where hardly more is taken than is there if the source is like that.

        Where more would be, a row takes what another row of its kind takes.
        """
        if self.ledger.overdrawn > _OFTEN:
            return amounts
        signs = np.broadcast_to(signs, amounts.shape)
        takes = first & (signs < 0) & (opened > 0)
        over = np.flatnonzero(takes & (np.abs(amounts) > opened))
        free = int(np.ceil(self.ledger.overdrawn * takes.sum() - uniform(self._key, rows[:1])[0]))
        over = over[np.argsort(hashed(self._key, rows[over]), kind="stable")][max(free, 0) :]
        kind = None if self.ledger.kind is None else drawn[variables.column(self.ledger.kind)]
        own, found = variables.column(self.ledger.amount), amounts.copy()
        for code in np.unique(kind[over]) if kind is not None else [0]:
            mine = over if kind is None else over[kind[over] == code]
            donors = np.flatnonzero((amounts > 0) & (True if kind is None else kind == code))
            donors = donors[np.argsort(amounts[donors], kind="stable")]
            fitting = np.searchsorted(amounts[donors], opened[mine], side="right")
            chosen = (uniform(self._key ^ 1, rows[mine]) * fitting).astype(np.int64)
            mine, chosen = mine[fitting > 0], donors[chosen[fitting > 0]]
            found[mine] = amounts[chosen]
            drawn[own][mine] = drawn[own][chosen]
        return found

    @property
    def _key(self) -> int:
        return self.draft.streams.key("ledger", self.table.name, self.column)

    def settle(self) -> None:
        """Make balances and amounts the values of their columns."""
        settled = self.draft.settled.setdefault(self.table.name, {})
        settled[self.column] = self.total[1].values(self.totals)
        settled[self.ledger.amount] = self.amount[1].values(self.amounts)

    def _values(
        self, name: str, form: tuple[Number, Quantity], rows: Int64, drawn: dict[str, Codes]
    ) -> Float64:
        key = self.draft.streams.key("values", self.table.name, name)
        return form[1].numbers(form[0].decode(drawn[variables.column(name)], rows, key))
