"""The gate: before a clone is published, it is searched for what is real.

`examine` reads the source and the clone and yields a finding for all that it has looked at.
Nothing of the source is held but salted hashes, and of these so many at a time.  What the gate
cannot read is an error, which ends the run like a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbsynth.codec import k_threshold
from dbsynth.databases.base import Database
from dbsynth.gate.explain import part_of
from dbsynth.gate.gather import Held, gathered
from dbsynth.gate.judge import Judge, Verdict
from dbsynth.gate.rare import Holders
from dbsynth.gate.rows import Fingerprints, compared, shares
from dbsynth.gate.search import Search
from dbsynth.gate.structure import search_structure
from dbsynth.gate.subjects import Subject, subjects_of
from dbsynth.gate.table import MOST
from dbsynth.gate.watch import Watcher, in_order, show
from dbsynth.model import Model
from dbsynth.plural import do
from dbsynth.report import Finding, Status
from dbsynth.schema import Table

__all__ = ["SEARCHES", "examine"]

SEARCHES = ("leak", "rare")  # the checks of the gate


def examine(source: Database, clone: Database, model: Model, most: int = MOST) -> Iterator[Finding]:
    """Look for real values, values of too few entities, and copied rows and families.

    Source and clone are read once, the clone again where the source has more values than are held.

    Args:
        most: Values of the source that are held at a time.
    """
    share, subjects = shares(model, clone), subjects_of(model)
    holders, real = Holders(model), Fingerprints(model, share, real=True)
    synthetic: list[Fingerprints] = []
    said: dict[str, Finding] = {}
    verdicts: dict[tuple[str, tuple[str, ...]], Verdict] = {}
    for held in gathered(source, model, subjects, most, (holders, real)):
        watchers = [] if synthetic else [Fingerprints(model, share, real=False)]
        synthetic += watchers
        for table in in_order(model):
            for names, verdict in _searched(clone, model, table, subjects, held, watchers):
                place = table.name, names
                verdicts[place] = verdicts[place] | verdict if place in verdicts else verdict
        for finding in search_structure(model, clone.capabilities.kind, subjects, held):
            said[finding.subject] = finding
    yield from said.values()
    for (table_name, names), verdict in verdicts.items():
        yield _finding(model, table_name, names, verdict)
    yield from holders.findings()
    yield from compared(real, synthetic[0])


def _searched(
    clone: Database, model: Model, table: Table, subjects: Sequence[Subject], held: Held,
    watchers: Sequence[Watcher],
) -> Iterator[tuple[tuple[str, ...], Verdict]]:  # fmt: skip
    """The verdicts on the columns of one table of a clone."""
    whole = {s.columns: i for i, s in _of(subjects, table.name).items() if s.part is None}
    k = k_threshold(model.tables[table.name].rows)
    shared = {names: 0 if subjects[i].direct else k for names, i in whole.items()}
    search = Search(table, held, whole, shared)
    show(clone, table, [search, *watchers])
    judge = Judge(clone, model, subjects, held, whole)
    for names, column in search.work.items():
        yield names, judge.verdict(table, names, column.found)


def _of(subjects: Sequence[Subject], table: str) -> dict[int, Subject]:
    return {i: subject for i, subject in enumerate(subjects) if subject.table == table}


def _finding(model: Model, table: str, names: tuple[str, ...], verdict: Verdict) -> Finding:
    subject = f"{table}.{'+'.join(names)}"
    if not verdict.real:
        return Finding("leak", subject, Status.PASSED, "no real value")
    detail = f"{verdict.real} of {verdict.rows} values {do(verdict.real, 'are')} real"
    others = sorted(verdict.of - {subject})
    if others:
        detail += f" (values of {', '.join(others[:3])})"
    if not verdict.leaks:
        detail += ", no more than chance"
        return Finding("leak", subject, Status.NOTE, detail, verdict.real)
    why = part_of(model, table, names)
    return Finding("leak", subject, Status.FAILED, detail, verdict.real, why)
