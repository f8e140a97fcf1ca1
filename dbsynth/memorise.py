"""Whether a model gives back what it was shown: fitted on half of the entities, judged on both.

Half of the entities of a table, with all that belongs to them, are the *training* half; a model of
it alone makes rows.  What these have in common with the training half stands beside what they have
in common with the *held-out* half, which the model never saw, and beside what the two real halves
have in common.  Only what goes beyond that is remembered.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dbsynth.classify import Role
from dbsynth.codec import as_text
from dbsynth.compose import compose
from dbsynth.databases import open_database, open_stage
from dbsynth.databases.base import Database
from dbsynth.databases.narrowed import Narrowed
from dbsynth.databases.part import Both, Drawn, Part, Under
from dbsynth.databases.portable import carried
from dbsynth.drafted import Draft
from dbsynth.fill import values
from dbsynth.graph import Plan
from dbsynth.keys import hash_keys, join
from dbsynth.learn import fit
from dbsynth.model import Model, TableFacts
from dbsynth.outline import make_outline
from dbsynth.progress import Progress, Silent
from dbsynth.randomness import Streams, UInt64, hashed
from dbsynth.sampling import key_of, under
from dbsynth.schema import ForeignKey, Schema, Table
from dbsynth.spec import Spec
from dbsynth.steer.wishes import Wishes

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

FEWEST = 200  # entities that are worth halving
MOST_COMPARED = 3_000  # rows whose nearest rows are looked for
ALLOWED = 1.5  # times what two real halves share
_MOST_WORDS = 30
_ALL = 2**62


@dataclass(frozen=True)
class Half:
    """The rows of one table on one side: real, held out, or synthetic.

    Attributes:
        rows: Columns that are learnt, in the same order on all sides.
        families: Of the generating key, the parent's place of every row; None where there is none.
    """

    rows: pa.Table
    families: Int64 | None = None


@dataclass(frozen=True)
class Sides:
    """The three sides of one table."""

    table: str
    train: Half
    held_out: Half
    synthetic: Half


@dataclass(frozen=True)
class Memory:
    """What the synthetic rows of a table share with real ones.

    Attributes:
        copied: Share of synthetic rows that equal a row of the training half.
        natural: Share of held-out rows that do.
        chance: Share of synthetic rows that equal a held-out row.
        families, natural_families: The same of whole families of two rows and more.
        closer: Share of synthetic rows that lie closer to the training half than to the other, .5
            for rows that know neither.
        distance: Median distance of synthetic rows to the training half in distances of held-out
            rows to it.
    """

    table: str
    rows: int
    copied: float
    natural: float
    chance: float
    families: float
    natural_families: float
    closer: float
    distance: float

    @property
    def remembered(self) -> bool:
        """Whether more rows are copies than two real halves share, or than are alike by chance."""
        return beyond_allowed(self.copied, max(self.natural, self.chance), self.rows)


def beyond_allowed(share: float, natural: float, rows: int) -> bool:
    """Whether a share is over the allowed one by more than three of its standard errors."""
    allowed = ALLOWED * natural
    error = 3 * np.sqrt(max(allowed * (1 - allowed), 1 / max(rows, 1)) / max(rows, 1))
    return bool(share > allowed + error)


def measure(source: str, spec: Spec, progress: Progress | None = None) -> Iterator[Sides]:
    """The three sides of every table whose entities can be halved, one table of entities a time."""
    spec = replace(spec, fit_rows=_ALL, scale=1.0)
    streams = Streams(spec.seed)
    with open_database(source) as database:
        outline = make_outline(database, spec, streams, progress or Silent())
        rows = {n: f.rows if f.strategy == "synthesize" else 0 for n, f in outline.tables.items()}
        for entity in entity_tables(outline.plan, rows):
            yield from _judged(database, outline.schema, outline.plan, entity, spec)


def entity_tables(plan: Plan, rows: Mapping[str, int]) -> tuple[str, ...]:
    """The highest tables of the forest that have rows enough to be halved."""
    found: list[str] = []
    for name in plan.order:
        above = name
        while above in plan.generating and above not in found:
            above = plan.generating[above].parent
        if above not in found and rows[name] >= FEWEST:
            found.append(name)
    return tuple(found)


def half(
    schema: Schema, plan: Plan, entity: str, limits: tuple[float, float], seed: int
) -> dict[str, Part]:
    """The rows of half of the entities; of other tables those that refer to no row outside."""
    parts: dict[str, Part] = {}
    for name in plan.order:
        table, fk = schema[name], plan.generating.get(name)
        found: Part | None = None
        if name == entity:
            found = Drawn(name, key_of(table), *limits, seed)
        elif fk is not None and fk.parent in parts:
            found = under(schema, fk, parts[fk.parent], limits, seed)
        for other in plan.dealt_of(name):
            if other.parent in parts and not other.nullable and other.parent != name:
                inside = Under(other, parts[other.parent])
                found = inside if found is None else Both(found, inside)
        if found is not None:
            parts[name] = found
    return parts


def below(plan: Plan, entity: str) -> tuple[str, ...]:
    """A table and all tables that hang under it."""
    found = [entity]
    for name in plan.order:
        if name in plan.generating and plan.generating[name].parent in found:
            found.append(name)
    return tuple(found)


def _judged(
    database: Database, schema: Schema, plan: Plan, entity: str, spec: Spec
) -> Iterator[Sides]:
    streams = Streams(spec.seed)
    train, held_out = (
        Narrowed(database, half(schema, plan, entity, limits, spec.seed))
        for limits in ((0.0, 0.5), (0.5, 1.0))
    )
    model = fit(train, make_outline(train, spec, streams, Silent()), spec.engine, streams, Silent())
    with TemporaryDirectory() as folder:
        draft = _made(model, f"sqlite:///{folder}/scratch.db", spec)
    for name in below(plan, entity):
        columns = learnt_columns(model.tables[name])
        if name not in model.engines or not columns or not draft.rows[name]:
            continue
        fk = model.plan.generating.get(name)
        table, positions = model.schema[name], np.arange(draft.rows[name])
        made = pa.table([values(draft, table, c, positions) for c in columns], names=columns)
        yield Sides(
            name,
            _real(train, schema, table, columns, fk),
            _real(held_out, schema, table, columns, fk),
            Half(made, draft.links[fk] if fk else None),
        )


def _made(model: Model, scratch: str, spec: Spec) -> Draft:
    """As many rows as the model was shown; only the schema is ever written."""
    with open_stage(scratch, replace=True) as stage:
        stage.create(model.schema, None)
        if stage.capabilities.kind != model.source_kind:
            kept = carried(model.schema, model.source_kind, stage.capabilities.kind)
            model = replace(model, schema=kept)
        return compose(model, stage, 1.0, Streams(spec.seed), Silent(), Wishes())[0]


def learnt_columns(facts: TableFacts) -> list[str]:
    """The columns whose values come from what was learnt of real ones, and may come back."""
    return [
        name
        for name, column in facts.columns.items()
        if column.codec is not None and column.decision.role is not Role.RENAMED
    ]


def _real(
    database: Database, schema: Schema, table: Table, columns: Sequence[str],
    fk: ForeignKey | None,
) -> Half:  # fmt: skip
    names = [*columns, *(fk.columns if fk else ())]
    names = list(dict.fromkeys(names))
    batches = list(database.read(table, names))
    if not batches:
        return Half(database.sample(table, columns, 1, 0).slice(0, 0), np.zeros(0, np.int64))
    rows = pa.Table.from_batches(batches)
    if fk is None:
        return Half(rows.select(columns))
    found, complete = hash_keys([rows[name].combine_chunks() for name in fk.columns])
    parents = np.unique(found[complete])
    return Half(rows.select(columns), join(found, complete, parents)[0])


# ---------------------------------------------------------------------------------------------
# What the sides share
# ---------------------------------------------------------------------------------------------


def memory_of(sides: Sides) -> Memory:
    """The figures of one table."""
    train, held_out, synthetic = (
        row_hashes(half.rows) for half in (sides.train, sides.held_out, sides.synthetic)
    )
    families = [
        family_hashes(rows, half.families)
        for rows, half in (
            (train, sides.train), (held_out, sides.held_out), (synthetic, sides.synthetic),
        )
    ]  # fmt: skip
    closer, distance = nearness(sides)
    return Memory(
        sides.table, len(synthetic),
        _share(synthetic, train), _share(held_out, train), _share(synthetic, held_out),
        _share(families[2], families[0]), _share(families[1], families[0]),
        closer, distance,
    )  # fmt: skip


def _share(rows: UInt64, among: UInt64) -> float:
    return float(np.isin(rows, among).mean()) if len(rows) else 0.0


def row_hashes(rows: pa.Table) -> UInt64:
    """Equal numbers for rows whose values all read the same."""
    texts = [as_text(rows[name].combine_chunks()).fill_null("\x1f") for name in rows.column_names]
    return hash_keys(texts)[0] if len(rows) else np.zeros(0, np.uint64)


def family_hashes(rows: UInt64, families: Int64 | None) -> UInt64:
    """Equal numbers for families of the same rows, of those with two rows and more."""
    if families is None:
        return np.zeros(0, np.uint64)
    placed = families >= 0
    family, sizes = np.unique(families[placed], return_inverse=True, return_counts=True)[1:]
    total = np.zeros(len(sizes), np.uint64)
    np.add.at(total, family, hashed(1, rows[placed].view(np.int64)))  # whatever the order
    return total[sizes >= 2]


def nearness(sides: Sides) -> tuple[float, float]:
    """Share of synthetic rows closer to the training half, and how close they are to it."""
    points = as_points([sides.train.rows, sides.held_out.rows, sides.synthetic.rows])
    size = min(len(points[0]), len(points[1]), MOST_COMPARED)
    if not size or not len(points[2]):
        return 0.5, 1.0
    train, held_out = _some(points[0], size), _some(points[1], size)
    mine = _some(points[2], MOST_COMPARED)
    to_train, to_other = _nearest(mine, train), _nearest(mine, held_out)
    closer = float(np.mean((to_train < to_other) + 0.5 * (to_train == to_other)))
    natural = float(np.median(_nearest(held_out, train)))
    own = float(np.median(to_train))
    return closer, own / natural if natural else float(own == 0.0)


def _some(points: Float64, most: int) -> Float64:
    """At most so many rows, from the first to the last."""
    return points[np.linspace(0, len(points) - 1, min(most, len(points))).astype(np.int64)]


def as_points(tables: Sequence[pa.Table]) -> list[Float64]:
    """Rows as points, told by all tables together: ranks of numbers, and indicators of words."""
    limits = np.cumsum([0, *(len(table) for table in tables)])
    parts = []
    for name in tables[0].column_names:
        column = pl.Series(
            pl.from_arrow(pa.concat_tables([t.select([name]) for t in tables])[name])
        )
        if column.dtype.is_numeric() or column.dtype.is_temporal():
            rank = column.cast(pl.Float64, strict=False).rank("average") / max(len(column), 1)
            parts.append(rank.fill_null(-0.5).to_numpy()[:, None])
            continue
        words = column.cast(pl.String, strict=False).fill_null("\x1f")
        common = words.value_counts(sort=True)[words.name].head(_MOST_WORDS).to_list()
        parts.append(np.stack([(words == w).to_numpy() for w in common], 1) * np.sqrt(0.5))
    points = np.concatenate(parts, axis=1).astype(np.float64)
    return [points[a:b] for a, b in itertools.pairwise(limits)]


def _nearest(points: Float64, others: Float64) -> Float64:
    """The distance of every point to the nearest of others, in slices that bound memory."""
    norms = (others**2).sum(axis=1)
    found = [
        np.min(norms - 2 * part @ others.T, axis=1) + (part**2).sum(axis=1)
        for part in (points[i : i + 512] for i in range(0, len(points), 512))
    ]
    # Rounding leaves traces where two points are one.
    distances: Float64 = np.round(np.sqrt(np.maximum(np.concatenate(found), 0.0)), 6)
    return distances
