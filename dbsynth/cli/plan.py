"""dbsynth plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import dbsynth
from dbsynth.cli import options, output

if TYPE_CHECKING:
    from dbsynth.outline import Outline


@click.command()
@click.argument("source", required=False)
@options.spec_option
@options.scale_option
@options.json_option
@options.quiet_option
def plan(
    source: str | None, spec_path: Path | None, scale: float | None, as_json: bool, quiet: bool
) -> None:
    """Show what a clone of SOURCE (a URL or a spec file) would do, without doing it.

    Example: dbsynth plan dbsynth.yaml
    """
    url, spec = options.source_and_spec(source, spec_path, without=("target",), scale=scale)
    with options.progress(quiet=quiet) as shown:
        outline = dbsynth.plan(url, spec=spec, progress=shown)
    if as_json:
        output.put_json(_json(outline, spec.scale))
    else:
        output.put(_text(outline, spec.scale))


def _expected(outline: Outline, name: str, scale: float) -> int:
    facts = outline.tables[name]
    return facts.rows if facts.strategy == "copy" else round(facts.rows * scale) * (facts.strategy != "empty")


def _json(outline: Outline, scale: float) -> dict[str, Any]:
    return {
        "tables": [
            {
                "name": name, "strategy": facts.strategy, "reason": facts.reason,
                "real_rows": facts.rows, "synthetic_rows": _expected(outline, name, scale),
                "columns": {
                    column: {
                        "role": model.decision.role.value, "provider": model.decision.provider,
                        "reason": model.decision.reason, "decided_by": model.decision.decided_by,
                        "confidence": model.decision.confidence,
                    }
                    for column, model in facts.columns.items()
                },
            }
            for name, facts in outline.tables.items()
        ],
        "order": list(outline.plan.order),
        "generating": {t: str(fk) for t, fk in outline.plan.generating.items()},
        "lookups": [str(fk) for fk in outline.plan.lookups],
        "dealt": [str(fk) for fk in outline.plan.dealt],
        "cycles": [list(cycle) for cycle in outline.plan.cycles],
        "notes": list(outline.notes),
    }  # fmt: skip


def _text(outline: Outline, scale: float) -> str:
    rows = [
        (name, facts.strategy, f"{facts.rows:,}", f"{_expected(outline, name, scale):,}",
         str(outline.plan.generating.get(name, "")).partition(" -> ")[2], facts.reason)
        for name, facts in outline.tables.items()
    ]  # fmt: skip
    header = ("table", "strategy", "real", "synthetic", "under", "why")
    parts = [output.table(header, rows, frozenset({2, 3}))]
    for name, facts in outline.tables.items():
        if facts.strategy == "copy":
            continue
        for column, model in facts.columns.items():
            decision = model.decision
            if decision.role.value in ("identifier", "renamed", "text", "opaque"):
                what = f"{decision.role.value}:{decision.provider}" if decision.provider else decision.role.value
                parts.append(output.plain(f"replaced: {name}.{column} ({what}): {decision.reason}"))
    for cycle in outline.plan.cycles:
        parts.append(output.plain(f"cycle: {', '.join(cycle)} refer to each other; links are dealt last"))
    parts += [output.plain(f"note: {note}") for note in outline.notes]
    return "\n".join(parts)
