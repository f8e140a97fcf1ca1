"""The schema of a database as frozen values: tables, columns, keys and constraints.

Pure data.  Nothing here opens a connection; `dbsynth.databases` reads a `Schema` from a server.
Keys are tuples of column names everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any


class Kind(StrEnum):
    """What the values of a column are, and with them the Arrow type that carries them.

    ============ ==========================================================
    integer      int64 (also decimals without fraction digits that fit)
    decimal      float64, rounded to ``Column.scale`` digits
    float        float64
    boolean      bool
    text         string
    enum         string, one of ``Column.choices``
    uuid         string
    json         string (the document as text)
    array        string (the array literal of the database)
    date         date32
    time         time64[us]
    timestamp    timestamp[us], without zone or in UTC
    interval     duration[us]
    bytes        binary
    other        string (the type's own text form)
    ============ ==========================================================
    """

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    ENUM = "enum"
    UUID = "uuid"
    JSON = "json"
    ARRAY = "array"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INTERVAL = "interval"
    BYTES = "bytes"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the database declares it.

    Attributes:
        name: Its name, unquoted.
        kind: What its values are.
        sql_type: The type as the database writes it, such as ``character varying(40)``; for a
            domain the domain's name.
        base_type: The type without domain constraints, fit for a scratch table; ``sql_type`` where
            there is no domain.
        nullable: Whether NULL may stand in it (a NOT NULL domain is not nullable).
        length: Longest text in characters, or None.
        precision: Digits of a decimal; for times the digits of a second's fraction (0-6).
        scale: Digits after the point of a decimal, or None where unlimited.
        bits: Width of an integer type in bits (16, 32, 64), or None.
        choices: Values of an enumeration, in its own order.
        generated: Whether the database computes it from other columns (then it is never written).
        default: Whether a default exists.
        identity: Whether the database numbers it (serial, identity, AUTOINCREMENT, rowid alias).
        zoned: Whether a timestamp carries a time zone.
        text_format: Shape of dates and times that are stored as text (SQLite), such as
            ``YYYY-MM-DD HH:MM:SS``; else empty.
    """

    name: str
    kind: Kind
    sql_type: str
    base_type: str = ""
    nullable: bool = True
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    bits: int | None = None
    choices: tuple[str, ...] = ()
    generated: bool = False
    default: bool = False
    identity: bool = False
    zoned: bool = False
    text_format: str = ""


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A primary key, UNIQUE constraint or unique index.

    Attributes:
        columns: Every column that takes part, those inside expressions included.
        expressions: SQL of each key part, as the database writes it, where at least one part is not
            a plain column; else empty.
        where: SQL predicate of a partial index, or None.
        where_columns: Columns that the predicate mentions.
        nulls_equal: Whether two NULLs count as equal (NULLS NOT DISTINCT).
    """

    columns: tuple[str, ...]
    name: str = ""
    expressions: tuple[str, ...] = ()
    where: str | None = None
    where_columns: tuple[str, ...] = ()
    nulls_equal: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is a key over columns, for all rows."""
        return not self.expressions and self.where is None


@dataclass(frozen=True, slots=True)
class Check:
    """A Boolean SQL expression that no row may make false (CHECK, domain or partition bound)."""

    name: str
    sql: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An EXCLUDE constraint: no two rows may compare true on all parts.

    Attributes:
        parts: SQL expression and operator of each part.
    """

    name: str
    parts: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    where: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference from child columns to the columns of a key of the parent.

    Attributes:
        child, parent: Table names as in `Table.name`.
        nullable: Whether at least one of the child's columns may be NULL.
        full: Whether it is MATCH FULL (all columns NULL, or none).
        declared: False for a virtual foreign key, which the catalog does not know.
    """

    child: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    nullable: bool = False
    deferrable: bool = False
    full: bool = False
    declared: bool = True

    def __str__(self) -> str:
        return f"{self.child}({', '.join(self.columns)}) -> {self.parent}"

    @property
    def anchored(self) -> frozenset[str]:
        """Columns of a self-reference that refer to themselves: the tenant of a tree of tenants.

        Nothing gives them a value; rows refer only to rows that are equal in them.
        """
        if self.child != self.parent:
            return frozenset()
        pairs = zip(self.columns, self.parent_columns, strict=True)
        return frozenset(mine for mine, theirs in pairs if mine == theirs)

    @property
    def given(self) -> frozenset[str]:
        """The columns whose values come from the parent."""
        return frozenset(self.columns) - self.anchored


@dataclass(frozen=True)
class Table:
    """A base table.  Partitions are part of their root and do not appear on their own.

    Attributes:
        name: Display name and key: ``namespace.bare``, or ``bare`` in the default namespace.
        uniques: Unique keys other than the primary key.
    """

    name: str
    bare: str
    namespace: str | None
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    uniques: tuple[UniqueKey, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    @cached_property
    def column_by_name(self) -> Mapping[str, Column]:
        """Columns by their names."""
        return {column.name: column for column in self.columns}

    @cached_property
    def keys(self) -> tuple[UniqueKey, ...]:
        """All unique keys, the primary key first."""
        primary = (UniqueKey(self.primary_key, "primary key"),) if self.primary_key else ()
        return primary + self.uniques

    @cached_property
    def written(self) -> tuple[Column, ...]:
        """Columns that are written when rows are loaded: all but the generated ones."""
        return tuple(column for column in self.columns if not column.generated)

    def foreign_columns(self) -> frozenset[str]:
        """Columns whose values come from the parents under foreign keys."""
        return frozenset(name for fk in self.foreign_keys for name in fk.given)

    @cached_property
    def anchored(self) -> frozenset[str]:
        """Own columns in which rows that refer to each other are equal."""
        return (
            frozenset(c for fk in self.foreign_keys for c in fk.anchored) - self.foreign_columns()
        )


@dataclass(frozen=True)
class Schema:
    """The tables of a database.

    Attributes:
        notes: What the reflection left out or could not understand, a sentence each.
        others: Name and sort of what has columns but is no table to fill: views, foreign tables,
            partitions.
    """

    tables: tuple[Table, ...]
    notes: tuple[str, ...] = field(default=())
    others: tuple[tuple[str, str], ...] = field(default=())

    @cached_property
    def table_by_name(self) -> Mapping[str, Table]:
        """Tables by their names."""
        return {table.name: table for table in self.tables}

    def __getitem__(self, name: str) -> Table:
        return self.table_by_name[name]

    @cached_property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """All foreign keys, in the order of the tables."""
        return tuple(fk for table in self.tables for fk in table.foreign_keys)

    def referenced_keys(self, name: str) -> tuple[tuple[str, ...], ...]:
        """The column tuples of a table that foreign keys refer to, each once, sorted."""
        return tuple(sorted({fk.parent_columns for fk in self.foreign_keys if fk.parent == name}))

    def to_json(self) -> dict[str, Any]:
        """The schema as JSON-able values; `from_json` is its inverse."""
        return {
            "tables": [asdict(table) for table in self.tables],
            "notes": list(self.notes),
            "others": [list(other) for other in self.others],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Schema:
        """The schema that `to_json` wrote."""
        return cls(
            tuple(_table(t) for t in value["tables"]),
            tuple(value["notes"]),
            tuple((name, what) for name, what in value.get("others", ())),
        )


def _table(value: Mapping[str, Any]) -> Table:
    return Table(
        value["name"],
        value["bare"],
        value["namespace"],
        tuple(
            Column(**{**c, "kind": Kind(c["kind"]), "choices": tuple(c["choices"])})
            for c in value["columns"]
        ),
        tuple(value["primary_key"]),
        tuple(UniqueKey(**_tuples(u)) for u in value["uniques"]),
        tuple(ForeignKey(**_tuples(f)) for f in value["foreign_keys"]),
        tuple(Check(**_tuples(c)) for c in value["checks"]),
        tuple(
            Exclusion(**{**_tuples(e), "parts": tuple(tuple(p) for p in e["parts"])})
            for e in value["exclusions"]
        ),
    )


def _tuples(value: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
