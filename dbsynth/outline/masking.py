"""Real rows in a clone: which of their columns are replaced, generalised or left as they are.

A row that is masked or chosen is a real one.  Keys are numbered anew and follow their links, so
that no key joins the clone with production.  Direct identifiers, texts and what nobody knows come
from the same providers as in invented rows.  Categories and quasi-identifiers go through their
codes: values that too few rows share become others, numbers and times move inside their bin.  What
remains as it is are quantities and times that tell nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbsynth.classify import Decision, Exposure, Role
from dbsynth.model import REAL, ColumnModel, TableFacts
from dbsynth.outline.unreviewed import DECIDED_BY, unreviewed
from dbsynth.rules import Rule
from dbsynth.rules.follows import Follows
from dbsynth.rules.formula import Formula
from dbsynth.rules.implied import Implied
from dbsynth.rules.order import Order
from dbsynth.schema import Kind, Schema, Table

_AS_THEY_ARE = (Role.QUANTITY, Role.TIME, Role.CONSTANT)
_KEYS = (Role.KEY, Role.REFERENCE, Role.GENERATED)


def quasi(decision: Decision) -> bool:
    """Whether values of a column may name somebody together with others."""
    return decision.exposure is Exposure.QUASI and decision.role not in _KEYS


def _direct(decision: Decision) -> bool:
    """Whether values of a column name somebody by themselves."""
    return decision.exposure is Exposure.DIRECT or decision.role is Role.IDENTIFIER


def identifying(
    decisions: Mapping[str, Decision], proposed: Mapping[str, Decision]
) -> Iterator[tuple[str, str]]:
    """Columns that may identify somebody, in the eyes of the user or of the proposal, and how."""
    for name, decision in decisions.items():
        if decision.decided_by == DECIDED_BY:  # no value of it comes through
            continue
        said = (decision, proposed.get(name, decision))
        if any(map(_direct, said)):
            yield name, "a direct identifier"
        elif any(map(quasi, said)):
            yield name, "a quasi-identifier"


def streamed(table: Table, facts: TableFacts) -> tuple[str, ...]:
    """The columns whose values come into the clone as they are in the source."""
    if facts.strategy not in REAL:
        return ()
    return tuple(
        name for name, model in facts.columns.items()
        if name not in table.foreign_columns() and _plain(model)
        and (model.decision.role in _AS_THEY_ARE or _counts(table, name))
        and not quasi(model.decision)
    )  # fmt: skip


def renumbered(table: Table, facts: TableFacts) -> tuple[str, ...]:
    """Parts of keys whose numbers come back in other rows, so that equal ones stay equal."""
    kept = streamed(table, facts)
    return tuple(
        name for name, model in facts.columns.items()
        if name not in kept and name not in table.foreign_columns() and _plain(model)
        and model.decision.role is Role.KEY and table.column_by_name[name].kind is Kind.INTEGER
    )  # fmt: skip


def _counts(table: Table, name: str) -> bool:
    """Whether a number counts rows inside of something else, as the lines of an invoice."""
    foreign, kind = table.foreign_columns(), table.column_by_name[name].kind
    return kind is Kind.INTEGER and any(
        key.plain and name in key.columns and set(key.columns) & foreign for key in table.keys
    )


def _plain(model: ColumnModel) -> bool:
    """Whether nothing but a codec, or nothing at all, stands for the values of a column."""
    made = (model.provided, model.mint, model.ranked, model.structure)
    return all(one is None for one in made) and not unreviewed(model)


def breakers(schema: Schema, tables: Mapping[str, TableFacts], rule: Rule) -> tuple[str, ...]:
    """The tables of real rows that may break a rule, as no row of them is changed for it.

    A rule about what is as in the source, in rows that are all there, holds as it does there: all
    rows of a masked table are, and those of a subset with all that they refer to.
    """
    named = {place[0] for place in rule.places} | {rule.table}
    named |= {name for key in rule.keys for name in (key.child, key.parent)}
    kept = {name: streamed(schema[name], tables[name]) for name in named}
    upwards = isinstance(rule, Order) or (isinstance(rule, Formula) and rule.within)
    whole = REAL if upwards or isinstance(rule, Follows | Implied) else ("mask",)
    if tables[rule.table].strategy not in REAL or (
        all(column in kept[name] for name, column in rule.places)
        and all(tables[name].strategy in whole for name in named)
    ):
        return ()
    return tuple(sorted(name for name in named if tables[name].strategy in REAL))


def told(table: Table, facts: TableFacts, rows: int) -> str:
    """What became of the real rows of a table, in a sentence."""
    kept = streamed(table, facts)
    replaced: list[str] = []
    shifted: list[str] = []
    for name, model in facts.columns.items():
        if name in table.foreign_columns() or name in kept:
            continue
        numbered = model.mint is not None or model.provided is not None
        numbered |= name in renumbered(table, facts)
        (replaced if numbered or model.structure is not None else shifted).append(name)
    parts = [
        f"{what}: {', '.join(names)}"
        for what, names in (
            ("replaced", replaced), ("generalised", shifted), ("as in the source", kept),
        )
        if names
    ]  # fmt: skip
    return f"{table.name}: {rows} REAL rows, masked ({'; '.join(parts) or 'links only'})"
