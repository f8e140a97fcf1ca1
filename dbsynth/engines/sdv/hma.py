"""SDV's HMA inside our frame: whole families are sampled, and stitched where pieces share a table.

HMA (Patki, Wedge and Veeramachaneni, The Synthetic Data Vault, DSAA 2016) takes five tables of two
levels.  The forest of our generating keys is cut into such pieces.  Each piece is fitted on whole
families and sampled once; the sample becomes a pool of rows for each table, from which a row takes
one whose parent is like its own.  So a drawn parent finds its own sampled children again, and the
children of a piece below those of the most similar parent: that is the stitch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines.base import NO_MASKS, NO_SHARES, Arrays, TableModel, Task
from dbsynth.engines.pool import Pool, pool_of, restored
from dbsynth.engines.sdv.cut import Piece, pieces
from dbsynth.engines.sdv.library import Child, Columns, sampled_family
from dbsynth.engines.sdv.single import (
    FEWEST,
    by_themselves,
    drawn_rows,
    known_codes,
    pool_size,
)
from dbsynth.engines.variables import of_parent, places
from dbsynth.keys import rank_in_group
from dbsynth.randomness import hashed, in_some_groups

Int64 = npt.NDArray[np.int64]

MOST_COLUMNS = 12  # of a table that HMA models together; a parent gets some 90 numbers for each
MOST_ROWS, MOST_PARENTS = 10_000, 1_000  # of a piece: it fits every family by itself
LEAST_SAMPLE, MOST_SCALE = 2_000, 20.0


class Hma:
    """A `dbsynth.engines.base.WholeEngine`."""

    name = "hma"

    def fit_tables(self, tasks: Mapping[str, Task]) -> dict[str, TableModel]:
        """Sample every piece; a table without links is modelled alone, as HMA would."""
        known = {name: _given(task) for name, task in tasks.items()}
        parents = {name: top for name in tasks if (top := _linked(name, tasks, known))}
        found: dict[str, TableModel] = {}
        for piece in pieces(parents, tasks):
            found |= _fitted(piece, tasks, known, with_parent=piece.parent not in found)
        for name, task in tasks.items():
            if name not in found:
                rows = known[name]
                alphabets = dict(task.variables)
                size = pool_size(len(task.places))
                made = drawn_rows("gaussian_copula", rows, alphabets, size, task.key)
                found[name] = pool_of(made, {}, {})
        return found

    def fit(
        self,
        variables: Mapping[str, Alphabet],
        codes: Mapping[str, Codes],
        context: Mapping[str, Alphabet],
        context_codes: Mapping[str, Codes],
        entities: npt.NDArray[np.int64],
        *,
        key: int,
        drawn: Mapping[str, npt.NDArray[np.bool_]] = NO_MASKS,
        shares: Mapping[str, npt.NDArray[np.float64]] = NO_SHARES,
    ) -> TableModel:
        """A table by itself."""
        task = Task(
            variables, codes, context, context_codes, entities, key, drawn, shares,
            None, np.arange(len(entities)), np.full(len(entities), -1), None,
        )  # fmt: skip
        return self.fit_tables({"": task})[""]

    def restore(self, arrays: Arrays) -> Pool:
        """The pool whose arrays were saved; SDV is not needed."""
        return restored(arrays)


def _linked(
    name: str, tasks: Mapping[str, Task], known: Mapping[str, Mapping[str, Codes]]
) -> str | None:
    """The parent of a table, where rows enough lie under it for HMA to learn families."""
    task, top = tasks[name], tasks[name].parent
    if top is None or top not in tasks or not known[name] or not known[top]:
        return None
    return top if int(np.isin(task.links, tasks[top].places).sum()) >= FEWEST else None


def _given(task: Task) -> dict[str, Codes]:
    return known_codes({v: task.codes[v] for v in task.variables}, task.drawn, task.key)


def _columns(task: Task, rows: Mapping[str, Codes], without: frozenset[str]) -> Columns:
    """What HMA models of a table: variables that move, columns of the table first."""
    moving = [
        v
        for v, codes in rows.items()
        if v not in without and len(codes) and (codes != codes[0]).any()
    ]
    moving.sort(key=lambda v: (not v.startswith("column:"), v.startswith("profile:")))
    kept = moving[:MOST_COLUMNS]
    return Columns({v: rows[v] for v in kept}, {v: task.variables[v].ordered for v in kept})


def _fitted(
    piece: Piece, tasks: Mapping[str, Task], known: Mapping[str, Mapping[str, Codes]],
    *, with_parent: bool,
) -> dict[str, TableModel]:  # fmt: skip
    """The pools of the tables of a piece."""
    top, children = tasks[piece.parent], {name: tasks[name] for name in piece.children}
    key = int(hashed(top.key, len(children)))
    chosen = _families(top, children.values(), key)
    # HMA counts the children itself.
    counted = frozenset(task.counted for task in children.values() if task.counted)
    rows = {v: c[chosen] for v, c in known[piece.parent].items()}
    above, below = _columns(top, rows, counted), {}
    for name, task in children.items():
        links = _places(task.links, top.places[chosen])
        own = {v: c[links >= 0] for v, c in known[name].items()}
        below[name] = Child(_columns(task, own, frozenset()), links[links >= 0])
    size = len(chosen) + sum(len(child.links) for child in below.values())
    scale = min(MOST_SCALE, max(1.0, LEAST_SAMPLE / size))
    sample = sampled_family(len(chosen), above, below, scale, key)
    made = dict(sample.parent)
    found: dict[str, TableModel] = {}
    for name, task in children.items():
        codes, links = sample.children[name]
        if task.counted in rows:
            made[task.counted] = _counts(task, top, links, sample.rows)
        found[name] = _child_pool(task, known[name], made, codes, links, key)
    if with_parent:
        own = _completed(made, known[piece.parent], top, sample.rows, key)
        found[piece.parent] = pool_of(own, {}, {})
    return found


def _child_pool(
    task: Task, known: Mapping[str, Codes], above: Mapping[str, Codes],
    codes: Mapping[str, Codes], links: Int64, key: int,
) -> Pool:  # fmt: skip
    """Sampled children, siblings in turn, with what their parents are."""
    order = np.argsort(links, kind="stable")
    links = links[order]
    own = {v: c[order] for v, c in codes.items()}
    sizes = np.bincount(links)[links] if len(links) else links
    seen = {of_parent(v): c[links] for v, c in above.items()}
    seen |= places(rank_in_group(links), sizes)
    return pool_of(
        _completed(own, known, task, len(links), key),
        {v: c for v, c in seen.items() if v in task.context},
        task.context,
        alike=1,
    )


def _counts(task: Task, top: Task, links: Int64, rows: int) -> Codes:
    """The parents' code for the number of children that were sampled under each."""
    assert task.counted is not None
    real = np.bincount(_places(task.links, top.places) + 1, minlength=len(top.places) + 1)[1:]
    codes = top.codes[task.counted]
    numbers, first = np.unique(real, return_index=True)
    sampled = np.bincount(links, minlength=rows)
    place = np.minimum(np.searchsorted(numbers, sampled), len(numbers) - 1)
    return codes[first[place]]


def _families(top: Task, children: Iterable[Task], key: int) -> Int64:
    """Places in the task of some parents, with families of about so many rows as HMA bears."""
    size = len(top.places) + sum(len(task.places) for task in children)
    most = min(MOST_PARENTS, int(len(top.places) * min(1.0, MOST_ROWS / max(size, 1))))
    return np.flatnonzero(in_some_groups(key, top.places, most))


def _places(links: Int64, rows: Int64) -> Int64:
    """Where among some rows of the parent, in rising order, each link leads; -1 for elsewhere."""
    place = np.minimum(np.searchsorted(rows, links), len(rows) - 1)
    return np.where(rows[place] == links, place, -1)


def _completed(
    made: Mapping[str, Codes], rows: Mapping[str, Codes], task: Task, size: int, key: int
) -> dict[str, Codes]:
    """Sampled rows with the variables that HMA was not given, drawn by themselves."""
    rest = {v: c for v, c in rows.items() if v not in made}
    alone = by_themselves(rest, task.variables, size, int(hashed(key, 2)))
    return {v: made[v] if v in made else alone[v] for v in rows}
