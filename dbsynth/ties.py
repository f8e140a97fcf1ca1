"""What a model file says of rows that belong together, in words for those who must judge it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Number
from dbsynth.engines.relational import TreeChain
from dbsynth.model import ColumnModel, Degrees, History, Model, TableFacts
from dbsynth.plural import counted
from dbsynth.rosters import Roster
from dbsynth.schema import ForeignKey


def ties(model: Model) -> tuple[str, ...]:
    """A sentence on each thing that is stored about rows of several tables, or of one family."""
    found = [_history(model, fk, history) for fk, history in model.histories.items()]
    if model.histories:
        found.append(
            "trades, by which rows of several parents are brought together: nothing is stored, they"
            " are made up for every clone"
        )
    found += [_roster(name, roster) for name, roster in model.rosters.items()]
    for name, facts in model.tables.items():
        found += _family(model, name, facts)
    for fk, degrees in model.degrees.items():
        found += _alike(fk, degrees)
    for fk, path in model.diamonds.items():
        way = " and then ".join(map(str, path))
        found.append(f"`{fk}` is not drawn but follows {way}: that it does, and no link")
    return tuple(found)


def _history(model: Model, fk: ForeignKey, history: History) -> str:
    """How the rows of one parent follow each other along the parents that bring them forth."""
    leading = model.plan.generating[fk.child].parent
    said = (
        f"history of `{fk}`: how the rows of one {fk.parent} follow each other from {leading} to"
        f" {leading}, over all of them: {_classes(history.gap.codec)} of gaps, how many rows one"
        " visit has"
    )
    if history.keeps:
        others = ", ".join(other.parent for other in history.keeps)
        said += f", how often the next row has the same {others}"
    engine = history.engine
    if isinstance(engine, TreeChain) and engine.trees:
        sizes = leaves(engine)
        said += f", and {counted(len(engine.trees), 'tree')}"
        said += f" of {counted(len(sizes), 'leaf', 'leaves')}"
        said += f", the smallest of {counted(int(sizes.min()), 'row')}"
    return said + "; no single history"


def _classes(codec: Number) -> str:
    return counted(len(codec.points), "class", "classes")


def leaves(engine: TreeChain) -> npt.NDArray[np.int64]:
    """How many rows are behind each leaf of an engine."""
    sizes = [np.add.reduceat(tree.counts, tree.starts[:-1]) for tree in engine.trees]
    return np.concatenate([np.zeros(0, np.int64), *sizes])


def single_rows(engine: TreeChain) -> int:
    """How many counts in leaves stand for a single row."""
    return int(sum((tree.counts == 1).sum() for tree in engine.trees))


def exact_histories(model: Model) -> Iterator[str]:
    """What in histories may point to single rows."""
    for fk, history in model.histories.items():
        engine = history.engine
        if isinstance(engine, TreeChain) and single_rows(engine):
            yield (
                f"history of `{fk}`: {single_rows(engine):,} counts in leaves stand for a single"
                f" row; a leaf has at least {leaves(engine).min():,} rows"
            )


def _roster(name: str, roster: Roster) -> str:
    """Whom a table lists, and which of its columns follow from others."""
    within = f" of the same `{roster.group}`" if roster.group else ""
    listed = f"the {roster.key.parent}s of `{roster.base.child}`{within}"
    said = f"roster of `{name}`: that it lists {listed}"
    made = [
        f"`{total.column}` "
        + ("counts one value of" if total.equals is not None else "adds up")
        + f" `{total.base.child}.{total.source}`"
        for total in roster.totals
    ]
    if roster.ranking is not None:
        made.append(f"`{roster.ranking.column}` ranks by {', '.join(roster.ranking.by)}")
    if made:
        said += "; that " + ", ".join(made)
    counts = [total.column for total in roster.totals if total.equals is not None]
    exact = f", but for the value that `{'`, `'.join(counts)}` counts" if counts else ""
    return f"{said}; no row and no number{exact}"


def _family(model: Model, name: str, facts: TableFacts) -> Iterator[str]:
    """What rows of one family have in common."""
    if facts.pace is not None:
        yield (
            f"pace of `{name}`: how far siblings move along the rows of {facts.pace.key.parent}, as"
            f" {_classes(facts.pace.gap.codec)} of steps"
        )
    parent = model.plan.generating[name].parent if name in model.plan.generating else "family"
    for repertoire in facts.repertoires:
        kinds, codes = repertoire.shares.shape
        yield (
            f"repertoires of `{name}`: which of the {codes} values of"
            f" `{_column(repertoire.variable)}` the rows of one {parent} have at all, as counts for"
            f" {counted(kinds, 'kind')} of {parent}"
        )
    if facts.recalled or facts.repeated:
        columns = sorted({_column(v) for row in facts.recalled for v in row}
                         | {_column(v) for v in facts.repeated})  # fmt: skip
        listed = ", ".join(f"`{column}`" for column in columns)
        yield f"memory of siblings in `{name}`: how often {listed} is as in a row before; no row"
    for column, found in facts.columns.items():
        yield from _come_back(f"{name}.{column}", found)


def _come_back(name: str, model: ColumnModel) -> Iterator[str]:
    if model.repeats is not None:
        yield (
            f"`{name}` comes back: how often a value is one of {model.repeats.slots} of its family,"
            f" or one of {model.repeats.shared} that many share; no value"
        )
    if model.echo is not None:
        yield f"`{name}` says again what a column of its parent says; no value"


def _alike(fk: ForeignKey, degrees: Degrees) -> Iterator[str]:
    if degrees.alike is not None:
        mine, theirs, falls = degrees.alike
        rises = "falls" if falls else "rises"
        above = f"`{_column(theirs)}` of {fk.parent}"
        yield f"`{fk}`: that `{_column(mine)}` {rises} where {above} rises"


def _column(variable: str) -> str:
    """The column that a variable of an engine is of."""
    return variable.partition(":")[2] or variable
