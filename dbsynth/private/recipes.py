"""How the values of each column shall come about: from the schema and the spec, never from data.

A recipe says what will have to be measured; so the whole list of questions, and what each costs, is
settled before the first of them is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime

import pyarrow as pa

from dbsynth.classify import Decision, Role, classify_table
from dbsynth.databases.base import Database
from dbsynth.graph import is_unique
from dbsynth.identifiers import PROVIDERS
from dbsynth.keys import Mint, key_parts
from dbsynth.model import ColumnModel, Provided
from dbsynth.private.limits import ENDLESS, limits_of
from dbsynth.private.texts import examples
from dbsynth.schema import Column, Kind, Table
from dbsynth.spec import Spec
from dbsynth.spec.protection import Protection

NUMERIC = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
TIMES = (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.INTERVAL)
ATOMS = 100  # whole numbers that all get a code of their own
_WORDS = (None, "text", "label", "json")  # what makes up values that may as well be shared ones
_LONGEST = 200  # texts that may be longer are no categories
_MICROSECONDS = 1e6
_DAY = 86_400 * _MICROSECONDS


@dataclass(frozen=True)
class Recipe:
    """One column.

    Attributes:
        model: How values come about, where nothing but presence has to be measured; else what is
            known of it already.
        words: The values of a category, where they are public.
        open: Whether the values of a category are found privately.
        bounds: Public limits of a number, in units, that are near enough to need no search.
        limits: Public limits within which it has to be searched, in units.
        unit: The grid of numbers (days, microseconds, digits); 0 for none.
        number: Whether it is a number or a time.
        measured: Whether the engine draws anything of it.
    """

    column: Column
    model: ColumnModel
    words: tuple[str, ...] = ()
    open: bool = False
    number: bool = False
    bounds: tuple[float, float] | None = None
    limits: tuple[float, float] = ENDLESS
    unit: float = 1.0

    @property
    def category(self) -> bool:
        """Whether it has a vocabulary."""
        return bool(self.words) or self.open

    @property
    def measured(self) -> bool:
        """Whether anything of it is drawn by the engine."""
        return self.category or self.number or self.model.nulls

    @property
    def searched(self) -> bool:
        """Whether its domain has to be found before it can be measured."""
        return self.open or (self.number and self.bounds is None)


def recipes_of(
    database: Database, table: Table, spec: Spec, protection: Protection
) -> dict[str, Recipe]:
    """A recipe for every column that is written.

    Args:
        database: Asked for the types of a sample of no rows, and nothing else.
    """
    decisions, nothing = decided(database, table, spec)
    found = {}
    for column in table.written:
        place = f"{table.name}.{column.name}"
        values = nothing[column.name].combine_chunks()
        words = protection.vocabularies.get(place, ())
        bounds = protection.bounds.get(place)
        recipe = _recipe(table, column, decisions[column.name], values, words)
        if bounds is not None and recipe.number:
            low, high = (_units(end, column.kind, recipe.unit) for end in bounds)
            recipe = replace(recipe, bounds=(low, high))
        found[column.name] = recipe
    return found


def decided(database: Database, table: Table, spec: Spec) -> tuple[dict[str, Decision], pa.Table]:
    """The roles of columns by names, types and the spec; and no rows, in the right types."""
    names = [column.name for column in table.written]
    nothing = database.sample(table, names, 1, 0).slice(0, 0) if names else pa.table({})
    return spec.decisions(table, classify_table(table, nothing, 0)), nothing


def _recipe(
    table: Table, column: Column, decision: Decision, values: pa.Array, words: tuple[str, ...]
) -> Recipe:
    if column.name in table.foreign_columns():
        return Recipe(column, ColumnModel(decision))
    unique = is_unique(table, (column.name,))
    made = None if words else _counted(table, column, decision, unique)
    if made is not None:
        return Recipe(column, made)
    model = ColumnModel(decision, nulls=column.nullable)
    words = words or _listed(table, column)
    if words and not unique:
        return Recipe(column, _as(model, Role.CATEGORY), words)
    plain = decision.role not in (Role.IDENTIFIER, Role.TEXT, Role.OPAQUE, Role.RENAMED)
    if column.kind in (*NUMERIC, *TIMES) and (plain or decision.provider is None):
        unit, bounds = _grid(column)
        limits = ENDLESS
        if column.kind in NUMERIC and bounds is None:
            low, high = limits_of(table, column)
            limits = (low / unit, high / unit) if unit else (low, high)
            bounds = limits if unit and limits[1] - limits[0] < ATOMS else None
        return Recipe(column, model, number=True, unit=unit, bounds=bounds, limits=limits)
    asked = examples(table, column) if column.kind is Kind.TEXT else []
    if asked and decision.decided_by != "spec":
        told = replace(model, decision=replace(decision, provider="pattern"))
        return Recipe(column, _provided(column, told, pa.array(asked), unique))
    if column.kind in (Kind.TEXT, Kind.JSON) and not unique and _shareable(column, decision):
        return Recipe(column, _as(model, Role.CATEGORY), open=True)
    return Recipe(column, _provided(column, model, values, unique))


def _as(model: ColumnModel, role: Role) -> ColumnModel:
    return replace(model, decision=replace(model.decision, role=role, provider=None))


def _counted(table: Table, column: Column, decision: Decision, unique: bool) -> ColumnModel | None:
    """Numbers that never repeat, or that count the rows of a group: known from the keys alone."""
    if column.kind is Kind.INTEGER and not unique and _counts(table, column.name):
        return ColumnModel(decision, ranked=1)
    numbered = column.kind in (*NUMERIC, Kind.DATE, Kind.TIMESTAMP, Kind.TIME)
    if not numbered or not (unique or column.identity):
        return None
    step = 10.0 ** -(column.scale or 0) if column.kind is Kind.DECIMAL else 1.0
    limit = 2 ** (column.bits - 1) - 1 if column.bits else 2**62
    if column.precision is not None and column.kind in (Kind.INTEGER, Kind.DECIMAL):
        limit = min(limit, 10**column.precision - 1)
    if column.kind is Kind.TIME:
        mint = Mint(0, 86_399, 86_400, _MICROSECONDS, 86_399, 0)
    elif column.kind is Kind.TIMESTAMP:
        mint = Mint(946_684_800, 946_684_800, 1, _MICROSECONDS)
    else:
        mint = Mint(1, 1, 1, step, limit)
    return ColumnModel(decision, mint=mint, nulls=column.nullable)


def _counts(table: Table, name: str) -> bool:
    """Whether the rest of a key with this column is made of foreign keys."""
    for key in table.keys:
        if key.plain and name in key.columns and len(key.columns) > 1:
            covered = {c for fk in key_parts(table, key) for c in fk.columns}
            if set(key.columns) - covered == {name}:
                return True
    return False


def _listed(table: Table, column: Column) -> tuple[str, ...]:
    """Values that the schema itself lists."""
    if column.kind is Kind.BOOLEAN:
        return ("false", "true")
    if column.kind is Kind.ENUM:
        return column.choices
    for check in table.checks:
        listing = re.search(r"\bin\b|=|\bany\b", check.sql, re.IGNORECASE)
        if column.kind is Kind.TEXT and check.columns == (column.name,) and listing:
            words = re.findall(r"'((?:[^']|'')*)'", check.sql)
            if len(words) > 1:
                return tuple(dict.fromkeys(word.replace("''", "'") for word in words))
    return ()


def _shareable(column: Column, decision: Decision) -> bool:
    """Whether values that many entities share may be shown: no names of persons.

    Prose too, as forms and choices are often written out; where none is shared, none is shown.
    """
    if decision.decided_by == "spec":
        return decision.role is Role.CATEGORY
    short = column.length is None or column.length <= _LONGEST
    return short and decision.role is not Role.IDENTIFIER and decision.provider in _WORDS


def _provided(column: Column, model: ColumnModel, values: pa.Array, unique: bool) -> ColumnModel:
    decision = model.decision
    if decision.provider is None:
        decision = replace(decision, provider="text" if column.kind is Kind.TEXT else "from_type")
    if column.kind in (Kind.ARRAY, Kind.OTHER) and decision.decided_by != "spec":
        decision = replace(decision, provider="from_type")
    provider = PROVIDERS[decision.provider or "text"]
    state = provider.fit(column, values, unique=unique, locale="en_US", k=1)
    return replace(model, decision=decision, provided=Provided(provider.name, state))


def _grid(column: Column) -> tuple[float, tuple[float, float] | None]:
    """The unit of a number, and its limits where the type alone tells them."""
    match column.kind:
        case Kind.DECIMAL if column.scale is not None:
            return 10.0**-column.scale, None
        case Kind.DECIMAL | Kind.FLOAT:
            return 0.0, None
        case Kind.TIME:
            return _MICROSECONDS, (0.0, 86_399.0)
        case Kind.TIMESTAMP | Kind.INTERVAL:
            return _MICROSECONDS, None
        case _:
            return 1.0, None


def _units(end: float | date | datetime, kind: Kind, unit: float) -> float:
    """A limit in the units of a column."""
    if isinstance(end, datetime | date):
        moment = datetime(end.year, end.month, end.day)
        if isinstance(end, datetime):
            moment = end.replace(tzinfo=None)
        seconds = (moment - datetime(1970, 1, 1)).total_seconds()
        number = seconds * _MICROSECONDS / (_DAY if kind is Kind.DATE else 1.0)
        return float(number / unit)
    return float(end / unit) if unit else float(end)
