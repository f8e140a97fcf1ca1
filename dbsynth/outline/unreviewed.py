"""Columns that nobody has reviewed: made from their type alone.

Nothing that stands in such a column is looked at.  Its values are drawn from its declaration; a
foreign key with such a column is drawn as if children went evenly to whichever parents there are.
What remains are facts of the schema, and numbers of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.classify import Decision, Role
from dbsynth.graph import is_unique
from dbsynth.identifiers import PROVIDERS
from dbsynth.keys import fit_mint
from dbsynth.model import ColumnModel, Provided, TableFacts
from dbsynth.randomness import Streams, hashed
from dbsynth.schema import Check, Exclusion, ForeignKey, Kind, Schema, Table

DECIDED_BY = "default"
_REASON = "Nobody has reviewed it: made from its type alone"


def unreviewed(model: ColumnModel) -> bool:
    """Whether a column is made from its type alone."""
    return model.decision.decided_by == DECIDED_BY


def unreviewed_decision(table: Table, name: str, proposed: Decision) -> Decision:
    """The decision on a column that nobody has reviewed."""
    column = table.column_by_name[name]
    role = Role.OPAQUE
    if name in table.foreign_columns():
        role = Role.REFERENCE
    elif column.generated:
        role = Role.GENERATED
    elif any(name in key.columns for key in table.keys):
        role = Role.KEY
    provider = "from_type" if role in (Role.OPAQUE, Role.KEY) else None
    return replace(
        proposed, role=role, provider=provider, reason=_REASON, decided_by=DECIDED_BY,
        confidence=1.0, form="",
    )  # fmt: skip


def from_type(table: Table, name: str, decision: Decision, rows: int) -> ColumnModel:
    """How the values of a column come about of which only the declaration is known."""
    column = table.column_by_name[name]
    if name in table.foreign_columns():
        return ColumnModel(decision)
    in_key = any(name in key.columns for key in table.keys)
    if in_key and column.kind is Kind.INTEGER:
        none = np.zeros(0, np.int64)
        return ColumnModel(decision, mint=fit_mint(none, rows, 1.0, column.bits, column.precision))
    limits: tuple[Check | Exclusion, ...] = (*table.checks, *table.exclusions)
    constrained = any(name in limit.columns for limit in limits)
    if constrained and column.nullable:
        return ColumnModel(decision)  # NULL: who knows what the constraint lets through
    unique = in_key or is_unique(table, (name,))
    state = PROVIDERS["from_type"].fit(
        column, pa.nulls(0, pa.string()), unique=unique, locale="en_US", k=1
    )
    return ColumnModel(decision, provided=Provided("from_type", state))


def unreviewed_keys(schema: Schema, tables: Mapping[str, TableFacts]) -> Iterable[ForeignKey]:
    """The foreign keys that hold a column that nobody has reviewed."""
    for fk in schema.foreign_keys:
        columns = tables[fk.child].columns
        if any(name in columns and unreviewed(columns[name]) for name in fk.columns):
            yield fk


def even_links(fk: ForeignKey, children: int, parents: int) -> npt.NDArray[np.int64]:
    """A parent for every child, each as often as any other and in no order; -1 without parents."""
    if not parents:
        return np.full(children, -1, np.int64)
    key = Streams(0).key("even", str(fk))
    order = np.argsort(hashed(key, np.arange(parents)), kind="stable")
    return order[np.arange(children) % parents].astype(np.int64)
