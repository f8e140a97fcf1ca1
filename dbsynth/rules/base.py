"""What a rule is, and what it sees: columns of numbers and codes, and links by row position.

A rule is a frozen value about columns and keys.  It knows its sentence (`str`), which rows could
break it, and which do.  It is mined from a `View` of the source, counted in a view of the clone,
and kept by those who draw the rows.  Views of source, draft and clone look the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dbsynth.graph import Plan
from dbsynth.schema import ForeignKey, Schema

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint16]

Place = tuple[str, str]
"""A column: the name of its table, and its own."""


class View(Protocol):
    """The rows of a database, as rules see them: whole tables, or whole families of them."""

    @property
    def schema(self) -> Schema:
        """Tables and keys."""

    def rows(self, table: str) -> int:
        """How many rows are seen."""

    def numbers(self, place: Place) -> Float64 | None:
        """Numbers of a numeric or time column (times in microseconds), NaN for NULL.

        None for a column that is neither, or whose numbers are keys.
        """

    def codes(self, place: Place) -> Codes | None:
        """Codes of a column, 0 for NULL; None for one without a codec."""

    def links(self, key: ForeignKey) -> Int64:
        """The parent's row of every child row, -1 for none."""

    def unit(self, place: Place) -> float:
        """The grid of a column of numbers: the least that two values differ by; 0 for none."""

    def truth(self, place: Place) -> tuple[int, int] | None:
        """The codes of true and false; None for a column that is not boolean."""


@dataclass(frozen=True)
class Data:
    """A view of arrays in memory.

    Attributes:
        counts: Rows of every table.
        values: Numbers of columns, by table.
        coded: Codes of columns, by table.
        keys: Links of foreign keys.
        units: The grid of each column of numbers.
        free: Columns whose values a rule may settle: of drawn rows, and of real ones, where nobody
            settles them, but breaks are counted.
        times: Columns of numbers that are dates or timestamps.
        plan: How tables hang under each other; None where nobody asks.
        unnamed: Rows whose code stands for another value than theirs (a rare one, or a text).
        truths: The codes of true and false of boolean columns.
        thinned: Tables of whose families only some rows are seen.
        own: How many rows of each table tell, the first ones; all where nothing is said.
        told_apart: What `identity.identities` found of columns already, as many rules ask again.
    """

    schema: Schema
    counts: Mapping[str, int]
    values: Mapping[str, Mapping[str, Float64]]
    coded: Mapping[str, Mapping[str, Codes]]
    keys: Mapping[ForeignKey, Int64]
    units: Mapping[Place, float] = field(default_factory=dict)
    free: frozenset[Place] = frozenset()
    times: frozenset[Place] = frozenset()
    plan: Plan | None = None
    unnamed: Mapping[Place, Bool] = field(default_factory=dict)
    truths: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    thinned: frozenset[str] = frozenset()
    own: Mapping[str, int] = field(default_factory=dict)
    told_apart: dict[Place, Int64] = field(default_factory=dict, compare=False, repr=False)

    def rows(self, table: str) -> int:
        """How many rows are seen."""
        return self.counts[table]

    def numbers(self, place: Place) -> Float64 | None:
        """Numbers of a column, NaN for NULL."""
        return self.values.get(place[0], {}).get(place[1])

    def codes(self, place: Place) -> Codes | None:
        """Codes of a column, 0 for NULL."""
        return self.coded.get(place[0], {}).get(place[1])

    def links(self, key: ForeignKey) -> Int64:
        """The parent's row of every child row, -1 for none."""
        return self.keys[key]

    def unit(self, place: Place) -> float:
        """The grid of a column of numbers; 0 for none."""
        return self.units.get(place, 0.0)

    def truth(self, place: Place) -> tuple[int, int] | None:
        """The codes of true and false; None for a column that is not boolean."""
        return self.truths.get(place)


@dataclass(frozen=True, slots=True)
class Cases:
    """Rows of a rule's table.

    Attributes:
        could: Which rows could break the rule (nothing that it is about is NULL).
        broken: Which do.
    """

    could: Bool
    broken: Bool

    @property
    def of(self) -> int:
        """How many rows could break the rule."""
        return int(self.could.sum())

    @property
    def held(self) -> int:
        """How many of them do not."""
        return self.of - int((self.could & self.broken).sum())


class Rule(Protocol):
    """A sentence about columns and keys.  `str` writes it; `dbsynth.rules.parse_rule` reads it."""

    @property
    def table(self) -> str:
        """The table whose rows can break it."""

    @property
    def places(self) -> tuple[Place, ...]:
        """The columns that it is about; the one that it settles, if it settles one, comes first."""

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The foreign keys that it follows."""

    def __str__(self) -> str: ...

    def cases(self, view: View) -> Cases | None:
        """Which rows could break it and which do; None where the view lacks a column."""


@dataclass(frozen=True)
class Kept:
    """A rule that the clone keeps.

    Attributes:
        held, of: In how many of the source's cases that could have broken it it held.
        state: What a form of rule has learnt besides its sentence, JSON-able.
        declared: Whether the spec asks for it, though mining did not find it.
    """

    rule: Rule
    held: int
    of: int
    state: Mapping[str, Any] = field(default_factory=dict)
    declared: bool = False

    @property
    def support(self) -> str:
        """The support in words."""
        if not self.of:
            return "no case in the source"
        if self.held == self.of:
            return f"all {self.of}"
        return f"{self.held} of {self.of}"

    def to_json(self) -> dict[str, Any]:
        """The rule for the model file; `dbsynth.rules.kept_from_json` is the inverse."""
        return {"rule": str(self.rule), "held": self.held, "of": self.of,
                "state": dict(self.state), "declared": self.declared}  # fmt: skip
