"""Array literals of PostgreSQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.documents import draw_numbers, number_range
from dbsynth.identifiers.leaves import draw_strings, fit_strings
from dbsynth.identifiers.strings import joined, positions, scatter, subkey, where
from dbsynth.identifiers.text import counted_word
from dbsynth.identifiers.types import draw_type, known_type, type_name
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Column

_SAMPLE = 5_000
_LONGEST = 24
_TOKEN = re.compile(r'[{}]|"(?:[^"\\]|\\.)*"|[^{},]+')
_TEXTS = ("text", "varchar", "bpchar", "char", "name", "citext", "uuid")


@dataclass(frozen=True)
class ArrayLiteral:
    """Arrays with elements of the right type; frequent elements stay as they are."""

    name: str = "array"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Lengths, and how elements look."""
        kind = type_name(column.base_type or column.sql_type)
        texts = values.drop_null()
        texts = texts.filter(pc.starts_with(texts, "{"))[:_SAMPLE].to_pylist()
        rows = [elements(text) for text in texts]
        sizes = [len(row) for row in rows] if len(rows) >= k else [0, 1, 2, 3]
        lengths = np.quantile(sizes, np.linspace(0, 1, 11), method="nearest").astype(int)
        once: list[str | None] = [
            item for row in rows for item in dict.fromkeys(row) if item is not None
        ]
        return {
            "unique": unique,
            "depth": 2 if len(rows) >= k and sum(t.startswith("{{") for t in texts) * 2 > len(rows)
            else 1,
            "lengths": [min(int(n), _LONGEST) for n in lengths],
            "kind": kind,
            "items": _fit_items(kind, once, locale, k),
        }  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One literal for every index."""
        index = positions(index)
        if state["unique"] and state["kind"] in ("text", "varchar", "citext"):
            body = counted_word(index)
            separator = ","
        else:
            body, separator = where(np.zeros(len(index), bool), "", ""), ""
        lengths = np.asarray(state["lengths"])
        size = lengths[(hashed(subkey(key, 1), index) % np.uint64(len(lengths))).astype(np.int64)]
        for turn in range(int(size.max(initial=0))):
            at = np.flatnonzero(size > turn)
            items = _draw_items(state, index[at], subkey(key, 2 + turn))
            lead = "," if turn else separator
            grown = joined(body.take(pa.array(at)), lead, items)
            rest = np.flatnonzero(size <= turn)
            mask = (size > turn).astype(np.int64)
            body = scatter(mask, [(rest, body.take(pa.array(rest))), (at, grown)])
        literal = joined("{", body, "}")
        if state["depth"] == 1:
            return literal
        return pc.if_else(pc.equal(literal, "{}"), literal, joined("{", literal, "}"))


def elements(text: str) -> list[str | None]:
    """The elements of a literal, those of inner arrays one after the other."""
    found: list[str | None] = []
    for token in _TOKEN.findall(text):
        if token in "{}":
            continue
        if token.startswith('"'):
            found.append(re.sub(r"\\(.)", r"\1", token[1:-1]))
        elif token.strip().upper() == "NULL":
            found.append(None)
        elif token.strip():
            found.append(token.strip())
    return found


def _fit_items(kind: str, items: list[str | None], locale: str, k: int) -> dict[str, Any]:
    if kind in ("int2", "int4", "int8", "numeric", "float4", "float8"):
        numbers = [
            float(item) for item in items if item and re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", item)
        ]
        whole = kind.startswith("int")
        known = len(numbers) >= k
        return {"numbers": number_range(numbers if known else [0.0, 9.0], whole=whole)}
    if kind in _TEXTS or not known_type(kind):
        return {"strings": fit_strings(pa.array(items, pa.string()), locale=locale, k=k),
                "empty": kind not in _TEXTS and len(items) < k}  # fmt: skip
    return {"type": kind}


def _draw_items(state: State, index: UInt64, key: int) -> pa.Array:
    items = state["items"]
    if "numbers" in items:
        return draw_numbers(items["numbers"], index, key)
    if "type" in items:
        return quoted(draw_type(items["type"], index, key=key))
    return quoted(draw_strings(items["strings"], index, key=key))


def quoted(values: pa.Array) -> pa.Array:
    """Elements in double quotes where they need them."""
    escaped = pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), '"', '\\"')
    bare = pc.match_substring_regex(values, r"^[A-Za-z0-9_.:+-]+$")
    null = pc.match_substring_regex(values, r"^(?i:null)$")
    return pc.if_else(pc.and_not(bare, null), values, joined('"', escaped, '"'))
