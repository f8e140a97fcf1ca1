"""Functional dependencies between coded columns, minimal and beyond coincidence.

Rows of one entity (a family) may repeat a fact without proving anything, so a case is a pair of
entity and values, counted once.  `docs/decisions` derives the bound.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dbsynth.rules.base import Bool, Float64, Int64, Place

CERTAIN = 1e-6  # chance of one false rule among all candidates of a table
FEWEST_CASES = 99  # none broken: with 95 % confidence fewer than 3 % of all would be
MOST_EXCEPTIONS = 0.005  # of all cases
MOST_BROKEN = 0.02  # of the cases that independent columns would break
_COVERED = 0.9  # share of the rows whose determinant is named in the map
_KNOWN = 0.9  # share of the rows whose value has a code of its own
_MOST_JOINT = 4_000_000  # cells of a contingency table that is counted directly
_MOST_WORK = 150_000_000  # rows times candidates looked at in the first pass
_SAMPLE = 20_000
_JUDGED = 200_000  # rows that suffice to judge a candidate
_LOOSE = 0.95  # share of pairs in the sample that agree, below which a candidate is dropped
_FEWEST_PAIRS = 40
_MOST_COLUMNS = 100  # of a wide table, the first ones
_TOLD = 0.02  # share of the disagreement that one half of a pair must explain by itself
_PARTNERS = 6  # halves tried per dependent column


@dataclass(frozen=True)
class Coded:
    """A column whose codes name values.

    Attributes:
        codes: 0 for NULL.
        size: One more than the largest code.
        known: Rows whose code names their very value; None for all.
        derivable: Whether it may depend on others; ancestors' columns only determine.
        outline: The same, with all numbers but 0 taken for one; None for a column without numbers.
    """

    codes: Int64
    size: int
    known: Bool | None = None
    derivable: bool = True
    outline: Int64 | None = None


@dataclass(frozen=True, slots=True)
class Dependence:
    """That some columns determine another one.

    Attributes:
        of: Cases that could have broken it.
        held: Those that did not.
    """

    determinants: tuple[Place, ...]
    dependent: Place
    held: int
    of: int


def beyond_chance(
    surprise: float, cases: float, exceptions: int, tried: int, least: float = FEWEST_CASES
) -> bool:
    """Whether independent columns would show so few exceptions in fewer than 1 of a million runs.

    Args:
        surprise: Minus the logarithm of the probability that they show none.
        cases: Expected exceptions of independent columns.
        tried: Candidates that were looked at (Bonferroni).
        least: Expected exceptions that are enough to go by.
    """
    if cases < least or exceptions > MOST_BROKEN * cases:
        return False
    room = exceptions * (np.log(max(cases, 1) / max(exceptions, 1)) + 1) if exceptions else 0.0
    return bool(surprise - room > np.log(max(tried, 1) / CERTAIN))


def mine_dependencies(
    columns: Mapping[Place, Coded], entities: Int64, least: int
) -> tuple[Dependence, ...]:
    """The functional dependencies of a table: single columns first, pairs where none does.

    Args:
        entities: The entity of every row.
        least: Entities that must share a determinant's value before a map may name it.
    """
    known = [name for name, column in columns.items() if _is_known(column)][:_MOST_COLUMNS]
    usable: Mapping[Place, Coded] = {name: columns[name] for name in known}
    causes = [n for n, c in usable.items() if c.size > 2 and _repeats(c, entities, least)]
    effects = [n for n in usable if usable[n].derivable and len(np.unique(usable[n].codes)) > 1]
    if not len(entities):
        return ()
    tried = max(1, len(causes) * len(effects) * max(1, len(causes)))
    usable, entities = _thinned(usable, entities)
    sample = _sample(len(entities), len(causes) * len(effects))
    purity = {
        (a, c): _purity([usable[a].codes[sample]], [usable[a].size], usable[c], sample)
        for a, c in itertools.product(causes, effects)
        if a != c
    }
    found = {
        (a, c): evidence
        for (a, c), (pure, _) in purity.items()
        if pure >= _LOOSE
        and not _outlined(usable[a], usable[c], sample)
        and (evidence := judged([usable[a]], usable[c], entities, least, tried))
    }
    chosen = list(_minimal(found, usable, list(columns)))
    settled = {rule.dependent for rule in chosen}
    for c in effects:
        told = (a for a in causes if a != c and _outlined(usable[a], usable[c], sample))
        if c in settled or any(dependent == c for _, dependent in found) or any(told):
            continue
        partners = sorted(
            (a for a in causes if a != c and _told(purity[a, c]) > _TOLD),
            key=lambda a: (-_told(purity[a, c]), a),  # used at once
        )[:_PARTNERS]
        pairs = sorted(itertools.combinations(partners, 2), key=lambda p: _joint_size(p, usable))
        for pair in pairs:
            codes, sizes = [usable[a].codes[sample] for a in pair], [usable[a].size for a in pair]
            if _circular(chosen, pair, c) or _purity(codes, sizes, usable[c], sample)[0] < _LOOSE:
                continue
            evidence = judged([usable[a] for a in pair], usable[c], entities, least, tried)
            if evidence:
                chosen.append(Dependence(tuple(a for a in causes if a in pair), c, *evidence))
                break
    return tuple(chosen)


def _outlined(cause: Coded, effect: Coded, rows: Int64) -> bool:
    """Whether all that counts is if a number is 0: an implication says that more plainly."""
    if cause.outline is None or cause.size <= 3:
        return False
    return _purity([cause.outline[rows]], [3], effect, rows)[0] >= 1 - MOST_EXCEPTIONS


def _thinned(
    columns: Mapping[Place, Coded], entities: Int64
) -> tuple[Mapping[Place, Coded], Int64]:
    """The rows of every so many entities, where there are more rows than a judgement needs."""
    step = len(entities) // _JUDGED + 1
    if step == 1:
        return columns, entities
    chosen = np.flatnonzero(entities % step == 0)
    taken = {name: _taken(column, chosen) for name, column in columns.items()}
    return taken, entities[chosen]


def _taken(column: Coded, rows: Int64) -> Coded:
    known = None if column.known is None else column.known[rows]
    outline = None if column.outline is None else column.outline[rows]
    return replace(column, codes=column.codes[rows], known=known, outline=outline)


def _is_known(column: Coded) -> bool:
    return column.known is None or bool(column.known.sum() >= _KNOWN * len(column.known))


def _joint_size(names: Sequence[Place], columns: Mapping[Place, Coded]) -> int:
    return int(np.prod([columns[name].size for name in names], dtype=float))


def _told(
    purity: tuple[float, float],
) -> float:
    """Share of the disagreement among all rows that a column explains; 0 on average by chance."""
    agree, overall = purity
    return (agree - overall) / max(1 - overall, 1e-9)


def _sample(rows: int, candidates: int) -> Int64:
    """Rows of the first pass, evenly spread by a stride that shares no factor with families."""
    wanted = int(min(_SAMPLE, max(2_000, _MOST_WORK // max(candidates, 1))))
    if rows <= wanted:
        return np.arange(rows)
    return np.unique((np.arange(wanted) * (rows / wanted)).astype(np.int64))


def combine(codes: Sequence[Int64], sizes: Sequence[int]) -> Int64:
    """One number for every tuple of codes; 0 where one of them is NULL."""
    total = np.zeros(len(codes[0]), np.int64)
    absent = np.zeros(len(codes[0]), bool)
    for part, size in zip(codes, sizes, strict=True):
        total = total * size + part
        absent |= part == 0
    return np.where(absent, 0, total)


def _compact(codes: Int64) -> Int64:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _purity(
    causes: Sequence[Int64], sizes: Sequence[int], effect: Coded, rows: Int64
) -> tuple[float, float]:
    """Share of the pairs of rows that agree, within groups and at all; 0 where there are few."""
    joined = combine(causes, sizes)
    keep = joined > 0
    if effect.known is not None:
        keep &= effect.known[rows]
    joined, ours = joined[keep], effect.codes[rows][keep]
    if not len(ours):
        return 0.0, 0.0
    table, groups = _contingency(joined, ours)
    count = table[2].astype(np.float64)
    rows_of = np.bincount(table[0], weights=count, minlength=groups)
    pairs = float((rows_of * (rows_of - 1)).sum())
    if pairs < _FEWEST_PAIRS:
        return 0.0, 0.0
    shares = np.bincount(ours) / len(ours)
    return float((count * (count - 1)).sum()) / pairs, float((shares**2).sum())


def _contingency(groups: Int64, codes: Int64) -> tuple[tuple[Int64, Int64, Int64], int]:
    """Group, code and count of every cell that occurs, by group; and the number of groups."""
    groups = _compact(groups) if groups.max(initial=0) > 4 * len(groups) else groups
    wide, high = int(codes.max(initial=0)) + 1, int(groups.max(initial=0)) + 1
    if wide * high <= max(_MOST_JOINT, 4 * len(groups)) and wide * high <= 64 * len(groups) + 4096:
        counts = np.bincount(groups * wide + codes, minlength=wide * high)
        cells = np.flatnonzero(counts)
        return (cells // wide, cells % wide, counts[cells]), high
    cells, counts = np.unique(groups * wide + codes, return_counts=True)
    return (cells // wide, cells % wide, counts), high


def _best_of_groups(table: tuple[Int64, Int64, Int64]) -> Int64:
    group, _, count = table
    if not len(group):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    return np.asarray(np.maximum.reduceat(count, starts), np.int64)


def _repeats(column: Coded, entities: Int64, least: int) -> bool:
    """Whether most rows have a value that several entities share: no key and no near-key."""
    keep = column.codes > 0
    if column.known is not None:
        keep &= column.known
    if keep.sum() < 2 * least:
        return False
    counts = _entities_per_code(column.codes[keep], entities[keep])
    return bool(np.mean(counts[column.codes[keep]] >= least) >= _COVERED)


def _entities_per_code(codes: Int64, entities: Int64) -> Int64:
    return np.bincount(cases(codes, entities)[0])


def cases(codes: Int64, entities: Int64) -> tuple[Int64, Int64]:
    """Every pair of code and entity once: the codes, and a row that has it."""
    pair = codes * (int(entities.max(initial=0)) + 1) + entities
    _, first = np.unique(pair, return_index=True)
    return codes[first], first


def judged(
    causes: Sequence[Coded], effect: Coded, entities: Int64, least: int, tried: int
) -> tuple[int, int] | None:
    """Cases that held, and cases; None where that is no rule."""
    joined = combine([c.codes for c in causes], [c.size for c in causes])
    keep = joined > 0
    for column in (*causes, effect):
        if column.known is not None:
            keep &= column.known
    if keep.sum() < FEWEST_CASES:
        return None
    joined, ours = _compact(joined[keep]), effect.codes[keep]
    size = int(ours.max()) + 1
    both, _ = cases(joined * size + ours, entities[keep])
    table, groups = _contingency(both // size, both % size)
    per_group = np.bincount(table[0], weights=table[2], minlength=groups).astype(np.float64)
    shared = np.bincount(joined, minlength=groups)
    if shared[per_group >= least].sum() < _COVERED * shared.sum():
        return None
    of = int(per_group.sum() - (per_group > 0).sum())
    exceptions = int(per_group.sum() - _best_of_groups(table).sum())
    if exceptions > MOST_EXCEPTIONS * max(of, 1):
        return None
    whole = np.zeros(groups, np.int64)
    halves = [whole] if len(causes) == 1 else [
        _half_of_group(c.codes[keep], joined, groups) for c in causes
    ]  # fmt: skip
    # Each half of a pair has to add to the other what the other's values do not tell.
    for half in halves:
        surprise, expected = _given(half, table, per_group)
        if not beyond_chance(surprise, expected, exceptions, tried):
            return None
    return of - exceptions, of


def _half_of_group(codes: Int64, groups: Int64, count: int) -> Int64:
    """The value of one determinant in every group of a pair."""
    found = np.zeros(count, np.int64)
    found[groups] = _compact(codes)
    return found


def _given(half: Int64, table: tuple[Int64, Int64, Int64], sizes: Float64) -> tuple[float, float]:
    """How surprising pure groups are, and how many breaks one expects, if only the half told."""
    group, code, count = table
    high, wide = int(half.max()) + 1, int(code.max()) + 1
    cells = np.zeros((high, wide))
    np.add.at(cells, (half[group], code), count)
    surprise = expected = 0.0
    order = np.argsort(half, kind="stable")
    for value, members in enumerate(
        np.split(order, np.searchsorted(half[order], np.arange(1, high)))
    ):
        shares = cells[value][cells[value] > 0] / max(cells[value].sum(), 1)
        surprise += purely(sizes[members], shares)
        expected += float((sizes[members] - 1).clip(0).sum() * (1 - (shares**2).sum()))
    return surprise, expected


def purely(sizes: Float64 | Int64, shares: Float64) -> float:
    """Minus the log-probability that groups of such sizes, drawn by such shares, are all pure."""
    values, times = np.unique(sizes[sizes > 1], return_counts=True)
    if not len(values):
        return 0.0
    logs = values[:, None] * np.log(shares)
    top = logs.max(axis=1)
    return float(-(times * (top + np.log(np.exp(logs - top[:, None]).sum(axis=1)))).sum())


def _minimal(
    found: Mapping[tuple[Place, Place], tuple[int, int]],
    columns: Mapping[Place, Coded],
    order: Sequence[Place],
) -> Iterator[Dependence]:
    """One determinant per column, the coarsest; what follows from it follows by itself.

    Of columns that determine each other the first of the table leads.
    """
    place = {name: i for i, name in enumerate(order)}
    chosen: list[Dependence] = []
    effects = sorted({c for _, c in found}, key=lambda c: -place[c])
    for c in effects:
        distinct = {a: len(np.unique(columns[a].codes)) for a, dep in found if dep == c}
        for a in sorted(distinct, key=lambda a: (distinct[a], place[a])):
            rule = Dependence((a,), c, *found[a, c])
            if not _circular(chosen, (a,), c):
                chosen.append(rule)
                break
    yield from sorted(chosen, key=lambda rule: place[rule.dependent])


def _circular(
    chosen: Sequence[Dependence], determinants: Sequence[Place], dependent: Place
) -> bool:
    """Whether a column would follow from itself."""
    open_, seen = list(determinants), set[Place]()
    while open_:
        name = open_.pop()
        if name == dependent:
            return True
        if name not in seen:
            seen.add(name)
            open_ += [d for rule in chosen if rule.dependent == name for d in rule.determinants]
    return False


def mapped(
    causes: Sequence[Coded], effect: Coded, entities: Int64, least: int
) -> tuple[Int64, Int64]:
    """The tuples that enough entities share, as rising numbers of `combine`, and their values."""
    joined = combine([c.codes for c in causes], [c.size for c in causes])
    keep = joined > 0
    for column in (*causes, effect):
        if column.known is not None:
            keep &= column.known
    joined, ours = joined[keep], effect.codes[keep]
    if not len(ours):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    names, groups = np.unique(joined, return_inverse=True)
    size = int(ours.max()) + 1
    both, _ = cases(groups * size + ours, entities[keep])
    values, counts = np.unique(both, return_counts=True)
    order = np.lexsort((-counts, values // size))
    first = order[np.r_[True, np.diff(values[order] // size) > 0]]
    share = np.bincount(values // size, weights=counts, minlength=len(names))
    named = first[share[values[first] // size] >= least]
    return names[values[named] // size], values[named] % size


def commonest(groups: Int64, codes: Int64) -> Int64:
    """The commonest code of the group of every row; of equally common ones the smallest."""
    names, inverse = np.unique(groups, return_inverse=True)
    size = int(codes.max(initial=0)) + 1
    cells, counts = np.unique(inverse * size + codes, return_counts=True)
    order = np.lexsort((cells % size, -counts, cells // size))
    first = order[np.r_[True, np.diff(cells[order] // size) > 0]] if len(order) else order
    best = np.zeros(len(names), np.int64)
    best[cells[first] // size] = cells[first] % size
    return best[inverse]
