"""Work that an interrupt must not cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_WORDS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let interrupts wait for nobody: inside, they are ignored.

    Meant for the short steps that publish a clone or remove what was built of one; the run ends
    right after them anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # interrupts are the main thread's
        return
    handlers = {word: signal.signal(word, _ignored) for word in _WORDS}
    try:
        yield
    finally:
        for word, handler in handlers.items():
            signal.signal(word, signal.SIG_DFL if handler is None else handler)


def _ignored(number: int, frame: FrameType | None) -> None:
    """Not SIG_IGN, which programs started meanwhile would inherit."""
