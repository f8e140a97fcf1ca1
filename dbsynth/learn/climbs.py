"""Numbers that go on from that of the sibling before: salaries, meters, stocks.

Drawn by itself, given the code of the sibling before, such a number lands anywhere in its bin:
steps come out rougher than they are, and a meter runs backwards.  Where siblings differ by little,
beside numbers of any two rows and of any two siblings, the difference is drawn and added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Number, fit_number, k_threshold
from dbsynth.engines import variables
from dbsynth.keys import rank_in_group
from dbsynth.learn.families import positions, previous_rows, sizes
from dbsynth.learn.lawful import drawn_quantities, spoken_of
from dbsynth.outline import Outline
from dbsynth.randomness import hashed
from dbsynth.read import Rows
from dbsynth.schema import Column, ForeignKey, Kind

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_FEWEST = 200  # rows with a sibling before them
_NEAR = 0.25  # of the usual distance of any two rows, the step at most
_NEARER = 0.6  # of that of any two siblings
_NAMED = 0.3  # of the rows with a value of its own code, at most: sums do not come back to it


def with_climbs(
    plan: Outline, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]
) -> Outline:
    """The outline where such numbers go on from sibling to sibling, in the order of the rows."""
    tables, taken = dict(plan.tables), spoken_of(plan)
    for name, fk in plan.plan.generating.items():
        facts, rows = tables[name], encoded[name]
        if facts.strategy != "synthesize" or name in plan.reading.thinned:
            continue
        kin = np.where(np.arange(rows.count) < rows.own, links[fk], -1)
        columns = dict(facts.columns)
        for column in drawn_quantities(plan.schema[name], facts, rows, taken):
            found = climb_of(rows.numbers[column], kin, columns[column].codec, facts.rows)
            if found is not None:
                climb, codes = found
                columns[column] = replace(columns[column], climb=climb)
                rows.calendar[variables.gap(column)] = codes
        tables[name] = replace(facts, columns=columns)
    return replace(plan, tables=tables)


def climb_of(
    own: Float64, links: Int64, codec: object, count: int
) -> tuple[Number, npt.NDArray[np.uint16]] | None:
    """The codec of the steps from sibling to sibling, and their codes, 0 for the first.

    Args:
        own: Numbers of all rows, siblings in their order; NaN for none.
        links: The parent of each row; -1 for none.
        codec: Of the numbers themselves.
        count: Rows of the whole table.

    Returns:
        None where the number is better drawn by itself.
    """
    if not isinstance(codec, Number) or codec.endings is not None or np.isnan(own).any():
        return None
    place, many = positions(links), sizes(links)
    before = previous_rows(links, place)
    later = np.flatnonzero(before >= 0)
    if len(later) < _FEWEST or np.isin(own[later], codec.points).mean() > _NAMED:
        return None
    steps = own[later] - own[before[later]]
    usual = np.median(np.abs(steps))
    strangers = np.median(np.abs(own[later] - own[np.roll(later, len(later) // 2 + 1)]))
    siblings = np.median(np.abs(own[later] - own[_other(links, later, place, many)]))
    if not 0 < usual <= min(_NEAR * strangers, _NEARER * siblings):
        return None
    kind = Kind.INTEGER if codec.kind is Kind.INTEGER else Kind.FLOAT
    known = np.full(len(own), np.nan)
    known[later] = np.round(steps, codec.digits) if codec.digits >= 0 else steps
    values = pa.array(known, from_pandas=True)
    found = fit_number(Column("step", kind, ""), values.cast(pa.int64()) if kind is Kind.INTEGER
                       else values, k_threshold(count))  # fmt: skip
    return found, found.encode(values)


def _other(links: Int64, later: Int64, place: Int64, many: Int64) -> Int64:
    """Another sibling of some rows, each as likely."""
    order = np.lexsort((rank_in_group(links), links))
    where = np.empty(len(links), np.int64)
    where[order] = np.arange(len(links))
    further = 1 + (hashed(0, later) % (many[later] - 1).astype(np.uint64)).astype(np.int64)
    start = where[later] - place[later]
    found: Int64 = order[start + (place[later] + further) % many[later]]
    return found
