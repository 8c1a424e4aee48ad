from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.evaluation import ranking as module
from sartor.evaluation.ranking import Gallery, Ranked, nearest, rankings

SEEDS = st.integers(0, 2**32 - 1)


def gallery_of_photos(vectors: np.ndarray) -> Gallery:
    """Each photo is a product."""
    return Gallery(vectors=vectors, firsts=np.arange(len(vectors)))


@pytest.fixture(scope="module", autouse=True)
def small_chunks() -> Iterator[None]:
    """So that few rows are several chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SORTED_AT_ONCE", 40)
        yield


def whole(rng: np.random.Generator, count: int) -> np.ndarray:
    """Vectors of whole numbers, whose products are exact and often equal."""
    return rng.integers(-1, 2, (count, 3)).astype(np.float32)


def some_gallery(rng: np.random.Generator, products: int) -> Gallery:
    photos = rng.integers(1, 4, products) if rng.random() < 0.7 else np.ones(products, np.int64)
    firsts = np.cumsum(photos) - photos
    return Gallery(vectors=whole(rng, int(photos.sum())), firsts=firsts)


def expected_ranking(query: np.ndarray, gallery: Gallery, own: int) -> list[int]:
    photos = np.split(gallery.vectors, gallery.firsts[1:])[: gallery.products]
    scores = [max(float(query @ photo) for photo in own_photos) for own_photos in photos]
    return sorted((place for place in range(len(scores)) if place != own), key=lambda place: -scores[place])


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(0, 12), st.integers(0, 25), st.integers(1, 3000))
def test_rankings_are_those_of_a_full_stable_sort_whatever_the_block(
    seed: int, queries: int, size: int, block_bytes: int
) -> None:
    rng = np.random.default_rng(seed)
    gallery, asked = some_gallery(rng, size), whole(rng, queries)
    own, depth = rng.integers(-1, size, queries), rng.integers(0, size + 5, queries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_BYTES", block_bytes)
        blocks = list(rankings(asked, gallery, own=own, depth=depth))
    assert sorted(row for block in blocks for row in block.rows.tolist()) == list(range(queries))
    for block in blocks:
        candidates = size - int((own[block.rows] >= 0).any())
        assert block.products.shape == (len(block.rows), min(int(depth[block.rows].max()), candidates))
        for row, places in zip(block.rows, block.products.tolist(), strict=True):
            assert places == expected_ranking(asked[row], gallery, own[row])[: len(places)]


@given(
    st.lists(
        st.lists(st.floats(-2, 2, width=32) | st.sampled_from([0.0, -0.0, 0.5]), min_size=7, max_size=7),
        min_size=1,
        max_size=9,
    ),
    st.integers(1, 7),
)
def test_any_scores_are_sorted_exactly_and_equals_by_place(rows: list[list[float]], count: int) -> None:
    scores = np.array(rows, np.float32)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    assert module._closest(scores.copy(), count).tolist() == expected.tolist()


def test_zero_and_minus_zero_are_equals() -> None:
    scores = np.array([[-0.0, 0.0, -0.0, 1e-45, -1e-45, 0.0, -np.inf]], np.float32)
    assert module._closest(scores, 7).tolist() == [[3, 0, 1, 2, 5, 4, 6]]


def test_a_query_is_never_its_own_neighbor() -> None:
    gallery = gallery_of_photos(np.eye(4, dtype=np.float32))
    (block,) = rankings(gallery.vectors, gallery, own=np.arange(4), depth=np.full(4, 9))
    assert block.products.shape == (4, 3)
    assert all(row not in places for row, places in zip(block.rows, block.products, strict=True))


def test_a_products_score_is_that_of_its_closest_photo() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], np.float32)
    scorer = module._Scorer(Gallery(vectors=vectors, firsts=np.array([0, 1, 2])))
    assert scorer.scores(np.array([[0, 1], [-1, 0]], np.float32)).tolist() == [
        pytest.approx([0, 1, 0.8]),
        pytest.approx([-1, 0, 1]),
    ]


def test_queries_in_and_outside_of_the_gallery_have_as_many_products_as_there_are_for_them() -> None:
    gallery = gallery_of_photos(np.eye(3, dtype=np.float32))
    own = np.array([0, -1, 2])
    blocks = list(rankings(gallery.vectors, gallery, own=own, depth=np.full(3, 9)))
    assert [(block.rows.tolist(), block.products.shape[1]) for block in blocks] == [([1], 3), ([0, 2], 2)]


def test_a_lone_product_and_an_empty_gallery_rank_nothing() -> None:
    one = np.ones((1, 2), np.float32)
    (alone,) = rankings(one, gallery_of_photos(one), own=np.array([0]), depth=np.array([5]))
    (empty,) = rankings(one, gallery_of_photos(one[:0]), own=np.array([-1]), depth=np.array([5]))
    assert alone.products.shape == empty.products.shape == (1, 0)
    assert not list(rankings(one[:0], gallery_of_photos(one), own=np.empty(0, int), depth=np.empty(0, int)))


def test_blocks_hold_no_more_memory_than_allowed_and_similar_depths() -> None:
    rng = np.random.default_rng(1)
    gallery = gallery_of_photos(np.zeros((1000, 2), np.float32))
    depth = rng.integers(1, 1000, 500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_BYTES", 1 << 20)
        blocks = list(module._blocks(module._Scorer(gallery), own=np.full(500, -1), depth=depth))
    assert len(blocks) > 1
    assert all(len(rows) * (4 * 1000 + 8 * depth[rows].max()) <= 1 << 20 for rows in blocks)
    assert (np.diff(depth[np.concatenate(blocks)]) >= 0).all()


def blocks_of(rng: np.random.Generator) -> Iterator[Ranked]:
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    return rankings(vectors, gallery_of_photos(vectors), own=np.arange(60), depth=rng.integers(1, 60, 60))


def test_rankings_repeat_and_may_be_left_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_BYTES", 2000)
    one, two = (list(blocks_of(np.random.default_rng(2))) for _ in range(2))
    assert len(one) > 5
    for mine, other in zip(one, two, strict=True):
        assert mine.rows.tolist() == other.rows.tolist()
        assert mine.products.tolist() == other.products.tolist()
    early = blocks_of(np.random.default_rng(2))
    assert next(early).rows.tolist() == one[0].rows.tolist()
    del early


def unit_rows(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.normal(size=(count, 4))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@given(SEEDS, st.integers(1, 12), st.integers(1, 30), st.integers(1, 9), st.integers(1, 500))
def test_neighbors_are_those_of_a_full_sort_whatever_the_block(
    seed: int, queries: int, size: int, k: int, block_bytes: int
) -> None:
    rng = np.random.default_rng(seed)
    gallery, wanted = unit_rows(rng, size), unit_rows(rng, queries)
    own = rng.integers(-1, size, queries)
    inside = own >= 0
    wanted[inside] = gallery[own[inside]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_BYTES", block_bytes)
        found = nearest(wanted, gallery, k=k, own=own)
    assert found.shape == (queries, min(k, size - int(inside.any())))
    for row, query, self_ in zip(found, wanted, own, strict=True):
        scores = gallery.astype(np.float64) @ query
        others = np.delete(scores, self_) if self_ >= 0 else scores
        assert self_ not in row
        assert len(set(row.tolist())) == len(row)
        np.testing.assert_allclose(scores[row], np.sort(others)[::-1][: len(row)], atol=1e-6)


def test_equals_stand_in_the_order_of_the_gallery() -> None:
    gallery = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], np.float32)
    assert nearest(gallery[1:2], gallery, k=9, own=np.array([2])).tolist() == [[1, 3, 0]]
