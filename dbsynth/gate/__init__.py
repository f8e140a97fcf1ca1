"""The gate: before a clone is published, it is searched for what is real.

`examine` reads the source and the clone and yields a finding for all that it has looked at.
Nothing of the source is held but salted hashes, and of these so many at a time.  What the gate
cannot read is an error, which ends the run like a finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from dbsynth.codec import k_threshold
from dbsynth.databases.base import Database
from dbsynth.gate.explain import part_of
from dbsynth.gate.gather import gathered
from dbsynth.gate.judge import Judge, Verdict
from dbsynth.gate.rare import search_rare
from dbsynth.gate.rows import search_rows
from dbsynth.gate.search import search
from dbsynth.gate.structure import search_structure
from dbsynth.gate.subjects import Subject, subjects_of
from dbsynth.gate.table import MOST
from dbsynth.model import Model
from dbsynth.report import Finding, Status

__all__ = ["examine"]


def examine(source: Database, clone: Database, model: Model) -> Iterator[Finding]:
    """Look for real values, values of too few entities, and copied rows and families."""
    yield from search_leaks(source, clone, model)
    yield from search_rare(source, model)
    yield from search_rows(source, clone, model)


def search_leaks(
    source: Database, clone: Database, model: Model, most: int = MOST
) -> Iterator[Finding]:
    """Look for real values in all columns of a clone, and in its structure.

    Args:
        most: Values of the source that are held at a time.
    """
    subjects = subjects_of(model)
    said: dict[str, Finding] = {}
    verdicts: dict[tuple[str, tuple[str, ...]], Verdict] = {}
    for held in gathered(source, model, subjects, most):
        for table in model.schema.tables:
            whole = {s.columns: i for i, s in _of(subjects, table.name).items() if s.part is None}
            k = k_threshold(model.tables[table.name].rows)
            shared = {names: 0 if subjects[i].direct else k for names, i in whole.items()}
            judge = Judge(clone, model, subjects, held, whole)
            for names, found in search(clone, table, held, whole, shared).items():
                verdict, place = judge.verdict(table, names, found), (table.name, names)
                verdicts[place] = verdicts[place] | verdict if place in verdicts else verdict
        for finding in search_structure(model, clone.capabilities.kind, subjects, held):
            said[finding.subject] = finding
    yield from said.values()
    for (table_name, names), verdict in verdicts.items():
        yield _finding(model, table_name, names, verdict)


def _of(subjects: tuple[Subject, ...], table: str) -> dict[int, Subject]:
    return {i: subject for i, subject in enumerate(subjects) if subject.table == table}


def _finding(model: Model, table: str, names: tuple[str, ...], verdict: Verdict) -> Finding:
    subject = f"{table}.{'+'.join(names)}"
    if not verdict.real:
        return Finding("leak", subject, Status.PASSED, "no real value")
    detail = f"{verdict.real} of {verdict.rows} values are real"
    others = sorted(verdict.of - {subject})
    if others:
        detail += f" (values of {', '.join(others[:3])})"
    if not verdict.leaks:
        detail += ", no more than chance"
        return Finding("leak", subject, Status.NOTE, detail, verdict.real)
    why = part_of(model, table, names)
    return Finding("leak", subject, Status.FAILED, detail, verdict.real, why)
