"""Functional dependencies: a column is settled by one or two others, of its row or its parent's.

A fact that all families share (the promotion day of every store) is one of them: its determinant is
a column that families have in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbsynth.codec import k_threshold
from dbsynth.rules.base import Cases, Data, Kept, Place, View
from dbsynth.rules.dependence import Coded, combine, commonest, mine_dependencies
from dbsynth.rules.identity import coded, derived, families, from_parent, identities
from dbsynth.rules.words import RuleError, Words, along, column_name
from dbsynth.schema import ForeignKey, Schema

EXAMPLE = "address.state follows from address.city"


@dataclass(frozen=True)
class Follows:
    """Rows that agree on the determinants agree on the dependent column.

    Attributes:
        key: From the table to that of determinants which lie above; None where all are in the row.
    """

    dependent: Place
    determinants: tuple[Place, ...]
    key: ForeignKey | None
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table whose rows can break it."""
        return self.dependent[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """The dependent column and its determinants."""
        return self.dependent, *self.determinants

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The key to the parent, if one of its columns takes part."""
        return () if self.key is None else (self.key,)

    def cases(self, view: View) -> Cases | None:
        """Rows whose determinants are not NULL; those unlike most rows that share them."""
        own = identities(view, self.dependent)
        causes = [identities(view, place) for place in self.determinants]
        if own is None or any(cause is None for cause in causes):
            return None
        above = [
            np.append(cause, 0)[view.links(self.key)]
            if self.key is not None and place[0] != self.table else cause
            for place, cause in zip(self.determinants, causes, strict=True) if cause is not None
        ]  # fmt: skip
        groups = combine(above, [int(cause.max(initial=0)) + 1 for cause in above])
        return Cases(groups > 0, own != commonest(groups, own))


def follows_rule(
    schema: Schema, dependent: Place, determinants: tuple[Place, ...], key: ForeignKey | None
) -> Follows:
    """The rule with its sentence."""
    causes = " and ".join(column_name(schema, place) for place in determinants)
    sentence = f"{column_name(schema, dependent)} follows from {causes}"
    return Follows(dependent, determinants, key, sentence + (along(schema, key) if key else ""))


def parse(words: Words) -> Follows:
    """``table.column follows from table.column``, perhaps ``and table.column``."""
    dependent = words.column()
    words.expect("follows", "from")
    determinants = [words.column()]
    while words.take("and"):
        determinants.append(words.column())
    if dependent in determinants:
        raise RuleError("a column cannot follow from itself")
    tables = {place[0] for place in determinants} - {dependent[0]}
    if len(tables) > 1:
        raise RuleError("it can follow from columns of its own row and of one parent")
    key = words.key_between(dependent[0], tables.pop()) if tables else None
    return follows_rule(words.schema, dependent, tuple(determinants), key)


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """The dependencies of every table on its own columns and on those of its generating parent."""
    settled = derived(found)
    for table in data.plan.order if data.plan is not None else ():
        columns = _columns(data, table, settled)
        if len(columns) < 2:
            continue
        key = data.plan.generating.get(table) if data.plan is not None else None
        least = k_threshold(data.rows(table))
        for rule in mine_dependencies(columns, families(data, table), least):
            above = any(place[0] != table for place in rule.determinants)
            yield Kept(
                follows_rule(
                    data.schema, rule.dependent, rule.determinants, key if above else None
                ),
                rule.held,
                rule.of,
            )


def _columns(data: Data, table: str, settled: set[Place]) -> dict[Place, Coded]:
    """Columns of a table and of its generating parent that many rows share.

    A column that another rule settles gets its values too late for others to follow from.
    """
    found: dict[Place, Coded] = {}
    least = k_threshold(data.rows(table))
    for name in data.coded.get(table, {}):
        column = coded(data, (table, name), least)
        if column is not None and (table, name) not in settled:
            found[table, name] = column
    fk = None if data.plan is None else data.plan.generating.get(table)
    if fk is not None:
        links = data.links(fk)
        for name in data.coded.get(fk.parent, {}):
            column = coded(data, (fk.parent, name), 1)
            if column is not None and (fk.parent, name) not in settled:
                found[fk.parent, name] = from_parent(column, links)
    return found
