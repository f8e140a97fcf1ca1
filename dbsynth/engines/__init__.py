"""Engines by name."""

from __future__ import annotations

from dbsynth.engines.base import Engine
from dbsynth.engines.independent import Independent
from dbsynth.engines.relational import Relational
from dbsynth.engines.sdv import SDV_ENGINES
from dbsynth.engines.sdv.library import require

ENGINES: dict[str, Engine] = {
    "relational": Relational(),
    "independent": Independent(),
    **SDV_ENGINES,
}


def ready(engine: str) -> None:
    """Refuse an engine whose library is not installed, before anything is read.

    Raises:
        MissingExtra: An extra has to be installed.
    """
    if engine in SDV_ENGINES:
        require(engine)
