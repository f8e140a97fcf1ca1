"""Values of a few fields: points, boxes, circles, lines, paths, intervals, zoned times, bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.strings import fixed
from dbsynth.schema import Column, Kind
from dbsynth.structures.base import (
    Draw,
    Int64,
    Part,
    Values,
    formal,
    merged,
    number_text,
    time_text,
    together,
)

Float64 = npt.NDArray[np.float64]
_N = r"-?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Infinity|NaN)"
_MOST_BITS = 24
_MOST_CORNERS = 512


def _numeric(names: str) -> tuple[Part, ...]:
    return tuple(Part(n, Column(n, Kind.FLOAT, "")) for n in names.split())


def _extracted(values: pa.Array, pattern: str) -> dict[str, pa.Array]:
    """The named groups of a pattern, NULL where a value does not match."""
    found = pc.extract_regex(values, pattern)
    return {field.name: pc.struct_field(found, field.name) for field in found.type}


def _number(texts: pa.Array) -> pa.Array:
    blank = pc.if_else(pc.equal(texts, ""), None, texts)
    return pc.cast(blank, pa.float64())


@dataclass(frozen=True, slots=True)
class Shape:
    """Figures of so many numbers: ``point``, ``box``, ``circle``, ``line`` or ``lseg``.

    Corners are a place and a distance from it, so that figures keep their size.
    """

    type: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """The numbers, in the order of their names."""
        return _numeric(_FIGURES[self.type][0])

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The numbers of each figure."""
        names, pattern, _ = _FIGURES[self.type]
        found = {n: _number(t) for n, t in _extracted(values, pattern).items()}
        if self.type in ("box", "lseg"):
            found["dx"] = pc.subtract(found.pop("x2"), found["x"])
            found["dy"] = pc.subtract(found.pop("y2"), found["y"])
        return {name: Values(found[name]) for name in names.split()}

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A figure for each row."""
        every = np.arange(rows)
        names, _, pattern = _FIGURES[self.type]
        found = {name: draw(name, every, 0) for name in names.split()}
        if self.type in ("box", "lseg"):
            found["x2"] = _sum(found["x"], found["dx"])
            found["y2"] = _sum(found["y"], found["dy"])
        if self.type == "circle":
            found["r"] = pc.abs(found["r"])
        if self.type == "line":  # the first two may not both be nought
            flat = pc.and_(pc.equal(found["a"], 0.0), pc.equal(found["b"], 0.0))
            found["b"] = pc.if_else(flat, -1.0, found["b"])
        texts = {name: number_text(numbers) for name, numbers in found.items()}
        return together([texts.get(token, token) for token in pattern.split("|")])

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "shape", "type": self.type}


def _sum(first: pa.Array, second: pa.Array) -> pa.Array:
    """Sums, rounded to the digits of what is added, as decimal numbers would be."""
    total = np.asarray(pc.add(first, second).to_numpy(zero_copy_only=False))
    known = np.abs(total[np.isfinite(total)])
    largest = float(known.max(initial=1.0))
    digits = max(0, 12 - len(str(int(min(largest, 1e12)))))
    return pa.array(np.round(total, digits))


_PAIR = f"\\((?P<x>{_N}),(?P<y>{_N})\\)"
_SECOND = f"\\((?P<x2>{_N}),(?P<y2>{_N})\\)"
_FIGURES = {
    "point": ("x y", f"^{_PAIR}$", "(|x|,|y|)"),
    "box": ("x y dx dy", f"^{_SECOND},{_PAIR}$", "(|x2|,|y2|),(|x|,|y|)"),
    "lseg": ("x y dx dy", f"^\\[{_PAIR},{_SECOND}\\]$", "[(|x|,|y|),(|x2|,|y2|)]"),
    "circle": ("x y r", f"^<{_PAIR},(?P<r>{_N})>$", "<(|x|,|y|),|r|>"),
    "line": ("a b c", f"^{{(?P<a>{_N}),(?P<b>{_N}),(?P<c>{_N})}}$", "{|a|,|b|,|c|}"),
}


@dataclass(frozen=True, slots=True)
class Track:
    """Paths and polygons: where they lie, how many corners they have, and the way to each of them.

    Attributes:
        polygon: Whether corners are shares of the box around them, else steps from the one before.
        digits: Digits after the point of the coordinates.
    """

    polygon: bool
    digits: int = 9

    @property
    def parts(self) -> tuple[Part, ...]:
        """Form, the number of corners, where they lie (and how far they reach), and steps."""
        steps = tuple(Part(n, Column(n, Kind.FLOAT, ""), pooled=True) for n in ("dx", "dy"))
        place = _numeric("x y width height" if self.polygon else "x y")
        return (formal("form"), formal("corners", Kind.INTEGER), *place, *steps)

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """Form, corners, place and steps."""
        known = pc.match_substring_regex(values, r"^[\[(]\(.*\)[\])]$")
        texts = pc.if_else(known, values, None)
        inner = pc.utf8_slice_codeunits(texts, 2, -2)
        corners = pc.split_pattern(inner, "),(")
        flat = _extracted(corners.flatten(), f"^(?P<x>{_N}),(?P<y>{_N})$")
        sizes = np.asarray(pc.fill_null(pc.list_value_length(corners), 0).to_numpy(), np.int64)
        starts = np.cumsum(sizes) - sizes
        owner = np.repeat(np.arange(len(sizes)), sizes)
        some = sizes > 0
        found = {
            "form": Values(pc.if_else(pc.starts_with(texts, "["), "[", "(")),
            "corners": Values(pa.array(sizes, mask=~some)),
        }
        for name, reach in (("x", "width"), ("y", "height")):
            numbers = np.asarray(_number(flat[name]).to_numpy(zero_copy_only=False))
            low, high = np.zeros(len(sizes)), np.zeros(len(sizes))
            if len(numbers):
                low[some] = np.minimum.reduceat(numbers, starts[some])
                high[some] = np.maximum.reduceat(numbers, starts[some])
            span = high - low
            if self.polygon:
                found[reach] = Values(pa.array(span, mask=~some))
                steps = (numbers - low[owner]) / np.where(span > 0, span, 1.0)[owner]
                found[f"d{name}"] = Values(pa.array(steps), owner)
            else:
                later = np.flatnonzero(np.arange(len(owner)) != starts[owner])
                steps = numbers[later] - numbers[later - 1]
                found[f"d{name}"] = Values(pa.array(steps), owner[later])
                low = np.append(numbers, 0.0)[np.minimum(starts, len(numbers))]
            found[name] = Values(pa.array(low, pa.float64(), mask=~some))
        return found

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A path or polygon for each row."""
        every = np.arange(rows)
        sizes = np.clip(draw("corners", every, 0).to_numpy(zero_copy_only=False), 1, _MOST_CORNERS)
        found = {n: self._coordinates(n, sizes, draw) for n in "xy"}
        pieces: list[pa.Array | str] = []
        for turn in range(int(sizes.max(initial=1))):
            at = np.flatnonzero(sizes > turn)
            x, y = (number_text(pa.array(found[n][at, turn])) for n in "xy")
            pieces.append(
                merged(rows, [(at, together(["," if turn else "", "(", x, ",", y, ")"]))])
            )
        body = together(pieces)
        if self.polygon:
            return together(["(", body, ")"])
        opening = draw("form", every, 0)
        closing = pc.if_else(pc.equal(opening, "["), "]", ")")
        return together([opening, body, closing])

    def _coordinates(self, name: str, sizes: Int64, draw: Draw) -> Float64:
        """One coordinate of all corners, those of a row side by side."""
        every = np.arange(len(sizes))
        place = np.asarray(draw(name, every, 0).to_numpy(zero_copy_only=False))
        steps = np.full((len(sizes), int(sizes.max(initial=1))), np.nan)
        for turn in range(steps.shape[1]):
            at = np.flatnonzero(sizes > turn)
            if turn or self.polygon:
                drawn = draw(f"d{name}", at, turn + self.polygon)
                steps[at, turn] = drawn.to_numpy(zero_copy_only=False)
            else:
                steps[at, turn] = 0.0
        if not self.polygon:
            return np.asarray(np.round(place[:, None] + np.nancumsum(steps, axis=1), self.digits))
        low, high = np.nanmin(steps, axis=1), np.nanmax(steps, axis=1)
        reach = "width" if name == "x" else "height"
        span = np.asarray(draw(reach, every, 0).to_numpy(zero_copy_only=False))
        shares = (steps - low[:, None]) / np.where(high > low, high - low, 1.0)[:, None]
        return np.asarray(np.round(place[:, None] + shares * span[:, None], self.digits))

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "track", "polygon": self.polygon, "digits": self.digits}


def decimals(texts: pa.Array) -> int:
    """The most digits after the point in some texts, at most nine."""
    tails = pc.list_flatten(pc.split_pattern(texts, "."))
    lengths = pc.utf8_length(pc.replace_substring_regex(tails, r"[^0-9].*$", ""))
    several = pc.any(pc.match_substring(texts, ".")).as_py()
    return min(9, int(pc.max(lengths).as_py() or 0)) if several else 0


_SPAN = (
    r"^(?:(?P<years>[+-]?\d+) years? ?)?(?:(?P<months>[+-]?\d+) mons? ?)?"
    r"(?:(?P<days>[+-]?\d+) days? ?)?"
    r"(?:(?P<sign>[+-]?)(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?))?$"
)


@dataclass(frozen=True, slots=True)
class Term:
    """Intervals: months, days and microseconds, none of which is a number of another."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The three numbers."""
        names = ("months", "days", "microseconds")
        return tuple(Part(n, Column(n, Kind.INTEGER, "", bits=64)) for n in names)

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The three numbers, nought where an interval names none."""
        found = _extracted(values, _SPAN)
        known = pc.is_valid(found["days"])

        def whole(name: str) -> pa.Array:
            text = pc.replace_substring_regex(found[name], r"^\+", "")
            return pc.cast(pc.if_else(pc.equal(text, ""), "0", text), pa.int64())

        seconds = pc.cast(
            pc.if_else(pc.equal(found["seconds"], ""), "0", found["seconds"]), pa.float64()
        )
        clock = pc.add(pc.multiply(whole("hours"), 3_600_000_000),
                       pc.multiply(whole("minutes"), 60_000_000))  # fmt: skip
        clock = pc.add(clock, pc.cast(pc.round(pc.multiply(seconds, 1e6)), pa.int64()))
        clock = pc.if_else(pc.equal(found["sign"], "-"), pc.negate(clock), clock)
        months = pc.add(pc.multiply(whole("years"), 12), whole("months"))
        numbers = {"months": months, "days": whole("days"), "microseconds": clock}
        return {name: Values(pc.if_else(known, n, None)) for name, n in numbers.items()}

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """An interval for each row."""
        every = np.arange(rows)
        pieces: list[pa.Array | str] = []
        for name, unit in (("months", " mons "), ("days", " days "), ("microseconds", "")):
            numbers = draw(name, every, 0)
            if name == "microseconds":
                pieces += [pc.cast(numbers, pa.string()), " microseconds"]
                continue
            text = together([pc.cast(numbers, pa.string()), unit])
            pieces.append(pc.if_else(pc.equal(numbers, 0), "", text))
        return together(pieces)

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "term"}


@dataclass(frozen=True, slots=True)
class ZonedClock:
    """Times of day with an offset from UTC."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The time and the offset."""
        return (formal("zone"), Part("clock", Column("clock", Kind.TIME, "", precision=6)))

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The time and the offset."""
        found = _extracted(values, r"^(?P<clock>\d\d:\d\d:\d\d(?:\.\d+)?)(?P<zone>[+-][\d:]+)$")
        texts = pc.replace_substring_regex(found["clock"], r"^24:00:00.*$", "23:59:59.999999")
        moments = together(["1970-01-01 ", texts])
        clock = pc.cast(pc.cast(moments, pa.timestamp("us")), pa.time64("us"))
        return {"zone": Values(found["zone"]), "clock": Values(clock)}

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A time for each row."""
        every = np.arange(rows)
        return together([time_text(draw("clock", every, 0)), draw("zone", every, 0)])

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "zoned_clock"}


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Positions in the write-ahead log: a number in two halves of hexadecimal digits."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The number."""
        return (Part("position", Column("position", Kind.INTEGER, "", bits=64)),)

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The number of each position."""
        texts = pc.split_pattern(values, "/").to_pylist()
        numbers = [None if t is None else (int(t[0], 16) << 32) + int(t[1], 16) for t in texts]
        held = [None if n is None else min(n, 2**63 - 1) for n in numbers]
        return {"position": Values(pa.array(held, pa.int64()))}

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A position for each row."""
        numbers = draw("position", np.arange(rows), 0).to_numpy(zero_copy_only=False)
        head, tail = np.divmod(np.maximum(numbers, 0), 2**32)
        return together([_hexadecimal(head), "/", _hexadecimal(tail)])

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "log_position"}


def _hexadecimal(numbers: npt.NDArray[np.int64]) -> pa.Array:
    texts = fixed(numbers.astype(np.uint64), 8, b"0123456789ABCDEF")
    return pc.replace_substring_regex(texts, "^0{1,7}", "")


@dataclass(frozen=True, slots=True)
class Bits:
    """Bit strings: each of the first places is a flag of its own.

    Attributes:
        width: The places that occur; all values have them where ``fixed``.
    """

    width: int
    fixed: bool

    @property
    def parts(self) -> tuple[Part, ...]:
        """The length where it varies, the flags, and what lies behind them."""
        length = () if self.fixed else (formal("length", Kind.INTEGER),)
        first = min(self.width, _MOST_BITS)
        rest = (formal("rest", Kind.BOOLEAN, pooled=True),) if self.width > first else ()
        return (*length, *(formal(f"bit {i}", Kind.BOOLEAN) for i in range(first)), *rest)

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The flags of each value."""
        found: dict[str, Values] = {}
        size = pc.utf8_length(values)
        if not self.fixed:
            found["length"] = Values(pc.cast(size, pa.int64()))
        first = min(self.width, _MOST_BITS)
        for i in range(first):
            one = pc.equal(pc.utf8_slice_codeunits(values, i, i + 1), "1")
            found[f"bit {i}"] = Values(pc.if_else(pc.greater(size, i), one, None))
        if self.width > first:
            tails = pc.utf8_slice_codeunits(values, first)
            letters = np.frombuffer("".join(t or "" for t in tails.to_pylist()).encode(), np.uint8)
            lengths = pc.fill_null(pc.utf8_length(tails), 0).to_numpy(zero_copy_only=False)
            found["rest"] = Values(pa.array(letters == ord("1")), np.repeat(
                np.arange(len(values)), lengths))  # fmt: skip
        return found

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A bit string for each row."""
        every = np.arange(rows)
        size = np.full(rows, self.width)
        if not self.fixed:
            size = np.clip(draw("length", every, 0).to_numpy(zero_copy_only=False), 0, self.width)
        pieces: list[pa.Array | str] = [pa.array([""] * rows, pa.string())]
        for turn in range(int(size.max(initial=0))):
            at = np.flatnonzero(size > turn)
            name = f"bit {turn}" if turn < _MOST_BITS else "rest"
            bit = pc.if_else(draw(name, at, turn), "1", "0")
            pieces.append(merged(rows, [(at, bit)]))
        return together(pieces)

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "bits", "width": self.width, "fixed": self.fixed}
