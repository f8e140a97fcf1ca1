"""Identifiers that come back inside families, found in the rows of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dbsynth.learn.repeats import repeating
from dbsynth.outline import Outline
from dbsynth.read import Rows
from dbsynth.schema import ForeignKey

Int64 = npt.NDArray[np.int64]


def with_repeats(
    plan: Outline, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64]
) -> Outline:
    """The outline where identifiers that come back inside families are drawn as such."""
    tables = dict(plan.tables)
    hashes = {name: rows.hashes for name, rows in encoded.items()}
    for name, fk in plan.plan.generating.items():
        rows = encoded[name]
        known = np.where(np.arange(rows.count) < rows.own, links[fk], -1)
        found = repeating(plan.schema, plan.plan, plan.tables, name, hashes, known)
        for column, (_, codes) in found.items():
            encoded[name].codes.pop(column, None)
            if codes is not None:
                encoded[name].codes[column] = codes
        models = {column: model for column, (model, _) in found.items()}
        tables[name] = replace(tables[name], columns={**tables[name].columns, **models})
    return replace(plan, tables=tables)
