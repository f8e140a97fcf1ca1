"""A database of which only a part of each table is seen, as if the rest were not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.databases.base import Database
from dbsynth.databases.part import Both, Part
from dbsynth.schema import Check, ForeignKey, Schema, Table, UniqueKey


class Narrowed:
    """A `dbsynth.databases.base.Database`.

    Args:
        whole: The database, which stays open when this one is left.
        parts: What is seen of some tables; all of the others is.
    """

    def __init__(self, whole: Database, parts: Mapping[str, Part]) -> None:
        self._whole = whole
        self._parts = dict(parts)
        self.capabilities = whole.capabilities
        self.label = whole.label

    def __enter__(self) -> Narrowed:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def identity(self) -> frozenset[str]:
        """That of the whole database."""
        return self._whole.identity()

    def reflect(self) -> Schema:
        """The schema of the whole database."""
        return self._whole.reflect()

    def structure(self) -> bytes:
        """The native definition of the whole schema."""
        return self._whole.structure()

    def proves(self, table: Table) -> bool:
        """Whether the server has validated every constraint."""
        return self._whole.proves(table)

    def _part(self, table: str, part: Part | None = None) -> Part | None:
        seen = self._parts.get(table)
        return Both(seen, part) if seen and part else seen or part

    def count_rows(self, table: Table, part: Part | None = None) -> int:
        """Number of rows seen."""
        return self._whole.count_rows(table, self._part(table.name, part))

    def read(
        self, table: Table, columns: Sequence[str], batch_rows: int = 65_536,
        part: Part | None = None,
    ) -> Iterator[pa.RecordBatch]:  # fmt: skip
        """The rows seen."""
        return self._whole.read(table, columns, batch_rows, self._part(table.name, part))

    def scan(self, table: Table, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows seen."""
        return self.read(table, columns)

    def sample(self, table: Table, columns: Sequence[str], rows: int, seed: int) -> pa.Table:
        """Every so manyth of the rows seen."""
        if table.name not in self._parts:
            return self._whole.sample(table, columns, rows, seed)
        found = self._rows(table.name, columns)
        step = -(-found.num_rows // max(rows, 1))
        return found.take(pa.array(range(0, found.num_rows, step))) if step > 1 else found

    # Counts, by reading: few rows are seen.

    def count_children(self, key: ForeignKey, parents: Part | None) -> Iterator[pa.RecordBatch]:
        """References of the rows seen, to whatever parent, and how many rows hold each."""
        del parents
        rows = self._rows(key.child, key.columns).drop_null()
        counted = rows.group_by(list(key.columns), use_threads=False).aggregate([([], "count_all")])
        yield from counted.to_batches()

    def count_degrees(self, key: ForeignKey) -> Mapping[int, int]:
        """How many parents have how many children, among references that lead to a row seen."""
        children = self._rows(key.child, key.columns).drop_null()
        parents = self._rows(key.parent, key.parent_columns)
        kept = children.join(
            parents, list(key.columns), list(key.parent_columns), "left semi", use_threads=False
        )
        counted = kept.group_by(list(key.columns)).aggregate([([], "count_all")])
        return dict(Counter(counted["count_all"].to_pylist()))

    def count_present(self, table: Table, columns: Sequence[str]) -> Mapping[str, int]:
        """How many rows seen have a value in each column."""
        rows = self._rows(table.name, columns)
        return {name: len(rows) - rows[name].null_count for name in columns}

    def count_values(self, table: Table, columns: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """How many rows seen have each value."""
        rows = self._rows(table.name, columns)
        words = {name: pc.cast(rows[name], pa.string()).drop_null() for name in columns}
        return {name: dict(Counter(found.to_pylist())) for name, found in words.items()}

    def count_orphans(self, key: ForeignKey) -> int:
        """Rows seen whose reference leads to no row seen."""
        children = self._rows(key.child, key.columns).drop_null()
        return len(children) - sum(n * times for n, times in self.count_degrees(key).items())

    def count_duplicates(self, table: Table, key: UniqueKey) -> int:
        """Those of the whole table, which are at least as many."""
        return self._whole.count_duplicates(table, key)

    def count_nulls(self, table: Table, column: str) -> int:
        """Rows seen without a value in a column."""
        return self.count_rows(table) - self.count_present(table, [column])[column]

    def count_failing(self, table: Table, check: Check) -> int:
        """Those of the whole table, which are at least as many."""
        return self._whole.count_failing(table, check)

    def _rows(self, table: str, columns: Sequence[str]) -> pa.Table:
        names = list(dict.fromkeys(columns))
        batches = list(self.read(self.reflect()[table], names))
        if batches:
            return pa.Table.from_batches(batches)
        return self._whole.sample(self.reflect()[table], names, 1, 0).slice(0, 0)
