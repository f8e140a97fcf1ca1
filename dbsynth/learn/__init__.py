"""From a source database to a model.

The hashed keys of the rows become links, and each table is fitted given the codes of its generating
parent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dbsynth.databases.base import Database
from dbsynth.engines import variables
from dbsynth.engines.base import Engine, TableModel, Task, WholeEngine
from dbsynth.engines.relational import Relational
from dbsynth.learn.climbs import with_climbs
from dbsynth.learn.codebook import Book, with_states
from dbsynth.learn.comeback import with_repeats
from dbsynth.learn.counters import ranked
from dbsynth.learn.crossing import Crossing, shown
from dbsynth.learn.entities import with_shared_values
from dbsynth.learn.factors import with_factors
from dbsynth.learn.histories import fit_history, paced_keys, told_by_roster
from dbsynth.learn.lawful import followed, with_named, with_rules
from dbsynth.learn.leading import with_leading
from dbsynth.learn.profiles import add_profiles
from dbsynth.learn.real import real_rows
from dbsynth.learn.repeats import repeatable
from dbsynth.learn.rosters import find_rosters
from dbsynth.learn.sequence import with_anchors, with_order
from dbsynth.learn.table import add_own_variables, table_task
from dbsynth.learn.work import Early, Work
from dbsynth.model import Model, TableFacts
from dbsynth.outline import Outline
from dbsynth.outline.persona import with_personas
from dbsynth.progress import Progress
from dbsynth.randomness import Streams
from dbsynth.read import Rows, codec_of, count_children, link_rows, read_tables
from dbsynth.schema import ForeignKey

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def fit(
    database: Database, plan: Outline, engine: Engine, streams: Streams, progress: Progress,
    early: Early | None = None, crossings: Sequence[Crossing] = (),
    chosen: Mapping[str, Bool] | None = None,
) -> Model:  # fmt: skip
    """Learn a model of all tables.

    Args:
        plan: What `make_outline` decided of the same database.
        early: Per table, variables to be drawn before the other columns.
        crossings: What to count for the report.
        chosen: Which rows of the tables of real rows come into the clone.
    """
    hashed = repeatable(plan.schema, plan.plan, plan.tables)
    encoded = read_tables(database, plan, progress, hashed)
    links = link_rows(plan.schema, encoded)
    plan = with_shared_values(plan, encoded, links)
    walks = _walks(plan, engine.name)
    work = _prepared(plan, encoded, links, early or {}, walks=walks)
    plan, tables, before = work.outline, work.tables, plan.tables
    in_part = [fk for fk in plan.plan.lookups if fk.child in plan.reading.own]
    for fk in (*plan.plan.generating.values(), *plan.plan.dealt, *in_part):
        work.children[fk] = count_children(database, fk, plan, encoded, work.links[fk])
    learnt = [n for n in plan.plan.order if tables[n].strategy == "synthesize" and tables[n].rows]
    progress.step("fit", len(learnt))
    for name in plan.plan.order:
        add_own_variables(work, plan.schema[name])
    for name in learnt if walks else ():
        work.paced |= paced_keys(work, plan.schema[name])
    work.rosters |= find_rosters(work)
    for name in plan.plan.order:
        add_profiles(work, name)
    engines: dict[str, TableModel] = {}
    together: dict[str, Task] = {}
    for fk, paced in work.paced.items():
        if told_by_roster(work, fk.child):
            continue
        work.histories[fk] = fit_history(work, fk, paced, engine, streams)
    for name in learnt:
        shares = _still_coded(encoded[name].shares, before[name], tables[name])
        task = table_task(work, plan.schema[name], streams, shares)
        if isinstance(engine, WholeEngine):
            together[name] = task
            continue
        engines[name] = task.fitted(engine)
        progress.advance(1)
    if isinstance(engine, WholeEngine):
        engines |= engine.fit_tables(together)
        progress.advance(len(together))
    real = {name: real_rows(work, database, name, chosen or {}, streams) for name in plan.real}
    tables = {
        n: replace(
            f,
            recalled=work.recalled.get(n, ()),
            repeated=work.repeated.get(n, {}),
            repertoires=work.repertoires.get(n, ()),
        )
        for n, f in tables.items()
    }
    tables = with_personas(plan.schema, plan.plan, tables, plan.locale)
    return Model(
        plan.schema, plan.plan, database.capabilities.kind, database.structure(), engine.name,
        tables, work.degrees, work.counters, engines, work.diamonds, plan.notes, work.rules,
        {crossing.name: shown(crossing.count(work.codes, work.links)) for crossing in crossings},
        real=real, histories=work.histories, rosters=work.rosters,
    )  # fmt: skip


def foreseen(database: Database, plan: Outline, engine: str, progress: Progress) -> Outline:
    """The outline with the generating keys and the rules that a model of all tables would have."""
    rows = read_tables(database, plan, progress)
    links = link_rows(plan.schema, rows)
    plan = with_order(with_shared_values(plan, rows, links), rows)
    plan = with_leading(plan, rows, links) if _walks(plan, engine) else plan
    return with_rules(plan, rows, links)


def _walks(plan: Outline, engine: str) -> bool:
    """Whether rows under one key may walk along the parents of another."""
    return engine == Relational.name and not plan.real


def _prepared(
    plan: Outline, encoded: dict[str, Rows], links: dict[ForeignKey, Int64], early: Early, *,
    walks: bool,
) -> Work:  # fmt: skip
    """Orders, rules, anchors of times and identifiers that come back, all found out."""
    plan = with_order(plan, encoded)
    plan = with_leading(plan, encoded, links) if walks else plan
    plan = with_named(with_rules(plan, encoded, links), encoded)
    plan = with_shared_values(plan, encoded, links)  # also of the values that rules name
    plan = with_factors(with_anchors(plan, encoded, links), encoded, links)
    plan = with_climbs(plan, encoded, links)
    plan = with_repeats(plan, encoded, links, early)
    tables = {name: ranked(plan.schema[name], plan, encoded[name], links) for name in encoded}
    columns = {
        n: {variables.column(c): codes for c, codes in e.codes.items()} | e.calendar | e.pieces
        for n, e in encoded.items()
    }
    unnamed = {(n, c): rows for n, e in encoded.items() for c, rows in e.unnamed.items()}
    rules = with_states(plan.rules, Book(plan.plan, tables, columns, links, unnamed))
    return Work(plan, tables, encoded, columns, links, followed(plan), rules, early)


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
