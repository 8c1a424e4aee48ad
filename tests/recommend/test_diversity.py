from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sartor.recommend.rank import fold_variants, mmr

seeds = st.integers(0, 2**32 - 1)


def candidates(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.sort(rng.uniform(0, 1, count).astype(np.float32))[::-1], vectors


@given(seeds, st.integers(0, 12), st.integers(1, 15))
def test_without_diversity_the_order_is_that_of_the_scores(seed: int, count: int, k: int) -> None:
    scores, vectors = candidates(seed, count)

    assert mmr(scores, vectors, k=k, diversity=0) == list(range(min(k, count)))


@given(seeds, st.integers(1, 12), st.floats(0, 1))
def test_candidates_are_chosen_once_and_the_best_first(seed: int, count: int, diversity: float) -> None:
    scores, vectors = candidates(seed, count)
    chosen = mmr(scores, vectors, k=count, diversity=diversity)

    assert sorted(chosen) == list(range(count))
    if diversity < 1:
        assert scores[chosen[0]] == scores.max()


def test_diversity_takes_the_unlike_before_the_same_again() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    scores = np.array([0.9, 0.89, 0.6], np.float32)

    assert mmr(scores, vectors, k=2, diversity=0.5) == [0, 2]


def test_one_group_and_the_same_looks_are_one_thing() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0.01], [0.7, 0.7]], np.float32)

    assert fold_variants(["", "g", "", "g"], vectors @ vectors.T >= 0.99) == [[0, 2], [1, 3]]


@given(seeds, st.integers(0, 12), st.floats(-1, 1))
def test_folding_loses_nothing(seed: int, count: int, same_from: float) -> None:
    _, vectors = candidates(seed, count)
    things = fold_variants([""] * count, vectors @ vectors.T >= same_from)

    assert sorted(place for thing in things for place in thing) == list(range(count))
    assert [thing[0] for thing in things] == sorted(thing[0] for thing in things)
