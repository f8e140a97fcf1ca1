"""From the types of the catalog to `Kind`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dbsynth.schema import Kind

_LONGEST_INTEGER = 18  # decimal digits that always fit in 64 bits

_KINDS = {
    "int2": Kind.INTEGER,
    "int4": Kind.INTEGER,
    "int8": Kind.INTEGER,
    "numeric": Kind.DECIMAL,
    "money": Kind.DECIMAL,
    "float4": Kind.FLOAT,
    "float8": Kind.FLOAT,
    "bool": Kind.BOOLEAN,
    "text": Kind.TEXT,
    "varchar": Kind.TEXT,
    "bpchar": Kind.TEXT,
    "name": Kind.TEXT,
    "char": Kind.TEXT,
    "uuid": Kind.UUID,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "timestamp": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMP,
    "bytea": Kind.BYTES,
}
_BITS = {"int2": 16, "int4": 32, "int8": 64}


@dataclass(frozen=True, slots=True)
class CatalogType:
    """A row of pg_type; ``base_text`` is the text of a domain's base type."""

    oid: int
    namespace: str
    name: str
    type: str
    category: str
    base: int
    modifier: int
    not_null: bool
    element: int
    base_text: str | None

    @property
    def is_domain(self) -> bool:
        """Whether it is a domain over another type."""
        return self.type == "d"


def type_kind(found: CatalogType, modifier: int) -> tuple[Kind, dict[str, Any]]:
    """The kind of a base type with its modifier, and the columns attributes that follow."""
    if found.type == "e":
        return Kind.ENUM, {}
    if found.category == "A" and found.element and found.namespace != "information_schema":
        return (Kind.OTHER if found.name in {"int2vector", "oidvector"} else Kind.ARRAY), {}
    if found.name == "citext" and found.type == "b":
        return Kind.TEXT, {}
    kind = _KINDS.get(found.name) if found.namespace == "pg_catalog" else None
    if kind is None:
        return Kind.OTHER, {}
    if found.name == "money":
        return kind, {"precision": 17, "scale": 2}
    if kind is Kind.DECIMAL:
        return _decimal(modifier)
    return kind, _attributes(found.name, kind, modifier)


def _attributes(name: str, kind: Kind, modifier: int) -> dict[str, Any]:
    if name in _BITS:
        return {"bits": _BITS[name]}
    if name in {"varchar", "bpchar"}:
        return {"length": modifier - 4} if modifier >= 4 else {}
    if name == "char":
        return {"length": 1}
    if kind in {Kind.TIME, Kind.TIMESTAMP}:
        return {"precision": modifier if modifier >= 0 else 6, "zoned": name.endswith("tz")}
    return {}


def _decimal(modifier: int) -> tuple[Kind, dict[str, Any]]:
    if modifier < 4:
        return Kind.DECIMAL, {}
    precision = ((modifier - 4) >> 16) & 0xFFFF
    scale = (((modifier - 4) & 0x7FF) ^ 1024) - 1024  # 11 bits, signed
    whole = scale <= 0 and precision - scale <= _LONGEST_INTEGER
    attributes: dict[str, Any] = {"precision": precision, "scale": scale}
    return (Kind.INTEGER, {**attributes, "bits": 64}) if whole else (Kind.DECIMAL, attributes)
