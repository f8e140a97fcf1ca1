"""Strings inside documents and arrays: frequent ones as they are, others fresh."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from dbsynth.identifiers.base import Provider, State
from dbsynth.identifiers.network import Address, Mac, Token, Uuid
from dbsynth.identifiers.pattern import Pattern
from dbsynth.identifiers.people import IDENTITIES
from dbsynth.identifiers.recognise import share, text_provider
from dbsynth.identifiers.strings import frequent, joined, positions, subkey, weighted
from dbsynth.identifiers.text import Label, Text
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column, Kind

_PROVIDERS: dict[str, Provider] = {
    "uuid": Uuid(),
    "ip": Address(),
    "mac": Mac(),
    "token": Token(),
    "pattern": Pattern(),
    "label": Label(),
    "text": Text(),
    "email": IDENTITIES["email"],
    "url": IDENTITIES["url"],
}
_COVERED = 0.7
_MOST_WORDS = 50
_LONGEST_WORD = 60
_STAMP = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$"
_FORMS = ("uuid", "email", "url", "ip", "mac", "token")


def fit_strings(values: pa.Array, *, locale: str, k: int) -> dict[str, Any]:
    """What has to be known of some strings to draw others like them.

    Strings that at least ``k`` rows share stay where they are few, cover most rows, and are not by
    their form identifiers.
    """
    column = Column("", Kind.TEXT, "text")
    texts = values.drop_null()
    name = text_provider(texts) if len(texts) >= k else "text"
    if len(texts) >= k and share(texts, _STAMP) > 0.9:
        return {"years": _years(texts), "time": share(texts, r"\d\d:\d\d") > 0.5}
    kept, counts, covered = frequent(texts, k)
    short = [len(word) <= _LONGEST_WORD for word in kept.to_pylist()]
    if name not in _FORMS and covered >= _COVERED and len(kept) <= _MOST_WORDS and all(short):
        return {"words": kept.to_pylist(), "weights": counts.tolist()}
    if name not in _PROVIDERS:
        name = "text"
    return {"provider": name, "state": _PROVIDERS[name].fit(column, texts, unique=False,
                                                            locale=locale, k=k)}  # fmt: skip


def draw_strings(state: State, index: UInt64, *, key: int) -> pa.Array:
    """A string for every index."""
    index = positions(index)
    if "words" in state:
        return pa.array(state["words"]).take(pa.array(weighted(key, index, state["weights"])))
    if "years" in state:
        return _stamps(state, index, key)
    return _PROVIDERS[state["provider"]].draw(state["state"], index, key=key)


def _years(texts: pa.Array) -> list[int]:
    years = [int(text[:4]) for text in texts[:2000].to_pylist()]
    return [min(years), max(years) + 1]


def _stamps(state: State, index: UInt64, key: int) -> pa.Array:
    first = np.datetime64(f"{state['years'][0]:04}-01-01", "s")
    last = np.datetime64(f"{state['years'][1]:04}-01-01", "s")
    span = np.uint64(max(1, int((last - first).astype(np.int64))))
    seconds = (hashed(subkey(key, 1), index) % span).astype(np.int64)
    unit = "s" if state["time"] else "D"
    texts = np.datetime_as_string((first + seconds).astype(f"datetime64[{unit}]"))
    return (
        joined(pa.array(texts, pa.string()), "Z") if state["time"] else pa.array(texts, pa.string())
    )
