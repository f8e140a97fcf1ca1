"""Values of a declared type and nothing else: what stands in a column that nobody has reviewed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import arrow_type, from_numbers
from dbsynth.identifiers.base import State
from dbsynth.identifiers.strings import choose, fixed, pick, positions
from dbsynth.identifiers.text import counted_word
from dbsynth.identifiers.types import draw_type, known_type, type_name
from dbsynth.randomness import UInt64
from dbsynth.schema import Column, Kind

_DAY = 86_400_000_000  # microseconds
_FIRST_DAY = 10_957  # 2000-01-01
_DAYS = 9_000
_MOST = 10_000
_WORD = 8  # characters that an invented word may need


@dataclass(frozen=True)
class FromType:
    """Draws values from the declaration of a column; its values are never looked at."""

    name: str = "from_type"

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """The declaration."""
        del values, locale, k
        text = type_name(column.base_type or column.sql_type)
        return {
            "kind": column.kind.value, "zoned": column.zoned, "unique": unique, "type": text,
            "length": column.length, "choices": list(column.choices), "bits": column.bits,
            "precision": column.precision, "scale": column.scale,
        }  # fmt: skip

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """A value for every index; NULL where the type is unknown."""
        index, kind = positions(index), Kind(state["kind"])
        column = Column("", kind, "", zoned=state["zoned"])
        if kind in (Kind.TEXT, Kind.UUID, Kind.ENUM, Kind.JSON, Kind.ARRAY, Kind.OTHER):
            return self._text(kind, state, index, key)
        if kind is Kind.BOOLEAN:
            return pa.array(choose(key, index, 2) == 1)
        if kind is Kind.BYTES:
            return fixed(index, _WORD).cast(pa.binary())
        numbers = self._numbers(kind, state, index, key)
        return from_numbers(numbers, np.ones(len(index), bool), kind, zoned=column.zoned).cast(
            arrow_type(column)
        )

    def _numbers(self, kind: Kind, state: State, index: UInt64, key: int) -> np.ndarray:
        apart = state["unique"]
        if kind in (Kind.DATE, Kind.TIMESTAMP):
            days = _FIRST_DAY + (index.astype(np.int64) if apart else choose(key, index, _DAYS))
            if kind is Kind.DATE:
                return days
            return days * _DAY + choose(key ^ 1, index, 86_400) * 1_000_000
        if kind in (Kind.TIME, Kind.INTERVAL):
            seconds = index % np.uint64(86_400) if apart else choose(key, index, 86_400)
            return np.asarray(seconds, np.int64) * 1_000_000
        scale = max(state["scale"] or 0, 0) if kind is not Kind.INTEGER else 0
        whole = state["precision"] - scale if state["precision"] is not None else 18
        if kind is Kind.INTEGER and state["bits"]:
            whole = min(whole, 2 * state["bits"] // 8)
        room = min(10 ** max(whole, 0) * 10**scale, _MOST * 10**scale)
        units = index.astype(np.int64) if apart else choose(key, index, max(room, 1))
        return units if kind is Kind.INTEGER else np.round(units / 10**scale, scale)

    def _text(self, kind: Kind, state: State, index: UInt64, key: int) -> pa.Array:
        if kind is Kind.ENUM and state["choices"]:
            return pick(pa.array(state["choices"]), key, index)
        if kind is Kind.UUID:
            return draw_type("uuid", index, key=key)
        if kind is Kind.JSON:
            return draw_type("json", index, key=key)
        if kind is Kind.ARRAY:
            return pa.array(["{}"] * len(index))
        if kind is Kind.TEXT:
            length = state["length"]
            if state["unique"] and (length is None or length >= 3 * _WORD):
                return counted_word(index)
            return _short(index, length, key, apart=state["unique"])
        if known_type(state["type"]):
            return draw_type(state["type"], index, key=key)
        return pa.nulls(len(index), pa.string())


def _short(index: UInt64, length: int | None, key: int, *, apart: bool) -> pa.Array:
    """Texts of at most so many characters."""
    if apart and length is not None:
        return fixed(index, min(length, _WORD))
    words = counted_word(choose(key, index, _MOST).astype(np.uint64))
    return pc.utf8_slice_codeunits(words, 0, length)
