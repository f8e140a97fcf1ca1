"""What can be found out about real entities from a clone of half of them.

A model is fitted on half of the entities of a table, with all that belongs to them.  An attacker
holds the clone against both halves; only what succeeds better on the half that was shown is a leak.
Every figure stands beside what real entities that were never shown would give away, what plain
masking would (real rows under other names), and what guessing gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dbsynth.attacks.copies import Copies, copies
from dbsynth.attacks.features import Points, entity_points, smaller
from dbsynth.attacks.inference import Inference, inferences
from dbsynth.attacks.intervals import Share, lead_of
from dbsynth.attacks.linkage import Linkage, linkage
from dbsynth.attacks.membership import Membership, membership
from dbsynth.errors import SchemaError
from dbsynth.memorise import FEWEST, Memory, World, memory_of, worlds
from dbsynth.progress import Progress, Silent
from dbsynth.randomness import Streams, hashed
from dbsynth.report import Finding, Status
from dbsynth.spec import PRIVATE, Spec
from dbsynth.spec.protection import Protection

WARNING = (
    "an attack reads real rows, and no ledger was charged for it: these figures are outside of the"
    " budget, and as confidential as the source"
)
SYNTHETIC, REAL, MASKED = "synthetic", "real", "masked"
BEYOND = {0.01: 0.03, 0.1: 0.15}  # more found among the shown, at so many false ones, is a leak
_LEAST_LEAD, _ERRORS = 0.05, 4.0  # of an attack over its control
_AUC_ERRORS, _LEAST_AUC = 4.0, 0.55


@dataclass(frozen=True)
class Attacked:
    """The attacks on the entities of one table.

    Attributes:
        tables: The table, and those whose rows belong to its entities.
        membership: With the synthetic database in the attacker's hands; with real entities that
            were never shown instead; with the shown ones under other names.
        linkage: None where entities have a single column.
        rows: By table, rows and families that come back.
        entities: Whole entities that come back.
    """

    entity: str
    tables: tuple[str, ...]
    membership: tuple[Membership, ...]
    inference: tuple[Inference, ...]
    linkage: Linkage | None
    rows: tuple[Memory, ...]
    entities: Copies

    @property
    def findings(self) -> tuple[Finding, ...]:
        """An outcome for each attack: failed where it tells shown entities from others."""
        return tuple(_findings(self))

    @property
    def worst(self) -> tuple[Inference, ...]:
        """By table, the column whose secrets are given away most clearly."""
        best: dict[str, Inference] = {}
        for found in self.inference:
            if found.table not in best or found.lead[1] > best[found.table].lead[1]:
                best[found.table] = found
        return tuple(best.values())


@dataclass(frozen=True)
class AttackReport:
    """What came of all attacks on the models of one engine.

    Attributes:
        protection: The privacy that the models had; None of an engine without.
    """

    engine: str
    seed: int
    attacked: tuple[Attacked, ...]
    protection: Protection | None = None

    @property
    def ok(self) -> bool:
        """Whether no attack succeeded."""
        return not any(f.status is Status.FAILED for a in self.attacked for f in a.findings)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader of the figures has to know."""
        if self.protection is None:
            return ()
        if self.protection.seed is None:
            return (WARNING,)
        return (WARNING, "the noise had a seed: the models that were attacked are NOT PRIVATE")

    def to_json(self) -> dict[str, Any]:
        """The report as JSON-able values (see docs/json.md)."""
        entities = [
            {**asdict(a), "findings": [asdict(finding) for finding in a.findings]}
            for a in self.attacked
        ]
        said = self.protection
        return {
            "ok": self.ok, "engine": self.engine, "seed": self.seed,
            "privacy": said and {
                "unit": said.unit, "epsilon": said.epsilon, "delta": said.delta, "fits": said.fits,
            },
            "warnings": list(self.warnings), "entities": entities,
        }  # fmt: skip


def attack(
    source: str, *, spec: Spec | None = None, only: Sequence[str] = (),
    progress: Progress | None = None,
) -> AttackReport:  # fmt: skip
    """Fit on half of the entities of every table that has enough of them, and attack.

    Nothing is written but the schema, into a scratch file; no ledger of the engine `dp` is read or
    charged.

    Args:
        only: These tables of entities; empty for all.

    Raises:
        SchemaError: No table has entities enough.
        SpecError: The engine `dp` is not told what it has to know, or protects other entities.
        MissingExtra: The engine needs an extra.
    """
    spec, progress = spec or Spec(), progress or Silent()
    found = []
    for world in worlds(source, spec, progress, only=only):
        progress.step(f"attack {world.entity}")
        found.append(attacked(world, Streams(spec.seed)))
    if not found:
        raise SchemaError(
            f"no table has {FEWEST} entities, so there are no halves to compare",
            hint="attack a larger database of the same schema",
        )
    protection = spec.privacy if spec.engine == PRIVATE else None
    return AttackReport(spec.engine, spec.seed, tuple(found), protection)


def attacked(world: World, streams: Streams) -> Attacked:
    """All attacks on the entities of one table."""
    key = streams.key("attack", world.entity)
    rows = tuple(memory_of(sides) for sides in world.tables)
    world = smaller(world)
    train, held_out, synthetic = points = entity_points(world)
    part = np.asarray(hashed(key, np.arange(len(held_out))) % np.uint64(3)) == 0
    return Attacked(
        world.entity,
        tuple(world.synthetic),
        (
            membership(SYNTHETIC, train, held_out, synthetic, key),
            membership(REAL, train, held_out[~part], held_out[part], key),
            membership(MASKED, train, held_out, train, key),
        ),
        tuple(inferences(world, key)),
        linkage(train, held_out, synthetic, key),
        rows,
        copies(world, points),
    )


def masked(world: World) -> World:
    """The world of a masker: the shown rows themselves, under other names."""
    return replace(world, synthetic=world.train)


def _findings(a: Attacked) -> Iterator[Finding]:
    yield _told(a.entity, a.membership[0])
    for guessed in a.worst:
        yield _led(
            "inference", f"{guessed.table}.{guessed.column}", guessed.attack, guessed.control
        )
    if a.linkage is not None:
        yield _led("linkage", a.entity, a.linkage.attack, a.linkage.control)
    for memory in a.rows:
        share = f"{memory.copied:.2%} of the rows are rows of the shown half"
        yield _finding("copied rows", memory.table, [share] if memory.remembered else [])
    whole = f"{a.entities.exact:.2%} come back exactly, {a.entities.near:.2%} nearly"
    yield _finding("copied families", a.entity, [whole] if a.entities.remembered else [])


def _told(entity: str, found: Membership) -> Finding:
    """A leak; or a trace, no chance but too little to act on; or nothing."""
    leaks: list[str] = []
    traces: list[str] = []
    shares = (
        ("shown entities", 0.01, found.at_1),
        ("shown entities", 0.1, found.at_10),
        ("most exposed of the shown", 0.1, found.exposed_at_10),
    )
    for whose, false, share in shares:
        if share is not None and share.low > false:
            said = f"{share.value:.1%} of the {whose} are found at {false:.0%} false positives"
            (leaks if share.low > BEYOND[false] else traces).append(said)
    if found.auc > 0.5 + _AUC_ERRORS * found.auc_error:
        said = f"shown entities score above others in {found.auc:.1%} of pairs"
        (leaks if found.auc > _LEAST_AUC else traces).append(said)
    if traces and not leaks:
        return Finding("membership", entity, Status.NOTE, "; ".join(traces))
    return _finding("membership", entity, leaks)


def _led(check: str, subject: str, shown: Share, control: Share) -> Finding:
    lead, errors = lead_of(shown, control)
    said = f"{shown.value:.1%} of the shown, {control.value:.1%} of the others"
    return _finding(check, subject, [said] if lead > _LEAST_LEAD and errors > _ERRORS else [])


def _finding(check: str, subject: str, leaks: list[str]) -> Finding:
    status = Status.FAILED if leaks else Status.PASSED
    return Finding(check, subject, status, "; ".join(leaks), len(leaks))


__all__ = [
    "AttackReport", "Attacked", "Copies", "Inference", "Linkage", "Membership", "Points", "Share",
    "attack", "attacked", "masked",
]  # fmt: skip
