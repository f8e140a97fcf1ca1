"""Proof that a clone holds what the schema promises.

No SQL here: a `Database` is asked counted questions.  Where the server itself validated keys and
constraints when it added them, its word is the proof, and only the rest is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Role
from dbsynth.codec import as_text
from dbsynth.databases.base import Database
from dbsynth.keys import hash_keys
from dbsynth.model import NAME_PARTS, Model, TableFacts, name_parts
from dbsynth.report import Finding, Status
from dbsynth.schema import Kind, Schema, Table

_SHORTEST = 4  # shorter texts say too little to be a leak
_NONE = np.zeros(0, np.uint64)


def verify_constraints(database: Database, tables: Iterable[Table]) -> Iterator[Finding]:
    """Ask for the offenders of every key, NOT NULL, UNIQUE and CHECK."""
    for table in tables:
        for fk in table.foreign_keys:
            yield _found("foreign key", str(fk), database.count_orphans(fk), "orphans")
        for key in table.keys:
            name = f"{table.name}({', '.join(key.columns)})"
            yield _found("unique", name, database.count_duplicates(table, key), "duplicates")
        for column in table.columns:
            if not column.nullable:
                name = f"{table.name}.{column.name}"
                yield _found("not null", name, database.count_nulls(table, column.name), "nulls")
        for check in table.checks:
            count = database.count_failing(table, check)
            yield _found("check", f"{table.name}.{check.name}", count, "rows fail")


def proven(tables: Iterable[Table]) -> Iterator[Finding]:
    """The same, for a server that has just validated everything itself."""
    for table in tables:
        amount = (
            len(table.foreign_keys) + len(table.keys) + len(table.checks)
            + sum(not column.nullable for column in table.columns)
        )  # fmt: skip
        yield Finding("constraints", table.name, Status.PASSED, f"{amount} proved by the database")


def verify_rows(database: Database, schema: Schema, expected: Mapping[str, int]) -> Iterator[Finding]:
    """Compare the rows of every table with what was to be loaded."""
    for table in schema.tables:
        count, wanted = database.count_rows(table), expected[table.name]
        status = Status.PASSED if count == wanted else Status.FAILED
        yield Finding("rows", table.name, status, f"{count} rows, {wanted} expected", abs(count - wanted))


def verify_leaks(source: Database, clone: Database, model: Model) -> Iterator[Finding]:
    """Look for real values in the columns of direct identifiers and texts.

    Values are compared as salted hashes, streamed, letter case and outer blanks ignored.  Parts of a
    person's name come from a vocabulary that any real name may be in, so they are judged together.
    """
    for table in model.schema.tables:
        facts = model.tables[table.name]
        if facts.strategy != "synthesize" or not facts.rows:
            continue
        for subject in _subjects(facts, table):
            yield _leaks(source, clone, table, subject)


def _subjects(facts: TableFacts, table: Table) -> Iterator[tuple[str, ...]]:
    """The columns to test, parts of one name together."""
    parts = name_parts(facts)
    if len(parts) > 1:
        yield parts
    for name, model in facts.columns.items():
        drawn = model.provided is not None and model.decision.role is Role.IDENTIFIER
        numeric = table.column_by_name[name].kind in (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
        if drawn and not numeric and name not in table.foreign_columns():
            if model.decision.provider not in NAME_PARTS:
                yield (name,)


def _leaks(source: Database, clone: Database, table: Table, columns: Sequence[str]) -> Finding:
    real = np.unique(np.concatenate([_NONE, *(_hashes(b) for b in source.read(table, columns))]))
    shared = sum(int(np.isin(_hashes(b), real).sum()) for b in clone.read(table, columns))
    status = Status.FAILED if shared else Status.PASSED
    detail = f"{shared} real values" if shared else "no real value"
    return Finding("leak", f"{table.name}.{'+'.join(columns)}", status, detail, shared)


def _hashes(batch: pa.RecordBatch) -> npt.NDArray[np.uint64]:
    """Hashes of the tuples without NULL that are long enough to say something."""
    texts = [pc.utf8_trim_whitespace(pc.utf8_lower(as_text(column))) for column in batch.columns]
    hashes, complete = hash_keys(texts)
    length = sum(pc.fill_null(pc.utf8_length(text), 0).to_numpy(zero_copy_only=False) for text in texts)
    return hashes[complete & (np.asarray(length) >= _SHORTEST)]


def _found(check: str, subject: str, count: int, what: str) -> Finding:
    status = Status.FAILED if count else Status.PASSED
    return Finding(check, subject, status, f"{count} {what}" if count else "", count)
