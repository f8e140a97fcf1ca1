"""The rows of the clone as codes and links: everything is settled here except the values.

A draft is a pure function of model, scale and seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Codes
from dbsynth.identifiers.traits import Traits
from dbsynth.model import Model
from dbsynth.randomness import Streams, UInt64
from dbsynth.schema import ForeignKey

Int64 = npt.NDArray[np.int64]


@dataclass
class Draft:
    """Rows under construction: built by `make_draft`, repaired by `dbsynth.settle`, then read only.

    Attributes:
        rows: Number of rows per table.
        codes: Per table, the codes of its variables.
        links: Per foreign key, the parent's row position of every child row, -1 for NULL.
        places: Per foreign key that is walked along, where each child would have its parent: from
            0 for the first to 1.
        settled: Per table and column, values that were repaired and override the codes.
        notes: What the reader should know, a sentence each.
        persons: Per table, the last rows whose persons were looked for, and the indices found: the
            columns of a block ask one after the other.
    """

    model: Model
    scale: float
    streams: Streams
    rows: dict[str, int] = field(default_factory=dict)
    codes: dict[str, dict[str, Codes]] = field(default_factory=dict)
    links: dict[ForeignKey, Int64] = field(default_factory=dict)
    places: dict[ForeignKey, npt.NDArray[np.float64]] = field(default_factory=dict)
    settled: dict[str, dict[str, pa.Array]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    persons: dict[str, tuple[UInt64, Traits | None, UInt64]] = field(default_factory=dict)
