"""A file that is built beside its target, locked while it is built, and renamed into place."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from dbsynth.databases.sqlite.connection import connect, reason
from dbsynth.errors import DatabaseError, MissingFile, TargetNotEmpty

_LEFTOVERS = ("-wal", "-shm", "-journal")


def path_beside(target: Path) -> Path:
    """Where a target is built."""
    return target.with_name(f".{target.name}.dbsynth-new")


def claim(path: Path, label: str) -> int:
    """Makes the file empty and this process's own; returns its locked descriptor."""
    if not path.parent.is_dir():
        raise MissingFile(
            f"the folder of target {label} does not exist", hint="Create the folder first"
        )
    while True:
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise DatabaseError(
                f"no file can be made in the folder of target {label}: {error.strerror}",
                hint="Check the rights of the folder",
            ) from None
        if not _locked(lock):
            os.close(lock)
            raise DatabaseError(
                f"another run is building target {label}", hint="Wait until it has finished"
            )
        if _is_file(lock, path):
            os.truncate(path, 0)  # what a killed run left
            remove_leftovers(path)
            return lock
        os.close(lock)  # the other run removed it between the two steps


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def remove_leftovers(path: Path) -> None:
    """Removes what SQLite keeps beside a database while it is open."""
    for ending in _LEFTOVERS:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def check_target(target: Path, label: str, *, replace: bool) -> None:
    """Makes sure that the target may be replaced.

    Raises:
        TargetNotEmpty: It holds tables or views, and may not be replaced.
        DatabaseError: It is not an SQLite database, or in use.
    """
    if not target.exists():
        return
    connection = _taken(target, label)
    try:
        count = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        connection.close()
    if count and not replace:
        raise TargetNotEmpty(
            f"target {label} holds tables or views", hint="Allow their replacement with --replace"
        )


def _taken(target: Path, label: str) -> sqlite3.Connection:
    """A connection to the target that holds its write lock."""
    if not target.is_file():
        raise DatabaseError(f"target {label} is not a file", hint="Name another target")
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(target, "rw", timeout=0.5)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise _refusal(label, error) from None
    return connection


def _refusal(label: str, error: sqlite3.Error) -> DatabaseError:
    if "locked" in str(error):
        return DatabaseError(
            f"another program is using target {label}", hint="Close that program and run again"
        )
    return DatabaseError(
        f"target {label} exists and is no SQLite database that can be written: {reason(error)}",
        hint="Name another file, dbsynth never overwrites it",
    )


def publish(built: Path, target: Path, label: str) -> None:
    """Renames the built file to the target, in one step that happens or does not."""
    _flush(built)
    if target.exists():
        _empty_log(target, label)
        old = _taken(target, label)
        try:
            _adopt_rights(built, target)
            os.replace(built, target)
        finally:
            old.close()
    else:
        _use_default_rights(built)
        os.replace(built, target)
    remove_leftovers(target)
    _flush(target.parent)


def _empty_log(target: Path, label: str) -> None:
    """Moves the target's write-ahead log into it, which would spoil the new file."""
    try:
        connection = connect(target, "rw", timeout=0.5)
        try:
            busy = connection.execute("PRAGMA main.wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _refusal(label, error) from None
    if busy:
        raise DatabaseError(
            f"another program is using target {label}", hint="Close that program and run again"
        )


def _adopt_rights(built: Path, target: Path) -> None:
    status = target.stat()
    os.chmod(built, status.st_mode & 0o7777)
    own = built.stat()
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        _try_chown(built, status)


def _try_chown(built: Path, status: os.stat_result) -> None:
    try:
        os.chown(built, status.st_uid, status.st_gid)
    except PermissionError:
        # only the superuser may give files away; the clone then belongs to who made it
        return


def _use_default_rights(built: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(built, 0o666 & ~mask)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
