"""Cutting a forest of tables into pieces that HMA accepts: five tables at most, of two levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import networkx as nx

MOST_TABLES = 5


@dataclass(frozen=True)
class Piece:
    """A table with some of the tables under it."""

    parent: str
    children: tuple[str, ...]


def pieces(parents: Mapping[str, str], tables: Iterable[str]) -> tuple[Piece, ...]:
    """The pieces of a forest, every link in one of them, those higher up first.

    A forest that HMA accepts is one piece for each tree.

    Args:
        parents: The parent of every table that has one.
        tables: All tables; those without any link are in no piece.
    """
    forest = nx.DiGraph()
    forest.add_nodes_from(tables)
    forest.add_edges_from((parent, child) for child, parent in parents.items())
    found = []
    for name in nx.lexicographical_topological_sort(forest):
        children = sorted(forest.successors(name))
        step = MOST_TABLES - 1
        found += [Piece(name, tuple(children[i : i + step])) for i in range(0, len(children), step)]
    return tuple(found)
