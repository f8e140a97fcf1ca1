"""Minted keys that a CHECK refuses (`id % 2 = 0`, `id <> 13`), exchanged for others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import as_text
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import coined, combined, keys_of, put, whole
from dbsynth.schema import Table

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]

Passes = Callable[[Int64, str, pa.Array], Bool]
"""Which of some rows, not all different, pass with the given values of a column in them."""

_FEWEST = 1_000  # numbers tried at a time
_SPARSE = 1_000  # numbers tried for each row at most
_MOST = 4_000_000  # and for all


def minted(draft: Draft, table: Table, columns: Sequence[str]) -> list[str]:
    """The columns among some whose numbers come from a mint."""
    models = draft.model.tables[table.name].columns
    return [c for c in columns if models[c].mint is not None and not keys_of(draft, table, c)]


def coin_anew(draft: Draft, table: Table, name: str, bad: Int64, passes: Passes) -> Int64:
    """Give rows other numbers of a minted column, each once; returns the rows that still fail.

    Numbers are tried upwards from the lowest of the real key.
    """
    model = draft.model.tables[table.name].columns[name]
    mint, column = model.mint, table.column_by_name[name]
    assert mint is not None
    current = combined(whole(draft, table, (name,)).column(0))
    used = as_text(current.take(pa.array(np.setdiff1d(np.arange(len(current)), bad))))
    low, limit = mint.low, min(mint.limit, mint.low + min(_MOST, _SPARSE * len(bad) + _FEWEST))
    rows, found = [], []
    while len(bad) and low <= limit:
        stop = min(low + max(2 * len(bad), _FEWEST), limit + 1)
        offered = coined(column, mint, np.arange(low, stop))
        texts, low = as_text(offered), stop
        free = pc.invert(pc.is_in(texts, used)).to_numpy(zero_copy_only=False)
        if model.avoid is not None and not mint.dense:
            free &= ~model.avoid.contains(texts)
        offered = offered.filter(pa.array(free))
        asking = np.resize(bad, len(offered))
        good = np.flatnonzero(passes(asking, name, offered))
        first = good[np.unique(asking[good], return_index=True)[1]]
        rows.append(asking[first])
        found.append(offered.take(pa.array(first)))
        bad = np.setdiff1d(bad, asking[first])
    if rows:
        settled = draft.settled[table.name]
        settled[name] = put(current, np.concatenate(rows), pa.concat_arrays(found))
    return bad
