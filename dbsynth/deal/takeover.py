"""What tables take over from their sibling tables: who is listed, and what adds up."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import combined, whole
from dbsynth.engines import variables
from dbsynth.keys import rank_in_group
from dbsynth.randomness import uniform
from dbsynth.read.quantities import quantities_of
from dbsynth.rosters import Course, Events, Roster
from dbsynth.rules.ranks import Ranks
from dbsynth.schema import ForeignKey

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_FARTHEST = 64  # groups beside one that are looked into


def listed(draft: Draft, roster: Roster, families: Int64) -> dict[ForeignKey, Int64]:
    """The members on the seats of a table that follow from its base.

    In every group members are listed in the order of their first appearance in the base; a family
    lists as many of them as it has seats.  Where it has more, members of the groups beside follow.

    Args:
        families: Of each seat, rising.
    """
    own = draft.model.plan.generating[roster.base.child]
    groups = groups_of(draft, own, roster.group)
    rank, member = draft.links[own], draft.links[roster.base]
    key = draft.streams.key("roster", str(roster.key))
    order = np.lexsort((uniform(key, member), rank, member, groups[rank]))
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(groups[rank[order]]) != 0) | (np.diff(member[order]) != 0)
    heads = order[first]
    heads = heads[np.lexsort((uniform(key, member[heads]), rank[heads], groups[rank[heads]]))]
    found = _seated(groups[families], rank_in_group(families), groups[rank[heads]], member[heads],
                    draft.rows[roster.key.parent])  # fmt: skip
    links = {roster.key: found}
    for mine, theirs in roster.others:
        links[mine] = _beside(draft, own, roster, families, found, draft.links[theirs])
    return links


def _seated(group: Int64, place: Int64, listing: Int64, member: Int64, members: int) -> Int64:
    """The member in each place of the list of each group, filled up from the groups beside.

    Args:
        group, place: Of each seat.
        listing, member: The lists, group by group.
    """
    count = int(max(group.max(initial=0), listing.max(initial=0))) + 1
    starts = np.searchsorted(listing, np.arange(count + 1))
    wanted = np.zeros(count, np.int64)
    np.maximum.at(wanted, group, place + 1)
    lists = [member[starts[g] : starts[g + 1]] for g in range(count)]
    for g in np.flatnonzero(wanted > np.diff(starts)):
        lists[g] = _filled(lists, member, starts, int(g), int(wanted[g]), members)
    begin = np.cumsum([0, *map(len, lists)])
    return np.asarray(np.concatenate(lists)[begin[group] + place])


def _filled(
    lists: list[Int64], member: Int64, starts: Int64, group: int, wanted: int, members: int
) -> Int64:
    """The list of a group with members of the nearest groups behind it, at last with any."""
    seen = dict.fromkeys(lists[group].tolist())
    for distance in range(1, min(len(lists), _FARTHEST)):
        for other in (group - distance, group + distance):
            if 0 <= other < len(lists):
                seen |= dict.fromkeys(member[starts[other] : starts[other + 1]].tolist())
        if len(seen) >= wanted:
            break
    if len(seen) < wanted:
        seen |= dict.fromkeys(range(members))
    found = np.array(list(seen), np.int64)
    return np.resize(found, wanted) if len(found) < wanted else found


def _beside(
    draft: Draft, own: ForeignKey, roster: Roster, families: Int64, member: Int64, theirs: Int64
) -> Int64:
    """The parents of the base's rows with the same family and member, or of the nearest row."""
    base, rank = draft.links[roster.base], draft.links[own]
    order = np.lexsort((rank, base))
    width = draft.rows[own.parent] + 1
    at = np.searchsorted((base * width + rank)[order], member * width + families)
    at = np.minimum(at, len(order) - 1)
    before = np.maximum(at - 1, 0)
    at = np.where(base[order][at] == member, at, before)
    return np.asarray(theirs[order][at])


def totals_of(draft: Draft, roster: Roster) -> dict[str, Float64]:
    """The columns of a table that add up what other tables hold, and rank these sums."""
    name = roster.key.child
    own = draft.model.plan.generating[name]
    found: dict[str, Float64] = {}
    for total in roster.totals:
        groups = groups_of(draft, own, total.group)
        numbers = numbers_of(draft, total.base.child, total.source)
        values = numbers if total.equals is None else (numbers == total.equals).astype(np.float64)
        course = Course(_events(draft, total.base, groups), _events(draft, roster.key, groups))
        found[total.column] = course.summed(np.nan_to_num(values))
    for column, sums in found.items():
        if _ranks(draft, name, own, column):
            drawn = np.nan_to_num(numbers_of(draft, name, column))
            found[column] = _rank(draft.links[own], [np.where(sums > 0, sums, drawn), drawn])
    if roster.ranking is not None:
        found[roster.ranking.column] = _ranked(draft, roster, own, found)
    return found


def _ranked(draft: Draft, roster: Roster, own: ForeignKey, found: Mapping[str, Float64]) -> Float64:
    """The rank of every row by its totals, then by the best of the member's rows so far."""
    assert roster.ranking is not None
    ranking = roster.ranking
    keys = [-found[column] for column in ranking.by]
    if ranking.source:
        groups = groups_of(draft, own, roster.group)
        best = numbers_of(draft, roster.base.child, ranking.source)
        course = Course(_events(draft, roster.base, groups), _events(draft, roster.key, groups))
        keys.append(course.least(-best if ranking.falling else best))
    stream = draft.streams.key("ranking", roster.key.child)
    keys.append(uniform(stream, draft.links[roster.key]))
    return _rank(draft.links[own], keys)


def settle_totals(draft: Draft, roster: Roster, keys: Collection[ForeignKey]) -> None:
    """Set the columns that follow from other tables.

    Where all of a row follows, rows keep the order in which they were drawn: who is third after the
    race lies where somebody third was drawn.

    Args:
        keys: The keys whose links may trade places inside a family; none where rows suit them.
    """
    found = totals_of(draft, roster)
    name = roster.key.child
    lead = roster.ranking.column if roster.ranking else next(iter(found), None)
    if keys and lead is not None:
        own = draft.links[draft.model.plan.generating[name]]
        noise = uniform(draft.streams.key("places", name), np.arange(len(own)))
        rows = np.lexsort((noise, numbers_of(draft, name, lead), own))
        seats = np.lexsort((found[lead], own))
        for values in found.values():
            values[rows] = values[seats]
        for fk in keys:
            draft.links[fk][rows] = draft.links[fk][seats]
    for column, numbers in found.items():
        _settle(draft, name, column, numbers)


def _rank(families: Int64, keys: list[Float64]) -> Float64:
    """The rank of every row in its family, from 1, by keys that rise."""
    order = np.lexsort((*keys[::-1], families))
    found = np.empty(len(order))
    found[order] = rank_in_group(families[order]) + 1
    return found


def _ranks(draft: Draft, table: str, own: ForeignKey, column: str) -> bool:
    """Whether a rule says that a column ranks the rows of families."""
    return any(
        isinstance(kept.rule, Ranks) and kept.rule.place == (table, column)
        and kept.rule.group == own
        for kept in draft.model.rules
    )  # fmt: skip


def _events(draft: Draft, key: ForeignKey, groups: Int64) -> Events:
    rank = draft.links[draft.model.plan.generating[key.child]]
    return Events(groups[rank], draft.links[key], rank)


def groups_of(draft: Draft, own: ForeignKey, column: str) -> Int64:
    """The group of every family; each for itself where no column makes groups."""
    if not column:
        return np.arange(draft.rows[own.parent])
    numbers = numbers_of(draft, own.parent, column)
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def numbers_of(draft: Draft, table: str, column: str) -> Float64:
    """The values of a column as numbers."""
    shape, facts = draft.model.schema[table], draft.model.tables[table]
    values = combined(whole(draft, shape, (column,)).column(0))
    return quantities_of(shape, facts)[column].numbers(values)


def _settle(draft: Draft, table: str, column: str, numbers: Float64) -> None:
    shape, facts = draft.model.schema[table], draft.model.tables[table]
    values = quantities_of(shape, facts)[column].values(numbers)
    draft.settled.setdefault(table, {})[column] = values
    codec = facts.columns[column].codec
    name = variables.column(column)
    if codec is not None and name in draft.codes[table]:
        draft.codes[table][name] = codec.encode(values)
