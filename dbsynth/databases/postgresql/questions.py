"""The questions of verification as SQL.  Each counts offending rows."""

from __future__ import annotations

from dbsynth.databases.postgresql.names import quote
from dbsynth.schema import Check, ForeignKey, UniqueKey


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
