"""dbsynth demo."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import psycopg

from dbsynth import pipeline
from dbsynth.cli import options, output
from dbsynth.embedded import embedded_server
from dbsynth.report import Report
from dbsynth.shop import FACTS, build_shop


@click.command(short_help="Clone a made-up shop on an embedded PostgreSQL.")
@click.option("--customers", type=click.IntRange(10), default=6000, show_default=True, help="Size of the shop.")
@options.json_option
@options.quiet_option
def demo(customers: int, as_json: bool, quiet: bool) -> None:
    """Start a PostgreSQL of its own, build a shop in it, clone it, and compare facts of both.

    Nothing outside of a temporary folder is touched, and nothing is left behind.

    Example: dbsynth demo
    """
    with tempfile.TemporaryDirectory(prefix="dbsynth-demo-") as folder:
        with embedded_server(Path(folder)) as server:
            output.say("building a production database ...")
            real, synthetic = server.create_database("production"), server.url("staging")
            build_shop(real, customers=customers)
            output.say("cloning it ...")
            with options.progress(quiet=quiet) as shown:
                report = pipeline.clone(real, synthetic, progress=shown)
            facts = _facts(real, synthetic)
    if as_json:
        named = [{"fact": n, "planted": p, "real": r, "synthetic": s} for n, p, r, s in facts]
        output.put_json({**report.to_json(), "facts": named})
    else:
        output.put(_text(report, facts))


def _facts(real: str, synthetic: str) -> list[tuple[str, str, float, float]]:
    with psycopg.connect(real) as one, psycopg.connect(synthetic) as other:
        return [
            (fact.name, fact.planted, _number(one, fact.sql), _number(other, fact.sql)) for fact in FACTS
        ]


def _number(connection: psycopg.Connection, sql: str) -> float:
    row = connection.execute(sql.encode()).fetchone()
    return float(row[0]) if row and row[0] is not None else float("nan")


def _text(report: Report, facts: list[tuple[str, str, float, float]]) -> str:
    rows = [(name, f"{real:,.3f}", f"{synthetic:,.3f}", planted) for name, planted, real, synthetic in facts]
    compared = output.table(("fact", "real", "synthetic", "what was planted"), rows, frozenset({1, 2}))
    return f"{output.report_text(report)}\n\n{compared}"
