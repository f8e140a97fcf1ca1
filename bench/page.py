"""The page of the fidelity bench, written from the figures that its runs kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.goals import Goal, copied, goals, mean, sampling, seconds

Json = Mapping[str, Any]

INTRODUCTION = """\
# Fidelity

Written by `make bench-fidelity`; the figures are in `fidelity.json` beside this page.

- **Similarities** go from 0 to 100; 100 is best.
- **Detectors** are classifiers that tell real rows from rows of the clone: the area under their
  ROC curve is .5 where nothing gives the clone away and 1 where everything does. C2ST looks at
  single rows of a table, C2ST-Agg at parents with the counts, means and distinct categories of
  their children, Agg+ also at spread, extremes, order and time of the children.
- **floor**: the same figure for one half of the real entities against the other half. No honest
  clone is better, and one far below .5 has copied.
- **independent**: each table drawn on its own, with child counts kept; what the engine earns stands
  between this and the floor.
- **HMA**: SDV's synthesizer, on the largest piece of the schema that it accepts (five tables, no
  table both parent and child); *ours there* is our clone on the same piece.
- *judge* is a script from outside the project, *own* is `bench/measures.py`. Where they differ in
  definition, their figures differ. *Judge of what is kept* is the same script without the columns
  whose values a clone replaces by design (names, cities, addresses), as the plan lists them; where
  there are such columns, summary and targets are its figures. *Own* always leaves them out.
- *half*: half of the clone against half of the real rows. Similarities grow with the rows, so this
  one is to be compared with the floor, and the whole clone with what others publish.
- Figures of clones are means over the seeds; in brackets the lowest and the highest.
"""


def write_page(path: Path, found: Json) -> None:
    """Write the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(found), encoding="utf-8")


def page(found: Json) -> str:
    """The page of the figures."""
    return "\n".join(_lines(found)).rstrip() + "\n"


def _lines(found: Json) -> Iterator[str]:
    yield INTRODUCTION
    yield f"Machine: {found['surroundings']['machine']}. {found['surroundings']['versions']}."
    yield ""
    for name, reason in sorted(found["skipped"].items()):
        yield f"Skipped: {name}, {reason}."
    for name, reason in sorted(found["failed"].items()):
        yield f"\n**{name} could not be cloned**: {reason}"
    known = found["databases"]
    met = {name: list(goals(name, entry, found["hma"].get(name))) for name, entry in known.items()}
    yield from _summary(known, met)
    for name, entry in known.items():
        yield from _section(name, entry, found["hma"].get(name), met[name])


def _summary(known: Json, met: Mapping[str, Sequence[Goal]]) -> Iterator[str]:
    yield "\n## Summary\n"
    yield (
        "Half of the clone, and the floor after the stroke; detectors: mean and worst of all"
        " tables.\n"
    )
    header = ["database", "shapes", "pairs", "cardinality", "1-hop", "2-hop", "C2ST", "C2ST-Agg"]
    rows = []
    for name, entry in known.items():
        chosen = _sources(entry)[0]
        similar = [_with_floor(_comparable(entry, chosen, m)) for m in chosen.names]
        areas = [_mean_and_worst(chosen.areas(entry, d)) for d in ("C2ST", "C2ST-Agg", "Agg+")]
        targets = f"{sum(goal.met for goal in met[name])} of {len(met[name])}"
        rows.append([name, *similar, *areas, targets])
    yield from _table([*header, "Agg+", "targets met"], rows)


def _comparable(entry: Json, source: _Source, name: str) -> tuple[list[float], float | None]:
    """The similarity that may stand beside its floor."""
    whole, floor = source.similarity(entry, name)
    halves = [_half(run[source.name], name) for run in entry["clones"]] if source.halved else []
    found = [value for value in halves if value is not None]
    return (found or whole), floor


def _section(name: str, entry: Json, hma: Json | None, met: Sequence[Goal]) -> Iterator[str]:
    seeds = ", ".join(str(run["seed"]) for run in entry["clones"])
    yield f"\n## {name}\n"
    yield (
        f"{entry['tables']} tables, {entry['rows']:,} rows; {entry['date']}, revision"
        f" {entry['revision']}, seeds {seeds}.{_busy(entry)}"
    )
    yield from _hma_in_words(hma)
    if entry["invented"]:
        yield (
            f"\nA clone replaces the values of {', '.join(entry['invented'])}: our own measures"
            " leave them out, and so does the judge of what is kept."
        )
    yield "\n### Targets\n"
    yield from _table(
        ["figure", "wanted", "found", ""],
        [[g.what, g.wanted, g.found, "met" if g.met else "**missed**"] for g in met],
    )
    for source in _sources(entry):
        yield f"\n### Similarities ({source.title})\n"
        yield from _similarities(entry, hma, source)
        yield f"\n### Detectors ({source.title})\n"
        yield from _detectors(entry, hma, source)
    yield from _invariants(entry)
    yield from _copies(entry)
    yield from _held_out(entry)
    yield from _telltales(entry)
    yield from _speed(entry, hma)


def _judged(entry: Json) -> bool:
    return bool(entry["clones"][0]["judge"])


def _sources(entry: Json) -> list[_Source]:
    """The sources that there are of a database, the one to go by first."""
    kept = [_SOURCES["kept"]] if entry["clones"][0].get("kept") else []
    return [*kept, *([_SOURCES["judge"]] if _judged(entry) else []), _SOURCES["own"]]


# The two sources of figures


class _Source:
    """Figures of one kind, wherever they lie: (each seed's, floor, independent)."""

    def __init__(
        self,
        name: str,
        title: str,
        names: Sequence[str],
        similarity: Callable[[Json, str], float | None],
        area: Callable[[Json, str], Mapping[str, float]],
        floor: Callable[[Json], tuple[Callable[[str], float | None], Callable[[str], Json]]],
    ) -> None:
        self.name, self.title, self.names = name, title, names
        self.halved = name != "own"
        self.value, self.area, self._floor = similarity, area, floor

    def similarity(self, entry: Json, name: str) -> tuple[list[float], float | None]:
        runs = [self.value(run[self.name], name) for run in entry["clones"]]
        return [v for v in runs if v is not None], self._floor(entry)[0](name)

    def areas(self, entry: Json, detector: str) -> dict[str, tuple[list[float], float | None]]:
        """By table: the areas of all seeds, and the floor."""
        runs = [self.area(run[self.name], detector) for run in entry["clones"]]
        floor = self._floor(entry)[1](detector)
        return {t: ([r[t] for r in runs if t in r], floor.get(t)) for t in runs[0]}


def _own_similarity(own: Json, name: str) -> float | None:
    found = own.get(name)
    if name in ("shapes", "pairs"):
        return None if found["mean"] is None else 100 * found["mean"]
    return 100 * mean(list(found.values())) if found else None


def _judge_similarity(judge: Json, name: str) -> float | None:
    return judge["similarities"].get(name, {}).get("synthetic")


def _half(judge: Json | None, name: str) -> float | None:
    """The similarity of halves; our own measures know no other."""
    return judge["similarities"].get(name, {}).get("half") if judge else None


def _of_judge(name: str, title: str) -> _Source:
    """The figures of the judge under a name."""

    def floor(entry: Json) -> tuple[Callable[[str], float | None], Callable[[str], Json]]:
        judge = entry["clones"][0][name]
        return (
            lambda name: judge["similarities"].get(name, {}).get("floor"),
            lambda name: {table: values[1] for table, values in judge["detectors"][name].items()},
        )

    return _Source(
        name,
        title,
        ("shapes", "trends", "cardinality", "1-hop", "2-hop"),
        _judge_similarity,
        lambda judge, name: {
            table: values[0] for table, values in judge["detectors"][name].items()
        },
        floor,
    )


_SOURCES = {
    "kept": _of_judge("kept", "judge of what is kept"),
    "judge": _of_judge("judge", "judge"),
    "own": _Source(
        "own",
        "own",
        ("shapes", "pairs", "cardinality", "1-hop", "2-hop"),
        _own_similarity,
        lambda own, name: own[name],
        lambda entry: (
            lambda name: None if name == "cardinality" else _own_similarity(entry["floor"], name),
            lambda name: entry["floor"][name],
        ),
    ),
}


# Parts of a section


def _similarities(entry: Json, hma: Json | None, source: _Source) -> Iterator[str]:
    beside, halved = _beside(entry, hma), source.halved
    rows = []
    for name in source.names:
        values, floor = source.similarity(entry, name)
        more = [source.value(b[source.name], name) if b and b.get(source.name) else None
                for b in beside.values()]  # fmt: skip
        halves = [_half(run[source.name], name) for run in entry["clones"]] if halved else []
        half = [_spread([v for v in halves if v is not None], 1)] if halved else []
        others = [_number(v, 1) for v in more]
        rows.append([name, _spread(values, 1), *half, _number(floor, 1), *others])
    yield from _table(["measure", "clone", *(["half"] if halved else []), "floor", *beside], rows)


def _detectors(entry: Json, hma: Json | None, source: _Source) -> Iterator[str]:
    beside = _beside(entry, hma)
    rows = []
    for detector in ("C2ST", "C2ST-Agg", "Agg+"):
        for table, (values, floor) in source.areas(entry, detector).items():
            more = [source.area(b[source.name], detector).get(table)
                    if b and b.get(source.name) else None
                    for b in beside.values()]  # fmt: skip
            rows.append([f"{detector} of {table}", _spread(values, 2), _number(floor, 2),
                         *(_number(v, 2) for v in more)])  # fmt: skip
    yield from _table(["detector", "clone", "floor", *beside], rows)


def _beside(entry: Json, hma: Json | None) -> dict[str, Json | None]:
    """What stands beside the clone and its floor; HMA only where it came to an end."""
    found: dict[str, Json | None] = {"independent": entry.get("independent")}
    if hma and not hma["refused"] and hma.get("judge"):
        found |= {"HMA": hma, "ours there": entry.get("piece")}
    return found


def _hma_in_words(hma: Json | None) -> Iterator[str]:
    if hma is None:
        yield "HMA has not been run."
    elif hma["refused"]:
        tables = f" on {', '.join(hma['tables'])}" if hma["tables"] else ""
        yield f"HMA{tables}: {hma['refused']} ({hma['date']})."
    else:
        whole = "the whole schema" if len(hma["tables"]) == hma["of"] else ", ".join(hma["tables"])
        yield f"HMA (SDV {hma['version']}, {hma['date']}) took {whole}.{_busy(hma)}"


def _busy(found: Json) -> str:
    """A warning where the machine had other work to do."""
    load = found.get("busy", 0)
    return f" The machine was busy (load {load:.0f}): its times say little." if load > 2 else ""


def _invariants(entry: Json) -> Iterator[str]:
    if not entry["invariants"]:
        return
    yield "\n### Invariants\n"
    rows = []
    for name, real in entry["invariants"].items():
        found = [run["invariants"].get(name) for run in entry["clones"]]
        values = [value for value in found if value is not None]
        rows.append([name, _plain(real), _spread(values, None) if values else "-"])
    yield from _table(["share of rows in %, or a mean", "source", "clone"], rows)


def _copies(entry: Json) -> Iterator[str]:
    yield f"\n### Rows that equal a real row, in % ({'judge' if _judged(entry) else 'own'})\n"
    rows = [
        [table, f"{100 * clone:.2f}", f"{100 * floor:.2f}"]
        for table, (clone, floor) in copied(entry).items()
    ]
    yield from _table(["table", "clone", "one real half in the other"], rows)


def _held_out(entry: Json) -> Iterator[str]:
    apart = entry.get("held out")
    if not apart:
        return
    yield "\n### A clone of one half of the entities\n"
    yield (
        f"The halves share no row of `{apart['root']}`. Detectors (own) of the clone against the"
        " half it was fitted on, against the other half, and of the halves against each other;"
        " then the share of rows that equal one of that half, in %.\n"
    )
    rows = []
    for name in ("C2ST-Agg", "Agg+"):
        for table in apart["real"][name]:
            sides = [apart[side][name].get(table) for side in ("fitted", "other", "real")]
            rows.append([f"{name} of {table}", *(_number(side, 2) for side in sides)])
    for table in apart["real"]["copies"]:
        shares = [apart[side]["copies"].get(table) for side in ("fitted", "other", "real")]
        rows.append(
            [f"copies in {table}", *(_number(None if s is None else 100 * s, 2) for s in shares)]
        )
    yield from _table(["figure", "fitted half", "other half", "real halves"], rows)


def _telltales(entry: Json) -> Iterator[str]:
    told = entry.get("telltales")
    if not told:
        return
    yield "\n### What gives the clone away\n"
    yield (
        "Where a detector (own) is well above its floor: the area that single features have alone,"
        " and what a detector loses when a feature is shuffled.\n"
    )
    rows = [
        [key, *("; ".join(f"{feature} {x:.2f}" for feature, x in told[key][how]) or "-"
                for how in ("alone", "lost"))]
        for key in told
    ]  # fmt: skip
    yield from _table(["detector", "alone", "lost when shuffled"], rows)


def _speed(entry: Json, hma: Json | None) -> Iterator[str]:
    yield "\n### Seconds\n"
    run = min(entry["clones"], key=seconds)
    rows = [
        [
            "clone",
            _number(seconds(run) - sampling(run), 1),
            _number(sampling(run), 1),
            f"{run['rows'] / sampling(run):,.0f}",
            _number(run["wall"], 1),
        ]
    ]
    if hma and not hma["refused"]:
        rows.append(
            [
                "HMA",
                _number(hma["fit_s"], 1),
                _number(hma["sample_s"], 1),
                f"{hma['rows'] / hma['sample_s']:,.0f}",
                "-",
            ]
        )
    yield from _table(["", "profile and fit", "draw and load", "rows per second", "whole"], rows)


# Cells


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"


def _spread(values: Sequence[float], digits: int | None) -> str:
    if not values:
        return "-"
    show = _plain if digits is None else lambda value: _number(value, digits)
    middle, low, high = show(mean(list(values))), show(min(values)), show(max(values))
    return middle if low == high else f"{middle} ({low} to {high})"


def _with_floor(found: tuple[list[float], float | None]) -> str:
    values, floor = found
    if not values:
        return "-"
    return f"{mean(values):.1f}" + (f" / {floor:.1f}" if floor is not None else "")


def _mean_and_worst(found: Mapping[str, tuple[list[float], float | None]]) -> str:
    ours = [mean(values) for values, _ in found.values() if values]
    floor = [value for _, value in found.values() if value is not None]
    if not ours:
        return "-"
    text = f"{mean(ours):.2f}, {max(ours):.2f}"
    return text + (f" / {mean(floor):.2f}, {max(floor):.2f}" if floor else "")
