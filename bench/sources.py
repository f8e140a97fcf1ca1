"""Where the databases of the bench come from: dumps of a folder, and two that are made here."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from bench.rows import Rows
from bench.speed import build as build_tpch
from dbsynth.databases.pgtools import find_tools
from dbsynth.embedded import embedded_server
from dbsynth.schema import Schema, Table
from dbsynth.shop.build import build_shop
from dbsynth.shop.facts import plain_url

MADE = ("shop", "tpch")
SHOP_CUSTOMERS = 1500
TPCH_SCALE = 0.005


@dataclass(frozen=True)
class Site:
    """A server on which the bench may create and drop databases.

    Attributes:
        admin: The URL of any of its databases, through which the others are made.
        prefix: How the names of all that the bench makes begin.
    """

    admin: str
    prefix: str = "bench_"

    def url(self, name: str) -> str:
        """The URL of one of our databases."""
        made = sa.make_url(self.admin).set(database=self.prefix + name)
        return made.render_as_string(hide_password=False)

    def create(self, name: str, like: str | None = None) -> str:
        """Create a database anew, empty or as a copy of another of ours; returns its URL."""
        self.drop(name)
        template = sql.Identifier(self.prefix + like) if like else sql.Identifier("template0")
        with psycopg.connect(plain_url(self.admin), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(self.prefix + name), template
                )
            )
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, where there is one."""
        with psycopg.connect(plain_url(self.admin), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    sql.Identifier(self.prefix + name)
                )
            )


@contextmanager
def open_site(url: str | None) -> Iterator[Site]:
    """The server of a URL, or an embedded one that goes when the bench is done."""
    if url is not None:
        yield Site(url)
        return
    with (
        tempfile.TemporaryDirectory(prefix="dbsynth-bench-") as folder,
        embedded_server(Path(folder)) as server,
    ):
        yield Site(server.url())


def missing(name: str, folder: Path | None) -> str | None:
    """Why a database cannot be had, or None where it can."""
    if name in MADE:
        return None
    if folder is None:
        return "no folder of dumps is given (DATABASES=...)"
    if not (folder / f"{name}.dump").is_file():
        return f"there is no `{name}.dump` in the folder of dumps"
    return None


def make(site: Site, name: str, folder: Path | None) -> str:
    """Make a source database; returns its URL."""
    url = site.create(f"source_{name}")
    if name == "shop":
        build_shop(url, customers=SHOP_CUSTOMERS)
    elif name == "tpch":
        with tempfile.TemporaryDirectory(prefix="dbsynth-tpch-") as csv:
            build_tpch(plain_url(url), TPCH_SCALE, Path(csv))
    elif folder is not None:
        _restore(plain_url(url), folder / f"{name}.dump")
    return url


def _restore(url: str, dump: Path) -> None:
    with psycopg.connect(url) as connection:
        major = connection.info.server_version // 10_000
    command = [find_tools(major).path("pg_restore"), "--no-owner", "--no-acl", "-d", url, dump]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise SystemExit(f"{dump.name} cannot be restored: {' '.join(last)}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def root_of(rows: Rows) -> str:
    """The table whose rows are the entities: from the largest table owner by owner upwards."""
    name = max(rows.frames, key=lambda table: len(rows.frames[table]))
    seen = {name}
    while (fk := rows.owner(name)) is not None and fk.parent not in seen:
        name = fk.parent
        seen.add(name)
    return name


def keep_half(url: str, schema: Schema, root: Table, side: int) -> None:
    """Delete every other row of a table, and then what refers to nothing any more."""
    with psycopg.connect(plain_url(url)) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers, no cascades
        key = sql.SQL(", ").join(map(sql.Identifier, root.primary_key))
        connection.execute(
            sql.SQL("DELETE FROM {} AS t WHERE hashtext(ROW({})::text) & 1 <> {}").format(
                _name(root), key, sql.Literal(side)
            )
        )
        while _delete_orphans(connection, schema):
            pass


def _delete_orphans(connection: psycopg.Connection, schema: Schema) -> int:
    deleted = 0
    for fk in schema.foreign_keys:
        pairs = [
            sql.SQL("p.{} = c.{}").format(sql.Identifier(above), sql.Identifier(below))
            for below, above in zip(fk.columns, fk.parent_columns, strict=True)
        ]
        whole = [sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(name)) for name in fk.columns]
        statement = sql.SQL(
            "DELETE FROM {} AS c WHERE {} AND NOT EXISTS (SELECT FROM {} AS p WHERE {})"
        ).format(
            _name(schema[fk.child]),
            sql.SQL(" AND ").join(whole),
            _name(schema[fk.parent]),
            sql.SQL(" AND ").join(pairs),
        )
        deleted += connection.execute(statement).rowcount
    return deleted


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(*filter(None, (table.namespace, table.bare)))
