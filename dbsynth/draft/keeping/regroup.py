"""Families of dealt keys, put right when the key is dealt: rows trade their parents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.draft.drafted import Draft
from dbsynth.draft.keeping.base import Scene
from dbsynth.draft.keeping.kin import LARGEST, numbered_of, step_within
from dbsynth.engines import variables
from dbsynth.keys import rank_in_group
from dbsynth.learn.codebook import column_of
from dbsynth.randomness import uniform
from dbsynth.rules.dependence import commonest
from dbsynth.rules.ranks import Ranks
from dbsynth.rules.within import AT_LEAST_ONCE, Within
from dbsynth.schema import ForeignKey, Table

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def regrouped(draft: Draft, key: ForeignKey, links: Int64) -> Int64:
    """Links of a dealt key, and codes, after the facts about its families are put right.

    Rows trade their parents, which keeps the number of children of each; where nobody trades, a
    row takes another code.
    """
    table = draft.model.schema[key.child]
    for kept in draft.model.rules:
        rule = kept.rule
        if isinstance(rule, Ranks) and rule.group == key and len(links) and not rule.counting:
            links = slotted(draft, table, rule, links)
        if not isinstance(rule, Within) or rule.key != key or not len(links):
            continue
        column, codes = rule.place[1], draft.codes[key.child]
        name = variables.column(column)
        if name not in codes:
            continue
        if rule.rank and is_alone(table, key):
            wish = codes.get(variables.parent_class(key), np.zeros(len(links), np.uint16))
            links = traded(links, codes[name] == rule.rank, rule.fact, wish)
        sizes = np.bincount(links[links >= 0], minlength=draft.rows[key.parent])
        place = np.where(links >= 0, rank_in_group(links), 0)
        scene = Scene(np.arange(len(links)), links, place)
        stream = draft.streams.key("rule", str(rule))
        step = step_within(draft, rule, sizes, stream)
        for variable in [v for v in codes if column_of(v) == column]:
            step.put(variable, codes, scene)
    return links


def slotted(draft: Draft, table: Table, rule: Ranks, links: Int64) -> Int64:
    """Links traded so that the drawn numbers of every family come near to 1, 2, 3.

    The first row of a family with a number that the family has room for stays; the others are
    dealt, by rising number, to the free numbers of families whose kind they asked for.
    """
    assert isinstance(rule.group, ForeignKey)
    sizes = np.bincount(links[links >= 0], minlength=draft.rows[rule.group.parent])
    numbered = numbered_of(draft, rule, sizes) if sizes.max(initial=0) <= LARGEST else None
    drawn, name = draft.codes[table.name], variables.column(rule.place[1])
    if numbered is None or name not in drawn or not trades(table, rule.group):
        return links
    number = numbered.numbers[drawn[name]]
    rows = np.flatnonzero((links >= 0) & ~np.isnan(number) & ~(rule.zeros & (number == 0)))
    sizes = np.bincount(links[rows], minlength=len(sizes))
    last = sizes[links[rows]] + rule.first - 1
    wanted = np.maximum(np.round(number[rows]), rule.first).astype(np.int64)
    width = int(sizes.max(initial=0)) + 2
    fits = wanted <= last
    slot = links[rows] * width + wanted
    _, first = np.unique(np.where(fits, slot, -1 - np.arange(len(rows))), return_index=True)
    stays = np.zeros(len(rows), bool)
    stays[first] = True
    stays &= fits
    families = np.repeat(np.arange(len(sizes)), sizes)
    slots = families * width + rank_in_group(families) + rule.first
    free = np.setdiff1d(slots, slot[stays])
    moved = rows[~stays]
    kind = drawn.get(variables.parent_class(rule.group), np.zeros(len(links), np.uint16))
    # A free number belongs to the kind of family that most rows of its family asked for.
    asked = commonest(links[rows], kind[rows].astype(np.int64))
    kinds = np.zeros(len(sizes), np.int64)
    kinds[links[rows]] = asked
    noise = uniform(draft.streams.key("slots", str(rule)), np.arange(len(free)))
    free = free[np.lexsort((noise, free % width, kinds[free // width]))]
    mine = uniform(draft.streams.key("moved", str(rule)), moved)
    moved = moved[np.lexsort((mine, number[moved], kinds[links[moved]]))]
    links, codes = links.copy(), drawn[name].copy()
    links[moved] = free // width
    codes[moved] = numbered.codes[free % width]
    drawn[name] = codes
    return links


def trades(table: Table, key: ForeignKey) -> bool:
    """Whether links of a key may trade places: no other key shares its columns."""
    return not any(set(fk.columns) & set(key.columns) for fk in table.foreign_keys if fk != key)


def is_alone(table: Table, key: ForeignKey) -> bool:
    """Whether links of a key may trade places without a look at other keys."""
    return trades(table, key) and not any(set(k.columns) & set(key.columns) for k in table.keys)


def traded(links: Int64, has: Bool, fact: str, wish: Codes) -> Int64:
    """Links where rows that have a value too often in their family changed with rows of others.

    Args:
        wish: What kind of parent each row asked for; alike rows trade first.
    """
    links = links.copy()
    linked = links >= 0
    times = np.bincount(links[linked & has], minlength=int(links.max(initial=0)) + 1)
    spare = np.flatnonzero(linked & has)
    spare = spare[rank_in_group(links[spare]) > 0]
    poor = np.flatnonzero(linked & ~has)
    poor = poor[(times[links[poor]] == 0) & (rank_in_group(links[poor]) == 0)]
    if fact == AT_LEAST_ONCE:
        spare = spare[: len(poor)]
    spare, poor = (rows[np.argsort(wish[rows], kind="stable")] for rows in (spare, poor))
    count = min(len(spare), len(poor))
    even = (np.arange(count) + 0.5) / max(count, 1)
    spare = spare[(even * len(spare)).astype(np.int64)]
    poor = poor[(even * len(poor)).astype(np.int64)]
    links[spare], links[poor] = links[poor], links[spare].copy()
    return links
