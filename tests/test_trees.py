"""The kernel of the native engine, and its trees."""

from __future__ import annotations

import numpy as np
import pytest

from dbsynth.codec import Alphabet, Codes
from dbsynth.engines import ENGINES, kernel
from dbsynth.engines.relational import Relational

ROWS = 6000


def _planted() -> tuple[dict[str, Alphabet], dict[str, Codes]]:
    """Nine times in ten, b is a; c is noise."""
    random = np.random.Generator(np.random.Philox(1))
    a = random.integers(0, 6, ROWS)
    b = np.where(random.random(ROWS) < 0.9, a, random.integers(0, 6, ROWS))
    codes = {"a": a, "b": b, "c": random.integers(0, 6, ROWS)}
    alphabets = {name: Alphabet(6, ordered=name == "b") for name in codes}
    return alphabets, {name: values.astype(np.uint16) for name, values in codes.items()}


def test_planted_dependence_is_recovered() -> None:
    alphabets, codes = _planted()
    same = (codes["a"] == codes["b"]).mean()
    drawn = {}
    for name in ("relational", "independent"):
        engine = ENGINES[name]
        model = engine.fit(alphabets, codes, {}, {}, np.arange(ROWS), key=1)
        rows = model.sample(ROWS, {}, key=2)
        drawn[name] = (rows["a"] == rows["b"]).mean()
        for variable in codes:  # systematic drawing repeats the shares nearly exactly
            real, found = (np.bincount(c[variable], minlength=6) for c in (codes, rows))
            assert np.abs(real - found).max() < 0.02 * ROWS
    assert abs(drawn["relational"] - same) < 0.03
    # Two independent columns agree in sum(p_i^2), about 1/6, of the rows.
    assert abs(drawn["independent"] - 1 / 6) < 0.03


def test_restored_model_draws_the_same() -> None:
    alphabets, codes = _planted()
    engine = Relational()
    model = engine.fit(alphabets, codes, {}, {}, np.arange(ROWS), key=1)
    again = engine.restore(model.to_arrays())
    for name, drawn in model.sample(500, {}, key=9).items():
        assert drawn.tolist() == again.sample(500, {}, key=9)[name].tolist()


def test_rows_find_their_leaves_whatever_their_number() -> None:
    alphabets, codes = _planted()
    (tree,) = (
        t for t in Relational().fit(alphabets, codes, {}, {}, np.arange(ROWS), key=1).trees
        if t.target == "b"
    )  # fmt: skip
    many = {name: np.resize(values, 100_003) for name, values in codes.items()}
    found = tree.leaves(100_003, many)
    for row in (0, 7, 8, 32_767, 32_768, 99_999, 100_002):
        alone = tree.leaves(1, {name: values[row : row + 1] for name, values in many.items()})
        assert found[row] == alone[0]


def test_a_code_without_bin_is_an_error() -> None:
    alphabets, codes = _planted()
    model = Relational().fit(alphabets, codes, {}, {}, np.arange(ROWS), key=1)
    tree = next(t for t in model.trees if t.features)
    known = {name: np.full(40, 6, np.uint16) for name in codes}
    with pytest.raises(IndexError):
        tree.leaves(40, known)


def test_leaves_hold_five_entities() -> None:
    random = np.random.Generator(np.random.Philox(2))
    entity = random.integers(0, 40, ROWS)
    features = (entity % 8)[None, :].astype(np.uint8)
    target = (entity % 8)[:, None].astype(np.float32)
    leaf = kernel.grow(features, np.array([8]), target, entity, 40, 10, 5, 0.0, 24)[-1]
    assert leaf.max() >= 7  # 40 entities in 8 classes of 5 each can be told apart
    leaf = kernel.grow(features, np.array([8]), target, entity, 40, 10, 6, 0.0, 24)[-1]
    for number in range(leaf.max() + 1):
        assert len(np.unique(entity[leaf == number])) >= 6


def test_rows_reach_the_leaf_in_which_they_were_learnt() -> None:
    random = np.random.Generator(np.random.Philox(3))
    features = random.integers(0, 9, (3, ROWS)).astype(np.uint8)
    target = (features[0] * 2.0 + features[2])[:, None].astype(np.float32)
    *nodes, leaf = kernel.grow(
        features, np.array([9, 9, 9]), target, np.arange(ROWS), ROWS, 10, 5, 0.0, 24
    )
    found = np.empty(ROWS, np.int32)
    kernel.descend(np.ascontiguousarray(features.T), np.stack(nodes, axis=1), found)
    assert found.tolist() == leaf.tolist()
