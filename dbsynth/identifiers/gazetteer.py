"""Towns and regions of countries, in Latin letters, where Faker has none of a country's own.

They are those by which libphonenumber tells where a telephone number is from, and the cities after
which time zones are called; both are read once, when a country is asked for first.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module

_MOST = 400  # names of a country
_FEWEST = 4  # regions that are one by one worth being called so
# Codes of several countries: beginnings that are not the first's; none where they do not tell.
_SHARED: Mapping[int, tuple[str, ...]] = {1: (), 7: ("76", "77")}
_NAME = re.compile(r"[^\W\d_][^\W\d_'.\-]*( [^\W\d_][^\W\d_'.\-]*){0,3}")
_VAGUE = re.compile(
    r"\b(?:area|areas|parts?|zone|zones|rural|outside|north|south|east|west|northern|southern"
    r"|eastern|western|central|the|republic|regions|provinces|mobile|base)\b",
    re.IGNORECASE,
)
_KIND = re.compile(
    r" (?:province|region|district|governorate|state|county|canton|city|oblast|territory)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=512)
def towns(country: str) -> tuple[str, ...]:
    """Towns of a country, at most some hundred; none where nothing is known of it.

    Args:
        country: ISO 3166 alpha-2 code.
    """
    return _places().get(country, ((), ()))[0] or _zones().get(country, ())


@lru_cache(maxsize=512)
def areas(country: str) -> tuple[str, ...]:
    """Regions of a country, or towns where its regions are unknown."""
    return _places().get(country, ((), ()))[1] or towns(country)


@lru_cache(maxsize=1)
def _places() -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Towns and regions by country."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    within: dict[str, Counter[str]] = defaultdict(Counter)
    for country, text in dict.fromkeys(_described()):
        head, _, area = re.sub(r"\(.*?\)", "", text).replace(" - ", ", ").partition(", ")
        for name in re.split(r"\s*/\s*|, | and | & ", head):
            found[country].update(_plain(name))
        within[country].update(_plain(area.rpartition(", ")[2]))
    return {
        country: (_spread(names), _spread(n for n, seen in within[country].items() if seen > 1))
        for country, names in found.items()
    }


def _described() -> Iterator[tuple[str, str]]:
    """Countries, and what is known of where numbers of theirs are from."""
    codes: Mapping[int, tuple[str, ...]] = import_module("phonenumbers").COUNTRY_CODE_TO_REGION_CODE
    held = set(sys.modules)
    data = import_module("phonenumbers.geodata").GEOCODE_DATA
    for prefix, by_language in data.items():
        digits = prefix.lstrip("+")
        code = next((int(digits[:n]) for n in (3, 2, 1) if int(digits[:n]) in codes), 0)
        others = _SHARED.get(code)
        if not code or others == () or "en" not in by_language:
            continue
        country = "KZ" if others and digits.startswith(others) else codes[code][0]
        yield country, by_language["en"]
    for name in set(sys.modules) - held:  # a hundred megabytes that nobody asks for again
        if name.startswith("phonenumbers.geodata"):
            del sys.modules[name]


def _plain(name: str) -> list[str]:
    """The name, where it is one."""
    bare = _KIND.sub("", name.strip())
    good = _NAME.fullmatch(bare) and len(bare) > 2 and not _VAGUE.search(bare)
    return [bare] if good and not bare.isupper() and bare[0].isupper() else []


def _spread(names: Iterable[str]) -> tuple[str, ...]:
    """At most some hundred of the names, from all over the alphabet."""
    ordered = sorted(names)
    if len(ordered) < _FEWEST:
        return ()
    return tuple(ordered[:: max(1, -(-len(ordered) // _MOST))])


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, tuple[str, ...]]:
    """The cities of time zones by country."""
    zones: Mapping[str, str] = import_module("babel.core").get_global("zone_territories")
    found: dict[str, list[str]] = defaultdict(list)
    for zone, country in sorted(zones.items()):
        area, _, city = zone.rpartition("/")
        if area and area != "Etc" and not re.search(r"\d", city):
            found[country].append(city.replace("_", " "))
    return {country: tuple(dict.fromkeys(cities)) for country, cities in found.items()}
