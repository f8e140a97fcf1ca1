"""Values that a model shows as they are, and that too few entities of the source share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import Category, Formatted, Number, as_text, k_threshold, parse_form, to_numbers
from dbsynth.keys import hash_keys
from dbsynth.learn.entities import FEWEST, count_holders, is_learnt_by_value, paths_to_entities
from dbsynth.model import ColumnModel, Model, TableFacts
from dbsynth.plural import do
from dbsynth.report import Finding, Status
from dbsynth.schema import Table

Int64 = npt.NDArray[np.int64]

_MOST_K = 5  # the largest number of entities that is ever asked for
_COUNTED = 64  # entities that are told apart to know how many are asked for


@dataclass
class _Shown:
    """The values that one column or part of one shows, and who has them.

    Attributes:
        words: Of a category.
        points: Of a number, sorted.
    """

    words: pa.Array | None = None
    points: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    form: str = ""
    known: list[Int64] = field(default_factory=list)
    counts: list[Int64] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many values are shown."""
        return len(self.points) if self.words is None else len(self.words)

    def begin(self, ways: int) -> None:
        """Count in so many ways what an entity is."""
        self.known = [np.zeros((1 + self.size, _MOST_K), np.int64) for _ in range(ways)]
        self.counts = [np.zeros(1 + self.size, np.int64) for _ in range(ways)]

    def look(self, values: pa.Array, entities: Sequence[Int64]) -> None:
        """Count the holders in some rows."""
        codes = self._codes(values)
        for known, counts, held in zip(self.known, self.counts, entities, strict=True):
            count_holders(codes, held, known, counts)

    def _codes(self, values: pa.Array) -> Int64:
        """1 and more for the values that are shown."""
        if self.words is not None:
            found = pc.fill_null(pc.index_in(as_text(values), self.words), -1)
            return np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int64) + 1
        numbers, present = to_numbers(parse_form(values, self.form) if self.form else values)
        place = np.minimum(np.searchsorted(self.points, numbers), len(self.points) - 1)
        return np.where(present & (self.points[place] == numbers), place + 1, 0)

    def rare(self, least: Sequence[int]) -> int:
        """How many values somebody has, but fewer entities than asked for in one of the ways."""
        few = [(c[1:] > 0) & (c[1:] < k) for c, k in zip(self.counts, least, strict=True)]
        return int(np.any(few, axis=0).sum())


@dataclass
class _Way:
    """A way from a row to the entity that it belongs to: the foreign key that it begins with.

    Attributes:
        far: Whether the entity is further away than the parent.
        seen: Different parents, as far as they are told apart.
    """

    columns: tuple[str, ...]
    far: bool
    seen: set[int] = field(default_factory=set)

    def entities(self, values: Mapping[str, pa.Array], rows: Int64) -> Int64:
        """The parent of every row, as a number; a row without one is its own."""
        hashes, complete = hash_keys([values[name] for name in self.columns])
        parents = (hashes >> np.uint64(1)).astype(np.int64)
        if len(self.seen) < _COUNTED:
            self.seen.update(np.unique(parents[complete])[:_COUNTED].tolist())
        return np.where(complete, parents, -1 - rows)

    @property
    def least(self) -> int:
        """How many parents have to share a value: fewer parents may be as many entities."""
        if len(self.seen) < FEWEST:
            return 0
        return 2 if self.far else k_threshold(len(self.seen))


class Holders:
    """Counts who in the source holds the values that a model shows as they are."""

    def __init__(self, model: Model) -> None:
        """Begin with every value that the model shows."""
        self._tables = {
            table.name: _Holders(model, table.name)
            for table in model.schema.tables
            if model.tables[table.name].strategy == "synthesize" and model.tables[table.name].rows
        }

    def columns(self, table: Table) -> frozenset[str]:
        """The columns with such values, and the keys to those who may hold them."""
        mine = self._tables.get(table.name)
        return frozenset() if mine is None else mine.columns

    def look(self, table: Table, values: Mapping[str, pa.Array]) -> None:
        """Count the holders in a batch of rows."""
        self._tables[table.name].look(values)

    def findings(self) -> Iterator[Finding]:
        """A finding for every column."""
        for mine in self._tables.values():
            yield from mine.findings()


class _Holders:
    """The same of one table."""

    def __init__(self, model: Model, name: str) -> None:
        paths = paths_to_entities(model.schema, model.tables, model.plan.generating, name)
        self._name, self._facts, self._start = name, model.tables[name], 0
        self._ways = [_Way(path[0].columns, len(path) > 1) for path in paths]
        models = self._facts.columns.items()
        self._shown = {column: found for column, m in models if (found := _shown(m))}
        self._parts = dict(_parts(self._facts))
        for found in self._shown.values():
            found.begin(1 + len(self._ways))
        for found in self._parts.values():
            found.begin(1)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are looked at."""
        wanted = frozenset(self._shown) | {column for column, _ in self._parts}
        keys = {column for way in self._ways for column in way.columns}
        return wanted | keys if wanted else wanted

    def look(self, values: Mapping[str, pa.Array]) -> None:
        """Count the holders in a batch of rows."""
        count = len(next(iter(values.values())))
        rows = self._start + np.arange(count)
        self._start += count
        entities = [rows, *(way.entities(values, rows) for way in self._ways)]
        for name, found in self._shown.items():
            found.look(values[name], entities)
        for name in {name for name, _ in self._parts}:
            self._look_inside(name, values[name], rows)

    def _look_inside(self, name: str, values: pa.Array, rows: Int64) -> None:
        mine = {part: found for (column, part), found in self._parts.items() if column == name}
        structure = self._facts.columns[name].structure
        assert structure is not None
        for part, split in structure.split(values, frozenset(mine)).items():
            if part in mine:
                owners = rows if split.owners is None else rows[split.owners]
                mine[part].look(split.array, [owners])

    def findings(self) -> Iterator[Finding]:
        """A finding for every column, and for every part of one."""
        k = k_threshold(self._facts.rows)
        for name, found in self._shown.items():
            rare = found.rare([k, *(way.least for way in self._ways)])
            yield _finding(f"{self._name}.{name}", rare, found.size)
        for (name, part), found in self._parts.items():
            yield _finding(f"{self._name}.{name} ({part})", found.rare([k]), found.size)


def _parts(facts: TableFacts) -> Iterator[tuple[tuple[str, str], _Shown]]:
    for name, model in facts.columns.items():
        for part, piece in model.pieces.items() if model.structure else ():
            codec = piece.model.codec
            if isinstance(codec, Category) and codec.shown and is_learnt_by_value(piece.model):
                yield (name, part), _Shown(pa.array(codec.shown, pa.string()))


def _shown(model: ColumnModel) -> _Shown | None:
    """The values that a column shows as they are; distances between times and factors are none."""
    relative = model.anchor is not None or model.factor is not None
    if not is_learnt_by_value(model) or relative or model.derived:
        return None
    codec = model.codec
    if isinstance(codec, Category):
        return _Shown(pa.array(codec.shown, pa.string()))
    number = codec.number if isinstance(codec, Formatted) else codec
    assert isinstance(number, Number)
    form = codec.form if isinstance(codec, Formatted) else ""
    return _Shown(None, np.unique(number.points[~np.isnan(number.points)]), form)


def _finding(subject: str, rare: int, of: int) -> Finding:
    if not rare:
        return Finding("rare", subject, Status.PASSED, f"enough entities share each of {of} values")
    detail = f"{rare} of {of} values that are shown {do(rare, 'belong')} to too few entities"
    part = "the vocabulary of its codec, or the single numbers that it keeps"
    return Finding("rare", subject, Status.FAILED, detail, rare, part)
