"""Databases: what can be read from and built, by the scheme of a URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from dbsynth.databases.base import Capabilities, Database, Encoder, Stage
from dbsynth.databases.postgresql import open_postgresql, postgresql_at_risk, stage_postgresql
from dbsynth.databases.postgresql import structure as postgresql_structure
from dbsynth.databases.sqlite import open_sqlite, sqlite_at_risk, stage_sqlite
from dbsynth.databases.sqlite import structure as sqlite_structure
from dbsynth.databases.url import parse_url, scheme
from dbsynth.errors import MissingDriver

__all__ = [
    "KINDS",
    "Capabilities",
    "Database",
    "Encoder",
    "Kind",
    "Stage",
    "at_risk",
    "open_database",
    "open_stage",
    "statements",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of database is opened and how one is built."""

    open: Callable[[sa.URL], Database]
    stage: Callable[..., Stage]
    at_risk: Callable[[sa.URL], frozenset[str]]
    statements: Callable[[bytes], tuple[tuple[str, str], ...]]


_POSTGRESQL = Kind(
    open_postgresql, stage_postgresql, postgresql_at_risk, postgresql_structure.statements
)

KINDS: Mapping[str, Kind] = {
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "sqlite": Kind(open_sqlite, stage_sqlite, sqlite_at_risk, sqlite_structure.statements),
}


def open_database(url: str) -> Database:
    """The database of a URL, opened for reading when it is entered as a context manager.

    Raises:
        SpecError: The URL cannot be understood.
        MissingDriver: No such kind of database is known.
    """
    parsed = parse_url(url)
    return _kind(parsed).open(parsed)


def open_stage(target_url: str, *, replace: bool) -> Stage:
    """A stage that builds the database of a URL, begun when it is entered as a context manager.

    Args:
        target_url: Of the target, which need not exist.
        replace: Whether a target that already holds something may be replaced.
    """
    parsed = parse_url(target_url)
    return _kind(parsed).stage(parsed, replace=replace)


def at_risk(target_url: str) -> frozenset[str]:
    """The identities of all that building a target may replace or remove.

    That is the target, where there is one, and what bears a name that building needs.  The server
    is asked through another of its databases, so that a target that lets nobody in is known as
    well.

    Raises:
        DatabaseError: The server cannot be asked.
    """
    parsed = parse_url(target_url)
    return _kind(parsed).at_risk(parsed)


def statements(structure: bytes, kind: str) -> tuple[tuple[str, str], ...]:
    """What a native structure makes: the sort and name of every object, and its SQL.

    Args:
        kind: Of the database that it was taken from, as in `Capabilities`.
    """
    return KINDS[kind].statements(structure)


def _kind(url: sa.URL) -> Kind:
    kind = KINDS.get(scheme(url))
    if kind is None:
        raise MissingDriver(
            f"No support for `{scheme(url)}` databases is installed",
            hint=f"Use a URL that begins with one of: {', '.join(f'{name}://' for name in KINDS)}.",
        )
    return kind
