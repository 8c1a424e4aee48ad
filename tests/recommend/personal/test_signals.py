from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from sartor.events.model import EventType
from sartor.recommend.personal.signals import Evidence, ItemScores, NewProducts, Signals, popular, together, visual
from sartor.recommend.weights import MIN_CLOSENESS, Blend
from sartor.store.base import Write
from sartor.types import Product, StoredProduct
from tests.recommend.small_catalog import SmallCatalog

amounts = stn.arrays(np.float32, st.integers(0, 12), elements=st.floats(0, 1000, width=32))


@given(amounts)
def test_signals_are_from_0_to_1_and_keep_the_order(values: np.ndarray) -> None:
    for signal in (together, popular):
        scores = signal(values)
        assert ((scores >= 0) & (scores <= 1)).all()
        assert (np.diff(scores[np.argsort(values, kind="stable")]) >= -1e-6).all()


def test_a_product_that_looks_like_the_first_interest_has_all_of_the_visual_signal() -> None:
    closeness = np.array([[1.0, MIN_CLOSENESS, 0.0], [0.0, 1.0, -1.0]], np.float32)
    scores = visual(closeness, np.array([0.8, 0.05], np.float32))
    assert scores[0] == 1
    assert np.isclose(scores[1], (0.05 / 0.8) ** 0.25)
    assert scores[2] == 0


def test_without_an_interest_nothing_looks_like_it() -> None:
    assert visual(np.empty((0, 3), np.float32), np.empty(0, np.float32)).tolist() == [0, 0, 0]


def test_weighted_signals_sum_to_the_score() -> None:
    ones = np.ones(2, np.float32)
    evidence = Evidence(visual=ones, together=0.5 * ones, popular=0 * ones, new=ones)
    parts = evidence.weighted(Blend(visual=2, together=1, popular=9, new=0.25))
    assert parts.sum(axis=0).tolist() == [2.75, 2.75]


def test_scores_of_items_are_0_without_interactions(catalog: SmallCatalog) -> None:
    catalog.did("ann", EventType.LIKE, "shirt", "skirt")
    scores = ItemScores(catalog.interactions, np.array([0.5, 2], np.float32))

    assert scores.of(["skirt", "hat", "shirt"]).tolist() == [2, 0, 0.5]
    assert ItemScores(catalog.interactions, np.zeros(0, np.float32)).of(["shirt"]).tolist() == [0]


def test_the_best_items_score_above_0_and_equals_come_by_id(catalog: SmallCatalog) -> None:
    catalog.did("ann", EventType.LIKE, "d", "c", "b", "a")
    scores = ItemScores(catalog.interactions, np.array([1, 3, 1, 0], np.float32))

    assert scores.best(9) == ["c", "b", "d"]
    assert scores.best(1) == ["c"]


def test_the_newest_products_fall_from_1(catalog: SmallCatalog) -> None:
    newest = NewProducts(catalog.store)
    for number in range(100):
        catalog.store.write(write_of(f"p{number:03}"))
    before = newest.scores()
    catalog.store.write(write_of("last"))

    assert before == {"p099": 1.0, "p098": 0.5}  # 2 % of the catalog
    assert next(iter(newest.scores())) == "last"


def test_signals_of_products_that_are_not_new_are_0(catalog: SmallCatalog) -> None:
    popularity = ItemScores(catalog.interactions, np.zeros(0, np.float32))

    assert Signals(popular=popularity, new={"a": 0.5}).new_of(["b", "a"]).tolist() == [0, 0.5]


def write_of(product_id: str) -> Write:
    return Write(products=(StoredProduct(product=Product(id=product_id)),), model="m", embeddings={})
