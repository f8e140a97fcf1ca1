"""SQLite: files read in one snapshot, clones built beside the target and renamed into place."""

from dbsynth.databases.sqlite.database import SqliteDatabase, open_sqlite
from dbsynth.databases.sqlite.stage import SqliteStage, sqlite_at_risk, stage_sqlite

__all__ = ["SqliteDatabase", "SqliteStage", "open_sqlite", "sqlite_at_risk", "stage_sqlite"]
