"""From the catalog to a `Schema`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dbsynth.databases.postgresql.catalog import (
    Attribute,
    Catalog,
    Constraint,
    Index,
    Relation,
    fetch,
)
from dbsynth.databases.postgresql.connect import Connection, command
from dbsynth.databases.postgresql.names import mentioned, quote, replace_word
from dbsynth.databases.postgresql.partitions import bound_check, leaf_checks
from dbsynth.databases.postgresql.types import CatalogType, type_kind
from dbsynth.schema import (
    Check,
    Column,
    Exclusion,
    ForeignKey,
    Kind,
    Schema,
    Table,
    UniqueKey,
)

DEFAULT_NAMESPACE = "public"
_OTHERS = {"f": "foreign table", "v": "view", "m": "materialized view"}


def reflect(connection: Connection) -> Schema:
    """The schema, as the transaction of the connection sees it."""
    with connection.transaction(force_rollback=True):  # gives the search path back
        command(connection, "SET LOCAL search_path = ''")
        catalog = fetch(connection)
    return _Reflection(catalog).schema()


@dataclass
class _Reflection:
    catalog: Catalog
    notes: list[str] = field(default_factory=list)

    def schema(self) -> Schema:
        relations = self.catalog.relations.values()
        for relation in relations:
            if relation.kind == "f":
                self.notes.append(f"Foreign table `{_name(relation)}` is created without rows")
        tables = [self._table(r) for r in relations if r.kind in "rp" and not r.is_partition]
        others = [(_name(r), _what(r)) for r in relations if r.kind not in "rp" or r.is_partition]
        return Schema(tuple(tables), tuple(self.notes), tuple(others))

    def _table(self, relation: Relation) -> Table:
        columns = tuple(self._column(a) for a in self.catalog.attributes.get(relation.oid, ()))
        primary, uniques = self._keys(relation)
        return Table(
            _name(relation),
            relation.name,
            relation.namespace,
            columns,
            primary,
            uniques,
            self._foreign_keys(relation, {c.name: c.nullable for c in columns}),
            self._checks(relation),
            self._exclusions(relation),
        )

    # Columns

    def _column(self, attribute: Attribute) -> Column:
        chain = self._domains(attribute.type)
        base = self.catalog.types.get(chain[-1].base if chain else attribute.type, _COMPOSITE)
        modifier = chain[-1].modifier if chain else attribute.modifier
        kind, attributes = type_kind(base, modifier)
        if kind is Kind.ENUM:
            attributes["choices"] = self.catalog.labels.get(base.oid, ())
        numbered = bool(attribute.identity) or bool(attribute.numbered)
        generated = bool(attribute.generated)
        return Column(
            attribute.name,
            kind,
            attribute.type_text,
            (chain[-1].base_text or "") if chain else attribute.type_text,
            nullable=not (attribute.not_null or any(d.not_null for d in chain)),
            generated=generated,
            default=(attribute.has_default or numbered) and not generated,
            identity=numbered,
            **attributes,
        )

    def _domains(self, type_number: int) -> tuple[CatalogType, ...]:
        chain = []
        found = self.catalog.types.get(type_number, _COMPOSITE)
        while found.is_domain:
            chain.append(found)
            found = self.catalog.types.get(found.base, _COMPOSITE)
        return tuple(chain)

    # Unique keys and exclusions

    def _keys(self, relation: Relation) -> tuple[tuple[str, ...], tuple[UniqueKey, ...]]:
        primary: tuple[str, ...] = ()
        uniques: list[UniqueKey] = []
        for index in self._unique_indexes(relation.oid):
            key = self._unique(index)
            if index.is_primary:
                primary = key.columns
            else:
                uniques.append(key)
        for key in self._leaf_keys(relation):
            same = [u for u in uniques if replace(u, name="") == replace(key, name="")]
            if not same and not (key.plain and key.columns == primary):
                uniques.append(key)
        return primary, tuple(uniques)

    def _unique_indexes(self, oid: int) -> list[Index]:
        temporal = {c.index for c in self.catalog.constraints_by_relation.get(oid, ()) if c.period}
        indexes = self.catalog.indexes_by_relation.get(oid, ())
        return [i for i in indexes if i.is_unique and i.oid not in temporal]

    def _leaf_keys(self, relation: Relation) -> list[UniqueKey]:
        """Keys that every partition has, although the root declares none."""
        leaves = self.catalog.leaves(relation.oid)
        keys_by_leaf = [[self._unique(i) for i in self._unique_indexes(leaf)] for leaf in leaves]
        if not keys_by_leaf:
            return []
        others = [{replace(key, name="") for key in keys} for keys in keys_by_leaf[1:]]
        return [k for k in keys_by_leaf[0] if all(replace(k, name="") in keys for keys in others)]

    def _unique(self, index: Index) -> UniqueKey:
        all_columns = self.catalog.column_names(index.relation)
        columns = list(self.catalog.names(index.relation, index.key[: index.key_length]))
        for part in index.parts:
            columns += [name for name in mentioned(part, all_columns) if name not in columns]
        where_columns = mentioned(index.where, all_columns) if index.where else ()
        return UniqueKey(
            tuple(columns), index.name, index.parts, index.where, where_columns, index.nulls_equal
        )

    def _exclusions(self, relation: Relation) -> tuple[Exclusion, ...]:
        found = []
        for constraint in self.catalog.constraints_by_relation.get(relation.oid, ()):
            index = self.catalog.index_by_oid.get(constraint.index)
            if index is None or not (constraint.type == "x" or constraint.period):
                continue
            parts = tuple(zip(index.parts, constraint.operators, strict=True))
            columns = self._unique(index).columns
            found.append(Exclusion(constraint.name, parts, columns, index.where))
        return tuple(found)

    # Checks

    def _checks(self, relation: Relation) -> tuple[Check, ...]:
        found = [
            self._check(c)
            for c in self.catalog.constraints_by_relation.get(relation.oid, ())
            if c.type == "c" and c.enforced and c.sql
        ]
        for attribute in self.catalog.attributes.get(relation.oid, ()):
            found += self._domain_checks(attribute)
        if relation.kind == "p":
            found += leaf_checks(self.catalog, relation.oid)
            bounds = bound_check(self.catalog, relation.oid)
            found += [bounds] if bounds else []
        return tuple(found)

    def _check(self, constraint: Constraint) -> Check:
        sql = constraint.sql or ""
        columns = self.catalog.names(constraint.relation, constraint.key or ())
        if not columns and ".*" in sql:  # a reference to the whole row
            columns = self.catalog.column_names(constraint.relation)
        return Check(constraint.name, sql, columns)

    def _domain_checks(self, attribute: Attribute) -> list[Check]:
        return [
            Check(
                c.name, replace_word(c.sql or "", "VALUE", quote(attribute.name)), (attribute.name,)
            )
            for domain in self._domains(attribute.type)
            for c in self.catalog.constraints_by_domain.get(domain.oid, ())
            if c.type == "c" and c.sql
        ]

    # Foreign keys

    def _foreign_keys(
        self, relation: Relation, nullable_by_name: dict[str, bool]
    ) -> tuple[ForeignKey, ...]:
        found: dict[ForeignKey, None] = {}
        for oid in (relation.oid, *self.catalog.leaves(relation.oid)):
            for constraint in self.catalog.constraints_by_relation.get(oid, ()):
                if constraint.type == "f" and not constraint.parent:
                    key = self._foreign_key(relation, constraint, nullable_by_name)
                    found.update({key: None} if key else {})
        return tuple(found)

    def _foreign_key(
        self, relation: Relation, constraint: Constraint, nullable_by_name: dict[str, bool]
    ) -> ForeignKey | None:
        label = f"Foreign key `{constraint.name}` of `{_name(relation)}`"
        if constraint.parent_relation not in self.catalog.relations:
            self.notes.append(f"{label} refers to a table that is left out")
            return None
        if constraint.period or not constraint.enforced:
            why = "compares periods" if constraint.period else "is not enforced"
            self.notes.append(f"{label} {why} and is not modelled")
            return None
        columns = self.catalog.names(constraint.relation, constraint.key)
        parent = self.catalog.relations[self.catalog.root(constraint.parent_relation)]
        if parent.oid != constraint.parent_relation:
            self.notes.append(f"{label} refers to one partition of `{_name(parent)}`")
        return ForeignKey(
            _name(relation),
            columns,
            _name(parent),
            self.catalog.names(constraint.parent_relation, constraint.parent_key),
            nullable=any(nullable_by_name[name] for name in columns),
            deferrable=constraint.deferrable,
            full=constraint.match == "f",
        )


_COMPOSITE = CatalogType(0, "", "", "c", "C", 0, -1, False, 0, None)


def _what(relation: Relation) -> str:
    return "partition" if relation.is_partition else _OTHERS[relation.kind]


def _name(relation: Relation) -> str:
    if relation.namespace == DEFAULT_NAMESPACE and "." not in relation.name:
        return relation.name
    return f"{relation.namespace}.{relation.name}"
