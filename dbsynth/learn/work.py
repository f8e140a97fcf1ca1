"""What grows while the tables of a database are fitted one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codec, Codes
from dbsynth.diamonds import Path
from dbsynth.graph import Plan
from dbsynth.learn.families import Key
from dbsynth.model import Degrees, Gap, History, Repertoire, TableFacts
from dbsynth.outline import Outline
from dbsynth.read import Children, Rows
from dbsynth.rosters import Roster
from dbsynth.rules import Kept
from dbsynth.schema import ForeignKey

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Early = Mapping[str, tuple[str, ...]]
"""Per table, variables to be drawn before the other columns."""


@dataclass(frozen=True)
class Paced:
    """How the rows under a dealt key walk along the generating parents.

    Attributes:
        own: The generating key.
        rank: The place of each row's generating parent in the order of the source.
        gap, codes: How much further each row goes.
        once: Whether no two rows have the same pair of parents.
    """

    own: ForeignKey
    rank: Int64
    gap: Gap
    codes: Codes
    once: bool


@dataclass
class Work:
    """What grows while the tables are fitted one after the other."""

    outline: Outline
    tables: Mapping[str, TableFacts]
    rows: Mapping[str, Rows]
    columns: Mapping[str, Mapping[str, Codes]]
    links: Mapping[ForeignKey, Int64]
    diamonds: Mapping[ForeignKey, Path]
    rules: tuple[Kept, ...]
    early: Early
    codes: dict[str, dict[str, Codes]] = field(default_factory=dict)
    alphabets: dict[str, dict[str, Alphabet]] = field(default_factory=dict)
    children: dict[ForeignKey, Children] = field(default_factory=dict)
    unknown: dict[str, dict[str, Bool]] = field(default_factory=dict)  # rows of each variable
    degrees: dict[ForeignKey, Degrees] = field(default_factory=dict)
    counters: dict[ForeignKey, Codec] = field(default_factory=dict)
    recalled: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    repeated: dict[str, dict[str, str]] = field(default_factory=dict)
    repertoires: dict[str, tuple[Repertoire, ...]] = field(default_factory=dict)
    paced: dict[ForeignKey, Paced] = field(default_factory=dict)
    rosters: dict[str, Roster] = field(default_factory=dict)
    histories: dict[ForeignKey, History] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """The plan of the foreign keys."""
        return self.outline.plan

    @property
    def thinned(self) -> frozenset[str]:
        """Tables of whose families only some rows were read."""
        return self.outline.reading.thinned
