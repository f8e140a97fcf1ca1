"""Texts and leaves of documents that name a row of another table: ``{"actor": "ann@corp.com"}``.

Where the e-mail addresses, logins or names in them are those of persons of a table, the texts of
the clone name persons of the clone: those that the row's own keys lead to, or else any, as unevenly
as the source's.  Values are looked at in memory, and none is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Role
from dbsynth.codec import as_text
from dbsynth.databases.base import Database
from dbsynth.identifiers.strings import case_style
from dbsynth.keys import hash_keys
from dbsynth.model import MADE, NAMES_JOINED, ColumnModel, Mention, TableFacts
from dbsynth.outline.unreviewed import unreviewed
from dbsynth.schema import ForeignKey, Kind, Schema, Table

Int64 = npt.NDArray[np.int64]

_TELLING = ("email", "user_name", "full_name")
_ROLES = (Role.IDENTIFIER, Role.KEY, Role.RENAMED, Role.TEXT)
_TEXTS = ("text", "label")
_ROWS = 10_000
_TEXTS_READ = 2_000
_FEWEST = 8  # values that are somebody's: fewer may be so by chance
_CONTAINED = 0.9
_LEAST = 0.03  # of the texts name somebody
_LINKED = 0.9  # of the rows name whom a key leads to
_SHORTEST = 5
_STEPS = 16  # of the curve that tells how uneven mentions are
_PLACES = 9  # quantiles of where in a text somebody is named
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_WORD = re.compile(r"[^\W\d_][\w'-]*")


@dataclass(frozen=True)
class _Persons:
    """Persons of a table by one of their values: those that somebody may name.

    Attributes:
        column: The column, or two with `NAMES_JOINED` between them.
        number: The place of each value in what is known of them.
        keys: Hashes of their values of each key that foreign keys refer to.
        count: How many persons there are at all.
    """

    table: Table
    column: str
    provider: str
    number: Mapping[str, int]
    keys: Mapping[tuple[str, ...], npt.NDArray[np.uint64]]
    count: int

    def rows(self, texts: Sequence[str | None]) -> Int64:
        """The place of whom every text is the value of, -1 where it is nobody's."""
        found = (-1 if text is None else self.number.get(text.casefold(), -1) for text in texts)
        return np.fromiter(found, np.int64, len(texts))


def with_mentions(
    database: Database, schema: Schema, tables: Mapping[str, TableFacts], seed: int
) -> dict[str, TableFacts]:
    """The facts, with what texts and leaves say of persons of other tables."""
    found = dict(tables)
    telling = {table.name: _telling(tables[table.name]) for table in schema.tables}
    looked: list[_Looked] = []
    for table in schema.tables if any(telling.values()) else ():
        columns = list(_open(table, tables[table.name]))
        keys = [fk for fk in table.foreign_keys if telling[fk.parent] and _read(tables, fk)]
        if columns:
            asked = sorted({*columns, *(c for fk in keys for c in fk.columns)})
            sample = database.sample(table, asked, _ROWS, seed)
            share = len(sample) / max(tables[table.name].rows, 1)
            models = tables[table.name].columns
            fields = tuple(f for name in columns for f in _fields(sample, name, models[name]))
            looked.append(_Looked(table, sample, keys, fields, min(share, 1.0)))
    wanted = frozenset().union(*(field.named for it in looked for field in it.fields))
    leading = [fk for it in looked for fk in it.keys]
    owners = [table for table in schema.tables if wanted and telling[table.name]]
    found_in = (_persons(database, t, telling[t.name], leading, wanted) for t in owners)
    persons = [person for some in found_in for person in some]
    persons.sort(key=lambda p: (-len(p.number), p.table.name, p.column))
    for it in looked if persons else ():
        facts = found[it.table.name]
        found[it.table.name] = replace(facts, columns=it.models(facts.columns, persons))
    return found


def _read(tables: Mapping[str, TableFacts], key: ForeignKey) -> bool:
    """Whether all columns of a key may be read."""
    sides = (key.child, key.columns), (key.parent, key.parent_columns)
    models = [tables[name].columns.get(c) for name, columns in sides for c in columns]
    return not any(model is None or unreviewed(model) for model in models)


def _open(table: Table, facts: TableFacts) -> Iterator[str]:
    """The columns of texts and documents that may name somebody."""
    unique = {key.columns[0] for key in table.keys if len(key.columns) == 1}
    for name, model in facts.columns.items() if facts.strategy in MADE and facts.rows else ():
        free = model.provided is not None and model.provided.provider in _TEXTS
        written = free and table.column_by_name[name].kind is Kind.TEXT
        leaves = any(_leaf(piece.model) for piece in model.pieces.values())
        if (written or leaves) and name not in unique and name not in table.foreign_columns():
            yield name


def _leaf(model: ColumnModel) -> bool:
    """Whether a leaf may name somebody, as a whole or in a text."""
    return model.decision.provider in (*_TELLING, *_TEXTS) and model.decision.role in _ROLES


def _telling(facts: TableFacts) -> dict[str, str]:
    """The columns whose values are each of one person, and their providers."""
    if facts.strategy not in MADE or not facts.rows:
        return {}
    found = {n: m.decision.provider or "" for n, m in facts.columns.items() if _names(m)}
    parts = [next((n for n, m in facts.columns.items() if m.decision.provider == part
                   and m.provided is not None), "")
             for part in ("first_name", "last_name")]  # fmt: skip
    return {**found, NAMES_JOINED.join(parts): "full_name"} if all(parts) else found


def _persons(
    database: Database, table: Table, telling: Mapping[str, str],
    leading: Sequence[ForeignKey], wanted: frozenset[str],
) -> Iterator[_Persons]:  # fmt: skip
    """Those persons of a table whose values somebody may name."""
    referred = dict.fromkeys(fk.parent_columns for fk in leading if fk.parent == table.name)
    asked = sorted({c for name in telling for c in name.split(NAMES_JOINED)}
                   | {c for key in referred for c in key})  # fmt: skip
    number: dict[str, dict[str, int]] = {name: {} for name in telling}
    hashes: dict[tuple[str, ...], list[npt.NDArray[np.uint64]]] = {key: [] for key in referred}
    start, told = 0, dict.fromkeys(telling, 0)
    for batch in database.scan(table, asked):
        values = dict(zip(asked, batch.columns, strict=True))
        for name in telling:
            texts = [as_text(values[c]) for c in name.split(NAMES_JOINED)]
            whole = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, " ")
            told[name] += len(whole) - whole.null_count
            folded = pl.Series(pl.from_arrow(whole)).str.to_lowercase()
            here = folded.is_in(wanted).fill_null(value=False).arg_true()
            for text, row in zip(folded.gather(here).to_list(), here.to_list(), strict=True):
                number[name].setdefault(text, start + row)
        for key, parts in hashes.items():
            parts.append(hash_keys([values[c] for c in key])[0])
        start += len(batch)
    keys = {key: np.concatenate(parts) for key, parts in hashes.items() if parts}
    for name, provider in telling.items():
        if len(number[name]) >= _FEWEST:
            yield _Persons(table, name, provider, number[name], keys, told[name])


def _names(model: ColumnModel) -> bool:
    """Whether values are drawn of a person, one for each row."""
    drawn = model.provided is not None and model.provided.provider in _TELLING
    return drawn and model.decision.role is not Role.TEXT


@dataclass(frozen=True)
class _Field:
    """Values of a column or leaf that may name somebody.

    Attributes:
        part: Of the column; empty for the column itself.
        texts: The values, and the rows of the sample that they are of.
        spots: By provider, who may be named in each text, and where from 0 to 1.
    """

    column: str
    part: str
    texts: Sequence[str | None]
    owners: Int64
    spots: Mapping[str, Sequence[Sequence[tuple[str, float]]]]

    @property
    def named(self) -> frozenset[str]:
        """All who may be named."""
        whole = {text.casefold() for text in self.texts if text is not None and self.part}
        inside = {who for found in self.spots.values() for spots in found for who, _ in spots}
        return frozenset(who for who in whole | inside if len(who) >= _SHORTEST)


def _fields(sample: pa.Table, name: str, model: ColumnModel) -> Iterator[_Field]:
    values = sample[name].combine_chunks()
    if model.structure is None:
        texts = as_text(values[:_TEXTS_READ]).to_pylist()
        yield _Field(name, "", texts, np.arange(len(texts)), _spots(texts))
        return
    asked = frozenset(part for part, piece in model.pieces.items() if _leaf(piece.model))
    for part, found in model.structure.split(values, asked).items():
        if part in asked:
            owners = np.arange(len(values)) if found.owners is None else found.owners
            texts = as_text(found.array).to_pylist()
            yield _Field(name, part, texts, owners, _spots(texts[:_TEXTS_READ]))


def _spots(texts: Sequence[str | None]) -> dict[str, list[list[tuple[str, float]]]]:
    """Addresses, and pairs of words that may be names, in each text."""
    mails, pairs = [], []
    for text in texts:
        length = max(len(text or ""), 1)
        found = _EMAIL.finditer(text) if text and "@" in text else ()
        mails.append([(m[0].rstrip(".").casefold(), m.start() / length) for m in found])
        words = list(_WORD.finditer(text)) if text and " " in text else []
        pairs.append(
            [(f"{a[0]} {b[0]}".casefold(), a.start() / length) for a, b in pairwise(words)]
        )
    return {"email": mails, "full_name": pairs}


@dataclass(frozen=True)
class _Looked:
    """A sample of a table in which persons are looked for.

    Attributes:
        keys: Those to tables of persons.
        share: Of all rows, how many are in the sample.
    """

    table: Table
    sample: pa.Table
    keys: Sequence[ForeignKey]
    fields: Sequence[_Field]
    share: float

    def models(
        self, columns: Mapping[str, ColumnModel], persons: Sequence[_Persons]
    ) -> dict[str, ColumnModel]:
        """The models of all columns, with whom their texts or leaves name."""
        found = dict(columns)
        for field in self.fields:
            model = found[field.column]
            mention = next((m for p in persons if (m := self._by(field, p)) is not None), None)
            if mention is not None and field.part:
                piece = model.pieces[field.part]
                named = replace(piece, model=replace(piece.model, mention=mention))
                found[field.column] = replace(model, pieces={**model.pieces, field.part: named})
            elif mention is not None:
                found[field.column] = replace(model, mention=mention)
        return found

    def _by(self, field: _Field, persons: _Persons) -> Mention | None:
        """Which of some persons a field names, as a whole or inside of texts."""
        different = {text.casefold() for text in field.texts if text is not None}
        known = sum(text in persons.number for text in different) if field.part else 0
        if known >= max(_FEWEST, _CONTAINED * len(different)):
            rows = persons.rows(field.texts)
            return self._mention(persons, field.texts, rows, field.owners, ())
        if persons.provider not in field.spots:  # a login may be any word
            return None
        found = [next(((who, at) for who, at in spots if who in persons.number), None)
                 for spots in field.spots[persons.provider]]  # fmt: skip
        at = [spot[1] for spot in found if spot is not None]
        present = sum(text is not None for text in field.texts[: len(found)])
        if len(at) < max(_FEWEST, _LEAST * present):
            return None
        places = np.quantile(at, np.linspace(0, 1, _PLACES)).round(2).tolist()
        named = [None if spot is None else spot[0] for spot in found]
        rows = persons.rows(named)
        mention = self._mention(persons, (), rows, field.owners[: len(found)], tuple(places))
        return replace(mention, share=round(len(at) / present, 3))

    def _mention(
        self, persons: _Persons, named: Sequence[str | None], rows: Int64, owners: Int64,
        places: tuple[float, ...],
    ) -> Mention:  # fmt: skip
        known = [text for text, row in zip(named, rows, strict=True) if text and row >= 0] if (
            named) else []  # fmt: skip
        style = case_style(pa.array(known, pa.string()))
        counts = np.sort(np.unique(rows[rows >= 0], return_counts=True)[1])[::-1]
        reach = min(len(counts) / max(self.share, 1e-9), persons.count)  # a sample meets few
        ranks = np.append(np.linspace(0, reach, len(counts) + 1), persons.count + 1)
        shares = np.append(np.append(0, np.cumsum(counts)) / counts.sum(), 1.0)
        curve = np.interp(np.linspace(0, persons.count, _STEPS + 1), ranks, shares).round(3)
        return Mention(
            persons.table.name, persons.column, self._leading(persons, rows, owners),
            tuple(curve.tolist()), places, style if style in ("upper", "lower") else "",
        )  # fmt: skip

    def _leading(self, persons: _Persons, rows: Int64, owners: Int64) -> ForeignKey | None:
        """The key of the table that leads to whom its rows name."""
        here = np.flatnonzero(rows >= 0)
        for fk in self.keys:
            if fk.parent != persons.table.name:
                continue
            mine, _ = hash_keys([self.sample[name] for name in fk.columns])
            theirs = persons.keys[fk.parent_columns]
            same = mine[owners[here]] == theirs[rows[here]]
            if same.mean() >= _LINKED:
                return fk
        return None
