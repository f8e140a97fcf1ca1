"""Codes that count: ``INV-2024-00017`` is the seventeenth of its year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.strings import joined, plain

Int64 = npt.NDArray[np.int64]
LITERAL, TIME, PARENT, NUMBER = "literal", "time", "parent", "number"
FORMATS = ("%Y%m%d", "%y%m%d", "%Y%m", "%y%m", "%Y", "%y", "%m", "%d")
"""Ways in which the time of a row may be in its code, longer ones first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a code.

    Attributes:
        kind: ``literal``, ``time``, ``parent`` or ``number``.
        text: The literal, or the format of the time.
        width: Digits, with zeros before; 0 for as many as there are.
    """

    kind: str
    text: str = ""
    width: int = 0


@dataclass(frozen=True)
class Serial:
    """How codes of a column count rows.

    Attributes:
        pieces: What they are put together of.
        time: The column of the row whose time is in them, and in whose order they count.
        parent: The column of a foreign key that is in them, or in whose groups they count.
        first: The first number of a group.
        restarts: Whether the numbers begin anew with each time, as it is in the code.
        within: Whether they begin anew with each parent.
    """

    pieces: tuple[Piece, ...]
    time: str | None = None
    parent: str | None = None
    first: int = 1
    restarts: bool = False
    within: bool = False

    def groups(self, times: pa.Array | None, parents: pa.Array | None) -> list[Int64]:
        """What rows of one run of numbers have in common, as numbers."""
        found = []
        if self.restarts and times is not None:
            found += [time_text(times, p.text) for p in self.pieces if p.kind == TIME]
        if self.within and parents is not None:
            found.append(parents)
        return [_ids(values) for values in found]

    def written(self, numbers: Int64, times: pa.Array | None, parents: pa.Array | None) -> pa.Array:
        """The codes of some numbers; NULL where the row does not say all that is in them."""
        parts: list[pa.Array | str] = []
        for piece in self.pieces:
            match piece.kind:
                case "literal":
                    parts.append(piece.text)
                case "time":
                    assert times is not None
                    parts.append(time_text(times, piece.text))
                case "parent":
                    assert parents is not None
                    parts.append(pc.utf8_lpad(parents, piece.width, "0"))
                case _:
                    parts.append(pc.utf8_lpad(plain(numbers), piece.width, "0"))
        return joined(*parts)

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)

    def __str__(self) -> str:
        """For people: ``INV-{%Y}-{number}``."""
        return "".join(p.text if p.kind == LITERAL else f"{{{p.text or p.kind}}}"
                       for p in self.pieces)  # fmt: skip


def serial_from_json(value: Mapping[str, Any] | None) -> Serial | None:
    """What `Serial.to_json` wrote."""
    if value is None:
        return None
    pieces: Sequence[Mapping[str, Any]] = value["pieces"]
    return Serial(**{**value, "pieces": tuple(Piece(**piece) for piece in pieces)})


def time_text(times: pa.Array, form: str) -> pa.Array:
    """Times in one of the `FORMATS`; NULL where they have no such year."""
    moments = times.cast(pa.timestamp("s"), safe=False) if not _zoned(times) else _naive(times)
    years = pc.year(moments)
    known = pc.and_(pc.greater_equal(years, 1), pc.less_equal(years, 9999))
    known = pc.fill_null(known, False)
    return pc.strftime(pc.if_else(known, moments, pa.scalar(None, moments.type)), format=form)


def ticks_of(times: pa.Array) -> Int64:
    """Times as numbers in their order."""
    whole = times.cast(pa.int32()) if pa.types.is_date32(times.type) else times
    ticks: Int64 = pc.fill_null(whole.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    return ticks


def _ids(values: pa.Array) -> Int64:
    codes = values.dictionary_encode().indices
    found: Int64 = pc.fill_null(codes, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _zoned(times: pa.Array) -> bool:
    return pa.types.is_timestamp(times.type) and times.type.tz is not None


def _naive(times: pa.Array) -> pa.Array:
    """The times in UTC, without a zone."""
    return times.cast(pa.timestamp(times.type.unit, "UTC")).cast(pa.timestamp(times.type.unit))
