"""The draft as a stream of row batches, encoded for the target, on any number of processes.

A block of rows depends on nothing but the draft, so blocks may be made anywhere; they arrive in
order.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import pyarrow as pa

from dbsynth.databases.base import Encoder
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import values
from dbsynth.schema import Table

BLOCK_ROWS = 50_000


def block(draft: Draft, table: Table, start: int) -> pa.RecordBatch:
    """The rows of a table from a position on, at most a block."""
    stop = min(start + BLOCK_ROWS, draft.rows[table.name])
    positions = np.arange(start, stop)
    names = [column.name for column in table.written]
    return pa.RecordBatch.from_arrays(
        [values(draft, table, name, positions) for name in names], names=names
    )


def _encoded(draft: Draft, table: Table, encoder: Encoder, start: int) -> tuple[int, bytes]:
    batch = block(draft, table, start)
    return batch.num_rows, encoder(batch)


_worker_draft: Draft | None = None  # of a worker process, set once when it starts


def _start_worker(draft: Draft) -> None:
    global _worker_draft  # the one way to hand a worker process its input once
    _worker_draft = draft


def _encoded_in_worker(table: Table, encoder: Encoder, start: int) -> tuple[int, bytes]:
    assert _worker_draft is not None
    return _encoded(_worker_draft, table, encoder, start)


class Generator:
    """Makes encoded blocks ahead of the loader, a few at a time."""

    def __init__(self, draft: Draft, pool: Executor, ahead: int, *, processes: bool) -> None:
        self._draft = draft
        self._pool = pool
        self._ahead = ahead
        self._processes = processes

    def chunks(self, table: Table, encoder: Encoder) -> Iterator[tuple[int, bytes]]:
        """Number of rows and encoded rows of each block, in the order of the rows."""
        make = (
            partial(_encoded_in_worker, table, encoder)
            if self._processes
            else partial(_encoded, self._draft, table, encoder)
        )
        waiting: deque[Future[tuple[int, bytes]]] = deque()
        for start in range(0, self._draft.rows[table.name], BLOCK_ROWS):
            waiting.append(self._pool.submit(make, start))
            if len(waiting) > self._ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def generator(draft: Draft, processes: int) -> Iterator[Generator]:
    """A generator on so many processes; with one, a thread encodes while the database loads."""
    if processes > 1:
        context = multiprocessing.get_context("spawn")
        pool: Executor = ProcessPoolExecutor(
            processes, context, initializer=_start_worker, initargs=(draft,)
        )
    else:
        pool = ThreadPoolExecutor(1)
    try:
        yield Generator(draft, pool, processes + 1, processes=processes > 1)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
