"""Lists of real values to avoid, completed with the values that no sample held.

The outline looks at a sample only.  Where a table has more rows, whatever must not come back is
gathered again while all rows are read, as bits of salted hashes: a byte per row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from dbsynth.codec import as_text
from dbsynth.identifiers.avoid import AvoidList
from dbsynth.model import MADE, ColumnModel, TableFacts, name_parts
from dbsynth.outline import joined_names
from dbsynth.outline.proposals import SAMPLE_ROWS

_PEOPLE = ""  # no column has this name


@dataclass
class Guard:
    """Gathers the hashes of one table; see `guard_of`.

    Attributes:
        columns: The columns that have to be read for it.
    """

    lists: Mapping[str, AvoidList]
    people: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """The columns whose values are gathered."""
        return frozenset(self.lists) - {_PEOPLE} | frozenset(self.people)

    def look(self, columns: Mapping[str, pa.Array]) -> None:
        """Gather the values of a batch."""
        for name, avoid in self.lists.items():
            values = (
                joined_names([columns[p] for p in self.people])
                if name == _PEOPLE
                else columns[name]
            )
            texts = values if pa.types.is_binary(values.type) else as_text(values)
            avoid.add(texts)

    def completed(self, facts: TableFacts) -> TableFacts:
        """The facts with complete lists."""
        lists = self.lists
        columns = {name: _guarded(model, lists.get(name)) for name, model in facts.columns.items()}
        return replace(facts, columns=columns, people=self.lists.get(_PEOPLE, facts.people))


def guard_of(facts: TableFacts) -> Guard:
    """What has to be gathered of a table; nothing where the sample held all of its rows."""
    if facts.strategy not in MADE or facts.rows <= SAMPLE_ROWS:
        return Guard({})
    lists = {name: avoid for name, model in facts.columns.items() if (avoid := _list_of(model))}
    if facts.people is not None:
        lists[_PEOPLE] = facts.people
    rooms = {name: AvoidList.room(facts.rows, avoid.salt) for name, avoid in lists.items()}
    return Guard(rooms, name_parts(facts) if facts.people is not None else ())


def _list_of(model: ColumnModel) -> AvoidList | None:
    if model.provided is not None:
        return model.provided.avoid
    return None if model.mint is None or model.mint.dense else model.avoid


def _guarded(model: ColumnModel, avoid: AvoidList | None) -> ColumnModel:
    if avoid is None:
        return model
    if model.provided is not None:
        return replace(model, provided=replace(model.provided, avoid=avoid))
    return replace(model, avoid=avoid)
