"""dbsynth attack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

import dbsynth
from dbsynth.cli import options, output
from dbsynth.errors import VerificationFailed
from dbsynth.plural import counted, do
from dbsynth.report import Status

if TYPE_CHECKING:
    from dbsynth.attacks import Attacked, Membership, Share
    from dbsynth.memorise import Memory

_MOST_SECRETS = 12
_HELD = {
    "synthetic": "the clone",
    "real": "real rows never shown",
    "masked": "the shown rows, names masked",
}


@click.command()
@click.argument("source", required=False)
@click.option("--table", "tables", multiple=True, help="Only entities of this table; repeatable.")
@options.spec_option
@options.seed_option
@options.engine_option
@options.json_option
@options.quiet_option
def attack(
    source: str | None, tables: tuple[str, ...], spec_path: Path | None, seed: int | None,
    engine: str | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Measure what clones of SOURCE (a URL or a spec file) give away of real entities.

    A model is fitted on half of the entities of a table, with all rows that belong to them, and its
    clone is held against both halves. Only what succeeds better on the half that was shown is a
    leak; each figure stands beside what real rows that were never shown, masked rows and guessing
    give away. Nothing is written. The exit code is 1 where an attack succeeds. Where none does,
    that is no proof of anonymity: others may.

    The engine dp is attacked on its unit. No ledger is charged for it: the attack reads real rows,
    so its figures are outside of the budget and as confidential as the source.

    Example: dbsynth attack dbsynth.yaml
    """
    url, spec = options.source_and_spec(
        source, spec_path, without=("target",), seed=seed, engine=engine
    )
    with options.progress(quiet=quiet) as shown:
        report = dbsynth.attack(url, spec=spec, only=tables, progress=shown)
    failed = [f for a in report.attacked for f in a.findings if f.status is Status.FAILED]
    if as_json:
        output.put_json(report.to_json())
        if failed:  # the object above has said it
            raise click.exceptions.Exit(VerificationFailed.exit_code)
        return
    for attacked in report.attacked:
        output.put("\n".join(_text(attacked)))
    tried = sum(len(a.findings) for a in report.attacked)
    said = report.protection
    budget = f" at ({said.epsilon:g}, {said.delta:g})" if said else ""
    output.put(
        f"engine {report.engine}{budget}: {counted(tried, 'attack')}, {len(failed)} succeeded"
    )
    for warning in report.warnings:
        output.put(f"warning: {warning}")
    if failed:
        raise VerificationFailed(
            f"{counted(len(failed), 'attack')} {do(len(failed), 'succeed')}",
            hint="fit on more entities, leave columns out in the spec, or use another engine",
        )


def _text(a: Attacked) -> Iterator[str]:
    with_ = f", with {', '.join(a.tables[1:])}" if len(a.tables) > 1 else ""
    entities = f"{a.entities.entities:,} entities invented after half of the real ones{with_}"
    yield output.plain(f"{a.entity}: {entities}")
    yield ""
    yield from _membership(a.membership)
    yield ""
    if a.worst:
        yield from _guessed(a)
        yield ""
    yield from _returned(a)
    yield ""
    for finding in a.findings:
        word = {Status.FAILED: "LEAK", Status.NOTE: "trace"}.get(finding.status)
        if word:
            yield output.plain(f"{word}: {finding.check} of {finding.subject}: {finding.detail}")


def _membership(found: tuple[Membership, ...]) -> Iterator[str]:
    """Who was shown: with the clone in hand, and with what else."""
    header = ("shown, or not? told by", "AUC", "found at 1% false", "at 10% false", "most exposed")
    rows = [
        (_HELD[m.against], f"{m.auc:.3f}", _share(m.at_1), _share(m.at_10), _share(m.exposed_at_10))
        for m in found
    ]
    rows.append(("guessing", "0.500", "1.0%", "10.0%", "10.0%"))
    yield output.table(header, rows, frozenset({1, 2, 3, 4}))


def _guessed(a: Attacked) -> Iterator[str]:
    """Secrets that were guessed and parts that were linked, the largest lead of each table."""
    header = ("told by the clone", "shown", "others", "others, by real rows", "by chance")
    rows = [
        (
            f"secret {i.table}.{i.column}",
            f"{i.attack.value:.1%}", f"{i.control.value:.1%}", f"{i.real.value:.1%}",
            f"{i.guess:.1%}",
        )
        for i in a.worst[:_MOST_SECRETS]
    ]  # fmt: skip
    link = a.linkage
    if link is not None:
        told = [f"{share.value:.1%}" for share in (link.attack, link.control, link.real)]
        rows.append(("link of row and family", told[0], told[1], told[2], f"{link.guess:.1%}"))
    yield output.table(header, rows, frozenset({1, 2, 3, 4}))


def _returned(a: Attacked) -> Iterator[str]:
    """What comes back of the shown half, beside what the other half has of it."""
    header = ("come back", "of the clone", "of real rows never shown", "nearly", "nearly, real")
    whole = a.entities
    rows: list[tuple[str, ...]] = [
        (f"rows of {m.table}", f"{m.copied:.2%}", f"{m.natural:.2%}", "", "") for m in a.rows
    ]
    rows += [_families(m) for m in a.rows if m.families or m.natural_families]
    rows.append(
        ("whole entities", f"{whole.exact:.2%}", f"{whole.natural:.2%}", f"{whole.near:.2%}",
         f"{whole.natural_near:.2%}")
    )  # fmt: skip
    yield output.table(header, rows, frozenset({1, 2, 3, 4}))


def _families(m: Memory) -> tuple[str, str, str, str, str]:
    return (f"families in {m.table}", f"{m.families:.2%}", f"{m.natural_families:.2%}", "", "")


def _share(share: Share | None) -> str:
    if share is None:
        return "too few"
    return f"{share.value:.1%} ({share.low:.1%}-{share.high:.1%})"
