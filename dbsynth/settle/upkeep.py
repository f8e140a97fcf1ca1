"""Rules about values kept in a draft: columns that follow from others, and inequalities.

A column that a rule settles is computed for all rows; a value on the wrong side of another takes
the distance of a row that is on the right side.  What constraints then refuse is repaired by
`settle`, which has the last word.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import whole
from dbsynth.engines import variables
from dbsynth.randomness import hashed, uniform
from dbsynth.read.quantities import Quantity, quantities_of, truth_of
from dbsynth.read.times import DAY
from dbsynth.rules import Place, Rule
from dbsynth.rules.balance import Balance
from dbsynth.rules.contiguous import Contiguous, special
from dbsynth.rules.expression import Aggregate, Own, rounded
from dbsynth.rules.formula import Formula
from dbsynth.rules.order import Order, order_rule
from dbsynth.schema import ForeignKey, Schema

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_DONORS = 8  # rows that are asked for a value inside of bounds


class DraftView:
    """A draft as rules see it; every column is computed once."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._numbers: dict[Place, Float64] = {}
        self._quantities: dict[str, dict[str, Quantity]] = {}

    @property
    def schema(self) -> Schema:
        """Tables and keys."""
        return self._draft.model.schema

    def rows(self, table: str) -> int:
        """How many rows there are."""
        return self._draft.rows[table]

    def quantity(self, place: Place) -> Quantity | None:
        """How the column is written as numbers."""
        table, name = place
        if table not in self._quantities:
            facts = self._draft.model.tables[table]
            self._quantities[table] = quantities_of(self.schema[table], facts)
        return self._quantities[table].get(name)

    def numbers(self, place: Place) -> Float64 | None:
        """The numbers of a column."""
        quantity = self.quantity(place)
        if quantity is None:
            return None
        if place not in self._numbers:
            column = whole(self._draft, self.schema[place[0]], (place[1],))[place[1]]
            self._numbers[place] = quantity.numbers(column.combine_chunks())
        return self._numbers[place]

    def codes(self, place: Place) -> Codes | None:
        """The codes that were drawn."""
        return self._draft.codes[place[0]].get(variables.column(place[1]))

    def links(self, key: ForeignKey) -> Int64:
        """The parent's row of every child row."""
        return self._draft.links[key]

    def truth(self, place: Place) -> tuple[int, int] | None:
        """The codes of true and false of a boolean column."""
        model = self._draft.model.tables[place[0]].columns[place[1]]
        return truth_of(self.schema[place[0]].column_by_name[place[1]], model)

    def unit(self, place: Place) -> float:
        """The grid of a column."""
        quantity = self.quantity(place)
        return quantity.unit if quantity else 0.0

    def settle(self, place: Place, numbers: Float64) -> bool:
        """Make numbers the values of a column; returns whether any changed."""
        quantity, before = self.quantity(place), self.numbers(place)
        assert quantity is not None
        assert before is not None
        values = quantity.values(numbers)
        after = quantity.numbers(values)
        settled = self._draft.settled.setdefault(place[0], {})
        if place[1] in settled and np.array_equal(before, after, equal_nan=True):
            return False
        settled[place[1]] = values
        self._numbers[place] = after
        return True


def kept_values(rules: Iterable[Rule], free: Callable[[Place], bool]) -> dict[Place, list[Rule]]:
    """The rules about values by the column that they settle, each after those it depends on.

    An inequality whose two columns are settled the other way round gives way on its other side;
    one that would lead in a circle is left to chance.  A parent's column that is the minimum or
    maximum of its children is drawn with the parent, and the children give way.

    Args:
        free: Whether the values of a column are drawn and in no key.
    """
    rules = tuple(rules)
    formulas = {rule.target: rule for rule in rules if isinstance(rule, Formula)}
    extremes = [rule for rule in formulas.values() if _given_way(rule, formulas, free)]
    plan = _Agenda()
    for rule in rules:
        if isinstance(rule, Formula) and rule not in extremes:
            plan.settle(rule.target, rule.places[1:], rule, alone=True)
    for extreme in extremes:  # the children give way
        plan.settle(extreme.places[1], (extreme.target,), extreme)
    for rule in rules:
        if isinstance(rule, Contiguous | Balance):
            plan.settle(rule.places[0], rule.places[1:], rule, alone=True)
    for rule in rules:
        if isinstance(rule, Order):
            turned = rule.turned()
            if not plan.bound(rule) and turned is not None:
                plan.bound(turned)
    return plan.in_order()


@dataclass
class _Agenda:
    """Which column is settled by which rules, and what has to be settled before."""

    needs: dict[Place, set[Place]] = field(default_factory=dict)
    rules: dict[Place, list[Rule]] = field(default_factory=dict)

    def settle(
        self, place: Place, inputs: Sequence[Place], rule: Rule, *, alone: bool = False
    ) -> bool:
        """Let a rule settle a column, unless that leads in a circle, or another one does."""
        if (alone and place in self.rules) or any(self._leads(i, place) for i in inputs):
            return False
        self.needs.setdefault(place, set()).update(inputs)
        self.rules.setdefault(place, []).append(rule)
        return True

    def bound(self, rule: Order) -> bool:
        """Let an inequality bound a column, unless a formula settles it."""
        first = self.rules.get(rule.subject, [rule])[0]
        if isinstance(first, Formula | Balance) and first.places[0] == rule.subject:
            return False
        return self.settle(rule.subject, (rule.other,), rule)

    def _leads(self, start: Place, goal: Place) -> bool:
        open_, seen = [start], {start}
        while open_:
            place = open_.pop()
            if place == goal:
                return True
            fresh = self.needs.get(place, set()) - seen
            seen |= fresh
            open_ += fresh
        return False

    def in_order(self) -> dict[Place, list[Rule]]:
        """The rules by column, each column after those that it needs."""
        done: dict[Place, list[Rule]] = {}

        def visit(place: Place) -> None:
            if place in done or place not in self.needs:
                return
            for before in sorted(self.needs[place]):
                visit(before)
            done[place] = self.rules[place]

        for place in sorted(self.needs):
            visit(place)
        return done


def _given_way(
    rule: Formula, formulas: Mapping[Place, Formula], free: Callable[[Place], bool]
) -> bool:
    """Whether it is a minimum or maximum of children that can give way."""
    found = rule.expression
    if not isinstance(found, Aggregate) or found.function not in ("min", "max") or found.up:
        return False
    return (
        isinstance(found.inner, Own)
        and found.inner.key is None
        and all(free(place) and place not in formulas for place in found.places)
    )


def keep_values(draft: Draft, tables: Sequence[str]) -> bool:
    """Settle what rules say of the columns of some tables; returns whether any value changed."""
    rules = kept_values((k.rule for k in draft.model.rules), partial(_free, draft))
    view, changed = DraftView(draft), False
    for place, about in rules.items():
        if place[0] in draft.model.real:  # in real rows rules hold as far as they do
            continue
        if place[0] in tables and draft.rows[place[0]] and _ready(view, about):
            changed |= _settle(draft, view, place, about)
    return changed


def _free(draft: Draft, place: Place) -> bool:
    table = draft.model.schema[place[0]]
    in_key = any(place[1] in key.columns for key in table.keys)
    return not in_key and draft.model.tables[place[0]].strategy == "synthesize"


def _ready(view: DraftView, rules: Sequence[Rule]) -> bool:
    """Whether all columns are numbers, or the categories that tell a sign."""
    kinds = {rule.kind for rule in rules if isinstance(rule, Balance)}
    places = {place for rule in rules for place in rule.places} - kinds
    return all(view.quantity(place) is not None for place in places)


def _settle(draft: Draft, view: DraftView, place: Place, rules: Sequence[Rule]) -> bool:
    own = view.numbers(place)
    assert own is not None
    first = rules[0]
    if isinstance(first, Formula) and first.target == place:
        wanted = first.expression.value(view)
        assert wanted is not None
        wanted = np.broadcast_to(wanted, own.shape)
        quantity = view.quantity(place)
        assert quantity is not None
        if quantity.digits >= 0 and not quantity.timed:
            wanted = rounded(wanted, quantity.digits)
        present = _present(draft, place, own)
        kept = np.isnan(wanted) & ~np.isnan(own)
        return view.settle(place, np.where(kept, own, np.where(present, wanted, np.nan)))
    orders = [rule for rule in rules if isinstance(rule, Order)]
    if isinstance(first, Balance):
        balanced = first.balanced(view, own)
        return balanced is not None and view.settle(place, balanced)
    if isinstance(first, Contiguous):
        return _end_to_end(draft, view, first, own, orders)
    extremes = [rule for rule in rules if isinstance(rule, Formula)]
    orders += [_bound(rule, view.schema) for rule in extremes]
    moved = _inside(draft, view, place, own, orders)
    for rule in extremes:
        moved = _reaching(view, rule, own if moved is None else moved)
    return moved is not None and view.settle(place, moved)


def _end_to_end(
    draft: Draft, view: DraftView, rule: Contiguous, own: Float64, orders: Sequence[Order]
) -> bool:
    """Ends that are the next start; the last end of a family is as drawn, inside its bounds."""
    wanted = rule.wanted(view)
    assert wanted is not None
    ends = np.where(np.isnan(wanted), _last_ends(draft, view, rule, own, wanted), wanted)
    moved = _inside(draft, view, rule.end, ends, orders)
    if moved is not None:
        ends = np.where(np.isnan(wanted), moved, wanted)
    return view.settle(rule.end, ends)


def _last_ends(
    draft: Draft, view: DraftView, rule: Contiguous, own: Float64, wanted: Float64
) -> Float64:
    """The ends of last rows: as drawn, or at a length from their start where that fits better."""
    start = view.numbers(rule.start)
    assert start is not None
    rows = np.flatnonzero(np.isnan(wanted) & ~np.isnan(own) & ~np.isnan(start))
    if not rule.lasts or not len(rows):
        return own
    rows = rows[~special(own[rows])]
    latest = own[rows].max(initial=-np.inf)
    length = own[rows] - start[rows]
    rows = rows[(length < rule.lasts[0]) | (length > rule.lasts[-1])]
    place = uniform(draft.streams.key("last", str(rule)), rows)
    lengths = np.interp(place, np.linspace(0, 1, len(rule.lasts)), rule.lasts)
    found = own.copy()
    found[rows] = np.maximum(np.minimum(start[rows] + lengths, latest), start[rows])
    return found


def _bound(rule: Formula, schema: Schema) -> Order:
    """That no child lies beyond its parent's minimum or maximum."""
    found = rule.expression
    assert isinstance(found, Aggregate)
    child = found.places[0]
    return order_rule(schema, child, rule.target, (found.key,), at_least=found.function == "min")


def _reaching(view: DraftView, rule: Formula, own: Float64) -> Float64:
    """The children's column where the outermost child of every parent has the parent's value."""
    found, bound = rule.expression, view.numbers(rule.target)
    assert isinstance(found, Aggregate)
    assert bound is not None
    links = view.links(found.key)
    rows = np.flatnonzero((links >= 0) & ~np.isnan(own))
    rows = rows[~np.isnan(bound[links[rows]])]
    outward = own[rows] if found.function == "max" else -own[rows]
    ordered = rows[np.lexsort((-outward, links[rows]))]
    first = np.r_[True, links[ordered][1:] != links[ordered][:-1]] if len(rows) else rows
    outermost = ordered[first.astype(bool)]
    moved = own.copy()
    moved[outermost] = bound[links[outermost]]
    return moved


def _present(draft: Draft, place: Place, own: Float64) -> Bool:
    """Which rows shall have a value: as drawn, or all where nothing was."""
    if not draft.model.tables[place[0]].columns[place[1]].derived:
        return ~np.isnan(own)
    codes = draft.codes[place[0]].get(variables.column(place[1]))
    return np.ones(len(own), bool) if codes is None else codes > 0


def _inside(
    draft: Draft, view: DraftView, place: Place, own: Float64, rules: Sequence[Order]
) -> Float64 | None:
    """The column with every value between those that bound it; None where all are."""
    low, high = np.full(len(own), -np.inf), np.full(len(own), np.inf)
    for rule in rules:
        other = rule.bound(view)
        assert other is not None
        if rule.at_least:
            low = np.fmax(low, other)
        else:
            high = np.fmin(high, other)
    bad = np.flatnonzero((own < low) | (own > high))
    if not len(bad):
        return None
    own, first = _families_moved(draft, place, own, low, high), own
    bad = np.flatnonzero((own < low) | (own > high))
    if not len(bad):
        return own
    good = np.flatnonzero((own >= low) & (own <= high))
    key, atoms = draft.streams.key("order", *place), np.isnan(own)
    atoms[~np.isnan(own)] = special(first[~np.isnan(own)])
    below = own[bad] < low[bad]
    top, bottom = np.nanmax(own), np.nanmin(own)
    most, least = np.minimum(high[bad], top), np.maximum(low[bad], bottom)
    moved = np.full(len(bad), np.nan)
    for attempt, (side, bound) in itertools.product(range(_DONORS), ((below, low), (~below, high))):
        for kind in (True, False):
            rows = np.flatnonzero(side & np.isnan(moved) & (atoms[bad] == kind))
            donors = good[np.isfinite(bound[good]) & (atoms[good] == kind)]
            if not len(rows) or not len(donors):
                continue
            draw = hashed(key ^ (attempt + 1), bad[rows]) % np.uint64(len(donors))
            donor = donors[draw.astype(np.int64)]
            distance = own[donor] - bound[donor]
            offered = own[donor] if kind else bound[bad[rows]] + distance
            inside = (offered >= least[rows]) & (offered <= most[rows])
            moved[rows[inside]] = offered[inside]
    anywhere = least + uniform(key, bad) * np.maximum(most - least, 0.0)
    quantity = view.quantity(place)
    if quantity and quantity.grid:
        anywhere = least + np.floor((anywhere - least) / quantity.grid) * quantity.grid
    moved = np.where(np.isnan(moved), anywhere, moved)
    moved = np.minimum(np.maximum(moved, low[bad]), np.maximum(high[bad], low[bad]))
    found = own.copy()
    found[bad] = moved
    return found


def _families_moved(
    draft: Draft, place: Place, own: Float64, low: Float64, high: Float64
) -> Float64:
    """The column where families whose values go from sibling to sibling are moved as a whole.

    So the distances between siblings, and their order, stay as drawn.  A family is moved where all
    of it fits then; the last of a family stops at the largest value that there is.
    """
    model = draft.model.tables[place[0]].columns[place[1]]
    fk = draft.model.plan.generating.get(place[0])
    if fk is None or (model.gap is None and model.climb is None):
        return own
    links = draft.links[fk]
    kin = np.where(links >= 0, links, draft.rows[fk.parent])
    up, down = np.zeros((2, draft.rows[fk.parent] + 1))
    np.maximum.at(up, kin, np.where(own < low, low - own, 0.0))
    np.maximum.at(down, kin, np.where(own > high, own - high, 0.0))
    grid = 7 * DAY if model.calendar is not None else (model.gap.step if model.gap else 0.0)
    shift = np.where(down == 0, up, np.where(up == 0, -down, 0.0))
    if grid:
        shift = np.sign(shift) * np.ceil(np.abs(shift) / grid) * grid
    moved = np.minimum(own + shift[kin], np.nanmax(own))
    outside = np.zeros(len(up), np.bool_)
    outside[kin[(moved < low) | (moved > high)]] = True
    outside[-1] = True
    return np.where(outside[kin], own, moved)
