"""Documents of any notation: every path that many documents share is a part of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.schema import Column, Kind
from dbsynth.structures.base import (
    Draw,
    Int64,
    Part,
    Values,
    formal,
    merged,
    number_text,
    of_text,
    together,
)
from dbsynth.structures.notation import ABSENT, NOTHING, Notation, json_style, root_of
from dbsynth.structures.tree import (
    LONGEST,
    Found,
    Node,
    flat,
    kind_of,
    learn,
    node_from_json,
    sizes,
)

_LEARNT = 20_000  # documents of which the tree is learnt
_STYLED = 50
_TURNS = 4_096  # numbers that tell the items of one array apart
_ROUNDS = 6
_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext", "date", "timestamp",
                    "timestamptz", "bool", "time", "char"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """Values of parts as they are gathered; all that is below no wanted part is passed over."""

    wanted: frozenset[str] | None
    found: dict[str, Values]

    def below(self, path: str) -> bool:
        """Whether anything at a path or below it is asked for."""
        return self.wanted is None or any(name.startswith(path) for name in self.wanted)

    def __setitem__(self, name: str, values: Values) -> None:
        self.found[name] = values


@dataclass(frozen=True, slots=True)
class Document:
    """Values with an inner structure of their own.

    Attributes:
        notation: How it is written.
        root: What stands at its root.
    """

    notation: Notation
    root: Node

    @property
    def parts(self) -> tuple[Part, ...]:
        """Types, lengths and leaves of every path, from the root down."""
        return tuple(part for node, pooled in _walk(self.root) for part in self._own(node, pooled))

    def _own(self, node: Node, pooled: bool) -> Iterator[Part]:
        """The parts of one node."""
        path = node.path
        if node.shapes:
            yield formal(f"{path}:keys", pooled=pooled)
        if len(node.kinds) > 1:
            yield formal(f"{path}:kind", pooled=pooled)
        if node.wholes:
            yield formal(f"{path}:whole", pooled=pooled)
        if "array" in node.kinds and node.item is not None:
            yield (formal(f"{path}:sizes", pooled=pooled) if node.nested
                   else formal(f"{path}:length", Kind.INTEGER, pooled=pooled))  # fmt: skip
        if node.entries is not None:
            yield formal(f"{path}:count", Kind.INTEGER, pooled=pooled)
            yield Part(f"{path}:key", Column(f"{node.label}_key", Kind.TEXT, ""), pooled=True)
        if "boolean" in node.kinds:
            yield Part(f"{path}:boolean", Column(node.label, Kind.BOOLEAN, ""), pooled=pooled)
        if "number" in node.kinds:
            kind = Kind.INTEGER if node.whole else Kind.FLOAT
            yield Part(f"{path}:number", Column(node.label, kind, ""), pooled=pooled)
        if "string" in node.kinds:
            yield Part(f"{path}:string", self._text_column(node.label), pooled=pooled)

    def _text_column(self, label: str) -> Column:
        element = self.notation.element
        if not element or element in _TEXTS:
            return Column(label, Kind.TEXT, "text")
        return Column(label, Kind.UUID if element == "uuid" else Kind.OTHER, element, element)

    def split(self, values: pa.Array, wanted: frozenset[str] | None = None) -> Mapping[str, Values]:
        """The values of every part, or of those below which nothing is left out."""
        read = self.notation.read
        texts = values.to_pylist()
        documents = [NOTHING if text is None else read(text) for text in texts]
        out: dict[str, Values] = {}
        self._gather(self.root, documents, None, _Asked(wanted, out))
        return out

    def _gather(self, node: Node, values: Sequence[Any], owners: Int64 | None, out: _Asked) -> None:
        """Put the values of a node, and of all below it, into columns."""
        if not out.below(node.path):
            return
        path, kinds = node.path, node.kinds
        if len(kinds) > 1:
            out[f"{path}:kind"] = Values(
                pa.array([kind_of(v) for v in values], pa.string()), owners
            )
        if "boolean" in kinds:
            booleans = [v if type(v) is bool else None for v in values]
            out[f"{path}:boolean"] = Values(pa.array(booleans, pa.bool_()), owners)
        if "number" in kinds:
            wanted = pa.int64() if node.whole else pa.float64()
            out[f"{path}:number"] = Values(pa.array(_numbers(values, node.whole), wanted), owners)
        if "string" in kinds:
            strings = [v if type(v) is str else None for v in values]
            out[f"{path}:string"] = Values(pa.array(strings, pa.string()), owners)
        if "array" in kinds:
            self._gather_items(node, values, owners, out)
        if "object" in kinds:
            self._gather_members(node, values, owners, out)
        if "record" in kinds:
            self._gather_fields(node, values, owners, out)

    def _gather_fields(
        self, node: Node, values: Sequence[Any], owners: Int64 | None, out: _Asked
    ) -> None:
        width = len(node.members)
        rows = [v if type(v) is tuple and len(v) == width else None for v in values]
        for place, (_, member) in enumerate(node.members):
            inner = [NOTHING if row is None else row[place] for row in rows]
            self._gather(member, inner, owners, out)

    def _gather_items(
        self, node: Node, values: Sequence[Any], owners: Int64 | None, out: _Asked
    ) -> None:
        arrays = [v if type(v) is list else None for v in values]
        if node.wholes:
            known = set(node.wholes)
            texts = [None if a is None else json.dumps(a) for a in arrays]
            kept = [text if text in known else None for text in texts]
            out[f"{node.path}:whole"] = Values(pa.array(kept, pa.string()), owners)
        if node.item is None:
            return
        if node.nested:
            shapes = [None if a is None else sizes(a) or None for a in arrays]
            out[f"{node.path}:sizes"] = Values(pa.array(shapes, pa.string()), owners)
            arrays = [None if a is None else flat(a) for a in arrays]
        else:
            lengths = [None if a is None else len(a) for a in arrays]
            out[f"{node.path}:length"] = Values(pa.array(lengths, pa.int64()), owners)
        for place, one in enumerate(node.places):
            here = [NOTHING if a is None or len(a) <= place else a[place] for a in arrays]
            self._gather(one, here, owners, out)
        if not out.below(node.item.path):
            return
        items, whose = _pooled([a or () for a in arrays], owners)
        self._gather(node.item, items, whose, out)

    def _gather_members(
        self, node: Node, values: Sequence[Any], owners: Int64 | None, out: _Asked
    ) -> None:
        objects = [v if type(v) is dict else None for v in values]
        if node.shapes:
            names = [name for name, _ in node.members]
            written = {shape: _shape_name(shape) for shape in node.shapes}
            shapes = [None if o is None else written.get(tuple(n for n in names if n in o))
                      for o in objects]  # fmt: skip
            out[f"{node.path}:keys"] = Values(pa.array(shapes, pa.string()), owners)
        for name, member in node.members:
            inner = [NOTHING if o is None else o.get(name, ABSENT) for o in objects]
            self._gather(member, inner, owners, out)
        if node.entries is not None:
            counts = [None if o is None else len(o) for o in objects]
            out[f"{node.path}:count"] = Values(pa.array(counts, pa.int64()), owners)
            if not out.below(f"{node.path}:key"):
                return
            keys, whose = _pooled([() if o is None else tuple(o) for o in objects], owners)
            out[f"{node.path}:key"] = Values(pa.array(keys, pa.string()), whose)
            entries, whose = _pooled(
                [() if o is None else tuple(o.values()) for o in objects], owners
            )
            self._gather(node.entries, entries, whose, out)

    def assembled(self, rows: int, draw: Draw) -> pa.Array:
        """A document for each row."""
        texts, _ = self._write(self.root, np.arange(rows), 0, draw)
        return self.notation.finished(texts)

    def written(self, node: Node, rows: Int64, turn: int, draw: Draw) -> pa.Array:
        """What stands at a node for some rows."""
        return self._write(node, rows, turn, draw)[0]

    def _write(
        self, node: Node, rows: Int64, turn: int, draw: Draw, present: pa.Array | None = None
    ) -> tuple[pa.Array, Int64]:
        """What stands at a node for some rows, and for which of them there is nothing.

        Args:
            present: Whether the member is there, where the shape of its object has said so.
        """
        kinds: tuple[str, ...] = node.kinds
        chosen: pa.Array | None = None
        if len(kinds) > 1:
            chosen = draw(f"{node.path}:kind", rows, turn)
            if present is not None and "absent" in kinds:
                other = next(kind for kind in (*kinds[1:], *kinds[:1]) if kind != "absent")
                there = pc.if_else(pc.equal(chosen, "absent"), other, chosen)
                chosen = pc.if_else(present, there, "absent")
        pieces: list[tuple[Int64, pa.Array]] = []
        absent = np.zeros(len(rows), bool)
        for kind in kinds:
            at = np.arange(len(rows)) if chosen is None else np.flatnonzero(of_text(chosen, kind))
            if kind == "absent":
                absent[at] = True
            elif len(at):
                pieces.append((at, self._write_kind(kind, node, rows[at], turn, draw)))
        return merged(len(rows), pieces), absent

    def _write_kind(self, kind: str, node: Node, rows: Int64, turn: int, draw: Draw) -> pa.Array:
        mark = ">" if self.notation.name == "xml" else ""
        match kind:
            case "null":
                return pa.array([mark + self.notation.constant("null")] * len(rows), pa.string())
            case "array":
                return self._write_items(node, rows, turn, draw)
            case "object":
                return self._write_members(node, rows, turn, draw)
            case "record":
                return self._write_record(node, rows, turn, draw)
        values = draw(f"{node.path}:{kind}", rows, turn)
        match kind:
            case "boolean":
                texts = self.notation.boolean(values)
            case "number":
                texts = number_text(values)
                if self.notation.name == "json":
                    odd = pc.match_substring_regex(texts, "[NI]")
                    texts = pc.if_else(odd, "null", texts)
            case _:
                texts = self.notation.scalar("string", values)
                texts = pc.fill_null(texts, self.notation.constant("null"))  # nothing to draw
        return together([mark, texts]) if mark else texts

    def _write_items(self, node: Node, rows: Int64, turn: int, draw: Draw) -> pa.Array:
        curly = self.notation.name == "array"
        opening, closing = ("{", "}") if curly else ("[", "]")
        comma = "," if curly else self.notation.comma
        if node.wholes:
            written = {text: self._constant(json.loads(text)) for text in node.wholes}
            texts = draw(f"{node.path}:whole", rows, turn).to_pylist()
            return pa.array([written[text] for text in texts], pa.string())
        if node.item is None:
            return pa.array([opening + closing] * len(rows), pa.string())
        if node.nested:
            return self._write_nested(node, rows, turn, draw, opening, closing, comma)
        lengths = draw(f"{node.path}:length", rows, turn).to_numpy(zero_copy_only=False)
        items = self._items(node, rows, np.clip(lengths, 0, LONGEST), turn, draw)
        if self.notation.name == "xml":
            return together([merged(len(rows), [item]) for item in items])
        pieces: list[pa.Array | str] = []
        for place, (at, texts) in enumerate(items):
            pieces.append(merged(len(rows), [(at, together([comma if place else "", texts]))]))
        empty = pa.array([""] * len(rows), pa.string())
        return together([opening, empty, *pieces, closing])

    def _constant(self, value: Any) -> str:
        """A whole array, as the notation writes it."""
        if isinstance(value, list):
            comma = self.notation.comma
            opening, closing = ("{", "}") if self.notation.name == "array" else ("[", "]")
            return opening + comma.join(map(self._constant, value)) + closing
        if isinstance(value, str):
            return str(self.notation.scalar("string", pa.array([value]))[0])
        if value is None:
            return self.notation.constant("null")
        if isinstance(value, dict):
            inner = (f"{json.dumps(k)}{self.notation.colon}{self._constant(v)}"
                     for k, v in value.items())  # fmt: skip
            return "{" + self.notation.comma.join(inner) + "}"
        return json.dumps(value)

    def _items(
        self, node: Node, rows: Int64, lengths: Int64, turn: int, draw: Draw
    ) -> list[tuple[Int64, pa.Array]]:
        """The texts of every place of arrays, with the rows that have it."""
        assert node.item is not None
        found: list[tuple[Int64, pa.Array]] = []
        for place in range(int(lengths.max(initial=0))):
            at = np.flatnonzero(lengths > place)
            one, mine = node.item, turn * _TURNS + place + 1
            if place < len(node.places):
                one = node.places[place]
            texts = self._write(one, rows[at], mine, draw)[0]
            if node.differ and place:
                texts = self._different(node, rows, at, texts, found, mine, draw)
            found.append((at, texts))
        return found

    def _different(
        self, node: Node, rows: Int64, at: Int64, texts: pa.Array,
        before: Sequence[tuple[Int64, pa.Array]], turn: int, draw: Draw,
    ) -> pa.Array:  # fmt: skip
        """Items other than those before them, as far as a few more draws find some."""
        assert node.item is not None
        for round_ in range(_ROUNDS):
            same = np.zeros(len(at), bool)
            for earlier, written in before:  # whoever has this place has all places before it
                those = written.take(pa.array(np.searchsorted(earlier, at)))
                same |= np.asarray(pc.equal(those, texts).to_numpy(zero_copy_only=False))
            again = np.flatnonzero(same)
            if not len(again):
                break
            fresh = self._write(node.item, rows[at[again]], turn + (round_ + 1) * 977, draw)[0]
            rest = np.flatnonzero(~same)
            texts = merged(len(at), [(rest, texts.take(pa.array(rest))), (again, fresh)])
        return texts

    def _write_nested(
        self, node: Node, rows: Int64, turn: int, draw: Draw, opening: str, closing: str, comma: str
    ) -> pa.Array:
        """Arrays of arrays: rows of the same sizes together."""
        drawn = pc.fill_null(draw(f"{node.path}:sizes", rows, turn), "0")  # of no plain shape
        pieces: list[tuple[Int64, pa.Array]] = []
        for name in pc.unique(drawn).to_pylist():
            at = np.flatnonzero(of_text(drawn, name))
            size = [int(n) for n in name.split("x")]
            total = int(np.prod(size))
            if not total:
                pieces.append((at, pa.array([opening + closing] * len(at), pa.string())))
                continue
            lengths = np.full(len(at), min(total, LONGEST * PLACES_OF_NESTED))
            texts: list[pa.Array | str] = []
            inner = np.cumprod(size[::-1])[::-1]  # items in each array of a level
            for place, (_, text) in enumerate(self._items(node, rows[at], lengths, turn, draw)):
                opened = sum(place % int(n) == 0 for n in inner)
                closed = sum((place + 1) % int(n) == 0 for n in inner)
                texts += [(comma if place else "") + opening * opened, text, closing * closed]
            pieces.append((at, together(texts)))
        return merged(len(rows), pieces)

    def _write_record(self, node: Node, rows: Int64, turn: int, draw: Draw) -> pa.Array:
        pieces: list[pa.Array | str] = ["("]
        record = Document(Notation("record"), node)
        for place, (_, member) in enumerate(node.members):
            pieces += [
                "," if place else "",
                record._write(member, rows, turn, draw)[0],
            ]  # its own class
        text = together([*pieces, ")"])
        return text if self.notation.name == "record" else self.notation.scalar("string", text)

    def _write_members(self, node: Node, rows: Int64, turn: int, draw: Draw) -> pa.Array:
        if self.notation.name == "xml":
            return self._write_element(node, rows, turn, draw)
        comma = self.notation.comma
        pieces: list[pa.Array | str] = [pa.array([""] * len(rows), pa.string())]
        shape = draw(f"{node.path}:keys", rows, turn) if node.shapes else None
        for name, member in node.members:
            present = None
            if shape is not None:
                have = [_shape_name(s) for s in node.shapes if name in s]
                present = pc.is_in(shape, pa.array(have, pa.string()))
            texts, absent = self._write(member, rows, turn, draw, present)
            key = self._key(pa.array([name]))[0].as_py()
            piece = together([comma, key, texts])
            pieces.append(pc.if_else(pa.array(absent), "", piece))
        if node.entries is not None:
            pieces += self._write_entries(node, rows, turn, draw)
        body = together(pieces)
        body = pc.utf8_slice_codeunits(body, len(comma))
        return body if self.notation.name == "hstore" else together(["{", body, "}"])

    def _key(self, keys: pa.Array) -> pa.Array:
        """Keys as they stand before their values."""
        arrow = "=>" if self.notation.name == "hstore" else self.notation.colon
        return together([self.notation.scalar("string", keys), arrow])

    def _write_entries(
        self, node: Node, rows: Int64, turn: int, draw: Draw
    ) -> list[pa.Array | str]:
        """The entries of maps, each led by a comma."""
        assert node.entries is not None
        counts = draw(f"{node.path}:count", rows, turn).to_numpy(zero_copy_only=False)
        pieces: list[pa.Array | str] = []
        for place in range(int(min(counts.max(initial=0), LONGEST))):
            at = np.flatnonzero(counts > place)
            mine = turn * _TURNS + place + 1
            keys = self._key(draw(f"{node.path}:key", rows[at], mine))
            texts, _ = self._write(node.entries, rows[at], mine, draw)
            pieces.append(merged(len(rows), [(at, together([self.notation.comma, keys, texts]))]))
        return pieces

    def _write_element(self, node: Node, rows: Int64, turn: int, draw: Draw) -> pa.Array:
        """What follows the name of an element: attributes, then what is in it."""
        tags: list[pa.Array | str] = [pa.array([""] * len(rows), pa.string())]
        inner: list[pa.Array | str] = []
        for name, member in node.members:
            if "array" in member.kinds and member.item is not None:
                inner += self._write_repeated(name, member, rows, turn, draw)
                continue
            texts, absent = self._write(member, rows, turn, draw)
            if name.startswith("@"):
                piece = together([f' {name[1:]}="', pc.utf8_slice_codeunits(texts, 1), '"'])
            elif name == "#":
                piece = pc.utf8_slice_codeunits(texts, 1)
            else:
                piece = together([f"<{name}", texts, f"</{name}>"])
            (tags if name.startswith("@") else inner).append(
                pc.if_else(pa.array(absent), "", piece)
            )
        return together([*tags, ">", *inner])

    def _write_repeated(
        self, name: str, member: Node, rows: Int64, turn: int, draw: Draw
    ) -> list[pa.Array | str]:
        """Children of one name, of which there may be several or none."""
        assert member.item is not None
        counts = np.zeros(len(rows), np.int64)
        pieces: list[pa.Array | str] = []
        drawn = draw(f"{member.path}:kind", rows, turn) if len(member.kinds) > 1 else None
        for kind in member.kinds:
            at = np.arange(len(rows)) if drawn is None else np.flatnonzero(of_text(drawn, kind))
            if kind == "array" and len(at):
                sizes_ = draw(f"{member.path}:length", rows[at], turn)
                counts[at] = np.clip(sizes_.to_numpy(zero_copy_only=False), 0, LONGEST)
            elif kind != "absent" and len(at):
                text = self._write_kind(kind, member, rows[at], turn, draw)
                pieces.append(merged(len(rows), [(at, together([f"<{name}", text, f"</{name}>"]))]))
        for at, texts in self._items(member, rows, counts, turn, draw):
            piece = together([f"<{name}", texts, f"</{name}>"])
            pieces.append(merged(len(rows), [(at, piece)]))
        return pieces

    def to_json(self) -> dict[str, Any]:
        """The state."""
        return {"structure": "document", "notation": asdict(self.notation),
                "root": self.root.to_json()}  # fmt: skip


PLACES_OF_NESTED = 8


def _walk(root: Node) -> Iterator[tuple[Node, bool]]:
    """All nodes, those near the root first, and whether they are pooled."""
    queue: list[tuple[Node, bool]] = [(root, False)]
    while queue:
        node, pooled = queue.pop(0)
        yield node, pooled
        queue += [(member, pooled) for _, member in node.members]
        queue += [(place, pooled) for place in node.places]
        queue += [(below, True) for below in (node.item, node.entries) if below is not None]


def _numbers(values: Sequence[Any], whole: bool) -> list[Any]:
    if whole:
        return [v if type(v) is int and -(2**53) < v < 2**53 else None for v in values]
    return [float(v) if type(v) is float or (type(v) is int and abs(v) < 2**53) else None
            for v in values]  # fmt: skip


def _pooled(arrays: Sequence[Sequence[Any]], owners: Int64 | None) -> tuple[list[Any], Int64]:
    """The items of all arrays, and whose they are."""
    items = [item for array in arrays for item in array[:LONGEST]]
    counts = np.array([min(len(array), LONGEST) for array in arrays], np.int64)
    whose = np.arange(len(arrays)) if owners is None else owners
    return items, np.repeat(whose, counts)


def _shape_name(shape: tuple[str, ...]) -> str:
    return "\x1f".join(shape)


def fit_document(
    values: pa.Array, notation: str, label: str, k: int, *, element: str = ""
) -> Document | None:
    """The structure of some documents; None where too few of them agree on anything."""
    texts = values.drop_null()[:_LEARNT].to_pylist()
    style = Notation(notation, element=element)
    if notation == "json":
        style = Notation("json", *json_style(texts[:_STYLED]))
    if notation in ("array", "record"):
        style = Notation(notation, ",", element=element)
    if notation == "xml":
        style = Notation("xml", root=root_of(texts, k))
    documents = [style.read(text) for text in texts]
    known = [(i, d) for i, d in enumerate(documents) if d is not NOTHING]
    if len(known) < max(k, len(documents) // 2):
        return None
    # The children of one name that an element of XML has do not stand together as an array does.
    found = Found([d for _, d in known], [i for i, _ in known], wholes=notation != "xml")
    root = learn(found, k, label)
    return None if root is None else Document(style, root)


def document_from_json(value: Mapping[str, Any]) -> Document:
    """The inverse of `Document.to_json`."""
    return Document(Notation(**value["notation"]), node_from_json(value["root"]))
