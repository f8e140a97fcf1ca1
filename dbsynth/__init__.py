"""dbsynth: a database that behaves like production and holds nobody's data."""

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
