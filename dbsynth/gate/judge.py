"""From what was met to findings: chance, or a leak, and which part let it through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import as_text
from dbsynth.databases.base import Database
from dbsynth.gate.chance import RARE_IN_CROWDS, crowd, if_all_alike, reordered, too_many
from dbsynth.gate.gather import ANYWHERE, MOST_MARKS, Held, no_numbers
from dbsynth.gate.search import Met, Searched, Sort
from dbsynth.gate.subjects import Subject
from dbsynth.gate.table import MIXED, NUMBER, WORD, WORDS, of_column
from dbsynth.gate.texts import Int64, read
from dbsynth.identifiers import PROVIDERS
from dbsynth.identifiers.avoid import drawn_of
from dbsynth.identifiers.traits import Traits
from dbsynth.model import Model, TableFacts
from dbsynth.randomness import UInt64
from dbsynth.schema import Table

_DRAWS = 200_000
_OF_ALL = ("locale", "script", "short")  # what a provider's state says of the whole column alone


@dataclass(frozen=True)
class Verdict:
    """What became of a column.

    Attributes:
        real: Rows with a real value.
        leaks: Whether they are more than chance.
        of: The subjects that the values are of.
    """

    real: int
    rows: int
    leaks: bool
    of: frozenset[str] = frozenset()

    def __or__(self, other: Verdict) -> Verdict:
        """The verdict on the same column after another part of the source."""
        return Verdict(
            max(self.real, other.real), self.rows, self.leaks or other.leaks, self.of | other.of
        )


@dataclass(frozen=True)
class Judge:
    """Judges the columns of a clone's table.

    Attributes:
        numbers: Of each column (or columns together) that is a subject of its own, the number.
    """

    clone: Database
    model: Model
    subjects: Sequence[Subject]
    held: Held
    numbers: Mapping[tuple[str, ...], int]

    def verdict(self, table: Table, names: tuple[str, ...], found: Searched) -> Verdict:
        """Whether what was met in a column is more than chance."""
        number, guilty = self.numbers.get(names, -1), set[int]()
        for sort, places in found.own.places.items():
            if self.subjects[number].direct or self._leaks(table, names, found.own, sort, number):
                guilty |= places
        for sort, places in found.anywhere.places.items():
            if self._leaks(table, names, found.anywhere, sort, ANYWHERE):
                guilty |= places
        met = guilty or {
            p for m in (found.own, found.anywhere) for ps in m.places.values() for p in ps
        }
        of = {self.subjects[int(self.held.table.tags[p]) >> 3].name for p in list(met)[:1000]}
        return Verdict(found.real, found.rows, bool(guilty), frozenset(of))

    def _leaks(
        self, table: Table, names: tuple[str, ...], met: Met, sort: Sort, under: int
    ) -> bool:
        (kind, marks), hits = sort, len(met.places[sort])
        some = slice(marks, marks + 1) if marks else slice(None)
        real = self.held.numbers.get(under, no_numbers())[kind, some]
        drawn = met.drawn[kind, some]
        if not too_many(hits, if_all_alike(kind, real, drawn, marks), kind):
            return False
        if kind in (NUMBER, MIXED):
            share = crowd(met.examples[sort], lambda texts: self._places(texts, under))
            if not too_many(hits, share * float(drawn.sum()), kind, RARE_IN_CROWDS):
                return False
        if kind not in (WORD, WORDS, MIXED):
            return True
        return too_many(hits, self._by_blind_draws(table, names, kind, under), kind)

    def _places(self, texts: pa.Array, under: int) -> Int64:
        hashes, _ = read(texts).described(self.held.table.salt)
        return self.held.table.places(hashes if under == ANYWHERE else of_column(hashes, under))

    def _by_blind_draws(self, table: Table, names: tuple[str, ...], kind: int, under: int) -> float:
        """How many different real values texts would meet that know nothing of the source."""
        facts = self.model.tables[table.name]
        model = facts.columns.get(names[0])
        rows = self.clone.count_rows(table)
        drawn = None if model is None or len(names) > 1 else _blind(table, names[0], facts)
        if drawn is None and (kind != WORDS or rows == 0):
            return 0.0
        if drawn is None:
            drawn = self._reordered(table, names)
        met = len(self._met(drawn, under, kind))
        return met * rows / max(len(drawn), 1)

    def _reordered(self, table: Table, names: tuple[str, ...]) -> pa.Array:
        sample = self.clone.sample(table, names, _DRAWS // 4, 1)
        texts = [as_text(sample[name].combine_chunks()) for name in names]
        whole = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, " ")
        turns, rng = max(1, min(20, _DRAWS // max(len(whole), 1))), np.random.default_rng(0)
        return pa.concat_arrays([reordered(whole, rng) for _ in range(turns)])

    def _met(self, texts: pa.Array, under: int, kind: int) -> Int64:
        """The real values of a kind in some texts, once for each text."""
        held = self.held.table
        read_ = read(texts)
        if under != ANYWHERE:
            places = self._places(texts, under)
        else:
            everywhere, tried = np.ones(len(read_), np.bool_), np.zeros((2, MOST_MARKS), np.int64)
            places = held.inside(read_, everywhere, tried, _DRAWS)[:, 1]
        places = places[places >= 0]
        alike: Int64 = places[(held.tags[places] & 7) == kind]
        return alike


def _blind(table: Table, name: str, facts: TableFacts) -> pa.Array | None:
    """Values of a column's provider that has seen nothing of the source."""
    model = facts.columns[name]
    provided = model.provided or model.spare
    if provided is None:
        return None
    provider = PROVIDERS[provided.provider]
    nothing = pa.array([], pa.string())
    column = table.column_by_name[name]
    state = provider.fit(column, nothing, unique=False, locale="en_US", k=5)
    state = {**state, **{n: provided.state[n] for n in _OF_ALL if n in provided.state}}
    index = np.arange(_DRAWS, dtype=np.uint64)
    return as_text(drawn_of(provider, state, index, 1, _anywhere(facts, name, index)))


def _anywhere(facts: TableFacts, name: str, index: UInt64) -> Traits | None:
    """Persons of all places that a table's rows may be of."""
    persona = facts.persona
    if persona is None or name not in persona.sources:
        return None
    place = (index % np.uint64(len(persona.places))).astype(np.int64)
    return Traits(persona.places, place, np.full(len(index), -1, np.int8), told=True)
