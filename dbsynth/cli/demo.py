"""dbsynth demo."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

import dbsynth
from dbsynth.cli import options, output
from dbsynth.embedded import embedded_server
from dbsynth.shop import FACTS, build_shop, measure

_NEXT = """\
Where the two columns differ is what the model does not learn yet (README.md, limits).

Next, with a database of your own (it is only read, and the target must be another one):
  dbsynth init SOURCE -o dbsynth.yaml     propose what happens to every table and column
  dbsynth plan dbsynth.yaml               show what a clone would do
  dbsynth clone dbsynth.yaml TARGET       do it
SOURCE and TARGET are URLs such as postgresql://me@localhost/shop or sqlite:///shop.db"""


@click.command()
@click.option("--customers", type=click.IntRange(10), default=6000, show_default=True,
              help="Size of the shop; 6000 make 180,000 rows.")  # fmt: skip
@options.json_option
@options.quiet_option
def demo(customers: int, as_json: bool, quiet: bool) -> None:
    """Start a PostgreSQL of its own, build a shop in it, clone it, and compare facts of both.

    Nothing outside of a temporary folder is touched, and nothing is left behind.

    Example: dbsynth demo
    """
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="dbsynth-demo-") as folder:
        output.say("Starting an embedded PostgreSQL ...")
        with embedded_server(Path(folder)) as server:
            output.say(f"Inventing a shop with {customers:,} customers, as production ...")
            production, staging = server.create_database("production"), server.url("staging")
            build_shop(production, customers=customers)
            output.say("Cloning production to staging ...")
            with options.progress(quiet=quiet) as shown:
                report = dbsynth.clone(production, staging, progress=shown)
            facts = _facts(production, staging)
    if as_json:
        output.put_json({**report.to_json(), "facts": facts})
        return
    output.put(output.report_text(report))
    output.put("")
    output.put(_compared(facts))
    output.put(f"\nAll of it took {time.perf_counter() - start:.0f} s.\n{_NEXT}")


def _facts(production: str, staging: str) -> list[dict[str, str | float | None]]:
    real, synthetic = measure(production), measure(staging)
    return [
        {"fact": f.name, "real": real[f.name], "synthetic": synthetic[f.name], "planted": f.planted}
        for f in FACTS
    ]


def _compared(facts: list[dict[str, str | float | None]]) -> str:
    rows = [
        (str(f["fact"]), _number(f["real"]), _number(f["synthetic"]), str(f["planted"]))
        for f in facts
    ]
    header = ("planted fact", "real", "synthetic", "what was planted")
    return output.table(header, rows, frozenset({1, 2}))


def _number(value: str | float | None) -> str:
    """A number with the digits that an eye compares; a dash where there is none."""
    if not isinstance(value, float):
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"
