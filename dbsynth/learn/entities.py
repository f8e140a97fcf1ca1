"""Values are shown that enough entities share, not enough rows.

A row belongs to an entity: the person that its foreign keys lead to, or else the parent whose
family it is in, or else itself.  A customer's own remark on all of his twenty orders is one
customer's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.classify import Role
from dbsynth.codec import SEGMENTS, Category, Codec, Codes, Formatted, Number, k_threshold
from dbsynth.identifiers import PROVIDERS
from dbsynth.model import ColumnModel, Provided, TableFacts
from dbsynth.outline import Outline
from dbsynth.randomness import uniform
from dbsynth.read import Rows
from dbsynth.schema import Column, ForeignKey, Kind, Schema

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

FEWEST = 20  # parents that are fewer are classes, not entities
_FURTHEST = 3  # foreign keys between a row and its person
_PERSONS = frozenset(
    {"first_name", "last_name", "full_name", "email", "phone", "national_id", "user_name", "iban"}
)
_UNKNOWN = {Kind.JSON: "json", Kind.ARRAY: "array", Kind.OTHER: "by_type", Kind.UUID: "uuid"}
_WIDER = 0.1


def paths_to_entities(
    schema: Schema, tables: Mapping[str, TableFacts], generating: Mapping[str, ForeignKey],
    name: str,
) -> tuple[tuple[ForeignKey, ...], ...]:  # fmt: skip
    """The foreign keys from a row to what it may belong to, each from the row upwards.

    Those to the nearest tables of persons; where there are none, the key of the family.
    """
    persons = [n for n, facts in tables.items() if n != name and _holds_persons(facts)]
    found: list[tuple[ForeignKey, ...]] = []
    reached = {name}
    level: list[tuple[ForeignKey, ...]] = [()]
    for _ in range(_FURTHEST):
        above = [(*path, fk) for path in level for fk in _from(schema, path, name)]
        found += [path for path in above if path[-1].parent in persons]
        above = [path for path in above if path[-1].parent not in reached]
        reached |= {path[-1].parent for path in above}
        level = above
        if found:
            return tuple(found)
    fk = generating.get(name)
    return ((fk,),) if fk is not None else ()


def _from(schema: Schema, path: Sequence[ForeignKey], name: str) -> tuple[ForeignKey, ...]:
    return schema[path[-1].parent if path else name].foreign_keys


def _holds_persons(facts: TableFacts) -> bool:
    personal = (Role.IDENTIFIER, Role.RENAMED)
    decisions = [model.decision for model in facts.columns.values()]
    return facts.strategy != "copy" and any(
        decision.provider in _PERSONS and decision.role in personal for decision in decisions
    )


def with_shared_values(
    plan: Outline, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]
) -> Outline:
    """The outline whose codecs show only values that enough entities share; codes follow."""
    tables = dict(plan.tables)
    for name, facts in plan.tables.items():
        if facts.strategy != "synthesize" or not encoded[name].codes:
            continue
        groups = [
            (group, k_threshold(len(np.unique(group))))
            for group in _entities(plan, encoded, links, name)
        ]
        if not groups:
            continue
        columns = dict(facts.columns)
        for column, model in facts.columns.items():
            if column in encoded[name].codes and is_learnt_by_value(model):
                declared = plan.schema[name].column_by_name[column]
                columns[column] = _shared(declared, model, encoded[name], groups)
        tables[name] = replace(facts, columns=columns)
    return replace(plan, tables=tables)


def _entities(
    plan: Outline, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64], name: str
) -> Iterator[Int64]:
    """The entity of every row, in each way that there is."""
    for path in paths_to_entities(plan.schema, plan.tables, plan.plan.generating, name):
        at = np.arange(encoded[name].count)
        for fk in path:
            at = np.where(at >= 0, np.append(links[fk], -1)[at], -1)
        parents = len(np.unique(at[at >= 0]))
        if parents >= FEWEST:  # a row that leads nowhere is an entity of its own
            yield np.where(at >= 0, at, at.max() + 1 + np.arange(len(at)))


def is_learnt_by_value(model: ColumnModel) -> bool:
    """Whether real values of a column are shown that do not stand in the schema."""
    codec = model.codec.number if isinstance(model.codec, Formatted) else model.codec
    if isinstance(codec, Category):
        return model.decision.role is not Role.RENAMED and model.decision.decided_by != "schema"
    return isinstance(codec, Number) and not np.isnan(codec.points).all()


def _shared(
    column: Column, model: ColumnModel, rows: Rows, groups: Sequence[tuple[Int64, int]]
) -> ColumnModel:
    """The column without values that fewer entities have than must share one, in any grouping."""
    codec, codes = model.codec, rows.codes[column.name]
    number = codec.number if isinstance(codec, Formatted) else codec
    if isinstance(number, Number):
        own = np.append(np.zeros(4, np.bool_), ~np.isnan(number.points))
    else:
        own = np.arange(codec.alphabet.size if codec else 0) > 0
    rare, true = np.zeros(len(own), np.bool_), _true(column.name, number, rows)
    for group, k in groups:
        known, counts = np.full((len(own), k), -1, np.int64), np.zeros(len(own), np.int64)
        count_holders(codes[true], group[true], known, counts)
        rare |= own & (counts < k)
    if not rare.any():
        return model
    kept, places = _without(codec, rare)
    if kept is None:
        return _by_provider(column, model, rows)
    rows.codes[column.name] = _recoded(codes, places, kept)
    if column.name in rows.unnamed:
        rows.unnamed[column.name] = rows.unnamed[column.name] | rare[codes]
    if column.name in rows.shares:
        shares = np.bincount(np.maximum(places, 0), rows.shares[column.name])
        rows.shares[column.name] = shares / max(shares.sum(), 1e-9)
    return replace(model, codec=kept)


def _true(name: str, codec: Codec | None, rows: Rows) -> Int64:
    """The rows whose code says their value: others have the code of a value that is near."""
    if name in rows.unnamed:
        return np.flatnonzero(~rows.unnamed[name])
    if isinstance(codec, Number) and name in rows.numbers:
        point = np.concatenate([np.full(4, np.nan), codec.points])[rows.codes[name]]
        true = point == rows.numbers[name]
        if true.any():  # else the numbers are in another unit, as those of dates are
            return np.flatnonzero(true)
    return np.arange(rows.count)


@numba.njit(cache=True, nogil=True)
def count_holders(codes: Any, entities: Any, known: Any, counts: Any) -> None:
    """Count how many different entities have each code, up to a limit, in place.

    Args:
        codes: Of each row.
        entities: Of each row.
        known: The entities that are known to have each code; (codes, limit).
        counts: How many these are; (codes,).
    """
    most = known.shape[1]
    for i in range(len(codes)):
        code, entity = codes[i], entities[i]
        if counts[code] == most:
            continue
        new = True
        for j in range(counts[code]):
            new = new and known[code, j] != entity
        if new:
            known[code, counts[code]] = entity
            counts[code] += 1


def _without(codec: Codec | None, rare: Bool) -> tuple[Codec | None, Int64]:
    """The codec without some codes, and the new code of each; -1 where it has to be drawn."""
    if isinstance(codec, Category):
        return _fewer_words(codec, rare)
    if isinstance(codec, Formatted):
        number, places = _fewer_points(codec.number, rare)
        return replace(codec, number=number), places
    assert isinstance(codec, Number)
    return _fewer_points(codec, rare)


def _fewer_words(codec: Category, rare: Bool) -> tuple[Category | None, Int64]:
    kept = np.flatnonzero(~rare[1:])
    places = np.full(len(rare), -1, np.int64)
    places[0] = 0
    places[kept + 1] = 1 + np.arange(len(kept))
    if not len(kept):
        return None, places
    total = sum(codec.shares[i] for i in kept) or 1.0
    return (
        replace(
            codec,
            vocabulary=tuple(codec.vocabulary[i] for i in kept),
            shown=tuple(codec.shown[i] for i in kept),
            shares=tuple(codec.shares[i] / total for i in kept),
        ),
        places,
    )


def _fewer_points(codec: Number, rare: Bool) -> tuple[Number, Int64]:
    """Without single values: their rows go to the nearest cell that is left."""
    left = np.flatnonzero(~rare[4:])
    places = np.arange(len(rare))
    if not len(left):  # one bin, wider than what it stands for
        low, high = float(np.nanmin(codec.points)), float(np.nanmax(codec.points))
        edge = _WIDER * max(abs(low), abs(high), codec.step, 1.0)
        inner = np.linspace(low - edge, high + edge, SEGMENTS + 1)[None]
        places[4:] = 4
        return replace(codec, points=np.array([np.nan]), inner=inner), places
    middles = codec.inner.mean(axis=1)
    near = np.abs(middles[left][None] - middles[:, None]).argmin(axis=1)
    places[4:] = 4 + near
    return replace(codec, points=codec.points[left], inner=codec.inner[left]), places


def _recoded(codes: Codes, places: Int64, codec: Codec) -> Codes:
    found = places[codes]
    again = np.flatnonzero(found < 0)
    if len(again) and isinstance(codec, Category):
        drawn = np.searchsorted(np.cumsum(codec.shares), uniform(0, codes[again]) * 0.999999)
        found[again] = 1 + np.minimum(drawn, len(codec.shares) - 1)
    return found.astype(np.uint16)


def _by_provider(column: Column, model: ColumnModel, rows: Rows) -> ColumnModel:
    """A column none of whose values may be shown: it is drawn from its type alone."""
    provider = PROVIDERS[_UNKNOWN.get(column.kind, "text")]
    state = provider.fit(column, pa.array([], pa.string()), unique=False, locale="en_US", k=2)
    codes = rows.codes.pop(column.name)
    if model.nulls:
        rows.codes[column.name] = (codes > 0).astype(np.uint16)
    rows.shares.pop(column.name, None)
    decision = replace(model.decision, role=Role.TEXT, provider=provider.name)
    return replace(model, decision=decision, codec=None, provided=Provided(provider.name, state))
