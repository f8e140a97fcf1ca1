"""What a figure depends on besides the code: the machine, the versions, the revision."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("numpy", "numba", "polars", "scikit-learn")


def surroundings() -> dict[str, str]:
    """The machine and the versions, each in a few words."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "machine": f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB of memory",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{p} {version(p)}" for p in PACKAGES)]
        ),
    }


def busy() -> float:
    """Processes that want to run beside us; where there are any, times say little."""
    return psutil.getloadavg()[0]


def revision() -> str:
    """The commit of the checkout, with a `+` where the package was changed since; else empty."""
    commit = _git("rev-parse", "--short=8", "HEAD")
    return f"{commit}+" if commit and _git("status", "--porcelain", "--", "dbsynth") else commit


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(Path(__file__).resolve().parent.parent), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
