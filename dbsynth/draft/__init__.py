"""The rows of the clone are drawn: their codes, and the links of the generating keys.

Tables are drawn generating parents first, each in one go, children lying next to their siblings.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Alphabet, Codes
from dbsynth.draft.climb import climbs_of, ledgers_of
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import combined, whole
from dbsynth.draft.grouping import leads, number, regroup
from dbsynth.draft.keeping import keeper_of
from dbsynth.draft.walk import make_room, rise_of, stroll_of, walk_of
from dbsynth.engines import variables
from dbsynth.engines.base import Derive, TableModel
from dbsynth.keys import group_ids, key_parts
from dbsynth.learn.columns import column_variables
from dbsynth.learn.families import (
    COMPONENTS,
    PROFILE_ALPHABET,
    draw_late,
    in_a_row,
    lineage,
    parted,
    sample_families,
)
from dbsynth.learn.repertoires import Keeping
from dbsynth.model import Degrees, Model
from dbsynth.progress import Progress
from dbsynth.randomness import Streams, uniform
from dbsynth.read.quantities import quantities_of
from dbsynth.schema import ForeignKey, Table

Int64 = npt.NDArray[np.int64]
_DEEPEST = 40


Draw = Callable[[TableModel], dict[str, Codes]]
Hand = Callable[[Draft, str, Draw], dict[str, Codes]]
"""Draws the rows of a table, given how an engine draws them; may bend the engine to a purpose."""


def as_learnt(draft: Draft, table: str, draw: Draw) -> dict[str, Codes]:
    """The hand that bends nothing."""
    return draw(draft.model.engines[table])


def make_draft(
    model: Model, scale: float, wanted: Mapping[str, int], streams: Streams, progress: Progress,
    hand: Hand = as_learnt,
) -> Draft:  # fmt: skip
    """Draw codes and generating links of all tables.

    Args:
        wanted: Rows of single tables, where they shall not follow the scale.
    """
    draft = Draft(model, scale, streams)
    for name in model.plan.copied:
        copied = model.tables[name].copied
        draft.rows[name] = copied.num_rows if copied else 0
    progress.step("sample", sum(round(t.rows * scale) for t in model.tables.values()))
    for name, real in model.real.items():
        draft.rows[name] = int(real.chosen.sum())
        draft.codes[name] = dict(real.codes)
        draft.settled[name] = dict(real.values)
        draft.links |= real.links
    for name in model.plan.order:
        if name not in model.real:
            _draw_table(draft, model.schema[name], wanted.get(name), hand)
        progress.advance(draft.rows[name])
        for fk in model.plan.lookups_of(name):
            draft.links[fk] = _looked_up(draft, fk)
    return draft


def _looked_up(draft: Draft, fk: ForeignKey) -> Int64:
    """The rows of a copied table: as drawn, but where a wider key already says which row it is."""
    codes = draft.codes[fk.child].get(variables.link(fk))
    empty = np.full(draft.rows[fk.child], -1, np.int64)
    links = empty if codes is None else codes.astype(np.int64) - 1
    wide = draft.model.plan.generating.get(fk.child)
    if wide is None or not set(fk.columns) <= set(wide.columns):
        return links
    theirs = tuple(wide.parent_columns[wide.columns.index(column)] for column in fk.columns)
    for other in draft.model.schema[wide.parent].foreign_keys:
        same = dict(zip(other.columns, other.parent_columns, strict=True))
        if other.parent != fk.parent or other not in draft.links:
            continue
        if same == dict(zip(theirs, fk.parent_columns, strict=True)):
            up = draft.links[wide]
            return np.where(up >= 0, draft.links[other][np.maximum(up, 0)], links)
    return links


def _draw_table(draft: Draft, table: Table, wanted: int | None, hand: Hand) -> None:
    name, model = table.name, draft.model
    facts = model.tables[name]
    fk = model.plan.generating.get(name)
    made = facts.strategy == "synthesize" and facts.rows > 0
    total = (round(facts.rows * draft.scale) if wanted is None else wanted) if made else 0
    if made and draft.scale > 0 and wanted is None:
        total = max(total, 1)
    asked, total = total, min(total, _most_rows(draft, table))
    links = None
    if fk:
        links = _generated_links(draft, table, fk, total)
        total = len(links)
        draft.links[fk] = links
    draft.rows[name] = total
    if total < asked:
        draft.notes.append(
            f"{name} has {total} rows instead of {asked}: its unique keys allow no more"
        )
    if not made or not total:
        draft.codes[name] = {}
        return
    key = draft.streams.key("sample", name)
    if fk is None or links is None:
        keeper = keeper_of(draft, table, np.full(total, -1))
        derive = keeper.derivation(np.arange(total), np.zeros(total, np.int64), np.full(total, -1))
        draft.codes[name] = hand(
            draft, name, lambda engine: engine.sample(total, {}, key=key, derive=derive)
        )
    else:
        above = model.plan.generating.get(fk.parent)
        inherited = lineage(
            draft.codes[fk.parent],
            draft.codes[above.parent] if above else None,
            draft.links.get(above) if above else None,
        )
        draft.codes[name] = hand(
            draft, name, lambda engine: _draw_families(draft, table, engine, inherited, links, key)
        )
        if hand is as_learnt and leads(draft, name):
            regroup(draft, table)
            make_room(draft, table)
            _arrange(draft, table)
            number(draft, table)
            late = parted(model.engines[name])[1]
            stream = draft.streams.key("late", name)
            codes = draft.codes[name]
            codes |= draw_late(late, inherited, draft.links[fk], codes, stream)
            return
    make_room(draft, table)
    _arrange(draft, table)


def _draw_families(
    draft: Draft, table: Table, engine: TableModel, inherited: Mapping[str, Codes], links: Int64,
    key: int,
) -> dict[str, Codes]:  # fmt: skip
    """The rows of families, with times that walk from sibling to sibling where there are such."""
    facts = draft.model.tables[table.name]
    columns = {v: a for n, c in facts.columns.items() for v, a in column_variables(n, c).items()}
    memory = {key: tuple(columns[v] for v in key) for key in facts.recalled}
    walks = _walks(draft, table)
    if rise := rise_of(draft, table, engine, inherited, links):
        walks.append(rise)
    using, keeper = _using(draft, table, links), keeper_of(draft, table, links)
    derivations = [*(walk.derivation for walk in walks), using.derivation, keeper.derivation]
    codes = sample_families(
        engine, inherited, links, key, memory, facts.repeated, in_a_row(derivations)
    )
    for walk in walks:
        walk.settle()
    return codes


class _Walks(Protocol):
    """What is known of a family while it is drawn: times and numbers that go from row to row."""

    def derivation(self, rows: Int64, position: Int64, before: Int64) -> Derive:
        """What derives codes while some rows are drawn."""

    def settle(self) -> None:
        """Make what was derived the values of a column."""


def _walks(draft: Draft, table: Table) -> list[_Walks]:
    found: list[_Walks | None] = [walk_of(draft, table), stroll_of(draft, table)]
    found += [*climbs_of(draft, table), *ledgers_of(draft, table)]
    return [walk for walk in found if walk is not None]


def _using(draft: Draft, table: Table, links: Int64) -> Keeping:
    """What keeps families to what they use."""
    fk, found = draft.model.plan.generating[table.name], draft.model.tables[table.name].repertoires
    kinds = {
        r.variable: draft.codes[fk.parent][variables.repertoire(fk, r.variable)] for r in found
    }
    streams = {v: draft.streams.key("repertoire", table.name, v) for v in kinds}
    return Keeping(found, kinds, links, streams)


def _arrange(draft: Draft, table: Table) -> None:
    """Put the rows of a table in the order in which those of the source lie.

    The values of the columns that tell the order are settled: drawn again elsewhere inside their
    cells, they would fall out of it.
    """
    name, codes, facts = table.name, draft.codes[table.name], draft.model.tables[table.name]
    told = tuple(c for c in facts.order if variables.column(c) in codes)
    if not told:
        return
    found = {
        column: combined(x)
        for column, x in zip(told, whole(draft, table, told).columns, strict=True)
    }
    draft.settled.setdefault(name, {}).update(found)
    quantities = quantities_of(table, facts)
    order = np.lexsort([quantities[column].numbers(found[column]) for column in told[::-1]])
    draft.codes[name] = {v: c[order] for v, c in codes.items()}
    for column, values in draft.settled.get(name, {}).items():
        draft.settled[name][column] = values.take(pa.array(order))
    for fk in table.foreign_keys:
        if fk in draft.links:
            draft.links[fk] = draft.links[fk][order]
        if fk in draft.places:
            draft.places[fk] = draft.places[fk][order]


def _most_rows(draft: Draft, table: Table) -> int:
    """The most rows that the closed vocabularies of the table's unique keys allow."""
    most = 2**62
    for key in table.keys:
        if not key.plain or any(table.column_by_name[c].nullable for c in key.columns):
            continue
        sizes = [_values_of(draft, table, column) for column in key.columns]
        most = min(most, int(np.prod([min(s, 2**31) for s in sizes], dtype=float)))
    return most


def _values_of(draft: Draft, table: Table, column: str) -> int:
    """How many different values a column can take; very many where there is no limit."""
    parents = [fk.parent for fk in table.foreign_keys if column in fk.columns]
    sizes = [draft.rows[p] for p in parents if p in draft.rows and p != table.name]
    if sizes:
        return max(1, min(sizes))
    model = draft.model.tables[table.name].columns.get(column)
    if model and model.mint is not None:
        return model.mint.capacity
    codec = model.codec if model else None
    shown = getattr(codec, "shown", None)
    return 2**62 if shown is None else max(1, len(set(shown)))


def _generated_links(draft: Draft, table: Table, fk: ForeignKey, total: int) -> Int64:
    """The parent of every row: counts drawn with the parents, fitted to the total."""
    degrees = draft.model.degrees[fk]
    parents = draft.rows[fk.parent]
    real = degrees.linked + degrees.unlinked
    linked = round(total * degrees.linked / real) if real else 0
    if not fk.nullable:
        linked = total
    most = family_limits(draft, table, fk)
    counts = child_counts(draft, fk, min(linked, int(most.sum())), most)
    placed = np.repeat(np.arange(parents), counts)
    if fk.nullable:
        return np.concatenate([placed, np.full(total - len(placed), -1, np.int64)])
    return placed


def family_limits(draft: Draft, table: Table, fk: ForeignKey) -> Int64:
    """The most children that each parent can have under the keys of the child.

    A unique key of the child leaves so many combinations of its other columns; a mandatory key that
    shares columns with this one needs a parent of its own that agrees on them.
    """
    most = np.full(draft.rows[fk.parent], 2**31, np.int64)
    partners = {o: found for o in table.foreign_keys if o != fk
                if (found := _partners(draft, table, fk, o)) is not None}  # fmt: skip
    for other, found in partners.items():
        if not other.nullable:
            most[found == 0] = 0
    for key in table.keys:
        if not key.plain or not set(fk.columns) <= set(key.columns):
            continue
        if any(table.column_by_name[c].nullable for c in key.columns) and not key.nulls_equal:
            continue
        sizes = np.ones(len(most))
        rest = set(key.columns) - set(fk.columns)
        for other in sorted(key_parts(table, key), key=lambda o: -len(o.columns)):
            if other != fk and rest & set(other.columns) and other.parent in draft.rows:
                sizes = sizes * partners.get(other, draft.rows[other.parent])
                rest -= set(other.columns)
        for column in rest:
            sizes = sizes * min(_values_of(draft, table, column), 2**31)
        most = np.minimum(most, np.minimum(sizes, 2.0**31).astype(np.int64))
    return most


def _partners(draft: Draft, table: Table, fk: ForeignKey, other: ForeignKey) -> Int64 | None:
    """How many parents under another key agree with each parent under this one.

    None where the two share no column, or where it is not known yet which rows agree.
    """
    shared = [name for name in fk.columns if name in other.columns]
    if not shared or other.parent not in draft.rows:
        return None
    sides = []
    for key in (fk, other):
        names = [key.parent_columns[key.columns.index(name)] for name in shared]
        sides.append([_origin(draft, key.parent, name) for name in names])
    mine, theirs = sides
    if any(m is None or t is None or m[:2] != t[:2] for m, t in zip(mine, theirs, strict=True)):
        return None
    ids = group_ids(
        [np.concatenate([m[2], t[2]]) for m, t in zip(mine, theirs, strict=True) if m and t]
    )
    ours, others = ids[: draft.rows[fk.parent]], ids[draft.rows[fk.parent] :]
    return np.bincount(others, minlength=int(ids.max(initial=0)) + 1)[ours]


def _origin(draft: Draft, table: str, column: str) -> tuple[str, str, Int64] | None:
    """The table, column and row positions that the values of a column come from."""
    rows = np.arange(draft.rows[table])
    for _ in range(_DEEPEST):
        keys = [fk for fk in draft.model.schema[table].foreign_keys if column in fk.columns]
        if not keys or table in draft.model.plan.copied:
            return table, column, rows
        # All keys of a column agree where they are linked; one that is linked everywhere will do.
        linked = [fk for fk in keys if fk in draft.links and (draft.links[fk][rows] >= 0).all()]
        if not linked:
            return None
        fk = min(linked, key=lambda fk: (len(fk.columns), str(fk)))
        rows = draft.links[fk][rows]
        table, column = fk.parent, fk.parent_columns[fk.columns.index(column)]
    return None


def child_counts(draft: Draft, fk: ForeignKey, total: int, most: Int64) -> Int64:
    """Number of children of every parent, adding up to ``total``.

    The parents keep the order of their drawn codes and get the real counts by rank, so that the
    distribution is the real one and the dependence on the parent's columns is kept.
    """
    parents = draft.rows[fk.parent]
    if not parents or not total:
        return np.zeros(parents, np.int64)
    key = draft.streams.key("counts", str(fk))
    degrees = draft.model.degrees[fk]
    target = fitted_counts(degrees, parents, total, most, key)
    codes = draft.codes[fk.parent].get(variables.count(fk), np.zeros(parents, np.uint16))
    order = np.argsort(codes + uniform(key, np.arange(parents)), kind="stable")
    counts = np.empty(parents, np.int64)
    counts[order] = target
    counts = _to_total(np.minimum(counts, most), total, most, key)
    codec = draft.model.counters[fk]
    draft.codes[fk.parent][variables.count(fk)] = codec.encode(pa.array(counts))
    return counts


def fitted_counts(degrees: Degrees, parents: int, total: int, most: Int64, key: int) -> Int64:
    """The real counts, resampled to so many parents in rising order and fitted to the total.

    Args:
        most: The most children that each parent can have, in any order.
    """
    reached = np.cumsum(degrees.parents)
    wanted = (np.arange(parents) + 0.5) / parents * reached[-1]
    counts = degrees.values[
        np.minimum(np.searchsorted(reached, wanted, side="right"), len(reached) - 1)
    ]
    limits = np.sort(most)
    counts = np.minimum(counts, limits)
    if counts.sum() and abs(counts.sum() - total) > 0.02 * total:
        scaled = counts * (total / counts.sum())
        counts = np.floor(scaled + uniform(key, np.arange(parents))).astype(np.int64)
    return np.sort(_to_total(np.minimum(counts, limits), total, limits, key))


def _to_total(counts: Int64, total: int, most: Int64, key: int) -> Int64:
    """Counts changed by as little as possible, at random places, to add up to the total."""
    counts = counts.copy()
    for round_ in itertools.count(1):
        gap = total - int(counts.sum())
        room = np.flatnonzero(counts < most) if gap > 0 else np.flatnonzero(counts > 0)
        if not gap or not len(room):
            break
        busy = room[counts[room] > 0]
        room = busy if len(busy) and most.max() > 1 else room
        step = max(1, abs(gap) // len(room))
        order = np.argsort(uniform(key ^ round_, room), kind="stable")
        chosen = room[order[: abs(gap) // step]]
        left = most[chosen] - counts[chosen] if gap > 0 else counts[chosen]
        counts[chosen] += np.sign(gap) * np.minimum(step, left)
    return counts


def context_alphabets_of(draft: Draft, table: str) -> dict[str, Alphabet]:
    """The variables of a table that tell its classes: those that depend on no dealt link."""
    model, facts = draft.model, draft.model.tables[table]
    alphabets = {
        variables.link(fk): Alphabet(draft.rows[fk.parent] + 1, ordered=False)
        for fk in model.plan.lookups_of(table)
    }
    for name, column in facts.columns.items():
        alphabets |= column_variables(name, column)
    for fk in model.plan.counted[table]:
        alphabets[variables.count(fk)] = model.counters[fk].alphabet
    for fk in model.plan.counted[table]:
        if model.degrees[fk].whole:
            names = (variables.profile(fk, i) for i in range(COMPONENTS))
            alphabets |= dict.fromkeys(names, PROFILE_ALPHABET)
    return {v: a for v, a in alphabets.items() if v in draft.codes[table]}
