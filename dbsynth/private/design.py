"""Everything that is settled before the first question is asked, from schema and spec alone."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from dbsynth.classify import Decision
from dbsynth.databases.base import Database
from dbsynth.engines import variables
from dbsynth.errors import SpecError
from dbsynth.graph import Plan, is_unique, make_plan
from dbsynth.private.accountant import Loss, rho_of
from dbsynth.private.ownership import Ownership, classify
from dbsynth.private.recipes import Recipe, decided, recipes_of
from dbsynth.private.sizes import Cut
from dbsynth.private.walking import walking_column
from dbsynth.rules import Rule
from dbsynth.rules.formula import Formula
from dbsynth.rules.order import Order
from dbsynth.rules.path import Closed
from dbsynth.schema import ForeignKey, Schema
from dbsynth.spec import Spec
from dbsynth.spec.drift import covered
from dbsynth.spec.protection import Protection

_SIZES, _SEARCH, _ONE, _CHOICE, _PAIR = 0.08, 0.38, 0.26, 0.06, 0.30
_POWER, _MOST_WORSE = 2 / 3, 16.0
_FOR_WORDS = 0.5  # of delta, where words have to be found
_STATED = (Formula, Order, Closed)  # rules that say all they need in their sentence


@dataclass(frozen=True)
class Prices:
    """What the questions about one table cost, each.

    Attributes:
        search: Finding the domain of one column.
        one: Counting one variable.
        choice: All choices of pairs together.
        pair: Counting one pair, if there is one for every turn.
        turns: How many pairs there may be.
    """

    search: Loss
    one: float
    choice: float
    pair: float
    turns: int = 0


@dataclass(frozen=True)
class Design:
    """The questions and their prices.

    Attributes:
        budget: Of this fit.
        size: What counting the rows per entity of one table costs.
        words: Columns whose values have to be found.
        recipes: Of every table with rows of its own.
        rules: What the user declares to hold.
        walking: The time of each protected table that siblings have one after the other.
    """

    schema: Schema
    plan: Plan
    protection: Protection
    ownership: Ownership
    recipes: Mapping[str, Mapping[str, Recipe]]
    budget: Loss
    size: float
    words: int
    rules: tuple[Rule, ...] = ()
    walking: Mapping[str, str | None] = field(default_factory=dict)
    public_decisions: Mapping[str, Mapping[str, Decision]] = field(default_factory=dict)

    def own_variables(self, table: str) -> tuple[str, ...]:
        """The variables of a table that are counted."""
        return _own_variables(
            self.plan, self.recipes[table], table, self.walking[table], self.ownership
        )

    def searched(self, table: str) -> int:
        """How many domains of a table have to be found."""
        found = sum(recipe.searched for recipe in self.recipes[table].values())
        found += self.walking[table] is not None
        found += sum(
            fk.parent == table and not self.single(child)
            for child, fk in self.ownership.owner.items()
        )
        return found

    def single(self, table: str) -> bool:
        """Whether a parent owns one row of a table at most, as a key of it says."""
        return is_unique(self.schema[table], self.ownership.owner[table].columns)

    def cap(self, table: str) -> int | None:
        """The most rows of an entity: 1 where keys say so, else as the spec says; None to find."""
        one = all(self.single(name) for name in self.ownership.path(table)[:-1])
        return 1 if one else self.protection.caps.get(table)


def design_of(database: Database, spec: Spec) -> Design:
    """The design of a fit.

    Raises:
        SpecError: The spec leaves open what has to be said, or asks for what cannot be had.
    """
    protection = _protection(spec)
    found = covered(spec, database.reflect())
    schema = found.schema
    empty = tuple(n for n, t in spec.tables.items() if t.strategy == "empty")
    ownership = classify(schema, protection, empty)
    rules = _rules(spec, schema)
    made = (*ownership.protected, *ownership.invented)
    recipes = {
        name: _derived(recipes_of(database, schema[name], spec, protection), name, rules)
        for name in made
    }
    walking = {
        name: walking_column(schema[name], ownership.owner.get(name), recipes[name], rules)
        for name in ownership.protected
    }
    plan = make_plan(schema, {}, ownership.public, generating=ownership.owner)
    searched = sum(r.open for name in ownership.protected for r in recipes[name].values())
    unlikely = protection.delta * _FOR_WORDS if searched else 0.0
    rho = rho_of(protection.epsilon, protection.delta - unlikely)
    budget = Loss(rho / protection.fits, unlikely / protection.fits)
    size = _SIZES * budget.rho / len(ownership.protected)
    return Design(
        schema, plan, protection, ownership, recipes, budget, size, searched, rules, walking,
        {name: decided(database, schema[name], spec)[0] for name in ownership.public},
    )  # fmt: skip


def _protection(spec: Spec) -> Protection:
    if spec.privacy is None:
        raise SpecError(
            "engine dp needs a section `privacy` in the spec: whose rows, and how much",
            hint="write `privacy: {unit: TABLE, epsilon: 3, delta: 1e-6}` and run `dbsynth plan`",
        )
    asked = [
        f"`{what}` of table `{name}`"
        for name, table in spec.tables.items()
        for what, said in (("where", table.where), ("rebalance", table.rebalance))
        if said
    ]
    asked += ["`fairness`"] if spec.fairness else []
    if asked:
        raise SpecError(
            f"engine dp cannot steer: {', '.join(asked)} would have to look at rows that are not"
            " paid for",
            hint="leave it out, or take another engine",
        )
    return spec.privacy


def _rules(spec: Spec, schema: Schema) -> tuple[Rule, ...]:
    """The rules of the spec; without a list there are none, as rules are not mined."""
    wanted, unstated = spec.stated_rules(schema)
    problems = [f"`{rule}`" for rule in wanted or () if not isinstance(rule, _STATED)]
    if problems or unstated:
        raise SpecError(
            "engine dp cannot keep rules whose codes are learnt from rows: "
            + "; ".join([*problems, *unstated]),
            hint="leave them out; orders, formulas and closed paths can be kept",
        )
    return tuple(wanted or ())


def _derived(
    recipes: Mapping[str, Recipe], table: str, rules: tuple[Rule, ...]
) -> Mapping[str, Recipe]:
    """The recipes where columns that a declared formula computes are not measured."""
    found = dict(recipes)
    for rule in rules:
        if isinstance(rule, Formula) and rule.within and rule.target[0] == table:
            recipe = found[rule.target[1]]
            model = replace(recipe.model, derived=True, nulls=False)
            found[rule.target[1]] = Recipe(recipe.column, model)
    return found


def _own_variables(
    plan: Plan, recipes: Mapping[str, Recipe], table: str, walking: str | None,
    ownership: Ownership,
) -> tuple[str, ...]:  # fmt: skip
    found = [] if walking is None else [variables.gap(walking)]
    found += [variables.column(name) for name, recipe in recipes.items() if recipe.measured]
    found += [variables.link(fk) for fk in plan.lookups_of(table)]
    dealt = plan.dealt_of(table)
    found += [presence_of(fk) for fk in dealt if fk.nullable or ownership.way_to(fk)]
    found += [
        variables.count(fk) for fk in plan.counted[table] if plan.generating.get(fk.child) == fk
    ]
    return tuple(found)


def presence_of(key: ForeignKey) -> str:
    """The variable that says whether a dealt key refers to anything."""
    return variables.depth(key) if key.parent == key.child else variables.parent_class(key)


def prices(
    design: Design, cuts: Mapping[str, Cut], unseen: Container[str] = ()
) -> dict[str, Prices]:
    """What questions may cost, once the sizes of tables are known.

    The errors of all questions together are least where each costs as its noise over the rows of
    its table, to the power of two thirds.  A table gets a share by that, its weight and its number
    of variables; no table is worth more than so many times as much as the best.
    """
    numbers = {t: len(design.own_variables(t)) for t in cuts if t not in unseen}
    noise = {t: cuts[t].cap / max(cuts[t].weight, 1.0) for t in numbers}
    least = min(noise.values(), default=1.0)
    weights = {
        t: n * design.protection.weights.get(t, 1.0) * min(noise[t] / least, _MOST_WORSE) ** _POWER
        for t, n in numbers.items()
    }
    whole = sum(weights.values()) or 1.0
    return {
        t: _shared(design, t, number, (1 - _SIZES) * design.budget.rho * weights[t] / whole)
        for t, number in numbers.items()
    }


def usual_price(design: Design) -> float:
    """What counting one variable costs about, whatever the sizes of tables."""
    number = sum(len(design.own_variables(t)) for t in design.ownership.protected)
    return (1 - _SIZES) * _ONE * design.budget.rho / max(number, 1)


def _shared(design: Design, table: str, number: int, rho: float) -> Prices:
    """The budget of a table shared by its questions."""
    searched = design.searched(table)
    turns = number if table in design.ownership.owner else number - 1
    shares = {
        "search": _SEARCH if searched else 0.0, "one": _ONE if number else 0.0,
        "choice": _CHOICE if turns > 0 else 0.0, "pair": _PAIR if turns > 0 else 0.0,
    }  # fmt: skip
    part = {name: rho * share / (sum(shares.values()) or 1.0) for name, share in shares.items()}
    return Prices(
        Loss(part["search"] / max(searched, 1), design.budget.delta / max(design.words, 1)),
        part["one"] / max(number, 1),
        part["choice"],
        part["pair"] / max(turns, 1),
        max(turns, 1),
    )
