"""dbsynth clone."""

from __future__ import annotations

from pathlib import Path

import click

import dbsynth
from dbsynth.cli import options, output
from dbsynth.errors import SpecError


@click.command()
@click.argument("source")
@click.argument("target", required=False)
@options.spec_option
@options.build_options
@options.explain_option
@options.strict_option
@options.engine_option
@options.json_option
@options.quiet_option
def clone(
    source: str, target: str | None, spec_path: Path | None, scale: float | None, seed: int | None,
    replace: bool, processes: int, explain: bool, strict: str | None, engine: str | None,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Build a synthetic clone of SOURCE and make it TARGET.

    SOURCE is a URL, or a spec file that names one (and TARGET too, where it is left out). The clone
    is built beside the target, verified, and put in place in one step. See `dbsynth plan` for what
    it would do.

    Example: dbsynth clone postgresql://me@prod/shop sqlite:///clone.db
    """
    url, spec = options.source_and_spec(
        source,
        spec_path,
        target=target,
        scale=scale,
        seed=seed,
        engine=engine,
        on_broken_rule=strict,
    )
    if not spec.target:
        raise SpecError("no target is given", hint="name a URL, or set `target` in the spec")
    with options.progress(quiet=quiet) as shown:
        report = dbsynth.clone(
            url,
            spec.target,
            spec=spec,
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
