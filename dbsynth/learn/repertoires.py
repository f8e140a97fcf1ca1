"""What a family uses at all: an account that never pays by card, a child that never was ill.

Drawn row by row, a long family ends up with all that any family has.  So which values of a category
occur in a family, its *repertoire*, is drawn with the parent, and its rows keep to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines import variables
from dbsynth.engines.base import Derive
from dbsynth.model import Repertoire
from dbsynth.randomness import hashed, uniform

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

NO_ROWS, ANY, FIRST = 0, 1, 2
"""Codes of a repertoire: of a family without rows, a rare one, and the first of the common ones."""

_FEWEST_FAMILIES = 60
_FEWEST_CHILDREN = 1.5  # mean family size below which there is nothing to repeat
_MOST_CODES = 40
_MOST = 60
_LEAST_FAMILIES = 5  # that share a repertoire before it is kept
_COVERED = 0.5  # of the families have a common repertoire
_NARROWER = 0.95  # than families put together by chance
_SHUFFLE = 0x5E7


def repertoires_of(
    codes: Mapping[str, Codes], alphabets: Mapping[str, Alphabet], links: Int64, parents: int
) -> Iterator[tuple[Repertoire, Codes]]:
    """The repertoires of a table's categories, where families differ in them, and each parent's.

    Args:
        links: The parent of every row; -1 for none, and for rows that tell nothing.
    """
    linked = np.flatnonzero(links >= 0)
    sizes = np.bincount(links[linked], minlength=parents)
    busy = sizes > 0
    if busy.sum() < _FEWEST_FAMILIES or len(linked) < _FEWEST_CHILDREN * busy.sum():
        return
    for name, alphabet in alphabets.items():
        fits = 3 <= alphabet.size <= _MOST_CODES and not alphabet.ordered
        if not fits or not name.startswith(variables.column("")):
            continue
        own, above = codes[name][linked].astype(np.int64), links[linked]
        used = _used(own, above, parents, alphabet.size)
        mixed = own[np.argsort(hashed(_SHUFFLE, np.arange(len(own))))]
        if used.sum() > _NARROWER * _used(mixed, above, parents, alphabet.size).sum():
            continue
        kinds = _kinds(used, busy)
        if kinds is None:
            continue
        shares = np.zeros((int(kinds.max()) + 1, alphabet.size), np.int64)
        np.add.at(shares, (kinds[above], own), 1)
        yield Repertoire(name, shares), kinds.astype(np.uint16)


def _used(codes: Int64, links: Int64, parents: int, size: int) -> Bool:
    """Which codes but that of NULL occur in each family; shape (parents, codes)."""
    used = np.zeros((parents, size), bool)
    used[links, codes] = True
    used[:, 0] = False
    return used


def _kinds(used: Bool, busy: Bool) -> Int64 | None:
    """The code of each family's repertoire; None where too few families share one."""
    bits = used @ (1 << np.arange(used.shape[1]))
    sets, families = np.unique(bits[busy], return_counts=True)
    often = np.argsort(-families, kind="stable")[:_MOST]
    common = sets[often[families[often] >= _LEAST_FAMILIES]]
    if len(common) < 2 or np.isin(bits[busy], common).mean() < _COVERED:
        return None
    order = np.argsort(common)
    place = np.minimum(np.searchsorted(common[order], bits), len(common) - 1)
    known = common[order][place] == bits
    return np.where(busy, np.where(known, FIRST + order[place], ANY), NO_ROWS)


@dataclass(frozen=True)
class Keeping:
    """What keeps the rows of families to their repertoires while they are drawn.

    Attributes:
        kinds: Code of the repertoire of every parent, for each variable.
        links: The parent of every row, -1 for none.
        streams: A stream of random numbers for each variable.
    """

    repertoires: Sequence[Repertoire]
    kinds: Mapping[str, Codes]
    links: Int64
    streams: Mapping[str, int]

    def derivation(self, rows: Int64, place: Int64, before: Int64) -> Derive:
        """What puts codes that a family does not use in order while some rows are drawn."""
        del place, before
        links = self.links[rows]

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            for found in self.repertoires:
                if found.variable == variable:
                    kinds = np.where(links >= 0, self.kinds[variable][links], ANY)
                    at = uniform(self.streams[variable], rows)
                    drawn[variable] = kept(found, kinds, drawn[variable], at)

        return derive


def kept(found: Repertoire, kinds: Codes, codes: Codes, at: npt.NDArray[np.float64]) -> Codes:
    """The codes, drawn again by the repertoire's shares where it does not have them.

    Args:
        kinds: The code of each row's repertoire.
        at: A number in [0, 1) for each row.
    """
    outside = (kinds >= FIRST) & (codes > 0) & (found.shares[kinds, codes] == 0)
    rows = np.flatnonzero(outside)
    if not len(rows):
        return codes
    shares = found.shares.astype(np.float64)
    shares[shares[:, 1:].any(axis=1), 0] = 0.0  # NULL is drawn where it is drawn, and not instead
    reached = np.cumsum(shares, axis=1)[kinds[rows]]
    again = (reached <= (at[rows] * reached[:, -1])[:, None]).sum(axis=1)
    codes = codes.copy()
    codes[rows] = again
    return codes
