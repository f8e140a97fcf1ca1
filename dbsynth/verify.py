"""Proof that a clone holds what the schema promises.

No SQL here: a `Database` is asked counted questions.  Where the server itself validated keys and
constraints when it added them, its word is the proof, and only the rest is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dbsynth.databases.base import Database
from dbsynth.model import Model
from dbsynth.outline.masking import breakers
from dbsynth.plural import counted, do
from dbsynth.report import Finding, Status
from dbsynth.schema import Schema, Table
from dbsynth.views import read_view


def verify_constraints(database: Database, tables: Iterable[Table]) -> Iterator[Finding]:
    """Ask for the offenders of every key, NOT NULL, UNIQUE and CHECK."""
    for table in tables:
        for fk in table.foreign_keys:
            yield _found("foreign key", str(fk), database.count_orphans(fk), "orphan")
        for key in table.keys:
            name = f"{table.name}({', '.join(key.columns)})"
            yield _found("unique", name, database.count_duplicates(table, key), "duplicate")
        for column in table.columns:
            if not column.nullable:
                name = f"{table.name}.{column.name}"
                yield _found("not null", name, database.count_nulls(table, column.name), "null")
        for check in table.checks:
            count = database.count_failing(table, check)
            yield _found("check", f"{table.name}.{check.name}", count, "failing row")


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
            "rows",
            table.name,
            status,
            f"{counted(count, 'row')}, {wanted:,} expected",
            abs(count - wanted),
        )


def verify_rules(database: Database, model: Model, *, strict: bool = False) -> Iterator[Finding]:
    """Count the rows that break each rule that was to be kept.

    A broken rule is a note: constraints stand above rules, and so do real rows.

    Args:
        strict: Whether it is a failure, where no real rows break it.
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
        held = f"{counted(cases.of, 'row')} {do(cases.of, 'hold')} it"
        detail = f"{broken} of {cases.of} rows {do(broken, 'break')} it" if broken else held
        real = breakers(model.schema, model.tables, rule) if broken else ()
        if real:
            detail += f", as rows of {', '.join(real)} are real"
        noted = Status.FAILED if strict and not real else Status.NOTE
        status = noted if broken else Status.PASSED
        yield Finding("rule", str(rule), status, detail, broken)


def _found(check: str, subject: str, count: int, what: str) -> Finding:
    status = Status.FAILED if count else Status.PASSED
    return Finding(check, subject, status, counted(count, what) if count else "", count)
