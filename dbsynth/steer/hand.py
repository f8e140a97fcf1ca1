"""The hand that draws rows as the spec wishes.

A class is made commoner by weights on its codes (`dbsynth.engines.tilt`), corrected until the share
is met.  The rows above follow: a parent is drawn in proportion to the mean weight of the rows under
it, which is what makes P(parent | class) stay; what it is worth is learnt from a *pilot*, a draft
without wishes.  The rows below follow by themselves, being drawn given their parents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.draft import Draw, context_alphabets_of
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import values
from dbsynth.draft.keeping import keeper_of
from dbsynth.engines import variables
from dbsynth.engines.base import TableModel
from dbsynth.engines.relational import TreeChain, tree_on
from dbsynth.engines.tilt import MOST_CANDIDATES, Levelled, Tilted, Worth, code_counts, smoothed
from dbsynth.errors import SpecError, Unsatisfiable
from dbsynth.model import Model
from dbsynth.rules.ranks import Ranks
from dbsynth.rules.within import Within
from dbsynth.schema import Check, Schema
from dbsynth.steer.condition import Condition
from dbsynth.steer.wishes import Fair, Share, Wishes

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

ROUNDS = 16  # draws in which weights are corrected
_NEAR = 0.001  # a share that is so near is met
_FAR = 0.01  # one that is so far off cannot be met by what leaves have seen
_STRICT = 5  # draws before what a leaf has never seen is held possible in it
_STEP = 5.0  # a correction is at most this factor
_LEAST = 1e-9  # weight of a class that nobody wants
_WORTH_ROWS = 20
_WORTH_GAIN = 6.0  # in variances: a split by chance gains a few
_BATCH = 2**17
_SEARCHED = 2_000_000  # candidates for the rows of a condition, beyond a hundred for each


@dataclass(frozen=True)
class Steering:
    """A `dbsynth.draft.Hand`.

    Attributes:
        pilot: A draft of the same model without wishes.
        worth: Per table, what its rows are worth for steered rows under them.
    """

    wishes: Wishes
    pilot: Draft
    worth: Mapping[str, Worth] = field(default_factory=dict)

    def __call__(self, draft: Draft, table: str, draw: Draw) -> dict[str, Codes]:
        """The rows of a table."""
        shares = [s for s in self.wishes.shares if s.column.table == table]
        fair = [f for f in self.wishes.fair if f.outcome.table == table]
        condition = self.wishes.conditions.get(table)
        engine = draft.model.engines[table]
        if not (shares or fair or condition or table in self.worth):
            return draw(engine)
        chain = _chain(engine, table)
        start = [_ShareGoal.of(s, chain) for s in shares if not _levelled_too(s, fair)]
        goals, rates = start, [_FairGoal.of(f, chain, self.pilot, shares) for f in fair]
        best: tuple[float, Tilted] | None = None
        pace, last = 1.0, np.zeros(0)
        for round_ in range(ROUNDS):
            if round_ == _STRICT and best is not None and best[0] > _FAR:
                chain, goals, last = _loosened(chain, start), start, np.zeros(0)
            tilted = Tilted(
                chain,
                {g.share.column.variable: g.weights for g in goals},
                {g.fair.outcome.variable: g.levelled for g in rates},
                self.worth.get(table),
                _most_candidates(draft, table),
            )
            codes = _drawn(draft, table, draw, tilted, condition)
            scratch = _scratch(draft, table, codes)
            offs = [*(g.off(scratch) for g in goals), *(g.off(scratch) for g in rates)]
            off = np.concatenate([np.zeros(1), *(found.ravel() for found in offs)])
            far = float(np.abs(off).max())
            if best is None or far < best[0]:
                best = far, tilted
            if far <= max(_NEAR, 0.6 / max(draft.rows[table], 1)):
                break
            pace, last = _paced(pace, last, off), off
            goals = [g.corrected(scratch, pace) for g in goals]
            rates = [g.corrected(scratch, pace) for g in rates]
        assert best is not None
        # The last draw is the one that counts, as times are settled while rows are drawn.
        return codes if best[1] is tilted else _drawn(draft, table, draw, best[1], condition)


def _most_candidates(draft: Draft, table: str) -> int:
    """One for each row where rules remember siblings, so that trying a row would count it."""
    remember = any(
        kept.rule.table == table and isinstance(kept.rule, Within | Ranks)
        for kept in draft.model.rules
    )
    return 1 if remember else MOST_CANDIDATES


def _drawn(
    draft: Draft, table: str, draw: Draw, engine: TableModel, condition: Condition | None
) -> dict[str, Codes]:
    """Rows that meet the condition, where there is one."""
    codes = draw(engine)
    return codes if condition is None else meeting(draft, table, condition, engine, codes)


def _loosened(chain: TreeChain, goals: Sequence[_ShareGoal]) -> TreeChain:
    """The chain where a steered code is possible in every leaf."""
    sizes = {g.share.column.variable: len(g.share.column.values) for g in goals}
    return TreeChain(
        tuple(smoothed(t, 1.0, sizes[t.target]) if t.target in sizes else t for t in chain.trees)
    )


def _paced(pace: float, last: Float64, off: Float64) -> float:
    """The power of the next correction, by how much the one before has helped (a secant step).

    Siblings pass a class on, and families cannot change size, so that shares move more or less
    than their weights.
    """
    if not len(last):
        return 1.0
    worst = int(np.abs(last).argmax())
    left = off[worst] / last[worst] if last[worst] else 0.0
    return float(np.clip(pace / max(1 - left, 0.1), 0.2, 6.0))


def steering(wishes: Wishes, pilot: Draft) -> Steering:
    """The hand for some wishes.

    Args:
        pilot: A draft without wishes, its generating links drawn.
    """
    return Steering(wishes, pilot, _worths(wishes, pilot))


def _chain(engine: TableModel, table: str) -> TreeChain:
    if not isinstance(engine, TreeChain):
        raise SpecError(
            f"the engine of `{table}` cannot be steered", hint="use the engine `relational`"
        )
    return engine


def _levelled_too(share: Share, fair: list[Fair]) -> bool:
    """Whether an outcome is both made commoner and made fair; then its rates are set at once."""
    return any(f.outcome.variable == share.column.variable for f in fair)


def _scratch(draft: Draft, table: str, codes: dict[str, Codes]) -> Draft:
    """A draft in which the rows of a table are those, to ask for their values."""
    rows = len(next(iter(codes.values()), np.zeros(draft.rows[table])))
    links = dict(draft.links)
    for fk in draft.model.plan.lookups_of(table):
        if variables.link(fk) in codes:
            links[fk] = codes[variables.link(fk)].astype(np.int64) - 1
    return replace(
        draft, rows={**draft.rows, table: rows}, codes={**draft.codes, table: codes}, links=links,
        settled={}, notes=[],
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------
# Shares
# ---------------------------------------------------------------------------------------------


def classes_of(share: Share, draft: Draft) -> Int64:
    """The class of every row of a table."""
    column = share.column
    if column.closed and column.name not in draft.settled.get(column.table, {}):
        return share.classes(column.values)[draft.codes[column.table][column.variable]]
    table, rows = draft.model.schema[column.table], draft.rows[column.table]
    return share.classes(values(draft, table, column.name, np.arange(rows)))


@dataclass(frozen=True)
class _ShareGoal:
    """The weights with which a share is sought."""

    share: Share
    of_class: Float64
    weights: Float64

    @classmethod
    def of(cls, share: Share, chain: TreeChain) -> _ShareGoal:
        """Weights that would meet the share if nothing depended on the class.

        Raises:
            SpecError: A wanted value never occurs.
        """
        real = source_shares(share, chain)
        missing = [
            name for name, want, has in zip(share.names, share.shares, real, strict=True)
            if want > 0 and not has
        ]  # fmt: skip
        if missing:
            named = ", ".join(f"`{name}`" for name in missing)
            raise SpecError(
                f"`rebalance` of `{share.column}`: the source has no row with {named}, so nothing"
                " says what such rows look like",
                hint="want a share of 0, or of other values",
            )
        return cls._weighing(share, np.maximum(share.shares, _LEAST) / np.maximum(real, 1e-300))

    @classmethod
    def _weighing(cls, share: Share, of_class: Float64) -> _ShareGoal:
        of_class = of_class / of_class.max()
        return cls(share, of_class, of_class[share.classes(share.column.values)])

    def off(self, draft: Draft) -> Float64:
        """By how much the share of each class is too high."""
        return self._got(draft) - self.share.shares

    def corrected(self, draft: Draft, pace: float) -> _ShareGoal:
        """Weights that come nearer.

        Args:
            pace: Power of the correction.
        """
        factor = self.share.shares / np.maximum(self._got(draft), 1e-9)
        factor[self.share.shares == 0] = 1.0
        step = np.clip(factor**pace, 1 / _STEP, _STEP)
        return self._weighing(self.share, self.of_class * step)

    def _got(self, draft: Draft) -> Float64:
        rows = max(draft.rows[self.share.column.table], 1)
        counts = np.bincount(classes_of(self.share, draft), minlength=len(self.of_class))
        shares: Float64 = counts / rows
        return shares


def source_shares(share: Share, chain: TreeChain) -> Float64:
    """The share of every class in the rows that the model was learnt from."""
    tree = next(t for t in chain.trees if t.target == share.column.variable)
    counts = code_counts(tree, len(share.column.values))[: len(share.column.values)]
    classes = share.classes(share.column.values)
    rows = np.bincount(classes, weights=counts, minlength=len(share.labels) + 1)
    real: Float64 = rows / max(rows.sum(), 1)
    return real


# ---------------------------------------------------------------------------------------------
# What rows are worth for those under them
# ---------------------------------------------------------------------------------------------


def _worths(wishes: Wishes, pilot: Draft) -> dict[str, Worth]:
    """For every table above steered ones, the mean weight of the rows under each of its rows."""
    found: dict[str, Float64] = {}
    for share in wishes.shares:
        if not pilot.codes.get(share.column.table):
            continue
        chain = _chain(pilot.model.engines[share.column.table], share.column.table)
        goal = _ShareGoal.of(share, chain)
        weight = goal.of_class[classes_of(share, pilot)]
        child, at = share.column.table, np.arange(pilot.rows[share.column.table])
        while (fk := pilot.model.plan.generating.get(child)) is not None:
            up = pilot.links[fk][at]
            weight, at = weight[up >= 0], up[up >= 0]
            mean = _means(at, weight, pilot.rows[fk.parent])
            before = found.get(fk.parent, np.full(len(mean), np.nan))
            # Rows without any under them are worth what the mean row is.
            found[fk.parent] = np.where(np.isnan(mean), before, mean * np.nan_to_num(before, nan=1))
            child = fk.parent
    return {
        table: _worth(pilot, table, worth)
        for table, worth in found.items()
        if pilot.codes.get(table) and not np.isnan(worth).all()
    }


def _means(at: Int64, weight: Float64, rows: int) -> Float64:
    """The mean weight at each row; NaN where there is none."""
    total = np.bincount(at, weights=weight, minlength=rows)
    count = np.bincount(at, minlength=rows)
    means: Float64 = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means


def _worth(pilot: Draft, table: str, worth: Float64) -> Worth:
    """A tree that tells from a row's codes what it is worth."""
    known = np.flatnonzero(~np.isnan(worth))
    alphabets = context_alphabets_of(pilot, table)
    codes = {v: pilot.codes[table][v][known] for v in alphabets}
    goal = np.ascontiguousarray((worth[known] / worth[known].max())[:, None].astype(np.float32))
    nothing = {"worth": np.zeros(len(known), np.uint16)}
    tree = tree_on(
        goal, "worth", list(alphabets), {**alphabets, "worth": Alphabet(1, ordered=True)},
        {**codes, **nothing}, np.arange(len(known)), _WORTH_ROWS, _WORTH_GAIN,
    )  # fmt: skip
    leaf = tree.leaves(len(known), codes)
    leaves = len(tree.starts) - 1
    rows = np.maximum(np.bincount(leaf, minlength=leaves), 1)
    return Worth(tree, np.bincount(leaf, weights=worth[known], minlength=leaves) / rows)


# ---------------------------------------------------------------------------------------------
# Conditions
# ---------------------------------------------------------------------------------------------


def met(draft: Draft, table: str, condition: Condition, at: Int64 | None = None) -> Int64:
    """The rows that meet a condition, of some or of all."""
    at = np.arange(draft.rows[table]) if at is None else at
    found = condition.met(lambda name: values(draft, draft.model.schema[table], name, at))
    return at[np.broadcast_to(found, len(at))]


def meeting(
    draft: Draft, table: str, condition: Condition, engine: TableModel, codes: dict[str, Codes]
) -> dict[str, Codes]:
    """Rows drawn anew until all of them meet a condition.

    Values inside a bin depend on the row's place, so a candidate is tried where it shall stand.

    Raises:
        Unsatisfiable: Hardly any row does.
    """
    codes = {v: c.copy() for v, c in codes.items()}
    rows = draft.rows[table]
    bad = np.setdiff1d(np.arange(rows), met(_scratch(draft, table, codes), table, condition))
    tried, passed = rows, rows - len(bad)
    for round_ in range(10_000):
        if not len(bad):
            return codes
        if tried > _SEARCHED + 100 * rows:
            break
        share = max(passed, 1) / tried
        many = int(np.clip(1.5 * len(bad) / share, 1_000, _BATCH))
        key = draft.streams.key("again", table, round_)
        nobody = np.full(many, -1)
        derive = keeper_of(draft, draft.model.schema[table], nobody).derivation(
            np.arange(many), np.zeros(many, np.int64), nobody
        )
        pool = engine.sample(many, {}, key=key, derive=derive)
        good = met(_scratch(draft, table, pool), table, condition)
        tried, passed = tried + many, passed + len(good)
        taken, places = good[: len(bad)], bad[: len(good)]
        for variable in codes:
            codes[variable][places] = pool[variable][taken]
        still = np.setdiff1d(places, met(_scratch(draft, table, codes), table, condition, places))
        bad = np.concatenate([bad[len(good) :], still])
    raise Unsatisfiable(
        f"`where` of `{table}` is met by {passed} of {tried} drawn rows, too few to fill the table",
        hint="ask for less in the condition, or for fewer `rows`",
    )


def with_checks(model: Model, conditions: Mapping[str, Condition], dialect: str) -> Model:
    """The model where conditions are CHECKs, so that what repairs rows keeps them."""
    tables = tuple(
        replace(
            table,
            checks=(
                *table.checks,
                Check("where", conditions[table.name].sql(dialect),
                      tuple(conditions[table.name].columns)),
            ),
        )
        if table.name in conditions
        else table
        for table in model.schema.tables
    )  # fmt: skip
    return replace(model, schema=Schema(tables, model.schema.notes, model.schema.others))


# ---------------------------------------------------------------------------------------------
# Fairness
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _FairGoal:
    """The weights with which equal rates are sought.

    Attributes:
        target: Wanted share of each outcome code for each given code, the same in every group.
    """

    fair: Fair
    target: Float64
    levelled: Levelled

    @classmethod
    def of(cls, fair: Fair, chain: TreeChain, pilot: Draft, shares: list[Share]) -> _FairGoal:
        """No weights yet, only the mixture over the protected values.

        Raises:
            SpecError: The model draws the outcome before what it shall be fair in.
        """
        order = [tree.target for tree in chain.trees]
        before = order[: order.index(fair.outcome.variable)]
        needed = [fair.given.variable] if fair.given else []
        needed += [] if fair.path else [fair.protected.variable]
        if not set(needed) <= set(before):
            raise SpecError(
                f"`fairness` of `{fair.outcome}`: the model draws it before the columns that it"
                " shall be fair in",
                hint="fit the model with this spec",
            )
        sizes = [len(c.values) if c else 1 for c in (fair.protected, fair.given, fair.outcome)]
        counts = _fitted(fair.crossing.count(pilot.codes, pilot.links), sizes)
        target = counts.sum(axis=0)
        for share in shares:
            if share.column.variable == fair.outcome.variable:
                classes = share.classes(share.column.values)
                now = np.bincount(classes, weights=target.sum(axis=0), minlength=len(share.shares))
                target = (
                    target * (share.shares / np.maximum(now / max(now.sum(), 1), 1e-9))[classes]
                )
        target = target / np.maximum(target.sum(axis=1, keepdims=True), 1e-300)
        group = counts.sum(axis=(1, 2))
        levelled = Levelled(
            fair.known_as, fair.given.variable if fair.given else "",
            group / max(group.sum(), 1), np.ones(sizes),
        )  # fmt: skip
        return cls(fair, target, levelled)

    def off(self, draft: Draft) -> Float64:
        """By how much each rate is too high; a group of few rows cannot come nearer than one."""
        got, rows = self._got(draft)
        off = (got - self.target) * (rows > 0)
        within: Float64 = np.where(np.abs(off) * rows < 0.6, 0.0, off)
        return within

    def corrected(self, draft: Draft, pace: float) -> _FairGoal:
        """Weights that come nearer.

        Args:
            pace: Power of the correction.
        """
        got, rows = self._got(draft)
        factor = self.target / np.maximum(got, 0.25 / np.maximum(rows, 1))
        factor = np.where((rows > 0) & (self.target > 0), factor, 1.0)
        weights = self.levelled.weights * np.clip(factor**pace, 1 / _STEP, _STEP)
        weights = np.maximum(weights / weights.max(axis=2, keepdims=True), 1e-12)
        return replace(self, levelled=replace(self.levelled, weights=weights))

    def _got(self, draft: Draft) -> tuple[Float64, Float64]:
        """Rate of each outcome, and rows, of every group."""
        shape = list(self.levelled.weights.shape)
        counts = _fitted(self.fair.crossing.count(draft.codes, draft.links), shape)
        rows = counts.sum(axis=2, keepdims=True)
        return counts / np.maximum(rows, 1), rows


def _fitted(counts: Int64, sizes: list[int]) -> Float64:
    """Counts in an array of the given shape."""
    whole = np.zeros(sizes)
    whole[tuple(slice(0, n) for n in counts.shape)] = counts
    return whole
