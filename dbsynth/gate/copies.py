"""Whether a clone has more rows of single entities than nature, mixing or nearness would give it.

A row that two entities of the source have tells of neither.  One that a single entity has may come
back in the clone all the same, and the source itself says how often: an entity that nobody has
looked at would meet a row of a single other entity as often as the entities of the source meet each
other's rows, each left out in turn.  (For rows that are entities this is the estimate of Good,
Biometrika 1953: twice the rows that are there twice.)  A model may also know less than nature, and
draw rare rows more often: so often as rows do that are mixed from columns, or that differ from a
real one by a step in one number.  What no such estimate explains has been learnt by heart.
Counted are real rows that come back, each once: a rare row that comes out often is one row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dbsynth.gate.chance import RARE, more_often, tail
from dbsynth.learn.entities import FEWEST
from dbsynth.randomness import UInt64
from dbsynth.report import Finding, Status

NOTHING: UInt64 = np.zeros(0, np.uint64)


@dataclass(frozen=True)
class Real:
    """Rows of the source as hashes; 0 for a row that is not compared.

    Attributes:
        rows: How many there are, those that are not compared included.
        owners: The entity that each row belongs to; None for families.
        near: Pairs of a real row and one that differs from it by a step, of one column each.
        space: How many different rows there can be.
    """

    values: UInt64
    rows: int
    owners: UInt64 | None = None
    near: tuple[tuple[UInt64, UInt64], ...] = ()
    space: float = math.inf


@dataclass(frozen=True)
class Made:
    """Rows of the clone as hashes.

    Attributes:
        rows: How many there are, those that are not compared included.
        mixes: How many rows were put together from values that are each from another row.
        mixed: The hashes of these, as far as they are compared.
    """

    values: UInt64
    rows: int
    mixes: int = 0
    mixed: UInt64 = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True)
class _Hits:
    """How often what was tried met some rows.

    Attributes:
        trials: How many were tried.
        clump: How many hits go together, as the two rows of a pair do.
    """

    count: float
    trials: float
    clump: float = 1.0

    @property
    def rate(self) -> float:
        """The share of the trials."""
        return self.count / self.trials


def judged(check: str, subject: str, real: Real, made: Made, columns: str = "") -> Finding:
    """Compare the rows, or families, of source and clone.

    Args:
        columns: What the rows consist of, for an explanation.
    """
    name = f"{subject} ({check})"
    known, holders, of = _held(real)
    alone = known[holders == 1]
    copied = _met(made.values, alone, made.rows)
    if not copied.count:
        return Finding("leak", name, Status.PASSED, "none")
    # What a clone is given: its own hits, and others that stand beside them.
    beside = [(copied, _Hits(int((holders[of] == 2).sum()), real.rows, 2.0))]
    if made.mixes:  # what is mixed still has real values, so that it is given no more than it hits
        beside.append((copied, _met(made.mixed, alone, made.mixes)))
    for own, near in real.near:
        apart = np.unique(near[np.isin(own, alone) & ~np.isin(near, known)])
        if len(apart):
            mine = replace(copied, trials=len(alone))
            beside.append((mine, _met(made.values, apart, len(apart))))
    by_space = made.rows * len(alone) / real.space
    explained = any(_no_more(mine, others) for mine, others in beside)
    explained |= tail(round(copied.count), by_space) >= RARE
    expected = max(by_space, *(others.rate * mine.trials for mine, others in beside))
    what = "family" if real.owners is None else "entity"
    count, rows = int(copied.count), np.count_nonzero(made.values)
    theirs = "rows of" if count != 1 else "row of"
    detail = f"{count} {theirs} a single real {what} came back in {rows}, {expected:.0f} by nature"
    if explained:
        return Finding("leak", name, Status.NOTE, detail, count)
    part = "the engine: it has learnt rows by heart"
    if columns:
        part += f", as far as they are {columns}"
    return Finding("leak", name, Status.FAILED, detail, count, part)


def _held(real: Real) -> tuple[UInt64, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The different rows, how many entities have each, and which of them every row is."""
    here = real.values != 0
    known, of = np.unique(real.values[here], return_inverse=True)
    owners = None if real.owners is None else real.owners[here]
    if owners is None or len(np.unique(owners)) < FEWEST:
        return known, np.bincount(of, minlength=len(known)), of
    order = np.lexsort((owners, of))
    fresh = np.ones(len(order), bool)
    same = (of[order][1:] == of[order][:-1]) & (owners[order][1:] == owners[order][:-1])
    fresh[1:] = ~same
    return known, np.bincount(of[order][fresh], minlength=len(known)), of


def _met(values: UInt64, wanted: UInt64, trials: int) -> _Hits:
    """The rows that were met: each once, as a model that draws one too often has learnt but one."""
    return _Hits(len(np.unique(values[np.isin(values, wanted)])), trials)


def _no_more(mine: _Hits, others: _Hits) -> bool:
    """Whether some hits are no more than chance at the rate of others.

    Hits that go together count as one of so many fewer trials (Kish, Survey Sampling, 1965).
    """
    hits, beside = round(mine.count / mine.clump), round(others.count / others.clump)
    return more_often(hits, mine.trials / mine.clump, beside, others.trials / others.clump) >= RARE
