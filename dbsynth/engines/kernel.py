"""Compiled inner loops of the conditional trees.

A tree is grown on histograms: features are small integers, so that one pass over the rows of a node
gives the statistics of every possible split (the idea of LightGBM, Ke et al., NeurIPS 2017).  The
target is a vector per row; a split is judged by the drop of its squared error summed over the
components (multi-output CART, Breiman et al. 1984; De'ath, Ecology 2002).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

ABREAST = 8  # rows that go down a tree at a time


@numba.njit(cache=True, nogil=True)
def _best_split(  # noqa: C901, PLR0912  # compiled: calls in the inner loops would cost time
    rows: Any, features: Any, bins: Any, target: Any, least: int, banned: Any
) -> tuple[int, int, float]:
    dims = target.shape[1]
    count = len(rows)
    total = np.zeros(dims)
    for r in rows:
        for d in range(dims):
            total[d] += target[r, d]
    base = 0.0
    for d in range(dims):
        base += total[d] * total[d] / count
    best_feature, best_bin, best_gain = -1, 0, 0.0
    sums = np.zeros((256, dims))
    counts = np.zeros(256, np.int64)
    left = np.zeros(dims)
    for f in range(features.shape[0]):
        width = bins[f]
        if width < 2 or banned[f]:
            continue
        for b in range(width):
            counts[b] = 0
            for d in range(dims):
                sums[b, d] = 0.0
        for r in rows:
            b = features[f, r]
            counts[b] += 1
            for d in range(dims):
                sums[b, d] += target[r, d]
        for d in range(dims):
            left[d] = 0.0
        n_left = 0
        for b in range(width - 1):
            if counts[b] == 0:
                continue
            n_left += counts[b]
            for d in range(dims):
                left[d] += sums[b, d]
            n_right = count - n_left
            if n_left < least:
                continue
            if n_right < least:
                break
            gain = -base
            for d in range(dims):
                rest = total[d] - left[d]
                gain += left[d] * left[d] / n_left + rest * rest / n_right
            if gain > best_gain:
                best_feature, best_bin, best_gain = f, b, gain
    return best_feature, best_bin, best_gain


@numba.njit(cache=True, nogil=True)
def _entities_at_least(rows: Any, entity: Any, stamps: Any, stamp: int, least: int) -> bool:
    seen = 0
    for r in rows:
        if stamps[entity[r]] != stamp:
            stamps[entity[r]] = stamp
            seen += 1
            if seen >= least:
                return True
    return False


@numba.njit(cache=True, nogil=True)
def grow(  # noqa: C901, PLR0913, PLR0917  # compiled: takes plain arrays and numbers
    features: Any,
    bins: Any,
    target: Any,
    entity: Any,
    entities: int,
    least_rows: int,
    least_entities: int,
    least_gain: float,
    deepest: int,
) -> tuple[Any, Any, Any, Any, Any]:
    """Grow a tree.

    Args:
        features: uint8, shape (features, rows).
        bins: Number of bins of each feature.
        target: float32, shape (rows, components).
        entity: Entity of each row, numbered from 0; a leaf holds at least ``least_entities``.
        least_gain: Least drop of the squared error for a split.

    Returns:
        Of each node: feature (-1 for a leaf), last bin that goes left, left child, right child; and
        the leaf number of each row.  For a leaf the left child is its leaf number.
    """
    n = features.shape[1]
    most = 2 * max(1, n // max(least_rows, 1)) + 3
    node_feature = np.full(most, -1, np.int32)
    node_bin = np.zeros(most, np.int32)
    node_left = np.zeros(most, np.int32)
    node_right = np.zeros(most, np.int32)
    leaf_of = np.zeros(n, np.int32)
    order = np.arange(n)
    scratch = np.empty(n, np.int64)
    stamps = np.full(entities, -1, np.int64)
    stamp = 0
    stack = [(0, 0, n, 0)]
    nodes, leaves = 1, 0
    while len(stack) > 0:
        node, start, end, depth = stack.pop()
        rows = order[start:end]
        split = False
        if end - start >= 2 * least_rows and depth < deepest:
            banned = np.zeros(features.shape[0], np.bool_)
            for _ in range(3):
                f, b, gain = _best_split(rows, features, bins, target, least_rows, banned)
                if f < 0 or gain <= least_gain or gain < 1e-9 * (end - start):
                    break
                low, high = 0, 0
                for r in rows:
                    if features[f, r] <= b:
                        order[start + low] = r
                        low += 1
                    else:
                        scratch[high] = r
                        high += 1
                for i in range(high):
                    order[start + low + i] = scratch[i]
                middle = start + low
                stamp += 2
                if least_entities <= 1 or (
                    _entities_at_least(order[start:middle], entity, stamps, stamp, least_entities)
                    and _entities_at_least(
                        order[middle:end], entity, stamps, stamp + 1, least_entities
                    )
                ):
                    split = True
                    break
                banned[f] = True
            if split and nodes + 2 <= most:
                node_feature[node] = f
                node_bin[node] = b
                node_left[node] = nodes
                node_right[node] = nodes + 1
                stack.append((nodes, start, middle, depth + 1))
                stack.append((nodes + 1, middle, end, depth + 1))
                nodes += 2
                continue
        node_left[node] = leaves
        for r in order[start:end]:
            leaf_of[r] = leaves
        leaves += 1
    return node_feature[:nodes], node_bin[:nodes], node_left[:nodes], node_right[:nodes], leaf_of


@numba.njit(cache=True, nogil=True)
def look_up(codes: Any, bins: Any, found: Any) -> None:
    """Fill in the bin of every code, without holding up other threads as numpy's indexing does.

    Args:
        codes: shape (rows,).
        bins: uint8, shape (codes,).
        found: uint8, shape (rows,).

    Raises:
        IndexError: A code has no bin.
    """
    for r in range(len(codes)):
        if codes[r] >= len(bins):
            raise IndexError("a code has no bin")
        found[r] = bins[codes[r]]


@numba.njit(cache=True, nogil=True)
def descend(features: Any, nodes: Any, leaf: Any) -> None:
    """Fill in the leaf number of every row.

    Some rows go down abreast: one waits for memory while the others go on.

    Args:
        features: uint8, shape (rows, features): the features of a row lie side by side.
        nodes: int32, shape (nodes, 4): feature, last bin that goes left, left child, right child.
        leaf: int32, shape (rows,).
    """
    rows = features.shape[0]
    node = np.zeros(ABREAST, np.int32)
    for first in range(0, rows, ABREAST):
        here = min(ABREAST, rows - first)
        node[:] = 0
        inside = True
        while inside:
            inside = False
            for i in range(here):
                at = node[i]
                if nodes[at, 0] >= 0:
                    node[i] = nodes[at, 2 + (features[first + i, nodes[at, 0]] > nodes[at, 1])]
                    inside = True
        for i in range(here):
            leaf[first + i] = nodes[node[i], 2]


@numba.njit(cache=True, nogil=True)
def explained(codes: Any, sizes: Any, target: Any) -> Any:
    """The share of the target's variance that each feature explains beyond what chance would.

    Args:
        codes: shape (features, rows).
        sizes: Number of codes of each feature.
        target: Centred, shape (rows, components).
    """
    features, n = codes.shape
    dims = target.shape[1]
    total = 0.0
    for r in range(n):
        for d in range(dims):
            total += target[r, d] * target[r, d]
    scores = np.zeros(features)
    sums = np.zeros((sizes.max(), dims))
    counts = np.zeros(sizes.max(), np.int64)
    for f in range(features):
        sums[:] = 0.0
        counts[:] = 0
        for r in range(n):
            c = codes[f, r]
            counts[c] += 1
            for d in range(dims):
                sums[c, d] += target[r, d]
        between, groups = 0.0, 0
        for c in range(sizes[f]):
            if counts[c] > 0:
                groups += 1
                for d in range(dims):
                    between += sums[c, d] * sums[c, d] / counts[c]
        if 1 < groups < n and total > 0:
            by_chance = (groups - 1) * (total - between) / (n - groups)
            scores[f] = (between - by_chance) / total
    return scores


@numba.njit(cache=True, nogil=True)
def group_means(codes: Any, size: int, target: Any) -> Any:
    """The mean target of the rows with the same code, for every row."""
    n, dims = target.shape
    sums = np.zeros((size, dims))
    counts = np.zeros(size, np.int64)
    for r in range(n):
        counts[codes[r]] += 1
        for d in range(dims):
            sums[codes[r], d] += target[r, d]
    means = np.empty((n, dims))
    for r in range(n):
        for d in range(dims):
            means[r, d] = sums[codes[r], d] / counts[codes[r]]
    return means


@numba.njit(cache=True, nogil=True)
def histograms(leaf: Any, codes: Any, leaves: int, size: int) -> tuple[Any, Any, Any]:
    """Code counts of every leaf as sparse rows: starts (leaves + 1), codes, counts."""
    order = np.argsort(leaf.astype(np.int64) * size + codes, kind="mergesort")
    starts = np.zeros(leaves + 1, np.int64)
    out_codes = np.empty(len(leaf), np.int32)
    out_counts = np.zeros(len(leaf), np.int64)
    filled = 0
    last_leaf, last_code = -1, -1
    for r in order:
        if leaf[r] != last_leaf or codes[r] != last_code:
            for skipped in range(last_leaf + 1, leaf[r] + 1):
                starts[skipped] = filled
            last_leaf, last_code = leaf[r], codes[r]
            out_codes[filled] = codes[r]
            filled += 1
        out_counts[filled - 1] += 1
    for skipped in range(last_leaf + 1, leaves + 1):
        starts[skipped] = filled
    return starts, out_codes[:filled].copy(), out_counts[:filled].copy()


@numba.njit(cache=True, nogil=True)
def _splitmix(state: np.uint64) -> np.uint64:
    z = state + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def draw_systematic(
    leaf: Any, starts: Any, leaf_codes: Any, leaf_counts: Any, key: np.uint64
) -> Any:
    """A code for every row, so that the rows of a leaf repeat its histogram as exactly as they can.

    The rows of a leaf are shuffled and put on an evenly spaced grid over the cumulated histogram
    (systematic sampling, Madow and Madow 1944), which removes nearly all sampling noise.
    """
    n = len(leaf)
    leaves = len(starts) - 1
    offset = np.zeros(leaves + 1, np.int64)
    for r in range(n):
        offset[leaf[r] + 1] += 1
    for i in range(leaves):
        offset[i + 1] += offset[i]
    order = np.empty(n, np.int64)
    place = offset.copy()
    for r in range(n):
        order[place[leaf[r]]] = r
        place[leaf[r]] += 1
    drawn = np.empty(n, np.uint16)
    for i in range(leaves):
        begin, end = offset[i], offset[i + 1]
        count = end - begin
        if count == 0:
            continue
        for j in range(count - 1, 0, -1):
            swap = np.int64(_splitmix(key ^ np.uint64((begin + j) * 2 + 1)) % np.uint64(j + 1))
            order[begin + j], order[begin + swap] = order[begin + swap], order[begin + j]
        total = 0
        for c in range(starts[i], starts[i + 1]):
            total += leaf_counts[c]
        jitter = np.float64(_splitmix(key ^ np.uint64(i * 2)) >> np.uint64(11)) * 2.0**-53
        c = starts[i]
        reached = leaf_counts[c]
        for j in range(count):
            wanted = (j + jitter) * total / count
            while wanted >= reached and c + 1 < starts[i + 1]:
                c += 1
                reached += leaf_counts[c]
            drawn[order[begin + j]] = leaf_codes[c]
    return drawn
