"""The `privacy` section of a spec: whose privacy, how much of it, and what is public."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

LEDGER = "dbsynth-ledger.jsonl"
CHOOSE = "choose"
_ENTRIES = ("unit", "epsilon", "delta", "fits", "ledger", "public", "invented", "owner", "caps",
            "bounds", "vocabularies", "weights", "seed")  # fmt: skip

Bound = float | date | datetime


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
        caps: Most rows of a table that an entity owns; `None` where it is chosen privately.
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

    def named(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Tables that the section names, and columns of them."""
        yield self.unit, ()
        for name in (*self.public, *self.invented, *self.caps, *self.weights):
            yield name, ()
        yield from self.owner.items()
        for place in (*self.bounds, *self.vocabularies):
            table, _, column = place.rpartition(".")
            yield table, (column,)


def read_protection(value: Any, problems: list[str]) -> Protection | None:
    """The section that a mapping describes; adds whatever is wrong with it to the problems."""
    if value is None:
        return None
    if not isinstance(value, dict):
        problems.append("`privacy` is no mapping")
        return None
    for name in value:
        if name not in _ENTRIES:
            near = difflib.get_close_matches(str(name), _ENTRIES, 1)
            hint = f"did you mean `{near[0]}`?" if near else "known: " + ", ".join(_ENTRIES)
            problems.append(f"unknown entry `{name}` in `privacy` ({hint})")
    reader = _Reader(value, problems)
    unit = value.get("unit")
    if not isinstance(unit, str):
        problems.append("`privacy.unit` names no table: whose rows shall be protected?")
    return Protection(
        unit=str(unit),
        epsilon=reader.number("epsilon", 0.0, 1e6),
        delta=reader.number("delta", 0.0, 1.0),
        fits=reader.whole("fits", 1),
        ledger=str(value.get("ledger", LEDGER)),
        public=reader.names("public"),
        invented=dict(reader.wholes("invented")),
        owner=dict(reader.columns("owner")),
        caps=dict(reader.caps()),
        bounds=dict(reader.bounds()),
        vocabularies=dict(reader.vocabularies()),
        weights=dict(reader.weights()),
        seed=reader.seed(),
    )


@dataclass(frozen=True)
class _Reader:
    value: Mapping[str, Any]
    problems: list[str]

    def number(self, name: str, above: float, below: float) -> float:
        """A number between two others, both excluded."""
        found = _number(self.value.get(name))
        if found is None or not above < found < below:
            self.problems.append(
                f"`privacy.{name}` is no number above {above:g} and below {below:g}"
            )
            return below / 2
        return found

    def whole(self, name: str, default: int) -> int:
        found = self.value.get(name, default)
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            self.problems.append(f"`privacy.{name}` is no whole number of 1 or more")
            return default
        return found

    def seed(self) -> int | None:
        found = self.value.get("seed")
        if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
            self.problems.append("`privacy.seed` is no whole number")
            return None
        return found

    def names(self, name: str) -> tuple[str, ...]:
        found = self.value.get(name) or []
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self.problems.append(f"`privacy.{name}` is no list of tables")
            return ()
        return tuple(found)

    def entries(self, name: str) -> Iterator[tuple[str, Any]]:
        found = self.value.get(name) or {}
        if not isinstance(found, dict):
            self.problems.append(f"`privacy.{name}` is no mapping")
            return
        for key, entry in found.items():
            yield str(key), entry

    def wholes(self, name: str) -> Iterator[tuple[str, int]]:
        for table, rows in self.entries(name):
            if isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
                self.problems.append(f"`privacy.{name}` of `{table}` is no number of rows")
            else:
                yield table, rows

    def columns(self, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        for table, entry in self.entries(name):
            columns = [entry] if isinstance(entry, str) else entry
            if not isinstance(columns, list) or not all(isinstance(c, str) for c in columns):
                self.problems.append(f"`privacy.{name}` of `{table}` is no list of columns")
            else:
                yield table, tuple(columns)

    def caps(self) -> Iterator[tuple[str, int | None]]:
        for table, cap in self.entries("caps"):
            if cap == CHOOSE:
                yield table, None
            elif isinstance(cap, bool) or not isinstance(cap, int) or cap < 1:
                self.problems.append(
                    f"`privacy.caps` of `{table}` is neither a number of rows nor `{CHOOSE}`"
                )
            else:
                yield table, cap

    def bounds(self) -> Iterator[tuple[str, tuple[Bound, Bound]]]:
        for place, entry in self.entries("bounds"):
            ends = entry if isinstance(entry, list) and len(entry) == 2 else []
            found = [end if isinstance(end, date) else _number(end) for end in ends]
            known = [end for end in found if end is not None]
            if "." not in place or len(known) != 2 or not _rising(*known):
                self.problems.append(
                    f"`privacy.bounds` of `{place}` is not written as"
                    " `table.column: [least, largest]`"
                )
            else:
                yield place, (known[0], known[1])

    def vocabularies(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for place, entry in self.entries("vocabularies"):
            if "." not in place or not isinstance(entry, list) or not entry:
                self.problems.append(
                    f"`privacy.vocabularies` of `{place}` is not written as"
                    " `table.column: [value, ...]`"
                )
            else:
                words = (str(w).lower() if isinstance(w, bool) else str(w) for w in entry)
                yield place, tuple(dict.fromkeys(words))

    def weights(self) -> Iterator[tuple[str, float]]:
        for table, entry in self.entries("weights"):
            found = _number(entry)
            if found is None or not 0 < found < 1e6:
                self.problems.append(f"`privacy.weights` of `{table}` is no number above 0")
            else:
                yield table, found


def _number(value: Any) -> float | None:
    """A number, also where YAML takes ``1e-6`` for text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def _rising(low: Any, high: Any) -> bool:
    try:
        return bool(low < high)
    except TypeError:
        return False
