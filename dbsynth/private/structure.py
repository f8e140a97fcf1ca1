"""Which pairs of variables are worth measuring: a tree, chosen privately.

The tree grows from what is known before a row is drawn (its parent, its place, the sibling before):
in each turn one more variable is hung under the known one that tells most about it beyond its own
distribution, as MST does (McKenna, Miklau and Sheldon, Journal of Privacy and Confidentiality
11(3), 2021), less the noise that measuring the pair would add, as AIM does (McKenna et al., PVLDB
15(11), 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.engines import variables
from dbsynth.private.contents import WHOLE
from dbsynth.private.marginals import Variable, joint
from dbsynth.private.purse import Purse

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_UNIT = 2**20  # scores are whole numbers of this fraction of a row, so that they are exact
_MEAN_NOISE = float(np.sqrt(2 / np.pi))
_DRIFT = 4  # what is passed from sibling to sibling gets less exact with each, so it counts less
_WARY = 0.3  # of the largest noise of a choice that is usual, what a pair has to be worth


@dataclass(frozen=True)
class Edge:
    """That a variable is drawn given another one, or, with None, by itself."""

    variable: Variable
    given: Variable | None


def grown_tree(
    own: Sequence[Variable], known: Sequence[Variable], purse: Purse, rho: float, subject: str,
    first: Sequence[str] = (), together: str | None = None,
) -> list[Edge]:  # fmt: skip
    """The edges in the order in which their variables can be drawn.

    Args:
        own: Variables of the rows.
        known: Variables that are known before.
        rho: What all choices together may cost.
        first: Variables that are drawn before all others, in this order: times of siblings.
        together: The variable that is drawn for whole families, so that it can hang on nothing but
            what is known of their parent.
    """
    if not own:
        return []
    start = [] if known else [Edge(own[0], None)]
    waiting = list(own[len(start) :])
    usable = [v for v in (*known, *(edge.variable for edge in start)) if v.width > 1]
    edges, cap = list(start), max(v.cap for v in own)
    scores = {(v.name, g.name): score(v, g) for v in waiting for g in usable}
    turns = len(waiting)
    while waiting:
        ready = [v for name in first for v in waiting if v.name == name][:1] or waiting
        above = [
            g for g in usable
            if ready[0].name != together or g.name.startswith(variables.of_parent(""))
        ]  # fmt: skip
        options = [Edge(v, g) for v in ready for g in above] + [Edge(v, None) for v in ready]
        # Of many pairs that tell nothing the luckiest has a noise of about so much.
        luck = int(fluke(2 * cap * _UNIT * WHOLE, rho / turns, len(options)))
        worth = [scores[e.variable.name, e.given.name] if e.given else luck for e in options]
        # One entity adds or takes away at most `cap` rows, each of which changes a score by 2.
        place = purse.choose(f"structure of {subject}", worth, 2 * cap * _UNIT * WHOLE, rho / turns)
        taken = options[place]
        edges.append(taken)
        waiting = [v for v in waiting if v is not taken.variable]
        shown = taken.variable.shown
        if shown.width > 1:
            usable.append(shown)
            scores |= {(v.name, shown.name): score(v, shown) for v in waiting}
    return edges


def fluke(sensitivity: int, rho: float, options: int) -> float:
    """What a pair has to be worth beside none: noise alone makes one of many options look good."""
    return _WARY * sensitivity / float(np.sqrt(2 * rho)) * float(np.log(max(options, 1)))


def score(variable: Variable, given: Variable) -> int:
    """How far a pair is from independence, in rows, less the noise that measuring it would add.

    The distribution that the variable would have is the noisy one, so that only the counts of the
    pair depend on data: a row more in one cell changes the distance by less than 2.
    """
    counts = joint(variable, given)
    weights = _weights(variable.by_group)
    alone = weights[:, None] * counts.sum(axis=0)[None, :]
    distance = int(np.abs(counts * _UNIT - alone).sum())
    if given.name.startswith(variables.previous("")):
        distance -= distance // _DRIFT
    return distance - int(_MEAN_NOISE * variable.pair_scale * counts.size * _UNIT * WHOLE)


def _weights(counts: Float64) -> Int64:
    """Shares as whole numbers that add up to `_UNIT`."""
    shares = np.maximum(counts, 0.0) / max(float(np.maximum(counts, 0.0).sum()), 1e-12)
    if not shares.sum():
        shares = np.full(len(counts), 1 / len(counts))
    reached = np.floor(np.cumsum(shares) * _UNIT + 0.5).astype(np.int64)
    reached[-1] = _UNIT
    return np.diff(reached, prepend=0)
