"""Names of the variables that an engine models for a table, and classes of parents.

Besides its columns, a row has a row number in a copied table (``link``), a class of the parent of
each dealt foreign key (``class``), a depth in each self-reference (``depth``) and a number of
children for each foreign key that refers to it (``count``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.randomness import hashed
from dbsynth.schema import ForeignKey

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

RECALL, SAME, BESIDE = "recall:", "same:", "beside:"
REPERTOIRE, REACH = "profile:uses:", "profile:reach:"
LATE = ("count:", "profile:")  # what is drawn after all columns of a row
NO, YES = 1, 2
YES_OR_NO = Alphabet(3, ordered=True)
DEEPEST = 12  # self-references deeper than this count as this deep
NULL, LOOP, CIRCLE, FIRST_DEPTH = 0, 1, 2, 3  # codes of the depth variable
MOST_CLASSES = 40
ROWS_PER_CLASS = 25
LEAST_OF_CLASS = 5
_INDICATORS = 7
_LIKENESS_ROWS, _FEWEST_ALIKE = 20_000, 100
_LEAST_LIKENESS = 0.3
_LLOYD_ROUNDS = 15
_LLOYD_ROWS = 5_000


def column(name: str) -> str:
    """A column of the table itself."""
    return f"column:{name}"


def weekday(name: str) -> str:
    """The day of the week of a time column: 0 NULL, 1 Monday to 7 Sunday."""
    return f"weekday:{name}"


def clock(name: str) -> str:
    """The time of day of a time column."""
    return f"clock:{name}"


def gap(name: str) -> str:
    """How long after the sibling before a time lies; 0 for the first of a family."""
    return f"gap:{name}"


def factor(name: str) -> str:
    """What a number is multiplied with to make the values of a column."""
    return f"factor:{name}"


def part(name: str, part_name: str) -> str:
    """A part of the values of a structured column."""
    return f"part:{name}:{part_name}"


def link(key: ForeignKey) -> str:
    """Which row of a copied table."""
    return f"link:{key}"


def parent_class(key: ForeignKey) -> str:
    """Class of the parent; 0 for no parent."""
    return f"class:{key}"


def depth(key: ForeignKey) -> str:
    """Depth in a self-reference."""
    return f"depth:{key}"


def count(key: ForeignKey) -> str:
    """Number of children."""
    return f"count:{key}"


def of_parent(variable: str) -> str:
    """A variable of the generating parent."""
    return f"parent:{variable}"


def beside(variable: str) -> str:
    """A variable of the generating parent, as rows of another parent's history know it."""
    return f"{BESIDE}{variable}"


def previous(variable: str) -> str:
    """A variable of the sibling before."""
    return f"previous:{variable}"


def recall(key: str, variable: str) -> str:
    """A variable of the last sibling that had the same code of ``key``."""
    return f"{RECALL}{key}|{variable}"


def joint(keys: Sequence[str]) -> str:
    """The name of several variables taken together."""
    return "&".join(keys)


def joint_codes(codes: Sequence[Codes], alphabets: Sequence[Alphabet]) -> Int64:
    """A number for every combination of codes; below the product of the sizes."""
    found = np.zeros(len(codes[0]), np.int64)
    for part, alphabet in zip(codes, alphabets, strict=True):
        found = found * alphabet.size + part
    return found


def same(variable: str) -> str:
    """Whether a variable is what an earlier sibling had: 1 no, 2 yes."""
    return f"{SAME}{variable}"


def profile(key: ForeignKey, number: int) -> str:
    """A number about all children under one foreign key."""
    return f"profile:{number}:{key}"


def repertoire(key: ForeignKey, variable: str) -> str:
    """Which codes of a variable the children under one foreign key have at all."""
    return f"{REPERTOIRE}{variable}|{key}"


def reach(key: ForeignKey, side: str, variable: str) -> str:
    """The ``most`` or ``least`` code of a variable of numbers among the children under a key."""
    return f"{REACH}{side}:{variable}|{key}"


POSITION, REMAINING, COURSE = "family:position", "family:remaining", "family:course"
LAST_POSITION = 60
POSITION_ALPHABET = Alphabet(LAST_POSITION + 1, ordered=True)
COURSE_STEPS = 32
PLACES = {
    POSITION: POSITION_ALPHABET,
    REMAINING: POSITION_ALPHABET,
    COURSE: Alphabet(COURSE_STEPS, ordered=True),
}
WEEKDAY_ALPHABET = Alphabet(8, ordered=False)
DEPTH_ALPHABET = Alphabet(FIRST_DEPTH + DEEPEST, ordered=True)


def depths(links: Int64) -> Codes:
    """The depth code of every row of a self-reference.

    Rows without parent have code NULL, rows that are their own parent LOOP, rows whose chain of
    parents never ends CIRCLE, all others FIRST_DEPTH plus the length of the chain minus one.
    """
    rows = np.arange(len(links))
    codes = np.full(len(links), CIRCLE, np.int64)
    codes[links < 0] = NULL
    codes[links == rows] = LOOP
    settled = codes != CIRCLE
    level = FIRST_DEPTH
    while True:
        reached = ~settled & settled[np.maximum(links, 0)] & (links >= 0)
        if not reached.any():
            return codes.astype(np.uint16)
        codes[reached] = min(level, FIRST_DEPTH + DEEPEST - 1)
        settled |= reached
        level += 1


def places(position: Int64, size: Int64) -> dict[str, Codes]:
    """Where rows stand in their families: siblings before, siblings to come, and their ratio."""
    remaining = np.maximum(size - position - 1, 0)
    return {
        POSITION: np.minimum(position, LAST_POSITION).astype(np.uint16),
        REMAINING: np.minimum(remaining, LAST_POSITION).astype(np.uint16),
        COURSE: (position * COURSE_STEPS // np.maximum(size, 1)).astype(np.uint16),
    }


def class_features(
    codes: Mapping[str, Codes], alphabets: Mapping[str, Alphabet], rows: int
) -> Float64:
    """Rows as points: ordered codes on [0, 1], others as indicators of the commonest codes."""
    parts: list[Float64] = [np.zeros((rows, 1))]
    for name, alphabet in alphabets.items():
        values = codes[name].astype(np.float64)
        if alphabet.ordered:
            parts.append((values / max(alphabet.size - 1, 1))[:, None])
        else:
            wide = min(alphabet.size, _INDICATORS)
            parts.append((codes[name][:, None] == np.arange(wide)) * 0.5)
    return np.concatenate(parts, axis=1)


def likeness(
    child: Mapping[str, Codes], parent: Mapping[str, Codes], links: Int64
) -> tuple[str, str, bool] | None:
    """The variables of a child and of its parent that rise together most (Spearman 1904).

    Args:
        child, parent: Codes of ordered variables.
        links: The parent of every child row, -1 for none.

    Returns:
        Both variables, and whether one falls where the other rises; None for no such pair.
    """
    some = np.flatnonzero(links >= 0)
    some = some[:: max(1, len(some) // _LIKENESS_ROWS)]
    if len(some) < _FEWEST_ALIKE:
        return None
    theirs = {v: _ridit(codes[links[some]]) for v, codes in parent.items()}
    found: tuple[float, str, str, bool] | None = None
    for mine, codes in child.items():
        own = _ridit(codes[some])
        for other, ranks in theirs.items():
            spread = float(own.std() * ranks.std())
            together = float(np.mean(own * ranks)) / spread if spread > 0 else 0.0
            if abs(together) >= _LEAST_LIKENESS and (found is None or abs(together) > found[0]):
                found = abs(together), mine, other, together < 0
    return None if found is None else found[1:]


def _ridit(codes: Codes) -> Float64:
    """The mean rank of each code, around 0."""
    counts = np.bincount(codes)
    ranks: Float64 = ((np.cumsum(counts) - counts / 2) / len(codes) - 0.5)[codes]
    return ranks


def class_centres(features: Float64, key: int) -> Float64:
    """Centres of classes of similar rows (Lloyd's k-means; IEEE Trans. Inf. Theory 1982)."""
    classes = int(np.clip(len(features) // ROWS_PER_CLASS, 1, MOST_CLASSES))
    if not len(features):
        return np.zeros((1, features.shape[1]))
    chosen = np.argsort(hashed(key, np.arange(len(features))), kind="stable")[:_LLOYD_ROWS]
    points = features[np.sort(chosen)]
    spread = points - points.mean(axis=0)
    axis = np.linalg.eigh(spread.T @ spread)[1][:, -1]
    ranked = np.argsort(spread @ axis, kind="stable")
    centres: Float64 = points[
        ranked[((np.arange(classes) + 0.5) * len(points) / classes).astype(int)]
    ]
    for _ in range(_LLOYD_ROUNDS):
        nearest = classify_rows(points, centres)
        counts = np.bincount(nearest, minlength=classes)
        sums = np.stack(
            [
                np.bincount(nearest, weights=points[:, d], minlength=classes)
                for d in range(points.shape[1])
            ],
            1,
        )
        centres = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
    # The middle of a few rows would be nearly theirs.
    kept = np.bincount(classify_rows(points, centres), minlength=classes) >= LEAST_OF_CLASS
    return centres[kept] if kept.any() else np.zeros((1, features.shape[1]))


def classify_rows(features: Float64, centres: Float64) -> Int64:
    """The nearest centre of every row, in slices that bound memory."""
    norms = (centres**2).sum(axis=1)
    slices: Sequence[Int64] = [
        np.argmin(norms - 2 * features[i : i + 65_536] @ centres.T, axis=1)
        for i in range(0, max(len(features), 1), 65_536)
    ]
    return np.concatenate(slices)
