"""PostgreSQL: read in one snapshot, cloned with its own tools, published by renaming."""

from __future__ import annotations

import sqlalchemy as sa

from dbsynth.databases.base import Database, Stage
from dbsynth.databases.postgresql.source import PostgresDatabase
from dbsynth.databases.postgresql.stage import PostgresStage

__all__ = ["PostgresDatabase", "PostgresStage", "open_postgresql", "stage_postgresql"]


def open_postgresql(url: sa.URL) -> Database:
    """The database of a URL; opened when it is entered as a context manager."""
    return PostgresDatabase(url)


def stage_postgresql(url: sa.URL, *, replace: bool) -> Stage:
    """A stage for the target of a URL; begun when it is entered as a context manager."""
    return PostgresStage(url, replace=replace)
