"""The floor: every variable drawn from its own distribution, as if nothing depended on anything."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines.base import Arrays
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
    ) -> TreeChain:
        """One tree without a split per variable."""
        del context, context_codes
        trees = [
            Relational()
            .fit({name: alphabet}, {name: codes[name]}, {}, {}, entities, key=key)
            .trees[0]
            for name, alphabet in variables.items()
        ]
        return TreeChain(tuple(trees))

    def restore(self, arrays: Arrays) -> TreeChain:
        """The model whose arrays were saved."""
        return Relational().restore(arrays)
