"""The embedded server."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from dbsynth.embedded import embedded_server


def test_it_runs_quietly_and_stops(tmp_path, capfd):
    with embedded_server(tmp_path / "here") as server:
        for url in (server.url(), server.network_url()):
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.network_url().replace(server.password, "wrong"))
        assert server.password not in repr(server)
        assert (server.programs / "pg_dump").exists()
        url, sockets = server.url(), server.sockets
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert not Path(sockets).exists()
    assert capfd.readouterr() == ("", "")


def test_it_stops_when_the_caller_fails(tmp_path):
    with pytest.raises(RuntimeError), embedded_server(tmp_path) as server:
        raise RuntimeError
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url())
