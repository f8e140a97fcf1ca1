"""dbsynth: a database that behaves like production and holds nobody's data.

The public names are imported when the first of them is used, so that the command line can answer
``--help`` without waiting for numpy and the like.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbsynth.errors import DbsynthError
    from dbsynth.model import Model, load_model
    from dbsynth.pipeline import check, clone, fit, load, plan
    from dbsynth.report import Finding, Report, Status, TableReport
    from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table
    from dbsynth.spec import Spec

__version__ = "0.1.0"

__all__ = [
    "Column", "DbsynthError", "Finding", "ForeignKey", "Kind", "Model", "Report", "Schema", "Spec",
    "Status", "Table", "TableReport", "check", "clone", "fit", "load", "load_model", "plan",
]  # fmt: skip

_NAMES_BY_MODULE = {
    "errors": ("DbsynthError",),
    "model": ("Model", "load_model"),
    "pipeline": ("check", "clone", "fit", "load", "plan"),
    "report": ("Finding", "Report", "Status", "TableReport"),
    "schema": ("Column", "ForeignKey", "Kind", "Schema", "Table"),
    "spec": ("Spec",),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `dbsynth` has no attribute `{name}`")
    # All names at once: importing the module `dbsynth.learn` would otherwise hide the function.
    for module, names in _NAMES_BY_MODULE.items():
        found = importlib.import_module(f"dbsynth.{module}")
        globals().update({each: getattr(found, each) for each in names})
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
