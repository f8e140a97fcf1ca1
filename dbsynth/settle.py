"""Rows repaired until every CHECK, partition bound and unique key holds.

What a constraint means is asked of the database itself (`Stage.evaluate`), so any expression,
function and type is understood.  Rows that fail a CHECK take the concerned values of a row that
passes; rows that repeat a key draw theirs anew.  Only columns that a constraint mentions are held
for a whole table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import Number, arrow_type, from_numbers, to_numbers
from dbsynth.databases.base import Stage
from dbsynth.draft import Draft
from dbsynth.errors import Unsatisfiable
from dbsynth.fill import converted, keys_of, own_values, values, whole
from dbsynth.keys import group_ids, hash_keys, rank_in_group
from dbsynth.learn import counter_group
from dbsynth.progress import Progress
from dbsynth.randomness import hashed
from dbsynth.schema import Check, ForeignKey, Kind, Table, UniqueKey

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
Bool = npt.NDArray[np.bool_]

_ROUNDS = 8
_DRAWS = 24
_NEARBY = 12  # steps of the grid tried before a value is drawn anew
_FAR = 160  # and after
_CANDIDATES = 4_096


def settle(draft: Draft, stage: Stage, progress: Progress) -> None:
    """Repair all tables.

    Raises:
        Unsatisfiable: A constraint that no drawn row meets; names it.
    """
    model = draft.model
    progress.step("settle", len(model.plan.order))
    for name in model.plan.order:
        if draft.rows[name]:
            _settle_table(draft, stage, model.schema[name])
        progress.advance(1)


def _settle_table(draft: Draft, stage: Stage, table: Table) -> None:
    draft.settled[table.name] = {
        name: _counter(draft, table, name, column.ranked)
        for name, column in draft.model.tables[table.name].columns.items()
        if column.ranked is not None
    }
    checks = _testable(table)
    keys = [key for key in table.keys if not _holds_by_construction(draft, table, key)]
    for _ in range(_ROUNDS):
        repaired = bool(checks) and _repair_checks(draft, stage, table, checks)
        for key in keys:
            repaired |= _repair_key(draft, stage, table, key)
        if not repaired:
            return
    raise Unsatisfiable(
        f"the CHECK and UNIQUE constraints of {table.name} cannot be met together",
        hint=f"set `strategy: empty` or `copy` for {table.name} in the spec",
    )


def _counter(draft: Draft, table: Table, name: str, first: int) -> pa.Array:
    groups = counter_group(table, name) or ()
    ranks = rank_in_group(group_ids([draft.links[fk] for fk in groups]))
    column = table.column_by_name[name]
    return from_numbers(ranks + first, np.ones(len(ranks), bool), column.kind)


# ---------------------------------------------------------------------------------------------
# CHECK
# ---------------------------------------------------------------------------------------------


def _testable(table: Table) -> tuple[Check, ...]:
    """Checks over columns that are written; the database alone knows the others before the load."""
    written = {column.name for column in table.written}
    return tuple(c for c in table.checks if c.columns and set(c.columns) <= written)


def _repair_checks(draft: Draft, stage: Stage, table: Table, checks: Sequence[Check]) -> bool:
    names = tuple(sorted({name for check in checks for name in check.columns}))
    rows = whole(draft, table, names)
    result = stage.evaluate(table, rows, [check.sql for check in checks])
    failing = np.stack([_is_false(result.column(i)) for i in range(len(checks))])
    if not failing.any():
        return False
    for check, failed in zip(checks, failing, strict=True):
        if failed.any():
            _take_from_passing(draft, table, check, failed)
    return True


def _is_false(column: pa.ChunkedArray) -> Bool:
    if not pa.types.is_boolean(column.type):
        column = pc.not_equal(pc.utf8_lower(column.cast(pa.string())), "false")
    return np.asarray(
        pc.equal(column, False).fill_null(False).combine_chunks().to_numpy(zero_copy_only=False)
    )


def _take_from_passing(draft: Draft, table: Table, check: Check, failed: Bool) -> None:
    passing = np.flatnonzero(~failed)
    if not len(passing):
        raise Unsatisfiable(
            f"no drawn row of {table.name} meets the CHECK `{check.name}`",
            hint=f"set `strategy: empty` or `copy` for {table.name} in the spec",
        )
    bad = np.flatnonzero(failed)
    draw = hashed(draft.streams.key("donor", table.name, check.name, len(bad)), bad)
    donors = passing[(draw % np.uint64(len(passing))).astype(np.int64)]
    moved = False
    for part in _parts(draft, table, check.columns):
        part.take(bad, donors)
        moved = True
    if not moved:
        raise Unsatisfiable(
            f"the CHECK `{check.name}` of {table.name} is about keys alone and fails"
        )


# ---------------------------------------------------------------------------------------------
# Parts of a row that can be drawn anew
# ---------------------------------------------------------------------------------------------


class _Part(Protocol):
    """Something of a row that a repair may change."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it fills."""

    def take(self, rows: Int64, donors: Int64) -> None:
        """Give rows what other rows have."""

    def proposals(self, rows: Int64, round_: int) -> tuple[dict[str, pa.Array], object]:
        """Other values for rows, and what `accept` needs to make them true."""

    def candidates(self, row: int) -> tuple[dict[str, pa.Array], object]:
        """As many other values for one row as there are, up to a limit."""

    def accept(self, rows: Int64, proposal: object, chosen: Int64) -> None:
        """Make the chosen entries of a proposal the values of rows."""


@dataclass(frozen=True)
class _Own:
    """A column of the table itself."""

    draft: Draft
    table: Table
    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.name,)

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

    def take(self, rows: Int64, donors: Int64) -> None:
        model = self.draft.model.tables[self.table.name].columns[self.name]
        if model.anchor is None:
            self._put(rows, self._current().take(pa.array(donors)))
        else:  # the donor's distance, from the row's own anchor
            self._put(rows, self._drawn(donors, donors, rows))

    def _drawn(self, donors: Int64, index: Int64, rows: Int64 | None = None) -> pa.Array:
        column = self.table.column_by_name[self.name]
        model = self.draft.model.tables[self.table.name].columns[self.name]
        return own_values(self.draft, self.table, column, model, donors, index, rows)

    def proposals(self, rows: Int64, round_: int) -> tuple[dict[str, pa.Array], object]:
        count = self.draft.rows[self.table.name]
        draw = hashed(self.draft.streams.key("redraw", self.table.name, self.name, round_), rows)
        donors = (draw % np.uint64(count)).astype(np.int64)
        drawn = self._drawn(donors, rows + count * (round_ + 1), rows)
        return {self.name: drawn}, drawn

    def candidates(self, row: int) -> tuple[dict[str, pa.Array], object]:
        column = self.table.column_by_name[self.name]
        model = self.draft.model.tables[self.table.name].columns[self.name]
        shown = getattr(model.codec, "shown", None)
        if shown is not None:
            found = converted(pa.array(list(shown), pa.string()), arrow_type(column))
        elif model.provided is not None:
            fresh = np.arange(_CANDIDATES) + (row + 1) * 2**20
            found = self._drawn(np.full(_CANDIDATES, row), fresh)
        else:
            found = self._neighbours(row)
        return {self.name: found}, found

    def nearby(self, rows: Int64, round_: int) -> tuple[dict[str, pa.Array], object] | None:
        """Values a few steps of the grid away; None for a column without a grid."""
        column = self.table.column_by_name[self.name]
        codec = self.draft.model.tables[self.table.name].columns[self.name].codec
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
            donors = np.arange(min(_CANDIDATES, self.draft.rows[self.table.name]))
            return self._drawn(donors, donors + (row + 2) * 2**22)
        step = codec.step or 10.0 ** -max(codec.digits, 0)
        offsets = np.repeat(np.arange(1, _CANDIDATES // 2), 2) * np.tile(
            [1, -1], _CANDIDATES // 2 - 1
        )
        numbers = number[0] + offsets * step
        if codec.digits > 0:
            numbers = np.round(numbers, codec.digits)
        return from_numbers(numbers, np.ones(len(numbers), bool), column.kind, zoned=column.zoned)

    def accept(self, rows: Int64, proposal: object, chosen: Int64) -> None:
        assert isinstance(proposal, pa.Array)
        self._put(rows, proposal.take(pa.array(chosen)))


@dataclass(frozen=True)
class _Link:
    """The parent of a row under one foreign key."""

    draft: Draft
    table: Table
    key: ForeignKey

    @property
    def columns(self) -> tuple[str, ...]:
        return self.key.columns

    def take(self, rows: Int64, donors: Int64) -> None:
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
        count = self.draft.rows[self.table.name]
        draw = hashed(self.draft.streams.key("relink", str(self.key), round_), rows)
        links = self.draft.links[self.key][(draw % np.uint64(count)).astype(np.int64)]
        return self._values(links), links

    def candidates(self, row: int) -> tuple[dict[str, pa.Array], object]:
        parents = self.draft.rows[self.key.parent]
        links = (row + np.arange(min(parents, _CANDIDATES))) % max(parents, 1)
        return self._values(links), links

    def accept(self, rows: Int64, proposal: object, chosen: Int64) -> None:
        assert isinstance(proposal, np.ndarray)
        links = self.draft.links[self.key].copy()
        links[rows] = proposal[chosen]
        self.draft.links[self.key] = links


def _parts(draft: Draft, table: Table, columns: Sequence[str]) -> list[_Part]:
    """The parts of a row behind some columns that may change: own columns first, then links.

    The generating link and links that share columns come last, and only where nothing else is left:
    they carry more than this constraint.
    """
    plan, facts = draft.model.plan, draft.model.tables[table.name]
    own: list[_Part] = []
    links: dict[ForeignKey, _Part] = {}
    for name in columns:
        keys = keys_of(draft, table, name)
        if not keys:
            model = facts.columns[name]
            if model.codec is not None or model.provided is not None:
                own.append(_Own(draft, table, name))
        for fk in keys:
            links[fk] = _Link(draft, table, fk)
    alone = {
        fk: part
        for fk, part in links.items()
        if all(len(keys_of(draft, table, c)) == 1 for c in fk.columns)
    }
    generating = plan.generating.get(table.name)
    easy = [part for fk, part in alone.items() if fk != generating]
    return own + easy or list(alone.values())


# ---------------------------------------------------------------------------------------------
# Unique keys
# ---------------------------------------------------------------------------------------------


def _holds_by_construction(draft: Draft, table: Table, key: UniqueKey) -> bool:
    """Whether no two rows can repeat the key, because one of its columns never repeats."""
    facts = draft.model.tables[table.name]
    if facts.copied is not None:
        return True
    foreign = {c for fk in table.foreign_keys for c in fk.columns}
    for name in key.columns:
        if name in foreign or name not in facts.columns or key.nulls_equal:
            continue
        column = facts.columns[name]
        group = counter_group(table, name) if column.ranked is not None and key.plain else None
        if column.mint is not None and key.plain:
            return True
        if (
            column.provided is not None
            and column.provided.state.get("unique")
            and len(key.columns) == 1
        ):
            return True
        if group is not None and {c for fk in group for c in fk.columns} | {name} == set(
            key.columns
        ):
            return True
    return False


def _repair_key(draft: Draft, stage: Stage, table: Table, key: UniqueKey) -> bool:
    written = {column.name for column in table.written}
    names = tuple(sorted({*key.columns, *key.where_columns}))
    if not set(names) <= written:
        return False
    hashes, subject = _key_hashes(stage, table, key, whole(draft, table, names))
    bad = np.flatnonzero(_repeats(hashes, subject))
    if not len(bad):
        return False
    if (
        key.where is not None
        and key.where_columns
        and _leave_scope(draft, table, key, bad, subject)
    ):
        return True
    parts = _parts(draft, table, key.columns)
    taken = np.unique(hashes[np.setdiff1d(np.flatnonzero(subject), bad)])
    tries = [
        *(
            (part, part.nearby, n)
            for part in parts
            if isinstance(part, _Own)
            for n in range(_NEARBY)
        ),
        *((part, part.proposals, n) for n in range(_DRAWS) for part in parts),
        *((p, p.nearby, n) for p in parts if isinstance(p, _Own) for n in range(_NEARBY, _FAR)),
    ]
    for part, propose, round_ in tries:
        if not len(bad):
            break
        proposed = propose(bad, round_)
        if proposed is not None:
            bad, taken = _redraw(draft, stage, table, key, part, bad, taken, proposed)
    for row in bad:
        taken = _search(draft, stage, table, key, parts, int(row), taken)
    return True


def _key_hashes(stage: Stage, table: Table, key: UniqueKey, rows: pa.Table) -> tuple[UInt64, Bool]:
    """A hash of every row's key, and which rows the key speaks of."""
    if key.plain:
        columns: list[pa.ChunkedArray] = [rows[name] for name in key.columns]
        scope = np.ones(rows.num_rows, bool)
    else:
        expressions = list(key.expressions)
        plain = [] if expressions else list(key.columns)
        asked = [*expressions, *([key.where] if key.where else [])]
        result = stage.evaluate(table, rows, asked)
        columns = [result.column(i) for i in range(len(expressions))] + [
            rows[name] for name in plain
        ]
        scope = np.ones(rows.num_rows, bool)
        if key.where:
            answer = result.column(len(expressions))
            scope = np.asarray(
                pc.equal(answer.cast(pa.string()), "true").fill_null(False).combine_chunks()
                .to_numpy(zero_copy_only=False)
            )  # fmt: skip
    hashes, complete = hash_keys([_folded(c) for c in columns])
    return hashes, scope & (complete | key.nulls_equal)


def _folded(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _repeats(hashes: UInt64, subject: Bool) -> Bool:
    """Rows whose hash occurred in an earlier row."""
    repeated = np.zeros(len(hashes), bool)
    rows = np.flatnonzero(subject)
    _, first = np.unique(hashes[rows], return_index=True)
    repeated[rows] = True
    repeated[rows[first]] = False
    return repeated


def _leave_scope(draft: Draft, table: Table, key: UniqueKey, bad: Int64, subject: Bool) -> bool:
    """Let repeated rows leave the scope of a partial key, by the values of a row outside of it."""
    outside = np.flatnonzero(~subject)
    parts = [p for p in _parts(draft, table, key.where_columns) if isinstance(p, _Own)]
    if not len(outside) or not parts:
        return False
    draw = hashed(draft.streams.key("scope", table.name, key.name), bad)
    donors = outside[(draw % np.uint64(len(outside))).astype(np.int64)]
    for part in parts:
        part.take(bad, donors)
    return True


def _redraw(
    draft: Draft, stage: Stage, table: Table, key: UniqueKey, part: _Part, bad: Int64,
    taken: UInt64, offered: tuple[dict[str, pa.Array], object],
) -> tuple[Int64, UInt64]:  # fmt: skip
    """Draw a part of the repeated rows anew; returns those that still repeat, and keys in use."""
    proposed, proposal = offered
    hashes, subject = _key_hashes(stage, table, key, _with(draft, table, key, bad, proposed))
    free = ~subject | (~np.isin(hashes, taken) & ~_repeats(hashes, subject))
    chosen = np.flatnonzero(free)
    if len(chosen):
        part.accept(bad[chosen], proposal, chosen)
        taken = np.union1d(taken, hashes[chosen][subject[chosen]])
    return bad[~free], taken


def _with(
    draft: Draft, table: Table, key: UniqueKey, rows: Int64, proposed: dict[str, pa.Array]
) -> pa.Table:
    names = sorted({*key.columns, *key.where_columns})
    return pa.table(
        {n: proposed[n] if n in proposed else values(draft, table, n, rows) for n in names}
    )


def _search(
    draft: Draft, stage: Stage, table: Table, key: UniqueKey, parts: Sequence[_Part], row: int,
    taken: UInt64,
) -> UInt64:  # fmt: skip
    """Try all values that a part can have for one row, part by part."""
    for part in parts:
        proposed, proposal = part.candidates(row)
        size = len(next(iter(proposed.values())))
        rows = _with(draft, table, key, np.full(size, row), proposed)
        hashes, subject = _key_hashes(stage, table, key, rows)
        free = np.flatnonzero(~subject | ~np.isin(hashes, taken))
        if len(free):
            part.accept(np.array([row]), proposal, free[:1])
            return np.union1d(taken, hashes[free[:1]][subject[free[:1]]])
    if _forget(draft, table, parts, row):
        return taken
    raise Unsatisfiable(
        f"the unique key ({', '.join(key.columns)}) of {table.name} has too few possible values",
        hint=f"lower the scale, or set `rows` for {table.name} in the spec",
    )


def _forget(draft: Draft, table: Table, parts: Sequence[_Part], row: int) -> bool:
    """Make a nullable part NULL, the last resort."""
    for part in parts:
        if all(table.column_by_name[name].nullable for name in part.columns):
            if isinstance(part, _Link):
                part.accept(np.array([row]), np.array([-1]), np.array([0]))
            else:
                kind = arrow_type(table.column_by_name[part.columns[0]])
                part.accept(np.array([row]), pa.nulls(1, kind), np.array([0]))
            return True
    return False


# ---------------------------------------------------------------------------------------------
# Groups of keys that share columns
# ---------------------------------------------------------------------------------------------


def shared_groups(draft: Draft, key: ForeignKey) -> tuple[Int64, Int64] | None:
    """Groups of child and parent rows that agree on the columns which other keys have settled."""
    table, parent = draft.model.schema[key.child], draft.model.schema[key.parent]
    shared = [name for name in key.columns if keys_of_others(draft, table, key, name)]
    if not shared:
        return None
    theirs = [key.parent_columns[key.columns.index(name)] for name in shared]
    mine = list(whole(draft, table, tuple(shared)).columns)
    other = list(whole(draft, parent, tuple(theirs)).columns)
    hashes = np.concatenate([hash_keys([_folded(c) for c in side])[0] for side in (mine, other)])
    names = np.unique(hashes, return_inverse=True)[1].astype(np.int64)
    return names[: draft.rows[table.name]], names[draft.rows[table.name] :]


def keys_of_others(
    draft: Draft, table: Table, key: ForeignKey, column: str
) -> Iterator[ForeignKey] | list[ForeignKey]:
    """Settled foreign keys with this column, other than the given one."""
    return [fk for fk in keys_of(draft, table, column) if fk != key]
