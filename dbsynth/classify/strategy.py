"""Which tables are copied as they are: bookkeeping of migration tools, and small lookup tables."""

from __future__ import annotations

from collections.abc import Mapping

from dbsynth.classify.names import names_entity, tokens_of, words_of
from dbsynth.classify.types import Decision, Exposure, Role, Strategy
from dbsynth.schema import Kind, Table

_BOOKKEEPING = words_of(
    """schema_migrations schema_migration alembic_version alembic_versions flyway_schema_history
    schema_version schema_versions schemaversion schemaversions schema_info django_migrations
    ar_internal_metadata knex_migrations knex_migrations_lock databasechangelog
    databasechangeloglock __efmigrationshistory goose_db_version _prisma_migrations
    sequelizemeta sequelizedata migrations migration migrations_lock typeorm_metadata
    typeorm_migrations doctrine_migration_versions mikro_orm_migrations
    __diesel_schema_migrations _sqlx_migrations refinery_schema_history
    atlas_schema_revisions phinxlog gorp_migrations dbmate_migrations play_evolutions
    south_migrationhistory __drizzle_migrations drizzle_migrations pgmigrations
    umzug_migrations yoyo_migrations _yoyo_migration _yoyo_version _yoyo_log yoyo_lock
    bun_migrations bun_migration_locks rambler_migrations schema_lock sqitch_changes
    versioninfo schema_change_log mongrations"""
)
_MOST_ROWS = 200
_MOST_SHORT_ROWS = 1_000
_LEAST_CHILDREN = 5.0  # rows of other tables for each row, where there are few rows
_MANY_CHILDREN = 10.0
_MOST_COLUMNS = 6
_PERSONAL = words_of(
    """first_name last_name full_name email user_name phone street_address street_extra postcode
    national_id iban card token hash ip mac plate coordinates url"""
)
_FREE = ("text", "json", "xml", "array")
_LONG_TEXT = 80
_LONGEST_CODE = 3
_LONGEST_REMARK = 200
_WORDS = (Role.TEXT, Role.CATEGORY, Role.KEY)
_OF_THE_ROW = words_of("""created updated modified inserted changed update insert at last on""")


def propose_strategy(
    table: Table, decisions: Mapping[str, Decision], rows: int, child_rows: int
) -> Strategy:
    """What should happen to a table, before anybody has said so.

    A lookup table is copied if it has at most 200 rows (1,000 where it has ten child rows for each
    and only short texts, and then no foreign keys), at least five child rows for each of its rows,
    at most six columns besides times, at least one column of words, nothing personal, no long text,
    bytes or times of events, and a name that is not one of the business.  A list of countries,
    languages or currencies is copied however many rows refer to it.

    Args:
        table: As the database declares it.
        decisions: The roles of its columns.
        rows: Its number of rows.
        child_rows: Rows of other tables that refer to it.
    """
    if table.bare.lower() in _BOOKKEEPING:
        return Strategy("copy", "A migration tool keeps its books in it")
    if rows and _public(table, decisions, rows):
        return Strategy("copy", "It lists words of a public vocabulary")
    obstacle = _obstacle(table, decisions, rows, child_rows)
    if obstacle:
        return Strategy("synthesize", obstacle)
    return Strategy("copy", "A small lookup table that holds nothing personal")


def _obstacle(table: Table, decisions: Mapping[str, Decision], rows: int, child_rows: int) -> str:
    """Why a table is no lookup table to be copied; empty where it is one."""
    if not rows:
        return "It has no rows"
    if rows > _MOST_SHORT_ROWS:
        return "It has too many rows for a lookup table"
    if not child_rows:
        return "No other table refers to it"
    if child_rows < _LEAST_CHILDREN * rows:
        return "Too few rows refer to it"
    if rows > _MOST_ROWS and not (child_rows >= _MANY_CHILDREN * rows and _short(table)):
        return "It has too many rows for a lookup table"
    if rows > _MOST_ROWS and table.foreign_keys:
        return "It has many rows and refers to other tables"
    if not any(decisions[c.name].role in _WORDS for c in table.columns if c.kind is Kind.TEXT):
        return "It has no vocabulary"
    if names_entity(tokens_of(table.bare)):
        return "Its name is that of a thing of the business"
    columns = [c for c in table.columns if c.kind not in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP)]
    if len(columns) > _MOST_COLUMNS:
        return "It has too many columns for a lookup table"
    return _personal(table, decisions)


def _public(table: Table, decisions: Mapping[str, Decision], rows: int) -> bool:
    """Whether a small table holds nothing but public words, their numbers and codes."""
    kept = (Role.REFERENCE, Role.CONSTANT, Role.CATEGORY)
    words = {c: decisions[c.name] for c in table.columns if c.kind is Kind.TEXT}
    listed = any(it.public for it in words.values()) and all(
        it.public or it.role in kept or (c.length or _LONG_TEXT) <= _LONGEST_CODE
        for c, it in words.items()
    )
    named = listed and rows <= _MOST_SHORT_ROWS and len(table.columns) <= _MOST_COLUMNS
    numbers = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
    plain = all(
        c.kind not in numbers or decisions[c.name].role in (Role.KEY, Role.REFERENCE)
        for c in table.columns
    )
    return named and plain and not _personal(table, decisions)


def _short(table: Table) -> bool:
    return all(
        c.length is not None and c.length <= _LONG_TEXT
        for c in table.columns
        if c.kind is Kind.TEXT
    )


def _personal(table: Table, decisions: Mapping[str, Decision]) -> str:
    for column in table.columns:
        decision = decisions[column.name]
        exposed = decision.provider in _PERSONAL or decision.exposure is not Exposure.NONE
        if exposed and decision.role is not Role.CONSTANT:
            return f"Its column {column.name} may identify someone"
        if decision.role is Role.IDENTIFIER and decision.provider in ("digits", "pattern", "uuid"):
            return f"Its column {column.name} holds identifiers"
        if column.kind in (Kind.BYTES, Kind.JSON):
            return f"Its column {column.name} may hold anything"
        remark = column.length is not None and column.length <= _LONGEST_REMARK
        free = decision.provider in _FREE and not decision.public
        if decision.role is Role.TEXT and free and not remark:
            return f"Its column {column.name} holds free text"
        if decision.role is Role.TIME and not _OF_THE_ROW & set(tokens_of(column.name)):
            return f"Its column {column.name} tells when something happened"
    return ""
