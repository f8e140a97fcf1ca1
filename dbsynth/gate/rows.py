"""Whole rows and whole families of both sides, as hashes of what was learnt of them.

Nothing of a row is held but its hash and that of the entity that it belongs to; of large tables so
many rows, chosen by their hash, so that equal rows are chosen together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Role
from dbsynth.codec import Category, Formatted, Number, Presence
from dbsynth.databases.base import Database
from dbsynth.gate.copies import NOTHING, Made, Real, judged
from dbsynth.gate.texts import Bool
from dbsynth.keys import hash_keys
from dbsynth.learn.entities import paths_to_entities
from dbsynth.model import ColumnModel, Model, TableFacts
from dbsynth.randomness import UInt64, mix
from dbsynth.read import codec_of
from dbsynth.report import Finding
from dbsynth.rules.ranks import Ranks
from dbsynth.schema import Table

Int64 = npt.NDArray[np.int64]

MOST = 500_000  # rows of a table, or families, that are compared: 16 and 24 bytes each
FEWEST = 200  # rows that are worth comparing
FEWEST_COLUMNS = 2
_MIXED = 50_000  # rows of a table whose columns are mixed, and of which others are near
_STEPPED = 8  # columns in which others are near


@dataclass
class _Families:
    """Parents, each with all of its children.

    Attributes:
        keys: Hashes of the parents' keys, sorted once all are known.
        sums: Of each parent, the mixed hashes of its row and of its children, summed.
        sizes: Numbers of children; empty before the first child.
    """

    keys: list[UInt64] = field(default_factory=list)
    sums: list[UInt64] = field(default_factory=list)
    sizes: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))

    def _settle(self) -> None:
        """Put the parents in order, of which no more will come."""
        keys = np.concatenate([np.zeros(0, np.uint64), *self.keys])
        order = np.argsort(keys, kind="stable")
        self.keys = [keys[order]]
        self.sums = [np.concatenate([np.zeros(0, np.uint64), *self.sums])[order]]
        self.sizes = np.zeros(len(keys), np.int64)

    def add(self, hashes: UInt64, complete: Bool, values: UInt64) -> None:
        """Take children in."""
        if not len(self.sizes):
            self._settle()
        known = self.keys[0]
        if not len(known):
            return
        place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        here = complete & (known[place] == hashes)
        with np.errstate(over="ignore"):
            np.add.at(self.sums[0], place[here], mix(values[here]))
        np.add.at(self.sizes, place[here], 1)

    @property
    def values(self) -> UInt64:
        """A hash of every parent with all of its children, where it has at least two."""
        if not len(self.sizes):
            return np.zeros(0, np.uint64)
        return np.where(self.sizes > 1, self.sums[0] | np.uint64(1), np.uint64(0))


@dataclass
class _Rows:
    """The rows of one table.

    Attributes:
        total: How many there are, those that are not compared included.
        mixes: How many rows were mixed from the values of others.
        near: By column, pairs of rows and of what is a step from them.
    """

    values: list[UInt64] = field(default_factory=list)
    owners: list[UInt64] = field(default_factory=list)
    total: int = 0
    mixed: list[UInt64] = field(default_factory=list)
    mixes: int = 0
    near: dict[int, list[tuple[UInt64, UInt64]]] = field(default_factory=dict)


class Fingerprints:
    """The rows of one side, as hashes of what was learnt of them."""

    def __init__(self, model: Model, share: Mapping[str, float], *, real: bool) -> None:
        """Begin.

        Args:
            model: Tells which columns are learnt.
            share: Of each table, which share of its rows is compared.
            real: Whether these are rows of the source.
        """
        self._model, self._share, self._real = model, share, real
        self.learnt = {
            table.name: _learnt(model, table)
            for table in model.schema.tables
            if _made(model.tables[table.name])
        }
        self.rows = {name: _Rows() for name, c in self.learnt.items() if len(c) >= FEWEST_COLUMNS}
        self._owners = {name: self._owner(name) for name in self.rows} if real else {}
        self.families = {
            fk: _Families()
            for fk in model.plan.generating.values()
            if self.learnt.get(fk.child) and fk.parent in self.learnt and fk.parent != fk.child
            and len(self.learnt[fk.child]) + len(self.learnt[fk.parent]) >= FEWEST_COLUMNS
        }  # fmt: skip

    def _owner(self, name: str) -> tuple[str, ...]:
        """The key that leads from a row to whom it belongs; empty for rows of their own."""
        model = self._model
        paths = paths_to_entities(model.schema, model.tables, model.plan.generating, name)
        return paths[0][0].columns if paths else ()

    def space(self, name: str) -> float:
        """How many different rows the learnt values of a table allow; endless with free numbers."""
        models = self._model.tables[name].columns
        return math.prod(_values_of(models[column]) for column in self.learnt[name])

    def columns(self, table: Table) -> frozenset[str]:
        """The learnt columns of a table, and the keys between families."""
        ends = [
            (name, names)
            for fk in self.families
            for name, names in ((fk.child, fk.columns), (fk.parent, fk.parent_columns))
        ]
        keys = {column for name, columns in ends if name == table.name for column in columns}
        keys |= set(self._owners.get(table.name, ()))
        return frozenset(self.learnt.get(table.name, ())) | keys

    def look(self, table: Table, values: Mapping[str, pa.Array]) -> None:
        """Take a batch of rows in."""
        columns = [values[name] for name in self.learnt[table.name]]
        count = len(next(iter(values.values())))
        hashes = _hashed(columns) if columns else np.zeros(count, np.uint64)
        least = np.uint64(self._share[table.name] * (2.0**64 - 2048))
        if table.name in self.rows:
            self._take(table.name, values, columns, hashes, least)
        for fk, families in self.families.items():
            if fk.parent == table.name:
                keys, complete = hash_keys([values[name] for name in fk.parent_columns])
                chosen = complete & (keys <= least)
                families.keys.append(keys[chosen])
                families.sums.append(mix(hashes[chosen]))
            if fk.child == table.name:
                families.add(*hash_keys([values[name] for name in fk.columns]), hashes)

    def _take(
        self, name: str, values: Mapping[str, pa.Array], columns: Sequence[pa.Array],
        hashes: UInt64, least: np.uint64,
    ) -> None:  # fmt: skip
        rows, kept = self.rows[name], hashes <= least
        rows.values.append(hashes[kept])
        if self._real:
            own = rows.total + np.arange(len(hashes)).astype(np.uint64)
            key = self._owners[name]
            theirs, there = hash_keys([values[c] for c in key]) if key else (own, kept)
            rows.owners.append(np.where(there, theirs, own)[kept])
            if rows.total < _MIXED:
                for column in _steps(columns, self._written(name))[:_STEPPED]:
                    near = _hashed(_stepped(columns, column))
                    both = kept & (near <= least)
                    rows.near.setdefault(column, []).append((hashes[both], near[both]))
        elif rows.total < _MIXED:
            mixed = _hashed(_mixed(columns))
            rows.mixed.append(mixed[mixed <= least])
            rows.mixes += len(mixed)
        rows.total += len(hashes)

    def _written(self, name: str) -> list[bool]:
        """Which learnt columns of a table are numbers or times written as texts."""
        models = self._model.tables[name].columns
        return [isinstance(models[column].codec, Formatted) for column in self.learnt[name]]


def _values_of(model: ColumnModel) -> float:
    codec = model.codec.number if isinstance(model.codec, Formatted) else model.codec
    if isinstance(codec, Category):
        return len(codec.shown) + model.nulls
    if isinstance(codec, Number) and not np.isnan(codec.points).any():
        return len(codec.points) + model.nulls
    return math.inf


def shares(model: Model, clone: Database) -> dict[str, float]:
    """Which share of each table's rows is compared."""
    return {
        table.name: min(1.0, MOST / max(model.tables[table.name].rows, clone.count_rows(table), 1))
        for table in model.schema.tables
    }


def compared(real: Fingerprints, synthetic: Fingerprints) -> Iterator[Finding]:
    """Compare the rows of every table, and the families of every generating key."""
    for name, mine in real.rows.items():
        theirs = synthetic.rows[name]
        if mine.total and theirs.total:
            near = tuple(
                (_joined([own for own, _ in pairs]), _joined([other for _, other in pairs]))
                for pairs in mine.near.values()
            )
            own = Real(
                _joined(mine.values), mine.total, _joined(mine.owners), near, real.space(name)
            )
            made = Made(_joined(theirs.values), theirs.total, theirs.mixes, _joined(theirs.mixed))
            yield judged("copied rows", name, own, made, ", ".join(real.learnt[name]))
    for fk, families in real.families.items():
        ours, theirs_ = families.values, synthetic.families[fk].values
        own = Real(ours, int(np.count_nonzero(ours)))
        yield judged("copied families", str(fk), own, Made(theirs_, int(np.count_nonzero(theirs_))))


def _joined(parts: Sequence[UInt64]) -> UInt64:
    return np.concatenate([NOTHING, *parts])


def _made(facts: TableFacts) -> bool:
    return facts.strategy == "synthesize" and facts.rows >= FEWEST


def _learnt(model: Model, table: Table) -> tuple[str, ...]:
    """The columns whose values are learnt, not invented or counted out.

    Numbers from 1 to n in every season say nothing of a race: each season has its rounds but once,
    so that no half of the rows has any of the other's, and any clone has them all.
    """
    counted = {kept.rule.place for kept in model.rules if isinstance(kept.rule, Ranks)}
    return tuple(
        name
        for name, found in model.tables[table.name].columns.items()
        if name not in table.foreign_columns()
        and (table.name, name) not in counted
        and not isinstance(codec_of(found), Presence | None)
        and found.decision.role not in (Role.KEY, Role.IDENTIFIER, Role.RENAMED, Role.CONSTANT)
    )


def _hashed(columns: Sequence[pa.Array]) -> UInt64:
    """Of each row; NULL counts as a value.  Rows without any value are 0."""
    names = [str(i) for i in range(len(columns))]
    frame = pl.DataFrame(
        {n: pl.Series(pl.from_arrow(c)) for n, c in zip(names, columns, strict=True)}
    )
    some = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    return np.where(some, frame.hash_rows(seed=7).to_numpy() | np.uint64(1), np.uint64(0))


def _mixed(columns: Sequence[pa.Array]) -> list[pa.Array]:
    """The values of rows, each from another row."""
    draw = np.random.default_rng(0)
    return [column.take(pa.array(draw.permutation(len(column)))) for column in columns]


def _steps(columns: Sequence[pa.Array], written: Sequence[bool]) -> list[int]:
    """The columns of numbers and times, those written as texts too."""
    return [
        place for place, column in enumerate(columns)
        if written[place] or pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        or pa.types.is_decimal(column.type) or pa.types.is_temporal(column.type)
    ]  # fmt: skip


def _stepped(columns: Sequence[pa.Array], place: int) -> list[pa.Array]:
    """Rows with the next larger value in one column, and the last but one for the largest."""
    values = columns[place]
    known = pc.drop_null(pc.unique(values))
    if pa.types.is_string(known.type):  # short numbers are small
        ordered = pa.table({"long": pc.utf8_length(known), "text": known})
        keys = [("long", "ascending"), ("text", "ascending")]
        known = known.take(pc.sort_indices(ordered, sort_keys=keys))
    else:
        known = known.take(pc.sort_indices(known))
    at = pc.index_in(values, known)
    size = len(known)
    following = pa.array(np.r_[np.arange(1, size), max(size - 2, 0)][:size])
    return [
        known.take(following.take(at)) if i == place else column
        for i, column in enumerate(columns)
    ]  # fmt: skip
