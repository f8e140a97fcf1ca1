"""What remains once the rows are loaded: sequences, materialized views, planner statistics."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Any

import psycopg

from dbsynth.databases.postgresql.catalog import NOT_OF_EXTENSION, USER_NAMESPACE
from dbsynth.databases.postgresql.connect import Connection, command, explain, rows, value
from dbsynth.databases.postgresql.names import quote
from dbsynth.errors import LoadError

# Sequences with the columns that draw from them: identities and serials own theirs, other defaults
# depend on one.  A partition's rows are counted with its root.
_SEQUENCES = """
WITH drawn AS (
  SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid::int2 AS number
  FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  UNION
  SELECT d.refobjid, a.adrelid, a.adnum
  FROM pg_depend d JOIN pg_attrdef a ON a.oid = d.objid
  JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
  WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
)
SELECT q.seqrelid::int8, q.seqincrement < 0, q.seqmin, q.seqmax,
  format('%I.%I', n.nspname, c.relname), a.attname, c.relkind = 'p'
FROM drawn JOIN pg_sequence q ON q.seqrelid = drawn.sequence
JOIN pg_class c ON c.oid = drawn.relation JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = drawn.number AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND coalesce(b.typname, t.typname) IN ('int2', 'int4', 'int8', 'numeric', 'float4', 'float8')
ORDER BY 1, 5, 6
"""

_VIEWS = f"""
SELECT c.oid::int8, c.relkind, format('%I.%I', n.nspname, c.relname),
  ARRAY(SELECT DISTINCT d.refobjid::int8 FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
    WHERE r.ev_class = c.oid ORDER BY 1)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND {USER_NAMESPACE} AND {NOT_OF_EXTENSION} ORDER BY 3
"""

_TABLES = f"""
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
  AND (c.relkind <> 'm' OR c.relispopulated) AND {USER_NAMESPACE} AND {NOT_OF_EXTENSION} ORDER BY 1
"""


def set_sequences(connection: Connection) -> None:
    """Set every sequence past the values that stand in the columns it feeds."""
    drawn: dict[tuple[Any, ...], list[str]] = {}
    for number, descending, least, most, table, column, whole in rows(connection, _SEQUENCES):
        last = "min" if descending else "max"
        origin = table if whole else f"ONLY {table}"
        query = f"SELECT {last}({quote(column)})::numeric AS last FROM {origin}"
        drawn.setdefault((number, last, least, most), []).append(query)
    for (number, last, least, most), queries in drawn.items():
        # An empty table leaves its sequence at the start, as no row comes out of the WHERE.
        bounded = f"least(greatest({last}(last), {least}), {most})::int8"
        command(
            connection,
            f"SELECT pg_catalog.setval({number}::oid::regclass, bounded) FROM"
            f" (SELECT {bounded} AS bounded, count(last) AS found"
            f" FROM ({' UNION ALL '.join(queries)}) AS each) AS whole WHERE found > 0",
        )


def refresh_views(connection: Connection, unpopulated: Iterable[str]) -> None:
    """Refresh materialized views, those first that others are built on.

    Raises:
        LoadError: A view cannot be refreshed; names it.
    """
    left = frozenset(unpopulated)
    views = {row[0]: (row[1], row[2], row[3]) for row in rows(connection, _VIEWS)}
    for number in _ordered({n: [d for d in view[2] if d in views] for n, view in views.items()}):
        kind, name, _ = views[number]
        if kind == "m" and name not in left:
            try:
                command(connection, f"REFRESH MATERIALIZED VIEW {name}")
            except psycopg.Error as error:
                raise LoadError(
                    f"Materialized view {name} cannot be refreshed: {explain(error)}"
                ) from None


def _ordered(parents: dict[int, list[int]]) -> list[int]:
    try:
        return list(TopologicalSorter(parents).static_order())
    except CycleError:  # only plain views can be woven into a circle, by hand-made rules
        return list(parents)


def analyze(connection: Connection) -> None:
    """Gather planner statistics of every table."""
    names = [name for (name,) in rows(connection, _TABLES)]
    if names:
        command(connection, f"ANALYZE {', '.join(names)}")


def mute_event_triggers(connection: Connection) -> None:
    """Keep the clone's own event triggers from firing at our statements, where we may."""
    if value(connection, "SELECT current_setting('is_superuser')") == "on":
        command(connection, "SET session_replication_role = replica")
