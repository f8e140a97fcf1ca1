# ruff: noqa: RUF001  (words of many languages)
"""Countries: how they are called, which locale their people have, and how they are addressed.

Names and languages of countries are those of the Unicode CLDR, as Babel has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from dbsynth.identifiers.faker import DEFAULT_LOCALE, known_locale, language_of_locale, locales
from dbsynth.identifiers.romanised import LATIN_LOCALES, ROMANISED

_LANGUAGES = ("en", "de", "fr", "es", "pt", "pl", "it", "nl", "sv", "da", "nb", "fi", "cs", "tr",
              "ru", "ja", "zh", "ar")  # fmt: skip
_ALSO = {
    "usa": "US", "united states of america": "US", "u s a": "US", "uk": "GB",
    "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "holland": "NL",
    "russian federation": "RU", "czech republic": "CZ", "slovak republic": "SK", "viet nam": "VN",
    "south korea": "KR", "republic of korea": "KR", "korea": "KR", "north korea": "KP",
    "iran islamic republic of": "IR", "taiwan": "TW", "hong kong": "HK", "macau": "MO",
    "syrian arab republic": "SY", "libyan arab jamahiriya": "LY", "macedonia": "MK",
    "moldova republic of": "MD", "tanzania united republic of": "TZ", "brunei darussalam": "BN",
    "people s republic of china": "CN", "lao people s democratic republic": "LA",
    "cote d ivoire": "CI", "turkey": "TR", "swaziland": "SZ", "burma": "MM", "yugoslavia": "RS",
    "brd": "DE", "deutschland": "DE", "england united kingdom": "GB", "uae": "AE",
    "holy see vatican city state": "VA", "palestine": "PS", "congo": "CG",
    "congo the democratic republic of the": "CD", "virgin islands u s": "VI",
    "micronesia federated states of": "FM", "reunion": "RE", "the netherlands": "NL",
}  # fmt: skip
_NATIVE = frozenset({"IN", "PK", "PH", "NG", "IE", "KE", "ZA"})
_TITLES = {
    "en": ("Ms.", "Mr."), "de": ("Frau", "Herr"), "fr": ("Mme", "M."), "es": ("Sra.", "Sr."),
    "pt": ("Sra.", "Sr."), "pl": ("Pani", "Pan"), "it": ("Sig.ra", "Sig."),
    "nl": ("Mevr.", "Dhr."), "sv": ("Fru", "Herr"), "da": ("Fru", "Hr."), "no": ("Fru", "Herr"),
    "fi": ("Rva", "Hra"), "cs": ("Paní", "Pan"), "sk": ("Pani", "Pán"), "hu": ("Asszony", "Úr"),
    "tr": ("Bayan", "Bay"), "ro": ("Dna", "Dl"), "ru": ("г-жа", "г-н"), "uk": ("пані", "пан"),
    "bg": ("г-жа", "г-н"), "el": ("Κα", "Κος"), "hr": ("Gđa", "G."), "sl": ("ga.", "g."),
}  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WOMEN = _words(
    """f female w woman women weiblich frau fr fräulein femme féminin feminin mujer femenino
    mulher feminino k kobieta żeńska pani femmina donna signora sig.ra sig.na vrouw mevr mevrouw
    mevr. kvinna kvinde kvinne fru nainen rva žena paní mrs mrs. ms ms. miss madam mme mme. mlle
    mlle. madame sra sra. señora srta srta. dona girl 女 女性 г-жа пані dna bayan ж жен женский"""
)
_MEN = _words(
    """m male man men männlich mann herr hr hr. homme masculin hombre masculino h homem mężczyzna
    męska pan maschio uomo signor sig sig. dhr dhr. heer mand mies hra muž pán mr mr. sir mister
    monsieur sr sr. señor senhor dom boy 男 男性 г-н пан dl bay м муж мужской"""
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody lives: ISO 3166 alpha-2 code, empty if unknown, and a locale of Faker's."""

    country: str
    locale: str


def in_latin(place: Place) -> Place:
    """The place with people who write their names in Latin letters as they do abroad."""
    language = language_of_locale(place.locale)
    if language not in ROMANISED and language not in LATIN_LOCALES:
        return place
    return Place(place.country, f"{language}_Latn" + (f"_{place.country}" if place.country else ""))


def _babel(module: str) -> Any:
    """A module of Babel, loaded when a country is looked up first."""
    return import_module(f"babel.{module}")


@lru_cache(maxsize=1024)
def place_of(locale: str) -> Place:
    """The place of a locale such as ``de_CH``."""
    country = locale.replace("-", "_").partition("_")[2]
    return Place(country if re.fullmatch("[A-Z]{2}", country) else "", locale.replace("-", "_"))


@lru_cache(maxsize=1024)
def place_in(country: str) -> Place:
    """The place of a country: in the first of its languages that Faker has for it."""
    languages = list(_babel("languages").get_official_languages(country, de_facto=True))
    if country in _NATIVE and "en" in languages:  # written in English in databases
        languages = ["en", *languages]
    languages = ["no" if language in ("nb", "nn") else language for language in languages]
    for language in languages:
        if f"{language}_{country}" in locales():
            return Place(country, f"{language}_{country}")
    own = [name for name in locales() if name.endswith(f"_{country}")]
    if own:
        return Place(country, own[0])
    for language in languages:
        nearest = known_locale(language)
        spoken = language_of_locale(nearest)
        if spoken == language or nearest != DEFAULT_LOCALE:
            return Place(country, f"{spoken}_{country}")
    return Place(country, f"{language_of_locale(DEFAULT_LOCALE)}_{country}")


@lru_cache(maxsize=2)
def _names(languages: tuple[str, ...]) -> dict[str, str]:
    """ISO codes by the names of countries in some languages."""
    found: dict[str, str] = {}
    for language in languages:
        for code, name in _babel("core").Locale(language).territories.items():
            if re.fullmatch("[A-Z]{2}", code) and code not in ("ZZ", "EU", "UN", "EZ"):
                found.setdefault(_folded(name), code)
    for code, aims in _babel("core").get_global("territory_aliases").items():
        if re.fullmatch("[A-Z]{3}", code) and len(aims) == 1:
            found.setdefault(code.lower(), aims[0])
    codes = {code.lower(): code for code in set(found.values())}
    return {**codes, **found, **_ALSO}


def _folded(text: str) -> str:
    return re.sub(r"[^\w]+", " ", text.casefold()).strip()


@lru_cache(maxsize=4096)
def place_named(text: str) -> Place | None:
    """The place of a country's name or code, or of a locale; None where it is none."""
    if re.fullmatch(r"[a-z]{2,3}[-_][A-Z]{2}", text):
        return place_of(text)
    plain = _folded(text)
    code = _names(_LANGUAGES[:1]).get(plain) or _names(_LANGUAGES).get(plain)
    return None if code is None else place_in(code)


@lru_cache(maxsize=1024)
def place_speaking(text: str) -> Place | None:
    """The place of a language's name or code."""
    plain = text.strip()
    if re.fullmatch(r"[A-Za-z]{2,3}[-_][A-Za-z]{2}", plain):
        language, country = re.split("[-_]", plain)
        return place_of(f"{language.lower()}_{country.upper()}")
    code = plain.lower() if re.fullmatch("[A-Za-z]{2}", plain) else _languages().get(_folded(plain))
    if code is None or code not in set(_languages().values()):
        return None
    locale = known_locale(code)
    return place_of(locale) if locale != DEFAULT_LOCALE or code == "en" else None


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in _babel("core").Locale(language).languages.items():
            if len(code) == 2:
                found.setdefault(_folded(name), code)
    return found


@lru_cache(maxsize=1)
def countries() -> tuple[str, ...]:
    """ISO codes of the countries whose people Faker can name, the others left out."""
    return tuple(sorted({name.partition("_")[2] for name in locales()} - {"AA", "QC"}))


def country_name(code: str, form: str = "name") -> str:
    """The English name of a country, or its code: ``alpha2`` or ``alpha3``."""
    if form == "alpha2":
        return code
    if form == "alpha3":
        return _alpha3().get(code, code)
    return str(_babel("core").Locale("en").territories.get(code, code))


@lru_cache(maxsize=1)
def _alpha3() -> dict[str, str]:
    pairs = _babel("core").get_global("territory_aliases").items()
    return {aims[0]: code for code, aims in reversed(list(pairs))
            if re.fullmatch("[A-Z]{3}", code) and len(aims) == 1}  # fmt: skip


def titles_of(locale: str) -> tuple[str, str]:
    """How women and men are addressed."""
    return _TITLES.get(locale.partition("_")[0], _TITLES["en"])


def sex_of(text: str) -> int:
    """1 for a word or title of women, 0 for one of men, -1 for any other."""
    word = text.strip().casefold()
    if word in _MEN and word not in _WOMEN:
        return 0
    return 1 if word in _WOMEN else -1
