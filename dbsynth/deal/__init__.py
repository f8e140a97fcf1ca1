"""Foreign keys beside the generating one: every child row gets a parent of the class it asked for.

Inside a class each parent stands as often in a shuffled list as it has children (a configuration
model with attribute classes), so degrees are kept and the cost is linear.  Keys that share columns
with other keys are dealt inside the group of parents that agree on those columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from dbsynth.deal.together import laid_together
from dbsynth.diamonds import follow
from dbsynth.draft import child_counts, context_alphabets_of
from dbsynth.draft.drafted import Draft
from dbsynth.draft.keeping import regrouped
from dbsynth.engines import variables
from dbsynth.errors import Unsatisfiable
from dbsynth.graph import is_unique
from dbsynth.keys import group_ids, key_parts, rank_in_group
from dbsynth.learn.arrival import served
from dbsynth.plural import counted
from dbsynth.randomness import uniform
from dbsynth.schema import ForeignKey, Table
from dbsynth.sorting import by_group

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

Groups = Callable[[ForeignKey], tuple[Int64, Int64] | None]
"""For a foreign key that shares columns with settled ones: the group of every child row and every
parent row, equal where the shared columns agree; None where it shares none."""

_SWAP_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class _Cells:
    """Children and parents that may be matched: those in the same cell."""

    child: Int64
    parent: Int64
    rising: tuple[Int64, Int64] | None = None


def deal(draft: Draft, groups: Groups) -> None:
    """Deal every foreign key that is neither generating nor a lookup, in the order of the plan.

    Keys that close a diamond come last and follow the other keys.
    """
    diamonds = draft.model.diamonds
    together = laid_together(draft)
    for fk in sorted(draft.model.plan.dealt, key=lambda fk: fk in diamonds):
        table = draft.model.schema[fk.child]
        if not draft.rows[fk.child]:
            draft.links[fk] = np.zeros(0, np.int64)
            continue
        key = draft.streams.key("deal", str(fk))
        if fk in together:
            draft.links[fk] = _spread_over_keys(draft, table, fk, draft.links[fk], None, key)
            continue
        if fk in diamonds:
            links = follow(diamonds[fk], draft.links)
            if fk.nullable or (links >= 0).all():
                draft.links[fk] = links
                continue
        if fk.parent == fk.child:
            links = _deal_self(draft, table, fk, groups(fk), key)
        else:
            links = _deal_key(draft, table, fk, groups(fk), key)
        links = regrouped(draft, fk, links)
        draft.links[fk] = _spread_over_keys(draft, table, fk, links, groups(fk), key)


def _deal_key(
    draft: Draft, table: Table, fk: ForeignKey, groups: tuple[Int64, Int64] | None, key: int
) -> Int64:
    rows, parents = draft.rows[fk.child], draft.rows[fk.parent]
    wanted = draft.codes[fk.child].get(variables.parent_class(fk), np.zeros(rows, np.uint16))
    asked = np.ones(rows, bool) if not fk.nullable else _asked(draft, table, fk, wanted > 0)
    if not parents:
        return _nobody(fk, asked)
    places = draft.places.get(fk)
    if places is not None and groups is None and asked.all():
        degrees = child_counts(draft, fk, rows, np.full(parents, rows))
        return served(places, degrees, uniform(key, np.arange(rows)))
    centres = draft.model.degrees[fk].centres
    features = variables.class_features(
        draft.codes[fk.parent], context_alphabets_of(draft, fk.parent), parents
    )
    classes = (
        np.zeros(parents, np.int64)
        if centres is None
        else variables.classify_rows(features, centres)
    )
    child_group, parent_group = groups or (np.zeros(rows, np.int64), np.zeros(parents, np.int64))
    single = is_unique(table, fk.columns)
    most = 1 if single else int(asked.sum())
    degrees = child_counts(draft, fk, min(int(asked.sum()), parents * most), np.full(parents, most))
    rising = _rising(draft, fk)
    links = np.full(rows, -1, np.int64)
    taken = np.zeros(parents, np.int64)
    wide = int(max(classes.max(initial=0), wanted.max(initial=0))) + 2
    # First every parent gets the children it was drawn, of the class that asks for it; who finds
    # nobody takes any parent of the group that has children left to get, and at last any parent.
    for by_class, exact in ((True, True), (False, True), (False, False)):
        open_rows = np.flatnonzero(asked & (links < 0))
        if not len(open_rows):
            break
        cells = _Cells(
            child_group[open_rows] * wide
            + (wanted[open_rows].astype(np.int64) - 1 if by_class else 0),
            parent_group * wide + (classes if by_class else 0),
            rising and (rising[0][open_rows], rising[1]),
        )
        left = np.maximum(degrees - taken, 0) if exact or not single else 1 - taken
        found = match(cells, left, single, key ^ (2 * by_class + exact), exact=exact)
        links[open_rows] = found
        taken += np.bincount(found[found >= 0], minlength=parents)
    return _nobody(fk, asked & (links < 0), links)


def _rising(draft: Draft, fk: ForeignKey) -> tuple[Int64, Int64] | None:
    """Numbers of children and parents that rise together: cheap lines take cheap products."""
    alike = draft.model.degrees[fk].alike
    if alike is None:
        return None
    mine, theirs, falling = alike
    own, other = draft.codes[fk.child].get(mine), draft.codes[fk.parent].get(theirs)
    if own is None or other is None:
        return None
    return own.astype(np.int64), (-1 if falling else 1) * other.astype(np.int64)


def _asked(draft: Draft, table: Table, fk: ForeignKey, wanted: Bool) -> Bool:
    """Which rows shall have a parent; a key whose columns lie within settled ones has no choice."""
    for other in table.foreign_keys:
        if other in draft.links and other != fk and set(fk.columns) <= set(other.columns):
            wanted = draft.links[other] >= 0
    return wanted


def _nobody(fk: ForeignKey, missing: Bool, links: Int64 | None = None) -> Int64:
    """Links where rows without a parent stay NULL, if they may."""
    if links is None:
        links = np.full(len(missing), -1, np.int64)
    if missing.any() and not fk.nullable:
        raise Unsatisfiable(
            f"{fk}: no row to refer to is left for {counted(int(missing.sum()), 'row')}",
            hint="raise the scale, or copy the parent table",
        )
    return links


def match(cells: _Cells, degrees: Int64, single: bool, key: int, *, exact: bool = False) -> Int64:
    """A parent for every child row inside its cell; -1 where the cell has no parent left.

    Args:
        degrees: Children that each parent shall get.
        exact: Whether no parent may get more; else the children of a cell are shared out among its
            parents in proportion to the degrees.
    """
    names, inverse = np.unique(np.concatenate([cells.child, cells.parent]), return_inverse=True)
    child, parent = inverse[: len(cells.child)], inverse[len(cells.child) :]
    demand = np.bincount(child, minlength=len(names))
    slots = degrees if exact else _slots(parent, degrees, demand, single, key)
    supply = np.bincount(parent, weights=slots, minlength=len(names)).astype(np.int64)
    mine, theirs = cells.rising or (np.zeros(len(child)), np.zeros(len(parent)))
    order = np.lexsort((uniform(key ^ 2, np.arange(len(child))), mine, child))
    rank = np.empty(len(child), np.int64)
    rank[order] = rank_in_group(child[order])
    by_cell = by_group(parent)
    dealt = np.repeat(by_cell, slots[by_cell])
    shuffled = np.lexsort((uniform(key ^ 3, np.arange(len(dealt))), theirs[dealt], parent[dealt]))
    dealt = dealt[shuffled]
    start = np.cumsum(supply) - supply
    links = np.full(len(child), -1, np.int64)
    served = rank < supply[child]
    links[served] = dealt[start[child[served]] + rank[served]]
    return links


def _slots(parent: Int64, degrees: Int64, demand: Int64, single: bool, key: int) -> Int64:
    """Children per parent, adding up to the demand of each cell (systematic rounding)."""
    noise = uniform(key ^ 4, np.arange(len(parent)))
    if single:
        order = np.lexsort((noise, -np.minimum(degrees, 1), parent))
        rank = np.empty(len(parent), np.int64)
        rank[order] = rank_in_group(parent[order])
        # With degrees of 0 left only (second round), nobody with a child gets another.
        return ((rank < demand[parent]) & (degrees >= 0)).astype(np.int64)
    weight = degrees.astype(np.float64)
    total = np.bincount(parent, weights=weight, minlength=len(demand))
    weight = np.where(total[parent] > 0, weight, 1.0)
    total = np.bincount(parent, weights=weight, minlength=len(demand))
    share = weight * demand[parent] / np.maximum(total[parent], 1e-12)
    order = np.lexsort((noise, parent))
    reached = np.cumsum(share[order])
    reached = np.round(reached, 6)
    slots = np.empty(len(parent), np.int64)
    slots[order] = np.diff(np.floor(reached + 0.5 * (reached % 1 > 0)), prepend=0).astype(np.int64)
    return _exact(slots, parent, demand)


def _exact(slots: Int64, parent: Int64, demand: Int64) -> Int64:
    """Slots corrected by the few that rounding across cells has moved."""
    gap = demand - np.bincount(parent, weights=slots, minlength=len(demand)).astype(np.int64)
    gap[np.bincount(parent, minlength=len(demand)) == 0] = 0
    while (gap != 0).any():
        needy = np.flatnonzero(gap[parent] != 0)
        needy = needy[(gap[parent[needy]] > 0) | (slots[needy] > 0)]
        order = np.lexsort((-slots[needy], parent[needy]))
        first = needy[order][
            rank_in_group(parent[needy][order]) < np.abs(gap[parent[needy][order]])
        ]
        slots[first] += np.sign(gap[parent[first]])
        gap = demand - np.bincount(parent, weights=slots, minlength=len(demand)).astype(np.int64)
        gap[np.bincount(parent, minlength=len(demand)) == 0] = 0
    return slots


def _deal_self(
    draft: Draft, table: Table, fk: ForeignKey, groups: tuple[Int64, Int64] | None, key: int
) -> Int64:
    """A self-reference, level by level: a row of depth d hangs under one of depth d - 1."""
    rows = draft.rows[fk.child]
    depth = (
        draft.codes[fk.child].get(variables.depth(fk), np.zeros(rows, np.uint16)).astype(np.int64)
    )
    group = groups[0] if groups else np.zeros(rows, np.int64)
    parent_group = groups[1] if groups else group
    single = is_unique(table, fk.columns)
    if not fk.nullable:
        depth[depth == variables.NULL] = variables.LOOP
    links = np.full(rows, -1, np.int64)
    asked = depth >= variables.FIRST_DEPTH
    most = 1 if single else rows
    degrees = child_counts(draft, fk, min(int(asked.sum()), rows * most), np.full(rows, most))
    loops = depth == variables.LOOP
    links[loops] = np.flatnonzero(loops)
    level = np.where(asked, depth - variables.FIRST_DEPTH + 1, 0)
    level = _rooted(level, depth != variables.CIRCLE, group, degrees)
    if not fk.nullable:
        roots = np.flatnonzero(asked & (level == 0))
        links[roots] = roots
    for deep in range(1, int(level.max(initial=0)) + 1):
        children = np.flatnonzero(level == deep)
        parents = np.flatnonzero((level == deep - 1) & (depth != variables.CIRCLE))
        if not len(parents):
            level[children] = 0
            links[children] = -1 if fk.nullable else children
            continue
        cells = _Cells(group[children], parent_group[parents])
        found = match(cells, degrees[parents], single, key ^ deep)
        links[children] = np.where(found >= 0, parents[np.maximum(found, 0)], -1)
        lost = children[found < 0]
        level[lost] = 0
        links[lost] = -1 if fk.nullable else lost
    circle = np.flatnonzero(depth == variables.CIRCLE)
    for name in np.unique(group[circle]):
        alike = circle[group[circle] == name]
        links[alike] = np.roll(alike, 1)
    return links


def _rooted(level: Int64, usable: Bool, group: Int64, degrees: Int64) -> Int64:
    """Levels from 0 on without gaps in every group, so that each row finds one above it.

    Where nobody of a group stands above the others, who has most children of the highest does: a
    single root among many rows is easily not drawn, and all would hang under nobody.

    Args:
        usable: Rows that may be parents.
    """
    level = level.copy()
    names, inverse = np.unique(group, return_inverse=True)
    has_root = np.zeros(len(names), np.bool_)
    has_root[inverse[usable & (level == 0)]] = True
    rootless = np.flatnonzero((level > 0) & ~has_root[inverse])
    first = rootless[np.lexsort((-degrees[rootless], level[rootless], inverse[rootless]))]
    level[first[np.unique(inverse[first], return_index=True)[1]]] = 0
    wide = int(level.max(initial=0)) + 1
    steps, place = np.unique(inverse * wide + level, return_inverse=True)
    return np.asarray(rank_in_group(steps // wide)[place], np.int64)


# ---------------------------------------------------------------------------------------------
# Keys over several links
# ---------------------------------------------------------------------------------------------


def _spread_over_keys(
    draft: Draft,
    table: Table,
    fk: ForeignKey,
    links: Int64,
    groups: tuple[Int64, Int64] | None,
    key: int,
) -> Int64:
    """Links changed so that every unique key made of foreign keys alone holds."""
    for unique in table.keys:
        parts = key_parts(table, unique)
        covered = {column for part in parts for column in part.columns}
        others = [part for part in parts if part != fk]
        if (
            not unique.plain
            or covered != set(unique.columns)
            or fk not in parts
            or not others
            or any(part not in draft.links for part in others)
        ):
            continue
        settled = [draft.links[part] for part in others]
        owner = group_ids(settled)
        exempt = np.any([part < 0 for part in settled], axis=0)
        child_group, parent_group = groups or (
            np.zeros(len(links), np.int64),
            np.zeros(draft.rows[fk.parent], np.int64),
        )
        links = spread(links, owner, exempt, child_group, parent_group, key)
        repeated = repeats(owner, links, exempt)
        if repeated.any() and fk.nullable:
            links = np.where(repeated, -1, links)
    return links


def repeats(owner: Int64, links: Int64, exempt: Bool) -> Bool:
    """Rows whose pair of owner and parent occurred before."""
    pair = group_ids([owner, links])
    return (rank_in_group(pair) > 0) & (links >= 0) & ~exempt


def spread(
    links: Int64, owner: Int64, exempt: Bool, child_group: Int64, parent_group: Int64, key: int
) -> Int64:
    """Links swapped between rows of a group until no owner has a parent twice.

    Swaps keep all degrees.  Where they do not suffice (an owner who has nearly all parents), a row
    takes the least used parent that its owner does not have yet.
    """
    links = links.copy()
    for round_ in range(_SWAP_ROUNDS):
        bad = np.flatnonzero(repeats(owner, links, exempt))
        if not len(bad):
            return links
        links = _swap_round(links, owner, bad, child_group, exempt, key + round_)
    left = repeats(owner, links, exempt)
    if left.any():
        order = np.argsort(parent_group, kind="stable")
        limits = np.searchsorted(parent_group[order], np.stack([child_group, child_group + 1]))
        links = _fill_greedily(links, owner, left, order, limits[0], limits[1], len(parent_group))
    return links


def _swap_round(
    links: Int64, owner: Int64, bad: Int64, group: Int64, exempt: Bool, key: int
) -> Int64:
    """Swap each repeated row with a random row of its group; undo what makes things worse."""
    usable = np.flatnonzero((links >= 0) & ~exempt)
    ordered = usable[np.argsort(group[usable], kind="stable")]
    keys = group[ordered]
    low, high = np.searchsorted(keys, group[bad]), np.searchsorted(keys, group[bad], side="right")
    partner = ordered[low + (uniform(key, bad) * (high - low)).astype(np.int64)]
    _, first = np.unique(partner, return_index=True)
    keep = np.zeros(len(bad), bool)
    keep[first] = True
    keep &= ~np.isin(partner, bad)
    mine, theirs = bad[keep], partner[keep]
    trial = links.copy()
    trial[mine], trial[theirs] = links[theirs], links[mine]
    pair = group_ids([owner, trial])
    times: Int64 = np.bincount(pair)
    worse: Bool = (times[pair[mine]] > 1) | (times[pair[theirs]] > 1)
    trial[mine[worse]], trial[theirs[worse]] = links[mine[worse]], links[theirs[worse]]
    return trial


@numba.njit(cache=True)
def _fill_greedily(
    links: Any, owner: Any, bad: Any, order: Any, low: Any, high: Any, parents: int
) -> Any:
    used = set()
    load = np.zeros(parents, np.int64)
    for r in range(len(links)):
        if links[r] >= 0:
            load[links[r]] += 1
            if not bad[r]:
                used.add((owner[r], links[r]))
    out = links.copy()
    for r in range(len(links)):
        if not bad[r]:
            continue
        best = -1
        for i in range(low[r], high[r]):
            p = order[i]
            if (owner[r], p) not in used and (best < 0 or load[p] < load[best]):
                best = p
        if best >= 0:
            load[links[r]] -= 1
            load[best] += 1
            out[r] = best
            used.add((owner[r], best))
    return out
