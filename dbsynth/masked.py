"""Real rows on their way into the target: streamed from the source, masked block by block.

No more than a batch of them is held.  Positions of a draft count the chosen rows in the order in
which the source is read, so that links, numbered keys and drawn values meet their rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from dbsynth.databases.base import Database, Encoder
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import values
from dbsynth.generate import block
from dbsynth.schema import Table


def masked_chunks(
    draft: Draft, table: Table, database: Database, encoder: Encoder
) -> Iterator[tuple[int, bytes]]:
    """Number of rows and encoded rows of each block."""
    for batch in masked_rows(draft, table, database):
        yield batch.num_rows, encoder(batch)


def masked_rows(draft: Draft, table: Table, database: Database) -> Iterator[pa.RecordBatch]:
    """The rows of a masked table or subset in the order of their positions."""
    real = draft.model.real[table.name]
    if not real.streamed:
        start = 0
        while start < draft.rows[table.name]:
            batch = block(draft, table, start)
            start += batch.num_rows
            yield batch
        return
    seen = done = 0
    for read in database.read(table, real.streamed):
        chosen = real.chosen[seen : seen + read.num_rows]
        seen += read.num_rows
        if not chosen.any():
            continue
        positions = np.arange(done, done + int(chosen.sum()))
        done += len(positions)
        yield _masked(draft, table, read.filter(pa.array(chosen)), positions)


def _masked(
    draft: Draft, table: Table, rows: pa.RecordBatch, positions: np.ndarray
) -> pa.RecordBatch:  # fmt: skip
    """Rows of the source with all that is not to stay as it is made anew."""
    kept = frozenset(draft.model.real[table.name].streamed)
    names = [column.name for column in table.written]
    arrays = [
        rows.column(name) if name in kept else values(draft, table, name, positions)
        for name in names
    ]
    return pa.RecordBatch.from_arrays(arrays, names=names)
