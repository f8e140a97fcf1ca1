"""What a table knows of the parents that are dealt when all rows exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines import variables
from dbsynth.learn.arrival import STRETCHES, stretches
from dbsynth.learn.families import COMPONENTS
from dbsynth.learn.work import Work
from dbsynth.randomness import Streams

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def dealt_variables(
    work: Work, table: str, streams: Streams
) -> tuple[dict[str, Alphabet], dict[str, Codes]]:
    """The class of the parent, or the depth in a self-reference, for every dealt foreign key."""
    alphabets: dict[str, Alphabet] = {}
    codes: dict[str, Codes] = {}
    for fk in work.plan.dealt_of(table):
        if fk in work.diamonds or fk in work.paced:
            continue
        links = work.links[fk]
        pace = work.tables[table].pace
        if pace is not None and pace.key == fk:
            name = variables.gap(str(fk))
            alphabets[name], codes[name] = pace.gap.codec.alphabet, work.columns[table][name]
            alphabets[variables.parent_class(fk)] = Alphabet(STRETCHES + 1, ordered=True)
            places = links / work.rows[fk.parent].count
            codes[variables.parent_class(fk)] = stretches(places)
            continue
        if fk.parent == fk.child:
            alphabets[variables.depth(fk)] = variables.DEPTH_ALPHABET
            codes[variables.depth(fk)] = variables.depths(links)
            continue
        unknown = {
            variables.profile(key, i)
            for key in work.plan.counted[fk.parent]
            if not work.children[key].whole
            for i in range(COMPONENTS)
        }
        known = {
            v: a
            for v, a in work.alphabets[fk.parent].items()
            if v not in unknown and not v.startswith((variables.REPERTOIRE, variables.REACH))
        }
        features = variables.class_features(
            work.codes[fk.parent], known, work.rows[fk.parent].count
        )
        centres = variables.class_centres(features, streams.key("class", str(fk)))
        alike = variables.likeness(
            {v: work.codes[table][v] for v, a in work.alphabets[table].items()
             if a.ordered and v.startswith("column:")},
            {v: work.codes[fk.parent][v] for v, a in known.items() if a.ordered},
            links,
        )  # fmt: skip
        work.degrees[fk] = replace(work.degrees[fk], centres=centres, alike=alike)
        classes = np.append(variables.classify_rows(features, centres) + 1, 0)
        alphabets[variables.parent_class(fk)] = Alphabet(len(centres) + 1, ordered=False)
        codes[variables.parent_class(fk)] = classes[links].astype(np.uint16)
    return alphabets, codes


def shares_of_links(
    work: Work, table: str, codes: Mapping[str, Codes], usable: Int64
) -> dict[str, Float64]:
    """The share of each code of the variables that stand for links, in the whole table."""
    found = {}
    for fk in work.plan.lookups_of(table):
        children = work.children[fk]
        rows = np.array([children.unlinked, *children.counts], np.float64)
        found[variables.link(fk)] = rows / max(rows.sum(), 1.0)
    for fk in work.plan.dealt_of(table):
        children = work.children[fk]
        for variable in {variables.parent_class(fk), variables.depth(fk)} & set(codes):
            rows = np.bincount(codes[variable][usable]).astype(np.float64)
            rows[1:] *= children.linked / max(rows[1:].sum(), 1.0)
            rows[0] = children.unlinked
            found[variable] = rows / max(rows.sum(), 1.0)
    return found
