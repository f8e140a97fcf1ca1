"""Rows repaired until every CHECK, partition bound, unique key and exclusion holds.

What a constraint means is asked of the database itself (`Stage.evaluate`), so any expression,
function and type is understood.  Rows that fail a CHECK draw their texts anew or take the concerned
values of a row that passes; rows that repeat a key draw theirs anew.  Only columns that constraints
mention are held for a whole table.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import arrow_type, from_numbers
from dbsynth.databases.base import Stage
from dbsynth.deal.takeover import settle_totals
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import combined, converted, keys_of, needed, quoted, whole
from dbsynth.errors import Unsatisfiable
from dbsynth.keys import group_ids, hash_keys, rank_in_group
from dbsynth.learn.counters import counter_group
from dbsynth.progress import Progress
from dbsynth.rosters import bases_first
from dbsynth.schema import ForeignKey, Table
from dbsynth.settle.checks import repair_checks
from dbsynth.settle.distinct import holds_by_construction, repair_key
from dbsynth.settle.exclude import columns_of, implied_checks, repair_exclusion
from dbsynth.settle.numbering import follow_repairs, settled_by_rules
from dbsynth.settle.serials import settle_serials
from dbsynth.settle.upkeep import keep_values

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_ROUNDS = 8
_RULED_ROUNDS = 5  # rounds after which a constraint may break a rule
_PASSES = 4


def settle(draft: Draft, stage: Stage, progress: Progress) -> None:
    """Repair all tables.

    Raises:
        Unsatisfiable: A constraint that no drawn row meets; names it.
    """
    model = draft.model
    progress.step("settle", len(model.plan.order))
    for name in bases_first(model.plan.order, model.rosters):
        if draft.rows[name]:
            if name in model.rosters:
                settle_totals(draft, model.rosters[name], ())  # of what the bases now hold
            _settle_table(draft, stage, model.schema[name])
        progress.advance(1)
    # Sums of children, and what follows from them, are known when all tables are settled.
    for _ in range(_PASSES if model.rules else 0):
        changed = [name for name in model.plan.order if keep_values(draft, [name])]
        for name in changed:
            _settle_table(draft, stage, model.schema[name])
        if not changed:
            break


def _settle_table(draft: Draft, stage: Stage, table: Table) -> None:
    settled = draft.settled.setdefault(table.name, {})
    for name, column in draft.model.tables[table.name].columns.items():
        if column.ranked is not None:
            settled[name] = _counter(draft, table, name, column.ranked)
    if table.name not in draft.model.real:  # in real rows rules hold as far as they do
        settled |= settled_by_rules(draft, table)
    settle_serials(draft, table)
    # Another kind of database leaves generated columns NULL, and what mentions them aside.
    native = stage.capabilities.kind == draft.model.source_kind
    known = {column.name for column in (table.columns if native else table.written)}
    checks = [check for check in table.checks if check.columns and set(check.columns) <= known]
    checks += [check for e in table.exclusions for check in implied_checks(e, known)]
    keys = [key for key in table.keys if {*key.columns, *key.where_columns} <= known]
    doubtful = [key for key in keys if not holds_by_construction(draft, table, key)]
    for round_ in range(_ROUNDS):
        _keep_rules(draft, table, round_)
        repaired = bool(checks) and repair_checks(draft, stage, table, checks, round_)
        # A repair may have changed what held by construction.
        for key in keys if repaired or round_ else doubtful:
            repaired |= repair_key(draft, stage, table, key)
        for exclusion in table.exclusions:
            if not repaired and set(columns_of(table, exclusion)) <= known:
                repaired |= repair_exclusion(draft, stage, table, exclusion)
        if not repaired:
            settle_serials(draft, table)
            _compute_referenced(draft, stage, table, native=native)
            if native:
                _compute_vectors(draft, stage, table)
            return
    raise Unsatisfiable(
        f"the CHECK and UNIQUE constraints of {table.name} cannot be met together",
        hint=f"set `strategy: empty` or `copy` for {table.name} in the spec",
    )


def _keep_rules(draft: Draft, table: Table, round_: int) -> None:
    """Let rules have their way, but in real rows, and no longer than constraints allow."""
    if table.name in draft.model.real:
        return
    if round_ < _RULED_ROUNDS:
        keep_values(draft, [table.name])
    follow_repairs(draft, table)


def _compute_referenced(draft: Draft, stage: Stage, table: Table, *, native: bool) -> None:
    """The values of generated columns that foreign keys refer to."""
    asked = {c for key in draft.model.schema.referenced_keys(table.name) for c in key}
    for column in table.columns:
        if native and column.generated and column.name in asked:
            rows = whole(draft, table, needed(table, [column.name]))
            found = combined(stage.evaluate(table, rows, [quoted(column.name)]).column(0))
            draft.settled[table.name][column.name] = converted(found, arrow_type(column))


def _compute_vectors(draft: Draft, stage: Stage, table: Table) -> None:
    """Search vectors from the texts of their rows."""
    for name, model in draft.model.tables[table.name].columns.items():
        if not model.computed:
            continue
        expression, *texts = model.computed
        drawn = combined(whole(draft, table, (name,)).column(0))
        found = combined(
            stage.evaluate(table, whole(draft, table, tuple(texts)), [expression]).column(0)
        )
        draft.settled[table.name][name] = pc.if_else(pc.is_valid(drawn), found, drawn)


def _counter(draft: Draft, table: Table, name: str, first: int) -> pa.Array:
    groups = counter_group(table, name) or ()
    ranks = rank_in_group(group_ids([draft.links[fk] for fk in groups]))
    column = table.column_by_name[name]
    return from_numbers(ranks + first, np.ones(len(ranks), bool), column.kind)


def shared_groups(draft: Draft, key: ForeignKey) -> tuple[Int64, Int64] | None:
    """Groups of child and parent rows that agree on the columns which other keys have settled."""
    table, parent = draft.model.schema[key.child], draft.model.schema[key.parent]
    shared = [
        name
        for name in key.columns
        if name in key.anchored or keys_of_others(draft, table, key, name)
    ]
    if not shared:
        return None
    theirs = [key.parent_columns[key.columns.index(name)] for name in shared]
    mine = list(whole(draft, table, tuple(shared)).columns)
    other = list(whole(draft, parent, tuple(theirs)).columns)
    hashes = np.concatenate([hash_keys([combined(c) for c in side])[0] for side in (mine, other)])
    names = np.unique(hashes, return_inverse=True)[1].astype(np.int64)
    return names[: draft.rows[table.name]], names[draft.rows[table.name] :]


def keys_of_others(draft: Draft, table: Table, key: ForeignKey, column: str) -> list[ForeignKey]:
    """Settled foreign keys with this column, other than the given one."""
    return [fk for fk in keys_of(draft, table, column) if fk != key]
