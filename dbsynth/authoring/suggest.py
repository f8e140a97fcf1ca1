"""References that a database does not declare: suggested where names and values agree."""

from __future__ import annotations

from collections.abc import Iterator

from dbsynth.classify import Role
from dbsynth.classify.names import tokens_of
from dbsynth.databases.base import Database
from dbsynth.outline import Outline
from dbsynth.schema import Column, ForeignKey, Kind, Table

_KEY_WORDS = frozenset({"id", "no", "nr", "num", "number", "key", "code", "ref", "fk", "uuid"})
_KINDS = (Kind.INTEGER, Kind.TEXT, Kind.UUID)


def suggest_keys(database: Database, outline: Outline) -> tuple[ForeignKey, ...]:
    """Single columns that are named after another table and whose values all have a row there."""
    found = []
    for table in outline.schema.tables:
        if not outline.tables[table.name].rows:
            continue
        for column in _free(table, outline):
            for fk in _candidates(table, column, outline):
                if not database.count_orphans(fk):
                    found.append(fk)
                    break
    return tuple(found)


def _free(table: Table, outline: Outline) -> Iterator[Column]:
    """Columns that may refer to something: in no key of their own, and not always NULL."""
    models = outline.tables[table.name].columns
    for column in table.written:
        taken = column.name in table.foreign_columns() or column.name in table.primary_key
        constant = models[column.name].decision.role is Role.CONSTANT
        if column.kind in _KINDS and not taken and not constant:
            yield column


def _candidates(table: Table, column: Column, outline: Outline) -> Iterator[ForeignKey]:
    words = tokens_of(column.name)
    named = [word for word in words if word not in _KEY_WORDS]
    if len(named) == len(words) or not named:
        return
    for parent in outline.schema.tables:
        if len(parent.primary_key) != 1 or not outline.tables[parent.name].rows:
            continue
        key = parent.column_by_name[parent.primary_key[0]]
        if key.kind is column.kind and _singular(named) == _singular(tokens_of(parent.bare)):
            yield ForeignKey(
                table.name, (column.name,), parent.name, (key.name,), nullable=column.nullable,
                declared=False,
            )  # fmt: skip


def _singular(words: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Words without the ending of a plural."""
    last = words[-1] if words else ""
    for ending, instead in (("ies", "y"), ("ses", "s"), ("s", "")):
        if last.endswith(ending) and len(last) > len(ending) + 1:
            last = last.removesuffix(ending) + instead
            break
    return (*words[:-1], last)
