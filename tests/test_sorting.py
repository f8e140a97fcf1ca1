"""Rows in the order of their groups."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dbsynth.sorting import by_group

WHOLE = st.sampled_from([np.int8, np.uint8, np.uint16, np.int32, np.int64, np.uint64])


@settings(deadline=None)
@given(WHOLE.flatmap(lambda kind: arrays.arrays(kind, st.integers(0, 60))))
def test_any_integers_are_ordered_as_by_a_stable_argsort(groups):
    assert by_group(groups).tolist() == np.argsort(groups, kind="stable").tolist()


@settings(deadline=None)  # the kernel is compiled at its first use
@given(arrays.arrays(np.int64, st.integers(0, 200), elements=st.integers(-1, 9)))
def test_close_integers_are_counted(groups):
    order = by_group(groups)
    assert order.tolist() == np.argsort(groups, kind="stable").tolist()
