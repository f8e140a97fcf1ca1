"""Leaves of documents as columns: the key above is their table, those beside are neighbours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dbsynth.schema import Column, Table

_INDEX = re.compile(r"\[\d*\]|\{\}")


def leaf_table(name: str, owner: str, path: str, leaves: Mapping[str, Column]) -> Table:
    """The table in whose place an object of a document stands, with one of its leaves first.

    Args:
        name: What the table is to be called.
        owner: The column that holds the documents.
        path: Of the leaf, as ``$.customer.contacts[].mail:string``.
        leaves: All leaves of the documents, by their paths.
    """
    above = _above(path)
    leaf = leaves[path]
    beside = {
        other.name: other
        for where, other in leaves.items()
        if _above(where) == above and other.name != leaf.name
    }
    key = above.rpartition(".")[2]
    return Table(name, owner if key in ("", "$") else key, None, (leaf, *beside.values()))


def _above(path: str) -> str:
    """The path of the object in which a leaf stands, without places in arrays."""
    return _INDEX.sub("", path.partition(":")[0]).rpartition(".")[0]
