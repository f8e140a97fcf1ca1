"""Columns of several tables that hold the same values get the same role and provider.

A ship's name that is always that of a customer is a company's, whatever the column is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify.concepts import CONCEPTS
from dbsynth.classify.names import words_of
from dbsynth.classify.types import Decision, Exposure, Role
from dbsynth.schema import Kind, Table

Place = tuple[str, str]  # a table and one of its columns

_MOST_VALUES = 5_000
_LONGEST = 100
_COVERED = 0.9
_FEWEST = 5  # fewer values may be those of another column by chance
_FEWEST_ALIKE = 2  # the same where both columns hold the same concept
_TELLING = words_of("company full_name user_name email phone street_address city region country")
_OPEN = frozenset(["", "label", "vocabulary", "path"])
_NAMED = (Role.IDENTIFIER, Role.RENAMED)


@dataclass(frozen=True)
class Proposal:
    """What was decided on a table by itself.

    Attributes:
        values: Different values of its columns of short texts, in memory only.
    """

    table: Table
    decisions: Mapping[str, Decision]
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)


def proposal_of(table: Table, sample: pa.Table, decisions: Mapping[str, Decision]) -> Proposal:
    """What was decided on a table, with the values that others may have as well."""
    return Proposal(table, decisions, _short_texts(table, sample, decisions))


def _short_texts(
    table: Table, sample: pa.Table, decisions: Mapping[str, Decision]
) -> dict[str, frozenset[str]]:
    """The different values of the columns of short texts that matter, case-folded."""
    found = {}
    for column in table.columns:
        if column.kind is not Kind.TEXT or column.name not in sample.column_names:
            continue
        if not (_tells(decisions[column.name]) or _doubtful(decisions[column.name])):
            continue
        different = pc.unique(sample[column.name]).drop_null()
        if len(different) <= _MOST_VALUES:
            texts = [text.strip().casefold() for text in different.to_pylist()]
            if max(map(len, texts), default=0) <= _LONGEST:
                found[column.name] = frozenset(text for text in texts if text)
    return found


def agreed(proposals: Mapping[str, Proposal]) -> dict[str, dict[str, Decision]]:
    """The decisions on all tables, those on the same values made alike."""
    found = {name: dict(proposal.decisions) for name, proposal in proposals.items()}
    owners: dict[str, list[Place]] = {}
    for place, decision, values in _columns(proposals):
        if _tells(decision):
            for value in values:
                owners.setdefault(value, []).append(place)
    for place, decision, values in _columns(proposals) if owners else ():
        source = _same_values(place, decision, values, owners, found)
        if source is not None:
            like = proposals[source[0]].decisions[source[1]]
            found[place[0]][place[1]] = _like(decision, like, source)
    return found


def _columns(
    proposals: Mapping[str, Proposal],
) -> Iterator[tuple[Place, Decision, frozenset[str]]]:
    for name, proposal in proposals.items():
        for column, values in proposal.values.items():
            yield (name, column), proposal.decisions[column], values


def _same_values(
    place: Place, decision: Decision, values: frozenset[str], owners: Mapping[str, list[Place]],
    found: Mapping[str, Mapping[str, Decision]],
) -> Place | None:  # fmt: skip
    """The column whose values these are, where it is known to hold names and this one is not."""
    if not _doubtful(decision):
        return None
    met = Counter(owner for value in values for owner in owners.get(value, ()))
    for owner, count in met.most_common():
        like = found[owner[0]][owner[1]].concept
        alike = decision.concept == like
        fewest = _FEWEST_ALIKE if alike else _FEWEST
        if count < _COVERED * len(values):
            return None
        if owner != place and len(values) >= fewest and (alike or decision.concept in _OPEN):
            return owner
    return None


def _tells(decision: Decision) -> bool:
    """Whether a column is known to hold names of something."""
    return decision.role in _NAMED and decision.concept in _TELLING


def _doubtful(decision: Decision) -> bool:
    """Whether another column may know better what a column holds."""
    open_ = decision.role in (Role.CATEGORY, Role.TEXT) or decision.provider == "label"
    known = decision.public or bool(decision.form) or decision.decided_by == "schema"
    free = decision.concept == "text" or decision.provider in ("text", "json", "xml", "array")
    return open_ and not known and not free


def _like(decision: Decision, like: Decision, source: Place) -> Decision:
    """The decision on values that another column holds as well."""
    never = decision.role is Role.TEXT
    words = like.concept.replace("_", " ")
    return replace(
        decision,
        role=Role.IDENTIFIER if never else Role.RENAMED,
        provider=CONCEPTS[like.concept].provider,
        concept=like.concept,
        exposure=Exposure.DIRECT if like.exposure is Exposure.DIRECT else decision.exposure,
        reason=f"Its values are those of {source[0]}.{source[1]}, which holds {words}",
        decided_by="values",
        confidence=min(0.85, like.confidence),
    )
