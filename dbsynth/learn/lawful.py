"""The rules of a source: mined from the rows that were read, or those that the spec wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from dbsynth.classify import Role
from dbsynth.codec import Formatted, Naming, Number, fit_number, k_threshold, parse_form
from dbsynth.diamonds import Path
from dbsynth.errors import SpecError
from dbsynth.graph import shared_columns
from dbsynth.model import LEFT_OUT, MADE, REAL, ColumnModel, Ledger, TableFacts
from dbsynth.outline import Outline
from dbsynth.outline.unreviewed import unreviewed
from dbsynth.read import Rows, reorder
from dbsynth.read.quantities import quantities_of, truth_of
from dbsynth.rules import Data, Kept, Place, choose, mine
from dbsynth.rules.balance import Balance
from dbsynth.rules.contiguous import Contiguous
from dbsynth.rules.follows import Follows
from dbsynth.rules.formula import Formula
from dbsynth.rules.implied import NOT_ZERO, SOME, ZERO, Implied
from dbsynth.rules.order import Order
from dbsynth.rules.path import Closed
from dbsynth.rules.ranks import Ranks
from dbsynth.schema import ForeignKey, Kind, Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)


def with_rules(plan: Outline, rows: dict[str, Rows], links: dict[ForeignKey, Int64]) -> Outline:
    """The outline with the rules to keep: those mined, or those of the spec.

    What they settle alone leaves the rows.  Rows of one moment are put in the order of their
    balances.
    """
    data = data_of(plan, rows, links)
    rules, notes = choose(mine(data), plan.wanted, data)
    _refuse_idle(plan, rules)
    plan = replace(plan, rules=rules, notes=plan.notes + notes)
    plan = _with_ledgers(plan, rows, data)
    if _put_in_turn(plan, rows, links, data):
        data = data_of(plan, rows, links)
    plan = without_derived(plan, rows, data)
    _give_to_families(plan, rows, data)
    return plan


def _refuse_idle(plan: Outline, rules: Iterable[Kept]) -> None:
    """Refuse rules of the spec that no row of the source is a case of.

    Of tables without rows, and of columns that nobody may look at, nothing can be said.

    Raises:
        SpecError: There are such rules.
    """
    idle = [
        f"rule `{kept.rule}` matches no row of the source"
        for kept in rules
        if kept.declared and not kept.of and not any(map(partial(_unseen, plan), kept.rule.places))
    ]
    if idle:
        raise SpecError("; ".join(idle), hint="strike or mend these rules of the spec")


def _unseen(plan: Outline, place: Place) -> bool:
    facts = plan.tables[place[0]]
    model = facts.columns.get(place[1])
    blind = model is not None and unreviewed(model)
    return blind or not facts.rows or facts.strategy in LEFT_OUT


def _give_to_families(plan: Outline, rows: Mapping[str, Rows], data: Data) -> None:
    """Give all siblings the end of the last, or the balance of the first.

    The others' follow from rules.  So the model learns one value for a family, and whichever row
    comes out last, or first, has it.
    """
    found = []
    for kept in plan.rules:
        if isinstance(kept.rule, Contiguous):
            found.append((kept.rule.end, kept.rule.last(data)))
        elif isinstance(kept.rule, Balance) and _ledger_of(plan, kept.rule) is None:
            found.append((kept.rule.total, kept.rule.first(data)))
    for (table, name), source in found:
        own = rows[table]
        if source is None or name not in own.codes or plan.tables[table].strategy in REAL:
            continue
        own.codes[name] = own.codes[name][source]
        for numbers in (own.times, own.numbers):
            if name in numbers:
                numbers[name] = numbers[name][source]


def _with_ledgers(plan: Outline, rows: Mapping[str, Rows], data: Data) -> Outline:
    """The outline where balances are added up while their families are drawn, if these are read."""
    tables = dict(plan.tables)
    for rule in (kept.rule for kept in plan.rules):
        if not isinstance(rule, Balance) or not rule.signs or not _can_run(plan, rows, rule, data):
            continue
        facts, kind = tables[rule.table], None if rule.kind is None else rule.kind[1]
        overdrawn = rule.overdrawn(data)
        ledger = Ledger(rule.amount[1], kind, rule.signs, rule.opening, round(overdrawn, 4))
        name = rule.total[1]
        columns = {**facts.columns, name: replace(facts.columns[name], ledger=ledger)}
        tables[rule.table] = replace(facts, columns=columns)
    return replace(plan, tables=tables)


def _can_run(plan: Outline, rows: Mapping[str, Rows], rule: Balance, data: Data) -> bool:
    """Whether balance and amount are numbers that are drawn with the families of the rule."""
    table, facts = rule.table, plan.tables[rule.table]
    if plan.plan.generating.get(table) != rule.key or table in plan.reading.thinned:
        return False
    if facts.strategy != "synthesize" or rows[table].own < rows[table].count:
        return False
    drawn = [place[1] for place in (rule.total, rule.amount, rule.kind) if place is not None]
    total = data.numbers(rule.total)
    return (
        total is not None
        and not np.isnan(total).any()
        and all(name in rows[table].codes and not facts.columns[name].derived for name in drawn)
        and all(isinstance(facts.columns[name].codec, Number) for name in drawn[:2])
    )


def _ledger_of(plan: Outline, rule: Balance) -> Ledger | None:
    return plan.tables[rule.table].columns[rule.total[1]].ledger


def _put_in_turn(
    plan: Outline, rows: dict[str, Rows], links: dict[ForeignKey, Int64], data: Data
) -> bool:
    """Let rows of one moment change places so that balances follow; returns whether any did."""
    changed = False
    for rule in (kept.rule for kept in plan.rules):
        if not isinstance(rule, Balance) or _ledger_of(plan, rule) is None:
            continue
        chain, resolved = rule.chain(data), rule.resolved(data)
        if chain is None or resolved is None or (chain[0] == resolved[0]).all():
            continue
        order = np.empty(len(chain[0]), np.int64)
        order[chain[0]] = resolved[0]
        reorder(plan.schema, rule.table, order, rows, links)
        changed = True
    return changed


def without_derived(plan: Outline, rows: Mapping[str, Rows], data: Data) -> Outline:
    """The outline where columns that follow from their own row and its parents are not drawn.

    Their presence is drawn where they are NULL beside known columns; where they have a value beside
    a NULL they are drawn as ever, and computed only where they can be.
    """
    tables = dict(plan.tables)
    for kept in plan.rules:
        rule = kept.rule
        if not isinstance(rule, Formula) or not rule.within:
            continue
        table, name = rule.target
        own, wanted = data.numbers(rule.target), rule.expression.value(data)
        if own is None or wanted is None or tables[table].strategy != "synthesize":
            continue
        missing, unknown = np.isnan(own), np.isnan(np.broadcast_to(wanted, own.shape))
        if (unknown & ~missing).any():
            continue
        mixed = bool((missing & ~unknown).any())
        columns = dict(tables[table].columns)
        columns[name] = replace(columns[name], derived=True, nulls=mixed)
        tables[table] = replace(tables[table], columns=columns)
        rows[table].times.pop(name, None)
        rows[table].codes.pop(name, None)
        if mixed:
            rows[table].codes[name] = (~missing).astype(np.uint16)
    return replace(plan, tables=tables)


def data_of(plan: Outline, rows: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]) -> Data:
    """The rows read, as rules see them."""
    quantities = {
        (name, column): quantity
        for name, facts in plan.tables.items()
        for column, quantity in quantities_of(plan.schema[name], facts).items()
    }
    return Data(
        plan.schema,
        {name: found.count for name, found in rows.items()},
        {name: found.numbers for name, found in rows.items()},
        {name: found.codes for name, found in rows.items()},
        links,
        {place: quantity.unit for place, quantity in quantities.items()},
        frozenset(p for p in quantities if plan.tables[p[0]].strategy in MADE),
        frozenset(place for place, quantity in quantities.items() if quantity.timed),
        plan.plan,
        {
            (name, c): unnamed
            for name, found in rows.items()
            for c, unnamed in found.unnamed.items()
        },
        dict(_truths(plan)),
        plan.reading.thinned,
        {name: found.own for name, found in rows.items()},
    )


def _truths(plan: Outline) -> Iterator[tuple[Place, tuple[int, int]]]:
    """The codes of true and false of every boolean column."""
    for name, facts in plan.tables.items():
        for column, model in facts.columns.items():
            codes = truth_of(plan.schema[name].column_by_name[column], model)
            if codes is not None:
                yield (name, column), codes


def with_named(plan: Outline, rows: Mapping[str, Rows]) -> Outline:
    """The outline where every value that a rule has to name has a code of its own."""
    tables = dict(plan.tables)
    for (name, column), named in _to_name(plan).items():
        facts, numbers = tables[name], rows[name].numbers.get(column)
        model = facts.columns.get(column)
        if numbers is None or model is None or not _has_bins(model):
            continue
        codec = _refitted(plan.schema[name], facts, column, numbers, named)
        columns = {**facts.columns, column: replace(model, codec=codec)}
        quantity = quantities_of(plan.schema[name], facts)[column]
        rows[name].codes[column] = codec.encode(quantity.values(numbers))
        tables[name] = replace(facts, columns=columns)
    return replace(plan, tables=tables)


def followed(plan: Outline) -> dict[ForeignKey, Path]:
    """The dealt keys that are not drawn but followed, and along which keys."""
    found: dict[ForeignKey, Path] = {}
    for kept in plan.rules:
        rule = kept.rule
        if not isinstance(rule, Closed) or rule.key not in plan.plan.dealt:
            continue
        shared = shared_columns(plan.schema[rule.table], rule.key)
        if not shared and rule.key not in found and not set(rule.path) & set(found):
            found[rule.key] = rule.path
    return found


def settled_times(plan: Outline) -> frozenset[Place]:
    """Columns that are coded by themselves, because rules speak of their values."""
    return frozenset(
        place for kept in plan.rules if isinstance(kept.rule, Follows) for place in kept.rule.places
    )


def spoken_of(plan: Outline) -> frozenset[Place]:
    """Columns whose codes rules speak of, or that rules settle."""
    found: set[Place] = set()
    for kept in plan.rules:
        rule = kept.rule
        if isinstance(rule, Formula):
            found.add(rule.target)
        elif not isinstance(rule, Order):
            found |= set(rule.places)
    return frozenset(found)


def drawn_quantities(
    table: Table, facts: TableFacts, rows: Rows, taken: frozenset[Place]
) -> Iterator[str]:
    """Columns of numbers that the engine draws by themselves: no key, order or rule settles them.

    Args:
        taken: Columns that rules speak of (`spoken_of`).
    """
    in_keys = {name for key in table.keys for name in key.columns} | table.foreign_columns()
    for column in table.written:
        model, name = facts.columns[column.name], column.name
        if (
            column.kind in _NUMBERS
            and model.decision.role is Role.QUANTITY
            and isinstance(model.codec, Number)
            and not model.derived
            and model.factor is None
            and name in rows.codes
            and name in rows.numbers
            and name not in in_keys
            and name not in facts.order
            and (table.name, name) not in taken
        ):
            yield name


def _to_name(plan: Outline) -> dict[Place, Naming]:
    """The columns whose values rules name: all of them, or 0."""
    found: dict[Place, Naming] = {}
    for kept in plan.rules:
        rule = kept.rule
        if isinstance(rule, Implied):
            if rule.state == ZERO:
                found.setdefault(rule.subject, _zero)
            if rule.says in (ZERO, NOT_ZERO):
                found.setdefault(rule.premise, _zero)
        if isinstance(rule, Ranks) and rule.zeros:
            found.setdefault(rule.place, _zero)
    for kept in plan.rules:
        rule = kept.rule
        if isinstance(rule, Follows | Ranks):
            found |= dict.fromkeys(rule.places, _every)
        elif isinstance(rule, Implied) and rule.says == SOME:
            found[rule.premise] = _every
    return found


def _every(numbers: Float64) -> Bool:
    return np.ones(len(numbers), bool)


def _zero(numbers: Float64) -> Bool:
    return np.asarray(numbers == 0)


def _number(model: ColumnModel) -> Number | None:
    codec = model.codec.number if isinstance(model.codec, Formatted) else model.codec
    return codec if isinstance(codec, Number) else None


def _has_bins(model: ColumnModel) -> bool:
    number = _number(model)
    return number is not None and bool(np.isnan(number.points).any())


def _refitted(
    table: Table, facts: TableFacts, column: str, numbers: Float64, named: Naming
) -> Number | Formatted:
    """The codec of a column with more codes for single values."""
    model, quantity = facts.columns[column], quantities_of(table, facts)[column]
    number = _number(model)
    assert number is not None
    values = quantity.values(numbers)
    values = parse_form(values, quantity.form) if quantity.form else values
    inner = replace(table.column_by_name[column], kind=number.kind)
    found = fit_number(inner, values, k_threshold(facts.rows), named)
    if named is _every:  # the few values that hardly any rows share become their neighbours
        single = ~np.isnan(found.points)
        found = replace(found, points=found.points[single], inner=found.inner[single])
    return Formatted(quantity.form, found) if isinstance(model.codec, Formatted) else found
