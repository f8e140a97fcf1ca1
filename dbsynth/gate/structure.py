"""What the structure of a source says by the way: defaults, comments, CHECKs, labels, bodies.

It reaches the target as it is, and so does a value of the source that stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from dbsynth.databases import statements
from dbsynth.gate.chance import if_all_alike, too_many
from dbsynth.gate.gather import ANYWHERE, MOST_MARKS, Held, no_numbers
from dbsynth.gate.subjects import Subject
from dbsynth.gate.table import MIXED, NUMBER, SURE
from dbsynth.gate.texts import Int64, read
from dbsynth.model import Model
from dbsynth.report import Finding, Status

_MOST_HITS = 10_000
_NUMBERS = (NUMBER, MIXED)


def search_structure(
    model: Model, kind: str, subjects: Sequence[Subject], held: Held
) -> Iterator[Finding]:
    """Look for values of the source in the statements that make the target.

    A name alone is a note: it may be that of who wrote the statement.
    """
    entries = texts_of(model, kind)
    texts = read(pa.array([text for _, text in entries], pa.string()))
    tried = np.zeros((2, MOST_MARKS), np.int64)
    chosen = np.ones(len(texts), np.bool_)
    hits = held.table.inside(texts, chosen, tried, _MOST_HITS)
    real = held.numbers.get(ANYWHERE, no_numbers())
    for entry in np.unique(hits[:, 0]).tolist():
        mine = hits[hits[:, 0] == entry]
        kinds, marks = held.table.tags[mine[:, 1]] & 7, np.minimum(mine[:, 4], MOST_MARKS - 1)
        telling = [
            place
            for place, kind_, length in zip(mine[:, 1].tolist(), kinds, marks, strict=True)
            if kind_ == SURE or (kind_ in _NUMBERS and _too_many(real, tried, int(kind_), length))
        ]
        named = {subjects[int(held.table.tags[p]) >> 3].name for p in mine[:, 1].tolist()}
        count = len(set(telling or mine[:, 1].tolist()))
        detail = f"{count} real values stand in it (values of {', '.join(sorted(named)[:3])})"
        status = Status.FAILED if telling else Status.NOTE
        part = "the structure of the source: a default, comment, CHECK, label or body"
        yield Finding("leak", f"structure: {entries[entry][0]}", status, detail, count, part)


def _too_many(real: Int64, tried: Int64, kind: int, marks: int) -> bool:
    met = np.array([max(tried[kind, marks], 1)])
    return too_many(1, if_all_alike(kind, real[kind, marks : marks + 1], met, marks), kind)


def texts_of(model: Model, kind: str) -> tuple[tuple[str, str], ...]:
    """What the target is made of: names of objects, and SQL."""
    if kind == model.source_kind:
        return statements(model.structure, kind)
    return tuple(
        (f"CHECK {table.name}.{check.name}", check.sql)
        for table in model.schema.tables
        for check in table.checks
    ) + tuple(
        (f"type of {table.name}.{column.name}", "\n".join(column.choices))
        for table in model.schema.tables
        for column in table.columns
        if column.choices
    )
