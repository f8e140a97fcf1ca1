"""Providers of persons: one index is one person, whatever part of it a column asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.faker import Vocabulary, vocabulary
from dbsynth.identifiers.strings import (
    CODE_WIDTH,
    case_style,
    choose,
    joined,
    pick,
    plain,
    positions,
    recased,
    short_code,
    shuffle,
    shuffle_pair,
    subkey,
    where,
    within,
)
from dbsynth.randomness import UInt64
from dbsynth.schema import Column

Build = Callable[[State, UInt64, int], pa.Array]
_DOMAINS = ("example.com", "example.org", "example.net")
_SHORTEST_LOCAL = 4


@dataclass(frozen=True)
class People:
    """The persons of some indexes: their places in the vocabulary, and how often it was used up."""

    words: Vocabulary
    given_at: UInt64
    family_at: UInt64
    round: UInt64

    @property
    def given(self) -> pa.Array:
        """Given names."""
        return self.words.given.take(pa.array(self.given_at))

    @property
    def family(self) -> pa.Array:
        """Family names."""
        return self.words.family.take(pa.array(self.family_at))

    @property
    def given_slug(self) -> pa.Array:
        """Given names in plain lower-case letters."""
        return self.words.given_slugs.take(pa.array(self.given_at))

    @property
    def family_slug(self) -> pa.Array:
        """Family names in plain lower-case letters."""
        return self.words.family_slugs.take(pa.array(self.family_at))

    @property
    def female(self) -> npt.NDArray[np.bool_]:
        """Whether the given name is a woman's."""
        return self.words.female[self.given_at.astype(np.int64)]


def people(index: UInt64, *, key: int, locale: str) -> People:
    """The persons of the indexes; different persons until the vocabulary is used up."""
    words = vocabulary(locale)
    given, family, rounds = shuffle_pair(index, len(words.given), len(words.family), key=key)
    return People(words, given, family, rounds)


@dataclass(frozen=True)
class Identity:
    """A provider whose values are built from words and hardly depend on the column."""

    name: str
    build: Build

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Length limit, casing, and whether a comma stands between family and given name."""
        texts = values.drop_null()
        commas = pc.sum(pc.match_substring(texts, ", ")).as_py() or 0
        return {
            "locale": locale,
            "unique": unique,
            "limit": column.length,
            "case": case_style(texts) if len(texts) >= k else "mixed",
            "comma": bool(len(texts) >= k and commas > 0.8 * len(texts)),
        }

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One value for every index."""
        index = positions(index)
        values = recased(self.build(state, index, key), state["case"])
        return within(values, index, key=key, limit=state["limit"], unique=state["unique"])


def _numbered(values: pa.Array, rounds: UInt64, separator: str) -> pa.Array:
    """The values with a number behind all but those of the first round."""
    if not rounds.any():
        return values
    return where(
        rounds == 0, values, joined(values, plain(rounds + np.uint64(1)), separator=separator)
    )


def _first_name(state: State, index: UInt64, key: int) -> pa.Array:
    who = people(index, key=key, locale=state["locale"])
    if not state["unique"]:
        return who.given
    return _unique_word(who.given, who.family_at, who.round, len(who.words.family))


def _last_name(state: State, index: UInt64, key: int) -> pa.Array:
    who = people(index, key=key, locale=state["locale"])
    if not state["unique"]:
        return who.family
    return _unique_word(who.family, who.given_at, who.round, len(who.words.given))


def _unique_word(word: pa.Array, other_at: UInt64, rounds: UInt64, others: int) -> pa.Array:
    """Part of a name, told apart from the same part of other persons by a number."""
    number = other_at + rounds * np.uint64(others)
    return where(number == 0, word, joined(word, plain(number + np.uint64(1)), separator=" "))


def _full_name(state: State, index: UInt64, key: int) -> pa.Array:
    who = people(index, key=key, locale=state["locale"])
    if state["comma"]:
        return _numbered(joined(who.family, who.given, separator=", "), who.round, " ")
    return _numbered(joined(who.given, who.family, separator=" "), who.round, " ")


def _local_part(state: State, index: UInt64, key: int, separator: str) -> pa.Array:
    who = people(index, key=key, locale=state["locale"])
    local = joined(who.given_slug, who.family_slug, separator=separator)
    return where(who.round == 0, local, joined(local, plain(who.round + np.uint64(1))))


def _user_name(state: State, index: UInt64, key: int) -> pa.Array:
    return _local_part(state, index, key, "_")


def _email(state: State, index: UInt64, key: int) -> pa.Array:
    local = _local_part(state, index, key, ".")
    domains = pick(pa.array(_DOMAINS), subkey(key, 1), index)
    limit = state["limit"]
    if limit is None:
        return joined(local, domains, separator="@")
    room = limit - len(_DOMAINS[0]) - 1
    if room < _SHORTEST_LOCAL:
        return joined(local, domains, separator="@")
    if room <= CODE_WIDTH:
        local = short_code(index, min(room, 8), key=key)
    else:
        local = within(local, index, key=key, limit=room, unique=state["unique"])
    return joined(local, domains, separator="@")


def _title(state: State, index: UInt64, key: int) -> pa.Array:
    who = people(index, key=key, locale=state["locale"])
    return where(who.female, "Ms", "Mr")


def _job(state: State, index: UInt64, key: int) -> pa.Array:
    jobs = vocabulary(state["locale"]).jobs
    if not state["unique"]:
        return pick(jobs, subkey(key, 2), index)
    first, rounds = shuffle(index, len(jobs), key=key)
    return _numbered(jobs.take(pa.array(first)), rounds, " ")


def _city(state: State, index: UInt64, key: int) -> pa.Array:
    words = vocabulary(state["locale"])
    name, ending, rounds = shuffle_pair(index, len(words.family), len(words.city_words), key=key)
    town = joined(words.family.take(pa.array(name)), words.city_words.take(pa.array(ending)))
    return _numbered(town, rounds, " ")


def _region(state: State, index: UInt64, key: int) -> pa.Array:
    return _place(state, index, key, vocabulary(state["locale"]).regions)


def _country(state: State, index: UInt64, key: int) -> pa.Array:
    return _place(state, index, key, vocabulary(state["locale"]).countries)


def _place(state: State, index: UInt64, key: int, places: pa.Array) -> pa.Array:
    if not state["unique"]:
        return pick(places, subkey(key, 3), index)
    at, rounds = shuffle(index, len(places), key=key)
    return _numbered(places.take(pa.array(at)), rounds, " ")


def _company(state: State, index: UInt64, key: int) -> pa.Array:
    words = vocabulary(state["locale"])
    count = len(words.family)
    first, second, rounds = shuffle_pair(index, count, count, key=key)
    names = joined(
        words.family.take(pa.array(first)), words.family.take(pa.array(second)), separator="-"
    )
    firm = joined(names, pick(words.company_words, subkey(key, 4), index), separator=" ")
    return _numbered(firm, rounds, " ")


def _url(state: State, index: UInt64, key: int) -> pa.Array:
    who = people(index, key=key, locale=state["locale"])
    host = pick(pa.array(_DOMAINS), subkey(key, 5), index)
    page = joined(who.family_slug, who.given_slug, separator="/")
    return _numbered(joined("https://", host, "/", page), who.round, "/")


def _street(state: State, index: UInt64, key: int) -> pa.Array:
    words = vocabulary(state["locale"])
    names = len(words.family) * len(words.street_words)
    where_, house, rounds = shuffle_pair(index, names, 998, key=key)
    name_at, word_at = np.divmod(where_, np.uint64(len(words.street_words)))
    name = words.family.take(pa.array(name_at))
    word = words.street_words.take(pa.array(word_at))
    number = plain(house + np.uint64(1))
    match words.street_order:
        case "namesuffix number":
            line = joined(joined(name, word), number, separator=" ")
        case "word name number":
            line = joined(word, name, number, separator=" ")
        case _:
            line = joined(number, name, word, separator=" ")
    return _numbered(line, rounds, "/")


def _street_extra(state: State, index: UInt64, key: int) -> pa.Array:
    if state["unique"]:
        return joined("Apt. ", plain(index + np.uint64(1)))
    return joined("Apt. ", plain(choose(subkey(key, 6), index, 998) + 1))


IDENTITIES: dict[str, Identity] = {
    name: Identity(name, build)
    for name, build in {
        "first_name": _first_name,
        "last_name": _last_name,
        "full_name": _full_name,
        "user_name": _user_name,
        "email": _email,
        "name_title": _title,
        "job": _job,
        "city": _city,
        "region": _region,
        "country": _country,
        "company": _company,
        "url": _url,
        "street_address": _street,
        "street_extra": _street_extra,
    }.items()
}
