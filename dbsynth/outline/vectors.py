"""Search vectors that are computed from the texts of their row, by a trigger or an application.

Which texts, and with which configuration, is guessed from a few rows and proved by the server on
all of them.  Where the source is found, the clone's vectors are computed from the clone's texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa

from dbsynth.databases.base import Database
from dbsynth.identifiers.types import type_name
from dbsynth.schema import Check, Column, Kind, Table

_ROWS = 100  # that the guess is made from
_FOUND = 0.6  # of the long words of a text have to be in the vector
_SHORTEST = 4
_STEM = 3  # letters by which a lexeme is known in its word
_MOST_TEXTS = 4
_COVERED = 0.9  # of the lexemes have to be in the texts
_MOST_SETS = 3
_LARGE = 20_000  # rows beyond which few configurations are tried
_BROKEN = 0.01  # vectors that were not kept up when their texts changed
_CONFIGURATIONS = ("simple", "english", "german", "french", "spanish", "italian", "portuguese",
                   "dutch", "russian", "swedish")  # fmt: skip
_LEXEME = re.compile(r"'((?:[^']|'')*)'(?::([0-9A-D,]+))?")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that seems to be in a vector: mean place of its first word, weight of its words."""

    name: str
    place: float
    weight: str


def vector_sources(
    database: Database, table: Table, sample: pa.Table
) -> dict[str, tuple[str, ...]]:
    """The SQL of each search vector that follows from texts of its row, and those texts."""
    if database.capabilities.kind != "postgresql":
        return {}
    found = {}
    for column in table.written:
        if (
            column.kind is Kind.OTHER
            and type_name(column.base_type or column.sql_type) == "tsvector"
        ):
            source = _source(database, table, column, sample)
            if source is not None:
                found[column.name] = source
    return found


def _source(
    database: Database, table: Table, column: Column, sample: pa.Table
) -> tuple[str, ...] | None:
    known = sample.filter(sample[column.name].is_valid())[:_ROWS]
    if known.num_rows < 2:
        return None
    vectors = [_lexemes(text) for text in known[column.name].to_pylist()]
    values = {c.name: known[c.name].to_pylist() for c in table.written if c.kind is Kind.TEXT}
    texts = [t for name, own in values.items() if (t := _in_vectors(name, own, vectors))]
    rows = database.count_rows(table)
    for some in _sets(sorted(texts, key=lambda t: t.place)[:_MOST_TEXTS], values, vectors):
        names = tuple(sorted(text.name for text in some))
        for expression in _expressions(some, _CONFIGURATIONS[: 2 if rows > _LARGE else None]):
            vector = _quoted(column.name)
            check = Check("", f"{vector} IS NULL OR {vector} = {expression}", (column.name, *names))
            if database.count_failing(table, check) <= _BROKEN * rows:
                return (expression, *names)
    return None


def _sets(
    texts: Sequence[_Text],
    values: Mapping[str, Sequence[str | None]],
    vectors: Sequence[dict[str, list[tuple[int, str]]]],
) -> list[tuple[_Text, ...]]:
    """The sets of texts in which nearly all lexemes are found, small ones first."""
    found = []
    for size in range(1, len(texts) + 1):
        found += [
            some
            for some in combinations(texts, size)
            if _covered([values[text.name] for text in some], vectors) >= _COVERED
        ]
    return found[:_MOST_SETS]


def _covered(
    texts: Sequence[Sequence[str | None]], vectors: Sequence[dict[str, list[tuple[int, str]]]]
) -> float:
    """The share of lexemes that begin like a word of the texts of their row."""
    total = met = 0
    for row, vector in zip(zip(*texts, strict=True), vectors, strict=True):
        words = _WORD.findall(" ".join(text or "" for text in row).lower())
        starts = {word[:_STEM] for word in words}
        total += len(vector)
        met += sum(lexeme[:_STEM] in starts for lexeme in vector)
    return met / max(total, 1)


def _lexemes(vector: str) -> dict[str, list[tuple[int, str]]]:
    """Places and weights of the lexemes of a vector."""
    return {
        match[1].replace("''", "'"): [
            (int(re.sub(r"\D", "", place) or 0), re.sub(r"\d", "", place) or "D")
            for place in (match[2] or "").split(",")
        ]
        for match in _LEXEME.finditer(vector)
    }


def _in_vectors(
    name: str, texts: Sequence[str | None], vectors: Sequence[dict[str, list[tuple[int, str]]]]
) -> _Text | None:
    """Whether the long words of texts are in their vectors, and where."""
    words, places, weights = 0, [], []
    for text, vector in zip(texts, vectors, strict=True):
        stems = {lexeme[:_STEM]: where for lexeme, where in vector.items()}
        for word in _WORD.findall((text or "").lower()):
            if len(word) < _SHORTEST:
                continue
            words += 1
            where = stems.get(word[:_STEM])
            if where:
                places.append(where[0][0])
                weights.append(where[0][1])
    if not words or len(places) < _FOUND * words:
        return None
    return _Text(name, sum(places) / len(places), max(set(weights), key=weights.count))


def _expressions(texts: Sequence[_Text], configurations: Sequence[str]) -> Iterator[str]:
    """What a vector may be computed by, the likeliest first."""
    names = [f"coalesce({_quoted(text.name)}, '')" for text in texts]
    weighted = any(text.weight != "D" for text in texts)
    for configuration in configurations:

        def vector(text: str, chosen: str = configuration) -> str:
            return f"to_tsvector('pg_catalog.{chosen}', {text})"

        if weighted:
            yield " || ".join(f"setweight({vector(name)}, '{text.weight}')"
                              for name, text in zip(names, texts, strict=True))  # fmt: skip
            continue
        yield vector(" || ' ' || ".join(names))
        if len(names) > 1:
            yield " || ".join(map(vector, names))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
