"""What a budget buys: the noise of every question, before anything is spent.

The noise follows from the design alone.  How large it is beside what it falls on depends on exact
sizes, so a forecast is as confidential as the source: it is for the eyes of its keeper, and nothing
of it enters a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dbsynth.databases.base import Database
from dbsynth.engines import variables
from dbsynth.errors import EngineError
from dbsynth.model import ColumnModel, TableFacts
from dbsynth.outline import Outline
from dbsynth.private.accountant import Loss, epsilon_of
from dbsynth.private.contents import (
    Contents,
    buckets,
    owned_contents,
    read_table,
    unit_contents,
)
from dbsynth.private.design import Design, design_of, prices, usual_price
from dbsynth.private.domains import cells_wanted
from dbsynth.private.ledger import read_ledger
from dbsynth.private.marginals import groups_wanted
from dbsynth.private.measure import check_signal, unseen
from dbsynth.private.sizes import Cut, cut_of
from dbsynth.rules import Kept
from dbsynth.spec import Spec

GOOD = 0.1
"""The relative error that the needed budget is told for."""

_MEAN_NOISE = float(np.sqrt(2 / np.pi))
_WORDS = 8


@dataclass(frozen=True)
class Marginal:
    """One table of counts to be measured.

    Attributes:
        cells: Numbers that it holds, about.
        noise: Standard deviation of the noise of each.
        error: Expected relative error of a cell of average size.
        epsilon: The budget of all fits with which the error would be `GOOD`.
    """

    table: str
    name: str
    cells: int
    noise: float
    error: float
    epsilon: float


@dataclass(frozen=True)
class Forecast:
    """What a fit would do and cost.

    Attributes:
        rows, caps: Exact rows of each protected table, as they are weighed, and the cap.
        spent: Epsilon that the ledger has spent so far; None where there is none yet.
        refused: Why the budget cannot work, and what would; empty where it can.
    """

    unit: str
    epsilon: float
    delta: float
    fits: int
    fit: Loss
    fit_epsilon: float
    rows: Mapping[str, int]
    caps: Mapping[str, int]
    owned: Mapping[str, str]
    marginals: tuple[Marginal, ...]
    ledger: str
    entries: int = 0
    spent: float | None = None
    foreign: tuple[str, ...] = ()
    private: bool = True
    refused: tuple[str, str] | None = field(default=None)


def forecast(database: Database, spec: Spec) -> Forecast:
    """What a fit would do, from exact sizes; spends nothing.

    Raises:
        SpecError: The spec leaves open what has to be said.
    """
    design = design_of(database, spec)
    said = design.protection
    cuts = _sizes(database, design)
    ledger = read_ledger(Path(said.ledger))
    refused = None
    try:
        check_signal(design, cuts)
    except EngineError as error:
        refused = error.message, error.hint
    return Forecast(
        said.unit, said.epsilon, said.delta, said.fits, design.budget,
        epsilon_of(design.budget, said.delta / said.fits),
        {table: round(cut.weight) for table, cut in cuts.items()},
        {table: cut.cap for table, cut in cuts.items()},
        {table: str(key) for table, key in design.ownership.owner.items()},
        tuple(_marginals(database, design, cuts)), said.ledger,
        len(ledger.entries) if ledger else 0, ledger.epsilon if ledger else None,
        tuple(str(fk) for fk in design.ownership.foreign), said.seed is None, refused,
    )  # fmt: skip


def outline_of(database: Database, spec: Spec) -> Outline:
    """What a fit decides of tables and columns, as the outlines of other engines say it."""
    design = design_of(database, spec)
    schema, own = design.schema, design.ownership
    tables = {}
    for table in schema.tables:
        name = table.name
        recipes = design.recipes.get(name, {})
        decided = design.public_decisions.get(name, {})
        columns = {n: r.model for n, r in recipes.items()} or {
            n: ColumnModel(decision) for n, decision in decided.items()
        }
        strategy, reason = "synthesize", f"owned by `{own.unit}`"
        if name in own.public:
            strategy, reason = "copy", "declared public"
        elif name in own.empty:
            strategy, reason = "empty", "as the spec says"
        elif name in own.invented:
            reason = "invented from types alone"
        elif name == own.unit:
            reason = "the unit of privacy"
        count = own.invented[name] if name in own.invented else database.count_rows(table)
        tables[name] = TableFacts(strategy, reason, count, columns)
    rules = tuple(Kept(rule, 0, 0, declared=True) for rule in design.rules)
    return Outline(schema, design.plan, tables, schema.notes, design.rules, rules)


def _sizes(database: Database, design: Design) -> dict[str, Cut]:
    """Exact sizes of each protected table; a cap that is to be chosen, as these would have it."""
    contents: dict[str, Contents] = {}
    cuts = {}
    for name in design.ownership.protected:
        table, key = design.schema[name], design.ownership.owner.get(name)
        needed = [c for columns in design.schema.referenced_keys(name) for c in columns]
        needed += key.columns if key else table.primary_key
        found = read_table(database, table, needed or [table.written[0].name])
        if key is None:
            contents[name] = unit_contents(found)
            cuts[name] = Cut(1, False, 0.0, 0.0, found.num_rows, found.num_rows)
        else:
            contents[name] = owned_contents(found, key, contents[key.parent], table)
            counts = buckets(contents[name])
            cuts[name] = cut_of(design.cap(name), counts, 0.0, usual_price(design))
    return cuts


def _marginals(database: Database, design: Design, cuts: Mapping[str, Cut]) -> Iterator[Marginal]:
    """Every single variable, and, as pairs are yet to be chosen, a pair for each."""
    links = {fk.parent for name in cuts for fk in design.plan.lookups_of(name)}
    public = {name: database.count_rows(design.schema[name]) for name in links}
    for table, price in prices(design, cuts, unseen(design, cuts)).items():
        cut, cells = cuts[table], []
        noise = float(cut.cap / np.sqrt(2 * price.one))
        for name in design.own_variables(table):
            cells.append(_cells(design, table, name, cells_wanted(cut.weight, noise), public))
            yield _marginal(design, table, name, cells[-1], price.one, cut)
        if price.pair > 0:
            noise = float(cut.cap / np.sqrt(2 * price.pair))
            groups = np.minimum(cells, groups_wanted(cut.weight, noise))
            pair = round(float(groups.mean()) ** 2)
            yield _marginal(design, table, f"each of {len(cells)} pairs", pair, price.pair, cut)


def _marginal(design: Design, table: str, name: str, cells: int, rho: float, cut: Cut) -> Marginal:
    noise = float(cut.cap / np.sqrt(2 * rho))
    error = _MEAN_NOISE * noise * cells / max(cut.weight, 1)
    said = design.protection
    factor = max(error / GOOD, 1e-6) ** 2
    whole = Loss(design.budget.rho * factor * said.fits, design.budget.delta * said.fits)
    return Marginal(table, name, cells, noise, error, epsilon_of(whole, said.delta))


def _cells(
    design: Design, table: str, variable: str, of_numbers: int, public: Mapping[str, int]
) -> int:
    """About how many codes a variable has.

    Args:
        of_numbers: Of one that is a number.
        public: Rows of the public tables that are referred to.
    """
    kind, _, name = variable.partition(":")
    recipe = design.recipes[table].get(name)
    if kind == "column" and recipe is not None:
        if recipe.number:
            return of_numbers
        return (len(recipe.words) or (_WORDS if recipe.open else 1)) + recipe.column.nullable
    for fk in design.plan.lookups_of(table):
        if variable == variables.link(fk):
            return public[fk.parent] + fk.nullable
    return 2 if kind in ("class", "depth") else _WORDS
