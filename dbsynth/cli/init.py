"""dbsynth init."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

import dbsynth
from dbsynth.cli import options, output
from dbsynth.databases.url import display, parse_url
from dbsynth.errors import SpecError

if TYPE_CHECKING:
    from dbsynth.outline import Outline


@click.command()
@click.argument("source")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), default="dbsynth.yaml",
              show_default=True, help="Where the spec goes; - for stdout.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@options.quiet_option
def init(source: str, path: Path, force: bool, quiet: bool) -> None:
    """Write a spec with the proposed decision on every table and column of SOURCE.

    Review it, change what is wrong, keep it in git.  It holds no password and no value.

    Example: dbsynth init postgresql://reader@prod/shop -o dbsynth.yaml
    """
    if str(path) != "-" and path.exists() and not force:
        raise SpecError(f"`{path}` exists", hint="give another name with -o, or --force")
    with options.progress(quiet=quiet) as shown:
        outline = dbsynth.plan(source, progress=shown)
    shown_source = display(parse_url(source)).replace("***", "${DBSYNTH_PASSWORD}")
    text = spec_text(outline, shown_source)
    if str(path) == "-":
        output.put(text.rstrip("\n"))
        return
    path.write_text(text, encoding="utf-8")
    output.put(f"{path}: {len(outline.tables)} tables. Next: review it, then dbsynth plan {path}")


def spec_text(outline: Outline, source: str) -> str:
    """The spec as YAML, a line per column with the reason as a comment."""
    lines = [
        "# What dbsynth does with every table and column. Review, change, keep in git.",
        "# Behind a colon: what invents the values of the column. Comments say why.",
        "# ${NAME} is replaced from the environment, as for passwords.",
        f"source: {_scalar(source)}",
        "# target: postgresql://me@staging/shop",
        "engine: relational",
        "scale: 1.0",
        "seed: 0",
        "on_new: synthesize  # or stop: refuse tables and columns that are not listed here",
        "tables:" if outline.tables else "tables: {}",
    ]
    for name, facts in outline.tables.items():
        lines += [
            f"  {_scalar(name)}:",
            f"    strategy: {facts.strategy}  # {_comment(facts.reason)}",
        ]
        if facts.columns:
            lines.append("    columns:")
        for column, model in facts.columns.items():
            decision = model.decision
            what = decision.role.value + (f":{decision.provider}" if decision.provider else "")
            lines.append(f"      {_scalar(column)}: {what}  # {_comment(decision.reason)}")
    lines += [
        "# What holds in the source and is kept in the clone, with the cases in which it held.",
        "# Delete a line to strike a rule, add one to declare it. Without the list all are kept.",
        "rules:" if outline.rules else "rules: []",
    ]
    lines += [f"  - {_sentence(str(k.rule))}  # held in {k.support}" for k in outline.rules]
    return "\n".join(lines) + "\n"


def _scalar(text: str) -> str:
    """A text as YAML reads it back: in double quotes where it would be taken for something else."""
    style = '"' if _odd(text) else None
    return str(yaml.safe_dump(text, default_style=style, allow_unicode=True, width=math.inf)).split(
        "\n"
    )[0]


def _sentence(text: str) -> str:
    """A rule as YAML reads it back: in single quotes, as names in it may be in double ones."""
    plain = "'" + text.replace("'", "''") + "'"
    return plain if text.isprintable() else _scalar(text)


def _odd(text: str) -> bool:
    simple = text.replace("_", "").replace(".", "").isalnum()
    return not simple or not text.isprintable() or yaml.safe_load(text) != text


def _comment(text: str) -> str:
    return output.plain(text)
