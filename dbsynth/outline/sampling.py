"""Which rows of a large database are read to be learnt from.

A table with more rows than wanted is read in part: the rows of some *entities*.  An entity is a row
of a table high in the forest of the generating keys with all rows that hang under it, so that
families stay whole.  Which entities are in is a hash of their keys, the same every night.  Rows of
such tables that other rows read refer to come along as *guests*: they tell what a link leads to,
but not what the table is like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dbsynth.databases.part import Ancestors, Drawn, Part, Referred, Under
from dbsynth.graph import Plan
from dbsynth.schema import ForeignKey, Schema, Table

LEAST_ENTITIES = 100  # fewer would say little about others


@dataclass(frozen=True)
class Reading:
    """What is read.

    Attributes:
        own: For each table that is read in part, the rows of the sample.
        guests: For some of them, further rows; they may overlap.
        thinned: Those of which only some siblings are read, so that none tells of the one before.
    """

    own: Mapping[str, Part] = field(default_factory=dict)
    guests: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    thinned: frozenset[str] = frozenset()

    def parts(self, table: str) -> tuple[Part | None, ...]:
        """The parts of a table that are read, the sample first; None for the whole table."""
        return (self.own.get(table), *self.guests.get(table, ()))


def make_reading(
    schema: Schema, plan: Plan, rows: Mapping[str, int], most: int, seed: int,
    count: Callable[[Table, Part], int],
) -> Reading:  # fmt: skip
    """What is read where no table shall have much more than ``most`` rows in the sample.

    A table whose rows hang under so few entities that hardly any is in is sampled by single rows.

    Args:
        count: How many rows a part of a table has.
    """
    alone: frozenset[str] = frozenset()
    while True:
        found = _reading(schema, plan, rows, most, seed, alone)
        poor = frozenset(
            name
            for name, part in found.own.items()
            if name not in alone and count(schema[name], part) < min(LEAST_ENTITIES, rows[name])
        )
        if not poor:
            return found
        alone |= poor


def _reading(
    schema: Schema, plan: Plan, rows: Mapping[str, int], most: int, seed: int,
    alone: frozenset[str],
) -> Reading:  # fmt: skip
    shares = shares_of(plan, rows, most)
    shares |= {name: min(1.0, max(most, LEAST_ENTITIES) / rows[name]) for name in alone}
    members = entities(schema, plan, {name: (0.0, share) for name, share in shares.items()}, seed)
    own = {name: part for name, part in members.items() if rows[name] > most}
    thinned = frozenset(name for name in shares if name in own and name in plan.generating)
    return Reading(own, _guests(plan, own, rows), thinned)


def shares_of(
    plan: Plan, rows: Mapping[str, int], most: int, least: int = LEAST_ENTITIES
) -> dict[str, float]:
    """The tables whose rows are the entities, and the share of them that is wanted.

    The entities are as high in the forest as there are enough of them.
    """
    children: dict[str, list[str]] = {}
    for name, fk in plan.generating.items():
        children.setdefault(fk.parent, []).append(name)
    largest: dict[str, int] = {}
    for name in reversed(plan.order):
        largest[name] = max([rows[name], *(largest[child] for child in children.get(name, ()))])
    found: dict[str, float] = {}

    def visit(name: str) -> None:
        if largest[name] <= most:
            return
        share = most / largest[name]
        if rows[name] > most or rows[name] * share >= least:
            found[name] = min(1.0, max(share, least / rows[name]))
            return
        for child in children.get(name, ()):
            visit(child)

    for name in plan.order:
        if name not in plan.generating:
            visit(name)
    return found


def entities(
    schema: Schema, plan: Plan, limits: Mapping[str, tuple[float, float]], seed: int
) -> dict[str, Part]:
    """The rows of chosen entities in every table that holds any.

    Args:
        limits: For each table whose rows are entities, the range of hashes that is chosen.
    """
    members: dict[str, Part] = {}
    chosen: dict[str, tuple[float, float]] = {}
    for name in plan.order:
        fk, table = plan.generating.get(name), schema[name]
        if name in limits:
            chosen[name] = limits[name]
            members[name] = Drawn(name, key_of(table), *limits[name], seed)
        elif fk is not None and fk.parent in members:
            chosen[name] = chosen[fk.parent]
            members[name] = under(schema, fk, members[fk.parent], chosen[name], seed)
    return members


def under(
    schema: Schema, fk: ForeignKey, parent: Part, limits: tuple[float, float], seed: int
) -> Part:
    """The rows under chosen parents; where these are told by the key itself, no table is joined."""
    child = schema[fk.child]
    if (
        isinstance(parent, Drawn)
        and not fk.nullable
        and set(parent.columns) <= {*fk.parent_columns}
    ):
        mine = dict(zip(fk.parent_columns, fk.columns, strict=True))
        if parent.columns and all(
            child.column_by_name[mine[name]].sql_type
            == schema[fk.parent].column_by_name[name].sql_type
            for name in parent.columns
        ):
            columns = tuple(mine[name] for name in parent.columns)
            return Drawn(fk.child, columns, parent.low, parent.high, seed)
    alone = Drawn(fk.child, key_of(child), *limits, seed) if fk.nullable else None
    return Under(fk, parent, alone)


def key_of(table: Table) -> tuple[str, ...]:
    """The columns of a key that every row has; none where there is none."""
    for key in table.keys:
        if key.plain and not any(table.column_by_name[c].nullable for c in key.columns):
            return key.columns
    return ()


def _guests(
    plan: Plan, own: Mapping[str, Part], rows: Mapping[str, int]
) -> dict[str, tuple[Part, ...]]:
    found: dict[str, list[Part]] = {name: [] for name in own}
    for fk in (*plan.generating.values(), *plan.dealt):
        if fk.parent in own and rows[fk.child] and not _follows(plan, own, fk):
            part = own.get(fk.child)
            itself = fk.parent == fk.child
            found[fk.parent].append(Ancestors(fk, own[fk.child]) if itself else Referred(fk, part))
    for name in reversed(plan.order):
        above = plan.generating.get(name)
        if above is not None and name in own and above.parent in own:
            found[above.parent] += [Referred(above, part) for part in found[name]]
    return {name: tuple(parts) for name, parts in found.items() if parts}


def _follows(plan: Plan, own: Mapping[str, Part], fk: ForeignKey) -> bool:
    """Whether the sample holds the parents of all sampled rows anyway."""
    if plan.generating.get(fk.child) != fk or fk.child not in own:
        return False
    child, parent = own[fk.child], own[fk.parent]
    if isinstance(child, Under):
        return child.parent == parent
    return isinstance(parent, Drawn) and isinstance(child, Drawn) and _same(fk, child, parent)


def _same(fk: ForeignKey, child: Drawn, parent: Drawn) -> bool:
    mine = dict(zip(fk.parent_columns, fk.columns, strict=True))
    return child.columns == tuple(mine.get(name, "") for name in parent.columns)
