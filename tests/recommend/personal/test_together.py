from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.recommend.personal import interactions as together
from sartor.recommend.personal.interactions import ItemCooccurrence
from sartor.recommend.weights import COOCCURRENCE_SHRINKAGE, MAX_RELATED, MAX_TRANSACTION_PRODUCTS

PRODUCTS = 8
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, PRODUCTS - 1)), max_size=60)


def learned(found: list[tuple[int, int]], count: int = PRODUCTS) -> ItemCooccurrence:
    occasions, products = np.array(found, np.int64).reshape(-1, 2).T
    return ItemCooccurrence.of(occasions, products, count=count)


@given(pairs)
def test_it_is_what_counting_by_hand_gives(found: list[tuple[int, int]]) -> None:
    there = {occasion: {product for other, product in found if other == occasion} for occasion, _ in found}
    often = Counter(product for products in there.values() for product in products)
    met = Counter(pair for products in there.values() for pair in combinations(sorted(products), 2))
    closest = learned(found)
    for one in range(PRODUCTS):
        others, closeness = closest.beside(one)
        assert one not in others
        for other, value in zip(others, closeness, strict=True):
            both = met[min(one, other), max(one, other)]
            assert np.isclose(value, both / (sqrt(often[one] * often[other]) + COOCCURRENCE_SHRINKAGE))
        assert len(others) == sum(1 for pair in met if one in pair)
        assert list(closeness) == sorted(closeness, reverse=True)
    assert closest.occasions.tolist() == [often[product] for product in range(PRODUCTS)]


@given(pairs, st.lists(st.integers(0, PRODUCTS - 1), min_size=1, unique=True))
def test_with_several_it_is_the_weighted_mean(found: list[tuple[int, int]], asked: list[int]) -> None:
    closest = learned(found)
    weights = np.arange(1, len(asked) + 1, dtype=np.float32)
    expected = (
        sum(
            weight * closest.between(product, np.arange(PRODUCTS))
            for product, weight in zip(asked, weights, strict=True)
        )
        / weights.sum()
    )
    assert np.allclose(closest.with_all(np.array(asked), weights), expected, atol=1e-6)


def test_of_a_product_that_meets_very_many_the_closest_are_kept() -> None:
    count = MAX_RELATED + 30
    found = [(occasion, product) for occasion in range(1, count) for product in (0, occasion)]
    found += [(count + 1, 0), (count + 1, 5)]
    others, _ = learned(found, count).beside(0)
    assert len(others) == MAX_RELATED
    assert others[0] == 5


@given(pairs, st.integers(1, 5), st.sampled_from([1, 3, 1024]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_closest_are_kept_however_coarsely_they_are_counted(
    monkeypatch: pytest.MonkeyPatch, found: list[tuple[int, int]], kept: int, steps: int
) -> None:
    everything = learned(found)
    with monkeypatch.context() as patch:
        patch.setattr(together, "MAX_RELATED", kept)
        patch.setattr(together, "_STEPS", steps)
        few = learned(found)
    for product in range(PRODUCTS):
        assert few.beside(product)[0].tolist() == everything.beside(product)[0][:kept].tolist()


def test_of_an_occasion_with_very_many_products_the_latest_count() -> None:
    closest = learned(
        [(0, product) for product in range(MAX_TRANSACTION_PRODUCTS + 2)], MAX_TRANSACTION_PRODUCTS + 2
    )
    assert closest.occasions.tolist() == [0, 0] + [1] * MAX_TRANSACTION_PRODUCTS


def test_nothing_learned_is_no_error() -> None:
    nothing = ItemCooccurrence.of(np.empty(0, np.int64), np.empty(0, np.int64), count=0)
    assert nothing.with_all(np.empty(0, np.int64), np.empty(0, np.float32)).tolist() == []
