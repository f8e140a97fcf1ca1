"""Codes that count rows, found out: their pieces, what they count by, and whether they do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Exposure, Role
from dbsynth.codec import as_text
from dbsynth.graph import is_unique
from dbsynth.identifiers.serial import (
    FORMATS,
    LITERAL,
    NUMBER,
    PARENT,
    TIME,
    Piece,
    Serial,
    ticks_of,
    time_text,
)
from dbsynth.keys import group_ids
from dbsynth.model import ColumnModel
from dbsynth.schema import Column, Kind, Table

Int64 = npt.NDArray[np.int64]

_FEWEST = 20  # codes
_MOST_PIECES = 12
_SAID = 0.99  # of the rows say in their code what their time is
_DENSE = 0.8  # of the numbers up to the last one are in use
_SLACK = 1.4  # the same of a sample, whose groups are known by chance only
_TOLD = 10  # rows of a sample that tell how large a group is
_ORDERED = 0.9  # of the rows follow those before in time
_MOST_DIGITS = 12
_PROVIDERS = frozenset({"pattern", "digits", "token", "label"})
_CODED = (Role.IDENTIFIER, Role.KEY, Role.TEXT)
_RUN = re.compile(r"([0-9]+)")


def with_serials(
    table: Table, columns: Mapping[str, ColumnModel], sample: pa.Table, rows: int
) -> dict[str, ColumnModel]:
    """The columns, those of codes that count with how they do."""
    foreign, found = table.foreign_columns(), dict(columns)
    for name, model in columns.items():
        column = table.column_by_name[name]
        if column.kind is Kind.TEXT and name not in foreign and _may_count(table, name, model):
            serial = _serial(table, column, sample, rows)
            found[name] = replace(model, serial=serial) if serial else model
    return found


def _may_count(table: Table, name: str, model: ColumnModel) -> bool:
    """Whether a column is drawn as a code of nobody, or repeats from parent to parent."""
    if model.provided is None:
        return model.decision.role is Role.CATEGORY and bool(_beside(table, name))
    coded = model.decision.role in _CODED and model.provided.provider in _PROVIDERS
    return coded and model.decision.exposure is not Exposure.DIRECT


@dataclass(frozen=True)
class _Codes:
    """Codes of a column with what may be in them.

    Attributes:
        runs: The digits of each run of digits, one column for each.
        share: Of all rows, how many are here.
    """

    literals: tuple[str, ...]
    runs: tuple[pa.Array, ...]
    times: Mapping[str, pa.Array]
    parents: Mapping[str, pa.Array]
    share: float


def _serial(table: Table, column: Column, sample: pa.Table, rows: int) -> Serial | None:
    codes = _codes(table, column, sample, rows)
    if codes is None:
        return None
    for time in (*codes.times, None):
        read = _read(codes, time)
        if read is None:
            continue
        pieces, numbers, parent = read
        timed = any(piece.kind == TIME for piece in pieces)
        if timed or time is None:
            others = () if is_unique(table, (column.name,)) else _beside(table, column.name)
            for serial in _ways(pieces, time if timed else None, parent, others):
                counted = _counted(codes, serial, numbers)
                if counted is not None:
                    return counted
    return None


def _codes(table: Table, column: Column, sample: pa.Table, rows: int) -> _Codes | None:
    texts = sample[column.name].combine_chunks()
    present = np.flatnonzero(np.asarray(texts.is_valid().to_numpy(zero_copy_only=False)))
    if len(present) < _FEWEST:
        return None
    texts = texts.take(pa.array(present))
    parts = _RUN.split(texts[0].as_py())
    literals = parts[::2]
    if len(parts) < 3 or len(parts) > 2 * _MOST_PIECES:
        return None
    names = [f"r{i}" for i in range(len(parts) // 2)]
    form = "".join(re.escape(text) + (f"(?P<{names[i]}>[0-9]+)" if i < len(names) else "")
                   for i, text in enumerate(literals))  # fmt: skip
    split = pc.extract_regex(texts, f"^{form}$")
    if split.null_count:
        return None
    runs = tuple(pc.struct_field(split, name) for name in names)

    def column_of(name: str) -> pa.Array:
        return sample[name].combine_chunks().take(pa.array(present))

    kinds = (Kind.DATE, Kind.TIMESTAMP)
    times = {c.name: column_of(c.name) for c in table.written if c.kind in kinds}
    keys = {fk.columns[0] for fk in table.foreign_keys if len(fk.columns) == 1}
    parents = {name: as_text(column_of(name)) for name in sorted(keys) if name != column.name}
    share = sample.num_rows / max(rows, 1)
    return _Codes(tuple(literals), runs, times, parents, min(share, 1.0))


def _read(codes: _Codes, time: str | None) -> tuple[tuple[Piece, ...], Int64, str | None] | None:
    """The pieces, where exactly one run of digits is left to count, its numbers, and the parent."""
    pieces, left, parent = [], [], None
    for literal, run in zip(codes.literals, (*codes.runs, None), strict=True):
        pieces += [Piece(LITERAL, literal)] if literal else []
        if run is None:
            break
        if pc.count_distinct(run).as_py() == 1:
            pieces.append(Piece(LITERAL, run[0].as_py()))
            continue
        said, rest = _told(codes.times[time], run) if time is not None else (None, run)
        pieces += [Piece(TIME, said)] if said else []
        if rest is None:
            continue
        named = _named(codes.parents, rest)
        if named is not None and parent is None:
            parent = named[0]
            pieces.append(Piece(PARENT, width=named[1]))
            continue
        pieces.append(Piece(NUMBER, width=_width(rest)))
        left.append(rest)
    if len(left) != 1 or pc.max(pc.utf8_length(left[0])).as_py() > _MOST_DIGITS:
        return None
    return tuple(pieces), left[0].cast(pa.int64()).to_numpy(zero_copy_only=False), parent


def _told(times: pa.Array, run: pa.Array) -> tuple[str | None, pa.Array | None]:
    """The format in which a run of digits begins with the time, and what is left of it."""
    shortest = pc.min(pc.utf8_length(run)).as_py()
    for form in FORMATS:
        said = time_text(times, form)
        width = len(time_text(pa.array([0], pa.timestamp("s")), form)[0].as_py())
        if width > shortest:
            continue
        agree = pc.fill_null(pc.equal(pc.utf8_slice_codeunits(run, 0, width), said), False)
        if pc.mean(agree.cast(pa.float64())).as_py() < _SAID:
            continue
        rest = pc.utf8_slice_codeunits(run, width)
        if pc.max(pc.utf8_length(rest)).as_py() == 0:
            return form, None
        if pc.min(pc.utf8_length(rest)).as_py() > 0:
            return form, rest
    return None, run


def _named(parents: Mapping[str, pa.Array], run: pa.Array) -> tuple[str, int] | None:
    """The foreign key whose value a run of digits is, and its width."""
    width = _width(run)
    for name, values in parents.items():
        padded = pc.utf8_lpad(values, width, "0") if width else values
        if pc.all(pc.fill_null(pc.equal(padded, run), False)).as_py():
            return name, width
    return None


def _width(run: pa.Array) -> int:
    """The width that numbers are written in, where zeros stand before them."""
    lengths = pc.utf8_length(run)
    shortest = pc.min(lengths).as_py()
    padded = pc.any(pc.and_(pc.starts_with(run, "0"), pc.greater(lengths, 1))).as_py()
    return int(shortest) if padded or pc.max(lengths).as_py() == shortest else 0


def _beside(table: Table, name: str) -> tuple[str, ...]:
    """Foreign keys that are unique together with a column."""
    found = {c for key in table.keys if key.plain and name in key.columns and len(key.columns) == 2
             for c in key.columns if c != name}  # fmt: skip
    single = {fk.columns[0] for fk in table.foreign_keys if len(fk.columns) == 1}
    return tuple(sorted(found & single))


def _ways(
    pieces: tuple[Piece, ...], time: str | None, parent: str | None, others: Sequence[str]
) -> Iterator[Serial]:
    """How numbers may begin anew: with all that is in the code, with a part of it, or never."""
    timed, within = time is not None, parent is not None
    for restarts, inside in dict.fromkeys(
        [(timed, within), (timed, False), (False, within), (False, False)]
    ):
        if not timed and not inside:  # bare numbers of rows are drawn like any other codes
            continue
        yield Serial(pieces, time, parent, restarts=restarts, within=inside)
    for name in others if parent is None else ():
        for restarts in dict.fromkeys([timed, False]):
            yield Serial(pieces, time, name, restarts=restarts, within=True)


def _counted(codes: _Codes, serial: Serial, numbers: Int64) -> Serial | None:
    """The serial with its first number, where the numbers count from there in every group."""
    times = codes.times.get(serial.time or "")
    parents = codes.parents.get(serial.parent or "")
    parts = serial.groups(times, parents)
    group = group_ids(parts) if parts else np.zeros(len(numbers), np.int64)
    order = np.lexsort((numbers, group))
    ordered, heads = numbers[order], np.flatnonzero(np.diff(group[order], prepend=-1))
    same = np.diff(ordered) == 0
    if (same & (np.diff(group[order]) == 0)).any():
        return None
    sizes = np.diff(np.append(heads, len(order)))
    firsts = ordered[heads]
    first = _first(firsts)
    spans = ordered[heads + sizes - 1] - first + 1
    whole = codes.share >= 1.0
    known = np.ones(len(sizes), bool) if whole else sizes >= _TOLD
    expected = sizes / codes.share
    dense = spans <= (expected / _DENSE if whole else expected * _SLACK + 3)
    if not known.any() or sizes[known & dense].sum() < _DENSE * sizes[known].sum():
        return None
    if not _in_time(codes, serial, order, group):
        return None
    if serial.time is None:
        later = [n for n, t in codes.times.items() if _follows(t, order, group)]
        return replace(serial, first=first, time=next(iter(later), None))
    return replace(serial, first=first)


def _first(firsts: Int64) -> int:
    """The number that most groups begin with; of few groups, one that tells of no row."""
    values, counts = np.unique(firsts, return_counts=True)
    commonest = int(values[counts.argmax()])
    if counts.max() * 2 > len(firsts) >= _TOLD:
        return commonest
    least = int(values[0])
    if least < _TOLD:
        return min(least, 1)
    step = int(10 ** (len(str(least)) - 1))
    return least // step * step + (1 if least % step else 0)


def _in_time(codes: _Codes, serial: Serial, order: Int64, group: Int64) -> bool:
    return serial.time is None or _follows(codes.times[serial.time], order, group)


def _follows(times: pa.Array, order: Int64, group: Int64) -> bool:
    """Whether rows in the order of their numbers follow each other in time."""
    ticks = ticks_of(times)[order]
    together = np.diff(group[order]) == 0
    if not together.any():
        return True
    return float((np.diff(ticks)[together] >= 0).mean()) >= _ORDERED
