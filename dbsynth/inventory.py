"""What a model file contains, in words for those who must decide who may have it.

Nothing here reads the source: the list is made from the file alone, so that it is also true of a
file that somebody else wrote.  Counts, not values, are listed; where something is kept exactly that
could point to a single row, it is said under ``attention``.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dbsynth.classify import Role
from dbsynth.codec import SEGMENTS, Category, Codec, Formatted, Number, k_threshold
from dbsynth.engines.pool import Pool
from dbsynth.engines.relational import LEAST_ENTITIES, TreeChain
from dbsynth.model import FORMAT, ColumnModel, Degrees, Model, Provided, column_json, load_model
from dbsynth.private import contained
from dbsynth.read import codec_of
from dbsynth.schema import Kind, Table
from dbsynth.ties import exact_histories, leaves, single_rows, ties

_FULL = 5  # rows behind a value that are held to be enough


@dataclass(frozen=True)
class ColumnContent:
    """What is stored of one column.

    Attributes:
        holds: A sentence for each thing.
        null_share: Share of NULL, where the model draws it.
        bytes: Its part of the document, uncompressed.
    """

    name: str
    role: str
    holds: tuple[str, ...]
    null_share: float | None
    bytes: int


@dataclass(frozen=True)
class TableContent:
    """What is stored of one table.

    Attributes:
        rows: Rows of the real table.
        threshold: Rows that must share a value before it is stored.
        trees, leaves, smallest_leaf: Of the engine; rows behind the smallest leaf.
        single_rows: Counts of 1 in leaves.
        engine_bytes, copied_bytes: Parts of the file, uncompressed.
    """

    name: str
    strategy: str
    rows: int
    threshold: int
    columns: tuple[ColumnContent, ...]
    trees: int = 0
    leaves: int = 0
    smallest_leaf: int = 0
    single_rows: int = 0
    engine_bytes: int = 0
    copied_bytes: int = 0


@dataclass(frozen=True)
class KeyContent:
    """What is stored of one foreign key: how many children parents have.

    Attributes:
        numbers: Different numbers of children.
        alone: Of these, how many fewer than five parents have.
        most: The largest number.
        classes: Classes of similar parents, as middles of their codes.
    """

    name: str
    numbers: int
    alone: int
    most: int
    classes: int


@dataclass(frozen=True)
class Inventory:
    """All that a model file contains.

    Attributes:
        absent: What it does not contain, a sentence each.
        confidential: Which parts are as confidential as the source, and why.
        attention: What may point to single rows, a sentence each.
        members: Uncompressed bytes of each part of the file.
        ties: What it contains about rows that belong together, a sentence each.
        privacy: What a model with differential privacy says of itself.
    """

    format: int
    engine: str
    source_kind: str
    bytes: int
    tables: tuple[TableContent, ...]
    keys: tuple[KeyContent, ...]
    rules: tuple[str, ...]
    notes: tuple[str, ...]
    absent: tuple[str, ...]
    confidential: tuple[str, ...]
    attention: tuple[str, ...]
    members: dict[str, int] = field(default_factory=dict)
    privacy: Mapping[str, Any] | None = None
    ties: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The list as JSON-able values (see docs/json.md)."""
        return {"ok": True, **asdict(self)}


def inspect(path: Path) -> Inventory:
    """List what a model file contains.

    Raises:
        ModelError: The file is missing, damaged, or of another version.
    """
    model = load_model(path)
    with zipfile.ZipFile(path) as file:
        members = {info.filename: info.file_size for info in file.infolist()}
    tables = tuple(
        _table(model, table, members.get(f"engine/{i}", 0), members.get(f"copied/{i}", 0))
        for i, table in enumerate(model.schema.tables)
    )
    keys = tuple(_key(str(fk), degrees) for fk, degrees in model.degrees.items())
    open_ = model.privacy is None  # then everything in it may be a fact of the source
    return Inventory(
        FORMAT,
        model.engine,
        model.source_kind,
        path.stat().st_size,
        tables,
        keys,
        tuple(f"{kept.rule} ({kept.support})" for kept in model.rules),
        model.notes,
        tuple(_absent(tables) if open_ else contained.absent()),
        tuple(_confidential(model, tables) if open_ else contained.confidential(model)),
        tuple(_attention(model, tables, keys) if open_ else ()),
        members,
        model.privacy,
        ties(model),
    )


def _table(model: Model, table: Table, engine_bytes: int, copied_bytes: int) -> TableContent:
    facts = model.tables[table.name]
    engine = model.engines.get(table.name)
    trees = engine.trees if isinstance(engine, TreeChain) else ()
    sizes = leaves(engine) if isinstance(engine, TreeChain) else np.zeros(0, np.int64)
    threshold = k_threshold(facts.rows)
    nulls = {t.target: _null_share(t.codes, t.counts) for t in trees}
    columns = tuple(
        ColumnContent(
            column.name,
            content.decision.role.value if content else Role.REFERENCE.value,
            tuple(
                _holds(column.name, content, table, threshold)
                if model.privacy is None
                else contained.holds(column.name, content, table)
            ),
            nulls.get(f"column:{column.name}"),
            len(json.dumps(column_json(content, model.schema.foreign_keys))) if content else 0,
        )
        for column in table.columns
        for content in [facts.columns.get(column.name)]
        if facts.strategy == "synthesize"
    )
    return TableContent(
        table.name,
        facts.strategy,
        facts.rows,
        threshold,
        columns,
        len(trees),
        len(sizes),
        int(sizes.min()) if len(sizes) else 0,
        single_rows(engine) if isinstance(engine, TreeChain) else 0,
        engine_bytes,
        copied_bytes,
    )


def _null_share(codes: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]) -> float:
    return float(counts[codes == 0].sum() / max(counts.sum(), 1))


def _counting(model: ColumnModel) -> Iterator[str]:
    """What is stored of codes that count, and of texts that name somebody."""
    if model.serial is not None:
        yield f"that its codes count rows: {model.serial}"
    if model.mention is not None:
        table = model.mention.table
        yield f"that its texts name rows of {table}, how often, and how unevenly"


def _holds(name: str, model: ColumnModel | None, table: Table, threshold: int) -> Iterator[str]:
    """A sentence for each thing that is stored of a column."""
    if model is None or name in table.foreign_columns():
        yield "no value: links are drawn, and take the new keys of the parent"
        if model is None:
            return
    codec = codec_of(model)
    if codec is not None and model.codec is not None:
        renamed = model.decision.role is Role.RENAMED
        yield from _codec_holds(codec, threshold, renamed=renamed)
    elif codec is not None:
        yield "whether there is a value, not which"
    if model.blanks:
        yield f"values that stand for nobody, each seen in at least {threshold} rows: " + ", ".join(
            repr(blank) for blank in model.blanks
        )
    for provided in (model.provided, model.spare):
        if provided is not None:
            yield from _provided_holds(provided)
    yield from _number_facts(model)
    yield from _time_facts(model, threshold)
    if model.derived:
        yield "that a rule computes it"
    yield from _counting(model)
    yield from _part_facts(model, table, threshold)


def _part_facts(model: ColumnModel, table: Table, threshold: int) -> Iterator[str]:
    if model.structure is not None:
        yield f"how its values are written: keys and whole arrays that {threshold} rows share"
    for part, piece in model.pieces.items():
        for sentence in _holds("", piece.model, table, threshold):
            yield f"part `{part}`: {sentence}"


def _number_facts(model: ColumnModel) -> Iterator[str]:
    if model.mint is not None:
        yield "the smallest and the largest real number, exactly, between which new ones are spread"
    if model.avoid is not None:
        yield _avoid_holds(len(model.avoid.bits))
    if model.ranked is not None:
        yield f"that it counts the rows of each group from {model.ranked}"


def _time_facts(model: ColumnModel, threshold: int) -> Iterator[str]:
    if model.anchor is not None:
        where = f"{model.anchor.key.parent}." if model.anchor.key else ""
        yield f"these are distances to `{where}{model.anchor.column}`"
    if model.factor is not None:
        where = f"{model.factor.key.parent}." if model.factor.key else ""
        yield f"how often it is which multiple of `{where}{model.factor.column}`"
    if model.calendar is not None:
        clock = " and time of day" if model.calendar.clock else ""
        yield f"how often which day of the week{clock}"
    if model.gap is not None:
        yield "gaps between siblings: " + ", ".join(_codec_holds(model.gap.codec, threshold))
    if model.ledger is not None:
        yield f"that `{model.ledger.amount}` is added to, or taken from, that of the sibling before"
    if model.climb is not None:
        yield "steps between siblings: " + ", ".join(_codec_holds(model.climb, threshold))


def _codec_holds(codec: Codec, threshold: int, *, renamed: bool = False) -> Iterator[str]:
    if isinstance(codec, Formatted):
        yield "the format of the text"
        yield from _codec_holds(codec.number, threshold)
    elif isinstance(codec, Category):
        if renamed:
            yield f"{len(codec.shown):,} invented names for values, and the share of each"
        elif codec.kind in (Kind.ENUM, Kind.BOOLEAN):
            yield f"the {len(codec.shown):,} values that its type has, and the share of each"
        else:
            yield (
                f"a vocabulary of real values: {len(codec.shown):,}, each seen in at least"
                f" {threshold} rows, and the share of each"
            )
    elif isinstance(codec, Number):
        yield from _number_holds(codec, threshold)


def _number_holds(codec: Number, threshold: int) -> Iterator[str]:
    heavy = int((~np.isnan(codec.points)).sum())
    bins = len(codec.points) - heavy
    if heavy:
        yield f"single real values: {heavy:,}, each seen in at least {threshold} rows"
    if bins:
        near = threshold // 2 * 2 + 1
        yield (
            f"{bins * SEGMENTS + 1:,} quantiles of the other values, each the mean of about {near}"
            f" neighbours; the {threshold - 1} smallest and largest are cut off, so no extreme is"
            " exact"
        )
    if not heavy and not bins:
        yield "no value"


def _provided_holds(provided: Provided) -> Iterator[str]:
    size = len(json.dumps(dict(provided.state)))
    yield f"invented values of `{provided.provider}`; {size:,} bytes on their look"
    if provided.avoid is not None:
        yield _avoid_holds(len(provided.avoid.bits))


def _avoid_holds(size: int) -> str:
    return (
        f"a list of real values to avoid, as {size * 8:,} bits set by salted hashes; the salt is in"
        " the file, so that a guessed value can be tried, with one false hit in about nine"
    )


def _key(name: str, degrees: Degrees) -> KeyContent:
    return KeyContent(
        name,
        len(degrees.values),
        int((degrees.parents < _FULL).sum()),
        int(degrees.values.max(initial=0)),
        0 if degrees.centres is None else len(degrees.centres),
    )


def _absent(tables: tuple[TableContent, ...]) -> Iterator[str]:
    copied = any(table.strategy == "copy" for table in tables)
    yield "no row of a synthesised table" + (" (copied tables are in it whole)" if copied else "")
    yield (
        "no key and no value of a foreign key of a synthesised table, but for the ends of the range"
        " of numbered keys and, where keys are to be avoided, bits of their hashes"
    )
    yield "no connection, URL or password of the source"
    yield "no program: JSON, plain arrays and Arrow, no pickle"


def _confidential(model: Model, tables: tuple[TableContent, ...]) -> Iterator[str]:
    yield (
        "all of it is made from real data without a formal privacy guarantee: keep the file as"
        " confidential as the source"
    )
    for table in tables:
        if table.strategy == "copy":
            yield f"`{table.name}` is copied: its {table.rows:,} rows are in the file as they are"
    yield "vocabularies, quantiles, shares and numbers of children are facts of the source"
    yield (
        f"the structure ({len(model.structure):,} bytes of DDL) has the names and source texts of"
        " views, functions and constraints, and is run in the target"
    )


def _attention(
    model: Model, tables: tuple[TableContent, ...], keys: tuple[KeyContent, ...]
) -> Iterator[str]:
    """What may point to single rows."""
    for key in keys:
        if key.alone:
            yield (
                f"{key.name}: {key.alone:,} of {key.numbers:,} numbers of children are those of"
                f" fewer than {_FULL} parents each; the largest, {key.most:,}, is exact"
            )
    for table in tables:
        if table.strategy == "synthesize" and table.rows and table.threshold < _FULL:
            yield (
                f"`{table.name}` has {table.rows:,} rows, so that {table.threshold} rows with a"
                " value are enough to store it"
            )
        if table.single_rows:
            yield (
                f"`{table.name}`: {table.single_rows:,} counts in leaves stand for a single row; a"
                f" leaf has at least {table.smallest_leaf:,} rows, and {LEAST_ENTITIES} families"
                " where the table was split at all"
            )
    yield from exact_histories(model)
    pools = sorted(name for name, engine in model.engines.items() if isinstance(engine, Pool))
    if pools:
        yield (
            f"rows that `{model.engine}` sampled are in the file, as codes: in "
            + ", ".join(f"`{name}`" for name in pools)
            + "; no least number of rows or families stands behind one, and one may be a real row"
        )
    minted = [
        f"`{table}.{name}`"
        for table, facts in model.tables.items()
        for name, column in facts.columns.items()
        if column.mint is not None
    ]
    if minted:
        yield "the smallest and the largest number are exact in " + ", ".join(minted)
    inside = [
        f"`{table}.{name}`"
        for table, facts in model.tables.items()
        for name, column in facts.columns.items()
        if column.pieces and table in model.plan.generating
    ]
    if inside:
        yield (
            "values inside of documents are counted in rows, not in entities: in "
            + ", ".join(inside)
            + " one can come from the rows of one parent alone"
        )
