"""The catalog of a PostgreSQL database, fetched with a handful of queries.

The search path is empty while these run, so that the server prints every name with its namespace
and the expressions mean the same in any session.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dbsynth.databases.postgresql.connect import Connection, rows
from dbsynth.databases.postgresql.types import CatalogType

USER_NAMESPACE = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema')"
    " AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'"
)
NOT_OF_EXTENSION = (
    "NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_class'::regclass"
    " AND e.objid = c.oid AND e.deptype = 'e')"
)

_RELATIONS = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition,
  CASE WHEN c.relispartition
    THEN (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid LIMIT 1) END,
  pg_get_partition_constraintdef(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
  AND {USER_NAMESPACE} AND {NOT_OF_EXTENSION}
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""

_ATTRIBUTES = """
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity,
  a.attgenerated, a.atthasdef, format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.atthasdef AND a.attgenerated = ''
    THEN pg_get_expr(d.adbin, d.adrelid) LIKE '%%nextval(%%' END
FROM pg_attribute a
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_TYPES = """
SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, t.typbasetype, t.typtypmod,
  t.typnotnull, t.typelem,
  CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype <> 'c'
"""

_LABELS = "SELECT enumtypid, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder"

# Newer columns are read through JSON, so that one query serves all versions.
_CONSTRAINTS = """
SELECT c.oid, c.conname, c.contype, c.conrelid, c.contypid, c.conkey, c.confrelid, c.confkey,
  c.confmatchtype, c.condeferrable, c.conindid, c.conparentid, c.coninhcount,
  CASE WHEN c.contype = 'c' THEN pg_get_expr(c.conbin, c.conrelid) END,
  ARRAY(SELECT CASE WHEN n.nspname = 'pg_catalog' THEN o.oprname
      ELSE format('OPERATOR(%%I.%%s)', n.nspname, o.oprname) END
    FROM unnest(c.conexclop) WITH ORDINALITY AS used (oid, place)
    JOIN pg_operator o ON o.oid = used.oid JOIN pg_namespace n ON n.oid = o.oprnamespace
    ORDER BY place),
  coalesce((to_jsonb(c)->>'conenforced')::boolean, true),
  coalesce((to_jsonb(c)->>'conperiod')::boolean, false)
FROM pg_constraint c
WHERE c.contype IN ('c', 'f', 'x', 'p', 'u') AND (c.conrelid = ANY(%s) OR c.contypid <> 0)
ORDER BY c.conrelid, c.contypid, c.conname COLLATE "C", c.oid
"""

_INDEXES = """
SELECT i.indexrelid, i.indrelid, x.relname, i.indisprimary, i.indisunique, i.indkey::int2[],
  i.indnkeyatts,
  CASE WHEN i.indexprs IS NOT NULL OR i.indisexclusion THEN
    ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, false)
      FROM generate_series(1, i.indnkeyatts) AS k ORDER BY k) END,
  pg_get_expr(i.indpred, i.indrelid),
  coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false)
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
WHERE i.indrelid = ANY(%s) AND i.indisvalid AND (i.indisunique OR i.indisexclusion)
ORDER BY i.indrelid, x.relname COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A row of pg_class; ``bound`` is the condition of a partition."""

    oid: int
    namespace: str
    name: str
    kind: str
    is_partition: bool
    parent: int | None
    bound: str | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """A row of pg_attribute with its default; ``numbered`` if a sequence is that default."""

    relation: int
    number: int
    name: str
    type: int
    modifier: int
    not_null: bool
    identity: str
    generated: str
    has_default: bool
    type_text: str
    numbered: bool | None


@dataclass(frozen=True, slots=True)
class Constraint:
    """A row of pg_constraint."""

    oid: int
    name: str
    type: str
    relation: int
    domain: int
    key: tuple[int, ...]
    parent_relation: int
    parent_key: tuple[int, ...]
    match: str
    deferrable: bool
    index: int
    parent: int
    inherited: int
    sql: str | None
    operators: tuple[str, ...]
    enforced: bool
    period: bool


@dataclass(frozen=True, slots=True)
class Index:
    """A row of pg_index: a unique index, or that of an exclusion."""

    oid: int
    relation: int
    name: str
    is_primary: bool
    is_unique: bool
    key: tuple[int, ...]
    key_length: int
    parts: tuple[str, ...]
    where: str | None
    nulls_equal: bool


@dataclass(frozen=True)
class Catalog:
    """What the queries above returned, by object number."""

    relations: Mapping[int, Relation]
    attributes: Mapping[int, tuple[Attribute, ...]]
    types: Mapping[int, CatalogType]
    labels: Mapping[int, tuple[str, ...]]
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]

    @cached_property
    def constraints_by_relation(self) -> Mapping[int, list[Constraint]]:
        """Table constraints by the table."""
        return _grouped(self.constraints, "relation")

    @cached_property
    def constraints_by_domain(self) -> Mapping[int, list[Constraint]]:
        """Domain constraints by the domain."""
        return _grouped(self.constraints, "domain")

    @cached_property
    def indexes_by_relation(self) -> Mapping[int, list[Index]]:
        """Unique and exclusion indexes by the table."""
        return _grouped(self.indexes, "relation")

    @cached_property
    def index_by_oid(self) -> Mapping[int, Index]:
        """Indexes by their own number."""
        return {index.oid: index for index in self.indexes}

    @cached_property
    def partitions(self) -> Mapping[int, list[int]]:
        """Direct partitions by the partitioned table, in the order of their names."""
        found: dict[int, list[int]] = defaultdict(list)
        for relation in self.relations.values():
            if relation.is_partition and relation.parent is not None:
                found[relation.parent].append(relation.oid)
        return found

    def root(self, oid: int) -> int:
        """The partitioned table a partition belongs to in the end, or the table itself."""
        parent = self.relations[oid].parent
        while parent is not None and parent in self.relations:
            oid, parent = parent, self.relations[parent].parent
        return oid

    def leaves(self, root: int) -> tuple[int, ...]:
        """The partitions of a table that hold rows."""
        found: list[int] = []
        for child in self.partitions.get(root, ()):
            found.extend(self.leaves(child) if self.relations[child].kind == "p" else (child,))
        return tuple(found)

    def names(self, relation: int, numbers: Iterable[int]) -> tuple[str, ...]:
        """Column names by their numbers (0 and system columns have none)."""
        name_by_number = {a.number: a.name for a in self.attributes[relation]}
        return tuple(name_by_number[n] for n in numbers if n in name_by_number)

    def column_names(self, relation: int) -> tuple[str, ...]:
        """All columns of a relation."""
        return tuple(a.name for a in self.attributes.get(relation, ()))


def fetch(connection: Connection) -> Catalog:
    """The catalog, as the transaction of the connection sees it."""
    relations = {row[0]: Relation(*row) for row in rows(connection, _RELATIONS)}
    numbers = [list(relations)]
    attributes: dict[int, list[Attribute]] = defaultdict(list)
    for row in rows(connection, _ATTRIBUTES, numbers):
        attributes[row[0]].append(Attribute(*row))
    labels: dict[int, list[str]] = defaultdict(list)
    for type_number, label in rows(connection, _LABELS):
        labels[type_number].append(label)
    return Catalog(
        relations,
        {relation: tuple(found) for relation, found in attributes.items()},
        {row[0]: CatalogType(*row) for row in rows(connection, _TYPES)},
        {type_number: tuple(found) for type_number, found in labels.items()},
        tuple(Constraint(*map(_frozen, row)) for row in rows(connection, _CONSTRAINTS, numbers)),
        tuple(Index(*_index(row)) for row in rows(connection, _INDEXES, numbers)),
    )


def _index(row: tuple[Any, ...]) -> tuple[Any, ...]:
    values = [_frozen(value) for value in row]
    values[7] = values[7] or ()
    return tuple(values)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _grouped(items: Iterable[Any], attribute: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for item in items:
        found[getattr(item, attribute)].append(item)
    return found
