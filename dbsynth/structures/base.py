"""What a structure is: a way to take values apart into columns, and to put them together.

The engine sees columns.  A document, an array, a range or a point becomes several (*parts*), which
are classified, coded and drawn as all columns are; the structure alone knows the notation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.strings import joined
from dbsynth.schema import Column, Kind

Int64 = npt.NDArray[np.int64]

Draw = Callable[[str, Int64, int], pa.Array]
"""Values of a part for some rows (numbers below the count given to `Structure.assembled`), never
NULL; the third argument tells several values of one row apart."""


@dataclass(frozen=True, slots=True)
class Part:
    """A column that values are taken apart into.

    Attributes:
        name: Unique within the structure; no value of a row is in it.
        column: What its values are; its name is what they are called.
        formal: Whether it tells the form of a value (its type, length or bounds) and is never of
            interest for itself.
        pooled: Whether a row may have any number of its values, so that it is no variable of the
            row and is drawn by its shares alone.
    """

    name: str
    column: Column
    formal: bool = False
    pooled: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a part, one for each row; where they are pooled, with the rows they are of."""

    array: pa.Array
    owners: Int64 | None = None


class Structure(Protocol):
    """Takes the values of a column apart and puts them together; a frozen, JSON-able value."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The columns behind the values, in the order in which they shall be drawn."""

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The values of every part, NULL where a value has no such part.

        Args:
            wanted: Names of the parts that are asked for; others may be left out.
        """

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A value for each of so many rows."""

    def to_json(self) -> dict[str, Any]:
        """The state; `dbsynth.structures.structure_from_json` is the inverse."""


def formal(name: str, kind: Kind = Kind.TEXT, *, pooled: bool = False) -> Part:
    """A part that tells the form of values."""
    return Part(name, Column(name, kind, ""), True, pooled)


def number_text(values: pa.Array) -> pa.Array:
    """Numbers as the shortest text, whole ones without a point."""
    texts = pc.cast(values, pa.string())
    if not pa.types.is_floating(values.type):
        return texts
    texts = pc.replace_substring_regex(texts, r"\.0$", "")
    for arrow, usual in (("^nan$", "NaN"), ("^inf$", "Infinity"), ("^-inf$", "-Infinity")):
        texts = pc.replace_substring_regex(texts, arrow, usual)
    return texts


def time_text(values: pa.Array) -> pa.Array:
    """Dates and times as text, without noughts at the end of a fraction."""
    texts = pc.replace_substring_regex(pc.cast(values, pa.string()), r"\.0+$", "")
    return pc.replace_substring_regex(texts, r"(\.\d*[1-9])0+$", r"\1")


def merged(rows: int, pieces: list[tuple[Int64, pa.Array]]) -> pa.Array:
    """One array from the entries at some places; empty texts elsewhere."""
    if len(pieces) == 1 and len(pieces[0][0]) == rows:
        return pieces[0][1]
    source = np.zeros(rows, np.int64)
    arrays, start = [pa.array([""], pa.string())], 1
    for at, array in pieces:
        source[at] = start + np.arange(len(at))
        arrays.append(array)
        start += len(at)
    return pa.concat_arrays(arrays).take(pa.array(source))


def together(parts: list[pa.Array | str]) -> pa.Array:
    """The parts of each row, one after the other; any may be a text for all rows."""
    return joined(*parts)


def of_text(array: pa.Array, word: str) -> npt.NDArray[np.bool_]:
    """Where a text is this word."""
    return np.asarray(pc.fill_null(pc.equal(array, word), False).to_numpy(zero_copy_only=False))
