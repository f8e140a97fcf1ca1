"""What a clone shall reach, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

COPIES = 1.5  # as many exact matches, times what two real halves share
SMALLEST_PARENT = 200
SECONDS = 20
TIMES_HMA = 200


@dataclass(frozen=True)
class Goal:
    """A figure beside what it should be.

    Attributes:
        what: The figure's name.
        wanted: The limit, in words.
        found: The figure; the mean over the seeds.
        met: Whether it keeps within the limit.
    """

    what: str
    wanted: str
    found: str
    met: bool


def at_most(what: str, found: float, limit: float) -> Goal:
    """A figure that should be small."""
    return Goal(what, f"at most {limit:.3g}", f"{found:.3g}", found <= limit)


def at_least(what: str, found: float, limit: float) -> Goal:
    """A figure that should be large."""
    return Goal(what, f"at least {limit:.3g}", f"{found:.4g}", found >= limit)


def mean(values: list[float]) -> float:
    """The mean, NaN of nothing (which meets no goal)."""
    return sum(values) / len(values) if values else float("nan")


def _said(run: Json) -> Json:
    """What the judge says of the columns that a clone does not replace."""
    found: Json = run.get("kept") or run["judge"]
    return found


def areas(entry: Json, detector: str) -> dict[str, float]:
    """The judge's area of each table, as the mean over the seeds."""
    runs = [_said(run)["detectors"][detector] for run in entry["clones"]]
    return {table: mean([run[table][0] for run in runs if table in run]) for table in runs[0]}


def floors(entry: Json, detector: str) -> dict[str, float]:
    """The judge's floor of each table."""
    found = _said(entry["clones"][0])["detectors"][detector]
    return {table: values[1] for table, values in found.items()}


def similarity(entry: Json, name: str) -> float:
    """The judge's similarity, as the mean over the seeds."""
    return mean([_said(run)["similarities"][name]["synthetic"] for run in entry["clones"]])


def goals(name: str, entry: Json, hma: Json | None) -> Iterator[Goal]:
    """The goals of a database, as far as its figures are there."""
    if entry["clones"] and entry["clones"][0]["judge"]:
        if name == "rossmann_sub":
            yield from _rossmann(entry)
        elif name == "f1_small":
            yield from _formula_one(entry)
        else:
            yield from _every_parent(entry)
    yield from _copied(entry)
    if name == "rossmann_sub":
        yield from _speed(entry, hma)
    yield from _invariants(entry)


def _rossmann(entry: Json) -> Iterator[Goal]:
    for detector in ("C2ST", "C2ST-Agg"):
        floor = floors(entry, detector)
        for table, area in areas(entry, detector).items():
            yield at_most(f"{detector} of `{table}`", area, floor[table] + 0.03)
    for table, area in areas(entry, "Agg+").items():
        yield at_most(f"Agg+ of `{table}`", area, 0.60)
    yield at_least("cardinality", similarity(entry, "cardinality"), 99)
    apart = entry.get("held out")
    if apart and apart["judge"]:
        for table, (area, *_) in apart["judge"]["detectors"]["C2ST-Agg"].items():
            yield at_most(f"C2ST-Agg of `{table}`, against held-out entities", area, 0.62)


def _formula_one(entry: Json) -> Iterator[Goal]:
    published = {"cardinality": 98.4, "shapes": 95.7, "trends": 95.0, "1-hop": 90.9, "2-hop": 93.7}
    for measure, limit in published.items():
        yield at_least(f"{measure} (GRDM, published)", similarity(entry, measure), limit)
    for detector, mean_limit, most in (("C2ST-Agg", 0.60, 0.70), ("Agg+", 0.65, 0.80)):
        found = list(areas(entry, detector).values())
        yield at_most(f"{detector}, mean over parents", mean(found), mean_limit)
        yield at_most(f"{detector}, worst parent", max(found), most)


def _every_parent(entry: Json) -> Iterator[Goal]:
    for detector, limit in (("C2ST-Agg", 0.62), ("Agg+", 0.70)):
        for table, area in areas(entry, detector).items():
            if entry["sizes"].get(table, 0) >= SMALLEST_PARENT:
                yield at_most(f"{detector} of `{table}`", area, limit)


def _copied(entry: Json) -> Iterator[Goal]:
    for table, (clone, floor) in copied(entry).items():
        if clone > COPIES * floor:
            wanted = f"at most {100 * COPIES * floor:.2f} %"
            yield Goal(
                f"rows of `{table}` equal to a real row", wanted, f"{100 * clone:.2f} %", False
            )
    if all(clone <= COPIES * floor for clone, floor in copied(entry).values()):
        yield Goal("rows equal to a real row", "at most 1.5 times two real halves", "so", True)


def copied(entry: Json) -> dict[str, tuple[float, float]]:
    """Share of rows of each table that equal a real row, and the same of real halves.

    The judge's, or our own where there is no judge.
    """
    if not entry["clones"][0]["judge"]:
        floor = entry["floor"]["copies"]
        own = [run["own"]["copies"] for run in entry["clones"]]
        return {table: (mean([run[table] for run in own]), floor[table]) for table in floor}
    runs = [run["judge"]["copies"] for run in entry["clones"]]
    return {
        table: (mean([run[table][0] for run in runs if table in run]), runs[0][table][1])
        for table in runs[0]
        if runs[0][table][1] is not None
    }


def _speed(entry: Json, hma: Json | None) -> Iterator[Goal]:
    quickest = min(entry["clones"], key=seconds)
    yield at_most("seconds to fit and sample", seconds(quickest), SECONDS)
    if hma and not hma["refused"]:
        theirs = hma["rows"] / (hma["fit_s"] + hma["sample_s"])
        times = quickest["rows"] / seconds(quickest) / theirs
        yield at_least("rows per second of fit and sample, HMA's times", times, TIMES_HMA)
        times = quickest["rows"] / sampling(quickest) / (hma["rows"] / hma["sample_s"])
        yield at_least("rows per second of sampling alone, HMA's times", times, TIMES_HMA)


def seconds(run: Json) -> float:
    """Seconds to profile, fit, draw and write a clone's rows."""
    return sum(run["timings"][step] for step in ("profile", "fit")) + sampling(run)


def sampling(run: Json) -> float:
    """Seconds to draw a clone's rows and to write them into the database."""
    return sum(run["timings"][step] for step in ("generate", "load"))


def _invariants(entry: Json) -> Iterator[Goal]:
    for name, real in entry["invariants"].items():
        found = [run["invariants"].get(name) for run in entry["clones"]]
        if real == 100 and found:  # a rule; a mean or a correlation has no limit of its own
            lowest = min((x if x is not None else 0.0) for x in found)
            yield Goal(name, "in all rows", f"in {lowest:.4g} %", lowest >= 100)
