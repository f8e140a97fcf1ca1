"""The rows of entities, in memory: joined to their owners, and cut to the caps.

Everything here is row-wise or family-wise: what is kept of one entity depends on nothing but what
it owns, and on random numbers.  Rows that no entity owns (without a parent) are left out, as
nobody's budget pays for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dbsynth.databases.base import Database
from dbsynth.keys import canonical, rank_in_group
from dbsynth.schema import ForeignKey, Kind, Table

Int64 = npt.NDArray[np.int64]

_BUCKETS = 13  # 0, 1, 2-3, 4-7, and so on; the last one is open


@dataclass(frozen=True)
class Contents:
    """The rows of one table, siblings side by side.

    Attributes:
        rows: The columns that were read.
        entity: The entity that owns each row, numbered from 0.
        parent: The owning row in the contents of the parent; of the unit, each row's own number.
        entities: How many there are.
    """

    rows: pa.Table
    entity: Int64
    parent: Int64
    entities: int

    def taken(self, places: Int64) -> Contents:
        """Some of the rows, in this order."""
        return replace(
            self,
            rows=self.rows.take(pa.array(places)),
            entity=self.entity[places],
            parent=self.parent[places],
        )

    @property
    def sizes(self) -> Int64:
        """Rows of each entity."""
        return np.bincount(self.entity, minlength=self.entities)


def read_table(database: Database, table: Table, columns: Sequence[str]) -> pa.Table:
    """Some columns of all rows, in the order in which the database reads them."""
    names = list(dict.fromkeys(columns))
    if not names:
        count = database.count_rows(table)
        return pa.table({"": pa.nulls(count)})
    batches = list(database.read(table, names))
    if not batches:
        return database.sample(table, names, 1, 0)
    return pa.Table.from_batches(batches)


def unit_contents(rows: pa.Table) -> Contents:
    """The rows of the unit: each is an entity."""
    numbers = np.arange(rows.num_rows)
    return Contents(rows, numbers, numbers, len(numbers))


def owned_contents(rows: pa.Table, key: ForeignKey, parent: Contents, table: Table) -> Contents:
    """The rows that the kept rows of the parent own; siblings in the order of their first time."""
    up = joined(rows, key.columns, parent.rows, key.parent_columns)
    owned = np.flatnonzero(up >= 0)
    order = _sibling_order(rows, table)
    ranked = owned[np.lexsort((order[owned], up[owned]))]
    return Contents(rows.take(pa.array(ranked)), parent.entity[up[ranked]], up[ranked],
                    parent.entities)  # fmt: skip


def joined(
    child: pa.Table, columns: Sequence[str], parent: pa.Table, theirs: Sequence[str]
) -> Int64:
    """The row of the parent with the key of every child row; -1 for none.

    Keys are compared as they are, not by hashes, so that no two entities can be taken for one.
    """
    names = [str(i) for i in range(len(columns))]

    def frame(rows: pa.Table, keys: Sequence[str]) -> pl.DataFrame:
        parts = (canonical(rows[key].combine_chunks()) for key in keys)
        return pl.DataFrame({n: part.cast(pl.String) for n, part in zip(names, parts, strict=True)})

    right = frame(parent, theirs).with_row_index("row").unique(names, keep="first")
    found = frame(child, columns).join(right, on=names, how="left", maintain_order="left")
    return found["row"].cast(pl.Int64).fill_null(-1).to_numpy()


def _sibling_order(rows: pa.Table, table: Table) -> Int64:
    """The rank of every row by the first time column of the table, then as it was read."""
    name = sibling_time(table)
    if name is None or name not in rows.column_names:
        return np.arange(rows.num_rows)
    ranked = pl.Series(pl.from_arrow(rows[name])).rank("ordinal", descending=False)
    return ranked.fill_null(0).cast(pl.Int64).to_numpy()


def sibling_time(table: Table) -> str | None:
    """The first time column of a table, by which siblings are put in order."""
    for column in table.written:
        timed = column.kind in (Kind.DATE, Kind.TIMESTAMP)
        if timed and column.name not in table.foreign_columns():
            return column.name
    return None


def buckets(contents: Contents) -> Int64:
    """How many entities own 0, 1, 2 to 3, 4 to 7, ... rows: each entity counts once."""
    sizes = contents.sizes
    place = np.where(sizes > 0, np.floor(np.log2(np.maximum(sizes, 1))).astype(np.int64) + 1, 0)
    return np.bincount(np.minimum(place, _BUCKETS - 1), minlength=_BUCKETS)


def largest_of_bucket(place: int) -> int:
    """The most rows of an entity in a bucket."""
    return 0 if place == 0 else 2**place - 1


def middle_of_bucket(place: int) -> float:
    """The middle number of rows of a bucket."""
    return 0.0 if place == 0 else (2 ** (place - 1) + 2**place - 1) / 2


def capped(contents: Contents, cap: int, generator: np.random.Generator) -> Contents:
    """At most ``cap`` rows of every entity, chosen uniformly and without regard to the others'."""
    lot = generator.permutation(len(contents.entity))
    order = np.argsort(lot, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = rank_in_group(contents.entity[order])
    return contents.taken(np.flatnonzero(rank < cap))
