"""Whole rows and whole families that a clone has in common with its source.

Any two samples of one population share rows where few values are possible.  So the source is cut in
two halves, and what the clone shares with the first half is set beside what the second half shares
with it.  Only rows that are alone in their half count: nobody is told by a row that many have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dbsynth.classify import Role
from dbsynth.codec import Category, Formatted, Number, Presence
from dbsynth.databases.base import Database
from dbsynth.gate.texts import Bool
from dbsynth.keys import hash_keys
from dbsynth.model import ColumnModel, Model, TableFacts
from dbsynth.randomness import UInt64, hashed, mix
from dbsynth.read import codec_of
from dbsynth.report import Finding, Status
from dbsynth.rules.ranks import Ranks
from dbsynth.schema import Table

Int64 = npt.NDArray[np.int64]

NOTHING: UInt64 = np.zeros(0, np.uint64)
MOST = 500_000  # rows of a table, or families, that are compared: 24 bytes each
FEWEST = 200  # rows that are worth halving
FEWEST_COLUMNS = 2
_SURE = 6.0  # standard deviations
_ALLOWED = 2.0  # times what the halves share: entities repeat themselves, and rows hang together
_MIXED = 50_000  # rows of a table whose columns are mixed
_LEAST = 0.1  # of the rows: a model that knows less than its source draws rare rows more often


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


class Fingerprints:
    """The rows of one side, as hashes of what was learnt of them."""

    def __init__(self, model: Model, share: Mapping[str, float]) -> None:
        """Begin.

        Args:
            model: Tells which columns are learnt.
            share: Of each table, which share of its rows is compared.
        """
        self._model, self._share = model, share
        self._learnt = {
            table.name: _learnt(model, table)
            for table in model.schema.tables
            if _made(model.tables[table.name])
        }
        self.rows: dict[str, list[UInt64]] = {name: [] for name in self._learnt}
        self.mixed: dict[str, list[UInt64]] = {name: [] for name in self._learnt}
        self.families = {
            fk: _Families()
            for fk in model.plan.generating.values()
            if self._learnt.get(fk.child) and fk.parent in self._learnt and fk.parent != fk.child
            and len(self._learnt[fk.child]) + len(self._learnt[fk.parent]) >= FEWEST_COLUMNS
        }  # fmt: skip

    def space(self, name: str) -> float:
        """How many different rows the learnt values of a table allow; endless with free numbers."""
        models = self._model.tables[name].columns
        return math.prod(_values_of(models[column]) for column in self._learnt[name])

    def columns(self, table: Table) -> frozenset[str]:
        """The learnt columns of a table, and the keys between families."""
        ends = [
            (name, names)
            for fk in self.families
            for name, names in ((fk.child, fk.columns), (fk.parent, fk.parent_columns))
        ]
        keys = {column for name, columns in ends if name == table.name for column in columns}
        return frozenset(self._learnt.get(table.name, ())) | keys

    def look(self, table: Table, values: Mapping[str, pa.Array]) -> None:
        """Take a batch of rows in."""
        columns = [values[name] for name in self._learnt[table.name]]
        count = len(next(iter(values.values())))
        hashes = _hashed(columns) if columns else np.zeros(count, np.uint64)
        least = np.uint64(self._share[table.name] * (2.0**64 - 2048))
        if len(columns) >= FEWEST_COLUMNS:
            self.rows[table.name].append(hashes[hashes <= least])
            if sum(map(len, self.mixed[table.name])) < _MIXED:
                self.mixed[table.name].append(_hashed(_mixed(columns)))
        for fk, families in self.families.items():
            if fk.parent == table.name:
                keys, complete = hash_keys([values[name] for name in fk.parent_columns])
                chosen = complete & (keys <= least)
                families.keys.append(keys[chosen])
                families.sums.append(mix(hashes[chosen]))
            if fk.child == table.name:
                families.add(*hash_keys([values[name] for name in fk.columns]), hashes)


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
    none = np.zeros(0, np.uint64)
    for name, mine in real.rows.items():
        if mine:
            theirs = np.concatenate([none, *synthetic.rows[name]])
            own = np.concatenate([none, *mine])
            mixed = np.concatenate([none, *synthetic.mixed[name]])
            yield _judged("copied rows", name, own, theirs, mixed, real.space(name))
    for fk, families in real.families.items():
        yield _judged("copied families", str(fk), families.values, synthetic.families[fk].values)


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


def _judged(
    check: str, subject: str, real: UInt64, synthetic: UInt64,
    mixed: UInt64 = NOTHING, space: float = math.inf,
) -> Finding:  # fmt: skip
    """Compare two samples of hashes with what two halves of the first share.

    Args:
        mixed: Of rows put together from the values of any: what these hit is no memory.  In a list
            of rounds by season no round is there twice, so the halves share none.
        space: How many different ones there can be: where each is there but once, as in a list of
            all combinations, the halves share none, and yet any draw hits them.
    """
    real, synthetic = real[real != 0], synthetic[synthetic != 0]
    first = hashed(11, np.arange(len(real))) % np.uint64(2) == 0
    alone = _once(real[first])
    other = real[~first]
    nature = int(np.isin(other, alone).sum())
    copied = int(np.isin(synthetic, alone).sum())
    if not copied:
        return Finding("leak", f"{subject} ({check})", Status.PASSED, "none")
    by_mixing = float(np.isin(mixed, alone).mean()) if len(mixed) else 0.0
    natural = max((nature + 1) / max(len(other), 1), len(alone) / space)
    # Copies that are mixed still have real values, so that mixing is given no more than it hits.
    expected = max(natural, by_mixing) * len(synthetic)
    allowed = max(_ALLOWED * natural, by_mixing) * len(synthetic)
    limit = allowed + _SURE * math.sqrt(expected) + _LEAST * len(synthetic)
    detail = (
        f"{copied} of {len(synthetic)} are those of a single real row, {expected:.0f} by nature"
    )
    if copied <= limit:
        return Finding("leak", f"{subject} ({check})", Status.NOTE, detail, copied)
    part = "the engine: it has learnt rows by heart"
    return Finding("leak", f"{subject} ({check})", Status.FAILED, detail, copied, part)


def _once(hashes: UInt64) -> UInt64:
    values, counts = np.unique(hashes, return_counts=True)
    return np.asarray(values[counts == 1])
