"""Which rows have the same value: small integers for the values of a column, 0 for NULL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dbsynth.rules.base import Data, Int64, Kept, Place, View
from dbsynth.rules.dependence import Coded
from dbsynth.rules.order import Order
from dbsynth.schema import Schema

MOST_VALUES = 4_096  # a column with more is a measure, not a name
_SAMPLE = 20_000


def identities(view: View, place: Place) -> Int64 | None:
    """An integer for the value of every row; None where the view has nothing of the column."""
    kept = view.told_apart if isinstance(view, Data) else {}
    if place not in kept:
        found = _told_apart(view, place)
        if found is None:
            return None
        found.flags.writeable = False
        kept[place] = found
    return kept[place]


def _told_apart(view: View, place: Place) -> Int64 | None:
    numbers = view.numbers(place)
    if numbers is None:
        codes = view.codes(place)
        return None if codes is None else codes.astype(np.int64)
    found = np.unique(numbers, return_inverse=True)[1].astype(np.int64) + 1
    return np.where(np.isnan(numbers), 0, found)


def coded(data: Data, place: Place, least: int) -> Coded | None:
    """A column whose values many rows share; None for any other.

    Args:
        least: Rows that must share a value before it counts as known.
    """
    unnamed = data.unnamed.get(place)
    if unnamed is not None and 2 * unnamed.sum() > len(unnamed):
        return None
    numbers = data.numbers(place)
    if numbers is not None:
        step = max(1, len(numbers) // _SAMPLE)
        if len(np.unique(numbers[::step])) > MOST_VALUES:
            return None
    codes = identities(data, place)
    if codes is None or not len(codes):
        return None
    counts = np.bincount(codes)
    if len(counts) > MOST_VALUES + 1:
        return None
    known = (counts >= least)[codes]
    if unnamed is not None:
        known &= ~unnamed
    outline = None if numbers is None else np.where(codes == 0, 0, 1 + (numbers == 0))
    return Coded(codes, len(counts), None if known.all() else known, outline=outline)


def from_parent(column: Coded, links: Int64) -> Coded:
    """A column of the parent, for every child row."""
    known = None if column.known is None else np.append(column.known, False)[links]
    outline = None if column.outline is None else np.append(column.outline, 0)[links]
    codes = np.append(column.codes, 0)[links]
    return Coded(codes, column.size, known, derivable=False, outline=outline)


def families(data: Data, table: str) -> Int64:
    """The generating parent of every row; a number of its own for a row without one."""
    rows = np.arange(data.rows(table))
    fk = None if data.plan is None else data.plan.generating.get(table)
    if fk is None:
        return rows
    links = data.links(fk)
    return np.where(links < 0, data.rows(fk.parent) + rows, links)


def declared_unique(schema: Schema, place: Place, columns: Sequence[str]) -> bool:
    """Whether a key of the table says already that no value repeats where the columns agree."""
    return any(
        key.plain and place[1] in key.columns and set(key.columns) <= {place[1], *columns}
        for key in schema[place[0]].keys
    )


def derived(found: Iterable[Kept]) -> set[Place]:
    """Columns whose values a rule makes; one that only keeps an order does not."""
    return {
        kept.rule.places[0]
        for kept in found
        if kept.rule.places and not isinstance(kept.rule, Order)
    }
