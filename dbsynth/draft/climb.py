"""Numbers that go on from that of the sibling before, by a drawn step.

The exact numbers are kept while a table is drawn, so that steps add up, and so that the code of
every number is known to all that is drawn after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes, Number, to_numbers
from dbsynth.draft.drafted import Draft
from dbsynth.engines import variables
from dbsynth.engines.base import Derive
from dbsynth.read.quantities import Quantity, quantity_of
from dbsynth.schema import Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


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
