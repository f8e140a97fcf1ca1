"""The answers of the classification."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a column is to the clone."""

    KEY = "key"
    REFERENCE = "reference"
    IDENTIFIER = "identifier"
    CATEGORY = "category"
    RENAMED = "renamed"
    QUANTITY = "quantity"
    TIME = "time"
    TEXT = "text"
    OPAQUE = "opaque"
    CONSTANT = "constant"
    GENERATED = "generated"


class Exposure(StrEnum):
    """Whom the values of a column give away: one by itself, one together with others, or nobody."""

    DIRECT = "direct"
    QUASI = "quasi"
    NONE = "none"


@dataclass(frozen=True)
class Decision:
    """The role of a column, and why.

    Attributes:
        provider: Which provider of `dbsynth.identifiers` draws its values, where one does.
        reason: One sentence without any value.
        decided_by: ``schema``, ``name``, ``values``, ``type`` or ``spec``.
        confidence: From 0 to 1.
        form: For text that holds dates or numbers: the strptime format, ``integer`` or
            ``decimal:2``.
        concept: What the column holds, as ``email`` or ``birth_date``; empty where unknown.
        exposure: Whether its values are direct identifiers, quasi-identifiers or neither.
        public: Whether its values are words of a public vocabulary, as names of countries.
    """

    role: Role
    provider: str | None
    reason: str
    decided_by: str
    confidence: float
    form: str = ""
    concept: str = ""
    exposure: Exposure = Exposure.NONE
    public: bool = False


@dataclass(frozen=True)
class Strategy:
    """What happens to a table: ``synthesize``, ``copy`` or ``empty``."""

    name: str
    reason: str
