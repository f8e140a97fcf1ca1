"""What real values a clone would hit by chance.

Three ways to know, of which the one that expects most stands:

- Numbers and codes of d marks: with n real ones and N drawn ones, N * n / 10**d meet where all are
  equally likely.
- Where they are not: the share of a hit's neighbours (other last digits) that are real as well.
- Words: what a blind draw meets, from the same vocabulary but without any knowledge of the source,
  or from the clone's own words in another order.

Hits by chance are Poisson distributed about the expected number (they are rare and hardly depend on
each other), so a number of hits that would come less than once in 10,000 columns is a leak.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.gate.table import MIXED, NUMBER, WORD
from dbsynth.gate.texts import Int64

RARE = 1e-4
RARE_IN_CROWDS = 0.05  # a column that draws in a crowd draws often, and so expects many hits
_BITS_OF_A_LETTER = 2.6  # of words of a language: 11.8 in 4.5 letters (Shannon 1951, section 2)
_FEWEST_WORDS = 3  # single words that are somebody's login and yet plain words
_NEIGHBOURS = 999

Bytes = npt.NDArray[np.uint8]


def too_many(hits: int, expected: float, kind: int, rare: float = RARE) -> bool:
    """Whether so many different values of a kind are more than chance."""
    if not hits or (kind == WORD and hits < _FEWEST_WORDS):
        return False
    return tail(hits, expected) < rare


def tail(hits: int, expected: float) -> float:
    """The probability of so many hits or more, of a Poisson distribution."""
    if hits <= expected:
        return 1.0
    if expected <= 0:
        return 0.0
    return _summed(
        i * math.log(expected) - expected - math.lgamma(i + 1) for i in itertools.count(hits)
    )


def more_often(hits: int, trials: float, others: int, of: float) -> float:
    """The probability of so many hits or more, where others had theirs at the same rate.

    Given the hits of both together, those of the first are binomial, whatever the rate is.
    """
    both, share = hits + others, trials / (trials + of)
    if hits <= both * share:
        return 1.0
    ways = math.lgamma(both + 1)
    return _summed(
        ways - math.lgamma(i + 1) - math.lgamma(both - i + 1)
        + i * math.log(share) + (both - i) * math.log(1 - share)
        for i in range(hits, both + 1)
    )  # fmt: skip


def _summed(logarithms: Iterable[float]) -> float:
    """The sum of terms that fall, as far as they count."""
    total = 0.0
    for logarithm in logarithms:
        term = math.exp(logarithm)
        total += term
        if term <= 1e-9 * total:
            break
    return min(1.0, total)


def if_all_alike(kind: int, real: Int64, drawn: Int64, first: int = 0) -> float:
    """Expected hits where all values of a kind and length are equally likely.

    Args:
        real, drawn: How many there are by number of marks.
        first: The first number of marks.
    """
    marks = first + np.arange(len(real))
    if kind in (NUMBER, MIXED):
        space = 10.0**marks
    elif kind == WORD:
        space = 2.0 ** (_BITS_OF_A_LETTER * marks)
    else:
        return 0.0
    return float((real * (drawn / space)).sum())


def neighbours(value: bytes) -> list[str]:
    """Values that differ from one in its last digits or letters only."""
    text = value.decode("utf-8", "ignore")
    places = [i for i, c in enumerate(text) if c.isascii() and c.isalnum()][-3:]
    if not places:
        return []
    found = []
    for number in range(1, _NEIGHBOURS + 1):
        letters, rest = list(text), number
        for at in reversed(places):
            rest, step = rest // 10, rest % 10
            letters[at] = _turned(letters[at], step)
        found.append("".join(letters))
    return found


def _turned(letter: str, step: int) -> str:
    if letter.isdigit():
        return chr(ord("0") + (ord(letter) - ord("0") + step) % 10)
    first = ord("a") if letter.islower() else ord("A")
    return chr(first + (ord(letter) - first + step) % 26)


def crowd(hits: list[bytes], real: Callable[[pa.Array], Int64]) -> float:
    """The share of the neighbours of some hits that are real as well.

    Args:
        real: The place in the table of every text, -1 where it is not real.
    """
    around = [text for hit in hits for text in neighbours(hit)]
    if not around:
        return 0.0
    return float((real(pa.array(around, pa.string())) >= 0).mean())


def reordered(texts: pa.Array, rng: np.random.Generator) -> pa.Array:
    """Texts whose every word comes from another text, from the same place in it."""
    rows = [text.split() for text in texts.drop_null().to_pylist()]
    width = max((len(row) for row in rows), default=0)
    columns = []
    for place in range(width):
        words = [row[place] for row in rows if len(row) > place]
        order = iter(rng.permutation(len(words)).tolist())
        columns.append((words, order))
    mixed = [" ".join(columns[i][0][next(columns[i][1])] for i in range(len(row))) for row in rows]
    return pa.array(mixed, pa.string())
