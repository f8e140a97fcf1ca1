"""Real keys into links on the way in, positions into freshly minted keys on the way out.

Engines never see a key.  On the way in, key tuples are hashed to 64 bits and joined, so that no key
value is kept.  On the way out, the key of the row at a position is a pure function of the position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.errors import Unsatisfiable
from dbsynth.randomness import UInt64, uniform
from dbsynth.schema import ForeignKey, Table, UniqueKey
from dbsynth.sorting import by_group

Int64 = npt.NDArray[np.int64]

_HASH_SEED = 0x5EED
_DENSE = 1.5  # a key whose range is at most this many times its rows is a plain sequence
_LONGEST = 2.0**63 - 2**11  # span of a key in floats that are whole numbers of 64 bits
_WIDEST = 2**53
_DAY = 86_400  # seconds
_CALENDAR = (-719_528, 2_932_896)  # days since 1970 from the year 0 to the year 9999
_ATTEMPTS = 24  # steps inside a stratum to get around real keys


def hash_keys(
    columns: Sequence[pa.Array | pa.ChunkedArray],
) -> tuple[UInt64, npt.NDArray[np.bool_]]:
    """A 64-bit hash of every key tuple, and a mask of the tuples without a NULL.

    Numbers are hashed by value whatever their type, so that an integer column can refer to a
    decimal one, and a column of digits to a column of numbers.
    """
    named = {str(i): pl.Series(canonical(column)) for i, column in enumerate(columns)}
    frame = pl.DataFrame(named)
    complete = frame.select(pl.all_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    return frame.hash_rows(seed=_HASH_SEED).to_numpy(), complete


def canonical(column: pa.Array | pa.ChunkedArray) -> pl.Series:
    """Values as texts that are equal where keys are, whatever their types."""
    if pa.types.is_time(column.type):  # polars knows no 24:00
        column = pc.cast(pc.cast(column, pa.time64("us")), pa.int64())
    series = pl.Series(pl.from_arrow(column))
    if series.dtype.is_float():
        whole = series.cast(pl.Int64, strict=False)
        texts = series.cast(pl.String)
        return whole.cast(pl.String).zip_with((whole.cast(pl.Float64) == series), texts)
    if series.dtype == pl.Binary:
        return series.bin.encode("hex")
    if series.dtype == pl.Duration:
        series = series.cast(pl.Int64)
    if series.dtype.is_temporal():
        return _moments(series)
    return series.cast(pl.String)


def _moments(times: pl.Series) -> pl.Series:
    """Dates and times as texts; infinity and years beyond the calendar as numbers."""
    day = {"ms": 1_000 * _DAY, "us": 1_000_000 * _DAY, "ns": 1_000_000_000 * _DAY}
    units = times.to_physical().cast(pl.Int64)
    each = day[times.dtype.time_unit or "us"] if isinstance(times.dtype, pl.Datetime) else 1
    readable = (units // each).is_between(*_CALENDAR)
    known = pl.select(pl.when(readable).then(times)).to_series()
    return known.cast(pl.String).zip_with(readable, units.cast(pl.String))


def join(child: UInt64, complete: npt.NDArray[np.bool_], parent: UInt64) -> tuple[Int64, int]:
    """Position in ``parent`` of every child key, -1 for NULL and for orphans; number of orphans."""
    if not len(parent):
        return np.full(len(child), -1, np.int64), int(complete.sum())
    order = np.argsort(parent, kind="stable")
    ordered = parent[order]
    place = np.minimum(np.searchsorted(ordered, child), len(parent) - 1)
    found = ordered[place] == child
    links = np.where(found & complete, order[place], -1).astype(np.int64)
    return links, int((complete & ~found).sum())


@dataclass(frozen=True, slots=True)
class Mint:
    """Different numbers for different positions, spread like the numbers of a real key.

    The range is cut in as many strata as there are rows; each row has a number of its own stratum,
    the first of it where ``dense``.  So keys grow with the position, never repeat, and share with
    the real keys no more than a blind draw from their range would.

    Attributes:
        low: Smallest number, in units of ``step`` from zero.
        high: Largest number of the real key, in the same units.
        rows: Rows of the real table.
        step: Grid of the numbers.
        limit: Largest number that the column can hold, in the same units.
        least: Smallest number that it can hold; None for as far below zero as ``limit`` is above.
    """

    low: int
    high: int
    rows: int
    step: float = 1.0
    limit: int = 2**62
    least: int | None = None

    @property
    def floor(self) -> int:
        """The smallest number that the column can hold."""
        return -self.limit - 1 if self.least is None else self.least

    @property
    def capacity(self) -> int:
        """How many different numbers the column can hold."""
        return self.limit - self.floor + 1

    @property
    def dense(self) -> bool:
        """Whether the key is a plain sequence."""
        return self.high - self.low + 1 <= _DENSE * self.rows

    def draw(
        self, positions: npt.ArrayLike, total: int, key: int,
        unwanted: Callable[[Int64], npt.NDArray[np.bool_]] | None = None,
    ) -> Int64:  # fmt: skip
        """The numbers of some positions among ``total``, in units of ``step``.

        Args:
            unwanted: Which numbers had better not be drawn; followed where the strata have room.

        Raises:
            Unsatisfiable: The column cannot hold so many different numbers.
        """
        place = np.asarray(positions, dtype=np.int64)
        low = self.low
        if low + total - 1 > self.limit:
            low = max(self.limit - total + 1, self.floor)
            if low + total - 1 > self.limit:
                raise Unsatisfiable(
                    f"a key column cannot hold {total} different numbers", hint="lower the scale"
                )
        if self.dense:
            return low + place
        span = (self.high - self.low + 1) * max(1.0, total / max(self.rows, 1))
        span = min(span, float(self.limit - low + 1), _LONGEST)
        width = span / max(total, 1)
        if width < 1:
            return np.asarray(low + place, np.int64)
        first = np.ceil(place * width).astype(np.int64)
        after = np.ceil((place + 1) * width).astype(np.int64)
        drawn: Int64 = (
            low + first + np.floor(uniform(key, place) * (after - first)).astype(np.int64)
        )
        if unwanted is None:
            return drawn
        again = np.flatnonzero(unwanted(drawn))
        for _ in range(_ATTEMPTS):
            if not len(again):
                break
            start, room = low + first[again], (after - first)[again]
            drawn[again] = start + (drawn[again] - start + 1) % room
            again = again[unwanted(drawn[again])]
        return drawn

    def to_json(self) -> dict[str, Any]:
        """JSON-able values; ``Mint(**value)`` is the inverse."""
        return asdict(self)


def fit_mint(
    values: npt.NDArray[Any], rows: int, step: float, bits: int | None, precision: int | None
) -> Mint:
    """The mint of a numeric key, from its non-null values in units of ``step``."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (1, max(rows, 1))
    if len(values) and high - low + 1 > _DENSE * rows and (bits or precision):
        low, high = _rounded(low, high)
    limit = 2 ** (bits - 1) - 1 if bits else 2**62
    if precision is not None:
        limit = min(limit, 10**precision - 1)
    if abs(low) > _WIDEST or abs(high) > _WIDEST:
        step = 1.0
    return Mint(low, high, max(rows, 1), step, limit)


def _rounded(low: int, high: int) -> tuple[int, int]:
    """Round limits just outside of two numbers, which are somebody's."""
    grain = 10 ** max(len(str(high - low)) - 2, 0)
    return (low - low % grain if low >= grain else low), high + (-high - 1) % grain


def key_parts(table: Table, key: UniqueKey) -> tuple[ForeignKey, ...]:
    """The foreign keys that lie within a unique key."""
    return tuple(fk for fk in table.foreign_keys if set(fk.columns) <= set(key.columns))


def group_ids(columns: Sequence[npt.NDArray[Any]]) -> Int64:
    """A small integer for every tuple, equal for equal tuples."""
    frame = pl.DataFrame({str(i): column for i, column in enumerate(columns)})
    ranked = frame.select(pl.struct(pl.all()).rank("dense").cast(pl.Int64) - 1)
    return ranked.to_series().to_numpy()


def rank_in_group(groups: npt.NDArray[Any]) -> Int64:
    """How many rows of the same group come before each row."""
    order = by_group(groups)
    ordered = groups[order]
    start = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(start, np.arange(len(ordered)), 0))
    ranks = np.empty(len(ordered), np.int64)
    ranks[order] = np.arange(len(ordered)) - first
    return ranks
