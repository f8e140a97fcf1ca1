"""dbsynth schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dbsynth.cli import output
from dbsynth.files import write_text


@click.command()
@click.option("-o", "--output", "path", type=click.Path(path_type=Path),
              help="Where it goes; without it to stdout.")  # fmt: skip
def schema(path: Path | None) -> None:
    """Print the JSON schema of the spec file, from which editors complete and check it.

    The first line of a file that `dbsynth init` wrote names it.

    Example: dbsynth schema -o dbsynth.schema.json
    """
    text = json.dumps(document(), indent=1, ensure_ascii=False)
    if path is None:
        output.put(text)
        return
    write_text(path, text + "\n")
    output.put(f"{path}: for editors of dbsynth.yaml")


def document() -> dict[str, Any]:
    """The JSON schema of a spec file."""
    from dbsynth.spec import spec_shape  # only this command needs it

    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "dbsynth.yaml",
        **spec_shape().schema(),
        "type": "object",
    }
