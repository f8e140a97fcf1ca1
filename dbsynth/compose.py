"""A draft that holds every constraint: drawn, dealt, settled; fewer rows where there is no room."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from dbsynth.databases.base import Stage
from dbsynth.deal import deal
from dbsynth.draft import make_draft
from dbsynth.drafted import Draft
from dbsynth.errors import TooManyRows
from dbsynth.model import Model
from dbsynth.progress import Progress
from dbsynth.randomness import Streams
from dbsynth.settle import settle, shared_groups

_ATTEMPTS = 12


def compose(
    model: Model,
    stage: Stage,
    scale: float,
    wanted: Mapping[str, int],
    streams: Streams,
    progress: Progress,
) -> Draft:
    """The rows of the clone.

    Args:
        wanted: Rows of single tables, where they shall not follow the scale.

    Raises:
        Unsatisfiable: A constraint that no drawn row meets; names it.
    """
    limits: dict[str, int] = {}
    notes: dict[str, str] = {}
    for attempt in range(_ATTEMPTS):
        draft = make_draft(model, scale, {**wanted, **limits}, streams, progress)
        try:
            deal(draft, partial(shared_groups, draft))
            settle(draft, stage, progress)
        except TooManyRows as error:
            fewer = min(error.rows, draft.rows[error.table] - 1)
            if fewer < 1 or attempt == _ATTEMPTS - 1:
                raise
            limits[error.table] = fewer
            notes[error.table] = error.message
        else:
            break
    for name, reason in notes.items():
        draft.notes.append(f"{name} has {draft.rows[name]} rows, fewer than asked: {reason}")
    return draft
