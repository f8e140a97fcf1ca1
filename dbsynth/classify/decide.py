"""The role of every column of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify.blanks import blanks_of, without
from dbsynth.classify.concepts import PERSONAL, concept
from dbsynth.classify.context import Context, context_of, exposure_of, in_context
from dbsynth.classify.evidence import Finding, find_concept
from dbsynth.classify.names import (
    IDENTIFYING,
    Hint,
    bare_names,
    hint_of,
    is_amount,
    is_numbered,
    tokens_of,
)
from dbsynth.classify.types import Decision, Exposure, Role
from dbsynth.classify.values import Facts, date_form, facts_of, number_form
from dbsynth.classify.vocabularies import is_vocabulary
from dbsynth.codec import k_threshold
from dbsynth.identifiers.recognise import share, text_provider
from dbsynth.identifiers.types import known_type, type_name
from dbsynth.schema import Column, Kind, Table

_COVERED = 0.7
_OF_SOMEBODY = (Role.IDENTIFIER, Role.RENAMED, Role.TEXT)
_HALF = 0.5
_MOST_KEPT = 1_000
_FEW = 50
_LONGEST_WORD = 200
_INITIALS = 3
_LONGEST_LABEL = 30
_MOST_CODES = 50_000  # more distinct values are too many to model as codes
_CAPITALS = r"^\p{Lu}{2,3}$"
_VOCABULARY = {"country": 150, "job": 150}  # about so many real words are at hand
_NAMES = ("city", "company")
_PUBLIC = 0.95
_LOOKED_AT = 500
_CODED = ("country", "region", "nationality", "vocabulary")


@dataclass(frozen=True)
class _Subject:
    """A column with all that is known of it."""

    table: Table
    column: Column
    facts: Facts
    rows: int
    k: int
    finding: Finding
    context: Context

    @property
    def concept(self) -> str:
        return self.finding.concept

    @property
    def identifying(self) -> bool:
        return bool(IDENTIFYING.search(self.column.name))

    @cached_property
    def public(self) -> bool:
        if self.column.kind is not Kind.TEXT or self.facts.longest > _LONGEST_WORD:
            return False
        if self.facts.mean_length <= _INITIALS and self.concept not in _CODED:
            return False  # two letters may be anybody's initials
        texts = self.facts.examples[:_LOOKED_AT].to_pylist()
        return is_vocabulary([text for text in texts if text.strip()], _PUBLIC)

    @property
    def unique(self) -> bool:
        return any(key.columns == (self.column.name,) for key in self.table.keys if key.plain)


def classify_table(table: Table, sample: pa.Table, rows: int) -> dict[str, Decision]:
    """The role of every column of a table.

    Args:
        table: As the database declares it.
        sample: Some or all rows, with the Arrow types of `dbsynth.schema.Kind`.
        rows: Number of rows of the whole table.
    """
    k = k_threshold(rows)
    values = {c.name: _values(sample, c.name) for c in table.columns}
    facts = {name: facts_of(found, k) for name, found in values.items()}
    names = bare_names(table)
    alone = {
        c.name: find_concept(c, facts[c.name], _hint(c.name, names[c.name], table.bare))
        for c in table.columns
    }
    context = context_of(table, alone)
    decisions = {}
    for column in table.columns:
        found = in_context(column, facts[column.name], alone[column.name], context)
        subject = _Subject(table, column, facts[column.name], rows, k, found, context)
        decisions[column.name] = _exposed(
            subject, _beside_blanks(subject, values[column.name], _decide(subject))
        )
    return decisions


def _hint(name: str, bare: str, table: str) -> Hint:
    """What a name says, by itself or without what it has in common with the others."""
    found = hint_of(name, table)
    return found if found.sure or bare == name else max(found, hint_of(bare, table), key=_weight)


def _weight(hint: Hint) -> tuple[bool, bool]:
    return hint.sure and hint.concept != "label", bool(hint.concept)


def _exposed(it: _Subject, decision: Decision) -> Decision:
    """The decision with what the column holds, and whom that gives away."""
    if decision.role in (Role.REFERENCE, Role.GENERATED):
        return decision
    exposure = exposure_of(it.concept, it.context)
    reason = decision.reason
    if exposure is Exposure.QUASI:
        words = it.concept.replace("_", " ")
        reason += f" (quasi-identifier: {words})"
    return replace(decision, concept=it.concept, exposure=exposure, reason=reason, public=it.public)


def _beside_blanks(it: _Subject, values: pa.Array, found: Decision) -> Decision:
    """What a column is that holds identities beside values that stand for nobody."""
    if found.role not in (*_OF_SOMEBODY, Role.QUANTITY) or not (
        blanks := blanks_of(values, it.rows)
    ):
        return found
    again = _decide(replace(it, facts=facts_of(without(values, blanks), it.k)))
    return again if again.role in _OF_SOMEBODY else found


def _values(sample: pa.Table, name: str) -> pa.Array:
    if name not in sample.column_names:
        return pa.nulls(0, pa.string())
    column = sample.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, column.type)
    return column.cast(pa.string()) if pa.types.is_large_string(column.type) else column


def _decide(it: _Subject) -> Decision:
    return _by_structure(it) or _by_kind(it)


def _by_structure(it: _Subject) -> Decision | None:
    column = it.column
    if column.generated:
        return Decision(Role.GENERATED, None, "The database computes it", "schema", 1.0)
    if column.name in it.table.foreign_columns():
        return Decision(Role.REFERENCE, None, "It is part of a foreign key", "schema", 1.0)
    if column.name in it.table.primary_key:
        return _key(it)
    if column.kind in (Kind.BOOLEAN, Kind.ENUM):
        return Decision(Role.CATEGORY, None, "Its type lists the values", "schema", 1.0)
    return None if it.facts.present else _empty(it)


def _by_kind(it: _Subject) -> Decision:
    match it.column.kind:
        case Kind.INTEGER | Kind.DECIMAL | Kind.FLOAT:
            return _number(it)
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP | Kind.INTERVAL:
            return _constant(it) or _moment(it)
        case Kind.UUID | Kind.BYTES:
            return _opaque(it)
        case Kind.JSON | Kind.ARRAY:
            return _document(it)
        case Kind.OTHER:
            return _other(it)
        case _:
            return _text(it)


def _moment(it: _Subject) -> Decision:
    if it.column.kind is Kind.INTERVAL:
        return Decision(Role.QUANTITY, None, "It is a duration", "type", 1.0)
    return Decision(Role.TIME, None, "Its type is a time", "type", 1.0)


def _opaque(it: _Subject) -> Decision:
    if it.column.kind is Kind.BYTES:
        return Decision(Role.OPAQUE, "bytes", "It holds bytes", "type", 1.0)
    role = Role.IDENTIFIER if it.facts.near_unique or it.unique else Role.RENAMED
    return Decision(role, "uuid", "Its type is made for identifiers", "type", 1.0)


def _key(it: _Subject) -> Decision:
    composite = len(it.table.primary_key) > 1
    kind = it.column.kind
    if composite and kind in (Kind.BOOLEAN, Kind.ENUM):
        return Decision(Role.CATEGORY, None, "Its type lists the values", "schema", 1.0)
    if composite and kind is Kind.TEXT and it.concept not in PERSONAL and _shown(it):
        return Decision(Role.CATEGORY, None, "Part of a key, with few values that repeat",
                        "values", 0.9)  # fmt: skip
    if composite and kind in (Kind.UUID, Kind.TEXT) and _repeats(it):
        return Decision(Role.RENAMED, _key_provider(it), "Part of a key, and its values repeat",
                        "values", 0.9)  # fmt: skip
    return Decision(Role.KEY, _key_provider(it), "It is part of the primary key", "schema", 1.0)


def _repeats(it: _Subject) -> bool:
    facts = it.facts
    return not (facts.near_unique or it.unique) and facts.covered >= _COVERED


def _key_provider(it: _Subject) -> str | None:
    match it.column.kind:
        case Kind.UUID:
            return "uuid"
        case Kind.TEXT:
            return _text_key_provider(it)
        case Kind.BYTES:
            return "bytes"
        case Kind.JSON:
            return "json"
        case Kind.ARRAY:
            return "array"
        case Kind.OTHER:
            return _type_provider(it.column)
        case _:
            return None


def _text_key_provider(it: _Subject) -> str:
    examples = it.facts.examples
    if not len(examples):
        return "pattern"
    if it.concept in _NAMES or (it.concept in PERSONAL and it.concept != "coordinates"):
        return concept(it.concept).provider
    if date_form(examples) or number_form(examples):
        return "pattern"
    found = text_provider(examples)
    return "label" if found == "text" and it.facts.longest <= 80 else found


def _empty(it: _Subject) -> Decision:
    if it.rows and it.facts.rows:
        return Decision(Role.CONSTANT, None, "Every row is NULL", "values", 1.0)
    match it.column.kind:
        case Kind.INTEGER | Kind.DECIMAL | Kind.FLOAT | Kind.INTERVAL:
            return Decision(Role.QUANTITY, None, "Its type is a number", "type", 0.5)
        case Kind.DATE | Kind.TIME | Kind.TIMESTAMP:
            return Decision(Role.TIME, None, "Its type is a time", "type", 0.8)
        case Kind.TEXT:
            return _empty_text(it)
        case Kind.BYTES:
            return Decision(Role.OPAQUE, "bytes", "It holds bytes", "type", 1.0)
        case Kind.UUID:
            return Decision(
                Role.IDENTIFIER, "uuid", "Its type is made for identifiers", "type", 1.0
            )
        case _:
            provider = {Kind.JSON: "json", Kind.ARRAY: "array"}.get(
                it.column.kind, _type_provider(it.column))  # fmt: skip
            role = Role.OPAQUE if it.column.kind is Kind.OTHER else Role.TEXT
            return Decision(role, provider, "There are no values to learn from", "type", 0.5)


def _empty_text(it: _Subject) -> Decision:
    if it.concept in PERSONAL or it.concept in _NAMES:
        return _named(it, Role.IDENTIFIER)
    provider = "label" if it.concept in ("label", "region", "country", "job") else "text"
    if is_numbered(tokens_of(it.column.name)):
        provider = "pattern"
    return Decision(Role.TEXT, provider, "There are no values to learn from", "type", 0.4)


def _constant(it: _Subject) -> Decision | None:
    if it.facts.constant and it.facts.rows >= it.k and it.rows >= it.k:
        return Decision(Role.CONSTANT, None, "All rows hold one value", "values", 1.0)
    return None


def _number(it: _Subject) -> Decision:
    found = _constant(it)
    if found and it.concept not in PERSONAL:
        return found
    placed = it.concept == "coordinates" and it.context.persons
    if placed and it.column.kind is not Kind.INTEGER:
        return _named(it, Role.IDENTIFIER)
    floating = it.column.kind is Kind.FLOAT and it.concept not in PERSONAL
    if floating or not _whole(it):
        return Decision(Role.QUANTITY, None, "Its type is a number", "type", 1.0)
    return _whole_number(it)


def _whole_number(it: _Subject) -> Decision:
    words = tokens_of(it.column.name)
    amount = is_amount(words) and it.finding.by == "name"
    personal = it.concept in PERSONAL and not amount
    named = personal or (is_numbered(words) and not amount)
    if it.facts.near_unique and (it.unique or named):
        why = "unique" if it.unique else "an identifier by its name or check digits"
        return Decision(Role.IDENTIFIER, "digits", f"Its numbers hardly repeat and it is {why}",
                        "schema" if it.unique else "name", 0.9)  # fmt: skip
    if personal and it.concept not in ("postcode", "coordinates"):
        return Decision(Role.RENAMED, "digits", f"{it.finding.reason}, and its numbers repeat",
                        it.finding.decided_by, it.finding.confidence)  # fmt: skip
    return Decision(Role.QUANTITY, None, "Its type is a number", "type", 0.9)


def _whole(it: _Subject) -> bool:
    """Whether the column holds whole numbers only."""
    if it.column.kind is Kind.INTEGER:
        return True
    if it.column.scale:
        return False
    examples = it.facts.examples
    return bool(pc.all(pc.equal(examples, pc.floor(examples))).as_py())


def _document(it: _Subject) -> Decision:
    provider = "json" if it.column.kind is Kind.JSON else "array"
    few = it.facts.longest <= _LONGEST_WORD and it.facts.distinct < _FEW
    if few and _shown(it) and not it.identifying:
        return _category(it)
    return Decision(Role.TEXT, provider, "It holds documents", "type", 0.9)


def _type_provider(column: Column) -> str:
    name = type_name(column.base_type or column.sql_type)
    exact = {"xml": "xml", "tsvector": "tsvector", "inet": "inet", "cidr": "cidr", "macaddr": "mac"}
    return exact.get(name, "by_type")


def _other(it: _Subject) -> Decision:
    provider = _type_provider(it.column)
    name = type_name(it.column.base_type or it.column.sql_type)
    if name == "citext":
        return _text(it)
    if provider == "by_type" and it.facts.distinct < _FEW and _shown(it):
        return _category(it)
    if provider == "inet":
        role = Role.IDENTIFIER if it.facts.near_unique else Role.RENAMED
        return Decision(role, provider, "Its type is an address of a network", "type", 1.0)
    known = provider != "by_type" or known_type(name)
    return Decision(Role.OPAQUE, provider, "It is drawn from its type alone", "type",
                    0.8 if known else 0.4)  # fmt: skip


def _shown(it: _Subject) -> bool:
    """Whether frequent values cover the column, so that its vocabulary may be shown."""
    facts = it.facts
    return not facts.near_unique and facts.covered >= _COVERED and 0 < facts.kept <= _MOST_KEPT


def _category(it: _Subject) -> Decision:
    return Decision(Role.CATEGORY, None, "Few values, each shared by enough rows", "values", 0.9)


def _named(it: _Subject, role: Role) -> Decision:
    """A column whose values are drawn by the provider of what it holds."""
    found = it.finding
    return Decision(role, concept(found.concept).provider, found.reason, found.decided_by,
                    found.confidence)  # fmt: skip


def _text(it: _Subject) -> Decision:
    listed = _listed(it)
    if listed:
        return listed
    if not it.facts.longest:
        return _constant(it) or _category(it)
    if it.concept in PERSONAL:
        return _personal(it)
    found = _constant(it)
    if found and it.facts.longest <= _LONGEST_WORD:
        return found
    if it.public and it.facts.covered >= _HALF:
        return Decision(Role.CATEGORY, None, "Its values are words of a public vocabulary",
                        "values", 0.9)  # fmt: skip
    return _near_unique(it) if it.facts.near_unique else _repeating(it)


def _listed(it: _Subject) -> Decision | None:
    """A category where a CHECK lists the values."""
    for check in it.table.checks:
        if check.columns != (it.column.name,) or not re.search(r"\bin\b|=|any", check.sql, re.I):
            continue
        words = re.findall(r"'((?:[^']|'')*)'", check.sql)
        if len(words) > 1 and pc.all(pc.is_in(it.facts.examples, pa.array(words))).as_py():
            return Decision(Role.CATEGORY, None, "A CHECK lists the values", "schema", 1.0)
    return None


def _personal(it: _Subject) -> Decision:
    facts = it.facts
    if it.concept == "first_name" and facts.longest <= _INITIALS:
        return _near_unique(it) if facts.near_unique else _repeating(it)
    many = facts.near_unique or it.unique or facts.distinct > _MOST_CODES
    never = not concept(it.concept).repeats
    return _named(it, Role.IDENTIFIER if never or many else Role.RENAMED)


def _formed(it: _Subject) -> Decision | None:
    """Text that is really a number or a time."""
    form = date_form(it.facts.examples)
    if form:
        return Decision(
            Role.TIME, None, "Every value follows one format of dates", "values", 0.9, form
        )
    form = number_form(it.facts.examples)
    if not form:
        return None
    words = tokens_of(it.column.name)
    named = is_numbered(words) and not is_amount(words)
    if form == "integer" and it.facts.near_unique and (it.unique or named):
        return Decision(Role.IDENTIFIER, "digits", "Its numbers hardly repeat and it is named "
                            "like an identifier or unique", "name", 0.8)  # fmt: skip
    return Decision(Role.QUANTITY, None, "Every value is a number", "values", 0.9, form)


def _near_unique(it: _Subject) -> Decision:
    found = _formed(it)
    if found:
        return found
    if it.concept in _NAMES or (it.concept == "region" and _regional(it)):
        return _named(it, Role.IDENTIFIER)
    if _VOCABULARY.get(it.concept, 0) >= it.facts.distinct and it.facts.mean_length > _INITIALS:
        return _named(it, Role.IDENTIFIER)
    provider = text_provider(it.facts.examples)
    if provider in ("text", "label") and it.concept in ("region", "country", "job", "label"):
        provider = "label"
    if it.concept == "text" and provider == "label" and it.facts.mean_length > _LONGEST_LABEL:
        provider = "text"
    return Decision(Role.TEXT, provider, "Its values hardly repeat", "values", 0.8)


def _regional(it: _Subject) -> bool:
    """Whether regions are written out, or with the capitals that stand for them."""
    examples = it.facts.examples
    named = it.facts.mean_length > _INITIALS and share(examples, r"[0-9]") < 1 - _COVERED
    return named or share(examples, _CAPITALS) >= _HALF


def _repeating(it: _Subject) -> Decision:
    facts = it.facts
    shown = _shown(it) and facts.longest <= _LONGEST_WORD
    telling = it.identifying or it.concept in _NAMES
    if shown and (facts.distinct < _FEW or not telling):
        formed = _formed(it) if facts.distinct >= _FEW else None
        return formed or _category(it)
    formed = _formed(it)
    if formed:
        return formed
    provider = _renamer(it)
    if shown or facts.distinct <= _MOST_CODES:
        why = "its vocabulary may name someone" if telling else "its rare values may not be shown"
        return Decision(Role.RENAMED, provider, f"Its values repeat, but {why}", "values", 0.7)
    return Decision(Role.TEXT, provider, "It has too many values that repeat", "values", 0.6)


def _renamer(it: _Subject) -> str:
    """The provider of new names for values that repeat."""
    worded = it.facts.mean_length > _INITIALS
    if it.concept in _NAMES and worded:
        return it.concept
    known = _VOCABULARY.get(it.concept, 0) >= it.facts.distinct
    if it.concept == "region" and _regional(it):
        return it.concept
    if known and worded and not it.identifying:
        return it.concept
    provider = text_provider(it.facts.examples)
    return "label" if provider == "text" and it.facts.longest <= 80 else provider
