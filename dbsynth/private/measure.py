"""The questions, asked: sizes and caps first, then domains and single variables, then pairs.

What comes out of here is made of noisy answers alone (`Answers`); the exact rows stay inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Alphabet, Codes, Number
from dbsynth.databases.base import Database
from dbsynth.engines import variables
from dbsynth.engines.conditional import Conditional, Conditionals
from dbsynth.errors import EngineError
from dbsynth.keys import canonical, rank_in_group
from dbsynth.private.accountant import Loss, epsilon_of
from dbsynth.private.contents import (
    Contents,
    bucket_edges,
    buckets,
    joined,
    owned_contents,
    read_table,
    unit_contents,
    weighed,
)
from dbsynth.private.design import Design, Prices, presence_of, prices, usual_price
from dbsynth.private.domains import (
    UNKNOWN,
    Coarse,
    Domain,
    Search,
    codec_of_edges,
    found_domain,
)
from dbsynth.private.inference import Pair, conditional, estimate, settled
from dbsynth.private.marginals import Variable, groups_of, joint, on_simplex, one_way
from dbsynth.private.purse import Purse
from dbsynth.private.sizes import Cut, cut_of, hidden
from dbsynth.private.structure import Edge, grown_tree
from dbsynth.private.walking import gaps_of, walked
from dbsynth.progress import Progress
from dbsynth.schema import Column, ForeignKey, Kind

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

COUNTER = Column("count", Kind.INTEGER, "integer", nullable=False)
GAP = variables.gap("")
LEAST_SIGNAL = 4.0  # rows per standard deviation of noise, below which a table is only noise
_CLEAR, _FEW = 4.0, 0.05
_MOST_MISSING = 3.0
_SOME = np.arange(9.0)  # edges of small numbers of children, each a cell
_ALWAYS = 0.95
MOST_LINKS = 2**16 - 2  # rows of a public table that a code can name


@dataclass
class Answers:
    """All that was learnt.

    Attributes:
        rows: Estimated rows of each table.
        sizes: Of the generating keys, edges of numbers of children.
        counts: How many parents have how many of them.
        present: Of keys that are dealt, the share of rows that refer to something.
        followed: Keys that hardly ever lead elsewhere than up the owning keys.
        unseen: Tables of which too few entities own rows to tell them from none, and how many rows
            the noise hides.
        shares: By table and variable, estimated rows with each code.
    """

    cuts: dict[str, Cut] = field(default_factory=dict)
    rows: dict[str, float] = field(default_factory=dict)
    domains: dict[str, dict[str, Domain]] = field(default_factory=dict)
    counters: dict[ForeignKey, Number] = field(default_factory=dict)
    sizes: dict[ForeignKey, Float64] = field(default_factory=dict)
    counts: dict[ForeignKey, Float64] = field(default_factory=dict)
    present: dict[ForeignKey, float] = field(default_factory=dict)
    models: dict[str, Conditionals] = field(default_factory=dict)
    pairs: dict[str, tuple[tuple[str, str | None], ...]] = field(default_factory=dict)
    unseen: dict[str, float] = field(default_factory=dict)
    shares: dict[str, dict[str, Float64]] = field(default_factory=dict)
    followed: list[ForeignKey] = field(default_factory=list)


@dataclass(frozen=True)
class Coded:
    """A variable, not counted yet.

    Attributes:
        codes: Of the rows; `UNKNOWN` where it is not to be counted.
        weight: Of the rows.
        cap: Rows of one entity weigh no more than so many rows.
        shown: Of all rows, where only some are counted.
        whole: Whether every row has one of the codes.
        edges, coarse: Of a number whose range was paid for.
        twice: Whether it stands for two variables, and may cost as much.
    """

    name: str
    alphabet: Alphabet
    codes: Codes
    possible: npt.NDArray[np.bool_]
    weight: Int64
    cap: int
    shown: Codes | None = None
    whole: bool = True
    edges: Float64 | None = None
    coarse: Coarse | None = None
    twice: bool = False

    def cost(self, prices: Prices) -> float:
        """What counting it may cost."""
        return prices.one * (2 if self.twice else 1)


@dataclass
class Work:
    """What grows while the tables are measured, exact rows among it: nothing of it gets out.

    Attributes:
        owners: Of owned tables, noisy counts of entities by their number of rows.
        weight: Estimated weight of all rows of a table, in rows.
        hidden: Of owned tables, entities that own rows and may be hidden by the noise.
    """

    design: Design
    purse: Purse
    public: Mapping[str, pa.Table]
    contents: dict[str, Contents] = field(default_factory=dict)
    owners: dict[str, Coarse] = field(default_factory=dict)
    prices: Mapping[str, Prices] = field(default_factory=dict)
    weight: dict[str, float] = field(default_factory=dict)
    hidden: dict[str, float] = field(default_factory=dict)
    own: dict[str, list[Variable]] = field(default_factory=dict)
    certain: dict[str, list[Conditional]] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)


def measure(
    database: Database, design: Design, public: Mapping[str, pa.Table], purse: Purse,
    progress: Progress,
) -> Answers:  # fmt: skip
    """Ask all questions.

    Raises:
        EngineError: The noise would drown a table; says by how much.
    """
    work = Work(design, purse, public)
    progress.step("read", len(design.ownership.protected))
    for table in design.ownership.protected:
        _count_entities(work, database, table)
        progress.advance(1)
    cuts = work.answers.cuts
    work.answers.unseen = {table: work.hidden[table] for table in unseen(design, cuts)}
    work.prices = prices(design, cuts, work.answers.unseen)
    check_signal(design, cuts)
    seen = [t for t in design.ownership.protected if t not in work.answers.unseen]
    progress.step("fit", 2 * len(seen))
    for table in seen:
        _count_single(work, table)
        progress.advance(1)
    for table in seen:
        _count_pairs(work, table)
        progress.advance(1)
    return work.answers


def unseen(design: Design, cuts: Mapping[str, Cut]) -> tuple[str, ...]:
    """Tables without rows, as far as counts of entities can tell, and what they would own.

    Where the noise of these counts is not small beside the number of entities, none counts as such:
    then it is the budget that does not suffice.
    """
    clear = _CLEAR / np.sqrt(2 * design.size) <= _FEW * cuts[design.ownership.unit].weight
    found: list[str] = []
    for table, key in design.ownership.owner.items():
        if (clear and cuts[table].weight < 1) or key.parent in found:
            found.append(table)
    return tuple(found)


def check_signal(design: Design, cuts: Mapping[str, Cut]) -> None:
    """Refuse a budget whose noise is as large as what it shall measure."""
    drowned, factor = [], 1.0
    for table, price in prices(design, cuts, unseen(design, cuts)).items():
        if price.one <= 0:
            continue
        cap, rows = cuts[table].cap, cuts[table].weight
        scale = cap / np.sqrt(2 * price.one)
        if rows < LEAST_SIGNAL * scale:
            drowned.append(
                f"`{table}` has about {max(rows, 0):,.0f} rows, and each count of it noise"
                f" of {scale:,.0f} (cap {cap} / sqrt(2 x {price.one:.2g}))"
            )
            factor = max(factor, (LEAST_SIGNAL * scale / max(rows, 1.0)) ** 2)
    if drowned:
        said = design.protection
        rho = design.budget.rho * factor * said.fits
        needed = epsilon_of(Loss(rho, design.budget.delta * said.fits), said.delta)
        fits = "1 fit" if said.fits == 1 else f"{said.fits} fits"
        raise EngineError(
            f"epsilon {said.epsilon:g} for {fits} cannot work: " + "; ".join(drowned),
            hint=f"about epsilon {needed:.2g} would do; or lower the caps, make more tables public,"
            " or protect fewer tables",
        )


# ---------------------------------------------------------------------------------------------
# Sizes and caps
# ---------------------------------------------------------------------------------------------


def _count_entities(work: Work, database: Database, table: str) -> None:
    design, answers = work.design, work.answers
    rows = read_table(database, design.schema[table], _needed(design, table))
    key = design.ownership.owner.get(table)
    if key is None:
        work.contents[table] = unit_contents(rows)
        exact = np.array([rows.num_rows], np.int64)
        noisy = float(work.purse.counts(f"rows of {table}", exact, 1, design.size)[0])
        answers.cuts[table] = Cut(1, False, 0.0, 0.0, noisy, noisy)
    else:
        found = owned_contents(rows, key, work.contents[key.parent], design.schema[table])
        counts = work.purse.counts(f"rows of {table} per entity", buckets(found), 1, design.size)
        scale = float(1 / np.sqrt(2 * design.size))
        work.owners[table] = Coarse(bucket_edges(), counts.astype(np.float64), scale)
        cut = cut_of(design.cap(table), counts, scale, usual_price(design))
        work.hidden[table] = hidden(counts, scale)
        work.contents[table] = weighed(found, cut.cap)
        answers.cuts[table] = cut
    answers.rows[table] = answers.cuts[table].weight


def _needed(design: Design, table: str) -> list[str]:
    """The columns of a table that are looked at: those measured, and keys."""
    measured = [name for name, recipe in design.recipes[table].items() if recipe.measured]
    inside = {*design.ownership.protected, *design.ownership.public}
    keys = [c for fk in design.schema[table].foreign_keys for c in fk.columns]
    keys += [c for key in design.schema.referenced_keys(table) for c in key if inside]
    return list(dict.fromkeys([*measured, *keys]))


# ---------------------------------------------------------------------------------------------
# Single variables
# ---------------------------------------------------------------------------------------------


def _count_single(work: Work, table: str) -> None:
    """Count every variable of a table by itself, and estimate its rows."""
    design, answers, contents = work.design, work.answers, work.contents[table]
    price, cut = work.prices[table], answers.cuts[table]
    scale = float(cut.cap / np.sqrt(2 * price.one)) if price.one > 0 else 0.0
    search = Search(contents, work.purse, price.search, scale, cut.words)
    found: list[Coded] = []
    answers.domains[table] = {}
    for name, recipe in design.recipes[table].items():
        if not recipe.measured:
            continue
        values = contents.rows[name].combine_chunks()
        if name == design.walking[table]:
            found += _walking(work, table, name, values, search)
            continue
        domain = found_domain(recipe, values, search, f"{table}.{name}")
        answers.domains[table][name] = domain
        codec = domain.codec
        if domain.possible.sum() > 1:
            codes = domain.encode(values)
            found.append(
                Coded(
                    variables.column(name), codec.alphabet, codes, domain.possible,
                    contents.weight, contents.cap, None, not recipe.open, domain.edges,
                    domain.coarse,
                )
            )  # fmt: skip
        else:  # there is nothing to be counted
            work.certain.setdefault(table, []).append(
                Conditional(
                    variables.column(name), (), (), domain.possible[None, :].astype(np.float64)
                )
            )
    found += _link_variables(work, table)
    found += _count_variables(work, table, search)
    noisy = [_counted(work, table, v) for v in found]
    whole = [(v, n) for v, n in zip(found, noisy, strict=True) if v.shown is None and v.whole]
    work.weight[table] = cut.weight
    if whole:
        weights = [1 / v.possible.sum() for v, _ in whole]
        work.weight[table] = float(np.average([n.sum() for _, n in whole], weights=weights))
    work.weight[table] = max(1.0, work.weight[table])
    if table == design.ownership.unit:
        answers.rows[table] = work.weight[table]
    work.own[table] = [
        _variable(v, counts, work.weight[table], price, contents.cap)
        for v, counts in zip(found, noisy, strict=True)
    ]


def _counted(work: Work, table: str, coded: Coded) -> Float64:
    """Noisy numbers of rows with each code, with what the search for the range has told."""
    rho = coded.cost(work.prices[table])
    noisy = one_way(
        work.purse, f"{table}: {coded.name}", coded.codes, coded.weight, coded.possible, coded.cap,
        rho,
    )  # fmt: skip
    if coded.edges is None or coded.coarse is None:
        return noisy
    scale = float(coded.cap / np.sqrt(2 * rho))
    return np.concatenate([noisy[:4], coded.coarse.pooled(coded.edges, noisy[4:], scale)])


def _walking(work: Work, table: str, name: str, values: pa.Array, search: Search) -> list[Coded]:
    """The time of siblings: where gaps are regular, that of the first, and the gaps of the others.

    A parent has one first child, which weighs as much as the parent.
    """
    recipe, subject = work.design.recipes[table][name], f"{table}.{name}"
    contents, above = search.contents, work.contents[work.design.ownership.owner[table].parent]
    gaps = gaps_of(recipe, values, search, subject)
    if gaps.regular:  # the first of siblings weigh as their parents, at less noise
        search = replace(search, scale=search.scale * above.cap / max(contents.cap, 1))
    more = 0.0 if gaps.regular else search.later  # which is not needed for gaps
    domain = found_domain(recipe, values, search.richer(more), subject)
    codes, alphabet = domain.encode(values), domain.codec.alphabet
    if not gaps.regular:
        model = replace(domain.model, rising=gaps.usual)
        work.answers.domains[table][name] = replace(domain, model=model)
        return [
            Coded(
                variables.column(name), alphabet, codes, domain.possible, contents.weight,
                contents.cap, None, edges=domain.edges, coarse=domain.coarse, twice=True,
            )
        ]  # fmt: skip
    search = replace(search, scale=search.scale * contents.cap / max(above.cap, 1))
    found = walked(domain, gaps, codes, search, recipe, subject)
    work.answers.domains[table][name] = found.domain
    possible = np.r_[np.zeros(4, bool), found.coarse.filled(found.edges)]
    shown = np.where(found.gap == UNKNOWN, 0, found.gap).astype(np.uint16)
    return [
        Coded(
            variables.gap(name), found.codec.alphabet, found.gap, possible, contents.weight,
            contents.cap, shown, edges=found.edges, coarse=found.coarse,
        ),
        Coded(
            variables.column(name), alphabet, found.first, domain.possible,
            above.weight[contents.parent], above.cap, codes,
        ),
    ]  # fmt: skip


def _variable(coded: Coded, noisy: Float64, total: float, price: Prices, cap: int) -> Variable:
    """The variable with its estimated counts, and as others see it where they see more of it.

    Args:
        total: Estimated rows of the table, by weight.
        cap: Of the table.
    """
    name, alphabet, possible = coded.name, coded.alphabet, coded.possible
    scale, pair_scale = (
        float(coded.cap / np.sqrt(2 * rho)) if rho > 0 else 0.0
        for rho in (coded.cost(price), price.pair)
    )
    part = coded.shown is not None
    rows = max(float(noisy.sum()), 1.0) if part else total
    if not coded.whole:  # rows with other words are taken to be like those with these
        noisy = noisy * _all_of(float(noisy.sum()), total)
    counts = on_simplex(noisy, rows, possible)
    groups = groups_of(counts, possible, pair_scale, ordered=alphabet.ordered, apart=False)
    found = Variable(
        name, alphabet, coded.codes, possible, counts, groups, coded.weight, coded.cap, scale,
        pair_scale, part,
    )  # fmt: skip
    if coded.shown is None:
        return found
    # Not counted in all rows: of gaps all are known but the first, of times each cell has as many.
    wide = possible.copy()
    wide[0] |= name.startswith(GAP)
    everywhere = counts.copy() if wide[0] else total * possible / max(int(possible.sum()), 1)
    everywhere[0] = max(total - rows, 0.0) if wide[0] else everywhere[0]
    others = float(cap / np.sqrt(2 * price.pair)) if price.pair > 0 else 0.0
    groups = groups_of(everywhere, wide, others, ordered=True, apart=bool(wide[0]))
    seen = Variable(name, alphabet, coded.shown, wide, everywhere, groups, everywhere=True)
    return replace(found, seen=seen)


def _all_of(found: float, total: float) -> float:
    """The factor from some rows to all, within limits that noise cannot pass."""
    return float(np.clip(total / max(found, 1.0), 1.0, _MOST_MISSING))


def _link_variables(work: Work, table: str) -> list[Coded]:
    """Which row of a public table, and whether a dealt key refers to anything."""
    found = []
    rows, mine = work.contents[table].rows, (work.contents[table].weight, work.contents[table].cap)
    for fk in work.design.plan.lookups_of(table):
        theirs = work.public[fk.parent]
        up = joined(rows, fk.columns, theirs, fk.parent_columns)
        size = theirs.num_rows + 1
        codes = np.where(up >= 0, up + 1, 0 if fk.nullable else UNKNOWN).astype(np.uint16)
        possible = np.ones(size, bool)
        possible[0] = fk.nullable
        if possible.sum() > 1:
            alphabet = Alphabet(size, ordered=False)
            found.append(Coded(variables.link(fk), alphabet, codes, possible, *mine))
    for fk in work.design.plan.dealt_of(table):
        present = np.ones(rows.num_rows, bool)
        for column in fk.columns:
            present &= rows[column].is_valid().to_numpy()
        if work.design.ownership.way_to(fk):
            codes = np.where(present, 1 + _own_ancestor(work, fk), 0).astype(np.uint16)
            possible = np.array([fk.nullable, True, True])
            alphabet = Alphabet(3, ordered=False)
            found.append(Coded(presence_of(fk), alphabet, codes, possible, *mine))
        elif fk.nullable:
            one = variables.FIRST_DEPTH if fk.parent == table else 1
            possible = np.zeros(one + 1, bool)
            possible[[0, one]] = True
            codes = (present * one).astype(np.uint16)
            alphabet = Alphabet(one + 1, ordered=True)
            found.append(Coded(presence_of(fk), alphabet, codes, possible, *mine))
    return found


def _own_ancestor(work: Work, key: ForeignKey) -> npt.NDArray[np.bool_]:
    """Which rows refer by a key to the very row that they belong to, however far above."""
    contents = work.contents[key.child]
    above = np.arange(len(contents.parent))
    for step in work.design.ownership.way_to(key):
        above = work.contents[step.child].parent[above]
    same = np.ones(len(above), bool)
    for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
        found = work.contents[key.parent].rows[theirs].take(pa.array(above))
        equal = canonical(contents.rows[mine].combine_chunks()) == canonical(found.combine_chunks())
        same &= equal.fill_null(value=False).to_numpy()
    return same


def _count_variables(work: Work, table: str, search: Search) -> list[Coded]:
    """How many rows of each owned table a row owns."""
    found, contents = [], work.contents[table]
    for child, fk in work.design.ownership.owner.items():
        if fk.parent != table or child in work.answers.unseen:
            continue
        up = work.contents[child].parent
        counts = np.bincount(up, minlength=len(contents.entity)).astype(np.float64)
        coarse, edges = None, _SOME
        if not work.design.single(child):
            every, subject = np.arange(len(counts)), f"children in {child}"
            how: dict[str, Any] = {"whole": True, "always": _SOME, "guess": False}
            if table == work.design.ownership.unit:  # of which counts of entities tell the range
                owners, rho = work.owners[child], search.loss.rho
                coarse = search.within(owners, subject, counts, every, rho, **how)
            else:
                coarse = search.coarse(subject, bucket_edges(), counts, every, **how)
            edges = np.union1d(coarse.finer(search.cells(coarse), whole=True), _SOME)
        work.answers.sizes[fk] = edges
        codec = work.answers.counters[fk] = codec_of_edges(COUNTER, edges, 1.0)
        cells = np.searchsorted(edges, counts, side="right") - 1
        codes = (4 + np.clip(cells, 0, len(edges) - 2)).astype(np.uint16)
        filled = np.ones(len(edges) - 1, bool) if coarse is None else coarse.filled(edges)
        possible = np.r_[np.zeros(4, bool), filled]
        found.append(
            Coded(
                variables.count(fk), codec.alphabet, codes, possible, contents.weight,
                contents.cap, edges=edges, coarse=coarse,
            )
        )  # fmt: skip
    return found


def brought_to(parents: Float64, numbers: Float64, children: float) -> Float64:
    """Parents by number of children, more or fewer of them without any, as near as that comes.

    Where noise hides those with children among many without, each has as few as there are.
    """
    found = parents.copy()
    if not (parents[1:] @ numbers[1:]) > 0:
        found[1] = parents.sum()
    some = float(found[1:].sum())
    factor = children / max(float(found[1:] @ numbers[1:]), 1e-9)
    found[1:] *= min(factor, float(parents.sum()) / max(some, 1e-9))
    found[0] = max(float(parents.sum() - found[1:].sum()), 0.0)
    return found


def middles(edges: Float64) -> Float64:
    """The mean number of each cell of whole numbers."""
    return (edges[:-1] + edges[1:] - 1) / 2


# ---------------------------------------------------------------------------------------------
# Pairs
# ---------------------------------------------------------------------------------------------


def _count_pairs(work: Work, table: str) -> None:
    """Choose the pairs of a table, count them, and turn all counts into how rows are drawn."""
    answers, price, own = work.answers, work.prices[table], work.own[table]
    edges = [Edge(v, None) for v in own]
    if price.pair > 0:
        edges = grown_tree(
            own, _known(work, table), work.purse, price.choice, table, *_order(work, table)
        )
    pairs, chosen = [], [(edge, edge.given) for edge in edges if edge.given is not None]
    rho = price.pair * price.turns / max(len(chosen), 1)  # what was not chosen is not paid for
    for edge, given in chosen:
        exact = joint(edge.variable, given)
        subject = f"{table}: {edge.variable.name} given {given.name}"
        noisy = work.purse.weights(subject, exact.ravel(), edge.variable.cap, rho)
        whole = 1.0 if edge.variable.part else _all_of(float(noisy.sum()), work.weight[table])
        scale = whole * float(edge.variable.cap / np.sqrt(2 * rho))
        pairs.append(Pair(edge, whole * noisy.reshape(exact.shape), scale))
    found = estimate(own, pairs, work.weight[table])
    drawn = [conditional(edge, found) for edge in edges]
    answers.models[table] = Conditionals((*work.certain.get(table, ()), *drawn))
    answers.pairs[table] = tuple(
        (e.variable.name, e.given.name if e.given else None) for e in edges
    )
    work.own[table] = [settled(v, found.margins) for v in own]
    answers.shares[table] = {v.name: v.counts for v in work.own[table]}
    _keep_shares(work, table)


def _order(work: Work, table: str) -> tuple[tuple[str, ...], str | None]:
    """The variables that come first of all, and the one that is drawn for whole families."""
    name = work.design.walking[table]
    if name is None:
        return (), None
    if work.answers.domains[table][name].model.rising is not None:
        return (variables.column(name),), variables.column(name)
    return (variables.gap(name), variables.column(name)), None


def _keep_shares(work: Work, table: str) -> None:
    """What the frame has to know beside the engine: numbers of children, and NULLs of keys."""
    answers, by_name = work.answers, {v.name: v for v in work.own[table]}
    for fk in work.design.ownership.owner.values():
        if fk.parent == table and fk.child not in answers.unseen:
            shares = by_name[variables.count(fk)].counts[4:]
            found = shares * answers.rows[table] / max(float(shares.sum()), 1e-9)
            if table != work.design.ownership.unit:  # the entities tell how many there are in all
                found = brought_to(found, middles(answers.sizes[fk]), answers.cuts[fk.child].all)
            answers.counts[fk] = found
            answers.rows[fk.child] = max(1.0, float(found @ middles(answers.sizes[fk])))
    for fk in work.design.plan.dealt_of(table):
        variable = by_name.get(presence_of(fk))
        if variable is not None:
            total = max(float(variable.counts.sum()), 1e-9)
            linked = float(variable.counts[1:].sum())
            answers.present[fk] = linked / total
            same = float(variable.counts[2:3].sum()) / max(linked, 1e-9)
            if work.design.ownership.way_to(fk) and min(same, linked / total) >= _ALWAYS:
                answers.followed.append(fk)


def _known(work: Work, table: str) -> list[Variable]:
    """What a row knows before it is drawn: its parent and the parent's, its place, its sibling."""
    key = work.design.ownership.owner.get(table)
    if key is None:
        return []
    contents, total = work.contents[table], work.weight[table]
    scale = float(contents.cap / np.sqrt(2 * work.prices[table].pair))
    up = contents.parent
    found = [_seen(v.shown, variables.of_parent(v.name), v.shown.codes[up], total, scale)
             for v in work.own[key.parent]]  # fmt: skip
    above = work.design.ownership.owner.get(key.parent)
    if above is not None:
        further = work.contents[key.parent].parent[up]
        for v in (v.shown for v in work.own[above.parent]):
            name = variables.of_parent(variables.of_parent(v.name))
            found.append(_seen(v, name, v.codes[further], total, scale))
    place = rank_in_group(up)
    position = np.minimum(place, variables.LAST_POSITION).astype(np.uint16)
    places = _places(work, key) * total
    found.append(_position(position, places, scale))
    before = np.where(place > 0, np.arange(len(up)) - 1, -1)
    for v in (v.shown for v in work.own[table]):
        if not v.name.startswith("count:"):
            last = np.append(np.where(v.codes == UNKNOWN, 0, v.codes), 0)[before].astype(np.uint16)
            counts = v.counts.copy()
            counts[0] += places[0] * float(counts.sum()) / max(total - places[0], 1.0)
            seen = replace(
                v, possible=v.possible | (np.arange(len(v.possible)) == 0), counts=counts
            )
            found.append(_seen(seen, variables.previous(v.name), last, total, scale, apart=True))
    return found


def _seen(
    v: Variable, name: str, codes: Codes, rows: float, scale: float, *, apart: bool = False
) -> Variable:
    """A variable as the rows of another table know it, in groups that suit their number."""
    counts = v.counts * rows / max(float(v.counts.sum()), 1e-9)
    groups = groups_of(counts, v.possible, scale, ordered=v.alphabet.ordered, apart=apart)
    return Variable(name, v.alphabet, codes, v.possible, counts, groups)


def _places(work: Work, key: ForeignKey) -> Float64:
    """The share of rows with each place among siblings, which follows from their numbers."""
    parents, numbers = work.answers.counts[key], middles(work.answers.sizes[key])
    size = variables.POSITION_ALPHABET.size
    rows = np.array([float(parents[numbers > place].sum()) for place in range(size)])
    rows[-1] = float(parents @ np.maximum(numbers - size + 1, 0))
    return rows / max(float(rows.sum()), 1e-9)


def _position(position: Codes, counts: Float64, scale: float) -> Variable:
    """The place of a row among its siblings."""
    possible = np.ones(len(counts), bool)
    groups = groups_of(counts, possible, scale, ordered=True, apart=True)
    return Variable(
        variables.POSITION, variables.POSITION_ALPHABET, position, possible, counts, groups
    )
