"""A draft that holds every constraint: drawn, dealt, settled; fewer rows where there is no room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial

from dbsynth.databases.base import Stage
from dbsynth.databases.portable import DIALECT
from dbsynth.deal import deal
from dbsynth.draft import Hand, as_learnt, make_draft
from dbsynth.draft.drafted import Draft
from dbsynth.errors import TooManyRows
from dbsynth.model import Model
from dbsynth.progress import Progress
from dbsynth.randomness import Streams
from dbsynth.settle import settle, shared_groups
from dbsynth.steer.effect import Outcome, measure
from dbsynth.steer.hand import steering, with_checks
from dbsynth.steer.size import followed, under_conditions
from dbsynth.steer.wishes import Wishes

_ATTEMPTS = 12


def compose(
    model: Model,
    stage: Stage,
    scale: float,
    streams: Streams,
    progress: Progress,
    wishes: Wishes,
) -> tuple[Draft, Outcome]:
    """The rows of the clone, and what the wishes came to.

    Raises:
        Unsatisfiable: A constraint that no drawn row meets; names it.
    """
    real = {name: int(rows.chosen.sum()) for name, rows in model.real.items()}
    wanted = followed(model.plan, model.tables, real, scale, wishes.rows)
    pilot: Draft | None = None
    hand: Hand = as_learnt
    if wishes.draws:
        pilot = make_draft(model, scale, wanted, streams, progress)
        hand = bent = steering(wishes, pilot)
        model, growth = under_conditions(model, bent)
        model = with_checks(model, wishes.conditions, DIALECT[stage.capabilities.kind])
        wanted = followed(model.plan, model.tables, real, scale, wishes.rows, growth)
    draft = _composed(model, stage, scale, wanted, streams, progress, hand)
    return draft, measure(wishes, pilot, draft)


def _composed(
    model: Model, stage: Stage, scale: float, wanted: Mapping[str, int], streams: Streams,
    progress: Progress, hand: Hand,
) -> Draft:  # fmt: skip
    """Rows that hold every constraint.

    Args:
        wanted: Rows of single tables, where they shall not follow the scale.
    """
    limits: dict[str, int] = {}
    notes: dict[str, str] = {}
    refused: Counter[str] = Counter()
    for attempt in range(_ATTEMPTS):
        draft = make_draft(model, scale, {**wanted, **limits}, streams, progress, hand)
        try:
            deal(draft, partial(shared_groups, draft))
            settle(draft, stage, progress)
        except TooManyRows as error:
            rows = draft.rows[error.table]
            if rows <= 1 or attempt == _ATTEMPTS - 1:
                raise
            # Fewer rows lose fewer, so a table that comes again goes down faster.
            lost = max(rows - error.rows, 1) << refused[error.table]
            refused[error.table] += 1
            limits[error.table] = max(rows - lost, 1)
            notes[error.table] = error.message
        else:
            break
    for name, reason in notes.items():
        draft.notes.append(f"{name} has {draft.rows[name]} rows, fewer than asked: {reason}")
    return draft
