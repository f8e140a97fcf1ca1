"""Codes of columns: where the schema or the user tells the domain, for nothing; else paid for.

A number without public limits is first counted on a coarse grid of its type (powers of two, years);
the range where the noisy counts stand out, and how fine it is cut, follow from that.  Words are
shown where enough entities share them (partition selection by a threshold on noisy counts).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import SEGMENTS, Category, Codec, Codes, Number, Presence, as_text, to_numbers
from dbsynth.identifiers import PROVIDERS
from dbsynth.model import ColumnModel, Provided
from dbsynth.private.accountant import Loss
from dbsynth.private.contents import Contents
from dbsynth.private.limits import ENDLESS
from dbsynth.private.marginals import summed
from dbsynth.private.purse import Purse
from dbsynth.private.recipes import ATOMS, Recipe
from dbsynth.schema import Column, Kind

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

NO_EDGES: Float64 = np.zeros(0)
UNKNOWN = 2**16 - 1  # the code of what has none: it is counted nowhere
COARSEST, FINEST = 8, 64  # cells of a number
_CLEAR = 4.5  # a cell is worth so many standard deviations of the noise
_EPOCH = dt.date(1970, 1, 1)
_YEARS = (
    *range(1900, 1960, 10), *range(1960, 1990, 5), *range(1990, 2036), *range(2040, 2101, 10)
)  # fmt: skip
"""Edges of the public grid of times: close where most data is, far apart where few are."""
_DECADES = (1900, 1950, 1980, 1990, 2000, 2010, 2020, 2030, 2100)  # whole numbers may be years
_NEVER = tuple(dt.date(*day) for day in ((2999, 12, 31), (9999, 1, 1), (9999, 12, 31)))
_DAY = 86_400.0
_DIGITS = 4
_SURE, _NEIGHBOUR = 100, 2.0
_GUESS, _BESIDE = 1.5, 1.0  # the same of a first look, which a second one corrects
_TOGETHER = (2, 4, 8, 16, 32, 64)  # neighbours that may stand out together
_FIRST = 0.5  # of what a search may cost, on finding out where numbers are at all


@dataclass(frozen=True)
class Coarse:
    """Noisy counts of a coarse grid.

    Attributes:
        edges: The lower edge of each cell, and the end.
        scale: Standard deviation of the noise.
        open: Which cells may hold rows; all where nothing is said.
    """

    edges: Float64
    counts: Float64
    scale: float
    open: npt.NDArray[np.bool_] | None = None

    @property
    def rows(self) -> float:
        """Estimated rows in all cells."""
        return max(float(self.counts.sum()), 0.0)

    def finer(self, cells: int, *, whole: bool, guess: bool = False) -> Float64:
        """Edges over the range where counts stand out, closer where there are more.

        Args:
            guess: Whether a second look will tell, so that what is lost is worse than what is not
                there.
        """
        return refined(
            self.edges, self.counts, self.scale, whole=whole, cells=cells, open_=self.open,
            guess=guess,
        )  # fmt: skip

    def filled(self, edges: Float64) -> npt.NDArray[np.bool_]:
        """Which of the finer cells are no gap."""
        first = np.searchsorted(self.edges, edges[:-1], side="right") - 1
        last = np.searchsorted(self.edges, edges[1:], side="left") - 1
        within = np.asarray(first == last)
        if self.open is None:
            return within
        return within & self.open[np.clip(first, 0, len(self.open) - 1)]

    def pooled(self, edges: Float64, noisy: Float64, scale: float) -> Float64:
        """Counts of finer cells, moved to where both grids put them (least squares on two levels).

        Args:
            edges: Of the finer cells.
            scale: Standard deviation of the noise in ``noisy``.
        """
        filled = self.filled(edges)
        shared = np.intersect1d(self.edges, edges)
        if len(shared) < 2:
            return noisy
        mine, theirs = _inside(shared, self.edges), _inside(shared, edges)
        known = mine >= 0
        size = len(shared)
        sums = np.bincount(mine[known], weights=self.counts[known], minlength=size)
        other = np.bincount(theirs[filled], weights=noisy[filled], minlength=size)
        parts = np.bincount(theirs[filled], minlength=size)
        doubt = np.bincount(mine[known], minlength=size) * self.scale**2
        trust = parts * scale**2 / np.maximum(parts * scale**2 + doubt, 1e-300)
        missing = trust * (sums - other) / np.maximum(parts, 1)
        return np.where(filled, noisy + missing[theirs], noisy)


def _inside(edges: Float64, finer: Float64) -> Int64:
    """The cell in which each finer one lies; -1 outside of all."""
    found = np.searchsorted(edges, finer[:-1], side="right") - 1
    return np.where(finer[1:] <= edges[-1], found, -1)


@dataclass(frozen=True)
class Domain:
    """The codes of one column.

    Attributes:
        model: With its codec.
        possible: Which codes can occur.
        edges: Of a number, the lower edge of each cell in units, and the end.
        coarse: Of a number whose range was paid for, what was counted for it.
    """

    model: ColumnModel
    possible: npt.NDArray[np.bool_]
    edges: Float64 | None = None
    unit: float = 1.0
    coarse: Coarse | None = None

    @property
    def codec(self) -> Codec:
        """What the engine sees of the column."""
        return self.model.codec or Presence(always=False)

    def encode(self, values: pa.Array) -> Codes:
        """The code of every value: numbers outside of the domain become the nearest.

        Words outside of it become `UNKNOWN`, as NULL does where there must be none.
        """
        if self.edges is None:
            return _words_encoded(self.codec, values)
        units, present = units_of(values, self.unit)
        cells = np.searchsorted(self.edges, units, side="right") - 1
        codes = 4 + np.clip(cells, 0, len(self.edges) - 2)
        return np.where(present, codes, 0 if self.possible[0] else 4).astype(np.uint16)


def _words_encoded(codec: Codec, values: pa.Array) -> Codes:
    if not isinstance(codec, Category):
        return codec.encode(values)
    texts = as_text(values)
    found = pc.fill_null(pc.index_in(texts, pa.array(codec.vocabulary, pa.string())), UNKNOWN - 1)
    codes = np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int64) + 1
    present = np.asarray(pc.is_valid(texts).to_numpy(zero_copy_only=False))
    return np.where(present, codes, 0).astype(np.uint16)


def units_of(values: pa.Array, unit: float) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """Numbers in units of their grid, and which there are; infinite ones are very large."""
    numbers, present = to_numbers(values)
    present = present & ~np.isnan(numbers)
    numbers = np.clip(np.nan_to_num(numbers), -1e300, 1e300)
    return (np.floor(numbers / unit + 0.5) if unit else numbers), present


@dataclass(frozen=True)
class Search:
    """What finding the domains of the columns of a table may cost, and what is known of its rows.

    Attributes:
        scale: Standard deviation of the noise that counts of the cells will have.
        words: Most words of one entity that are looked at.
    """

    contents: Contents
    purse: Purse
    loss: Loss
    scale: float
    words: int

    def coarse(
        self, subject: str, edges: Float64, units: Float64, rows: Int64, *, whole: bool,
        always: Float64 = NO_EDGES, guess: bool = True,
    ) -> Coarse:  # fmt: skip
        """Noisy counts of cells where numbers are: first of a public grid, then within its range.

        Args:
            units: Numbers of some rows.
            rows: Which rows.
            whole: Whether edges are whole numbers.
            always: Edges that there are in any case.
            guess: Whether a first look may find too much: not where few rows far off weigh much.
        """
        wide = self.first(subject, edges, units, rows)
        return self.within(
            wide, subject, units, rows, self.later, whole=whole, always=always, guess=guess
        )

    @property
    def later(self) -> float:
        """What a second look may cost."""
        return self.loss.rho * (1 - _FIRST)

    def first(self, subject: str, edges: Float64, units: Float64, rows: Int64) -> Coarse:
        """Noisy counts of the cells of a public grid."""
        return self._counted(f"range of {subject}", edges, units, rows, self.loss.rho * _FIRST)

    def within(
        self, wide: Coarse, subject: str, units: Float64, rows: Int64, later: float, *, whole: bool,
        always: Float64 = NO_EDGES, guess: bool = True,
    ) -> Coarse:  # fmt: skip
        """Noisy counts of cells within the range of a first look.

        Args:
            later: What they may cost.
        """
        scale = float(self.contents.cap / np.sqrt(2 * later))
        within = wide.finer(cells_wanted(wide.rows, scale), whole=whole, guess=guess)
        within = np.union1d(within, always)
        found = self._counted(f"grid of {subject}", within, units, rows, later)
        open_ = wide.filled(within)
        return replace(found, counts=np.where(open_, found.counts, 0.0), open=open_)

    def _counted(
        self, subject: str, edges: Float64, units: Float64, rows: Int64, rho: float
    ) -> Coarse:
        cells = np.clip(np.searchsorted(edges, units, side="right") - 1, 0, len(edges) - 2)
        exact = summed(cells, self.contents.weight[rows], len(edges) - 1)
        noisy = self.purse.weights(subject, exact, self.contents.cap, rho)
        return Coarse(edges, noisy, float(self.contents.cap / np.sqrt(2 * rho)))

    def richer(self, rho: float) -> Search:
        """The same search, which may cost so much more."""
        return replace(self, loss=Loss(self.loss.rho + rho, self.loss.delta))

    def cells(self, coarse: Coarse) -> int:
        """How many cells a number is worth: each stands out of the noise that it will have."""
        return cells_wanted(coarse.rows, self.scale)


def cells_wanted(rows: float, scale: float) -> int:
    """How many cells a number may have so that an average one stands out of the noise."""
    return int(np.clip(rows / (_CLEAR * max(scale, 1e-9)), COARSEST, FINEST))


def found_domain(recipe: Recipe, values: pa.Array, search: Search, subject: str) -> Domain:
    """The domain of a column; what the recipe does not tell is paid for."""
    if recipe.open:
        words = _shared_words(values, search, subject)
        return _of_words(recipe, words) if words else _invented(recipe)
    if not recipe.number or recipe.bounds is not None:
        return public_domain(recipe)
    units, present = units_of(values, recipe.unit)
    edges, whole = coarse_edges(recipe.column, recipe.unit, recipe.limits), bool(recipe.unit)
    rows = np.flatnonzero(present)
    coarse = search.coarse(subject, edges, units[present], rows, whole=whole)
    fine = coarse.finer(search.cells(coarse), whole=whole)
    found = _of_edges(recipe, fine)
    possible = np.r_[found.possible[:4], coarse.filled(fine)]
    return replace(found, possible=possible, coarse=coarse)


def public_domain(recipe: Recipe) -> Domain:
    """The domain of a column that the recipe tells."""
    if recipe.number:
        low, high = recipe.bounds or (0.0, 1000.0)
        return _of_edges(recipe, even_edges(low, high, whole=bool(recipe.unit)))
    if recipe.words:
        return _of_words(recipe, recipe.words)
    if recipe.open:
        return _invented(recipe)
    return Domain(recipe.model, np.ones(2, bool))


def _of_words(recipe: Recipe, words: tuple[str, ...]) -> Domain:
    shares = tuple(1 / len(words) for _ in words)
    codec = Category(words, words, shares, recipe.column.kind)
    possible = np.ones(len(words) + 1, bool)
    possible[0] = recipe.column.nullable
    return Domain(replace(recipe.model, codec=codec), possible)


def _invented(recipe: Recipe) -> Domain:
    """A column of texts that no two entities share often enough: invented ones, where there are."""
    provider = PROVIDERS["json" if recipe.column.kind is Kind.JSON else "label"]
    state = provider.fit(recipe.column, pa.nulls(0, pa.string()), unique=False, locale="en_US", k=1)
    decision = replace(recipe.model.decision, provider=provider.name)
    model = replace(recipe.model, decision=decision, provided=Provided(provider.name, state))
    possible = np.array([recipe.column.nullable, True])
    return Domain(model, possible)


def _shared_words(values: pa.Array, search: Search, subject: str) -> tuple[str, ...]:
    """The words that enough entities hold, each entity choosing a few of its own."""
    most, contents = search.words, search.contents
    encoded = as_text(values).dictionary_encode()
    words = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False))
    here = words >= 0
    pairs = np.unique(np.stack([contents.entity[here], words[here]], 1), axis=0)
    lot = search.purse.noise.generator().permutation(len(pairs))
    order = np.lexsort((lot, pairs[:, 0]))
    entities = pairs[order, 0]
    starts = np.r_[True, entities[1:] != entities[:-1]] if len(entities) else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(entities)), 0))
    kept = pairs[order][np.arange(len(entities)) - first < most, 1]
    counts = np.bincount(kept.astype(np.int64), minlength=len(encoded.dictionary))
    names = encoded.dictionary.to_pylist()
    holders = {str(names[i]): int(counts[i]) for i in np.flatnonzero(counts)}
    return tuple(sorted(search.purse.shared(f"words of {subject}", holders, most, search.loss)))


# ---------------------------------------------------------------------------------------------
# Numbers
# ---------------------------------------------------------------------------------------------


def coarse_edges(column: Column, unit: float, limits: tuple[float, float] = ENDLESS) -> Float64:
    """The public grid of a type, in units: years for times, else powers of two (and decades).

    Days that stand for `never` have cells of their own.

    Args:
        limits: Public ones, in units.

    It ends where the type does, so that noise alone makes no number that the column cannot hold.
    """
    if column.kind in (Kind.DATE, Kind.TIMESTAMP):
        days = [(dt.date(year, 1, 1) - _EPOCH).days for year in _YEARS]
        for day in _NEVER:  # what stands for no end, a cell each
            days += [(day - _EPOCH).days, (day - _EPOCH).days + 1]
        scale = 1.0 if column.kind is Kind.DATE else _DAY
        return np.array(days, np.float64) * scale
    powers = 2.0 ** np.arange(0 if unit else -20, 50)
    beyond = _beyond(column, unit)
    if beyond <= powers[-1]:
        powers = np.append(powers[powers < beyond], beyond)
    found = np.concatenate([-powers[::-1] + (1 if unit else 0), [0.0], powers])
    if column.kind is Kind.INTEGER:
        found = np.unique(np.concatenate([found, np.array(_DECADES, np.float64)]))
        found = found[found <= max(beyond, 0)]
    low, end = limits[0], limits[1] + (1 if unit else 0)
    inside = found[(found > low) & (found < end)]
    return np.unique(np.concatenate([[max(low, found[0])], inside, [min(end, found[-1])]]))


def _beyond(column: Column, unit: float) -> float:
    """The first whole number of units that is too large for a type; endless where it tells none."""
    if column.kind not in (Kind.INTEGER, Kind.DECIMAL) or not unit:
        return np.inf
    by_bits = np.inf if column.bits is None else 2.0 ** (column.bits - 1)
    by_digits = np.inf if column.precision is None else 10.0**column.precision
    return min(by_bits, by_digits)


def refined(
    edges: Float64, noisy: Float64, scale: float, *, whole: bool, cells: int = FINEST,
    open_: npt.NDArray[np.bool_] | None = None, guess: bool = False,
) -> Float64:  # fmt: skip
    """Edges over the range where counts stand out, closer where there are more.

    Args:
        noisy: Counts of the cells of the coarse grid.
        scale: Standard deviation of their noise.
        whole: Whether edges are whole numbers.
        cells: About how many there shall be.
        open_: Cells that may hold rows, where the others are known to hold none.
        guess: Whether a second look will tell.
    """
    there = standing_out(noisy, scale, guess=guess)
    if open_ is not None and (there & open_).any():
        # The first time of all siblings may lie just beside where most times are.
        there = (there | np.r_[there[1:], False] | np.r_[False, there[:-1]]) & open_
    mass = np.where(there, np.maximum(noisy, scale), 0.0)
    pieces = np.maximum(1, np.round(mass / mass.sum() * cells)).astype(int)
    found = [edges[np.flatnonzero(there)[-1] + 1]]
    for place in np.flatnonzero(there):
        found += list(np.linspace(edges[place], edges[place + 1], pieces[place], endpoint=False))
        found.append(edges[place + 1])  # where a gap may begin
    return np.unique(np.floor(found)) if whole else np.unique(np.array(found))


def standing_out(noisy: Float64, scale: float, *, guess: bool) -> npt.NDArray[np.bool_]:
    """The cells with more rows than noise makes, by themselves, together, or beside such."""
    # Noise stands out so far in one of hundreds of columns; a neighbour of what does need not.
    least = scale * (_GUESS if guess else np.sqrt(2 * np.log(_SURE * len(noisy))))
    found = noisy > least
    for width in _TOGETHER:  # what is thinly spread stands out of the noise of several cells
        if width > len(noisy):
            break
        over = _windows(np.where(found, 0.0, noisy), width)
        left = _windows(~found, width)
        clear = over > least * np.sqrt(np.maximum(left, 1))
        for place in np.flatnonzero(clear):
            found[place : place + width] = True
    if not found.any():
        found[int(np.argmax(noisy))] = True
    likely = noisy > (_BESIDE if guess else _NEIGHBOUR) * scale
    while True:
        beside = np.r_[found[1:], False] | np.r_[False, found[:-1]]
        if not (more := beside & likely & ~found).any():
            break
        found |= more
    found[1:-1] |= found[:-2] & found[2:]  # one cell is no gap
    return np.asarray(found, np.bool_)


def _windows(values: npt.NDArray[Any], width: int) -> Float64:
    """The sum of every run of so many neighbours."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return np.asarray(sums[width:] - sums[:-width], np.float64)


def even_edges(low: float, high: float, *, whole: bool) -> Float64:
    """Edges of cells of one width between public limits, both inside."""
    if not whole:
        return np.linspace(low, high, FINEST + 1)
    low, end = np.floor(low), np.floor(high) + 1
    cells = int(end - low) if end - low <= ATOMS else FINEST
    return np.unique(np.floor(np.linspace(low, end, cells + 1)))


def _of_edges(recipe: Recipe, edges: Float64) -> Domain:
    codec = codec_of_edges(recipe.column, edges, recipe.unit)
    possible = np.r_[recipe.column.nullable, False, False, False, np.ones(len(edges) - 1, bool)]
    return Domain(replace(recipe.model, codec=codec), possible, edges, recipe.unit)


def codec_of_edges(column: Column, edges: Float64, unit: float) -> Number:
    """The codec whose cells lie between edges; cells of one whole number are that number."""
    low, high = edges[:-1], edges[1:]
    scale = unit or 1.0
    single = (high - low == 1) & (unit > 0)
    points = np.where(single, low * scale, np.nan)
    start, end = (low - 0.49, high - 0.51) if unit else (low, high)  # all that is rounded inside
    steps = np.linspace(0, 1, SEGMENTS + 1)
    inner = (start[:, None] + (end - start)[:, None] * steps) * scale
    inner[single] = points[single][:, None]
    digits, step = 0, scale
    if column.kind in (Kind.DECIMAL, Kind.FLOAT):
        step = 0.0
        wide = max(float(edges[-1] - edges[0]), 1e-12)
        digits = column.scale if column.scale is not None else 0
        if not unit:
            digits = int(np.clip(_DIGITS - np.floor(np.log10(wide)), 0, 12))
    return Number(column.kind, points, inner, step, 0.0, digits, column.zoned)
