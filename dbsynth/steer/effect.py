"""What the wishes came to, measured on the finished draft beside the source and the pilot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.draft.drafted import Draft
from dbsynth.engines.relational import TreeChain
from dbsynth.report import Effect, Finding, Rate, Status, Steered
from dbsynth.steer.hand import classes_of, met, source_shares
from dbsynth.steer.size import fan_out
from dbsynth.steer.wishes import Fair, Share, Wishes

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_BINS = 10
_MOST_CODES = 20


@dataclass(frozen=True)
class Outcome:
    """The measured wishes, and whether what must hold for every row does."""

    steered: tuple[Steered, ...] = ()
    findings: tuple[Finding, ...] = ()


def measure(wishes: Wishes, pilot: Draft | None, draft: Draft) -> Outcome:
    """What the wishes came to.

    Args:
        pilot: The draft without wishes; None where only numbers of rows were wished for.
    """
    steered = [_rows(draft, table) for table in wishes.rows]
    findings = []
    if pilot is not None:
        steered += [_share(share, pilot, draft) for share in wishes.shares]
        for table, condition in wishes.conditions.items():
            rows, without = draft.rows[table], pilot.rows[table]
            good = len(met(draft, table, condition))
            before = len(met(pilot, table, condition)) / max(without, 1)
            rate = Rate("rows that meet it", 1.0, None, before, good / max(rows, 1))
            out = tuple(_fans(draft, table, pilot))
            steered.append(Steered("where", f"{table}: {condition.text}", (rate, *out)))
            status = Status.PASSED if good == rows else Status.FAILED
            detail = "" if good == rows else "rows do not meet the condition"
            findings.append(Finding("where", table, status, detail, rows - good))
        steered += [_fair(fair, pilot, draft) for fair in wishes.fair]
    return Outcome(tuple(steered), tuple(findings))


def _rows(draft: Draft, table: str) -> Steered:
    real = draft.model.tables[table].rows
    rate = Rate("rows", draft.rows[table], real, round(real * draft.scale), draft.rows[table])
    return Steered("rows", table, (rate, *_fans(draft, table, None)))


def _fans(draft: Draft, table: str, pilot: Draft | None) -> Iterator[Rate]:
    """Children per parent of every foreign key to a table."""
    for fk in draft.model.plan.counted.get(table, ()):
        real = draft.model.degrees[fk]
        parents = draft.model.tables[table].rows
        without = None if pilot is None or fk not in pilot.links else fan_out(pilot, fk)
        source = real.linked / max(parents, 1)
        yield Rate(f"{fk.child} per row", None, source, without, fan_out(draft, fk))


# ---------------------------------------------------------------------------------------------
# Shares
# ---------------------------------------------------------------------------------------------


def _share(share: Share, pilot: Draft, draft: Draft) -> Steered:
    table = share.column.table
    engine = draft.model.engines.get(table)
    if not isinstance(engine, TreeChain) or not draft.rows[table]:
        return Steered("rebalance", str(share.column), ())
    before, after = classes_of(share, pilot), classes_of(share, draft)
    many = len(share.names)
    source = source_shares(share, engine)
    rates = [
        Rate(name, want, float(real), float(without), float(got))
        for name, want, real, without, got in zip(
            share.names, (*share.wanted, None), source,
            _shares(before, many), _shares(after, many), strict=True,
        )
        if want is not None or without or got
    ]  # fmt: skip
    effects = [
        effect
        for name, old, new in _seen(share, pilot, draft)
        for effect in [_effect(name, old, new, before, after, many)]
    ]
    effects.sort(key=lambda effect: (-effect.overall, effect.column))
    return Steered("rebalance", str(share.column), tuple(rates), tuple(effects))


def _shares(classes: Int64, many: int) -> Float64:
    return np.bincount(classes, minlength=many) / max(len(classes), 1)


def _seen(share: Share, pilot: Draft, draft: Draft) -> Iterator[tuple[str, Int64, Int64]]:
    """The other columns of a row, of the rows above it and of how many rows lie under it.

    As codes of every row of the steered table, in the pilot and in the draft; NULL where there is
    no row above.
    """
    table = share.column.table
    ats = [np.arange(d.rows[table]) for d in (pilot, draft)]
    while True:
        for variable in draft.codes[table]:
            kind, _, name = variable.partition(":")
            if kind in ("column", "link", "count") and variable != share.column.variable:
                old, new = (
                    np.append(d.codes[table].get(variable, ()), 0)[a].astype(np.int64)
                    for d, a in zip((pilot, draft), ats, strict=True)
                )
                shown = f"{table}.{name}" if kind == "column" else name
                yield (f"number of {name}" if kind == "count" else shown), old, new
        fk = draft.model.plan.generating.get(table)
        if fk is None:
            return
        ats = [np.append(d.links[fk], -1)[a] for d, a in zip((pilot, draft), ats, strict=True)]
        table = fk.parent


def _effect(name: str, old: Int64, new: Int64, before: Int64, after: Int64, many: int) -> Effect:
    """Distances of one column, its codes taken together to few."""
    group = _grouping(old, new)
    wide = int(group.max(initial=0)) + 1
    tables = [
        np.bincount(c * wide + group[x], minlength=many * wide).reshape(many, wide).astype(float)
        for x, c in ((old, before), (new, after))
    ]
    sizes = [t.sum(axis=1) for t in tables]
    both = (sizes[0] > 0) & (sizes[1] > 0)
    shares = [t / np.maximum(s, 1)[:, None] for t, s in zip(tables, sizes, strict=True)]
    distance = np.abs(shares[0] - shares[1]).sum(axis=1) / 2
    variance = shares[0] * (1 - shares[0])
    noise = np.sqrt(2 / np.pi * variance * sum(1 / np.maximum(s, 1) for s in sizes)[:, None])
    weight = both * sizes[1]
    weight = weight / max(weight.sum(), 1)
    overall = [t.sum(axis=0) / max(t.sum(), 1) for t in tables]
    return Effect(
        name,
        float(np.abs(overall[0] - overall[1]).sum() / 2),
        float((distance * weight).sum()),
        float((noise.sum(axis=1) / 2 * weight).sum()),
    )


def _grouping(old: Int64, new: Int64) -> Int64:
    """A small number for every code: the code, or its bin in the order of codes."""
    size = int(max(old.max(initial=0), new.max(initial=0))) + 1
    if size <= _MOST_CODES:
        return np.arange(size)
    counts = np.bincount(old, minlength=size)
    reached = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)
    bins: Int64 = np.minimum((reached * _BINS).astype(np.int64), _BINS - 1)
    return bins


# ---------------------------------------------------------------------------------------------
# Fairness
# ---------------------------------------------------------------------------------------------


def _fair(fair: Fair, pilot: Draft, draft: Draft) -> Steered:
    """Rates of the outcome by group; the commonest outcome is left to the others."""
    counts = {
        "source": draft.model.crossings.get(fair.crossing.name),
        "without": fair.crossing.count(pilot.codes, pilot.links),
        "got": fair.crossing.count(draft.codes, draft.links),
    }
    now = counts["got"]
    assert now is not None
    pooled = now.sum(axis=(0, 1))
    left = int(pooled.argmax())
    names = [_names(c) for c in (fair.protected, fair.given, fair.outcome)]
    rates = []
    for y in range(now.shape[1]):
        for outcome in np.flatnonzero(pooled).tolist():
            if outcome == left:
                continue
            level = now[:, y, outcome].sum() / max(now[:, y].sum(), 1)
            for group in np.flatnonzero(now[:, y].sum(axis=1)).tolist():
                where = f", {fair.given.name} {names[1][y]}" if fair.given else ""
                name = (
                    f"{fair.outcome.name} {names[2][outcome]} where {fair.protected.name} "
                    f"{names[0][group]}{where}"
                )
                found = {k: _rate(c, group, y, outcome) for k, c in counts.items()}
                got = found["got"]
                assert got is not None
                rates.append(Rate(name, float(level), found["source"], found["without"], got))
    given = f" given {fair.given.name}" if fair.given else ""
    kind = "equal rates" if fair.given else "independent"
    subject = f"{fair.outcome} {kind} of {fair.protected}{given}"
    return Steered("fairness", subject, tuple(rates))


def _rate(counts: Int64 | None, group: int, given: int, outcome: int) -> float | None:
    if counts is None or group >= counts.shape[0] or given >= counts.shape[1]:
        return None
    rows = counts[group, given]
    if not rows.sum():
        return None
    return float(rows[outcome] / rows.sum()) if outcome < len(rows) else 0.0


def _names(column: object) -> Mapping[int, str]:
    values = getattr(column, "values", None)
    listed = [] if values is None else values.to_pylist()
    return {i: "NULL" if v is None else _short(v) for i, v in enumerate(listed)}


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
