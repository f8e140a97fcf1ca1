"""The rows of the clone as codes and links: everything is settled here except the values.

Tables are drawn generating parents first, each in one go, children lying next to their siblings.  Then
the other foreign keys are dealt.  A draft is a pure function of model, scale and seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines import variables
from dbsynth.errors import Unsatisfiable
from dbsynth.learn import codec_of, context_of
from dbsynth.keys import key_parts
from dbsynth.model import Degrees, Model
from dbsynth.progress import Progress
from dbsynth.randomness import Streams, uniform
from dbsynth.schema import ForeignKey, Table

Int64 = npt.NDArray[np.int64]


@dataclass
class Draft:
    """Rows under construction.  Built by `make_draft`, repaired by `dbsynth.settle`, then only read.

    Attributes:
        rows: Number of rows per table.
        codes: Per table, the codes of its variables.
        links: Per foreign key, the parent's row position of every child row, -1 for NULL.
        settled: Per table and column, values that were repaired and override the codes.
        notes: What the reader should know, a sentence each.
    """

    model: Model
    scale: float
    streams: Streams
    rows: dict[str, int] = field(default_factory=dict)
    codes: dict[str, dict[str, Codes]] = field(default_factory=dict)
    links: dict[ForeignKey, Int64] = field(default_factory=dict)
    settled: dict[str, dict[str, pa.Array]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def make_draft(model: Model, scale: float, wanted: Mapping[str, int], streams: Streams, progress: Progress) -> Draft:
    """Draw codes and generating links of all tables.

    Args:
        wanted: Rows of single tables, where they shall not follow the scale.
    """
    draft = Draft(model, scale, streams)
    for name in model.plan.copied:
        draft.rows[name] = model.tables[name].copied.num_rows if model.tables[name].copied else 0
    progress.step("sample", sum(round(t.rows * scale) for t in model.tables.values()))
    for name in model.plan.order:
        _draw_table(draft, model.schema[name], wanted.get(name))
        progress.advance(draft.rows[name])
    for fk in model.plan.lookups:
        codes = draft.codes[fk.child].get(variables.link(fk))
        empty = np.full(draft.rows[fk.child], -1, np.int64)
        draft.links[fk] = empty if codes is None else codes.astype(np.int64) - 1
    return draft


def _draw_table(draft: Draft, table: Table, wanted: int | None) -> None:
    name, model = table.name, draft.model
    facts = model.tables[name]
    fk = model.plan.generating.get(name)
    made = facts.strategy == "synthesize" and facts.rows > 0
    total = (round(facts.rows * draft.scale) if wanted is None else wanted) if made else 0
    if made and draft.scale > 0 and wanted is None:
        total = max(total, 1)
    asked, total = total, min(total, _most_rows(draft, table))
    context: dict[str, Codes] = {}
    if fk:
        links = _generated_links(draft, table, fk, total)
        total = len(links)
        context = context_of(draft.codes[fk.parent], links)
        draft.links[fk] = links
    if total < asked:
        draft.notes.append(f"{name} has {total} rows instead of {asked}: its unique keys allow no more")
    draft.rows[name] = total
    if not made or not total:
        draft.codes[name] = {}
        return
    draft.codes[name] = model.engines[name].sample(
        total, context, key=draft.streams.key("sample", name)
    )


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
    most = family_limit(draft, table, fk)
    counts = child_counts(draft, fk, min(linked, parents * most), most)
    placed = np.repeat(np.arange(parents), counts)
    if fk.nullable:
        return np.concatenate([placed, np.full(total - len(placed), -1, np.int64)])
    return placed


def family_limit(draft: Draft, table: Table, fk: ForeignKey) -> int:
    """The most children that one parent can have under the unique keys of the child."""
    most = 2**31
    for key in table.keys:
        if key.plain and set(fk.columns) <= set(key.columns):
            rest = set(key.columns) - set(fk.columns)
            sizes = [min(_values_of(draft, table, column), 2**31) for column in rest]
            shared = [o for o in key_parts(table, key) if o != fk and o.parent in draft.rows]
            if len(shared) == 1 and set(shared[0].columns) >= rest:
                sizes = [draft.rows[shared[0].parent]]
            most = min(most, int(min(np.prod(sizes, dtype=float), 2.0**31)))
    return max(most, 1)


def child_counts(draft: Draft, fk: ForeignKey, total: int, most: int) -> Int64:
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
    codec = draft.model.counters[fk]
    draft.codes[fk.parent][variables.count(fk)] = codec.encode(pa.array(counts))
    return counts


def fitted_counts(degrees: Degrees, parents: int, total: int, most: int, key: int) -> Int64:
    """The real counts, resampled to so many parents in rising order and fitted to the total."""
    reached = np.cumsum(degrees.parents)
    wanted = (np.arange(parents) + 0.5) / parents * reached[-1]
    counts = degrees.values[np.minimum(np.searchsorted(reached, wanted, side="right"), len(reached) - 1)]
    counts = np.minimum(counts, most)
    if counts.sum() and abs(counts.sum() - total) > 0.02 * total:
        scaled = counts * (total / counts.sum())
        counts = np.floor(scaled + uniform(key, np.arange(parents))).astype(np.int64)
        counts = np.minimum(counts, most)
    return np.sort(_to_total(counts, total, most, key))


def _to_total(counts: Int64, total: int, most: int, key: int) -> Int64:
    """Counts changed by as little as possible, one by one at random places, to add up to the total."""
    counts = counts.copy()
    for round_ in range(10_000):
        gap = total - int(counts.sum())
        if not gap:
            return counts
        room = np.flatnonzero(counts < most) if gap > 0 else np.flatnonzero(counts > 0)
        if not len(room):
            return counts
        busy = room[counts[room] > 0]
        room = busy if len(busy) and most > 1 else room
        chosen = room[np.argsort(uniform(key ^ (round_ + 1), room), kind="stable")[: abs(gap)]]
        counts[chosen] += 1 if gap > 0 else -1
    raise Unsatisfiable("the numbers of children do not add up")


def context_alphabets_of(draft: Draft, table: str) -> dict[str, Alphabet]:
    """The variables of a table that tell its classes: those that depend on no dealt link."""
    model, facts = draft.model, draft.model.tables[table]
    alphabets = {
        variables.link(fk): Alphabet(draft.rows[fk.parent] + 1, ordered=False)
        for fk in model.plan.lookups_of(table)
    }
    for name, column in facts.columns.items():
        if (codec := codec_of(column)) is not None:
            alphabets[variables.column(name)] = codec.alphabet
    for fk in model.plan.counted[table]:
        alphabets[variables.count(fk)] = model.counters[fk].alphabet
    return {v: a for v, a in alphabets.items() if v in draft.codes[table]}
