"""Runs MST or AIM of OpenDP on a table of codes; for an environment with `opendp[mbi]` of its own.

    PYTHON bench/graphical.py FOLDER ALGORITHM RHO

FOLDER holds `codes.csv` and `sizes.json` (codes by column); `made.csv` and `took.json` are added.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import opendp.prelude as dp
import polars as pl


def main() -> None:
    """Fit, sample as many rows, and say how long it took."""
    folder, algorithm, rho = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    dp.enable_features("contrib")
    codes = pl.read_csv(folder / "codes.csv")
    sizes = json.loads((folder / "sizes.json").read_text())
    context = dp.Context.compositor(
        data=codes.lazy(),
        privacy_unit=dp.unit_of(contributions=1),
        privacy_loss=dp.loss_of(rho=rho),
    )
    start = time.perf_counter()
    made = (
        context.query(rho=rho)
        .contingency_table(
            keys={name: list(range(size)) for name, size in sizes.items()},
            algorithm=getattr(dp.mbi, algorithm)(),
        )
        .release()
        .synthesize()
    )
    (folder / "took.json").write_text(json.dumps({"seconds": time.perf_counter() - start}))
    made.select(list(sizes)).write_csv(folder / "made.csv")


if __name__ == "__main__":
    main()
