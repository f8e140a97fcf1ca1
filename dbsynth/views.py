"""The columns and keys of a database that some rules are about, read to count broken rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.codec import Codec, as_shown
from dbsynth.databases.base import Database
from dbsynth.keys import hash_keys, join
from dbsynth.model import TableFacts
from dbsynth.randomness import UInt64
from dbsynth.read import codec_of
from dbsynth.read.quantities import Quantity, quantities_of, truth_of
from dbsynth.rules import Data, Rule
from dbsynth.rules.follows import Follows
from dbsynth.rules.within import Within
from dbsynth.schema import ForeignKey, Schema, Table

Float64 = npt.NDArray[np.float64]


def read_view(
    database: Database, schema: Schema, tables: Mapping[str, TableFacts], rules: Iterable[Rule]
) -> Data:
    """What the rules see of a database.

    Args:
        tables: Codecs of the columns.
    """
    rules = tuple(rules)
    keys = {key: None for rule in rules for key in rule.keys}
    found = {
        name: _read(database, schema[name], tables[name], rules, tuple(keys))
        for name in _tables_of(rules)
    }
    links = {
        key: join(*found[key.child].references[key], found[key.parent].keys[key.parent_columns])[0]
        for key in keys
    }
    return Data(
        schema,
        {name: rows.count for name, rows in found.items()},
        {name: {n: _joined(parts) for n, parts in r.numbers.items()} for name, r in found.items()},
        {name: {n: _joined(parts) for n, parts in r.codes.items()} for name, r in found.items()},
        links,
        {
            (table, name): quantity.unit
            for table in found
            for name, quantity in quantities_of(schema[table], tables[table]).items()
        },
        truths={(name, n): codes for name in found for n, m in tables[name].columns.items()
                if (codes := truth_of(schema[name].column_by_name[n], m))},
    )  # fmt: skip


@dataclass
class _Rows:
    """The rows of a table, batch by batch, and their keys at the end."""

    count: int = 0
    numbers: dict[str, list[Float64]] = field(default_factory=dict)
    codes: dict[str, list[npt.NDArray[np.integer]]] = field(default_factory=dict)
    keys: dict[tuple[str, ...], UInt64] = field(default_factory=dict)
    references: dict[ForeignKey, tuple[UInt64, npt.NDArray[np.bool_]]] = field(default_factory=dict)


def _tables_of(rules: Iterable[Rule]) -> list[str]:
    found = {rule.table for rule in rules} | {p[0] for rule in rules for p in rule.places}
    found |= {name for rule in rules for key in rule.keys for name in (key.child, key.parent)}
    return sorted(found)


def _read(
    database: Database, table: Table, facts: TableFacts, rules: Iterable[Rule],
    keys: tuple[ForeignKey, ...],
) -> _Rows:  # fmt: skip
    rows = _Rows(database.count_rows(table))
    places = {place[1] for rule in rules for place in rule.places if place[0] == table.name}
    quantities = {n: q for n, q in quantities_of(table, facts).items() if n in places}
    codecs = {
        n: as_shown(c) for n, m in facts.columns.items() if n in places and (c := codec_of(m))
    }
    texts = _compared(table.name, rules) - set(quantities) - set(codecs)
    mine = {key: key.columns for key in keys if key.child == table.name}
    theirs = {key.parent_columns for key in keys if key.parent == table.name}
    hashed: dict[tuple[str, ...], list[tuple[UInt64, npt.NDArray[np.bool_]]]] = {
        columns: [] for columns in {*mine.values(), *theirs, *((name,) for name in texts)}
    }
    names = sorted({*quantities, *codecs, *(name for columns in hashed for name in columns)})
    for batch in database.read(table, names) if names and rows.count else ():
        columns = {name: batch.column(i) for i, name in enumerate(names)}
        _add(rows, columns, quantities, codecs)
        for group, parts in hashed.items():
            parts.append(hash_keys([columns[name] for name in group]))
    for name in quantities:
        rows.numbers.setdefault(name, [])
    for name in texts:
        rows.codes[name] = [_told_apart(*_both(hashed[(name,)]))]
    for key, group in mine.items():
        rows.references[key] = _both(hashed[group])
    for group in theirs:
        hashes, complete = _both(hashed[group])
        rows.keys[group] = np.where(complete, hashes, np.uint64(0))
    return rows


def _add(
    rows: _Rows,
    columns: Mapping[str, pa.Array],
    quantities: Mapping[str, Quantity],
    codecs: Mapping[str, Codec],
) -> None:
    for name, quantity in quantities.items():
        rows.numbers.setdefault(name, []).append(quantity.numbers(columns[name]))
    for name, codec in codecs.items():
        if name not in quantities:
            rows.codes.setdefault(name, []).append(codec.encode(columns[name]))


def _compared(table: str, rules: Iterable[Rule]) -> set[str]:
    """Columns that rules compare and no more, so that any code for each value will do."""
    return {
        name for rule in rules
        if isinstance(rule, Follows) or (isinstance(rule, Within) and not rule.rank)
        for owner, name in rule.places if owner == table
    }  # fmt: skip


def _told_apart(hashes: UInt64, complete: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """A code for each value, 0 for NULL."""
    _, found = np.unique(hashes, return_inverse=True)
    return np.where(complete, found + 1, 0)


def _both(
    parts: list[tuple[UInt64, npt.NDArray[np.bool_]]],
) -> tuple[UInt64, npt.NDArray[np.bool_]]:
    if not parts:
        return np.zeros(0, np.uint64), np.zeros(0, bool)
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _joined(parts: list[npt.NDArray]) -> npt.NDArray:  # type: ignore[type-arg]  # of either sort
    return np.concatenate(parts) if parts else np.zeros(0)
