"""The persons of some rows: who they are before they get names, and whom they must not be.

All columns of a row that name its person are drawn by one index.  Where the person it stands for is
somebody of the source, in whatever column, the whole row goes on to another index: never one column
alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Role
from dbsynth.codec import as_text
from dbsynth.draft.drafted import Draft
from dbsynth.identifiers import PROVIDERS
from dbsynth.identifiers.avoid import drawn_of
from dbsynth.identifiers.places import sex_of
from dbsynth.identifiers.traits import Persona, Source, Traits
from dbsynth.model import Provided, TableFacts, name_parts
from dbsynth.outline import joined_names
from dbsynth.randomness import UInt64
from dbsynth.schema import Table

Int64 = npt.NDArray[np.int64]
Values = Callable[[Table, str, Int64], pa.Array]
_ROUNDS = 40
_NO_DAY, _FURTHEST_DAY = -(2**31), 800_000  # days from 1970
_TELLING = frozenset(
    ["full_name", "user_name", "email", "street_address", "phone", "national_id", "iban", "card"]
)  # one of them alone says who somebody is
SETTLED = 64
"""So many spans further on begin the indices of values that are drawn anew to settle a rule."""


def span_of(draft: Draft, table: Table) -> int:
    """A number larger than every index of a table in use: so far apart lie redraws.

    No larger than it must be: far indices show in numbered names.
    """
    facts, rows = draft.model.tables[table.name], draft.rows[table.name]
    reach = max(rows, 64)
    fk = draft.model.plan.generating.get(table.name)
    for model in facts.columns.values():
        if model.repeats is not None and fk is not None:
            slots = 1 + model.repeats.shared + draft.rows[fk.parent] * model.repeats.slots
            reach = max(reach, slots + rows)
    return 1 << reach.bit_length()


def traits_of(
    draft: Draft, table: Table, column: str, positions: Int64, values: Values
) -> Traits | None:
    """What rows say of their persons, as far as it concerns a column; None where they say nothing.

    Args:
        positions: The rows.
        values: Draws the values of a column of a table at positions.
    """
    persona = draft.model.tables[table.name].persona
    if persona is None:
        return None
    place, told = np.zeros(len(positions), np.int64), False
    source = persona.sources.get(column)
    if source is not None and source.column != column:
        place, told = _places(draft, table, persona, source, positions, values), True
    female = np.full(len(positions), -1, np.int8)
    sexed = persona.sex is not None and persona.sex.column != column
    if sexed and persona.sex is not None:
        female = _sexes(values(table, persona.sex.column, positions), turned=persona.sex.turned)
    born = None
    if persona.born is not None and persona.born.column != column:
        born = _days(values(table, persona.born.column, positions))
    region = persona.regions.get(column)
    inside = None if region is None else as_text(values(table, region, positions))
    return Traits(persona.places, place, female, told, sexed, born, inside)


def _days(values: pa.Array) -> npt.NDArray[np.datetime64]:
    """Dates or times as days; NaT where there is none."""
    days = pc.cast(pc.cast(values, pa.date32(), safe=False), pa.int32())
    numbers = pc.fill_null(days, _NO_DAY).to_numpy(zero_copy_only=False).astype(np.int64)
    known = np.abs(numbers) < _FURTHEST_DAY
    return np.where(known, numbers, np.iinfo(np.int64).min).astype("datetime64[D]")


def _places(
    draft: Draft, table: Table, persona: Persona, source: Source, positions: Int64, values: Values
) -> Int64:
    owner, rows, here = table, positions, np.ones(len(positions), bool)
    for fk in source.path:
        if fk not in draft.links or not draft.rows[fk.parent]:
            return np.zeros(len(positions), np.int64)
        links = draft.links[fk][rows]
        here &= links >= 0
        owner, rows = draft.model.schema[fk.parent], np.maximum(links, 0)
    codes = as_text(values(owner, source.column, rows)).dictionary_encode()
    number = {place: i for i, place in enumerate(persona.places)}
    words = codes.dictionary.to_pylist()
    named = [persona.place(word, speaks=source.speaks) for word in words]
    found = [0 if place is None else number.get(place, 0) for place in named]
    at = pc.fill_null(codes.indices, len(found)).to_numpy(zero_copy_only=False)
    return np.where(here, np.array([*found, 0], np.int64)[at], 0)


def _sexes(values: pa.Array, *, turned: bool) -> npt.NDArray[np.int8]:
    codes = as_text(values).dictionary_encode()
    yes = {"true": int(not turned), "t": int(not turned), "1": int(not turned)}
    yes |= {"false": int(turned), "0": int(turned)} if not pa.types.is_string(values.type) else {}
    found = [yes[w] if w in yes and pa.types.is_boolean(values.type) else sex_of(w)
             for w in codes.dictionary.to_pylist()]  # fmt: skip
    at = pc.fill_null(codes.indices, len(found)).to_numpy(zero_copy_only=False)
    sexes: npt.NDArray[np.int8] = np.array([*found, -1], np.int8)[at]
    return sexes


def strangers(draft: Draft, table: Table, index: UInt64, key: int, traits: Traits | None) -> UInt64:
    """The indices, put on where the person they stand for is one of the source.

    A person is one of the source where given and family name together are, or one of the columns
    that alone say who somebody is.
    """
    facts = draft.model.tables[table.name]
    checks = _checks(facts)
    if facts.people is None and not checks:
        return index
    known = draft.persons.get(table.name)
    if known is not None and _same(known, index, traits):
        return known[2]
    found, span = index.copy(), np.uint64(span_of(draft, table))
    parts = [p for n in name_parts(facts) if (p := facts.columns[n].provided) is not None]
    left = np.arange(len(index))
    for _ in range(_ROUNDS):
        mine = None if traits is None else traits.taken(left)
        bad = np.zeros(len(left), bool)
        if facts.people is not None:
            drawn = [_drawn(part, found[left], key, mine) for part in parts]
            bad |= facts.people.contains(joined_names(drawn))
        for provided in checks:
            assert provided.avoid is not None
            bad |= provided.avoid.contains(_drawn(provided, found[left], key, mine))
        left = left[bad]
        if not len(left):
            break
        found[left] += span
    draft.persons[table.name] = index, traits, found
    return found


def _checks(facts: TableFacts) -> list[Provided]:
    return [
        model.provided
        for model in facts.columns.values()
        if model.provided is not None
        and model.provided.avoid is not None
        and model.provided.provider in _TELLING
        and model.decision.role is Role.IDENTIFIER
        and model.echo is None
        and model.repeats is None
    ]


def _drawn(provided: Provided, index: UInt64, key: int, traits: Traits | None) -> pa.Array:
    provider = PROVIDERS[provided.provider]
    return drawn_of(provider, provided.state, index, key, traits)


def _same(
    known: tuple[UInt64, Traits | None, UInt64], index: UInt64, traits: Traits | None
) -> bool:
    before = known[1]
    if not np.array_equal(known[0], index) or (before is None) != (traits is None):
        return False
    if before is None or traits is None:
        return True
    same_born = (
        before.born is None
        if traits.born is None
        else (before.born is not None and np.array_equal(before.born, traits.born, equal_nan=True))
    )
    alike = np.array_equal(before.place, traits.place)
    return same_born and alike and np.array_equal(before.female, traits.female)
