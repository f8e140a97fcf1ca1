"""Towns, regions and streets of the country of a locale, in a script.

They are Faker's where it has some of the country's own that can be written in the script; else
those of the gazetteer; and where that knows too few, names in the manner of the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.faker import (
    address_list,
    address_locale,
    in_latin_letters,
    is_latin,
    language_of_locale,
    names_of,
    samples,
    written,
)
from dbsynth.identifiers.gazetteer import areas, towns
from dbsynth.identifiers.romanised import ROMANISED
from dbsynth.identifiers.strings import subkey
from dbsynth.randomness import UInt64, hashed

_FEW = 4  # regions that are enough to be told apart by
_ENOUGH = 12  # towns that need no company of invented ones
_LISTS = ("states", "provinces", "prefectures", "regions", "estados", "distritos", "cantons",
          "counties", "wilayas", "departments", "region_names")  # fmt: skip
_FIRST = {"fr_FR": ("regions",), "es_CL": ("regions",), "ru_RU": ("region_oblast", "region_krai")}
_CODES = ("states_abbr", "provinces_abbr")
_POSTS = ("states_postcode", "provinces_postcode_prefixes", "state_pincode", "zip_codes")
_ALSO = {"MY": "en_MS", "IN": "en_IN", "DZ": "fr_DZ", "PH": "en_PH", "CH": "de_CH"}
_SHORT_OF = {"DC"}  # codes of what the list of names leaves out
_TOWN = "{}pur"  # in the languages of India and around
_STREET = {"tr": "{} Sokak", "bg": "Ul. {}", "et": "{} tänav", "lv": "{} iela", "lt": "{} gatvė",
           "sw": "{} Road"}  # fmt: skip
_NUMBER_LAST = ("tr", "bg", "et", "lv", "lt")
_STREETS = 240
_CHARACTERS = ("ja", "zh", "ko")  # streets that nobody writes in Latin letters one by one
_UNIT = re.compile(
    r"(?i:,?\s*\b(?:suite|apt|flat|studio|ste|dept|unit|puerta|piso|edif|esc|bloque|depto"
    r"|interior|str|stroenie|kv|korp|of|n[o°º]|no)\b)"
)


@dataclass(frozen=True)
class Regions:
    """The regions of a country.

    Attributes:
        codes: Their abbreviations, each beside its name.
        posts: What their postcodes begin with, or between which numbers they are; empty where
            nothing is known.
    """

    names: pa.Array
    codes: pa.Array
    posts: tuple[tuple[str | tuple[int, int], ...], ...] = ()

    def known(self, words: pa.Array) -> npt.NDArray[np.int64]:
        """The number of each region that is called or abbreviated so; -1 for others."""
        number = {text.casefold(): i for i, text in enumerate(self.codes.to_pylist())}
        number |= {text.casefold(): i for i, text in enumerate(self.names.to_pylist())}
        coded = words.dictionary_encode()
        found = [number.get(str(word).casefold(), -1) for word in coded.dictionary.to_pylist()]
        at = pc.fill_null(coded.indices, len(found)).to_numpy(zero_copy_only=False)
        numbers: npt.NDArray[np.int64] = np.array([*found, -1], np.int64)[at]
        return numbers

    def chosen(self, index: UInt64, key: int) -> npt.NDArray[np.int64]:
        """The number of the region that everybody lives in."""
        drawn = hashed(subkey(key, 40), index) % np.uint64(len(self.names))
        found: npt.NDArray[np.int64] = drawn.astype(np.int64)
        return found


def country_of(locale: str) -> str:
    """The country of a locale; nothing where it names none."""
    found = re.search(r"_([A-Z]{2})$", locale)
    return found[1] if found and found[1] != "AA" else ""


@lru_cache(maxsize=512)
def towns_of(locale: str, script: str = "any") -> pa.Array:
    """Different towns."""
    if address_locale(locale) == locale:
        drawn = samples(locale, "city", script)
        if script == "any" or _readable(samples(locale, "city")):
            return drawn
    elif script == "any" and not _latin(locale):
        return samples(locale, "city")
    found = list(towns(country_of(locale)))
    if len(found) < _ENOUGH:
        found += _invented(locale, script)
    return _array(found, script)


def _invented(locale: str, script: str) -> list[str]:
    """Names of towns in the manner of a language."""
    known = ROMANISED.get(language_of_locale(locale))
    if in_latin_letters(locale) or (known is not None and script != "any"):
        families: list[str] = names_of(locale, script).family.to_pylist()[:_STREETS]
        return [(known.town if known else _TOWN).format(name) for name in families]
    texts: list[str] = samples(locale, "city", script).to_pylist()
    return texts


@lru_cache(maxsize=512)
def regions_of(locale: str, script: str = "any") -> Regions:
    """The regions of the country of a locale."""
    country = country_of(locale)
    for source in (locale, _ALSO.get(country, "")):
        pairs = list(_listed(source)) if source else []
        if pairs and (script == "any" or all(is_latin(name) for name, _ in pairs)):
            posts = _posts(source)
            inside = [posts.get(code, ()) for _, code in pairs]
            if len(posts) == len(pairs) and not all(inside):  # other codes in the same order
                inside = list(posts.values())
            known = [(*pair, post) for pair, post in zip(pairs, inside, strict=True)]
            whole = all(post for _, _, post in known)
            return Regions(
                _array((n for n, _, _ in known), script),
                pa.array([c or _abbreviated(written(n, script)) for n, c, _ in known], pa.string()),
                tuple(post for _, _, post in known) if whole else (),
            )
    native = script == "any" and not _latin(locale)
    names = () if native else areas(country)
    words = _array(names, script) if len(names) >= _FEW else towns_of(locale, script)
    return Regions(words, pa.array([_abbreviated(n) for n in words.to_pylist()], pa.string()))


def _listed(locale: str) -> Iterator[tuple[str, str]]:
    """Names of regions as Faker lists them, each with its abbreviation or nothing."""
    for name in (*_FIRST.get(locale, ()), *_LISTS):
        rows = address_list(locale, name)
        if rows:
            break
    else:
        return
    codes = [c for n in _CODES for (c, *_) in address_list(locale, n) if c not in _SHORT_OF]
    if len(rows[0]) == 1 and len(codes) == len(rows):
        rows = [(code, name) for (name, *_), code in zip(rows, codes, strict=True)]
    for row in rows:
        yield row[-1], row[0] if len(row) > 1 and row[0].isalpha() else ""


def _posts(locale: str) -> Mapping[str, tuple[str | tuple[int, int], ...]]:
    """By abbreviation, ranges or beginnings of postcodes."""
    found = {}
    for name in _POSTS:
        for code, said in dict(address_list(locale, name, as_is=True)).items():
            parts = said if isinstance(said, list) else [said]
            found[code] = tuple(parts)
    return found


def _abbreviated(name: str) -> str:
    """Two capitals that a region may be abbreviated to."""
    letters = [word[0] for word in re.findall(r"[^\W\d_]+", name) if word[0].isupper()]
    plain = re.sub(r"[\W\d_]", "", name)
    return ("".join(letters[:2]) if len(letters) > 1 else plain[:2]).upper()


@lru_cache(maxsize=256)
def streets_of(locale: str, script: str) -> tuple[pa.Array, pa.Array]:
    """What stands before and after the number of a house, in streets of a locale."""
    found: dict[tuple[str, str], None] = {}
    for text in _streets(locale, script):
        parts = re.split(r"\d+(?!-?[^\W\d_])", text)
        if len(parts) == 1:
            parts = [text + " ", ""]
        before, after = parts[0], parts[1] if len(parts) == 2 else re.sub(r"\W*$", "", parts[1])
        after = _UNIT.split(after)[0]
        if re.search(r"\w{3}", re.sub(r"(?i:flat|studio|suite)", "", before + after)):
            found.setdefault((before, after.rstrip(" ,")), None)
    pairs = list(found)
    return pa.array([b for b, _ in pairs], pa.string()), pa.array(
        [a for _, a in pairs], pa.string()
    )


def _streets(locale: str, script: str) -> list[str]:
    language = language_of_locale(locale)
    placed = not in_latin_letters(locale) and address_locale(locale) is not None
    if not placed or (script != "any" and language in (*_CHARACTERS, *ROMANISED)):
        if language == "zh":
            return [f"1 {name} Road" for name in towns_of(locale, script).to_pylist()]
        families = names_of(locale, script).family.to_pylist()[:_STREETS]
        form = _STREET.get(language, "{} Street")
        line = "{} 1" if language in _NUMBER_LAST else "1 {}"
        return [line.format(form.format(name)) for name in families]
    texts: list[str] = samples(locale, "street", script).to_pylist()
    return texts


def _latin(locale: str) -> bool:
    """Whether people of a locale write in Latin letters."""
    return _readable(names_of(locale).given)


def _readable(words: pa.Array) -> bool:
    return all(is_latin(text) for text in words[:20].to_pylist())


def _array(words: Iterable[str], script: str) -> pa.Array:
    folded = {written(text, script).casefold(): written(text, script) for text in words}
    return pa.array(list(folded.values()), pa.string())
