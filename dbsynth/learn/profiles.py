"""What the families under the rows of a table look like, where they hang under it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Formatted, Number
from dbsynth.engines import variables
from dbsynth.learn.families import PROFILE_ALPHABET, profile
from dbsynth.learn.reach import reaches_of
from dbsynth.learn.repertoires import repertoires_of
from dbsynth.learn.work import Work
from dbsynth.model import TableFacts
from dbsynth.outline import NUMERIC
from dbsynth.read import Children
from dbsynth.schema import ForeignKey

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def add_profiles(work: Work, name: str) -> None:
    """Add what the families under each row look like, where they hang under it."""
    for fk in work.plan.counted[name]:
        if work.plan.generating.get(fk.child) != fk and fk not in work.paced:
            continue
        own = {
            v: a
            for v, a in work.alphabets[fk.child].items()
            if not v.startswith(("count:", "profile:"))
        }
        child, rows = work.rows[fk.child], work.rows[name]
        links = np.where(np.arange(child.count) < child.own, work.links[fk], -1)
        found = profile(fk, work.codes[fk.child], own, links, rows.count)
        alphabets = dict.fromkeys(found, PROFILE_ALPHABET)
        # What families use and reach is kept while they are drawn; histories only wish.
        drawn = fk not in work.paced
        own = own if drawn else {}
        for used, codes in repertoires_of(work.codes[fk.child], own, links, rows.count):
            variable = variables.repertoire(fk, used.variable)
            found[variable] = codes
            alphabets[variable] = Alphabet(len(used.shares), ordered=False)
            work.repertoires[fk.child] = (*work.repertoires.get(fk.child, ()), used)
        numbers = [v for v in _numbers(work.tables[fk.child]) if v in own]
        for side, of, codes, alphabet in reaches_of(
            work.codes[fk.child], own, numbers, links, rows.count
        ):
            variable = variables.reach(fk, side, of)
            found[variable], alphabets[variable] = codes, alphabet
        work.codes[name] |= found
        work.alphabets[name] |= alphabets
        unknown = _unread(work.children[fk], links)
        for variable in found:
            if unknown.any():
                work.unknown.setdefault(name, {})[variable] = unknown


def _numbers(facts: TableFacts) -> Iterator[str]:
    """The variables of columns of numbers."""
    for name, model in facts.columns.items():
        codec = model.codec.number if isinstance(model.codec, Formatted) else model.codec
        if isinstance(codec, Number) and codec.kind in NUMERIC:
            yield variables.column(name)


def _unread(children: Children, links: Int64) -> Bool:
    """The parents whose families were not read.

    Of parents without children as large a share counts as read as of the others.
    """
    some = children.counts > 0
    read = np.zeros(len(some), bool)
    read[links[links >= 0]] = True
    if children.whole or not some.any():
        return np.zeros(len(some), bool)
    none = np.flatnonzero(~some)
    share = float(read[some].mean())
    read[none[np.diff(np.floor(share * np.arange(len(none) + 1))) > 0]] = True
    return ~read


def unknown_above(work: Work, fk: ForeignKey, links: Int64) -> set[str]:
    """Variables that are not known of the parent, or of its own, of every row."""
    parents = links[links >= 0]
    found = {
        variables.of_parent(v)
        for v, mask in work.unknown.get(fk.parent, {}).items()
        if mask[parents].any()
    }
    above = work.plan.generating.get(fk.parent)
    if above is not None:
        links = work.links[above][parents]
        found |= {
            variables.of_parent(variables.of_parent(v))
            for v, mask in work.unknown.get(above.parent, {}).items()
            if mask[links[links >= 0]].any()
        }
    return found
