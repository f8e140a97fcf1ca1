"""The tree of a document: what stands at each path, learnt from many documents.

A key is kept where k documents share it and it does not look like data; an object whose keys are
data (ids, addresses, names) is a *map*, whose keys are values like any others.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from dbsynth.classify.values import person_names
from dbsynth.identifiers.recognise import CRYPT, EMAIL, HASH, IPV4, IPV6, MAC, UUID
from dbsynth.structures.notation import ABSENT, NOTHING, Missing, is_number

KINDS: Mapping[type, str] = {
    type(None): "null", bool: "boolean", int: "number", float: "number", str: "string",
    list: "array", dict: "object", tuple: "record",
}  # fmt: skip
PLACES = 8  # items of an array that are variables of their own
LONGEST = 256
DEEPEST = 8
_TELLING = (
    *(UUID, EMAIL, IPV4, IPV6, MAC, HASH, CRYPT),
    *(r"\d{5,}", r"^\+?[\d ()-]{7,}$", r"^\d{4}-\d\d-\d\d", r"://", r".{60,}"),
)
_DATA = re.compile("|".join(_TELLING))
_MANY_KEYS = 30
_FEW_EACH = 0.2
_COVERED = 0.5
_MOST_MEMBERS = 200
_SHAPES = 40
_MOST_WHOLES = 60
_COVERED_WHOLE = 0.95
_LONGEST_WHOLE = 300


@dataclass(frozen=True, slots=True)
class Node:
    """What stands at one path.

    Attributes:
        path: Its name; keys that k documents share, no value.
        label: What its values are called: the last key on the way.
        kinds: What occurs here, in k documents each; with ``absent`` the member may be missing.
        whole: Whether all numbers are whole.
        members: Of objects, by key.
        shapes: Of pooled objects: sets of keys that occur together; empty where keys come and go
            on their own.
        entries: Of maps: the node of all values.
        places: The first items of arrays.
        item: All items of arrays together.
        nested: Whether arrays hold arrays, so that their sizes count as one.
        differ: Whether the items of an array are all different.
        wholes: Whole arrays, as JSON, where nearly all are among a few that k documents share.
    """

    path: str
    label: str
    kinds: tuple[str, ...]
    whole: bool = True
    members: tuple[tuple[str, Node], ...] = ()
    shapes: tuple[tuple[str, ...], ...] = ()
    entries: Node | None = None
    places: tuple[Node, ...] = ()
    item: Node | None = None
    nested: bool = False
    differ: bool = False
    wholes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The node and all below."""
        return {
            "path": self.path, "label": self.label, "kinds": list(self.kinds), "whole": self.whole,
            "members": [[name, node.to_json()] for name, node in self.members],
            "shapes": [list(shape) for shape in self.shapes],
            "entries": self.entries and self.entries.to_json(),
            "places": [node.to_json() for node in self.places],
            "item": self.item and self.item.to_json(),
            "nested": self.nested, "differ": self.differ, "wholes": list(self.wholes),
        }  # fmt: skip


def node_from_json(value: Mapping[str, Any]) -> Node:
    """The inverse of `Node.to_json`."""
    return Node(
        value["path"], value["label"], tuple(value["kinds"]), value["whole"],
        tuple((name, node_from_json(node)) for name, node in value["members"]),
        tuple(tuple(shape) for shape in value["shapes"]),
        node_from_json(value["entries"]) if value["entries"] else None,
        tuple(node_from_json(node) for node in value["places"]),
        node_from_json(value["item"]) if value["item"] else None,
        value["nested"], value["differ"], tuple(value["wholes"]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """Values at one path, and the documents that they come from.

    Attributes:
        wholes: Whether arrays that enough documents share may be kept as they are.
    """

    values: Sequence[Any]
    owners: Sequence[int]
    wholes: bool = True

    def at(self, values: Sequence[Any], owners: Sequence[int]) -> Found:
        """Values at a path below."""
        return replace(self, values=values, owners=owners)

    def of(self, kind: type | tuple[type, ...]) -> Iterator[tuple[int, Any]]:
        """The values of a type, with their documents."""
        for owner, value in zip(self.owners, self.values, strict=True):
            if isinstance(value, kind):
                yield owner, value


def learn(found: Found, k: int, label: str) -> Node | None:
    """The tree of some documents; None where no k of them agree on anything."""
    return _learn(found, k, "$", label, 0, pooled=False)


def _learn(found: Found, k: int, path: str, label: str, depth: int, *, pooled: bool) -> Node | None:
    """The node of some values, and all below."""
    seen: dict[str, set[int]] = {}
    for owner, value in zip(found.owners, found.values, strict=True):
        if value is NOTHING:
            continue
        kind = "absent" if value is ABSENT else KINDS[type(value)]
        seen.setdefault(kind, set()).add(owner)
    kinds = {kind for kind, owners in seen.items() if len(owners) >= k}
    if depth >= DEEPEST:
        kinds -= {"array", "object", "record"}
    node = Node(path, label, tuple(sorted(kinds)))
    if "array" in kinds:
        node = _with_items(node, found, k, depth, pooled=pooled)
    if "record" in kinds:
        node = _with_fields(node, found, k, depth, pooled=pooled)
    if "object" in kinds:
        node = _with_members(node, found, k, depth, pooled=pooled)
    node = replace(node, whole=all(type(v) is int for _, v in found.of((int, float))
                                   if type(v) is not bool))  # fmt: skip
    return node if set(node.kinds) - {"absent"} else None


def _with_items(node: Node, found: Found, k: int, depth: int, *, pooled: bool) -> Node:
    arrays = list(found.of(list))
    wholes = _wholes(arrays, k) if found.wholes else ()
    if wholes:
        return replace(node, wholes=wholes)
    lists = any(isinstance(item, list) for _, array in arrays for item in array)
    nested = lists and all(sizes(array) for _, array in arrays)  # else each array has its own
    if nested:
        arrays = [(owner, flat(array)) for owner, array in arrays]
    owners = [owner for owner, array in arrays for _ in array[:LONGEST]]
    values = [item for _, array in arrays for item in array[:LONGEST]]
    item = _learn(found.at(values, owners), k, f"{node.path}[]", node.label, depth + 1, pooled=True)
    if item is None:  # empty arrays, or items that have nothing in common
        return node
    places: list[Node] = []
    simple = not {"object", "array"} & set(item.kinds)
    if not pooled and simple:
        for place in range(PLACES):
            here = [(o, array[place]) for o, array in arrays if len(array) > place]
            if len({owner for owner, _ in here}) < 2 * k:
                break
            one = _learn(found.at([v for _, v in here], [o for o, _ in here]), k,
                         f"{node.path}[{place}]", node.label, depth + 1, pooled=False)  # fmt: skip
            if one is None or {"object", "array"} & set(one.kinds):
                break
            places.append(one)
    return replace(node, item=item, places=tuple(places), nested=nested, differ=_differ(arrays))


def _wholes(arrays: Sequence[tuple[int, list[Any]]], k: int) -> tuple[str, ...]:
    """The arrays that k documents share, where these are few and nearly all there are."""
    owners: dict[str, set[int]] = {}
    for owner, array in arrays:
        if any(isinstance(item, tuple | float) for item in array):  # JSON knows no records, no NaN
            return ()
        owners.setdefault(json.dumps(array), set()).add(owner)
        if len(owners) > _MOST_WHOLES:
            return ()
    kept = sorted(text for text, who in owners.items() if len(who) >= k)
    covered = sum(len(owners[text]) for text in kept)
    total = sum(map(len, owners.values()))
    few = len(kept) > 1 and covered >= _COVERED_WHOLE * total
    return tuple(kept) if few and max(map(len, kept)) <= _LONGEST_WHOLE else ()


def _differ(arrays: Sequence[tuple[int, list[Any]]]) -> bool:
    """Whether arrays never repeat an item, and not for want of items."""
    longer = [array for _, array in arrays if len(array) > 1][:2000]
    try:
        return bool(longer) and all(len(set(array)) == len(array) for array in longer)
    except TypeError:
        return False


def flat(array: Sequence[Any]) -> list[Any]:
    """The items of an array and of the arrays in it, one after the other."""
    out: list[Any] = []
    for item in array:
        if isinstance(item, list):
            out += flat(item)
        else:
            out.append(item)
    return out


def sizes(array: Sequence[Any]) -> str:
    """The sizes of an array of arrays, such as ``2x3``; empty where they differ inside."""
    if not any(isinstance(item, list) for item in array):
        return str(len(array))
    inner = {sizes(item) if isinstance(item, list) else "" for item in array}
    one = inner.pop()
    return f"{len(array)}x{one}" if one and not inner else ""


def _with_fields(node: Node, found: Found, k: int, depth: int, *, pooled: bool) -> Node:
    """The node of composite values: a member for each field."""
    rows = list(found.of(tuple))
    width = max(len(row) for _, row in rows)
    members = []
    for place in range(width):
        here = found.at([row[place] for _, row in rows if len(row) == width],
                        [owner for owner, row in rows if len(row) == width])  # fmt: skip
        one = _learn(here, k, f"{node.path}.{place}", f"field_{place}", depth + 1, pooled=pooled)
        members.append((str(place), one or Node(f"{node.path}.{place}", "", ("null",))))
    return replace(node, members=tuple(members))


def _with_members(node: Node, found: Found, k: int, depth: int, *, pooled: bool) -> Node:
    objects = list(found.of(dict))
    seen = Counter(pair[1] for pair in {(owner, key) for owner, one in objects for key in one})
    if not seen:
        return node
    frequent = {key for key, count in seen.items() if count >= k and not _DATA.search(key)}
    if _is_map(seen, frequent, objects):
        entries = [(owner, value) for owner, one in objects for value in one.values()]
        below = _learn(found.at([v for _, v in entries], [o for o, _ in entries]), k,
                       f"{node.path}{{}}", node.label, depth + 1, pooled=True)  # fmt: skip
        return replace(node, entries=below)
    kept = sorted(frequent, key=lambda key: (-seen[key], key))[:_MOST_MEMBERS]
    members = []
    for key in _in_order(objects, set(kept)):
        values = [one.get(key, ABSENT) for _, one in objects]
        below = _learn(found.at(values, [owner for owner, _ in objects]), k, f"{node.path}.{key}",
                       key, depth + 1, pooled=pooled)  # fmt: skip
        if below is not None:
            members.append((key, below))
    node = replace(node, members=tuple(members))
    return replace(node, shapes=_shapes(node, objects, k)) if pooled else node


def _is_map(
    seen: Counter[str], frequent: set[str], objects: Sequence[tuple[int, dict[str, Any]]]
) -> bool:
    """Whether the keys of objects are data."""
    total = sum(seen.values())
    if sum(seen[key] for key in frequent) < _COVERED * total:
        return True
    each = total / len(objects)
    if len(seen) > _MANY_KEYS and each < _FEW_EACH * len(seen):
        return True
    return len(seen) >= 4 and bool(person_names(pa.array(sorted(seen), pa.string())))


def _in_order(objects: Sequence[tuple[int, dict[str, Any]]], kept: set[str]) -> list[str]:
    """Keys by their mean place in the objects."""
    places: dict[str, list[float]] = {}
    for _, one in objects[:2000]:
        for place, key in enumerate(one):
            if key in kept:
                places.setdefault(key, []).append(place)
    found = sorted(places, key=lambda key: (float(np.mean(places[key])), key))
    return found + sorted(kept - set(found))


def _shapes(
    node: Node, objects: Sequence[tuple[int, dict[str, Any]]], k: int
) -> tuple[tuple[str, ...], ...]:
    """Sets of keys that k documents have each, where these are nearly all there are."""
    names = [name for name, _ in node.members]
    owners: dict[tuple[str, ...], set[int]] = {}
    counts: Counter[tuple[str, ...]] = Counter()
    for owner, one in objects:
        shape = tuple(name for name in names if name in one)
        owners.setdefault(shape, set()).add(owner)
        counts[shape] += 1
    kept = sorted(shape for shape, who in owners.items() if len(who) >= k)
    covered = sum(counts[shape] for shape in kept)
    few = len(kept) <= _SHAPES and covered >= 0.95 * len(objects)
    return tuple(kept) if few and len(kept) > 1 else ()


def kind_of(value: object) -> str | None:
    """The kind of a value; None where nothing can be there, or a number is out of reach."""
    if isinstance(value, Missing):
        return "absent" if value is ABSENT else None
    kind = KINDS[type(value)]
    return kind if kind != "number" or is_number(value) else None
