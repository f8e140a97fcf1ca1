"""What an engine is given of one table: its rows, their parents, and what siblings remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Alphabet, Codes, fit_number
from dbsynth.engines import variables
from dbsynth.engines.base import Task
from dbsynth.learn.codebook import in_order
from dbsynth.learn.columns import column_variables
from dbsynth.learn.dealt import dealt_variables, shares_of_links
from dbsynth.learn.families import (
    Key,
    context_alphabets,
    context_of,
    lineage,
    positions,
    recall_keys,
    recalled,
    remembered,
    repeated_from,
)
from dbsynth.learn.profiles import unknown_above
from dbsynth.learn.work import Work
from dbsynth.model import Degrees, TableFacts
from dbsynth.randomness import Streams
from dbsynth.schema import Column, ForeignKey, Kind, Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
COUNTER = Column("count", Kind.INTEGER, "integer", nullable=False)


def add_own_variables(work: Work, table: Table) -> None:
    """Add the variables of a table that no dealt link bears on: columns, rows of copies, counts."""
    name = table.name
    codes: dict[str, Codes] = {}
    alphabets: dict[str, Alphabet] = {}
    for fk in work.plan.lookups_of(name):
        codes[variables.link(fk)] = (work.links[fk] + 1).astype(np.uint16)
        alphabets[variables.link(fk)] = Alphabet(work.tables[fk.parent].rows + 1, ordered=False)
    for column, model in work.tables[name].columns.items():
        for variable, alphabet in column_variables(column, model).items():
            codes[variable] = work.columns[name][variable]
            alphabets[variable] = alphabet
    for fk in work.plan.counted[name]:
        found = work.children[fk]
        counts = found.counts
        values = np.array(list(found.degrees), np.int64)
        parents = np.array(list(found.degrees.values()), np.int64)
        work.degrees[fk] = Degrees(values, parents, found.linked, found.unlinked, whole=found.whole)
        codec = work.counters[fk] = fit_number(COUNTER, pa.array(counts), 1)
        codes[variables.count(fk)] = codec.encode(pa.array(counts))
        alphabets[variables.count(fk)] = codec.alphabet
    work.codes[name], work.alphabets[name] = codes, alphabets


def table_task(work: Work, table: Table, streams: Streams, shares: Mapping[str, Float64]) -> Task:
    """The rows of a table, with what they know of their parents and siblings.

    Args:
        shares: Of each code of some variables, in the whole table.
    """
    name, facts = table.name, work.tables[table.name]
    dealt, dealt_codes = dealt_variables(work, name, streams)
    chain = {**work.alphabets[name], **dealt}
    codes = {**work.codes[name], **dealt_codes}
    ordered = _order(work, name, chain)
    fk = work.plan.generating.get(name)
    rows = work.rows[name].count
    links = work.links[fk] if fk else np.arange(rows)
    usable = np.flatnonzero(_usable(work, table))
    family = _family(work, fk, codes, chain, ordered, usable) if fk else _Family()
    work.recalled[name], work.repeated[name] = family.memory, family.repeated
    codes |= family.codes
    chain, ordered = _with_memory(chain, ordered, family.memory, family.repeated)
    told = {v: ~mask for v, mask in work.unknown.get(name, {}).items()}
    told |= _drawn(facts, codes)
    begins = positions(links) == 0
    told |= {variables.column(n): begins for n, c in facts.columns.items() if c.ledger is not None}
    if work.rows[name].own < facts.rows:
        shares = {**shares, **shares_of_links(work, name, codes, usable)}
    return Task(
        {v: chain[v] for v in ordered},
        {v: codes[v][usable] for v in ordered},
        family.context,
        {v: family.seen[v][usable] for v in family.context},
        np.where(links < 0, len(links) + np.arange(rows), links)[usable],
        streams.key("fit", name),
        {v: m[usable] for v, m in told.items()},
        shares,
        fk.parent if fk else None,
        usable,
        links[usable] if fk else np.full(len(usable), -1),
        variables.count(fk) if fk else None,
    )


def _order(work: Work, name: str, chain: Mapping[str, Alphabet]) -> list[str]:
    """The order in which the variables of a table are drawn.

    Times come first: siblings follow each other in time, and much hangs on day and week.  Numbers
    of children come last: they depend on the whole row, and little depends on them.
    """
    timed = _time_variables(work.tables[name])
    early = work.early.get(name, ())
    ordered = sorted(
        chain,
        key=lambda v: (v not in timed, v.startswith(("count:", "profile:")), v not in early),
    )
    return in_order(ordered, work.rules, name)


@dataclass(frozen=True)
class _Family:
    """What the rows of a table know of their parent and their siblings.

    Attributes:
        context: Alphabets of what is known before a row is drawn.
        seen: Its codes.
        codes: Of the variables that say what is recalled and what repeats.
        memory: The keys by which families recall.
        repeated: Variables that may repeat what another one says, and that other.
    """

    context: Mapping[str, Alphabet] = field(default_factory=dict)
    seen: Mapping[str, Codes] = field(default_factory=dict)
    codes: Mapping[str, Codes] = field(default_factory=dict)
    memory: tuple[Key, ...] = ()
    repeated: dict[str, str] = field(default_factory=dict)


def _family(
    work: Work, fk: ForeignKey, codes: Mapping[str, Codes], chain: Mapping[str, Alphabet],
    ordered: Sequence[str], usable: Int64,
) -> _Family:  # fmt: skip
    links = work.links[fk]
    memory = recall_keys(codes, chain, links, ordered)
    above = work.plan.generating.get(fk.parent)
    known = dict(work.alphabets[fk.parent])
    if above is not None:
        known |= {variables.of_parent(v): a for v, a in work.alphabets[above.parent].items()}
    inherited = lineage(
        work.codes[fk.parent],
        work.codes[above.parent] if above else None,
        work.links[above] if above else None,
    )
    seen = context_of(inherited, codes, chain, links)
    hidden = unknown_above(work, fk, links[usable])
    context = context_alphabets(known, chain)
    if fk.child in work.thinned:  # what siblings tell cannot be known
        context = context_alphabets(known, {})
        hidden |= set(variables.PLACES)
    context = {v: a for v, a in context.items() if v not in hidden}
    found = recalled(codes, memory, chain, links)
    told = {**seen, **codes, **found}
    repeated = repeated_from({**codes, **found}, chain, told, memory, links, ordered)
    for variable, source in repeated.items():
        # Not of NULL: nothing tells it from a sibling that is not there.
        again = (codes[variable] == told[source]) & (codes[variable] != 0)
        found[variables.same(variable)] = np.where(again, variables.YES, variables.NO).astype(
            np.uint16
        )
    return _Family(context, seen, found, memory, repeated)


def _with_memory(
    chain: Mapping[str, Alphabet],
    ordered: Sequence[str],
    memory: Sequence[Key],
    repeated: Mapping[str, str],
) -> tuple[dict[str, Alphabet], list[str]]:
    """The variables of a table, what each key recalls right behind it, and "same again" before."""
    wide, found = dict(chain), []
    for variable in ordered:
        if variable in repeated:
            wide[variables.same(variable)] = variables.YES_OR_NO
            found.append(variables.same(variable))
        found.append(variable)
        for key in memory:
            if key[-1] == variable:
                name = variables.joint(key)
                seen = {variables.recall(name, v): a for v, a in remembered(chain).items()}
                wide |= seen
                found += seen
    return wide, found


def _time_variables(facts: TableFacts) -> frozenset[str]:
    """The variables of the time, or of the other parents, in which siblings follow each other."""
    found = {
        variable
        for name, column in facts.columns.items()
        if column.gap is not None
        for variable in column_variables(name, column)
    }
    if facts.pace is not None:
        key = facts.pace.key
        found |= {variables.gap(str(key)), variables.parent_class(key)}
    return frozenset(found)


def _drawn(facts: TableFacts, codes: Mapping[str, Codes]) -> dict[str, npt.NDArray[np.bool_]]:
    """Where a time is drawn and where its gap is: in the first of a family, and in all others.

    What is recalled is drawn nowhere, and what repeats is drawn where it does not.
    """
    found = {v: np.zeros(len(c), bool) for v, c in codes.items() if v.startswith(variables.RECALL)}
    for variable, again in codes.items():
        if variable.startswith(variables.SAME):
            found[variable.removeprefix(variables.SAME)] = again == variables.NO
    for name, column in facts.columns.items():
        if column.gap is not None or column.climb is not None:
            later = codes[variables.gap(name)] > 0
            found[variables.gap(name)] = later
            found[variables.column(name)] = ~later
    if facts.pace is not None:
        later = codes[variables.gap(str(facts.pace.key))] > 0
        found[variables.gap(str(facts.pace.key))] = later
        found[variables.parent_class(facts.pace.key)] = ~later
    return found


def _usable(work: Work, table: Table) -> npt.NDArray[np.bool_]:
    """Rows of the sample whose mandatory foreign keys all have a parent; orphans teach nothing."""
    usable = np.arange(work.rows[table.name].count) < work.rows[table.name].own
    for fk in table.foreign_keys:
        if not fk.nullable:
            usable &= work.links[fk] >= 0
    return usable
