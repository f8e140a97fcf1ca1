"""Rows as points: how far what a row is like is from what somebody wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes, Number
from dbsynth.engines import variables
from dbsynth.model import ColumnModel

Float64 = npt.NDArray[np.float64]
_COMMON = 4
_FAR = 5.0  # deviations beyond which values count as this far


def _numbers_of(column: ColumnModel) -> Float64 | None:
    """The number behind every code of a column; None where codes stand for something else."""
    codec = column.codec
    if not isinstance(codec, Number) or not len(codec.points):
        return None
    found = np.where(np.isnan(codec.points), codec.inner[:, 2], codec.points)
    return np.concatenate([np.full(4, np.nan), found])


@dataclass(frozen=True)
class Likeness:
    """Codes as points: ranks, numbers and their squares, or indicators of common codes."""

    tables: Mapping[str, Float64]

    @classmethod
    def of(
        cls, rows: Mapping[str, Codes], ordered: Mapping[str, bool],
        columns: Mapping[str, ColumnModel],
    ) -> Likeness:  # fmt: skip
        """Fitted to what rows are like."""
        numbers = {v: _numbers_of(columns[v.removeprefix(variables.column(""))]) for v in rows}
        return cls({v: _table(c, numbers[v], rising=ordered[v]) for v, c in rows.items()})

    def points(self, codes: Mapping[str, Codes]) -> npt.NDArray[np.float32]:
        """A point for every row."""
        parts = [table[np.minimum(codes[v], len(table) - 1)] for v, table in self.tables.items()]
        return np.concatenate(parts, axis=1).astype(np.float32)


def _table(codes: Codes, numbers: Float64 | None, *, rising: bool) -> Float64:
    """The points of all codes, each feature of mean 0 and of the same weight for each column."""
    counts = np.bincount(codes).astype(np.float64)
    share = counts / counts.sum()
    if rising:
        ridit = np.cumsum(share) - share / 2 - 0.5
        columns = [ridit]
        if numbers is not None and len(numbers) >= len(counts):
            value = np.nan_to_num(numbers[: len(counts)])
            value = value - share @ value
            columns.append(np.clip(value / max(np.sqrt(share @ value**2), 1e-9), -_FAR, _FAR))
        columns.append(columns[-1] ** 2)
    else:
        common = np.argsort(-counts, kind="stable")[:_COMMON]
        columns = [(np.arange(len(counts)) == c).astype(np.float64) for c in common]
    found = np.stack(columns, axis=1)
    found -= share @ found
    spread = np.sqrt(share @ found**2)
    return np.asarray(found / np.where(spread > 0, spread, 1.0) / np.sqrt(len(columns)))
