"""The native definition of a schema: an archive of pg_dump behind one line of facts about it."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dbsynth.databases.pgtools import find_tools, run_tool
from dbsynth.errors import DatabaseError

_MARK = b"dbsynth postgresql structure "

_LEFT_OUT = (
    "--no-owner",
    "--no-privileges",
    "--no-subscriptions",
    "--no-security-labels",
    "--no-tablespaces",
)


@dataclass(frozen=True, slots=True)
class Structure:
    """An archive of pg_dump.

    Attributes:
        major: The version of the pg_dump that wrote it; an older pg_restore cannot read it.
        unpopulated: Materialized views, quoted, that held nothing when it was written.
    """

    major: int
    archive: bytes
    unpopulated: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """The structure as `from_bytes` takes it."""
        facts = json.dumps({"major": self.major, "unpopulated": self.unpopulated})
        return _MARK + facts.encode() + b"\n" + self.archive

    @classmethod
    def from_bytes(cls, content: bytes) -> Structure:
        """The structure that `to_bytes` wrote."""
        if not is_structure(content):
            raise DatabaseError("The structure was not taken from a PostgreSQL database")
        line, _, archive = content.partition(b"\n")
        facts = json.loads(line[len(_MARK) :])
        return cls(facts["major"], archive, tuple(facts["unpopulated"]))


def is_structure(content: bytes) -> bool:
    """Whether bytes are a structure of this kind of database."""
    return content.startswith(_MARK)


def statements(content: bytes) -> tuple[tuple[str, str], ...]:
    """What each entry of a structure makes, and its SQL.

    Raises:
        DatabaseError: pg_restore is missing or cannot read it.
    """
    structure = Structure.from_bytes(content)
    program = find_tools(structure.major).path("pg_restore")
    with tempfile.TemporaryDirectory(prefix="dbsynth-") as folder:
        path = Path(folder, "structure.dump")
        path.write_bytes(structure.archive)
        done = subprocess.run([program, "--file=-", str(path)], capture_output=True, check=False)
    if done.returncode != 0:
        raise DatabaseError("pg_restore cannot read the structure", hint="fit the model again")
    _, *parts = _ENTRY.split(done.stdout.decode("utf-8", "replace"))
    return tuple(
        (f"{type_} {name}", sql) for name, type_, sql in zip(*[iter(parts)] * 3, strict=True)
    )


_ENTRY = re.compile(r"^-- Name: (.*?); Type: (.*?); .*$", re.MULTILINE)


def dump(
    conninfo: Mapping[str, str], major: int, snapshot: str, unpopulated: Sequence[str]
) -> Structure:
    """The structure of a database, as a snapshot of its server shows it.

    Raises:
        DatabaseError: pg_dump is missing or was refused.
    """
    tools = find_tools(major)
    arguments = [tools.path("pg_dump"), "--format=custom", "--schema-only", *_LEFT_OUT]
    done = run_tool([*arguments, f"--snapshot={snapshot}", "--lock-wait-timeout=60s"], conninfo)
    if done.returncode != 0:
        raise DatabaseError(
            f"pg_dump could not read the structure: {_reason(done.stderr)}",
            hint="Grant the role USAGE on every schema and SELECT on every table and sequence.",
        )
    return Structure(tools.major, done.stdout, tuple(unpopulated))


def _reason(stderr: bytes) -> str:
    for line in stderr.decode(errors="replace").splitlines():
        found = re.search(r"error: (?:query failed: )?(?:ERROR:\s+)?(.*)", line)
        if found:
            return found[1].rstrip(".")
    return "it gave no reason"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A statement of an archive that was refused.

    Attributes:
        entry: What it makes, such as ``constraint orders_customer_fkey of public.orders``.
        reason: The server's first line, without detail.
    """

    entry: str
    reason: str


def restore(
    structure: Structure, section: str, conninfo: Mapping[str, str], jobs: int = 1
) -> tuple[Complaint, ...]:
    """Restore a section of a structure; returns what could not be restored."""
    tools = find_tools(structure.major)
    with tempfile.TemporaryDirectory(prefix="dbsynth-") as folder:
        path = Path(folder, "structure.dump")
        path.write_bytes(structure.archive)
        arguments = [tools.path("pg_restore"), f"--section={section}", f"--jobs={jobs}"]
        done = run_tool([*arguments, *_LEFT_OUT, str(path)], conninfo)
    complaints = _complaints(done.stderr.decode(errors="replace"))
    if done.returncode != 0 and not complaints:
        return (Complaint("pg_restore", f"it ended with status {done.returncode}"),)
    return tuple(c for c in complaints if not _harmless(c))


def _harmless(complaint: Complaint) -> bool:
    """A setting that a newer pg_dump asks of an older server; it does not matter here."""
    return complaint.reason == 'unrecognized configuration parameter "transaction_timeout"'


_ERROR = re.compile(r"^pg_restore: error: (?:could not execute query: )?(?:ERROR:\s+)?(.*)$")
# Messages that name objects.  Others may quote a value of a row, and are not repeated.
_SPEAKING = re.compile(
    r"violate|is violated|could not create unique index|does not exist|already exists"
    r"|permission denied|must be (?:owner|superuser)|could not create exclusion constraint"
    r"|contains null values|conflicting key value|is not available|could not open extension"
    r"|configuration parameter|could not connect|connection to server|must be immutable"
)


def _complaints(stderr: str) -> list[Complaint]:
    """The errors that pg_restore printed, without the lines of detail, which may hold values."""
    found: list[Complaint] = []
    command: list[str] | None = None
    for line in [*stderr.splitlines(), ""]:
        if error := _ERROR.match(line):
            speaking = _SPEAKING.search(error[1])
            found.append(Complaint("", error[1].rstrip(".") if speaking else "refused"))
            command = None
        elif line.startswith(_COMMAND) and found:
            command = [line.removeprefix(_COMMAND)]
        elif command is not None and line.strip():
            command.append(line)
        elif command is not None:
            found[-1] = Complaint(_made_by(" ".join(command)), found[-1].reason)
            command = None
    return found


_COMMAND = "Command was: "
_NAME = r"(?:\"(?:[^\"]|\"\")*\"|[\w$])+"
_QUALIFIED = rf"{_NAME}(?:\.{_NAME})?"
_CONSTRAINT = re.compile(rf"ALTER TABLE (?:ONLY )?({_QUALIFIED})\s+ADD CONSTRAINT ({_NAME})")
_INDEX = re.compile(rf"CREATE (?:UNIQUE )?INDEX ({_NAME}) ON (?:ONLY )?({_QUALIFIED})")
_LONGEST_ENTRY = 80


def _made_by(command: str) -> str:
    """What a statement of the schema makes: such statements hold names, and no values of rows."""
    if constraint := _CONSTRAINT.match(command):
        return f"constraint {constraint[2]} of {constraint[1]}"
    if index := _INDEX.match(command):
        return f"index {index[1]} of {index[2]}"
    return command.rstrip(";")[:_LONGEST_ENTRY]
