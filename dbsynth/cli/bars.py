"""Progress on a terminal."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from dbsynth.cli.output import plain

_SECONDS_OF_SILENCE = 1.0


class Bars:
    """One bar on stderr, replaced from step to step; a run of less than a second shows none."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<32}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None
        self._timer = threading.Timer(_SECONDS_OF_SILENCE, self._progress.start)
        self._timer.daemon = True
        self._timer.start()

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(plain(name), total=total)

    def advance(self, amount: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.advance(self._task, amount)

    def done(self) -> None:
        """Take the bar away."""
        self._timer.cancel()
        self._timer.join()
        self._progress.stop()
