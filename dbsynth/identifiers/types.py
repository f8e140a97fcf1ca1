"""Values of a database type about which nothing else is known, as the text that the type reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.base import State
from dbsynth.identifiers.network import Address, Mac, Uuid, ipv4, ipv6
from dbsynth.identifiers.strings import (
    choose,
    fixed,
    frequent,
    joined,
    pick,
    plain,
    positions,
    subkey,
    weighted,
    where,
)
from dbsynth.identifiers.text import counted_word
from dbsynth.randomness import UInt64, uniform
from dbsynth.schema import Column, Kind

_ALIASES = {
    "character varying": "varchar", "character": "bpchar", "integer": "int4", "int": "int4",
    "smallint": "int2", "bigint": "int8", "double precision": "float8", "real": "float4",
    "decimal": "numeric", "timestamp without time zone": "timestamp", "boolean": "bool",
    "timestamp with time zone": "timestamptz", "time without time zone": "time",
    "time with time zone": "timetz", "bit varying": "varbit",
}  # fmt: skip
_EMPTY_COLUMN = Column("", Kind.OTHER, "text")
_WORDS = pa.array(["lorem", "ipsum", "dolor", "amet", "elit", "sed", "tempor", "magna", "aliqua"])
_VOID = {  # what a type reads as nothing at all
    **dict.fromkeys(("regclass", "regtype", "regproc", "regprocedure", "regrole", "regnamespace",
                     "regconfig", "regdictionary", "regcollation"), "-"),
    "regoper": "0", "regoperator": "0", "int2vector": "", "oidvector": "", "tid": "(0,0)",
    "jsonpath": "$", "txid_snapshot": "1:1:", "pg_snapshot": "1:1:", "ltxtquery": "lorem",
    "lquery": "*", "cube": "(0)",
}  # fmt: skip
_RECORD = r"^\(.*\)$"
_QUOTED = r'"(?:[^"\\]|\\.|"")*"'
_COVERED = 0.7
_MOST_VALUES = 50


def type_name(sql_type: str) -> str:
    """The short name of a type without namespace, length and array marks."""
    bare = re.sub(r"\([^)]*\)", "", sql_type).replace("[]", "").strip().strip('"').lower()
    bare = re.sub(r"\s+", " ", bare).rsplit(".", maxsplit=1)[-1].strip('"')
    bare = re.sub(r"^interval .*", "interval", bare)  # the fields that an interval keeps
    return _ALIASES.get(bare, bare)


def known_type(name: str) -> bool:
    """Whether values of the type can be made up."""
    return name in _DRAWN


def draw_type(name: str, index: UInt64, *, key: int, width: int = 8) -> pa.Array:
    """A value of the type for every index, different ones where the type has enough."""
    return _DRAWN[name](index, key, width)


def _number(index: UInt64, key: int, width: int) -> pa.Array:
    return plain(choose(key, index, 10_000))


def _folded(index: UInt64) -> UInt64:
    """32 bits, different for indexes below 2**32, and others for the far indexes of a redraw."""
    return (index + (index >> np.uint64(32)) * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFF)


def _distinct_number(index: UInt64, key: int, width: int) -> pa.Array:
    return plain(_folded(index))


def _decimal(index: UInt64, key: int, width: int) -> pa.Array:
    cents = joined(plain(choose(key, index, 100_000)), "")
    return joined(
        cents, ".", fixed(choose(subkey(key, 1), index, 100).astype(np.uint64), 2, b"0123456789")
    )


def _date(index: UInt64, key: int, width: int) -> pa.Array:
    days = np.datetime64("2000-01-01", "D") + choose(key, index, 9_000)
    return pa.array(np.datetime_as_string(days), pa.string())


def _stamp(index: UInt64, key: int, width: int) -> pa.Array:
    seconds = np.datetime64("2000-01-01", "s") + choose(key, index, 750_000_000)
    return pc.replace_substring(pa.array(np.datetime_as_string(seconds), pa.string()), "T", " ")


def _stamp_in_zone(index: UInt64, key: int, width: int) -> pa.Array:
    return joined(_stamp(index, key, width), "+00")


def _time(index: UInt64, key: int, width: int) -> pa.Array:
    return pc.utf8_slice_codeunits(_stamp(index, key, width), 11)


def _time_in_zone(index: UInt64, key: int, width: int) -> pa.Array:
    return joined(_time(index, key, width), "+00")


def _truth(index: UInt64, key: int, width: int) -> pa.Array:
    return where(choose(key, index, 2) == 1, "t", "f")


def _interval(index: UInt64, key: int, width: int) -> pa.Array:
    return joined(plain(choose(key, index, 1_000)), " days ", _time(index, subkey(key, 1), width))


def _bits(index: UInt64, key: int, width: int) -> pa.Array:
    width = min(max(width, 1), 64)
    return fixed(
        index if width >= 40 else choose(key, index, 2**width).astype(np.uint64), width, b"01"
    )


def _words(index: UInt64, key: int, width: int) -> pa.Array:
    return joined(pick(_WORDS, key, index), counted_word(index), separator=" ")


def _hstore(index: UInt64, key: int, width: int) -> pa.Array:
    return joined('"', pick(_WORDS, key, index), '"=>"', counted_word(index), '"')


def _tsvector(index: UInt64, key: int, width: int) -> pa.Array:
    words = [pick(_WORDS[3 * i : 3 * i + 3], subkey(key, i), index) for i in range(3)]
    texts = [joined("'", word, f"':{i + 1}") for i, word in enumerate(words)]
    return joined(*texts, joined("'", counted_word(index), "':4"), separator=" ")


def _path(index: UInt64, key: int, width: int) -> pa.Array:
    return joined(pick(_WORDS, key, index), counted_word(index), separator=".")


def _point(index: UInt64, key: int, width: int) -> pa.Array:
    x, y = _decimal(index, key, width), _decimal(index, subkey(key, 2), width)
    return joined("(", x, ",", y, ")")


def _wkt(index: UInt64, key: int, width: int) -> pa.Array:
    x, y = choose(key, index, 180), choose(subkey(key, 1), index, 90)
    return joined("SRID=4326;POINT(", plain(x), " ", plain(y), ")")


def _two_points(pattern: str) -> Callable[[UInt64, int, int], pa.Array]:
    def draw(index: UInt64, key: int, width: int) -> pa.Array:
        first, second = _point(index, key, width), _point(index, subkey(key, 9), width)
        before, between, after = pattern.split("P")
        return joined(before, first, between, second, after)

    return draw


def _circle(index: UInt64, key: int, width: int) -> pa.Array:
    return joined("<", _point(index, key, width), ",", plain(choose(key, index, 50) + 1), ">")


def _line(index: UInt64, key: int, width: int) -> pa.Array:
    return joined(
        "{1,", plain(choose(key, index, 90)), ",", plain(choose(subkey(key, 1), index, 90)), "}"
    )


def _range(step: str) -> Callable[[UInt64, int, int], pa.Array]:
    """Ranges that do not overlap for different indexes below a million or so."""

    def draw(index: UInt64, key: int, width: int) -> pa.Array:
        low = (index % np.uint64(1_000_000)).astype(np.int64)
        size = 1 + choose(key, index, 9)
        if step == "number":
            return joined("[", plain(low * 10), ",", plain(low * 10 + size), ")")
        first = (
            np.datetime64("2000-01-01", "D") if step == "day" else np.datetime64("2000-01-01", "s")
        )
        start = first + low * (1 if step == "day" else 600)
        stop = start + (1 if step == "day" else 60 * size)
        marks = ['["', '","', '")'] if step != "day" else ["[", ",", ")"]
        texts = [pc.replace_substring(pa.array(np.datetime_as_string(t), pa.string()), "T", " ")
                 for t in (start, stop)]  # fmt: skip
        zone = "+00" if step == "zoned" else ""
        return joined(marks[0], texts[0], zone + marks[1], texts[1], zone + marks[2])

    return draw


def _multi(step: str) -> Callable[[UInt64, int, int], pa.Array]:
    inner = _range(step)
    return lambda index, key, width: joined("{", inner(index, key, width), "}")


def _v4(index: UInt64, key: int, width: int) -> pa.Array:
    return where(index < np.uint64(762), ipv4(index, key=key), ipv6(index, key=key))


def _net(index: UInt64, key: int, width: int) -> pa.Array:
    return joined(_v4(index, key, width), where(index < np.uint64(762), "/32", "/128"))


def _mac(groups: int) -> Callable[[UInt64, int, int], pa.Array]:
    state = {"separator": ":", "case": "lower", "limit": None, "unique": True}
    return lambda index, key, width: Mac(groups=groups).draw(state, index, key=key)


def _uuid(index: UInt64, key: int, width: int) -> pa.Array:
    state = {"dashes": True, "case": "lower", "limit": None, "unique": True}
    return Uuid().draw(state, index, key=key)


def _vector(index: UInt64, key: int, width: int) -> pa.Array:
    """Embeddings: directions of length one, none preferred (normal numbers by Box and Muller)."""
    places = index.astype(np.uint64)[:, None] * np.uint64(width) + np.arange(width, dtype=np.uint64)
    radius = np.sqrt(-2 * np.log1p(-uniform(key, places)))
    drawn = radius * np.cos(2 * np.pi * uniform(subkey(key, 1), places))
    drawn /= np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9)
    texts = pc.cast(pa.array(np.round(drawn, 6).astype(np.float32).ravel()), pa.string())
    offsets = pa.array(np.arange(0, len(texts) + 1, width), pa.int32())
    return joined("[", pc.binary_join(pa.ListArray.from_arrays(offsets, texts), ","), "]")


def _lsn(index: UInt64, key: int, width: int) -> pa.Array:
    return joined("0/", fixed(_folded(index), 8, b"0123456789ABCDEF"))


_DRAWN: dict[str, Callable[[UInt64, int, int], pa.Array]] = {
    "int2": _number, "int4": _number, "int8": _number, "oid": _distinct_number,
    "xid": _distinct_number, "xid8": _distinct_number, "numeric": _decimal, "float4": _decimal,
    "float8": _decimal, "money": _decimal, "bool": _truth, "date": _date, "timestamp": _stamp,
    "timestamptz": _stamp_in_zone, "time": _time, "timetz": _time_in_zone, "interval": _interval,
    "bit": _bits, "varbit": _bits, "text": _words, "varchar": _words, "bpchar": _words,
    "citext": _words, "name": _words, "hstore": _hstore, "tsvector": _tsvector, "ltree": _path,
    "tsquery": lambda index, key, width: joined("'", counted_word(index), "'"),
    "point": _point, "lseg": _two_points("[P,P]"), "box": _two_points("P,P"),
    "path": _two_points("[P,P]"), "polygon": _two_points("(P,P)"), "circle": _circle, "line": _line,
    "geometry": _wkt, "geography": _wkt, "inet": _v4, "cidr": _net, "macaddr": _mac(6),
    "macaddr8": _mac(8), "uuid": _uuid, "pg_lsn": _lsn,
    "vector": _vector, "halfvec": _vector,
    "int4range": _range("number"), "int8range": _range("number"), "numrange": _range("number"),
    "daterange": _range("day"), "tsrange": _range("second"), "tstzrange": _range("zoned"),
    "int4multirange": _multi("number"), "int8multirange": _multi("number"),
    "nummultirange": _multi("number"), "datemultirange": _multi("day"),
    "tsmultirange": _multi("second"), "tstzmultirange": _multi("zoned"),
    "json": lambda index, key, width: joined('{"ref": "', counted_word(index), '"}'),
    "jsonb": lambda index, key, width: joined('{"ref": "', counted_word(index), '"}'),
    "xml": lambda index, key, width: joined("<document>", counted_word(index), "</document>"),
}  # fmt: skip


@dataclass(frozen=True)
class ByType:
    """Values that the type reads; frequent literals where the type is unknown."""

    name: str = "by_type"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """The type; else literals seen in ``k`` rows; else that there is nothing to draw."""
        kind = type_name(column.base_type or column.sql_type)
        literals, counts, covered = frequent(values, k)
        few = covered >= _COVERED and len(literals) <= _MOST_VALUES
        if not unique and len(literals) and (few or not known_type(kind)):
            return {"words": literals.to_pylist(), "weights": counts.tolist(), "unique": False}
        if known_type(kind):
            width = re.search(r"\((\d+)", column.base_type or column.sql_type)
            default = 1 if kind == "bit" else _dimensions(values) or 8
            return {"type": kind, "width": int(width[1]) if width else default, "unique": unique}
        void = _VOID.get(kind) or _bare_record(values)
        return {"void": void, "unique": False} if void else {"none": True, "unique": unique}

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One literal for every index; nulls where nothing is known."""
        index = positions(index)
        if "words" in state:
            return pa.array(state["words"]).take(pa.array(weighted(key, index, state["weights"])))
        if "type" in state:
            return draw_type(state["type"], index, key=key, width=state["width"])
        if "void" in state:
            return pa.array([state["void"]] * len(index), pa.string())
        return pa.nulls(len(index), pa.string())


def _dimensions(values: pa.Array) -> int:
    """How many numbers a vector has; 0 where values are none."""
    texts = values.drop_null()[:1]
    if not len(texts) or not pc.match_substring_regex(texts, r"^\[[-0-9.,eE+]+\]$")[0].as_py():
        return 0
    return int(pc.count_substring(texts, ",")[0].as_py()) + 1


def _bare_record(values: pa.Array) -> str:
    """A row of nothing but NULLs with as many fields as the values of a composite type have."""
    texts = values.drop_null()
    if not len(texts) or not pc.all(pc.match_substring_regex(texts, _RECORD)).as_py():
        return ""
    commas = pc.unique(pc.count_substring(pc.replace_substring_regex(texts, _QUOTED, ""), ","))
    return "(" + "," * commas[0].as_py() + ")" if len(commas) == 1 else ""


@dataclass(frozen=True)
class OfType:
    """Values of one named type, whatever the column says."""

    name: str

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """Nothing but the type; for addresses their versions too."""
        if self.name == "inet" and column.kind is Kind.OTHER:
            plain_column = Column(column.name, Kind.OTHER, "inet")
            return Address().fit(plain_column, values, unique=unique, locale=locale, k=k)
        return {"type": self.name, "width": 8, "unique": unique}

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One literal for every index."""
        if "type" not in state:
            return Address().draw(state, index, key=key)
        return draw_type(state["type"], positions(index), key=key, width=state["width"])
