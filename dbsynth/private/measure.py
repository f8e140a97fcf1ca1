"""The questions, asked: sizes and caps first, then domains and single variables, then pairs.

What comes out of here is made of noisy answers alone (`Answers`); the exact rows stay inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
    buckets,
    capped,
    joined,
    largest_of_bucket,
    middle_of_bucket,
    owned_contents,
    read_table,
    unit_contents,
)
from dbsynth.private.design import Design, presence_of
from dbsynth.private.domains import UNKNOWN, Domain, codec_of_edges, found_domain
from dbsynth.private.inference import Pair, conditional, estimate, settled
from dbsynth.private.marginals import Variable, groups_of, joint, on_simplex, one_way
from dbsynth.private.purse import Purse
from dbsynth.private.structure import Edge, grown_tree
from dbsynth.private.walking import walked
from dbsynth.progress import Progress
from dbsynth.schema import Column, ForeignKey, Kind

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

COUNTER = Column("count", Kind.INTEGER, "integer", nullable=False)
GAP = variables.gap("")
LEAST_SIGNAL = 4.0  # rows per standard deviation of noise, below which a table is only noise
_SINGLE_COUNTS = 16
_LOST = 0.05
_CLEAR, _FEW = 4.0, 0.05
_ALWAYS = 0.95
MOST_LINKS = 2**16 - 2  # rows of a public table that a code can name


@dataclass(frozen=True)
class Cut:
    """What a cap does to a table, by noisy counts alone.

    Attributes:
        entities: Estimated share of entities that own more rows.
        rows: Estimated share of rows that are left out.
    """

    cap: int
    chosen: bool
    entities: float
    rows: float


@dataclass
class Answers:
    """All that was learnt.

    Attributes:
        rows: Estimated rows of each table.
        counts: Of the generating keys, how many parents have how many children.
        present: Of keys that are dealt, the share of rows that refer to something.
        followed: Keys that hardly ever lead elsewhere than up the owning keys.
        unseen: Tables of which too few entities own rows to tell them from none.
    """

    cuts: dict[str, Cut] = field(default_factory=dict)
    rows: dict[str, float] = field(default_factory=dict)
    domains: dict[str, dict[str, Domain]] = field(default_factory=dict)
    counters: dict[ForeignKey, Number] = field(default_factory=dict)
    counts: dict[ForeignKey, Float64] = field(default_factory=dict)
    present: dict[ForeignKey, float] = field(default_factory=dict)
    models: dict[str, Conditionals] = field(default_factory=dict)
    pairs: dict[str, tuple[tuple[str, str | None], ...]] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    followed: list[ForeignKey] = field(default_factory=list)


@dataclass(frozen=True)
class Coded:
    """A variable, not counted yet.

    Attributes:
        codes: Of the rows; `UNKNOWN` where it is not to be counted.
        shown: Of all rows, where only some are counted.
    """

    name: str
    alphabet: Alphabet
    codes: Codes
    possible: npt.NDArray[np.bool_]
    shown: Codes | None = None


@dataclass
class Work:
    """What grows while the tables are measured, exact rows among it: nothing of it gets out."""

    design: Design
    purse: Purse
    public: Mapping[str, pa.Table]
    contents: dict[str, Contents] = field(default_factory=dict)
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
    work.answers.unseen = unseen(design, work.answers.rows)
    check_signal(design, work.answers.rows, {t: c.cap for t, c in work.answers.cuts.items()})
    seen = [t for t in design.ownership.protected if t not in work.answers.unseen]
    progress.step("fit", 2 * len(seen))
    for table in seen:
        _count_single(work, table)
        progress.advance(1)
    for table in seen:
        _count_pairs(work, table)
        progress.advance(1)
    return work.answers


def unseen(design: Design, rows: Mapping[str, float]) -> tuple[str, ...]:
    """Tables without rows, as far as counts of entities can tell, and what they would own.

    Where the noise of these counts is not small beside the number of entities, none counts as such:
    then it is the budget that does not suffice.
    """
    clear = _CLEAR / np.sqrt(2 * design.size) <= _FEW * rows[design.ownership.unit]
    found: list[str] = []
    for table, key in design.ownership.owner.items():
        if (clear and rows[table] < 1) or key.parent in found:
            found.append(table)
    return tuple(found)


def check_signal(design: Design, rows: Mapping[str, float], caps: Mapping[str, int]) -> None:
    """Refuse a budget whose noise is as large as what it shall measure.

    Args:
        rows: Estimated rows of each table.
    """
    drowned, factor = [], 1.0
    hidden = unseen(design, rows)
    for table, price in design.prices.items():
        if price.one <= 0 or table in hidden:
            continue
        scale = caps[table] / np.sqrt(2 * price.one)
        if rows[table] < LEAST_SIGNAL * scale:
            drowned.append(
                f"`{table}` has about {max(rows[table], 0):,.0f} rows, and each count of it noise"
                f" of {scale:,.0f} (cap {caps[table]} / sqrt(2 x {price.one:.2g}))"
            )
            factor = max(factor, (LEAST_SIGNAL * scale / max(rows[table], 1.0)) ** 2)
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
        found = unit_contents(rows)
        exact = np.array([found.entities], np.int64)
        answers.rows[table] = float(work.purse.counts(f"rows of {table}", exact, 1, design.size)[0])
        answers.cuts[table] = Cut(1, False, 0.0, 0.0)
    else:
        found = owned_contents(rows, key, work.contents[key.parent], design.schema[table])
        noisy = work.purse.counts(f"rows of {table} per entity", buckets(found), 1, design.size)
        cut = _cut(design.cap(table), noisy, float(1 / np.sqrt(2 * design.size)))
        found = capped(found, cut.cap, work.purse.noise.generator())
        answers.cuts[table] = cut
        answers.rows[table] = rows_within(noisy, cut.cap, float(1 / np.sqrt(2 * design.size)))
    work.contents[table] = found


def _needed(design: Design, table: str) -> list[str]:
    """The columns of a table that are looked at: those measured, and keys."""
    measured = [name for name, recipe in design.recipes[table].items() if recipe.measured]
    inside = {*design.ownership.protected, *design.ownership.public}
    keys = [c for fk in design.schema[table].foreign_keys for c in fk.columns]
    keys += [c for key in design.schema.referenced_keys(table) for c in key if inside]
    return list(dict.fromkeys([*measured, *keys]))


def _significant(noisy: Int64, scale: float) -> Float64:
    """The counts, 0 where they may well be noise; of entities that own nothing, in any case."""
    found = np.where(noisy > _CLEAR * scale, noisy, 0).astype(np.float64)
    found[0] = max(int(noisy[0]), 0)
    return found


def _cut(cap: int | None, noisy: Int64, scale: float) -> Cut:
    """The cap, chosen where it is not given, and what it does."""
    entities = _significant(noisy, scale)
    middles = np.array([middle_of_bucket(i) for i in range(len(noisy))])
    total = max(float((entities * middles).sum()), 1e-9)
    chosen = cap is None
    if cap is None:
        for place in range(1, len(noisy)):
            cap = largest_of_bucket(place)
            lost = float((entities * np.maximum(middles - cap, 0)).sum()) / total
            if lost <= _LOST:
                break
    assert cap is not None
    beyond = middles > cap
    lost = float((entities * np.maximum(middles - cap, 0)).sum()) / total
    owners = max(float(entities.sum()), 1e-9)
    return Cut(cap, chosen, float(entities[beyond].sum()) / owners, lost)


def rows_within(noisy: Int64, cap: int, scale: float) -> float:
    """Estimated rows, 0 where the owners, bucket by bucket and together, may well be noise."""
    middles = np.array([middle_of_bucket(i) for i in range(len(noisy))])
    owners = float(noisy[1:].sum())
    together = owners if owners > _CLEAR * scale * np.sqrt(len(noisy) - 1) else 0.0
    return max(together, float((_significant(noisy, scale) * np.minimum(middles, cap)).sum()))


# ---------------------------------------------------------------------------------------------
# Single variables
# ---------------------------------------------------------------------------------------------


def _count_single(work: Work, table: str) -> None:
    """Count every variable of a table by itself, and estimate its rows."""
    design, answers = work.design, work.answers
    price, cap = design.prices[table], answers.cuts[table].cap
    found: list[Coded] = []
    answers.domains[table] = {}
    for name, recipe in design.recipes[table].items():
        if not recipe.measured:
            continue
        contents = work.contents[table]
        values = contents.rows[name].combine_chunks()
        subject = f"{table}.{name}"
        domain = found_domain(recipe, values, contents, cap, work.purse, price.search, subject)
        answers.domains[table][name] = domain
        codec = domain.codec
        if name == design.walking[table] and domain.edges is not None:
            found += _walking(work, table, name, domain, values)
        elif domain.possible.sum() > 1:
            codes = domain.encode(values)
            found.append(Coded(variables.column(name), codec.alphabet, codes, domain.possible))
        else:  # there is nothing to be counted
            work.certain.setdefault(table, []).append(
                Conditional(
                    variables.column(name), (), (), domain.possible[None, :].astype(np.float64)
                )
            )
    found += _link_variables(work, table)
    found += _count_variables(work, table)
    scale = float(cap / np.sqrt(2 * price.one)) if found else 0.0
    noisy = [
        one_way(work.purse, f"{table}: {v.name}", v.codes, v.possible, cap, price.one)
        for v in found
    ]
    whole = [(v, counts) for v, counts in zip(found, noisy, strict=True) if v.shown is None]
    if whole:
        weights = [1 / v.possible.sum() for v, _ in whole]
        estimates = [counts.sum() for _, counts in whole]
        answers.rows[table] = float(np.average(estimates, weights=weights))
    answers.rows[table] = max(1.0, answers.rows[table])
    pair_scale = _pair_scale(design, table, cap)
    work.own[table] = [
        _variable(v, counts, answers.rows[table], scale, pair_scale)
        for v, counts in zip(found, noisy, strict=True)
    ]


def _walking(work: Work, table: str, name: str, domain: Domain, values: pa.Array) -> list[Coded]:
    """The time of siblings: that of the first, and the gaps of the others."""
    cap, price = work.answers.cuts[table].cap, work.design.prices[table]
    codes = domain.encode(values)
    found = walked(
        domain, values, codes, work.contents[table], cap, work.purse, price.search.rho,
        f"{table}.{name}",
    )  # fmt: skip
    work.answers.domains[table][name] = found.domain
    alphabet = found.codec.alphabet
    gaps = np.r_[np.zeros(4, bool), np.ones(alphabet.size - 4, bool)]
    shown = np.where(found.gap == UNKNOWN, 0, found.gap).astype(np.uint16)
    return [
        Coded(variables.gap(name), alphabet, found.gap, gaps, shown),
        Coded(variables.column(name), domain.codec.alphabet, found.first, domain.possible, codes),
    ]


def _pair_scale(design: Design, table: str, cap: int) -> float:
    price = design.prices[table].pair
    return float(cap / np.sqrt(2 * price)) if price > 0 else 0.0


def _variable(
    coded: Coded, noisy: Float64, total: float, scale: float, pair_scale: float
) -> Variable:
    """The variable with its estimated counts, and as others see it where they see more of it."""
    name, alphabet, possible = coded.name, coded.alphabet, coded.possible
    part = coded.shown is not None
    rows = float(np.clip(noisy.sum(), 1.0, total)) if part else total
    counts = on_simplex(noisy, rows, possible)
    groups = groups_of(counts, possible, pair_scale, ordered=alphabet.ordered, apart=False)
    found = Variable(name, alphabet, coded.codes, possible, counts, groups, scale, part)
    if coded.shown is None:
        return found
    # Not counted in all rows: of gaps all are known but the first, of times each cell has as many.
    wide = possible.copy()
    wide[0] |= name.startswith(GAP)
    everywhere = counts.copy() if wide[0] else total * possible / max(int(possible.sum()), 1)
    everywhere[0] = max(total - rows, 0.0) if wide[0] else everywhere[0]
    groups = groups_of(everywhere, wide, pair_scale, ordered=True, apart=bool(wide[0]))
    seen = Variable(name, alphabet, coded.shown, wide, everywhere, groups, everywhere=True)
    return replace(found, seen=seen)


def _link_variables(work: Work, table: str) -> list[Coded]:
    """Which row of a public table, and whether a dealt key refers to anything."""
    found = []
    rows = work.contents[table].rows
    for fk in work.design.plan.lookups_of(table):
        theirs = work.public[fk.parent]
        up = joined(rows, fk.columns, theirs, fk.parent_columns)
        size = theirs.num_rows + 1
        codes = np.where(up >= 0, up + 1, 0 if fk.nullable else UNKNOWN).astype(np.uint16)
        possible = np.ones(size, bool)
        possible[0] = fk.nullable
        if possible.sum() > 1:
            found.append(Coded(variables.link(fk), Alphabet(size, ordered=False), codes, possible))
    for fk in work.design.plan.dealt_of(table):
        present = np.ones(rows.num_rows, bool)
        for column in fk.columns:
            present &= rows[column].is_valid().to_numpy()
        if work.design.ownership.way_to(fk):
            codes = np.where(present, 1 + _own_ancestor(work, fk), 0).astype(np.uint16)
            possible = np.array([fk.nullable, True, True])
            found.append(Coded(presence_of(fk), Alphabet(3, ordered=False), codes, possible))
        elif fk.nullable:
            one = variables.FIRST_DEPTH if fk.parent == table else 1
            possible = np.zeros(one + 1, bool)
            possible[[0, one]] = True
            codes = (present * one).astype(np.uint16)
            found.append(Coded(presence_of(fk), Alphabet(one + 1, ordered=True), codes, possible))
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


def _count_variables(work: Work, table: str) -> list[Coded]:
    """How many rows of each owned table a row owns."""
    found = []
    for child, fk in work.design.ownership.owner.items():
        if fk.parent != table or child in work.answers.unseen:
            continue
        edges = count_edges(work.answers.cuts[child].cap)
        codec = work.answers.counters[fk] = codec_of_edges(COUNTER, edges, 1.0)
        counts = np.bincount(
            work.contents[child].parent, minlength=len(work.contents[table].entity)
        )
        cells = np.searchsorted(edges, counts, side="right") - 1
        codes = (4 + np.clip(cells, 0, len(edges) - 2)).astype(np.uint16)
        possible = np.r_[np.zeros(4, bool), np.ones(len(edges) - 1, bool)]
        found.append(Coded(variables.count(fk), codec.alphabet, codes, possible))
    return found


def count_edges(cap: int) -> Float64:
    """Edges of numbers of children up to a cap: each by itself, then ever wider cells."""
    single = np.arange(min(cap, _SINGLE_COUNTS) + 1.0)
    wide = np.geomspace(_SINGLE_COUNTS, max(cap, _SINGLE_COUNTS + 1), 24)
    found = np.unique(np.floor(np.concatenate([single, wide])))
    return np.append(found[found <= cap], cap + 1.0)


# ---------------------------------------------------------------------------------------------
# Pairs
# ---------------------------------------------------------------------------------------------


def _count_pairs(work: Work, table: str) -> None:
    """Choose the pairs of a table, count them, and turn all counts into how rows are drawn."""
    design, answers = work.design, work.answers
    price, cap, own = design.prices[table], answers.cuts[table].cap, work.own[table]
    scale = _pair_scale(design, table, cap)
    edges = [Edge(v, None) for v in own]
    if scale > 0:
        known = _known(work, table, scale)
        name = design.walking[table]
        after = {} if name is None else {variables.column(name): variables.gap(name)}
        edges = grown_tree(own, known, work.purse, cap, price.choice, scale, table, after)
    pairs = []
    for edge in edges:
        if edge.given is None:
            continue
        exact = joint(edge.variable, edge.given)
        subject = f"{table}: {edge.variable.name} given {edge.given.name}"
        noisy = work.purse.counts(subject, exact.ravel(), cap, price.pair)
        pairs.append(Pair(edge, noisy.reshape(exact.shape).astype(np.float64)))
    found = estimate(own, pairs, scale, answers.rows[table])
    drawn = [conditional(edge, found) for edge in edges]
    answers.models[table] = Conditionals((*work.certain.get(table, ()), *drawn))
    answers.pairs[table] = tuple(
        (e.variable.name, e.given.name if e.given else None) for e in edges
    )
    work.own[table] = [settled(v, found.margins) for v in own]
    _keep_shares(work, table)


def _keep_shares(work: Work, table: str) -> None:
    """What the frame has to know beside the engine: numbers of children, and NULLs of keys."""
    by_name = {v.name: v for v in work.own[table]}
    for fk in work.design.ownership.owner.values():
        if fk.parent == table and fk.child not in work.answers.unseen:
            work.answers.counts[fk] = by_name[variables.count(fk)].counts[4:]
    for fk in work.design.plan.dealt_of(table):
        variable = by_name.get(presence_of(fk))
        if variable is not None:
            total = max(float(variable.counts.sum()), 1e-9)
            linked = float(variable.counts[1:].sum())
            work.answers.present[fk] = linked / total
            same = float(variable.counts[2:3].sum()) / max(linked, 1e-9)
            if work.design.ownership.way_to(fk) and min(same, linked / total) >= _ALWAYS:
                work.answers.followed.append(fk)


def _known(work: Work, table: str, scale: float) -> list[Variable]:
    """What a row knows before it is drawn: its parent and the parent's, its place, its sibling."""
    key = work.design.ownership.owner.get(table)
    if key is None:
        return []
    contents, rows = work.contents[table], work.answers.rows[table]
    up = contents.parent
    found = [_seen(v.shown, variables.of_parent(v.name), v.shown.codes[up], rows, scale)
             for v in work.own[key.parent]]  # fmt: skip
    above = work.design.ownership.owner.get(key.parent)
    if above is not None:
        further = work.contents[key.parent].parent[up]
        for v in (v.shown for v in work.own[above.parent]):
            name = variables.of_parent(variables.of_parent(v.name))
            found.append(_seen(v, name, v.codes[further], rows, scale))
    place = rank_in_group(up)
    position = np.minimum(place, variables.LAST_POSITION).astype(np.uint16)
    found.append(_position(work, key, position, scale))
    parents = max(float(work.answers.counts[key][1:].sum()), 1.0)
    before = np.where(place > 0, np.arange(len(up)) - 1, -1)
    for v in (v.shown for v in work.own[table]):
        if not v.name.startswith("count:"):
            last = np.append(np.where(v.codes == UNKNOWN, 0, v.codes), 0)[before].astype(np.uint16)
            counts = v.counts.copy()
            counts[0] += parents
            seen = replace(
                v, possible=v.possible | (np.arange(len(v.possible)) == 0), counts=counts
            )
            found.append(_seen(seen, variables.previous(v.name), last, rows, scale, apart=True))
    return found


def _seen(
    v: Variable, name: str, codes: Codes, rows: float, scale: float, *, apart: bool = False
) -> Variable:
    """A variable as the rows of another table know it, in groups that suit their number."""
    counts = v.counts * rows / max(float(v.counts.sum()), 1e-9)
    groups = groups_of(counts, v.possible, scale, ordered=v.alphabet.ordered, apart=apart)
    return Variable(name, v.alphabet, codes, v.possible, counts, groups)


def _position(work: Work, key: ForeignKey, position: Codes, scale: float) -> Variable:
    """The place of a row among its siblings; how many rows have which follows from the counts."""
    cells = work.answers.counts[key]
    edges = count_edges(work.answers.cuts[key.child].cap)
    middles = (edges[:-1] + edges[1:] - 1) / 2
    size = variables.POSITION_ALPHABET.size
    counts = np.array([float(cells[middles > place].sum()) for place in range(size)])
    counts[-1] = float((cells * np.maximum(middles - size + 1, 0)).sum())
    possible = np.ones(size, bool)
    groups = groups_of(counts, possible, scale, ordered=True, apart=True)
    return Variable(
        variables.POSITION, variables.POSITION_ALPHABET, position, possible, counts, groups
    )
