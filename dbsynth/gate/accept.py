"""Findings that somebody answers for: the spec names them, the report shows who and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from dbsynth.errors import SpecError
from dbsynth.report import Finding, Status
from dbsynth.spec import Spec
from dbsynth.spec.acceptance import Accepted
from dbsynth.spec.shapes import Problems, told


def name_of(finding: Finding) -> str:
    """A finding as a spec names it."""
    return f"{finding.check} {finding.subject}"


def accepted(findings: Iterable[Finding], spec: Spec) -> tuple[Finding, ...]:
    """What the gate found, where the spec has had its say.

    Raises:
        SpecError: The spec accepts what the gate does not find, so that nobody knows any more what
            the line was for.
    """
    found = tuple(findings)
    stale = tuple(told(_stale(found, spec.accepted), spec.lines))
    if stale:
        raise SpecError("; ".join(stale), hint="strike the line; a new finding needs a new word")
    said = {entry.finding: entry for entry in spec.accepted}
    return tuple(_after(finding, said.get(name_of(finding))) for finding in found)


def _after(finding: Finding, said: Accepted | None) -> Finding:
    if said is None or finding.status is not Status.FAILED:
        return finding
    if finding.count > said.at_most:
        more = f"{finding.detail}, more than the {said.at_most} that {said.approved_by} accepted"
        return replace(finding, detail=more)
    detail = f"{finding.detail}; accepted by {said.approved_by}: {said.reason}"
    return replace(finding, status=Status.ACCEPTED, detail=detail)


def _stale(found: Sequence[Finding], entries: Sequence[Accepted]) -> Problems:
    return list(_unmatched({name_of(finding): finding for finding in found}, entries))


def _unmatched(
    found: dict[str, Finding], entries: Sequence[Accepted]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for place, entry in enumerate(entries):
        finding = found.get(entry.finding)
        if finding is None:
            yield ("accepted", place), f"the gate knows no finding `{entry.finding}` to accept"
        elif finding.status is Status.PASSED:
            yield ("accepted", place), f"nothing is found for `{entry.finding}` to accept"
