from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.recommend.personal import learned as module
from sartor.recommend.personal.learned import ItemCooccurrence
from sartor.recommend.weights import COOCCURRENCE_SHRINKAGE, MAX_RELATED, MAX_TRANSACTION_PRODUCTS

PRODUCTS = 8
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, PRODUCTS - 1)), max_size=60)


def learned(bought: list[tuple[int, int]], count: int = PRODUCTS) -> ItemCooccurrence:
    transactions, items = np.array(bought, np.int64).reshape(-1, 2).T
    return ItemCooccurrence.of(transactions, items, count=count)


@given(pairs)
def test_closeness_is_what_counting_by_hand_gives(bought: list[tuple[int, int]]) -> None:
    items = {number: {item for other, item in bought if other == number} for number, _ in bought}
    totals = Counter(item for transaction in items.values() for item in transaction)
    met = Counter(pair for transaction in items.values() for pair in combinations(sorted(transaction), 2))
    closest = learned(bought)
    for one in range(PRODUCTS):
        others, closeness = closest.related(one)
        assert one not in others
        for other, value in zip(others, closeness, strict=True):
            both = met[min(one, other), max(one, other)]
            assert np.isclose(value, both / (sqrt(totals[one] * totals[other]) + COOCCURRENCE_SHRINKAGE))
        assert len(others) == sum(1 for pair in met if one in pair)
        assert list(closeness) == sorted(closeness, reverse=True)
    assert closest.transactions.tolist() == [totals[item] for item in range(PRODUCTS)]


@given(pairs, st.lists(st.integers(0, PRODUCTS - 1), min_size=1, unique=True))
def test_closeness_to_several_is_the_weighted_mean(bought: list[tuple[int, int]], several: list[int]) -> None:
    closest = learned(bought)
    weights = np.arange(1, len(several) + 1, dtype=np.float32)
    expected = (
        sum(
            weight * closest.between(product, np.arange(PRODUCTS))
            for product, weight in zip(several, weights, strict=True)
        )
        / weights.sum()
    )
    assert np.allclose(closest.with_all(np.array(several), weights), expected, atol=1e-6)


def test_an_item_related_to_very_many_keeps_the_closest() -> None:
    count = MAX_RELATED + 30
    bought = [(number, item) for number in range(1, count) for item in (0, number)]
    bought += [(count + 1, 0), (count + 1, 5)]
    others, _ = learned(bought, count).related(0)
    assert len(others) == MAX_RELATED
    assert others[0] == 5


@given(pairs, st.integers(1, 5), st.sampled_from([1, 3, 1024]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_closest_are_kept_however_coarsely_they_are_counted(
    monkeypatch: pytest.MonkeyPatch, bought: list[tuple[int, int]], limit: int, bins: int
) -> None:
    everything = learned(bought)
    with monkeypatch.context() as patch:
        patch.setattr(module, "MAX_RELATED", limit)
        patch.setattr(module, "_CLOSENESS_BINS", bins)
        few = learned(bought)
    for product in range(PRODUCTS):
        assert few.related(product)[0].tolist() == everything.related(product)[0][:limit].tolist()


def test_the_latest_items_of_a_very_large_transaction_count() -> None:
    closest = learned(
        [(0, product) for product in range(MAX_TRANSACTION_PRODUCTS + 2)], MAX_TRANSACTION_PRODUCTS + 2
    )
    assert closest.transactions.tolist() == [0, 0] + [1] * MAX_TRANSACTION_PRODUCTS


def test_nothing_learned_is_no_error() -> None:
    nothing = ItemCooccurrence.of(np.empty(0, np.int64), np.empty(0, np.int64), count=0)
    assert nothing.with_all(np.empty(0, np.int64), np.empty(0, np.float32)).tolist() == []


@given(pairs, st.permutations(range(PRODUCTS + 3)))
def test_items_with_other_rows_are_as_close_as_before(bought: list[tuple[int, int]], order: list[int]) -> None:
    before, rows = learned(bought), np.array(order[:PRODUCTS])
    after = before.renumbered(rows, count=PRODUCTS + 3)
    for item in range(PRODUCTS):
        others, closeness = before.related(item)
        assert after.related(rows[item])[0].tolist() == rows[others].tolist()
        assert after.related(rows[item])[1].tolist() == closeness.tolist()
        assert after.transactions[rows[item]] == before.transactions[item]
    for new in order[PRODUCTS:]:
        assert len(after.related(new)[0]) == after.transactions[new] == 0
