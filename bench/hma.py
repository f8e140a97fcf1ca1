"""Fit and sample SDV's HMA synthesizer; run by a Python that has SDV.

    python bench/hma.py FOLDER

FOLDER holds `tables.json` (columns and their sorts, links) and a CSV file for each table, whose
columns `__row` and `__0`, `__1`, ... are positions.  Leaves the sample beside them as
`sampled-TABLE.csv`, and what it took in `took.json`.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

SORTS = {"number": "numerical", "time": "datetime", "category": "categorical"}


def main(folder: Path) -> None:
    """Fit, sample, and write what came out."""
    warnings.filterwarnings("ignore")
    import sdv
    from sdv.metadata import Metadata
    from sdv.multi_table import HMASynthesizer

    described = json.loads((folder / "tables.json").read_text())
    metadata = Metadata.load_from_dict(_metadata(described))
    data = {
        name: _typed(_read(folder / f"{number}.csv", table["columns"]), table["columns"])
        for number, (name, table) in enumerate(described["tables"].items())
    }
    start = time.perf_counter()
    synthesizer = HMASynthesizer(metadata, verbose=False)
    synthesizer.fit(data)
    fitted = time.perf_counter()
    sample = synthesizer.sample_scale(scale=1.0)
    sampled = time.perf_counter()
    for number, name in enumerate(described["tables"]):
        sample[name].to_csv(folder / f"sampled-{number}.csv", index=False)
    took = {
        "fit_s": fitted - start,
        "sample_s": sampled - fitted,
        "rows": sum(len(frame) for frame in sample.values()),
        "version": sdv.__version__,
    }
    (folder / "took.json").write_text(json.dumps(took))


def _metadata(described: dict[str, Any]) -> dict[str, Any]:
    tables = {}
    for name, table in described["tables"].items():
        columns = {column: {"sdtype": SORTS[sort]} for column, sort in table["columns"].items()}
        columns |= {key: {"sdtype": "id"} for key in ["__row", *table["links"]]}
        tables[name] = {"primary_key": "__row", "columns": columns}
    relationships = [
        {
            "parent_table_name": parent,
            "parent_primary_key": "__row",
            "child_table_name": name,
            "child_foreign_key": column,
        }
        for name, table in described["tables"].items()
        for column, parent in table["links"].items()
    ]
    return {"tables": tables, "relationships": relationships, "METADATA_SPEC_VERSION": "V1"}


def _read(path: Path, columns: dict[str, str]) -> pd.DataFrame:
    texts = {name: str for name, sort in columns.items() if sort == "category"}
    return pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""])


def _typed(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    for name, sort in columns.items():
        if sort == "time":  # in nanoseconds: SDV 2.0 takes other units for nanoseconds
            frame[name] = pd.to_datetime(frame[name], unit="s").astype("datetime64[ns]")
        elif sort == "category":
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame


if __name__ == "__main__":
    main(Path(sys.argv[1]))
