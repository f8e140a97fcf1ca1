"""What a reviewed spec records of keys, CHECKs and labels, and what became of them since.

A sentence each, so that people can read what they reviewed: ``foreign key purchase(customer_id):
customer(id)``.  Of SQL and labels, in which values may stand, there is only a digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from dbsynth.schema import Schema, Table

_PARTITIONS = "partition bounds"  # which change with every month's partition
_DIGITS = 8


def stated(schema: Schema) -> tuple[str, ...]:
    """A sentence on every key, CHECK, EXCLUDE and enumeration of a schema, in its order."""
    return tuple(dict.fromkeys(text for table in schema.tables for text in _of(table)))


def _of(table: Table) -> Iterator[str]:
    for fk in table.foreign_keys:
        if fk.declared:
            theirs = f"{fk.parent}({', '.join(fk.parent_columns)})"
            yield f"foreign key {table.name}({', '.join(fk.columns)}): {theirs}"
    for place, key in enumerate(table.keys):
        kind = "primary key" if table.primary_key and not place else "unique"
        odd = _digest(*key.expressions, key.where or "") if not key.plain else ""
        yield f"{kind} {table.name}({', '.join(key.columns)})" + (f": {odd}" if odd else "")
    for check in table.checks:
        if check.name != _PARTITIONS:
            yield f"check {table.name}.{check.name}: {_digest(check.sql)}"
    for exclusion in table.exclusions:
        parts = [text for part in exclusion.parts for text in part]
        yield f"exclude {table.name}.{exclusion.name}: {_digest(*parts, exclusion.where or '')}"
    for column in table.columns:
        if column.choices:
            digest = _digest(*column.choices)
            yield f"labels {table.name}.{column.name}: {len(column.choices)}, {digest}"


def _digest(*texts: str) -> str:
    plain = "\0".join(" ".join(text.split()) for text in texts)
    return hashlib.sha256(plain.encode()).hexdigest()[:_DIGITS]


def compared(reviewed: Iterable[str], schema: Schema) -> Iterator[tuple[str, str, str]]:
    """What changed: ``added``, ``dropped`` or ``changed``, the subject, and a sentence."""
    before, now = _by_subject(reviewed), _by_subject(stated(schema))
    for subject in dict.fromkeys([*before, *now]):
        old, new = before.get(subject), now.get(subject)
        if old is None:
            yield "added", subject, f"{subject} is new"
        elif new is None:
            yield "dropped", subject, f"{subject} is gone"
        elif set(old) != set(new):
            yield "changed", subject, _changed(subject, old, new)


def _by_subject(sentences: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in sentences:
        subject, colon, value = text.rpartition(": ")
        found.setdefault(subject if colon else text, []).append(value if colon else "")
    return found


def _changed(subject: str, old: list[str], new: list[str]) -> str:
    if subject.startswith("foreign key "):
        led, leads = (", ".join(f"`{value}`" for value in values) for values in (old, new))
        return f"{subject} led to {led} when it was reviewed, and leads to {leads} now"
    if subject.startswith("labels "):  # not by name: what labels say may be confidential
        numbers = [value.partition(",")[0] for value in (old[0], new[0])]
        return f"{subject} are others than the {numbers[0]} that were reviewed: {numbers[1]} now"
    return f"{subject} says something else than when it was reviewed"


def about(subject: str, names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The table that a subject is about, of those that have the names, and its columns."""
    for kind in ("foreign key ", "primary key ", "unique ", "check ", "exclude ", "labels "):
        rest = subject.removeprefix(kind)
        if rest == subject:
            continue
        for name in sorted(names, key=len, reverse=True):
            if rest.startswith(f"{name}(") and rest.endswith(")"):
                return name, tuple(rest[len(name) + 1 : -1].split(", "))
            if rest.startswith(f"{name}."):
                return name, (rest[len(name) + 1 :],)
    return "", ()
