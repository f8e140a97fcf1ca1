"""A lifelike production database to show a clone of: an invented web shop with planted facts.

The rows come from a simulation of our own, so that what is true of them is known.  This package is
a builder of data, not a part of the road from a source to a target: it alone uses psycopg directly.
"""

from __future__ import annotations

from dbsynth.shop.build import build_shop, schema_sql
from dbsynth.shop.facts import FACTS, Fact, measure
from dbsynth.shop.simulate import simulate

__all__ = ["FACTS", "Fact", "build_shop", "measure", "schema_sql", "simulate"]
