"""Paths that close: a foreign key leads where a chain of others leads.

A payment's customer is the customer of its rental.  The key is then not drawn but followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbsynth.diamonds import Path, find_diamonds, follow
from dbsynth.rules.base import Cases, Data, Int64, Kept, Place, View
from dbsynth.rules.chance import convincing
from dbsynth.rules.words import RuleError, Words, key_name
from dbsynth.schema import ForeignKey, Schema

EXAMPLE = "payment(customer) leads where payment(rental) -> rental(customer) leads"


@dataclass(frozen=True)
class Closed:
    """A foreign key and a path from the same table end in the same row."""

    key: ForeignKey
    path: Path
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table whose rows can break it."""
        return self.key.child

    @property
    def places(self) -> tuple[Place, ...]:
        """No column: it is about keys."""
        return ()

    @property
    def keys(self) -> tuple[ForeignKey, ...]:
        """The key, and those of the path."""
        return self.key, *self.path

    def cases(self, view: View) -> Cases | None:
        """Rows where the key or the path leads anywhere; those where they part."""
        own = view.links(self.key)
        reached = follow(self.path, {key: view.links(key) for key in self.path})
        return Cases((own >= 0) | (reached >= 0), own != reached)


def closed_rule(schema: Schema, key: ForeignKey, path: Path) -> Closed:
    """The rule with its sentence."""
    steps = " -> ".join(key_name(schema, step) for step in path)
    return Closed(key, path, f"{key_name(schema, key)} leads where {steps} leads")


def parse(words: Words) -> Closed:
    """``child(columns) leads where child(columns) -> other(columns) leads``."""
    key = words.key()
    words.expect("leads", "where")
    path = [words.key()]
    while words.take("->"):
        path.append(words.key())
    words.expect("leads")
    tables = [key.child, *(step.parent for step in path)]
    if any(step.child != table for step, table in zip(path, tables, strict=False)):
        raise RuleError("each step of the path must begin where the one before it ends")
    if tables[-1] != key.parent:
        raise RuleError(f"the path ends in `{tables[-1]}`, the key leads to `{key.parent}`")
    if key in path:
        raise RuleError("the key is a step of its own path")
    return closed_rule(words.schema, key, tuple(path))


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """The dealt keys that lead where a path of generating keys leads."""
    del found
    if data.plan is None:
        return
    own = {
        table.name: data.own.get(table.name, data.rows(table.name)) for table in data.schema.tables
    }
    diamonds = find_diamonds(data.schema, data.plan, data.keys, own)
    for key, path in diamonds.items():
        rule = closed_rule(data.schema, key, path)
        rows = own[key.child]
        mine_, reached = data.links(key)[:rows], follow(path, data.keys)[:rows]
        could = (mine_ >= 0) | (reached >= 0)
        held, of = int((could & (mine_ == reached)).sum()), int(could.sum())
        chance = _chance(mine_[could], reached[could])
        if convincing(held, of, of, chance, max(len(data.plan.dealt), 1)):
            yield Kept(rule, held, of)


def _chance(left: Int64, right: Int64) -> float:
    """Probability that two links drawn independently lead to the same row."""
    if not len(left):
        return 1.0
    size = int(max(left.max(), right.max())) + 2
    shares = [np.bincount(side + 1, minlength=size) / len(side) for side in (left, right)]
    return float((shares[0] * shares[1]).sum())
