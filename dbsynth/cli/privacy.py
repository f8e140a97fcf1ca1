"""What a fit with differential privacy would cost, and what a model says of its own privacy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dbsynth.cli import output
from dbsynth.plural import counted

if TYPE_CHECKING:
    from dbsynth.private.forecast import Forecast

_MOST_QUESTIONS = 40


def forecast_json(found: Forecast) -> dict[str, Any]:
    """The forecast as a part of the plan's object."""
    whole = asdict(found)
    del whole["refused"]
    return {"privacy": whole}


def forecast_lines(found: Forecast) -> Iterator[str]:
    """The forecast in words and tables."""
    yield ""
    if not found.private:
        yield "NOT PRIVATE: `privacy.seed` makes the noise repeatable, and whoever knows it can"
        yield "take it off"
    yield output.plain(
        f"privacy: ({found.epsilon:g}, {found.delta:g})-differential privacy for one row of"
        f" {found.unit} with all that it owns, over {counted(found.fits, 'fit')};"
        f" each alone is worth epsilon {found.fit_epsilon:.3g}"
    )
    spent = "nothing is spent yet" if found.spent is None else (
        f"{counted(found.entries, 'fit')} spent epsilon {found.spent:.3g}")  # fmt: skip
    yield output.plain(f"ledger {found.ledger}: {spent}")
    owned = [
        (table, found.owned.get(table, "the unit"), f"{found.caps[table]:,}", f"{rows:,}")
        for table, rows in found.rows.items()
    ]
    yield output.table(
        ("table", "owned through", "cap", "rows by weight"), owned, frozenset({2, 3})
    )
    for key in found.foreign:
        yield output.plain(f"note: {key} may lead to another's rows: dealt by chance, not learnt")
    yield ""
    rows = [
        (m.table, m.name, f"{m.cells:,}", f"{m.noise:,.1f}", f"{m.error:.1%}", f"{m.epsilon:.2g}")
        for m in found.marginals
    ]
    header = ("table", "counts of", "cells", "noise", "error", "epsilon for 10 %")
    yield output.table(header, rows, frozenset({2, 3, 4, 5}))
    yield "noise: standard deviation of a count; error: expected, of a count of average size."
    yield "These figures use exact sizes: they are as confidential as the source."


def statement_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """What a model says of its own privacy."""
    yield ""
    if not told["private"]:
        yield "NOT PRIVATE: its noise has a seed, and whoever knows it can take it off"
    fit = told["fit"]
    yield output.plain(
        f"unit: one row of {told['unit']} with all rows that it owns; budget of"
        f" {counted(told['fits'], 'fit')}: epsilon {told['epsilon']:g}, delta {told['delta']:g}"
    )
    yield (
        f"this fit: {fit['rho']:.4g}-zCDP, delta {fit['delta']:.3g}; alone worth epsilon"
        f" {fit['epsilon']:.3g}"
    )
    ledger = told["ledger"]
    if ledger is not None:
        yield output.plain(
            f"ledger {ledger['file']}: entry {ledger['entry']} of {ledger['time']}, hash"
            f" {ledger['head'][:16]}"
        )
    rows = [
        (
            table, told["owned"].get(table, "the unit"), f"{cut['cap']:,}",
            "privately" if cut["chosen"] else "given", f"{cut['entities']:.1%}",
            f"{cut['rows']:.1%}",
        )
        for table, cut in told["cuts"].items()
    ]  # fmt: skip
    header = ("table", "owned through", "cap", "chosen", "owners over it", "weight lost")
    yield output.table(header, rows, frozenset({2, 4, 5}))
    for kind in ("public", "invented"):
        if told[kind]:
            yield output.plain(f"{kind}: " + ", ".join(told[kind]))
    asked = [
        (q["of"], f"{q['rho']:.2g}", f"{q['noise']:,.1f}" if q["noise"] else "", f"{q['cells']:,}")
        for q in told["questions"][:_MOST_QUESTIONS]
    ]
    yield ""
    yield output.table(("paid for", "rho", "noise", "cells"), asked, frozenset({1, 2, 3}))
    if len(told["questions"]) > _MOST_QUESTIONS:
        yield f"and {len(told['questions']) - _MOST_QUESTIONS} more (all with --json)"
