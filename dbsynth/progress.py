"""Telling somebody how far a long step has come."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told about steps and about the rows done in them."""

    def step(self, name: str, total: int | None = None) -> None:
        """A step begins; ``total`` is its number of rows, where known."""

    def advance(self, amount: int) -> None:
        """So many rows more are done."""

    def done(self) -> None:
        """The last step has ended."""


class Silent:
    """Tells nobody."""

    def step(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, amount: int) -> None:
        """Say nothing."""

    def done(self) -> None:
        """Say nothing."""
