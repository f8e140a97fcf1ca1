"""The story on one page: reflect, decide, fit, draft, settle, generate, load, verify, publish."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from dbsynth.authoring import suggest
from dbsynth.authoring.writing import acceptance_lines
from dbsynth.compose import compose
from dbsynth.databases import at_risk, open_database, open_stage
from dbsynth.databases.base import Database, Stage
from dbsynth.databases.portable import carried
from dbsynth.draft.drafted import Draft
from dbsynth.engines import engine_of, ready
from dbsynth.errors import SpecError, TargetIsSource, VerificationFailed
from dbsynth.gate import SEARCHES, examine
from dbsynth.gate.accept import accepted
from dbsynth.generate import Generator, generator
from dbsynth.learn import fit as fit_model
from dbsynth.learn import foreseen
from dbsynth.masked import masked_chunks
from dbsynth.model import REAL, Model, load_model
from dbsynth.outline import Outline, make_outline
from dbsynth.private.fit import fit as fit_private
from dbsynth.private.forecast import Forecast, forecast, outline_of
from dbsynth.progress import Progress, Silent
from dbsynth.randomness import Streams
from dbsynth.report import Finding, Gate, Report, Status, Stopwatch, TableReport
from dbsynth.schema import ForeignKey, Schema, Table
from dbsynth.spec import PRIVATE, Spec
from dbsynth.spec.drift import Change, against_model, drift, pruned
from dbsynth.steer.wishes import understand
from dbsynth.subset import choose
from dbsynth.verify import proven, verify_constraints, verify_rows, verify_rules

_ADVICE = (
    "the target is as it was; name another provider for columns that leak in the spec (`--explain`"
    " says what let the values through), let somebody answer for a finding that is harmless under"
    " `accepted`, and please report a constraint that fails"
)


def clone(
    source: str,
    target: str,
    *,
    spec: Spec | None = None,
    replace: bool = False,
    processes: int = 1,
    explain: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Build a synthetic clone of a database and make it the target.

    Args:
        source, target: URLs as SQLAlchemy writes them.
        spec: What the user says; engine, scale and seed are in it.
        replace: Whether a target that holds tables may be replaced.
        processes: Processes that generate rows; the outcome does not depend on it.
        explain: Whether an error says which part of the model let a real value through.

    Raises:
        DbsynthError: Anything expected that went wrong; the target is as it was.
    """
    spec, progress, watch = spec or Spec(), progress or Silent(), Stopwatch()
    ready(spec.engine)
    with open_database(source) as database:
        refuse_source(database, target)
        with open_stage(target, replace=replace) as stage:
            model = _fitted(database, spec, progress, watch)
            task = _Task(model, stage, spec, processes, progress, watch, explain)
            return _built(task, database)


def plan(source: str, *, spec: Spec | None = None, progress: Progress | None = None) -> Outline:
    """What a clone would do, without doing it."""
    spec = spec or Spec()
    with open_database(source) as database:
        if spec.engine == PRIVATE:
            return outline_of(database, spec)
        outline = make_outline(database, spec, Streams(spec.seed), progress or Silent())
        understand(spec, outline.schema, outline.plan, outline.tables)
        outline = dataclasses.replace(outline, choices=choose(database, outline, spec))
        return foreseen(database, outline, spec.engine, progress or Silent())


def foresee(source: str, *, spec: Spec) -> Forecast:
    """What a fit with differential privacy would cost and how exact it would be; spends nothing."""
    with open_database(source) as database:
        return forecast(database, spec)


def review(
    source: str, *, spec: Spec, rules: bool = False, progress: Progress | None = None
) -> tuple[tuple[Change, ...], Outline]:
    """What changed in a source since its spec was written, and what is proposed for it now.

    Args:
        rules: Whether rules are mined too, which reads all rows that a model is learnt from.
    """
    progress = progress or Silent()
    with open_database(source) as database:
        schema = database.reflect()
        outline = make_outline(database, pruned(spec, schema), Streams(spec.seed), progress)
        if rules:
            outline = foreseen(database, outline, spec.engine, progress)
        return drift(spec, schema, outline.declared), outline


def suggest_keys(source: str, outline: Outline) -> tuple[ForeignKey, ...]:
    """References that a source does not declare, for a spec to offer."""
    with open_database(source) as database:
        return suggest.suggest_keys(database, outline)


def fit(
    source: str, path: Path, *, spec: Spec | None = None, progress: Progress | None = None
) -> tuple[Model, dict[str, float]]:
    """Fit a model and save it; returns it with the seconds per step."""
    spec, watch = spec or Spec(), Stopwatch()
    ready(spec.engine)
    real = [f"`{name}`" for name, said in spec.tables.items() if said.strategy in REAL]
    if real:
        raise SpecError(
            f"real rows of {', '.join(real)} belong in no model file",
            hint="clone them with `dbsynth clone`, or give these tables another strategy",
        )
    with open_database(source) as database:
        model = _fitted(database, spec, progress or Silent(), watch)
    model.save(path)
    return model, watch.seconds


def load(
    path: Path,
    target: str,
    *,
    source: str | None,
    spec: Spec | None = None,
    replace: bool = False,
    processes: int = 1,
    explain: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Build a clone from a model file.

    Args:
        source: The URL of the source, so that the clone is searched for its values.  None where it
            is not at hand: nobody searches the clone, and the report says so.
        explain: Whether an error says which part of the model let a real value through.
    """
    spec, progress, watch = spec or Spec(), progress or Silent(), Stopwatch()
    model = load_model(path)
    understand(spec, model.schema, model.plan, model.tables)  # unknown names before all else
    model = dataclasses.replace(model, notes=model.notes + against_model(spec, model))
    with contextlib.ExitStack() as open_:
        database = open_.enter_context(open_database(source)) if source else None
        if database is not None:
            refuse_source(database, target)
        stage = open_.enter_context(open_stage(target, replace=replace))
        task = _Task(model, stage, spec, processes, progress, watch, explain)
        return _built(task, database)


def check(target: str) -> Report:
    """Verify the keys and constraints of a database, by queries alone."""
    watch = Stopwatch()
    with open_database(target) as database, watch.step("verify"):
        schema = database.reflect()
        findings = tuple(verify_constraints(database, schema.tables))
        tables = tuple(
            TableReport(t.name, "", "", 0, database.count_rows(t)) for t in schema.tables
        )
        return Report(database.label, 1.0, 0, tables, findings, watch.seconds, (), schema.notes)


def refuse_source(database: Database, target: str) -> None:
    """Refuse a target that is the source, whatever the URLs look like.

    Raises:
        TargetIsSource: They are one database.
        DatabaseError: One of them does not tell who it is.
    """
    if database.identity() & at_risk(target):
        raise TargetIsSource(
            f"the source {database.label} would be replaced: it is the target, or has a name that"
            " building the target needs",
            hint="name another target database",
        )


def _fitted(database: Database, spec: Spec, progress: Progress, watch: Stopwatch) -> Model:
    streams = Streams(spec.seed)
    if spec.engine == PRIVATE:
        with watch.step("fit"):
            return fit_private(database, spec, progress)
    with watch.step("profile"):
        outline = make_outline(database, spec, streams, progress)
    with watch.step("fit"):
        wishes = understand(spec, outline.schema, outline.plan, outline.tables)
        crossings = tuple(fair.crossing for fair in wishes.fair)
        chosen = {name: found.rows for name, found in choose(database, outline, spec).items()}
        engine = engine_of(spec.engine, spec.epochs)
        return fit_model(
            database, outline, engine, streams, progress, wishes.early(), crossings, chosen
        )


@dataclasses.dataclass(frozen=True)
class _Task:
    """What is to be built."""

    model: Model
    stage: Stage
    spec: Spec
    processes: int
    progress: Progress
    watch: Stopwatch
    explain: bool


def _built(task: _Task, source: Database | None) -> Report:
    """Build, verify, examine, and only then publish."""
    model, stage, spec, watch, progress = (
        task.model, task.stage, task.spec, task.watch, task.progress
    )  # fmt: skip
    same_kind = stage.capabilities.kind == model.source_kind
    wishes = understand(spec, model.schema, model.plan, model.tables)
    with watch.step("structure"):
        losses = stage.create(model.schema, model.structure if same_kind else None)
    if not same_kind:
        kept = carried(model.schema, model.source_kind, stage.capabilities.kind)
        model = dataclasses.replace(model, schema=kept)
    with watch.step("generate"):
        streams = Streams(spec.seed)
        draft, outcome = compose(model, stage, spec.scale, streams, progress, wishes)
    with watch.step("load"), generator(draft, task.processes) as rows:
        for table in model.schema.tables:
            _load_table(draft, table, stage, rows, progress, source)
    with watch.step("finish"):
        progress.step("constraints and indexes")
        stage.finish()
    with stage.reader() as clone_:
        with watch.step("verify"):
            progress.step("verify")
            findings = (*_verified(clone_, model, draft, spec), *outcome.findings)
        with watch.step("gate"):
            progress.step("search for real values")
            looked = tuple(_examined(source, clone_, model))
            findings += accepted(looked, spec) if source and not model.privacy else looked
    gate = Gate.PRIVATE if model.privacy else Gate.SEARCHED if source else Gate.BLIND
    report = Report(
        stage.label,
        spec.scale,
        spec.seed,
        _tables(model, draft),
        findings,
        watch.seconds,
        losses,
        model.notes + tuple(draft.notes) + tuple(real.note for real in model.real.values()),
        tuple((str(kept.rule), kept.support) for kept in model.rules),
        outcome.steered,
        gate,
    )
    if not report.ok:
        raise VerificationFailed(
            "the clone was not published: " + "; ".join(_failures(report, explain=task.explain)),
            hint=_ADVICE,
            lines=_acceptable(report),
        )
    with watch.step("publish"):
        stage.publish()
    return report


def _load_table(
    draft: Draft, table: Table, stage: Stage, rows: Generator, progress: Progress,
    source: Database | None,
) -> None:  # fmt: skip
    columns = [column.name for column in table.written]
    rows_ = draft.rows[table.name]
    if not rows_:
        return
    progress.step(f"load {table.name}", rows_)
    if not columns:
        stage.load_defaults(table, rows_)
        return

    encoder = stage.encoder(table, columns)

    def chunks() -> Iterator[bytes]:
        encoded = rows.chunks(table, encoder)
        if table.name in draft.model.real:
            assert source is not None  # a model with real rows is neither saved nor loaded
            encoded = masked_chunks(draft, table, source, encoder)
        for count, chunk in encoded:
            yield chunk
            progress.advance(count)

    stage.load(table, columns, chunks())


def _examined(source: Database | None, clone_: Database, model: Model) -> Iterator[Finding]:
    """What the gate says, where there is something to compare with.

    A private model is not compared with the source: what comes of it would have to be paid.
    """
    if source is not None and model.privacy is None:
        yield from examine(source, clone_, model)
    elif model.privacy is None:
        detail = "not searched for real values, as the source is not at hand"
        yield Finding("leak", "all columns", Status.NOTE, detail)


def _verified(database: Database, model: Model, draft: Draft, spec: Spec) -> Iterator[Finding]:
    schema = Schema(model.schema.tables)
    proved: list[Table] = []
    doubted: list[Table] = []
    for table in schema.tables:
        declared = all(fk.declared for fk in table.foreign_keys)
        (proved if declared and database.proves(table) else doubted).append(table)
    yield from proven(proved)
    yield from verify_constraints(database, doubted)
    yield from verify_rows(database, schema, draft.rows)
    yield from verify_rules(database, model, strict=spec.on_broken_rule == "stop")


def _tables(model: Model, draft: Draft) -> tuple[TableReport, ...]:
    return tuple(
        TableReport(name, facts.strategy, facts.reason, facts.rows, draft.rows[name])
        for name, facts in model.tables.items()
    )


def _failures(report: Report, *, explain: bool) -> Iterator[str]:
    for finding in report.findings:
        if finding.status is Status.FAILED:
            why = f" (let through by {finding.part})" if explain and finding.part else ""
            yield f"{finding.check} {finding.subject}: {finding.detail}{why}"


def _acceptable(report: Report) -> list[str]:
    """The lines of a spec that would let a clone through, once somebody says who and why."""
    found = [f for f in report.findings if f.status is Status.FAILED and f.check in SEARCHES]
    return acceptance_lines(found) if found else []
