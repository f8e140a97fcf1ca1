"""dbsynth load."""

from __future__ import annotations

from pathlib import Path

import click

import dbsynth
from dbsynth.cli import options, output
from dbsynth.errors import SpecError
from dbsynth.report import Gate

_BLIND = (
    "WARNING: NOBODY SEARCHED THIS CLONE FOR REAL VALUES, as the source was not at hand; load it"
    " with --source where it is, before the clone goes to people who may not see the source"
)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, help="URL of the target.")
@click.option("--source", help="URL of the source, to search the clone for its values.")
@click.option("--unsearched", is_flag=True, help="Go without: nobody searches the clone.")
@options.spec_option
@options.build_options
@options.explain_option
@options.strict_option
@options.json_option
@options.quiet_option
def load(
    model: Path, target: str, source: str | None, unsearched: bool, spec_path: Path | None,
    scale: float | None, seed: int | None, replace: bool, processes: int, explain: bool,
    strict: str | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Build a clone from MODEL, a file that `dbsynth fit` wrote.

    With `--source` the clone is searched for real values before it is published, as `clone` does.
    Where the source cannot be reached, `--unsearched` says that nobody looks; the report (`gate` in
    JSON) says so too. Treat such a clone like the source until `load --source` with the same model,
    spec and seed, which makes the same bytes, has passed where the source is at hand. A model of
    `engine: dp` needs neither.

    Example: dbsynth load shop.dbsynth --to postgresql://me@test/shop --source
    postgresql://reader@prod/shop
    """
    if source and unsearched:
        raise click.UsageError(
            "--source searches the clone, and --unsearched says that nobody does"
        )
    if not (source or unsearched or dbsynth.load_model(model).privacy):
        raise SpecError(
            "nobody would search the clone for real values, as no source is given",
            hint="name it with --source; where it cannot be reached say --unsearched, and keep the"
            " clone from people who may not see the source",
        )
    spec = options.read_spec(
        spec_path, without=("source",), target=target, scale=scale, seed=seed, on_broken_rule=strict
    )
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
        if report.gate is Gate.BLIND:
            output.put(_BLIND)
        output.put(f"The clone is in {output.plain(report.target)}")
