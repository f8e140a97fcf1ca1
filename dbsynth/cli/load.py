"""dbsynth load."""

from __future__ import annotations

from pathlib import Path

import click

import dbsynth
from dbsynth.cli import options, output


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, help="URL of the target.")
@click.option("--source", help="URL of the source, to search the clone for its values.")
@options.spec_option
@options.build_options
@options.explain_option
@options.json_option
@options.quiet_option
def load(
    model: Path, target: str, source: str | None, spec_path: Path | None, scale: float | None,
    seed: int | None, replace: bool, processes: int, explain: bool, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Build a clone from MODEL, a file that `dbsynth fit` wrote; the source is not needed.

    Without `--source` the clone is not searched for real values, and the report says so.

    Example: dbsynth load shop.dbsynth --to postgresql://me@test/shop
    """
    spec = options.read_spec(spec_path, without=("source",), target=target, scale=scale, seed=seed)
    with options.progress(quiet=quiet) as shown:
        report = dbsynth.load(
            model,
            target,
            spec=spec,
            source=source,
            replace=replace,
            processes=processes,
            explain=explain,
            progress=shown,
        )
    if as_json:
        output.put_json(report.to_json())
    else:
        output.put(output.report_text(report))
        output.put(f"The clone is in {output.plain(report.target)}")
