"""Precision and recall of the classification on labelled columns: `make bench-classify`."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.columns import PARTS, Label, labelled
from dbsynth.classify import Decision, classify_table

_ALIKE = {"street_extra": "street_address"}


@dataclass(frozen=True)
class Verdict:
    """A labelled column and what was decided on it."""

    language: str
    column: str
    label: Label
    decision: Decision

    @property
    def concept(self) -> str:
        return _ALIKE.get(self.decision.concept, self.decision.concept)


@dataclass(frozen=True)
class Score:
    """How well the columns of one exposure were found; exact counts those of the right kind."""

    columns: int
    wanted: int
    found: int
    right: int
    exact: int

    @property
    def recall(self) -> float:
        return self.right / max(self.wanted, 1)

    @property
    def precision(self) -> float:
        return self.right / max(self.found, 1)

    @property
    def kind(self) -> float:
        return self.exact / max(self.right, 1)


def verdicts(part: str) -> Iterator[Verdict]:
    """Every column of a part with its decision."""
    for entry in labelled(part):
        decisions = classify_table(entry.table, entry.sample, entry.sample.num_rows)
        for name, label in entry.labels.items():
            yield Verdict(entry.language, f"{entry.table.name}.{name}", label, decisions[name])


def score(found: Iterable[Verdict], level: str) -> Score:
    """The score of one exposure, ``direct`` or ``quasi``."""
    counts: Counter[str] = Counter()
    for it in found:
        wanted, given = it.label.level == level, it.decision.exposure == level
        counts["columns"] += 1
        counts["wanted"] += wanted
        counts["found"] += given
        counts["right"] += wanted and given
        counts["exact"] += wanted and given and it.concept == it.label.kind
    return Score(*(counts[name] for name in ("columns", "wanted", "found", "right", "exact")))


def _line(name: str, it: Score) -> str:
    return (f"{name:24} {it.columns:7} {it.wanted:7} {it.found:7}   {it.recall:.3f}      "
            f"{it.precision:.3f}   {it.kind:.3f}")  # fmt: skip


def main() -> None:
    """Print the tables; with --errors also every column decided otherwise (worked_on alone)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", action="store_true")
    errors = parser.parse_args().errors
    for part in ("worked_on",) if errors else PARTS:
        found = list(verdicts(part))
        kinds = {it.label.kind for it in found if it.label.kind}
        print(f"\n{part}: {len(found)} columns, {len(kinds)} kinds")
        print("                         columns  wanted   found   recall  precision    kind")
        for level in ("direct", "quasi"):
            print(_line(level, score(found, level)))
        for language in sorted({it.language for it in found}):
            spoken = [it for it in found if it.language == language]
            print(_line(f"direct, {language}", score(spoken, "direct")))
        for it in found if errors else ():
            _explain(it)


def _explain(it: Verdict) -> None:
    """Print a column that was decided otherwise than labelled."""
    label, found = it.label, it.decision
    if (label.level or "none") != found.exposure or label.kind not in ("", it.concept):
        print(f"{it.language} {it.column:32} {label.level}:{label.kind:18} got "
              f"{found.exposure}:{it.concept} {found.role} | {found.reason}")  # fmt: skip


if __name__ == "__main__":
    main()
