"""What people and programs see: results on stdout, talk on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from dbsynth.report import Report, Status

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """A text without control characters: names come from a database and may hold anything."""
    return _CONTROL.sub("?", text)


def say(text: str) -> None:
    """A line of talk."""
    click.echo(plain(text), err=True)


def put(text: str) -> None:
    """A line of result."""
    click.echo(text)


def put_json(value: Any) -> None:
    """The one JSON object of a command."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Columns of text; those in ``right`` are aligned to the right."""
    lines = [list(header), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(widths[i]) if i in right else cell.ljust(widths[i]) for i, cell in enumerate(line)
        ).rstrip()
        for line in lines
    )


def report_text(report: Report) -> str:
    """A report for people."""
    rows = [
        (t.name, t.strategy, f"{t.real_rows:,}", f"{t.synthetic_rows:,}", t.reason) for t in report.tables
    ]
    parts = [table(("table", "strategy", "real", "synthetic", "why"), rows, frozenset({2, 3}))]
    passed = sum(f.status is Status.PASSED for f in report.findings)
    failed = [f for f in report.findings if f.status is Status.FAILED]
    parts += [f"FAILED  {f.check} {plain(f.subject)}: {plain(f.detail)}" for f in failed]
    parts += [f"lost: {plain(loss)}" for loss in report.losses]
    parts += [f"note: {plain(note)}" for note in report.notes]
    seconds = ", ".join(f"{name} {taken:.1f} s" for name, taken in report.timings.items())
    parts.append(f"{passed} checks passed, {len(failed)} failed. {seconds}")
    return "\n".join(parts)


class Bars:
    """Progress on a terminal: one bar, replaced from step to step, shown after a second."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<32}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None
        self._progress.start()

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(plain(name).replace("[", "("), total=total)

    def advance(self, amount: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.advance(self._task, amount)

    def done(self) -> None:
        """Take the bar away."""
        self._progress.stop()


class Lines:
    """Progress where stderr is no terminal: silence, so that logs stay short."""

    def step(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, amount: int) -> None:
        """Say nothing."""

    def done(self) -> None:
        """Say nothing."""


def progress_for(*, wanted: bool) -> Bars | Lines:
    """Bars on a terminal, silence elsewhere."""
    return Bars() if wanted and sys.stderr.isatty() else Lines()
