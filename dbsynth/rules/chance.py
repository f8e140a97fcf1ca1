"""How many cases a rule needs before it is no coincidence (the derivation is in docs/decisions).

Three conditions.  *Enough cases*: a rule that one case in ten breaks would show a break in so many
cases.  *Better than chance*: columns drawn independently from their own distributions would hold it
in so many different cases with a probability of at most `ALPHA`, shared among all candidates
tried.  *Not empty*: such columns would break it often, and the rows break it far less.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from dbsynth.rules.base import Float64, Int64
from dbsynth.sorting import by_group

ALPHA = 1e-6  # of the whole database
MOST_BROKEN = 0.005
_TELLING = 0.1  # a share of breaks that must not go unseen ...
_UNSEEN = 0.05  # ... with more than this probability
FEWEST = math.ceil(math.log(_UNSEEN) / math.log(1 - _TELLING))  # 29
_NOT_EMPTY = 0.05  # the least share of breaks among independent columns
_FAR_LESS = 0.05  # of the breaks among independent columns


def convincing(held: int, of: int, distinct: int, chance: float, tried: int) -> bool:
    """Whether a rule that held in so many cases is one.

    Args:
        distinct: How many of the cases differ; equal ones say nothing new.
        chance: Probability that a case holds if the columns were independent.
        tried: Candidates of this form in the whole database.
    """
    if of < FEWEST or not distinct or held < (1 - MOST_BROKEN) * of:
        return False
    breaks = 1 - chance
    if breaks < _NOT_EMPTY or (of - held) > _FAR_LESS * breaks * of:
        return False
    return log_tail(held / of, min(distinct, of), chance) + math.log(max(tried, 1)) <= math.log(
        ALPHA
    )


def log_tail(share: float, cases: int, chance: float) -> float:
    """A bound on the logarithm of P(at least this share of the cases holds) (Chernoff).

    It is exact where all hold: chance to the power of the cases.
    """
    chance = max(chance, 1.0 / (cases + 1) ** 2)  # no chance is known better than so many cases say
    if share <= chance:
        return 0.0
    divergence = share * math.log(share / chance)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - chance))
    return -cases * divergence


def chance_equal(left: Float64, right: Float64, tolerance: float) -> float:
    """Probability that independent draws from two columns differ by at most so much."""
    left, right = np.sort(left[~np.isnan(left)]), right[~np.isnan(right)]
    if not len(left) or not len(right):
        return 1.0
    after = np.searchsorted(left, right + tolerance, side="right")
    before = np.searchsorted(left, right - tolerance, side="left")
    return float(np.mean(after - before) / len(left))


def chance_at_most(left: Float64, right: Float64) -> float:
    """Probability that an independent draw from the left column is at most one from the right."""
    left, right = np.sort(left[~np.isnan(left)]), right[~np.isnan(right)]
    if not len(left) or not len(right):
        return 1.0
    return float(np.mean(np.searchsorted(left, right, side="right")) / len(left))


def distinct_cases(*columns: Float64) -> int:
    """How many different rows there are."""
    if not columns or not len(columns[0]):
        return 0
    if len(columns) == 1:
        return len(np.unique(columns[0]))
    order = np.lexsort(columns)
    changed = np.zeros(len(order), bool)
    changed[0] = True
    for column in columns:
        ordered = column[order]
        changed[1:] |= ordered[1:] != ordered[:-1]
    return int(changed.sum())


def effective_cases(gaps: Float64, groupings: Iterable[Int64]) -> int:
    """How many independent cases so many neighbouring ones are worth.

    Two columns that both grow from row to row, or both vary by family, may never cross by one
    coincidence, not by many.  The correlation of neighbours, in the order of the rows and within
    the families of each parent, says how little every further case adds.
    """
    cases = len(gaps)
    if cases < FEWEST:
        return cases
    ranks = np.empty(cases)
    ranks[np.argsort(gaps, kind="stable")] = np.arange(cases)
    orders = [np.arange(cases), *(by_group(group) for group in groupings)]
    most = max(_of_neighbours(ranks[order]) for order in orders)
    return max(1, int(cases * (1 - most) / (1 + most)))


def _of_neighbours(ranks: Float64) -> float:
    """The correlation of each number with the next, not below zero."""
    centred = ranks - ranks.mean()
    variance = float(np.mean(centred**2))
    return max(0.0, float(np.mean(centred[1:] * centred[:-1])) / variance) if variance else 0.0
