from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.evaluation.metrics import calibration_error, reliability


def test_each_bin_tells_what_was_said_and_what_is_right() -> None:
    low, high = reliability(np.array([0.12, 0.18, 0.95, 1.0]), np.array([0.0, 1.0, 1.0, 1.0]))

    assert (low.said, low.right, low.count) == (pytest.approx(0.15), 0.5, 2)
    assert (high.said, high.right, high.count) == (pytest.approx(0.975), 1.0, 2)
    assert calibration_error((low, high)) == pytest.approx((0.35 + 0.025) / 2)


def test_what_keeps_its_word_has_a_small_error() -> None:
    rng = np.random.default_rng(0)
    said = rng.random(20_000)
    right = (rng.random(20_000) < said).astype(float)

    assert calibration_error(reliability(said, right)) < 0.02
    assert calibration_error(reliability(said, 1 - right)) > 0.4


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=50))
def test_no_answer_is_lost(answers: list[tuple[float, bool]]) -> None:
    bins = reliability(np.array([said for said, _ in answers]), np.array([float(right) for _, right in answers]))

    assert sum(each.count for each in bins) == len(answers)
    assert 0 <= calibration_error(bins) <= 1
