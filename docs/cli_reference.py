"""Writes cli.md, the example of json.md and the schema of specs, so that none can go stale.

With ``--check`` nothing is written; the exit code says whether a page is stale.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import click

import dbsynth
from dbsynth.cli import COMMANDS, cli
from dbsynth.cli.schema import document

FOLDER = Path(__file__).parent
BEGIN, END = "<!-- example: begin -->\n", "<!-- example: end -->\n"

_SHOP = """
CREATE TABLE tier (code TEXT PRIMARY KEY, label TEXT NOT NULL);
CREATE TABLE customer (
    id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, tier TEXT NOT NULL REFERENCES tier (code)
);
INSERT INTO tier VALUES ('a', 'gold'), ('b', 'none');
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO customer SELECT i, 'person' || i || '@mail.invalid', iif(i % 3, 'b', 'a') FROM n;
"""


def cli_page() -> str:
    """The reference of the command line in Markdown."""

    def section(*path: str) -> str:
        title = " ".join(("dbsynth", *path))
        command = cli.get_command(click.Context(cli), path[0]) if path else cli
        assert command is not None
        settings = {**cli.context_settings, "max_content_width": 88, "terminal_width": 88}
        context = click.Context(command, info_name=title, **settings)
        return f"## {title}\n\n```\n{command.get_help(context).rstrip()}\n```\n"

    sections = [section(), *(section(name) for name in COMMANDS)]
    return "# Command line\n\nWritten by `make docs` from the help texts.\n\n" + "\n".join(sections)


def json_page() -> str:
    """The page of JSON with the example of a true run, its seconds left out."""
    page = (FOLDER / "json.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}```json\n{_example()}\n```\n{END}{rest.partition(END)[2]}"


def schema_page() -> str:
    """The JSON schema of spec files."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _example() -> str:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "shop.db"), Path(folder, "clone.db")
        with closing(sqlite3.connect(source)) as connection:
            connection.executescript(_SHOP)
        value = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}").to_json()
    value["target"] = "sqlite:///clone.db"
    value["timings"] = dict.fromkeys(value["timings"], 0.1)
    value["findings"] = value["findings"][:2]
    return json.dumps(value, indent=2, ensure_ascii=False)


def main() -> None:
    """Write the pages, or look whether they are what would be written."""
    pages = {"cli.md": cli_page(), "json.md": json_page(), "dbsynth.schema.json": schema_page()}
    for name, page in pages.items():
        path = FOLDER / name
        if "--check" not in sys.argv:
            path.write_text(page, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != page:
            sys.exit(f"docs/{name} is stale: make docs")


if __name__ == "__main__":
    main()
