"""What a run has to say for itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Outcome of a check."""

    PASSED = "passed"
    FAILED = "failed"
    ACCEPTED = "accepted"  # a finding of the gate that somebody answers for
    NOTE = "note"


class Gate(StrEnum):
    """Whether a clone was searched for the values of its source."""

    SEARCHED = "searched"
    BLIND = "not searched"  # the source was not at hand
    PRIVATE = (
        "private"  # what a private model gives away is bounded, and a look would have to be paid
    )
    NONE = ""  # no clone was made


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check on one thing.

    Attributes:
        count: Number of offending rows.
        part: The part of the model that let a leak through.
    """

    check: str
    subject: str
    status: Status
    detail: str = ""
    count: int = 0
    part: str = ""


@dataclass(frozen=True, slots=True)
class TableReport:
    """What became of one table."""

    name: str
    strategy: str
    reason: str
    real_rows: int
    synthetic_rows: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A share, rate or number that was steered: in the source, without steering, and now.

    Attributes:
        wanted: None where it follows from what else is wanted.
        source: None where it is not known.
    """

    name: str
    wanted: float | None
    source: float | None
    without: float | None
    got: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What steering did to another column, as total variation distances from the unsteered rows.

    Attributes:
        overall: Distance of its distribution: what follows from the steering.
        within: Mean distance inside the classes: what should have stayed.
        by_chance: What two draws of the same distribution would differ by inside the classes.
    """

    column: str
    overall: float
    within: float
    by_chance: float


@dataclass(frozen=True, slots=True)
class Steered:
    """What became of one wish of the spec.

    Attributes:
        kind: ``rebalance``, ``rows``, ``where`` or ``fairness``.
    """

    kind: str
    subject: str
    rates: tuple[Rate, ...]
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Report:
    """The outcome of a run.

    Attributes:
        timings: Seconds per step, in the order of the steps.
        losses: What the kind of the target cannot hold.
        rules: The rules that were to be kept, each with its support in the source.
    """

    target: str
    scale: float
    seed: int
    tables: tuple[TableReport, ...]
    findings: tuple[Finding, ...]
    timings: Mapping[str, float]
    losses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    steering: tuple[Steered, ...] = ()
    gate: Gate = Gate.NONE

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(finding.status is not Status.FAILED for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON-able values (see docs/json.md)."""
        return {
            "ok": self.ok,
            "gate": self.gate.value,
            "target": self.target,
            "scale": self.scale,
            "seed": self.seed,
            "tables": [asdict(table) for table in self.tables],
            "findings": [asdict(finding) for finding in self.findings],
            "timings": {name: round(seconds, 3) for name, seconds in self.timings.items()},
            "losses": list(self.losses),
            "notes": list(self.notes),
            "rules": [{"rule": rule, "support": support} for rule, support in self.rules],
            "steering": [asdict(steered) for steered in self.steering],
        }


@dataclass
class Stopwatch:
    """Seconds per step.  The one mutable thing of a run besides its progress."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
