"""Whole rows and whole families that a clone has in common with its source.

Any two samples of one population share rows where few values are possible.  So the source is cut in
two halves, and what the clone shares with the first half is set beside what the second half shares
with it.  Only rows that are alone in their half count: nobody is told by a row that many have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dbsynth.classify import Role
from dbsynth.codec import Presence
from dbsynth.databases.base import Database
from dbsynth.keys import hash_keys
from dbsynth.model import Model, TableFacts
from dbsynth.randomness import UInt64, hashed, mix
from dbsynth.read import codec_of
from dbsynth.report import Finding, Status
from dbsynth.rules.ranks import Ranks
from dbsynth.schema import ForeignKey, Table

Int64 = npt.NDArray[np.int64]

MOST = 2_000_000  # rows of a table, or families, that are compared at a time: 16 bytes each
FEWEST = 200  # rows that are worth halving
FEWEST_COLUMNS = 2
_SURE = 6.0  # standard deviations
_ALLOWED = 2.0  # times what the halves share: entities repeat themselves, and rows hang together
_LEAST = 0.01  # of the rows


def search_rows(source: Database, clone: Database, model: Model) -> Iterator[Finding]:
    """Compare the rows of every table, and the families of every generating key."""
    for table in model.schema.tables:
        facts = model.tables[table.name]
        columns = _learnt(model, table)
        if not _made(facts) or len(columns) < FEWEST_COLUMNS:
            continue
        share = min(1.0, MOST / max(facts.rows, clone.count_rows(table)))
        sides = [_values(side, table, columns, share) for side in (source, clone)]
        yield _judged("copied rows", table.name, *sides)
    for fk in model.plan.generating.values():
        yield from _families(source, clone, model, fk)


def _made(facts: TableFacts) -> bool:
    return facts.strategy == "synthesize" and facts.rows >= FEWEST


def _learnt(model: Model, table: Table) -> tuple[str, ...]:
    """The columns whose values are learnt, not invented or counted out.

    Numbers from 1 to n in every season say nothing of a race: each season has its rounds but once,
    so that no half of the rows has any of the other's, and any clone has them all.
    """
    counted = {kept.rule.place for kept in model.rules if isinstance(kept.rule, Ranks)}
    return tuple(
        name
        for name, found in model.tables[table.name].columns.items()
        if name not in table.foreign_columns()
        and (table.name, name) not in counted
        and not isinstance(codec_of(found), Presence | None)
        and found.decision.role not in (Role.KEY, Role.IDENTIFIER, Role.RENAMED, Role.CONSTANT)
    )


def _values(database: Database, table: Table, columns: Sequence[str], share: float) -> UInt64:
    """Hashes of rows; where there are too many, of those whose hash is small, on either side."""
    found = [np.zeros(0, np.uint64)]
    for batch in database.scan(table, columns):
        hashes = _hashed(batch.columns)
        found.append(hashes[hashes <= np.uint64(share * (2.0**64 - 2048))])
    return np.concatenate(found)


def _hashed(columns: Sequence[pa.Array]) -> UInt64:
    """Of each row; NULL counts as a value.  Rows without any value are 0."""
    names = [str(i) for i in range(len(columns))]
    frame = pl.DataFrame(
        {n: pl.Series(pl.from_arrow(c)) for n, c in zip(names, columns, strict=True)}
    )
    some = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    return np.where(some, frame.hash_rows(seed=7).to_numpy() | np.uint64(1), np.uint64(0))


def _judged(check: str, subject: str, real: UInt64, synthetic: UInt64) -> Finding:
    """Compare two samples of hashes with what two halves of the first share."""
    real, synthetic = real[real != 0], synthetic[synthetic != 0]
    first = hashed(11, np.arange(len(real))) % np.uint64(2) == 0
    alone = _once(real[first])
    other = real[~first]
    nature = int(np.isin(other, alone).sum())
    copied = int(np.isin(synthetic, alone).sum())
    if not copied:
        return Finding("leak", f"{subject} ({check})", Status.PASSED, "none")
    expected = (nature + 1) / max(len(other), 1) * len(synthetic)
    limit = _ALLOWED * expected + _SURE * math.sqrt(expected) + _LEAST * len(synthetic)
    detail = (
        f"{copied} of {len(synthetic)} are those of a single real row, {expected:.0f} by nature"
    )
    if copied <= limit:
        return Finding("leak", f"{subject} ({check})", Status.NOTE, detail, copied)
    part = "the engine: it has learnt rows by heart"
    return Finding("leak", f"{subject} ({check})", Status.FAILED, detail, copied, part)


def _once(hashes: UInt64) -> UInt64:
    values, counts = np.unique(hashes, return_counts=True)
    return np.asarray(values[counts == 1])


def _families(source: Database, clone: Database, model: Model, fk: ForeignKey) -> Iterator[Finding]:
    """Compare parents with all of their children."""
    parent, child = model.schema[fk.parent], model.schema[fk.child]
    facts = model.tables[fk.parent], model.tables[fk.child]
    if not all(map(_made, facts)):
        return
    above, below = _learnt(model, parent), _learnt(model, child)
    if len(above) + len(below) < FEWEST_COLUMNS or not below:
        return
    sides = [
        _of_families(database, fk, parent, child, above, below) for database in (source, clone)
    ]
    yield _judged("copied families", str(fk), *sides)


def _of_families(
    database: Database, fk: ForeignKey, parent: Table, child: Table, above: Sequence[str],
    below: Sequence[str],
) -> UInt64:  # fmt: skip
    """A hash of every parent with all of its children, where it has at least two.

    Of too many parents those are taken whose key has a small hash.
    """
    share = min(1.0, MOST / max(database.count_rows(parent), 1))
    keys, own = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for batch in database.scan(parent, [*fk.parent_columns, *above]):
        count = len(fk.parent_columns)
        hashes, complete = hash_keys(batch.columns[:count])
        chosen = complete & (hashes <= np.uint64(share * (2.0**64 - 2048)))
        keys.append(hashes[chosen])
        mine = _hashed(batch.columns[count:]) if above else np.zeros(len(hashes), np.uint64)
        own.append(mine[chosen])
    known, values = np.concatenate(keys), np.concatenate(own)
    order = np.argsort(known, kind="stable")
    known, sums = known[order], mix(values[order])
    sizes = np.zeros(len(known), np.int64)
    for batch in database.scan(child, [*fk.columns, *below]) if len(known) else ():
        hashes, complete = hash_keys(batch.columns[: len(fk.columns)])
        place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        here = complete & (known[place] == hashes)
        with np.errstate(over="ignore"):
            np.add.at(sums, place[here], mix(_hashed(batch.columns[len(fk.columns) :])[here]))
        np.add.at(sizes, place[here], 1)
    return np.where(sizes > 1, sums | np.uint64(1), np.uint64(0))
