"""How faithful clones are, beside what they could be at best, at worst, and beside SDV.

    python -m bench.fidelity [--databases FOLDER] [--judge SCRIPT] [--only a,b] [--seeds 0,1,2]

Restores each dump of the folder into a server, clones it with each seed, and measures the clones
with `bench.measures`, with `bench.invariants` and with a judge from outside where one is given.
Beside them stand the floor (half of the real entities against the other half), the engine
`independent` (each table on its own), a clone of one half judged against the other half, and SDV's
HMA where a Python that has SDV is given.  All figures go into a JSON file, from which the page
`docs/benchmarks/fidelity.md` is written; a run of some databases leaves the others as they were.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads cost more than they bring on so few rows

import numpy as np

from bench import rivals
from bench.invariants import ask
from bench.judge import judge
from bench.machine import busy, revision, surroundings
from bench.measures import (
    Side,
    copies,
    detect,
    family_contest,
    measure,
    row_contest,
    sides,
    telltales,
    whole,
)
from bench.page import write_page
from bench.rows import Rows, read_rows
from bench.sources import MADE, Site, keep_half, make, missing, open_site, root_of
from dbsynth.classify import Role
from dbsynth.pipeline import plan

HERE = Path(__file__).resolve().parent
PAGES = HERE.parent / "docs" / "benchmarks"
DATABASES = (
    "rossmann_sub", "f1_small", "berka", "berka_full_notrans", "employees", "pagila", "chinook",
    "northwind", "oracle_co", *MADE,
)  # fmt: skip
REPLACED = (Role.IDENTIFIER, Role.RENAMED, Role.TEXT)
TELLING = 0.05  # a detector this far above its floor is asked what it saw
TOLD = 4
LEAST = 0.01
SPLIT = 0.75  # a table of which both halves have less than this share has been split

Json = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What a run was asked for."""

    site: Site
    folder: Path | None
    script: Path | None
    seeds: tuple[int, ...]
    sdv: Path | None
    hma_s: float


class Failure(Exception):
    """A clone that was not made; the bench of this database ends, and the page says so."""


def say(text: str) -> None:
    """Tell whoever waits what happens."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def cloned(source: str, target: str, *, seed: int, engine: str = "relational") -> Json:
    """Clone by the command line, as a user would; returns the seconds of each step."""
    command = [sys.executable, "-m", "dbsynth", "clone", source, target, "--replace", "--json"]
    command += ["--seed", str(seed), "--engine", engine]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    if done.returncode:
        raise Failure(_complaint(done.stdout) or done.stderr.strip()[-500:])
    report = json.loads(done.stdout)
    rows = sum(table["synthetic_rows"] for table in report["tables"])
    return {"timings": report["timings"], "wall": wall, "rows": rows}


def _complaint(stdout: str) -> str:
    try:
        return str(json.loads(stdout)["error"]["message"])
    except (ValueError, KeyError):
        return ""


def measured(bench: Bench, name: str) -> Json:
    """All figures of one database."""
    source = make(bench.site, name, bench.folder)
    rows = read_rows(source, invented(source))
    first, second, _ = sides(rows, rows)
    found: Json = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "busy": busy(),
        "revision": revision(),
        "tables": len(rows.frames),
        "rows": sum(map(len, rows.frames.values())),
        "invented": sorted(f"{table}.{column}" for table, column in rows.invented),
        "sizes": {table: len(frame) for table, frame in rows.frames.items()},
        "invariants": ask(name, source),
        "floor": summarised(measure(rows, first, second)),
        "clones": [],
    }
    for seed in bench.seeds:
        say(f"{name}: clone with seed {seed}")
        with target(bench, f"{name}_{seed}") as url:
            run = cloned(source, url, seed=seed)
            made = read_rows(url)
            run |= {
                "seed": seed,
                "invariants": ask(name, url),
                "own": _own(rows, made),
                **_judged(bench, source, url, rows),
            }
            found["clones"].append(run)
            if seed == bench.seeds[0]:
                found["telltales"] = told(rows, made, found["floor"], run["own"])
                found["piece"] = on_piece(bench, source, url, rows, made)
    say(f"{name}: tables independent")
    with target(bench, f"{name}_independent") as url:
        cloned(source, url, seed=0, engine="independent")
        found["independent"] = {
            "own": _own(rows, read_rows(url)),
            **_judged(bench, source, url, rows),
        }
    say(f"{name}: clone of one half against the other")
    found["held out"] = held_out(bench, name, rows)
    return found


def invented(source: str) -> frozenset[tuple[str, str]]:
    """The columns whose values a clone replaces by its own, as its plan says."""
    tables = plan(source).tables
    return frozenset(
        (table, column)
        for table, facts in tables.items()
        for column, model in facts.columns.items()
        if model.decision.role in REPLACED
    )


@contextmanager
def target(bench: Bench, name: str) -> Iterator[str]:
    """The URL of a database that is dropped afterwards."""
    try:
        yield bench.site.url(name)
    finally:
        bench.site.drop(name)


def _own(source: Rows, clone: Rows) -> Json:
    real, _, other = sides(source, clone)
    return summarised(measure(source, real, other))


def _judged(bench: Bench, source: str, url: str, rows: Rows) -> Json:
    """The judge on all columns, and on those alone whose values a clone does not replace."""
    keys = rows.schema.foreign_keys
    found = judge(bench.script, source, url, keys=keys)
    kept = None
    if rows.invented:
        kept = judge(bench.script, source, url, without=rows.invented, keys=keys)
    return {"judge": found, "kept": kept}


def summarised(figures: Mapping[str, Mapping[str, float | None]]) -> Json:
    """Measures by subject, but means where there are hundreds of subjects."""
    short: Json = {}
    for name, found in figures.items():
        known = {subject: round(value, 4) for subject, value in found.items() if value is not None}
        if name in ("shapes", "pairs"):
            worst = sorted(known, key=lambda subject: known[subject])[:3]
            short[name] = {
                "mean": float(np.mean(list(known.values()))) if known else None,
                "worst": {subject: known[subject] for subject in worst},
            }
        else:
            short[name] = known
    return short


def told(source: Rows, clone: Rows, floor: Json, own: Json) -> Json:
    """What gives the clone away, for each detector clearly above its floor."""
    real, _, other = sides(source, clone)
    contests = {
        "C2ST": lambda table: row_contest(real, other, table),
        "C2ST-Agg": lambda table: family_contest(real, other, table, spread=False),
        "Agg+": lambda table: family_contest(real, other, table, spread=True),
    }
    found: Json = {}
    for name, contest in contests.items():
        for table, area in own[name].items():
            if area > max(floor[name][table], 0.5) + TELLING:
                alone = telltales(contest(table))
                together = sorted(alone, key=lambda telltale: -telltale.lost)
                found[f"{name} of {table}"] = {
                    "alone": [[t.feature, t.alone] for t in alone[:TOLD]],
                    "lost": [[t.feature, t.lost] for t in together[:TOLD] if t.lost > LEAST],
                }
    return found


def held_out(bench: Bench, name: str, rows: Rows) -> Json | None:
    """A clone of half of the entities against the other half, and against its own half.

    A clone that is closer to the half it was fitted on than the other half is has copied.
    """
    root = rows.schema[root_of(rows)]
    if not root.primary_key:
        return None
    site, halves = bench.site, []
    with (
        target(bench, f"{name}_a") as a,
        target(bench, f"{name}_b") as b,
        target(bench, f"{name}_c") as c,
    ):
        for side, half in enumerate(("a", "b")):
            url = site.create(f"{name}_{half}", like=f"source_{name}")
            keep_half(url, rows.schema, root, side)
            halves.append(whole(read_rows(url), rows))
        split = [
            table
            for table, frame in rows.frames.items()
            if all(len(half.rows.frames[table]) < SPLIT * len(frame) for half in halves)
        ]
        cloned(a, c, seed=0)
        clone = whole(read_rows(c), rows)
        verdict = judge(bench.script, b, c)
    return {
        "root": root.name,
        "judge": verdict,
        "fitted": _detected(halves[0], clone, split),
        "other": _detected(halves[1], clone, split),
        "real": _detected(halves[0], halves[1], split),
    }


def _detected(real: Side, other: Side, split: Collection[str]) -> Json:
    """Detectors and copies of the tables that were split; the others are whole on both sides."""
    linked = dict.fromkeys(fk.parent for fk in real.rows.schema.foreign_keys)
    parents = [table for table in linked if table in split]
    matches = {table: share for table, share in copies(real, other).items() if table in split}
    return summarised(
        {
            "C2ST-Agg": {t: detect(family_contest(real, other, t, spread=False)) for t in parents},
            "Agg+": {t: detect(family_contest(real, other, t, spread=True)) for t in parents},
            "copies": matches,
        }
    )


def on_piece(bench: Bench, source: str, url: str, rows: Rows, clone: Rows) -> Json | None:
    """Our own clone on the tables that HMA takes, so that both are asked the same."""
    tables = rivals.piece(rows)
    if not tables:
        return None
    own = _own(rivals.restricted(rows, tables), rivals.restricted(clone, tables))
    return {"tables": tables, "own": own, "judge": judge(bench.script, source, url, tables)}


def against_hma(bench: Bench, name: str, python: Path) -> Json:
    """HMA on its piece of a database."""
    say(f"{name}: SDV's HMA")
    load = busy()
    source = make(bench.site, name, bench.folder)
    rows = read_rows(source, invented(source))
    sample = rivals.hma(rows, python, bench.hma_s)
    found: Json = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "busy": load,
        "tables": sample.tables,
        "of": len(rows.frames),
        "refused": sample.refused,
    }
    if sample.rows is None:
        return found
    piece = rivals.restricted(rows, sample.tables)
    found |= {
        "version": sample.version,
        "fit_s": sample.fit_s,
        "sample_s": sample.sample_s,
        "rows": sum(map(len, sample.rows.frames.values())),
        "own": _own(piece, sample.rows),
    }
    with target(bench, f"{name}_hma") as url:
        bench.site.create(f"{name}_hma")
        rivals.write(sample.rows, url)
        found["judge"] = judge(bench.script, source, url, sample.tables)
    return found


def stored(path: Path) -> Json:
    """What earlier runs found."""
    return json.loads(path.read_text()) if path.exists() else {}


def store(path: Path, found: Json) -> None:
    """Keep what was found, for the page and for later runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_rounded(found), indent=1, sort_keys=True) + "\n")


def _rounded(value: Any) -> Any:
    match value:
        case dict():
            return {key: _rounded(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_rounded(entry) for entry in value]
        case float():
            return round(value, 4) if math.isfinite(value) else None
        case _:
            return value


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--databases", type=_path, help="a folder of dumps (pg_dump -Fc)")
    parser.add_argument("--judge", type=_path, help="a script that compares two databases")
    parser.add_argument("--only", type=_names, default=DATABASES, help="some databases")
    parser.add_argument("--seeds", type=_names, default=("0", "1", "2"))
    parser.add_argument("--server", type=_text, help="URL of a server (default: an embedded one)")
    parser.add_argument("--sdv", type=_path, help="a Python that has SDV")
    parser.add_argument("--hma", type=_names, default=(), help="run HMA for these, or for `all`")
    parser.add_argument("--hma-minutes", type=float, default=10)
    parser.add_argument("--pages", type=Path, default=PAGES, help="where the report goes")
    return parser.parse_args()


def _dumps(folder: Path | None) -> Path | None:
    """The folder itself, or the one for PostgreSQL inside."""
    inside = folder and folder / "pg"
    return inside if inside and inside.is_dir() else folder


def _path(text: str) -> Path | None:
    return Path(text).absolute() if text else None  # resolved, a venv's Python would forget it


def _text(text: str) -> str | None:
    return text or None


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def main() -> None:
    """Measure, keep, and write the page."""
    options = parsed()
    file = options.pages / "fidelity.json"
    found = {"databases": {}, "hma": {}, "skipped": {}, "failed": {}} | stored(file)
    found["surroundings"] = surroundings()
    start = time.perf_counter()
    with open_site(options.server) as site:
        bench = Bench(
            site, _dumps(options.databases), options.judge, tuple(map(int, options.seeds)),
            options.sdv, 60 * options.hma_minutes,
        )  # fmt: skip
        for name in options.only or DATABASES:
            reason = missing(name, bench.folder)
            if reason:
                say(f"{name}: skipped, {reason}")
                found["skipped"][name] = reason
                continue
            found["skipped"].pop(name, None)
            found["failed"].pop(name, None)
            try:
                if bench.sdv and ({name, "all", "1"} & set(options.hma)):
                    found["hma"][name] = against_hma(bench, name, bench.sdv)
                if bench.seeds:
                    found["databases"][name] = measured(bench, name)
            except Failure as failure:
                say(f"{name}: {failure}")
                found["failed"][name] = str(failure)
                found["databases"].pop(name, None)
            finally:
                site.drop(f"source_{name}")
            store(file, found)
    write_page(options.pages / "fidelity.md", stored(file))  # what is kept is what is shown
    say(f"done in {(time.perf_counter() - start) / 60:.1f} minutes")
    if found["failed"]:
        raise SystemExit(f"not cloned: {', '.join(found['failed'])}")


if __name__ == "__main__":
    main()
