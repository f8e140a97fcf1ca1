"""Partitioned tables: what holds on their partitions, told as facts of the root."""

from __future__ import annotations

import re

from dbsynth.databases.postgresql.catalog import Catalog
from dbsynth.databases.postgresql.names import mentioned
from dbsynth.schema import Check

# The bound of a hash partition names the table by its number, which another database does not
# share.  Its arguments are plain columns, or it is left alone.
_HASH = re.compile(
    r"(?:pg_catalog\.)?satisfies_hash_partition\('\d+'::oid, \d+, \d+"
    r"(?:, (?:\"(?:[^\"]|\"\")*\"|[\w$]+))*\)"
)


def bound_check(catalog: Catalog, root: int) -> Check | None:
    """The condition that a row fits some partition; None where every row does."""
    bounds = _bounds(catalog, root)
    if bounds is None or not bounds:
        return None
    sql = " OR ".join(f"({bound})" for bound in bounds)
    columns = mentioned(sql, catalog.column_names(root))
    return Check("partition bounds", sql, columns) if columns else None


def leaf_checks(catalog: Catalog, root: int) -> tuple[Check, ...]:
    """CHECK constraints that only some partition has, bound to the rows of that partition."""
    found = []
    for leaf in catalog.leaves(root):
        bound = catalog.relations[leaf].bound
        for constraint in catalog.constraints_by_relation.get(leaf, ()):
            own = constraint.type == "c" and not constraint.inherited and constraint.enforced
            if not own or constraint.sql is None:
                continue
            outside = _portable(bound) if bound else None
            if bound and outside is None:
                continue
            sql = f"NOT ({outside}) OR ({constraint.sql})" if outside else constraint.sql
            name = f"{catalog.relations[leaf].name}.{constraint.name}"
            found.append(Check(name, sql, mentioned(sql, catalog.column_names(root))))
    return tuple(found)


def _bounds(catalog: Catalog, root: int) -> list[str] | None:
    bounds = []
    for leaf in catalog.leaves(root):
        bound = catalog.relations[leaf].bound
        if bound is None:
            return None  # a default partition without siblings takes every row
        if leaf in catalog.partitions[root] and _is_default(bound):
            return None
        portable = _portable(bound)
        if portable is None or portable == "true":
            return None
        bounds.append(portable)
    return bounds


def _is_default(bound: str) -> bool:
    return bound.startswith(("(NOT ", "NOT "))


def _portable(bound: str) -> str | None:
    text = _HASH.sub("true", bound)
    return None if "satisfies_hash_partition" in text else text
