from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.evaluation.metrics import coverage, diversity, novelty

PRODUCTS = 8
LISTS = st.lists(
    st.lists(st.integers(0, PRODUCTS - 1), unique=True, max_size=5).map(lambda rows: np.array(rows, np.int64)),
    max_size=5,
)


@given(LISTS)
def test_by_brute_force(lists: list[np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    styles = rng.standard_normal((PRODUCTS, 4)).astype(np.float32)
    styles /= np.linalg.norm(styles, axis=1, keepdims=True)
    people = rng.integers(0, 10, PRODUCTS)
    told = zip(lists, novelty(lists, people, total=10), diversity(lists, styles), strict=True)
    for rows, new, differs in told:
        if len(rows):
            assert new == pytest.approx(np.mean([-np.log2((people[row] + 1) / 11) for row in rows]))
        else:
            assert np.isnan(new)
        if len(rows) > 1:
            pairs = [1 - styles[one] @ styles[other] for one, other in combinations(rows, 2)]
            assert differs == pytest.approx(np.mean(pairs), abs=1e-5)
        else:
            assert np.isnan(differs)
    shown = {int(row) for rows in lists for row in rows}
    assert coverage(lists, products=PRODUCTS) == pytest.approx(len(shown) / PRODUCTS)


def test_what_all_know_is_not_novel() -> None:
    assert novelty([np.array([0])], np.array([10]), total=10)[0] == 0


def test_of_no_lists_nothing_is_covered() -> None:
    assert coverage([], products=3) == 0
