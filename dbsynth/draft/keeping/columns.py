"""Columns that follow from other columns: by a map, or in being NULL or 0."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.draft.drafted import Draft
from dbsynth.draft.keeping.base import Scene, lend
from dbsynth.engines import variables
from dbsynth.read import codec_of
from dbsynth.rules import Kept
from dbsynth.rules.dependence import combine
from dbsynth.rules.follows import Follows
from dbsynth.rules.implied import Implied

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass
class Mapped:
    """A column that follows from others by a map, which grows by what the map does not know.

    Attributes:
        causes: Variables of the row, or codes of the parents.
        tuples, values: The map, in rising order of tuples.
    """

    column: str
    causes: tuple[str | Codes, ...]
    sizes: tuple[int, ...]
    tuples: Int64
    values: Int64

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def put(self, variable: str, drawn: dict[str, Codes], scene: Scene) -> None:
        """Put what the map says; the first row of an unknown tuple speaks for all of them."""
        if variable != variables.column(self.column):
            return
        codes = [
            (drawn[cause] if isinstance(cause, str) else np.append(cause, 0)[scene.links]).astype(
                np.int64
            )
            for cause in self.causes
        ]
        tuples = combine(codes, self.sizes)
        found = drawn[variable].copy()
        known, place = self._look(tuples)
        strange = ~known & (tuples > 0)
        if strange.any():
            names, first = np.unique(tuples[strange], return_index=True)
            self._learn(names, found[strange][first].astype(np.int64))
            known, place = self._look(tuples)
        found[known] = self.values[place[known]]
        drawn[variable] = found

    def _look(self, tuples: Int64) -> tuple[Bool, Int64]:
        if not len(self.tuples):
            return np.zeros(len(tuples), bool), np.zeros(len(tuples), np.int64)
        place = np.minimum(np.searchsorted(self.tuples, tuples), len(self.tuples) - 1)
        return self.tuples[place] == tuples, place

    def _learn(self, tuples: Int64, values: Int64) -> None:
        both = np.concatenate([self.tuples, tuples])
        order = np.argsort(both, kind="stable")
        self.tuples, self.values = both[order], np.concatenate([self.values, values])[order]


def map_of(draft: Draft, rule: Follows, kept: Kept) -> Mapped:
    """The map of a rule; the determinants that lie above are known already."""
    causes = tuple(
        variables.column(place[1])
        if place[0] == rule.table or rule.key is None
        else draft.codes[place[0]][variables.column(place[1])]
        for place in rule.determinants
    )
    state = kept.state
    return Mapped(
        rule.dependent[1],
        causes,
        tuple(state["sizes"]),
        np.array(state["tuples"], np.int64),
        np.array(state["values"], np.int64),
    )


@dataclass(frozen=True)
class Where:
    """A column that is NULL, or 0, where another one says so; whichever is drawn last gives way.

    Attributes:
        target: The code of that state.
        other: The commonest code of any other state.
        asked, denied: Which codes of the premise ask for the state, and which forbid it.
        likely: The commonest code of the premise beside the state, and outside of it.
    """

    column: str
    premise: str
    target: int
    other: int
    asked: Bool
    denied: Bool
    likely: tuple[int, int]
    stream: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Both columns."""
        return self.column, self.premise

    def put(self, variable: str, drawn: dict[str, Codes], scene: Scene) -> None:
        """Mend the column that was drawn last."""
        own, other = variables.column(self.column), variables.column(self.premise)
        if own not in drawn or other not in drawn:
            return
        if variable == own:
            drawn[own] = self._own(drawn[own].copy(), drawn[other], scene)
        elif variable == other:
            drawn[other] = self._premise(drawn[other].copy(), drawn[own] == self.target, scene)

    def _own(self, codes: Codes, said: Codes, scene: Scene) -> Codes:
        codes[self.asked[said]] = self.target
        wrong = self.denied[said] & (codes == self.target)
        for code in np.unique(said[wrong]):
            alike = said == code
            lend(codes, wrong & alike, alike & ~wrong, self.other, self.stream, scene)
        return codes

    def _premise(self, codes: Codes, in_state: Bool, scene: Scene) -> Codes:
        for state, refused in ((True, self.denied), (False, self.asked)):
            here = in_state == state
            wrong = here & refused[codes]
            if wrong.any():
                likely = self.likely[not state]
                lend(codes, wrong, here & ~wrong, likely, self.stream, scene)
        return codes


def chained(steps: list[Where]) -> list[Where]:
    """What follows over two or more implications, so that it holds whatever is drawn first."""
    found: list[Where] = []
    seen = {(step.column, step.premise) for step in steps}
    open_ = list(steps)
    while open_:
        first = open_.pop()
        for second in steps:
            pair = second.column, first.premise
            if second.premise != first.column or pair in seen or pair[0] == pair[1]:
                continue
            if first.target < len(second.asked) and second.asked[first.target]:
                seen.add(pair)
                more = replace(
                    second, premise=first.premise, asked=first.asked,
                    denied=np.zeros_like(first.asked), likely=first.likely,
                )  # fmt: skip
                found.append(more)
                open_.append(more)
    return found


def where_of(draft: Draft, rule: Implied, kept: Kept, stream: int) -> Where:
    """The step of an implication."""
    state = kept.state
    codec = codec_of(draft.model.tables[rule.table].columns[rule.premise[1]])
    sides: list[Bool] = []
    for codes in (state["asked"], state["denied"]):
        side = np.zeros(codec.alphabet.size + 1 if codec is not None else 2, bool)
        side[np.array(codes, np.int64)] = True
        sides.append(side)
    return Where(
        rule.subject[1],
        rule.premise[1],
        state["target"],
        state["other"],
        sides[0],
        sides[1],
        (state["likely"][0], state["likely"][1]),
        stream,
    )
