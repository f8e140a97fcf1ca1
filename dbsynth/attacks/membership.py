"""Was this entity among those that the model was shown?

The attacker has the synthetic database, other real entities for reference, and the entities in
question with all rows that belong to them.  The score is a ratio of densities, synthetic over
reference (DOMIAS: van Breugel et al., AISTATS 2023), each estimated by the distances to the nearest
neighbours (Loftsgaarden and Quesenberry 1965), so that a single copy tells as well as a crowd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.attacks.features import Points
from dbsynth.attacks.intervals import Share, share_of
from dbsynth.attacks.neighbours import distances
from dbsynth.randomness import hashed

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MOST_ATTACKED = 2_000  # entities of each half
EXPOSED = 100
RANKS = (1, 2, 4, 8)
_GRAIN = 0.01  # distances below this share of the usual one count as none


@dataclass(frozen=True, slots=True)
class Membership:
    """How well shown entities are told from others.

    Attributes:
        against: What the attacker held for the synthetic database.
        auc: Probability that a shown entity scores above one that was not; .5 by guessing.
        auc_error: Standard error of ``auc`` where nothing leaks.
        at_1, at_10: Shown entities that are found when 1 % or 10 % of the others are taken for
            shown; None where there are too few.
        exposed_auc, exposed_at_10: The same among the entities of both halves that are farthest
            from all others, `EXPOSED` of each.
    """

    against: str
    members: int
    others: int
    auc: float
    auc_error: float
    at_1: Share | None
    at_10: Share | None
    exposed_auc: float
    exposed_at_10: Share | None


def membership(
    against: str, members: Points, others: Points, synthetic: Points, key: int
) -> Membership:
    """Attack shown entities and others that were not.

    The others are split: each half of them is attacked with the other half as the reference, beside
    half of the shown ones.
    """
    scores: list[Float64] = []
    remote: list[Float64] = []
    shown: list[npt.NDArray[np.bool_]] = []
    for fold in (0, 1):
        mine, theirs = (_in_fold(len(side), fold, key) for side in (members, others))
        reference = others.whole[~theirs]
        attacked = [
            points[np.flatnonzero(rows)[: MOST_ATTACKED // 2]]
            for points, rows in ((members.whole, mine), (others.whole, theirs))
        ]
        points = np.concatenate(attacked)
        far = distances(points, reference, RANKS)
        near = distances(points, synthetic.whole, RANKS)
        scores.append(_ratio(near, far))
        remote.append(far[:, len(RANKS) // 2])
        shown.append(np.repeat([True, False], [len(part) for part in attacked]))
    score, away, is_shown = np.concatenate(scores), np.concatenate(remote), np.concatenate(shown)
    kept = _exposed(away, is_shown)
    sizes = int(is_shown.sum()), int((~is_shown).sum())
    return Membership(
        against, *sizes, auc(score, is_shown), null_error(*sizes),
        found_at(0.01, score, is_shown, key), found_at(0.1, score, is_shown, key),
        auc(score[kept], is_shown[kept]), found_at(0.1, score[kept], is_shown[kept], key),
    )  # fmt: skip


def _in_fold(size: int, fold: int, key: int) -> npt.NDArray[np.bool_]:
    return np.asarray(hashed(key, np.arange(size)) & np.uint64(1) == fold, np.bool_)


def _ratio(near: Float64, far: Float64) -> Float64:
    """The logarithm of the density of synthetic entities over that of reference ones."""
    grain = _GRAIN * float(np.median(far[:, 0])) + 1e-9
    ratio = np.log((far + grain) / (near + grain))
    return np.asarray(np.average(ratio, axis=1, weights=1 / np.array(RANKS)), np.float64)


def _exposed(away: Float64, shown: npt.NDArray[np.bool_]) -> Int64:
    """The entities of both halves farthest from the reference, so many of each."""
    found = []
    for side in (True, False):
        rows = np.flatnonzero(shown == side)
        found.append(rows[np.argsort(-away[rows], kind="stable")[:EXPOSED]])
    return np.concatenate(found)


def auc(score: Float64, shown: npt.NDArray[np.bool_]) -> float:
    """Probability that a shown entity scores higher (Mann and Whitney 1947); ties count half."""
    if shown.all() or not shown.any():
        return 0.5
    _, group, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[group]
    members = int(shown.sum())
    above = ranks[shown].sum() - members * (members + 1) / 2
    return float(above / (members * (len(shown) - members)))


def null_error(members: int, others: int) -> float:
    """The standard error of the probability where both sides are alike."""
    pairs = max(12 * members * others, 1)
    return float(np.sqrt((members + others + 1) / pairs))


def found_at(false: float, score: Float64, shown: npt.NDArray[np.bool_], key: int) -> Share | None:
    """Shown entities above the score that so few of the others exceed; ties are broken by lot.

    That the threshold is itself an estimate widens the interval: its ends are those of the shares
    at the thresholds where the others that exceed it would, at 95 %, still be at most or at least
    so few.
    """
    others, members = int((~shown).sum()), int(shown.sum())
    allowed = int(np.floor(false * others + 1e-9))
    if not allowed or not members:
        return None
    order = np.lexsort((hashed(key ^ 1, np.arange(len(score))), -score))
    # Found before each error: a guesser finds `n` of `others + 1` before the n-th.
    found = np.append(np.cumsum(shown[order])[~shown[order]], members)
    few, many = _allowed(false, others)
    low = share_of(int(found[few - 1]), members).low if few else 0.0
    high = share_of(int(found[many - 1]), members).high
    return Share(int(found[allowed - 1]), members, low, high)


def _allowed(false: float, others: int) -> tuple[int, int]:
    """The most errors that are surely no more than such a share, and the fewest surely no less."""
    near = int(false * others)
    few = next((n for n in range(near, -1, -1) if share_of(n, others).high <= false), 0)
    many = next(n for n in range(near, others + 1) if share_of(n, others).low >= false)
    return few, many
