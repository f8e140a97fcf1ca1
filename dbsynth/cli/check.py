"""dbsynth check."""

from __future__ import annotations

import click

import dbsynth
from dbsynth.cli import options, output
from dbsynth.errors import VerificationFailed
from dbsynth.plural import counted, do


@click.command()
@click.argument("target")
@options.json_option
def check(target: str, as_json: bool) -> None:
    """Verify that every key and constraint of TARGET holds, by queries alone.

    Nothing is written. The exit code is 1 where a constraint does not hold.

    Example: dbsynth check postgresql://me@staging/shop
    """
    report = dbsynth.check(target)
    if as_json:
        output.put_json(report.to_json())
    failed = output.failures(report)
    if not as_json:
        for line in [*failed, *(f"note: {output.plain(note)}" for note in report.notes)]:
            output.put(line)
        passed = len(report.findings) - len(failed)
        output.put(f"{counted(passed, 'check')} passed, {len(failed)} failed")
    if failed and as_json:  # the object above has said it
        raise click.exceptions.Exit(VerificationFailed.exit_code)
    if failed:
        raise VerificationFailed(
            f"{counted(len(failed), 'constraint')} {do(len(failed), 'do')} not hold",
            hint="mend the rows that the list names",
        )
