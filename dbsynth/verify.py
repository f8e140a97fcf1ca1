"""Proof that a clone holds what the schema promises.

No SQL here: a `Database` is asked counted questions.  Where the server itself validated keys and
constraints when it added them, its word is the proof, and only the rest is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Role
from dbsynth.codec import as_text
from dbsynth.databases.base import Database
from dbsynth.keys import hash_keys
from dbsynth.model import NAME_PARTS, Model, TableFacts, name_parts
from dbsynth.randomness import UInt64
from dbsynth.report import Finding, Status
from dbsynth.schema import Kind, Schema, Table
from dbsynth.unreviewed import unreviewed
from dbsynth.views import read_view

_SHORTEST = 4  # shorter texts say too little to be a leak
_SMALLEST = 100_000  # numbers below have fewer than six digits
_FEWEST = 20  # fewer distinct values cannot be called near-unique
_NEAR_UNIQUE = 0.5
_TOLERATED = 0.01  # of the values that are no direct identifiers
_MOST_HASHES = 20_000_000  # held at a time
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
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


def verify_rows(
    database: Database, schema: Schema, expected: Mapping[str, int]
) -> Iterator[Finding]:
    """Compare the rows of every table with what was to be loaded."""
    for table in schema.tables:
        count, wanted = database.count_rows(table), expected[table.name]
        status = Status.PASSED if count == wanted else Status.FAILED
        yield Finding(
            "rows", table.name, status, f"{count} rows, {wanted} expected", abs(count - wanted)
        )


def verify_rules(database: Database, model: Model) -> Iterator[Finding]:
    """Count the rows that break each rule that was to be kept.

    A broken rule is a note: constraints stand above rules.
    """
    rules = [kept.rule for kept in model.rules]
    view = read_view(database, model.schema, model.tables, rules)
    for rule in rules:
        cases = rule.cases(view)
        if cases is None:
            detail = "it is about a column that is no quantity or category"
            yield Finding("rule", str(rule), Status.NOTE, detail)
            continue
        broken = cases.of - cases.held
        status = Status.NOTE if broken else Status.PASSED
        detail = f"{broken} of {cases.of} rows break it" if broken else f"{cases.of} rows hold it"
        yield Finding("rule", str(rule), status, detail, broken)


@dataclass(frozen=True, slots=True)
class _Subject:
    """Columns whose values, taken together, may identify somebody.

    Attributes:
        direct: Whether they are a direct identifier: not one real value may come back.
        number: Whether they are a number, which a blind draw may hit.
    """

    columns: tuple[str, ...]
    direct: bool
    number: bool = False


def verify_leaks(source: Database, clone: Database, model: Model) -> Iterator[Finding]:
    """Look for real values in the columns of direct identifiers, texts, documents and long numbers.

    Values are compared as salted hashes, streamed, letter case and outer blanks ignored.  Parts
    of a person's name come from a vocabulary that any real name may be in, so they are judged
    together.
    """
    for table in model.schema.tables:
        facts = model.tables[table.name]
        if facts.strategy != "synthesize" or not facts.rows:
            continue
        subjects = list(_subjects(facts, table))
        together = max(1, _MOST_HASHES // facts.rows)
        for start in range(0, len(subjects), together):
            yield from _leaks(source, clone, table, subjects[start : start + together])


def _subjects(facts: TableFacts, table: Table) -> Iterator[_Subject]:
    """What to test: all values that were drawn anew for every row."""
    parts = name_parts(facts)
    if len(parts) > 1:
        yield _Subject(parts, direct=True)
    for name, model in facts.columns.items():
        if name in table.foreign_columns() or unreviewed(model):
            continue  # of the latter no value was ever read
        kind = table.column_by_name[name].kind
        number = kind in _NUMBERS
        minted = model.mint is not None and not model.mint.dense
        if minted and (number or kind is Kind.TEXT):
            yield _Subject((name,), direct=False, number=True)
        elif (
            model.provided is not None and not number and model.decision.provider not in NAME_PARTS
        ):
            yield _Subject((name,), direct=model.decision.role is Role.IDENTIFIER)


@dataclass
class _Values:
    """Hashes of the values of a subject that are long enough to say something; a number's range."""

    hashes: list[UInt64] = field(default_factory=lambda: [_NONE])
    low: int = 2**62
    high: int = -(2**62)

    def look(self, subject: _Subject, batch: pa.RecordBatch) -> None:
        """Gather the values of a batch."""
        columns = [batch.column(name) for name in subject.columns]
        if not subject.number:
            self.hashes.append(_hashes(columns, _SHORTEST))
            return
        numbers = pc.cast(pc.round(pc.cast(columns[0], pa.float64())), pa.int64(), safe=False)
        numbers = pc.if_else(pc.greater_equal(pc.abs(numbers), _SMALLEST), numbers, None)
        limits = pc.min_max(numbers).as_py()
        if limits["min"] is not None:
            self.low, self.high = min(self.low, limits["min"]), max(self.high, limits["max"])
        self.hashes.append(_hashes([numbers], 0))


def _leaks(
    source: Database, clone: Database, table: Table, subjects: Sequence[_Subject]
) -> Iterator[Finding]:
    """The findings of subjects whose real values are more than categories."""
    real = _values(source, table, subjects)
    distinct = [np.unique(np.concatenate(found.hashes)) for found in real]
    telling = [
        place
        for place, (subject, found) in enumerate(zip(subjects, real, strict=True))
        if subject.direct
        or len(distinct[place]) >= max(_FEWEST, _NEAR_UNIQUE * sum(map(len, found.hashes)))
    ]
    drawn = _values(clone, table, [subjects[place] for place in telling])
    for place, found in zip(telling, drawn, strict=True):
        values = np.concatenate(found.hashes)
        shared = int(np.isin(values, distinct[place]).sum())
        span = max(real[place].high - real[place].low + 1, 1)
        chance = len(distinct[place]) / span if subjects[place].number else 0.0
        yield _judged(table, subjects[place], shared, len(values), chance)


def _judged(table: Table, subject: _Subject, shared: int, total: int, chance: float) -> Finding:
    failed = shared > (0 if subject.direct else max(_TOLERATED, 2 * chance) * total)
    detail = f"{shared} of {total} values are real" if shared else "no real value"
    if shared and not failed:
        detail += ", no more than chance" if subject.number else ", fewer than 1 in 100"
    status = Status.FAILED if failed else Status.NOTE if shared else Status.PASSED
    return Finding("leak", f"{table.name}.{'+'.join(subject.columns)}", status, detail, shared)


def _values(database: Database, table: Table, subjects: Sequence[_Subject]) -> list[_Values]:
    """The values of all subjects, in one pass."""
    found = [_Values() for _ in subjects]
    columns = sorted({name for subject in subjects for name in subject.columns})
    for batch in database.read(table, columns) if columns else ():
        for subject, values in zip(subjects, found, strict=True):
            values.look(subject, batch)
    return found


def _hashes(columns: Sequence[pa.Array], shortest: int) -> UInt64:
    """Hashes of the tuples without NULL that have so many characters."""
    texts = [_folded(column) for column in columns]
    hashes, complete = hash_keys(texts)
    length = sum(
        pc.fill_null(pc.utf8_length(text), 0).to_numpy(zero_copy_only=False) for text in texts
    )
    return hashes[complete & (np.asarray(length) >= shortest)]


def _folded(column: pa.Array) -> pa.Array:
    """Values as texts that are equal where a reader would take them for the same."""
    if pa.types.is_binary(column.type):
        return pl.Series(pl.from_arrow(column)).bin.encode("hex").to_arrow()
    return pc.utf8_trim_whitespace(pc.utf8_lower(as_text(column)))


def _found(check: str, subject: str, count: int, what: str) -> Finding:
    status = Status.FAILED if count else Status.PASSED
    return Finding(check, subject, status, f"{count} {what}" if count else "", count)
