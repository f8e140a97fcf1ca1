"""The vocabularies of a locale, taken once from Faker's provider classes.

Faker draws a few ten thousand values a second; here only its word lists are used, and whole arrays
are drawn from them.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

DEFAULT_LOCALE = "en_US"
_LANGUAGE_LOCALE = {
    "en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "pt": "pt_BR", "pl": "pl_PL",
    "it": "it_IT", "nl": "nl_NL", "ja": "ja_JP", "ru": "ru_RU", "sv": "sv_SE", "cs": "cs_CZ",
}  # fmt: skip
_NAME_LOCALES = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "pt_BR", "pt_PT", "pl_PL", "it_IT", "nl_NL",
    "sv_SE", "da_DK", "cs_CZ", "fi_FI", "en_IN", "es_MX", "no_NO", "tr_TR",
)  # fmt: skip
_STREET_WORD = {
    "en": ("Street", "Avenue", "Road", "Lane", "Drive", "Court", "Way", "Place"),
    "de": ("straße", "weg", "allee", "gasse", "platz", "ring"),
    "nl": ("straat", "weg", "laan", "plein"),
    "fr": ("rue", "avenue", "boulevard", "place", "chemin"),
    "es": ("Calle", "Avenida", "Plaza", "Paseo"),
    "pt": ("Rua", "Avenida", "Travessa", "Praça"),
    "pl": ("ulica", "aleja", "plac"),
    "it": ("Via", "Viale", "Piazza", "Corso"),
}
_CITY_WORD = {
    "en": ("ville", "ton", "burgh", "field", "ford", "mouth", "haven", "side", "land", "port"),
    "de": ("stadt", "dorf", "hausen", "heim", "bach", "feld", "burg", "rode"),
    "nl": ("dam", "dijk", "veen", "huizen", "burg", "dorp"),
    "fr": ("-sur-Mer", "-le-Vieux", "-la-Forêt", "boeuf", "ville", "dan", "nec"),
    "es": (" del Río", " de la Sierra", " del Mar", " Viejo", " Alto"),
    "pt": (" do Sul", " da Serra", " do Campo", " da Praia", " Velho"),
    "pl": ("owo", "ów", "owice", "in", "sko"),
    "it": (" del Friuli", " sul Mare", " Alto", " Terme", " Veneta"),
}


@dataclass(frozen=True)
class Vocabulary:
    """The word lists of one locale.

    Attributes:
        given: Given names that stay different when reduced to plain lower-case letters.
        given_slugs: The same as plain lower-case letters.
        female: Whether a given name is a woman's.
        street_words: Words for "street"; glued to the name or set apart, as ``street_order`` says.
        street_order: ``number name word``, ``namesuffix number`` or ``word name number``.
    """

    locale: str
    given: pa.Array
    given_slugs: pa.Array
    female: npt.NDArray[np.bool_]
    family: pa.Array
    family_slugs: pa.Array
    city_words: pa.Array
    street_words: pa.Array
    street_order: str
    company_words: pa.Array
    countries: pa.Array
    regions: pa.Array
    jobs: pa.Array
    words: pa.Array
    postcode: str


@lru_cache(maxsize=32)
def vocabulary(locale: str) -> Vocabulary:
    """The vocabulary of a locale, or of the nearest one that Faker knows."""
    locale = _known(locale)
    language = locale.partition("_")[0]
    given, female = _given(locale)
    family = _distinct(_words("person", locale, "last_names", "last_names_male"))
    order = {"en": "number name word", "de": "namesuffix number", "nl": "namesuffix number"}
    formats = _words("address", locale, "postcode_formats", "postalcode_formats")
    return Vocabulary(
        locale,
        pa.array(given, pa.string()),
        pa.array(_slugs(given), pa.string()),
        np.array(female, bool),
        pa.array(family, pa.string()),
        pa.array(_slugs(family), pa.string()),
        pa.array(_CITY_WORD.get(language, _CITY_WORD["en"])),
        pa.array(_STREET_WORD.get(language, _STREET_WORD["en"])),
        order.get(language, "word name number" if language in _STREET_WORD else order["en"]),
        pa.array(_words("company", locale, "company_suffixes"), pa.string()),
        pa.array(_words("address", locale, "countries"), pa.string()),
        pa.array(_words("address", locale, "states", "regions", "provinces"), pa.string()),
        pa.array(_words("job", locale, "jobs"), pa.string()),
        pa.array(_words("lorem", locale, "word_list"), pa.string()),
        next((f.replace("%", "#") for f in formats if set(f) <= set("#%- ")), "#####"),
    )


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


@lru_cache(maxsize=1)
def known_countries() -> frozenset[str]:
    """Names of countries in several languages, case-folded."""
    locales = ("en_US", "de_DE", "fr_FR", "es_ES", "pt_BR", "pl_PL", "it_IT", "nl_NL")
    names = (name for locale in locales for name in _words("address", locale, "countries"))
    return frozenset(name.casefold() for name in names)


@lru_cache(maxsize=2)
def public_codes(what: str) -> frozenset[str]:
    """Names and ISO codes of all ``countries`` or ``currencies``, case-folded."""
    if what == "currencies":
        pairs = importlib.import_module("faker.providers.currency").Provider.currencies
        return frozenset(text.casefold() for pair in pairs for text in pair)
    known = importlib.import_module("faker.providers.date_time").Provider.countries
    listed = ((c.name, c.alpha_2_code, c.alpha_3_code) for c in known)
    return frozenset(text.casefold() for texts in listed for text in texts)


def slug(text: str) -> str:
    """The text reduced to plain lower-case letters and digits."""
    table = str.maketrans(
        {"ß": "ss", "ł": "l", "Ł": "l", "ø": "o", "æ": "ae", "đ": "d", "\u0131": "i"}
    )
    folded = unicodedata.normalize("NFKD", text.casefold().translate(table))
    return re.sub(r"[^a-z0-9]", "", folded)


def _known(locale: str) -> str:
    locale = locale.replace("-", "_")
    if _module("person", locale) is not None:
        return locale
    return _LANGUAGE_LOCALE.get(locale.partition("_")[0], DEFAULT_LOCALE)


@lru_cache(maxsize=256)
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
    for candidate in (locale, _LANGUAGE_LOCALE.get(locale.partition("_")[0]), fallback):
        provider = _module(kind, candidate) if candidate else None
        lists = [_strings(getattr(provider, name, ())) for name in names] if provider else []
        best = max(lists, key=len, default=[])
        if len(best) > 1 or (best and kind == "address" and "postcode_formats" in names):
            return best
    return ["#####"] if "postcode_formats" in names else ["Group", "Partners"]


def _strings(value: Iterable[object]) -> list[str]:
    texts: dict[str, None] = {}
    for item in value:
        word = " ".join(map(str, item)) if isinstance(item, tuple | list) else str(item)
        texts.setdefault(word, None)
    return list(texts)


def _given(locale: str) -> tuple[list[str], list[bool]]:
    women = set(_words("person", locale, "first_names_female"))
    men = _words("person", locale, "first_names_male")
    names = _distinct([*sorted(women), *men])
    return names, [name in women for name in names]


def _distinct(names: Iterable[str]) -> list[str]:
    """Single words that stay different as slugs."""
    by_slug: dict[str, str] = {}
    for name in names:
        if " " not in name and not any(c.isdigit() for c in name):
            by_slug.setdefault(slug(name) or name, name)
    return list(by_slug.values())


def _slugs(names: list[str]) -> list[str]:
    """Slugs; names in other scripts are numbered with letters, so that they stay different."""
    return [slug(name) or "x" + _letters(i) for i, name in enumerate(names)]


def _letters(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 20)
        digits = "bcdfghjklmnpqrstvwxz"[digit] + digits
    return digits
