"""dbsynth clone."""

from __future__ import annotations

from pathlib import Path

import click

from dbsynth import pipeline
from dbsynth.cli import options, output


@click.command(short_help="Build a synthetic clone of a database.")
@click.argument("source")
@click.argument("target")
@options.spec_option
@options.build_options
@options.engine_option
@options.json_option
@options.quiet_option
def clone(
    source: str, target: str, spec_path: Path | None, scale: float | None, seed: int | None,
    replace: bool, processes: int, engine: str | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Build a synthetic clone of SOURCE and make it TARGET.

    The clone is built beside the target, verified, and put in place in one step.

    Example: dbsynth clone postgresql://reader@prod/shop postgresql://me@staging/shop --replace
    """
    spec = options.read_spec(spec_path, scale=scale, seed=seed, engine=engine)
    with options.progress(quiet=quiet) as shown:
        report = pipeline.clone(
            source, target, spec=spec, replace=replace, processes=processes, progress=shown
        )
    if as_json:
        output.put_json(report.to_json())
    else:
        output.put(output.report_text(report))
