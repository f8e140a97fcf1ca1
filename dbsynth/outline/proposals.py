"""What is proposed for the columns of all tables, from a sample of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from dbsynth.classify import Decision, classify_table
from dbsynth.classify.domains import agreed, proposal_of
from dbsynth.databases.base import Database
from dbsynth.schema import Schema, Table

SAMPLE_ROWS = 100_000
_SAMPLE_BYTES = 256 * 2**20  # of samples that are not read again


@dataclass(frozen=True, slots=True)
class Seen:
    """A sample of a table, what is proposed for its columns, and which nobody has reviewed.

    The sample has no value of those.
    """

    sample: pa.Table
    decisions: Mapping[str, Decision]
    fresh: frozenset[str]


class Samples:
    """Rows of the tables: those that were read once are kept as long as there is room.

    Args:
        unread: Columns by their tables of which no value is read.
    """

    def __init__(self, database: Database, seed: int, unread: Mapping[str, frozenset[str]]) -> None:
        self._database, self._seed, self._unread = database, seed, unread
        self._kept: dict[str, pa.Table] = {}
        self._room = _SAMPLE_BYTES

    def of(self, table: Table) -> pa.Table:
        """The sample of a table."""
        if table.name in self._kept:
            return self._kept.pop(table.name)
        unread = self._unread.get(table.name, frozenset())
        names = [column.name for column in table.written if column.name not in unread]
        if not names:
            return pa.table({})
        return self._database.sample(table, names, SAMPLE_ROWS, self._seed)

    def keep(self, table: Table, sample: pa.Table) -> None:
        """Remember a sample for the next time, if there is room."""
        if sample.nbytes <= self._room:
            self._room -= sample.nbytes
            self._kept[table.name] = sample


def propose(
    schema: Schema, rows: Mapping[str, int], samples: Samples
) -> dict[str, dict[str, Decision]]:
    """What is proposed for the columns of all tables, the same for the same values."""
    proposals = {}
    for table in schema.tables:
        sample = samples.of(table)
        decisions = classify_table(table, sample, rows[table.name])
        proposals[table.name] = proposal_of(table, sample, decisions)
        samples.keep(table, sample)
    return agreed(proposals)
