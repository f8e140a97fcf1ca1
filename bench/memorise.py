"""What a model remembers: fitted on half of the entities, judged against both halves.

    python bench/memorise.py URL [--seeds 2] [--json FILE]

For each table: the share of synthetic rows that equal a training row, beside that of held-out rows
that do and of synthetic rows that equal a held-out one; the first two of whole families; the share
of synthetic rows closer to the training half (.5); their distance to it in distances of real rows
(1); and how well gradient boosting tells synthetic rows from either half, beside one real half from
the other (AUC).  Synthetic rows that are harder to tell from the training half than real rows are
have been remembered too, or repeat its distribution more exactly than real rows would.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from dbsynth.memorise import Half, Sides, as_points, beyond_allowed, measure, memory_of
from dbsynth.spec import Spec

MOST = 4_000
FOLDS = 3
FEWEST = 100
Rows = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]


def auc(one: Rows, other: Rows) -> float:
    """How well two sets of rows can be told apart, by rows that were not trained on.

    Siblings share a fold: else a judge would know one by the other.
    """
    size = min(len(one[0]), len(other[0]), MOST)
    points, groups = (
        np.concatenate([side[part][:size] for side in (one, other)]) for part in (0, 1)
    )
    groups[size:] += groups.max(initial=0) + 1
    side = np.repeat([0, 1], size)
    guessed = np.zeros(len(side))
    for train, test in StratifiedGroupKFold(FOLDS).split(points, side, groups):
        judge = HistGradientBoostingClassifier(max_iter=80, random_state=0)
        judge.fit(points[train], side[train])
        guessed[test] = judge.predict_proba(points[test])[:, 1]
    return float(roc_auc_score(side, guessed))


def shuffled(points: npt.NDArray[np.float64], half: Half) -> Rows:
    """The rows of whole families, families in random order, and their families."""
    alone = np.arange(len(points)) + len(points)
    family = alone if half.families is None else np.where(half.families < 0, alone, half.families)
    random = np.random.Generator(np.random.Philox(0))
    order = np.lexsort((family, random.permutation(family.max(initial=0) + 1)[family]))
    return points[order], family[order]


def judged(sides: Sides) -> dict[str, Any]:
    """The figures of one table."""
    halves = (sides.train, sides.held_out, sides.synthetic)
    points = as_points([half.rows for half in halves])
    found = asdict(memory_of(sides))
    if min(map(len, points)) >= FEWEST:
        train, held_out, synthetic = map(shuffled, points, halves)
        found |= {
            "auc_train": auc(train, synthetic),
            "auc_held_out": auc(held_out, synthetic),
            "auc_floor": auc(train, held_out),
        }
    return found


def beyond(mean: dict[str, float], rows: int) -> bool:
    """Whether more rows are copies than two real halves share, or than are alike by chance."""
    return beyond_allowed(mean["copied"], max(mean["natural"], mean["chance"]), rows)


def below_floor(mean: dict[str, float], rows: int) -> bool:
    """Whether real rows are told from real ones better, by more than three standard errors.

    The error is that of the difference of two rank statistics (Mann and Whitney 1947).
    """
    return mean["auc_train"] < mean["auc_floor"] - 3 * (1 / (3 * rows)) ** 0.5


def main() -> None:
    """Print a line per table."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("source")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(said.seeds):
        for sides in measure(said.source, Spec(seed=seed)):
            found.setdefault(sides.table, []).append(judged(sides))
    names = ["copied", "natural", "chance", "families", "natural_families", "closer", "distance",
             "auc_train", "auc_held_out", "auc_floor"]  # fmt: skip
    print(f"{'table':28}{'rows':>8}" + "".join(f"{name[:10]:>11}" for name in names))
    means = {}
    for table, runs in found.items():
        mean = {n: float(np.mean([run.get(n, np.nan) for run in runs])) for n in names}
        copies = beyond(mean, sum(run["rows"] for run in runs))
        twin = below_floor(mean, min(runs[0]["rows"], MOST) * len(runs))
        verdict = "  REMEMBERED" * copies + "  BELOW THE FLOOR" * twin
        figures = "".join(f"{mean[n]:11.4f}" for n in names)
        print(f"{table:28}{runs[0]['rows']:8}{figures}{verdict}", flush=True)
        means[table] = {"rows": runs[0]["rows"], **mean}
    if said.json:
        said.json.write_text(json.dumps(means, indent=1) + "\n")
    if not found:
        sys.exit("no table has entities enough to be halved")


if __name__ == "__main__":
    main()
