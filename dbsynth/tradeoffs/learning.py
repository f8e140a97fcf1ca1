"""What can be learnt of rows: classifiers that are taught by them and tested on real ones.

In every table one column of few classes is guessed from the others of its row and of the parent's,
by gradient boosting.  What an engine loses there, a model that somebody trains on its clone loses.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.memorise import Side
from dbsynth.tradeoffs.utility import Yardstick, places_of

Int64 = npt.NDArray[np.int64]

_MOST_CLASSES = 8
_MOST_ROWS = 50_000
_ROUNDS = 60


def accuracy(judge: Yardstick, side: Side) -> float | None:
    """The mean share of right guesses over tables, in the rows that judge.

    None where no table has such a column, or scikit-learn is not installed.
    """
    try:
        boosting = importlib.import_module("sklearn.ensemble").HistGradientBoostingClassifier
        threads = importlib.import_module("threadpoolctl").threadpool_limits
    except ImportError:
        return None
    truth, taught = judge.codes(judge.held_out), judge.codes(side)
    scores = []
    for table, target in _targets(judge, truth):
        features, classes = _task(judge, taught, side, table, target)
        tested, right = _task(judge, truth, judge.held_out, table, target)
        if len(np.unique(classes)) < 2:  # there is nothing to be learnt
            scores.append(float(np.mean(right == classes[0])) if len(classes) else 0.0)
            continue
        # Stopping early splits rows off, which a class with a single row does not survive.
        learner = boosting(max_iter=_ROUNDS, early_stopping=False, random_state=0)
        with threads(1, "openmp"):  # several wait for each other longer than they work
            scores.append(float(learner.fit(features, classes).score(tested, right)))
    return float(np.mean(scores)) if scores else None


def _targets(judge: Yardstick, codes: Mapping[str, Mapping[str, Int64]]) -> list[tuple[str, str]]:
    """By table, the column of few classes that is the hardest to guess blindly."""
    found = []
    for table, coders in judge.coders.items():
        blind = {
            name: np.bincount(codes[table][name]).max() / max(len(codes[table][name]), 1)
            for name, coder in coders.items()
            if coder.cuts is None and 2 <= len(coder.levels) <= _MOST_CLASSES
        }
        others = len(coders) + len(judge.coders.get(judge.parents.get(table, ""), ()))
        if blind and others > 2:
            found.append((table, min(blind, key=lambda name: (blind[name], name))))
    return found


def _task(
    judge: Yardstick, codes: Mapping[str, Mapping[str, Int64]], side: Side, table: str, target: str
) -> tuple[Int64, Int64]:
    """What is known of each row, and what is to be guessed."""
    features = [column for name, column in codes[table].items() if name != target]
    if table in judge.parents:
        places = places_of(side[table])
        above = codes[judge.parents[table]].values()
        features += [np.append(column, -1)[places] for column in above]
    return np.stack(features, axis=1)[:_MOST_ROWS], codes[table][target][:_MOST_ROWS]
