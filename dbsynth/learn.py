"""From a source database to a model.

The hashed keys of the rows become links, and each table is fitted given the codes of its generating
parent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.arrival import STRETCHES, order_of, pace_of, stretches
from dbsynth.codebook import Book, in_order, with_states
from dbsynth.codec import Alphabet, Codec, Codes, Formatted, Number, fit_number, k_threshold
from dbsynth.crossing import Crossing, shown
from dbsynth.databases.base import Database
from dbsynth.diamonds import Path
from dbsynth.engines import ENGINES, variables
from dbsynth.engines.base import Engine, TableModel
from dbsynth.families import (
    COMPONENTS,
    PROFILE_ALPHABET,
    Key,
    context_alphabets,
    context_of,
    lineage,
    profile,
    recall_keys,
    recalled,
    remembered,
    repeated_from,
)
from dbsynth.graph import Plan, is_unique, shared_columns
from dbsynth.keys import group_ids, key_parts, rank_in_group
from dbsynth.lawful import followed, settled_times, with_named, with_rules
from dbsynth.model import Anchor, ColumnModel, Degrees, Model, Pace, TableFacts
from dbsynth.outline import Outline
from dbsynth.pieces import piece_variables
from dbsynth.progress import Progress
from dbsynth.randomness import Streams
from dbsynth.read import (
    Children,
    Rows,
    codec_of,
    count_children,
    link_key,
    link_rows,
    read_rows,
)
from dbsynth.repeats import repeatable, repeating
from dbsynth.rules import Kept
from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table
from dbsynth.times import (
    Times,
    anchored,
    best_anchor,
    calendar_codes,
    calendar_of,
    gap_of,
    grid,
    in_order_of_time,
    in_sequence,
    time_of,
)  # fmt: skip

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Early = Mapping[str, tuple[str, ...]]
COUNTER = Column("count", Kind.INTEGER, "integer", nullable=False)
_RANKED_SHARE = 0.95


def fit(
    database: Database, plan: Outline, engine: str, streams: Streams, progress: Progress,
    early: Early | None = None, crossings: Sequence[Crossing] = (),
) -> Model:  # fmt: skip
    """Learn a model of all tables.

    Args:
        plan: What `make_outline` decided of the same database.
        early: Per table, variables to be drawn before the other columns.
        crossings: What to count for the report.
    """
    encoded = {}
    hashed = repeatable(plan.schema, plan.plan, plan.tables)
    for table in plan.schema.tables:
        progress.step(f"read {table.name}", plan.tables[table.name].rows)
        wanted = frozenset(hashed.get(table.name, ()))
        encoded[table.name] = read_rows(database, plan, table, progress, wanted)
    links = link_rows(plan.schema, encoded)
    outline = plan = _in_order(plan, encoded)
    plan = with_named(with_rules(plan, encoded, links), encoded)
    plan = _with_repeats(_with_anchors(plan, encoded, links), encoded, links)
    tables = {name: _ranked(plan.schema[name], plan, encoded[name], links) for name in encoded}
    columns = {
        n: {variables.column(c): codes for c, codes in e.codes.items()} | e.calendar | e.pieces
        for n, e in encoded.items()
    }
    diamonds = followed(plan)
    unnamed = {(n, c): rows for n, e in encoded.items() for c, rows in e.unnamed.items()}
    rules = with_states(plan.rules, Book(plan.plan, tables, columns, links, unnamed))
    work = _Work(
        plan.plan, tables, encoded, columns, links, diamonds, plan.reading.thinned, rules,
        early or {},
    )  # fmt: skip
    in_part = [fk for fk in plan.plan.lookups if fk.child in plan.reading.own]
    for fk in (*plan.plan.generating.values(), *plan.plan.dealt, *in_part):
        work.children[fk] = count_children(database, fk, plan, encoded, links[fk])
    shares = {n: _still_coded(e.shares, outline.tables[n], tables[n]) for n, e in encoded.items()}
    learnt = [n for n in plan.plan.order if tables[n].strategy == "synthesize" and tables[n].rows]
    progress.step("fit", len(learnt))
    for name in plan.plan.order:
        _own_variables(work, plan.schema[name])
    for name in plan.plan.order:
        _profiles(work, name)
    engines = {}
    for name in learnt:
        engines[name] = _fit_table(work, plan.schema[name], ENGINES[engine], streams, shares[name])
        progress.advance(1)
    tables = {
        n: replace(f, recalled=work.recalled.get(n, ()), repeated=work.repeated.get(n, {}))
        for n, f in tables.items()
    }
    return Model(
        plan.schema, plan.plan, database.capabilities.kind, database.structure(), engine, tables,
        work.degrees, work.counters, engines, diamonds, plan.notes, rules,
        {crossing.name: shown(crossing.count(work.codes, links)) for crossing in crossings},
    )  # fmt: skip


@dataclass
class _Work:
    """What grows while the tables are fitted one after the other."""

    plan: Plan
    tables: Mapping[str, TableFacts]
    rows: Mapping[str, Rows]
    columns: Mapping[str, Mapping[str, Codes]]
    links: Mapping[ForeignKey, Int64]
    diamonds: Mapping[ForeignKey, Path]
    thinned: frozenset[str]
    rules: tuple[Kept, ...] = ()
    early: Early = field(default_factory=dict)
    codes: dict[str, dict[str, Codes]] = field(default_factory=dict)
    alphabets: dict[str, dict[str, Alphabet]] = field(default_factory=dict)
    children: dict[ForeignKey, Children] = field(default_factory=dict)
    unknown: dict[str, dict[str, Bool]] = field(default_factory=dict)  # rows of each variable
    degrees: dict[ForeignKey, Degrees] = field(default_factory=dict)
    counters: dict[ForeignKey, Codec] = field(default_factory=dict)
    recalled: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    repeated: dict[str, dict[str, str]] = field(default_factory=dict)


def column_variables(name: str, model: ColumnModel) -> dict[str, Alphabet]:
    """The variables of the engine behind one column, in the order in which they are drawn."""
    if model.repeats is not None:
        return {variables.column(name): model.repeats.alphabet}
    codec = codec_of(model)
    if model.echo is not None:
        return {}
    if codec is None:
        return piece_variables(name, model)
    found = {variables.column(name): codec.alphabet} | piece_variables(name, model)
    if model.calendar is not None:
        found[variables.weekday(name)] = variables.WEEKDAY_ALPHABET
        if model.calendar.clock is not None:
            found[variables.clock(name)] = model.calendar.clock.alphabet
    if model.gap is not None:  # the time follows from the gap and its place on the calendar
        found = {variables.gap(name): model.gap.codec.alphabet, **found}
        found[variables.column(name)] = found.pop(variables.column(name))
    return found


def _with_anchors(
    plan: Outline, encoded: dict[str, Rows], links: dict[ForeignKey, Int64]
) -> Outline:
    """The outline where times are coded relative to other times, if that is steadier.

    Tables whose siblings follow each other in time are put in the order of time.
    """
    tables, fixed = dict(plan.tables), settled_times(plan)
    for name in plan.plan.order:
        rows, facts = encoded[name], tables[name]
        fk = plan.plan.generating.get(name)
        columns = dict(facts.columns)
        times = {n: _times(plan.schema[name], n, columns[n], rows) for n in rows.times}
        parent = {}
        if fk is not None:
            parent = {
                Anchor(n, fk): np.append(t, np.nan)[links[fk]]
                for n, t in encoded[fk.parent].times.items()
            }
        earlier: dict[Anchor, Float64] = {}
        for column in in_order_of_time(times):
            candidates = [] if (name, column) in fixed else [*parent.items(), *earlier.items()]
            found = best_anchor(times[column], candidates)
            if found is not None:
                declared = plan.schema[name].column_by_name[column]
                model, distance = anchored(
                    declared, columns[column], times[column], *found, k_threshold(facts.rows)
                )
                columns[column] = model
                assert model.codec is not None
                rows.codes[column] = model.codec.encode(distance)
            if (name, column) not in fixed:
                distance = found and found[1]
                _put_on_calendar(rows, columns, column, times[column], distance, facts.rows)
            earlier[Anchor(column)] = times[column].numbers
        pace = None
        if fk is not None and name not in plan.reading.thinned:
            timed = _in_sequence(plan.schema, name, columns, times, encoded, links, fk)
            pace = None if timed else _paced(plan, name, encoded, links, fk)
        tables[name] = replace(facts, columns=columns, pace=pace)
    return replace(plan, tables=tables)


def _in_order(plan: Outline, encoded: Mapping[str, Rows]) -> Outline:
    """The outline that says in the order of which columns the rows of each table lie."""
    tables = dict(plan.tables)
    for table in plan.schema.tables:
        facts, rows = tables[table.name], encoded[table.name]
        telling = {
            name: numbers[: rows.own]
            for name, numbers in rows.numbers.items()
            if isinstance(facts.columns[name].codec, Number | Formatted)
            and name not in table.foreign_columns()
        }
        tables[table.name] = replace(facts, order=order_of(telling))
    return replace(plan, tables=tables)


def _paced(
    plan: Outline, name: str, encoded: dict[str, Rows], links: dict[ForeignKey, Int64],
    fk: ForeignKey,
) -> Pace | None:  # fmt: skip
    """How siblings walk along the order of another parent, if they do; puts them in that order."""
    rows = encoded[name]
    earlier = plan.plan.order[: plan.plan.order.index(name)]
    for key in plan.plan.dealt_of(name):
        whole = rows.own == rows.count and encoded[key.parent].own == encoded[key.parent].count
        ordered = key.parent in earlier and plan.tables[key.parent].order
        if not whole or not ordered or shared_columns(plan.schema[name], key):
            continue
        if (links[key] < 0).any() or is_unique(plan.schema[name], key.columns):
            continue
        found = pace_of(links[key], links[fk], k_threshold(rows.count))
        if found is None:
            continue
        gap, codes = found
        rows.calendar[variables.gap(str(key))] = codes
        _reorder(plan.schema, name, np.argsort(links[key], kind="stable"), encoded, links)
        return Pace(key, gap)
    return None


def _reorder(
    schema: Schema, name: str, order: Int64, encoded: dict[str, Rows],
    links: dict[ForeignKey, Int64],
) -> None:  # fmt: skip
    """Put the rows of a table in another order, and let the links from and to it follow."""
    encoded[name] = encoded[name].taken(order)
    for key in schema.foreign_keys:
        if name in (key.child, key.parent):
            links[key] = link_key(key, encoded)


def _in_sequence(
    schema: Schema, name: str, columns: dict[str, ColumnModel], times: Mapping[str, Times],
    encoded: dict[str, Rows], links: dict[ForeignKey, Int64], fk: ForeignKey,
) -> bool:  # fmt: skip
    """Put siblings in the order of their time, and draw it as gaps where these tell something.

    Returns whether there is such a time.
    """
    rows = encoded[name]
    guests = np.arange(rows.count) >= rows.own  # their siblings were not read
    for column in in_sequence(times, np.where(guests, -1, links[fk])):
        anchor, own = columns[column].anchor, times[column].numbers
        if anchor and anchor.key is None:
            continue
        found = gap_of(times[column], np.where(guests, -1, links[fk]), k_threshold(len(own)))
        if found is not None:
            gap, codes = found
            columns[column] = replace(columns[column], gap=gap)
            encoded[name].calendar[variables.gap(column)] = codes
        _reorder(schema, name, np.lexsort((own, guests)), encoded, links)
        return True
    return False


def _with_repeats(
    plan: Outline, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]
) -> Outline:
    """The outline where identifiers that come back inside families are drawn as such."""
    tables = dict(plan.tables)
    hashes = {name: rows.hashes for name, rows in encoded.items()}
    for name, fk in plan.plan.generating.items():
        rows = encoded[name]
        known = np.where(np.arange(rows.count) < rows.own, links[fk], -1)
        found = repeating(plan.schema, plan.plan, plan.tables, name, hashes, known)
        for column, (_, codes) in found.items():
            encoded[name].codes.pop(column, None)
            if codes is not None:
                encoded[name].codes[column] = codes
        models = {column: model for column, (model, _) in found.items()}
        tables[name] = replace(tables[name], columns={**tables[name].columns, **models})
    return replace(plan, tables=tables)


def _put_on_calendar(
    rows: Rows, columns: dict[str, ColumnModel], name: str, own: Times,
    distance: Float64 | None, count: int,
) -> None:  # fmt: skip
    """Add the variables of week and day to a time column that spreads over months."""
    codec = columns[name].codec
    number = codec.number if isinstance(codec, Formatted) else codec
    assert isinstance(number, Number)
    column = Column(name, own.kind, "")
    calendar = calendar_of(column, own, number, distance, k_threshold(count))
    if calendar is None:
        return
    columns[name] = replace(columns[name], calendar=calendar)
    weekdays, clock = calendar_codes(own, calendar)
    rows.calendar[variables.weekday(name)] = weekdays
    if clock is not None:
        rows.calendar[variables.clock(name)] = clock


def _times(table: Table, name: str, model: ColumnModel, rows: Rows) -> Times:
    found = time_of(table.column_by_name[name], model)
    assert found is not None
    return Times(rows.times[name], grid(*found), found[0])


def _ranked(
    table: Table, plan: Outline, rows: Rows, links: Mapping[ForeignKey, Int64]
) -> TableFacts:
    """The facts of a table, where integer key parts that count within the rest are found out."""
    facts = replace(rows.guard.completed(plan.tables[table.name]), copied=rows.copied)
    if facts.strategy != "synthesize":
        return facts
    columns = dict(facts.columns)
    for name in rows.counters:
        first = _first_of_counter(table, name, rows, links)
        if first is not None:
            columns[name] = ColumnModel(columns[name].decision, ranked=first)
            rows.codes.pop(name, None)
    return replace(facts, columns=columns)


def _first_of_counter(
    table: Table, name: str, rows: Rows, links: Mapping[ForeignKey, Int64]
) -> int | None:
    """0 or 1 where the column counts the rows of each group of its key from there, else None."""
    values = rows.counters[name][: rows.own]
    groups = counter_group(table, name)
    if groups is None or not len(values):
        return None
    group = group_ids([links[fk][: rows.own] for fk in groups])
    order = np.lexsort((values, group))
    rank = rank_in_group(group[order])
    for first in (1, 0):
        if np.mean(values[order] == rank + first) >= _RANKED_SHARE:
            return first
    return None


def counter_group(table: Table, name: str) -> tuple[ForeignKey, ...] | None:
    """The foreign keys that make up the rest of a key with this column; None if there is more."""
    for key in table.keys:
        if not key.plain or name not in key.columns or len(key.columns) < 2:
            continue
        found = key_parts(table, key)
        if set(key.columns) - {c for fk in found for c in fk.columns} == {name}:
            return found
    return None


# ---------------------------------------------------------------------------------------------
# Fitting
# ---------------------------------------------------------------------------------------------


def _own_variables(work: _Work, table: Table) -> None:
    """The variables of a table that no dealt link bears on: columns, rows of copies, counts."""
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


def _profiles(work: _Work, name: str) -> None:
    """Add what the families under each row look like, where they hang under it."""
    for fk in work.plan.counted[name]:
        if work.plan.generating.get(fk.child) != fk:
            continue
        own = {
            v: a
            for v, a in work.alphabets[fk.child].items()
            if not v.startswith(("count:", "profile:"))
        }
        child, rows = work.rows[fk.child], work.rows[name]
        links = np.where(np.arange(child.count) < child.own, work.links[fk], -1)
        found = profile(fk, work.codes[fk.child], own, links, rows.count)
        unknown = _unread(work.children[fk], links)
        for variable, codes in found.items():
            work.codes[name][variable] = codes
            work.alphabets[name][variable] = PROFILE_ALPHABET
            if unknown.any():
                work.unknown.setdefault(name, {})[variable] = unknown


def _unread(children: Children, links: Int64) -> Bool:
    """The parents whose families were not read.

    Of parents without children as large a share counts as read as of the others.
    """
    some = children.counts > 0
    read = np.zeros(len(some), bool)
    read[links[links >= 0]] = True
    if children.whole or not some.any():
        return np.zeros(len(some), bool)
    none = np.flatnonzero(~some)
    share = float(read[some].mean())
    read[none[np.diff(np.floor(share * np.arange(len(none) + 1))) > 0]] = True
    return ~read


def _dealt_variables(
    work: _Work, table: str, streams: Streams
) -> tuple[dict[str, Alphabet], dict[str, Codes]]:
    """The class of the parent, or the depth in a self-reference, for every dealt foreign key."""
    alphabets: dict[str, Alphabet] = {}
    codes: dict[str, Codes] = {}
    for fk in work.plan.dealt_of(table):
        if fk in work.diamonds:
            continue
        links = work.links[fk]
        pace = work.tables[table].pace
        if pace is not None and pace.key == fk:
            name = variables.gap(str(fk))
            alphabets[name], codes[name] = pace.gap.codec.alphabet, work.columns[table][name]
            alphabets[variables.parent_class(fk)] = Alphabet(STRETCHES + 1, ordered=True)
            places = links / work.rows[fk.parent].count
            codes[variables.parent_class(fk)] = stretches(places)
            continue
        if fk.parent == fk.child:
            alphabets[variables.depth(fk)] = variables.DEPTH_ALPHABET
            codes[variables.depth(fk)] = variables.depths(links)
            continue
        unknown = {
            variables.profile(key, i)
            for key in work.plan.counted[fk.parent]
            if not work.children[key].whole
            for i in range(COMPONENTS)
        }
        known = {v: a for v, a in work.alphabets[fk.parent].items() if v not in unknown}
        features = variables.class_features(
            work.codes[fk.parent], known, work.rows[fk.parent].count
        )
        centres = variables.class_centres(features, streams.key("class", str(fk)))
        alike = variables.likeness(
            {v: work.codes[table][v] for v, a in work.alphabets[table].items()
             if a.ordered and v.startswith("column:")},
            {v: work.codes[fk.parent][v] for v, a in known.items() if a.ordered},
            links,
        )  # fmt: skip
        work.degrees[fk] = replace(work.degrees[fk], centres=centres, alike=alike)
        classes = np.append(variables.classify_rows(features, centres) + 1, 0)
        alphabets[variables.parent_class(fk)] = Alphabet(len(centres) + 1, ordered=False)
        codes[variables.parent_class(fk)] = classes[links].astype(np.uint16)
    return alphabets, codes


def _fit_table(
    work: _Work, table: Table, engine: Engine, streams: Streams, shares: Mapping[str, Float64]
) -> TableModel:
    dealt, dealt_codes = _dealt_variables(work, table.name, streams)
    own, own_codes = work.alphabets[table.name], work.codes[table.name]
    chain = {**own, **dealt}
    codes = {**own_codes, **dealt_codes}
    # Times come first: siblings follow each other in time, and much hangs on day and week.  Numbers
    # of children come last: they depend on the whole row, and little depends on them.
    timed = _time_variables(work.tables[table.name])
    early = work.early.get(table.name, ())
    ordered = sorted(
        chain,
        key=lambda v: (v not in timed, v.startswith(("count:", "profile:")), v not in early),
    )
    ordered = in_order(ordered, work.rules, table.name)
    fk = work.plan.generating.get(table.name)
    rows = work.rows[table.name].count
    links = work.links[fk] if fk else np.arange(rows)
    context, context_codes = {}, {}
    usable = np.flatnonzero(_usable(work, table))
    memory: tuple[Key, ...] = ()
    repeated: dict[str, str] = {}
    if fk:
        memory = work.recalled[table.name] = recall_keys(codes, chain, links, ordered)
        above = work.plan.generating.get(fk.parent)
        known = dict(work.alphabets[fk.parent])
        if above is not None:
            known |= {variables.of_parent(v): a for v, a in work.alphabets[above.parent].items()}
        inherited = lineage(
            work.codes[fk.parent],
            work.codes[above.parent] if above else None,
            work.links[above] if above else None,
        )
        context = context_alphabets(known, chain)
        context_codes = context_of(inherited, codes, chain, links)
        hidden = _unknown_above(work, fk, links[usable])
        if table.name in work.thinned:  # what siblings tell cannot be known
            context = context_alphabets(known, {})
            hidden |= set(variables.PLACES)
        context = {v: a for v, a in context.items() if v not in hidden}
        codes |= recalled(codes, memory, chain, links)
        seen = {**context_codes, **codes}
        repeated = work.repeated[table.name] = repeated_from(
            codes, chain, seen, memory, links, ordered
        )
        for variable, source in repeated.items():
            # Not of NULL: nothing tells it from a sibling that is not there.
            again = (codes[variable] == seen[source]) & (codes[variable] != 0)
            codes[variables.same(variable)] = np.where(again, variables.YES, variables.NO).astype(
                np.uint16
            )
    chain, ordered = _with_memory(chain, ordered, memory, repeated)
    told = {v: ~mask for v, mask in work.unknown.get(table.name, {}).items()}
    told |= _drawn(work.tables[table.name], codes)
    if work.rows[table.name].own < work.tables[table.name].rows:
        shares = {**shares, **_shares_of_links(work, table.name, codes, usable)}
    return engine.fit(
        {v: chain[v] for v in ordered},
        {v: codes[v][usable] for v in ordered},
        context,
        {v: context_codes[v][usable] for v in context},
        np.where(links < 0, len(links) + np.arange(rows), links)[usable],
        key=streams.key("fit", table.name),
        drawn={v: m[usable] for v, m in told.items()},
        shares=shares,
    )


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
        if column.gap is not None:
            later = codes[variables.gap(name)] > 0
            found[variables.gap(name)] = later
            found[variables.column(name)] = ~later
    if facts.pace is not None:
        later = codes[variables.gap(str(facts.pace.key))] > 0
        found[variables.gap(str(facts.pace.key))] = later
        found[variables.parent_class(facts.pace.key)] = ~later
    return found


def _unknown_above(work: _Work, fk: ForeignKey, links: Int64) -> set[str]:
    """Variables that are not known of the parent, or of its own, of every row."""
    parents = links[links >= 0]
    found = {
        variables.of_parent(v)
        for v, mask in work.unknown.get(fk.parent, {}).items()
        if mask[parents].any()
    }
    above = work.plan.generating.get(fk.parent)
    if above is not None:
        links = work.links[above][parents]
        found |= {
            variables.of_parent(variables.of_parent(v))
            for v, mask in work.unknown.get(above.parent, {}).items()
            if mask[links[links >= 0]].any()
        }
    return found


def _shares_of_links(
    work: _Work, table: str, codes: Mapping[str, Codes], usable: Int64
) -> dict[str, Float64]:
    """The share of each code of the variables that stand for links, in the whole table."""
    found = {}
    for fk in work.plan.lookups_of(table):
        children = work.children[fk]
        rows = np.array([children.unlinked, *children.counts], np.float64)
        found[variables.link(fk)] = rows / max(rows.sum(), 1.0)
    for fk in work.plan.dealt_of(table):
        children = work.children[fk]
        for variable in {variables.parent_class(fk), variables.depth(fk)} & set(codes):
            rows = np.bincount(codes[variable][usable]).astype(np.float64)
            rows[1:] *= children.linked / max(rows[1:].sum(), 1.0)
            rows[0] = children.unlinked
            found[variable] = rows / max(rows.sum(), 1.0)
    return found


def _still_coded(
    shares: Mapping[str, Float64], before: TableFacts, after: TableFacts
) -> dict[str, Float64]:
    """The shares of the variables of columns whose codec has not changed since they were read."""
    return {
        variables.column(name): found
        for name, found in shares.items()
        if before.columns[name].codec is after.columns[name].codec
        and codec_of(after.columns[name]) is not None
    }


def _usable(work: _Work, table: Table) -> npt.NDArray[np.bool_]:
    """Rows of the sample whose mandatory foreign keys all have a parent; orphans teach nothing."""
    usable = np.arange(work.rows[table.name].count) < work.rows[table.name].own
    for fk in table.foreign_keys:
        if not fk.nullable:
            usable &= work.links[fk] >= 0
    return usable
