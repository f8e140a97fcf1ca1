"""Whether a database is empty, and how to make it empty again."""

from __future__ import annotations

from dbsynth.databases.postgresql.connect import Connection, command, rows

# Everything that pg_dump would show: objects that were made after the server's own (whose numbers
# end at 16383), not by an extension, and not together with another object.
_FIRST_USER_NUMBER = 16384
_CATALOGS = {
    "pg_extension": "true",
    "pg_event_trigger": "true",
    "pg_class": "relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relnamespace NOT IN"
    " (SELECT t.oid FROM pg_namespace t WHERE t.nspname ~ '^pg_(toast|temp)')",
    "pg_proc": "true",
    "pg_type": "typtype IN ('d', 'e', 'r', 'b', 'c') AND typelem = 0 AND (typrelid = 0 OR EXISTS"
    " (SELECT FROM pg_class r WHERE r.oid = typrelid AND r.relkind = 'c'))",
    "pg_operator": "true",
    "pg_opclass": "true",
    "pg_opfamily": "true",
    "pg_collation": "true",
    "pg_conversion": "true",
    "pg_cast": "true",
    "pg_ts_config": "true",
    "pg_ts_dict": "true",
    "pg_ts_parser": "true",
    "pg_ts_template": "true",
    "pg_foreign_server": "true",
    "pg_foreign_data_wrapper": "true",
    "pg_am": "true",
    "pg_publication": "true",
    "pg_statistic_ext": "true",
    "pg_language": "true",
    "pg_namespace": "nspname <> 'public' AND nspname !~ '^pg_(toast|temp)'",
}


def objects(connection: Connection) -> list[tuple[str, str]]:
    """Type and quoted name of every object of a user, dependent ones mostly first."""
    parts = [
        f"SELECT {place}, i.type, i.identity FROM pg_catalog.{catalog} x,"
        f" pg_catalog.pg_identify_object('pg_catalog.{catalog}'::regclass, x.oid, 0) i"
        f" WHERE x.oid >= {_FIRST_USER_NUMBER} AND {condition} AND NOT EXISTS ("
        f" SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.{catalog}'::regclass"
        f" AND d.objid = x.oid AND d.deptype IN ('e', 'i'))"
        for place, (catalog, condition) in enumerate(_CATALOGS.items())
    ]
    found = rows(connection, f"{' UNION ALL '.join(parts)} ORDER BY 1, 3")
    return [(kind, name) for _, kind, name in found]


def is_empty(connection: Connection) -> bool:
    """Whether a database holds nothing that its user has made."""
    return not objects(connection)


def clear(connection: Connection) -> None:
    """Remove every object of a user."""
    with connection.transaction():
        for kind, name in objects(connection):
            word = "STATISTICS" if kind == "statistics object" else kind
            command(connection, f"DROP {word} IF EXISTS {name} CASCADE")
