"""Engines of SDV, an extra: its licence is no open source licence, and it brings torch.

Only codes go in and come out; links, keys, values and loading are ours.  Nothing of SDV is imported
before one of these fits, and a model that was fitted needs it no more.
"""

from __future__ import annotations

from dbsynth.engines.base import Engine
from dbsynth.engines.sdv.hma import Hma
from dbsynth.engines.sdv.single import SingleTable

SDV_ENGINES: dict[str, Engine] = {
    "hma": Hma(),
    "gaussian_copula": SingleTable("gaussian_copula", 50_000),
    "ctgan": SingleTable("ctgan", 10_000),
    "tvae": SingleTable("tvae", 10_000),
}
