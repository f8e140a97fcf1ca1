"""Providers of persons: one index is one person, whatever part of it a column asks for."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.addresses import regions_of, streets_of, towns_of
from dbsynth.identifiers.base import State
from dbsynth.identifiers.faker import (
    DEFAULT_LOCALE,
    Names,
    company_words,
    is_latin,
    known_locale,
    language_of_locale,
    names_of,
    samples,
    written,
)
from dbsynth.identifiers.places import (
    countries,
    country_name,
    place_named,
    place_of,
    sex_of,
    titles_of,
)
from dbsynth.identifiers.strings import (
    CODE_WIDTH,
    case_style,
    choose,
    frequent,
    joined,
    mail_style,
    pick,
    plain,
    positions,
    recased,
    scatter,
    short_code,
    shuffle,
    shuffle_pair,
    subkey,
    weighted,
    where,
    within,
)
from dbsynth.identifiers.traits import Traits, unknown
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

_DOMAINS = ("example.com", "example.org", "example.net")
_SHORTEST_LOCAL = 4
_HOUSES = 998
_MOSTLY = 0.8
_FAMILY_FIRST = {"ja": " ", "zh": "", "ko": "", "hu": " "}
_FITTING = 3  # one of so many words is enough
_NEXT_TO = {  # how a town may be called that is next to another one
    "en": ("", " Heights"), "de": ("Neu-", ""), "fr": ("", "-le-Vieux"), "es": ("Villa ", ""),
    "pt": ("Vila ", ""), "it": ("Borgo ", ""), "nl": ("Nieuw-", ""), "pl": ("Nowy ", ""),
    "sv": ("Nya ", ""), "da": ("Ny ", ""), "no": ("Nye ", ""), "cs": ("Nový ", ""),
    "zh": ("Xin ", ""), "ja": ("Shin-", ""), "ar": ("New ", ""), "id": ("", " Baru"),
    "tr": ("Yeni ", ""), "ro": ("", " Nou"), "hi": ("New ", ""),
}  # fmt: skip
_PROBED = 20
_OTHER_LETTERS = ("zh", "ja", "ar", "hi")
_SHORT = 3  # letters of a region's code


@dataclass(frozen=True)
class Asked:
    """What a column asks for: the persons of some indexes."""

    state: State
    index: UInt64
    key: int
    traits: Traits

    @cached_property
    def people(self) -> People:
        """Their names."""
        return people(self.index, self.traits, key=self.key, script=self.state["script"])

    @property
    def unique(self) -> bool:
        """Whether all values must differ."""
        return bool(self.state["unique"])

    def by_locale(self, draw: Callable[[Asked, str], pa.Array]) -> pa.Array:
        """Values of each locale, put in the order of the rows."""
        locales = [place.locale for place in self.traits.places]
        names = sorted(set(locales))
        if len(names) == 1:
            return draw(self, names[0])
        chosen = np.array([names.index(name) for name in locales])[self.traits.place]
        parts = []
        for number in np.unique(chosen).tolist():
            at = np.flatnonzero(chosen == number)
            mine = Asked(self.state, self.index[at], self.key, self.traits.taken(at))
            parts.append((at, draw(mine, names[number])))
        return scatter(chosen, parts) if parts else pa.array([], pa.string())


Build = Callable[[Asked], pa.Array]


@dataclass(frozen=True)
class _Lexicon:
    """The names of several locales in one row each, and where those of a locale begin."""

    given: pa.Array
    given_slugs: pa.Array
    family: pa.Array
    family_slugs: pa.Array
    given_from: UInt64
    women: UInt64
    given_size: UInt64
    told: npt.NDArray[np.bool_]
    family_from: UInt64
    families: UInt64


@lru_cache(maxsize=64)
def _lexicon(locales: tuple[str, ...], script: str) -> _Lexicon:
    found: list[Names] = [names_of(locale, script) for locale in locales]

    def begins(sizes: list[int]) -> UInt64:
        return np.cumsum([0, *sizes[:-1]]).astype(np.uint64)

    given, family = [len(n.given) for n in found], [len(n.family) for n in found]
    return _Lexicon(
        pa.concat_arrays([n.given for n in found]),
        pa.concat_arrays([n.given_slugs for n in found]),
        pa.concat_arrays([n.family for n in found]),
        pa.concat_arrays([n.family_slugs for n in found]),
        begins(given),
        np.array([n.women for n in found], np.uint64),
        np.array(given, np.uint64),
        np.array([n.told for n in found]),
        begins(family),
        np.array([n.families for n in found], np.uint64),
    )


@dataclass(frozen=True)
class People:
    """The persons of some indexes: their names' places, and how often the names were used up.

    Attributes:
        female: Whether the person is a woman.
        given_rank, family_rank: The number of a name in its locale, and how many there are.
    """

    words: _Lexicon
    given_at: UInt64
    family_at: UInt64
    round: UInt64
    female: npt.NDArray[np.bool_]
    given_rank: tuple[UInt64, UInt64]
    family_rank: tuple[UInt64, UInt64]

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


def people(index: UInt64, traits: Traits, *, key: int, script: str = "any") -> People:
    """The persons of the indexes; different persons until the vocabulary is used up.

    Given and family name are drawn by a permutation of the index over all pairs of the locale, or
    over those of a sex, where the rows say which.
    """
    locales = tuple(known_locale(place.locale) for place in traits.places)
    words = _lexicon(locales, script)
    place = traits.place if len(locales) > 1 else np.zeros(1, np.int64)
    first, size = words.given_from[place], words.given_size[place]
    if traits.sexed:
        women, told = words.women[place], words.told[place]
        guessed = (hashed(subkey(key, 11), index) & np.uint64(1)).astype(np.int8)
        sex = np.where(traits.female < 0, guessed, traits.female)
        first = np.where(told & (sex == 0), first + women, first)
        size = np.where(told, np.where(sex == 1, women, size - women), size)
    count = words.families[place]
    given, family, rounds = shuffle_pair(index, size, count, key=key)
    at = first + given
    hers = at < words.given_from[place] + words.women[place]
    female = sex == 1 if traits.sexed else hers
    half = np.where(female, np.uint64(0), count)
    return People(
        words, at, words.family_from[place] + half + family, rounds, female,
        (given, size), (family, count),
    )  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """A provider whose values are built from words and hardly depend on the column."""

    name: str
    build: Build

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Length limit, casing, script, and what the kind of value is written like."""
        texts = values.drop_null()
        known = len(texts) >= k
        style = mail_style if self.name in ("email", "user_name") else case_style
        return {
            "locale": locale,
            "unique": unique,
            "limit": column.length,
            "case": style(texts) if known else "mixed",
            "comma": known and _share(texts, ", ") > _MOSTLY,
            "script": _script(texts, locale) if known else "any",
            **_style(self.name, column, texts, k),
        }

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One value for every index."""
        index = positions(index)
        return self.draw_of(state, index, unknown(index, state["locale"]), key=key)

    def draw_of(self, state: State, index: UInt64, traits: Traits, *, key: int) -> pa.Array:
        """One value for every index, of persons of whom something is known."""
        values = recased(self.build(Asked(state, index, key, traits)), state["case"])
        return within(values, index, key=key, limit=state["limit"], unique=state["unique"])


def _share(texts: pa.Array, pattern: str) -> float:
    return float(pc.mean(pc.cast(pc.match_substring_regex(texts, pattern), pa.float64())).as_py())


def _script(texts: pa.Array, locale: str) -> str:
    """The narrowest script in which nearly all values are written."""
    if pc.all(pc.string_is_ascii(texts)).as_py():
        return "ascii"
    sample = texts[:2000].to_pylist()
    return "latin" if sum(map(is_latin, sample)) > 0.98 * len(sample) else "any"


def _style(name: str, column: Column, texts: pa.Array, k: int) -> State:
    """What else is learnt of a kind of value."""
    known = len(texts) >= k
    match name:
        case "first_name":
            middle = bool(re.search(r"middle|second|mittel|zweit", column.name, re.IGNORECASE))
            initial = known and _share(texts, r"^\p{L}\.?$") > _MOSTLY
            dotted = initial and _share(texts, r"\.$") > 0.5
            form = "" if not initial else "X." if dotted else "X"
            return {"middle": middle, "initial": form}
        case "email" | "user_name":
            default = "." if name == "email" else "_"
            locals_ = pc.replace_substring_regex(texts, r"@.*", "")
            seen = {c: _share(locals_, rf"^\w+?\{c}\w") for c in "._-"} if known else {}
            best = max(seen, key=lambda c: seen[c], default=default)
            return {"separator": best if seen.get(best, 0.0) > 0.5 else default}
        case "name_title":
            return {"titles": _titles(texts, k)}
        case "country":
            form = "alpha2" if known and _share(texts, r"^[A-Za-z]{2}$") > _MOSTLY else "name"
            form = "alpha3" if known and _share(texts, r"^[A-Za-z]{3}$") > _MOSTLY else form
            return {"form": form}
        case "region":
            short = known and _share(texts, rf"^\w{{1,{_SHORT}}}$") > _MOSTLY
            return {"short": short}
        case _:
            return {}


def _titles(texts: pa.Array, k: int) -> list[list[object]]:
    """Titles that k rows share and that everybody knows: word, rows, and sex as of `sex_of`."""
    words, counts, _ = frequent(texts, k)
    return [[w, int(n), sex_of(w)] for w, n in zip(words.to_pylist(), counts, strict=True)
            if sex_of(w) >= 0 or w.strip(". ").casefold() in ("dr", "prof", "mx")]  # fmt: skip


def _numbered(values: pa.Array, rounds: UInt64, separator: str) -> pa.Array:
    """The values with a number behind all but those of the first round."""
    if not rounds.any():
        return values
    return where(
        rounds == 0, values, joined(values, plain(rounds + np.uint64(1)), separator=separator)
    )


def _mark(it: Asked) -> pa.Array | None:
    """What tells people of other countries than the table's first apart, who may share names."""
    if len(it.traits.places) == 1:
        return None
    home = known_locale(it.traits.places[0].locale)
    marks = ["" if known_locale(p.locale) == home else known_locale(p.locale).lower()
             for p in it.traits.places]  # fmt: skip
    marks = [m.removesuffix("_aa").removesuffix("_latn") for m in marks]
    marks = [m.rpartition("_")[2] if [x.rpartition("_")[2] for x in set(marks)].count(
        m.rpartition("_")[2]) == 1 else m.replace("_", "-") for m in marks]  # fmt: skip
    return pa.array(marks).take(pa.array(it.traits.place))


def _first_name(it: Asked) -> pa.Array:
    who = it.people
    if it.state["middle"] and not it.unique:
        first, size = who.given_at - who.given_rank[0], who.given_rank[1]
        other = first + hashed(subkey(it.key, 12), it.index) % size
        names = who.words.given.take(pa.array(other))
    elif it.unique:
        names = _unique_word(it, who.given, who.family_rank)
    else:
        names = who.given
    if not it.state["initial"] or it.unique:
        return names
    letters = pc.utf8_upper(pc.utf8_slice_codeunits(names, 0, 1))
    return joined(letters, ".") if it.state["initial"] == "X." else letters


def _last_name(it: Asked) -> pa.Array:
    if not it.unique:
        return it.people.family
    return _unique_word(it, it.people.family, it.people.given_rank, sexed=True)


def _unique_word(
    it: Asked, word: pa.Array, other: tuple[UInt64, UInt64], *, sexed: bool = False
) -> pa.Array:
    """Part of a name, told apart from the same part of other persons by a number."""
    rank, size = other
    number = rank + it.people.round * size
    if sexed and it.traits.sexed:  # women and men may share family names
        number = number * np.uint64(2) + it.people.female.astype(np.uint64)
    named = where(number == 0, word, joined(word, plain(number + np.uint64(1)), separator=" "))
    mark = _mark(it)
    return named if mark is None else _joined_mark(named, mark, " ")


def _joined_mark(values: pa.Array, mark: pa.Array, separator: str) -> pa.Array:
    return pc.if_else(pc.equal(mark, ""), values, joined(values, mark, separator=separator))


def _full_name(it: Asked) -> pa.Array:
    who = it.people

    def of(asked: Asked, locale: str) -> pa.Array:
        person = asked.people
        order = _FAMILY_FIRST.get(locale.partition("_")[0])
        if it.state["comma"]:
            return joined(person.family, person.given, separator=", ")
        if order is not None and it.state["script"] == "any":
            return joined(person.family, person.given, separator=order)
        return joined(person.given, person.family, separator=" ")

    values = _numbered(it.by_locale(of), who.round, " ")
    mark = _mark(it) if it.unique else None
    return values if mark is None else _joined_mark(values, mark, " ")


def _local_part(it: Asked) -> pa.Array:
    who = it.people
    local = joined(who.given_slug, who.family_slug, separator=it.state["separator"])
    return where(who.round == 0, local, joined(local, plain(who.round + np.uint64(1))))


def _user_name(it: Asked) -> pa.Array:
    local = _local_part(it)
    mark = _mark(it) if it.unique else None
    return local if mark is None else _joined_mark(local, mark, it.state["separator"])


def _email(it: Asked) -> pa.Array:
    local = _local_part(it)
    domains = pick(pa.array(_DOMAINS), subkey(it.key, 1), it.index)
    mark = _mark(it)
    limit = it.state["limit"]
    if mark is not None and (limit is None or limit > 3 * CODE_WIDTH):
        domains = pc.if_else(pc.equal(mark, ""), domains, joined(mark, domains, separator="."))
    elif mark is not None and it.unique:
        local = _joined_mark(local, mark, it.state["separator"])
    if limit is None:
        return joined(local, domains, separator="@")
    longest = len(_DOMAINS[0]) + 1
    if mark is not None and limit > 3 * CODE_WIDTH:
        longest += int(pc.max(pc.utf8_length(mark)).as_py() or 0) + 1
    room = limit - longest
    if room < _SHORTEST_LOCAL:
        return joined(local, domains, separator="@")
    if room <= CODE_WIDTH:
        local = short_code(it.index, min(room, 8), key=it.key)
    else:
        local = within(local, it.index, key=it.key, limit=room, unique=it.unique)
    return joined(local, domains, separator="@")


def _title(it: Asked) -> pa.Array:
    female = it.people.female
    titles = it.state["titles"]
    both = [[(w, n) for w, n, sex in titles if sex in (of, -1)] for of in (1, 0)]
    if all(any(sex == of for _, _, sex in titles) for of in (1, 0)):
        drawn = [
            pa.array([w for w, _ in mine]).take(
                pa.array(weighted(subkey(it.key, 13), it.index, [n for _, n in mine]))
            )
            for mine in both
        ]
        return where(female, drawn[0], drawn[1])

    def of_locale(asked: Asked, locale: str) -> pa.Array:
        return where(asked.people.female, *titles_of(locale))

    return it.by_locale(of_locale)


def _from_list(it: Asked, kind: str, salt: int) -> pa.Array:
    """A value of a list of the locale's; where all must differ, pairs of them, then numbers."""

    def of(asked: Asked, locale: str) -> pa.Array:
        words = _words(locale, kind, it.state["script"], it.state["limit"])
        size = len(words)
        if it.unique:
            at, rounds = shuffle(asked.index, size, key=asked.key)
        else:  # some pairs, so that a redraw finds a word that is nobody's
            at = hashed(subkey(asked.key, salt), asked.index) % np.uint64(size + max(size // 16, 4))
            rounds, at = np.divmod(at, np.uint64(size))
        values = words.take(pa.array(at))
        if not rounds.any():
            return values
        turn, other = np.divmod(rounds - np.uint64(1), np.uint64(size))
        if not it.unique:
            other = hashed(subkey(asked.key, salt + 1), asked.index)
        another = words.take(pa.array(other % np.uint64(size)))
        form = None if it.unique or kind != "city" else _next_to(locale, it.state["script"])
        if form is None:
            pairs = joined(values, another, separator="/" if kind == "job" else "-")
        else:
            pairs = joined(form[0], another, form[1])
        return where(rounds == 0, values, _numbered(pairs, turn % np.uint64(2**60), " "))

    values = it.by_locale(of)
    mark = _mark(it) if it.unique else None
    return values if mark is None else _joined_mark(values, mark, " ")


@lru_cache(maxsize=512)
def _next_to(locale: str, script: str) -> tuple[str, str] | None:
    """What stands before and after the name of a town in that of another, in Latin letters."""
    found = _NEXT_TO.get(language_of_locale(locale))
    if found is None or (script == "any" and language_of_locale(locale) in _OTHER_LETTERS):
        return None
    return written(found[0], script), written(found[1], script)


@lru_cache(maxsize=512)
def _words(locale: str, kind: str, script: str, limit: int | None) -> pa.Array:
    """A list of the locale's; those that need not be cut, where there are enough."""
    words = _all_words(locale, kind, script)
    short = words if limit is None else words.filter(pc.less_equal(pc.utf8_length(words), limit))
    return short if _FITTING * len(short) >= len(words) else words


def _all_words(locale: str, kind: str, script: str) -> pa.Array:
    if kind == "city":
        return towns_of(locale, script)
    if kind == "region":  # few: where they must differ, towns help out
        names = [
            *regions_of(locale, script).names.to_pylist(),
            *towns_of(locale, script).to_pylist(),
        ]
        return pa.array(list(dict.fromkeys(names)), pa.string())
    if script != "any" and not all(map(is_latin, samples(locale, kind)[:_PROBED].to_pylist())):
        return samples(DEFAULT_LOCALE, kind, script)  # spelt letter by letter nobody reads them
    return samples(locale, kind, script)


def place_names(state: State, kind: str, traits: Traits, like: pa.Array, key: int) -> pa.Array:
    """Names of regions or towns (``region``, ``city``) of the places of some rows.

    Args:
        like: Names of any place; those of other places are the same wherever these are, and as
            different as there are enough.
    """
    coded = like.dictionary_encode()
    base = {text: i for i, text in enumerate(_words(DEFAULT_LOCALE, kind, "any", None).to_pylist())}
    rank = [base.get(text, zlib.crc32(str(text).encode())) for text in coded.dictionary.to_pylist()]
    at = pc.fill_null(coded.indices, len(rank)).to_numpy(zero_copy_only=False)
    number = np.array([*rank, 0], np.uint64)[at]
    parts = []
    for place in np.unique(traits.place).tolist():
        at = np.flatnonzero(traits.place == place)
        locale = traits.places[place].locale
        if kind == "city":
            words = towns_of(locale, state["script"])
        else:
            regions = regions_of(locale, state["script"])
            words = regions.codes if state["short"] else regions.names
        chosen, _ = shuffle(number[at], len(words), key=key)
        parts.append((at, words.take(pa.array(chosen))))
    return recased(scatter(traits.place, parts), state["case"])


def _job(it: Asked) -> pa.Array:
    return _from_list(it, "job", 20)


def _city(it: Asked) -> pa.Array:
    return _from_list(it, "city", 30)


def _region(it: Asked) -> pa.Array:
    if it.unique:
        return _from_list(it, "region", 40)

    def of(asked: Asked, locale: str) -> pa.Array:
        regions = regions_of(locale, asked.state["script"])
        words = regions.codes if asked.state["short"] else regions.names
        return words.take(pa.array(regions.chosen(asked.index, asked.key)))

    return it.by_locale(of)


def _country(it: Asked) -> pa.Array:
    codes, form = countries(), it.state["form"]
    if it.traits.told and not it.unique:
        names = [country_name(p.country or place_of(DEFAULT_LOCALE).country, form)
                 for p in it.traits.places]  # fmt: skip
        return pa.array(names).take(pa.array(it.traits.place))
    words = pa.array([country_name(code, form) for code in codes])
    if not it.unique:
        return pick(words, subkey(it.key, 3), it.index)
    at, rounds = shuffle(it.index, len(words), key=it.key)
    return _numbered(words.take(pa.array(at)), rounds, " ")


def _company(it: Asked) -> pa.Array:
    def of(asked: Asked, locale: str) -> pa.Array:
        if locale.partition("_")[0] in _FAMILY_FIRST and it.state["script"] == "any":
            return _from_list(asked, "company", 50)
        names = names_of(locale, it.state["script"])
        count = names.families
        first, second, rounds = shuffle_pair(asked.index, count, count, key=asked.key)
        firm = joined(
            names.family.take(pa.array(first)), names.family.take(pa.array(second)), separator="-"
        )
        endings = company_words(locale, it.state["script"])
        firm = joined(firm, pick(endings, subkey(asked.key, 4), asked.index), separator=" ")
        return _numbered(firm, rounds, " ")

    values = it.by_locale(of)
    mark = _mark(it) if it.unique else None
    return values if mark is None else _joined_mark(values, mark, " ")


def _url(it: Asked) -> pa.Array:
    who = it.people
    host = pick(pa.array(_DOMAINS), subkey(it.key, 5), it.index)
    page = joined(who.family_slug, who.given_slug, separator="/")
    values = _numbered(joined("https://", host, "/", page), who.round, "/")
    mark = _mark(it) if it.unique else None
    return values if mark is None else _joined_mark(values, mark, "/")


def _street(it: Asked) -> pa.Array:
    def of(asked: Asked, locale: str) -> pa.Array:
        before, after = streets_of(locale, it.state["script"])
        name, house, rounds = shuffle_pair(asked.index, len(before), _HOUSES, key=asked.key)
        at = pa.array(name)
        line = joined(before.take(at), plain(house + np.uint64(1)), after.take(at))
        return _numbered(line, rounds, "/")

    values = it.by_locale(of)
    mark = _mark(it) if it.unique else None
    return values if mark is None else _joined_mark(values, mark, " ")


def _street_extra(it: Asked) -> pa.Array:
    if it.unique:
        return joined("Apt. ", plain(it.index + np.uint64(1)))
    return joined("Apt. ", plain(choose(subkey(it.key, 6), it.index, _HOUSES) + 1))


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

__all__ = ["IDENTITIES", "Identity", "People", "people", "place_named"]
