"""A model with differential privacy: the design, the ledger, the answers, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Number
from dbsynth.databases.base import Database
from dbsynth.engines import variables
from dbsynth.engines.base import TableModel
from dbsynth.engines.conditional import Conditional, Conditionals
from dbsynth.errors import SpecError
from dbsynth.graph import is_unique
from dbsynth.keys import Mint
from dbsynth.model import ColumnModel, Degrees, Model, TableFacts
from dbsynth.private.accountant import Loss, epsilon_of
from dbsynth.private.contents import read_table
from dbsynth.private.design import Design, design_of, presence_of
from dbsynth.private.domains import Domain, codec_of_edges, even_edges, public_domain
from dbsynth.private.ledger import Entry, Terms, charge, digests
from dbsynth.private.measure import COUNTER, MOST_LINKS, Answers, measure
from dbsynth.private.mechanisms import Noise, noise_of
from dbsynth.private.purse import Purse
from dbsynth.private.recipes import Recipe
from dbsynth.private.texts import possible
from dbsynth.progress import Progress
from dbsynth.rules import Kept
from dbsynth.rules.path import Closed
from dbsynth.schema import ForeignKey
from dbsynth.spec import PRIVATE, Spec

Float64 = npt.NDArray[np.float64]
_SPREAD = 6.0  # standard deviations of a Poisson distribution that are written down
_LEAST_ROOM = 100
_ROOMY = 10  # so many possible texts for each row are met by chance in a tenth of rows at most


def fit(database: Database, spec: Spec, progress: Progress) -> Model:
    """Fit with differential privacy; the budget is charged before anything is measured.

    Raises:
        SpecError: The spec leaves open what has to be said.
        EngineError: The budget is used up, or too small to say anything.
        MissingExtra: OpenDP is not installed.
    """
    design = design_of(database, spec)
    noise = noise_of(design.protection.seed)
    public = public_tables(database, design)
    entry = None
    if noise.private:
        entry = charge(Path(design.protection.ledger), terms_of(database, design), design.budget)
    return fitted(database, design, public, noise, progress, entry)


def fitted(
    database: Database, design: Design, public: Mapping[str, pa.Table], noise: Noise,
    progress: Progress, entry: Entry | None = None,
) -> Model:  # fmt: skip
    """The model that follows from a design and what the noise lets through."""
    purse = Purse(design.budget, noise)
    answers = measure(database, design, public, purse, progress)
    model = model_of(database, design, answers, public)
    told = statement(design, answers, purse, noise, entry)
    return replace(model, privacy=told, notes=(*notes_of(told), *model.notes))


def terms_of(database: Database, design: Design) -> Terms:
    """What the ledger has to be about."""
    said = design.protection
    return Terms(digests(database.identity()), said.unit, said.epsilon, said.delta)


def public_tables(database: Database, design: Design) -> dict[str, pa.Table]:
    """The public tables, whole.

    Raises:
        SpecError: One is too large to be referred to by row.
    """
    found = {}
    for name in design.ownership.public:
        table = design.schema[name]
        found[name] = read_table(database, table, [column.name for column in table.written])
        if found[name].num_rows > MOST_LINKS and any(
            fk.parent == name for fk in design.plan.lookups
        ):
            raise SpecError(
                f"engine dp cannot refer to `{name}`: it is public and has more than"
                f" {MOST_LINKS:,} rows",
                hint="declare it `invented`, or leave it out",
            )
    return found


# ---------------------------------------------------------------------------------------------
# The model
# ---------------------------------------------------------------------------------------------


def model_of(
    database: Database, design: Design, answers: Answers, public: Mapping[str, pa.Table]
) -> Model:
    """The model that the answers make; it sees nothing else of the protected tables."""
    rows = {name: max(1, round(count)) for name, count in answers.rows.items()}
    rows |= design.ownership.invented | {t: round(found) for t, found in answers.unseen.items()}
    tables, engines = {}, dict[str, TableModel](answers.models)
    for name in design.ownership.protected:
        reason = "the unit of privacy" if name == design.ownership.unit else "owned by the unit"
        domains = answers.domains.get(name, {})
        if name in answers.unseen:
            reason = "so few entities own rows of it, if any, that noise hides what is in them"
            guesses = guessed(design, answers, name)
            domains = {column: guess.domain for column, guess in guesses.items()}
            shares = {column: guess.shares for column, guess in guesses.items()}
            engines[name] = _invented(design, name, shares, public)
        columns = {
            c: _column(r.model, domains.get(c), rows[name]) for c, r in design.recipes[name].items()
        }
        tables[name] = TableFacts("synthesize", reason, rows[name], columns)
    for name, number in design.ownership.invented.items():
        domains = {c: public_domain(r) for c, r in design.recipes[name].items() if r.measured}
        columns = {
            c: _column(r.model, domains.get(c), number) for c, r in design.recipes[name].items()
        }
        tables[name] = TableFacts("synthesize", "invented from types alone", number, columns)
        shares = {c: domain.possible.astype(np.float64) for c, domain in domains.items()}
        engines[name] = _invented(design, name, shares, public)
    for name, found in public.items():
        columns = {c.name: _untouched(design, name, c.name) for c in design.schema[name].written}
        tables[name] = TableFacts("copy", "declared public", found.num_rows, columns, found)
    for name in design.ownership.empty:
        tables[name] = TableFacts("empty", "as the spec says", 0, {})
    degrees, counters = _degrees(design, answers, rows)
    return Model(
        design.schema, design.plan, database.capabilities.kind, database.structure(), PRIVATE,
        {table.name: tables[table.name] for table in design.schema.tables},
        degrees, counters, engines,
        {fk: design.ownership.way_to(fk) for fk in answers.followed}
        | {rule.key: rule.path for rule in design.rules if isinstance(rule, Closed)
           and rule.key in design.plan.dealt},
        design.schema.notes, tuple(Kept(rule, 0, 0, declared=True) for rule in design.rules),
    )  # fmt: skip


def _column(model: ColumnModel, domain: Domain | None, rows: int) -> ColumnModel:
    """How a column comes about, with its codec and room for so many rows."""
    if domain is not None:
        model = domain.model
    if model.mint is not None:
        model = replace(model, mint=_roomy(model.mint, rows))
    return model


def _roomy(mint: Mint, rows: int) -> Mint:
    """A mint that counts: from its first number, one for every row."""
    return replace(mint, high=mint.low + max(rows, 1) - 1, rows=max(rows, 1))


def _untouched(design: Design, table: str, column: str) -> ColumnModel:
    from_schema = design.public_decisions[table][column]
    return ColumnModel(from_schema)


@dataclass(frozen=True)
class Guess:
    """What a column of rows that nobody can tell anything about may be like."""

    domain: Domain
    shares: Float64


def guessed(design: Design, answers: Answers, table: str) -> dict[str, Guess]:
    """The columns of a table that noise hides: like those of the same name and kind in another.

    Tables of the same parent come first.  Where there is none, all that the type allows is as
    likely.
    """
    owner = design.ownership.owner
    others = sorted(
        answers.shares, key=lambda t: t not in owner or owner[t].parent != owner[table].parent
    )
    found = {}
    for name, recipe in design.recipes[table].items():
        if not recipe.measured:
            continue
        variable = variables.column(name)
        like = [
            t for t in others
            if variable in answers.shares[t] and _alike(recipe, design.recipes[t][name])
        ]  # fmt: skip
        if like:
            domain = answers.domains[like[0]][name]
            model = replace(domain.model, decision=recipe.model.decision, gap=None, rising=None)
            found[name] = Guess(replace(domain, model=model), answers.shares[like[0]][variable])
        else:
            domain = public_domain(recipe)
            found[name] = Guess(domain, domain.possible.astype(np.float64))
    return found


def _alike(mine: Recipe, other: Recipe) -> bool:
    """Whether two columns are of one kind, so that values of one can stand in the other."""
    one, two = mine.column, other.column
    same = (one.kind, one.sql_type, one.nullable) == (two.kind, two.sql_type, two.nullable)
    return same and (mine.number, mine.open, mine.words) == (other.number, other.open, other.words)


def _invented(
    design: Design, table: str, shares: Mapping[str, Float64], public: Mapping[str, pa.Table]
) -> Conditionals:
    """Rows whose columns have nothing to do with each other."""
    steps = [_even(variables.column(name), found) for name, found in shares.items()]
    for fk in design.plan.lookups_of(table):
        size = public[fk.parent].num_rows + 1
        steps.append(_even(variables.link(fk), np.r_[0.0, np.ones(size - 1)]))
    steps += [
        _even(presence_of(fk), np.array([0.0, 1.0]))
        for fk in design.plan.dealt_of(table)
        if fk.nullable and fk.parent != table
    ]
    return Conditionals(tuple(step for step in steps if step.shares.sum() > 0))


def _even(variable: str, possible: np.ndarray[Any, Any]) -> Conditional:
    return Conditional(variable, (), (), (possible / max(possible.sum(), 1.0))[None, :])


def _degrees(
    design: Design, answers: Answers, rows: Mapping[str, int]
) -> tuple[dict[ForeignKey, Degrees], dict[ForeignKey, Number]]:
    """How many children parents have: as counted, or, for dealt keys, as chance deals them."""
    degrees: dict[ForeignKey, Degrees] = {}
    counters: dict[ForeignKey, Number] = dict(answers.counters)
    for fk, cells in answers.counts.items():
        edges = answers.sizes[fk]
        values = np.arange(int(edges[-1]))
        width = np.diff(edges)
        parents = np.repeat(cells / width, width.astype(int))
        whole = _rounded(np.r_[np.zeros(int(edges[0])), parents])
        degrees[fk] = Degrees(values, whole, rows[fk.child], 0, whole=False)
    for table in answers.unseen:
        fk, linked = design.ownership.owner[table], rows[table]
        values, numbers = _by_chance(linked, max(rows[fk.parent], 1), single=design.single(table))
        degrees[fk] = Degrees(values, numbers, linked, 0, whole=False)
        counters[fk] = codec_of_edges(COUNTER, even_edges(0, float(values[-1]), whole=True), 1.0)
    for fk in design.plan.dealt:
        share = answers.present.get(fk, 1.0) if fk.nullable else 1.0
        children, of = rows.get(fk.child, 0), rows.get(fk.parent, 0)
        single = is_unique(design.schema[fk.child], fk.columns)
        linked = round(share * children)
        values, numbers = _by_chance(linked, max(of, 1), single=single)
        degrees[fk] = Degrees(values, numbers, linked, children - linked, whole=False)
        counters[fk] = codec_of_edges(COUNTER, even_edges(0, float(values[-1]), whole=True), 1.0)
    return degrees, counters


def _rounded(shares: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Whole numbers whose running sums are the nearest to those given."""
    return np.diff(np.round(np.cumsum(shares)), prepend=0).astype(np.int64)


def _by_chance(
    linked: int, parents: int, *, single: bool
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Numbers of children and of parents that have so many, where chance deals them (Poisson)."""
    if single:
        return np.array([0, 1]), np.array([max(parents - linked, 0), max(min(linked, parents), 1)])
    mean = linked / parents
    most = int(mean + _SPREAD * np.sqrt(mean) + 2)
    values = np.arange(most + 1)
    logs = values * np.log(max(mean, 1e-12)) - mean - np.r_[0, np.cumsum(np.log(values[1:]))]
    shares = np.exp(logs)
    return values, _rounded(shares / shares.sum() * max(parents, _LEAST_ROOM))


# ---------------------------------------------------------------------------------------------
# What is said of it
# ---------------------------------------------------------------------------------------------


def statement(
    design: Design, answers: Answers, purse: Purse, noise: Noise, entry: Entry | None
) -> dict[str, Any]:
    """What the model says of its own privacy, JSON-able."""
    said, owned = design.protection, design.ownership
    per_fit = epsilon_of(design.budget, said.delta / said.fits)
    return {
        "private": noise.private,
        "unit": owned.unit,
        "epsilon": said.epsilon,
        "delta": said.delta,
        "fits": said.fits,
        "fit": {"rho": design.budget.rho, "delta": design.budget.delta, "epsilon": per_fit},
        "spent": {"rho": purse.loss.rho, "delta": purse.loss.delta},
        "owned": {table: str(fk) for table, fk in owned.owner.items()},
        "public": list(owned.public),
        "invented": dict(owned.invented),
        "unseen": list(answers.unseen),
        "crowded": crowded(design, answers),
        "foreign": [str(fk) for fk in owned.foreign if fk not in answers.followed],
        "followed": [str(fk) for fk in answers.followed],
        "cuts": {table: asdict(cut) for table, cut in answers.cuts.items()},
        "pairs": {table: [list(pair) for pair in found] for table, found in answers.pairs.items()},
        "questions": [
            {"of": one.subject, "rho": one.loss.rho, "delta": one.loss.delta, "noise": one.scale,
             "cells": one.cells} for one in purse.spent
        ],
        "ledger": None if entry is None else {
            "file": Path(said.ledger).name, "entry": entry.number, "time": entry.time,
            "head": entry.head,
        },
    }  # fmt: skip


def crowded(design: Design, answers: Answers) -> dict[str, int]:
    """Columns of texts that a CHECK allows but few of for so many rows, and how many it allows."""
    return {
        f"{table}.{name}": int(number)
        for table in design.ownership.protected
        for name, recipe in design.recipes[table].items()
        if recipe.model.provided is not None and recipe.model.provided.provider == "pattern"
        for number in [possible(design.schema[table], recipe.column)]
        if number < _ROOMY * max(answers.rows.get(table, 0.0), 1.0)
    }


def notes_of(told: Mapping[str, Any]) -> tuple[str, ...]:
    """What the reader of a model or report has to know."""
    found = []
    if not told["private"]:
        found.append("NOT PRIVATE: the noise of this model has a seed, so that anybody who knows it"
                     " can take it off")  # fmt: skip
    owned = ", ".join(told["owned"]) or "no other table"
    found.append(
        f"all fits together: ({told['epsilon']:g}, {told['delta']:g})-differential privacy for"
        f" adding or removing one row of {told['unit']} with all rows that it owns (in {owned}),"
        " no more than the cap of each table; schema, public tables, bounds and vocabularies of the"
        " spec count as public"
    )
    found += [
        f"{table}: so few {told['unit']}s own rows of it, if any, that noise hides them; it"
        " has a few like those of other tables"
        for table in told["unseen"]
    ]
    found += [
        f"{column}: its form allows {number:,} values, so that many invented ones are somebody's by"
        " chance; they are drawn without a look at the source, and tell nothing of anybody"
        for column, number in told["crowded"].items()
    ]
    for table, cut in told["cuts"].items():
        if table != told["unit"] and table not in told["unseen"]:
            how = "chosen privately" if cut["chosen"] else "given"
            found.append(
                f"{table}: the rows of one {told['unit']} count as {cut['cap']} at most ({how}); by"
                f" noisy counts {cut['entities']:.1%} own more, and {cut['rows']:.1%} of all rows"
                " do not count for it"
            )
    found += [f"{fk}: hardly ever another row than the owning keys lead to; followed along them"
              for fk in told["followed"]]  # fmt: skip
    found += [
        f"{fk}: rows of others may be referred to, so nothing is learnt of which; dealt by chance"
        for fk in told["foreign"]
    ]
    return tuple(found)


def loss_of(told: Mapping[str, Any]) -> Loss:
    """What a model's fit was charged."""
    return Loss(told["fit"]["rho"], told["fit"]["delta"])
