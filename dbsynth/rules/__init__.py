"""Rules that hold in the source and are kept in the clone: mined, listed, struck, declared.

A form of rule is a module with ``EXAMPLE`` (a sentence), ``parse`` (a sentence into a rule) and
``mine`` (a view into rules with their support).  A new form is a module here and a line in `FORMS`.
Who keeps a rule is not decided here: values of columns come about in `dbsynth.settle.upkeep`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from dbsynth.rules import (
    arithmetic,
    balance,
    contiguous,
    follows,
    implied,
    order,
    path,
    ranks,
    within,
)
from dbsynth.rules.balance import Balance
from dbsynth.rules.base import Bool, Cases, Data, Kept, Place, Rule, View
from dbsynth.rules.contiguous import Contiguous
from dbsynth.rules.formula import Formula
from dbsynth.rules.words import NotMine, RuleError, Words
from dbsynth.schema import Schema

__all__ = [
    "FORMS", "Bool", "Cases", "Data", "Kept", "Place", "Rule", "RuleError", "View", "choose",
    "kept_from_json", "mine", "parse_rule",
]  # fmt: skip


class Form(Protocol):
    """A module that knows one form of rules."""

    EXAMPLE: str

    def parse(self, words: Words) -> Rule:
        """The rule of a sentence.

        Raises:
            NotMine: The sentence has another form.
            RuleError: It names something that does not exist.
        """

    def mine(self, data: Data, found: Sequence[Kept]) -> Iterable[Kept]:
        """The rules of this form that hold, given those of the forms before it."""


FORMS: tuple[Form, ...] = (
    arithmetic, contiguous, balance, order, ranks, follows, implied, within, path,
)  # fmt: skip


def parse_rule(text: str, schema: Schema) -> Rule:
    """The rule that a sentence states.

    Raises:
        RuleError: It states none; names the nearest right name or form.
    """
    # Of all that is wrong with it, what the form says that understood most of it.
    problem, furthest = None, 0
    for form in FORMS:
        try:
            words = Words(text, schema)
        except RuleError as error:
            raise RuleError(f"rule `{text}`: {error}") from None
        try:
            rule = form.parse(words)
            words.end()
        except NotMine:
            problem = None if words.understood >= furthest else problem
        except RuleError as error:
            problem = error if words.understood > furthest else problem
        else:
            return rule
        furthest = max(furthest, words.understood)
    if problem is not None:
        raise RuleError(f"rule `{text}`: {problem}")
    examples = [form.EXAMPLE for form in FORMS]
    near = difflib.get_close_matches(text, examples, 1, 0.0)[0]
    raise RuleError(f"rule `{text}` has no known form (one like it: `{near}`)")


def mine(data: Data) -> tuple[Kept, ...]:
    """All rules that hold in the rows seen, and are no coincidence."""
    found: list[Kept] = []
    for form in FORMS:
        found += form.mine(data, tuple(found))
    return tuple(found)


def choose(
    found: Sequence[Kept], wanted: Sequence[Rule] | None, view: View
) -> tuple[tuple[Kept, ...], tuple[str, ...]]:
    """The rules to keep, and a note on each that was declared but is broken in the source.

    Args:
        wanted: The rules that the spec lists; None where it has no list.
    """
    if wanted is None:
        notes = [f"rule `{kept.rule}` holds in {kept.support} rows of the source; the clone has no"
                 " exception" for kept in found if kept.held < kept.of]  # fmt: skip
        return tuple(found), tuple(notes)
    mined = {str(kept.rule): kept for kept in found}
    kept_rules: list[Kept] = []
    notes = []
    needs: dict[Place, set[Place]] = {}
    for rule in dict.fromkeys(wanted):
        if isinstance(rule, Formula):
            inputs = set(rule.places[1:])
            if rule.target in needs or arithmetic.reaches(needs, inputs, rule.target):
                notes.append(f"rule `{rule}` is not kept: its column follows from another rule, or"
                             " in a circle from itself")  # fmt: skip
                continue
            needs[rule.target] = inputs
        kept = mined.get(str(rule)) or _declared(rule, view)
        kept_rules.append(kept)
        if kept.declared:
            notes.append(f"rule `{rule}` is declared, not mined: {_told(kept)}")
    return tuple(kept_rules), tuple(notes)


def _told(kept: Kept) -> str:
    """How a rule that was not mined stands in the source."""
    if kept.held == kept.of:
        return f"none of the {kept.of} rows of the source that could break it does"
    broken = (kept.of - kept.held) / kept.of
    return f"{100 * broken:.1f} % of the {kept.of} rows of the source that could break it do"


def _declared(rule: Rule, view: View) -> Kept:
    if isinstance(rule, Balance):
        rule = balance.learnt(rule, view)
        return replace(_counted(rule, view), state={"signs": list(rule.signs)})
    if isinstance(rule, Contiguous):
        rule = contiguous.learnt(rule, view)
        return replace(_counted(rule, view), state={"lasts": list(rule.lasts)})
    return _counted(rule, view)


def _counted(rule: Rule, view: View) -> Kept:
    cases = rule.cases(view)
    if cases is None:
        return Kept(rule, 0, 0, declared=True)
    return Kept(rule, cases.held, cases.of, declared=True)


def kept_from_json(value: Mapping[str, Any], schema: Schema) -> Kept:
    """The inverse of `Kept.to_json`."""
    rule = parse_rule(value["rule"], schema)
    if isinstance(rule, Balance):
        rule = replace(rule, signs=tuple(value["state"]["signs"]))
    elif isinstance(rule, Contiguous):
        rule = replace(rule, lasts=tuple(value["state"]["lasts"]))
    return replace(
        Kept(rule, value["held"], value["of"]), state=value["state"], declared=value["declared"]
    )
