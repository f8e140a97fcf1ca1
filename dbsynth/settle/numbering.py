"""Rules kept when all links are known: numbers in the order of groups, values alike in families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Codec, Formatted, Number, as_shown
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import own_values, values
from dbsynth.engines import variables
from dbsynth.randomness import uniform
from dbsynth.read.quantities import quantity_of
from dbsynth.rules.dependence import combine, commonest
from dbsynth.rules.follows import Follows
from dbsynth.rules.ranks import Ranks
from dbsynth.rules.within import SAME, Within
from dbsynth.schema import ForeignKey, Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def settled_by_rules(draft: Draft, table: Table) -> dict[str, pa.Array]:
    """Values of columns that rules settle as a whole."""
    found: dict[str, pa.Array] = {}
    for kept in draft.model.rules:
        rule = kept.rule
        if rule.table != table.name or any(key not in draft.links for key in rule.keys):
            continue
        if isinstance(rule, Ranks):
            numbers = _numbered(draft, table, rule)
            if numbers is not None:
                found[rule.place[1]] = numbers
        elif isinstance(rule, Within) and rule.fact == SAME and _has_bins(draft, rule):
            found[rule.place[1]] = _alike(draft, table, rule)
    return found


def _numbered(draft: Draft, table: Table, rule: Ranks) -> pa.Array | None:
    """Ranks by the drawn codes, equal ones by chance; rows outside keep what they have."""
    column = rule.place[1]
    quantity = quantity_of(table, column, draft.model.tables[table.name])
    codes = draft.codes[table.name].get(variables.column(column))
    groups = _groups(draft, rule)
    if quantity is None or codes is None or groups is None:
        return None
    rows = np.arange(draft.rows[table.name])
    drawn = quantity.numbers(values(draft, table, column, rows))
    could = (groups >= 0) & ~np.isnan(drawn)
    if rule.zeros:
        could &= drawn != 0
    scores = codes + uniform(draft.streams.key("rule", str(rule)), rows)
    numbers = rule.numbers(scores, groups, could)
    return quantity.values(np.where(could, numbers, drawn))


def _groups(draft: Draft, rule: Ranks) -> Int64 | None:
    if isinstance(rule.group, ForeignKey):
        return draft.links[rule.group]
    codes = draft.codes[rule.table].get(variables.column(rule.group[1]))
    return None if codes is None else codes.astype(np.int64) - 1


def _has_bins(draft: Draft, rule: Within) -> bool:
    """Whether rows with the same code may still have different values."""
    number = _number(draft.model.tables[rule.table].columns[rule.place[1]].codec)
    return number is not None


def _number(codec: Codec | None) -> Number | None:
    codec = codec.number if isinstance(codec, Formatted) else codec
    return codec if isinstance(codec, Number) else None


def _alike(draft: Draft, table: Table, rule: Within) -> pa.Array:
    """The value of the first row of every family, for all of its rows."""
    links = draft.links[rule.key]
    rows = np.arange(len(links))
    first = np.full(int(links.max(initial=0)) + 1, len(links))
    np.minimum.at(first, links[links >= 0], rows[links >= 0])
    return values(draft, table, rule.place[1], np.where(links >= 0, first[links], rows))


def follow_repairs(draft: Draft, table: Table) -> None:
    """Let columns follow the repaired values of those that they follow from."""
    rules = [
        (kept.rule, kept) for kept in draft.model.rules
        if kept.rule.table == table.name and isinstance(kept.rule, Follows) and kept.state
        and all(key in draft.links for key in kept.rule.keys)
    ]  # fmt: skip
    causes = {place for rule, _ in rules for place in rule.places[1:] if place[0] == table.name}
    before: dict[str, Int64] = {}
    for _, name in sorted(causes):
        _encode_again(draft, table, name, before)
    open_ = dict(before)
    for _ in rules:  # a chain of rules is as long as there are rules
        moved: dict[str, Int64] = {}
        for rule, kept in rules:
            own = {place[1] for place in rule.determinants if place[0] == table.name}
            if open_.keys() & own:
                _follow(draft, table, rule, kept.state, open_, moved)
        if not moved:
            return
        open_ = moved


def _encode_again(draft: Draft, table: Table, name: str, before: dict[str, Int64]) -> None:
    """Give a column the codes of its repaired values; the codes that it had go to ``before``."""
    repaired = draft.settled[table.name].get(name)
    codec = draft.model.tables[table.name].columns[name].codec
    codes = draft.codes[table.name].get(variables.column(name))
    if repaired is None or codec is None or codes is None:
        return
    again = as_shown(codec).encode(repaired)
    if (again != codes).any():
        before[name] = codes.astype(np.int64)
        draft.codes[table.name][variables.column(name)] = again


def _follow(
    draft: Draft, table: Table, rule: Follows, state: Mapping[str, Any],
    before: Mapping[str, Int64], moved: dict[str, Int64],
) -> None:  # fmt: skip
    """Put a column in place in the rows whose determinants have changed."""
    old, new = (combine(codes, state["sizes"]) for codes in _causes(draft, table, rule, before))
    rows = np.flatnonzero((old != new) & (new > 0))
    name = rule.dependent[1]
    codes = draft.codes[table.name][variables.column(name)].copy()
    stays = old == new
    usual = commonest(np.where(stays, new, 0), codes.astype(np.int64))
    known = dict(zip(new[stays].tolist(), usual[stays].tolist(), strict=True))
    known |= dict(zip(state["tuples"], state["values"], strict=True))
    wanted = np.array([known.setdefault(int(new[row]), int(codes[row])) for row in rows], np.int64)
    changed = rows[wanted != codes[rows]]
    if len(changed):
        moved[name] = codes.astype(np.int64)
        codes[rows] = wanted
        draft.codes[table.name][variables.column(name)] = codes
        _overwrite(draft, table, name, changed)


def _causes(
    draft: Draft, table: Table, rule: Follows, before: Mapping[str, Int64]
) -> tuple[list[Int64], list[Int64]]:
    """Codes of the determinants, as they were and as they are."""
    old, new = [], []
    for place in rule.determinants:
        codes = draft.codes[place[0]][variables.column(place[1])].astype(np.int64)
        above = place[0] != table.name and rule.key is not None
        if above and rule.key is not None:
            codes = np.append(codes, 0)[draft.links[rule.key]]
        new.append(codes)
        old.append(codes if above else before.get(place[1], codes))
    return old, new


def _overwrite(draft: Draft, table: Table, column: str, rows: Int64) -> None:
    """Renew the settled values of some rows from their codes."""
    current = draft.settled[table.name].get(column)
    if current is None:
        return
    model = draft.model.tables[table.name].columns[column]
    found = own_values(draft, table, table.column_by_name[column], model, rows, rows)
    index = np.arange(len(current))
    index[rows] = len(current) + np.arange(len(rows))
    draft.settled[table.name][column] = pa.concat_arrays([current, found]).take(pa.array(index))
