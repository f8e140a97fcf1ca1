"""What the other columns of a table say of one: a name beside a surname, a town of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dbsynth.classify.concepts import OF_PERSONS, OF_PERSONS_TOGETHER, concept
from dbsynth.classify.evidence import Finding
from dbsynth.classify.names import is_naming, is_person_word, names_persons, tokens_of
from dbsynth.classify.types import Exposure
from dbsynth.classify.values import Facts, mention_names, person_names
from dbsynth.identifiers.recognise import share
from dbsynth.schema import Column, Kind, Table

_MANY = 8
_UNCLEAR = ("", "label", "full_name", "vocabulary")


@dataclass(frozen=True, slots=True)
class Context:
    """A table as a whole.

    Attributes:
        persons: Whether its rows are about persons, by its name or by what stands in it.
        named_persons: Whether its name says so.
        concepts: What its columns hold, each judged by itself.
    """

    persons: bool
    named_persons: bool
    concepts: Mapping[str, str]

    def beside(self, column: Column, *concepts: str) -> bool:
        """Whether another column holds one of these."""
        return any(c in concepts for name, c in self.concepts.items() if name != column.name)


def context_of(table: Table, findings: Mapping[str, Finding]) -> Context:
    """What the columns of a table say together."""
    concepts = {name: finding.concept for name, finding in findings.items()}
    named = names_persons(tokens_of(table.bare))
    held = set(concepts.values())
    persons = named or bool(OF_PERSONS & held) or len(OF_PERSONS_TOGETHER & held) > 1
    return Context(persons, named, concepts)


def in_context(column: Column, facts: Facts, found: Finding, context: Context) -> Finding:
    """What a column holds, in view of the others."""
    if column.kind not in (Kind.TEXT, Kind.OTHER) or found.concept not in _UNCLEAR:
        return found
    if found.concept == "full_name" and _of_a_thing(column, facts, found, context):
        return replace(found, concept="label", confidence=0.6)
    naming = is_naming(tokens_of(column.name))
    if naming and context.beside(column, "first_name") and not context.beside(column, "last_name"):
        return replace(found, concept="last_name", by="name", confidence=0.85)
    if naming and context.beside(column, "last_name") and not context.beside(column, "first_name"):
        return replace(found, concept="first_name", by="name", confidence=0.85)
    words = tokens_of(column.name)  # the title of a contact, or in a table of persons
    if (context.named_persons or len(words) > 1) and _titles(words) and facts.distinct > 1:
        return Finding("job", "name", 0.6)
    if context.persons and found.concept in ("", "label"):
        seen = person_names(facts.examples)
        if seen:
            return Finding(seen, "values", 0.7)
    return found


def _titles(words: tuple[str, ...]) -> bool:
    """Whether a name is the word title, perhaps with that of a person before it."""
    return words[-1:] == ("title",) and (len(words) == 1 or is_person_word(words[0]))


def _of_a_thing(column: Column, facts: Facts, found: Finding, context: Context) -> bool:
    """Whether what is called a full name is one of things: no person anywhere around."""
    others = {c for name, c in context.concepts.items() if name != column.name}
    if found.by != "name" or context.named_persons or OF_PERSONS & others or facts.distinct < _MANY:
        return False
    return share(facts.examples, r"\p{Latin}") == 1.0 and not mention_names(facts.examples)


def exposure_of(name: str, context: Context) -> Exposure:
    """Whom values of a concept give away in a table."""
    it = concept(name)
    if it.personal and not context.persons:
        return Exposure.NONE
    return Exposure.DIRECT if name == "url" else it.exposure
