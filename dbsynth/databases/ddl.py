"""Tables for a kind of database other than the source's."""

from __future__ import annotations

from collections.abc import Mapping

from dbsynth.schema import Schema


def create_statements(schema: Schema, kind: str) -> tuple[list[str], list[str], tuple[str, ...]]:
    """Not there yet."""
    raise NotImplementedError


def target_names(schema: Schema, kind: str) -> Mapping[str, str]:
    """Not there yet."""
    raise NotImplementedError
