"""The one room where SDV is imported: columns of codes in, sampled columns of codes out.

SDV, RDT and CTGAN are under the Business Source License 1.1.  Nothing here is imported before an
engine of SDV is used.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import random
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Codes
from dbsynth.errors import EngineError, MissingExtra
from dbsynth.randomness import hashed

Int64 = npt.NDArray[np.int64]

ROW, LINK = "row", "link"
_TABLE = "rows"


@dataclass(frozen=True)
class Columns:
    """Columns of codes.

    Attributes:
        codes: By name.
        ordered: Whether the order of the codes counts, by name.
    """

    codes: Mapping[str, Codes]
    ordered: Mapping[str, bool]


@dataclass(frozen=True)
class Child:
    """A table under another: its columns, and the row of the parent of each of its rows."""

    columns: Columns
    links: Int64


@dataclass(frozen=True)
class Family:
    """What HMA sampled.

    Attributes:
        rows: Number of parents.
        parent: Their columns.
        children: By table its columns, and the parent of each row.
    """

    rows: int
    parent: dict[str, Codes]
    children: dict[str, tuple[dict[str, Codes], Int64]]


def require(engine: str) -> None:
    """Refuse where SDV is not installed; nothing of it is imported.

    Raises:
        MissingExtra: The extra `sdv` is not installed.
    """
    if importlib.util.find_spec("sdv") is None:
        raise MissingExtra(
            f"the engine `{engine}` needs SDV",
            hint="run pip install 'dbsynth[sdv]' (SDV is under the Business Source License 1.1)",
        )


def sampled(
    method: str, columns: Columns, rows: int, key: int, *, epochs: int | None = None
) -> dict[str, Codes]:
    """Fit a synthesizer of single tables, and sample from it.

    Args:
        method: ``gaussian_copula``, ``ctgan`` or ``tvae``.
        columns: Two different codes at least in each.
        epochs: How often a network sees each row; None for the default of SDV.

    Raises:
        MissingExtra: The extra `sdv` is not installed.
        EngineError: SDV gave up.
    """
    require(method)
    with _working(method, key):
        from sdv import single_table
        from sdv.metadata import Metadata

        network = {"enable_gpu": False} | ({} if epochs is None else {"epochs": epochs})
        kinds = {
            "gaussian_copula": (single_table.GaussianCopulaSynthesizer, {}),
            "ctgan": (single_table.CTGANSynthesizer, network),
            "tvae": (single_table.TVAESynthesizer, network),
        }
        kind, options = kinds[method]
        metadata = Metadata.load_from_dict({"tables": {_TABLE: {"columns": _described(columns)}}})
        synthesizer = kind(metadata, **options)
        size = len(next(iter(columns.codes.values())))
        synthesizer.fit({_TABLE: _frame(columns, size)})
        made = synthesizer.sample(rows)
        return _codes(made[_TABLE] if isinstance(made, dict) else made, columns)


def sampled_family(
    rows: int, parent: Columns, children: Mapping[str, Child], scale: float, key: int
) -> Family:
    """Fit HMA on a table of so many rows with the tables under it, and sample from it.

    Raises:
        MissingExtra: The extra `sdv` is not installed.
        EngineError: SDV gave up.
    """
    require("hma")
    with _working("hma", key):
        from sdv.metadata import Metadata
        from sdv.multi_table import HMASynthesizer

        names = {name: f"rows{number}" for number, name in enumerate(children)}
        synthesizer = HMASynthesizer(
            Metadata.load_from_dict(_related(parent, {names[n]: c for n, c in children.items()})),
            verbose=False,
        )
        data = {_TABLE: _frame(parent, rows).assign(**{ROW: lambda frame: frame.index})}
        for name, child in children.items():
            data[names[name]] = _frame(child.columns, len(child.links)).assign(
                **{LINK: child.links}
            )
        synthesizer.fit(data)
        synthesizer._numpy_seed = key % 2**32  # noqa: SLF001  # a fixed one, with no public name
        made = synthesizer.sample_scale(scale=scale)
        ids = made[_TABLE][ROW].to_numpy(np.int64)
        order = np.argsort(ids)
        below = {}
        for name, child in children.items():
            theirs = made[names[name]][LINK].to_numpy(np.int64)
            links = order[np.searchsorted(ids[order], theirs)]
            below[name] = (_codes(made[names[name]], child.columns), links)
        return Family(len(ids), _codes(made[_TABLE], parent), below)


def _related(parent: Columns, children: Mapping[str, Child]) -> dict[str, Any]:
    """The metadata of a piece in SDV's words."""
    described: dict[str, Any] = {
        name: {"columns": {**_described(child.columns), LINK: {"sdtype": "id"}}}
        for name, child in children.items()
    }
    above = {**_described(parent), ROW: {"sdtype": "id"}}
    described[_TABLE] = {"columns": above, "primary_key": ROW}
    relationships = [
        {
            "parent_table_name": _TABLE, "parent_primary_key": ROW,
            "child_table_name": name, "child_foreign_key": LINK,
        }
        for name in children
    ]  # fmt: skip
    return {"tables": described, "relationships": relationships, "METADATA_SPEC_VERSION": "V1"}


def _described(columns: Columns) -> dict[str, dict[str, str]]:
    return {
        name: {"sdtype": "numerical" if ordered else "categorical"}
        for name, ordered in columns.ordered.items()
    }


def _frame(columns: Columns, rows: int) -> Any:
    """Codes as ranks among those seen: whatever comes between two of them is one of them."""
    import pandas as pd

    found: dict[str, npt.NDArray[Any]] = {}
    for name, codes in columns.codes.items():
        ranks = np.unique(codes, return_inverse=True)[1]
        found[name] = (
            ranks.astype(np.float64) if columns.ordered[name] else ranks.astype(str).astype(object)
        )
    return pd.DataFrame(found, index=range(rows))


def _codes(frame: Any, columns: Columns) -> dict[str, Codes]:
    found = {}
    for name, codes in columns.codes.items():
        seen = np.unique(codes)
        ranks = np.nan_to_num(frame[name].to_numpy().astype(np.float64))
        found[name] = seen[np.clip(np.rint(ranks), 0, len(seen) - 1).astype(np.int64)]
    return found


@contextmanager
def _working(method: str, key: int) -> Iterator[None]:
    """SDV seeded, silent, on one thread; what is global in the process is left as it was.

    It prints what it advises to standard output, which is for results alone.

    Raises:
        EngineError: SDV raised anything.
    """
    # SDV draws from the global states, and importing it already changes one.
    numpy_state = np.random.get_state()  # noqa: NPY002  # see above
    python_state = random.getstate()
    import torch
    from sdv.single_table import base

    fixed = base.FIXED_RNG_SEED  # of every sample, with no public name to change it by
    threads = torch.get_num_threads()
    level = logging.root.manager.disable
    try:
        with (
            warnings.catch_warnings(), torch.random.fork_rng(devices=[]),
            redirect_stdout(io.StringIO()),
        ):  # fmt: skip
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            torch.set_num_threads(1)
            torch.manual_seed(key % 2**63)
            fresh = np.random.RandomState(int(hashed(key, 0)) % 2**32)  # as above
            np.random.set_state(fresh.get_state())  # noqa: NPY002  # as above
            random.seed(key)
            base.FIXED_RNG_SEED = key % 2**32
            yield
    except Exception as error:
        # Its messages may hold values.
        raise EngineError(
            f"SDV gave up on the engine `{method}` ({type(error).__name__})",
            hint="use the engine `relational`",
        ) from error
    finally:
        base.FIXED_RNG_SEED = fixed
        np.random.set_state(numpy_state)  # noqa: NPY002  # as above
        random.setstate(python_state)
        torch.set_num_threads(threads)
        logging.disable(level)
