"""The labelled columns: tables of eight languages with invented values, in two parts.

`kept_aside.yaml` was written before the rules and is never looked at while they are written;
`worked_on.yaml` is what they are written against; `as_found.yaml` has names that others gave to tables and
columns in public schemas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import yaml

from bench.columns.values import values_of
from dbsynth.schema import Column, Kind, Table

PARTS = ("worked_on", "kept_aside", "as_found")
ROWS = 240
_LEVELS = {"!": "direct", "?": "quasi", "-": ""}
_ARROW = {"integer": pa.int64(), "decimal": pa.float64(), "float": pa.float64(), "text": pa.string(),
          "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
          "uuid": pa.string()}  # fmt: skip


@dataclass(frozen=True)
class Label:
    """What a column is: ``direct``, ``quasi`` or neither, and of which kind."""

    level: str
    kind: str


@dataclass(frozen=True)
class Labelled:
    """A table with values, and the label of each of its columns."""

    language: str
    table: Table
    sample: pa.Table
    labels: dict[str, Label]


def labelled(part: str) -> Iterator[Labelled]:
    """The tables of a part."""
    text = (Path(__file__).parent / f"{part}.yaml").read_text(encoding="utf-8")
    for entry in yaml.safe_load(text):
        yield _table(entry["language"], entry["table"], entry["columns"])


def _table(language: str, name: str, columns: dict[str, str]) -> Labelled:
    described, data, labels = [], {}, {}
    for column, text in columns.items():
        kind, generator, label = text.split()
        scale = 2 if kind == "decimal" else None
        described.append(Column(column, Kind(kind), kind, scale=scale))
        values = values_of(generator, ROWS, f"{language}.{name}.{column}")
        if kind == "decimal":
            values = [None if v is None else float(str(v)) for v in values]
        data[column] = pa.array(values, _ARROW[kind])
        labels[column] = Label(_LEVELS[label[0]], label[1:])
    first = described[0]
    key = (first.name,) if first.kind in (Kind.INTEGER, Kind.UUID) and "c1" not in columns else ()
    if len(set(data[first.name].to_pylist())) < ROWS:
        key = ()
    return Labelled(language, Table(name, name, None, tuple(described), primary_key=key),
                    pa.table(data), labels)  # fmt: skip
