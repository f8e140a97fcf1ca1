"""The budget over all fits of a source, on disk: append-only, locked, and bound to the source.

A file of JSON lines.  The first says whose budget it is and how large; each other one is a fit,
written before anything of it is measured, so that a run that breaks off has spent its share.  Every
line holds the SHA-256 of the line before, so that a line cannot be changed or taken out unnoticed.
A file beside it (`head_of`) holds the number of fits and the hash of the last line, so that lines
cut off at the end, or the whole ledger, are missed.  It is written after them: a run that breaks
off between leaves a ledger that is ahead, which is no loss.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from dbsynth.errors import EngineError, ModelError
from dbsynth.plural import counted, do
from dbsynth.private.accountant import Loss, epsilon_of, total

_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Terms:
    """What a ledger is about.

    Attributes:
        source: Digests of the identities of the source.
        unit: The table whose rows are protected.
        epsilon, delta: The budget of all fits together.
    """

    source: frozenset[str]
    unit: str
    epsilon: float
    delta: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One fit.

    Attributes:
        head: SHA-256 of its line.
    """

    number: int
    time: str
    loss: Loss
    head: str


@dataclass(frozen=True)
class Ledger:
    """What a ledger says.

    Attributes:
        entries: The fits, in their order.
        headed: Whether a file beside it says how long it is; ledgers of old had none.
    """

    terms: Terms
    entries: tuple[Entry, ...]
    head: str
    headed: bool = True

    @property
    def loss(self) -> Loss:
        """What was spent."""
        return total(entry.loss for entry in self.entries)

    @property
    def epsilon(self) -> float:
        """What was spent, as epsilon at the delta of the budget."""
        return epsilon_of(self.loss, self.terms.delta)


def digests(identity: frozenset[str]) -> frozenset[str]:
    """Names of a source that say nothing of where it is."""
    return frozenset(hashlib.sha256(name.encode()).hexdigest()[:32] for name in identity)


def read_ledger(path: Path) -> Ledger | None:
    """The ledger in a file; None where there is none.

    Raises:
        ModelError: It was changed or cut off, or is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    return _whole(path, _parsed(path, text))


def charge(path: Path, terms: Terms, loss: Loss) -> Entry:
    """Write a fit into the ledger, before it is made.

    Raises:
        EngineError: The budget does not suffice, or the ledger is about something else.
        ModelError: The file was changed or cut off, or is no ledger.
    """
    with _locked(path) as file:
        ledger = _whole(path, _parsed(path, file.read()))
        lines: list[str] = []
        if ledger is None:
            head = _append(lines, _opening(terms), "")
            ledger = Ledger(terms, (), head)
            _write_head(path, 0, head)
        _agree(path, ledger.terms, terms)
        _affordable(path, ledger, terms, loss)
        number, time = len(ledger.entries) + 1, datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"fit": number, "time": time, "rho": loss.rho, "delta": loss.delta}
        head = _append(lines, entry, ledger.head)
        file.write("".join(lines))
        file.flush()
        os.fsync(file.fileno())
        _write_head(path, number, head)
    return Entry(number, time, loss, head)


def head_of(path: Path) -> Path:
    """The file beside a ledger that says how long it is."""
    return path.with_name(path.name + ".head")


def _write_head(path: Path, fits: int, head: str) -> None:
    """Replace the file in one step, so that it is never half written."""
    new = head_of(path).with_name(path.name + ".head.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps({"fits": fits, "head": head}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(head_of(path))
    except OSError as error:
        raise EngineError(
            f"the file `{head_of(path)}` beside the ledger cannot be written: {error.strerror}",
            hint="let the folder of `privacy.ledger` be written to",
        ) from None


def _whole(path: Path, ledger: Ledger | None) -> Ledger | None:
    """The ledger, unless its head says that lines of it are gone, or it should have a head."""
    beside = head_of(path)
    try:
        value = json.loads(beside.read_text(encoding="utf-8"))
        fits, head = int(value["fits"]), str(value["head"])
    except FileNotFoundError:
        if ledger is None or not ledger.headed:
            return ledger
        raise ModelError(
            f"`{beside}` is gone, which says how long the ledger `{path}` is",
            hint="restore both from a backup: without it nobody knows whether fits were cut off",
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"`{beside}`, which says how long a ledger is, is damaged",
            hint="restore it and the ledger from a backup",
        ) from error
    heads = () if ledger is None else ("", *(entry.head for entry in ledger.entries))
    if fits >= len(heads) if heads else fits > 0:
        there = max(len(heads) - 1, 0)
        raise ModelError(
            f"the ledger `{path}` was cut off: it holds {counted(there, 'fit')}, and"
            f" `{beside.name}` says that there {'was' if fits == 1 else 'were'} {fits}",
            hint="restore it from a backup: without it nobody knows what was spent",
        )
    if fits and heads[fits] != head:
        raise ModelError(
            f"the ledger `{path}` is damaged or was changed: `{beside.name}` is of another one",
            hint="restore both from a backup: without it nobody knows what was spent",
        )
    return ledger


@contextmanager
def _locked(path: Path) -> Iterator[TextIOWrapper]:
    """The file, opened to read and append, while nobody else has it so."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise EngineError(
            f"the ledger `{path}` cannot be written: {error.strerror}",
            hint="name another file in `privacy.ledger`",
        ) from None
    with os.fdopen(handle, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _opening(terms: Terms) -> dict[str, Any]:
    return {
        "ledger": "dbsynth",
        "headed": True,
        "source": sorted(terms.source),
        "unit": terms.unit,
        "epsilon": terms.epsilon,
        "delta": terms.delta,
    }


def _append(lines: list[str], value: Mapping[str, Any], before: str) -> str:
    text = json.dumps({**value, "before": before}, sort_keys=True)
    lines.append(text + "\n")
    return hashlib.sha256(text.encode()).hexdigest()


def _parsed(path: Path, text: str) -> Ledger | None:
    if not text:
        return None
    head, terms, entries, headed = "", None, [], False
    try:
        for number, line in enumerate(text.splitlines()):
            value = json.loads(line)
            if value["before"] != head:
                raise ValueError
            head = hashlib.sha256(line.encode()).hexdigest()
            if terms is None:
                headed = bool(value.get("headed"))
                terms = Terms(
                    frozenset(value["source"]), value["unit"], value["epsilon"], value["delta"]
                )
            else:
                loss = Loss(value["rho"], value["delta"])
                if value["fit"] != number or loss.rho < 0 or loss.delta < 0:
                    raise ValueError
                entries.append(Entry(number, value["time"], loss, head))
        if terms is None or not text.endswith("\n"):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the ledger `{path}` is damaged or was changed",
            hint="restore it from a backup: without it nobody knows what was spent",
        ) from error
    return Ledger(terms, tuple(entries), head, headed)


def _agree(path: Path, known: Terms, wanted: Terms) -> None:
    """Refuse a fit that the ledger is not about."""
    if not known.source & wanted.source:
        raise EngineError(
            f"the ledger `{path}` is about another source",
            hint="name the ledger of this source in `privacy.ledger`; a new one begins a new budget"
            " and is right only for other people's data",
        )
    if known.unit != wanted.unit:
        raise EngineError(
            f"the ledger `{path}` protects rows of `{known.unit}`, not of `{wanted.unit}`",
            hint="keep one unit for all fits of a source",
        )
    if wanted.epsilon > known.epsilon or wanted.delta > known.delta:
        raise EngineError(
            f"the ledger `{path}` has a budget of epsilon {known.epsilon:g} and delta"
            f" {known.delta:g}, and the spec asks for epsilon {wanted.epsilon:g} and delta"
            f" {wanted.delta:g}",
            hint="lower `privacy.epsilon` and `privacy.delta` to those of the ledger",
        )


def _affordable(path: Path, ledger: Ledger, terms: Terms, loss: Loss) -> None:
    epsilon = epsilon_of(ledger.loss + loss, terms.delta)
    if epsilon <= terms.epsilon * (1 + _SLACK):
        return
    spent = epsilon_of(ledger.loss, terms.delta)
    raise EngineError(
        f"the budget in `{path}` does not suffice: {counted(len(ledger.entries), 'fit')}"
        f" {do(len(ledger.entries), 'have')} spent epsilon {spent:.3g} of {terms.epsilon:g} at"
        f" delta {terms.delta:g}, and with this one it would be {epsilon:.3g}",
        hint="load an earlier model as often as you like: that costs nothing",
    )
