"""What is decided before anything is fitted: strategies, roles, and how each column will be made.

A sample of every table is looked at once; `dbsynth init` and `dbsynth plan` show the outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import (
    Decision,
    Role,
    Strategy,
    blanks_of,
    classify_table,
    propose_strategy,
    without,
)
from dbsynth.classify.leaves import leaf_table
from dbsynth.codec import (
    Category,
    Formatted,
    as_text,
    fit_category,
    fit_number,
    form_kind,
    grid_of,
    k_threshold,
    parse_form,
    to_numbers,
)  # fmt: skip
from dbsynth.databases.base import Database
from dbsynth.errors import SpecError
from dbsynth.graph import Plan, is_unique, make_plan
from dbsynth.identifiers import PROVIDERS, PUBLIC, RESERVED
from dbsynth.identifiers.avoid import AvoidList, draw_avoiding
from dbsynth.identifiers.base import Provider, State
from dbsynth.identifiers.faker import DEFAULT_LOCALE
from dbsynth.identifiers.pattern import wider
from dbsynth.identifiers.places import place_named
from dbsynth.identifiers.regular import places_of
from dbsynth.keys import Mint, fit_mint
from dbsynth.model import LEFT_OUT, NAME_PARTS, REAL, ColumnModel, Provided, TableFacts, name_parts
from dbsynth.outline.links import with_links
from dbsynth.outline.masking import identifying
from dbsynth.outline.mentions import with_mentions
from dbsynth.outline.persona import guess_locale
from dbsynth.outline.pieces import Persons, fit_pieces, put_together
from dbsynth.outline.proposals import Samples, Seen, propose
from dbsynth.outline.sampling import Reading, make_reading
from dbsynth.outline.serials import with_serials
from dbsynth.outline.unreviewed import from_type, unreviewed, unreviewed_decision
from dbsynth.outline.vectors import vector_sources
from dbsynth.plural import counted, do
from dbsynth.progress import Progress
from dbsynth.randomness import Streams
from dbsynth.rules import Kept, Rule
from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table
from dbsynth.spec import Spec, TableSpec
from dbsynth.spec.drift import covered
from dbsynth.spec.shapes import Problems, told
from dbsynth.structures import Part, structure_of

NUMERIC = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
TIMES = (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.INTERVAL)
_OF_SOMEBODY = (Role.IDENTIFIER, Role.RENAMED, Role.TEXT)
_DAY = 86_400e6  # microseconds
_UNKEPT_SHARE = 0.5
_WIDEST = 2.0**52
_FURTHEST = 2.0**63 - 1024  # the largest float that is a 64-bit integer
_FLOAT_DIGITS = 15
_TRIAL_DRAWS = 20_000
_HARDLY = 0.5  # of the values are different, at least, where they hardly repeat
_NAMES_DRAWN = 8  # for each name that is needed, as some repeat
_TRIAL_WHOLES = 2_000
_BY_CHANCE = 0.2
_FEWEST_COUNTED = 20  # fewer numbers that all differ may do so by chance


@dataclass(frozen=True, slots=True)
class Fitting(Streams):
    """The streams of a run, the locale of what is invented, and what values were renamed to.

    Attributes:
        names: Per provider, the new names of real values, so that one value has one new name in
            all columns.  They are in memory only.
    """

    locale: str
    names: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """The real rows of a table that come into the clone.

    Attributes:
        rows: Of all rows, in the order in which they are read, whether each is in.
        asked: How many the table itself asked for; None where it asks for none.
        added: How many are there because others refer to them.
        left_out: How many were left out for want of a mandatory parent.
    """

    rows: npt.NDArray[np.bool_]
    asked: int | None = None
    added: int = 0
    left_out: int = 0

    @property
    def size(self) -> int:
        """How many rows are in."""
        return int(self.rows.sum())


@dataclass(frozen=True)
class Outline:
    """The decisions.

    Attributes:
        schema: The source's schema without the foreign keys that the source itself does not keep.
        notes: What the reader should know, a sentence each.
        wanted: The rules that the spec lists; None where it has no list, so that all are kept.
        rules: The rules that are kept, once they are mined.
        reading: Which rows are learnt from.
        locale: Where persons live of whom nothing else is known.
        choices: Of tables of real rows, those that come into the clone, once they are chosen.
        declared: The schema as the source declares it.
    """

    schema: Schema
    plan: Plan
    tables: Mapping[str, TableFacts]
    notes: tuple[str, ...]
    wanted: tuple[Rule, ...] | None = None
    rules: tuple[Kept, ...] = ()
    reading: Reading = field(default_factory=Reading)
    locale: str = DEFAULT_LOCALE
    choices: Mapping[str, Choice] = field(default_factory=dict)
    declared: Schema = field(default_factory=lambda: Schema(()))

    @property
    def real(self) -> tuple[str, ...]:
        """The tables whose real rows come into the clone, masked."""
        return tuple(n for n, t in self.tables.items() if t.strategy in REAL and t.rows)


def make_outline(database: Database, spec: Spec, streams: Streams, progress: Progress) -> Outline:
    """Look at a sample of every table and decide what to do with tables and columns."""
    declared = database.reflect()
    found = covered(spec, declared)
    schema = found.schema
    progress.step("profile", len(schema.tables))
    skipped = {name for name, said in spec.tables.items() if said.strategy == "skip"}
    rows = {
        table.name: 0 if table.name in skipped else database.count_rows(table)
        for table in schema.tables
    }
    schema, broken = _kept_checks(database, schema, rows)
    schema, unkept = _kept_keys(database, schema, rows, skipped)
    unread = {name: frozenset(c.name for c in schema[name].columns) for name in skipped}
    locale = guess_locale(database, schema, {**found.unreviewed, **unread}, spec.seed)
    fitting = Fitting(streams.seed, locale)
    samples = Samples(database, spec.seed, {**found.unreviewed, **unread})
    proposed = propose(schema, rows, samples)
    tables: dict[str, TableFacts] = {}
    problems: Problems = []

    def facts_of(table: Table, problems: Problems) -> TableFacts:
        fresh = found.unreviewed.get(table.name, frozenset())
        sample, decisions = samples.of(table), dict(proposed[table.name])
        if table != schema[table.name]:  # values have linked it to others
            again = classify_table(table, sample, rows[table.name])
            decisions |= {n: d for n, d in again.items() if d.role is Role.REFERENCE}
        seen = Seen(sample, decisions, fresh)
        return _table_facts(database, schema, table, rows, spec, fitting, seen, problems)

    for table in schema.tables:
        tables[table.name] = facts_of(table, problems)
        progress.advance(1)
    linked, by_value = with_links(database, schema, tables, spec.seed)
    tables |= {
        t.name: _still_named(facts_of(t, []), tables[t.name], schema[t.name])
        for t in linked.tables
        if t != schema[t.name]
    }
    schema = linked
    tables = with_mentions(database, schema, tables, spec.seed)
    tables = _closed_under_copying(schema, tables)
    problems += _unmet(schema, tables)
    if problems:
        raise SpecError(
            "; ".join(told(problems, spec.lines)), hint="mend these entries of the spec"
        )
    copied = [name for name, facts in tables.items() if facts.strategy == "copy"]
    wanted, unstated = spec.stated_rules(schema)
    notes = schema.notes + found.notes + broken + unkept + by_value + unstated
    real = [name for name, facts in tables.items() if facts.strategy in REAL and facts.rows]
    plan = make_plan(schema, rows, copied, real=real)
    made = {n: t.rows if t.strategy == "synthesize" else 0 for n, t in tables.items()}
    reading = make_reading(schema, plan, made, spec.fit_rows, spec.seed, database.count_rows)
    return Outline(
        schema, plan, tables, notes, wanted, reading=reading, locale=locale, declared=declared
    )


def _kept_checks(
    database: Database, schema: Schema, rows: Mapping[str, int]
) -> tuple[Schema, tuple[str, ...]]:
    """The schema without CHECKs that the server has not validated and the source breaks."""
    tables, notes = [], []
    for table in schema.tables:
        checks = []
        asked = database.capabilities.proves_constraints and rows[table.name] > 0
        asked = asked and not database.proves(table)
        for check in table.checks:
            failing = database.count_failing(table, check) if asked else 0
            if not failing:
                checks.append(check)
                continue
            notes.append(
                f"{table.name}: {failing} of {rows[table.name]} rows of the source break CHECK "
                f"{check.name}, which is NOT VALID, so the clone does not keep it either"
            )
        tables.append(replace(table, checks=tuple(checks)))
    return Schema(tuple(tables), schema.notes), tuple(notes)


def _kept_keys(
    database: Database, schema: Schema, rows: Mapping[str, int], skipped: Collection[str]
) -> tuple[Schema, tuple[str, ...]]:
    """The schema without foreign keys that most rows of the source break, and notes on them."""
    broken: list[ForeignKey] = []
    notes = []
    for fk in schema.foreign_keys:
        if (fk.declared and database.proves(schema[fk.child])) or not rows[fk.child]:
            continue
        if fk.parent in skipped:
            continue
        orphans = database.count_orphans(fk)
        if orphans and (not rows[fk.parent] or orphans > _UNKEPT_SHARE * rows[fk.child]):
            broken.append(fk)
            notes.append(f"{fk}: {orphans} of {rows[fk.child]} rows of the source have no parent, "
                         "so the clone does not keep this foreign key either")  # fmt: skip
        elif orphans:
            notes.append(
                f"{fk}: {counted(orphans, 'row')} of the source {do(orphans, 'have')} no parent;"
                " the clone has none such"
            )
    tables = tuple(
        replace(t, foreign_keys=tuple(fk for fk in t.foreign_keys if fk not in broken))
        for t in schema.tables
    )
    return Schema(tables, schema.notes), tuple(notes)


def _table_facts(
    database: Database,
    schema: Schema,
    table: Table,
    rows: Mapping[str, int],
    spec: Spec,
    streams: Fitting,
    seen: Seen,
    problems: Problems,
) -> TableFacts:
    """The facts of one table."""
    fresh, sample, classified = seen.fresh, seen.sample, dict(seen.decisions)
    reviewed = replace(table, columns=tuple(c for c in table.columns if c.name not in fresh))
    count = rows[table.name]
    said = spec.tables.get(table.name, TableSpec())
    decisions = spec.decisions(table, classified)
    decisions |= {name: unreviewed_decision(table, name, decisions[name]) for name in fresh}
    children = sum(rows[fk.child] for fk in schema.foreign_keys if fk.parent == table.name)
    proposed = propose_strategy(table, decisions, count, children)
    if fresh and table.name not in spec.tables:
        proposed = Strategy("synthesize", "It is new and not in the spec")
    strategy = spec.strategy(table, proposed)
    real = strategy.name in REAL or (strategy.name == "copy" and proposed.name != "copy")
    if real and said.approved_by is None:
        problems += _unapproved(table, strategy.name, decisions, classified)
    if strategy.name in LEFT_OUT or not count:
        columns = {name: ColumnModel(decision) for name, decision in decisions.items()}
        return TableFacts(strategy.name, strategy.reason, count, columns)
    columns = {
        c.name: _column_model(
            table, c, sample[c.name].combine_chunks(), decisions[c.name], count, streams
        )
        for c in reviewed.written
    }
    columns = _with_spares(table, columns, sample, streams)
    if strategy.name not in REAL:  # with real times, codes that count would be the real ones
        columns = with_serials(table, columns, sample, count)
    for name, source in vector_sources(database, reviewed, sample).items():
        columns[name] = replace(columns[name], computed=source)
    if strategy.name in REAL:
        columns = _told_apart(table, columns, sample, count, streams)
    columns |= {name: from_type(table, name, decisions[name], count) for name in sorted(fresh)}
    columns = {column.name: columns[column.name] for column in table.written}
    facts = TableFacts(strategy.name, strategy.reason, count, columns)
    return replace(facts, people=_people(sample, facts, streams))


def _with_spares(
    table: Table, columns: Mapping[str, ColumnModel], sample: pa.Table, streams: Fitting
) -> dict[str, ColumnModel]:
    """The columns; drawn texts that a CHECK is about have a pattern of the real ones in reserve."""
    checked = {name for check in table.checks for name in check.columns}
    found = {name: _widened(table, name, model) for name, model in columns.items()}
    for name, model in columns.items():
        column, provided = table.column_by_name[name], model.provided
        if (
            provided
            and name in checked
            and column.kind is Kind.TEXT
            and provided.provider != "pattern"
        ):
            decision = replace(model.decision, provider="pattern")
            unique, values = is_unique(table, (name,)), sample[name].combine_chunks()
            k = k_threshold(len(values))
            found[name] = replace(
                model, spare=_provided(column, values, decision, unique, k, streams)
            )
    return found


def _still_named(facts: TableFacts, before: TableFacts, declared: Table) -> TableFacts:
    """The facts of a table with links by value, whose columns are still told by what they hold.

    A spec that called them references would name keys that no database declares.
    """
    columns = {
        name: replace(model, decision=before.columns[name].decision)
        if model.decision.role is Role.REFERENCE and name not in declared.foreign_columns()
        else model
        for name, model in facts.columns.items()
    }
    return replace(facts, columns=columns)


def _told_apart(
    table: Table, columns: Mapping[str, ColumnModel], sample: pa.Table, rows: int, streams: Fitting
) -> dict[str, ColumnModel]:
    """The columns of real rows, where replaced values in keys all differ.

    The other columns of such a key keep their values, so these may not bring them together.
    """
    found = dict(columns)
    for name in {name for key in table.keys for name in key.columns} & set(columns):
        model, column = columns[name], table.column_by_name[name]
        if model.provided is not None and not is_unique(table, (name,)):
            values, k = sample[name].combine_chunks(), k_threshold(rows)
            provided = _provided(column, values, model.decision, True, k, streams)
            found[name] = replace(model, provided=provided)
    return found


def _unapproved(
    table: Table, strategy: str, decisions: Mapping[str, Decision],
    classified: Mapping[str, Decision],
) -> Problems:  # fmt: skip
    """That real rows with columns that may identify somebody need somebody to answer for them."""
    found = list(identifying(decisions, classified))
    if not found:
        return []
    columns = ", ".join(f"`{name}` is {what}" for name, what in found)
    text = (
        f"`strategy: {strategy}` of table `{table.name}` lets real rows of people through"
        f" ({columns}), so it needs `approved_by`"
    )
    return [(("tables", table.name, "strategy"), text)]


def _unmet(schema: Schema, tables: Mapping[str, TableFacts]) -> Problems:
    """Rows that must refer to a table that is left out."""
    return [
        (
            ("tables", fk.parent, "strategy"),
            f"{fk} may not be NULL, and the rows of `{fk.parent}` are left out; leave out"
            f" `{fk.child}` too, or give `{fk.parent}` another strategy",
        )
        for fk in schema.foreign_keys
        if tables[fk.parent].strategy in LEFT_OUT and not fk.nullable
        and tables[fk.child].strategy not in LEFT_OUT and tables[fk.child].rows
    ]  # fmt: skip


def _widened(table: Table, name: str, model: ColumnModel) -> ColumnModel:
    """A column of unique codes, which may become what its CHECK allows when they run out."""
    state = model.provided.state if model.provided else {}
    if not state.get("wide"):
        return model
    assert model.provided is not None
    length = table.column_by_name[name].length
    allowed = [p for c in table.checks if c.columns == (name,) and (p := places_of(c.sql, length))]
    if len(allowed) != 1:
        return model
    wide = [wider(places, allowed[0]) for places in state["shapes"]]
    return replace(model, provided=replace(model.provided, state={**state, "wide": wide}))


def _people(sample: pa.Table, facts: TableFacts, streams: Fitting) -> AvoidList | None:
    """The real combinations of the parts of a name, so that no person comes back whole."""
    parts = name_parts(facts)
    if len(parts) < 2:
        return None
    return AvoidList.of(
        joined_names([sample[name] for name in parts]), streams.key("people") & 0xFFFF_FFFF
    )


def joined_names(parts: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    """The parts of each name in one text; NULL where a part is."""
    texts = [as_text(part) for part in parts]
    return pc.binary_join_element_wise(*texts, "\x1f")


def _closed_under_copying(
    schema: Schema, tables: Mapping[str, TableFacts]
) -> dict[str, TableFacts]:
    """A copied table whose parent is not copied cannot be copied."""
    closed = dict(tables)
    changed = True
    while changed:
        changed = False
        for fk in schema.foreign_keys:
            child, parent = closed[fk.child], closed[fk.parent]
            if child.strategy == "copy" and child.rows and parent.strategy != "copy":
                reason = f"refers to {fk.parent}, which is not copied"
                closed[fk.child] = replace(child, strategy="synthesize", reason=reason)
                changed = True
    return {name: _unlearnt(f) if f.strategy == "copy" else f for name, f in closed.items()}


def _unlearnt(facts: TableFacts) -> TableFacts:
    """The facts of a copied table: its decisions, and nothing to draw values from."""
    columns = {
        name: model if unreviewed(model) else ColumnModel(model.decision)
        for name, model in facts.columns.items()
    }
    return replace(facts, columns=columns, people=None)


def _column_model(
    table: Table, column: Column, values: pa.Array, decision: Decision, rows: int, streams: Fitting
) -> ColumnModel:
    """How the values of a column will come about, learnt from a sample."""
    nulls = values.null_count > 0
    k = k_threshold(rows)
    if column.name in table.foreign_columns():
        return ColumnModel(decision, nulls=nulls)
    if values.null_count == len(values):
        return ColumnModel(decision)
    unique = is_unique(table, (column.name,))
    blanks = () if unique or decision.role not in _OF_SOMEBODY else blanks_of(values, rows)
    for model in (_minted, _structured, _named_anew):
        found = model(table, column, values, decision, rows, streams)
        if found is not None:
            return found
    if (
        decision.provider
        and decision.role is not Role.CATEGORY
        and not (decision.form and not unique)
    ):
        telling = without(values, blanks)
        provided = _provided(column, telling, decision, unique, k, streams)
        return ColumnModel(decision, provided=provided, nulls=nulls, blanks=blanks)
    if decision.form:
        inner = replace(column, kind=form_kind(decision.form), scale=_digits(decision.form))
        number = fit_number(inner, parse_form(values, decision.form), k)
        return ColumnModel(decision, Formatted(decision.form, number), nulls=nulls)
    if column.kind in NUMERIC or column.kind in TIMES:
        return ColumnModel(decision, fit_number(column, values, k), nulls=nulls)
    category = fit_category(column, values, k)
    if category.shown:
        return ColumnModel(decision, category, nulls=nulls)
    fallback = replace(decision, provider=decision.provider or "text")
    return ColumnModel(
        fallback, provided=_provided(column, values, fallback, unique, k, streams), nulls=nulls
    )


def _named_anew(
    table: Table, column: Column, values: pa.Array, decision: Decision, rows: int, streams: Fitting
) -> ColumnModel | None:
    """A column whose values repeat and get new names."""
    if decision.role is not Role.RENAMED:
        return None
    k = k_threshold(rows)
    blanks = blanks_of(values, rows)
    lifelike, distinct = (
        _provided(column, without(values, blanks), decision, unique, k, streams)
        for unique in (False, True)
    )
    renamed = _renamed(column, values, (lifelike, distinct), k, streams, table)
    if not renamed.shown:
        return None
    shown = zip(renamed.vocabulary, renamed.shown, strict=True)
    renamed = replace(renamed, shown=tuple(w if w in blanks else name for w, name in shown))
    nulls = values.null_count > 0
    return ColumnModel(decision, renamed, nulls=nulls, spare=lifelike, blanks=blanks)


def _structured(
    table: Table, column: Column, values: pa.Array, decision: Decision, rows: int, streams: Fitting
) -> ColumnModel | None:
    """A column whose values are taken apart, each part modelled as a column of its own."""
    excluded = any(column.name in exclusion.columns for exclusion in table.exclusions)
    excluded |= is_unique(table, (column.name,))
    if excluded or decision.role not in (Role.TEXT, Role.OPAQUE, Role.QUANTITY, Role.RENAMED):
        return None
    k = k_threshold(rows)
    structure = structure_of(column, decision.provider, values, k)
    if structure is None:
        return None

    leaves = {part.name: part.column for part in structure.parts if not part.formal}

    def fit(part: Part, found: pa.Array) -> ColumnModel:
        place, name = f"{table.name}.{column.name}.{part.name}", part.column.name
        inner = Table(place, column.name, None, (part.column,))
        if not part.formal:
            inner = leaf_table(place, column.name, part.name, leaves)
        roles = classify_table(inner, pa.table({name: found}), rows)
        if found.null_count == len(found):
            found = pa.array([None] * len(found), found.type)
        return _column_model(inner, part.column, found, roles[name], rows, streams)

    pieces = fit_pieces(structure, values, k, fit)
    told = replace(decision, reason="Its values are taken apart, and their parts modelled")
    model = ColumnModel(told, structure=structure, pieces=pieces, nulls=values.null_count > 0)
    rare = _rare(values, k)
    index = np.arange(_TRIAL_WHOLES)
    trial = put_together(column.name, model, {}, index, 1, Persons(index.astype(np.uint64), 1))
    met = pc.sum(pc.is_in(trial, rare)).as_py() or 0
    if met > _BY_CHANCE * len(trial):  # so few wholes there are that anybody meets real ones
        return model
    return replace(model, avoid=AvoidList.of(rare, streams.key("avoid", column.name) & 0xFFFF_FFFF))


def _rare(values: pa.Array, k: int) -> pa.Array:
    """The values that fewer than k rows share."""
    counted = pc.value_counts(values.drop_null())
    return counted.field("values").filter(pc.less(counted.field("counts"), k))


def _minted(
    table: Table, column: Column, values: pa.Array, decision: Decision, rows: int, streams: Fitting
) -> ColumnModel | None:
    """A column whose numbers never repeat: a key says so, or they count the rows of a key."""
    single = is_unique(table, (column.name,)) and decision.role is not Role.CATEGORY
    if column.kind is Kind.TEXT and single:
        parsed = parse_form(values, "integer")
        if (
            parsed.null_count > values.null_count
            or not pc.all(pc.equal(as_text(parsed), values)).as_py()
        ):
            return None
        values, column = parsed, replace(column, kind=Kind.INTEGER, bits=64)
    in_key = any(column.name in key.columns for key in table.keys)
    counting = (
        column.kind is Kind.INTEGER
        and (column.identity or in_key)
        and len(values) - values.null_count >= _FEWEST_COUNTED
        and pc.count_distinct(values).as_py() == len(values) - values.null_count
    )
    if not (
        counting or (single and column.kind in (*NUMERIC, Kind.DATE, Kind.TIMESTAMP, Kind.TIME))
    ):
        return None
    avoid = AvoidList.of(as_text(values), streams.key("avoid", column.name) & 0xFFFF_FFFF)
    nulls = values.null_count > 0
    return ColumnModel(decision, mint=_mint(column, values, rows), avoid=avoid, nulls=nulls)


def _digits(form: str) -> int | None:
    return int(form.partition(":")[2] or 2) if form.startswith("decimal") else None


def _mint(column: Column, values: pa.Array, rows: int) -> Mint:
    numbers, present = to_numbers(values)
    numbers = numbers[present & np.isfinite(numbers)]
    step, _, digits = grid_of(column, numbers)
    if column.kind in (Kind.DECIMAL, Kind.FLOAT):
        step = 10.0 ** -max(digits, 0)
        largest = float(np.abs(numbers).max(initial=0.0))
        if largest > _WIDEST * step:  # more digits than a float holds
            step = 10.0 ** (np.ceil(np.log10(largest)) - _FLOAT_DIGITS)
    if column.kind is Kind.INTEGER:
        step = 1.0
    units = np.clip(np.round(numbers / step), -_FURTHEST, _FURTHEST).astype(np.int64)
    precise = None
    if column.precision is not None and column.kind in (Kind.INTEGER, Kind.DECIMAL):
        precise = column.precision - (column.scale or 0) + max(digits, 0)
    mint = fit_mint(units, rows, step, column.bits, precise)
    if column.kind is Kind.TIME:
        return replace(mint, limit=int(_DAY / mint.step) - 1, least=0)
    return mint


def _provided(
    column: Column, values: pa.Array, decision: Decision, unique: bool, k: int, streams: Fitting
) -> Provided:
    provider = PROVIDERS[decision.provider or "text"]
    state = provider.fit(column, values, unique=unique, locale=streams.locale, k=k)
    avoid = None
    told = provider.name in NAME_PARTS or (provider.name in PUBLIC and not _nearly_unique(values))
    if not pa.types.is_integer(values.type) and not told:
        avoid = AvoidList.of(values, streams.key("avoid", column.name) & 0xFFFF_FFFF)
    if provider.name in RESERVED and not _meets(provider, state, values):
        avoid = None  # a redraw would give the column another person than the rest of its row
    return Provided(provider.name, state, avoid)


def _nearly_unique(values: pa.Array) -> bool:
    """Whether values hardly repeat, so that one of them says which row it is of."""
    known = values.drop_null()
    return bool(pc.count_distinct(known).as_py() > _HARDLY * len(known))


def _meets(provider: Provider, state: State, values: pa.Array) -> bool:
    """Whether drawn values, though from a reserved range, occur in the source, as test data do."""
    drawn = provider.draw(state, np.arange(_TRIAL_DRAWS, dtype=np.uint64), key=1)
    folded = [pc.utf8_lower(as_text(array)) for array in (drawn, values.drop_null())]
    return bool(pc.any(pc.is_in(*folded)).as_py())


def _renamed(
    column: Column, values: pa.Array, sources: Sequence[Provided], k: int, streams: Fitting,
    table: Table,
) -> Category:  # fmt: skip
    """A category whose every value gets a new name.

    Args:
        sources: What draws the names: as long as it lasts the first, which may repeat itself.
    """
    category = fit_category(column, values, k)
    needed = len(category.vocabulary)
    countries = sources[0].provider == "country" and all(map(place_named, category.vocabulary))
    if countries:  # that k rows share: they give nobody away, and other columns may show them
        return category
    key = streams.key("renamed", table.name, column.name)
    names: dict[str, None] = {}
    for provided in sources:
        index = np.arange(needed * _NAMES_DRAWN, dtype=np.uint64)
        provider = PROVIDERS[provided.provider]
        span = 1 << len(index).bit_length()
        drawn = draw_avoiding(provider, provided.state, index, key, provided.avoid, span)
        names |= dict.fromkeys(str(name) for name in drawn.to_pylist())
        if len(names) >= needed:
            break
    known = streams.names.setdefault(sources[0].provider, {})
    return replace(category, shown=_shared(column, values, category.vocabulary, list(names), known))


def _shared(
    column: Column, values: pa.Array, vocabulary: Sequence[str], names: Sequence[str],
    known: dict[str, str],
) -> tuple[str, ...]:  # fmt: skip
    """A new name for every value: the one it has in other columns, else one that none has yet.

    Args:
        names: Names to choose from.
        known: Names by case-folded values; new ones are added.
    """
    real = {text.casefold() for text in pc.unique(as_text(values)).drop_null().to_pylist()}
    taken, used, found = set(known.values()), set[str](), {}

    def usable(name: str) -> bool:
        short = column.length is None or len(name) <= column.length
        return short and name not in used and name.casefold() not in real

    for value in vocabulary:
        name = variant(known.get(value.strip().casefold(), ""), value)
        if name and usable(name):
            found[value] = name
            used.add(name)
    fresh = iter([*(n for n in names if n not in taken), *(n for n in names if n in taken)])
    for value in vocabulary:
        name = found.get(value) or next((n for n in fresh if n not in used), "")
        if not name:
            break
        found[value] = name
        used.add(name)
        known.setdefault(value.strip().casefold(), name)
    return tuple(found[value] for value in vocabulary if value in found)


def variant(name: str, value: str) -> str:
    """A name in the case of the value that it stands for, where that has one throughout."""
    if value.isupper():
        return name.upper()
    return name.lower() if value.islower() else name
