"""Writes cli.md beside itself: the help of every command, so that the page cannot go stale."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.testing import CliRunner

from dbsynth.cli import main

PAGE = Path(__file__).with_name("cli.md")


def page() -> str:
    """The reference of the command line in Markdown."""
    runner = CliRunner()

    def section(*path: str) -> str:
        shown = runner.invoke(main, [*path, "--help"], prog_name="dbsynth", terminal_width=88)
        return f"## {' '.join(('dbsynth', *path))}\n\n```\n{shown.output.rstrip()}\n```\n"

    commands = main.list_commands(click.Context(main)) if isinstance(main, click.Group) else []
    sections = [section(), *(section(name) for name in commands)]
    return "# Command line\n\nWritten by `make docs` from the help texts.\n\n" + "\n".join(sections)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page() and "docs/cli.md is stale: make docs")
    PAGE.write_text(page(), encoding="utf-8")
