"""The rows of entities, in memory: joined to their owners, and weighed by the caps.

Everything here is row-wise or family-wise: what an entity's rows weigh depends on nothing but what
it owns.  Rows that no entity owns (without a parent) are left out, as nobody's budget pays for
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dbsynth.databases.base import Database
from dbsynth.keys import canonical
from dbsynth.schema import ForeignKey, Kind, Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

WHOLE = 2**12
"""What a row weighs where its entity owns no more rows than the cap; weights are whole numbers."""

_BUCKETS = 13  # 0, 1, 2-3, 4-7, and so on; the last one is open


@dataclass(frozen=True)
class Contents:
    """The rows of one table, siblings side by side.

    Attributes:
        rows: The columns that were read.
        entity: The entity that owns each row, numbered from 0.
        parent: The owning row in the contents of the parent; of the unit, each row's own number.
        entities: How many there are.
        cap: The rows of one entity weigh together no more than so many rows.
        weight: Of each row, in parts of `WHOLE`.
    """

    rows: pa.Table
    entity: Int64
    parent: Int64
    entities: int
    cap: int
    weight: Int64

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
    return Contents(rows, numbers, numbers, len(numbers), 1, np.full(len(numbers), WHOLE))


def owned_contents(rows: pa.Table, key: ForeignKey, parent: Contents, table: Table) -> Contents:
    """The rows that those of the parent own, not capped; siblings in the order of their time."""
    up = joined(rows, key.columns, parent.rows, key.parent_columns)
    owned = np.flatnonzero(up >= 0)
    order = _sibling_order(rows, table)
    ranked = owned[np.lexsort((order[owned], up[owned]))]
    return Contents(rows.take(pa.array(ranked)), parent.entity[up[ranked]], up[ranked],
                    parent.entities, len(ranked), np.full(len(ranked), WHOLE))  # fmt: skip


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


def bucket_edges() -> Float64:
    """The least number of rows of each bucket, and an end of the last one."""
    return np.concatenate([[0.0], 2.0 ** np.arange(_BUCKETS)])


def weighed(contents: Contents, cap: int) -> Contents:
    """Rows of an entity that owns more than the cap weigh as many together as the cap.

    No row is left out for it, so that families stay whole.
    """
    sizes = np.maximum(contents.sizes[contents.entity], 1)
    return replace(contents, cap=cap, weight=np.minimum(WHOLE, cap * WHOLE // sizes))
