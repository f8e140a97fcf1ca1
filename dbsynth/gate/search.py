"""The columns of a clone, read once and searched for values of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.gate import kernel
from dbsynth.gate.gather import ANYWHERE, KINDS, MOST_MARKS, SHORTEST, Held, count, no_numbers
from dbsynth.gate.reserved import unreserved
from dbsynth.gate.subjects import searched
from dbsynth.gate.table import MIXED, NUMBER, kinds_of, of_column
from dbsynth.gate.texts import Bool, Int64, Texts, read
from dbsynth.randomness import UInt64
from dbsynth.schema import Table

_REMEMBERED = 1 << 18  # places for values of a column that were searched already
_MOST_HITS = 1 << 16  # of a batch that are told apart
_KEPT = 64  # hits of a column whose neighbours are looked at; held until it is judged


Sort = tuple[int, int]
"""What a value is, and of numbers and words with digits how many marks it has (else 0)."""


@dataclass
class Met:
    """What a column has in common with the source, of one way to look.

    Attributes:
        places: The different real values of each sort, as places in the table.
        examples: Some of them, for `dbsynth.gate.chance.crowd`; never told.
        drawn: How many different values of each kind and number of marks the column has.
    """

    places: dict[Sort, set[int]] = field(default_factory=dict)
    examples: dict[Sort, list[bytes]] = field(default_factory=dict)
    drawn: Int64 = field(default_factory=no_numbers)

    def add(self, places: Int64, kinds: Int64, marks: Int64, found: Sequence[bytes]) -> None:
        """Take hits in; of as many as ``found`` has, it has the bytes."""
        counted = (kinds == NUMBER) | (kinds == MIXED)
        marks = np.where(counted, np.minimum(marks, MOST_MARKS - 1), 0)
        for kind, length in {*zip(kinds.tolist(), marks.tolist(), strict=True)}:
            at = np.flatnonzero((kinds == kind) & (marks == length))
            self.places.setdefault((kind, length), set()).update(np.unique(places[at]).tolist())
            examples = self.examples.setdefault((kind, length), [])
            examples += [found[i] for i in at[: max(_KEPT - len(examples), 0)] if i < len(found)]


@dataclass
class Searched:
    """A column of the clone: what it has of its own real values, and of those of all columns.

    Attributes:
        rows: Rows with a value.
        real: Rows with a real value.
    """

    own: Met = field(default_factory=Met)
    anywhere: Met = field(default_factory=Met)
    rows: int = 0
    real: int = 0


@dataclass
class _Column:
    """The search of one column, batch by batch.

    Attributes:
        number: Of the subject that the column is, -1 where it is none.
        shared: A value that so many rows of the source have is none of its own.
    """

    held: Held
    number: int
    shared: int
    found: Searched = field(default_factory=Searched)
    seen: UInt64 = field(default_factory=lambda: np.zeros(1 << 10, np.uint64))
    filled: int = 0
    real: set[int] = field(default_factory=set)

    def look(self, texts: Texts) -> None:
        """Search a batch."""
        hashes, facts = texts.described(self.held.table.salt)
        present = facts[:, 0] > 0
        self.found.rows += int(present.sum())
        new = self._new(hashes, present)
        again = present & ~new
        hit = np.zeros(len(hashes), np.bool_)
        if self.number >= 0:
            hit[self._own(texts, hashes, facts, new & (facts[:, 0] >= SHORTEST))] = True
        if ANYWHERE in self.held.numbers:
            hit[self._inside(texts, new)] = True
        if hit.any() and len(self.real) < _MOST_HITS:
            self.real.update(hashes[hit].tolist())
        if self.real:
            hit |= again & np.isin(hashes, np.array(list(self.real), np.uint64))
        self.found.real += int(hit.sum())

    def _new(self, hashes: UInt64, present: Bool) -> Bool:
        while self.filled > len(self.seen) // 4 and len(self.seen) < _REMEMBERED:
            grown = np.zeros(4 * len(self.seen), np.uint64)
            kernel.fresh(grown, 0, len(grown), self.seen[self.seen != 0])
            self.seen = grown
        new: Bool
        new, self.filled = kernel.fresh(self.seen, self.filled, len(self.seen) // 2, hashes)
        return np.asarray(new & present)

    def _own(
        self, texts: Texts, hashes: UInt64, facts: npt.NDArray[np.int32], wanted: Bool
    ) -> Int64:
        """The wanted rows that hold a value that was the column's own."""
        rows = np.flatnonzero(wanted)
        kinds = kinds_of(facts)[rows]
        count(self.found.own.drawn, kinds, facts[rows, 0])
        places = self.held.table.places(of_column(hashes[rows], self.number))
        hit = places >= 0
        if self.shared:
            hit &= self.held.table.times[np.maximum(places, 0)] < self.shared
        rows, kinds = rows[hit], (self.held.table.tags[places[hit]] & 7).astype(np.int64)
        some = rows[: KINDS * _KEPT]
        cut = texts.cut(texts.offsets[some], texts.offsets[some + 1])
        self.found.own.add(places[hit], kinds, facts[rows, 0].astype(np.int64), cut)
        return rows

    def _inside(self, texts: Texts, wanted: Bool) -> Int64:
        """The wanted rows that hold, perhaps among other things, a value of any column."""
        table, tried = self.held.table, np.zeros((2, MOST_MARKS), np.int64)
        hits = table.inside(texts, wanted, tried, _MOST_HITS)
        self.found.anywhere.drawn[:2] += tried
        hits = hits[_somebodys(texts.cut(hits[:, 2], hits[:, 3]))]
        cut = texts.cut(hits[: KINDS * _KEPT, 2], hits[: KINDS * _KEPT, 3])
        kinds = (table.tags[hits[:, 1]] & 7).astype(np.int64)
        self.found.anywhere.add(hits[:, 1], kinds, hits[:, 4], cut)
        return hits[:, 0]


class Search:
    """The search of one table of a clone.

    Attributes:
        work: By column, or by columns that are judged together.
    """

    def __init__(
        self, table: Table, held: Held, numbers: Mapping[tuple[str, ...], int],
        shared: Mapping[tuple[str, ...], int],
    ) -> None:  # fmt: skip
        """Begin.

        Args:
            table: Of the clone.
            held: What is looked for.
            numbers: Of each column (or columns together) that is a subject of its own, the number.
            shared: Per such column, how many rows of the source make a value nobody's; 0 for none.
        """
        single = [(column.name,) for column in searched(table)]
        pairs = [names for names in numbers if len(names) > 1]
        self.work = {
            names: _Column(held, numbers.get(names, -1), shared.get(names, 0))
            for names in (*single, *pairs)
        }

    def columns(self, table: Table) -> frozenset[str]:
        """The columns that are searched."""
        del table
        return frozenset(name for names in self.work for name in names)

    def look(self, table: Table, values: Mapping[str, pa.Array]) -> None:
        """Search a batch of rows."""
        del table
        for names, column in self.work.items():
            column.look(read(_together([values[n] for n in names])))


def _somebodys(found: Sequence[bytes]) -> Bool:
    """Which texts are not of ranges that are kept for nobody, whatever else has their digits."""
    texts = pa.array([text.decode("utf-8", "ignore") for text in found], pa.string())
    kept: Bool = np.asarray(unreserved(texts).is_valid())
    return kept


def _together(columns: Sequence[pa.Array]) -> pa.Array:
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, " ")
