"""Ranges and multiranges: form of the bounds, lower bound, and width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import from_numbers, to_numbers
from dbsynth.schema import Column, Kind
from dbsynth.structures.base import (
    Draw,
    Part,
    Values,
    formal,
    merged,
    number_text,
    time_text,
    together,
)

Float64 = npt.NDArray[np.float64]

_ONE = r"(?P<open>[\[(])\"?(?P<low>[^\",]*)\"?,\"?(?P<high>[^\",]*)\"?(?P<close>[\])])"
_FORMS = {  # of bounds: how they are written, and the kind that they have
    "integer": (r"^-?\d{1,18}$", Kind.INTEGER),
    "decimal": (r"^-?\d{1,15}(\.\d+)?$", Kind.DECIMAL),
    "day": (r"^\d{4}-\d\d-\d\d$", Kind.DATE),
    "second": (r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?$", Kind.TIMESTAMP),
    "zoned": (r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00(:00)?$", Kind.TIMESTAMP),
}
_MOST = 64


def bound_form(values: pa.Array) -> str:
    """How the bounds of ranges or multiranges are written; empty where it is none of ours."""
    texts = pc.unique(_bounds(values))
    texts = texts.filter(pc.not_equal(texts, ""))
    for form, (pattern, _) in _FORMS.items():
        if len(texts) and pc.all(pc.match_substring_regex(texts, pattern)).as_py():
            return form
    return ""


def _bounds(values: pa.Array) -> pa.Array:
    ranges = _pieces(values).flatten()
    found = pc.extract_regex(ranges, f"^{_ONE}$")
    bounds = [pc.struct_field(found, name) for name in ("low", "high")]
    both = pa.concat_arrays(bounds).drop_null()
    return both.filter(pc.invert(pc.match_substring_regex(both, "infinity$")))


def _pieces(values: pa.Array) -> pa.Array:
    """The ranges of each multirange (or the range itself), as lists."""
    bare = pc.replace_substring_regex(values, r"^\{|\}$", "")
    marked = pc.replace_substring_regex(bare, r"([\])]),", r"\1|")
    return pc.split_pattern(pc.if_else(pc.equal(marked, "empty"), "", marked), "|")


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Bounds of one form as numbers and back.

    Attributes:
        form: A key of `_FORMS`.
    """

    form: str

    @property
    def kind(self) -> Kind:
        return _FORMS[self.form][1]

    @property
    def width_kind(self) -> Kind:
        return Kind.DECIMAL if self.form == "decimal" else Kind.INTEGER

    def column(self, name: str) -> Column:
        return Column(name, self.kind, "")

    def typed(self, texts: pa.Array) -> pa.Array:
        """Bounds as values; NULL where there is none."""
        known = pc.match_substring_regex(texts, _FORMS[self.form][0])
        bare = pc.replace_substring_regex(pc.if_else(known, texts, None), r"\+00(:00)?$", "")
        types = {Kind.INTEGER: pa.int64(), Kind.DATE: pa.date32()}
        if self.kind is Kind.TIMESTAMP:
            return pc.cast(bare, pa.timestamp("us"))
        return pc.cast(bare, types.get(self.kind, pa.float64()))

    def between(self, low: pa.Array, high: pa.Array) -> pa.Array:
        """Distances, as whole numbers of days, microseconds or units where those are whole."""
        (a, here), (b, there) = to_numbers(low), to_numbers(high)
        return from_numbers(np.round(b - a, 9), here & there, self.width_kind)

    def beyond(self, low: Float64, width: Float64) -> Float64:
        return np.asarray(np.round(low + width, 9))

    def text(self, numbers: Float64) -> pa.Array:
        """Bounds in quotes where they need them."""
        every = np.ones(len(numbers), bool)
        values = from_numbers(numbers, every, self.kind)
        if self.kind is Kind.TIMESTAMP:
            zone = "+00" if self.form == "zoned" else ""
            return together(['"', time_text(values), zone, '"'])
        return time_text(values) if self.kind is Kind.DATE else number_text(values)


def _marks(opening: pa.Array, closing: pa.Array, low: pa.Array, high: pa.Array) -> pa.Array:
    """The form of ranges: brackets, with ``-`` for a bound that is missing."""

    def mark(text: pa.Array) -> pa.Array:
        endless = pc.if_else(pc.match_substring_regex(text, "infinity$"), "i", "")
        return pc.if_else(pc.equal(text, ""), "-", endless)

    return together([opening, mark(low), ",", mark(high), closing])


def _written(form: pa.Array, low: Float64, high: Float64, bounds: _Bounds) -> pa.Array:
    """Ranges from their forms and bounds."""
    lows, highs = bounds.text(low), bounds.text(high)
    head, tail = (pc.list_element(pc.split_pattern(form, ","), i) for i in (0, 1))

    def bound(mark: pa.Array, text: pa.Array, endless: str) -> pa.Array:
        text = pc.if_else(pc.match_substring(mark, "-"), "", text)
        return pc.if_else(pc.match_substring(mark, "i"), endless, text)

    return together([
        pc.utf8_slice_codeunits(head, 0, 1), bound(head, lows, "-infinity"), ",",
        bound(tail, highs, "infinity"), pc.utf8_slice_codeunits(tail, -1),
    ])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Range:
    """Ranges over numbers, days or moments.

    Attributes:
        form: How bounds are written, a key of `_FORMS`.
    """

    form: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """Form, lower bound, width, and the upper bound where it stands alone."""
        bounds = _Bounds(self.form)
        width = Column("width", bounds.width_kind, "")
        return (formal("form"), Part("low", bounds.column("low")), Part("width", width),
                Part("high", bounds.column("high")))  # fmt: skip

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The form, and what it has of bounds."""
        bounds = _Bounds(self.form)
        found = pc.extract_regex(values, f"^{_ONE}$")
        opening, low, high, closing = (
            pc.struct_field(found, name) for name in ("open", "low", "high", "close")
        )
        form = _marks(opening, closing, low, high)
        form = pc.if_else(pc.equal(values, "empty"), "empty", form)
        first, last = bounds.typed(low), bounds.typed(high)
        alone = pc.if_else(pc.is_valid(first), None, last)
        return {"form": Values(form), "low": Values(first), "high": Values(alone),
                "width": Values(bounds.between(first, last))}  # fmt: skip

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A range for each row."""
        bounds = _Bounds(self.form)
        form = draw("form", np.arange(rows), 0)
        forms = np.asarray(form.to_numpy(zero_copy_only=False), dtype=str)
        some = np.flatnonzero(forms != "empty")
        left = np.char.find(forms, "-,") + np.char.find(forms, "i,") == -2
        right = np.char.find(forms, ",-") + np.char.find(forms, ",i") == -2
        low, high = np.zeros(rows), np.zeros(rows)
        for at, name in ((some[left[some]], "low"), (some[~left[some] & right[some]], "high")):
            (low if name == "low" else high)[at] = to_numbers(draw(name, at, 0))[0]
        both = some[left[some] & right[some]]
        width = np.maximum(to_numbers(draw("width", both, 0))[0], 0)
        high[both] = bounds.beyond(low[both], width)
        written = _written(form.take(pa.array(some)), low[some], high[some], bounds)
        none = np.flatnonzero(forms == "empty")
        return merged(rows, [(some, written), (none, form.take(pa.array(none)))])

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "range", "form": self.form}


def _taken(array: pa.Array, where: npt.NDArray[np.int64]) -> pa.Array:
    return array.take(pa.array(where)) if len(array) else pa.nulls(len(where), array.type)


@dataclass(frozen=True, slots=True)
class Multirange:
    """Multiranges: how many ranges, where the first begins, their widths and the gaps between.

    Attributes:
        form: How bounds are written, a key of `_FORMS`.
    """

    form: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """Count, whether the ends are open, first bound, widths and gaps."""
        bounds = _Bounds(self.form)
        kind = bounds.width_kind
        return (
            formal("count", Kind.INTEGER), formal("ends"), formal("form"),
            Part("low", bounds.column("low")), Part("width", Column("width", kind, "")),
            *(Part(n, Column("width", kind, "")) for n in ("gap", "next width")),
            *(Part(f"later {n}", Column(n, kind, ""), pooled=True) for n in ("gap", "width")),
        )  # fmt: skip

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The numbers of each multirange."""
        bounds = _Bounds(self.form)
        pieces = _pieces(values)
        empty = pc.equal(values, "{}")
        sizes = np.asarray(pc.fill_null(pc.list_value_length(pieces), 0).to_numpy(), np.int64)
        void = np.asarray(pc.fill_null(empty, False).to_numpy(zero_copy_only=False))
        found = pc.extract_regex(pieces.flatten(), f"^{_ONE}$")
        opening, low, high, closing = (
            pc.struct_field(found, name) for name in ("open", "low", "high", "close")
        )
        first, last = bounds.typed(low), bounds.typed(high)
        width = bounds.between(first, last)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        starts = np.cumsum(sizes) - sizes
        place = np.arange(len(owner)) - starts[owner]
        head = np.minimum(starts, max(len(owner) - 1, 0))
        final = np.clip(starts + sizes - 1, 0, max(len(owner) - 1, 0))
        later = np.flatnonzero(place > 0)
        gap = bounds.between(last.take(pa.array(later - 1)), first.take(pa.array(later)))
        second = np.minimum(starts + 1, max(len(owner) - 1, 0))
        several = pa.array((sizes > 1) & ~void)
        present = (sizes > 0) & ~void
        between = bounds.between(_taken(last, head), _taken(first, second))

        def at(array: pa.Array, where: npt.NDArray[np.int64]) -> pa.Array:
            return pc.if_else(pa.array(present), _taken(array, where), None)

        form = together([opening, closing])
        ends = together([
            pc.if_else(pc.equal(at(low, head), ""), "-", "x"),
            pc.if_else(pc.equal(at(high, final), ""), "-", "x"),
        ])  # fmt: skip
        count = pa.array(np.where(void, 0, sizes), mask=np.asarray(sizes == 0))
        return {
            "count": Values(count), "ends": Values(ends), "form": Values(at(form, head)),
            "low": Values(at(first, head)), "width": Values(at(width, head)),
            "next width": Values(pc.if_else(several, at(width, second), None)),
            "gap": Values(pc.if_else(several, between, None)),
            "later width": Values(width.take(pa.array(later)), owner[later]),
            "later gap": Values(gap, owner[later]),
        }  # fmt: skip

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A multirange for each row."""
        bounds = _Bounds(self.form)
        every = np.arange(rows)
        sizes = np.clip(draw("count", every, 0).to_numpy(zero_copy_only=False), 0, _MOST)
        some = np.flatnonzero(sizes > 0)
        ends, form = (
            merged(rows, [(some, draw(name, some, 0))]) if len(some) else None
            for name in ("ends", "form")
        )
        low, high = np.zeros(rows), np.zeros(rows)
        pieces: list[pa.Array | str] = [pa.array(["{"] * rows, pa.string())]
        for turn in range(int(sizes.max(initial=0))):
            assert ends is not None
            assert form is not None
            at = np.flatnonzero(sizes > turn)
            if turn:
                name = "gap" if turn == 1 else "later gap"
                gap = np.maximum(to_numbers(draw(name, at, turn))[0], self._least)
                low[at] = bounds.beyond(high[at], gap)
            else:
                low[at] = to_numbers(draw("low", at, 0))[0]
            name = ("width", "next width", "later width")[min(turn, 2)]
            width = np.maximum(to_numbers(draw(name, at, turn))[0], self._least)
            high[at] = bounds.beyond(low[at], width)
            marks = form.take(pa.array(at))
            end = ends.take(pa.array(at))
            last = pa.array(sizes[at] == turn + 1)
            left = pc.and_(pc.starts_with(end, "-"), turn == 0)
            right = pc.and_(pc.ends_with(end, "-"), last)
            full = together([
                pc.utf8_slice_codeunits(marks, 0, 1), pc.if_else(left, "-", ""), ",",
                pc.if_else(right, "-", ""), pc.utf8_slice_codeunits(marks, 1, 2),
            ])  # fmt: skip
            written = _written(full, low[at], high[at], bounds)
            pieces.append(merged(rows, [(at, together(["," if turn else "", written]))]))
        pieces.append("}")
        return together(pieces)

    @property
    def _least(self) -> float:
        return 1e-6 if self.form == "decimal" else 1.0

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "multirange", "form": self.form}
