"""SDV's models of single tables inside our frame: they learn rows beside their parent's codes.

A model learns the joint distribution of a row and of the few variables of its context (parent,
sibling before, place in the family) that tell most of it; what it samples is a pool, from which a
row takes one whose context is like its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines.base import NO_MASKS, NO_SHARES, Arrays
from dbsynth.engines.independent import Independent
from dbsynth.engines.pool import Pool, pool_of, restored, telling
from dbsynth.engines.sdv.library import Columns, sampled
from dbsynth.randomness import hashed, in_some_groups, uniform

Int64 = npt.NDArray[np.int64]

FEWEST = 20  # rows that a model is fitted on; of fewer, columns are drawn by themselves
MOST_TOLD = 6  # variables of the context
LEAST_POOL, MOST_POOL = 2_000, 50_000


class SingleTable:
    """A synthesizer of single tables.

    Args:
        name: ``gaussian_copula``, ``ctgan`` or ``tvae``.
        most_rows: Rows that it is fitted on, of whole entities.
        epochs: How often a network sees each of them; None for one that is none, or as SDV does.
    """

    def __init__(self, name: str, most_rows: int, epochs: int | None = None) -> None:
        self.name = name
        self.most_rows = most_rows
        self.epochs = epochs

    def trained(self, epochs: int) -> SingleTable:
        """The same with another number of epochs."""
        return SingleTable(self.name, self.most_rows, epochs)

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
    ) -> Pool:
        """Fit on rows with what tells most of them, and keep a pool of samples."""
        del shares  # a synthesizer takes rows as they are
        kept = in_some_groups(key, entities, self.most_rows)
        own = known_codes(
            {v: codes[v][kept] for v in variables}, {v: m[kept] for v, m in drawn.items()}, key
        )
        seen = {v: context_codes[v][kept] for v in context}
        told = telling(seen, own, MOST_TOLD)
        alphabets = {**variables, **context}
        rows = {**{v: seen[v] for v in told}, **own}
        size = pool_size(len(entities))
        made = drawn_rows(self.name, rows, alphabets, size, key, epochs=self.epochs)
        return pool_of(
            {v: made[v] for v in own}, {v: made[v] for v in told}, {v: context[v] for v in told}
        )

    def restore(self, arrays: Arrays) -> Pool:
        """The pool whose arrays were saved; SDV is not needed."""
        return restored(arrays)


def pool_size(rows: int) -> int:
    """How many rows stand for a table of so many."""
    return int(np.clip(rows, LEAST_POOL, MOST_POOL))


def known_codes(
    codes: Mapping[str, Codes], drawn: Mapping[str, npt.NDArray[np.bool_]], key: int
) -> dict[str, Codes]:
    """Codes where those that a row does not tell are taken from rows that do (hot deck).

    Variables that no row tells are left out: they are derived.
    """
    found: dict[str, Codes] = {}
    for name, column in codes.items():
        if not len(column):
            continue
        tells = drawn.get(name)
        if tells is None or tells.all():
            found[name] = column
        elif tells.any():
            donors = column[tells]
            place = (uniform(key, np.arange(len(column))) * len(donors)).astype(np.int64)
            found[name] = np.where(tells, column, donors[place])
    return found


def drawn_rows(
    method: str, codes: Mapping[str, Codes], alphabets: Mapping[str, Alphabet], rows: int, key: int,
    *, epochs: int | None = None,
) -> dict[str, Codes]:  # fmt: skip
    """So many rows as a synthesizer draws them; constant columns never reach it."""
    size = len(next(iter(codes.values()), ()))
    moving = {v: c for v, c in codes.items() if size and (c != c[0]).any()}
    if size < FEWEST or not moving:
        return by_themselves(codes, alphabets, rows, key)
    ordered = {v: alphabets[v].ordered for v in moving}
    made = sampled(method, Columns(moving, ordered), rows, key, epochs=epochs)
    return {v: made[v] if v in made else np.full(rows, c[0], np.uint16) for v, c in codes.items()}


def by_themselves(
    codes: Mapping[str, Codes], alphabets: Mapping[str, Alphabet], rows: int, key: int
) -> dict[str, Codes]:
    """Rows whose columns know nothing of each other."""
    if not codes:
        return {}
    size = len(next(iter(codes.values())))
    model = Independent().fit(
        {v: alphabets[v] for v in codes}, codes, {}, {}, np.arange(size), key=key
    )
    return model.sample(rows, {}, key=int(hashed(key, 1)))
