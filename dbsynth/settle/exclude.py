"""Rows that an EXCLUDE constraint forbids beside others, moved until it holds.

Two sorts of parts are understood: equality, and overlap of ranges.  What compares otherwise is left
to the database, which refuses the structure when the rows break it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import from_numbers
from dbsynth.databases.base import Stage
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import combined, needed, quoted, whole
from dbsynth.errors import TooManyRows
from dbsynth.keys import group_ids, rank_in_group
from dbsynth.randomness import hashed
from dbsynth.schema import Check, Exclusion, Kind, Table
from dbsynth.settle.parts import Own, bundle, own_parts

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_ROUNDS = 40
_ORDER = re.compile(
    r'\w+range\((?P<low>"(?:[^"]|"")+"|\w+), (?P<high>"(?:[^"]|"")+"|\w+)(?:, .*)?\)'
)
_TIME = re.compile(r"[-+]?infinity|\d{4,}-\d\d-\d\d.*")


def implied_checks(exclusion: Exclusion, known: set[str]) -> Iterator[Check]:
    """That a range built from two columns does not end before it begins."""
    for expression, _ in exclusion.parts:
        match = _ORDER.fullmatch(expression)
        if match and set(exclusion.columns) <= known:
            low, high = match["low"], match["high"]
            names = {quoted(c): c for c in known} | {c: c for c in known}
            if low != high and low in names and high in names:
                yield Check(exclusion.name, f"{low} <= {high}", (names[low], names[high]))


@dataclass(frozen=True, slots=True)
class _Claims:
    """What each row claims for itself.

    Attributes:
        group: Number of the tuple of all parts that compare by equality, as text.
        low, high: Bounds of the ranges; the high one excluded, so that bounds may touch.
        subject: Rows that the constraint speaks of.
    """

    group: pa.Array
    low: Float64
    high: Float64
    subject: Bool


def columns_of(table: Table, exclusion: Exclusion) -> tuple[str, ...]:
    """Columns that it mentions, also those of its predicate (perhaps a few more)."""
    where = exclusion.where or ""
    names = (column.name for column in table.columns)
    return (*exclusion.columns, *(n for n in names if n in where and n not in exclusion.columns))


def repair_exclusion(draft: Draft, stage: Stage, table: Table, exclusion: Exclusion) -> bool:
    """Move rows in conflict with earlier ones; returns whether there were any.

    Raises:
        TooManyRows: There is no place left for some.
    """
    names = needed(table, columns_of(table, exclusion))
    claims = _claims(stage, table, exclusion, whole(draft, table, names))
    if claims is None:
        return False
    bad = np.flatnonzero(_conflicts(claims))
    if not len(bad):
        return False
    for round_ in range(_ROUNDS):
        bad = _move(draft, stage, table, exclusion, names, bad, round_)
        if not len(bad):
            return True
    bad = _queue(draft, stage, table, exclusion, names, bad)
    if not len(bad):
        return True
    raise TooManyRows(
        f"the exclusion `{exclusion.name}` of {table.name} leaves no place for some rows",
        table=table.name,
        rows=draft.rows[table.name] - len(bad),
    )


def _move(
    draft: Draft, stage: Stage, table: Table, exclusion: Exclusion, names: tuple[str, ...],
    bad: Int64, round_: int,
) -> Int64:  # fmt: skip
    """Give rows in conflict the values of other rows; returns those still in conflict."""
    all_parts = bundle(draft, table, names)
    own = own_parts(draft, table, names)
    links = [part for part in all_parts if not isinstance(part, Own)]
    # A row moves to another group, to another range, or to both.
    parts = (links, own, all_parts)[round_ % 3]
    rows = draft.rows[table.name]
    draw = hashed(draft.streams.key("move", table.name, exclusion.name, round_), bad)
    donors = (draw % np.uint64(rows)).astype(np.int64)
    for part in parts:
        part.take(bad, donors, exactly=True)
    claims = _claims(stage, table, exclusion, whole(draft, table, names))
    assert claims is not None
    return np.intersect1d(np.flatnonzero(_conflicts(claims, late=bad)), bad)


def _queue(
    draft: Draft, stage: Stage, table: Table, exclusion: Exclusion, names: tuple[str, ...],
    bad: Int64,
) -> Int64:  # fmt: skip
    """Put the ranges of rows behind the last one of their group; returns rows without a place."""
    claims = _claims(stage, table, exclusion, whole(draft, table, names))
    target = _range_columns(draft, table, exclusion)
    if claims is None or target is None:
        return bad
    group = group_ids([claims.group.to_numpy(zero_copy_only=False)])
    kept = claims.subject.copy()
    kept[bad] = False
    groups = int(group.max(initial=0)) + 1
    first, last = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(first, group[kept], claims.low[kept])
    np.maximum.at(last, group[kept], claims.high[kept])
    lengths = claims.high - claims.low
    usual = lengths[kept & np.isfinite(lengths)]
    instead = np.median(usual) if len(usual) else 1.0
    length = np.where(np.isfinite(lengths[bad]), lengths[bad], instead)
    mine = group[bad]
    free = np.isfinite(last[mine]) | np.isfinite(first[mine])
    placed, length, mine = bad[free], length[free], mine[free]
    order = np.argsort(mine, kind="stable")
    reached = np.cumsum(length[order])
    start = rank_in_group(mine[order]) == 0
    used = np.empty(len(placed))  # of the queue of its group, by those before and the row itself
    used[order] = reached - np.maximum.accumulate(np.where(start, reached - length[order], -np.inf))
    behind = np.isfinite(last[mine])  # else the last one never ends, and the queue stands before
    high = np.where(behind, last[mine] + used, first[mine] - used + length)
    _put_ranges(draft, table, target, placed, high - length, high)
    left: Int64 = bad[~free]
    return left


def _range_columns(draft: Draft, table: Table, exclusion: Exclusion) -> tuple[Own, ...] | None:
    """The own column that holds the range, or the two that hold its ends."""
    parts = [p for p in own_parts(draft, table, exclusion.columns) if isinstance(p, Own)]
    own = {p.name: p for p in parts} | {quoted(p.name): p for p in parts}
    for expression, operator in exclusion.parts:
        match = _ORDER.fullmatch(expression)
        if operator == "&&" and expression in own:
            return (own[expression],)
        ends = [own[end] for end in match.groups() if end in own] if match else []
        if operator == "&&" and len(ends) == 2 and ends[0] != ends[1]:
            return ends[0], ends[1]
    return None


def _put_ranges(
    draft: Draft, table: Table, target: tuple[Own, ...], rows: Int64, low: Float64, high: Float64
) -> None:
    if len(target) == 2:
        for part, numbers in zip(target, (low, high), strict=True):
            column = table.column_by_name[part.name]
            scale = 86_400e6 if column.kind is Kind.DATE else 1.0
            present = np.ones(len(rows), bool)
            found = from_numbers(numbers / scale, present, column.kind, zoned=column.zoned)
            part.accept(rows, found, np.arange(len(rows)))
        return
    type_ = table.column_by_name[target[0].name].base_type
    texts = [f"[{_bound(a, type_)},{_bound(b, type_)})" for a, b in zip(low, high, strict=True)]
    target[0].accept(rows, pa.array(texts, pa.string()), np.arange(len(rows)))


def _bound(number: float, type_: str) -> str:
    """A number as a bound of a range type."""
    if type_ in ("daterange", "tsrange", "tstzrange"):
        moment = str(np.datetime64(round(number), "us"))
        zone = "Z" if type_ == "tstzrange" else ""
        return moment[:10] if type_ == "daterange" else moment + zone
    return str(round(number)) if type_ in ("int4range", "int8range") else repr(float(number))


def _claims(stage: Stage, table: Table, exclusion: Exclusion, rows: pa.Table) -> _Claims | None:
    """What the rows claim, or None where a part compares in a way that is not understood."""
    asked: list[str] = []
    for expression, operator in exclusion.parts:
        if operator == "=":
            asked += [expression]
        elif operator == "&&":
            asked += [f"lower({expression})", f"upper({expression})", f"isempty({expression})",
                      f"upper_inc({expression})"]  # fmt: skip
        else:
            return None
    scope = [exclusion.where] if exclusion.where else []
    found = [combined(c) for c in stage.evaluate(table, rows, [*asked, *scope]).columns]
    subject = _true(found.pop()) if scope else np.ones(rows.num_rows, bool)
    equal, spans = [], []
    for _, operator in exclusion.parts:
        if operator == "=":
            equal.append(found.pop(0))
            subject = subject & _valid(equal[-1])
            continue
        low, high, empty, closed = (found.pop(0) for _ in range(4))
        subject = subject & _valid(empty) & ~_true(empty)
        span = _span(low, high, _true(closed))
        if span is None:
            return None
        spans.append(span)
    # Of several ranges, one that is a point for every row is but an equality.
    spans.sort(key=lambda span: not _disjoint(span[0][subject], span[1][subject]))
    if not all(_disjoint(low[subject], high[subject]) for low, high in spans[:-1]):
        return None
    equal += [pa.array(low).cast(pa.string()) for low, _ in spans[:-1]]
    low, high = spans[-1] if spans else (np.zeros(rows.num_rows), np.ones(rows.num_rows))
    group = (
        pc.binary_join_element_wise(*equal, "\x1f", null_handling="replace")
        if equal
        else (pa.array([""] * rows.num_rows))
    )
    return _Claims(group, low, high, subject)


def _true(column: pa.Array) -> Bool:
    return np.asarray(
        pc.equal(column.cast(pa.string()), "true").fill_null(False).to_numpy(zero_copy_only=False)
    )


def _valid(column: pa.Array) -> Bool:
    return np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False))


def _span(low: pa.Array, high: pa.Array, closed: Bool) -> tuple[Float64, Float64] | None:
    """Bounds as numbers that compare as the bounds do; None where their type is not known."""
    both = pc.drop_null(pa.concat_arrays([low, high]).cast(pa.string()))
    number = {value: _number(value) for value in pc.unique(both).to_pylist()}
    if any(found is None for found in number.values()):
        return None
    lows = np.array(
        [-np.inf if v is None else number[v] for v in low.cast(pa.string()).to_pylist()]
    )
    highs = np.array(
        [np.inf if v is None else number[v] for v in high.cast(pa.string()).to_pylist()]
    )
    return lows.astype(float), np.where(
        closed, np.nextafter(highs.astype(float), np.inf), highs.astype(float)
    )


def _number(value: str) -> float | None:
    """A bound as a number: numbers as they are, dates and times in microseconds."""
    try:
        return float(value)
    except ValueError:
        pass
    if not _TIME.fullmatch(value):
        return None
    if value.endswith("infinity"):
        return -np.inf if value.startswith("-") else np.inf
    try:
        return float(
            np.datetime64(re.sub(r"[+-]\d\d(:?\d\d)?$", "", value[:10] + value[10:]), "us").astype(
                np.int64
            )
        )
    except ValueError:
        return None


def _disjoint(low: Float64, high: Float64) -> bool:
    """Whether ranges are equal wherever they overlap."""
    pairs = np.unique(np.stack([low, high], axis=1), axis=0)
    return bool((pairs[1:, 0] >= pairs[:-1, 1]).all())


def _conflicts(claims: _Claims, late: Int64 | None = None) -> Bool:
    """Rows that overlap an earlier one of their group; of two, the one in ``late`` is to blame."""
    rows = np.flatnonzero(claims.subject)
    if not len(rows):
        return np.zeros(len(claims.subject), bool)
    group = group_ids([claims.group.take(pa.array(rows)).to_numpy(zero_copy_only=False)])
    is_late = np.zeros(len(claims.subject), bool)
    if late is not None:
        is_late[late] = True
    order = np.lexsort((claims.low[rows], group))
    ordered = rows[order]
    blamed = _sweep(group[order], claims.low[ordered], claims.high[ordered], is_late[ordered])
    conflicts = np.zeros(len(claims.subject), bool)
    conflicts[ordered[blamed]] = True
    return conflicts


@numba.njit(cache=True)
def _sweep(group: Any, low: Any, high: Any, late: Any) -> Any:
    """Along each group's line, keep a row where nothing kept reaches into it."""
    blamed = np.zeros(len(group), np.bool_)
    last = -1  # the kept row that reaches furthest
    for i in range(len(group)):
        if last < 0 or group[i] != group[last] or low[i] >= high[last]:
            last = i
        elif late[last] and not late[i]:
            blamed[last] = True
            last = i
        else:
            blamed[i] = True
    return blamed
