"""Columns whose values families share, repeat or number."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes, Number, from_numbers
from dbsynth.draft.drafted import Draft
from dbsynth.draft.keeping.base import Scene, Step, in_turn, lend
from dbsynth.engines import variables
from dbsynth.randomness import Float64, hashed
from dbsynth.rules.ranks import Ranks
from dbsynth.rules.within import AT_LEAST_ONCE, AT_MOST_ONCE, DIFFERS, ONCE, SAME, Within

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LARGEST = 400  # rows of a family beyond which numbers are only given at the end
_DRAWS = 8


@dataclass(frozen=True)
class Same:
    """A column that is the same in all rows of a family: the first row speaks for all."""

    column: str
    families: int
    first: dict[str, Codes] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def put(self, variable: str, drawn: dict[str, Codes], scene: Scene) -> None:
        """Give rows the codes of the first of their family."""
        first = self.first.setdefault(variable, np.zeros(self.families, np.uint16))
        codes, linked = drawn[variable].copy(), scene.links >= 0
        heads = linked & (scene.place == 0)
        first[scene.links[heads]] = codes[heads]
        codes[linked] = first[scene.links[linked]]
        drawn[variable] = codes


@dataclass(frozen=True)
class Times:
    """A value that occurs exactly, at most or at least once in every family.

    Attributes:
        code: Of the value.
        other: The commonest other code.
        sizes: Rows of every family.
        seen: How often it has occurred so far.
    """

    column: str
    fact: str
    code: int
    other: int
    sizes: Int64
    seen: Int64
    stream: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def put(self, variable: str, drawn: dict[str, Codes], scene: Scene) -> None:
        """Change what comes once too often, and the last row of a family that has none."""
        if variable != variables.column(self.column):
            return
        codes = drawn[variable].copy()
        for rows in in_turn(scene.links):
            links = scene.links[rows]
            has = codes[rows] == self.code
            if self.fact in (ONCE, AT_MOST_ONCE):
                wrong, donors = np.zeros(len(codes), bool), codes != self.code
                wrong[rows[has & (self.seen[links] > 0)]] = True
                lend(codes, wrong, donors, self.other, self.stream, scene)
            if self.fact in (ONCE, AT_LEAST_ONCE):
                last = scene.place[rows] == self.sizes[links] - 1
                codes[rows[last & (self.seen[links] == 0)]] = self.code
            self.seen[links] += codes[rows] == self.code
        drawn[variable] = codes


@dataclass(frozen=True)
class Different:
    """A column in which no value repeats in a family.

    Attributes:
        seen: Per family, the codes that have occurred; shape (families, codes).
    """

    column: str
    seen: Bool
    stream: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def put(self, variable: str, drawn: dict[str, Codes], scene: Scene) -> None:
        """Change what was there before into what random rows have, or into what is left."""
        if variable != variables.column(self.column):
            return
        codes = drawn[variable].copy()
        for rows in in_turn(scene.links):
            self._change(codes, rows, scene)
            told = rows[codes[rows] > 0]
            self.seen[scene.links[told], codes[told]] = True
        drawn[variable] = codes

    def _change(self, codes: Codes, rows: Int64, scene: Scene) -> None:
        for attempt in range(_DRAWS):
            bad = rows[self.seen[scene.links[rows], codes[rows]]]
            if not len(bad):
                return
            draw = hashed(self.stream ^ attempt, scene.rows[bad]) % np.uint64(len(codes))
            codes[bad] = codes[draw.astype(np.int64)]
        bad = rows[self.seen[scene.links[rows], codes[rows]]]
        free = ~self.seen[scene.links[bad]]
        free[:, 0] = False
        codes[bad] = np.where(free.any(axis=1), free.argmax(axis=1), codes[bad])


@dataclass(frozen=True)
class Numbered:
    """A column that numbers the rows of every family: as drawn, or the nearest number left.

    Attributes:
        numbers: The number behind every code; NaN for NULL and what is none.
        codes: The code of every number up to the largest family.
        used: Per family, the numbers given so far; shape (families, numbers).
    """

    column: str
    rule: Ranks
    sizes: Int64
    numbers: Float64
    codes: Codes
    used: Bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def put(self, variable: str, drawn: dict[str, Codes], scene: Scene) -> None:
        """Give every row a number of its own in its family."""
        if variable != variables.column(self.column):
            return
        codes = drawn[variable].copy()
        if self.rule.counting:
            linked = scene.links >= 0
            codes[linked] = self.codes[scene.place[linked] + self.rule.first]
        else:
            for rows in in_turn(scene.links):
                wanted = self.numbers[codes[rows]]
                rows = rows[~np.isnan(wanted) & ~(self.rule.zeros & (wanted == 0))]
                links = scene.links[rows]
                last = self.sizes[links] + self.rule.first - 1
                given = nearest_free(self.numbers[codes[rows]], self.used, links, last, self.rule)
                self.used[links, given] = True
                codes[rows] = self.codes[given]
        drawn[variable] = codes


def nearest_free(wanted: Float64, used: Bool, links: Int64, last: Int64, rule: Ranks) -> Int64:
    """The free number of each row's family that is nearest to the wanted one."""
    start = np.clip(wanted, rule.first, last).astype(np.int64)
    found = np.full(len(links), -1, np.int64)
    open_ = np.arange(len(links))
    for distance in range(used.shape[1]):
        for sign in (1, -1) if distance else (1,):
            trial = start[open_] + sign * distance
            fits = (trial >= rule.first) & (trial <= last[open_])
            fits[fits] = ~used[links[open_[fits]], trial[fits]]
            found[open_[fits]] = trial[fits]
            open_ = open_[~fits]
        if not len(open_):
            return found
    found[open_] = start[open_]
    return found


def numbered_of(draft: Draft, rule: Ranks, sizes: Int64) -> Numbered | None:
    """The step of a column that numbers rows; None where numbers have no codes of their own."""
    codec = draft.model.tables[rule.table].columns[rule.place[1]].codec
    if not isinstance(codec, Number) or not len(codec.points):
        return None
    most = int(sizes.max(initial=0)) + 2
    numbers = np.r_[
        np.full(4, np.nan), np.where(np.isnan(codec.points), codec.inner[:, 2], codec.points)
    ]
    codes = codec.encode(
        from_numbers(np.arange(most, dtype=float), np.ones(most, bool), codec.kind)
    )
    used = np.zeros((len(sizes), most), bool)
    return Numbered(rule.place[1], rule, sizes, numbers, codes, used)


def step_within(draft: Draft, rule: Within, sizes: Int64, stream: int) -> Step:
    """The step of a fact about families of such sizes."""
    column = rule.place[1]
    if rule.fact == SAME:
        return Same(column, len(sizes))
    if rule.fact == DIFFERS:
        codec = draft.model.tables[rule.table].columns[column].codec
        width = codec.alphabet.size + 1 if codec is not None else 2
        return Different(column, np.zeros((len(sizes), width), bool), stream)
    other = 2 if rule.rank == 1 else 1
    return Times(column, rule.fact, rule.rank, other, sizes, np.zeros_like(sizes), stream)
