"""What is known of the persons of some rows before they get names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.identifiers.places import Place, in_latin, place_named, place_of, place_speaking
from dbsynth.randomness import UInt64
from dbsynth.schema import ForeignKey


@dataclass(frozen=True)
class Traits:
    """Sex, place and birth of the persons of some rows.

    Attributes:
        places: The places in question.
        place: The number of its place for every row.
        female: 1 for women, 0 for men, -1 where nothing is known.
        told: Whether the rows say which country; else all have the place of the table.
        sexed: Whether the rows say which sex.
        born: Days of birth; NaT where unknown.
        region: Names or abbreviations of the regions they live in, as far as rows say them.
    """

    places: tuple[Place, ...]
    place: npt.NDArray[np.int64]
    female: npt.NDArray[np.int8]
    told: bool = False
    sexed: bool = False
    born: npt.NDArray[np.datetime64] | None = None
    region: pa.Array | None = None

    def taken(self, rows: npt.NDArray[np.int64]) -> Traits:
        """Those of some of the rows."""
        born = None if self.born is None else self.born[rows]
        region = None if self.region is None else self.region.take(pa.array(rows))
        return Traits(
            self.places, self.place[rows], self.female[rows], self.told, self.sexed, born, region
        )


def unknown(index: UInt64, locale: str) -> Traits:
    """Those of persons of whom nothing is known but where they are likely to live."""
    size = len(index)
    return Traits((place_of(locale),), np.zeros(size, np.int64), np.full(size, -1, np.int8))


@dataclass(frozen=True, slots=True)
class Source:
    """A column that tells something about the persons of a table.

    Attributes:
        column: Its name.
        path: Foreign keys from the table of the persons to the one that has it.
        speaks: Whether it holds languages, not countries.
        turned: Whether true stands for a man.
    """

    column: str
    path: tuple[ForeignKey, ...] = ()
    speaks: bool = False
    turned: bool = False


@dataclass(frozen=True)
class Persona:
    """What tells about the persons of a table.

    Attributes:
        locale: Where nothing else tells.
        places: Those that occur, the table's own first.
        sources: Per column, what tells its country.
        sex: What tells women from men.
        born: What tells the days of birth.
        regions: Per column of postcodes, the column of the region that they are inside of.
        latin: Whether their names are in Latin letters wherever they live.
    """

    locale: str
    places: tuple[Place, ...]
    sources: Mapping[str, Source]
    sex: Source | None = None
    latin: bool = False
    born: Source | None = None
    regions: Mapping[str, str] = field(default_factory=dict)

    def place(self, word: str, *, speaks: bool = False) -> Place | None:
        """The place that a country (or a language) stands for."""
        found = (place_speaking if speaks else place_named)(word)
        return in_latin(found) if found is not None and self.latin else found

    def to_json(self, keys: Sequence[ForeignKey]) -> dict[str, Any]:
        """As a document; foreign keys are their numbers."""
        return {
            "locale": self.locale,
            "places": [[place.country, place.locale] for place in self.places],
            "sources": {name: _source_json(s, keys) for name, s in self.sources.items()},
            "latin": self.latin,
            "regions": dict(self.regions),
            "born": self.born and _source_json(self.born, keys),
            "sex": self.sex and _source_json(self.sex, keys),
        }


def _source_json(source: Source, keys: Sequence[ForeignKey]) -> list[Any]:
    path = [keys.index(fk) for fk in source.path]
    return [source.column, path, source.speaks, source.turned]


def persona_from_json(
    value: Mapping[str, Any] | None, keys: Sequence[ForeignKey]
) -> Persona | None:
    """What `Persona.to_json` wrote."""
    if value is None:
        return None

    def source(row: Sequence[Any]) -> Source:
        return Source(row[0], tuple(keys[i] for i in row[1]), bool(row[2]), bool(row[3]))

    return Persona(
        value["locale"],
        tuple(Place(*place) for place in value["places"]),
        {name: source(row) for name, row in value["sources"].items()},
        source(value["sex"]) if value["sex"] else None,
        bool(value.get("latin")),
        source(value["born"]) if value.get("born") else None,
        dict(value.get("regions", {})),
    )
