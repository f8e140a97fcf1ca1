"""How documents are written: JSON, array and record literals of PostgreSQL, hstore, XML.

A notation reads texts into Python values (None, bool, int, float, str, list, tuple for a record,
dict) and writes whole columns of such values back, piece by piece.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.structures.base import together


class Missing:
    """Marks what is not there: a member that an object has not, a text that does not parse."""


ABSENT = Missing()  # the object is there and has no such member
NOTHING = Missing()  # there is no object that could have one

Texts = pa.Array | str

_ARRAY_TOKEN = re.compile(r'[{}]|"((?:[^"\\]|\\.)*)"|([^{},"]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_RECORD_TOKEN = re.compile(r'(?:"((?:[^"\\]|\\.|"")*)"|([^,()"]*))(,|\)$)', re.DOTALL)
_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>(NULL|"((?:[^"\\]|\\.)*)")')
_NUMERIC = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8", "money"})
_ZONE = re.compile(r"(\.\d+)?(\+00(:00)?)?$")
_LONGEST_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class Notation:
    """One way of writing documents.

    Attributes:
        name: ``json``, ``array``, ``record``, ``hstore`` or ``xml``.
        comma, colon: Separators of JSON.
        element: Type of an array's elements.
        root: Name of the root element of XML.
    """

    name: str
    comma: str = ", "
    colon: str = ": "
    element: str = ""
    root: str = ""

    def read(self, text: str) -> Any:
        """The value behind a text; NOTHING where it does not parse."""
        try:
            return _READERS[self.name](text, self)
        except (ValueError, RecursionError, ET.ParseError):
            return NOTHING

    def scalar(self, kind: str, values: pa.Array) -> pa.Array:
        """Scalars as they stand inside a document."""
        if kind != "string":
            return values
        return _QUOTES[self.name](values)

    def constant(self, kind: str) -> str:
        """How the value of a kind that has but one is written."""
        if kind != "null":
            return ""
        return {"json": "null", "array": "NULL", "hstore": "NULL"}.get(self.name, "")

    def boolean(self, values: pa.Array) -> pa.Array:
        """Truth values."""
        return pc.if_else(values, "true", "false")

    def finished(self, values: pa.Array) -> pa.Array:
        """Whole documents."""
        if self.name == "xml":
            return together([f"<{self.root}", values, f"</{self.root}>"])
        return values


def _json(text: str, notation: Notation) -> Any:
    return json.loads(text)


def _array(text: str, notation: Notation) -> Any:
    """A list of elements; inner arrays are lists of their own."""
    body = text[text.index("=") + 1 :] if text.startswith("[") and "={" in text else text
    if not body.startswith("{"):
        raise ValueError("no array")
    stack: list[list[Any]] = []
    numeric = notation.element in _NUMERIC
    for match in _ARRAY_TOKEN.finditer(body):
        token = match[0]
        if token == "{":
            stack.append([])
        elif token == "}":
            done = stack.pop()
            if not stack:
                return done
            stack[-1].append(done)
        elif match[1] is not None:
            stack[-1].append(_leaf(_ESCAPED.sub(r"\1", match[1]), notation.element, numeric))
        elif token == "NULL":
            stack[-1].append(None)
        else:
            stack[-1].append(_leaf(token, notation.element, numeric))
    raise ValueError("an array without end")


def _leaf(text: str, element: str, numeric: bool) -> Any:
    if numeric:
        return number(text)
    if element in ("timestamp", "timestamptz"):
        return _ZONE.sub("", text)
    if text.startswith("(") and text.endswith(")") and element not in _PLAIN:
        return _record(text, Notation("record"))
    return text


_PLAIN = frozenset({"text", "varchar", "bpchar", "name", "citext", "point", "box", "circle",
                    "lseg", "path", "polygon", "line"})  # fmt: skip


def number(text: str) -> float | int:
    """A number of the database."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _record(text: str, notation: Notation) -> Any:
    """The fields of a composite value."""
    if not (text.startswith("(") and text.endswith(")")):
        raise ValueError("no record")
    fields: list[Any] = []
    at = 1
    while at < len(text):
        match = _RECORD_TOKEN.match(text, at)
        if match is None:
            raise ValueError("no record")
        quoted, bare = match[1], match[2]
        if quoted is not None:
            fields.append(_ESCAPED.sub(r"\1", quoted.replace('""', '"')))
        else:
            fields.append(bare if bare else None)
        at = match.end()
    return tuple(fields)


def _hstore(text: str, notation: Notation) -> Any:
    found = {}
    for match in _PAIR.finditer(text):
        value = None if match[2] == "NULL" else _ESCAPED.sub(r"\1", match[3])
        found[_ESCAPED.sub(r"\1", match[1])] = value
    if text and not found:
        raise ValueError("no hstore")
    return found


def _xml(text: str, notation: Notation) -> Any:
    if "<!" in text:  # a document type may define entities without end
        raise ValueError("a document with a type of its own")
    return _element(ET.fromstring(text))


def root_of(texts: Sequence[str], k: int) -> str:
    """The name of the root element that most documents have, if k of them do."""
    counts: dict[str, int] = {}
    for text in texts:
        match = re.search(r"<([A-Za-z_][\w.-]*)", text)
        if match:
            counts[match[1]] = counts.get(match[1], 0) + 1
    name = max(counts, key=lambda n: counts[n], default="")
    return name if counts.get(name, 0) >= k else "document"


def _element(element: ET.Element) -> Any:
    """An element as a value: text alone, or an object of attributes, children and text."""
    if not len(element) and not element.attrib:
        return element.text if element.text and element.text.strip() else None
    found: dict[str, Any] = {f"@{_bare(name)}": value for name, value in element.attrib.items()}
    for child in element:
        name, value = _bare(child.tag), _element(child)
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    text = (element.text or "").strip()
    if text:
        found["#"] = text
    return found


def _bare(name: str) -> str:
    return name.rpartition("}")[2]


_READERS: Mapping[str, Callable[[str, Notation], Any]] = {
    "json": _json, "array": _array, "record": _record, "hstore": _hstore, "xml": _xml,
}  # fmt: skip


def _json_string(values: pa.Array) -> pa.Array:
    for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        values = pc.replace_substring(values, raw, escaped)
    values = pc.replace_substring_regex(values, r"[\x00-\x1f]", " ")
    return together(['"', values, '"'])


def _backslashed(values: pa.Array) -> pa.Array:
    escaped = pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), '"', '\\"')
    return together(['"', escaped, '"'])


def _array_string(values: pa.Array) -> pa.Array:
    """Elements in double quotes where they need them."""
    bare = pc.match_substring_regex(values, r"^[A-Za-z0-9_.:+-]+$")
    null = pc.match_substring_regex(values, r"^(?i:null)$")
    return pc.if_else(pc.and_not(bare, null), values, _backslashed(values))


def _record_string(values: pa.Array) -> pa.Array:
    bare = pc.match_substring_regex(values, r"^[A-Za-z0-9_.:+-]+$")
    return pc.if_else(bare, values, _backslashed(values))


def _xml_string(values: pa.Array) -> pa.Array:
    for raw, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        values = pc.replace_substring(values, raw, escaped)
    return values


_QUOTES: Mapping[str, Callable[[pa.Array], pa.Array]] = {
    "json": _json_string, "array": _array_string, "record": _record_string,
    "hstore": _backslashed, "xml": _xml_string,
}  # fmt: skip


def is_number(value: object) -> bool:
    """Whether a value is a number that a column can hold."""
    kind = type(value)
    return kind is float or (kind is int and abs(value) < _LONGEST_NUMBER)  # type: ignore[arg-type]


def is_finite(value: float) -> bool:
    """Whether a number is one that every notation can write."""
    return math.isfinite(value)


def json_style(texts: Sequence[str]) -> tuple[str, str]:
    """The separators with which most documents are written."""
    for comma, colon in ((", ", ": "), (",", ":")):
        same = 0
        for text in texts:
            try:
                again = json.dumps(json.loads(text), separators=(comma, colon), ensure_ascii=False)
            except (ValueError, RecursionError):
                continue
            same += again == text
        if same * 2 >= len(texts):
            return comma, colon
    return ", ", ": "
