"""Whom texts and leaves of documents name: persons of the clone, by their values there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import as_text
from dbsynth.draft.drafted import Draft
from dbsynth.identifiers.strings import joined, recased, shuffle, subkey
from dbsynth.model import NAMES_JOINED, Mention
from dbsynth.randomness import uniform
from dbsynth.schema import Table

Int64 = npt.NDArray[np.int64]
_ROWS = 2**30  # indices of leaves that are drawn anew differ by multiples of it
Values = Callable[[Table, str, Int64], pa.Array]


@dataclass(frozen=True)
class Naming:
    """Some rows whose texts or leaves name somebody.

    Attributes:
        key: The stream.
        rows: The rows.
        index: What chance is drawn by: a number for each.
        codes: Where the values of the source repeat, which one each row has, from 1.
    """

    mention: Mention
    key: int
    rows: Int64
    index: Int64
    codes: Int64 | None = None


def named_values(draft: Draft, it: Naming, values: Values) -> pa.Array | None:
    """The value of whom each row names, NULL where it names nobody; None where nobody is there.

    Args:
        values: Draws the values of a column of a table at positions.
    """
    mention = it.mention
    if not draft.rows[mention.table]:
        return None
    whom = _whom(draft, it)
    owner = draft.model.schema[mention.table]
    at = np.maximum(whom, 0)
    parts = [as_text(values(owner, name, at)) for name in mention.column.split(NAMES_JOINED)]
    whole = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")
    written = _shaped(whole, mention.case) if "#" in mention.case else recased(whole, mention.case)
    return pc.if_else(pa.array(whom >= 0), written, pa.scalar(None, pa.string()))


def _shaped(values: pa.Array, shape: str) -> pa.Array:
    """Numbers with other separators; as they are where they have another length."""
    marks = pc.replace_substring_regex(values, "[^0-9A-Za-z]", "")
    count = shape.count("#")
    here = np.flatnonzero(pc.fill_null(pc.equal(pc.utf8_length(marks), count), False))
    if not len(here):
        return values
    parts: list[pa.Array | str] = []
    some, at = marks.take(pa.array(here)), 0
    for piece in re.findall("#+|[^#]+", shape):
        parts.append(
            pc.utf8_slice_codeunits(some, at, at + len(piece)) if piece[0] == "#" else piece
        )
        at += len(piece) if piece[0] == "#" else 0
    source = np.arange(len(values))
    source[here] = len(values) + np.arange(len(here))
    return pa.concat_arrays([values, joined(*parts)]).take(pa.array(source))


def _whom(draft: Draft, it: Naming) -> Int64:
    """Positions of those who are named, -1 for nobody."""
    found = _anybody(draft, it)
    if it.mention.places or it.codes is not None:
        return found
    named = uniform(subkey(it.key, 33), it.index) < it.mention.share
    if not it.mention.anybody:  # what is drawn anew is drawn without
        named &= it.rows == it.index % _ROWS
    return np.where(named, found, -1)


def _anybody(draft: Draft, it: Naming) -> Int64:
    mention = it.mention
    if mention.key is not None and mention.key in draft.links:
        return draft.links[mention.key][it.rows]
    count = draft.rows[mention.table]
    if mention.own:
        return it.rows
    if not mention.curve:  # each is named once, as long as there are any
        near, rounds = shuffle(it.rows.astype(np.uint64), count, key=subkey(it.key, 32))
        return np.where(rounds == 0, near.astype(np.int64), -1)
    if it.codes is not None:
        rank = np.maximum(it.codes - 1, 0)
    else:
        steps = np.linspace(0, count, len(mention.curve))
        drawn = uniform(subkey(it.key, 31), it.index)
        rank = np.interp(drawn, mention.curve, steps).astype(np.int64)
    near, _ = shuffle((rank % count).astype(np.uint64), count, key=subkey(it.key, 32))
    return near.astype(np.int64)


def mentioning(texts: pa.Array, named: pa.Array, it: Naming, limit: int | None) -> pa.Array:
    """Texts in which one word is replaced by a name, in as many as the source has."""
    mention, key, index = it.mention, it.key, it.index
    here = uniform(subkey(key, 33), index) < mention.share
    quantiles = np.linspace(0, 1, len(mention.places))
    place = np.interp(uniform(subkey(key, 34), index), quantiles, mention.places)
    frame = pl.DataFrame(
        {"text": pl.from_arrow(texts), "name": pl.from_arrow(named), "place": place}
    ).with_columns(cut=(pl.col("text").str.len_chars() * pl.col("place")).cast(pl.Int64))
    frame = frame.with_columns(
        before=pl.col("text").str.slice(0, pl.col("cut")).str.replace(r"\S+$", "")
    )
    after = pl.col("text").str.slice(pl.col("before").str.len_chars())
    frame = frame.with_columns(
        found=pl.col("before") + pl.col("name") + after.str.replace(r"^[^\s.,;:!?]+", "")
    )
    found = frame["found"].to_arrow().cast(pa.string())
    fits = pc.and_(pc.is_valid(found), pa.array(here))
    if limit is not None:
        fits = pc.and_(fits, pc.less_equal(pc.utf8_length(found), limit))
    return pc.if_else(pc.fill_null(fits, False), found, texts)
