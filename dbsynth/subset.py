"""Which real rows come into a clone: chosen by a condition or a share, and closed under their keys.

Tables with strategy ``subset`` take part; a masked table takes part with all of its rows.

* A table with a condition or a share chooses its rows by it.
* A table without one takes the rows that hang, over any number of keys, under chosen ones; where no
  table above it chooses, only what others refer to.
* A chosen row whose mandatory parent was not chosen is left out.
* What the rows that remain refer to otherwise is added, and what that refers to, and so on.

So every foreign key between such tables leads to a row that is there, whatever the keys look like:
cycles, self-references, several columns, NULL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.databases.base import Database
from dbsynth.errors import SpecError
from dbsynth.keys import hash_keys, join
from dbsynth.outline import Choice, Outline
from dbsynth.outline.unreviewed import even_links, unreviewed_keys
from dbsynth.randomness import Streams, hashed
from dbsynth.schema import ForeignKey, Table
from dbsynth.spec import Spec
from dbsynth.steer.condition import Condition, parse
from dbsynth.steer.wishes import explained

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]


def choose(database: Database, outline: Outline, spec: Spec) -> dict[str, Choice]:
    """The real rows of all masked tables and subsets.

    Raises:
        SpecError: A condition is unreadable or meets no row; drawn rows need real ones of which
            none is chosen, or real rows drawn ones that have to agree.
    """
    real = outline.real
    if not real:
        return {}
    conditions = _conditions(outline, spec)
    links = _links(database, outline)
    found: dict[str, Bool] = {}
    asked: dict[str, int] = {}
    for name in real:
        facts, said = outline.tables[name], spec.tables.get(name)
        rows = np.ones(facts.rows, bool)
        if facts.strategy == "subset" and said is not None:
            if name in conditions:
                rows &= _met(database, outline.schema[name], conditions[name], facts.rows)
            if said.share is not None:
                rows &= _share(rows, said.share, spec.seed, name)
            if name in conditions or said.share is not None:
                asked[name] = int(rows.sum())
        found[name] = rows
    _refuse_empty(asked, outline)
    choices = _closed(outline, links, found, asked)
    _refuse_loose(outline, choices)
    return choices


def _conditions(outline: Outline, spec: Spec) -> dict[str, Condition]:
    found: dict[str, Condition] = {}
    problems: list[str] = []
    for name in outline.real:
        text = spec.tables[name].where if name in spec.tables else None
        if text is not None and outline.tables[name].strategy == "subset":
            known = outline.schema[name].column_by_name
            condition, wrong = parse(text, known)
            problems += explained(name, wrong, known)
            if condition is not None:
                found[name] = condition
    if problems:
        raise SpecError("; ".join(problems), hint="mend these entries of the spec")
    return found


def _met(database: Database, table: Table, condition: Condition, rows: int) -> Bool:
    names = sorted(condition.columns)
    found = [
        condition.met(dict(zip(names, batch.columns, strict=True)).__getitem__)
        for batch in database.read(table, names)
    ]
    return np.concatenate(found) if found else np.zeros(rows, bool)


def _share(rows: Bool, share: float, seed: int, name: str) -> Bool:
    """So many of the rows, chosen by chance; at least one where there are any."""
    places = np.flatnonzero(rows)
    wanted = max(round(share * len(places)), min(1, len(places)))
    order = np.argsort(hashed(Streams(seed).key("share", name), places), kind="stable")
    chosen = np.zeros(len(rows), bool)
    chosen[places[order[:wanted]]] = True
    return chosen


def _refuse_empty(asked: Mapping[str, int], outline: Outline) -> None:
    wrong = [name for name, rows in asked.items() if not rows and outline.tables[name].rows]
    if wrong:
        names = ", ".join(f"`{name}`" for name in wrong)
        raise SpecError(
            f"no row of {names} meets `where`", hint="mend the condition, or choose `empty`"
        )


def _refuse_loose(outline: Outline, choices: Mapping[str, Choice]) -> None:
    """Refuse what no row of the clone could meet, before anything is drawn.

    Raises:
        SpecError: Says which strategies do not go together.
    """
    drawn = {n for n, facts in outline.tables.items() if facts.strategy == "synthesize"}
    wrong = [
        f"`{fk.parent}` is a subset of which no row is chosen, and `{fk.child}` needs one of them"
        for fk in outline.schema.foreign_keys
        if fk.parent in choices and not choices[fk.parent].size and not fk.nullable
        and fk.child in drawn and outline.tables[fk.child].rows
    ]  # fmt: skip
    if wrong:
        raise SpecError(
            "; ".join(wrong),
            hint="give the subset a `share` or `where`, or one of the two tables another strategy",
        )
    twice = dict.fromkeys(
        f"rows of `{name}` are real, and say twice which row of `{parent}`, a drawn one, they have"
        for name in choices
        for parent in _said_twice(outline, name)
    )
    if twice:
        raise SpecError(
            "; ".join(twice), hint="give the table that is drawn `mask`, `subset` or `copy` as well"
        )


def _said_twice(outline: Outline, name: str) -> Iterator[str]:
    """The drawn tables from which a real row has the same value by two of its keys to real rows."""
    given: dict[str, set[tuple[str, str]]] = {}
    for fk in outline.plan.carried_of(name):
        for mine, theirs in zip(fk.columns, fk.parent_columns, strict=True):
            given.setdefault(mine, set()).add((fk.parent, theirs))
    for ends in given.values():
        above = [
            {fk.parent for fk in outline.plan.dealt_of(parent) if column in fk.columns}
            for parent, column in sorted(ends)
        ]
        if len(above) > 1:
            yield from sorted(set.intersection(*above))


def _links(database: Database, outline: Outline) -> dict[ForeignKey, Int64]:
    """The parent's place of every row, for all keys between real rows."""
    keys, references = {}, {}
    for name in outline.real:
        table = outline.schema[name]
        mine = [fk for fk in outline.plan.carried if fk.child == name]
        theirs = sorted({fk.parent_columns for fk in outline.plan.carried if fk.parent == name})
        names = sorted({c for columns in (*theirs, *(fk.columns for fk in mine)) for c in columns})
        parts: dict[object, list[tuple[npt.NDArray[np.uint64], Bool]]] = {}
        for batch in database.read(table, names) if names else ():
            columns = dict(zip(names, batch.columns, strict=True))
            for key, over in [*((fk, fk.columns) for fk in mine), *((t, t) for t in theirs)]:
                parts.setdefault(key, []).append(hash_keys([columns[c] for c in over]))
        for fk in mine:
            references[fk] = _joined(parts.get(fk, []))
        for columns_ in theirs:
            hashes, complete = _joined(parts.get(columns_, []))
            keys[name, columns_] = np.where(complete, hashes, np.uint64(0))
    fresh = set(unreviewed_keys(outline.schema, outline.tables))
    return {
        fk: even_links(fk, outline.tables[fk.child].rows, outline.tables[fk.parent].rows)
        if fk in fresh
        else join(hashes, complete, keys[fk.parent, fk.parent_columns])[0]
        for fk, (hashes, complete) in references.items()
    }


def _joined(
    parts: list[tuple[npt.NDArray[np.uint64], Bool]],
) -> tuple[npt.NDArray[np.uint64], Bool]:
    if not parts:
        return np.zeros(0, np.uint64), np.zeros(0, bool)
    return np.concatenate([h for h, _ in parts]), np.concatenate([c for _, c in parts])


def _closed(
    outline: Outline, links: Mapping[ForeignKey, Int64], found: dict[str, Bool],
    asked: Mapping[str, int],
) -> dict[str, Choice]:  # fmt: skip
    masked = {name for name in outline.real if outline.tables[name].strategy == "mask"}
    depths = _depths(links, asked, masked)
    for name in outline.real:
        if name not in depths and name not in masked:  # it has what others refer to
            found[name] = np.zeros(len(found[name]), bool)
    before = {name: rows.copy() for name, rows in found.items()}
    _take_out(links, found, depths, asked)
    out = {name: int((before[name] & ~found[name]).sum()) for name in asked}
    kept = {name: rows.copy() for name, rows in found.items()}
    _add_parents(links, found)
    _drop_orphans(links, found)
    return {
        name: Choice(rows, asked.get(name), int((rows & ~kept[name]).sum()), out.get(name, 0))
        for name, rows in found.items()
    }


def _depths(
    links: Iterable[ForeignKey], asked: Iterable[str], masked: Iterable[str]
) -> dict[str, int]:  # fmt: skip
    """How many keys below a table that chooses each subset is, if it is below one."""
    depths = dict.fromkeys(asked, 0)
    level = set(depths)
    while level:
        below = {fk.child for fk in links if fk.parent in level} - set(depths) - set(masked)
        depths |= dict.fromkeys(below, max(depths.values()) + 1)
        level = below
    return depths


def _take_out(
    links: Mapping[ForeignKey, Int64], found: dict[str, Bool], depths: Mapping[str, int],
    asked: Mapping[str, int],
) -> None:  # fmt: skip
    """Leave out rows whose parents are not there, until there are none such.

    A row of a table that chooses needs its mandatory parents only; one of a table that follows
    needs at least one parent above it, and all of those that it has.
    """
    changed = True
    while changed:
        changed = False
        for name, depth in depths.items():
            keep = found[name].copy()
            hangs = np.zeros(len(keep), bool)
            for fk, parents in links.items():
                if fk.child != name or fk.parent == name or fk.parent not in depths:
                    continue
                there = np.append(found[fk.parent], False)[parents]
                if name in asked:
                    keep &= there | fk.nullable
                elif depths[fk.parent] < depth:
                    keep &= there | (parents < 0)
                    hangs |= there
            if name not in asked:
                keep &= hangs
            changed |= bool((keep != found[name]).any())
            found[name] = keep


def _add_parents(links: Mapping[ForeignKey, Int64], found: dict[str, Bool]) -> None:
    """Add what rows refer to, and what that refers to."""
    changed = True
    while changed:
        changed = False
        for fk, parents in links.items():
            needed = parents[found[fk.child] & (parents >= 0)]
            if not found[fk.parent][needed].all():
                found[fk.parent][needed] = True
                changed = True


def _drop_orphans(links: Mapping[ForeignKey, Int64], found: dict[str, Bool]) -> None:
    """Leave out rows without a parent that they must have; only a lax database holds such."""
    changed = True
    while changed:
        changed = False
        for fk, parents in links.items():
            lost = found[fk.child] & ~np.append(found[fk.parent], False)[parents]
            if not fk.nullable and lost.any():
                found[fk.child] = found[fk.child] & ~lost
                changed = True
