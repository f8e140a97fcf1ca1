"""References by value that no key declares: a login in an audit log, an e-mail in a mailing list.

Where all identifiers of a column are those of persons of another table, the column refers to it as
by a foreign key.  The clone then has the same person in both, by position, and neither the model
nor the clone holds a real value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Role
from dbsynth.codec import as_text
from dbsynth.databases.base import Database
from dbsynth.model import TableFacts
from dbsynth.schema import ForeignKey, Kind, Schema, Table

_NAMING = frozenset({"user_name", "email", "full_name", "phone", "national_id", "iban", "card",
                     "plate", "pattern"})  # fmt: skip
_ROLES = (Role.IDENTIFIER, Role.RENAMED, Role.TEXT)
_SAMPLE = 100_000
_FEWEST = 8  # different values: fewer may be the same by chance
_CONTAINED = 0.95
_SHORTEST = 5  # characters: shorter codes may be the same by chance
_DEEPEST = 3


@dataclass(frozen=True)
class _Identifiers:
    """The values of a column, in memory while links are looked for."""

    table: Table
    column: str
    provider: str
    values: pa.Array  # different ones
    distinct: bool
    whole: bool  # whether the sample held the whole table


def with_links(
    database: Database, schema: Schema, tables: Mapping[str, TableFacts], seed: int
) -> tuple[Schema, tuple[str, ...]]:
    """The schema with a virtual foreign key for every link by value, and notes on them."""
    found: list[ForeignKey] = []
    subjects = list(_identifiers(database, schema, tables, seed))
    subjects.sort(key=lambda it: (-len(it.values), -tables[it.table.name].rows, it.table.name))
    for number, child in enumerate(subjects):
        for parent in subjects[:number]:
            if _is_link(child, parent) and not _related(schema, child.table, parent.table):
                fk = ForeignKey(
                    child.table.name, (child.column,), parent.table.name, (parent.column,),
                    nullable=child.table.column_by_name[child.column].nullable, declared=False,
                )  # fmt: skip
                orphans = database.count_orphans(fk)
                if orphans <= (1 - _CONTAINED) * tables[child.table.name].rows:
                    found.append(fk)
                    break
    linked = tuple(
        replace(t, foreign_keys=(*t.foreign_keys, *(fk for fk in found if fk.child == t.name)))
        for t in schema.tables
    )
    notes = tuple(
        f"{fk.child}.{fk.columns[0]} holds values of {fk.parent}.{fk.parent_columns[0]}, "
        "so it refers to it in the clone"
        for fk in found
    )
    return Schema(linked, schema.notes), notes


def _identifiers(
    database: Database, schema: Schema, tables: Mapping[str, TableFacts], seed: int
) -> Iterator[_Identifiers]:
    columns = {t.name: _naming(t, tables[t.name]) for t in schema.tables}
    several = {p for p in _NAMING if sum(p in named.values() for named in columns.values()) > 1}
    for table in schema.tables:
        wanted = [name for name, p in columns[table.name].items() if p in several]
        if not wanted:
            continue
        sample = database.sample(table, wanted, _SAMPLE, seed)
        for name in wanted:
            present = as_text(sample[name].combine_chunks()).drop_null()
            values = pc.unique(present)
            shortest = pc.min(pc.utf8_length(values)).as_py() or 0
            if len(values) >= _FEWEST and shortest >= _SHORTEST:
                whole = tables[table.name].rows <= _SAMPLE
                yield _Identifiers(
                    table, name, columns[table.name][name], values, len(values) == len(present),
                    whole,
                )  # fmt: skip


def _naming(table: Table, facts: TableFacts) -> dict[str, str]:
    """Columns that name somebody or something and are in no key, with their providers."""
    if facts.strategy != "synthesize":
        return {}
    return {
        name: model.decision.provider
        for name, model in facts.columns.items()
        if model.decision.provider in _NAMING
        and model.decision.role in _ROLES
        and table.column_by_name[name].kind is Kind.TEXT
        and name not in table.foreign_columns()
        and name not in table.primary_key
        and model.structure is None
    }


def _is_link(child: _Identifiers, parent: _Identifiers) -> bool:
    if child.table.name == parent.table.name or child.provider != parent.provider:
        return False
    if not parent.distinct:
        return False
    inside = int(pc.sum(pc.is_in(child.values, parent.values)).as_py() or 0)
    if child.whole and parent.whole:
        return inside >= _CONTAINED * len(child.values)
    return inside >= _FEWEST  # the server counts the rest


def _related(schema: Schema, child: Table, parent: Table) -> bool:
    """Whether foreign keys lead from one to the other: then siblings know what they share."""
    seen, ahead = {child.name}, [child]
    for _ in range(_DEEPEST):
        ahead = [schema[fk.parent] for t in ahead for fk in t.foreign_keys if fk.parent not in seen]
        seen |= {table.name for table in ahead}
    back, above = {parent.name}, [parent]
    for _ in range(_DEEPEST):
        above = [schema[fk.parent] for t in above for fk in t.foreign_keys if fk.parent not in back]
        back |= {table.name for table in above}
    return parent.name in seen or child.name in back
