"""How the rows under a dealt key follow each other along the generating parents.

The rows of a table with several parents are drawn under the generating one.  Those under another
parent have a history of their own: a driver's results, from race to race.  It is learnt like a
family, by a model of its own.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, k_threshold
from dbsynth.engines import variables
from dbsynth.engines.base import Engine
from dbsynth.keys import group_ids
from dbsynth.learn.arrival import STRETCHES, pace_of, stretches
from dbsynth.learn.families import context_alphabets, context_of, lineage
from dbsynth.learn.leading import may_follow, ranks
from dbsynth.learn.rosters import groupings
from dbsynth.learn.work import Paced, Work
from dbsynth.model import History
from dbsynth.randomness import Streams
from dbsynth.schema import ForeignKey, Table

Int64 = npt.NDArray[np.int64]
_PARTS = (0.25, 0.5, 0.75, 0.9)  # of the members, by their number of rows
_ONCE = 0.98  # of the rows have a generating parent that no sibling has


def paced_keys(work: Work, table: Table) -> dict[ForeignKey, Paced]:
    """The dealt keys of a table whose rows walk along the generating parents."""
    own = work.plan.generating.get(table.name)
    if own is None or work.outline.reading.own or not work.tables[own.parent].order:
        return {}
    if not may_follow(work.outline, table, own, work.links):
        return {}
    found = {}
    rank = ranks(work.outline, work.rows, own.parent)[work.links[own]]
    for fk in work.plan.dealt_of(table.name):
        if fk in work.diamonds or not may_follow(work.outline, table, fk, work.links):
            continue
        pace = pace_of(rank, work.links[fk], k_threshold(len(rank)))
        if pace is not None:
            pairs = group_ids([work.links[fk], rank])
            once = len(np.unique(pairs)) >= _ONCE * len(pairs)
            found[fk] = Paced(own, rank, *pace, once)
    return found


def told_by_roster(work: Work, table: str) -> bool:
    """Whether all of a table follows from its sibling tables, so that nobody asks its histories."""
    roster = work.rosters.get(table)
    if roster is None:
        return False
    keys = {roster.key, *(fk for fk, _ in roster.others)}
    rest = {v for v in work.alphabets[table] if v.startswith("column:")}
    rest -= {variables.column(name) for name in roster.derived}
    return not rest and all(fk in keys for fk in work.paced if fk.child == table)


def fit_history(
    work: Work, fk: ForeignKey, paced: Paced, engine: Engine, streams: Streams
) -> History:
    """The model of the rows under a dealt key."""
    rank, own = paced.rank, paced.own
    order = np.lexsort((rank, work.links[fk]))
    links = work.links[fk][order]
    step, place = variables.gap(str(own)), variables.parent_class(own)
    chain = {step: paced.gap.codec.alphabet, place: Alphabet(STRETCHES + 1, ordered=True)}
    codes = {step: paced.codes, place: stretches(rank / work.rows[own.parent].count)}
    hidden = {}
    for variable, alphabet in work.alphabets[own.parent].items():
        name = variables.beside(variable)
        chain[name] = alphabet
        codes[name] = work.codes[own.parent][variable][work.links[own]]
        hidden[name] = np.zeros(len(rank), bool)
    for variable, alphabet in work.alphabets[fk.child].items():
        if not variable.startswith(("count:", "profile:")):
            chain[variable], codes[variable] = alphabet, work.codes[fk.child][variable]
    codes = {v: c[order] for v, c in codes.items()}
    above = work.plan.generating.get(fk.parent)
    known = dict(work.alphabets[fk.parent])
    if above is not None:
        known |= {variables.of_parent(v): a for v, a in work.alphabets[above.parent].items()}
    inherited = lineage(
        work.codes[fk.parent],
        work.codes[above.parent] if above else None,
        work.links[above] if above else None,
    )
    kept = {v: a for v, a in chain.items() if not v.startswith(variables.BESIDE)}
    seen, context = context_of(inherited, codes, kept, links), context_alphabets(known, kept)
    later = codes[step] > 0
    model = engine.fit(
        chain, codes, context, {v: seen[v] for v in context}, links,
        key=streams.key("history", str(fk)), drawn={step: later, place: ~later, **hidden},
    )  # fmt: skip
    return History(paced.gap, _visits(work.links[fk], rank), model, _keeps(work, fk, paced, order))


def _visits(links: Int64, rank: Int64) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
    """How many rows pairs of parents have, by the number of rows of the dealt key's parent."""
    pairs, times = np.unique(links * (rank.max(initial=0) + 1) + rank, return_counts=True)
    counts = np.bincount(links)
    size = counts[pairs // (rank.max(initial=0) + 1)]
    limits = [1, *np.unique(np.quantile(counts[counts > 0], _PARTS).astype(int) + 1).tolist()]
    found = []
    for low, high in itertools.pairwise(sorted({*limits, int(counts.max(initial=0)) + 1})):
        some = times[(size >= low) & (size < high)]
        if len(some):
            found.append((low, high, tuple(np.bincount(some)[1:].tolist())))
    return tuple(found)


def _keeps(
    work: Work, fk: ForeignKey, paced: Paced, order: Int64
) -> dict[ForeignKey, tuple[float, float]]:
    """How often a row has the other parent of the sibling before, inside a group and across."""
    _, groups = list(groupings(work, paced.own))[-1]
    links, group = work.links[fk][order], groups[paced.rank[order]]
    sibling = links[1:] == links[:-1]
    inside = group[1:] == group[:-1]
    found = {}
    for other, theirs in work.paced.items():
        if other.child == fk.child and other != fk and theirs.own == paced.own:
            parents = work.links[other][order]
            same = parents[1:] == parents[:-1]
            shares = [
                float(np.mean(same[sibling & side])) if (sibling & side).any() else 1.0
                for side in (inside, ~inside)
            ]
            found[other] = shares[0], shares[1]
    return found
