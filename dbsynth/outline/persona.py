"""Which columns tell about the persons of a table before they get names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile

from dbsynth.classify.names import concept_of, tokens_of, words_of
from dbsynth.codec import as_text
from dbsynth.databases.base import Database
from dbsynth.graph import Plan
from dbsynth.identifiers.places import (
    Place,
    in_latin,
    place_named,
    place_of,
    place_speaking,
    sex_of,
)
from dbsynth.identifiers.tongue import locale_of_names
from dbsynth.identifiers.traits import Persona, Source
from dbsynth.model import MADE, TableFacts, renamed_by_place
from dbsynth.schema import ForeignKey, Kind, Schema, Table

_NAMES = ("first_name", "last_name", "full_name")
_LOOKED_AT = 2_000
_MOST = 0.8  # of a vocabulary has to be understood
_DEEPEST = 3
_SEX = words_of("sex gender geschlecht sexe sexo genero plec kon kjonn sukupuoli pohlavi")
_TITLE = words_of(
    "title anrede salutation civilite tratamiento tratamento courtesy prefix honorific"
)
_FEMALE = words_of("female woman weiblich")
_MALE = words_of("male man maennlich mannlich")
_PLACES = words_of(
    """address adresse anschrift direccion endereco adres indirizzo city town ort stadt ville ciudad
    cidade miasto country land pays pais kraj location place region state province postcode zip
    site district territory"""
)
_ELSEWHERE = words_of("birth born origin herkunft geburt naissance manufacture citizenship")


def guess_locale(
    database: Database, schema: Schema, fresh: Mapping[str, frozenset[str]], seed: int
) -> str:
    """The locale of the names of persons in a database, by a few of them."""
    names: list[str] = []
    for table in schema.tables:
        columns = [c.name for c in table.written
                   if c.kind is Kind.TEXT and concept_of(c.name, table.bare) in _NAMES
                   and c.name not in fresh.get(table.name, frozenset())]  # fmt: skip
        if not columns:
            continue
        sample = database.sample(table, columns, _LOOKED_AT, seed)
        for column in columns:
            names += sample[column].drop_null().to_pylist()
    return locale_of_names(names)


def with_personas(
    schema: Schema, plan: Plan, tables: Mapping[str, TableFacts], locale: str
) -> dict[str, TableFacts]:
    """The facts of all tables, with what tells about the persons in them."""
    around = _Around(schema, plan, tables)
    return {name: replace(facts, persona=_persona(around, schema[name], locale))
            for name, facts in tables.items()}  # fmt: skip


@dataclass(frozen=True)
class _Around:
    """All tables."""

    schema: Schema
    plan: Plan
    tables: Mapping[str, TableFacts]


def _persona(around: _Around, table: Table, locale: str) -> Persona | None:
    facts = around.tables[table.name]
    asking = [
        name for name, m in facts.columns.items()
        if m.provided is not None or m.structure is not None or renamed_by_place(m)
    ]  # fmt: skip
    if facts.strategy not in MADE or not asking:
        return None
    countries = list(_countries(around, table, ()))
    nearest = {name: _nearest(name, countries) for name in asking} if countries else {}
    sources = {name: source for name, source in nearest.items() if source is not None}
    if not sources:
        spoken = _languages(around, table)
        sources = dict.fromkeys(asking, spoken) if spoken is not None else {}
    found = Persona(
        locale, (), sources, _sex(around, table), _in_latin(facts), _birth(around, table),
        _regions(table, facts),
    )  # fmt: skip
    return replace(found, places=_places(around, table, found))


def _regions(table: Table, facts: TableFacts) -> dict[str, str]:
    """For columns of postcodes the column of regions with the most words before in common."""
    regions = [n for n, m in facts.columns.items()
               if "region" in (m.decision.concept, concept_of(n, table.bare))
               and table.column_by_name[n].kind in (Kind.TEXT, Kind.ENUM)]  # fmt: skip
    codes = [n for n, m in facts.columns.items()
             if m.provided is not None and m.provided.provider == "postcode"]  # fmt: skip

    def alike(one: str, other: str) -> int:
        pairs = zip(tokens_of(one), tokens_of(other), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return {code: max(regions, key=lambda name: alike(code, name)) for code in codes if regions}


def _birth(around: _Around, table: Table) -> Source | None:
    """The day of birth, where a number of the row's person tells it too."""
    columns = around.tables[table.name].columns
    told = any(m.provided is not None and "layout" in m.provided.state for m in columns.values())
    for name in columns if told else ():
        dated = table.column_by_name[name].kind in (Kind.DATE, Kind.TIMESTAMP)
        if dated and concept_of(name, table.bare) == "birth_date":
            return Source(name, ())
    return None


def _in_latin(facts: TableFacts) -> bool:
    """Whether no name of the table is written in other letters than Latin ones."""
    scripts = [model.provided.state.get("script") for model in facts.columns.values()
               if model.provided is not None and model.provided.provider in _NAMES]  # fmt: skip
    return "any" not in scripts


def _countries(around: _Around, table: Table, path: tuple[ForeignKey, ...]) -> Iterator[Source]:
    """Columns with countries, in the table first, then in the tables of places it refers to."""
    for name in around.tables[table.name].columns:
        words = set(tokens_of(name))
        alone = concept_of(name, table.bare) == "country" and not words & _ELSEWHERE
        named = "country" in tokens_of(table.bare) and concept_of(name, table.bare) == "label"
        if (alone or named) and _understood(around, table, name, _is_country):
            yield Source(name, path)
    if len(path) >= _DEEPEST:
        return
    for fk in table.foreign_keys:
        parent = around.schema[fk.parent]
        if set(tokens_of(parent.bare)) & _PLACES and fk.parent != table.name:
            yield from _countries(around, parent, (*path, fk))


def _nearest(column: str, countries: list[Source]) -> Source | None:
    """The country that goes with a column: named with the same first words, or else with none."""
    words = tokens_of(column)

    def shared(source: Source) -> int:
        theirs = tokens_of(source.path[0].columns[0] if source.path else source.column)
        count = 0
        for mine, other in zip(words, theirs, strict=False):
            if mine != other:
                break
            count += 1
        return count

    return max(countries, key=lambda s: (shared(s), -len(s.path), -countries.index(s)))


def _vocabulary(around: _Around, table: Table, name: str) -> list[str]:
    """What comes out of a column of few values; nothing for any other column."""
    facts = around.tables[table.name]
    if facts.copied is not None and name in facts.copied.column_names:
        values = facts.copied[name].combine_chunks()
        return list(dict.fromkeys(as_text(values).drop_null().to_pylist()))
    model = facts.columns[name]
    if model.echo is not None:
        parent = around.plan.generating[table.name].parent
        return _vocabulary(around, around.schema[parent], model.echo)
    return [str(word) for word in getattr(model.codec, "shown", ())]


def _understood(around: _Around, table: Table, name: str, test: Callable[[str], bool]) -> bool:
    words = _vocabulary(around, table, name)
    return bool(words) and sum(map(test, words)) >= _MOST * len(words)


def _is_country(word: str) -> bool:
    return place_named(word) is not None


def _languages(around: _Around, table: Table) -> Source | None:
    for name in around.tables[table.name].columns:
        spoken = set(tokens_of(name)) & {"language", "locale", "lang", "culture", "sprache"}
        known = spoken and _understood(
            around, table, name, lambda word: place_speaking(word) is not None
        )
        if known:
            return Source(name, (), speaks=True)
    return None


def _places(around: _Around, table: Table, persona: Persona) -> tuple[Place, ...]:
    home = place_of(persona.locale)
    found: dict[Place, None] = {in_latin(home) if persona.latin else home: None}
    for source in sorted(set(persona.sources.values()), key=lambda s: (len(s.path), s.column)):
        owner = around.schema[source.path[-1].parent] if source.path else table
        words = _vocabulary(around, owner, source.column)
        named = (persona.place(word, speaks=source.speaks) for word in words)
        others = {place for place in named if place is not None}
        found |= dict.fromkeys(sorted(others, key=lambda p: (p.country, p.locale)))
    return tuple(found)


def _sex(around: _Around, table: Table) -> Source | None:
    """The column that tells women from men: one so named, or one of titles."""
    columns = around.tables[table.name].columns
    for wanted in (_SEX, _TITLE):
        for name in columns:
            if set(tokens_of(name)) & wanted and _sexes(_vocabulary(around, table, name)):
                return Source(name, ())
    for name in columns:
        words = set(tokens_of(name))
        if table.column_by_name[name].kind is Kind.BOOLEAN and len(words & (_FEMALE | _MALE)) == 1:
            return Source(name, (), turned=bool(words & _MALE))
    return None


def _sexes(words: list[str]) -> bool:
    return any(sex_of(word) >= 0 for word in words)
