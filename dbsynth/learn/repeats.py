"""Identifiers that come back: an address on every order of a customer, a payee of standing orders.

Values of a provider are new in every row.  Where real ones come back inside a family, what is
learnt is *which* of the family's values a row has: the first, the second; and which rows have one
that many families share.  Where they are those of the parent, the clone's are the parent's too:
a column of its, or its given and family name in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dbsynth.classify import Role
from dbsynth.classify.names import tokens_of
from dbsynth.codec import Category, Codes, arrow_type
from dbsynth.graph import Plan
from dbsynth.keys import group_ids, hash_keys, rank_in_group
from dbsynth.model import NAME_PARTS, NAMES_JOINED, ColumnModel, Repeats, TableFacts
from dbsynth.randomness import UInt64
from dbsynth.schema import Column, Kind, Schema, Table

Int64 = npt.NDArray[np.int64]
Hashes = Mapping[str, UInt64]
"""Per column, a hash of every value; 0 for NULL."""

SLOTS = 30  # a family's values that are told apart; the rest are new ones
_MOST_SHARED = 40
_ROLES = (Role.IDENTIFIER, Role.RENAMED)
_FEWEST = 30
_REPEATED = 0.2  # of the siblings that could repeat a value
_FAMILIES = 20  # that share a value before it counts as common
_WORDED = frozenset({"full_name", "company", "email", "user_name", "phone", "street_address",
                     "city", "postcode", "label", "text", "pattern"})  # fmt: skip
_PLACES = frozenset({"country", "region"})  # modelled: others follow from them
_SAME = 0.995  # a few slips of the source are not imitated
_WORDS = (Role.CATEGORY, Role.TEXT)
_OVERLAP = 0.5  # of the words of two columns that may hold the same
_BY_CHANCE = 1e-6  # that so many parents all have the commonest value
_OFTEN = 0.3  # of the rows have the parent's value: it is one of those that are told apart


def repeatable(schema: Schema, plan: Plan, tables: Mapping[str, TableFacts]) -> dict[str, set[str]]:
    """Per table, the columns whose values have to be compared."""
    found: dict[str, set[str]] = {}
    for child, fk in plan.generating.items():
        own = _candidates(schema[child], tables[child])
        if own:
            found.setdefault(child, set()).update(own)
            found.setdefault(fk.parent, set()).update(_alike(own, tables[fk.parent]))
        parent = schema[fk.parent], tables[fk.parent]
        for name in _worded(schema[child], tables[child]):
            theirs = _namesakes(name, tables[child], *parent)
            if theirs:
                found.setdefault(child, set()).add(name)
                found.setdefault(fk.parent, set()).update(theirs)
    return found


def _candidates(table: Table, facts: TableFacts) -> dict[str, str]:
    """Columns with identifiers that may repeat, and their providers."""
    if facts.strategy != "synthesize":
        return {}
    in_keys = {name for key in table.keys for name in key.columns}
    providers = {
        name: model.provided or (model.spare if model.decision.role is Role.RENAMED else None)
        for name, model in facts.columns.items()
        if model.decision.role in _ROLES and name not in in_keys
    }
    return {name: provided.provider for name, provided in providers.items() if provided}


def _worded(table: Table, facts: TableFacts) -> list[str]:
    """Columns of words and codes that are modelled, not invented persons' own."""
    if facts.strategy != "synthesize":
        return []
    in_keys = {c for key in table.keys for c in key.columns} | set(table.foreign_columns())
    return [
        column.name
        for column in table.written
        if column.kind in (Kind.TEXT, Kind.ENUM)
        and column.name not in in_keys
        and (model := facts.columns[column.name]).decision.role in _WORDS
        and model.structure is None and not model.computed and not model.derived
    ]  # fmt: skip


def _namesakes(name: str, facts: TableFacts, parent: Table, theirs: TableFacts) -> list[str]:
    """Columns of the parent that a column of words may repeat: of the same words, or so named."""
    mine = _vocabulary(facts.columns[name])
    found = []
    for other in _worded(parent, theirs):
        words = _vocabulary(theirs.columns[other])
        shared = len(mine & words) >= _OVERLAP * max(len(mine), len(words), 1)
        if (mine and words and shared) or tokens_of(name)[-1:] == tokens_of(other)[-1:]:
            found.append(other)
    return found


def _vocabulary(model: ColumnModel) -> frozenset[str]:
    return frozenset(model.codec.vocabulary) if isinstance(model.codec, Category) else frozenset()


def copying(
    schema: Schema, plan: Plan, tables: Mapping[str, TableFacts], child: str,
    hashes: Mapping[str, Hashes], links: Int64,
) -> dict[str, ColumnModel]:  # fmt: skip
    """The columns of words that hold, in (almost) all rows, what a column of the parent holds.

    A billing country that is its customer's: nothing of it is drawn.  Columns in which parents
    hardly differ are alike by chance and are left to the engine.

    Args:
        hashes: Per table, those of the `repeatable` columns.
        links: The generating parent of every row, -1 for none.
    """
    fk, facts = plan.generating[child], tables[child]
    linked = links >= 0
    families = len(np.unique(links[linked]))
    found = {}
    for name in _worded(schema[child], facts):
        own = hashes[child].get(name)
        theirs = {
            other: hashes[fk.parent][other]
            for other in _namesakes(name, facts, schema[fk.parent], tables[fk.parent])
            if other in hashes.get(fk.parent, {})
        }
        if own is None or not theirs or not linked.any():
            continue
        shares = _alike_shares(own, theirs, links)
        best = max(shares, key=lambda other: (shares[other], other == name, other))
        commonest = np.unique(own, return_counts=True)[1].max() / len(own)
        if shares[best] >= _SAME and commonest**families < _BY_CHANCE:
            found[name] = ColumnModel(facts.columns[name].decision, echo=best)
    return found


def _alike(own: Mapping[str, str], facts: TableFacts) -> set[str]:
    """Columns of the parent that a child's column may repeat, the parts of a name joined."""
    names = {
        name
        for name, model in facts.columns.items()
        if model.provided is not None
        and (model.provided.provider in own.values() or model.provided.provider in _WORDED)
    }
    parts = {column.provided.provider: name for name, column in facts.columns.items()
             if column.provided is not None}  # fmt: skip
    if set(NAME_PARTS) <= set(parts) and "full_name" in own.values():
        names.add(NAMES_JOINED.join(parts[part] for part in NAME_PARTS))
    return names


def repeating(
    schema: Schema, plan: Plan, tables: Mapping[str, TableFacts], child: str,
    hashes: Mapping[str, Hashes], links: Int64,
) -> dict[str, tuple[ColumnModel, Codes | None]]:  # fmt: skip
    """The columns of a table that repeat values, with their codes where they have any.

    Args:
        hashes: Per table, those of the `repeatable` columns.
        links: The generating parent of every row, -1 for none.
    """
    fk, facts = plan.generating[child], tables[child]
    found: dict[str, tuple[ColumnModel, Codes | None]] = {}
    for name, provider in _candidates(schema[child], facts).items():
        model, own = facts.columns[name], hashes[child][name]
        source = model.provided or model.spare
        theirs = hashes.get(fk.parent, {})
        echoed, share = _echoed(own, provider, tables[fk.parent], theirs, links)
        if echoed and share >= _SAME:
            found[name] = ColumnModel(model.decision, provided=source, echo=echoed), None
            continue
        if model.mention is not None and not model.mention.anybody:  # so it knows whom it names
            continue
        blanks = _blank_hashes(schema[child].column_by_name[name], model)
        linked = _of_parents(theirs[echoed], links) if echoed and share >= _OFTEN else None
        coded = None if provider in _PLACES else slots_of(own, links, blanks, linked)
        if coded is not None:
            repeats, codes = coded
            repeats = replace(repeats, echo=None if linked is None else echoed)
            model = ColumnModel(
                model.decision, provided=source, nulls=True, repeats=repeats, blanks=model.blanks,
                mention=model.mention,
            )  # fmt: skip
            found[name] = model, codes
    return found


def _echoed(
    own: UInt64, provider: str, parent: TableFacts, theirs: Hashes, links: Int64
) -> tuple[str, float]:
    """The column of the parent whose values most rows have, and their share."""
    present = (own != 0) & (links >= 0)
    if present.sum() < _FEWEST:
        return "", 0.0
    values, counts = np.unique(own[present], return_counts=True)
    families = len(np.unique(links[present]))
    if (counts.max() / counts.sum()) ** families >= _BY_CHANCE:
        return "", 0.0

    def alike(name: str) -> bool:
        model = parent.columns[name].provided if name in parent.columns else None
        return model is not None and model.provider == provider

    shares = _alike_shares(own, theirs, links)
    best = max(shares, key=lambda name: (shares[name], alike(name), name), default="")
    share = shares.get(best, 0.0)
    return (best, share) if share >= _SAME or len(values) >= _FEWEST else ("", 0.0)


def _alike_shares(own: UInt64, theirs: Hashes, links: Int64) -> dict[str, float]:
    """Per column of the parent, the share of rows that have its value, or NULL as it has."""
    return {
        name: float(np.mean(own == _of_parents(hashes, links))) for name, hashes in theirs.items()
    }


def _of_parents(hashes: UInt64, links: Int64) -> UInt64:
    """The hash that the parent of every row has; 0 where there is none."""
    linked: UInt64 = np.append(hashes, np.uint64(0))[links]
    return linked


def _blank_hashes(column: Column, model: ColumnModel) -> UInt64:
    blanks = pa.array(model.blanks, pa.string()).cast(arrow_type(column))
    return np.maximum(hash_keys([blanks])[0], np.uint64(1))


def slots_of(
    hashes: UInt64, links: Int64, blanks: UInt64 | None = None, theirs: UInt64 | None = None
) -> tuple[Repeats, Codes] | None:
    """Codes that tell which of its family's values a row has; None where values hardly come back.

    Code 0 is NULL; then the blanks; then the values that many families share, by falling frequency;
    then the values of the family in the order in which they come; the last code stands for any
    other value.

    Args:
        blanks: Hashes of values that stand for nobody.
        theirs: Hash of the value of the parent, which then is the first of the family.
    """
    blanks = np.zeros(0, np.uint64) if blanks is None else blanks
    present = np.flatnonzero((hashes != 0) & (links >= 0) & ~np.isin(hashes, blanks))
    if len(present) < _FEWEST:
        return None
    pair = group_ids([links[present], hashes[present]])
    before = rank_in_group(pair)
    later = rank_in_group(links[present]) > 0
    if later.sum() < _FEWEST or np.mean(before[later] > 0) < _REPEATED:
        return None
    first = before == 0
    values, families = np.unique(hashes[present][first], return_counts=True)
    common = values[families >= _FAMILIES]
    often = np.argsort(-families[families >= _FAMILIES], kind="stable")[:_MOST_SHARED]
    shared = np.concatenate([blanks, common[often]])
    order = np.argsort(shared)
    place = np.minimum(np.searchsorted(shared[order], hashes), max(len(shared) - 1, 0))
    is_shared = shared[order][place] == hashes if len(shared) else np.zeros(len(hashes), bool)
    codes = np.full(len(hashes), 1 + len(shared) + SLOTS, np.int64)
    codes[hashes == 0] = 0
    if len(shared):
        codes[is_shared] = 1 + order[place[is_shared]]
    mine = (hashes != 0) & (links >= 0) & ~is_shared
    if theirs is not None:
        codes[mine & (hashes == theirs)] = 1 + len(shared)
        mine &= hashes != theirs
    own = np.flatnonzero(mine)
    pair = group_ids([links[own], hashes[own]])
    new = rank_in_group(pair) == 0
    number = np.empty(int(pair.max(initial=-1)) + 1, np.int64)
    number[pair[new]] = rank_in_group(links[own][new])
    slot = number[pair] + (theirs is not None)
    codes[own] = 1 + len(shared) + np.minimum(slot, SLOTS)
    return Repeats(len(shared), SLOTS), codes.astype(np.uint16)


def identity_index(
    repeats: Repeats, codes: Codes, links: Int64, rows: Int64, parents: int
) -> Int64:
    """What the provider draws by, equal where values shall be equal.

    Args:
        rows: The row positions.
        parents: How many parents there are.
    """
    code = codes.astype(np.int64)
    first_slot = 1 + repeats.shared
    own = first_slot + links * repeats.slots + (code - first_slot)
    fresh = first_slot + parents * repeats.slots + rows
    last = first_slot + repeats.slots
    return np.where(code < first_slot, code, np.where((code < last) & (links >= 0), own, fresh))
