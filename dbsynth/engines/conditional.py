"""Rows drawn from tables of conditional probabilities: what the engine `dp` fits.

Each variable is drawn given the groups of a few variables that are known before it.  Nothing here
looks at data; how the probabilities come about is for `dbsynth.private`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.engines.base import Arrays, Derive, nothing
from dbsynth.keys import rank_in_group
from dbsynth.randomness import hashed, mix, uniform

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Conditional:
    """How one variable is drawn.

    Attributes:
        given: The variables that it depends on.
        groups: Group of each code of each of them.
        shares: Probability of each code; shape (combinations of groups, codes), the last variable's
            groups changing fastest.
    """

    variable: str
    given: tuple[str, ...]
    groups: tuple[Int64, ...]
    shares: Float64

    def draw(
        self, known: Mapping[str, Codes], rows: int, key: int, scores: Float64 | None = None
    ) -> Codes:
        """A code for every row; in each combination as many of a code as its share asks for.

        Args:
            scores: Rows with higher ones get higher codes, shape (rows,); None for no such order.
        """
        case = np.zeros(rows, np.int64)
        for name, groups in zip(self.given, self.groups, strict=True):
            codes = np.minimum(known[name].astype(np.int64), len(groups) - 1)
            case = case * (int(groups.max(initial=0)) + 1) + groups[codes]
        place = _systematic(case, key, hashed(key, np.arange(rows)) if scores is None else scores)
        reached = np.cumsum(self.shares, axis=1)
        reached /= np.maximum(reached[:, -1:], 1e-300)
        flat = (reached + np.arange(len(reached))[:, None]).ravel()
        found = np.searchsorted(flat, case + place, side="right")
        size = self.shares.shape[1]
        last = size - 1 - np.argmax(self.shares[:, ::-1] > 0, axis=1)  # beyond it all is rounding
        found_codes: Codes = np.minimum(found - case * size, last[case]).astype(np.uint16)
        return found_codes


def _systematic(case: Int64, key: int, scores: npt.NDArray[Any]) -> Float64:
    """A number in [0, 1) for each row, spread evenly over the rows of each case by their scores."""
    order = np.lexsort((scores, case))
    rank = np.empty(len(case), np.int64)
    rank[order] = rank_in_group(case[order])
    size = np.bincount(case, minlength=1)[case]
    start: Float64 = (rank + uniform(key ^ 1, case)) / np.maximum(size, 1)
    return start


@dataclass(frozen=True)
class Conditionals:
    """The rows of one table, variable by variable."""

    steps: tuple[Conditional, ...]

    def sample(
        self, rows: int, context: Mapping[str, Codes], *, key: int, derive: Derive = nothing
    ) -> dict[str, Codes]:
        """See `dbsynth.engines.base.TableModel`."""
        drawn: dict[str, Codes] = {}
        for number, step in enumerate(self.steps):
            known = {name: drawn[name] if name in drawn else context[name] for name in step.given}
            stream = int(mix(np.array([key ^ (number + 1)], np.uint64))[0])
            drawn[step.variable] = step.draw(known, rows, stream)
            derive(step.variable, drawn)
        return drawn

    def step(self, variable: str) -> Conditional:
        """How one variable is drawn."""
        return next(step for step in self.steps if step.variable == variable)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The model as named arrays."""
        found: dict[str, npt.NDArray[Any]] = {
            "variables": np.array([step.variable for step in self.steps], np.str_)
        }
        for i, step in enumerate(self.steps):
            found[f"shares/{i}"] = step.shares
            found[f"given/{i}"] = np.array(step.given, np.str_)
            found |= {f"groups/{i}/{j}": groups for j, groups in enumerate(step.groups)}
        return found

    @classmethod
    def restore(cls, arrays: Arrays) -> Conditionals:
        """The model whose arrays were saved."""
        steps = []
        for i, variable in enumerate(arrays["variables"].tolist()):
            given = tuple(arrays[f"given/{i}"].tolist())
            groups = tuple(arrays[f"groups/{i}/{j}"] for j in range(len(given)))
            steps.append(Conditional(variable, given, groups, arrays[f"shares/{i}"]))
        return cls(tuple(steps))
