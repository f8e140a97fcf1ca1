"""Implications: a column is NULL, or 0, where another column says so.

Where the other column says it for every row (shipped_at is there exactly when the status is one of
two), the rule is exact; else it binds only the rows about which it speaks.  Values are not named in
a sentence: NULL, 0, true and false are, all others are "some values".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dbsynth.codec import k_threshold
from dbsynth.rules.base import Bool, Cases, Data, Float64, Int64, Kept, Place, View
from dbsynth.rules.dependence import CERTAIN, FEWEST_CASES, MOST_EXCEPTIONS, beyond_chance, cases
from dbsynth.rules.identity import coded, derived, families, identities
from dbsynth.rules.words import NotMine, RuleError, Words, column_name
from dbsynth.schema import Schema

EXAMPLE = "orders.shipped_at is null where orders.cancelled is true"
NULL, NOT_NULL, ZERO, NOT_ZERO = "null", "not null", "0", "not 0"
TRUE, FALSE, SOME = "true", "false", "some"
_MOST_CODES = 64
_PROBE = 20_000  # rows on which a premise is tried first
_MOST_PREMISES = 2  # per column and state, where none says it all
_WORTH = 0.02  # share of the rows that a further premise must decide


@dataclass(frozen=True)
class Implied:
    """A column is in a state where another column is in one.

    Attributes:
        subject: The column whose state follows.
        state: ``null``, ``not null`` or ``0``.
        premise: The other column.
        says: The state that it is in: those above, ``true``, ``false``, or ``some`` values.
        exactly: Whether the subject is in its state nowhere else.
    """

    subject: Place
    state: str
    premise: Place
    says: str
    exactly: bool
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def table(self) -> str:
        """The table whose rows can break it."""
        return self.subject[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """Both columns."""
        return self.subject, self.premise

    @property
    def keys(self) -> tuple[()]:
        """None: both columns are of one row."""
        return ()

    def cases(self, view: View) -> Cases | None:
        """Rows that the premise speaks of, all of them where it is exact."""
        own = in_state(view, self.subject, self.state)
        said = self._said(view, own)
        if own is None or said is None:
            return None
        speaks, asked = said
        return Cases(speaks, own != asked)

    def _said(self, view: View, own: Bool | None) -> tuple[Bool, Bool] | None:
        """Of which rows the premise speaks, and what it says of them."""
        if self.says != SOME:
            asked = in_state(view, self.premise, self.says)
            if asked is None:
                return None
            return (np.ones(len(asked), bool), asked) if self.exactly else (asked, asked)
        ids = identities(view, self.premise)
        if ids is None or own is None:
            return None
        yes, no = decided(ids, own)
        asked = yes[ids]
        return ((yes | no)[ids], asked) if self.exactly else (asked, asked)


def in_state(view: View, place: Place, state: str) -> Bool | None:
    """In which rows a column is in a state; None where the view cannot tell."""
    numbers, codes = view.numbers(place), view.codes(place)
    if state in (NULL, NOT_NULL):
        if codes is not None:
            return np.asarray((codes == 0) == (state == NULL))
        return None if numbers is None else np.asarray(np.isnan(numbers) == (state == NULL))
    if state in (ZERO, NOT_ZERO):
        return None if numbers is None else np.asarray((numbers == 0) == (state == ZERO))
    truths = view.truth(place)
    if codes is None or truths is None:
        return None
    return np.asarray(codes == truths[0 if state == TRUE else 1])


def decided(ids: Int64, own: Bool, size: int = 0) -> tuple[Bool, Bool]:
    """Per value of the premise, whether (nearly) all of its rows are in the state, and none."""
    total = np.bincount(ids, minlength=size)
    with_state = np.bincount(ids, weights=own, minlength=size)
    slack = MOST_EXCEPTIONS * total
    return (
        (total > 0) & (with_state >= total - slack),
        (total > 0) & (with_state <= slack),
    )


def implied_rule(
    schema: Schema, subject: Place, state: str, premise: Place, says: str, *, exactly: bool
) -> Implied:
    """The rule with its sentence."""
    other = column_name(schema, premise)
    where = f"at some values of {other}" if says == SOME else f"where {other} is {says}"
    sentence = f"{column_name(schema, subject)} is {state} {'exactly ' if exactly else ''}{where}"
    return Implied(subject, state, premise, says, exactly, sentence)


def parse(words: Words) -> Implied:
    """``table.column is null [exactly] where table.column is 0``, or ``at some values of ...``."""
    subject = words.column()
    state = _state(words)
    if state not in (NULL, NOT_NULL, ZERO):
        raise NotMine
    exactly = words.take("exactly")
    if words.take("at"):
        words.expect("some", "values", "of")
        premise, says = words.column(), SOME
    else:
        words.expect("where")
        premise = words.column()
        says = _state(words)
    if premise[0] != subject[0]:
        raise RuleError("both columns must be of one table")
    if premise == subject and state == says:
        raise RuleError("a column cannot follow from itself")
    return implied_rule(words.schema, subject, state, premise, says, exactly=exactly)


def _state(words: Words) -> str:
    words.expect("is")
    for state in (NOT_NULL, NOT_ZERO, NULL, ZERO, TRUE, FALSE):
        if words.take(*state.split()):
            return state
    raise NotMine


def mine(data: Data, found: Sequence[Kept]) -> Iterator[Kept]:
    """What follows from one other column about a column's being NULL or 0."""
    for table in data.plan.order if data.plan is not None else ():
        if data.rows(table) >= FEWEST_CASES:
            yield from _mine_table(data, table, found)


@dataclass
class _Premise:
    """The values of a column, or only whether it is NULL or 0.

    Attributes:
        names: Values that a sentence may name, by the state that says them.
        known: Rows that tell; None for all.
    """

    place: Place
    ids: Int64
    names: Mapping[str, int]
    known: Bool | None = None
    wide: bool = False


@dataclass(frozen=True)
class _Candidate:
    rule: Implied
    held: int
    of: int
    decides: Bool
    order: tuple[bool, int, bool, int]


def _mine_table(data: Data, table: str, found: Sequence[Kept]) -> Iterator[Kept]:
    settled = derived(found)
    premises = list(_premises(data, table))
    place = {name: i for i, name in enumerate(data.coded.get(table, {}))}
    subjects = sorted(_subjects(data, table, settled), key=lambda s: (place[s[0][1]], s[1]))
    entities = families(data, table)
    tried = max(1, len(premises) * len(subjects))
    candidates = [
        candidate
        for subject, state, own in subjects
        for premise in premises if premise.place != subject
        for candidate in _candidates(data, subject, state, own, premise, entities, tried, place)
    ]  # fmt: skip
    stars = _stars(data.schema, candidates, place, settled)
    yield from stars.values()
    follows = {kept.rule.places[0]: set(kept.rule.places[1:]) for kept in found if kept.rule.places}
    for subject, state, own in reversed(subjects):
        if (subject, state) in stars:
            continue
        open_ = [
            c for c in candidates
            if (c.rule.subject, _base(c.rule.state)) == (subject, state)
            and not (c.rule.exactly and c.rule.says != SOME)
            and (c.rule.premise, _base(c.rule.says)) not in stars
            and not _reaches(follows, c.rule.premise, subject)
        ]  # fmt: skip
        for chosen in _chosen(open_, len(own)):
            follows.setdefault(subject, set()).add(chosen.rule.premise)
            yield Kept(chosen.rule, chosen.held, chosen.of)


def _base(state: str) -> str:
    """What a state is about: being NULL, being 0, or being true."""
    return {NOT_NULL: NULL, NOT_ZERO: ZERO, FALSE: TRUE}.get(state, state)


def _stars(
    schema: Schema,
    candidates: Sequence[_Candidate],
    place: Mapping[str, int],
    settled: set[Place],
) -> dict[tuple[Place, str], Kept]:
    """Of columns whose states go together, what binds each to the first of them.

    Either of the two may be drawn first, so no order of the columns is asked for.
    """
    pairs = [c for c in candidates if c.rule.exactly and c.rule.says != SOME]
    linked: dict[tuple[Place, str], dict[tuple[Place, str], _Candidate]] = {}
    for candidate in pairs:
        rule = candidate.rule
        one, other = (rule.subject, _base(rule.state)), (rule.premise, _base(rule.says))
        linked.setdefault(one, {})[other] = candidate
        linked.setdefault(other, {}).setdefault(one, candidate)
    stars: dict[tuple[Place, str], Kept] = {}
    roots = sorted(linked, key=lambda n: (n[0] not in settled, place[n[0][1]], n[1]))
    seen = set[tuple[Place, str]]()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        for node, candidate in sorted(linked[root].items(), key=lambda n: place[n[0][0][1]]):
            if node in seen or node[0] == root[0] or node[0] in settled:
                continue
            seen.add(node)
            told = linked[node].get(root, candidate)
            stars[node] = Kept(told.rule, told.held, told.of)
    return stars


def _reaches(follows: Mapping[Place, set[Place]], start: Place, goal: Place) -> bool:
    """Whether a column follows, over any number of rules, from another one."""
    open_, seen = [start], set[Place]()
    while open_:
        place = open_.pop()
        if place == goal:
            return True
        if place not in seen:
            seen.add(place)
            open_ += follows.get(place, ())
    return False


def _premises(data: Data, table: str) -> Iterator[_Premise]:
    least = k_threshold(data.rows(table))
    for name in data.coded.get(table, {}):
        place = table, name
        column = coded(data, place, least)
        if column is not None and 2 < column.size <= _MOST_CODES + 1:
            yield _Premise(place, column.codes, _names(data, place, column.codes), column.known)
            continue
        codes = data.codes(place)
        assert codes is not None
        if column is None or column.size > 2 or (codes == 0).any():
            if (codes == 0).any() and (codes != 0).any():
                yield _Premise(place, (codes != 0).astype(np.int64), {NULL: 0, NOT_NULL: 1})
            numbers = data.numbers(place)
            if numbers is not None and (numbers == 0).any():
                zero = np.where(np.isnan(numbers), 0, 1 + (numbers == 0)).astype(np.int64)
                yield _Premise(place, zero, {ZERO: 2, NULL: 0}, wide=True)


def _names(data: Data, place: Place, ids: Int64) -> dict[str, int]:
    """The values that a sentence may name."""
    names = {NULL: 0}
    numbers, truths = data.numbers(place), data.truth(place)
    if numbers is not None and (numbers == 0).any():
        names[ZERO] = int(ids[np.argmax(numbers == 0)])
    if truths is not None:
        names |= {TRUE: truths[0], FALSE: truths[1]}
    return names


def _subjects(data: Data, table: str, settled: set[Place]) -> Iterator[tuple[Place, str, Bool]]:
    """Columns that are NULL, or 0, in some rows and not in others."""
    least = k_threshold(data.rows(table))
    for name in data.coded.get(table, {}):
        place = table, name
        if place in settled:
            continue
        for state in (NULL, ZERO):
            own = in_state(data, place, state)
            if own is not None and least <= own.sum() <= len(own) - least:
                yield place, state, own


def _nearly(ids: Int64, own: Bool) -> tuple[Bool, Bool]:
    """Per value of the premise, whether most of its rows are in the state, and most are not."""
    total, with_state = np.bincount(ids), np.bincount(ids, weights=own)
    return (total > 0) & (with_state >= 0.95 * total), (total > 0) & (with_state <= 0.05 * total)


@dataclass(frozen=True)
class _Counts:
    """Cases per value of a premise: first those out of the state, then those in it.

    Attributes:
        share: Of all cases that are in the state.
        tried: Candidates that are looked at.
    """

    seen: Float64
    share: float
    tried: int

    def strong(self, yes: Bool, no: Bool) -> Bool:
        """The values of the premise each of which is beyond chance by itself."""
        surprise = -(
            yes * self.seen[1] * np.log(self.share) + no * self.seen[0] * np.log1p(-self.share)
        )
        return np.asarray((yes | no) & (surprise > np.log(self.tried * len(yes) / CERTAIN)))

    def evidence(self, yes: Bool, no: Bool) -> tuple[int, int] | None:
        """Cases that held, and cases; None where that is no rule."""
        of = int(self.seen[:, yes | no].sum())
        exceptions = int(self.seen[0, yes].sum() + self.seen[1, no].sum())
        ayes, against = float(self.seen[:, yes].sum()), float(self.seen[:, no].sum())
        surprise = -(ayes * np.log(self.share) + against * np.log1p(-self.share))
        expected = ayes * (1 - self.share) + against * self.share
        if exceptions > MOST_EXCEPTIONS * max(of, 1):
            return None
        if not beyond_chance(surprise, expected, exceptions, self.tried):
            return None
        return of - exceptions, of


def _candidates(
    data: Data, subject: Place, state: str, own: Bool, premise: _Premise, entities: Int64,
    tried: int, place: Mapping[str, int],
) -> Iterator[_Candidate]:  # fmt: skip
    ids, mine_ = premise.ids, own
    step = len(own) // _PROBE + 1
    if step > 1 and not np.logical_or(*_nearly(ids[::step], own[::step])).any():
        return
    if premise.known is not None:
        ids, mine_, entities = ids[premise.known], own[premise.known], entities[premise.known]
    size = int(premise.ids.max(initial=0)) + 1
    yes, no = decided(ids, mine_, size)
    if not (yes | no).any() or mine_.all() or not mine_.any():
        return
    both, _ = cases(ids * 2 + mine_, entities)
    seen = np.stack([np.bincount(both[both % 2 == s] // 2, minlength=size) for s in (0, 1)])
    counts = _Counts(seen.astype(float), float(seen[1].sum() / seen.sum()), tried)
    total = np.bincount(ids, minlength=size)
    later = place[premise.place[1]] > place[subject[1]]
    order = (premise.wide, int((total > 0).sum()), later, place[premise.place[1]])
    all_told = total[yes | no].sum() >= (1 - MOST_EXCEPTIONS) * total.sum()
    if all_told and yes.any() and no.any() and (found := counts.evidence(yes, no)):
        says = _said(yes, no, premise.names)
        rule = implied_rule(data.schema, subject, state, premise.place, says, exactly=True)
        yield _Candidate(rule, *found, (yes | no)[premise.ids], order)
        return
    nobody = np.zeros(size, bool)
    yield from _one_way(data, subject, state, premise, counts, (yes, nobody), order)
    if state == NULL:
        yield from _one_way(data, subject, NOT_NULL, premise, counts, (nobody, no), order)


def _one_way(
    data: Data, subject: Place, state: str, premise: _Premise, counts: _Counts,
    sides: tuple[Bool, Bool], order: tuple[bool, int, bool, int],
) -> Iterator[_Candidate]:  # fmt: skip
    """What single values of the premise say for sure."""
    strong = counts.strong(*sides)
    found = counts.evidence(strong & sides[0], strong & sides[1]) if strong.any() else None
    if found is None:
        return
    names = (name for name, code in premise.names.items() if code < len(strong) and strong[code])
    says = next(names, SOME) if strong.sum() == 1 else SOME
    if says == SOME and data.numbers(premise.place) is not None:
        return  # a tendency of a measure, such as no wins in the last places
    rule = implied_rule(data.schema, subject, state, premise.place, says, exactly=False)
    yield _Candidate(rule, *found, strong[premise.ids], order)


def _said(yes: Bool, no: Bool, names: Mapping[str, int]) -> str:
    """How a sentence names the values that say yes."""
    for name, code in names.items():
        if yes.sum() == 1 and code < len(yes) and yes[code]:
            return name
    for name, other in ((NULL, NOT_NULL), (ZERO, NOT_ZERO)):
        code = names.get(name, len(no))
        if no.sum() == 1 and code < len(no) and no[code]:
            return other
    return SOME


def _chosen(candidates: Iterable[_Candidate], rows: int) -> Iterator[_Candidate]:
    """One exact premise, the simplest; else the few that decide most rows."""
    ordered = sorted(candidates, key=lambda c: c.order)
    for candidate in ordered:
        if candidate.rule.exactly:
            yield candidate
            return
    open_rows = np.ones(rows, bool)
    left = list(ordered)
    for _ in range(_MOST_PREMISES):
        if not left:
            return
        gains = [int((candidate.decides & open_rows).sum()) for candidate in left]
        best = int(np.argmax(gains))
        if gains[best] < _WORTH * rows:
            return
        open_rows &= ~left[best].decides
        yield left.pop(best)
