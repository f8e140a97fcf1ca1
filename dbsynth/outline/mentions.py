"""Columns, texts and leaves that name a row of a table: ``{"actor": "Ann@Corp.com"}``.

Where e-mail addresses, logins, names or numbers are those of persons of a table, but for their case
or form, those of the clone name persons of the clone: whom the row's own keys lead to, or the row
itself, or else any, as unevenly as the source's.  Values are looked at in memory, and none is kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Role
from dbsynth.classify.names import tokens_of, words_of
from dbsynth.codec import as_text
from dbsynth.databases.base import Database
from dbsynth.identifiers.strings import mail_style
from dbsynth.keys import hash_keys
from dbsynth.model import MADE, NAMES_JOINED, ColumnModel, Mention, TableFacts
from dbsynth.outline.unreviewed import unreviewed
from dbsynth.schema import ForeignKey, Kind, Schema, Table

Int64 = npt.NDArray[np.int64]

_OVERLAP = {"email": 0.2, "phone": 0.2, "national_id": 0.2, "iban": 0.2, "card": 0.2, "plate": 0.5,
            "user_name": 0.5, "full_name": 0.5}  # fmt: skip
"""Providers of what tells persons, and which share of values that are somebody's is no chance."""
_WORDS = ("email", "user_name", "full_name")  # others are compared by their letters and digits
_TELLING = tuple(_OVERLAP)
_ROLES = (Role.IDENTIFIER, Role.KEY, Role.RENAMED, Role.TEXT)
_TEXTS = ("text", "label")
_ROWS = 10_000
_PERSONS = 500_000  # of a table; of larger ones so many are looked at
_TEXTS_READ = 2_000
_BEGIN = 2_000  # characters of a text that are looked at
_NEAR = 3  # characters between the words of a name
_FEWEST = 8  # values that are somebody's: fewer may be so by chance
_CONTAINED = 0.9
_ONCE = 20  # rows of which none names whom another does
_LEAST = 0.03  # of the texts name somebody
_LINKED = 0.9  # of the rows name whom a key leads to
_SHORTEST = 5
_STEPS = 16  # of the curve that tells how uneven mentions are
_PLACES = 9  # quantiles of where in a text somebody is named
_SAYING = words_of("mail email e login user username name fullname phone tel address number id")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_WORD = re.compile(r"[^\W\d_][\w'-]*")


@dataclass(frozen=True)
class _Persons:
    """Persons of a table by one of their values: those that somebody may name.

    Attributes:
        column: The column, or two with `NAMES_JOINED` between them.
        number: The place of each value in what is known of them.
        keys: Hashes of their values of each key that foreign keys refer to, and of the primary one.
        count: How many persons there are at all.
        share: Of them, how many are looked at.
    """

    table: Table
    column: str
    provider: str
    number: Mapping[str, int]
    keys: Mapping[tuple[str, ...], npt.NDArray[np.uint64]]
    count: int
    share: float

    def rows(self, texts: Sequence[str | None]) -> Int64:
        """The place of whom every text is the value of, -1 where it is nobody's."""
        found = (-1 if text is None else self.number.get(text, -1) for text in texts)
        return np.fromiter(found, np.int64, len(texts))


def with_mentions(
    database: Database, schema: Schema, tables: Mapping[str, TableFacts], seed: int
) -> dict[str, TableFacts]:
    """The facts, with what texts and leaves say of persons of other tables."""
    found = dict(tables)
    telling = {table.name: _telling(tables[table.name]) for table in schema.tables}
    several = {p for p in _TELLING if sum(p in t.values() for t in telling.values()) > 1}
    looked: list[_Looked] = []
    for table in schema.tables if any(telling.values()) else ():
        columns = list(_open(table, tables[table.name], several))
        keys = [fk for fk in table.foreign_keys if telling[fk.parent] and _read(tables, fk)]
        if columns:
            own = table.primary_key if telling[table.name] else ()
            asked = sorted({*columns, *own, *(c for fk in keys for c in fk.columns)})
            sample = database.sample(table, asked, _ROWS, seed)
            share = len(sample) / max(tables[table.name].rows, 1)
            models = tables[table.name].columns
            fields = tuple(f for name in columns for f in _fields(sample, name, models[name]))
            looked.append(_Looked(table, sample, keys, fields, min(share, 1.0)))
    wanted = frozenset().union(*(field.named for it in looked for field in it.fields))
    leading = [fk for it in looked for fk in it.keys]
    owners = [table for table in schema.tables if wanted and telling[table.name]]
    found_in = (_persons(database, t, telling[t.name], leading, wanted, tables[t.name].rows, seed)
                for t in owners)  # fmt: skip
    persons = [person for some in found_in for person in some]
    persons.sort(key=lambda p: (-len(p.number), p.table.name, p.column))
    size = {name: facts.rows for name, facts in tables.items()}
    for it in looked if persons else ():
        facts = found[it.table.name]
        found[it.table.name] = replace(facts, columns=it.models(facts.columns, persons, size))
    return found


def _read(tables: Mapping[str, TableFacts], key: ForeignKey) -> bool:
    """Whether all columns of a key may be read."""
    sides = (key.child, key.columns), (key.parent, key.parent_columns)
    models = [tables[name].columns.get(c) for name, columns in sides for c in columns]
    return not any(model is None or unreviewed(model) for model in models)


def _open(table: Table, facts: TableFacts, several: Collection[str]) -> Iterator[str]:
    """The columns that may name somebody.

    Args:
        several: Providers of what several tables tell of persons.
    """
    unique = {key.columns[0] for key in table.keys if len(key.columns) == 1}
    for name, model in facts.columns.items() if facts.strategy in MADE and facts.rows else ():
        drawn = model.provided is not None or model.codec is not None
        text = drawn and table.column_by_name[name].kind is Kind.TEXT and _leaf(model)
        once = model.decision.role is Role.IDENTIFIER and model.decision.provider not in several
        text &= not once
        free = model.decision.provider in _TEXTS  # a word less, and texts may be the same
        leaves = any(_leaf(piece.model) for piece in model.pieces.values())
        open_ = leaves or (text and not (free and name in unique))
        if open_ and name not in table.foreign_columns() and not unreviewed(model):
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
    leading: Sequence[ForeignKey], wanted: frozenset[str], rows: int, seed: int,
) -> Iterator[_Persons]:  # fmt: skip
    """Those persons of a table whose values somebody may name."""
    referred = dict.fromkeys(fk.parent_columns for fk in leading if fk.parent == table.name)
    referred |= {table.primary_key: None} if table.primary_key else {}
    asked = sorted({c for name in telling for c in name.split(NAMES_JOINED)}
                   | {c for key in referred for c in key})  # fmt: skip
    number: dict[str, dict[str, int]] = {name: {} for name in telling}
    hashes: dict[tuple[str, ...], list[npt.NDArray[np.uint64]]] = {key: [] for key in referred}
    start, told = 0, dict.fromkeys(telling, 0)
    for batch in _read_persons(database, table, asked, rows, seed):
        values = dict(zip(asked, batch.columns, strict=True))
        for name in telling:
            texts = [as_text(values[c]) for c in name.split(NAMES_JOINED)]
            whole = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, " ")
            told[name] += len(whole) - whole.null_count
            folded = _folded(whole, telling[name])
            here = folded.is_in(wanted).fill_null(value=False).arg_true()
            for text, row in zip(folded.gather(here).to_list(), here.to_list(), strict=True):
                number[name].setdefault(text, start + row)
        for key, parts in hashes.items():
            parts.append(hash_keys([values[c] for c in key])[0])
        start += len(batch)
    keys = {key: np.concatenate(parts) for key, parts in hashes.items() if parts}
    for name, provider in telling.items():
        if len(number[name]) >= _FEWEST:
            share = min(start / max(rows, 1), 1.0)
            yield _Persons(table, name, provider, number[name], keys,
                           round(told[name] / share), share)  # fmt: skip


def _read_persons(
    database: Database, table: Table, columns: Sequence[str], rows: int, seed: int
) -> Iterator[pa.RecordBatch]:
    """The rows of a table, or a part of many."""
    if rows <= _PERSONS:
        return database.scan(table, columns)
    return iter(database.sample(table, columns, _PERSONS, seed).select(columns).to_batches())


def _names(model: ColumnModel) -> bool:
    """Whether values are drawn of a person, one for each row."""
    drawn = model.provided is not None and model.provided.provider in _TELLING
    return drawn and model.decision.role is not Role.TEXT


def _folded(texts: pa.Array, provider: str) -> pl.Series:
    """Values that are equal where they are variants of one: of other case, or otherwise parted."""
    folded = pl.Series(pl.from_arrow(texts), dtype=pl.String).str.to_lowercase()
    if provider in _WORDS:
        return folded.str.strip_chars()
    return folded.str.replace_all("[^0-9a-z]", "").str.replace("^00", "")


@dataclass(frozen=True)
class _Field:
    """Values of a column or leaf that may name somebody.

    Attributes:
        part: Of the column; empty for the column itself.
        provider: Of the values.
        texts: The values, and the rows of the sample that they are of.
        folded: The same as `_folded`.
        spots: By provider, who may be named in each text, and where from 0 to 1.
    """

    column: str
    part: str
    provider: str
    texts: pa.Array
    folded: Sequence[str | None]
    owners: Int64
    spots: Mapping[str, Sequence[Sequence[tuple[str, float]]]]

    @property
    def named(self) -> frozenset[str]:
        """All who may be named."""
        inside = {who for found in self.spots.values() for spots in found for who, _ in spots}
        whole = {who for who in self.folded if who is not None}
        return frozenset(who for who in whole | inside if len(who) >= _SHORTEST)


def _fields(sample: pa.Table, name: str, model: ColumnModel) -> Iterator[_Field]:
    values = sample[name].combine_chunks()
    if model.structure is None:
        yield _field(name, "", model, as_text(values), np.arange(len(values)))
        return
    asked = frozenset(part for part, piece in model.pieces.items() if _leaf(piece.model))
    for part, found in model.structure.split(values, asked).items():
        if part in asked:
            owners = np.arange(len(values)) if found.owners is None else found.owners
            yield _field(name, part, model.pieces[part].model, as_text(found.array), owners)


def _field(name: str, part: str, model: ColumnModel, texts: pa.Array, owners: Int64) -> _Field:
    provider = model.decision.provider or ""
    if provider not in _TEXTS:
        return _Field(name, part, provider, texts, _folded(texts, provider).to_list(), owners, {})
    texts = texts if part else texts[:_TEXTS_READ]
    folded = _folded(texts, "email").to_list() if part else []
    spots = _spots(texts[:_TEXTS_READ].to_pylist())
    return _Field(name, part, provider, texts, folded, owners[: len(texts)], spots)


def _spots(texts: Sequence[str | None]) -> dict[str, list[list[tuple[str, float]]]]:
    """Addresses, and pairs of words with capitals, which may be names, in each text."""
    mails, pairs = [], []
    for text in texts:
        length, begin = max(len(text or ""), 1), (text or "")[:_BEGIN]
        found = _EMAIL.finditer(begin) if "@" in begin else ()
        mails.append([(m[0].rstrip(".").casefold(), m.start() / length) for m in found])
        words = [w for w in _WORD.finditer(begin) if w[0][0].isupper()]
        pairs.append([
            (f"{a[0]} {b[0]}".casefold(), a.start() / length)
            for a, b in pairwise(words) if b.start() - a.end() < _NEAR
        ])  # fmt: skip
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
        self, columns: Mapping[str, ColumnModel], persons: Sequence[_Persons],
        size: Mapping[str, int],
    ) -> dict[str, ColumnModel]:  # fmt: skip
        """The models of all columns, with whom their values name.

        Args:
            size: Rows of all tables: of two columns that hold the same, the smaller one names.
        """
        found, like = dict(columns), dict[str, Mention]()
        named: list[tuple[_Field, Mention]] = []
        for field in self.fields:
            mentions = (self._by(field, p) for p in persons if self._may(field, p, size))
            mention = next((m for m in mentions if m is not None), None)
            if mention is not None and not mention.places:
                group = f"{field.column}{_group(field.part)}" if field.part else ""
                coded = _model(columns, field).codec is not None
                leader = (field.part or field.column) if coded else ""
                mention = replace(mention, group=f"{group}\x1f{mention.table}", leader=leader)
                first = like.setdefault(mention.group, mention)
                like[mention.group] = replace(first, leader=first.leader or leader)
            if mention is not None:
                named.append((field, mention))
        for field, mention in named:
            first = like.get(mention.group, mention)
            one = replace(mention, curve=first.curve, share=first.share, key=first.key,
                          leader=first.leader)  # fmt: skip
            model = found[field.column]
            if field.part:
                piece = model.pieces[field.part]
                pieces = {field.part: replace(piece, model=replace(piece.model, mention=one))}
                found[field.column] = replace(model, pieces={**model.pieces, **pieces})
            else:
                found[field.column] = replace(model, mention=one)
        return found

    def _may(self, field: _Field, persons: _Persons, size: Mapping[str, int]) -> bool:
        """Whether a field may name some persons, and these do not name whom it tells."""
        if field.part or field.provider in _TEXTS:
            return True
        mine, theirs = self.table.name, persons.table.name
        return (-size[theirs], theirs) < (-size[mine], mine)

    def _by(self, field: _Field, persons: _Persons) -> Mention | None:
        """Which of some persons a field names, as a whole or inside of texts."""
        return self._whole(field, persons) or self._inside(field, persons)

    def _whole(self, field: _Field, persons: _Persons) -> Mention | None:
        """Whom values name that are nothing but a name, an address or a number."""
        told = persons.provider if field.provider in _TEXTS else field.provider
        alike = (told in _WORDS) == (persons.provider in _WORDS)
        different = {text for text in field.folded if text is not None}
        least = _CONTAINED if field.provider in _TEXTS else _OVERLAP[told]
        known = sum(text in persons.number for text in different) if alike else 0
        if known < max(_FEWEST, least * persons.share * len(different)):
            return None
        rows = persons.rows(field.folded)
        written = field.texts.filter(pa.array(rows >= 0))
        present = sum(text is not None for text in field.folded)
        mention = self._mention(persons, rows, field.owners, ())
        return replace(mention, case=_written(written, persons.provider),
                       share=_share((rows >= 0).sum(), present, persons))  # fmt: skip

    def _inside(self, field: _Field, persons: _Persons) -> Mention | None:
        """Whom free texts name somewhere; not by a login, which may be any word."""
        found = [next(((who, at) for who, at in spots if who in persons.number), None)
                 for spots in field.spots.get(persons.provider, ())]  # fmt: skip
        at = [spot[1] for spot in found if spot is not None]
        present = len(found) - field.texts[: len(found)].null_count
        if len(at) < max(_FEWEST, _LEAST * persons.share * present):
            return None
        places = np.quantile(at, np.linspace(0, 1, _PLACES)).round(2).tolist()
        rows = persons.rows([None if spot is None else spot[0] for spot in found])
        mention = self._mention(persons, rows, field.owners[: len(found)], tuple(places))
        return replace(mention, share=_share(len(at), present, persons))

    def _mention(
        self, persons: _Persons, rows: Int64, owners: Int64, places: tuple[float, ...]
    ) -> Mention:
        key, own = self._leading(persons, rows, owners), self._itself(persons, rows, owners)
        found = Mention(persons.table.name, persons.column, key, (), places, own=own)
        counts = np.sort(np.unique(rows[rows >= 0], return_counts=True)[1])[::-1]
        if counts[0] == 1 and len(counts) >= _ONCE and not places:
            return found
        reach = min(len(counts) / max(self.share, 1e-9), persons.count)  # a sample meets few
        ranks = np.append(np.linspace(0, reach, len(counts) + 1), persons.count + 1)
        shares = np.append(np.append(0, np.cumsum(counts)) / counts.sum(), 1.0)
        curve = np.interp(np.linspace(0, persons.count, _STEPS + 1), ranks, shares).round(3)
        return replace(found, curve=tuple(curve.tolist()))

    def _itself(self, persons: _Persons, rows: Int64, owners: Int64) -> bool:
        """Whether rows name themselves."""
        key = self.table.primary_key
        if persons.table.name != self.table.name or not key or key not in persons.keys:
            return False
        here = np.flatnonzero(rows >= 0)
        mine, _ = hash_keys([self.sample[name] for name in key])
        return bool((mine[owners[here]] == persons.keys[key][rows[here]]).mean() >= _LINKED)

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


def _model(columns: Mapping[str, ColumnModel], field: _Field) -> ColumnModel:
    model = columns[field.column]
    return model.pieces[field.part].model if field.part else model


def _group(part: str) -> str:
    """What a leaf is of: ``$.actor`` of ``$.actor.mail``, ``$.actor_name`` and ``$.actor``."""
    above, _, leaf = part.partition(":")[0].rpartition(".")
    words = list(tokens_of(leaf))
    while words and words[-1] in _SAYING:
        words.pop()
    return f"{above}.{'_'.join(words)}".rstrip(".")


def _share(named: int, of: int, persons: _Persons) -> float:
    """The share of values that name somebody, also those who were not looked at."""
    return round(min(1.0, float(named / of / persons.share)), 3)


def _written(texts: pa.Array, provider: str) -> str:
    """How values are written: ``upper``, ``lower``, ``capital``, or a shape of a number."""
    if provider in _WORDS:
        style = mail_style(texts)
        return style if style in ("upper", "lower", "capital") else ""
    marked = pc.replace_substring_regex(texts, "[0-9A-Za-z]", "#")
    shapes = pc.value_counts(marked)
    most = pc.index(shapes.field("counts"), pc.max(shapes.field("counts"))).as_py()
    return str(shapes.field("values")[most].as_py())
