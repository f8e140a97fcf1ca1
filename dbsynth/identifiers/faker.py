"""The vocabularies of a locale, taken once from Faker.

Faker draws a few ten thousand values a second.  Here its word lists are read, and a few hundred
values of those kinds that it makes by rules are drawn once; whole arrays are drawn from them.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import anyascii
import pyarrow as pa

from dbsynth.identifiers.romanised import LATIN_LOCALES, ROMANISED

DEFAULT_LOCALE = "en_US"
_LANGUAGE_LOCALE = {
    "en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "pt": "pt_BR", "pl": "pl_PL",
    "it": "it_IT", "nl": "nl_NL", "ja": "ja_JP", "ru": "ru_RU", "sv": "sv_SE", "cs": "cs_CZ",
    "ar": "ar_AA", "zh": "zh_CN", "nb": "no_NO", "nn": "no_NO", "sr": "hr_HR", "be": "ru_RU",
    "kk": "ru_RU", "ky": "ru_RU", "ur": "en_PK", "ms": "id_ID", "ca": "es_CA", "ro": "ro_RO",
    "el": "el_GR", "tr": "tr_TR", "hi": "hi_IN", "fil": "fil_PH", "yue": "zh_CN",
}  # fmt: skip
_NAME_LOCALES = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "pt_BR", "pt_PT", "pl_PL", "it_IT", "nl_NL",
    "sv_SE", "da_DK", "cs_CZ", "fi_FI", "en_IN", "es_MX", "no_NO", "tr_TR",
)  # fmt: skip
_REGION_LOCALES = ("en_US", "en_CA", "en_AU", "de_DE", "fr_FR", "es_ES", "pl_PL", "it_IT", "nl_NL")
_SAMPLED = 240
_FEWEST = 12  # shorter lists of names are completed with drawn ones
_METHODS = {
    "city": ("city",), "street": ("street_address",), "company": ("company",), "job": ("job",),
    "postcode": ("postcode",), "plate": ("license_plate",),
}  # fmt: skip
_SHORT_REGIONS = ("states_abbr", "provinces_abbr", "state_abbr")


@lru_cache(maxsize=1)
def locales() -> tuple[str, ...]:
    """The locales of Faker that name a language and a country."""
    return tuple(name for name in sorted(_available()) if re.fullmatch(r"[a-z]+_[A-Z]+", name))


@lru_cache(maxsize=1)
def _available() -> frozenset[str]:
    return frozenset(importlib.import_module("faker.config").AVAILABLE_LOCALES)


@dataclass(frozen=True)
class Names:
    """The names of one locale, in one script.

    Attributes:
        given: Given names that stay different when reduced to plain lower-case letters: those of
            women first.
        women: How many of them are women's; all, where Faker does not tell.
        told: Whether Faker tells women's names from men's.
        family: Family names: of women, and in the second half, in the same order, of men.
        families: How many there are of each.
        given_slugs, family_slugs: The same in plain lower-case letters.
    """

    given: pa.Array
    given_slugs: pa.Array
    women: int
    told: bool
    family: pa.Array
    family_slugs: pa.Array
    families: int


@lru_cache(maxsize=256)
def names_of(locale: str, script: str = "any") -> Names:
    """The names of a locale, or of the nearest one that Faker knows.

    Args:
        locale: Such as ``de_DE``.
        script: ``any``; ``latin`` where nothing else may be written; ``ascii``.
    """
    locale = known_locale(locale)
    language = language_of_locale(locale)
    if in_latin_letters(locale) and language in LATIN_LOCALES:
        return names_of(LATIN_LOCALES[language], script)
    if in_latin_letters(locale) and language in ROMANISED:
        return _written_names(language)
    roman = _romanized(locale)
    women = _own_names(locale, "first_names_female", "first_name_female")
    men = _own_names(locale, "first_names_male", "first_name_male")
    given = _distinct([*women, *men], roman)
    count = sum(name in set(women) for name in given)
    told = min(count, len(given) - count) >= _FEWEST // 2
    hers = _distinct(_family_names(locale, "female"), roman)
    his = _distinct(_family_names(locale, "male"), roman)
    families = min(len(hers), len(his))
    family = hers[:families] + his[:families]
    return Names(
        pa.array([written(name, script, roman) for name in given], pa.string()),
        pa.array([slug(roman.get(name, name)) for name in given], pa.string()),
        count if told else len(given),
        told,
        pa.array([written(name, script, roman) for name in family], pa.string()),
        pa.array([slug(roman.get(name, name)) for name in family], pa.string()),
        families,
    )


def _written_names(language: str) -> Names:
    """Names as people of a language write them in Latin letters."""
    known = ROMANISED[language]
    women = _distinct(known.women, {})
    given = _distinct([*women, *known.men], {})
    families = _distinct(known.families, {})
    family = families + families
    return Names(
        pa.array(given, pa.string()), pa.array([slug(name) for name in given], pa.string()),
        len(women), True,
        pa.array(family, pa.string()), pa.array([slug(name) for name in family], pa.string()),
        len(families),
    )  # fmt: skip


def _own_names(locale: str, words: str, method: str) -> list[str]:
    """A list of a locale's own, completed with what its provider draws."""
    provider = _module("person", locale)
    found = _single(_strings(getattr(provider, words, ())))
    if len(found) < _FEWEST:
        found = _single(dict.fromkeys([*found, *_drawn(locale, method)]))
    return found


def _family_names(locale: str, sex: str) -> list[str]:
    provider = _module("person", locale)
    for words in (f"last_names_{sex}", "last_names"):
        found = _single(_strings(getattr(provider, words, ())))
        if len(found) >= _FEWEST:
            return found
    return _single(_drawn(locale, f"last_name_{sex}"))


def _single(names: Iterable[str]) -> list[str]:
    return [n for n in names if " " not in n and not any(c.isdigit() for c in n) and len(n) < 40]


@lru_cache(maxsize=512)
def samples(locale: str, kind: str, script: str = "any") -> pa.Array:
    """Different values of a kind, as Faker draws them for a locale: at most a few hundred.

    Args:
        locale: Such as ``de_DE``.
        kind: ``city``, ``street``, ``company``, ``job``, ``postcode`` or ``plate``.
        script: As for `names_of`.
    """
    if in_latin_letters(locale):
        locale = DEFAULT_LOCALE
    placed = address_locale(locale) if kind in ("city", "street") else None
    locale = placed or (locale if locale in _available() else known_locale(locale))
    found = [text for name in _METHODS[kind] for text in _drawn(locale, name)]
    folded = {written(text, script).casefold(): written(text, script) for text in found}
    return pa.array(list(folded.values()), pa.string())


def has_own(kind: str, locale: str, method: str) -> bool:
    """Whether a locale has values of its own, not those of another language."""
    provider = _module(kind, locale)
    names = (method, f"{method}_formats", "postcodes", "postal_code_formats")
    return provider is not None and any(
        name in vars(base)
        for base in provider.__mro__
        for name in (names if method == "postcode" else names[:1])
        if base.__module__.removeprefix(f"faker.providers.{kind}.").startswith(locale[:2])
    )


@lru_cache(maxsize=512)
def address_locale(locale: str) -> str | None:
    """The locale, or the nearest one, whose addresses Faker has."""
    near = (locale, known_locale(locale), _LANGUAGE_LOCALE.get(language_of_locale(locale), ""))
    return next((name for name in near if name and _module("address", name) is not None), None)


def address_list(locale: str, name: str, *, as_is: bool = False) -> list[Any]:
    """A list of a locale's own about places: rows of texts, or what is in it as it is.

    Of several names of one place, the last is taken.
    """
    provider = _module("address", locale)
    own = (
        [base for base in provider.__mro__ if base.__module__.endswith(locale)] if provider else []
    )
    value: Any = next((vars(base)[name] for base in own if name in vars(base)), ())
    rows = list(value.items()) if isinstance(value, dict) else list(value)
    return rows if as_is else [_row(row) for row in rows]


def _row(row: Any) -> tuple[str, ...]:
    parts = row if isinstance(row, tuple) else (row,)
    texts = (str(part[-1] if isinstance(part, list) else part) for part in parts)
    return tuple(unicodedata.normalize("NFC", text.strip()) for text in texts)


@lru_cache(maxsize=64)
def _fake(locale: str) -> Any:
    kinds = ("person", "address", "company", "job", "automotive")
    with warnings.catch_warnings():  # some locales have a newer name, and still work
        warnings.filterwarnings("ignore", r".* locale is deprecated", UserWarning)
        return importlib.import_module("faker").Faker(
            locale, providers=[f"faker.providers.{kind}" for kind in kinds]
        )


@lru_cache(maxsize=1024)
def _drawn(locale: str, method: str) -> tuple[str, ...]:
    """Different values of a method of Faker's, always the same."""
    fake = _fake(locale)
    fake.seed_instance(4)
    found: dict[str, None] = {}
    for _ in range(_SAMPLED):
        try:
            text = str(getattr(fake, method)())
        except (AttributeError, IndexError, KeyError, ValueError):  # gaps of a locale
            break
        text = re.sub(r"\s*\n\s*", ", ", unicodedata.normalize("NFC", text)).strip(" ,")
        if text:
            found.setdefault(text, None)
    if not found and locale != DEFAULT_LOCALE:
        return _drawn(DEFAULT_LOCALE, method)
    return tuple(found)


@lru_cache(maxsize=256)
def company_words(locale: str, script: str = "any") -> pa.Array:
    """What stands behind the names of firms."""
    found = _words("company", known_locale(locale), "company_suffixes")
    return pa.array([written(word, script) for word in found], pa.string())


@lru_cache(maxsize=64)
def words_of(locale: str) -> tuple[str, ...]:
    """The words of a language, to make up text of."""
    return tuple(_words("lorem", known_locale(locale), "word_list"))


@lru_cache(maxsize=1)
def known_names() -> tuple[frozenset[str], frozenset[str]]:
    """Given and family names of many locales, case-folded, to recognise persons by."""
    given: set[str] = set()
    family: set[str] = set()
    for locale in _NAME_LOCALES:
        if _module("person", locale) is None:
            continue
        names = _words("person", locale, "first_names", "first_names_male", "first_names_female")
        given.update(name.casefold() for name in names)
        family.update(n.casefold() for n in _words("person", locale, "last_names"))
    return frozenset(n for n in given if len(n) > 1), frozenset(n for n in family if len(n) > 1)


@lru_cache(maxsize=128)
def given_and_family(locale: str) -> frozenset[str]:
    """Names of a locale, case-folded."""
    provider = _module("person", locale)
    lists = ("first_names", "first_names_male", "first_names_female", "last_names",
             "last_names_male", "last_names_female", "unisex_last_names")  # fmt: skip
    return frozenset(
        n.casefold() for words in lists for n in _strings(getattr(provider, words, ()))
    )


@lru_cache(maxsize=1)
def known_countries() -> frozenset[str]:
    """Names of countries in several languages, case-folded."""
    locales = ("en_US", "de_DE", "fr_FR", "es_ES", "pt_BR", "pl_PL", "it_IT", "nl_NL")
    names = (name for locale in locales for name in _words("address", locale, "countries"))
    return frozenset(name.casefold() for name in names)


@lru_cache(maxsize=3)
def public_codes(what: str) -> frozenset[str]:
    """Names and codes of all ``countries`` or ``currencies``, or of ``regions``, case-folded."""
    match what:
        case "currencies":
            pairs = importlib.import_module("faker.providers.currency").Provider.currencies
        case "countries":
            known = importlib.import_module("faker.providers.date_time").Provider.countries
            pairs = ((c.name, c.alpha_2_code, c.alpha_3_code) for c in known)
        case _:
            lists = ("states", "regions", "provinces", *_SHORT_REGIONS)
            found = (_module("address", locale) for locale in _REGION_LOCALES)
            pairs = (_strings(getattr(it, name, ())) for it in found for name in lists)
    return frozenset(text.casefold() for texts in pairs for text in texts)


def slug(text: str) -> str:
    """The text reduced to plain lower-case letters and digits, transliterated where it must be."""
    return re.sub(r"[^a-z0-9]", "", anyascii.anyascii(text.casefold()).lower())


def written(text: str, script: str, roman: dict[str, str] | None = None) -> str:
    """A text in a script: as it is, in Latin letters, or in those of ASCII."""
    if script == "any" or text.isascii() or (script == "latin" and is_latin(text)):
        return text
    ordinals = text.translate(_ORDINALS)
    found = (roman or {}).get(text) or anyascii.anyascii(ordinals).replace("'", "")
    return found if is_latin(text) else _capitals(found)


_ORDINALS = str.maketrans("°ºª", "ooa")


def in_latin_letters(locale: str) -> bool:
    """Whether a locale is that of people who write otherwise, in Latin letters: ``ar_Latn_EG``."""
    return "_Latn" in locale


def language_of_locale(locale: str) -> str:
    """The language of a locale."""
    return locale.replace("-", "_").partition("_")[0]


def _capitals(text: str) -> str:
    """Every word with a capital at its beginning and nowhere else."""
    return re.sub(r"[A-Za-z]+", lambda word: word[0].capitalize(), text)


def is_latin(text: str) -> bool:
    """Whether all letters are Latin ones."""
    return all(ord(c) < 0x250 or 0x1E00 <= ord(c) < 0x1F00 or not c.isalpha() for c in text)


@lru_cache(maxsize=512)
def known_locale(locale: str) -> str:
    """The locale, or the nearest one of which Faker knows names."""
    locale, language = locale.replace("-", "_"), language_of_locale(locale)
    if in_latin_letters(locale):
        return f"{language}_Latn"
    if _module("person", locale) is not None:
        return locale
    nearest = _LANGUAGE_LOCALE.get(language) or next(
        (name for name in locales() if name.startswith(language + "_")), DEFAULT_LOCALE
    )
    return nearest if _module("person", nearest) is not None else DEFAULT_LOCALE


@lru_cache(maxsize=1024)
def _module(kind: str, locale: str) -> type | None:
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Za-z]+)?", locale):
        return None
    try:
        found = importlib.import_module(f"faker.providers.{kind}.{locale}")
    except ImportError:
        return None
    provider = found.Provider
    return provider if isinstance(provider, type) else None


def _words(kind: str, locale: str, *names: str) -> list[str]:
    """The longest of the named word lists, from the locale or from its language or English."""
    fallback = "la" if kind == "lorem" else DEFAULT_LOCALE
    spoken = None if in_latin_letters(locale) else _LANGUAGE_LOCALE.get(locale.partition("_")[0])
    for candidate in (locale, spoken, fallback):
        provider = _module(kind, candidate) if candidate else None
        lists = [_strings(getattr(provider, name, ())) for name in names] if provider else []
        best = max(lists, key=len, default=[])
        if len(best) > 1:
            return best
    return ["lorem", "ipsum"]


def _strings(value: object) -> list[str]:
    if not isinstance(value, Iterable) or isinstance(value, str):
        return []
    texts: dict[str, None] = {}
    for item in value:
        word = " ".join(map(str, item)) if isinstance(item, tuple | list) else str(item)
        if word.strip():
            texts.setdefault(unicodedata.normalize("NFC", word.strip()), None)
    return list(texts)


@lru_cache(maxsize=64)
def _romanized(locale: str) -> dict[str, str]:
    """Names and how they are read, where Faker knows that (a row of script, kana and Latin)."""
    provider, found = _module("person", locale), {}
    for name in ("first_name_female_pairs", "first_name_male_pairs", "last_name_pairs"):
        for row in getattr(provider, name, ()):
            if isinstance(row, tuple) and len(row) == 3:
                found[row[0]] = row[2]
    return found


def _distinct(names: Iterable[str], roman: dict[str, str]) -> list[str]:
    """Names that stay different as slugs."""
    by_slug: dict[str, str] = {}
    for name in names:
        plain = slug(roman.get(name, name))
        if plain:
            by_slug.setdefault(plain, name)
    return list(by_slug.values())
