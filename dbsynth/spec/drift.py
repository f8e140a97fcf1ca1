"""What changed in a schema since somebody reviewed its spec, and what a run makes of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from dbsynth.classify import Role
from dbsynth.errors import SpecError
from dbsynth.model import LEFT_OUT, Model
from dbsynth.schema import Column, ForeignKey, Schema, Table
from dbsynth.spec import HINT, Spec, TableSpec, not_there
from dbsynth.spec.constraints import about, compared
from dbsynth.spec.shapes import Path, told

_ALIKE = 0.5  # of two names, and share of columns that two tables have in common


@dataclass(frozen=True)
class Change:
    """One difference between the reviewed schema and the one that is there.

    Attributes:
        kind: ``added``, ``dropped`` or ``retyped``; ``changed`` for a constraint.
        what: ``table``, ``column``, ``key``, ``rule`` or ``constraint``.
        table: Empty for rules.
        column: None for tables and rules.
        message: A sentence.
        renamed: For what was added, the dropped name that it may have had; and the other way round.
    """

    kind: str
    what: str
    table: str
    column: str | None
    message: str
    renamed: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The change as JSON-able values."""
        return asdict(self)

    @property
    def path(self) -> Path:
        """Where the spec says something of it."""
        table = ("tables", self.table)
        return table if self.column is None else (*table, "columns", self.column)


def drift(spec: Spec, schema: Schema, declared: Schema | None = None) -> tuple[Change, ...]:
    """Every difference between what a spec lists and a schema, in the order of both.

    Args:
        declared: The schema as the database declares it, where the other one was changed.
    """
    found = tuple(_changes(spec, schema))
    return found + tuple(_constraints(spec, declared or schema, found))


def _constraints(spec: Spec, schema: Schema, found: Sequence[Change]) -> Iterator[Change]:
    """Constraints that changed, but those of tables, columns and keys that are told of already."""
    said = {(change.table, change.column) for change in found}
    names = {*spec.tables, *schema.table_by_name}
    for kind, subject, message in compared(spec.constraints or (), schema):
        table, columns = about(subject, names)
        if spec.constraints is not None and not said & {(table, c) for c in (None, *columns)}:
            yield Change(kind, "constraint", table, None, message)


def _changes(spec: Spec, schema: Schema) -> Iterator[Change]:
    known = schema.table_by_name
    gone = [name for name in spec.tables if name not in known]
    new = [table for table in schema.tables if table.name not in spec.tables]
    pairs = _renamed_tables(spec, gone, new)
    for name in gone:
        old = {new_: old for old, new_ in pairs.items()}.get(name)
        yield Change("dropped", "table", name, None, _gone_table(schema, name, old), old)
    for table in new:
        renamed = pairs.get(table.name)
        message = f"table `{table.name}` is new and not in the spec" + _perhaps(renamed)
        yield Change("added", "table", table.name, None, message, renamed)
    keyed = spec.with_keys(schema)
    for name, said in spec.tables.items():
        if name in known:
            yield from _columns(keyed[name], said)
    for fk in spec.virtual_foreign_keys:
        declared = schema.table_by_name.get(fk.child)
        if declared and any(_same(fk, other) for other in declared.foreign_keys):
            yield Change(
                "added", "key", fk.child, None,
                f"{fk} is declared by the database now, so it is no virtual foreign key any more",
            )  # fmt: skip
    for message in spec.unreadable(keyed):
        yield Change("dropped", "rule", "", None, message)


def _gone_table(schema: Schema, name: str, renamed: str | None) -> str:
    what = dict(schema.others).get(name)
    if what is not None:
        return f"`{name}` is a {what}, and only base tables can be named"
    if renamed:
        return f"table `{name}` does not exist" + _perhaps(None, renamed)
    return not_there(f"table `{name}`", name, schema.table_by_name)


def _perhaps(old: str | None, new: str | None = None) -> str:
    if old:
        return f" (perhaps `{old}` was renamed)"
    return f" (perhaps it was renamed to `{new}`)" if new else ""


def _columns(table: Table, said: TableSpec) -> Iterator[Change]:
    """What changed in the columns of one table and in the keys that they are in."""
    known, name = table.column_by_name, table.name
    listed = list(said.columns)
    gone = [column for column in listed if column not in known]
    unread = said.strategy in LEFT_OUT
    new = [] if unread else [c for c in table.written if c.name not in said.columns]
    pairs = _renamed_columns(table, said, gone, new)
    back = {old: new_ for new_, old in pairs.items()}
    for column in gone:
        renamed = back.get(column)
        message = not_there(f"column `{name}.{column}`", column, known)
        if renamed:
            message = f"column `{name}.{column}` does not exist" + _perhaps(None, renamed)
        yield Change("dropped", "column", name, column, message, renamed)
    for found in new:
        message = f"column `{name}.{found.name}` is new and not in the spec"
        renamed = pairs.get(found.name)
        yield Change(
            "added", "column", name, found.name, message + _perhaps(renamed), renamed
        )  # fmt: skip
    for column in listed:
        if column in known:
            yield from _column(table, known[column], said)


def _column(table: Table, column: Column, said: TableSpec) -> Iterator[Change]:
    name = f"`{table.name}.{column.name}`"
    role, reviewed = said.columns[column.name][0], said.types.get(column.name)
    if reviewed is not None and plain_type(reviewed) != plain_type(column.sql_type):
        message = f"column {name} was reviewed as {reviewed} and is {column.sql_type} now"
        yield Change("retyped", "column", table.name, column.name, message)
    refers = [fk for fk in table.foreign_keys if column.name in fk.columns]
    in_key = any(column.name in key.columns for key in table.keys)
    if role is Role.REFERENCE and not refers:
        message = f"column {name} was reviewed as a reference, and no foreign key holds it any more"
        yield Change("dropped", "key", table.name, column.name, message)
    elif role is Role.KEY and not refers and not in_key:
        message = f"column {name} was reviewed as a key, and no key holds it any more"
        yield Change("dropped", "key", table.name, column.name, message)
    elif refers and role not in (Role.REFERENCE, Role.KEY, Role.GENERATED):
        message = f"column {name} was reviewed as {role.value}, and refers to `{refers[0].parent}`"
        yield Change("added", "key", table.name, column.name, f"{message} now")


def plain_type(text: str) -> str:
    """A type, whatever its blanks."""
    return " ".join(text.split())


def _same(one: ForeignKey, other: ForeignKey) -> bool:
    pairs = [set(zip(fk.columns, fk.parent_columns, strict=True)) for fk in (one, other)]
    return one.parent == other.parent and pairs[0] == pairs[1]


def _renamed_tables(spec: Spec, gone: Iterable[str], new: Iterable[Table]) -> dict[str, str]:
    """Per new table the dropped one that it resembles most, each at most once."""
    scored = []
    for table in new:
        mine = {column.name for column in table.written}
        for name in gone:
            theirs = set(spec.tables[name].columns)
            shared = len(mine & theirs) / max(len(mine | theirs), 1)
            if shared >= _ALIKE:
                scored.append((-shared, table.name, name))
    return _matched(scored)


def _renamed_columns(
    table: Table, said: TableSpec, gone: Iterable[str], new: Iterable[Column]
) -> dict[str, str]:
    """Per new column the dropped one of its type that has a like name, or stood in its place."""
    before = list(said.columns)
    scored = []
    for column in new:
        place = [c.name for c in table.columns].index(column.name)
        for name in gone:
            reviewed = said.types.get(name)
            if reviewed is not None and plain_type(reviewed) != plain_type(column.sql_type):
                continue
            alike = difflib.SequenceMatcher(None, column.name.casefold(), name.casefold()).ratio()
            in_place = _neighbours(before, before.index(name)) == _neighbours(
                [c.name for c in table.columns], place
            )
            if alike >= _ALIKE or in_place:
                scored.append((-alike - in_place, column.name, name))
    return _matched(scored)


def _neighbours(names: list[str], place: int) -> tuple[str, str]:
    padded = ["", *names, ""]
    return padded[place], padded[place + 2]


def _matched(scored: list[tuple[float, str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, new, old in sorted(scored):
        if new not in found and old not in found.values():
            found[new] = old
    return found


@dataclass(frozen=True)
class Covered:
    """A schema with the user's keys, and what of it nobody has reviewed.

    Attributes:
        unreviewed: Per table, columns that are made from their type alone.
        notes: A sentence on each of them.
    """

    schema: Schema
    unreviewed: Mapping[str, frozenset[str]]
    notes: tuple[str, ...] = ()


def _lets_in(change: Change) -> bool:
    """Whether something is there now that nobody has reviewed."""
    if change.what in ("table", "column"):
        return change.kind != "dropped"
    return (change.kind, change.what) == ("dropped", "key")


def pruned(spec: Spec, schema: Schema) -> Spec:
    """What a spec says of columns that are there, so that the rest can be proposed."""
    tables = {
        name: TableSpec(
            said.strategy,
            columns={n: r for n, r in said.columns.items() if n in schema[name].column_by_name},
            types=said.types,
            approved_by=said.approved_by,
        )
        for name, said in spec.tables.items()
        if name in schema.table_by_name
    }
    changed = {(c.table, c.column) for c in drift(spec, schema) if c.kind == "retyped"}
    for name, said in tables.items():
        columns = {n: r for n, r in said.columns.items() if (name, n) not in changed}
        tables[name] = replace(said, columns=columns)
    keys = tuple(
        fk
        for fk in spec.virtual_foreign_keys
        if not list(Spec(virtual_foreign_keys=(fk,)).unknown(schema))
        and not any(_same(fk, other) for other in schema[fk.child].foreign_keys)
    )
    return Spec(
        engine=spec.engine, epochs=spec.epochs, seed=spec.seed, fit_rows=spec.fit_rows,
        tables=tables, virtual_foreign_keys=keys,
    )  # fmt: skip


def covered(spec: Spec, schema: Schema) -> Covered:
    """Apply a spec to a schema.

    Raises:
        SpecError: The spec names tables or columns that are not there, or (under ``on_new: stop``)
            does not cover some that are.
    """
    known = drift(spec, schema)
    renamed = {c.path: c.message for c in known if c.kind == "dropped" and c.renamed}
    changes = [c for c in known if _lets_in(c)] if spec.on_new != "propose" else []
    problems = list(spec.unknown(schema, renamed))
    if spec.on_new == "stop":
        found = [(change.path, change.message) for change in changes]
        problems += told(found, spec.lines)
    if not problems:
        problems += spec.unreadable(spec.with_keys(schema))
    if problems:
        raise SpecError("; ".join(problems), hint=HINT)
    columns: dict[str, set[str]] = {}
    for change in changes:
        named = {c.name for c in schema[change.table].written}
        columns.setdefault(change.table, set()).update(
            named if change.column is None else named & {change.column}
        )
    notes = tuple(
        f"{change.message}: made from its type alone, as `on_new: synthesize` says"
        for change in changes
    )
    notes += tuple(
        f"{change.message} (`dbsynth diff` lists what changed since the spec was reviewed)"
        for change in known
        if change.what == "constraint"
    )
    fresh = {name: frozenset(found) for name, found in columns.items()}
    return Covered(spec.with_keys(schema), fresh, notes)


_SHOWING = (Role.CATEGORY, Role.QUANTITY, Role.TIME, Role.CONSTANT)
_HIDING = (Role.IDENTIFIER, Role.RENAMED, Role.TEXT, Role.OPAQUE, Role.KEY)


def against_model(spec: Spec, model: Model) -> tuple[str, ...]:
    """Compare a spec with a model that was fitted earlier, perhaps with another one.

    Returns:
        A note on each decision of the spec that comes too late and hides no less than the model.

    Raises:
        SpecError: The model may hold what the spec keeps back, or has what the spec lacks.
    """
    wrong = [
        (change.path, change.message)
        for change in (() if spec.on_new == "propose" else drift(spec, model.schema))
        if change.what in ("table", "column") and change.kind != "dropped"
        and not (spec.on_new == "synthesize" and _default(model, change))
    ]  # fmt: skip
    notes: list[str] = []
    for name, said in spec.tables.items():
        facts = model.tables.get(name)
        if facts is None:
            continue
        if said.strategy not in (None, facts.strategy):
            text = (
                f"table `{name}` is {said.strategy} in the spec, and {facts.strategy} in the model"
            )
            if (said.strategy, facts.strategy) == ("copy", "synthesize"):
                notes.append(text + ", which stands")
            else:
                wrong.append((("tables", name, "strategy"), text))
        for column, (role, _) in said.columns.items():
            found = facts.columns.get(column)
            if facts.strategy != "synthesize" or found is None or found.decision.role is role:
                continue
            fitted = found.decision.role
            if role in _HIDING and fitted in _SHOWING:
                text = f"column `{name}.{column}` is {role.value} in the spec, and the model was"
                wrong.append(
                    (
                        ("tables", name, "columns", column),
                        f"{text} fitted with it as {fitted.value}",
                    )
                )
            else:
                text = f"column `{name}.{column}` is {fitted.value} in the model, which stands"
                notes.append(f"{text}; the spec says {role.value}")
    if wrong:
        raise SpecError(
            "; ".join(told(wrong, spec.lines)), hint="fit the model again with this spec"
        )
    return tuple(notes)


def _default(model: Model, change: Change) -> bool:
    """Whether a model has what is new made from its type alone."""
    columns = model.tables[change.table].columns
    named = [change.column] if change.column is not None else list(columns)
    return all(columns[n].decision.decided_by == "default" for n in named if n in columns)
