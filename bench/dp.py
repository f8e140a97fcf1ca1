"""What privacy costs: several tables at several epsilons, and single tables beside MST and AIM.

    python -m bench.dp NAME URL [--spec FILE] [--mbi PYTHON]

Each engine is fitted on half of the units of privacy and judged by the other half, as
`dbsynth tradeoff` does, with triples of columns and the accuracy of classifiers besides.  Then the
largest table stands alone: its columns are cut into codes beforehand, the same for all,
so that every engine is told the same domain, and the budget is the same zCDP.  MST and AIM run in
PYTHON, which has `opendp[mbi]` and pandas.  Figures are added to docs/benchmarks/dp.json, and the
page beside it is written anew.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from bench.machine import busy, revision, surroundings
from dbsynth.databases import open_database
from dbsynth.errors import DbsynthError
from dbsynth.memorise import Half, Side, drafted, made_side
from dbsynth.private.accountant import rho_of
from dbsynth.private.design import design_of
from dbsynth.private.fit import fitted, public_tables
from dbsynth.private.mechanisms import noise_of
from dbsynth.progress import Silent
from dbsynth.spec import Spec
from dbsynth.spec.protection import Protection
from dbsynth.tradeoffs import REAL, tradeoff
from dbsynth.tradeoffs.learning import accuracy
from dbsynth.tradeoffs.utility import Int64, Yardstick, distance, yardstick

HERE = Path(__file__).resolve().parent
PAGES = HERE.parent / "docs" / "benchmarks"
EPSILONS = (0.5, 1.0, 3.0, 10.0)
ALGORITHMS = ("MST", "AIM")
FIGURES = {
    "columns": "1-way", "pairs": "2-way", "triples": "3-way", "families": "parent-child",
    "children": "child counts",
}  # fmt: skip
_MOST_TRIPLES = 200
_PATIENCE = 600  # seconds of a rival

INTRODUCTION = """\
# Differential privacy

Written by `make bench-dp`; the figures are in `dp.json` beside this page.

- Figures are total variation distances to real rows that no engine was shown, 0 to 1; **0 is
  best**. Numbers are cut at the deciles of these rows. *1-way* is the mean over columns, *2-way*
  and *3-way* over pairs and triples in a row, *parent-child* over a column of a row and one of
  its parent.
- **real** are the shown rows themselves: no clone can be expected to come closer.
- **accuracy**: for every table with a column of 2 to 8 classes, a gradient-boosted classifier
  learns it from all other columns and the parent's, on the rows of the engine, and is tested on
  real rows never shown. The mean over tables; higher is better.
- *refused*: the engine says that the budget is drowned by its own noise, and makes nothing.
- MST and AIM are those of OpenDP 0.16 with private-pgm 1.1; their seconds hold the compilation of
  jax, and ours the writing of the scratch database's schema. What they leave NULL counts as wrong.
- One run of each; there is no mean over seeds.
"""


@dataclass(frozen=True)
class Deep(Yardstick):
    """A yardstick that looks at triples too."""

    def utility(self, side: Side) -> dict[str, float]:
        """The similarities of a side."""
        mine, others = self.codes(self.held_out), self.codes(side)
        triples = [
            1 - _apart([mine[t][c] for c in names], [others[t][c] for c in names])
            for t, coders in self.coders.items()
            for names in _some(list(itertools.combinations(coders, 3)))
        ]
        found = super().utility(side)
        return found | ({"triples": float(np.mean(triples))} if triples else {})


def deep(held_out: Side, parents: Mapping[str, str]) -> Deep:
    """The yardstick of rows kept aside."""
    made = yardstick(held_out, parents)
    return Deep(made.held_out, made.parents, made.coders)


def _some(names: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
    return names[:: -(-len(names) // _MOST_TRIPLES) or 1]


def _apart(mine: Sequence[Int64], others: Sequence[Int64]) -> float:
    """The total variation of tables of counts in several dimensions."""
    split = len(mine[0])
    both = np.stack([np.concatenate(pair) for pair in zip(mine, others, strict=True)])
    cells = np.unique(both, axis=1, return_inverse=True)[1].ravel()
    return distance(cells[:split], cells[split:], int(cells.max(initial=0)) + 1)


# ---------------------------------------------------------------------------------------------
# One table alone
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Single:
    """The codes of one table, shown and kept aside, and how many each column has."""

    table: str
    sizes: Mapping[str, int]
    shown: Mapping[str, Int64]
    held_out: Mapping[str, Int64]

    @property
    def judge(self) -> Deep:
        """What judges clones of it."""
        return deep({self.table: as_half(self.held_out)}, {})


def as_half(codes: Mapping[str, Int64]) -> Half:
    """Codes as rows of words."""
    return Half(pa.table({name: pl.Series(found).cast(pl.String).to_arrow().cast(pa.string())
                          for name, found in codes.items()}))  # fmt: skip


class Kept:
    """Remembers the largest table of real rows, both sides, when they are judged."""

    def __init__(self) -> None:
        self.single: Single | None = None

    def judging(self, held_out: Side, parents: Mapping[str, str]) -> Yardstick:
        """The yardstick, which sees the real rows first."""
        return _Seen(held_out, parents, deep(held_out, parents).coders, self)


@dataclass(frozen=True)
class _Seen(Deep):
    keeper: Kept

    def utility(self, side: Side) -> dict[str, float]:
        if self.keeper.single is None:  # real rows come first
            table = max(self.coders, key=lambda t: len(self.coders[t]) * len(side[t].rows))
            self.keeper.single = Single(
                table, {name: coder.size for name, coder in self.coders[table].items()},
                self.codes(side)[table], self.codes(self.held_out)[table],
            )  # fmt: skip
        return super().utility(side)


def ours_alone(single: Single, epsilon: float, delta: float) -> tuple[Half, float]:
    """Rows and seconds of the engine `dp` on a table whose rows are the units."""
    with tempfile.TemporaryDirectory() as folder:
        _write(single, Path(folder) / "one.db")
        words = {f"one.{n}": tuple(map(str, range(size))) for n, size in single.sizes.items()}
        spec = Spec(engine="dp", privacy=Protection("one", epsilon, delta, vocabularies=words))
        start = time.perf_counter()
        with open_database(f"sqlite:///{folder}/one.db") as database:
            design = design_of(database, spec)
            public = public_tables(database, design)
            model = fitted(database, design, public, noise_of(None), Silent())
        columns = {"one": list(single.sizes)}
        made = made_side(drafted(model, spec), model.schema, columns, {"one": None})["one"]
        seconds = time.perf_counter() - start
    return made, seconds


def _write(single: Single, path: Path) -> None:
    names = [f'"{name}"' for name in single.sizes]
    with closing(sqlite3.connect(path)) as connection, connection:
        typed = ", ".join(f"{name} varchar(20) not null" for name in names)
        connection.execute(f"create table one (row_number integer primary key, {typed})")
        marks = ", ".join("?" * len(names))
        rows = zip(*(map(str, found.tolist()) for found in single.shown.values()), strict=True)
        connection.executemany(f"insert into one ({', '.join(names)}) values ({marks})", rows)


def rival(
    single: Single, python: str, algorithm: str, rho: float
) -> tuple[Half | None, float, str]:
    """Rows and seconds of MST or AIM, or why there are none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = {f"c{i}": column for i, column in enumerate(single.sizes)}
        frame = pl.DataFrame({s: single.shown[column] for s, column in short.items()})
        frame.write_csv(folder / "codes.csv")
        sizes = {s: single.sizes[column] for s, column in short.items()}
        (folder / "sizes.json").write_text(json.dumps(sizes))
        command = [python, str(HERE / "graphical.py"), name, algorithm, repr(rho)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired:
            return None, 0.0, f"not done in {_PATIENCE} seconds"
        if done.returncode:
            return None, 0.0, (done.stderr.strip().splitlines() or ["no word"])[-1][:160]
        made = pl.read_csv(folder / "made.csv")
        found = {
            column: made[s].fill_null(-1).to_numpy().astype(np.int64) for s, column in short.items()
        }
        seconds = json.loads((folder / "took.json").read_text())["seconds"]
    return as_half(found), seconds, ""


def alone(single: Single, epsilon: float, delta: float, python: str) -> list[dict[str, Any]]:
    """The lines of one table at one epsilon."""
    lines = []
    try:
        made, seconds = ours_alone(single, epsilon, delta)
        lines.append(judged(single, "dp", epsilon, made, seconds))
    except DbsynthError as error:
        lines.append(judged(single, "dp", epsilon, None, 0.0, error.message))
    for algorithm in ALGORITHMS if python else ():
        found, seconds, why = rival(single, python, algorithm, rho_of(epsilon, delta))
        lines.append(judged(single, algorithm, epsilon, found, seconds, why))
    return lines


def judged(
    single: Single, engine: str, epsilon: float | None, made: Half | None, seconds: float = 0.0,
    refused: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The line of an engine that has made a table, or has not."""
    side = {single.table: made} if made is not None else None
    return {
        "engine": engine, "epsilon": epsilon, "seconds": seconds, "refused": refused,
        "parts": single.judge.utility(side) if side else {},
        "accuracy": accuracy(single.judge, side) if side else None,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------
# The page
# ---------------------------------------------------------------------------------------------


def page(kept: Mapping[str, Any]) -> str:
    """The page of the figures."""
    lines = [INTRODUCTION]
    for name, entry in kept.items():
        lines += [
            f"## {name}", "",
            f"Unit: a row of {entry['unit']} with all that it owns; {entry['shown']:,} shown,"
            f" {entry['held_out']:,} judge; delta {entry['delta']:g}. {entry['machine']}; revision"
            f" {entry['revision']}; load {entry['busy']:.0f} when it began, so seconds say little.",
            "", *_table(entry["lines"]), "", *_reasons(entry["lines"]),
        ]  # fmt: skip
        single = entry["single"]
        lines += [
            f"### {single['table']} alone: {single['rows']:,} rows, {single['columns']} columns",
            "",
            "A row is the unit. Columns are codes that are public, the same for all engines.", "",
            *_table(single["lines"]), "",
            *_reasons(single["lines"]),
        ]  # fmt: skip
        if single["lines"][-1]["epsilon"] != EPSILONS[-1]:
            lines += ["The run was stopped before larger epsilons.", ""]
        if not any(line["engine"] in ALGORITHMS for line in single["lines"]):
            lines += ["MST and AIM were not run (`MBI=PYTHON` runs them).", ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    header = ["rows of", "epsilon", *FIGURES.values(), "accuracy", "seconds"]
    found = ["| " + " | ".join(header) + " |", "|---" + "|--:" * (len(header) - 1) + "|"]
    for line in lines:
        parts = line["parts"]
        cells = [f"{1 - parts[k]:.3f}" if k in parts else "" for k in FIGURES]
        cells.append("" if line["accuracy"] is None else f"{line['accuracy']:.3f}")
        cells.append(f"{line['seconds']:.1f}" if line["seconds"] and parts else "")
        if line["refused"]:
            cells[0] = "refused"
        epsilon = "" if line["epsilon"] is None else f"{line['epsilon']:g}"
        found.append("| " + " | ".join([line["engine"], epsilon, *cells]) + " |")
    return found


def _reasons(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for line in lines:
        if line["refused"]:
            yield f"- {line['engine']} refused at {line['epsilon']:g}: {line['refused']}"
    yield ""


def run(url: str, spec: Spec, python: str) -> Iterator[dict[str, Any]]:
    """The figures of one database, again with more of them after each epsilon."""
    load, kept = busy(), Kept()
    found = tradeoff(url, spec=spec, epsilons=EPSILONS, judging=kept.judging)
    assert kept.single is not None  # tradeoff has judged real rows
    single = kept.single
    alone_lines = [judged(single, REAL, None, as_half(single.shown))]
    rows = len(next(iter(single.shown.values())))
    figures = {
        "unit": found.unit, "shown": found.shown, "held_out": found.held_out, "delta": found.delta,
        "machine": surroundings()["machine"], "revision": revision(), "busy": load,
        "lines": [line.to_json() for line in found.lines],
        "single": {"table": single.table, "rows": rows, "columns": len(single.sizes),
                   "lines": alone_lines},
    }  # fmt: skip
    for epsilon in EPSILONS:
        alone_lines += alone(single, epsilon, found.delta, python)
        yield figures


def main() -> None:
    """Measure one database, add its figures, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("source")
    parser.add_argument("--spec", type=Path, help="one of bench/privacy by the name, if none")
    parser.add_argument("--mbi", default="", help="a Python with opendp[mbi] and pandas")
    parser.add_argument("--json", type=Path, default=PAGES / "dp.json")
    said = parser.parse_args()
    path = said.spec or HERE / "privacy" / f"{said.name}.yaml"
    spec = Spec.load(path, os.environ, said={"source": said.source}, without=("target",))
    for found in run(said.source, spec, said.mbi):
        kept = json.loads(said.json.read_text()) if said.json.exists() else {}
        kept[said.name] = found
        said.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        said.json.with_suffix(".md").write_text(page(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
