from __future__ import annotations

import numpy as np
import pytest

from benchmarks.vectors import DIMENSION, FILTERS, PIECE, CatalogVectors


@pytest.fixture(scope="module")
def vectors() -> CatalogVectors:
    return CatalogVectors()


def test_vectors_have_unit_norm_and_the_dimension_of_composed_ones(vectors: CatalogVectors) -> None:
    (piece,) = vectors.pieces(500)
    assert piece.vectors.shape == (500, DIMENSION)
    assert piece.vectors.dtype == np.float32
    assert np.linalg.norm(piece.vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_a_seed_gives_the_same_vectors_and_another_gives_others() -> None:
    first, again, other = (next(CatalogVectors(dimension=64, seed=seed).pieces(20)) for seed in (1, 1, 2))
    assert (first.vectors == again.vectors).all()
    assert not np.isclose(first.vectors, other.vectors).all(axis=1).any()


def test_a_longer_catalog_starts_like_a_shorter_one() -> None:
    made = CatalogVectors(dimension=32)
    first, second = made.pieces(PIECE + 7)
    assert [len(first.vectors), len(second.vectors)] == [PIECE, 7]
    (short,) = made.pieces(100)
    assert (short.vectors == first.vectors[:100]).all()
    (others,) = made.pieces(7, first=1)
    assert (others.vectors == second.vectors).all()


def test_a_product_is_nearer_to_its_neighbors_than_to_any_product(vectors: CatalogVectors) -> None:
    (piece,) = vectors.pieces(4000)
    cosines = piece.vectors[:50] @ piece.vectors.T
    nearest = np.sort(cosines, axis=1)[:, -2]  # after the product itself
    assert np.median(nearest) > 0.85
    assert np.median(cosines) < 0.3


def test_filters_have_about_equal_shares(vectors: CatalogVectors) -> None:
    labels = next(iter(vectors.pieces(PIECE))).labels
    for name, values in FILTERS.items():
        shares = np.bincount(labels[name], minlength=values) / PIECE
        assert np.median(shares) == pytest.approx(1 / values, rel=0.5)
