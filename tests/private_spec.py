"""A spec for the engine `dp` of any schema: the table with most below it is the unit."""

from __future__ import annotations

from dbsynth.databases import open_database
from dbsynth.spec import Spec
from dbsynth.spec.protection import Protection


def guessed(url, *, epsilon=9000.0, ledger="", seed=3):
    """The largest family is protected, first keys own, and what is left is invented."""
    with open_database(url) as database:
        schema = database.reflect()
        rows = {t.name: database.count_rows(t) for t in schema.tables}
    some = [t.name for t in schema.tables if rows[t.name]] or list(rows)
    families = {name: _below(schema, name) for name in some}
    unit = max(families, key=lambda name: (len(families[name]), rows[name], name))
    owned = families[unit]
    owner = {}
    for table in owned[1:]:
        keys = [
            fk for fk in schema[table].foreign_keys if fk.parent in owned and fk.parent != table
        ]
        keys.sort(key=lambda fk: owned.index(fk.parent))
        if len(keys) > 1:
            owner[table] = keys[0].columns
    rest = {name: max(count, 1) for name, count in rows.items() if name not in owned}
    said = Protection(
        unit, epsilon, 1e-6, invented=rest, owner=owner, seed=seed, ledger=ledger or "none"
    )
    return Spec(engine="dp", privacy=said)


def _below(schema, unit):
    """The unit and the tables that lead to it, nearest first; none on the way back to it."""
    found, i = [unit], 0
    while i < len(found):
        for fk in schema.foreign_keys:
            if fk.parent == found[i] and fk.child not in found:
                found.append(fk.child)
        i += 1
    return found
