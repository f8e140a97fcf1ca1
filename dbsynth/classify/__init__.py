"""Decides the role of every column, and which tables are copied as they are."""

from __future__ import annotations

from dbsynth.classify.blanks import blanks_of, without
from dbsynth.classify.decide import classify_table
from dbsynth.classify.strategy import propose_strategy
from dbsynth.classify.types import Decision, Exposure, Role, Strategy
from dbsynth.codec import k_threshold

__all__ = [
    "Decision",
    "Exposure",
    "Role",
    "Strategy",
    "blanks_of",
    "classify_table",
    "k_threshold",
    "propose_strategy",
    "without",
]
