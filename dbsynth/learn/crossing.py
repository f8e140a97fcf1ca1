"""How often an outcome, a protected column and a third one occur together in the source.

Only counted where the spec asks for fairness, so that a report can set the rates of the source
beside those of the clone; groups of fewer rows than may be shown are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes, k_threshold
from dbsynth.schema import ForeignKey

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Which variables to cross.

    Attributes:
        name: What the model calls the table of counts.
        path: Keys from the outcome's table up to the protected one's.
        given: A variable of the outcome's table; empty for none.
    """

    name: str
    table: str
    outcome: str
    protected: str
    path: tuple[ForeignKey, ...]
    given: str = ""

    def count(
        self, codes: Mapping[str, Mapping[str, Codes]], links: Mapping[ForeignKey, Int64]
    ) -> Int64:
        """Rows by protected code, given code and outcome code; rows without a parent are NULL."""
        outcome = codes[self.table][self.outcome].astype(np.int64)
        given = codes[self.table][self.given] if self.given else np.zeros(len(outcome), np.uint16)
        protected = self.protected_of(codes, links)
        shape = tuple(int(c.max(initial=0)) + 1 for c in (protected, given, outcome))
        places = np.ravel_multi_index((protected, given.astype(np.int64), outcome), shape)
        return np.bincount(places, minlength=int(np.prod(shape))).reshape(shape)

    def protected_of(
        self, codes: Mapping[str, Mapping[str, Codes]], links: Mapping[ForeignKey, Int64]
    ) -> Int64:
        """The protected code of every row of the outcome's table; 0 where there is no parent."""
        if not self.path:
            return codes[self.table][self.protected].astype(np.int64)
        found = codes[self.path[-1].parent][self.protected].astype(np.int64)
        for fk in reversed(self.path):
            found = np.append(found, 0)[links[fk]]
        return found


def shown(counts: Int64) -> Int64:
    """Counts without those of groups that are too small to be shown."""
    least = k_threshold(int(counts.sum()))
    return np.where(counts.sum(axis=2, keepdims=True) >= least, counts, 0)
