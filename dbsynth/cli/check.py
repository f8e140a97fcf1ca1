"""dbsynth check."""

from __future__ import annotations

import click

from dbsynth import pipeline
from dbsynth.cli import options, output
from dbsynth.errors import VerificationFailed
from dbsynth.report import Status


@click.command(short_help="Verify the constraints of a database.")
@click.argument("target")
@options.json_option
def check(target: str, as_json: bool) -> None:
    """Verify that every key and constraint of TARGET holds, by queries alone.

    Example: dbsynth check postgresql://me@staging/shop
    """
    report = pipeline.check(target)
    failed = [f for f in report.findings if f.status is Status.FAILED]
    if as_json:
        output.put_json(report.to_json())
    else:
        for finding in failed:
            output.put(output.plain(f"FAILED  {finding.check} {finding.subject}: {finding.detail}"))
        for note in report.notes:
            output.put(output.plain(f"note: {note}"))
        output.put(f"{len(report.findings) - len(failed)} checks passed, {len(failed)} failed")
    if failed:
        raise VerificationFailed(f"{len(failed)} constraints do not hold", hint="see the list above")
