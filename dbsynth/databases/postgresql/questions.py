"""Questions as SQL: those of verification count offending rows, others what is read in part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dbsynth.databases.part import Drawn, Part, conditions
from dbsynth.databases.postgresql.names import quote
from dbsynth.schema import Check, ForeignKey, UniqueKey

COUNT = "\x1fcount"  # no column has this name


def orphans(key: ForeignKey, child: str, parent: str) -> str:
    """Rows of the child that refer to no parent; under MATCH FULL also half-null references."""
    names = [f"c.{quote(name)}" for name in key.columns]
    pairs = zip(names, key.parent_columns, strict=True)
    equal = " AND ".join(f"{name} = p.{quote(other)}" for name, other in pairs)
    missing = f"NOT EXISTS (SELECT FROM {parent} AS p WHERE {equal})"
    known = " AND ".join(f"{name} IS NOT NULL" for name in names)
    wrong = f"({known} AND {missing})"
    if key.full and len(names) > 1:
        some = " OR ".join(f"{name} IS NOT NULL" for name in names)
        wrong += f" OR (({some}) AND NOT ({known}))"
    return f"SELECT count(*) FROM {child} AS c WHERE {wrong}"


def duplicates(key: UniqueKey, origin: str) -> str:
    """Rows beyond the first of each value of a unique key."""
    parts = key.expressions or [quote(name) for name in key.columns]
    where = [f"({key.where})"] if key.where else []
    if not key.nulls_equal:
        where += [f"({part}) IS NOT NULL" for part in parts]
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    listed = ", ".join(f"({part})" for part in parts)
    groups = f"SELECT count(*) AS n FROM {origin}{condition} GROUP BY {listed} HAVING count(*) > 1"
    return f"SELECT coalesce(sum(n - 1), 0)::int8 FROM ({groups}) AS repeated"


def nulls(column: str, origin: str) -> str:
    """Rows with NULL in a column."""
    return f"SELECT count(*) FROM {origin} WHERE {quote(column)} IS NULL"


def failing(check: Check, origin: str) -> str:
    """Rows that make a condition false (unknown is allowed, as in a CHECK)."""
    return f"SELECT count(*) FROM {origin} WHERE NOT ({check.sql})"


def rows(origin: str) -> str:
    """All rows."""
    return f"SELECT count(*) FROM {origin}"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A `dbsynth.databases.part.Dialect`.

    Attributes:
        origin: A table, by its name, behind FROM.
    """

    origin: Callable[[str], str]

    def quote(self, name: str) -> str:
        """A column's name."""
        return quote(name)

    def hashed(self, drawn: Drawn) -> str:
        """The server's hash of the key as text, or of the place where a row is stored."""
        key = ", ".join(map(quote, drawn.columns)) or "tableoid, ctid"
        text = f'ROW({key})::text COLLATE "C"'
        return f"((hashtextextended({text}, {drawn.seed % 2**63}) >> 1) & {2**62 - 1})"


def children(key: ForeignKey, parents: Part | None, dialect: Postgres) -> str:
    """References and the number of rows that hold each."""
    names = ", ".join(map(quote, key.columns))
    known = " AND ".join(f"{quote(name)} IS NOT NULL" for name in key.columns)
    if parents is not None:
        own = names if len(key.columns) == 1 else f"({names})"
        theirs = ", ".join(map(quote, key.parent_columns))
        chosen = " UNION ALL ".join(
            f"SELECT {theirs} FROM {dialect.origin(key.parent)} WHERE {condition}"
            for condition in conditions(parents, dialect)
        )
        known += f" AND {own} IN ({chosen})"
    origin = dialect.origin(key.child)
    count = f"count(*) AS {quote(COUNT)}"
    return f"SELECT {names}, {count} FROM {origin} WHERE {known} GROUP BY {names}"


def degrees(key: ForeignKey, dialect: Postgres, *, orphans: bool) -> str:
    """Numbers of children, and of parents that have so many.

    Args:
        orphans: Whether references may lead nowhere.
    """
    names = ", ".join(f"c.{quote(name)}" for name in key.columns)
    known = " AND ".join(f"c.{quote(name)} IS NOT NULL" for name in key.columns)
    pairs = zip(key.columns, key.parent_columns, strict=True)
    same = " AND ".join(f"p.{quote(theirs)} = c.{quote(mine)}" for mine, theirs in pairs)
    if orphans:
        known += f" AND EXISTS (SELECT FROM {dialect.origin(key.parent)} AS p WHERE {same})"
    origin = dialect.origin(key.child)
    counted = f"SELECT count(*) AS n FROM {origin} AS c WHERE {known} GROUP BY {names}"
    return f"SELECT n, count(*) FROM ({counted}) AS counted GROUP BY n ORDER BY n"


def present(columns: Sequence[str], origin: str) -> str:
    """Rows with a value in each column."""
    return f"SELECT {', '.join(f'count({quote(name)})' for name in columns)} FROM {origin}"


def values(columns: Sequence[str], origin: str) -> str:
    """Each value of each column, beside NULL in the others, and its number of rows."""
    names = ", ".join(map(quote, columns))
    sets = ", ".join(f"({quote(name)})" for name in columns)
    count = f"count(*) AS {quote(COUNT)}"
    return f"SELECT {names}, {count} FROM {origin} GROUP BY GROUPING SETS ({sets})"
