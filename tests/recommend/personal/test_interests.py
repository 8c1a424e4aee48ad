from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sartor.recommend.personal.profile import interests
from sartor.recommend.weights import MAX_INTERESTS


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def around(place: int, count: int, *, seed: int) -> np.ndarray:
    center = np.eye(16, dtype=np.float32)[place]
    noise = np.random.default_rng(seed).normal(scale=0.02, size=(count, 16)).astype(np.float32)
    return unit(center + noise)


def test_two_tastes_are_two_interests_the_weightier_first() -> None:
    style = np.concatenate([around(0, 4, seed=0), around(7, 3, seed=1)])
    found = interests(style, np.array([1, 1, 1, 1, 3, 4, 3], np.float32))
    assert [set(each.members) for each in found] == [{4, 5, 6}, {0, 1, 2, 3}]
    assert found[0].members[0] == 5
    assert np.isclose(sum(each.share for each in found), 1)


def test_one_product_is_one_interest() -> None:
    (only,) = interests(around(0, 1, seed=0), np.ones(1, np.float32))
    assert (only.share, only.members) == (1.0, (0,))


@given(st.integers(1, 30), st.integers(0, 5))
def test_interests_share_no_product_and_are_few(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    style = unit(rng.normal(size=(count, 16)).astype(np.float32))
    found = interests(style, rng.uniform(0.1, 5, count).astype(np.float32))
    members = [member for each in found for member in each.members]
    assert len(set(members)) == len(members)
    assert 1 <= len(found) <= MAX_INTERESTS
    assert [each.share for each in found] == sorted((each.share for each in found), reverse=True)
