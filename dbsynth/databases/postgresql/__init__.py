"""PostgreSQL: read in one snapshot, cloned with its own tools, published by renaming."""

from __future__ import annotations

import sqlalchemy as sa

from dbsynth.databases.base import Database, Stage
from dbsynth.databases.postgresql.connect import refused
from dbsynth.databases.postgresql.identity import identity
from dbsynth.databases.postgresql.place import names_in_danger
from dbsynth.databases.postgresql.server import maintenance
from dbsynth.databases.postgresql.source import PostgresDatabase
from dbsynth.databases.postgresql.stage import PostgresStage
from dbsynth.databases.url import display

__all__ = [
    "PostgresDatabase",
    "PostgresStage",
    "open_postgresql",
    "postgresql_at_risk",
    "stage_postgresql",
]


def open_postgresql(url: sa.URL) -> Database:
    """The database of a URL; opened when it is entered as a context manager."""
    return PostgresDatabase(url)


def stage_postgresql(url: sa.URL, *, replace: bool) -> Stage:
    """A stage for the target of a URL; begun when it is entered as a context manager."""
    return PostgresStage(url, replace=replace)


def postgresql_at_risk(url: sa.URL) -> frozenset[str]:
    """The identities of the databases that building the target of a URL may replace or drop."""
    name = url.database or ""
    with (
        maintenance(url, name) as connection,
        refused(f"Cannot tell which server {display(url)} is"),
    ):
        found = [identity(connection, each) for each in names_in_danger(name) if each]
    return frozenset().union(*found)
