from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.recommend.rank import fold_variants, mmr
from sartor.types import EVERYTHING, Hit
from tests.recommend.small_catalog import SmallCatalog, photo_of

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


def test_products_of_one_group_or_that_look_alike_are_variants() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0.01], [0.7, 0.7]], np.float32)

    assert fold_variants(["", "g", "", "g"], vectors @ vectors.T >= 0.99) == [[0, 2], [1, 3]]


@given(seeds, st.integers(0, 12), st.floats(-1, 1))
def test_folding_loses_nothing(seed: int, count: int, same_from: float) -> None:
    _, vectors = candidates(seed, count)
    products = fold_variants([""] * count, vectors @ vectors.T >= same_from)

    assert sorted(row for variants in products for row in variants) == list(range(count))
    assert [variants[0] for variants in products] == sorted(variants[0] for variants in products)


def ranked(catalog: SmallCatalog, *names: str, **options: object) -> tuple[Hit, ...]:
    """Hits of candidates whose scores fall by 0.1 from 1.0."""
    candidates = catalog.candidates().rankable(catalog.candidates().passing(names, EVERYTHING))
    scores = np.array([1 - 0.1 * row for row in range(len(candidates.neighbors))], np.float32)
    return candidates.hits(candidates.select(scores, **{"k": 3, "diversity": 0.0} | options))


def test_candidates_become_hits_with_their_variants_behind_them(catalog: SmallCatalog) -> None:
    catalog.add("small", (1, 0, 0), item_group_id="g", color="Red")
    catalog.add("skirt", (0, 1, 0))
    catalog.add("large", (0, 0, 1), item_group_id="g")
    hits = ranked(catalog, "small", "skirt", "large")

    assert [(hit.product_id, hit.variants) for hit in hits] == [("small", ("large",)), ("skirt", ())]
    assert [hit.score for hit in hits] == pytest.approx([1.0, 0.9])
    assert (hits[0].title, hits[0].attributes["color"], hits[0].photo) == ("Small", "Red", photo_of("small"))


def test_products_of_an_excluded_group_are_no_hits(catalog: SmallCatalog) -> None:
    catalog.add("small", (1, 0, 0), item_group_id="g")
    catalog.add("skirt", (0, 1, 0))

    assert [hit.product_id for hit in ranked(catalog, "small", "skirt", without_groups={"g"})] == ["skirt"]
    assert ranked(catalog, "small", without_groups={"g"}) == ()


def test_varied_hits_differ_in_style(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0))
    catalog.add("twin", (0.9, 0.1, 0))
    catalog.add("skirt", (0, 1, 0))

    assert [hit.product_id for hit in ranked(catalog, "shirt", "twin", "skirt", k=2)] == ["shirt", "twin"]
    varied = ranked(catalog, "shirt", "twin", "skirt", k=2, diversity=0.5)
    assert [hit.product_id for hit in varied] == ["shirt", "skirt"]


def test_a_candidate_that_has_just_left_the_catalog_is_no_hit(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0))
    catalog.add("skirt", (0, 1, 0))
    neighbors = catalog.candidates().passing(["shirt", "skirt"], EVERYTHING)
    catalog.store.delete(["shirt"])
    candidates = catalog.candidates().rankable(neighbors)

    assert [neighbor.product_id for neighbor in candidates.neighbors] == ["skirt"]
    assert candidates.vectors.shape == (1, 99)
