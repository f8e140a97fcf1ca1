"""Rows that lie in groups, such as the races of a season: as many in each as in the source.

How many children a row has often hangs on its group alone.  So where other parents walk along the
rows of a table, its groups are brought to their real sizes, its rows are numbered inside them, and
the numbers of children are drawn again for what then stands there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dbsynth.draft.drafted import Draft
from dbsynth.engines import variables
from dbsynth.engines.relational import TreeChain
from dbsynth.keys import rank_in_group
from dbsynth.randomness import uniform
from dbsynth.read.quantities import quantities_of
from dbsynth.rules.ranks import Ranks
from dbsynth.schema import Table

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_SHARED = 2  # rows of a group on the average, at least


def leads(draft: Draft, name: str) -> bool:
    """Whether other parents walk along the rows of a table, which lie in groups."""
    model, order = draft.model, draft.model.tables[name].order
    codes = draft.codes[name].get(variables.column(order[0])) if order else None
    if codes is None or order[0] in draft.settled.get(name, {}):
        return False
    if _SHARED * len(np.unique(codes)) > len(codes):
        return False
    return any(model.plan.generating[key.child].parent == name for key in model.histories)


def regroup(draft: Draft, table: Table) -> None:
    """Give rows, in their order, the values of the grouping column as often as the source has."""
    name = variables.column(draft.model.tables[table.name].order[0])
    engine, codes = draft.model.engines[table.name], draft.codes[table.name][name]
    tree = next((t for t in engine.trees if t.target == name), None) if isinstance(
        engine, TreeChain) else None  # fmt: skip
    if tree is None:
        return
    reached = np.cumsum(np.bincount(tree.codes, weights=tree.counts))
    wanted = (np.arange(len(codes)) + 0.5) / len(codes) * reached[-1]
    key = draft.streams.key("group", table.name)
    order = np.lexsort((uniform(key, np.arange(len(codes))), codes))
    found = np.empty(len(codes), np.uint16)
    found[order] = np.searchsorted(reached, wanted, side="right")
    draft.codes[table.name][name] = found


def number(draft: Draft, table: Table) -> None:
    """Number the rows of every group in their order, where a rule says that they are numbered."""
    facts = draft.model.tables[table.name]
    group, *rest = facts.order
    for kept in draft.model.rules:
        rule = kept.rule
        if not isinstance(rule, Ranks) or rule.group != (table.name, group) or rule.zeros:
            continue
        column = rule.place[1]
        if rest[:1] == [column]:
            quantities, settled = quantities_of(table, facts), draft.settled[table.name]
            ids = np.unique(quantities[group].numbers(settled[group]), return_inverse=True)[1]
            numbers = (rank_in_group(ids.astype(np.int64)) + rule.first).astype(np.float64)
            settled[column] = quantities[column].values(numbers)
            codec = facts.columns[column].codec
            if codec is not None:
                draft.codes[table.name][variables.column(column)] = codec.encode(settled[column])
