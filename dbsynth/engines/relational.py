"""The native engine: a chain of conditional trees on codes.

Each variable is drawn from the code histogram of a leaf of a tree over the few most informative
variables before it, those of the parent included (sequential CART synthesis: Reiter, JOS 2005;
Nowok et al., synthpop, JSS 2016).  Leaves hold histograms of codes with a least number of rows and
of entities, never rows.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines import kernel
from dbsynth.engines.base import NO_MASKS, NO_SHARES, Arrays, Derive, nothing
from dbsynth.engines.variables import POSITION
from dbsynth.randomness import hashed, in_some_groups

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

FEATURES = 14
FEATURE_BINS = 128
COMPONENTS = 6
LEAST_ROWS = 10
LEAST_ENTITIES = 5
LEAST_GAIN = 0.0  # in variances of the target; a split by chance gains a few
DEEPEST = 24
SCORE_ROWS = 20_000  # rows on which features are ranked
MOST_CANDIDATES = 400
SHORTLIST = 40  # features among which the choice is made, the best by themselves
FIT_ROWS = 120_000  # rows on which a tree is grown
_SLICE = 32_768  # rows that are classified at a time
_THREADS = 2
THREADED = 20_000  # cells of a table below which threads cost more than they save
_RAKING_ROUNDS = 12
_GRAIN = 1 << 10  # parts of a row that raked leaves count in
OPENINGS = 200  # first rows of families that are enough to learn from by themselves
PARTS = ("names", "maps", "nodes", "starts", "codes", "counts")  # of a tree, in its file
NODE = 4  # numbers of a node: feature, last bin that goes left, left, right
SMALL_ROOT = 5_000  # below, a table without parent is easily memorised


@dataclass(frozen=True, slots=True)
class Tree:
    """The conditional distribution of one variable.

    Attributes:
        target: Name of the variable.
        features: Names of the variables that it depends on.
        maps: Per feature, the bin of every code; one array each, so that none is padded.
        nodes: int32, shape (4, nodes): feature, last bin that goes left, left, right.
        starts, codes, counts: Histograms of the leaves as sparse rows.
    """

    target: str
    features: tuple[str, ...]
    maps: tuple[UInt8, ...]
    nodes: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]

    def draw(self, rows: int, known: Mapping[str, Codes], key: int) -> Codes:
        """A code for each row given what is known of it."""
        leaf = self.leaves(rows, known)
        drawn: Codes = kernel.draw_systematic(
            leaf, self.starts, self.codes, self.counts, np.uint64(key)
        )
        return drawn

    def leaves(self, rows: int, known: Mapping[str, Codes]) -> npt.NDArray[np.int32]:
        """The leaf of every row, found in slices on two threads."""
        leaf = np.zeros(rows, np.int32)
        if not self.features:
            return leaf
        nodes = np.ascontiguousarray(self.nodes.T)
        features = [(m, known[name]) for m, name in zip(self.maps, self.features, strict=True)]

        def descend(start: int) -> None:
            part = slice(start, start + _SLICE)
            binned = np.empty((len(leaf[part]), len(features)), np.uint8)
            for i, (bins, codes) in enumerate(features):
                kernel.look_up(codes[part], bins, binned[:, i])
            kernel.descend(binned, nodes, leaf[part])

        if rows <= _SLICE:
            descend(0)
            return leaf
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(descend, range(0, rows, _SLICE)))
        return leaf


@dataclass(frozen=True, slots=True)
class TreeChain:
    """Trees in the order in which they are drawn."""

    trees: tuple[Tree, ...]

    def sample(
        self, rows: int, context: Mapping[str, Codes], *, key: int, derive: Derive = nothing
    ) -> dict[str, Codes]:
        """Codes of every variable, drawn one after the other."""
        drawn: dict[str, Codes] = {}
        known = ChainMap(drawn, context)  # type: ignore[arg-type]  # the context is only read
        for i, tree in enumerate(self.trees):
            drawn[tree.target] = tree.draw(rows, known, int(hashed(key, i)))
            derive(tree.target, drawn)
        return drawn

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The names and parts of all trees, laid end to end, and how long each is."""
        parts: dict[str, list[npt.NDArray[Any]]] = {
            "names": [np.array([tree.target, *tree.features], np.str_) for tree in self.trees],
            "maps": [bins for tree in self.trees for bins in tree.maps],
            "nodes": [tree.nodes.T for tree in self.trees],
            **{
                field: [getattr(tree, field) for tree in self.trees]
                for field in ("starts", "codes", "counts")
            },
        }
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name, found in parts.items():
            arrays[f"{name}.sizes"] = np.array([len(part) for part in found], np.int64)
            if found:
                arrays[name] = np.concatenate(found)
        return arrays


class Relational:
    """The native engine."""

    name = "relational"

    def fit(
        self,
        variables: Mapping[str, Alphabet],
        codes: Mapping[str, Codes],
        context: Mapping[str, Alphabet],
        context_codes: Mapping[str, Codes],
        entities: npt.NDArray[np.int64],
        *,
        key: int,
        drawn: Mapping[str, npt.NDArray[np.bool_]] = NO_MASKS,
        shares: Mapping[str, npt.NDArray[np.float64]] = NO_SHARES,
    ) -> TreeChain:
        """Grow one tree per variable on the variables before it and on those of the parent."""
        kept = _whole_entities(entities, FIT_ROWS, key)
        seen = {**context, **variables}
        rows = {
            name: array[kept] if kept is not None else array
            for name, array in {**context_codes, **codes}.items()
        }
        masks = {name: m[kept] if kept is not None else m for name, m in drawn.items()}
        entity = np.unique(entities[kept] if kept is not None else entities, return_inverse=True)[1]
        entity = entity.astype(np.int64)
        names = [*context, *variables]
        size = len(entity)
        least, gain = LEAST_ROWS, LEAST_GAIN
        if not context and size < SMALL_ROOT:
            least, gain = max(LEAST_ROWS, size // 50), 5.0

        def grow(place: int) -> Tree:
            target, known = names[place], names[:place]
            if target not in masks:
                tree = _fit_tree(target, known, seen, rows, entity, least, gain, key)
                whole = shares.get(target)
                if whole is None and kept is not None:
                    whole = np.bincount(codes[target]) / len(codes[target])
                return tree if whole is None else raked(tree, whole)
            here = masks[target]
            some = {name: rows[name][here] for name in (*known, target)}
            return _fit_tree(target, known, seen, some, entity[here], least, gain, key)

        grown = [
            place
            for place in range(len(context), len(names))
            if names[place] not in masks or masks[names[place]].any()
        ]
        if size * len(grown) < THREADED:
            return TreeChain(tuple(map(grow, grown)))
        with ThreadPoolExecutor(_THREADS) as pool:
            return TreeChain(tuple(pool.map(grow, grown)))

    def restore(self, arrays: Arrays) -> TreeChain:
        """The chain whose arrays were saved."""
        found = {name: _parts(arrays, name) for name in PARTS}
        trees, place = [], 0
        for names, *parts in zip(*(found[name] for name in PARTS if name != "maps"), strict=True):
            maps = tuple(found["maps"][place : place + len(names) - 1])
            place += len(maps)
            trees.append(_restored([str(name) for name in names], maps, *parts))
        return TreeChain(tuple(trees))


def raked(tree: Tree, shares: npt.NDArray[np.float64]) -> Tree:
    """The tree with its leaves brought to the shares that the codes have among all rows.

    The leaves keep their weights (iterative proportional fitting: Deming and Stephan 1940).
    """
    leaf = np.repeat(np.arange(len(tree.starts) - 1), np.diff(tree.starts))
    counts = tree.counts.astype(np.float64)
    weight = np.bincount(leaf, weights=counts)
    wanted = np.zeros(max(len(shares), int(tree.codes.max(initial=0)) + 1))
    wanted[: len(shares)] = shares * weight.sum()
    for _ in range(_RAKING_ROUNDS):
        have = np.bincount(tree.codes, weights=counts, minlength=len(wanted))
        counts *= (wanted / np.where(have > 0, have, 1.0))[tree.codes]
        reached = np.bincount(leaf, weights=counts, minlength=len(weight))
        counts *= (weight / np.where(reached > 0, reached, 1.0))[leaf]
    lost = np.bincount(leaf, weights=counts, minlength=len(weight)) <= 0
    counts = np.where(lost[leaf], tree.counts, counts)
    return replace(tree, counts=np.round(counts * _GRAIN).astype(np.int64))


def _parts(arrays: Arrays, name: str) -> list[npt.NDArray[Any]]:
    """Arrays that were laid end to end, apart again."""
    sizes = arrays[f"{name}.sizes"]
    if not len(sizes):
        return []
    if (sizes < 0).any() or sizes.sum() != len(arrays[name]):
        raise ValueError(f"the {name} of the trees are damaged")
    return np.split(arrays[name], np.cumsum(sizes)[:-1])


def _restored(
    names: Sequence[str], maps: tuple[UInt8, ...], nodes: npt.NDArray[np.int32],
    *leaves: npt.NDArray[Any],
) -> Tree:  # fmt: skip
    if not names or len(maps) != len(names) - 1 or nodes.ndim != 2 or nodes.shape[1] != NODE:
        raise ValueError("the names of the trees are damaged")
    tree = Tree(names[0], tuple(names[1:]), maps, np.ascontiguousarray(nodes.T), *leaves)
    _check(tree)
    return tree


def _check(tree: Tree) -> None:
    """Refuse a tree that compiled code, which checks nothing, would not come back from."""
    nodes, starts = tree.nodes.astype(np.int64), tree.starts
    feature, _, left, right = nodes
    inner, leaves = feature >= 0, len(starts) - 1
    place = np.arange(nodes.shape[1])
    later = [(side[inner] > place[inner]) & (side[inner] < len(place)) for side in (left, right)]
    sound = (
        len(place) > 0
        and leaves > 0
        and (feature < len(tree.features)).all()
        and all(side.all() for side in later)
        and ((left >= 0) & (left < leaves))[~inner].all()
        and starts[0] == 0
        and starts[-1] == len(tree.codes) == len(tree.counts)
        and (np.diff(starts) > 0).all()
        and ((tree.codes >= 0) & (tree.codes < 2**16)).all()
        and (tree.counts >= 0).all()
        and all(bins.dtype == np.uint8 and bins.ndim == 1 for bins in tree.maps)
    )
    if not sound:
        raise ValueError(f"the tree of `{tree.target}` is damaged")


def _whole_entities(
    entities: npt.NDArray[np.int64], most: int, key: int
) -> npt.NDArray[np.int64] | None:
    """Rows of a random choice of entities with about ``most`` rows; None for all rows."""
    if len(entities) <= most:
        return None
    return np.flatnonzero(in_some_groups(key, entities, most))


def _fit_tree(
    target: str,
    before: Sequence[str],
    alphabets: Mapping[str, Alphabet],
    rows: Mapping[str, Codes],
    entity: npt.NDArray[np.int64],
    least: int,
    gain: float,
    key: int,
) -> Tree:
    """The tree of a variable; the first rows of families have a branch of their own.

    They know no sibling, and are few beside the rest: a split would seldom find them.
    """
    goal = embed(rows[target], alphabets[target], key)
    if POSITION in before:
        first = rows[POSITION] == 0
        if min(first.sum(), (~first).sum()) >= OPENINGS:
            branches = []
            for side in (first, ~first):
                some = {name: rows[name][side] for name in (*before, target)}
                args = target, before, alphabets, some, entity[side], least, gain
                branches.append(tree_on(goal[side], *args))
            return _branched(POSITION, alphabets[POSITION].size, *branches)
    return tree_on(goal, target, before, alphabets, rows, entity, least, gain)


def _branched(feature: str, size: int, first: Tree, rest: Tree) -> Tree:
    """One tree for rows that have code 0 of a feature, another one for those that have not."""

    def moved(tree: Tree, nodes: int, features: int, leaves: int) -> npt.NDArray[np.int32]:
        found = tree.nodes.copy()
        inner = found[0] >= 0
        found[0, inner] += features
        found[2:, inner] += nodes
        found[2, ~inner] += leaves
        return found

    before, leaves = first.nodes.shape[1], len(first.starts) - 1
    root = np.array([[0], [0], [1], [1 + before]], np.int32)
    nodes = [root, moved(first, 1, 1, 0), moved(rest, 1 + before, 1 + len(first.features), leaves)]
    return Tree(
        first.target,
        (feature, *first.features, *rest.features),
        (np.arange(size, dtype=np.uint8), *first.maps, *rest.maps),
        np.concatenate(nodes, axis=1),
        np.concatenate([first.starts, rest.starts[1:] + first.starts[-1]]),
        np.concatenate([first.codes, rest.codes]),
        np.concatenate([first.counts, rest.counts]),
    )


def tree_on(
    goal: Float32,
    target: str,
    before: Sequence[str],
    alphabets: Mapping[str, Alphabet],
    rows: Mapping[str, Codes],
    entity: npt.NDArray[np.int64],
    least: int,
    gain: float,
) -> Tree:
    """A tree whose leaves part the rows by their goals, with histograms of the target's codes."""
    chosen = _informative(before, alphabets, rows, goal)
    maps = tuple(_bins(rows[name], alphabets[name], goal) for name in chosen)
    if chosen:
        binned = np.stack([m[rows[name]] for name, m in zip(chosen, maps, strict=True)])
        width = np.array([int(m.max()) + 1 for m in maps], np.int64)
    else:
        binned = np.zeros((1, len(goal)), np.uint8)
        width = np.ones(1, np.int64)
    noise = gain * float(goal.var(axis=0).sum()) if len(goal) else 0.0
    feature, last, left, right, leaf = kernel.grow(
        binned, width, goal, entity, int(entity.max(initial=0)) + 1,
        least, LEAST_ENTITIES, noise, DEEPEST,
    )  # fmt: skip
    leaves = int(leaf.max(initial=0)) + 1
    starts, codes, counts = kernel.histograms(
        leaf, rows[target].astype(np.int64), leaves, alphabets[target].size + 1
    )
    if not len(codes):
        starts, codes, counts = np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.int64)
    used = sorted({int(f) for f in feature if f >= 0})
    compact = {f: i for i, f in enumerate(used)}
    feature = np.array([compact.get(int(f), -1) for f in feature], np.int32)
    return Tree(
        target,
        tuple(chosen[f] for f in used),
        tuple(maps[f] for f in used),
        np.stack([feature, last, left, right]).astype(np.int32),
        starts,
        codes,
        counts,
    )


def embed(codes: Codes, alphabet: Alphabet, key: int) -> Float32:
    """A short vector for each row whose squared distances say how different two codes are.

    Ordered codes: their ridit (mean rank), an indicator of NULL and of the heaviest codes.  Others:
    indicators of the commonest codes and random projections of the rest.  Shape (rows, components).
    """
    size = max(alphabet.size, 1)
    counts = np.bincount(codes, minlength=size).astype(np.float64)
    total = max(counts.sum(), 1.0)
    heavy = [c for c in np.argsort(-counts, kind="stable")[: COMPONENTS - 2] if counts[c] > 0]
    table = np.zeros((size, COMPONENTS), np.float64)
    if alphabet.ordered:
        table[:, 0] = (np.cumsum(counts) - counts / 2) / total
        heavy = [c for c in heavy if c == 0 or counts[c] >= 0.05 * total]
        for i, code in enumerate(heavy[: COMPONENTS - 1]):
            table[code, 1 + i] = 0.5
    else:
        for i, code in enumerate(heavy):
            table[code, i] = 1.0
        rest = np.setdiff1d(np.arange(size), heavy)
        for d in range(COMPONENTS - 2, COMPONENTS):
            sign = (hashed(key ^ d, rest) & np.uint64(1)).astype(np.float64) * 2 - 1
            table[rest, d] = sign
    used = table[counts > 0].std(axis=0) > 0 if (counts > 0).any() else np.zeros(COMPONENTS, bool)
    used[0] = True
    return np.ascontiguousarray(table[:, used].astype(np.float32)[codes])


def _informative(
    before: Sequence[str],
    alphabets: Mapping[str, Alphabet],
    rows: Mapping[str, Codes],
    goal: Float32,
) -> list[str]:
    """The features that explain most of the target's variance, each beyond those chosen before.

    Forward stagewise: what a chosen feature explains is taken from the target before the next is
    chosen, so that features that say the same do not crowd out others.  What chance would explain
    does not count.
    """
    if len(before) > MOST_CANDIDATES:  # a very wide table: what comes first, and the neighbours
        before = [*before[: MOST_CANDIDATES // 2], *before[-MOST_CANDIDATES // 2 :]]
    step = max(1, len(goal) * max(len(before), 60) // (60 * SCORE_ROWS))
    target = goal[::step].astype(np.float64)
    if not len(target):
        return []
    rest = target - target.mean(axis=0)
    total = float((rest**2).sum())
    names = [name for name in before if alphabets[name].size > 1]
    if total <= 0 or not names:
        return []
    codes = np.stack([rows[name][::step] for name in names])
    sizes = np.array([alphabets[name].size for name in names])
    scores = kernel.explained(codes, sizes, rest)
    order = [i for i in np.lexsort((names, -scores)) if scores[i] > 0][:SHORTLIST]
    if len(order) <= FEATURES:
        return [names[i] for i in order]
    codes, sizes = np.ascontiguousarray(codes[order]), sizes[order]
    chosen: list[int] = []
    while len(chosen) < FEATURES:
        scores = kernel.explained(codes, sizes, rest)
        scores[chosen] = 0.0
        best = int(np.argmax(scores))
        if scores[best] <= 0:
            break
        chosen.append(best)
        rest = rest - kernel.group_means(codes[best], int(sizes[best]), rest)
    chosen += [i for i in range(len(order)) if i not in chosen][: FEATURES - len(chosen)]
    return [names[order[i]] for i in chosen]


def _bins(codes: Codes, alphabet: Alphabet, goal: Float32) -> UInt8:
    """The bin of every code of a feature: in order, or sorted by the target where there is none."""
    counts = np.bincount(codes, minlength=alphabet.size)
    order = np.arange(len(counts))
    if not alphabet.ordered:
        order = np.argsort(_principal(codes, counts, goal), kind="stable")
    if len(counts) <= FEATURE_BINS:
        ranks = np.empty(len(counts), np.int64)
        ranks[order] = np.arange(len(counts))
        return ranks.astype(np.uint8)
    reached = np.cumsum(counts[order]) - counts[order] / 2
    bins = np.empty(len(counts), np.int64)
    bins[order] = np.minimum(reached * FEATURE_BINS / max(counts.sum(), 1), FEATURE_BINS - 1)
    return bins.astype(np.uint8)


def _principal(
    codes: Codes, counts: npt.NDArray[np.int64], goal: Float32
) -> npt.NDArray[np.float64]:
    """Codes' mean targets on the axis along which they differ most."""
    means = (
        np.stack(
            [
                np.bincount(codes, weights=goal[:, d], minlength=len(counts))
                for d in range(goal.shape[1])
            ],
            1,
        )
        / np.maximum(counts, 1)[:, None]
    )
    centred = (means - goal.mean(axis=0)) * (counts > 0)[:, None]
    weighted = centred * np.sqrt(counts)[:, None]
    axis = np.linalg.eigh(weighted.T @ weighted)[1][:, -1]
    axis = axis * (1 if axis[np.argmax(np.abs(axis))] > 0 else -1)
    return np.asarray(centred @ axis, np.float64)
