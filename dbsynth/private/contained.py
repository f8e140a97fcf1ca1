"""What a model with differential privacy contains, in words; made from the model alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dbsynth.codec import Category, Number
from dbsynth.model import ColumnModel, Model
from dbsynth.schema import Table


def holds(name: str, model: ColumnModel | None, table: Table) -> Iterator[str]:
    """A sentence for each thing that is stored of a column."""
    if model is None or name in table.foreign_columns():
        yield "no value: links are drawn, and take the new keys of the parent"
    elif isinstance(model.codec, Category):
        yield (
            f"{len(model.codec.shown):,} values that are public, or that enough entities hold;"
            " noisy shares"
        )
    elif isinstance(model.codec, Number):
        single = int((~np.isnan(model.codec.points)).sum())
        yield (
            f"{len(model.codec.points):,} cells between limits that are public or found by noisy"
            f" counts, {single:,} of them single numbers; noisy shares"
        )
    elif model.provided is not None:
        yield f"invented values of `{model.provided.provider}`, from name and type alone"
        if model.nulls:
            yield "a noisy share of NULL"
    elif model.mint is not None or model.ranked is not None:
        yield "that its numbers count, from the keys alone"
    elif model.derived:
        yield "that a rule of the spec computes it"


def absent() -> Iterator[str]:
    """What such a model does not contain."""
    yield "nothing of the protected tables but noisy answers, listed above with what each cost"
    yield "no row and no key of a protected table, and no exact count of one"
    yield "no connection, URL or password of the source"
    yield "no program: JSON, plain arrays and Arrow, no pickle"


def confidential(model: Model) -> Iterator[str]:
    """What the claim does not cover."""
    assert model.privacy is not None
    if not model.privacy["private"]:
        yield "all of it: the noise of this model has a seed, so that it protects nobody"
    for table, facts in model.tables.items():
        if facts.strategy == "copy":
            yield f"`{table}` was declared public: its {facts.rows:,} rows are in the file"
    yield (
        f"the structure ({len(model.structure):,} bytes of DDL) counts as public: it has the names"
        " and source texts of views, functions and constraints, and is run in the target"
    )
    if model.source_kind == "sqlite":
        yield (
            "SQLite lets any value stand in any column, so kinds of columns and notations of dates"
            " are told by looking at values: they count as public"
        )
