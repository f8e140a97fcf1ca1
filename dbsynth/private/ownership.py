"""Which entity owns which rows: every table is the unit's, owned, public, invented, or refused.

The unit is what PrivateSQL calls the primary private relation (Kotsogiannis et al., PVLDB 2019).
A row is owned by one entity: that at the end of its *ownership path*, the chain of one foreign key
per table that leads to the unit.  Two databases are neighbours where one has a row of the unit,
with all that it owns, that the other lacks; rows of others that refer to them by other keys stay,
with a reference of which nothing more is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dbsynth.errors import SpecError
from dbsynth.graph import is_unique
from dbsynth.schema import ForeignKey, Schema
from dbsynth.spec.protection import Protection


@dataclass(frozen=True)
class Ownership:
    """The classification of a schema.

    Attributes:
        owner: Of each owned table, the key that owns its rows, parents before children.
        public: Tables that are copied.
        invented: Tables made from types alone, and their numbers of rows.
        empty: Tables that stay empty.
        foreign: Keys from rows of one entity to rows that may be another's.
    """

    unit: str
    owner: dict[str, ForeignKey]
    public: tuple[str, ...]
    invented: dict[str, int]
    empty: tuple[str, ...]
    foreign: tuple[ForeignKey, ...]

    @property
    def protected(self) -> tuple[str, ...]:
        """The unit and the tables that it owns, parents before children."""
        return (self.unit, *self.owner)

    def path(self, table: str) -> tuple[str, ...]:
        """The tables from a protected one up to the unit."""
        found = [table]
        while found[-1] in self.owner:
            found.append(self.owner[found[-1]].parent)
        return tuple(found)

    def way_to(self, key: ForeignKey) -> tuple[ForeignKey, ...]:
        """The owning keys from the child of a key up to its parent; empty where none lead there."""
        path = self.path(key.child)
        if key.parent == key.child or key.parent not in path:
            return ()
        return tuple(self.owner[table] for table in path[: path.index(key.parent)])


def classify(schema: Schema, protection: Protection, empty: tuple[str, ...] = ()) -> Ownership:
    """Who owns what.

    Args:
        empty: Tables that the spec leaves empty.

    Raises:
        SpecError: With every table that is not classified, and every one owned in several ways.
    """
    stated = {*protection.public, *protection.invented, *empty}
    reached = _reached(schema, protection.unit, stated)
    problems = list(_contradictions(schema, protection, stated, reached))
    owner: dict[str, ForeignKey] = {}
    for table in reached[1:]:
        keys = [fk for fk in schema[table].foreign_keys
                if fk.parent in reached and fk.parent != table]  # fmt: skip
        chosen, problem = _chosen(keys, protection.owner.get(table))
        if chosen is None:
            problems.append(f"`{table}` {problem}")
        else:
            owner[table] = chosen
    if not problems:
        problems += _circles(owner, protection.unit)
        problems += _ambiguous(schema, owner)
    if problems:
        raise SpecError(
            "engine dp cannot tell whose rows these are: " + "; ".join(problems),
            hint="say it under `privacy`: `public` for what is nobody's, `invented: {table: rows}`"
            " for what shall be made from types alone, `owner` for the key that owns",
        )
    ordered = {t: owner[t] for t in sorted(owner, key=lambda t: (_depth(owner, t), t))}
    inside = {protection.unit, *ordered}
    foreign = tuple(
        fk for fk in schema.foreign_keys
        if fk.child in inside and fk.parent in inside and ordered.get(fk.child) != fk
    )  # fmt: skip
    return Ownership(
        protection.unit, ordered, tuple(sorted(protection.public)), dict(protection.invented),
        tuple(sorted(empty)), foreign,
    )  # fmt: skip


def _reached(schema: Schema, unit: str, stated: set[str]) -> list[str]:
    """The unit and the tables whose rows refer to it, over however many tables."""
    found, i = [unit], 0
    while i < len(found):
        for fk in schema.foreign_keys:
            if fk.parent == found[i] and fk.child not in found and fk.child not in stated:
                found.append(fk.child)
        i += 1
    return found


def _contradictions(
    schema: Schema, protection: Protection, stated: set[str], reached: list[str]
) -> Iterator[str]:
    kinds = (set(protection.public), set(protection.invented), stated - {*protection.public,
             *protection.invented})  # fmt: skip
    for table in schema.tables:
        name = table.name
        if name == protection.unit and name in stated:
            yield f"`{name}` is the unit, and cannot be public, invented or empty"
        elif sum(name in kind for kind in kinds) > 1:
            yield f"`{name}` is classified twice"
        elif name not in stated and name not in reached:
            yield f"`{name}` is neither owned by `{protection.unit}` nor declared"
    for fk in schema.foreign_keys:
        if fk.child in protection.public and fk.parent not in protection.public:
            yield f"`{fk.child}` is public, but refers to `{fk.parent}`, which is not"


def _chosen(keys: list[ForeignKey], said: tuple[str, ...] | None) -> tuple[ForeignKey | None, str]:
    """The key that owns the rows of a table, or what is wrong."""
    names = ", ".join(f"`{', '.join(fk.columns)}` to `{fk.parent}`" for fk in keys)
    if said is not None:
        found = [fk for fk in keys if fk.columns == said]
        if len(found) == 1:
            return found[0], ""
        return None, f"has no key {', '.join(said)} to an owned table (there are: {names})"
    if len(keys) == 1:
        return keys[0], ""
    return None, f"is owned in several ways ({names}): choose one with `owner`"


def _circles(owner: dict[str, ForeignKey], unit: str) -> Iterator[str]:
    for table in owner:
        climbed = [table]
        while climbed[-1] in owner and len(climbed) <= len(owner):
            climbed.append(owner[climbed[-1]].parent)
        if climbed[-1] != unit:
            yield f"the keys that own `{table}` lead in a circle"


def _ambiguous(schema: Schema, owner: dict[str, ForeignKey]) -> Iterator[str]:
    for table, fk in owner.items():
        if not is_unique(schema[fk.parent], fk.parent_columns):
            yield f"`{table}` refers to columns of `{fk.parent}` that are no key"


def _depth(owner: dict[str, ForeignKey], table: str) -> int:
    depth = 0
    while table in owner:
        table, depth = owner[table].parent, depth + 1
    return depth
