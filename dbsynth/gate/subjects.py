"""Which values of the source must not come back, and in which columns of the clone.

What a model says of a column is all that is asked: its role, and how its values come about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dbsynth.classify import Exposure, Role
from dbsynth.model import NAME_PARTS, ColumnModel, Model, TableFacts, name_parts
from dbsynth.outline.unreviewed import unreviewed
from dbsynth.schema import Column, Kind, Table

_VAGUE = frozenset(
    {*NAME_PARTS, "name_title", "job", "company", "city", "region", "country", "postcode",
     "street_extra", "text", "label", "json", "xml", "array", "tsvector", "bytes", "by_type",
     "cidr"}
)  # fmt: skip
"""Providers whose values tell of nobody outside of their column: words that many share, and what is
taken apart.  Any provider that is not in this list is a direct identifier's."""
_CODES = frozenset({"pattern", "digits"})
"""Providers of codes, which tell of somebody where they hardly repeat."""

_READABLE = (Kind.TEXT, Kind.ENUM, Kind.UUID, Kind.JSON, Kind.ARRAY, Kind.OTHER, Kind.BYTES)
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
_PERSONAL = (Role.IDENTIFIER, Role.RENAMED)


@dataclass(frozen=True, slots=True)
class Subject:
    """Values of one table that were to be invented.

    Attributes:
        columns: The column, or the parts of a name, which are judged together.
        part: The part of a structured column.
        direct: Whether they are a direct identifier: not one may come back in their own column.
        roaming: Whether they are looked for in all columns of the clone.
        ordered: Whether the parts of a name may also stand the other way round.
        number: Whether they are numbers, which a blind draw may hit.
    """

    table: str
    columns: tuple[str, ...]
    part: str | None = None
    direct: bool = False
    roaming: bool = False
    number: bool = False

    @property
    def name(self) -> str:
        """The subject as a finding names it."""
        inside = f" ({self.part})" if self.part else ""
        return f"{self.table}.{'+'.join(self.columns)}{inside}"


def subjects_of(model: Model) -> tuple[Subject, ...]:
    """All values of the source that must not come back."""
    return tuple(
        subject
        for table in model.schema.tables
        if _made(model.tables[table.name])
        for subject in _of_table(table, model.tables[table.name])
    )


def _made(facts: TableFacts) -> bool:
    return facts.strategy not in ("copy", "empty", "skip") and facts.rows > 0


def _of_table(table: Table, facts: TableFacts) -> Iterator[Subject]:
    parts = name_parts(facts)
    if len(parts) > 1:
        yield Subject(table.name, parts, direct=True, roaming=True)
    for name, model in facts.columns.items():
        column = table.column_by_name[name]
        foreign = name in table.foreign_columns()
        counted = model.serial is not None  # like numbers of a key: any clone has the same
        if not (foreign or column.generated or counted or unreviewed(model)):  # never read
            yield from _of_column(table, column, model)


def _of_column(table: Table, column: Column, model: ColumnModel) -> Iterator[Subject]:
    role, provider = model.decision.role, model.decision.provider or ""
    named = (column.name,)
    for part, piece in model.pieces.items():
        if _telling(piece.model):
            yield Subject(table.name, named, part, roaming=True)
    if provider in NAME_PARTS and role in _PERSONAL:
        return
    minted = model.mint is not None and not model.mint.dense
    number = column.kind in _NUMBERS
    if minted and (number or column.kind is Kind.TEXT):
        yield Subject(
            table.name,
            named,
            number=True,
            roaming=role is Role.IDENTIFIER and provider not in _VAGUE,
        )
    elif (column.kind in _READABLE or number) and (_invented(model) or role in _PERSONAL):
        personal = role is Role.IDENTIFIER and provider not in _VAGUE and not number
        yield Subject(table.name, named, direct=personal, roaming=_telling(model), number=number)


def _invented(model: ColumnModel) -> bool:
    """Whether values are made as a whole.

    What is put together from learnt parts may meet a real value as a number may: each part is one
    that enough entities share, or a subject of its own.
    """
    return model.provided is not None and model.structure is None


def _telling(model: ColumnModel) -> bool:
    """Whether values tell of somebody wherever they stand."""
    role, provider = model.decision.role, model.decision.provider
    direct = model.decision.exposure is Exposure.DIRECT
    if provider in _CODES:
        return direct or role is Role.IDENTIFIER
    return provider not in _VAGUE and (direct or role in _PERSONAL)


def searched(table: Table) -> tuple[Column, ...]:
    """The columns of a clone's table that are searched; keys to other tables hold their keys."""
    foreign = table.foreign_columns()
    return tuple(
        column
        for column in table.columns
        if column.name not in foreign
        and (column.kind in _READABLE or (column.kind in _NUMBERS and column.bits != 16))
    )
