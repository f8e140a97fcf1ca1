"""The parts of a row that a repair may change: columns of its own, and links to parents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import Number, arrow_type, from_numbers, to_numbers
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import converted, keys_of, own_values, values, whole
from dbsynth.draft.persons import SETTLED, span_of
from dbsynth.model import ColumnModel
from dbsynth.randomness import hashed
from dbsynth.rules.formula import Formula
from dbsynth.schema import ForeignKey, Kind, Table

Int64 = npt.NDArray[np.int64]

CANDIDATES = 4_096


class Part(Protocol):
    """Something of a row that a repair may change."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it decides."""

    def take(self, rows: Int64, donors: Int64, *, exactly: bool = False) -> None:
        """Give rows what other rows have; times that count from others keep their distance."""

    def proposals(self, rows: Int64, round_: int) -> tuple[dict[str, pa.Array], object]:
        """Other values for rows, and what `accept` needs to make them true."""

    def candidates(self, row: int) -> tuple[dict[str, pa.Array], object]:
        """As many other values for one row as there are, up to a limit."""

    def accept(self, rows: Int64, proposal: object, chosen: Int64) -> None:
        """Make the chosen entries of a proposal the values of rows."""


@dataclass(frozen=True)
class Own:
    """A column of the table itself."""

    draft: Draft
    table: Table
    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it decides."""
        return (self.name,)

    @property
    def invented(self) -> bool:
        """Whether its values are invented, or put together, so that others are at hand."""
        return self._model.provided is not None or self._model.structure is not None

    @property
    def _model(self) -> ColumnModel:
        return self.draft.model.tables[self.table.name].columns[self.name]

    def _current(self) -> pa.Array:
        settled = self.draft.settled[self.table.name]
        if self.name not in settled:
            settled[self.name] = whole(self.draft, self.table, (self.name,))[
                self.name
            ].combine_chunks()
        return settled[self.name]

    def _put(self, rows: Int64, found: pa.Array) -> None:
        current = self._current()
        index = np.arange(len(current))
        index[rows] = len(current) + np.arange(len(rows))
        both = pa.concat_arrays([current, converted(found, current.type)])
        self.draft.settled[self.table.name][self.name] = both.take(pa.array(index))

    def take(self, rows: Int64, donors: Int64, *, exactly: bool = False) -> None:
        """Give rows what other rows have."""
        if exactly or (self._model.anchor is None and self._model.factor is None):
            self._put(rows, self._current().take(pa.array(donors)))
        else:  # the donor's distance or factor, from what the row's own counts from
            self._put(rows, self._drawn(donors, donors, rows))

    def _drawn(self, donors: Int64, index: Int64, rows: Int64 | None = None) -> pa.Array:
        column = self.table.column_by_name[self.name]
        return own_values(self.draft, self.table, column, self._model, donors, index, rows)

    def _anew(self, rows: Int64, round_: int) -> Int64:
        """Indices that no row has yet, and that no redraw around real values comes to."""
        return rows + span_of(self.draft, self.table) * (SETTLED + round_)

    def proposals(self, rows: Int64, round_: int) -> tuple[dict[str, pa.Array], object]:
        """Other values for rows."""
        count = self.draft.rows[self.table.name]
        draw = hashed(self.draft.streams.key("redraw", self.table.name, self.name, round_), rows)
        donors = (draw % np.uint64(count)).astype(np.int64)
        drawn = self._drawn(donors, self._anew(rows, round_), rows)
        return {self.name: drawn}, drawn

    def spares(self, rows: Int64, round_: int) -> tuple[dict[str, pa.Array], object]:
        """Values of the spare provider, where there is one."""
        model, column = self._model, self.table.column_by_name[self.name]
        if model.spare is None:
            return self.proposals(rows, round_)
        spare = replace(model, provided=model.spare)
        index = self._anew(rows, round_)
        drawn = own_values(self.draft, self.table, column, spare, rows, index, rows)
        return {self.name: drawn}, drawn

    def candidates(self, row: int) -> tuple[dict[str, pa.Array], object]:
        """As many other values for one row as there are, up to a limit."""
        column = self.table.column_by_name[self.name]
        model = self.draft.model.tables[self.table.name].columns[self.name]
        shown = getattr(model.codec, "shown", None)
        if shown is not None:
            found = converted(pa.array(list(shown), pa.string()), arrow_type(column))
        elif model.provided is not None:
            fresh = np.arange(CANDIDATES) + (row + 1) * 2**20
            found = self._drawn(np.full(CANDIDATES, row), fresh)
        else:
            found = self._neighbours(row)
        return {self.name: found}, found

    def nearby(self, rows: Int64, round_: int) -> tuple[dict[str, pa.Array], object] | None:
        """Values a few steps of the grid away; None for a column without a grid."""
        column, codec = self.table.column_by_name[self.name], self._model.codec
        if not isinstance(codec, Number) or column.kind is Kind.TEXT:
            return None
        numbers, present = to_numbers(self._current().take(pa.array(rows)))
        step = codec.step or 10.0 ** -max(codec.digits, 0)
        moved = numbers + (round_ // 2 + 1) * (1 if round_ % 2 else -1) * step
        if codec.digits > 0:
            moved = np.round(moved, codec.digits)
        found = from_numbers(moved, present, column.kind, zoned=column.zoned)
        return {self.name: found}, found

    def _neighbours(self, row: int) -> pa.Array:
        """Values around the present one, on the column's grid, nearest first."""
        column = self.table.column_by_name[self.name]
        codec = self.draft.model.tables[self.table.name].columns[self.name].codec
        number, present = (
            to_numbers(self._current().slice(row, 1))
            if column.kind is not Kind.TEXT
            else (np.zeros(1), np.zeros(1, bool))
        )
        if not isinstance(codec, Number) or not present[0]:
            donors = np.arange(min(CANDIDATES, self.draft.rows[self.table.name]))
            return self._drawn(donors, donors + (row + 2) * 2**22)
        step = codec.step or 10.0 ** -max(codec.digits, 0)
        offsets = np.repeat(np.arange(1, CANDIDATES // 2), 2) * np.tile(
            [1, -1], CANDIDATES // 2 - 1
        )
        numbers = number[0] + offsets * step
        if codec.digits > 0:
            numbers = np.round(numbers, codec.digits)
        return from_numbers(numbers, np.ones(len(numbers), bool), column.kind, zoned=column.zoned)

    def accept(self, rows: Int64, proposal: object, chosen: Int64) -> None:
        """Make chosen entries of a proposal the values of rows."""
        assert isinstance(proposal, pa.Array)
        self._put(rows, proposal.take(pa.array(chosen)))


@dataclass(frozen=True)
class Link:
    """The parent of a row under one foreign key."""

    draft: Draft
    table: Table
    key: ForeignKey

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it decides."""
        return self.key.columns

    def take(self, rows: Int64, donors: Int64, *, exactly: bool = False) -> None:
        """Give rows what other rows have."""
        del exactly
        links = self.draft.links[self.key].copy()
        links[rows] = links[donors]
        self.draft.links[self.key] = links

    def _values(self, links: Int64) -> dict[str, pa.Array]:
        parent = self.draft.model.schema[self.key.parent]
        found = {}
        for name, theirs in zip(self.key.columns, self.key.parent_columns, strict=True):
            column = self.table.column_by_name[name]
            taken = values(self.draft, parent, theirs, np.maximum(links, 0))
            none = pa.scalar(None, arrow_type(column))
            found[name] = pc.if_else(
                pa.array(links >= 0), converted(taken, arrow_type(column)), none
            )
        return found

    def proposals(self, rows: Int64, round_: int) -> tuple[dict[str, pa.Array], object]:
        """Other values for rows."""
        count = self.draft.rows[self.table.name]
        draw = hashed(self.draft.streams.key("relink", str(self.key), round_), rows)
        links = self.draft.links[self.key][(draw % np.uint64(count)).astype(np.int64)]
        return self._values(links), links

    def candidates(self, row: int) -> tuple[dict[str, pa.Array], object]:
        """As many other values for one row as there are, up to a limit."""
        parents = self.draft.rows[self.key.parent]
        links = (row + np.arange(min(parents, CANDIDATES))) % max(parents, 1)
        return self._values(links), links

    def accept(self, rows: Int64, proposal: object, chosen: Int64) -> None:
        """Make chosen entries of a proposal the values of rows."""
        assert isinstance(proposal, np.ndarray)
        links = self.draft.links[self.key].copy()
        links[rows] = proposal[chosen]
        self.draft.links[self.key] = links


def parts_of(draft: Draft, table: Table, columns: Sequence[str]) -> list[Part]:
    """The parts of a row behind some columns that may change: own columns first, then links.

    The generating link comes last, and only where nothing else is left: it carries more than this
    constraint.  Links that share columns with others are never changed alone.
    """
    generating = draft.model.plan.generating.get(table.name)
    own = own_parts(draft, table, columns)
    carried = draft.model.plan.carried_of(table.name)
    keys = {fk: None for name in columns for fk in keys_of(draft, table, name) if fk not in carried}
    alone = [fk for fk in keys if all(len(keys_of(draft, table, c)) == 1 for c in fk.columns)]
    easy = [Link(draft, table, fk) for fk in alone if fk != generating]
    return [*own, *easy] or [Link(draft, table, fk) for fk in alone]


def last_parts_of(draft: Draft, table: Table, columns: Sequence[str]) -> list[Part]:
    """The parts of a row, and the generating link too: another parent is better than no row.

    It is left alone where families are numbered, or rules speak of them.
    """
    parts, fk = parts_of(draft, table, columns), draft.model.plan.generating.get(table.name)
    ranked = any(m.ranked is not None for m in draft.model.tables[table.name].columns.values())
    ruled = any(fk in kept.rule.keys for kept in draft.model.rules)
    if fk is None or ranked or ruled or not set(fk.columns) & set(columns):
        return parts
    if any(len(keys_of(draft, table, c)) > 1 for c in fk.columns) or table.name in draft.model.real:
        return parts
    link = Link(draft, table, fk)
    return parts if any(part == link for part in parts) else [*parts, link]


def own_parts(draft: Draft, table: Table, columns: Sequence[str]) -> list[Part]:
    """Columns outside of all foreign keys whose values may change.

    A column that a rule computes changes together with those that it follows from.
    """
    models = draft.model.tables[table.name].columns
    real = draft.model.real.get(table.name)
    inputs = {} if real else computed_from(draft, table)
    fixed = real.streamed if real else ()
    return [
        Own(draft, table, name)
        for name in dict.fromkeys(n for c in columns for n in (*inputs.get(c, ()), c))
        if name in models and not keys_of(draft, table, name)
        and name not in fixed and name not in table.anchored
        and (models[name].codec or models[name].provided or models[name].structure)
    ]  # fmt: skip


def computed_from(draft: Draft, table: Table) -> dict[str, tuple[str, ...]]:
    """The own columns that each column follows from, where a rule computes it."""
    found: dict[str, tuple[str, ...]] = {}
    for kept in draft.model.rules:
        rule = kept.rule
        if isinstance(rule, Formula) and rule.table == table.name:
            own = tuple(name for where, name in rule.places[1:] if where == table.name)
            if own and rule.within:
                found[rule.target[1]] = own
    for name in list(found):
        open_ = [name]
        leaves: dict[str, None] = {}
        while open_:
            one = open_.pop()
            if one in found:
                open_ += found[one]
            else:
                leaves[one] = None
        found[name] = tuple(sorted(leaves))
    return found


def bundle(draft: Draft, table: Table, columns: Sequence[str]) -> list[Part]:
    """All that decides some columns, links with all links that share columns with them.

    Taken together from another row, they make these columns equal to that row's.
    """
    links: dict[ForeignKey, None] = {}
    open_columns = list(columns)
    while open_columns:
        for fk in keys_of(draft, table, open_columns.pop()):
            if fk not in links and fk not in draft.model.plan.carried and not fk.anchored:
                links[fk] = None
                open_columns += fk.columns
    return [*own_parts(draft, table, columns), *(Link(draft, table, fk) for fk in links)]
