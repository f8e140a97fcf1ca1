"""dbsynth init."""

from __future__ import annotations

import os
from pathlib import Path

import click

import dbsynth
from dbsynth.cli import options, output
from dbsynth.databases.url import display, parse_url
from dbsynth.errors import SpecError
from dbsynth.files import write_text
from dbsynth.plural import counted


@click.command()
@click.argument("source", required=False)
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), default="dbsynth.yaml",
              show_default=True, help="Where the spec goes; - for stdout.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("--update", is_flag=True, help="Bring what changed into an existing file.")
@options.quiet_option
def init(source: str | None, path: Path, force: bool, update: bool, quiet: bool) -> None:
    """Write a spec with the proposed decision on every table and column of SOURCE.

    Review it, change what is wrong, keep it in git.  It holds no password and no value.  With
    --update new tables and columns get their lines, those that are gone become comments, and
    everything else stays as it was written; the source is the one that the file names.

    Example: dbsynth init postgresql://reader@prod/shop -o dbsynth.yaml
    """
    if update:
        _update(source, path, quiet=quiet)
        return
    if source is None:
        raise SpecError("no source is given", hint="name a URL, or say --update")
    from dbsynth.authoring.writing import spec_text  # needs all of the library

    if str(path) != "-" and path.exists() and not force:
        raise SpecError(f"`{path}` exists", hint="give another name with -o, or --force")
    with options.progress(quiet=quiet) as shown:
        outline = dbsynth.plan(source, progress=shown)
        suggested = dbsynth.suggest_keys(source, outline)
    shown_source = display(parse_url(source)).replace("***", "${DBSYNTH_PASSWORD}")
    text = spec_text(outline, shown_source, suggested)
    if str(path) == "-":
        output.put(text.rstrip("\n"))
        return
    write_text(path, text)
    tables = counted(len(outline.tables), "table")
    output.put(f"{path}: {tables}. Next: review it, then dbsynth plan {path}")


def _update(source: str | None, path: Path, *, quiet: bool) -> None:
    """Bring what changed in the source into a file, which is written only if it changes."""
    from dbsynth.authoring.merge import merge
    from dbsynth.spec.documents import text_of  # needs all of the library

    text = text_of(path)
    said = {} if source is None else {"source": source}
    spec = dbsynth.Spec.load(path, os.environ, said=said, without=("target", *said))
    if not spec.source:
        raise SpecError("no source is given", hint="name a URL, or set `source` in the spec")
    with options.progress(quiet=quiet) as shown:
        _, outline = dbsynth.review(spec.source, spec=spec, rules=True, progress=shown)
    merged = merge(text, str(path), spec, outline)
    for change in merged.changes:
        output.put(output.plain(f"{change.kind} {change.what}: {change.message}"))
    if merged.text == text:
        output.put(f"{path}: nothing to bring in")
        return
    scratch = path.with_name(path.name + ".part")
    write_text(scratch, merged.text)
    scratch.replace(path)
    changes = counted(len(merged.changes), "change")
    output.put(f"{path}: {changes} brought in. Next: review them (git diff)")
