"""Files of our own: never where a link leads, never for others to read."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO

from dbsynth.errors import SpecError


def created(path: Path) -> IO[bytes]:
    """A new file to write to, in place of whatever had its name, which only its owner may read.

    A link of that name is removed, not followed: somebody else may have put it there.

    Raises:
        SpecError: It cannot be made there.
    """
    try:
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    return os.fdopen(handle, "wb")


def write_text(path: Path, text: str) -> None:
    """Write a text that people keep, its line ends as they are.

    Raises:
        SpecError: It cannot be written there.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: Exception) -> SpecError:
    reason = getattr(error, "strerror", None) or "it is no name of a file"
    return SpecError(
        f"`{path}` cannot be written: {reason}", hint="name a file in a folder that exists"
    )


def removed(path: Path) -> None:
    """Take a file away, if there is one; nothing is said where that cannot be."""
    with contextlib.suppress(OSError, ValueError):
        path.unlink(missing_ok=True)
