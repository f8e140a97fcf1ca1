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
from dbsynth.draft.drafted import Draft
from dbsynth.draft.fill import values
from dbsynth.engines import engine_of, ready
from dbsynth.errors import SpecError
from dbsynth.graph import Plan
from dbsynth.keys import hash_keys, join
from dbsynth.learn import fit
from dbsynth.model import Model, TableFacts
from dbsynth.outline import make_outline
from dbsynth.outline.sampling import key_of, under
from dbsynth.private.design import design_of
from dbsynth.private.fit import fitted, public_tables
from dbsynth.private.mechanisms import noise_of
from dbsynth.progress import Progress, Silent
from dbsynth.randomness import Streams, UInt64, hashed
from dbsynth.schema import ForeignKey, Schema, Table
from dbsynth.spec import PRIVATE, Spec, not_there
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


Side = Mapping[str, Half]
"""The rows of an entity table and of all tables under it."""


@dataclass(frozen=True)
class World:
    """The entities of one table with all that belongs to them: shown, not shown, and invented.

    Attributes:
        entity: The table of the entities.
        parents: By table under it, the table whose rows its families refer to.
    """

    entity: str
    parents: Mapping[str, str]
    train: Side
    held_out: Side
    synthetic: Side

    @property
    def tables(self) -> Iterator[Sides]:
        """One table after the other."""
        for name in self.synthetic:
            yield Sides(name, self.train[name], self.held_out[name], self.synthetic[name])


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
    """The three sides of every table whose entities can be halved."""
    for world in worlds(source, spec, progress):
        yield from world.tables


def worlds(
    source: str, spec: Spec, progress: Progress | None = None, *, only: Sequence[str] = ()
) -> Iterator[World]:
    """What a model of half of the entities makes, beside both halves, for each table of entities.

    The engine `dp` is attacked on its unit, whose budget is not charged (`unpaid`).

    Args:
        only: These tables of entities; empty for all that can be halved.

    Raises:
        MissingExtra: The engine needs an extra.
        SpecError: The engine `dp` is not told what it has to know, or protects other entities; or
            one of these tables does not exist, or is none of entities.
    """
    ready(spec.engine)
    spec = replace(spec, fit_rows=_ALL, scale=1.0)
    if spec.privacy is not None and spec.engine == PRIVATE:
        noise_of(spec.privacy.seed)  # before anything is read
        _refuse_others(spec.privacy.unit, only)
    with open_database(source) as database:
        schema, plan, entities = _halvable(database, spec, progress or Silent())
        _refuse_no_entities(schema, entities, only)
        for entity in entities:
            if not only or entity in only:
                yield _world(database, schema, plan, entity, spec)


def unpaid(database: Database, spec: Spec) -> Model:
    """A model by any engine that is judged beside the rows it was shown, and thrown away.

    No ledger is read or charged for the engine `dp`.  What is found out from rows and model
    together has no privacy, and is as confidential as the rows.

    Raises:
        MissingExtra: OpenDP is not installed.
        SpecError, EngineError: The engine `dp` refuses the spec, or a budget that cannot work.
    """
    if spec.engine == PRIVATE:
        design = design_of(database, spec)
        noise = noise_of(design.protection.seed)
        return fitted(database, design, public_tables(database, design), noise, Silent())
    streams = Streams(spec.seed)
    outline = make_outline(database, spec, streams, Silent())
    engine = engine_of(spec.engine, spec.epochs)
    return fit(database, outline, engine, streams, Silent())


def _refuse_no_entities(schema: Schema, entities: Sequence[str], only: Sequence[str]) -> None:
    """Refuse names of tables that are none of entities.

    Raises:
        SpecError: Tells the nearest right names.
    """
    wrong = [
        not_there(f"table `{name}`", name, schema.table_by_name)
        if name not in schema.table_by_name
        else f"`{name}` is no table of {FEWEST} entities or more that hang under no other"
        for name in only if name not in entities
    ]  # fmt: skip
    if wrong:
        raise SpecError(
            "; ".join(wrong),
            hint="attack " + " or ".join(f"`{name}`" for name in entities)
            if entities else "attack a larger database of the same schema",
        )  # fmt: skip


def _refuse_others(unit: str, only: Sequence[str]) -> None:
    others = ", ".join(f"`{name}`" for name in only if name != unit)
    if others:
        raise SpecError(
            f"engine dp protects the entities of `{unit}` by this spec, and none of {others}",
            hint="name another `privacy.unit` to attack its entities",
        )


def _halvable(
    database: Database, spec: Spec, progress: Progress
) -> tuple[Schema, Plan, tuple[str, ...]]:
    """The forest, and its tables of entities that can be halved."""
    if spec.engine == PRIVATE:
        design = design_of(database, spec)
        unit = design.ownership.unit
        many = database.count_rows(design.schema[unit]) >= FEWEST
        return design.schema, design.plan, (unit,) if many else ()
    outline = make_outline(database, spec, Streams(spec.seed), progress)
    rows = {n: f.rows if f.strategy == "synthesize" else 0 for n, f in outline.tables.items()}
    return outline.schema, outline.plan, entity_tables(outline.plan, rows)


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


def _world(database: Database, schema: Schema, plan: Plan, entity: str, spec: Spec) -> World:
    train, held_out = (
        Narrowed(database, half(schema, plan, entity, limits, spec.seed))
        for limits in ((0.0, 0.5), (0.5, 1.0))
    )
    model = unpaid(train, spec)
    draft = drafted(model, spec)
    columns, parents = {}, {}
    for name in below(plan, entity):
        columns[name] = learnt_columns(model.tables[name])
        fk = plan.generating.get(name)
        if name not in model.engines or not columns[name] or not draft.rows[name]:
            del columns[name]
        elif fk is not None and fk.parent in columns:
            parents[name] = fk.parent
    keys = {name: plan.generating.get(name) for name in columns}
    made = made_side(draft, model.schema, columns, keys)
    real = [real_side(side, schema, columns, keys) for side in (train, held_out)]
    return World(entity, parents, real[0], real[1], made)


def drafted(model: Model, spec: Spec) -> Draft:
    """As many rows as the model was shown; only the schema is ever written, into a scratch file."""
    with (
        TemporaryDirectory() as folder,
        open_stage(f"sqlite:///{folder}/scratch.db", replace=True) as stage,
    ):
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


def made_side(
    draft: Draft, schema: Schema, columns: Mapping[str, Sequence[str]],
    keys: Mapping[str, ForeignKey | None],
) -> dict[str, Half]:  # fmt: skip
    """The invented rows of tables, with their places among the parents."""
    found = {}
    for name, wanted in columns.items():
        fk, positions = keys[name], np.arange(draft.rows[name])
        rows = pa.table([values(draft, schema[name], c, positions) for c in wanted], names=wanted)
        found[name] = Half(rows, draft.links.get(fk) if fk else None)
    return found


def real_side(
    database: Database, schema: Schema, columns: Mapping[str, Sequence[str]],
    keys: Mapping[str, ForeignKey | None],
) -> dict[str, Half]:  # fmt: skip
    """The real rows of tables, parents before children, with their places among the parents."""
    raw: dict[str, pa.Table] = {}
    found = {}
    for name, wanted in columns.items():
        fk = keys[name]
        needed = [*wanted, *(fk.columns if fk else ())]
        needed += [c for k in keys.values() if k and k.parent == name for c in k.parent_columns]
        rows = raw[name] = _rows(database, schema[name], list(dict.fromkeys(needed)))
        families = None
        if fk is not None:
            mine, complete = _hashes(rows, fk.columns)
            if fk.parent in raw:
                parents = _hashes(raw[fk.parent], fk.parent_columns)[0]
            else:
                parents = np.unique(mine[complete])
            families = join(mine, complete, parents)[0]
        found[name] = Half(rows.select(wanted), families)
    return found


def _rows(database: Database, table: Table, names: Sequence[str]) -> pa.Table:
    batches = list(database.read(table, names))
    return pa.Table.from_batches(batches) if batches else database.sample(table, names, 1, 0)[:0]


def _hashes(rows: pa.Table, names: Sequence[str]) -> tuple[UInt64, npt.NDArray[np.bool_]]:
    return hash_keys([rows[name].combine_chunks() for name in names])


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
    parts = [part for name in tables[0].column_names for part in coordinates(tables, name).T]
    points = np.stack(parts, axis=1) if parts else np.zeros((limits[-1], 0))
    return [points[a:b] for a, b in itertools.pairwise(limits)]


def coordinates(tables: Sequence[pa.Table], name: str) -> Float64:
    """The coordinates of one column of the rows of all tables, shape (rows, coordinates).

    Numbers and times become ranks between 0 and 1; of words, each of the commonest has a coordinate
    of its own, so that two different ones are 1 apart.
    """
    column = pl.Series(pl.from_arrow(pa.concat_tables([t.select([name]) for t in tables])[name]))
    if is_number(tables, name):
        rank = column.cast(pl.Float64, strict=False).rank("average") / max(len(column), 1)
        return rank.fill_null(-0.5).to_numpy()[:, None].astype(np.float64)
    words = column.cast(pl.String, strict=False).fill_null("\x1f")
    common = words.value_counts(sort=True)[words.name].head(_MOST_WORDS).to_list()
    found = [(words == word).to_numpy() for word in common]
    return np.stack(found, 1) * np.sqrt(0.5) if found else np.zeros((len(words), 0))


def is_number(tables: Sequence[pa.Table], name: str) -> bool:
    """Whether the values of a column are numbers or times."""
    dtype = pl.Series(pl.from_arrow(tables[0][name].slice(0, 1))).dtype
    return dtype.is_numeric() or dtype.is_temporal()


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
