"""How far the numbers of a family reach: a shop's largest sale, an account's smallest balance.

Rows drawn one by one reach, in every long family, as far as the rows of any family like it.  So the
family's largest and smallest number are drawn with the parent, as quantiles among families.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes

Int64 = npt.NDArray[np.int64]

_FEWEST_FAMILIES = 60
_LEAST_CHILDREN = 8  # of fewer, the outermost child is nearly any child
_FINEST = 24
_FIRST_CELL = 4  # the codes below are no numbers: NULL, NaN and infinities
_FAMILIES_PER_STEP = 10
_LEAST_CODES = 40  # of fewer steps, most are reached by all


def reaches_of(
    codes: Mapping[str, Codes], alphabets: Mapping[str, Alphabet], numbers: Collection[str],
    links: Int64, parents: int,
) -> Iterator[tuple[str, str, Codes, Alphabet]]:  # fmt: skip
    """The largest and the smallest number of every parent's family, as a step among families.

    Args:
        numbers: The variables of columns of numbers.
        links: The parent of every row; -1 for none, and for rows that tell nothing.

    Yields:
        ``most`` or ``least``, the variable, its code for each parent (0 where few children
        have a number), and their alphabet.
    """
    linked = links >= 0
    sizes = np.bincount(links[linked], minlength=parents)
    if (sizes >= _LEAST_CHILDREN).sum() < _FEWEST_FAMILIES:
        return
    for name in numbers:
        if alphabets[name].size < _LEAST_CODES:
            continue
        own = codes[name].astype(np.int64)
        told = np.flatnonzero(linked & (own >= _FIRST_CELL) & (sizes >= _LEAST_CHILDREN)[links])
        for side in ("most", "least"):
            furthest = np.full(parents, -1, np.int64)
            outward = own[told] if side == "most" else alphabets[name].size - own[told]
            np.maximum.at(furthest, links[told], outward)
            yield side, name, *_steps(furthest if side == "most" else -furthest, furthest >= 0)


def _steps(furthest: Int64, known: npt.NDArray[np.bool_]) -> tuple[Codes, Alphabet]:
    """Quantiles of what families reach, equal ones together; 0 where nothing is known."""
    count = int(np.clip(known.sum() // _FAMILIES_PER_STEP, 1, _FINEST))
    ordered = np.sort(furthest[known])
    edges = np.unique(ordered[np.arange(1, count) * len(ordered) // count])
    steps = np.where(known, 1 + np.searchsorted(edges, furthest, side="right"), 0)
    return steps.astype(np.uint16), Alphabet(len(edges) + 2, ordered=True)
