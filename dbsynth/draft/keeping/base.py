"""One rule for one column while rows are drawn, and what it sees of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.keys import rank_in_group
from dbsynth.randomness import hashed

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """Rows that are being drawn.

    Attributes:
        rows: Their positions in the table.
        links: Their parents, -1 for none.
        place: Their places among their siblings.
    """

    rows: Int64
    links: Int64
    place: Int64


class Step(Protocol):
    """One rule, for one column."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose codes it puts in place."""

    def put(self, variable: str, drawn: dict[str, Codes], scene: Scene) -> None:
        """Put codes in place of those just drawn."""


def lend(codes: Codes, wrong: Bool, donors: Bool, other: int, stream: int, scene: Scene) -> None:
    """Give rows the codes of random donors, or another code where nobody lends."""
    rows, lenders = np.flatnonzero(wrong), np.flatnonzero(donors)
    if not len(lenders):
        codes[rows] = other
        return
    draw = hashed(stream, scene.rows[rows]) % np.uint64(len(lenders))
    codes[rows] = codes[lenders[draw.astype(np.int64)]]


def in_turn(links: Int64) -> list[Int64]:
    """Rows with a parent, in groups in which no parent comes twice, in the order of siblings."""
    rows = np.flatnonzero(links >= 0)
    rank = rank_in_group(links[rows])
    return [rows[rank == turn] for turn in range(int(rank.max(initial=-1)) + 1)]
