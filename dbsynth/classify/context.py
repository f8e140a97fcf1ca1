"""What the other columns of a table say of one: a name beside a surname, a town of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dbsynth.classify.concepts import OF_PERSONS, concept
from dbsynth.classify.evidence import Finding
from dbsynth.classify.names import is_naming, names_persons, tokens_of
from dbsynth.classify.types import Exposure
from dbsynth.classify.values import Facts, person_names
from dbsynth.schema import Column, Kind, Table

_UNCLEAR = ("", "label", "full_name", "vocabulary")


@dataclass(frozen=True, slots=True)
class Context:
    """A table as a whole.

    Attributes:
        persons: Whether its rows are about persons, by its name or by what stands in it.
        concepts: What its columns hold, each judged by itself.
    """

    persons: bool
    concepts: Mapping[str, str]

    def beside(self, column: Column, *concepts: str) -> bool:
        """Whether another column holds one of these."""
        return any(c in concepts for name, c in self.concepts.items() if name != column.name)


def context_of(table: Table, findings: Mapping[str, Finding]) -> Context:
    """What the columns of a table say together."""
    concepts = {name: finding.concept for name, finding in findings.items()}
    persons = names_persons(tokens_of(table.bare)) or bool(OF_PERSONS & set(concepts.values()))
    return Context(persons, concepts)


def in_context(column: Column, facts: Facts, found: Finding, context: Context) -> Finding:
    """What a column holds, in view of the others."""
    if column.kind not in (Kind.TEXT, Kind.OTHER) or found.concept not in _UNCLEAR:
        return found
    naming = is_naming(tokens_of(column.name))
    if naming and context.beside(column, "first_name") and not context.beside(column, "last_name"):
        return replace(found, concept="last_name", by="name", confidence=0.85)
    if naming and context.beside(column, "last_name") and not context.beside(column, "first_name"):
        return replace(found, concept="first_name", by="name", confidence=0.85)
    if context.persons and found.concept in ("", "label"):
        seen = person_names(facts.examples)
        if seen:
            return Finding(seen, "values", 0.7)
    return found


def exposure_of(name: str, context: Context) -> Exposure:
    """Whom values of a concept give away in a table."""
    it = concept(name)
    if it.personal and not context.persons:
        return Exposure.NONE
    return Exposure.DIRECT if name == "url" else it.exposure
