"""The foreign-key graph and the plan that follows from it.

Every synthesised table has at most one *generating* foreign key: its rows are drawn family by
family under the rows of that parent.  The generating keys form a forest, whatever the graph looks
like.  All other foreign keys are *dealt* afterwards, when every row exists, so a cycle or a
self-reference is nothing special.  A foreign key to a copied table is a plain category: which row
of the copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import networkx as nx

from dbsynth.schema import ForeignKey, Schema, Table


@dataclass(frozen=True)
class Plan:
    """In which order tables are made, and how each foreign key is met.

    Attributes:
        order: Tables that get rows of their own, generating parents first.
        generating: The generating foreign key of each table that has one.
        lookups: Foreign keys to copied tables.
        dealt: All other foreign keys, in the order in which they are dealt.
        copied: Tables copied row by row.
        cycles: Groups of tables that refer to each other in a circle.
        carried: Foreign keys between tables of real rows, whose links are those of the source.
    """

    order: tuple[str, ...]
    generating: Mapping[str, ForeignKey]
    lookups: tuple[ForeignKey, ...]
    dealt: tuple[ForeignKey, ...]
    copied: tuple[str, ...]
    cycles: tuple[tuple[str, ...], ...]
    carried: tuple[ForeignKey, ...] = ()

    @cached_property
    def counted(self) -> Mapping[str, tuple[ForeignKey, ...]]:
        """Per parent, the foreign keys whose number of children is drawn with its rows."""
        keys: dict[str, list[ForeignKey]] = {name: [] for name in self.order}
        for fk in (*(self.generating[t] for t in self.order if t in self.generating), *self.dealt):
            keys[fk.parent].append(fk)
        return {name: tuple(found) for name, found in keys.items()}

    def dealt_of(self, table: str) -> tuple[ForeignKey, ...]:
        """The dealt foreign keys of a table."""
        return tuple(fk for fk in self.dealt if fk.child == table)

    def carried_of(self, table: str) -> tuple[ForeignKey, ...]:
        """The foreign keys of real rows to other real rows."""
        return tuple(fk for fk in self.carried if fk.child == table)

    def lookups_of(self, table: str) -> tuple[ForeignKey, ...]:
        """The foreign keys of a table to copied tables."""
        return tuple(fk for fk in self.lookups if fk.child == table)


def make_plan(
    schema: Schema,
    rows: Mapping[str, int],
    copied: Iterable[str] = (),
    unenforced: Iterable[ForeignKey] = (),
    generating: Mapping[str, ForeignKey] | None = None,
    real: Iterable[str] = (),
    leading: Iterable[ForeignKey] = (),
) -> Plan:
    """The plan of a schema.

    Args:
        rows: Rows per table; a larger parent makes the better generating key.
        copied: Tables whose rows are copied.
        unenforced: Foreign keys that the source itself does not keep; they are left alone.
        generating: The generating keys, where they are not to be chosen.
        real: Tables whose rows are real ones, masked; their rows hang under no drawn ones.
        leading: Foreign keys that are better generating keys than others of their tables.
    """
    kept, are_real = set(copied), set(real)
    left_alone = set(unenforced)
    synthesised = sorted(table.name for table in schema.tables if table.name not in kept)
    keys = [fk for fk in schema.foreign_keys if fk.child not in kept and fk not in left_alone]
    lookups = tuple(fk for fk in keys if fk.parent in kept)
    carried = tuple(fk for fk in keys if {fk.child, fk.parent} <= are_real)
    rest = [fk for fk in keys if fk.parent not in kept and fk not in carried]
    if generating is None:
        drawn = [fk for fk in rest if fk.child not in are_real]
        generating = _generating(schema, drawn, rows, frozenset(leading))
    chosen = set(generating.values())
    forest = nx.DiGraph()
    forest.add_nodes_from(synthesised)
    forest.add_edges_from((fk.parent, fk.child) for fk in generating.values())
    # Other keys' parents come before their children too, as far as the forest allows: then their
    # numbers of rows are known, and families can be kept within what unique keys allow.
    for fk in sorted(rest, key=lambda fk: (fk.nullable, fk.child, fk.columns)):
        if fk.parent != fk.child and not nx.has_path(forest, fk.child, fk.parent):
            forest.add_edge(fk.parent, fk.child)
    for fk in carried:  # values of keys are looked up in parents, so these are settled before
        if fk.parent != fk.child and not nx.has_path(forest, fk.child, fk.parent):
            forest.add_edge(fk.parent, fk.child)
    order = tuple(nx.lexicographical_topological_sort(forest))
    graph = _graph(synthesised, rest)
    dealt = [fk for fk in rest if fk not in chosen]
    return Plan(
        order,
        generating,
        lookups,
        tuple(sorted(dealt, key=_dealing_order(schema, graph))),
        tuple(sorted(kept)),
        tuple(
            sorted(tuple(sorted(c)) for c in nx.strongly_connected_components(graph) if len(c) > 1)
        ),
        carried,
    )


def _graph(names: Iterable[str], keys: Iterable[ForeignKey]) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from((fk.parent, fk.child) for fk in keys)
    return graph


def _generating(
    schema: Schema, keys: Iterable[ForeignKey], rows: Mapping[str, int],
    leading: frozenset[ForeignKey],
) -> dict[str, ForeignKey]:  # fmt: skip
    """The best foreign key of every table, as long as no table becomes its own ancestor."""
    chosen: dict[str, ForeignKey] = {}
    candidates = [fk for fk in keys if fk.parent != fk.child and rows.get(fk.parent, 0) > 0]
    for fk in sorted(candidates, key=lambda fk: _preference(schema, fk, rows, leading)):
        if fk.child in chosen:
            continue
        ancestor: str | None = fk.parent
        while ancestor is not None and ancestor != fk.child:
            ancestor = chosen[ancestor].parent if ancestor in chosen else None
        if ancestor is None:
            chosen[fk.child] = fk
    return chosen


def _preference(
    schema: Schema, fk: ForeignKey, rows: Mapping[str, int], leading: frozenset[ForeignKey]
) -> tuple[bool, bool, int, bool, int, str, tuple[str, ...]]:
    """Mandatory keys first, those that imply others or lead, then those to the largest parent."""
    table = schema[fk.child]
    implied = sum(set(other.columns) < set(fk.columns) for other in table.foreign_keys)
    return (
        fk.nullable,
        not is_unique(table, fk.columns),
        -implied,
        fk not in leading,
        -rows.get(fk.parent, 0),
        fk.parent,
        fk.columns,
    )


def _dealing_order(
    schema: Schema, graph: nx.MultiDiGraph
) -> Callable[[ForeignKey], tuple[bool, int, bool, str, int, tuple[str, ...], str]]:
    """Keys that share no column first; then by depth of the child, so that its parents are settled.

    Of keys that share columns the wider one comes first: it implies the narrower.
    """
    condensed = nx.condensation(nx.DiGraph(graph))
    depth: dict[str, int] = {}
    for level, components in enumerate(nx.topological_generations(condensed)):
        for component in components:
            for name in condensed.nodes[component]["members"]:
                depth[name] = level

    def order(fk: ForeignKey) -> tuple[bool, int, bool, str, int, tuple[str, ...], str]:
        shared = bool(shared_columns(schema[fk.child], fk))
        own = fk.parent == fk.child
        return shared, depth[fk.child], own, fk.child, -len(fk.columns), fk.columns, fk.parent

    return order


def shared_columns(table: Table, fk: ForeignKey) -> frozenset[str]:
    """Columns of a foreign key that belong to another foreign key too."""
    others = {name for other in table.foreign_keys if other != fk for name in other.columns}
    return frozenset(fk.columns) & others


def is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether a plain unique key lies within these columns."""
    return any(key.plain and set(key.columns) <= set(columns) for key in table.keys)
