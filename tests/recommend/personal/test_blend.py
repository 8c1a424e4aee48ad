from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from sartor.recommend.personal.signals import Blend, Evidence, popular, together, visual
from sartor.recommend.weights import MIN_CLOSENESS

amounts = stn.arrays(np.float32, st.integers(0, 12), elements=st.floats(0, 1000, width=32))


@given(amounts)
def test_parts_are_from_0_to_1_and_keep_the_order(values: np.ndarray) -> None:
    for part in (together, popular):
        found = part(values)
        assert ((found >= 0) & (found <= 1)).all()
        assert (np.diff(found[np.argsort(values, kind="stable")]) >= -1e-6).all()


def test_a_product_that_looks_like_the_first_interest_has_all_of_the_visual_part() -> None:
    closeness = np.array([[1.0, MIN_CLOSENESS, 0.0], [0.0, 1.0, -1.0]], np.float32)
    found = visual(closeness, np.array([0.8, 0.05], np.float32))
    assert found[0] == 1
    assert np.isclose(found[1], (0.05 / 0.8) ** 0.25)
    assert found[2] == 0


def test_without_an_interest_nothing_looks_like_it() -> None:
    assert visual(np.empty((0, 3), np.float32), np.empty(0, np.float32)).tolist() == [0, 0, 0]


def test_the_parts_sum_to_the_score_that_the_weights_say() -> None:
    ones = np.ones(2, np.float32)
    evidence = Evidence(visual=ones, together=0.5 * ones, popular=0 * ones, new=ones)
    parts = Blend(visual=2, together=1, popular=9, new=0.25).parts(evidence)
    assert parts.sum(axis=0).tolist() == [2.75, 2.75]
