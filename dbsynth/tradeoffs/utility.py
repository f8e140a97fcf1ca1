"""How much of real rows is in others: one less the distance of their small tables of counts.

The distance of two tables of counts is the total variation between their shares, 0 for the same and
1 for nothing in common.  Numbers and times are cut at deciles of the rows that judge; of texts the
commonest count one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dbsynth.codec import as_text
from dbsynth.memorise import Half, Side, is_number

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

KINDS = ("columns", "pairs", "families", "children")
"""Single columns, pairs in a row, a column of a row and one of its parent, numbers of children."""

_DECILES = np.linspace(0, 1, 11)[1:-1]
_MOST_LEVELS = 50


@dataclass(frozen=True)
class Coder:
    """Values of a column as few codes: 0 is NULL, the others follow.

    Attributes:
        cuts: Of a number, where one code ends and the next begins.
        levels: Of anything else, the texts with a code of their own.
    """

    cuts: Float64 | None
    levels: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many codes there are."""
        return 2 + (len(self.levels) if self.cuts is None else len(self.cuts))

    def codes(self, column: pa.ChunkedArray) -> Int64:
        """The codes of values, shape (rows,)."""
        if self.cuts is not None:
            numbers = _numbers(column)
            found = 1 + np.searchsorted(self.cuts, numbers.to_numpy(), side="right")
            return np.where(numbers.is_null().to_numpy(), 0, found)
        words = _words(column)
        known = words.replace_strict(
            list(self.levels), range(1, len(self.levels) + 1),
            default=self.size - 1, return_dtype=pl.Int64,
        )  # fmt: skip
        return np.where(words.is_null().to_numpy(), 0, known.to_numpy())


@dataclass(frozen=True)
class Yardstick:
    """The rows that judge others.

    Attributes:
        parents: By table, the parent that its families refer to.
        coders: By table and column.
    """

    held_out: Side
    parents: Mapping[str, str]
    coders: Mapping[str, Mapping[str, Coder]]

    def utility(self, side: Side) -> dict[str, float]:
        """By kind of table of counts, one less the mean distance; kinds that there are."""
        found: dict[str, list[float]] = {}
        for (kind, size, mine), (_, _, others) in zip(
            self._counted(self.held_out), self._counted(side), strict=True
        ):
            found.setdefault(kind, []).append(1 - distance(mine, others, size))
        return {kind: float(np.mean(found[kind])) for kind in KINDS if kind in found}

    def codes(self, side: Side) -> dict[str, dict[str, Int64]]:
        """The codes of rows, by table and column."""
        return {
            table: {name: coder.codes(side[table].rows[name]) for name, coder in coders.items()}
            for table, coders in self.coders.items()
        }

    def _counted(self, side: Side) -> Iterator[tuple[str, int, Int64]]:
        """Every kind, number of cells and cells of rows, always in the same order."""
        codes = self.codes(side)
        for table, coders in self.coders.items():
            for name, coder in coders.items():
                yield "columns", coder.size, codes[table][name]
            for (a, one), (b, two) in itertools.combinations(coders.items(), 2):
                yield "pairs", one.size * two.size, codes[table][a] * two.size + codes[table][b]
            if table in self.parents:
                yield from self._related(side, table, codes)

    def _related(
        self, side: Side, table: str, codes: Mapping[str, Mapping[str, Int64]]
    ) -> Iterator[tuple[str, int, Int64]]:
        above = self.parents[table]
        places = places_of(side[table])
        for parent, one in self.coders[above].items():
            theirs = np.append(codes[above][parent], one.size)[places]  # -1: no parent
            for child, two in self.coders[table].items():
                cells = theirs * two.size + codes[table][child]
                yield "families", (one.size + 1) * two.size, cells
        cuts = _cuts(_children(self.held_out, table, above).astype(np.float64))
        children = np.searchsorted(cuts, _children(side, table, above), side="right")
        yield "children", len(cuts) + 1, children.astype(np.int64)


def yardstick(held_out: Side, parents: Mapping[str, str]) -> Yardstick:
    """What rows kept aside judge others by."""
    coders = {
        table: {name: _coder(half.rows, name) for name in half.rows.column_names}
        for table, half in held_out.items()
    }
    return Yardstick(held_out, parents, coders)


def mean(parts: Mapping[str, float]) -> float:
    """One figure: each kind counts as much as the others, however many tables of it there are."""
    return float(np.mean(list(parts.values())))


def distance(mine: Int64, others: Int64, size: int) -> float:
    """The total variation between the shares of cells; 1 where one side has no rows."""
    if not len(mine) or not len(others):
        return float(len(mine) != len(others))
    shares = [np.bincount(cells, minlength=size) / len(cells) for cells in (mine, others)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _coder(rows: pa.Table, name: str) -> Coder:
    if is_number([rows], name):
        numbers = _numbers(rows[name]).drop_nulls().to_numpy()
        return Coder(_cuts(numbers[np.isfinite(numbers)]))
    words = _words(rows[name]).drop_nulls().rename("word")
    common = words.value_counts(sort=True).sort(["count", "word"], descending=[True, False])
    return Coder(None, tuple(common["word"].head(_MOST_LEVELS).to_list()))


def _cuts(numbers: Float64) -> Float64:
    return np.unique(np.quantile(numbers, _DECILES)) if len(numbers) else np.zeros(0)


def _numbers(column: pa.ChunkedArray) -> pl.Series:
    return pl.Series(pl.from_arrow(column)).cast(pl.Float64, strict=False)


def _words(column: pa.ChunkedArray) -> pl.Series:
    return pl.Series(pl.from_arrow(as_text(column.combine_chunks()))).cast(pl.String)


def places_of(half: Half) -> Int64:
    """Where the parents of rows are; -1 where there is none, or no key that was kept."""
    return np.full(len(half.rows), -1) if half.families is None else half.families


def _children(side: Side, table: str, above: str) -> Int64:
    places = places_of(side[table])
    return np.bincount(places[places >= 0], minlength=len(side[above].rows))
