"""A judge from outside, where one is given: a script that compares two databases by their URLs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dbsynth.schema import ForeignKey

SIMILARITIES = ("shapes", "trends", "nulls", "cardinality", "1-hop", "2-hop", "3-hop")
DETECTORS = {"C2ST": "c2st", "C2ST-Agg": "agg", "Agg+": "agg_plus", "Agg2": "agg_levels_2"}


def judge(
    script: Path | None, real: str, clone: str, tables: Iterable[str] = (),
    without: Iterable[tuple[str, str]] = (), keys: Iterable[ForeignKey] = (),
) -> dict[str, Any] | None:  # fmt: skip
    """What the script finds, cut down to what the report shows; None where there is no script.

    Args:
        without: Columns, with their tables, that it shall not look at.
        keys: Foreign keys of the schema; it is told those that it cannot see by itself, from a
            namespace into the default one.
    """
    if script is None:
        return None
    with tempfile.TemporaryDirectory(prefix="dbsynth-judge-") as folder:
        out = Path(folder) / "report.json"
        command = [sys.executable, script, "--json", out]
        command += ["--real", _driver(real), "--synthetic", _driver(clone)]
        command += ["--tables", *tables] if tables else []
        left_out = [f"{table}.{column}" for table, column in sorted(without)]
        command += ["--exclude", *left_out] if left_out else []
        for key in keys:
            if "." in key.child and "." not in key.parent:
                mine, theirs = ",".join(key.columns), ",".join(key.parent_columns)
                command += ["--fk", f"{key.child}.{mine}={key.parent}.{theirs}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not out.exists():
            last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise SystemExit(f"the judge fails: {last}")
        return _shortened(json.loads(out.read_text()))


def _driver(url: str) -> str:
    parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def _shortened(report: Mapping[str, Any]) -> dict[str, Any]:
    similar = report["summary"]["similarity_0_100"]
    return {
        "similarities": {
            name: {side: similar[name].get(side) for side in ("synthetic", "half", "floor")}
            for name in SIMILARITIES
            if name in similar and similar[name]["synthetic"] is not None
        },
        "detectors": {
            name: {
                table: [found["synthetic"]["auc"], found["floor"]["auc"], found["floor"]["rows"]]
                for table, found in report[key].items()
                if found
            }
            for name, key in DETECTORS.items()
        },
        "copies": {
            name: [table["copies"]["synthetic_half"], table["copies"]["floor"]]
            for name, table in report["tables"].items()
            if table["copies"]
        },
        "failures": report["failures"],
    }
