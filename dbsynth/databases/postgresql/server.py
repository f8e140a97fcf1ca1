"""The databases of a server: what they are, making, renaming and dropping them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from dbsynth.databases.postgresql.connect import Connection, command, connect, rows, value
from dbsynth.databases.postgresql.names import literal, quote
from dbsynth.errors import CannotConnect

_ATTEMPTS = 20
_PAUSE_SECONDS = 0.25
# Settings whose value is a list of names: quoting it whole would make one name of it.
_LISTS = frozenset(
    {
        "search_path",
        "temp_tablespaces",
        "local_preload_libraries",
        "session_preload_libraries",
    }
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A run-time parameter that ALTER DATABASE (or ALTER ROLE ... IN DATABASE) has set."""

    role: str | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A row of pg_database with what hangs on it.

    Attributes:
        mine: Whether the connected role may act as the owner.
        grants: Grantee (None for PUBLIC), right, and whether it may be passed on; None where the
            rights are the default ones.
    """

    number: int
    owner: str
    mine: bool
    encoding: str
    collate: str
    ctype: str
    locale: dict[str, str]
    tablespace: str
    limit: int
    comment: str | None
    grants: tuple[tuple[str | None, str, bool], ...] | None
    settings: tuple[Setting, ...]


_FACTS = """
SELECT d.oid::int8, pg_get_userbyid(d.datdba), pg_has_role(d.datdba, 'MEMBER'),
  pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, to_jsonb(d), t.spcname,
  d.datconnlimit, shobj_description(d.oid, 'pg_database'), d.datacl IS NOT NULL
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = %s
"""
_GRANTS = """
SELECT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END, a.privilege_type,
  a.is_grantable
FROM pg_database d, aclexplode(d.datacl) a WHERE d.oid = %s
"""
_ROLE_SETTINGS = """
SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END, entry
FROM pg_db_role_setting s, unnest(s.setconfig) AS entry WHERE s.setdatabase = %s
"""


def facts(connection: Connection, name: str) -> DatabaseFacts | None:
    """What a database is, or None where there is none of that name."""
    found = rows(connection, _FACTS, [name])
    if not found:
        return None
    number, owner, mine, encoding, collate, ctype, row, tablespace, limit, comment, granted = found[
        0
    ]
    return DatabaseFacts(
        number,
        owner,
        mine,
        encoding,
        collate,
        ctype,
        _locale(row),
        tablespace,
        limit,
        comment,
        tuple((r[0], r[1], r[2]) for r in rows(connection, _GRANTS, [number])) if granted else None,
        tuple(_setting(*found) for found in rows(connection, _ROLE_SETTINGS, [number])),
    )


def _setting(role: str | None, entry: str) -> Setting:
    name, _, text = entry.partition("=")
    return Setting(role, name, text)


def _locale(row: dict[str, Any]) -> dict[str, str]:
    """The options of CREATE DATABASE for a locale that is not the C library's."""
    provider = row.get("datlocprovider", "c")
    text = row.get("datlocale") or row.get("daticulocale") or ""
    if provider == "i":
        rules = {"ICU_RULES": row["daticurules"]} if row.get("daticurules") else {}
        return {"LOCALE_PROVIDER": "icu", "ICU_LOCALE": text, **rules}
    if provider == "b":
        return {"LOCALE_PROVIDER": "builtin", "BUILTIN_LOCALE": text}
    return {"LOCALE_PROVIDER": "libc"} if "datlocprovider" in row else {}


def create_database(
    connection: Connection, name: str, like: DatabaseFacts, *, owner: str | None
) -> None:
    """Create an empty database with the encoding and locale of another."""
    options = {
        "ENCODING": like.encoding,
        "LC_COLLATE": like.collate,
        "LC_CTYPE": like.ctype,
        **like.locale,
    }
    written = [f"{key} = {literal(text)}" for key, text in options.items()]
    if owner is not None:
        written.append(f"OWNER = {quote(owner)}")
        if like.tablespace != "pg_default":  # naming it would need a right of its own
            written.append(f"TABLESPACE = {quote(like.tablespace)}")
    command(connection, f"CREATE DATABASE {quote(name)} TEMPLATE = template0 {' '.join(written)}")


def drop_database(connection: Connection, name: str) -> None:
    """Drop a database, ending the sessions that use it; nothing where there is none."""

    def drop() -> None:
        end_sessions(connection, name)
        command(connection, f"DROP DATABASE IF EXISTS {quote(name)}")

    until_unused(drop)


def until_unused(action: Callable[[], None]) -> None:
    """Do what needs a database that nobody uses; sessions take a moment to end."""
    for attempt in range(_ATTEMPTS):
        try:
            action()
        except psycopg.errors.ObjectInUse:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def sessions(connection: Connection, name: str) -> list[int]:
    """The process numbers of the sessions that use a database."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    return [number for (number,) in rows(connection, query, [name])]


def end_sessions(connection: Connection, name: str) -> None:
    """End the sessions of a database, as far as the role may."""
    for number in sessions(connection, name):
        try:
            value(connection, "SELECT pg_terminate_backend(%s)", [number])
        except psycopg.errors.InsufficientPrivilege:
            continue  # renaming or dropping will say that it is in use


def set_comment(connection: Connection, name: str, text: str | None) -> None:
    """Set or remove a database's comment."""
    written = "NULL" if text is None else literal(text)
    command(connection, f"COMMENT ON DATABASE {quote(name)} IS {written}")


def carry_over(connection: Connection, name: str, old: DatabaseFacts) -> None:
    """Give a database the rights, settings, limit and comment of another."""
    database = quote(name)
    set_comment(connection, name, old.comment)
    if old.limit >= 0:
        command(connection, f"ALTER DATABASE {database} CONNECTION LIMIT {old.limit}")
    if old.grants is not None:
        command(connection, f"REVOKE ALL ON DATABASE {database} FROM PUBLIC, {quote(old.owner)}")
        for grantee, right, passed_on in old.grants:
            who = "PUBLIC" if grantee is None else quote(grantee)
            option = " WITH GRANT OPTION" if passed_on and grantee != old.owner else ""
            command(connection, f"GRANT {right} ON DATABASE {database} TO {who}{option}")
    for setting in old.settings:
        _carry_setting(connection, database, setting)


def _carry_setting(connection: Connection, database: str, setting: Setting) -> None:
    whose = f"DATABASE {database}"
    if setting.role is not None:
        whose = f"ROLE {quote(setting.role)} IN {whose}"
    # The catalog keeps lists as they were written: names quoted, between commas.
    text = setting.value if setting.name in _LISTS else literal(setting.value)
    name = ".".join(map(quote, setting.name.split(".")))
    command(connection, f"ALTER {whose} SET {name} TO {text}")


def maintenance(url: sa.URL, target: str) -> Connection:
    """A connection to a database of the target's server that is not the target itself.

    Raises:
        CannotConnect: The server cannot be reached, or lets us into no other database.
    """
    first: CannotConnect | None = None
    for name in ("postgres", "template1"):
        if name == target:
            continue
        try:
            return connect(url, name)
        except CannotConnect as error:
            first = first or error
    return _any_other(url, target, first)


_OTHERS = """
SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> %s
  AND has_database_privilege(datname, 'CONNECT') ORDER BY datname
"""


def _any_other(url: sa.URL, target: str, first: CannotConnect | None) -> Connection:
    try:
        with connect(url, target) as through_target:
            names = [name for (name,) in rows(through_target, _OTHERS, [target])]
    except CannotConnect as error:
        raise first or error from None
    for name in names:
        try:
            return connect(url, name)
        except CannotConnect as error:
            first = first or error
    raise first or CannotConnect(
        f"The server lets this role into no database but `{target}`",
        hint="Let it in with `GRANT CONNECT ON DATABASE postgres TO <role>`.",
    )
