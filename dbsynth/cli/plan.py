"""dbsynth plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import dbsynth
from dbsynth.cli import options, output, privacy
from dbsynth.errors import EngineError

if TYPE_CHECKING:
    from dbsynth.outline import Outline
    from dbsynth.rules import Kept

_REPLACED = ("identifier", "renamed", "text", "opaque")


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
    from dbsynth.steer.size import expected  # needs all of the library

    with options.progress(quiet=quiet) as shown:
        outline = dbsynth.plan(url, spec=spec, progress=shown)
        foreseen = dbsynth.foresee(url, spec=spec) if spec.engine == "dp" else None
    if foreseen is not None and foreseen.refused and as_json:
        raise EngineError(foreseen.refused[0], hint=foreseen.refused[1])
    if as_json:
        found = _json(outline, expected(outline, spec))
        output.put_json(found if foreseen is None else found | privacy.forecast_json(foreseen))
        return
    output.put(_text(outline, expected(outline, spec)))
    if foreseen is not None:
        output.put("\n".join(privacy.forecast_lines(foreseen)))
        if foreseen.refused:
            raise EngineError(foreseen.refused[0], hint=foreseen.refused[1])


def _json(outline: Outline, rows: Mapping[str, int]) -> dict[str, Any]:
    return {
        "ok": True,
        "tables": [
            {
                "name": name, "strategy": facts.strategy, "reason": facts.reason,
                "real_rows": facts.rows, "synthetic_rows": rows[name],
                "columns": {
                    column: {
                        "role": model.decision.role.value, "provider": model.decision.provider,
                        "concept": model.decision.concept,
                        "exposure": model.decision.exposure.value,
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
        "rules": [
            {"rule": str(k.rule), "support": k.support, "real": list(_breakers(outline, k))}
            for k in outline.rules
        ],
        "real_rows": [
            {
                "table": name, "rows": choice.size, "of": len(choice.rows), "asked": choice.asked,
                "added": choice.added, "left_out": choice.left_out,
            }
            for name, choice in outline.choices.items()
        ],
    }  # fmt: skip


def _text(outline: Outline, expected: Mapping[str, int]) -> str:
    rows = [
        (name, facts.strategy, f"{facts.rows:,}", f"{expected[name]:,}",
         _parent(outline, name), facts.reason)
        for name, facts in outline.tables.items()
    ]  # fmt: skip
    header = ("table", "strategy", "real", "expected", "under", "why")
    replaced = [line for name in outline.tables for line in _replaced(outline, name)]
    quasi = [line for name in outline.tables for line in _quasi(outline, name)]
    cycles = [f"cycle: {' > '.join(cycle)}; links are dealt last" for cycle in outline.plan.cycles]
    notes = [_rule(outline, kept) for kept in outline.rules]
    notes += [f"real rows: {line}" for line in map(partial(_chosen, outline), outline.choices)]
    notes += [f"note: {note}" for note in outline.notes]
    parts = [output.table(header, rows, frozenset({2, 3}))]
    if replaced:
        parts += ["", output.table(("column", "becomes", "why"), replaced), ""]
    return "\n".join([*parts, *map(output.plain, cycles + quasi + notes)]).rstrip()


def _rule(outline: Outline, kept: Kept) -> str:
    """A rule, and what may stand against it."""
    real = _breakers(outline, kept)
    doubt = f"; may break, as rows of {', '.join(real)} are real" if real else ""
    return f"rule: {kept.rule} (held in {kept.support}){doubt}"


def _breakers(outline: Outline, kept: Kept) -> tuple[str, ...]:
    """The tables of real rows that may break a rule."""
    from dbsynth.outline.masking import breakers  # needs all of the library

    return breakers(outline.schema, outline.tables, kept.rule)


def _chosen(outline: Outline, name: str) -> str:
    """How many real rows of a table come into the clone, and why so many."""
    choice = outline.choices[name]
    why = []
    if choice.asked is not None:
        why.append(f"{choice.asked:,} chosen")
    if choice.added:
        why.append(f"{choice.added:,} added, as others refer to them")
    if choice.left_out:
        why.append(f"{choice.left_out:,} left out without their mandatory parents")
    counted = f"{name}: {choice.size:,} of {len(choice.rows):,}, masked"
    return counted + (f" ({'; '.join(why)})" if why else "")


def _parent(outline: Outline, name: str) -> str:
    """The table whose rows bring forth the rows of a table."""
    key = outline.plan.generating.get(name)
    return key.parent if key else ""


def _quasi(outline: Outline, name: str) -> Iterator[str]:
    """A line with the columns of a table that tell a person together."""
    found = [
        column
        for column, model in outline.tables[name].columns.items()
        if model.decision.exposure == "quasi"
    ]
    if found:
        yield f"quasi-identifiers, which tell a person together: {name} ({', '.join(found)})"


def _replaced(outline: Outline, name: str) -> Iterator[tuple[str, str, str]]:
    """The columns of a table of which no value comes through."""
    facts = outline.tables[name]
    if facts.strategy != "synthesize":
        return
    for column, model in facts.columns.items():
        role, provider = model.decision.role.value, model.decision.provider
        if role in _REPLACED:
            what = f"{role}:{provider}" if provider else role
            yield f"{name}.{column}", what, model.decision.reason
