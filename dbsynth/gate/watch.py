"""One pass over the rows of a table for all who want to see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from dbsynth.databases.base import Database
from dbsynth.model import Model
from dbsynth.schema import Table


class Watcher(Protocol):
    """Sees the rows of a database, table by table, parents before their families."""

    def columns(self, table: Table) -> frozenset[str]:
        """The columns that it wants to see of a table."""

    def look(self, table: Table, values: Mapping[str, pa.Array]) -> None:
        """See a batch of rows: the wanted columns, and perhaps others."""


def in_order(model: Model) -> tuple[Table, ...]:
    """The tables, generating parents first."""
    place = {name: i for i, name in enumerate(model.plan.order)}
    return tuple(sorted(model.schema.tables, key=lambda table: place.get(table.name, -1)))


def show(database: Database, table: Table, watchers: Sequence[Watcher]) -> None:
    """Let all see the rows of a table, in one pass."""
    wanted = [watcher.columns(table) for watcher in watchers]
    columns = sorted(frozenset[str]().union(*wanted))
    for batch in database.scan(table, columns) if columns else ():
        values = dict(zip(columns, batch.columns, strict=True))
        for watcher, mine in zip(watchers, wanted, strict=True):
            if mine:
                watcher.look(table, values)
