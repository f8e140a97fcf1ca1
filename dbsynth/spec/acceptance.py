"""The `accepted` section of a spec: findings of the gate that somebody answers for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dbsynth.spec.shapes import Number, Record, Several, Spot, Text


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding of the gate that does not stop the run.

    Attributes:
        finding: Its check and its subject, as the report names them: ``leak customer.country``.
        at_most: The largest count that is accepted; one more is a failure again.
        approved_by: Who answers for it, and since when.
        reason: Why it is harmless.
    """

    finding: str
    at_most: int
    approved_by: str
    reason: str


def acceptance_shape() -> Several:
    """What may stand in the section."""
    return Several(
        "Findings of the search for real values that somebody answers for.",
        Record(
            "A finding.",
            {
                "finding": Text("Check and subject, as the report names them.", _worded),
                "at_most": Number("The largest count that is accepted.", low=1, whole=True),
                "approved_by": Text("Who answers for it, and since when.", _worded),
                "reason": Text("Why it is harmless.", _worded),
            },
            ("finding", "at_most", "approved_by", "reason"),
            then=_accepted_of,
        ),
        "an entry of `accepted`",
    )


def _worded(text: str, at: Spot) -> str:
    if not text.strip():
        at.wrong(f"{at.name} is empty")
    return text.strip()


def _accepted_of(found: dict[str, Any], at: Spot) -> Accepted | None:
    del at
    return Accepted(**found) if len(found) == 4 else None  # the problem is noted already
