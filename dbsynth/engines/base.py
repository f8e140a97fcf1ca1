"""What an engine is: a way to learn the rows of one table given the rows of its parent.

Engines live inside the relational frame, which settles structure (row counts, child counts, links)
and translates values to codes.  So an engine sees integer codes and nothing else: no value, no key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes

Arrays = Mapping[str, npt.NDArray[Any]]
Derive = Callable[[str, dict[str, Codes]], None]
"""Takes the variable that was just drawn, and the codes of all that are drawn so far."""


def nothing(variable: str, drawn: dict[str, Codes]) -> None:
    """Derive nothing."""


NO_MASKS: Mapping[str, npt.NDArray[np.bool_]] = MappingProxyType({})
NO_SHARES: Mapping[str, npt.NDArray[np.float64]] = MappingProxyType({})


class TableModel(Protocol):
    """The fitted conditional distribution of a table's rows."""

    def sample(
        self, rows: int, context: Mapping[str, Codes], *, key: int, derive: Derive = nothing
    ) -> dict[str, Codes]:
        """Codes of every variable for ``rows`` new rows.

        Args:
            context: Codes of the parent's variables, one entry per new row.
            key: Stream of random numbers.
            derive: Called after each variable; may put other codes in place of those just drawn.
        """

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The model as named arrays; `Engine.restore` is the inverse."""


class Engine(Protocol):
    """A method of fitting."""

    name: str

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
    ) -> TableModel:
        """Learn the rows of a table.

        Args:
            variables: Alphabets of the variables, in the order in which they shall be drawn.
            codes: Codes of each variable, one per real row.
            context: Alphabets of the parent's variables.
            context_codes: Codes of the parent's variables, one per real row of this table.
            entities: Entity that each row belongs to.
            key: Stream of random numbers.
            drawn: Of variables that are derived or not known in some rows, the rows that tell.
            shares: Share of each code among all rows of the table, where these rows are a sample
                and the shares are known better.
        """

    def restore(self, arrays: Arrays) -> TableModel:
        """The model whose arrays were saved."""


@dataclass(frozen=True)
class Task:
    """What an engine is given to learn one table from; see `Engine.fit`.

    Attributes:
        parent: The table under whose rows these are drawn; None where there is none.
        places: Number of each of these rows among all rows of its table.
        links: Number of its parent's row among those of the parent's table, -1 for none.
        counted: The parent's variable that says how many of these rows are under it.
    """

    variables: Mapping[str, Alphabet]
    codes: Mapping[str, Codes]
    context: Mapping[str, Alphabet]
    context_codes: Mapping[str, Codes]
    entities: npt.NDArray[np.int64]
    key: int
    drawn: Mapping[str, npt.NDArray[np.bool_]]
    shares: Mapping[str, npt.NDArray[np.float64]]
    parent: str | None
    places: npt.NDArray[np.int64]
    links: npt.NDArray[np.int64]
    counted: str | None

    def fitted(self, engine: Engine) -> TableModel:
        """The model of an engine that takes one table at a time."""
        return engine.fit(
            self.variables,
            self.codes,
            self.context,
            self.context_codes,
            self.entities,
            key=self.key,
            drawn=self.drawn,
            shares=self.shares,
        )


@runtime_checkable
class WholeEngine(Protocol):
    """An engine that learns all tables together."""

    def fit_tables(self, tasks: Mapping[str, Task]) -> Mapping[str, TableModel]:
        """Learn all tables, parents before children."""
