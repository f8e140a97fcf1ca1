"""Columns whose values are taken apart: codes of their parts, and values put together again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import Decision, Role
from dbsynth.codec import Alphabet, Codec, Codes, arrow_type, fit_category, fit_number
from dbsynth.engines import variables
from dbsynth.identifiers import PROVIDERS
from dbsynth.identifiers.avoid import draw_avoiding
from dbsynth.identifiers.strings import subkey, weighted
from dbsynth.identifiers.traits import Traits
from dbsynth.model import ColumnModel, Mention, Piece
from dbsynth.randomness import UInt64, hashed
from dbsynth.schema import Kind
from dbsynth.structures import Part, Structure, Values

Int64 = npt.NDArray[np.int64]
Fit = Callable[[Part, pa.Array], ColumnModel]
Mentioned = Callable[[Mention, str, int, Int64, Int64, pa.Array, Int64 | None], pa.Array]
"""Values of a part that name somebody: by mention, part, number in the row, rows, what chance is
drawn by, the values without names, and which value of the source each is, where these repeat."""

_FORM = Decision(Role.CATEGORY, None, "It is the form of values", "type", 1.0)
_FLAG = Decision(Role.CATEGORY, None, "It is true or false, whatever the values", "schema", 1.0)
MOST_CODED = 24  # parts of one column that are variables of the row
_APART = 2**33  # indices of redraws lie this far apart; no table has more rows
_AGAIN = 2**30  # further apart than rows
_FURTHER = 2**19  # indices of the second and further values of a row


@dataclass(frozen=True, slots=True)
class Persons:
    """The persons that rows are about: their indices, their stream, what is known of them."""

    index: UInt64
    key: int
    traits: Traits | None = None


def fit_pieces(structure: Structure, values: pa.Array, k: int, fit: Fit) -> dict[str, Piece]:
    """How the values of every part come about.

    Args:
        values: A sample.
        fit: How the values of a part are modelled that is of interest for itself.
    """
    found = structure.split(values)
    pieces: dict[str, Piece] = {}
    coded = 0
    for part in structure.parts:
        mine = found[part.name]
        once = _once(mine)
        model = _formal(part, once, k) if part.formal else fit(part, once)
        if model.codec is None:
            pieces[part.name] = Piece(model)
            continue
        counts = np.bincount(model.codec.encode(mine.array), minlength=model.codec.alphabet.size)
        counts[0] = 0
        several = int((counts > 0).sum()) + (once.null_count > 0) > 1
        variable = not part.pooled and several and coded < MOST_CODED
        coded += variable
        pieces[part.name] = Piece(model, tuple(counts.tolist()), variable)
    return pieces


def _formal(part: Part, values: pa.Array, k: int) -> ColumnModel:
    codec: Codec = (
        fit_number(part.column, values, k)
        if part.column.kind is Kind.INTEGER
        else fit_category(part.column, values, k)
    )
    return ColumnModel(_FLAG if part.column.kind is Kind.BOOLEAN else _FORM, codec)


def _once(values: Values) -> pa.Array:
    """Each value once for every row that has it, so that k values are those of k rows."""
    if values.owners is None or not len(values.array):
        return values.array
    texts = pc.dictionary_encode(values.array)
    codes = pc.fill_null(texts.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    pairs = values.owners * (len(texts.dictionary) + 1) + codes + 1
    first = np.unique(pairs, return_index=True)[1]
    return values.array.take(pa.array(np.sort(first)))


def piece_variables(name: str, model: ColumnModel) -> dict[str, Alphabet]:
    """The variables of the engine behind the parts of a column."""
    return {
        variables.part(name, part): piece.model.codec.alphabet
        for part, piece in model.pieces.items()
        if piece.coded and piece.model.codec is not None
    }


def piece_codes(name: str, model: ColumnModel, values: pa.Array) -> dict[str, Codes]:
    """The codes of those variables."""
    wanted = piece_variables(name, model)
    if model.structure is None or not wanted:
        return {}
    asked = frozenset(part for part, piece in model.pieces.items() if piece.coded)
    found = model.structure.split(values, asked)
    codes = {}
    for part, piece in model.pieces.items():
        if piece.coded and piece.model.codec is not None:
            codes[variables.part(name, part)] = piece.model.codec.encode(found[part].array)
    return codes


def put_together(
    name: str, model: ColumnModel, codes: Mapping[str, Codes], index: Int64, key: int,
    person: Persons, again: int = 0, mentioned: Mentioned | None = None,
) -> pa.Array:  # fmt: skip
    """The values of a column.

    Args:
        codes: Codes of its parts, by variable.
        index: What is drawn without codes is drawn by: different numbers give other values.
        person: The identities of the rows.
        again: Another number gives other values of the same codes, so that shares stay as they are.
        mentioned: Lets leaves name those whom they do.
    """
    assert model.structure is not None
    inside = index + again * _AGAIN
    types = {part.name: arrow_type(part.column) for part in model.structure.parts}

    def draw(part: str, rows: Int64, turn: int) -> pa.Array:
        found, picked = drawn_of(part, rows, turn)
        mention = model.pieces[part].model.mention
        if mentioned is None or mention is None:
            return found
        if mention.leader and mention.leader != part:
            picked = drawn_of(mention.leader, rows, turn)[1]
        return mentioned(mention, part, turn, rows, inside[rows], found, picked)

    def drawn_of(part: str, rows: Int64, turn: int) -> tuple[pa.Array, Int64 | None]:
        piece = model.pieces[part]
        mine = subkey(key, _salt(part))
        if piece.model.codec is None and piece.model.provided is None:
            return pa.nulls(len(rows), types[part]), None  # nothing of the kind ever occurred
        if piece.model.codec is None:
            return _provided(piece.model, inside, rows, turn, mine, person), None
        stream = subkey(mine, turn)
        drawn = weighted(stream, index[rows].astype(np.uint64), piece.counts)
        known = codes.get(variables.part(name, part))
        if known is not None:
            given = known[rows].astype(np.int64)
            drawn = np.where(given > 0, given, drawn)
        picked = drawn.astype(np.uint16)
        return piece.model.codec.decode(picked, inside[rows], subkey(stream, 1)), drawn

    return model.structure.assembled(len(index), draw)


def _salt(part: str) -> int:
    return int.from_bytes(hashlib.blake2b(part.encode(), digest_size=7).digest(), "little")


def _provided(
    model: ColumnModel, index: Int64, rows: Int64, turn: int, key: int, person: Persons
) -> pa.Array:
    provided = model.provided
    assert provided is not None
    provider = PROVIDERS[provided.provider]
    at = index[rows].astype(np.uint64)
    if turn:  # far indices would show in numbered names
        at = hashed(subkey(key, turn), at) % np.uint64(_FURTHER)
    if model.decision.role is Role.IDENTIFIER and not turn:
        at, key = person.index[rows], person.key  # a document tells of the person of its row
        traits = person.traits.taken(rows) if person.traits else None
        return draw_avoiding(provider, provided.state, at, key, provided.avoid, _APART, traits)
    return draw_avoiding(provider, provided.state, at, key, provided.avoid, _APART)
