"""dbsynth fit."""

from __future__ import annotations

from pathlib import Path

import click

import dbsynth
from dbsynth.cli import options, output
from dbsynth.plural import counted


@click.command()
@click.argument("source", required=False)
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), default="model.dbsynth",
              show_default=True, help="Where the model goes.")  # fmt: skip
@options.spec_option
@options.seed_option
@options.engine_option
@options.json_option
@options.quiet_option
def fit(
    source: str | None, path: Path, spec_path: Path | None, seed: int | None, engine: str | None,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Fit a model of SOURCE, a URL or a spec file that names one.

    The model holds no row of a synthesised table, but it is made from real data: keep it as
    confidential as the source.

    Example: dbsynth fit postgresql://reader@prod/shop -o shop.dbsynth
    """
    url, spec = options.source_and_spec(
        source, spec_path, without=("target",), seed=seed, engine=engine
    )
    with options.progress(quiet=quiet) as shown:
        model, timings = dbsynth.fit(url, path, spec=spec, progress=shown)
    tables = [
        {"name": n, "strategy": f.strategy, "reason": f.reason, "real_rows": f.rows}
        for n, f in model.tables.items()
    ]
    if as_json:
        rounded = {name: round(seconds, 3) for name, seconds in timings.items()}
        notes = list(model.notes)
        output.put_json(
            {"ok": True, "model": str(path), "tables": tables, "timings": rounded, "notes": notes}
        )
        return
    output.put(
        f"{path}: {counted(len(tables), 'table')}; seconds: {output.timings_text(timings.items())}"
    )
    for note in model.notes:
        output.put(f"note: {output.plain(note)}")
    output.put(f"Next: dbsynth load {path} --to TARGET")
