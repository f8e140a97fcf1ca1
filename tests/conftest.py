"""Fixtures that more than one file uses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from dbsynth.embedded import Server, embedded_server

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL server for the whole run."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    with embedded_server(folder) as server:
        yield server


@pytest.fixture
def fresh_database(postgres: Server) -> Iterator[str]:
    """The URL of a new, empty database."""
    name = f"fresh_{next(_numbers)}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield postgres.url(name)
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
