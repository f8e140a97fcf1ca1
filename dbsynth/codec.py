"""Values into small integer codes, and codes into values.

Every modelled column becomes an array of uint16 codes over an alphabet; engines see nothing else.
Code 0 is NULL.  The state of a codec is JSON-able and holds quantiles and values that many rows
share, never a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.endings import Endings, endings_of
from dbsynth.endings import from_json as endings_from_json
from dbsynth.randomness import uniform
from dbsynth.schema import Column, Kind

Codes = npt.NDArray[np.uint16]
Float64 = npt.NDArray[np.float64]

BINS = 128
HEAVY_SHARE = 1 / 256  # a value with this share of the rows has a code of its own
HEAVY_ROWS = 20  # and so has one with so many rows, if that is ...
LEAST_SHARE = 1 / 1024  # ... this share
MOST_ATOMS = 400
_ENDS = 0xE4D5  # sets the stream of endings apart from that of numbers
SEGMENTS = 5  # a bin is decoded by interpolation over so many inner quantiles


@dataclass(frozen=True, slots=True)
class Alphabet:
    """What an engine knows of a column: the number of its codes and whether their order counts."""

    size: int
    ordered: bool


class Codec(Protocol):
    """Translates one column."""

    @property
    def alphabet(self) -> Alphabet:
        """Its codes."""

    def encode(self, values: pa.Array) -> Codes:
        """The code of every value."""

    def decode(self, codes: Codes, positions: npt.NDArray[np.int64], key: int) -> pa.Array:
        """A value for every code; those of a bin are drawn by (key, position)."""

    def to_json(self) -> dict[str, Any]:
        """The state; `codec_from_json` is the inverse."""


def k_threshold(rows: int) -> int:
    """How many rows must share a value before it may be shown: 5, less in tiny tables."""
    return min(5, max(2, rows // 10))


# ---------------------------------------------------------------------------------------------
# Numbers and times
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """Numbers and times: heavy values have codes of their own, the rest falls in quantile bins.

    Codes: 0 NULL; 1 NaN, 2 -infinity, 3 infinity; then cells in rising order of value.

    Attributes:
        kind: Which Arrow type comes out.
        points: Value of each cell that is a single value, NaN for a bin; shape (cells,).
        inner: Inner quantiles of each cell; shape (cells, SEGMENTS + 1).
        step: Grid of the values; 0 for none.
        offset: Where the grid starts.
        digits: Digits after the point to round to, -1 for no rounding.
        zoned: Whether a timestamp is in UTC.
        endings: How the numbers of bins end; None for anyhow.
    """

    kind: Kind
    points: Float64
    inner: Float64
    step: float
    offset: float
    digits: int
    zoned: bool = False
    endings: Endings | None = None

    @property
    def alphabet(self) -> Alphabet:
        """NULL, the three special numbers, and the cells."""
        return Alphabet(4 + len(self.points), ordered=True)

    def encode(self, values: pa.Array) -> Codes:
        """The code of every value; a value outside of all bins goes to the nearest one."""
        numbers, present = to_numbers(values)
        codes = np.zeros(len(numbers), np.uint16)
        finite = present & np.isfinite(numbers)
        codes[present & np.isnan(numbers)] = 1
        codes[present & (numbers == -np.inf)] = 2
        codes[present & (numbers == np.inf)] = 3
        if len(self.points):
            codes[finite] = 4 + self._cells(numbers[finite])
        return codes

    def _cells(self, numbers: Float64) -> npt.NDArray[np.int64]:
        atom_cells = np.flatnonzero(~np.isnan(self.points))
        bin_cells = np.flatnonzero(np.isnan(self.points))
        atoms = self.points[atom_cells]
        cells = np.zeros(len(numbers), np.int64)
        if len(bin_cells):
            uppers = self.inner[bin_cells, -1]
            cells = bin_cells[np.minimum(np.searchsorted(uppers, numbers), len(bin_cells) - 1)]
        if len(atoms):
            place = np.minimum(np.searchsorted(atoms, numbers), len(atoms) - 1)
            if not len(bin_cells):
                before = np.maximum(place - 1, 0)
                place = np.where(
                    np.abs(atoms[before] - numbers) < np.abs(atoms[place] - numbers), before, place
                )
                return atom_cells[place]
            cells = np.where(atoms[place] == numbers, atom_cells[place], cells)
        return cells

    def decode(self, codes: Codes, positions: npt.NDArray[np.int64], key: int) -> pa.Array:
        """Heavy values as they are; those of a bin interpolated between its inner quantiles."""
        cells = np.maximum(codes.astype(np.int64) - 4, 0)
        numbers = np.zeros(len(codes))
        if len(self.points):
            place = uniform(key, positions) * SEGMENTS
            segment = place.astype(np.int64)
            low = self.inner[cells, segment]
            numbers = self.snap(low + (place - segment) * (self.inner[cells, segment + 1] - low))
            if self.endings is not None:
                drawn = uniform(key ^ _ENDS, positions)
                ended = self.snap(self.endings.put(numbers, drawn))
                inside = (ended >= self.inner[0, 0]) & (ended <= self.inner[-1, -1])
                numbers = np.where(inside, ended, numbers)
            numbers = np.where(np.isnan(self.points[cells]), numbers, self.points[cells])
        for code, special in ((1, np.nan), (2, -np.inf), (3, np.inf)):
            numbers[codes == code] = special
        return from_numbers(numbers, codes != 0, self.kind, zoned=self.zoned)

    def snap(self, numbers: Float64) -> Float64:
        """The nearest number on the grid."""
        if self.step:
            numbers = self.offset + np.round((numbers - self.offset) / self.step) * self.step
        return np.round(numbers, self.digits) if self.digits >= 0 else numbers

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {
            "codec": "number",
            "kind": self.kind.value,
            "points": [None if np.isnan(p) else float(p) for p in self.points],
            "inner": [[float(x) for x in row] for row in self.inner],
            "step": self.step,
            "offset": self.offset,
            "digits": self.digits,
            "zoned": self.zoned,
            "endings": self.endings and self.endings.to_json(),
        }


Naming = Callable[[Float64], npt.NDArray[np.bool_]]
"""Which of some numbers shall have a code of their own, where k rows share them."""


def fit_number(column: Column, values: pa.Array, k: int, named: Naming | None = None) -> Number:
    """The codec of a numeric or time column, from a sample.

    Args:
        named: Which values get a code of their own beside the heavy ones.
    """
    numbers, present = to_numbers(values)
    numbers = np.sort(numbers[present & np.isfinite(numbers)])
    step, offset, digits = grid_of(column, numbers)
    distinct, counts = np.unique(numbers, return_counts=True)
    atoms = _atoms(distinct, counts, k)
    if named is not None:
        atoms = np.union1d(atoms, distinct[named(distinct) & (counts >= k)])
    rest = numbers[~np.isin(numbers, atoms)]
    cells = [(a, a, np.full(SEGMENTS + 1, a)) for a in atoms]
    cells += [(float(np.mean(q)), np.nan, q) for q in _bins(rest, k)]
    cells.sort(key=lambda cell: cell[0])
    return Number(
        column.kind,
        np.array([point for _, point, _ in cells]),
        np.array([inner for _, _, inner in cells]).reshape(len(cells), SEGMENTS + 1),
        step,
        offset,
        digits,
        column.zoned,
        _endings(column, rest, step, digits, k),
    )


def _endings(column: Column, rest: Float64, step: float, digits: int, k: int) -> Endings | None:
    """How the numbers of bins end."""
    if column.kind is Kind.INTEGER:
        return endings_of(rest, 1.0, k) if step <= 1 else None
    if column.kind in (Kind.DECIMAL, Kind.FLOAT) and digits >= 0:
        return endings_of(rest, 10.0**-digits, k)
    return None


def _atoms(distinct: Float64, counts: npt.NDArray[np.int64], k: int) -> Float64:
    total = int(counts.sum())
    least = max(min(total * HEAVY_SHARE, HEAVY_ROWS), total * LEAST_SHARE)
    heavy = counts >= max(k, least)
    shared = counts >= k
    # A column with few values, nearly all of them shared, is a closed list: every value is heavy.
    if shared.sum() <= MOST_ATOMS and counts[shared].sum() >= 0.98 * total:
        heavy = shared
    atoms = distinct[heavy]
    if len(atoms) > MOST_ATOMS:
        atoms = np.sort(distinct[np.argsort(-counts, kind="stable")[:MOST_ATOMS]])
    return atoms


def _bins(rest: Float64, k: int) -> list[Float64]:
    """Inner quantiles of each bin; the tails end at the k-th value from either side.

    A quantile is the mean of about k neighbours, so that it is nobody's value.
    """
    if not len(rest):
        return []
    trim = min(k - 1, (len(rest) - 1) // 2)
    near = min(k // 2, trim)
    means = np.lib.stride_tricks.sliding_window_view(rest, 2 * near + 1).mean(axis=1)
    kept = means[trim - near : len(means) - (trim - near)]
    count = int(np.clip(len(kept) // 20, 1, BINS))
    grid = np.quantile(kept, np.linspace(0, 1, count * SEGMENTS + 1))
    bins = [grid[i * SEGMENTS : (i + 1) * SEGMENTS + 1] for i in range(count)]
    return [b for i, b in enumerate(bins) if i == 0 or b[-1] > bins[i - 1][-1]]


def grid_of(column: Column, numbers: Float64) -> tuple[float, float, int]:
    """Step and offset of the grid on which all values lie, and digits after the point."""
    if not len(numbers):
        return (0.0 if column.kind is Kind.FLOAT else 1.0), 0.0, column.scale or 0
    if column.kind in (Kind.DECIMAL, Kind.FLOAT):
        limit = column.scale if column.scale is not None else 6
        usual = float(np.median(np.abs(numbers[numbers != 0]))) if numbers.any() else 1.0
        for digits in range(limit + 1):
            near = 1e-9 * min(10.0**-digits, usual)  # numbers may all be far below one
            if np.allclose(np.round(numbers, digits), numbers, rtol=0, atol=near):
                return 0.0, 0.0, digits
        return 0.0, 0.0, limit if column.kind is Kind.DECIMAL else -1
    if column.kind in (Kind.TIMESTAMP, Kind.TIME, Kind.INTERVAL):
        for step in (86_400e6, 3_600e6, 60e6, 1e6, 1e3):
            if not np.any(np.mod(numbers, step)):
                return step, 0.0, 0
        return 1.0, 0.0, 0
    whole = np.clip(numbers, -(2.0**61), 2.0**61).astype(np.int64)  # so that differences fit
    divisor = int(np.gcd.reduce(whole - whole[0])) if column.kind is Kind.INTEGER else 1
    step = float(divisor) if divisor > 1 and len(np.unique(whole)) > 10 else 1.0
    return step, float(whole[0] % int(step)) if step > 1 else 0.0, 0


ENDLESS = {Kind.DATE: (-(2**31), 2**31 - 1), Kind.TIMESTAMP: (-(2**63) + 1, 2**63 - 1)}
"""The days (int32) and microseconds (int64) that stand for infinite dates and timestamps, as they
do in PostgreSQL; as numbers they are infinite."""


def to_numbers(values: pa.Array) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """Numbers behind values (dates as days, times as microseconds), and which are not NULL."""
    present = np.asarray(pc.is_valid(values).to_numpy(zero_copy_only=False))
    type_ = values.type
    if pa.types.is_date32(type_):
        values = values.cast(pa.int32())
    elif not (pa.types.is_integer(type_) or pa.types.is_floating(type_)):
        values = (
            values.cast(pa.float64()) if pa.types.is_decimal(type_) else values.cast(pa.int64())
        )
    numbers = np.asarray(pc.fill_null(values, 0).to_numpy(zero_copy_only=False), dtype=np.float64)
    if pa.types.is_temporal(type_) and not pa.types.is_time(type_):
        low, high = ENDLESS[Kind.DATE if pa.types.is_date(type_) else Kind.TIMESTAMP]
        numbers = np.where(numbers >= float(high), np.inf, numbers)
        numbers = np.where(numbers <= float(low), -np.inf, numbers)
    return numbers, present


ARROW = {
    Kind.INTEGER: pa.int64(),
    Kind.DECIMAL: pa.float64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIME: pa.time64("us"),
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.INTERVAL: pa.duration("us"),
    Kind.BYTES: pa.binary(),
}


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type that carries the values of a column."""
    if column.kind is Kind.TIMESTAMP and column.zoned:
        return pa.timestamp("us", "UTC")
    return ARROW.get(column.kind, pa.string())


def from_numbers(
    numbers: Float64 | npt.NDArray[np.int64],
    present: npt.NDArray[np.bool_],
    kind: Kind,
    *,
    zoned: bool = False,
) -> pa.Array:
    """The inverse of `to_numbers`."""
    mask = ~present
    if kind in (Kind.DECIMAL, Kind.FLOAT):
        return pa.array(numbers, pa.float64(), mask=mask, from_pandas=False)
    whole = _whole(numbers)
    if kind is Kind.TIME:
        whole = np.clip(whole, 0, 86_400_000_000 - 1)
    if kind is Kind.DATE:
        whole = np.clip(whole, *ENDLESS[Kind.DATE])
        return pa.array(whole.astype(np.int32), pa.int32(), mask=mask).cast(pa.date32())
    if kind in (Kind.TIMESTAMP, Kind.INTERVAL):
        endless = np.isinf(numbers)
        low, high = ENDLESS[Kind.TIMESTAMP]
        whole = np.where(endless, np.where(numbers > 0, high, low), whole)
    target = pa.timestamp("us", "UTC") if zoned and kind is Kind.TIMESTAMP else ARROW[kind]
    return pa.array(whole, pa.int64(), mask=mask).cast(target)


def _whole(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    if numbers.dtype == np.int64:
        return numbers
    limit = 9.2e18
    rounded: npt.NDArray[Any] = np.round(np.clip(np.nan_to_num(numbers), -limit, limit))
    return rounded.astype(np.int64)


# ---------------------------------------------------------------------------------------------
# Categories and presence
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Category:
    """Values from a closed vocabulary; code 0 is NULL, then the vocabulary by falling frequency.

    A value outside of the vocabulary (fewer than k rows share it) is encoded as one inside, drawn
    by frequency, so that it leaves no trace.

    Attributes:
        vocabulary: The real values, or empty where they must not be kept (then ``digests`` encode).
        shown: What comes out for each code.
        shares: Share of each value among the kept rows.
        kind: Which Arrow type comes out.
    """

    vocabulary: tuple[str, ...]
    shown: tuple[str, ...]
    shares: tuple[float, ...]
    kind: Kind

    @property
    def alphabet(self) -> Alphabet:
        """NULL and the vocabulary."""
        return Alphabet(1 + len(self.shown), ordered=False)

    def encode(self, values: pa.Array) -> Codes:
        """The code of every value; a rare one has that of a shown one, the same in all rows."""
        texts = as_text(values)
        found = pc.index_in(texts, pa.array(self.vocabulary, pa.string()))
        present = np.asarray(pc.is_valid(texts).to_numpy(zero_copy_only=False))
        codes = (
            np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False)).astype(np.int64) + 1
        )
        rare = present & (codes == 0)
        if rare.any() and self.shares:
            rows = pa.array(np.flatnonzero(rare))
            place = uniform(0, pl.Series(pl.from_arrow(texts.take(rows))).hash(seed=0).to_numpy())
            drawn = np.searchsorted(np.cumsum(self.shares), place * 0.999999)
            codes[rare] = 1 + np.minimum(drawn, len(self.shares) - 1)
        return codes.astype(np.uint16)

    def unnamed(self, values: pa.Array) -> npt.NDArray[np.bool_]:
        """Which values are outside of the vocabulary."""
        texts = as_text(values)
        known = pc.is_in(texts, pa.array(self.vocabulary, pa.string()))
        return ~np.asarray(pc.or_(known, pc.is_null(texts)).to_numpy(zero_copy_only=False))

    def decode(self, codes: Codes, positions: npt.NDArray[np.int64], key: int) -> pa.Array:
        """The value of every code."""
        del positions, key
        words = pa.array([None, *self.shown], pa.string()).take(pa.array(codes.astype(np.int64)))
        return words if self.kind not in ARROW else pc.cast(words, ARROW[self.kind])

    def to_json(self) -> dict[str, Any]:
        """The state, without the real vocabulary where another one is shown."""
        shown = list(self.shown)
        return {
            "codec": "category",
            "shown": shown,
            "shares": list(self.shares),
            "kind": self.kind.value,
        }


def as_shown(codec: Codec) -> Codec:
    """The codec that reads what another one shows: the values of a clone instead of the source."""
    return replace(codec, vocabulary=codec.shown) if isinstance(codec, Category) else codec


def as_text(values: pa.Array) -> pa.Array:
    """Values as strings."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string())


def fit_category(column: Column, values: pa.Array, k: int, shown: tuple[str, ...] = ()) -> Category:
    """The codec of a categorical column, from a sample.

    The vocabulary of an enumeration or a boolean belongs to the schema and is kept whole.
    """
    counts = pc.value_counts(as_text(values).drop_null())
    table = sorted(
        ((str(c["values"]), int(c["counts"])) for c in counts.to_pylist()),
        key=lambda p: (-p[1], p[0]),
    )
    known = {Kind.ENUM: column.choices, Kind.BOOLEAN: ("false", "true")}.get(column.kind)
    if known is None:
        kept = [(value, count) for value, count in table if count >= k]
    else:
        kept = [(value, count) for value, count in table if value in known]
        kept += [(value, 0) for value in known if value not in dict(kept)]
    total = sum(count for _, count in kept) or 1
    words = tuple(value for value, _ in kept)
    return Category(words, shown or words, tuple(count / total for _, count in kept), column.kind)


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether there is a value at all; the value itself comes from a provider.

    Attributes:
        blanks: Values that stand for nobody and have codes of their own, from 1.
    """

    always: bool
    blanks: tuple[str, ...] = ()

    @property
    def alphabet(self) -> Alphabet:
        """NULL, the blanks, and any other value."""
        return Alphabet(2 + len(self.blanks), ordered=not self.blanks)

    def encode(self, values: pa.Array) -> Codes:
        """0 for NULL, the last code for a value that is no blank."""
        present = np.asarray(pc.is_valid(values).to_numpy(zero_copy_only=False))
        if not self.blanks:
            return present.astype(np.uint16)
        place = pc.fill_null(self._blank(values), len(self.blanks))
        return np.where(present, 1 + place.to_numpy(zero_copy_only=False), 0).astype(np.uint16)

    def unnamed(self, values: pa.Array) -> npt.NDArray[np.bool_]:
        """The values that have no code of their own: all but blanks."""
        present = np.asarray(pc.is_valid(values).to_numpy(zero_copy_only=False))
        unnamed: npt.NDArray[np.bool_] = present & (self.encode(values) > len(self.blanks))
        return unnamed

    def _blank(self, values: pa.Array) -> pa.Array:
        return pc.index_in(as_text(values), pa.array(self.blanks, pa.string()))

    def decode(self, codes: Codes, positions: npt.NDArray[np.int64], key: int) -> pa.Array:
        """Booleans: whether there is a value."""
        del positions, key
        return pa.array(codes != 0)

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"codec": "presence", "always": self.always, "blanks": list(self.blanks)}


@dataclass(frozen=True, slots=True)
class Formatted:
    """Text that holds numbers or dates in one format: modelled as what it means.

    Attributes:
        form: ``integer``, ``decimal:2``, or a strptime format.
        number: The codec of what the text means.
    """

    form: str
    number: Number

    @property
    def alphabet(self) -> Alphabet:
        """That of the numbers."""
        return self.number.alphabet

    def encode(self, values: pa.Array) -> Codes:
        """The code of every text; what does not parse counts as NULL."""
        return self.number.encode(parse_form(values, self.form))

    def decode(self, codes: Codes, positions: npt.NDArray[np.int64], key: int) -> pa.Array:
        """Texts in the format."""
        return write_form(self.number.decode(codes, positions, key), self.form)

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"codec": "formatted", "form": self.form, "number": self.number.to_json()}


def form_kind(form: str) -> Kind:
    """The kind of value behind a text format."""
    if form == "integer":
        return Kind.INTEGER
    if form.startswith("decimal"):
        return Kind.DECIMAL
    return Kind.TIMESTAMP if "%H" in form or "%I" in form else Kind.DATE


def parse_form(values: pa.Array, form: str) -> pa.Array:
    """What the texts mean; NULL where a text does not parse."""
    series = pl.Series(pl.from_arrow(as_text(values))).str.strip_chars()
    match form_kind(form):
        case Kind.INTEGER:
            parsed = series.cast(pl.Int64, strict=False)
        case Kind.DECIMAL:
            parsed = series.cast(pl.Float64, strict=False)
        case Kind.DATE:
            parsed = series.str.to_date(form, strict=False)
        case _:
            parsed = series.str.to_datetime(form, time_unit="us", strict=False)
    return parsed.to_arrow()


def write_form(values: pa.Array, form: str) -> pa.Array:
    """Values as texts in a format; the inverse of `parse_form`."""
    series = pl.Series(pl.from_arrow(values))
    match form_kind(form):
        case Kind.INTEGER:
            written = series.cast(pl.String)
        case Kind.DECIMAL:
            digits = int(form.partition(":")[2] or 2)
            written = series.cast(pl.Decimal(38, digits)).cast(pl.String)
        case _:
            written = series.dt.strftime(form)
    return written.to_arrow().cast(pa.string())


def codec_from_json(value: Mapping[str, Any]) -> Codec:
    """The codec whose state was saved."""
    match value["codec"]:
        case "number":
            points = np.array(
                [np.nan if p is None else p for p in value["points"]], dtype=np.float64
            )
            return Number(
                Kind(value["kind"]),
                points,
                np.array(value["inner"], dtype=np.float64).reshape(len(points), SEGMENTS + 1),
                value["step"],
                value["offset"],
                value["digits"],
                value["zoned"],
                endings_from_json(value.get("endings")),
            )
        case "category":
            shown = tuple(value["shown"])
            return Category((), shown, tuple(value["shares"]), Kind(value["kind"]))
        case "formatted":
            number = codec_from_json(value["number"])
            assert isinstance(number, Number)
            return Formatted(value["form"], number)
        case _:
            return Presence(value["always"], tuple(value.get("blanks", ())))
