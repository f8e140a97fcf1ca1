"""Codes of columns: where the schema or the user tells the domain, for nothing; else paid for.

A number without public limits is first counted on a coarse grid of its type (powers of two, years);
the range where the noisy counts stand out, and how fine it is cut, follow from that.  Words are
shown where enough entities share them (partition selection by a threshold on noisy counts).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import SEGMENTS, Category, Codec, Codes, Number, Presence, as_text, to_numbers
from dbsynth.identifiers import PROVIDERS
from dbsynth.model import ColumnModel, Provided
from dbsynth.private.accountant import Loss
from dbsynth.private.contents import Contents
from dbsynth.private.purse import Purse
from dbsynth.private.recipes import Recipe
from dbsynth.schema import Column, Kind

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

UNKNOWN = 2**16 - 1  # the code of what has none: it is counted nowhere
FINEST = 64  # cells of a number
MOST_WORDS_HELD = 8  # different values of one column that an entity's choice is drawn from
_ATOMS = 100  # whole numbers that all get a code of their own
_EPOCH = dt.date(1970, 1, 1)
_YEARS = (1900, 2100)
_DAY = 86_400.0
_DIGITS = 4
_SURE, _NEIGHBOUR = 1_000, 2.0


@dataclass(frozen=True)
class Domain:
    """The codes of one column.

    Attributes:
        model: With its codec.
        possible: Which codes can occur.
        edges: Of a number, the lower edge of each cell in units, and the end.
    """

    model: ColumnModel
    possible: npt.NDArray[np.bool_]
    edges: Float64 | None = None
    unit: float = 1.0

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


def found_domain(
    recipe: Recipe, values: pa.Array, contents: Contents, cap: int, purse: Purse, loss: Loss,
    subject: str,
) -> Domain:  # fmt: skip
    """The domain of a column; what the recipe does not tell is paid for.

    Args:
        cap: Most rows of one entity.
        loss: What finding it may cost.
    """
    if recipe.open:
        words = _shared_words(values, contents, cap, purse, loss, subject)
        if not words:
            return _invented(recipe)
        return _of_words(recipe, words)
    if not recipe.number:
        return public_domain(recipe)
    if recipe.bounds is not None:
        return public_domain(recipe)
    units, present = units_of(values, recipe.unit)
    edges = coarse_edges(recipe.column, recipe.unit)
    cells = np.searchsorted(edges, units[present], side="right") - 1
    exact = np.bincount(np.clip(cells, 0, len(edges) - 2), minlength=len(edges) - 1)
    noisy = purse.counts(f"range of {subject}", exact, cap, loss.rho)
    scale = cap / np.sqrt(2 * loss.rho)
    return _of_edges(recipe, refined(edges, noisy, float(scale), whole=bool(recipe.unit)))


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
    provider = PROVIDERS["label"]
    state = provider.fit(recipe.column, pa.nulls(0, pa.string()), unique=False, locale="en_US", k=1)
    decision = replace(recipe.model.decision, provider="label")
    model = replace(recipe.model, decision=decision, provided=Provided("label", state))
    possible = np.array([recipe.column.nullable, True])
    return Domain(model, possible)


def _shared_words(
    values: pa.Array, contents: Contents, cap: int, purse: Purse, loss: Loss, subject: str
) -> tuple[str, ...]:
    """The words that enough entities hold, each entity choosing a few of its own."""
    most = min(cap, MOST_WORDS_HELD)
    encoded = as_text(values).dictionary_encode()
    words = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False))
    here = words >= 0
    pairs = np.unique(np.stack([contents.entity[here], words[here]], 1), axis=0)
    lot = purse.noise.generator().permutation(len(pairs))
    order = np.lexsort((lot, pairs[:, 0]))
    entities = pairs[order, 0]
    starts = np.r_[True, entities[1:] != entities[:-1]] if len(entities) else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(entities)), 0))
    kept = pairs[order][np.arange(len(entities)) - first < most, 1]
    counts = np.bincount(kept.astype(np.int64), minlength=len(encoded.dictionary))
    names = encoded.dictionary.to_pylist()
    holders = {str(names[i]): int(counts[i]) for i in np.flatnonzero(counts)}
    return tuple(sorted(purse.shared(f"words of {subject}", holders, most, loss)))


# ---------------------------------------------------------------------------------------------
# Numbers
# ---------------------------------------------------------------------------------------------


def coarse_edges(column: Column, unit: float) -> Float64:
    """The public grid of a type, in units: years for dates and times, else powers of two.

    It ends where the type does, so that noise alone makes no number that the column cannot hold.
    """
    if column.kind in (Kind.DATE, Kind.TIMESTAMP):
        days = [(dt.date(year, 1, 1) - _EPOCH).days for year in range(*_YEARS)]
        scale = 1.0 if column.kind is Kind.DATE else _DAY
        return np.array(days, np.float64) * scale
    powers = 2.0 ** np.arange(0 if unit else -20, 50)
    beyond = _beyond(column, unit)
    if beyond <= powers[-1]:
        powers = np.append(powers[powers < beyond], beyond)
    return np.concatenate([-powers[::-1] + (1 if unit else 0), [0.0], powers])


def _beyond(column: Column, unit: float) -> float:
    """The first whole number of units that is too large for a type; endless where it tells none."""
    if column.kind not in (Kind.INTEGER, Kind.DECIMAL) or not unit:
        return np.inf
    by_bits = np.inf if column.bits is None else 2.0 ** (column.bits - 1)
    by_digits = np.inf if column.precision is None else 10.0**column.precision
    return min(by_bits, by_digits)


def refined(edges: Float64, noisy: Int64, scale: float, *, whole: bool) -> Float64:
    """Edges over the range where counts stand out, closer where there are more.

    Args:
        noisy: Counts of the cells of the coarse grid.
        scale: Standard deviation of their noise.
        whole: Whether edges are whole numbers.
    """
    # Noise stands out so far in one of ten thousand columns; a neighbour of what does need not.
    likely = scale * np.sqrt(2 * np.log(_SURE * len(noisy)))
    there = np.flatnonzero(noisy > likely)
    if not len(there):
        there = np.array([int(np.argmax(noisy))])
    first, last = int(there[0]), int(there[-1])
    while first > 0 and noisy[first - 1] > _NEIGHBOUR * scale:
        first -= 1
    while last < len(noisy) - 1 and noisy[last + 1] > _NEIGHBOUR * scale:
        last += 1
    mass = np.maximum(noisy[first : last + 1], scale).astype(np.float64)
    pieces = np.maximum(1, np.round(mass / mass.sum() * FINEST)).astype(int)
    found = [edges[last + 1]]
    for place, number in zip(range(first, last + 1), pieces, strict=True):
        found += list(np.linspace(edges[place], edges[place + 1], number, endpoint=False))
    return np.unique(np.floor(found)) if whole else np.unique(np.array(found))


def even_edges(low: float, high: float, *, whole: bool) -> Float64:
    """Edges of cells of one width between public limits, both inside."""
    if not whole:
        return np.linspace(low, high, FINEST + 1)
    low, end = np.floor(low), np.floor(high) + 1
    cells = int(end - low) if end - low <= _ATOMS else FINEST
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
