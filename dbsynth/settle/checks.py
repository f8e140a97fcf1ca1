"""Rows that a CHECK refuses, given values that it lets pass."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.databases.base import Stage
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import needed, values, whole
from dbsynth.errors import TooManyRows, Unsatisfiable
from dbsynth.randomness import hashed
from dbsynth.schema import Check, Kind, Table
from dbsynth.settle.coinage import coin_anew, minted
from dbsynth.settle.parts import Own, Part, bundle, own_parts, parts_of

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_LONE_ROUNDS = 2  # rounds in which each CHECK is mended by itself
_EASY_ROUNDS = 3  # rounds in which a repair leaves the generating links alone
_DRAWS = 6
_LITERAL = re.compile(r"'((?:[^']|'')*)'")


def repair_checks(
    draft: Draft, stage: Stage, table: Table, checks: Sequence[Check], round_: int
) -> bool:
    """Repair the rows that fail any of some CHECKs; returns whether there were any.

    Args:
        round_: How often this was done before: later rounds may change more of a row.

    Raises:
        TooManyRows: A CHECK on keys leaves room for fewer rows.
        Unsatisfiable: No drawn row meets a CHECK.
    """
    names = needed(table, [name for check in checks for name in check.columns])
    rows = whole(draft, table, names)
    result = stage.evaluate(table, rows, [check.sql for check in checks])
    failing = np.stack([_is_false(result.column(i)) for i in range(len(checks))])
    if not failing.any():
        return False
    met = list(zip(checks, failing, strict=True))
    for check, failed in met if round_ < _LONE_ROUNDS else _joined(table, met):
        if failed.any():
            _repair_check(draft, stage, table, check, failed, round_)
    return True


def _joined(table: Table, met: Sequence[tuple[Check, Bool]]) -> list[tuple[Check, Bool]]:
    """CHECKs about the same columns as one, so that mending one breaks no other.

    They stay apart where no row meets them all.
    """
    groups: list[list[tuple[Check, Bool]]] = []
    for one in met:
        columns = set(needed(table, one[0].columns))
        far, near = [], [one]
        for group in groups:
            if any(columns & {*needed(table, check.columns)} for check, _ in group):
                near += group
            else:
                far.append(group)
        groups = [*far, near]
    found: list[tuple[Check, Bool]] = []
    for group in groups:
        failed = np.any([failed for _, failed in group], axis=0)
        if len(group) == 1 or failed.all():
            found += group
            continue
        checks = [check for check, _ in group]
        name = ", ".join(check.name for check in checks)
        sql = " AND ".join(f"({check.sql})" for check in checks)
        about = tuple(dict.fromkeys(column for check in checks for column in check.columns))
        found.append((Check(name, sql, about), failed))
    return found


def _is_false(column: pa.ChunkedArray) -> Bool:
    if not pa.types.is_boolean(column.type):
        column = pc.not_equal(pc.utf8_lower(column.cast(pa.string())), "false")
    return np.asarray(
        pc.equal(column, False).fill_null(False).combine_chunks().to_numpy(zero_copy_only=False)
    )


def _repair_check(
    draft: Draft, stage: Stage, table: Table, check: Check, failed: Bool, round_: int
) -> None:
    """Texts are drawn anew, at last from a pattern of the real ones; others copy a good row.

    Keys, where nothing else may change, take other numbers.
    """
    columns = needed(table, check.columns)
    bad = _redrawn(draft, stage, table, check, np.flatnonzero(failed), round_)
    passing = np.flatnonzero(~failed)
    few = parts_of(draft, table, columns) if round_ < _EASY_ROUNDS else []
    parts = few or bundle(draft, table, columns)
    if not parts or not len(passing):
        bad = _coined(draft, stage, table, check, bad)
    if not len(passing):
        bad = _take_literals(draft, stage, table, check, bad)
    if not len(bad):
        return
    if not len(passing):
        raise Unsatisfiable(
            f"no drawn row of {table.name} meets the CHECK `{check.name}`",
            hint=f"set `strategy: empty` or `copy` for {table.name} in the spec",
        )
    if not parts:
        raise TooManyRows(
            f"the CHECK `{check.name}` of {table.name} is about keys and leaves room for few",
            table=table.name,
            rows=len(passing),
        )
    draw = hashed(draft.streams.key("donor", table.name, check.name, round_), bad)
    donors = passing[(draw % np.uint64(len(passing))).astype(np.int64)]
    for part in parts:
        part.take(bad, donors, exactly=not few)


def _redrawn(
    draft: Draft, stage: Stage, table: Table, check: Check, bad: Int64, round_: int
) -> Int64:
    """Draw texts of some rows anew; returns the rows that still fail."""
    for attempt in range(_DRAWS):
        for part in own_parts(draft, table, needed(table, check.columns)):
            if isinstance(part, Own) and part.invented and len(bad):
                spare = attempt >= _DRAWS // 2
                bad = _redraw_failing(
                    draft, stage, table, check, part, bad, round_ * _DRAWS + attempt, spare
                )
    return bad


def _coined(draft: Draft, stage: Stage, table: Table, check: Check, bad: Int64) -> Int64:
    """Give keys of some rows other numbers; returns the rows that still fail."""

    def passes(rows: Int64, name: str, offered: pa.Array) -> Bool:
        return _passes(draft, stage, table, check, rows, {name: offered})

    for name in minted(draft, table, needed(table, check.columns)):
        bad = coin_anew(draft, table, name, bad, passes) if len(bad) else bad
    return bad


def _take_literals(draft: Draft, stage: Stage, table: Table, check: Check, bad: Int64) -> Int64:
    """Give rows the values that the CHECK itself names; returns the rows that still fail."""
    for part in own_parts(draft, table, check.columns):
        kind = table.column_by_name[part.columns[0]].kind
        longest = table.column_by_name[part.columns[0]].length
        texts = [text.replace("''", "'") for text in _LITERAL.findall(check.sql)]
        texts = [text for text in texts if longest is None or len(text) <= longest]
        if not texts or kind not in (Kind.TEXT, Kind.ENUM):
            continue
        for attempt in range(len(texts)):
            draw = hashed(draft.streams.key("literal", table.name, check.name, attempt), bad)
            words = pa.array(texts).take(pa.array((draw % np.uint64(len(texts))).astype(np.int64)))
            offered = {part.columns[0]: words}
            bad = _accept_passing(draft, stage, table, check, part, bad, offered, words)
            if not len(bad):
                break
    return bad


def _redraw_failing(
    draft: Draft,
    stage: Stage,
    table: Table,
    check: Check,
    part: Own,
    bad: Int64,
    attempt: int,
    spare: bool,
) -> Int64:
    """Draw one column of some rows anew; returns the rows that still fail."""
    proposed, proposal = part.spares(bad, attempt) if spare else part.proposals(bad, attempt)
    return _accept_passing(draft, stage, table, check, part, bad, proposed, proposal)


def _accept_passing(
    draft: Draft, stage: Stage, table: Table, check: Check, part: Part, bad: Int64,
    proposed: Mapping[str, pa.Array], proposal: object,
) -> Int64:  # fmt: skip
    """Take the proposals that the CHECK lets pass; returns the rows that still fail."""
    passes = _passes(draft, stage, table, check, bad, proposed)
    chosen = np.flatnonzero(passes)
    if len(chosen):
        part.accept(bad[chosen], proposal, chosen)
    return bad[~passes]


def _passes(
    draft: Draft, stage: Stage, table: Table, check: Check, rows: Int64,
    proposed: Mapping[str, pa.Array],
) -> Bool:  # fmt: skip
    """Which rows the CHECK lets pass with proposed values."""
    names = needed(table, check.columns)
    found = {n: proposed[n] if n in proposed else values(draft, table, n, rows) for n in names}
    return ~_is_false(stage.evaluate(table, pa.table(found), [check.sql]).column(0))
