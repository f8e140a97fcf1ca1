"""Engines by name."""

from __future__ import annotations

from dbsynth.engines.base import Engine
from dbsynth.engines.independent import Independent
from dbsynth.engines.relational import Relational

ENGINES: dict[str, Engine] = {"relational": Relational(), "independent": Independent()}
