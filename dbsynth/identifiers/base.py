"""What a provider of column values is.

A provider draws the values of columns that no engine models: direct identifiers, free text, codes,
documents, blobs.  Values are a pure function of (state, key, index), computed for whole arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from dbsynth.identifiers.traits import Traits
from dbsynth.randomness import UInt64
from dbsynth.schema import Column

State = Mapping[str, Any]
"""What a provider learnt of a column: JSON-able, without values that fewer than `k` rows share."""


class Provider(Protocol):
    """Draws values of one kind."""

    @property
    def name(self) -> str:
        """Its key in `dbsynth.identifiers.PROVIDERS`."""

    def fit(self, column: Column, values: pa.Array, *, unique: bool, locale: str, k: int) -> State:
        """What has to be known of the column to draw values like its own.

        Args:
            column: As the database declares it.
            values: A sample of the column in the Arrow type of its kind; may be empty or all null.
            unique: Whether drawn values must differ from each other, also when case is ignored.
            locale: A Faker locale such as ``en_US``.
            k: A text fragment seen in fewer rows must not enter the state.
        """

    def draw(self, state: State, index: UInt64, *, key: int) -> pa.Array:
        """One value for every index; never null.

        With ``unique`` in the state, different indexes below 2**40 give different values, as far as
        the column's length allows (then the shortest sufficient counter is part of the value).  The
        same index and key give the same person in every provider of identities: given name, family
        name, full name, e-mail and user name agree.
        """


@runtime_checkable
class Personal(Protocol):
    """A provider that can use what is known of persons: their country, their sex."""

    def draw_of(self, state: State, index: UInt64, traits: Traits, *, key: int) -> pa.Array:
        """As `Provider.draw`; the same index, key and traits give the same person everywhere."""
