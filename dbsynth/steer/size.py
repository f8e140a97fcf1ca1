"""How many rows tables get: children follow their parents, so that fan-outs stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from dbsynth.codec import Codes
from dbsynth.draft.drafted import Draft
from dbsynth.engines import variables
from dbsynth.graph import Plan
from dbsynth.model import LEFT_OUT, Degrees, Model, TableFacts
from dbsynth.outline import Outline
from dbsynth.schema import ForeignKey
from dbsynth.spec import Spec
from dbsynth.steer.hand import Steering

Growth = Mapping[ForeignKey, float]


def followed(
    plan: Plan, tables: Mapping[str, TableFacts], chosen: Mapping[str, int], scale: float,
    wanted: Mapping[str, int], growth: Growth | None = None,
) -> dict[str, int]:  # fmt: skip
    """Rows of the tables that do not follow the scale: named ones, and all that hang under them.

    Args:
        chosen: Rows of the tables of real rows.
        growth: By what factor the children per parent differ from the source.
    """
    growth = growth or {}
    found: dict[str, int] = {}
    factors = {table: rows / tables[table].rows for table, rows in chosen.items()}
    for table in plan.order:
        facts = tables[table]
        if facts.strategy != "synthesize" or not facts.rows:
            continue
        if table in wanted:
            factors[table] = wanted[table] / facts.rows
            found[table] = wanted[table]
            continue
        factor = _factor(plan, chosen, scale, table, factors, growth)
        if factor is not None:
            factors[table] = factor
            fk = plan.generating.get(table)
            least = min(1, found.get(fk.parent, 1)) if fk else 1
            found[table] = max(round(facts.rows * factor), least)
    return found


def expected(outline: Outline, spec: Spec) -> dict[str, int]:
    """How many rows every table will have, as far as constraints leave room for them."""
    chosen = {name: choice.size for name, choice in outline.choices.items()}
    found = followed(outline.plan, outline.tables, chosen, spec.scale, spec.rows()) | chosen
    for name, facts in outline.tables.items():
        rows = 0 if facts.strategy in LEFT_OUT else round(facts.rows * spec.scale)
        found.setdefault(name, facts.rows if facts.strategy == "copy" else rows)
    return found


def _factor(
    plan: Plan, chosen: Mapping[str, int], scale: float, table: str,
    factors: Mapping[str, float], growth: Growth,
) -> float | None:  # fmt: skip
    """By what a table grows with its parents: the one that it hangs under, and real ones.

    Real parents keep their mean number of children, whichever key leads to them.
    """
    found = [
        factors[fk.parent] for fk in plan.dealt_of(table) if fk.parent in chosen and not fk.nullable
    ]
    fk = plan.generating.get(table)
    if fk is not None and (fk.parent in factors or fk in growth):
        found.append(factors.get(fk.parent, scale) * growth.get(fk, 1.0))
    return min(found) if found else None


def under_conditions(model: Model, hand: Steering) -> tuple[Model, dict[ForeignKey, float]]:
    """The model with the numbers of children of those rows that meet the conditions.

    Returns it with the factors by which their means differ.
    """
    degrees, growth = dict(model.degrees), dict[ForeignKey, float]()
    pilot = hand.pilot
    for table in hand.wishes.conditions:
        rows = pilot.rows[table]
        if not rows:
            continue
        key = pilot.streams.key("sample", table)
        codes = hand(pilot, table, lambda engine, n=rows, k=key: engine.sample(n, {}, key=k))  # type: ignore[misc]
        for fk in model.plan.counted[table]:
            if model.plan.generating.get(fk.child) != fk:
                continue
            variable = variables.count(fk)
            found = _conditional(model, fk, pilot, table, codes.get(variable))
            if found is not None:
                degrees[fk], growth[fk] = found
    return replace(model, degrees=degrees), growth


def _conditional(
    model: Model, fk: ForeignKey, pilot: Draft, table: str, codes: Codes | None
) -> tuple[Degrees, float] | None:
    """The degrees of the rows with these codes, and the factor by which their mean differs."""
    real, codec = model.degrees[fk], model.counters[fk]
    if codes is None or not real.values.any():
        return None
    without = np.bincount(
        pilot.codes[table][variables.count(fk)], minlength=codec.alphabet.size
    ).astype(np.float64)
    with_ = np.bincount(codes, minlength=codec.alphabet.size) / max(len(codes), 1)
    of_value = codec.encode(pa.array(real.values))
    ratio = with_[of_value] / np.maximum(without[of_value] / max(without.sum(), 1), 1e-12)
    ratio = np.where(without[of_value] > 0, ratio, 0.0)
    parents = np.round(real.parents * ratio * 1_000).astype(np.int64)
    if not parents.any() or not (parents * real.values).any():
        return None
    mean = (parents * real.values).sum() / parents.sum()
    before = (real.parents * real.values).sum() / real.parents.sum()
    return replace(real, parents=parents), float(mean / before)


def fan_out(draft: Draft, fk: ForeignKey) -> float:
    """Children per parent."""
    return float((draft.links[fk] >= 0).sum() / max(draft.rows[fk.parent], 1))
