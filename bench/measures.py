"""How faithful a clone is, measured on rows in memory.

Similarities go from 0 to 1, 1 is best.  Detectors give the area under the ROC curve: .5 where
nothing tells a clone from its source, 1 where a row suffices.  Every figure needs its *floor*, the
same figure for real against real: the source is cut into two halves that share no entity, and the
second half takes the place of the clone.  So a measure takes two sides of like size: the first half
of the source, and either its second half or the half of the clone that answers to it.

Definitions, in the words of the papers:

- shapes, pairs, cardinality: KSComplement, TVComplement, ContingencySimilarity and
  CardinalityShapeSimilarity of SDMetrics (https://docs.sdv.dev/sdmetrics).
- hops: pairs of a column and one of an ancestor's, as ClavaDDPM (Pang et al., NeurIPS 2024,
  arXiv:2405.17724) reports long-range dependency.
- detectors: classifier two-sample tests (Lopez-Paz and Oquab, ICLR 2017, arXiv:1610.06545), on the
  rows of a table, and on parents with aggregated children as SyntheRela proposed (Hudovernik et
  al., arXiv:2410.03411).
- copies: rows that repeat a real row, beside real rows that repeat one of the other half.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from bench.rows import CATEGORY, TIME, Hashes, Rows, mixed
from dbsynth.schema import ForeignKey

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

BINS = 10
LEVELS = 50
FOLDS = 3
QUANTILES = 24
MOST_ROWS = 4_000
FEWEST_ROWS = 30
SPREAD = ("std", "min", "max")


@dataclass(frozen=True)
class Side:
    """Some rows of every table.

    Attributes:
        kept: Which rows of each table are on this side.
        columns: The columns to measure; those of the source, also on the side of a clone.
    """

    rows: Rows
    kept: Mapping[str, Flags]
    columns: Mapping[str, Mapping[str, str]]

    def frame(self, table: str) -> pd.DataFrame:
        """The measured columns of the rows of this side."""
        return self.rows.frames[table].loc[self.kept[table], list(self.columns[table])]


def whole(rows: Rows, source: Rows) -> Side:
    """All rows of a database, in the columns that are measured in the source."""
    kept = {table: np.ones(len(frame), bool) for table, frame in rows.frames.items()}
    return Side(rows, kept, source.columns)


def sides(source: Rows, clone: Rows) -> tuple[Side, Side, Side]:
    """The first half of the source, its second half, and the half of the clone to stand for it."""
    columns = source.columns
    first = {table: source.first_half(table) for table in columns}
    answer = {table: ~clone.first_half(table) for table in columns}
    return (
        Side(source, first, columns),
        Side(source, {table: ~flags for table, flags in first.items()}, columns),
        Side(clone, answer, columns),
    )


# Columns and pairs of columns


def shapes(real: Side, other: Side) -> dict[str, float]:
    """Similarity of each column's distribution: the worse of its values' and its NULLs'."""
    return {
        f"{table}.{name}": shape(real.frame(table)[name], other.frame(table)[name], sort)
        for table, columns in real.columns.items()
        for name, sort in columns.items()
        if real.kept[table].any()
    }


def shape(real: pd.Series, other: pd.Series, sort: str) -> float:
    """1 - Kolmogorov-Smirnov statistic of numbers, or 1 - total variation of categories."""
    nulls = 1 - abs(real.isna().mean() - other.isna().mean()) if len(other) else 0.0
    a, b = real.dropna(), other.dropna()
    if a.empty or b.empty:
        return float(nulls) if a.empty == b.empty else 0.0
    if sort == CATEGORY:
        shares = pd.concat([s.value_counts(normalize=True) for s in (a, b)], axis=1).fillna(0)
        return float(min(nulls, 1 - shares.iloc[:, 0].sub(shares.iloc[:, 1]).abs().sum() / 2))
    return float(min(nulls, 1 - kolmogorov_smirnov(a.to_numpy(), b.to_numpy())))


def kolmogorov_smirnov(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """The largest distance between two empirical distribution functions."""
    points = np.union1d(a, b)
    shares = [np.searchsorted(np.sort(x), points, side="right") / len(x) for x in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def pairs(real: Side, other: Side) -> dict[str, float]:
    """Similarity of the two-way table of every pair of columns of one table.

    Numbers are cut at the real deciles, so that also bent relations count, which a correlation
    would miss.
    """
    found = {}
    for table, columns in real.columns.items():
        coded = _coded(real.frame(table), other.frame(table), columns)
        for a, b in itertools.combinations(coded, 2):
            found[f"{table}.{a} ~ {b}"] = contingency(coded[a], coded[b])
    return found


@dataclass(frozen=True)
class Coded:
    """A column of both sides as small integers."""

    real: Codes
    other: Codes
    size: int


def _coded(real: pd.DataFrame, other: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, Coded]:
    if real.empty or other.empty:
        return {}
    return {name: code(real[name], other[name], sort) for name, sort in columns.items()}


def code(real: pd.Series, other: pd.Series, sort: str) -> Coded:
    """NULL is 0; numbers are numbered by real decile, categories by real frequency."""
    if sort == CATEGORY:
        levels = pd.Index(real.value_counts().index[:LEVELS])
        codes = [np.where(s.isna(), 0, 2 + levels.get_indexer(s)) for s in (real, other)]
        return Coded(codes[0], codes[1], len(levels) + 2)
    present = real.dropna().to_numpy()
    steps = np.linspace(0, 1, BINS + 1)[1:-1]
    cuts = np.unique(np.quantile(present, steps)) if len(present) else np.empty(0)
    codes = [
        np.where(s.isna(), 0, 1 + np.searchsorted(cuts, s.to_numpy(), side="right"))
        for s in (real, other)
    ]
    return Coded(codes[0], codes[1], len(cuts) + 2)


def contingency(a: Coded, b: Coded) -> float:
    """1 - total variation distance of two two-way tables."""
    cells = a.size * b.size
    tables = [
        np.bincount(x * b.size + y, minlength=cells) / len(x)
        for x, y in ((a.real, b.real), (a.other, b.other))
    ]
    return float(1 - np.abs(tables[0] - tables[1]).sum() / 2)


# Keys


def cardinality(source: Rows, clone: Rows) -> dict[str, float]:
    """1 - Kolmogorov-Smirnov statistic of the children per parent, of whole tables."""
    return {
        str(fk): 1 - kolmogorov_smirnov(source.counts(fk), clone.counts(fk))
        for fk in source.schema.foreign_keys
        if len(source.frames[fk.parent]) and len(clone.frames[fk.parent])
    }


def paths(source: Rows, length: int) -> Iterator[tuple[ForeignKey, ...]]:
    """Chains of foreign keys from a child upwards, no key twice."""
    chains: list[tuple[ForeignKey, ...]] = [(fk,) for fk in source.schema.foreign_keys]
    for _ in range(length - 1):
        chains = [
            (*chain, fk)
            for chain in chains
            for fk in source.schema[chain[-1].parent].foreign_keys
            if fk not in chain
        ]
    yield from chains


def hops(real: Side, other: Side, length: int) -> dict[str, float]:
    """Mean similarity, for each path, of the pairs (column of a row, column of its ancestor)."""
    found = {}
    for path in paths(real.rows, length):
        child, top = path[0].child, path[-1].parent
        below = [_joined(side, path) for side in (real, other)]
        lower = _coded(below[0][0], below[1][0], real.columns[child])
        upper = _coded(below[0][1], below[1][1], real.columns[top])
        scores = [contingency(a, b) for a in lower.values() for b in upper.values()]
        if scores:
            found[
                " -> ".join((child, *(f"{fk.parent} ({', '.join(fk.columns)})" for fk in path)))
            ] = float(np.mean(scores))
    return found


def _joined(side: Side, path: tuple[ForeignKey, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of this side that have an ancestor along the path, and the ancestors."""
    child, top = path[0].child, path[-1].parent
    here = np.flatnonzero(side.kept[child])
    there = here
    for fk in path:
        there = np.where(there >= 0, side.rows.links[fk][np.maximum(there, 0)], -1)
    here, there = here[there >= 0], there[there >= 0]
    return (
        side.rows.frames[child][list(side.columns[child])].iloc[here],
        side.rows.frames[top][list(side.columns[top])].iloc[there],
    )


# Detectors


@dataclass(frozen=True)
class Contest:
    """Two sets of rows that a classifier shall tell apart, with the entity of each row."""

    real: pd.DataFrame
    other: pd.DataFrame
    real_entities: Hashes
    other_entities: Hashes

    @property
    def rows(self) -> int:
        """Rows that each side brings."""
        return min(len(self.real), len(self.other), MOST_ROWS)


def row_contest(real: Side, other: Side, table: str) -> Contest:
    """The rows of one table by themselves."""
    features = _numbers(real.frame(table), other.frame(table), real.columns[table])
    return _contest(real, other, table, features)


def family_contest(real: Side, other: Side, table: str, *, spread: bool) -> Contest:
    """The rows of a parent with aggregates of their children.

    Args:
        spread: Besides counts, means and distinct categories, also what a mean is blind to: the
            standard deviation, the extremes and the mean step from one child to the next, in the
            order of their first time, else of their key; and the same of times, counted from the
            first time of the parent.
    """
    own = _numbers(real.frame(table), other.frame(table), real.columns[table])
    both = []
    for side, frame in zip((real, other), own, strict=True):
        made = [aggregates(side, fk, spread=spread) for fk in real.rows.children(table)]
        kept = [part[side.kept[table]].set_index(frame.index) for part in made]
        both.append(pd.concat([frame, *kept], axis=1))
    return _contest(real, other, table, (both[0], both[1][both[0].columns]))


def _contest(
    real: Side, other: Side, table: str, features: tuple[pd.DataFrame, pd.DataFrame]
) -> Contest:
    entities = [side.rows.entities(table)[side.kept[table]] for side in (real, other)]
    return Contest(*features, *entities)


def _numbers(
    real: pd.DataFrame, other: pd.DataFrame, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames as numbers: a category becomes its rank by real frequency."""
    made: list[dict[str, Any]] = [{}, {}]
    for name, sort in columns.items():
        levels = pd.Index(real[name].value_counts().index) if sort == CATEGORY else None
        for into, frame in zip(made, (real, other), strict=True):
            values = frame[name]
            if levels is None:
                into[name] = values.to_numpy(float)
            else:
                ranks = levels.get_indexer(values).astype(float)
                unseen = np.where(ranks < 0, len(levels), ranks)
                into[name] = np.where(values.isna(), np.nan, unseen)
    return pd.DataFrame(made[0], index=real.index), pd.DataFrame(made[1], index=other.index)


def aggregates(side: Side, fk: ForeignKey, *, spread: bool) -> pd.DataFrame:
    """Aggregates of the children along one key, a row for each row of the parent table."""
    rows, link = side.rows, side.rows.links[fk]
    parents, columns = len(rows.frames[fk.parent]), side.columns[fk.child]
    kept = np.flatnonzero(link >= 0)
    frame, groups = rows.frames[fk.child].iloc[kept], link[kept]
    times = [name for name, sort in columns.items() if sort == TIME]
    if times:
        order = np.lexsort((frame[times[0]].to_numpy(), groups))
        frame, groups = frame.iloc[order], groups[order]
    elapsed = _elapsed(side, fk, frame[times], groups)
    numbers = frame[[n for n, sort in columns.items() if sort not in (TIME, CATEGORY)]]
    texts = frame[[n for n, sort in columns.items() if sort == CATEGORY]]
    made = [
        pd.DataFrame({"count": rows.counts(fk)}, index=range(parents)),
        _aggregate(texts, groups, "nunique", parents).fillna(0),
        _aggregate(numbers, groups, "mean", parents),
    ]
    if spread:
        made += [_aggregate(numbers, groups, how, parents) for how in (*SPREAD, "step")]
        made += [_aggregate(elapsed, groups, how, parents) for how in ("mean", *SPREAD, "step")]
    whole = pd.concat(made, axis=1)
    label = f"{fk.child}({', '.join(fk.columns)})"
    whole.columns = [f"{label} {name}" for name in whole.columns]
    return whole


def _elapsed(side: Side, fk: ForeignKey, times: pd.DataFrame, groups: Codes) -> pd.DataFrame:
    """Times since the first time column of the parent, where it has one."""
    for name, sort in side.columns[fk.parent].items():
        if sort == TIME:
            return times.sub(side.rows.frames[fk.parent][name].to_numpy()[groups], axis=0)
    return times


def _aggregate(frame: pd.DataFrame, groups: Codes, how: str, parents: int) -> pd.DataFrame:
    if frame.shape[1] == 0:
        return pd.DataFrame(index=range(parents))
    if how == "step":
        found = frame.groupby(groups).diff().abs().groupby(groups).mean()
    else:
        found = getattr(frame.groupby(groups), how)()
    return found.reindex(range(parents)).add_suffix(f" {how}").astype(float)


def detect(contest: Contest, seed: int = 0) -> float | None:
    """Area under the curve of gradient boosting on rows it has not seen; None with too few rows.

    Folds keep the rows of an entity together; otherwise the classifier knows single entities again
    and tells even two real halves apart.
    """
    areas = [
        _area(held.labels, _boosted(seen, seed).predict_proba(held.features)[:, 1])
        for seen, held in _folds(contest, seed)
    ]
    return float(np.mean(areas)) if areas else None


@dataclass(frozen=True)
class Telltale:
    """What one feature says about whether a row is real.

    Attributes:
        alone: The area under the curve of the share of real rows in each of its quantile bins.
        lost: The area that a classifier of all features loses when this one is shuffled among the
            held-out rows (permutation importance: Breiman, Random Forests, 2001).  Small where
            other features say the same.
    """

    feature: str
    alone: float
    lost: float


def telltales(contest: Contest, seed: int = 0) -> list[Telltale]:
    """What each feature gives away, the most telling first."""
    names = list(contest.real.columns)
    alone, lost = np.zeros(len(names)), np.zeros(len(names))
    dice = np.random.default_rng(seed)
    for seen, held in _folds(contest, seed):
        model = _boosted(seen, seed)
        area = _area(held.labels, model.predict_proba(held.features)[:, 1])
        for number in range(len(names)):
            alone[number] += _alone(seen, held, number) / FOLDS
            shuffled = held.features.copy()
            shuffled[:, number] = dice.permutation(shuffled[:, number])
            worse = _area(held.labels, model.predict_proba(shuffled)[:, 1])
            lost[number] += (area - worse) / FOLDS
    found = [Telltale(name, float(alone[i]), float(lost[i])) for i, name in enumerate(names)]
    return sorted(found, key=lambda told: -told.alone)


@dataclass(frozen=True)
class Labelled:
    """Rows of both sides, labelled 1 where they are real."""

    features: npt.NDArray[Any]
    labels: npt.NDArray[Any]


def _folds(contest: Contest, seed: int) -> Iterator[tuple[Labelled, Labelled]]:
    """Rows to learn from and rows to be judged on, fold by fold."""
    rows = contest.rows
    if rows < FEWEST_ROWS or contest.real.shape[1] == 0:
        return
    features, labels, fold = [], [], []
    for label, frame, entities in (
        (1, contest.real, contest.real_entities),
        (0, contest.other, contest.other_entities),
    ):
        some = np.argsort(mixed(np.arange(len(frame), dtype=np.uint64), seed))[:rows]
        features.append(frame.to_numpy(float)[some])
        labels.append(np.full(rows, label))
        codes, distinct = pd.factorize(entities[some])
        fold.append(np.random.default_rng(seed).permutation(len(distinct))[codes] % FOLDS)
    x, y, folds = _filled(np.vstack(features)), np.concatenate(labels), np.concatenate(fold)
    for number in range(FOLDS):
        seen, held = folds != number, folds == number
        if all(len(np.unique(y[part])) == 2 for part in (seen, held)):
            yield Labelled(x[seen], y[seen]), Labelled(x[held], y[held])


def _boosted(seen: Labelled, seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=80,
        max_leaf_nodes=15,
        min_samples_leaf=int(np.clip(len(seen.labels) // 30, 5, 20)),
        early_stopping=False,
        random_state=seed,
    ).fit(seen.features, seen.labels)


def _alone(seen: Labelled, held: Labelled, number: int) -> float:
    values = seen.features[:, number]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, QUANTILES + 1)[1:-1]))
    # Both ends of every edge, so that a heavy value has a bin of its own.
    cuts = np.unique(np.concatenate([edges, np.nextafter(edges, np.inf)]))
    bins = np.searchsorted(cuts, values, side="right")
    real = np.bincount(bins, weights=seen.labels, minlength=len(cuts) + 1)
    share = (real + 1) / (np.bincount(bins, minlength=len(cuts) + 1) + 2)
    return _area(held.labels, share[np.searchsorted(cuts, held.features[:, number], side="right")])


def _filled(features: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """NULL as a number below all others: a tree can part it, also where a fold has nothing else."""
    lowest = np.fmin.reduce(features, axis=0)
    return np.where(np.isnan(features), np.nan_to_num(lowest) - 1, features)


def _area(labels: npt.NDArray[Any], scores: npt.NDArray[Any]) -> float:
    return float(roc_auc_score(labels, scores))


# Copies


def copies(real: Side, other: Side) -> dict[str, float]:
    """Share of the rows of each table that equal a row of the real side in all that is measured.

    Against half of the source a verbatim copy has 50 % or a little more, and its floor is the share
    of real rows that have an equal in the other half; against all of it a copy has 100 %.
    """
    found = {}
    for table, columns in real.columns.items():
        if len(columns) > 1 and real.kept[table].any() and other.kept[table].any():
            known, asked = (_row_hashes(side.frame(table)) for side in (real, other))
            found[table] = float(np.isin(asked, known).mean())
    return found


def _row_hashes(frame: pd.DataFrame) -> Hashes:
    texts = frame.astype(object).where(frame.notna(), "").astype(str)
    return pd.util.hash_pandas_object(texts, index=False).to_numpy()


# All of it


def measure(source: Rows, real: Side, other: Side, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Every measure of one side against the first half of the source, by name and subject."""
    tables = [table for table, columns in real.columns.items() if columns]
    parents = list(dict.fromkeys(fk.parent for fk in source.schema.foreign_keys))
    return {
        "shapes": shapes(real, other),
        "pairs": pairs(real, other),
        "cardinality": cardinality(source, other.rows),
        "1-hop": hops(real, other, 1),
        "2-hop": hops(real, other, 2),
        "C2ST": {t: detect(row_contest(real, other, t), seed) for t in tables},
        "C2ST-Agg": {
            t: detect(family_contest(real, other, t, spread=False), seed) for t in parents
        },
        "Agg+": {t: detect(family_contest(real, other, t, spread=True), seed) for t in parents},
        "copies": copies(real, other if other.rows is source else whole(other.rows, source)),
        "copies of any": copies(whole(source, source), whole(other.rows, source)),
    }
