"""Structures: values that are taken apart into columns and put together again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.types import known_type, type_name
from dbsynth.schema import Column, Kind
from dbsynth.structures.base import Part, Structure, Values
from dbsynth.structures.document import document_from_json, fit_document
from dbsynth.structures.fields import Bits, LogPosition, Shape, Term, Track, ZonedClock, decimals
from dbsynth.structures.ranges import Multirange, Range, bound_form

_FIGURES = frozenset({"point", "box", "circle", "line", "lseg"})
_PLAIN: dict[str, Structure] = {
    "interval": Term(),
    "pg_lsn": LogPosition(),
    "timetz": ZonedClock(),
}
_RANGE = r"^(empty|[\[(][^,]*,[^,]*[\])])$"
_MULTIRANGE = r"^\{([\[(][^,]*,[^,]*[\])],?)*\}$"
_RECORD = r"^\(.*\)$"


def structure_of(
    column: Column, provider: str | None, values: pa.Array, k: int
) -> Structure | None:
    """The structure of a column's values; None where they have none or too few say so.

    Args:
        provider: The provider that would draw the values otherwise.
    """
    texts = values.drop_null()
    if len(texts) < k:
        return None
    if column.kind is Kind.JSON or (column.kind is Kind.TEXT and provider == "json"):
        return fit_document(texts, "json", column.name, k)
    type_ = type_name(column.base_type or column.sql_type)
    if column.kind is Kind.ARRAY:
        return fit_document(texts, "array", column.name, k, element=type_)
    if provider == "xml":
        return fit_document(texts, "xml", column.name, k)
    return _of_type(column, type_, texts, k) if column.kind is Kind.OTHER else None


def _of_type(column: Column, type_: str, texts: pa.Array, k: int) -> Structure | None:
    if type_ in _FIGURES:
        return Shape(type_)
    if type_ in _PLAIN:
        return _PLAIN[type_]
    match type_:
        case "path" | "polygon":
            return Track(type_ == "polygon", decimals(texts))
        case "bit" | "varbit":
            lengths = pc.min_max(pc.utf8_length(texts)).as_py()
            return Bits(lengths["max"], lengths["min"] == lengths["max"])
        case "hstore":
            return fit_document(texts, "hstore", column.name, k)
    if type_.endswith("multirange") or (not known_type(type_) and _all(texts, _MULTIRANGE)):
        form = bound_form(texts)
        return Multirange(form) if form else None
    if type_.endswith("range") or (not known_type(type_) and _all(texts, _RANGE)):
        form = bound_form(texts)
        return Range(form) if form else None
    if not known_type(type_) and _all(texts, _RECORD):
        return fit_document(texts, "record", column.name, k)
    return None


def _all(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def structure_from_json(value: Mapping[str, Any]) -> Structure:
    """The structure whose state was saved."""
    match value["structure"]:
        case "document":
            return document_from_json(value)
        case "shape":
            return Shape(value["type"])
        case "track":
            return Track(value["polygon"], value["digits"])
        case "bits":
            return Bits(value["width"], value["fixed"])
        case "range":
            return Range(value["form"])
        case "multirange":
            return Multirange(value["form"])
        case "log_position":
            return LogPosition()
        case "zoned_clock":
            return ZonedClock()
        case _:
            return Term()


__all__ = ["Part", "Structure", "Values", "structure_from_json", "structure_of"]
