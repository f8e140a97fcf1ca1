"""JSON and XML documents with the structure of the column's own and none of its words."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.leaves import draw_strings, fit_strings
from dbsynth.identifiers.strings import joined, plain, positions, subkey, weighted, where
from dbsynth.identifiers.text import counted_word
from dbsynth.randomness import UInt64, hashed, uniform
from dbsynth.schema import Column

_SAMPLE = 3_000
_DEEPEST = 6
_LONGEST_LIST = 12
_SHAPES = 30
Node = dict[str, Any]


@dataclass(frozen=True)
class Json:
    """JSON documents: the keys and types that at least ``k`` documents share."""

    name: str = "json"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """A tree of types: keys, leaf ranges and frequent strings."""
        documents = parsed(values)
        root = _learn(documents, locale, k, 0) if len(documents) >= k else {}
        if not root:
            root = {"types": ["object"], "weights": [1], "object": {"shapes": [[]], "weights": [1]}}
        return {"unique": unique, "limit": column.length, "root": root}

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One document for every index."""
        index = positions(index)
        values = _draw(state["root"], index, key)
        if state["unique"]:
            values = _marked(values, index)
        limit = state["limit"]
        return values if limit is None else _bounded(values, index, limit)


def parsed(values: pa.Array) -> list[Any]:
    """The documents of a sample, those that are no JSON left out."""
    documents = []
    for text in values.drop_null()[:_SAMPLE].to_pylist():
        try:
            documents.append(json.loads(text))
        except (ValueError, RecursionError):
            continue
    return documents


def _marked(values: pa.Array, index: UInt64) -> pa.Array:
    """The documents with one more member that tells them apart."""
    word = joined('"ref": "', counted_word(index), '"')
    bare = pc.starts_with(values, "{")
    inner = pc.utf8_slice_codeunits(values, 1)
    first = pc.equal(inner, "}")
    member = joined("{", word, pc.if_else(first, "", ", "), inner)
    return pc.if_else(bare, member, joined("[{", word, "}, ", values, "]"))


def _bounded(values: pa.Array, index: UInt64, limit: int) -> pa.Array:
    """Documents that are too long become a number."""
    long = pc.greater(pc.utf8_length(values), limit)
    number = pc.utf8_slice_codeunits(plain(index + np.uint64(1)), 0, limit)
    return pc.if_else(long, number, values)


def _type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _learn(values: Sequence[Any], locale: str, k: int, depth: int) -> Node:
    counts = Counter(map(_type, values))
    kept = {name: n for name, n in sorted(counts.items()) if n >= k}
    if depth > _DEEPEST:
        kept = {name: n for name, n in kept.items() if name not in ("array", "object")}
    if not kept:
        return {}
    node: Node = {"types": list(kept), "weights": list(kept.values())}
    for name in kept:
        mine = [v for v in values if _type(v) == name]
        match name:
            case "integer" | "number":
                node[name] = number_range(mine, whole=name == "integer")
            case "string":
                node[name] = fit_strings(pa.array(mine, pa.string()), locale=locale, k=k)
            case "array":
                node[name] = _learn_list(mine, locale, k, depth)
            case "object":
                node[name] = _learn_members(mine, locale, k, depth)
    return node


def number_range(values: Sequence[float], *, whole: bool) -> Node:
    """Quantiles of numbers, rounded to two leading digits."""
    finite = [float(v) for v in values if math.isfinite(v) and abs(v) < 2**53]
    quantiles = np.quantile(finite or [0.0], np.linspace(0, 1, 9))
    rounded = [_two_digits(float(q)) for q in quantiles]
    decimals = 0 if whole else max((len(repr(v).partition(".")[2]) for v in finite[:50]), default=2)
    return {"quantiles": rounded, "decimals": min(decimals, 6)}


def _two_digits(number: float) -> float:
    return float(f"{number:.2g}")


def draw_numbers(state: Node, index: UInt64, key: int) -> pa.Array:
    """A number as text for every index."""
    quantiles = np.asarray(state["quantiles"])
    at = uniform(key, index) * (len(quantiles) - 1)
    numbers = np.interp(at, np.arange(len(quantiles)), quantiles)
    if not state["decimals"]:
        return plain(np.rint(numbers).astype(np.int64))
    return fixed_point(numbers, state["decimals"])


def fixed_point(numbers: npt.NDArray[np.float64], decimals: int) -> pa.Array:
    """Numbers as text with the given number of decimals."""
    scaled = np.rint(numbers * 10**decimals).astype(np.int64)
    sign = where(scaled < 0, "-", "")
    head, tail = np.divmod(np.abs(scaled), 10**decimals)
    return joined(sign, plain(head), ".", pc.utf8_lpad(plain(tail), decimals, "0"))


def _learn_list(values: Sequence[list[Any]], locale: str, k: int, depth: int) -> Node:
    lengths = np.quantile([len(v) for v in values], np.linspace(0, 1, 11), method="nearest")
    items = [item for value in values for item in value[:_LONGEST_LIST]]
    inner = _learn(items, locale, k, depth + 1)
    longest = _LONGEST_LIST if inner else 0
    return {"lengths": [min(int(n), longest) for n in lengths], "items": inner}


def _learn_members(values: Sequence[dict[str, Any]], locale: str, k: int, depth: int) -> Node:
    """Frequent sets of keys, and for every key that k documents have a node."""
    seen = Counter(name for value in values for name in value)
    frequent = {name for name, n in seen.items() if n >= k}
    members: dict[str, Node] = {}
    for name in sorted(frequent):
        node = _learn([value[name] for value in values if name in value], locale, k, depth + 1)
        if node:
            members[name] = node
    shapes = Counter(tuple(name for name in value if name in members) for value in values)
    common = [(s, n) for s, n in sorted(shapes.items(), key=lambda i: -i[1])[:_SHAPES] if n >= k]
    common = common or [(tuple(n for n in members if seen[n] > len(values) / 2), 1)]
    used = {name for shape, _ in common for name in shape}
    return {
        "shapes": [list(shape) for shape, _ in common],
        "weights": [n for _, n in common],
        "members": {name: node for name, node in members.items() if name in used},
    }


def _draw(node: Node, index: UInt64, key: int) -> pa.Array:
    """Values of a node as JSON text."""
    types = node["types"]
    chosen = weighted(subkey(key, 1), index, node["weights"])
    values = pa.array(["null"]).take(pa.array(np.zeros(len(index), np.int64)))
    for number, name in enumerate(types):
        at = np.flatnonzero(chosen == number)
        if name == "null" or not len(at):
            continue
        drawn = _draw_type(name, node, index[at], subkey(key, 2 + number))
        values = drawn if len(at) == len(index) else _placed(values, at, drawn)
    return values


def _placed(values: pa.Array, at: npt.NDArray[np.int64], fresh: pa.Array) -> pa.Array:
    source = np.arange(len(values))
    source[at] = len(values) + np.arange(len(at))
    return pa.concat_arrays([values, fresh]).take(pa.array(source))


def _draw_type(name: str, node: Node, index: UInt64, key: int) -> pa.Array:
    match name:
        case "true" | "false":
            return where(np.ones(len(index), bool), name, "")
        case "integer" | "number":
            return draw_numbers(node[name], index, key)
        case "string":
            return quoted(draw_strings(node[name], index, key=key))
        case "array":
            return _draw_list(node[name], index, key)
        case _:
            return _draw_members(node[name], index, key)


def quoted(values: pa.Array) -> pa.Array:
    """Strings as JSON strings."""
    for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        values = pc.replace_substring(values, raw, escaped)
    values = pc.replace_substring_regex(values, r"[\x00-\x1f]", " ")
    return joined('"', values, '"')


def _draw_list(state: Node, index: UInt64, key: int) -> pa.Array:
    lengths = np.asarray(state["lengths"])
    size = lengths[(hashed(key, index) % np.uint64(len(lengths))).astype(np.int64)]
    body = where(np.zeros(len(index), bool), "", "")
    for turn in range(int(size.max(initial=0))):
        at = np.flatnonzero(size > turn)
        items = _draw(state["items"], index[at], subkey(key, 10 + turn))
        lead = ", " if turn else ""
        body = _placed(body, at, joined(body.take(pa.array(at)), lead, items))
    return joined("[", body, "]")


def _draw_members(state: Node, index: UInt64, key: int) -> pa.Array:
    chosen = weighted(subkey(key, 1), index, state["weights"])
    parts = where(np.zeros(len(index), bool), "", "")
    for number, shape in enumerate(state["shapes"]):
        at = np.flatnonzero(chosen == number)
        if not len(at) or not shape:
            continue
        pieces: list[pa.Array | str] = []
        for name in shape:
            salt = sum(ord(c) * 31**i for i, c in enumerate(name[:8])) % 2**31
            member = _draw(state["members"][name], index[at], subkey(key, salt))
            pieces += [(", " if pieces else "") + json.dumps(name) + ": ", member]
        parts = _placed(parts, at, joined(*pieces))
    return joined("{", parts, "}")


_TAG = re.compile(r"<([A-Za-z_][\w.:-]*)")


@dataclass(frozen=True)
class Xml:
    """Well-formed XML: the root element and the elements that ``k`` documents share, with words."""

    name: str = "xml"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Root, frequent elements, and length."""
        roots: Counter[str] = Counter()
        tags: Counter[str] = Counter()
        texts = values.drop_null()[:_SAMPLE]
        for text in texts.to_pylist():
            names = [name for name in _TAG.findall(text) if ":" not in name]
            roots.update(names[:1])
            tags.update(list(dict.fromkeys(names[1:])))  # a set has another order in each run
        root = next((name for name, n in roots.most_common(1) if n >= k), "document")
        inner = [name for name, n in tags.most_common(12) if n >= k and name != root]
        words = pc.replace_substring_regex(texts, r"<[^>]*>", " ")
        return {"unique": unique, "limit": column.length, "root": root, "inner": inner,
                "text": fit_strings(words.slice(0, 0), locale=locale, k=k)}  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One document for every index."""
        index = positions(index)
        pieces: list[pa.Array | str] = [f"<{state['root']}>"]
        for turn, name in enumerate(state["inner"]):
            words = draw_strings(state["text"], index, key=subkey(key, turn))
            pieces += [f"<{name}>", words, f"</{name}>"]
        if state["unique"] or not state["inner"]:
            pieces.append(counted_word(index))
        values = joined(*pieces, f"</{state['root']}>")
        limit = state["limit"]
        if limit is None:
            return values
        short = joined(
            "<", pc.utf8_slice_codeunits(counted_word(index), 0, max(1, limit - 3)), "/>"
        )
        return pc.if_else(pc.greater(pc.utf8_length(values), limit), short, values)
