"""Rules kept while rows are drawn: codes that follow from others are put in place at once.

What is drawn afterwards depends on the codes that stay, so whatever hangs on them keeps to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.draft.drafted import Draft
from dbsynth.draft.keeping.base import Scene, Step
from dbsynth.draft.keeping.columns import Where, chained, map_of, where_of
from dbsynth.draft.keeping.kin import LARGEST, Times, numbered_of, step_within
from dbsynth.draft.keeping.regroup import regrouped
from dbsynth.engines.base import Derive, nothing
from dbsynth.learn.codebook import column_of
from dbsynth.rules.follows import Follows
from dbsynth.rules.implied import Implied
from dbsynth.rules.ranks import Ranks
from dbsynth.rules.within import Within
from dbsynth.schema import Table

Int64 = npt.NDArray[np.int64]
__all__ = ["Keeper", "keeper_of", "regrouped"]


@dataclass(frozen=True)
class Keeper:
    """The rules of one table while it is drawn."""

    links: Int64
    steps: tuple[Step, ...]

    def derivation(self, rows: Int64, place: Int64, before: Int64) -> Derive:
        """What puts codes in place while some rows are drawn.

        Args:
            rows: The rows, siblings side by side in their order.
            place: Their places among their siblings.
            before: The sibling that was drawn before each.
        """
        del before
        if not self.steps:
            return nothing
        scene = Scene(rows, self.links[rows], place)

        def derive(variable: str, drawn: dict[str, Codes]) -> None:
            for step in self.steps:
                if column_of(variable) in step.columns:
                    step.put(variable, drawn, scene)

        return derive


def keeper_of(draft: Draft, table: Table, links: Int64) -> Keeper:
    """What keeps the rules of a table while it is drawn.

    Args:
        links: The generating parent of every row, -1 for none.
    """
    key = draft.model.plan.generating.get(table.name)
    own = [kept for kept in draft.model.rules if kept.rule.table == table.name]
    families = int(links.max(initial=0)) + 1
    sizes = np.bincount(links[links >= 0], minlength=families)
    steps: list[Step] = []
    for kept in own:
        rule, stream = kept.rule, draft.streams.key("rule", str(kept.rule))
        if isinstance(rule, Follows) and kept.state and rule.key in (None, key):
            steps.append(map_of(draft, rule, kept))
        elif isinstance(rule, Implied) and kept.state:
            steps.append(where_of(draft, rule, kept, stream))
        elif isinstance(rule, Within) and rule.key == key:
            steps.append(step_within(draft, rule, sizes, stream))
        elif isinstance(rule, Ranks) and rule.group == key and sizes.max(initial=0) <= LARGEST:
            numbered = numbered_of(draft, rule, sizes)
            steps += [] if numbered is None else [numbered]
    steps += chained([step for step in steps if isinstance(step, Where)])
    return Keeper(links, tuple(sorted(steps, key=lambda step: isinstance(step, Where | Times))))
