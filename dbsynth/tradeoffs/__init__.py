"""Utility against epsilon: what privacy costs on the data at hand, beside engines without it.

Every engine is fitted on half of the units of privacy, with all that they own, and its rows are
judged by the other half.  That reads confidential rows and is not paid for, so the figures are for
the keeper of the source alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dbsynth.databases import open_database
from dbsynth.databases.base import Database
from dbsynth.databases.narrowed import Narrowed
from dbsynth.errors import EngineError, SchemaError, SpecError
from dbsynth.memorise import (
    FEWEST,
    Side,
    drafted,
    half,
    learnt_columns,
    made_side,
    real_side,
    unpaid,
)
from dbsynth.model import Model
from dbsynth.private.design import Design, design_of
from dbsynth.private.mechanisms import noise_of
from dbsynth.progress import Progress, Silent
from dbsynth.schema import ForeignKey
from dbsynth.spec import PRIVATE, Spec
from dbsynth.spec.protection import Protection
from dbsynth.tradeoffs.learning import accuracy
from dbsynth.tradeoffs.utility import Yardstick, mean, yardstick

REAL, OPEN, FLOOR = "real", "relational", "independent"
EPSILONS = (0.1, 0.3, 1.0, 3.0, 10.0)
WARNING = (
    "real rows were read and nothing was paid for them: these figures are as confidential as the"
    " source"
)
_MOST_EPSILON = 10_000
_ALL = 2**62


@dataclass(frozen=True)
class Line:
    """What one engine keeps of the rows that it was not shown.

    Attributes:
        engine: Or `real`, the shown half itself.
        epsilon: None without privacy.
        parts: Utility by kind of table of counts.
        accuracy: Of classifiers that its rows have taught; None where there are none.
        refused: Why there are no figures.
    """

    engine: str
    epsilon: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    accuracy: float | None = None
    seconds: float = 0.0
    refused: str = ""

    @property
    def utility(self) -> float | None:
        """One figure between 0 and 1."""
        return mean(self.parts) if self.parts else None

    def to_json(self) -> dict[str, Any]:
        """The line as JSON-able values."""
        return {**asdict(self), "utility": self.utility}


@dataclass(frozen=True)
class Tradeoff:
    """Utility of all engines.

    Attributes:
        shown, held_out: Units of either half.
        columns: By table, those that are compared, which are those that all engines learn.
        private: False where the noise has a seed.
    """

    unit: str
    delta: float
    fits: int
    private: bool
    shown: int
    held_out: int
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[Line, ...]

    def of(self, engine: str) -> tuple[Line, ...]:
        """The lines of one engine."""
        return tuple(line for line in self.lines if line.engine == engine)

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON-able values (see docs/json.md)."""
        found = {name: value for name, value in vars(self).items() if name != "lines"}
        lines = [line.to_json() for line in self.lines]
        return {"ok": True, **found, "lines": lines, "warning": WARNING}


Judging = Callable[[Side, Mapping[str, str]], Yardstick]
"""From rows kept aside and the parents of tables, what judges others."""


def tradeoff(
    source: str, *, spec: Spec, epsilons: Sequence[float] = EPSILONS,
    progress: Progress | None = None, judging: Judging = yardstick,
) -> Tradeoff:  # fmt: skip
    """Fit engines with and without privacy on half of the units, and judge by the other half.

    Nothing is written, no ledger is read or charged.

    Args:
        spec: Its section `privacy` names the unit and what is public; its epsilon does not count.
        judging: What judges, where other figures are wanted too.

    Raises:
        SpecError: No unit is named, or the spec leaves open what the engine `dp` has to know.
        SchemaError: There are too few units, or no column is learnt by all engines.
        MissingExtra: OpenDP is not installed.
    """
    progress, said = progress or Silent(), _protection(spec)
    if not epsilons or not all(0 < epsilon < _MOST_EPSILON for epsilon in epsilons):
        raise SpecError(
            f"an epsilon is a number above 0 and below {_MOST_EPSILON:,}",
            hint="write them with commas between: --epsilons 0.1,1,10",
        )
    noise_of(said.seed)  # before anything is read
    spec = replace(spec, fit_rows=_ALL, scale=1.0)
    with open_database(source) as database:
        return _judged(database, spec, said, sorted(set(epsilons)), progress, judging)


def _protection(spec: Spec) -> Protection:
    if spec.privacy is None:
        raise SpecError(
            "no `privacy.unit` is named: whose privacy is to be weighed",
            hint="write `privacy: {unit: TABLE, epsilon: 3, delta: 1e-6}` into the spec",
        )
    return spec.privacy


def _judged(
    database: Database, spec: Spec, said: Protection, epsilons: Sequence[float], progress: Progress,
    judging: Judging,
) -> Tradeoff:  # fmt: skip
    design = design_of(database, replace(spec, engine=PRIVATE))
    unit = design.schema[said.unit]
    shown, held_out = (
        Narrowed(database, half(design.schema, design.plan, said.unit, limits, spec.seed))
        for limits in ((0.0, 0.5), (0.5, 1.0))
    )
    sizes = shown.count_rows(unit), held_out.count_rows(unit)
    if sum(sizes) < FEWEST:
        raise SchemaError(
            f"`{said.unit}` has {sum(sizes):,} rows, too few to judge a half by the other",
            hint=f"at least {FEWEST} are needed, and thousands for a useful answer",
        )
    progress.step(f"fit {OPEN}")
    start = time.perf_counter()
    model = unpaid(shown, replace(spec, engine=OPEN))
    comparison = _comparison(design, model)
    judge = judging(comparison.real(held_out), comparison.parents)
    real = comparison.real(shown)
    lines = [Line(REAL, None, judge.utility(real), accuracy(judge, real))]
    lines.append(comparison.line(judge, model, spec, OPEN, start))
    for epsilon in epsilons:
        progress.step(f"fit dp at epsilon {epsilon:g}")
        lines.append(_private_line(comparison, judge, shown, spec, epsilon))
    progress.step(f"fit {FLOOR}")
    start = time.perf_counter()
    floor = unpaid(shown, replace(spec, engine=FLOOR))
    lines.append(comparison.line(judge, floor, spec, FLOOR, start))
    columns = {name: tuple(found) for name, found in comparison.columns.items()}
    return Tradeoff(
        said.unit, said.delta, said.fits, said.seed is None, *sizes, columns, tuple(lines)
    )


@dataclass(frozen=True)
class _Comparison:
    """The tables and columns that all engines learn, and the keys that own the rows."""

    design: Design
    columns: Mapping[str, Sequence[str]]
    keys: Mapping[str, ForeignKey | None]

    @property
    def parents(self) -> dict[str, str]:
        return {name: fk.parent for name, fk in self.keys.items() if fk is not None}

    def real(self, database: Database) -> Side:
        return real_side(database, self.design.schema, self.columns, self.keys)

    def line(
        self, judge: Yardstick, model: Model, spec: Spec, engine: str, start: float,
        epsilon: float | None = None,
    ) -> Line:  # fmt: skip
        made = made_side(drafted(model, spec), model.schema, self.columns, self.keys)
        seconds = time.perf_counter() - start
        return Line(engine, epsilon, judge.utility(made), accuracy(judge, made), seconds)


def _comparison(design: Design, model: Model) -> _Comparison:
    columns = dict(_common(design, model))
    if not columns:
        raise SchemaError(
            "no column of the unit and what it owns is learnt by all engines",
            hint="let `dbsynth plan` show which columns are learnt",
        )
    owner = design.ownership.owner
    keys = {
        name: owner[name] if name in owner and owner[name].parent in columns else None
        for name in columns
    }
    return _Comparison(design, columns, keys)


def _common(design: Design, model: Model) -> Iterator[tuple[str, list[str]]]:
    for name in design.ownership.protected:
        learnt = learnt_columns(model.tables[name]) if name in model.engines else []
        found = [
            c for c in learnt if c in design.recipes[name] and design.recipes[name][c].measured
        ]
        if found:
            yield name, found


def _private_line(
    comparison: _Comparison, judge: Yardstick, shown: Database, spec: Spec, epsilon: float
) -> Line:
    """With so much budget; no ledger is charged, as nothing of the model is kept."""
    start = time.perf_counter()
    said = replace(_protection(spec), epsilon=epsilon)
    try:
        model = unpaid(shown, replace(spec, engine=PRIVATE, privacy=said))
        return comparison.line(judge, model, spec, PRIVATE, start, epsilon)
    except (EngineError, SchemaError) as error:  # a budget that cannot work, or rows that cannot be
        return Line(PRIVATE, epsilon, refused=error.message, seconds=time.perf_counter() - start)


__all__ = ["EPSILONS", "FLOOR", "OPEN", "REAL", "WARNING", "Line", "Tradeoff", "tradeoff"]
