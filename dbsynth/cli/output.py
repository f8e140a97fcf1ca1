"""What people and programs see: results on stdout, talk on stderr."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from dbsynth.plural import counted
from dbsynth.report import Report, Status, Steered

_NARROWEST = 60
_MOST_EFFECTS = 8


def plain(text: str) -> str:
    """A text of printable characters: names come from a database and may hold anything."""
    return "".join(character if character.isprintable() else "?" for character in text)


def say(text: str) -> None:
    """A line of talk."""
    click.echo(plain(text), err=True)


def put(text: str) -> None:
    """Lines of result."""
    click.echo("\n".join(plain(line) for line in text.split("\n")))


def put_json(value: Any) -> None:
    """The one JSON object of a command; what does not print is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    click.echo("".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text))


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def put_error(kind: str, message: str, *, hint: str = "", exit_code: int = 1) -> None:
    """The one JSON object of a command that failed."""
    error = {"kind": kind, "message": message, "hint": hint, "exit_code": exit_code}
    put_json({"ok": False, "error": error})


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[int] = frozenset()
) -> str:
    """Columns of text; those in ``right`` are aligned to the right.

    On a terminal a line too long for it is cut: the last column is the least important.
    """
    lines = [list(header), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        fitted(
            "  ".join(
                cell.rjust(widths[i]) if i in right else cell.ljust(widths[i])
                for i, cell in enumerate(line)
            ).rstrip()
        )
        for line in lines
    )


def fitted(line: str) -> str:
    """A line cut to the width of the terminal; whole where stdout is none."""
    if not sys.stdout.isatty():
        return line
    width = max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST)
    return line if len(line) <= width else line[: width - 3].rstrip() + "..."


def failures(report: Report) -> list[str]:
    """The failed checks of a report, a line each."""
    return _told(report, Status.FAILED)


def _told(report: Report, status: Status) -> list[str]:
    """The checks of one outcome, a line each."""
    return [
        plain(f"{status.name}  {finding.check} {finding.subject}: {finding.detail}")
        for finding in report.findings
        if finding.status is status
    ]


def report_text(report: Report) -> str:
    """A report for people."""
    rows = [
        (t.name, t.strategy, f"{t.real_rows:,}", f"{t.synthetic_rows:,}", t.reason)
        for t in report.tables
    ]
    parts = [table(("table", "strategy", "real", "synthetic", "why"), rows, frozenset({2, 3}))]
    for steered in report.steering:
        parts += ["", *_steered(steered), ""]
    failed, accepted = failures(report), _told(report, Status.ACCEPTED)
    parts += failed + accepted
    broken = {
        f.subject: f.detail for f in report.findings
        if f.check == "rule" and f.status is Status.NOTE
    }  # fmt: skip
    for rule, support in report.rules:
        outcome = broken.get(rule, "kept")
        parts.append(plain(f"rule: {rule} (held in {support}): {outcome}"))
    parts += [f"lost: {plain(loss)}" for loss in report.losses]
    parts += [f"note: {plain(note)}" for note in report.notes]
    passed = sum(finding.status is Status.PASSED for finding in report.findings)
    made = sum(t.synthetic_rows for t in report.tables)
    answered = f", {len(accepted)} accepted" if accepted else ""
    rules = f", {counted(len(broken), 'rule')} not kept" if broken else ""
    parts.append(
        f"{counted(len(rows), 'table')}, {counted(made, 'row')};"
        f" {counted(passed, 'check')} passed, {len(failed)} failed{answered}{rules}"
    )
    parts.append("seconds: " + timings_text(report.timings.items()))
    return "\n".join(parts)


def _steered(steered: Steered) -> Iterator[str]:
    """What became of one wish: its rates, and what it did to the columns that it moved most."""
    header = (steered.kind, "wanted", "source", "without", "now")
    rows = [
        (rate.name, *map(_number, (rate.wanted, rate.source, rate.without, rate.got)))
        for rate in steered.rates
    ]
    yield plain(f"{steered.kind} of {steered.subject}")
    yield table(header, rows, frozenset({1, 2, 3, 4}))
    moved = steered.effects[:_MOST_EFFECTS]
    if moved:
        titles = ("moved along", "moved", "in the classes", "by chance")
        cells = [
            (e.column, f"{e.overall:.3f}", f"{e.within:.3f}", f"{e.by_chance:.3f}") for e in moved
        ]
        yield table(titles, cells, frozenset({1, 2, 3}))
    more = len(steered.effects) - len(moved)
    if more > 0:
        yield f"{more} other columns moved by {steered.effects[_MOST_EFFECTS].overall:.3f} or less"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value == int(value) and value > 1 else f"{value:.4f}"


def timings_text(timings: Iterable[tuple[str, float]]) -> str:
    """Seconds per step, in a line."""
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in timings)
