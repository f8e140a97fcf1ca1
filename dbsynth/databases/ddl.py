"""Tables for a kind of database other than the source's.

What both kinds have is carried over: columns, primary, unique and foreign keys, NOT NULL and simple
CHECKs.  What is lost is said.  The stage that uses these statements goes on to encode and load by
the columns of the *source's* schema (their kinds give the Arrow types), and translates only names:
`target_names` for tables and `column_names` for columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import AddConstraint, CreateTable

from dbsynth.databases.portable import translated
from dbsynth.errors import SchemaError
from dbsynth.schema import Check, Column, ForeignKey, Kind, Schema, Table, UniqueKey

_LONGEST_NAME = {"postgresql": 63}
_OTHER_KIND = {"postgresql": "sqlite", "sqlite": "postgresql"}
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})


def create_statements(schema: Schema, kind: str) -> tuple[list[str], list[str], tuple[str, ...]]:
    """The statements that make the tables in a database of another kind.

    Args:
        schema: The source's.
        kind: The target's, ``postgresql`` or ``sqlite``; the source is of the other one.

    Returns:
        Statements before the load, statements after it, and what is lost, a sentence each.

    Raises:
        SchemaError: Two tables or columns would have one name.
    """
    writing = _Writing(schema, kind)
    before = [writing.text(CreateTable(table)) for table in writing.tables.values()]
    if kind == "sqlite":
        return before, [], writing.all_losses()
    bare = [CreateTable(t, include_foreign_key_constraints=[]) for t in writing.tables.values()]
    after = [
        writing.text(AddConstraint(constraint))
        for table in writing.tables.values()
        for constraint in sorted(table.foreign_key_constraints, key=lambda c: str(c.name))
    ]
    return (
        [writing.text(statement) for statement in bare],
        after + list(writing.numberings()),
        writing.all_losses(),
    )


def target_names(schema: Schema, kind: str) -> Mapping[str, str]:
    """Name in the target by `Table.name`.

    Raises:
        SchemaError: Two tables would have one name.
    """
    several = len({table.namespace for table in schema.tables}) > 1
    wanted = {
        table.name: f"{table.namespace}_{table.bare}" if several and table.namespace else table.bare
        for table in schema.tables
    }
    return _fitting(wanted, kind, "tables")


def column_names(table: Table, kind: str) -> Mapping[str, str]:
    """Name in the target by the column's name.

    Raises:
        SchemaError: Two columns would have one name.
    """
    return _fitting({c.name: c.name for c in table.columns}, kind, f"columns of table {table.name}")


def _fitting(wanted: Mapping[str, str], kind: str, what: str) -> dict[str, str]:
    limit = _LONGEST_NAME.get(kind)
    fitting = {key: _shortened(name, limit) for key, name in wanted.items()}
    seen: dict[str, str] = {}
    for key, name in fitting.items():
        other = seen.setdefault(name.lower() if kind == "sqlite" else name, key)
        if other != key:
            raise SchemaError(
                f"{what} {other} and {key} would both be named {name} in the target",
                hint="Rename one of them, or use a target of the source's kind",
            )
        if kind == "sqlite" and what == "tables" and name.lower().startswith("sqlite_"):
            raise SchemaError(
                f"table {key} has a name that SQLite keeps for itself",
                hint="Use a target of the source's kind",
            )
    return fitting


def _shortened(name: str, limit: int | None) -> str:
    """A name of at most so many bytes; a digest keeps shortened names apart."""
    name = name or "unnamed"
    encoded = name.encode()
    if limit is None or len(encoded) <= limit:
        return name
    digest = hashlib.blake2b(encoded, digest_size=5).hexdigest()
    return encoded[: limit - 11].decode(errors="ignore") + "_" + digest


class _Writing:
    """A schema on its way into SQLAlchemy's words, with a list of what got lost."""

    def __init__(self, schema: Schema, kind: str) -> None:
        self.schema = schema
        self.kind = kind
        self.names = target_names(schema, kind)
        self.columns = {table.name: column_names(table, kind) for table in schema.tables}
        self.losses: list[str] = []
        self._dialect: Any = (
            postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy
            if kind == "postgresql"
            else sqlite.dialect(paramstyle="named")
        )
        metadata = sa.MetaData()
        self.tables = {table.name: self._table(table, metadata) for table in schema.tables}
        for table in schema.tables:
            for constraint in self._foreign_keys(table):
                self.tables[table.name].append_constraint(constraint)

    def text(self, statement: sa.schema.ExecutableDDLElement) -> str:
        """The statement in the target's words."""
        return str(statement.compile(dialect=self._dialect)).strip()

    def all_losses(self) -> tuple[str, ...]:
        """What is lost, in general first."""
        general = [
            "views, triggers, functions, sequences, comments, grants and plain indexes are not"
            " carried over to another kind of database"
        ]
        if any(column.default for table in self.schema.tables for column in table.columns):
            general.append("default values are not carried over to another kind of database")
        return (*general, *self.losses)

    def numberings(self) -> Iterator[str]:
        """Statements that set identities past the rows."""
        quote = self._dialect.identifier_preparer.quote_identifier
        for table in self.schema.tables:
            for column in filter(self._is_numbered, table.columns):
                name = quote(self.names[table.name])
                plain = self.columns[table.name][column.name]
                sequence = f"pg_get_serial_sequence({_literal(name)}, {_literal(plain)})"
                top = f"max({quote(plain)})"
                yield (
                    f"SELECT setval({sequence}, greatest(coalesce({top}, 1), 1),"
                    f" coalesce({top}, 0) > 0) FROM {name}"
                )

    def _table(self, table: Table, metadata: sa.MetaData) -> sa.Table:
        parts: list[sa.schema.SchemaItem] = [self._column(table, c) for c in table.columns]
        parts += self._keys(table)
        parts += self._checks(table)
        self.losses += [
            f"table {table.name}: exclusion constraint {exclusion.name} is lost"
            for exclusion in table.exclusions
        ]
        return sa.Table(self.names[table.name], metadata, *parts, quote=True)

    def _column(self, table: Table, column: Column) -> sa.Column[Any]:
        if column.generated:
            self.losses.append(
                f"table {table.name}: column {column.name} is computed in the source and stays"
                " empty"
            )
        numbered = (sa.Identity(always=False),) if self._is_numbered(column) else ()
        name = self.columns[table.name][column.name]
        return sa.Column(
            name,
            _sql_type(column, self.kind),
            *numbered,
            nullable=column.nullable or column.generated,
            autoincrement=bool(numbered),
            quote=True,
        )

    def _is_numbered(self, column: Column) -> bool:
        return self.kind == "postgresql" and column.identity and column.kind is Kind.INTEGER

    def _keys(self, table: Table) -> Iterator[sa.schema.SchemaItem]:
        names = self.columns[table.name]
        for key in table.keys:
            loss = self._key_loss(table, key)
            if loss:
                self.losses.append(f"table {table.name}: unique key {key.name} {loss}")
                continue
            columns = [names[column] for column in key.columns]
            if key.columns == table.primary_key and key is table.keys[0]:
                if not any(_may_be_null(table, name) for name in key.columns):
                    yield sa.PrimaryKeyConstraint(*columns)
                    continue
                self.losses.append(
                    f"table {table.name}: the primary key holds NULL and becomes a unique key"
                )
            yield sa.UniqueConstraint(*columns)

    def _key_loss(self, table: Table, key: UniqueKey) -> str:
        if not key.plain:
            return "over expressions or some of the rows is lost"
        if key.nulls_equal and any(_may_be_null(table, name) for name in key.columns):
            return "is lost, because it counts NULLs as equal"
        return ""

    def _foreign_keys(self, table: Table) -> Iterator[sa.ForeignKeyConstraint]:
        for key in table.foreign_keys:
            loss = self._foreign_key_loss(key)
            if loss:
                self.losses.append(f"foreign key {key} is lost, because {loss}")
                continue
            own, theirs = self.columns[key.child], self.columns[key.parent]
            # two keys may have the same columns and different parents
            label = "_".join([key.child, *key.columns, key.parent, *key.parent_columns, "fkey"])
            yield sa.ForeignKeyConstraint(
                [own[c] for c in key.columns],
                [self.tables[key.parent].c[theirs[c]] for c in key.parent_columns],
                name=_shortened(label, 63) if self.kind == "postgresql" else None,
                deferrable=key.deferrable or None,
                initially="DEFERRED" if key.deferrable else None,
                match="FULL" if key.full and self.kind == "postgresql" else None,
            )

    def _foreign_key_loss(self, key: ForeignKey) -> str:
        child, parent = self.schema[key.child], self.schema.table_by_name.get(key.parent)
        if parent is None or not key.declared:
            return "its parent is not among the tables"
        unique = [k for k in parent.keys if k.plain and not self._key_loss(parent, k)]
        if not any(set(k.columns) == set(key.parent_columns) for k in unique):
            return "its parent's columns are not a unique key"
        pairs = zip(key.columns, key.parent_columns, strict=True)
        if self.kind == "postgresql" and not all(
            _comparable(child.column_by_name[c], parent.column_by_name[p]) for c, p in pairs
        ):
            return "its columns and those of its parent have different types"
        return ""

    def _checks(self, table: Table) -> Iterator[sa.CheckConstraint]:
        for column in table.columns:
            if column.kind is Kind.ENUM and column.choices:
                listed = ", ".join(map(_literal, column.choices))
                name = _quoted(self.columns[table.name][column.name])
                yield _check(f"{name} IN ({listed})")
        for check in table.checks:
            words = self._words(check, table)
            if words is None:
                self.losses.append(f"table {table.name}: CHECK {check.name} is not portable")
            else:
                yield _check(words)

    def _words(self, check: Check, table: Table) -> str | None:
        names = self.columns[table.name]
        if any(names[c] != c or table.column_by_name[c].generated for c in check.columns):
            return None
        return translated(check, table, _OTHER_KIND[self.kind], self.kind)


def _check(words: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(words.replace("\\", "\\\\").replace(":", "\\:"))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _may_be_null(table: Table, name: str) -> bool:
    column = table.column_by_name[name]
    return column.nullable or column.generated


def _comparable(child: Column, parent: Column) -> bool:
    """Whether PostgreSQL can compare the two types for a foreign key."""
    kinds = {child.kind, parent.kind}
    return len(kinds) == 1 or kinds <= _NUMBERS


def _sql_type(column: Column, kind: str) -> Any:
    if kind == "postgresql":
        return _postgresql_type(column)
    match column.kind:
        case Kind.INTEGER | Kind.INTERVAL:
            return sa.INTEGER()
        case Kind.UUID:
            return sa.CHAR(36)
        case Kind.ENUM:
            return sa.VARCHAR(max(map(len, column.choices), default=None))
        case Kind.ARRAY | Kind.OTHER:
            return sa.TEXT()
        case _:
            return _common_type(column)


def _postgresql_type(column: Column) -> Any:
    match column.kind:
        case Kind.INTEGER:
            return {16: sa.SMALLINT(), 32: sa.INTEGER()}.get(column.bits or 64, sa.BIGINT())
        case Kind.FLOAT:
            return sa.DOUBLE_PRECISION()
        case Kind.TIMESTAMP:
            return sa.TIMESTAMP(timezone=column.zoned)
        case Kind.BYTES:
            return postgresql.BYTEA()
        case _:
            return _common_type(column)


def _common_type(column: Column) -> Any:
    match column.kind:
        case Kind.DECIMAL:
            return sa.NUMERIC(column.precision, column.scale if column.precision else None)
        case Kind.FLOAT:
            return sa.FLOAT()
        case Kind.BOOLEAN:
            return sa.BOOLEAN()
        case Kind.DATE:
            return sa.DATE()
        case Kind.TIME:
            return sa.TIME()
        case Kind.TIMESTAMP:
            return sa.TIMESTAMP()
        case Kind.BYTES:
            return sa.BLOB()
        case Kind.JSON:
            return sa.JSON()
        case _:
            return sa.VARCHAR(column.length) if column.length else sa.TEXT()
