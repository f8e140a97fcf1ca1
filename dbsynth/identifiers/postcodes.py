"""Postcodes in the form of the country of their row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.addresses import country_of, regions_of
from dbsynth.identifiers.base import State
from dbsynth.identifiers.faker import has_own, language_of_locale, locales, samples
from dbsynth.identifiers.pattern import Pattern
from dbsynth.identifiers.places import Place
from dbsynth.identifiers.strings import fixed, joined, positions, scatter, subkey
from dbsynth.identifiers.traits import Traits
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

_REDRAWN = 2  # digits at the end


@dataclass(frozen=True)
class Postcode:
    """Codes in the shapes of the column; where rows say their country, in that of the country."""

    name: str = "postcode"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """The shapes, as of `Pattern`."""
        return Pattern("postcode", "99999").fit(column, values, unique=unique, locale=locale, k=k)

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One code for every index."""
        return Pattern().draw(state, index, key=key)

    def draw_of(self, state: State, index: UInt64, traits: Traits, *, key: int) -> pa.Array:
        """One code for every index, of the country of its row."""
        index = positions(index)
        if not traits.told or state["unique"]:
            return self.draw(state, index, key=key)
        parts = []
        for number in np.unique(traits.place).tolist():
            at = np.flatnonzero(traits.place == number)
            region = None if traits.region is None else traits.region.take(pa.array(at))
            drawn = _drawn(traits.places[number], index[at], key, state.get("limit"), region)
            parts.append((at, self.draw(state, index[at], key=key) if drawn is None else drawn))
        return scatter(traits.place, parts) if parts else pa.array([], pa.string())


def _drawn(
    place: Place, index: UInt64, key: int, limit: int | None, region: pa.Array | None
) -> pa.Array | None:
    """Codes of a country, inside the region of their rows where its codes are known to tell it."""
    if not place.country:
        return None
    forms = _forms(place.locale, limit)
    if forms is None:
        return None
    codes = _coded(*forms, index, key)
    regions = regions_of(place.locale)
    if not regions.posts:
        return codes
    chosen = regions.chosen(index, key)
    if region is not None:
        told = regions.known(region)
        chosen = np.where(told >= 0, told, chosen)
    if isinstance(regions.posts[0][0], str):
        heads = pa.array([str(post[0]) for post in regions.posts]).take(pa.array(chosen))
        return joined(heads, pc.utf8_slice_codeunits(codes, 1))
    ranges = np.array([post[0] for post in regions.posts], np.uint64)
    low, high = ranges[chosen, 0], ranges[chosen, 1]
    high = np.where(high < low, low + np.uint64(999), high)  # some of Faker's end before they begin
    number = low + hashed(subkey(key, 3), index) % (high - low + np.uint64(1))
    width = len(str(int(ranges.max())))
    return fixed(number, width, b"0123456789")


@lru_cache(maxsize=256)
def _forms(locale: str, limit: int | None) -> tuple[pa.Array, pa.Array] | None:
    """Beginnings of codes of a locale, and whether two digits follow; None where it has none."""
    locale = f"{language_of_locale(locale)}_{country_of(locale)}"
    if locale not in locales() or not has_own("address", locale, "postcode"):
        return None
    codes = samples(locale, "postcode")
    if not len(codes) or (limit is not None and pc.max(pc.utf8_length(codes)).as_py() > limit):
        return None
    numbered = pc.match_substring_regex(codes, r"[0-9]{3}$")
    heads = pc.if_else(numbered, pc.utf8_slice_codeunits(codes, 0, -_REDRAWN), codes)
    return heads, numbered


def _coded(heads: pa.Array, numbered: pa.Array, index: UInt64, key: int) -> pa.Array:
    at = pa.array(hashed(subkey(key, 1), index) % np.uint64(len(heads)))
    digits = fixed(hashed(subkey(key, 2), index) % np.uint64(100), _REDRAWN, b"0123456789")
    return pc.if_else(numbered.take(at), joined(heads.take(at), digits), heads.take(at))
