"""dbsynth diff."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import dbsynth
from dbsynth.cli import options, output

if TYPE_CHECKING:
    from dbsynth.outline import Outline
    from dbsynth.spec.drift import Change


_UNRECORDED = (
    "The spec records no constraints, so that these are not compared; with a line"
    " `constraints: []` in it `dbsynth init --update` records them"
)


@click.command()
@click.argument("spec_path", metavar="SPEC", type=click.Path(path_type=Path))
@click.argument("source", required=False)
@options.json_option
@options.quiet_option
@click.pass_context
def diff(
    context: click.Context, spec_path: Path, source: str | None, as_json: bool, quiet: bool
) -> None:
    """List what changed in SOURCE since SPEC was written, and the lines that cover it.

    Tables, columns, types, keys, CHECKs and labels of enumerations are compared.

    Without SOURCE the database that the spec names.  The exit code is 1 where there is any
    difference, else 0.  `dbsynth init --update` brings the lines into the file.

    Example: dbsynth diff dbsynth.yaml
    """
    if source is None:
        url, spec = options.source_and_spec(str(spec_path), None, without=("target",))
    else:
        url, spec = options.source_and_spec(source, spec_path, without=("target",))
    with options.progress(quiet=quiet) as shown:
        changes, outline = dbsynth.review(url, spec=spec, progress=shown)
    lines = _lines(changes, outline, spec)
    if as_json:
        output.put_json(_json(changes, lines))
    else:
        output.put(_text(changes, lines, spec_path))
        if spec.constraints is None:
            output.put(_UNRECORDED)
    context.exit(1 if changes else 0)


def _json(changes: Sequence[Change], lines: Sequence[str]) -> dict[str, Any]:
    found = [change.to_json() for change in changes]
    return {"ok": not found, "changes": found, "lines": list(lines)}


def _text(changes: Sequence[Change], lines: Sequence[str], path: Path) -> str:
    if not changes:
        return f"{path} covers the source"
    parts = [output.plain(f"{c.kind} {c.what}: {c.message}") for c in changes]
    if lines:
        parts += ["", "Lines that cover what is new or changed:", "", *lines]
    return "\n".join([*parts, "", f"Next: dbsynth init --update -o {path}, and review it"])


def _lines(changes: Sequence[Change], outline: Outline, spec: dbsynth.Spec) -> list[str]:
    """The lines of a spec for what is new, and for columns of another type."""
    # Here, because it needs all of the library, and `dbsynth diff --help` none of it.
    from dbsynth.authoring.writing import STEP, column_line, constraint_line, table_lines
    from dbsynth.spec.constraints import stated

    found: list[str] = []
    reviewed = [c for c in changes if c.what != "constraint" and c.kind in ("added", "retyped")]
    for name in dict.fromkeys(c.table for c in reviewed):
        mine = [c for c in reviewed if c.table == name]
        table, facts = outline.schema[name], outline.tables[name]
        if any(c.what == "table" for c in mine):
            found += table_lines(table, facts, STEP)
            continue
        columns = [c.column for c in mine if c.what == "column" and c.column in facts.columns]
        if columns:
            head = table_lines(table, facts, STEP)
            found += [head[0], f"{2 * STEP}columns:"]
            found += [column_line(table, facts, str(name), 3 * STEP) for name in columns]
    found = ["tables:", *found] if found else []
    if spec.constraints is not None:
        new = [text for text in stated(outline.declared) if text not in spec.constraints]
        found += ["constraints:", *(constraint_line(text, STEP) for text in new)] if new else []
    return found
