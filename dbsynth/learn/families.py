"""What a row knows of its family: its parent, its place among its siblings, the sibling before it.

Siblings are drawn one position at a time, in all families at once, each given the one before;
"independent given the parent" is the main error of most relational generators.  A few coded numbers
about the children as a whole, the *profile*, are drawn with the parent and known to every child.
"""

from __future__ import annotations

import itertools
import math
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines import variables
from dbsynth.engines.base import Derive, TableModel, nothing
from dbsynth.engines.relational import TreeChain
from dbsynth.keys import group_ids, rank_in_group
from dbsynth.randomness import hashed, in_some_groups
from dbsynth.schema import ForeignKey
from dbsynth.sorting import by_group

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

SINGLE_ROUNDS = 256  # positions beyond are drawn in blocks of doubling size
COMPONENTS = 3
PROFILE_BINS = 24
PROFILE_ALPHABET = Alphabet(PROFILE_BINS + 1, ordered=True)
NOTHING_RECALLED: Mapping[tuple[str, ...], tuple[Alphabet, ...]] = MappingProxyType({})
NOTHING_REPEATED: Mapping[str, str] = MappingProxyType({})
_FEWEST_FAMILIES = 60
_LONG_FAMILIES = 4  # mean family size from which a history is long enough to recall from
_RECALL_CODES = 24
_RECALL_PAIRS = 64
_MOST_KEYS = 8
_RECALL_ROWS = 40_000
_SOME = 0x5EED
_RECALL_GAIN = 0.2
_MOST_RECALLED = 3
_MANY_CODES = 10
_LEAST_SAME = 0.3
_FEWEST_CHILDREN = 1.5  # mean family size below which a profile says nothing that counts do not


def context_alphabets(
    parent: Mapping[str, Alphabet], own: Mapping[str, Alphabet]
) -> dict[str, Alphabet]:
    """Alphabets of what a child row knows."""
    seen = {variables.of_parent(v): a for v, a in parent.items()}
    seen |= variables.PLACES
    return seen | {variables.previous(v): a for v, a in remembered(own).items()}


def lineage(
    own: Mapping[str, Codes], above: Mapping[str, Codes] | None, links: Int64 | None
) -> dict[str, Codes]:
    """What a parent row hands down: its own variables, and those of its own parent.

    Args:
        above: The codes of the parent's generating parent, or None.
        links: Its row for every parent row, -1 for none.
    """
    if above is None or links is None:
        return dict(own)
    inherited = {
        variables.of_parent(v): np.append(codes, np.uint16(0))[links] for v, codes in above.items()
    }
    return {**inherited, **own}


def remembered(own: Mapping[str, Alphabet]) -> dict[str, Alphabet]:
    """The variables that the next sibling knows: all but numbers of children and profiles."""
    return {v: a for v, a in own.items() if not v.startswith(("count:", "profile:"))}


def context_of(
    parent: Mapping[str, Codes],
    own: Mapping[str, Codes],
    names: Mapping[str, Alphabet],
    links: Int64,
) -> dict[str, Codes]:
    """Codes of what each real row knows: 0 where there is no parent or no sibling before it."""
    seen = {
        variables.of_parent(v): np.append(codes, np.uint16(0))[links] for v, codes in parent.items()
    }
    position = positions(links)
    seen |= variables.places(position, sizes(links))
    before = previous_rows(links, position)
    for v in remembered(names):
        seen[variables.previous(v)] = np.append(own[v], np.uint16(0))[before]
    return seen


Key = tuple[str, ...]
"""Variables by whose codes, taken together, a family recalls."""

Derivation = Callable[[Int64, Int64, Int64], Derive]
"""Given some rows, their places and the siblings drawn before them, what derives codes."""


def recalled(
    codes: Mapping[str, Codes],
    keys: Sequence[Key],
    names: Mapping[str, Alphabet],
    links: Int64,
) -> dict[str, Codes]:
    """What each real row recalls: 0 where no sibling before had the same codes of a key."""
    found = {}
    for key in keys:
        before = _last_alike([codes[v] for v in key], links)
        for v in remembered(names):
            found[variables.recall(variables.joint(key), v)] = np.append(codes[v], np.uint16(0))[
                before
            ]
    return found


def _last_alike(codes: Sequence[Codes], links: Int64) -> Int64:
    """The last sibling before each row that had the same codes; -1 for none."""
    alone = np.where(links >= 0, links, -1 - np.arange(len(links)))
    group = group_ids([alone, *codes])
    return previous_rows(group, rank_in_group(group))


def recall_keys(
    codes: Mapping[str, Codes],
    alphabets: Mapping[str, Alphabet],
    links: Int64,
    order: Sequence[str],
) -> tuple[Key, ...]:
    """The categories, or pairs of them, by which a family's history is worth remembering.

    The payee of a standing order is that of the last standing order, not that of the last
    transaction.  A key is worth it where what its last sibling had agrees with a row clearly more
    often than what the sibling before had, or that of a key taken already.
    """
    if not _long(links):
        return ()
    some = in_some_groups(_SOME, links, _RECALL_ROWS)
    codes, links = {v: codes[v][some] for v in order}, links[some]
    before = previous_rows(links, positions(links))
    later = np.flatnonzero(before >= 0)
    best = {
        v: float(np.mean(codes[v][before[later]] == codes[v][later]))
        for v in order
        if v in remembered(alphabets)
    }
    agree: dict[Key, dict[str, float]] = {}
    for key in _possible_keys(alphabets, order):
        alike = _last_alike([codes[v] for v in key], links)[later]
        agree[key] = {
            v: float(np.mean((codes[v][alike] == codes[v][later]) & (alike >= 0)))
            for v in order[order.index(key[-1]) + 1 :]
            if v in best
        }
    chosen: list[Key] = []
    while agree and len(chosen) < _MOST_RECALLED:
        gains = {
            # the share of the disagreements that go away
            key: sum(max(0.0, share - best[v]) / (1.02 - best[v]) for v, share in found.items())
            for key, found in agree.items()
        }
        key = max(gains, key=lambda k: (gains[k], -len(k), k))
        if gains[key] < _RECALL_GAIN:
            break
        chosen.append(key)
        best |= {v: max(share, best[v]) for v, share in agree.pop(key).items()}
    return tuple(chosen)


def _possible_keys(alphabets: Mapping[str, Alphabet], order: Sequence[str]) -> list[Key]:
    """Categories with few codes, and pairs of them with few combinations."""
    single = [
        v
        for v in order
        if v.startswith("column:")
        and not alphabets[v].ordered
        and 2 < alphabets[v].size <= _RECALL_CODES
    ][:_MOST_KEYS]
    pairs = [
        (a, b)
        for a, b in itertools.combinations(single, 2)
        if alphabets[a].size * alphabets[b].size <= _RECALL_PAIRS
    ]
    return [*((v,) for v in single), *pairs]


def _long(links: Int64) -> bool:
    """Whether families are long enough to have a history."""
    linked = links[links >= 0]
    return len(linked) >= max(_FEWEST_FAMILIES, _LONG_FAMILIES * len(np.unique(linked)))


def repeated_from(
    codes: Mapping[str, Codes],
    alphabets: Mapping[str, Alphabet],
    known: Mapping[str, Codes],
    memory: Sequence[Key],
    links: Int64,
    order: Sequence[str],
) -> dict[str, str]:
    """Where categories with many codes repeat what an earlier sibling had: which one's.

    A tree cannot say "the same again" of a category with many codes, but a variable of its own can.

    Args:
        known: Codes of what rows know before they are drawn, and of what they recall.
    """
    if not _long(links):
        return {}
    later = np.flatnonzero(positions(links) > 0)[:_RECALL_ROWS]
    found = {}
    for place, v in enumerate(order):
        if (
            alphabets[v].ordered
            or alphabets[v].size < _MANY_CODES
            or v not in remembered(alphabets)
        ):
            continue
        keys = [variables.joint(key) for key in memory if set(key) <= set(order[:place])]
        sources = [variables.previous(v), *(variables.recall(key, v) for key in keys)]
        agree = {s: float(np.mean(known[s][later] == codes[v][later])) for s in sources}
        source = max(agree, key=lambda s: agree[s])
        if _LEAST_SAME <= agree[source] < 1:
            found[v] = source
    return found


def positions(links: Int64) -> Int64:
    """The place of every row among its siblings; 0 for a row without parent."""
    return np.where(links >= 0, rank_in_group(links), 0)


def sizes(links: Int64) -> Int64:
    """The number of siblings of every row, itself included; 1 for a row without parent."""
    counts = np.bincount(links[links >= 0], minlength=1)
    return np.where(links >= 0, counts[links], 1)


def previous_rows(links: Int64, position: Int64) -> Int64:
    """The row of the sibling before; -1 for the first and for a row without parent."""
    order = by_group(links)
    before = np.full(len(links), -1, np.int64)
    before[order[1:]] = order[:-1]
    return np.where(position > 0, before, -1)


def nobody(rows: Int64, position: Int64, before: Int64) -> Derive:
    """Derive nothing for any rows."""
    del rows, position, before
    return nothing


def sample_families(
    model: TableModel,
    parent: Mapping[str, Codes],
    links: Int64,
    key: int,
    memory: Mapping[Key, tuple[Alphabet, ...]] = NOTHING_RECALLED,
    repeated: Mapping[str, str] = NOTHING_REPEATED,
    derivation: Derivation = nobody,
) -> dict[str, Codes]:
    """Draw the rows of families round by round.

    Args:
        parent: Codes of the parent's variables.
        links: Parent of every row, siblings side by side; -1 for none.
        memory: The keys by which families recall, and their alphabets.
        repeated: Variables that may repeat what another says, and that other.
        derivation: Given some rows, their places and the siblings drawn before them, what derives
            codes while they are drawn.
    """
    position, size = positions(links), sizes(links)
    drawn: dict[str, Codes] = {}
    model, late = parted(model)
    recall = _Recall.of(memory, int(links.max(initial=-1)) + 1, drawn)
    by_position = by_group(position)
    limits = np.searchsorted(position[by_position], list(_rounds(int(position.max(initial=0)))))
    for number, (start, stop) in enumerate(itertools.pairwise(limits)):
        rows = np.sort(by_position[start:stop])
        if not len(rows):
            continue
        # Inside a block of positions every row knows the last sibling before the block.
        first = int(position[by_position[start]])
        before = np.where(position[rows] > 0, rows - position[rows] + first - 1, -1)
        places = variables.places(position[rows], size[rows])
        context = _Known(parent, drawn, links[rows], places, before)
        derive = recall.derivation(links[rows], derivation(rows, position[rows], before))
        derive = _repeater(repeated, context, derive)
        found = model.sample(len(rows), context, key=int(hashed(key, number)), derive=derive)
        recall.remember(rows, links[rows], found)
        for variable, codes in found.items():
            if variable.startswith((variables.RECALL, variables.SAME)):
                continue
            if variable not in drawn:
                # One entry more than rows: what index -1 finds is code 0.
                drawn[variable] = np.zeros(len(links) + 1, np.uint16)
            drawn[variable][rows] = codes
    found = {variable: codes[:-1] for variable, codes in drawn.items()}
    return found | draw_late(late, parent, links, found, int(hashed(key, len(limits))))


def draw_late(
    late: TreeChain, parent: Mapping[str, Codes], links: Int64, drawn: Mapping[str, Codes], key: int
) -> dict[str, Codes]:
    """Numbers of children and profiles of all rows at once, siblings in the order of rows.

    Args:
        late: What `parted` found.
        drawn: Codes of the other variables.
    """
    position = positions(links)
    before = previous_rows(links, position)
    earlier = {v: np.append(codes, np.uint16(0)) for v, codes in drawn.items()}
    context = _Known(parent, earlier, links, variables.places(position, sizes(links)), before)
    known = ChainMap(dict(drawn), context)  # type: ignore[arg-type]  # the context is only read
    return late.sample(len(links), known, key=key) if late.trees else {}


def parted(model: TableModel) -> tuple[TableModel, TreeChain]:
    """A model without what no sibling knows and nothing else hangs on, and that.

    Numbers of children and profiles are drawn for all rows at once: then they add up to what they
    do in the source, which those of small rounds do not.
    """
    if not isinstance(model, TreeChain):
        return model, TreeChain(())
    late = [t.target.startswith(variables.LATE) for t in model.trees]
    start = len(late) - late[::-1].index(False) if False in late else 0
    kept = (variables.RECALL, variables.SAME)  # known while siblings are drawn, not afterwards
    memory = any(f.startswith(kept) for t in model.trees[start:] for f in t.features)
    if not start or memory:
        return model, TreeChain(())
    return TreeChain(model.trees[:start]), TreeChain(model.trees[start:])


def in_a_row(derivations: Sequence[Derivation]) -> Derivation:
    """What lets several derive, one after the other."""

    def derivation(rows: Int64, place: Int64, before: Int64) -> Derive:
        steps = [make(rows, place, before) for make in derivations]

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            for step in steps:
                step(variable, drawn)

        return derive

    return derivation


def _rounds(last: int) -> Iterator[int]:
    """Where each round begins, up to one past the last position."""
    start = 0
    while start <= last:
        yield start
        start += 1 if start < SINGLE_ROUNDS else start
    yield last + 1


@dataclass(frozen=True)
class _Recall:
    """The last row of every family with every code of the keys by which families recall."""

    keys: Mapping[Key, tuple[Alphabet, ...]]
    last: Mapping[Key, Int64]
    drawn: Mapping[str, Codes]

    @classmethod
    def of(
        cls,
        keys: Mapping[Key, tuple[Alphabet, ...]],
        families: int,
        drawn: Mapping[str, Codes],
    ) -> _Recall:
        """An empty memory."""
        sizes = {key: math.prod(a.size for a in found) for key, found in keys.items()}
        last = {key: np.full((families, size), -1, np.int64) for key, size in sizes.items()}
        return cls(keys, last, drawn)

    def derivation(self, links: Int64, derive: Derive) -> Derive:
        """What recalls as soon as a key is drawn, after the given derivations."""

        def recall(variable: str, found: dict[str, Codes]) -> None:
            derive(variable, found)
            for key in self.keys:
                if key[-1] != variable:
                    continue
                before = self.last[key][np.maximum(links, 0), self._joint(key, found)]
                before = np.where(links >= 0, before, -1)
                for name, codes in self.drawn.items():
                    if not name.startswith(("count:", "profile:")):
                        found[variables.recall(variables.joint(key), name)] = codes[before]

        return recall

    def remember(self, rows: Int64, links: Int64, found: Mapping[str, Codes]) -> None:
        """Take in rows that were drawn, in their order."""
        linked = links >= 0
        for key, last in self.last.items():
            last[links[linked], self._joint(key, found)[linked]] = rows[linked]

    def _joint(self, key: Key, found: Mapping[str, Codes]) -> Int64:
        return variables.joint_codes([found[v] for v in key], self.keys[key])


def _repeater(repeated: Mapping[str, str], context: Mapping[str, Codes], derive: Derive) -> Derive:
    """What repeats the codes of earlier siblings where rows say so, before what is derived."""

    def repeat(variable: str, found: dict[str, Codes]) -> None:
        source = repeated.get(variable)
        if source is not None:
            theirs = found[source] if source in found else context[source]
            again = (found[variables.same(variable)] == variables.YES) & (theirs != 0)
            found[variable] = np.where(again, theirs, found[variable])
        derive(variable, found)

    return repeat


class _Known(Mapping[str, Codes]):
    """What some rows know, gathered once for each variable that a tree asks for."""

    def __init__(
        self,
        parent: Mapping[str, Codes],
        drawn: Mapping[str, Codes],
        links: Int64,
        places: Mapping[str, Codes],
        before: Int64,
    ) -> None:
        self._parent = {variables.of_parent(v): codes for v, codes in parent.items()}
        self._drawn = {variables.previous(v): codes for v, codes in drawn.items()}
        self._links, self._places, self._before = links, places, before
        self._gathered: dict[str, Codes] = {}

    def __getitem__(self, name: str) -> Codes:
        if name in self._places:
            return self._places[name]
        if name not in self._gathered:
            self._gathered[name] = self._gather(name)
        return self._gathered[name]

    def _gather(self, name: str) -> Codes:
        if name in self._parent:
            codes = self._parent[name]
            found: Codes = np.where(self._links >= 0, codes[self._links], 0).astype(np.uint16)
            return found
        if name in self._drawn:
            return self._drawn[name][self._before]
        if name.startswith((variables.previous(""), variables.RECALL)):
            return np.zeros(len(self._links), np.uint16)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*self._parent, *self._drawn, *self._places))

    def __len__(self) -> int:
        return len(self._parent) + len(self._drawn) + len(self._places)


# ---------------------------------------------------------------------------------------------
# Profiles
# ---------------------------------------------------------------------------------------------


def profile(
    key: ForeignKey,
    codes: Mapping[str, Codes],
    alphabets: Mapping[str, Alphabet],
    links: Int64,
    parents: int,
) -> dict[str, Codes]:
    """The leading principal components of what the families of a foreign key look like, as codes.

    Code 0 stands for no children.  Empty where there are too few families, or hardly any siblings.
    """
    linked = np.flatnonzero(links >= 0)
    counts = np.bincount(links[linked], minlength=parents)
    busy = np.flatnonzero(counts)
    if len(busy) < _FEWEST_FAMILIES or len(linked) < _FEWEST_CHILDREN * len(busy):
        return {}
    means = [
        np.bincount(links[linked], weights=part[linked], minlength=parents)[busy] / counts[busy]
        for name, alphabet in alphabets.items()
        for part in _parts(codes[name], alphabet)
    ]
    if not means:
        return {}
    table = np.stack(means, axis=1)
    table = table - table.mean(axis=0)
    _, _, axes = np.linalg.svd(table.T @ table)
    found = {}
    for i, axis in enumerate(axes[:COMPONENTS]):
        score = table @ (axis * (1 if axis[np.argmax(np.abs(axis))] > 0 else -1))
        if score.std() < 1e-6:
            break
        rank = np.argsort(np.argsort(score, kind="stable"), kind="stable")
        binned = np.zeros(parents, np.uint16)
        binned[busy] = 1 + rank * min(PROFILE_BINS, max(len(busy) // 10, 1)) // len(busy)
        found[variables.profile(key, i)] = binned
    return found


def _parts(codes: Codes, alphabet: Alphabet) -> Iterator[Float64]:
    """Numbers whose means describe a family: ranks and their squares, or shares of common codes."""
    if alphabet.ordered:
        counts = np.bincount(codes, minlength=alphabet.size)
        ridit = ((np.cumsum(counts) - counts / 2) / max(len(codes), 1))[codes]
        yield ridit
        yield (ridit - 0.5) ** 2
        return
    counts = np.bincount(codes, minlength=alphabet.size)
    for code in np.argsort(-counts, kind="stable")[:4]:
        if counts[code]:
            yield (codes == code).astype(np.float64)
