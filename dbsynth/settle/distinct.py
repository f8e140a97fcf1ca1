"""Rows that repeat a unique key, drawn anew until none does."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import arrow_type
from dbsynth.databases.base import Stage
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import combined, needed, quoted, values, whole
from dbsynth.errors import TooManyRows
from dbsynth.identifiers.types import type_name
from dbsynth.keys import hash_keys
from dbsynth.learn.counters import counter_group
from dbsynth.randomness import hashed
from dbsynth.schema import Column, Table, UniqueKey
from dbsynth.settle.parts import Link, Own, Part, last_parts_of, parts_of

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
Bool = npt.NDArray[np.bool_]

# Providers whose unique values never run out; codes of a learnt shape may.
_ROOMY = frozenset({"uuid", "email", "user_name", "full_name", "text", "label", "company", "url"})
_LONG = 24
_DRAWS = 24
_NEARBY = 12  # steps of the grid tried before a value is drawn anew
_FAR = 160  # and after
_CROSSED = 48  # values of each of two parts that are tried together


def holds_by_construction(draft: Draft, table: Table, key: UniqueKey) -> bool:
    """Whether no two rows can repeat the key, because one of its columns never repeats."""
    facts = draft.model.tables[table.name]
    if facts.copied is not None:
        return True
    foreign = table.foreign_columns()
    for name in key.columns:
        if name in foreign or name not in facts.columns or key.nulls_equal:
            continue
        column = facts.columns[name]
        group = counter_group(table, name) if column.ranked is not None and key.plain else None
        if column.mint is not None and key.plain:
            return True
        long = len(key.columns) == 1 and _is_long(table.column_by_name[name])
        if long and column.provided is not None and column.provided.provider in _ROOMY:
            return bool(column.provided.state.get("unique"))
        if group is not None and {c for fk in group for c in fk.columns} | {name} == set(
            key.columns
        ):
            return True
    return False


def _is_long(column: Column) -> bool:
    """Whether the counter of a unique value surely fits in."""
    return column.length is None or column.length >= _LONG


def repair_key(draft: Draft, stage: Stage, table: Table, key: UniqueKey) -> bool:
    """Draw repeated rows anew until no key occurs twice; returns whether there were any.

    Raises:
        TooManyRows: There are fewer possible keys than rows.
    """
    names = needed(table, key.columns, key.where_columns)
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
    parts = parts_of(draft, table, [n for n in names if n in key.columns] or names)
    taken = np.unique(hashes[np.setdiff1d(np.flatnonzero(subject), bad)])
    tries = [
        *(
            (part, part.nearby, n)
            for part in parts
            if isinstance(part, Own)
            for n in range(_NEARBY)
        ),
        *((part, part.proposals, n) for n in range(_DRAWS) for part in parts),
        *((p, p.nearby, n) for p in parts if isinstance(p, Own) for n in range(_NEARBY, _FAR)),
    ]
    for part, propose, round_ in tries:
        if not len(bad):
            break
        proposed = propose(bad, round_)
        if proposed is not None:
            bad, taken = _redraw(draft, stage, table, key, part, bad, taken, proposed)
    lost, parts = 0, last_parts_of(draft, table, [n for n in names if n in key.columns] or names)
    for row in bad:
        found = _search(draft, stage, table, key, parts, int(row), taken)
        lost += found is None
        taken = taken if found is None else found
    if lost:
        raise TooManyRows(
            f"the unique key ({', '.join(key.columns)}) of {table.name} has too few values",
            table=table.name,
            rows=draft.rows[table.name] - lost,
        )
    return True


def _key_hashes(stage: Stage, table: Table, key: UniqueKey, rows: pa.Table) -> tuple[UInt64, Bool]:
    """A hash of every row's key, and which rows the key speaks of."""
    given = set(key.columns) <= set(rows.column_names)
    if key.plain and given:
        columns: list[pa.ChunkedArray] = [folded(table, name, rows[name]) for name in key.columns]
        scope = np.ones(rows.num_rows, bool)
    else:
        expressions = list(key.expressions) or ([] if given else [quoted(c) for c in key.columns])
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
    hashes, complete = hash_keys([combined(c) for c in columns])
    return hashes, scope & (complete | key.nulls_equal)


def folded(table: Table, name: str, values_: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values that are equal where the database says so: in citext, case makes no difference."""
    column = table.column_by_name[name]
    insensitive = type_name(column.base_type or column.sql_type) == "citext"
    return pc.utf8_lower(values_) if insensitive else values_


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
    parts = [p for p in parts_of(draft, table, key.where_columns) if isinstance(p, Own)]
    if not len(outside) or not parts:
        return False
    draw = hashed(draft.streams.key("scope", table.name, key.name), bad)
    donors = outside[(draw % np.uint64(len(outside))).astype(np.int64)]
    for part in parts:
        part.take(bad, donors)
    return True


def _redraw(
    draft: Draft, stage: Stage, table: Table, key: UniqueKey, part: Part, bad: Int64,
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
    names = needed(table, key.columns, key.where_columns)
    return pa.table(
        {n: proposed[n] if n in proposed else values(draft, table, n, rows) for n in names}
    )


def _search(
    draft: Draft, stage: Stage, table: Table, key: UniqueKey, parts: Sequence[Part], row: int,
    taken: UInt64,
) -> UInt64 | None:  # fmt: skip
    """Try all values that a part can have for one row, part by part; None where none is free."""
    for part in parts:
        proposed, proposal = part.candidates(row)
        size = len(next(iter(proposed.values())))
        rows = _with(draft, table, key, np.full(size, row), proposed)
        hashes, subject = _key_hashes(stage, table, key, rows)
        free = np.flatnonzero(~subject | ~np.isin(hashes, taken))
        if len(free):
            part.accept(np.array([row]), proposal, free[:1])
            return np.union1d(taken, hashes[free[:1]][subject[free[:1]]])
    for one, other in itertools.combinations(parts, 2):
        found = _search_both(draft, stage, table, key, (one, other), row, taken)
        if found is not None:
            return found
    return _forget(draft, stage, table, key, parts, row, taken)


def _search_both(
    draft: Draft, stage: Stage, table: Table, key: UniqueKey, parts: tuple[Part, Part], row: int,
    taken: UInt64,
) -> UInt64 | None:  # fmt: skip
    """Try values of two parts together, spread over those that each can have."""
    offers = [part.candidates(row) for part in parts]
    if any(set(part.columns) & set(parts[1 - i].columns) for i, part in enumerate(parts)):
        return None
    sizes = [len(next(iter(values_.values()))) for values_, _ in offers]
    some = [np.unique(np.linspace(0, n - 1, min(n, _CROSSED)).astype(np.int64)) for n in sizes]
    places = [grid.ravel() for grid in np.meshgrid(*some, indexing="ij")]
    proposed = {
        name: column.take(pa.array(place))
        for (values_, _), place in zip(offers, places, strict=True)
        for name, column in values_.items()
    }
    rows = _with(draft, table, key, np.full(len(places[0]), row), proposed)
    hashes, subject = _key_hashes(stage, table, key, rows)
    free = np.flatnonzero(~subject | ~np.isin(hashes, taken))
    if not len(free):
        return None
    for part, (_, proposal), place in zip(parts, offers, places, strict=True):
        part.accept(np.array([row]), proposal, place[free[:1]])
    return np.union1d(taken, hashes[free[:1]][subject[free[:1]]])


def _forget(
    draft: Draft, stage: Stage, table: Table, key: UniqueKey, parts: Sequence[Part], row: int,
    taken: UInt64,
) -> UInt64 | None:  # fmt: skip
    """Make a nullable part NULL, the last resort; None where that is no help either."""
    here = np.array([row])
    for part in parts:
        if not all(table.column_by_name[name].nullable for name in part.columns):
            continue
        nulls = {n: pa.nulls(1, arrow_type(table.column_by_name[n])) for n in part.columns}
        hashes, subject = _key_hashes(stage, table, key, _with(draft, table, key, here, nulls))
        if subject[0] and hashes[0] in taken:  # NULLs are equal to this key
            continue
        empty = np.array([-1]) if isinstance(part, Link) else nulls[part.columns[0]]
        part.accept(here, empty, np.array([0]))
        return np.union1d(taken, hashes[subject])
    return None
