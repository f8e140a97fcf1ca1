"""Engines by name."""

from __future__ import annotations

from collections.abc import Callable

from dbsynth.engines.base import Arrays, Engine, TableModel
from dbsynth.engines.conditional import Conditionals
from dbsynth.engines.independent import Independent
from dbsynth.engines.relational import Relational
from dbsynth.engines.sdv import SDV_ENGINES
from dbsynth.engines.sdv.library import require
from dbsynth.engines.sdv.single import SingleTable

ENGINES: dict[str, Engine] = {
    "relational": Relational(),
    "independent": Independent(),
    **SDV_ENGINES,
}

TRAINED = ("ctgan", "tvae")
"""Engines that are networks, which see each row for a number of epochs."""

RESTORED: dict[str, Callable[[Arrays], TableModel]] = {
    **{name: engine.restore for name, engine in ENGINES.items()},
    "dp": Conditionals.restore,  # fitted over all tables at once, by `dbsynth.private`
}
"""What reads the saved arrays of a table's model, by the name of the engine."""


def engine_of(name: str, epochs: int | None = None) -> Engine:
    """The engine of a name; a network sees each row so often, or as often as by default."""
    engine = ENGINES[name]
    if epochs is not None and name in TRAINED and isinstance(engine, SingleTable):
        return engine.trained(epochs)
    return engine


def ready(engine: str) -> None:
    """Refuse an engine whose library is not installed, before anything is read.

    Raises:
        MissingExtra: An extra has to be installed.
    """
    if engine in SDV_ENGINES:
        require(engine)
