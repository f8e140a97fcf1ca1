"""A chain of trees drawn as if some codes were commoner than they are.

To make a class commoner and keep what goes with it, whole rows are weighed, not only the class: of
several candidates for a row, drawn up to the steered variable, one is chosen in proportion to what
its leaf promises, and the class is then drawn from the reweighted leaf (importance resampling:
Rubin 1987; the leaf's expectation in place of the class itself is the Rao-Blackwell step of
auxiliary particle filters, Pitt and Shephard, JASA 1999).  So P(rest of the row | class) stays,
wherever the variable stands in the chain.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.engines import kernel, variables
from dbsynth.engines.base import Derive, nothing
from dbsynth.engines.relational import Tree, TreeChain
from dbsynth.randomness import hashed, uniform

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MOST_CANDIDATES = 64
_PER_ROW = 4  # candidates for a row at weights that hardly differ
_SLICE = 2**19  # candidates at a time
_OF_TIMES = (variables.gap, variables.column, variables.weekday, variables.clock)
_LEAST_SPREAD = 0.001  # weights that differ less are not worth candidates


@dataclass(frozen=True, slots=True)
class Worth:
    """What a row is worth for the rows under it: a tree over its codes with a number per leaf."""

    tree: Tree
    leaves: Float64

    def of(self, rows: int, known: Mapping[str, Codes]) -> Float64:
        """The number of every row."""
        return self.leaves[self.tree.leaves(rows, known)]


@dataclass(frozen=True, slots=True)
class Levelled:
    """How an outcome is drawn so that it tells nothing about a protected variable.

    Its leaf histograms are averaged over the protected codes, whatever the row's own code is, so
    that none counts by itself; weights per group then level out what other variables still carry.

    Attributes:
        protected, given: Names of the variables; an empty ``given`` stands for none.
        shares: Share of each protected code.
        weights: Shape (protected codes, given codes, outcome codes).
    """

    protected: str
    given: str
    shares: Float64
    weights: Float64

    def draw(
        self, tree: Tree, rows: int, known: Mapping[str, Codes], key: int
    ) -> tuple[Codes, Float64]:
        """A code for every row, and the mean weight of what it could have been."""
        mixture, leaf = self._mixture(tree, rows, known)
        own = known[self.protected].astype(np.int64)
        given = known[self.given].astype(np.int64) if self.given else np.zeros(rows, np.int64)
        cell = own * self.weights.shape[1] + given
        cells = self.weights.shape[0] * self.weights.shape[1]
        strata, stratum = np.unique(leaf * cells + cell, return_inverse=True)
        size = self.weights.shape[2]
        wanted = mixture[strata // cells] * self.weights.reshape(cells, size)[strata % cells]
        promised = wanted.sum(axis=1)
        wanted = np.where(promised[:, None] > 0, wanted, mixture[strata // cells])
        drawn: Codes = kernel.draw_systematic(
            stratum.astype(np.int32),
            np.arange(len(strata) + 1, dtype=np.int64) * size,
            np.tile(np.arange(size, dtype=np.int32), len(strata)),
            np.ascontiguousarray(wanted).ravel(),
            np.uint64(key),
        )
        return drawn, promised[stratum]

    def spread(self, tree: Tree) -> float:
        """The most that what leaves promise differs in any group."""
        groups = self.weights.reshape(-1, self.weights.shape[2])
        if (groups == 1).all():
            return 0.0
        promised = _dense(tree, groups.shape[1]) @ groups.T
        mass = _promised(tree, np.ones(groups.shape[1]))[0]
        return max(_spread(column, mass) for column in promised.T)

    def _mixture(self, tree: Tree, rows: int, known: Mapping[str, Codes]) -> tuple[Float64, Int64]:
        """Averaged histograms, and the number of that of every row."""
        dense = _dense(tree, self.weights.shape[2])
        if self.protected not in tree.features:
            return dense, tree.leaves(rows, known).astype(np.int64)
        codes = np.flatnonzero(self.shares)
        leaves = np.stack(
            [
                tree.leaves(
                    rows,
                    ChainMap({self.protected: np.full(rows, code, np.uint16)}, known),  # type: ignore[arg-type]  # only read
                )
                for code in codes
            ]
        ).astype(np.int64)
        number = np.zeros(rows, np.int64)
        for leaf in leaves:
            number = np.unique(number * len(dense) + leaf, return_inverse=True)[1]
        first = np.unique(number, return_index=True)[1]
        mixture = np.tensordot(self.shares[codes], dense[leaves[:, first]], axes=1)
        return mixture, number


@dataclass(frozen=True, slots=True)
class Tilted:
    """A chain that is drawn with weights.

    Attributes:
        weights: Per variable, a weight for each of its codes.
        levelled: Per variable, how it is made independent of another one.
        worth: What a finished row is worth; None for the same whatever it is.
        most: Most candidates for a row; 1 where deriving remembers what it has derived.
    """

    chain: TreeChain
    weights: Mapping[str, Float64] = field(default_factory=dict)
    levelled: Mapping[str, Levelled] = field(default_factory=dict)
    worth: Worth | None = None
    most: int = MOST_CANDIDATES

    def sample(
        self, rows: int, context: Mapping[str, Codes], *, key: int, derive: Derive = nothing
    ) -> dict[str, Codes]:
        """Codes of every variable.

        Times that walk from sibling to sibling come first and have no candidates: they are derived
        from the rows as they stand.  How far a family reaches is that of families as they were: the
        rows of a class that is commoner now would be cut down to it.
        """
        reach = variables.of_parent(variables.REACH)
        hidden = {name: np.zeros(rows, np.uint16) for name in context if name.startswith(reach)}
        context = ChainMap(hidden, context)  # type: ignore[arg-type]  # it is only read
        if not rows:
            return self.chain.sample(rows, context, key=key)
        many, head = self._candidates(), self._head
        last = max(self._last, head)
        drawn: dict[str, Codes] = {}
        self._extend(drawn, rows, context, 0, head, key, derive)
        if many == 1:
            self._extend(drawn, rows, context, head, last, key, derive)
        elif len(context) or derive is not nothing:
            drawn = self._by_row(drawn, rows, many, context, key, derive)
        else:
            drawn = self._freely(rows, many, key)
        self._extend(drawn, rows, context, last, len(self.chain.trees), key, derive)
        return drawn

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """The chain without its weights."""
        return self.chain.to_arrays()

    @property
    def _head(self) -> int:
        """How many trees belong to times that walk, or come before one that does."""
        walked = {t.target[4:] for t in self.chain.trees if t.target.startswith(variables.gap(""))}
        times = {make(name) for name in walked for make in _OF_TIMES}
        places = [i for i, tree in enumerate(self.chain.trees) if tree.target in times]
        return max(places, default=-1) + 1

    @property
    def _last(self) -> int:
        """How many trees are drawn for all candidates."""
        steered = {*self.weights, *self.levelled}
        places = [i for i, tree in enumerate(self.chain.trees) if tree.target in steered]
        return len(self.chain.trees) if self.worth is not None else max(places, default=-1) + 1

    def _candidates(self) -> int:
        """How many candidates the spread of the weights calls for."""
        spread = 0.0
        for tree in self.chain.trees:
            if tree.target in self.weights:
                total, promised = _promised(tree, self.weights[tree.target])
                spread += _spread(promised, total)
            if tree.target in self.levelled:
                spread += self.levelled[tree.target].spread(tree)
        if self.worth is not None:
            total, _ = _promised(self.worth.tree, np.ones(int(self.worth.tree.codes.max()) + 1))
            spread += _spread(self.worth.leaves, total)
        if spread < _LEAST_SPREAD:
            return 1
        return int(min(max(np.ceil(_PER_ROW * (1 + spread)), 2), self.most))

    def _extend(
        self, drawn: dict[str, Codes], rows: int, context: Mapping[str, Codes], start: int,
        stop: int, key: int, derive: Derive,
    ) -> Float64:  # fmt: skip
        """Draw some of the trees; returns the logarithm of every row's weight."""
        known: Mapping[str, Codes] = ChainMap(drawn, context)  # type: ignore[arg-type]  # only read
        weight = np.zeros(rows)
        for i, tree in enumerate(self.chain.trees[start:stop], start):
            drawn[tree.target], promised = self._draw(tree, rows, known, int(hashed(key, i)))
            weight += promised
            derive(tree.target, drawn)
        if self.worth is not None and start < stop == len(self.chain.trees):
            weight += _log(self.worth.of(rows, known))
        return weight

    def _by_row(
        self, head: Mapping[str, Codes], rows: int, many: int, context: Mapping[str, Codes],
        key: int, derive: Derive,
    ) -> dict[str, Codes]:  # fmt: skip
        """The best of so many candidates for every row, each row with its own context.

        The largest of logarithms of weights with Gumbel noise is a draw in proportion to the
        weights, so that one candidate after the other can be tried (Gumbel 1954).
        """
        best = np.full(rows, -np.inf)
        kept: dict[str, Codes] = {}
        for lane in range(many):
            mine = int(hashed(key, len(self.chain.trees) + lane))
            drawn = dict(head)
            score = self._extend(drawn, rows, context, self._head, self._last, mine, derive)
            score += -np.log(-np.log(uniform(mine, np.arange(rows)) * (1 - 2e-16) + 1e-16))
            better = score > best
            best = np.where(better, score, best)
            kept = {v: np.where(better, c, kept[v]) if kept else c for v, c in drawn.items()}
        return kept

    def _freely(self, rows: int, many: int, key: int) -> dict[str, Codes]:
        """So many rows of a pool of candidates, which know nothing and so may be any of them."""
        parts = []
        for start in range(0, rows, step := max(_SLICE // many, 1)):
            mine, count = int(hashed(key, start)), min(step, rows - start)
            drawn: dict[str, Codes] = {}
            weight = self._extend(drawn, count * many, {}, 0, self._last, mine, nothing)
            stratum = self._stratum(drawn, count * many)
            chosen = _choose_freely(weight, count, stratum, int(hashed(mine, self._last)))
            parts.append({v: codes[chosen] for v, codes in drawn.items()})
        return {v: np.concatenate([part[v] for part in parts]) for v in parts[0]}

    def _draw(
        self, tree: Tree, rows: int, known: Mapping[str, Codes], key: int
    ) -> tuple[Codes, Float64 | float]:
        """A code for every row, and the logarithm of what its leaf promises."""
        if tree.target in self.levelled:
            codes, promised = self.levelled[tree.target].draw(tree, rows, known, key)
            return codes, _log(promised)
        if tree.target in self.weights:
            weights = self.weights[tree.target]
            promised = _promised(tree, weights)[1][tree.leaves(rows, known)]
            return _tilted(tree, weights).draw(rows, known, key), _log(promised)
        return tree.draw(rows, known, key), 0.0

    def _stratum(self, drawn: Mapping[str, Codes], rows: int) -> Int64:
        """Rows by their steered codes."""
        number = np.zeros(rows, np.int64)
        for variable in self.weights:
            both = number * (int(drawn[variable].max(initial=0)) + 1) + drawn[variable]
            number = np.unique(both, return_inverse=True)[1]
        return number


def code_counts(tree: Tree, size: int) -> Float64:
    """How often each code stands in the leaves of a tree: its distribution in the source."""
    return np.bincount(tree.codes, weights=tree.counts, minlength=size).astype(np.float64)


def _leaf_of_entry(tree: Tree) -> Int64:
    return np.repeat(np.arange(len(tree.starts) - 1), np.diff(tree.starts))


def _dense(tree: Tree, size: int) -> Float64:
    """Share of each code in each leaf, shape (leaves, codes)."""
    dense = np.zeros((len(tree.starts) - 1, size))
    dense[_leaf_of_entry(tree), tree.codes] = tree.counts
    dense /= np.maximum(dense.sum(axis=1, keepdims=True), 1e-300)
    return dense


def _promised(tree: Tree, weights: Float64) -> tuple[Float64, Float64]:
    """Rows in each leaf, and the mean weight of its codes."""
    leaf, leaves = _leaf_of_entry(tree), len(tree.starts) - 1
    total: Float64 = np.bincount(leaf, weights=tree.counts, minlength=leaves).astype(np.float64)
    sums: Float64 = np.bincount(
        leaf, weights=tree.counts * weights[tree.codes], minlength=leaves
    ).astype(np.float64)
    return total, sums / np.maximum(total, 1e-300)


def _tilted(tree: Tree, weights: Float64) -> Tree:
    """The tree with reweighted leaves; a leaf in which nothing is wanted stays as it is."""
    promised = _promised(tree, weights)[1][_leaf_of_entry(tree)]
    counts = tree.counts * np.where(promised > 0, weights[tree.codes], 1.0)
    return replace(tree, counts=counts)


def _spread(values: Float64, mass: Float64) -> float:
    """The squared coefficient of variation."""
    mean = float((values * mass).sum() / max(mass.sum(), 1e-300))
    square = float((values**2 * mass).sum() / max(mass.sum(), 1e-300))
    return square / mean**2 - 1 if mean > 0 else 0.0


def _log(values: Float64) -> Float64:
    return np.log(np.maximum(values, 1e-300))


def _choose_freely(weight: Float64, rows: int, stratum: Int64, key: int) -> Int64:
    """So many of the candidates, for rows that know nothing and so may be any of them.

    Systematic over the strata, so that each gets its share of the weight to the row.
    """
    order = np.lexsort((hashed(key, np.arange(len(weight))), stratum))
    mass = np.cumsum(np.exp(weight - weight.max())[order])
    place = (np.arange(rows) + uniform(key, 0)) * (mass[-1] / rows)
    found = order[np.minimum(np.searchsorted(mass, place, side="right"), len(weight) - 1)]
    shuffled: Int64 = found[np.argsort(hashed(key, np.arange(1, rows + 1)), kind="stable")]
    return shuffled


def smoothed(tree: Tree, rows: float, size: int) -> Tree:
    """The tree with some rows of the whole distribution added to every leaf.

    What never occurred in a leaf of a few rows is then rare there, not impossible.
    """
    dense = np.zeros((len(tree.starts) - 1, size))
    dense[_leaf_of_entry(tree), tree.codes] = tree.counts
    counts = dense + rows * dense.sum(axis=0) / max(dense.sum(), 1e-300)
    return replace(
        tree,
        starts=np.arange(len(counts) + 1, dtype=np.int64) * size,
        codes=np.tile(np.arange(size, dtype=np.int32), len(counts)),
        counts=counts.ravel(),
    )
