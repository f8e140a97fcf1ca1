"""A part of a table: the rows of chosen entities, or those that chosen rows refer to.

A part is a value; each kind of database writes it as SQL and tests it on the server, so that rows
outside are never sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dbsynth.schema import ForeignKey

_RANGE = 2**62  # hashes of keys lie below


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows whose hashed key falls into a share of all hashes; same seed, same keys, every night.

    Attributes:
        columns: The key; empty where there is none, then the place at which a row is stored.
        low, high: The share, as two numbers between 0 and 1.
    """

    table: str
    columns: tuple[str, ...]
    low: float
    high: float
    seed: int

    @property
    def limits(self) -> tuple[int, int]:
        """The least hash that is in, and the least above that is not."""
        return round(self.low * _RANGE), round(self.high * _RANGE)


@dataclass(frozen=True, slots=True)
class Under:
    """Rows whose parent lies in a part; a row without a parent is an entity of its own.

    Attributes:
        alone: Which rows without a parent; None where every row has one.
    """

    key: ForeignKey
    parent: Part
    alone: Drawn | None = None


@dataclass(frozen=True, slots=True)
class Referred:
    """Rows that the rows of a part of a child table refer to; of the whole child where None."""

    key: ForeignKey
    child: Part | None


@dataclass(frozen=True, slots=True)
class Ancestors:
    """Rows on the way up a self-reference from the rows of a part."""

    key: ForeignKey
    rows: Part


@dataclass(frozen=True, slots=True)
class Both:
    """Rows that lie in two parts of one table."""

    one: Part
    other: Part


Part = Drawn | Under | Referred | Ancestors | Both


class Dialect(Protocol):
    """How a kind of database writes names and hashes."""

    def quote(self, name: str) -> str:
        """A column's name."""

    def origin(self, table: str) -> str:
        """A table behind FROM."""

    def hashed(self, drawn: Drawn) -> str:
        """An expression between 0 and 2 to the 62 over the key of a row."""


def conditions(part: Part, dialect: Dialect) -> list[str]:
    """Conditions behind WHERE that exclude each other and together hold for the rows of a part.

    Each is a conjunction, so that a planner can join where a disjunction would make it loop.
    """
    match part:
        case Drawn():
            low, high = part.limits
            if low <= 0 and high >= _RANGE:
                return ["1 = 1"]
            found = dialect.hashed(part)
            return [f"{found} >= {low} AND {found} < {high}"]
        case Under():
            mine = _row(part.key.columns, dialect)
            keys = _rows_of(part.key.parent, part.key.parent_columns, part.parent, dialect)
            inside = [f"{mine} IN ({keys})"]
            if part.alone is not None:
                missing = " OR ".join(f"{dialect.quote(c)} IS NULL" for c in part.key.columns)
                inside += [f"({missing}) AND {c}" for c in conditions(part.alone, dialect)]
            return inside
        case Referred():
            theirs = _row(part.key.parent_columns, dialect)
            return [
                f"{theirs} IN ({_rows_of(part.key.child, part.key.columns, part.child, dialect)})"
            ]
        case Ancestors():
            return [_ancestors(part, dialect)]
        case Both():
            others = conditions(part.other, dialect)
            return [f"{a} AND {b}" for a in conditions(part.one, dialect) for b in others]


def _row(columns: Sequence[str], dialect: Dialect) -> str:
    names = ", ".join(map(dialect.quote, columns))
    return f"({names})" if len(columns) > 1 else names


def _rows_of(table: str, columns: Sequence[str], part: Part | None, dialect: Dialect) -> str:
    """A query of some columns of the rows of a part."""
    names = ", ".join(map(dialect.quote, columns))
    query = f"SELECT {names} FROM {dialect.origin(table)}"
    if part is None:
        return query
    return " UNION ALL ".join(f"{query} WHERE {c}" for c in conditions(part, dialect))


def _ancestors(part: Ancestors, dialect: Dialect) -> str:
    key = part.key
    names = [f"k{i}" for i in range(len(key.columns))]
    up = ", ".join(f"t.{dialect.quote(c)}" for c in key.columns)
    pairs = zip(key.parent_columns, names, strict=True)
    same = " AND ".join(f"t.{dialect.quote(c)} = up.{name}" for c, name in pairs)
    return (
        f"{_row(key.parent_columns, dialect)} IN (WITH RECURSIVE up ({', '.join(names)}) AS ("
        f"SELECT * FROM ({_rows_of(key.child, key.columns, part.rows, dialect)}) AS first UNION "
        f"SELECT {up} FROM up JOIN {dialect.origin(key.child)} AS t ON {same}) SELECT * FROM up)"
    )
