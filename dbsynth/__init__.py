"""dbsynth: a database that behaves like production and holds nobody's data.

The public names are imported when the first of them is used, so that the command line can answer
``--help`` without waiting for numpy and the like.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbsynth.attacks import AttackReport, attack
    from dbsynth.errors import DbsynthError
    from dbsynth.inventory import Inventory, inspect
    from dbsynth.model import Model, load_model
    from dbsynth.pipeline import check, clone, fit, foresee, load, plan, review, suggest_keys
    from dbsynth.private.forecast import Forecast
    from dbsynth.report import Effect, Finding, Rate, Report, Status, Steered, TableReport
    from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table
    from dbsynth.spec import Fairness, Spec, TableSpec
    from dbsynth.spec.acceptance import Accepted
    from dbsynth.spec.drift import Change
    from dbsynth.spec.protection import Protection
    from dbsynth.tradeoffs import Tradeoff, tradeoff

__version__ = "0.1.0"

__all__ = [
    "Accepted", "AttackReport", "Change", "Column", "DbsynthError", "Effect", "Fairness", "Finding",
    "Forecast", "ForeignKey", "Inventory", "Kind", "Model", "Protection", "Rate", "Report",
    "Schema", "Spec", "Status", "Steered", "Table", "TableReport", "TableSpec", "Tradeoff",
    "attack", "check", "clone", "fit", "foresee", "inspect", "load", "load_model", "plan", "review",
    "suggest_keys", "tradeoff",
]  # fmt: skip

_MODULE_BY_NAME = {
    **dict.fromkeys(("AttackReport", "attack"), "attacks"),
    **dict.fromkeys(("Tradeoff", "tradeoff"), "tradeoffs"),
    **dict.fromkeys(("DbsynthError",), "errors"),
    **dict.fromkeys(("Accepted",), "spec.acceptance"),
    **dict.fromkeys(("Change",), "spec.drift"),
    **dict.fromkeys(("Forecast",), "private.forecast"),
    **dict.fromkeys(("Protection",), "spec.protection"),
    **dict.fromkeys(("Inventory", "inspect"), "inventory"),
    **dict.fromkeys(("Model", "load_model"), "model"),
    **dict.fromkeys(
        ("check", "clone", "fit", "foresee", "load", "plan", "review", "suggest_keys"), "pipeline"
    ),
    **dict.fromkeys(
        ("Effect", "Finding", "Rate", "Report", "Status", "Steered", "TableReport"), "report"
    ),
    **dict.fromkeys(("Column", "ForeignKey", "Kind", "Schema", "Table"), "schema"),
    **dict.fromkeys(("Fairness", "Spec", "TableSpec"), "spec"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module `dbsynth` has no attribute `{name}`")
    return getattr(importlib.import_module(f"dbsynth.{_MODULE_BY_NAME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
