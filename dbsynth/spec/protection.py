"""The `privacy` section of a spec: whose privacy, how much of it, and what is public."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbsynth.spec.shapes import Named, Number, Record, Several, Spot, Text

LEDGER = "dbsynth-ledger.jsonl"
CHOOSE = "choose"
_MOST_EPSILON = 10_000

Bound = float | dt.date | dt.datetime


@dataclass(frozen=True)
class Protection:
    """What the user says of differential privacy.

    Attributes:
        unit: The table whose rows, with all that they own, are protected.
        epsilon, delta: The budget of all fits together.
        fits: How many fits the budget shall last for.
        ledger: The file that adds up what fits spend.
        public: Tables that are nobody's, copied as they are.
        invented: Tables made from their types alone, and how many rows they get.
        owner: Of tables with several keys to owned tables, the columns of the one that owns.
        caps: Most rows of a table that an entity owns; None where it is chosen privately.
        bounds: Public least and largest values of columns ``table.column``.
        vocabularies: Public values of columns ``table.column``.
        weights: Of tables, a larger one for a larger share of the budget; 1 where nothing is said.
        seed: Makes the noise repeatable, so that there is no privacy: for tests.
    """

    unit: str
    epsilon: float
    delta: float
    fits: int = 1
    ledger: str = LEDGER
    public: tuple[str, ...] = ()
    invented: Mapping[str, int] = field(default_factory=dict)
    owner: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    caps: Mapping[str, int | None] = field(default_factory=dict)
    bounds: Mapping[str, tuple[Bound, Bound]] = field(default_factory=dict)
    vocabularies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None

    def named(self) -> Iterator[tuple[tuple[str | int, ...], str, tuple[str, ...]]]:
        """The entries that name a table, and columns of it, with their places in the section."""
        yield ("unit",), self.unit, ()
        for place, name in enumerate(self.public):
            yield ("public", place), name, ()
        for entry in ("invented", "caps", "weights"):
            for name in getattr(self, entry):
                yield (entry, name), name, ()
        for name, columns in self.owner.items():
            yield ("owner", name), name, columns
        for entry in ("bounds", "vocabularies"):
            for name in getattr(self, entry):
                table, _, column = name.rpartition(".")
                yield (entry, name), table, (column,)


@dataclass(frozen=True)
class _Real:
    """A number within limits, which YAML may have taken for text, as ``1e-6``."""

    doc: str
    high: float

    def read(self, value: Any, at: Spot) -> float | None:
        """The number."""
        number = _number(value)
        if number is None or not 0 < number < self.high:
            at.wrong(f"{at.name} is no number above 0 and below {self.high:g}")
            return None
        return number

    def schema(self) -> dict[str, Any]:
        """A number, or a text of one."""
        return {
            "type": ["number", "string"], "exclusiveMinimum": 0, "exclusiveMaximum": self.high,
            "description": self.doc,
        }  # fmt: skip


@dataclass(frozen=True)
class _Cap:
    """A number of rows, or the word that asks for one."""

    def read(self, value: Any, at: Spot) -> int | str | None:
        """The number, or the word."""
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        if value == CHOOSE or whole:
            found: int | str = value
            return found
        at.wrong(f"{at.name} is neither a number of rows nor `{CHOOSE}`")
        return None

    def schema(self) -> dict[str, Any]:
        """Either of them."""
        return {"anyOf": [{"type": "integer", "minimum": 1}, {"const": CHOOSE}]}


@dataclass(frozen=True)
class _Bounds:
    """The least and the largest value."""

    def read(self, value: Any, at: Spot) -> tuple[Bound, Bound] | None:
        """Both."""
        ends = value if isinstance(value, list) and len(value) == 2 else []
        found = [end if isinstance(end, dt.date) else _number(end) for end in ends]
        known = [end for end in found if end is not None]
        if _place(at) and len(known) == 2 and _rising(*known):
            return known[0], known[1]
        at.wrong(f"{at.name} is not written as `table.column: [least, largest]`")
        return None

    def schema(self) -> dict[str, Any]:
        """A pair."""
        return {"type": "array", "minItems": 2, "maxItems": 2}


@dataclass(frozen=True)
class _Words:
    """The values of a category."""

    def read(self, value: Any, at: Spot) -> tuple[str, ...] | None:
        """Each once, as text."""
        if not isinstance(value, list) or not value or not _place(at):
            at.wrong(f"{at.name} is not written as `table.column: [value, ...]`")
            return None
        words = (str(word).lower() if isinstance(word, bool) else str(word) for word in value)
        return tuple(dict.fromkeys(words))

    def schema(self) -> dict[str, Any]:
        """A list that is not empty."""
        return {"type": "array", "minItems": 1}


def _place(at: Spot) -> bool:
    return "." in str(at.path[-1])


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _rising(low: Any, high: Any) -> bool:
    try:
        return bool(low < high)
    except TypeError:
        return False


def protection_shape() -> Record:
    """What may stand in the section."""

    def named(entry: str) -> Any:
        return lambda name, at: f"`privacy.{entry}` of `{name}`"

    return Record(
        "Differential privacy for rows of a table and all that they own; for `engine: dp`.",
        {
            "unit": Text("The table whose rows, with all that they own, are protected."),
            "epsilon": _Real("The budget of all fits together.", _MOST_EPSILON),
            "delta": _Real("How likely the budget may be exceeded.", 1),
            "fits": Number("How many fits the budget lasts for.", low=1, whole=True),
            "ledger": Text("The file that adds up what fits spend."),
            "public": Several("Tables that are nobody's, copied.", Text("A table."), "an entry"),
            "invented": Named(
                "Tables made from types alone, and their rows.", Number("Rows.", whole=True),
                named("invented"),
            ),
            "owner": Named(
                "Where several keys lead to owned tables, the columns of the one that owns.",
                Several("Columns.", Text("A column."), "an entry", alone=True), named("owner"),
            ),
            "caps": Named("Most rows that one entity owns.", _Cap(), named("caps")),
            "bounds": Named("Public limits of columns.", _Bounds(), named("bounds")),
            "vocabularies": Named("Public values of columns.", _Words(), named("vocabularies")),
            "weights": Named(
                "A table's share of the budget, 1 where nothing is said.",
                Number("A weight.", above=True), named("weights"),
            ),
            "seed": Number("Repeatable noise, so that nothing is private.", whole=True),
        },
        ("unit", "epsilon", "delta"),
        then=_protection_of,
    )  # fmt: skip


def _protection_of(found: dict[str, Any], at: Spot) -> Protection | None:
    if not {"unit", "epsilon", "delta"} <= set(found):
        return None  # the problem is noted already
    del at
    caps = {t: None if cap == CHOOSE else cap for t, cap in found.pop("caps", {}).items()}
    owner = {table: tuple(columns) for table, columns in found.pop("owner", {}).items()}
    public = tuple(found.pop("public", ()))
    return Protection(**found, caps=caps, owner=owner, public=public)
