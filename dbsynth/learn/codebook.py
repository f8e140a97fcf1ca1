"""What rules say in codes, learnt once the codecs are final, for those who draw the rows.

A state names codes only, and those of determinants only where enough entities share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes, Formatted, Number, k_threshold
from dbsynth.engines import variables
from dbsynth.graph import Plan
from dbsynth.model import ColumnModel, TableFacts
from dbsynth.rules import Kept, Place
from dbsynth.rules.balance import Balance
from dbsynth.rules.dependence import Coded, mapped
from dbsynth.rules.follows import Follows
from dbsynth.rules.implied import (
    FALSE,
    NOT_NULL,
    NOT_ZERO,
    NULL,
    SOME,
    TRUE,
    ZERO,
    Implied,
    decided,
)
from dbsynth.schema import ForeignKey

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Book:
    """The rows read, as the engine sees them.

    Attributes:
        codes: Per table, the codes of its variables.
        unnamed: Rows whose code stands for another value than theirs.
    """

    plan: Plan
    tables: Mapping[str, TableFacts]
    codes: Mapping[str, Mapping[str, Codes]]
    links: Mapping[ForeignKey, Int64]
    unnamed: Mapping[Place, Bool]

    def of(self, place: Place) -> Codes | None:
        """The codes of a column."""
        return self.codes.get(place[0], {}).get(variables.column(place[1]))

    def model(self, place: Place) -> ColumnModel:
        """How its values come about."""
        return self.tables[place[0]].columns[place[1]]


def with_states(rules: Iterable[Kept], book: Book) -> tuple[Kept, ...]:
    """The rules with what they say in codes."""
    return tuple(replace(kept, state={**kept.state, **_state(kept, book)}) for kept in rules)


def _state(kept: Kept, book: Book) -> Mapping[str, Any]:
    if isinstance(kept.rule, Follows):
        return _map_of(kept.rule, book)
    if isinstance(kept.rule, Implied):
        return _said_by(kept.rule, book)
    return {}


def _map_of(rule: Follows, book: Book) -> Mapping[str, Any]:
    effect = _coded(rule.dependent, book)
    causes = [_coded(place, book) for place in rule.determinants]
    if effect is None or any(cause is None for cause in causes):
        return {}
    above = [
        cause if place[0] == rule.table or rule.key is None else _of_parent(cause, book, rule.key)
        for place, cause in zip(rule.determinants, causes, strict=True) if cause is not None
    ]  # fmt: skip
    least = k_threshold(book.tables[rule.table].rows)
    tuples, values = mapped(above, effect, _entities(rule.table, book), least)
    return {"sizes": [c.size for c in above], "tuples": tuples.tolist(), "values": values.tolist()}


def _coded(place: Place, book: Book) -> Coded | None:
    codes = book.of(place)
    if codes is None:
        return None
    unnamed, codec = book.unnamed.get(place), book.model(place).codec
    known = np.ones(len(codes), bool) if unnamed is None else ~unnamed
    number = codec.number if isinstance(codec, Formatted) else codec
    if isinstance(number, Number) and len(number.points):
        known &= (codes < 4) | ~np.isnan(number.points[np.maximum(codes.astype(np.int64) - 4, 0)])
    size = number.alphabet.size if number is not None else 2
    return Coded(codes.astype(np.int64), size, known)


def _of_parent(column: Coded, book: Book, key: ForeignKey) -> Coded:
    links = book.links[key]
    known = None if column.known is None else np.append(column.known, False)[links]
    return Coded(np.append(column.codes, 0)[links], column.size, known)


def _entities(table: str, book: Book) -> Int64:
    key = book.plan.generating.get(table)
    rows = np.arange(len(next(iter(book.codes[table].values()))))
    if key is None:
        return rows
    links = book.links[key]
    return np.where(links < 0, int(links.max(initial=0)) + 1 + rows, links)


def _said_by(rule: Implied, book: Book) -> Mapping[str, Any]:
    """The subject's code for its state, and the premise's codes that ask for it and forbid it."""
    own, premise = book.of(rule.subject), book.of(rule.premise)
    if own is None or premise is None:
        return {}
    target = code_of(book.model(rule.subject), NULL if rule.state == NOT_NULL else rule.state)
    if target is None:
        return {}
    sizes = int(premise.max(initial=0)) + 1
    if rule.says == SOME:
        in_state = (own == target) == (rule.state != NOT_NULL)
        yes, no = decided(premise.astype(np.int64), in_state)
        asked, denied = np.flatnonzero(yes), np.flatnonzero(no)
    else:
        opposite = {NOT_NULL: NULL, NOT_ZERO: ZERO}.get(rule.says)
        code = code_of(book.model(rule.premise), opposite or rule.says)
        if code is None:
            return {}
        others = np.setdiff1d(np.arange(max(sizes, code + 1)), [code])
        asked, denied = (others, np.array([code])) if opposite else (np.array([code]), others)
    denied = denied if rule.exactly else np.zeros(0, np.int64)
    if rule.state == NOT_NULL:
        asked, denied = denied, asked
    rest = np.bincount(own)
    rest[target : target + 1] = 0
    counts = np.bincount(premise, minlength=sizes)
    likely = [int(_without(counts, codes).argmax()) for codes in (denied, asked)]
    return {"target": target, "other": int(rest.argmax()), "asked": asked.tolist(),
            "denied": denied.tolist(), "likely": likely}  # fmt: skip


def _without(counts: npt.NDArray[np.int64], codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The counts, 0 for some codes."""
    rest = counts.copy()
    rest[codes[codes < len(rest)]] = 0
    return rest


def code_of(model: ColumnModel, state: str) -> int | None:
    """The code of NULL, 0, true or false; None where there is none."""
    if state == NULL:
        return 0
    number = model.codec.number if isinstance(model.codec, Formatted) else model.codec
    if state == ZERO and isinstance(number, Number):
        found = np.flatnonzero(number.points == 0)
        return 4 + int(found[0]) if len(found) else None
    shown = getattr(model.codec, "shown", ())
    text = {TRUE: "true", FALSE: "false"}.get(state)
    return 1 + shown.index(text) if text in shown else None


def in_order(ordered: Sequence[str], rules: Sequence[Kept], table: str) -> list[str]:
    """Variables in the order in which they are drawn: what others follow from comes before them.

    Where two columns only agree on being NULL or 0, either may come first.
    """
    before: dict[str, list[str]] = {}
    mapped_ = {kept.rule.places[0] for kept in rules if isinstance(kept.rule, Follows)}
    for kept in rules:
        rule = kept.rule
        free = isinstance(rule, Implied) and rule.says != SOME and rule.premise not in mapped_
        says = isinstance(rule, Follows | Implied | Balance) and not free
        if rule.table == table and says:
            before.setdefault(rule.places[0][1], []).extend(
                place[1] for place in rule.places[1:] if place[0] == table
            )
    found: dict[str, None] = {}

    def add(variable: str, climbed: tuple[str, ...]) -> None:
        column = column_of(variable)
        for cause in before.get(column, ()) if column not in climbed else ():
            for other in ordered:
                if column_of(other) == cause and other not in found:
                    add(other, (*climbed, column))
        found[variable] = None

    for variable in ordered:
        if variable not in found:
            add(variable, ())
    return list(found)


def column_of(variable: str) -> str:
    """The column that a variable belongs to; empty for links, classes and counts."""
    kind, _, name = variable.partition(":")
    return name if kind in ("column", "weekday", "clock", "gap", "factor") else ""
