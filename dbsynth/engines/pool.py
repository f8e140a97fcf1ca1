"""Rows that another model has sampled, as a model: a new row is one of them, chosen by its parent.

A library that models single tables, or cannot be asked for rows under a given parent, is asked for
many rows once, parents' codes included.  These rows, the *pool*, are the model: arrays of codes
that need neither the library nor a pickle.  A new row takes the codes of a row of the pool whose
parent is like its own: equal in all that is known of it, or else in as many of the most telling
variables as enough rows of the pool share (back-off, as Katz, IEEE Trans. ASSP 1987, for words).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines.base import Arrays, Derive, nothing
from dbsynth.keys import rank_in_group
from dbsynth.randomness import UInt64, hashed, mix, uniform

Int64 = npt.NDArray[np.int64]

BINS = 8  # cells of an ordered variable where rows are matched by cells
LEAST_ALIKE = 5  # rows of the pool that a cell needs
_SCORED_ROWS = 20_000
_SCORED_BINS = 16


@dataclass(frozen=True)
class Pool:
    """A `dbsynth.engines.base.TableModel`.

    Attributes:
        codes: Codes of the rows of the pool, in the order in which variables are settled.
        context: What is known of the parent of each, the most telling variable first.
        cuts: Of each of these, the codes at which a cell begins; empty where every code is a cell.
        alike: Rows of the pool that agree in everything before they are chosen from.
    """

    codes: Mapping[str, Codes]
    context: Mapping[str, Codes]
    cuts: Mapping[str, npt.NDArray[np.uint16]]
    alike: int = LEAST_ALIKE

    def sample(
        self, rows: int, context: Mapping[str, Codes], *, key: int, derive: Derive = nothing
    ) -> dict[str, Codes]:
        """Codes of rows of the pool, settled one variable after the other."""
        drawn: dict[str, Codes] = {}
        if not self.codes:
            return drawn
        chosen = self._chosen(rows, context, key)
        for name, codes in self.codes.items():
            drawn[name] = codes[chosen]
            derive(name, drawn)
        return drawn

    def _chosen(self, rows: int, context: Mapping[str, Codes], key: int) -> Int64:
        """The row of the pool for every new row."""
        known = {v: np.asarray(context[v]) for v in self.context if v in context}
        chosen = np.full(rows, -1, np.int64)
        for level, (pool, order, least) in enumerate(self._levels):
            open_ = np.flatnonzero(chosen < 0)
            if not len(open_):
                break
            wanted = self._names(level, {v: c[open_] for v, c in known.items()}, len(open_))
            if wanted is None:
                continue
            first = np.searchsorted(pool, wanted)
            count = np.searchsorted(pool, wanted, side="right") - first
            found = count >= least
            place = _spread(wanted[found], count[found], open_[found], int(hashed(key, level)))
            chosen[open_[found]] = order[first[found] + place]
        return chosen

    @cached_property
    def _levels(self) -> list[tuple[UInt64, Int64, int]]:
        """From all that is known to nothing: sorted names of cells, rows in their order, least."""
        size = len(next(iter(self.codes.values())))
        found = []
        for level in range(len(self.context) + 2):
            names = self._names(level, self.context, size)
            assert names is not None
            order = np.argsort(names, kind="stable")
            least = self.alike if level == 0 else LEAST_ALIKE
            found.append((names[order], order, min(least, size) if self._last(level) else least))
        return found

    def _last(self, level: int) -> bool:
        return level == len(self.context) + 1

    def _names(self, level: int, known: Mapping[str, Codes], rows: int) -> UInt64 | None:
        """A number for the cell of each row; None where a variable that it needs is not known."""
        used = list(self.context)[: len(self.context) + 1 - max(level, 1)]
        if any(name not in known for name in used):
            return None
        found = np.zeros(rows, np.uint64)
        for name in used:
            cells: npt.NDArray[Any] = known[name]
            if level and len(self.cuts[name]):
                cells = np.searchsorted(self.cuts[name], cells, side="right")
            found = mix(found ^ hashed(len(name), cells))
        return found

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The pool as it is."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "codes": np.array(list(self.codes), np.str_),
            "context": np.array(list(self.context), np.str_),
            "alike": np.array(self.alike),
        }
        for part, columns in (
            ("codes", self.codes),
            ("context", self.context),
            ("cuts", self.cuts),
        ):
            for number, column in enumerate(columns.values()):
                arrays[f"{part}.{number}"] = column
        return arrays


def restored(arrays: Arrays) -> Pool:
    """The pool whose arrays were saved.

    Raises:
        ValueError: They are damaged.
    """

    def part(name: str, of: str) -> dict[str, npt.NDArray[np.uint16]]:
        found = {str(v): arrays[f"{name}.{i}"] for i, v in enumerate(arrays[of])}
        if any(column.dtype != np.uint16 or column.ndim != 1 for column in found.values()):
            raise ValueError("a pool of rows is damaged")
        return found

    pool = Pool(
        part("codes", "codes"), part("context", "context"), part("cuts", "context"),
        int(arrays["alike"]),
    )  # fmt: skip
    sizes = {len(column) for column in (*pool.codes.values(), *pool.context.values())}
    if len(sizes) > 1 or 0 in sizes or pool.alike < 1:
        raise ValueError("a pool of rows is damaged")
    return pool


def pool_of(
    codes: Mapping[str, Codes], context: Mapping[str, Codes], alphabets: Mapping[str, Alphabet],
    *, alike: int = LEAST_ALIKE,
) -> Pool:  # fmt: skip
    """A pool of sampled rows, whose context is put in the order of what it tells.

    Args:
        alphabets: Of the variables of the context.
        alike: Rows that agree in everything before they are chosen from.
    """
    order = telling(context, codes, len(context))
    order += [name for name in context if name not in order]
    cuts = {name: _cuts(context[name], alphabets[name]) for name in order}
    return Pool(dict(codes), {name: context[name] for name in order}, cuts, alike)


def _cuts(codes: Codes, alphabet: Alphabet) -> npt.NDArray[np.uint16]:
    if not alphabet.ordered or alphabet.size <= BINS:
        return np.zeros(0, np.uint16)
    return np.unique(np.quantile(codes, np.arange(1, BINS) / BINS, method="nearest"))


def _spread(groups: UInt64, sizes: Int64, rows: Int64, key: int) -> Int64:
    """A place among so many for each row, as evenly over each group as its rows allow."""
    if not len(groups):
        return np.zeros(0, np.int64)
    shuffled = np.argsort(hashed(key, rows), kind="stable")
    rank = np.empty(len(groups), np.int64)
    rank[shuffled] = rank_in_group(groups[shuffled])
    _, group, wanted = np.unique(groups, return_inverse=True, return_counts=True)
    place = (rank + uniform(key ^ 1, rows)) / wanted[group] * sizes
    return np.minimum(place.astype(np.int64), sizes - 1)


def telling(context: Mapping[str, Codes], codes: Mapping[str, Codes], most: int) -> list[str]:
    """The variables of the context that tell most of the rows, the best first.

    Each is chosen for what it adds: every variable of the rows counts with the largest information
    that it shares with one of those chosen (mutual information with the correction of Miller and
    Madow, 1955, in shares of the variable's entropy).
    """
    size = len(next(iter(codes.values()), ()))
    step = max(1, size // _SCORED_ROWS)
    mine = [_cells(column[::step]) for column in codes.values()]
    if not context or not mine:
        return []
    names = list(context)
    shared = np.array([_shared(_cells(context[name][::step]), mine) for name in names])
    best = np.zeros(len(mine))
    chosen: list[int] = []
    while len(chosen) < min(most, len(names)):
        gains = np.maximum(shared, best).sum(axis=1) - best.sum()
        gains[chosen] = -1.0
        first = int(np.argmax(gains))
        if gains[first] <= 0:
            break
        chosen.append(first)
        best = np.maximum(best, shared[first])
    return [names[i] for i in chosen]


def _cells(codes: Codes) -> Int64:
    """Few cells of about equal sizes, in the order of the codes."""
    counts = np.bincount(codes)
    reached = np.cumsum(counts) - counts / 2
    cell = (reached * _SCORED_BINS / max(len(codes), 1)).astype(np.int64)
    return np.unique(cell[codes], return_inverse=True)[1].astype(np.int64)


def _shared(cells: Int64, others: Sequence[Int64]) -> npt.NDArray[np.float64]:
    """The share of the entropy of each of the others that some cells tell."""
    found = np.zeros(len(others))
    rows, width = max(len(cells), 1), int(cells.max(initial=0)) + 1
    mine, own = _entropy(np.bincount(cells), rows)
    for i, other in enumerate(others):
        theirs, kinds = _entropy(np.bincount(other), rows)
        both, pairs = _entropy(np.bincount(other * width + cells), rows)
        chance = (pairs - own - kinds + 1) / (2 * rows)
        found[i] = max(0.0, mine + theirs - both - max(chance, 0.0)) / theirs if theirs else 0.0
    return found


def _entropy(counts: Int64, rows: int) -> tuple[float, int]:
    shares = counts[counts > 0] / rows
    return float(-(shares * np.log(shares)).sum()), len(shares)
