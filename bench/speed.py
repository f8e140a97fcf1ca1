"""How fast a clone is made, beside a dump and restore of the same database in the same run.

    python bench/speed.py [--scale 0.2] [--rounds 3] [--json FILE]

Makes TPC-H with tpchgen-cli in an embedded PostgreSQL, times `pg_dump -Fc -Z0 | pg_restore`, then
fits a model once and loads it.  Printed are seconds, their ratios, and the peak memory of our
processes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from dbsynth.embedded import Server, embedded_server

HERE = Path(__file__).parent
TABLES = ("region", "nation", "part", "supplier", "partsupp", "customer", "orders", "lineitem")


def build(url: str, scale: float, folder: Path) -> int:
    """TPC-H in a new database; returns its rows."""
    subprocess.run(
        [
            Path(sys.executable).with_name("tpchgen-cli"),
            "csv",
            "-s",
            str(scale),
            "--output-dir",
            str(folder),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    rows = 0
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute((HERE / "tpch.sql").read_bytes())
        for table in TABLES:
            data = folder / f"{table}.csv"
            with (
                data.open("rb") as file,
                cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)".encode()) as copy,
            ):
                while chunk := file.read(1 << 20):
                    copy.write(chunk)
            rows += cursor.rowcount
        cursor.execute((HERE / "tpch_indexes.sql").read_bytes())
        cursor.execute("VACUUM ANALYZE")
    return rows


def dump_and_restore(server: Server, source: str, target: str) -> float:
    """Seconds of a dump piped into a restore."""
    programs = Path(server.programs)
    start = time.perf_counter()
    with subprocess.Popen(
        [programs / "pg_dump", "-Fc", "-Z0", "-d", source], stdout=subprocess.PIPE
    ) as dump:
        subprocess.run([programs / "pg_restore", "-d", target], stdin=dump.stdout, check=True)
    return time.perf_counter() - start


def dbsynth(*arguments: str) -> tuple[dict[str, Any], float, float]:
    """Run a command; returns its JSON, its wall seconds, and its peak memory in MiB."""
    code = (
        "import resource, sys; from dbsynth.cli import run; code = run(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stderr)
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return json.loads(done.stdout), seconds, int(done.stderr.split()[-1]) / unit


def measure(scale: float, rounds: int) -> dict[str, Any]:
    """All figures of one run."""
    with tempfile.TemporaryDirectory(prefix="dbsynth-bench-") as name:
        folder = Path(name)
        (folder / "csv").mkdir()
        with embedded_server(folder / "server") as server:
            return _measured(server, folder, scale, rounds)


def _measured(server: Server, folder: Path, scale: float, rounds: int) -> dict[str, Any]:
    admin = psycopg.connect(server.url("postgres"), autocommit=True)
    admin.execute("CREATE DATABASE production")
    source = server.url("production")
    rows = build(source, scale, folder / "csv")
    model = folder / "model.dbsynth"
    _, fit_wall, fit_memory = dbsynth("fit", source, "-o", str(model))
    restores, loads, ratios, memory = [], [], [], []
    for _ in range(rounds):
        admin.execute("CREATE DATABASE restored")
        restores.append(dump_and_restore(server, source, server.url("restored")))
        admin.execute("DROP DATABASE restored")
        load = ("load", str(model), "--unsearched", "--to", server.url("staging"), "--replace")
        report, wall, peak = dbsynth(*load)
        timings = report["timings"]
        loads.append({"wall": wall, **timings})
        memory.append(peak)
        ratios.append(sum(timings.values()) / restores[-1])
    admin.close()
    steps = {step: statistics.median(load[step] for load in loads) for step in loads[0]}
    return {
        "rows": rows,
        "dump_restore_s": statistics.median(restores),
        "fit_wall_s": fit_wall,
        "fit_peak_mib": fit_memory,
        "load_s": steps,
        "load_peak_mib": max(memory),
        "ratio_load": statistics.median(ratios),
        "ratio_load_wall": statistics.median(load["wall"] for load in loads)
        / statistics.median(restores),
        "ratio_clone_wall": (fit_wall + steps["wall"]) / statistics.median(restores),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = measure(options.scale, options.rounds)
    text = json.dumps(figures, indent=2)
    if options.json:
        options.json.write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
