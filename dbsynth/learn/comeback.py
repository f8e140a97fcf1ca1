"""Identifiers that come back inside families, found in the rows of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dbsynth.engines import variables
from dbsynth.learn.repeats import copying, repeating
from dbsynth.learn.work import Early
from dbsynth.outline import Outline
from dbsynth.read import Rows
from dbsynth.rules.within import Within
from dbsynth.schema import ForeignKey

Int64 = npt.NDArray[np.int64]


def with_repeats(
    plan: Outline, encoded: Mapping[str, Rows], links: Mapping[ForeignKey, Int64], early: Early
) -> Outline:
    """The outline where values that come back inside families are drawn as such.

    Args:
        early: What somebody wants drawn before the rest of a row: it stays the row's own.
    """
    bound = {place for kept in plan.rules if not isinstance(kept.rule, Within)
             for place in kept.rule.places}  # fmt: skip
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
        for column, model in copying(
            plan.schema, plan.plan, plan.tables, name, hashes, known
        ).items():
            if (name, column) not in bound and variables.column(column) not in early.get(name, ()):
                encoded[name].codes.pop(column, None)
                models[column] = model
        tables[name] = replace(tables[name], columns={**tables[name].columns, **models})
    return replace(plan, tables=tables)
