"""Shapes of the entries of a file: what may stand where, from which both reader and editor learn.

A shape reads a value, collects what is wrong with it, and writes its part of a JSON schema, so that
the file that an editor accepts is the file that is read.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Path = tuple[str | int, ...]
Problems = list[tuple[Path, str]]
_MOST_SHOWN = 60
_LARGEST = 2**62


@dataclass(frozen=True)
class Spot:
    """Where a value stands.

    Attributes:
        name: The same in words.
        problems: All that was found wrong so far, with the path of each.
    """

    path: Path
    name: str
    problems: Problems

    def wrong(self, text: str) -> None:
        """Note a problem."""
        self.problems.append((self.path, text))

    def inside(self, key: str | int, name: str) -> Spot:
        """The place of an entry."""
        return Spot((*self.path, key), name, self.problems)


class Shape(Protocol):
    """What may stand at a place."""

    def read(self, value: Any, at: Spot) -> Any:
        """The value as it is to be used; None, with a problem noted, where it has another shape."""

    def schema(self) -> dict[str, Any]:
        """The shape as JSON schema."""


@dataclass(frozen=True)
class Text:
    """A text; ``filled`` is applied to it, and may note problems."""

    doc: str
    filled: Callable[[str, Spot], str] | None = None
    advice: str = ""

    def read(self, value: Any, at: Spot) -> Any:
        """The text."""
        if not isinstance(value, str):
            at.wrong(f"{at.name} is no text{self.advice}")
            return None
        return self.filled(value, at) if self.filled else value

    def schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string", "description": self.doc}


@dataclass(frozen=True)
class Number:
    """A finite number within limits."""

    doc: str
    low: float = 0
    high: float = math.inf
    whole: bool = False
    above: bool = False  # whether it has to be more than `low`

    def read(self, value: Any, at: Spot) -> Any:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            at.wrong(f"{at.name} is no number" if not self.whole else self._told(at))
            return None
        within = self.low <= value <= self.high and not (self.above and value == self.low)
        if not within or (self.whole and not (value < math.inf and value == int(value))):
            at.wrong(self._told(at))
        elif value > _LARGEST:
            at.wrong(f"{at.name} is too large a number")
        else:
            return int(value) if self.whole else value
        return None

    def _told(self, at: Spot) -> str:
        what = "whole number" if self.whole else "number"
        if self.above:
            most = f" and {self.high:g} or less" if self.high < math.inf else ""
            return f"{at.name} is no {what} of more than {self.low:g}{most}"
        if self.high < math.inf:
            return f"{at.name} is no {what} from {self.low:g} to {self.high:g}"
        return f"{at.name} is no {what} of {self.low:g} or more"

    def schema(self) -> dict[str, Any]:
        """A number."""
        found: dict[str, Any] = {
            "type": "integer" if self.whole else "number",
            "exclusiveMinimum" if self.above else "minimum": self.low,
            "description": self.doc,
        }
        return found | ({"maximum": self.high} if self.high < math.inf else {})


@dataclass(frozen=True)
class Choice:
    """One of several words."""

    doc: str
    words: tuple[str, ...]

    def read(self, value: Any, at: Spot) -> Any:
        """The word."""
        if value in self.words and isinstance(value, str):
            return value
        name = at.name.strip("`")
        what = f"unknown {name} " if "`" not in name else f"{at.name}: unknown word "
        at.wrong(f"{what}`{shown(value)}` ({meant(value, self.words)})")
        return None

    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"enum": list(self.words), "description": self.doc}


@dataclass(frozen=True)
class Record:
    """Entries of known names; one that is empty counts as left out.

    Attributes:
        entries: What may stand under each name.
        needed: Names that may not be left out.
        whole: Names whose value may be NULL, as that says something.
        then: Makes the value of the entries, and may note problems and return None.
    """

    doc: str
    entries: Mapping[str, Shape]
    needed: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    then: Callable[[dict[str, Any], Spot], Any] | None = None

    def read(self, value: Any, at: Spot) -> Any:
        """The entries that could be read."""
        if not isinstance(value, dict):
            at.wrong(f"{at.name} is no mapping")
            return None
        inside = f" of {at.name}" if at.path else ""
        found = {}
        for name, entry in value.items():
            place = at.inside(name, f"`{name}`{inside}")
            if not isinstance(name, str) or name not in self.entries:
                place.wrong(
                    f"unknown entry `{shown(name)}` in {at.name} ({meant(name, self.entries)})"
                )
            elif entry is not None or name in self.whole:
                read = self.entries[name].read(entry, place)
                if read is not None:
                    found[name] = read
        missing = [name for name in self.needed if value.get(name) is None]
        if missing:
            at.wrong(f"{at.name} lacks " + " and ".join(f"`{name}`" for name in missing))
        if missing:
            return None
        return self.then(found, at) if self.then else found

    def schema(self) -> dict[str, Any]:
        """An object without other properties."""
        found: dict[str, Any] = {
            "type": ["object", "null"] if not self.needed else "object",
            "additionalProperties": False,
            "properties": {name: shape.schema() for name, shape in self.entries.items()},
            "description": self.doc,
        }
        return found | ({"required": list(self.needed)} if self.needed else {})


@dataclass(frozen=True)
class Named:
    """Entries of any names, all of one shape."""

    doc: str
    shape: Shape
    named: Callable[[str, Spot], str] = field(default=lambda name, at: f"`{name}`")
    empty: Any = None  # what an entry without a value stands for

    def read(self, value: Any, at: Spot) -> Any:
        """The entries by their names, which YAML may have taken for something else."""
        if not isinstance(value, dict):
            at.wrong(f"{at.name} is no mapping")
            return None
        found = {}
        for name, entry in value.items():
            if not isinstance(name, str):
                at.inside(name, "").wrong(
                    f"{at.name} has an entry that YAML reads as {shown(name)};"
                    " put the name in quotes"
                )
                continue
            entry = self.empty if entry is None else entry
            read = self.shape.read(entry, at.inside(name, self.named(name, at)))
            if read is not None:
                found[name] = read
        return found

    def schema(self) -> dict[str, Any]:
        """An object of any properties."""
        return {
            "type": ["object", "null"],
            "additionalProperties": self.shape.schema(),
            "description": self.doc,
        }


@dataclass(frozen=True)
class Several:
    """A list of entries of one shape.

    Attributes:
        each: What an entry is called.
        alone: Whether a single entry may stand without a list.
    """

    doc: str
    shape: Shape
    each: str
    alone: bool = False

    def read(self, value: Any, at: Spot) -> Any:
        """The entries that could be read."""
        if value is None:
            return []
        if not isinstance(value, list):
            if not self.alone:
                at.wrong(f"{at.name} is no list")
                return None
            value = [value]
        read = [self.shape.read(v, at.inside(i, self.each)) for i, v in enumerate(value)]
        return [entry for entry in read if entry is not None]

    def schema(self) -> dict[str, Any]:
        """An array, or one entry where that may stand alone."""
        inner = self.shape.schema()
        many = {"type": ["array", "null"], "items": inner, "description": self.doc}
        return {"anyOf": [many, inner], "description": self.doc} if self.alone else many


def meant(value: Any, known: Iterable[str]) -> str:
    """The nearest known word, or all of them."""
    known = list(known)
    near = difflib.get_close_matches(shown(value), known, 1)
    return f"did you mean `{near[0]}`?" if near else "known: " + ", ".join(known)


def shown(value: Any) -> str:
    """A value of a file in a message, whatever it is."""
    if isinstance(value, str | int | float | bool) or value is None:
        text = str(value)
        return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."
    return "a mapping" if isinstance(value, dict) else "a list or date"


def told(problems: Problems, lines: Mapping[Path, int]) -> Iterator[str]:
    """The problems in the order of the lines of the file, each once, with its line."""
    placed = [(_line(path, lines), text) for path, text in problems]
    for line, text in dict.fromkeys(sorted(placed, key=lambda found: found[0] or 0)):
        yield f"line {line}: {text}" if line else text


def _line(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of an entry, or of the one that it should stand in; None where no file says so."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None
