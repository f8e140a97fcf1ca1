"""A fitted model: all that is needed to build a clone without the source.

A file is a zip of one JSON document and plain numpy and Arrow arrays, so reading one runs no code.
It holds no row and no key of a synthesised table; copied tables are in it whole, by decision.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth import rosters
from dbsynth.classify import Decision, Exposure, Role
from dbsynth.codec import Alphabet, Codec, Codes, Number, codec_from_json
from dbsynth.engines import RESTORED
from dbsynth.engines.base import TableModel
from dbsynth.errors import MissingFile, ModelError
from dbsynth.files import created, removed
from dbsynth.graph import Plan
from dbsynth.identifiers.avoid import AvoidList
from dbsynth.identifiers.serial import Serial, serial_from_json
from dbsynth.identifiers.traits import Persona, persona_from_json
from dbsynth.keys import Mint
from dbsynth.rosters import Roster
from dbsynth.rules import Kept, kept_from_json
from dbsynth.schema import ForeignKey, Schema
from dbsynth.structures import Structure, structure_from_json

FORMAT = 4
MOST_BYTES = 2**34  # unpacked; a file that claims more is not one of ours
MOST_PACKED = 200  # times the size of the file; models pack to a third, copied tables to a tenth
_SMALL_BYTES = 2**26  # so many may be packed as well as they can
_MEMBER = re.compile(r"model\.json|structure|(copied|engine|history)/\d+")
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, ValueError, TypeError,
    AttributeError, AssertionError, ArithmeticError, RecursionError, MemoryError,
    NotImplementedError, RuntimeError, OSError, pa.ArrowException,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Provided:
    """A column whose values come from a provider."""

    provider: str
    state: Mapping[str, Any]
    avoid: AvoidList | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The time that another time is relative to.

    Attributes:
        column: Its column, in the same row, or in the parent where there is a key.
        key: The generating foreign key, or None for the same row.
        step: Grid in microseconds; the anchor is rounded down to it.
        form: Text format of the anchored column, where it is text.
    """

    column: str
    key: ForeignKey | None = None
    step: float = 1.0
    form: str = ""


@dataclass(frozen=True, slots=True)
class Factor:
    """That a number is another number times a factor, such as a usual discount on a price.

    Attributes:
        column: The column of the other number, in the same row, or in the parent under ``key``.
        codec: Of the factors.
        typical: Stands for the other number where that is missing or 0.
    """

    column: str
    key: ForeignKey | None
    codec: Number
    typical: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """That a number is that of the sibling before, plus or less an amount of the row.

    Attributes:
        amount: The column of the amount.
        kind: The column whose code says whether it is added; None where all are, or none.
        signs: For every code of ``kind`` 1, -1, or 0 for neither; just one entry without ``kind``.
        opening: Whether the first of a family starts from 0.
        overdrawn: Of the amounts that are taken from what is there, the share that is more.
    """

    amount: str
    kind: str | None
    signs: tuple[int, ...]
    opening: bool
    overdrawn: float = 1.0


@dataclass(frozen=True, slots=True)
class Mention:
    """That texts name a row of some table by one of its values.

    Attributes:
        table, column: Whose value it is; two columns have `NAMES_JOINED` between them.
        key: The foreign key that leads to the row that is named; None where none does.
        curve: Where none does: which share of the mentions is of how many, those first who are
            named most often; at even steps from none to all.  Empty where none is named twice.
        places: Quantiles of where in a text the value stands, from 0 to 1; empty where it is all.
        case: ``upper``, ``lower`` or ``capital`` where values are written so here, or the shape of
            a number, with ``#`` for each letter and digit.
        share: Of the texts that name somebody.
        own: Whether rows name themselves.
        group: What of one group of a row, such as ``$.actor``, names the same person.
        leader: The column or leaf of the group whose codes say which one, where values repeat.
    """

    table: str
    column: str
    key: ForeignKey | None
    curve: tuple[float, ...]
    places: tuple[float, ...] = ()
    case: str = ""
    share: float = 1.0
    own: bool = False
    group: str = ""
    leader: str = ""

    @property
    def anybody(self) -> bool:
        """Whether anybody may be named any number of times, whatever the row."""
        return self.key is None and not self.own and bool(self.curve)


@dataclass(frozen=True, slots=True)
class Calendar:
    """That a time column follows the week, and the day, where its values spread over months.

    Attributes:
        clock: Codec of the time of day in microseconds; None for dates.
        ordered: Whether the time never comes before its anchor.
    """

    clock: Number | None
    ordered: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """That a time is drawn as the distance to the time of the sibling before.

    Attributes:
        codec: Of the distances: days between dates, microseconds between timestamps.
        step: Grid of the times in microseconds.
        latest: No time comes after this one, in microseconds.
        beat: The usual distance in microseconds, where nearly all are about the same; else 0.
    """

    codec: Number
    step: float
    latest: float
    beat: float = 0.0


@dataclass(frozen=True, slots=True)
class Repeats:
    """That values of a provider come back inside families.

    Attributes:
        shared: Number of codes for values that many families share.
        slots: Number of codes for the values of one family.
        echo: The column of the generating parent whose value the first of them is, as in
            `ColumnModel`.
    """

    shared: int
    slots: int
    echo: str | None = None

    @property
    def alphabet(self) -> Alphabet:
        """NULL, the shared values, those of the family, and any other."""
        return Alphabet(2 + self.shared + self.slots, ordered=False)


@dataclass(frozen=True)
class ColumnModel:
    """How the values of one column come about.

    Exactly one of ``codec``, ``provided``, ``mint``, ``ranked`` and ``structure`` is set, or none
    for a column of a foreign key and for one that stays NULL.

    Attributes:
        codec: Codes to values.
        provided: A provider's values; ``nulls`` says whether the engine draws where they are NULL.
        mint: Different numbers for different positions.
        ranked: First number of a counter that starts anew for every group of the other key columns.
        avoid: Real numbers of a mint, which a key that leaves gaps steps around; of a structure,
            real values that fewer than k rows share.
        nulls: Whether the column has NULLs, so that its presence is a variable of the engine.
        anchor: The time to which the codec's value is a distance.
        factor: The number that this one is a multiple of; the engine draws the factor alone.
        calendar: How a time lies in the week and in the day.
        gap: How long after the sibling before a time lies; only one column of a table has it.
        rising: Where the times of a family are drawn together and dealt to it in order, the mean of
            log2(1 + gap) between them, in days or seconds, rounded up.
        climb: Of the differences to the sibling before, where a number goes on from there.
        ledger: What is added to the number of the sibling before, where a rule says it.
        repeats: Which provided values come back inside a family.
        echo: The column of the generating parent whose values these are; with `NAMES_JOINED`
            between them, two columns that are put together.
        spare: What draws texts where a CHECK refuses those of the provider.
        derived: Whether a rule computes the values; the engine draws at most their presence.
        structure: How its values are taken apart into the columns of ``pieces``.
        computed: SQL in the words of the source, and the columns of the row that it follows from.
        blanks: Values that stand for nobody, as text: they come back as they are, by codes from 1.
        mention: Whom its values name of another table.
        serial: How codes count the rows of a year or a parent; those of the provider stand in.
    """

    decision: Decision
    codec: Codec | None = None
    provided: Provided | None = None
    mint: Mint | None = None
    avoid: AvoidList | None = None
    ranked: int | None = None
    nulls: bool = False
    anchor: Anchor | None = None
    calendar: Calendar | None = None
    gap: Gap | None = None
    repeats: Repeats | None = None
    echo: str | None = None
    spare: Provided | None = None
    derived: bool = False
    structure: Structure | None = None
    pieces: Mapping[str, Piece] = field(default_factory=dict)
    computed: tuple[str, ...] = ()
    blanks: tuple[str, ...] = ()
    factor: Factor | None = None
    serial: Serial | None = None
    climb: Number | None = None
    ledger: Ledger | None = None
    mention: Mention | None = None
    rising: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """How the values of a part of a structure come about.

    Attributes:
        model: That of a column: with a codec, or else with a provider.
        counts: How often each code occurs; empty without a codec.
        coded: Whether its code is a variable of the row, not drawn by ``counts`` alone.
    """

    model: ColumnModel
    counts: tuple[int, ...] = ()
    coded: bool = False


@dataclass(frozen=True, slots=True)
class Degrees:
    """How many children the parents of a foreign key have.

    Attributes:
        values, parents: Number of children, and number of parents that have so many.
        linked, unlinked: Child rows with and without a parent.
        centres: Class centres of the parents, shape (classes, variables of the parent); None where
            the key generates.
        whole: Whether all families were read, so that classes of parents know their profiles.
        alike: A variable of the child and one of the parent that rise together, and whether one
            falls where the other rises; None where none do.
    """

    values: npt.NDArray[np.int64]
    parents: npt.NDArray[np.int64]
    linked: int
    unlinked: int
    centres: npt.NDArray[np.float64] | None = None
    whole: bool = True
    alike: tuple[str, str, bool] | None = None


@dataclass(frozen=True, slots=True)
class Repertoire:
    """Which codes of a category occur in a family at all.

    Attributes:
        variable: That of the category.
        shares: How often each code occurs in the families of each kind, shape (kinds, codes).
    """

    variable: str
    shares: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pace:
    """That siblings walk along the order of another parent.

    Attributes:
        key: The foreign key to it.
        gap: How many rows further each sibling goes.
    """

    key: ForeignKey
    gap: Gap


MADE = ("synthesize", "mask", "subset")
"""Strategies whose tables have codes: drawn ones, or those of real rows."""
REAL = ("mask", "subset")
"""Strategies whose rows are real ones."""
LEFT_OUT = ("empty", "skip")
"""Strategies without rows."""


@dataclass(frozen=True)
class RealRows:
    """The real rows of a table that come into a clone; they are in no file.

    Attributes:
        chosen: Of all rows in the order in which they are read, whether each is in.
        codes: The codes of the variables of those that are.
        links: The parent's position of each, for keys to other real rows; -1 for NULL.
        streamed: Columns whose values are taken from the source as they are.
        values: Those of them that must be known before, because others depend on them.
        order: The place in which each row is numbered anew, so that no number is that of before.
        note: What became of the rows, in a sentence.
    """

    chosen: npt.NDArray[np.bool_]
    codes: Mapping[str, Codes]
    links: Mapping[ForeignKey, npt.NDArray[np.int64]]
    streamed: tuple[str, ...]
    values: Mapping[str, pa.Array]
    order: npt.NDArray[np.int64]
    note: str


@dataclass(frozen=True, slots=True)
class History:
    """How the rows under a dealt key follow each other, from one generating parent to the next.

    Attributes:
        gap: How many generating parents further each sibling goes.
        visits: By the number of rows under the dealt key (from, and below): how many pairs with a
            generating parent have one row, two rows and so on.
        engine: Draws the rows under the dealt key.
        keeps: Of other dealt keys, how often the next row has the parent of the row before: in the
            same group of generating parents, and in another one.
    """

    gap: Gap
    visits: tuple[tuple[int, int, tuple[int, ...]], ...]
    engine: TableModel
    keeps: Mapping[ForeignKey, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class TableFacts:
    """What is known of one table.

    Attributes:
        strategy: ``synthesize``, ``copy``, ``mask``, ``subset``, ``empty`` or ``skip``.
        rows: Rows of the real table.
        copied: The rows, where they are copied.
        people: Real combinations of the parts of a name, where a table holds several.
        recalled: Variables by which a row recalls the last sibling that had the same code.
        repeated: Variables that may repeat what a sibling had, and the variable that tells it.
        order: Columns in whose order the rows lie, and so the numbers count.
        pace: How siblings walk along the order of another parent.
        persona: What tells about the persons in it.
        repertoires: Of categories of which families use a part only; each is a variable of the
            generating parent.
    """

    strategy: str
    reason: str
    rows: int
    columns: Mapping[str, ColumnModel] = field(default_factory=dict)
    copied: pa.Table | None = None
    people: AvoidList | None = None
    recalled: tuple[tuple[str, ...], ...] = ()
    repeated: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    pace: Pace | None = None
    persona: Persona | None = None
    repertoires: tuple[Repertoire, ...] = ()


def renamed_by_place(model: ColumnModel) -> bool:
    """Whether values that repeat get new names of the country of their row."""
    return model.decision.role is Role.RENAMED and model.decision.provider in ("region", "city")


NAME_PARTS = ("first_name", "last_name")
NAMES_JOINED = "\x1f"
"""Stands between the names of two columns whose values are put together with a blank."""


def name_parts(facts: TableFacts) -> tuple[str, ...]:
    """The columns of a table that hold parts of a person's name."""
    return tuple(
        name
        for name, column in facts.columns.items()
        if column.provided is not None and column.provided.provider in NAME_PARTS
    )


@dataclass(frozen=True)
class Model:
    """Everything that was learnt.

    Attributes:
        diamonds: Foreign keys that are not drawn but followed along a path of others.
        rules: What holds in the source and shall hold in the clone.
        crossings: Counts that the report on fairness sets beside those of the clone.
        privacy: What a fit with differential privacy says of itself (`dbsynth.private.fit`); None
            for any other.
        real: Real rows that come into the clone; a model that has any is not saved.
        histories: Of the dealt keys whose rows follow each other along the generating parents.
        rosters: What tables take over from their sibling tables.
    """

    schema: Schema
    plan: Plan
    source_kind: str
    structure: bytes
    engine: str
    tables: Mapping[str, TableFacts]
    degrees: Mapping[ForeignKey, Degrees]
    counters: Mapping[ForeignKey, Codec]
    engines: Mapping[str, TableModel]
    diamonds: Mapping[ForeignKey, tuple[ForeignKey, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rules: tuple[Kept, ...] = ()
    crossings: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    privacy: Mapping[str, Any] | None = None
    real: Mapping[str, RealRows] = field(default_factory=dict)
    histories: Mapping[ForeignKey, History] = field(default_factory=dict)
    rosters: Mapping[str, Roster] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the model, atomically, so that its owner alone may read it.

        Raises:
            ModelError: It has real rows.
        """
        if self.real:
            names = ", ".join(f"`{name}`" for name in self.real)
            raise ModelError(
                f"real rows of {names} belong in no model file",
                hint="clone them with `dbsynth clone`, or give these tables another strategy",
            )
        scratch = path.with_name(path.name + ".part")
        try:
            with (
                created(scratch) as stream,
                zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as file,
            ):
                file.writestr("model.json", json.dumps(_document(self)))
                file.writestr("structure", self.structure)
                for name, facts in self.tables.items():
                    if facts.copied is not None:
                        file.writestr(f"copied/{_number(self, name)}", _arrow_bytes(facts.copied))
                for name, engine in self.engines.items():
                    file.writestr(f"engine/{_number(self, name)}", _npz_bytes(engine.to_arrays()))
                keys = self.schema.foreign_keys
                for fk, history in self.histories.items():
                    part = f"history/{keys.index(fk)}"
                    file.writestr(part, _npz_bytes(history.engine.to_arrays()))
            scratch.replace(path)
        except BaseException:
            removed(scratch)
            raise


def load_model(path: Path) -> Model:
    """Read a model that `Model.save` wrote.

    Raises:
        MissingFile: There is no such file.
        ModelError: The file is damaged, or of another version.
    """
    try:
        with zipfile.ZipFile(path) as file:
            document = _document_of(file)
            version = document["format"]
            if version == FORMAT:
                return _from_file(file, document)
    except FileNotFoundError as error:
        raise MissingFile(
            f"no model file at `{path}`", hint="make one with `dbsynth fit`"
        ) from error
    except _UNREADABLE as error:
        raise ModelError(f"`{path}` is not a readable model", hint="fit it again") from error
    newer = isinstance(version, int) and version > FORMAT
    raise ModelError(
        f"`{path}` is a model of {'a newer' if newer else 'another'} format than this dbsynth reads"
        f" ({FORMAT})",
        hint="use the dbsynth that wrote it, or fit it again",
    )


def _document_of(file: zipfile.ZipFile) -> dict[str, Any]:
    """The document of a file whose parts are what they should be."""
    for info in file.infolist():
        if not _MEMBER.fullmatch(info.filename):
            raise ValueError("a part that no model has")
    packed = sum(info.compress_size for info in file.infolist())
    unpacked = sum(info.file_size for info in file.infolist())
    if unpacked > min(MOST_BYTES, max(MOST_PACKED * packed, _SMALL_BYTES)):
        raise ValueError("too large")
    if len(set(file.namelist())) < len(file.namelist()):
        raise ValueError("a part twice")
    document = json.loads(file.read("model.json"))
    if not isinstance(document, dict):
        raise TypeError("no document")
    return document


def _number(model: Model, table: str) -> int:
    return [t.name for t in model.schema.tables].index(table)


def _document(model: Model) -> dict[str, Any]:
    keys = list(model.schema.foreign_keys)
    plan = model.plan
    return {
        "format": FORMAT,
        "schema": model.schema.to_json(),
        "source_kind": model.source_kind,
        "engine": model.engine,
        "notes": list(model.notes),
        "rules": [kept.to_json() for kept in model.rules],
        "plan": {
            "order": plan.order,
            "generating": {t: keys.index(fk) for t, fk in plan.generating.items()},
            "lookups": [keys.index(fk) for fk in plan.lookups],
            "dealt": [keys.index(fk) for fk in plan.dealt],
            "copied": plan.copied,
            "cycles": plan.cycles,
        },
        "tables": {name: _facts_json(facts, keys) for name, facts in model.tables.items()},
        "degrees": {str(keys.index(fk)): _degrees_json(d) for fk, d in model.degrees.items()},
        "diamonds": {
            str(keys.index(fk)): [keys.index(step) for step in path]
            for fk, path in model.diamonds.items()
        },
        "counters": {str(keys.index(fk)): c.to_json() for fk, c in model.counters.items()},
        "crossings": {name: counts.tolist() for name, counts in model.crossings.items()},
        "privacy": model.privacy,
        "histories": {
            str(keys.index(fk)): {
                "gap": _gap_json(h.gap),
                "visits": h.visits,
                "keeps": [[keys.index(other), *shares] for other, shares in h.keeps.items()],
            }
            for fk, h in model.histories.items()
        },
        "rosters": {name: rosters.to_json(r, keys) for name, r in model.rosters.items()},
    }


def _anchor_json(anchor: Anchor | None, keys: Sequence[ForeignKey]) -> dict[str, Any] | None:
    if anchor is None:
        return None
    key = None if anchor.key is None else keys.index(anchor.key)
    return {"column": anchor.column, "key": key, "step": anchor.step, "form": anchor.form}


def _factor_json(factor: Factor | None, keys: Sequence[ForeignKey]) -> dict[str, Any] | None:
    if factor is None:
        return None
    key = None if factor.key is None else keys.index(factor.key)
    return {"column": factor.column, "key": key, "codec": factor.codec.to_json(),
            "typical": factor.typical}  # fmt: skip


def _mention_json(mention: Mention | None, keys: Sequence[ForeignKey]) -> dict[str, Any] | None:
    if mention is None:
        return None
    key = None if mention.key is None else keys.index(mention.key)
    return {"table": mention.table, "column": mention.column, "key": key, "curve": mention.curve,
            "places": mention.places, "case": mention.case, "share": mention.share,
            "own": mention.own, "group": mention.group, "leader": mention.leader}  # fmt: skip


def _mention(value: Mapping[str, Any] | None, keys: Sequence[ForeignKey]) -> Mention | None:
    if value is None:
        return None
    key = None if value["key"] is None else keys[value["key"]]
    return Mention(value["table"], value["column"], key, tuple(value["curve"]),
                   tuple(value["places"]), value["case"], value["share"], value["own"],
                   value["group"], value["leader"])  # fmt: skip


def _facts_json(facts: TableFacts, keys: Sequence[ForeignKey]) -> dict[str, Any]:
    return {
        "strategy": facts.strategy,
        "reason": facts.reason,
        "rows": facts.rows,
        "columns": {name: column_json(column, keys) for name, column in facts.columns.items()},
        "people": facts.people.to_bytes().hex() if facts.people else None,
        "recalled": facts.recalled,
        "repeated": dict(facts.repeated),
        "order": facts.order,
        "pace": facts.pace
        and {"key": keys.index(facts.pace.key), "gap": _gap_json(facts.pace.gap)},
        "persona": facts.persona and facts.persona.to_json(keys),
        "repertoires": [[found.variable, found.shares.tolist()] for found in facts.repertoires],
    }


def column_json(column: ColumnModel, keys: Sequence[ForeignKey]) -> dict[str, Any]:
    """What the document says of a column."""
    return {
        "decision": asdict(column.decision),
        "codec": column.codec.to_json() if column.codec else None,
        "provided": _provided_json(column.provided),
        "mint": column.mint.to_json() if column.mint else None,
        "avoid": column.avoid.to_bytes().hex() if column.avoid else None,
        "ranked": column.ranked,
        "nulls": column.nulls,
        "anchor": _anchor_json(column.anchor, keys),
        "calendar": column.calendar
        and {
            "clock": column.calendar.clock and column.calendar.clock.to_json(),
            "ordered": column.calendar.ordered,
        },
        "gap": _gap_json(column.gap),
        "climb": column.climb and column.climb.to_json(),
        "ledger": column.ledger and asdict(column.ledger),
        "repeats": column.repeats and asdict(column.repeats),
        "echo": column.echo,
        "spare": _provided_json(column.spare),
        "derived": column.derived,
        "rising": column.rising,
        "computed": list(column.computed),
        "factor": _factor_json(column.factor, keys),
        "blanks": list(column.blanks),
        "mention": _mention_json(column.mention, keys),
        "serial": column.serial and column.serial.to_json(),
        "structure": column.structure and column.structure.to_json(),
        "pieces": {
            name: {
                "model": column_json(piece.model, keys),
                "counts": list(piece.counts),
                "coded": piece.coded,
            }
            for name, piece in column.pieces.items()
        },
    }


def _degrees_json(degrees: Degrees) -> dict[str, Any]:
    return {
        "values": degrees.values.tolist(),
        "parents": degrees.parents.tolist(),
        "linked": degrees.linked,
        "unlinked": degrees.unlinked,
        "centres": None if degrees.centres is None else degrees.centres.tolist(),
        "whole": degrees.whole,
        "alike": degrees.alike,
    }


def _from_file(file: zipfile.ZipFile, value: Mapping[str, Any]) -> Model:
    schema = Schema.from_json(value["schema"])
    keys = schema.foreign_keys
    plan = value["plan"]
    restore = RESTORED[value["engine"]]
    numbers = {table.name: i for i, table in enumerate(schema.tables)}
    members = set(file.namelist())
    tables = {}
    for name, facts in value["tables"].items():
        member = f"copied/{numbers[name]}"
        copied = _read_arrow(file.read(member)) if member in members else None
        tables[name] = _facts(facts, copied, keys)

    def restored(folder: str) -> dict[str, TableModel]:
        return {
            name: restore(_read_npz(file.read(f"{folder}/{number}")))
            for name, number in numbers.items()
            if f"{folder}/{number}" in members
        }

    return Model(
        schema,
        Plan(
            tuple(plan["order"]),
            {t: keys[i] for t, i in plan["generating"].items()},
            tuple(keys[i] for i in plan["lookups"]),
            tuple(keys[i] for i in plan["dealt"]),
            tuple(plan["copied"]),
            tuple(tuple(c) for c in plan["cycles"]),
        ),
        value["source_kind"],
        file.read("structure"),
        value["engine"],
        tables,
        {keys[int(i)]: _degrees(d) for i, d in value["degrees"].items()},
        {keys[int(i)]: codec_from_json(c) for i, c in value["counters"].items()},
        restored("engine"),
        {keys[int(i)]: tuple(keys[j] for j in p) for i, p in value["diamonds"].items()},
        tuple(value["notes"]),
        tuple(kept_from_json(rule, schema) for rule in value["rules"]),
        {name: np.array(counts, np.int64) for name, counts in value["crossings"].items()},
        value.get("privacy"),
        histories={
            keys[int(i)]: _history(h, keys, restore(_read_npz(file.read(f"history/{i}"))))
            for i, h in value["histories"].items()
        },
        rosters={name: rosters.from_json(r, keys) for name, r in value["rosters"].items()},
    )


def _history(value: Mapping[str, Any], keys: Sequence[ForeignKey], engine: TableModel) -> History:
    gap = _gap(value["gap"])
    assert gap is not None
    keeps = {keys[i]: (inside, across) for i, inside, across in value["keeps"]}
    visits = tuple((low, high, tuple(times)) for low, high, times in value["visits"])
    return History(gap, visits, engine, keeps)


def _facts(
    value: Mapping[str, Any], copied: pa.Table | None, keys: Sequence[ForeignKey]
) -> TableFacts:
    columns = {name: _column(column, keys) for name, column in value["columns"].items()}
    people = AvoidList.from_bytes(bytes.fromhex(value["people"])) if value["people"] else None
    return TableFacts(
        value["strategy"], value["reason"], value["rows"], columns, copied, people,
        tuple(tuple(key) for key in value["recalled"]), value["repeated"],
        tuple(value["order"]), _pace(value["pace"], keys),
        persona_from_json(value["persona"], keys),
        tuple(
            Repertoire(variable, np.array(shares, np.int64))
            for variable, shares in value.get("repertoires", ())
        ),
    )  # fmt: skip


def _decision(value: Mapping[str, Any]) -> Decision:
    read = {"role": Role(value["role"]), "exposure": Exposure(value.get("exposure", "none"))}
    return Decision(**{**value, **read})


def _column(column: Mapping[str, Any], keys: Sequence[ForeignKey]) -> ColumnModel:
    return ColumnModel(
        _decision(column["decision"]),
        codec_from_json(column["codec"]) if column["codec"] else None,
        _provided(column["provided"]),
        Mint(**column["mint"]) if column["mint"] else None,
        AvoidList.from_bytes(bytes.fromhex(column["avoid"])) if column["avoid"] else None,
        column["ranked"],
        column["nulls"],
        _anchor(column["anchor"], keys),
        _calendar(column["calendar"]),
        _gap(column["gap"]),
        Repeats(**column["repeats"]) if column["repeats"] else None,
        column["echo"],
        _provided(column["spare"]),
        column["derived"],
        structure_from_json(column["structure"]) if column["structure"] else None,
        {
            name: Piece(_column(piece["model"], keys), tuple(piece["counts"]), piece["coded"])
            for name, piece in column["pieces"].items()
        },
        tuple(column["computed"]),
        tuple(column.get("blanks", ())),
        _factor(column.get("factor"), keys),
        serial_from_json(column.get("serial")),
        _climb(column.get("climb")),
        _ledger(column.get("ledger")),
        _mention(column.get("mention"), keys),
        column.get("rising"),
    )


def _provided_json(provided: Provided | None) -> dict[str, Any] | None:
    if provided is None:
        return None
    return {
        "provider": provided.provider,
        "state": dict(provided.state),
        "avoid": provided.avoid.to_bytes().hex() if provided.avoid else None,
    }


def _provided(value: Mapping[str, Any] | None) -> Provided | None:
    if value is None:
        return None
    avoid = AvoidList.from_bytes(bytes.fromhex(value["avoid"])) if value["avoid"] else None
    return Provided(value["provider"], value["state"], avoid)


def _anchor(value: Mapping[str, Any] | None, keys: Sequence[ForeignKey]) -> Anchor | None:
    if value is None:
        return None
    key = None if value["key"] is None else keys[value["key"]]
    return Anchor(value["column"], key, value["step"], value["form"])


def _factor(value: Mapping[str, Any] | None, keys: Sequence[ForeignKey]) -> Factor | None:
    if value is None:
        return None
    codec = codec_from_json(value["codec"])
    assert isinstance(codec, Number)
    key = None if value["key"] is None else keys[value["key"]]
    return Factor(value["column"], key, codec, value["typical"])


def _calendar(value: Mapping[str, Any] | None) -> Calendar | None:
    if value is None:
        return None
    clock = codec_from_json(value["clock"]) if value["clock"] else None
    assert clock is None or isinstance(clock, Number)
    return Calendar(clock, value["ordered"])


def _gap_json(gap: Gap | None) -> dict[str, Any] | None:
    if gap is None:
        return None
    return {"codec": gap.codec.to_json(), "step": gap.step, "latest": gap.latest, "beat": gap.beat}


def _pace(value: Mapping[str, Any] | None, keys: Sequence[ForeignKey]) -> Pace | None:
    if value is None:
        return None
    gap = _gap(value["gap"])
    assert gap is not None
    return Pace(keys[value["key"]], gap)


def _gap(value: Mapping[str, Any] | None) -> Gap | None:
    if value is None:
        return None
    codec = codec_from_json(value["codec"])
    assert isinstance(codec, Number)
    return Gap(codec, value["step"], value["latest"], value.get("beat", 0.0))


def _climb(value: Mapping[str, Any] | None) -> Number | None:
    if value is None:
        return None
    codec = codec_from_json(value)
    assert isinstance(codec, Number)
    return codec


def _ledger(value: Mapping[str, Any] | None) -> Ledger | None:
    return None if value is None else Ledger(**{**value, "signs": tuple(value["signs"])})


def _degrees(value: Mapping[str, Any]) -> Degrees:
    centres = value["centres"]
    return Degrees(
        np.array(value["values"], np.int64),
        np.array(value["parents"], np.int64),
        value["linked"],
        value["unlinked"],
        None if centres is None else np.array(centres, np.float64),
        value["whole"],
        tuple(value["alike"]) if value["alike"] else None,
    )


def _arrow_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _read_arrow(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()


def _npz_bytes(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    sink = io.BytesIO()
    np.savez(sink, **arrays)  # type: ignore[arg-type]  # no name of an array is that of an option
    return sink.getvalue()


def _read_npz(data: bytes) -> dict[str, npt.NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        if sum(info.file_size for info in file.infolist()) > MOST_BYTES:
            raise ValueError("too large")
        for info in file.infolist():
            with file.open(info) as member:
                _check_header(member, info.file_size)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _check_header(member: IO[bytes], size: int) -> None:
    """Refuse an array that claims another size than it has, before room is made for it."""
    version = np.lib.format.read_magic(member)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, dtype = read(member)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != size - member.tell():
        raise ValueError("an array of another size than its header says")
