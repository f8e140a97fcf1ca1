"""Rows that were drawn under one parent, laid together with what other parents' histories wish.

Every history gives its members places along the generating parents and says what each of their rows
should be like.  Members take seats in the families near their places; then the rows of every family
are dealt to its seats so that they come near to the wishes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes, from_numbers
from dbsynth.deal.seating import accompanied, seated
from dbsynth.deal.takeover import groups_of, listed, settle_totals
from dbsynth.deal.trades import traded
from dbsynth.draft import child_counts
from dbsynth.draft.drafted import Draft
from dbsynth.draft.walk import Stroll
from dbsynth.engines import variables
from dbsynth.engines.base import Derive
from dbsynth.keys import rank_in_group
from dbsynth.learn.arrival import stretches
from dbsynth.learn.columns import column_variables
from dbsynth.learn.families import Derivation, lineage, sample_families
from dbsynth.likeness import Likeness
from dbsynth.model import History, Pace
from dbsynth.randomness import uniform
from dbsynth.rosters import bases_first
from dbsynth.schema import ForeignKey, Kind, Table
from dbsynth.sorting import by_group

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_PASSES = 200
_MOST_TRADES = 100_000_000  # rows times passes
_POWER = 1.5  # of a member's rows: 1 weighs errors by rows, 2 weighs members alike
_SINGLE = 0.005  # of the wishes of single rows: members as a whole come first
_STEPS = 1.5  # of how far a member's rows lie apart, one after the other
_GOLDEN = 0.6180339887498949  # steps of it fill the unit interval evenly (Weyl 1916)


def laid_together(draft: Draft) -> set[ForeignKey]:
    """Lay all tables with histories together, base tables first; the keys that are linked."""
    done: set[ForeignKey] = set()
    schema = draft.model.schema
    for name in bases_first([t.name for t in schema.tables], draft.model.rosters):
        if draft.rows.get(name):
            done |= set(_lay_together(draft, schema[name]))
    return done


def _lay_together(draft: Draft, table: Table) -> dict[ForeignKey, Int64]:
    """Links of all keys of a table that have a history; what follows from sibling tables is set."""
    own = draft.model.plan.generating.get(table.name)
    roster = draft.model.rosters.get(table.name)
    histories = {fk: h for fk, h in draft.model.histories.items() if fk.child == table.name}
    if own is None or not (histories or roster):
        return {}
    needed = {fk.parent for fk in histories} | ({roster.key.parent} if roster else set())
    if not all(draft.rows[name] for name in needed):
        return {}
    order = by_group(draft.links[own])
    families = draft.links[own][order]
    members = listed(draft, roster, families) if roster else {}
    members |= _walked(draft, own, histories, families, members)
    names = _compared(draft, table, roster.derived if roster else frozenset())
    rows = {v: draft.codes[table.name][v][order] for v in names}
    dealt = order
    if names and histories:
        likeness = Likeness.of(rows, names, draft.model.tables[table.name].columns)
        wishes = [
            likeness.points(_wishes(draft, fk, own, history, members[fk], families))
            for fk, history in histories.items()
        ]
        sizes = np.bincount(families, minlength=draft.rows[own.parent])
        found = traded(
            likeness.points(rows), np.stack(wishes), np.stack([members[fk] for fk in histories]),
            np.array([draft.rows[fk.parent] for fk in histories], np.int64),
            np.concatenate([[0], np.cumsum(sizes)]), _SINGLE, _STEPS,
            max(1, min(_PASSES, _MOST_TRADES // len(order))), _POWER,
            np.uint64(draft.streams.key("trade", table.name)),
        )  # fmt: skip
        dealt = order[found]
    links = {}
    for fk, member in members.items():
        links[fk] = np.empty(len(order), np.int64)
        links[fk][dealt] = member
    draft.links |= links
    if roster:
        settle_totals(draft, roster, () if names and histories else list(links))
    return links


def _walked(
    draft: Draft, own: ForeignKey, histories: Mapping[ForeignKey, History], families: Int64,
    settled: Mapping[ForeignKey, Int64],
) -> dict[ForeignKey, Int64]:  # fmt: skip
    """The members of every seat that walk along the families; those of the largest parent first.

    Members of further keys go with those that they went with before, or with their like.
    """
    sizes = np.bincount(families, minlength=draft.rows[own.parent])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    found: dict[ForeignKey, Int64] = {}
    walking = [fk for fk in histories if fk not in settled]
    lead: ForeignKey | None = None
    for fk in sorted(walking, key=lambda fk: (-draft.rows[fk.parent], str(fk))):
        member, standing = _take_seats(draft, fk, own, histories[fk], sizes)
        order = np.lexsort((standing, families))
        member = member[order]
        if lead is not None:
            keeps = _keeping(draft, own, lead, fk, found[lead], families)
            count = draft.rows[lead.parent]
            member = member[accompanied(found[lead], member, keeps, starts, count)]
        found[fk] = member
        lead = lead or fk
    return found


def _keeping(
    draft: Draft, own: ForeignKey, lead: ForeignKey, fk: ForeignKey, member: Int64, families: Int64
) -> npt.NDArray[np.bool_]:
    """Which seats keep the other parent that their member had before."""
    inside, across = draft.model.histories[lead].keeps.get(fk, (1.0, 1.0))
    order = draft.model.tables[own.parent].order
    groups = groups_of(draft, own, order[0] if order else "")[families]
    seats = np.lexsort((families, member))
    same = np.zeros(len(member), bool)
    same[seats[1:]] = np.diff(groups[seats]) == 0
    key = draft.streams.key("keeps", str(lead), str(fk))
    # All members of a family that change do so by themselves.
    return uniform(key, np.arange(len(member))) < np.where(same, inside, across)


def _take_seats(
    draft: Draft, fk: ForeignKey, own: ForeignKey, history: History, sizes: Int64
) -> tuple[Int64, Float64]:
    """The members of a history, who walk along the families, on the seats near their places.

    Also a number for every seat that says what its member is like on the whole.
    """
    total, parents = int(sizes.sum()), draft.rows[fk.parent]
    counts = child_counts(draft, fk, total, np.full(parents, total))
    links = np.repeat(np.arange(parents), counts)
    key = draft.streams.key("history", str(fk))
    stroll = Stroll(draft, Pace(own, history.gap), np.zeros(total))
    known = draft.codes[own.parent]

    def strolling(rows: Int64, position: Int64, before: Int64) -> Derive:
        walk = stroll.derivation(rows, position, before)

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            walk(variable, drawn)
            if variable == variables.parent_class(own):
                reached = (stroll.places[rows] * len(sizes)).astype(np.int64)
                drawn.update(_met(known, np.minimum(reached, len(sizes) - 1)))

        return derive

    codes = _draw(draft, fk, history, links, key, strolling)
    comer, times, places = _visits(links, stroll.places, counts, history, key)
    order = np.lexsort((uniform(key ^ 1, np.arange(len(comer))), places))
    member = seated(comer[order], times[order], sizes, parents)
    return member, _standing(draft, fk, codes, links)[member]


def _visits(
    links: Int64, places: Float64, counts: Int64, history: History, key: int
) -> tuple[Int64, Int64, Float64]:
    """Rows of members, in the order of their places, taken together as visits of one family.

    Returns:
        The member of each visit, its number of rows, and its place.
    """
    order = np.lexsort((places, links))
    links, places = links[order], places[order]
    rank = rank_in_group(links)
    drawn = np.ones(len(links), np.int64)
    for low, high, times in history.visits:
        some = np.flatnonzero((counts[links] >= low) & (counts[links] < high))
        reached = np.cumsum(times)
        # The members of a bin share out its histogram evenly (systematic sampling).
        draw = uniform(key ^ 2, links[some]) + rank[some] * _GOLDEN
        wanted = (draw % 1.0) * reached[-1]
        drawn[some] = 1 + np.searchsorted(reached, wanted, side="right")
    summed = np.cumsum(drawn) - drawn
    first = np.flatnonzero(rank == 0)
    begins = summed - np.repeat(summed[first], np.diff(np.r_[first, len(links)]))
    begins = begins[begins < counts[links]] + np.repeat(
        first, np.bincount(np.searchsorted(first, np.flatnonzero(begins < counts[links]), "right")
                           - 1, minlength=len(first)))  # fmt: skip
    begins = np.sort(begins)
    times = np.diff(np.r_[begins, len(links)])
    return links[begins], times, np.add.reduceat(places, begins) / times


def _standing(draft: Draft, fk: ForeignKey, codes: Mapping[str, Codes], links: Int64) -> Float64:
    """A number for every member: what its rows are like on the whole, along their main axis."""
    table = draft.model.schema[fk.child]
    names = _compared(draft, table, frozenset())
    if not names or not len(links):
        return np.zeros(draft.rows[fk.parent])
    rows = {v: draft.codes[fk.child][v] for v in names}
    likeness = Likeness.of(rows, names, draft.model.tables[fk.child].columns)
    points = likeness.points(rows).astype(np.float64)
    axis = np.linalg.eigh(points.T @ points)[1][:, -1]
    axis *= np.sign(axis[np.argmax(np.abs(axis))])
    score = likeness.points(codes) @ axis
    count = np.bincount(links, minlength=draft.rows[fk.parent])
    total = np.bincount(links, weights=score, minlength=draft.rows[fk.parent])
    return np.asarray(total / np.maximum(count, 1))


def _wishes(
    draft: Draft, fk: ForeignKey, own: ForeignKey, history: History, member: Int64,
    families: Int64,
) -> dict[str, Codes]:  # fmt: skip
    """What the members of all seats wish, knowing their families and what they wished before."""
    count = draft.rows[own.parent]
    order = np.lexsort((families, member))
    links, met = member[order], families[order]
    steps = np.diff(met, prepend=0).astype(np.float64)
    later = np.r_[False, links[1:] == links[:-1]]
    gaps = history.gap.codec.encode(from_numbers(steps, later, Kind.INTERVAL))
    places = stretches(met / count)
    known = draft.codes[own.parent]

    def settled(rows: Int64, position: Int64, before: Int64) -> Derive:
        del position, before

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            if variable == variables.gap(str(own)):
                drawn[variable] = gaps[rows]
            if variable == variables.parent_class(own):
                drawn[variable] = places[rows]
                drawn.update(_met(known, met[rows]))

        return derive

    key = draft.streams.key("wish", str(fk))
    found = _draw(draft, fk, history, links, key, settled)
    seat = np.empty(len(order), np.int64)
    seat[order] = np.arange(len(order))
    return {v: codes[seat] for v, codes in found.items()}


def _met(known: Mapping[str, Codes], families: Int64) -> dict[str, Codes]:
    """What rows know of the generating parents that they have reached."""
    return {variables.beside(v): codes[families] for v, codes in known.items()}


def _draw(
    draft: Draft, fk: ForeignKey, history: History, links: Int64, key: int, derivation: Derivation
) -> dict[str, Codes]:
    above = draft.model.plan.generating.get(fk.parent)
    inherited = lineage(
        draft.codes[fk.parent],
        draft.codes[above.parent] if above else None,
        draft.links.get(above) if above else None,
    )
    return sample_families(history.engine, inherited, links, key, derivation=derivation)


def _compared(draft: Draft, table: Table, derived: frozenset[str]) -> dict[str, bool]:
    """The variables by which rows and wishes are compared, and whether their codes are ordered."""
    found: dict[str, bool] = {}
    for name, column in draft.model.tables[table.name].columns.items():
        if name in derived:
            continue
        for variable, alphabet in column_variables(name, column).items():
            if variable == variables.column(name) and variable in draft.codes[table.name]:
                found[variable] = alphabet.ordered
    return found
