"""The floor: every variable drawn from its own distribution, as if nothing depended on anything."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines.base import NO_MASKS, NO_SHARES, Arrays
from dbsynth.engines.relational import Relational, TreeChain


class Independent:
    """Marginal distributions only."""

    name = "independent"

    def fit(
        self,
        variables: Mapping[str, Alphabet],
        codes: Mapping[str, Codes],
        context: Mapping[str, Alphabet],
        context_codes: Mapping[str, Codes],
        entities: npt.NDArray[np.int64],
        *,
        key: int,
        drawn: Mapping[str, npt.NDArray[np.bool_]] = NO_MASKS,
        shares: Mapping[str, npt.NDArray[np.float64]] = NO_SHARES,
    ) -> TreeChain:
        """One tree without a split per variable."""
        del context, context_codes
        trees = []
        for name, alphabet in variables.items():
            rows = drawn.get(name, np.ones(len(entities), bool))
            if not rows.any():
                continue
            alone = {name: codes[name][rows]}
            wanted = {name: shares[name]} if name in shares and name not in drawn else NO_SHARES
            fitted = Relational().fit(
                {name: alphabet}, alone, {}, {}, entities[rows], key=key, shares=wanted
            )
            trees.append(fitted.trees[0])
        return TreeChain(tuple(trees))

    def restore(self, arrays: Arrays) -> TreeChain:
        """The model whose arrays were saved."""
        return Relational().restore(arrays)
