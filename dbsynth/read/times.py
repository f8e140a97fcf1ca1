"""Times relative to other times: a delivery so many hours after its order, not on its own date.

A time column is coded as the distance to its *anchor*, an earlier time of the same row or of the
generating parent, where that is steadier than the time itself.  An order that always holds in the
source (delivered after ordered) then holds in the clone by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import (
    Codes,
    Formatted,
    Number,
    fit_number,
    form_kind,
    from_numbers,
    parse_form,
    to_numbers,
    write_form,
)  # fmt: skip
from dbsynth.model import Anchor, Calendar, ColumnModel, Gap
from dbsynth.randomness import hashed, in_some_groups
from dbsynth.schema import Column, Kind

Float64 = npt.NDArray[np.float64]
DAY = 86_400e6  # microseconds
_STEADIER = 0.5  # a distance whose spread is this share of the time's own spread is worth it
_STEADIER_IN_ORDER = 0.95  # less is asked of a distance that never changes its sign
_NEAR = 0.5
_FEWEST = 30
_ABOUT = 0.05  # of the usual gap, by which gaps of a beat differ at most
_REGULAR = 0.8  # of the gaps, from which they have a beat
_TOGETHER = 0.5
_HALVES = 0x5EED
_TRIED = 100_000  # rows of whole families on which it is judged whether gaps tell
_WHEN, _CELLS, _PRIOR = 16, 256, 5.0
_FORETOLD = 0.1  # nats
_WIDE = 45 * DAY  # times that spread less are not moved about in the week
_THURSDAY = 3  # 1970-01-01 was one, counted from Monday


@dataclass(frozen=True, slots=True)
class Times:
    """The values of a time column in microseconds, NaN for NULL, and the grid on which they lie."""

    numbers: Float64
    step: float
    kind: Kind


def time_of(column: Column, model: ColumnModel) -> tuple[Kind, Number] | None:
    """Kind and codec of a column that holds dates or timestamps; None for any other column."""
    codec = model.codec
    if isinstance(codec, Formatted):
        kind = form_kind(codec.form)
        return (kind, codec.number) if kind in (Kind.DATE, Kind.TIMESTAMP) else None
    if isinstance(codec, Number) and column.kind in (Kind.DATE, Kind.TIMESTAMP):
        return column.kind, codec
    return None


def in_microseconds(values: pa.Array, column: Column, model: ColumnModel) -> Float64:
    """The values of a time column in microseconds, NaN for NULL."""
    found = time_of(column, model)
    assert found is not None
    if isinstance(model.codec, Formatted):
        values = parse_form(values, model.codec.form)
    numbers, present = to_numbers(values)
    return np.where(present, numbers * (DAY if found[0] is Kind.DATE else 1.0), np.nan)


def grid(kind: Kind, number: Number) -> float:
    """The grid of a time column in microseconds."""
    return DAY if kind is Kind.DATE else max(number.step, 1.0)


def best_anchor(
    own: Times, candidates: Iterable[tuple[Anchor, Float64]]
) -> tuple[Anchor, Float64] | None:
    """The anchor with the steadiest distance, and the distances in microseconds; None for none."""
    present = ~np.isnan(own.numbers)
    if present.sum() < _FEWEST:
        return None
    best: tuple[float, Anchor, Float64] | None = None
    spread = _spread(own.numbers[present])
    for anchor, numbers in candidates:
        if not np.isfinite(numbers[present]).all():
            continue
        floor = np.floor(numbers / own.step) * own.step
        distance = own.numbers - floor
        ordered = bool((distance[present] >= 0).all() or (distance[present] <= 0).all())
        ratio = _spread(distance[present]) / spread if spread else 1.0
        if ratio < (_STEADIER_IN_ORDER if ordered else _STEADIER) and (
            best is None or ratio < best[0]
        ):
            best = ratio, anchor, distance
    return None if best is None else best[1:]


def _spread(numbers: Float64) -> float:
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return 0.0
    low, high = np.quantile(numbers, [0.05, 0.95])
    return float(high - low)


def anchored(
    column: Column, model: ColumnModel, own: Times, anchor: Anchor, distance: Float64, k: int
) -> tuple[ColumnModel, pa.Array]:
    """The model of a column that is coded as a distance, and the distances to encode."""
    unit = _unit(own.kind)
    kind = Kind.INTEGER if own.kind is Kind.DATE else Kind.INTERVAL
    if kind is Kind.INTEGER and np.isinf(distance).any():
        kind = Kind.FLOAT
    whole = np.where(np.isnan(distance), 0.0, distance / unit)
    values = from_numbers(whole, ~np.isnan(distance), kind)
    number = fit_number(Column(column.name, kind, ""), values, k)
    form = model.codec.form if isinstance(model.codec, Formatted) else ""
    return replace(model, codec=number, anchor=replace(anchor, step=own.step, form=form)), values


def placed(
    column: Column,
    model: ColumnModel,
    decoded: pa.Array,
    anchors: Float64 | None,
    move: Callable[[Float64, Float64 | None], Float64] | None,
) -> pa.Array:
    """The values of a time column from its decoded codes.

    Args:
        decoded: Distances from the anchors, or times where there are none.
        anchors: In microseconds, NaN for none; NULL comes out there.
        move: Puts times, given their anchors, in their place on the calendar.
    """
    anchor, (kind, form) = model.anchor, form_of(column, model)
    if anchor is None or anchors is None:
        times, floor = microseconds_of(decoded, form), None
    else:
        distance, present = to_numbers(decoded)
        floor = np.floor(anchors / anchor.step) * anchor.step
        times = np.where(present, floor + distance * _unit(kind), np.nan)
    if move is not None:
        times = move(times, floor)
    return written(column, model, times)


def written(column: Column, model: ColumnModel, times: Float64) -> pa.Array:
    """Times in microseconds, NaN for NULL, as values of their column."""
    kind, form = form_of(column, model)
    known = ~np.isnan(times)
    numbers = np.where(known, times, 0.0) / _unit(kind)
    values = from_numbers(numbers, known, kind, zoned=column.zoned)
    return write_form(values, form) if form else values


def encoded(column: Column, model: ColumnModel, times: Float64, anchors: Float64 | None) -> Codes:
    """The codes of times in microseconds, NaN for NULL, given the times of their anchors."""
    kind, _ = form_of(column, model)
    codec, known = model.codec, ~np.isnan(times)
    if model.anchor is not None and anchors is not None:
        floor = np.floor(anchors / model.anchor.step) * model.anchor.step
        known &= ~np.isnan(floor)
        times = times - floor
        kind = Kind.INTEGER if kind is Kind.DATE else Kind.INTERVAL
        numbers = np.nan_to_num(times) / (DAY if kind is Kind.INTEGER else 1.0)
    else:
        numbers = np.nan_to_num(times) / _unit(kind)
    number = codec.number if isinstance(codec, Formatted) else codec
    assert isinstance(number, Number)
    return number.encode(from_numbers(numbers, known, kind))


def form_of(column: Column, model: ColumnModel) -> tuple[Kind, str]:
    """The kind of time that a column holds, and the format in which it is written."""
    form = model.anchor.form if model.anchor else getattr(model.codec, "form", "")
    return (form_kind(form) if form else column.kind), form


def _unit(kind: Kind) -> float:
    """What the numbers of a kind count, in microseconds."""
    return DAY if kind is Kind.DATE else 1.0


def calendar_of(
    column: Column, own: Times, number: Number, distance: Float64 | None, k: int
) -> Calendar | None:
    """Whether a time follows week and day; None where its values lie too close together to tell.

    Args:
        number: The codec of the time or of its distance; if every value has a code of its own, it
            knows the calendar already.
        distance: From the anchor, in microseconds; None where there is no anchor.
    """
    modelled = own.numbers if distance is None else distance
    known = modelled[np.isfinite(modelled)]
    if len(known) < _FEWEST or _spread(known) < _WIDE or not np.isnan(number.points).any():
        return None
    clock = None
    if own.kind is Kind.TIMESTAMP and own.step < DAY:
        values = from_numbers(
            np.mod(_finite(own.numbers), DAY), np.isfinite(own.numbers), Kind.TIME
        )
        clock = fit_number(Column(column.name, Kind.TIME, ""), values, k)
    return Calendar(clock, distance is not None and bool((known >= 0).all()))


def calendar_codes(own: Times, calendar: Calendar) -> tuple[Codes, Codes | None]:
    """Codes of the day of the week, and of the time of day."""
    present = np.isfinite(own.numbers)
    numbers = _finite(own.numbers)
    weekdays = np.where(present, 1 + np.mod(np.floor(numbers / DAY) + _THURSDAY, 7), 0)
    if calendar.clock is None:
        return weekdays.astype(np.uint16), None
    values = from_numbers(np.mod(numbers, DAY), present, Kind.TIME)
    return weekdays.astype(np.uint16), calendar.clock.encode(values)


def on_calendar(
    times: Float64,
    floor: Float64 | None,
    weekdays: Codes,
    clock: Float64 | None,
    calendar: Calendar,
) -> Float64:
    """Times moved to the nearest such day of the week, and to such a time of the day.

    A time that would come before its anchor (``floor``), or has no weekday, stays as it is.
    """
    keep = (weekdays == 0) | ~np.isfinite(times)
    whole = _finite(times)
    day = np.floor(whole / DAY)
    shift = np.mod(weekdays.astype(np.int64) - 1 - np.mod(day + _THURSDAY, 7) + 3, 7) - 3
    moved = (day + shift) * DAY + (np.mod(whole, DAY) if clock is None else clock)
    keep |= np.isnan(moved)
    if calendar.ordered and floor is not None:
        later = moved + 7 * DAY
        moved = np.where(moved < floor, later, moved)
    return np.where(keep, times, moved)


def cell_limits(column: Column, model: ColumnModel, codes: Codes) -> tuple[Float64, Float64]:
    """The least and the largest number of the cell of each code, in microseconds."""
    number = model.codec.number if isinstance(model.codec, Formatted) else model.codec
    assert isinstance(number, Number)
    cells = np.minimum(np.maximum(codes.astype(np.int64) - 4, 0), len(number.points) - 1)
    single = ~np.isnan(number.points[cells])
    unit = _unit(form_of(column, model)[0])
    low = np.where(single, number.points[cells], number.inner[cells, 0])
    high = np.where(single, number.points[cells], number.inner[cells, -1])
    return low * unit, high * unit


def within_days(moved: Float64, times: Float64, low: Float64, high: Float64) -> Float64:
    """Times moved on the calendar, but to no day on which their cell has no times."""
    day = np.floor(_finite(moved) / DAY)
    outside = (day < np.floor(_finite(low) / DAY)) | (day > np.floor(_finite(high) / DAY))
    return np.where(outside & np.isfinite(times), times, moved)


def _finite(numbers: Float64) -> Float64:
    """The numbers, nought where there is none or an infinite one."""
    return np.where(np.isfinite(numbers), numbers, 0.0)


def microseconds_of(values: pa.Array, form: str) -> Float64:
    """Values of any time column in microseconds, NaN for NULL."""
    if form:
        values = parse_form(values, form)
    numbers, present = to_numbers(values)
    return np.where(present, numbers * (DAY if pa.types.is_date(values.type) else 1.0), np.nan)


def gap_of(own: Times, links: npt.NDArray[np.int64], k: int) -> tuple[Gap, Codes] | None:
    """How siblings follow each other in time, where that is not as if each came by chance.

    Gaps are worth drawing as such where they foretell the next time better than the date does.

    Returns:
        The gap and its codes; None where the time is better drawn by itself.
    """
    times = own.numbers
    if len(times) < _FEWEST or np.isinf(times).any():
        return None
    some = in_some_groups(_HALVES + 1, links, _TRIED)
    if not _telling(*_gaps(times[some], links[some])[1:], own.step):
        return None
    order, gaps, _, _ = _gaps(times, links)
    kind = Kind.INTEGER if own.kind is Kind.DATE else Kind.INTERVAL
    whole = np.nan_to_num(gaps / _unit(own.kind))
    values = from_numbers(whole, ~np.isnan(gaps), kind)
    codec = fit_number(Column("gap", kind, ""), values, k)
    ends = fit_number(Column("end", Kind.INTERVAL, ""), pa.array(times), k)
    latest = float(np.floor(ends.inner[-1, -1] / own.step) * own.step)
    codes = np.empty(len(times), np.uint16)
    codes[order] = codec.encode(values)
    return Gap(codec, own.step, latest, _beat(gaps[~np.isnan(gaps)])), codes


def _beat(gaps: Float64) -> float:
    """The usual one of some gaps, where nearly all are about the same; else 0."""
    usual = float(np.median(gaps))
    near = np.abs(gaps - usual) <= _ABOUT * usual
    return float(gaps[near].mean()) if usual > 0 and near.mean() >= _REGULAR else 0.0


def _gaps(
    times: Float64, links: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Float64, Float64, npt.NDArray[np.int64]]:
    """The order in which siblings lie side by side in time; gaps, times and links in it."""
    order = np.lexsort((times, links))
    times, links = times[order], links[order]
    follows = (links[1:] == links[:-1]) & (links[1:] >= 0)
    gaps = np.full(len(times), np.nan)
    gaps[1:][follows] = np.diff(times)[follows]
    return order, gaps, times, links


def in_sequence(times: Mapping[str, Times], links: npt.NDArray[np.int64]) -> list[str]:
    """Columns without NULL by which siblings can be put in order; those that tell most apart first.

    A column in which most siblings have the same time, such as that of a bulk update, comes last.
    """
    found = []
    for name in in_order_of_time(times):
        own = times[name].numbers
        if not len(own) or np.isnan(own).any():
            continue
        some = in_some_groups(_HALVES, links, _TRIED)
        own, kin = own[some], links[some]
        order = np.lexsort((own, kin))
        siblings = (kin[order][1:] == kin[order][:-1]) & (kin[order][1:] >= 0)
        same = (own[order][1:] == own[order][:-1])[siblings]
        found.append((bool(len(same)) and float(same.mean()) >= _TOGETHER, name))
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]


def _telling(gaps: Float64, times: Float64, links: npt.NDArray[np.int64], step: float) -> bool:
    """Whether the gaps of siblings, which lie side by side, foretell times better than the date.

    Times at random, once sorted, have telling gaps as well: more is asked than of shuffled times.
    """
    known = ~np.isnan(gaps)
    if known.sum() < _FEWEST:
        return False
    if np.mean(gaps[known] == 0) >= _TOGETHER:
        return True
    shuffled = times[np.argsort(hashed(_HALVES, np.arange(len(times))), kind="stable")]
    shuffled = shuffled[np.lexsort((shuffled, links))]
    by_chance = _foretold(
        np.where(known, np.diff(shuffled, prepend=0.0), np.nan), shuffled, links, step
    )
    return _foretold(gaps, times, links, step) > max(by_chance, 0.0) + _FORETOLD


def _foretold(gaps: Float64, times: Float64, links: npt.NDArray[np.int64], step: float) -> float:
    """By how much gaps foretell the next time better than dates do, in nats.

    Judged on half of the families by what was counted in the others: the mean log density of the
    next time, from a histogram of gaps and from one of dates, both given about when it is.
    """
    known = ~np.isnan(gaps)
    before = np.flatnonzero(known) - 1
    when = np.searchsorted(np.quantile(times, np.linspace(0, 1, _WHEN + 1)[1:-1]), times[before])
    learnt = hashed(_HALVES, links[known]) % np.uint64(2) == 0
    if min(learnt.sum(), (~learnt).sum()) < _FEWEST:
        return 0.0
    by_gap = _log_density(gaps[known], when, learnt, step)
    return by_gap - _log_density(times[known], when, learnt, step)


def _log_density(
    numbers: Float64, when: npt.NDArray[np.int64], learnt: npt.NDArray[np.bool_], step: float
) -> float:
    """The mean log density, per step, of numbers under histograms of those that are learnt from."""
    edges = np.unique(np.quantile(numbers[learnt], np.linspace(0, 1, _CELLS + 1)))
    cells = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 1)
    width = np.maximum(np.diff(edges, append=edges[-1] + step) / step, 1.0)
    share = (np.bincount(cells[learnt], minlength=len(edges)) + 0.5) / (learnt.sum() + 0.5)
    counts = np.zeros((_WHEN, len(edges)))
    np.add.at(counts, (when[learnt], cells[learnt]), 1)
    smooth = (counts + _PRIOR * share) / (counts.sum(axis=1, keepdims=True) + _PRIOR)
    test = ~learnt
    return float(np.mean(np.log(smooth[when[test], cells[test]] / width[cells[test]])))


def in_order_of_time(times: Mapping[str, Times]) -> list[str]:
    """Columns by their median; only an earlier one may anchor a later one."""

    def median(name: str) -> float:
        numbers = times[name].numbers
        return float(np.nanmedian(numbers)) if not np.isnan(numbers).all() else np.inf

    return sorted(times, key=lambda name: (median(name), list(times).index(name)))
