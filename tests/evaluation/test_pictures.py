from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs sartor[report]")

from sartor.errors import EmptyCatalog
from sartor.evaluation.pictures import MAX_PRODUCTS, project
from sartor.shop import Shop
from tests.fakes import folder_of, various_colors


def groups(count: int, *, each: int = 30) -> np.ndarray:
    rng = np.random.default_rng(5)
    centers = rng.normal(size=(count, 16)) * 4
    return (np.repeat(centers, each, axis=0) + rng.normal(size=(count * each, 16))).astype(np.float32)


def test_neighbors_stay_neighbors() -> None:
    rows, points, method = project(groups(3), seed=1)
    assert "t-SNE" in method
    assert np.array_equal(rows, np.arange(90))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag([np.inf] * 90)
    assert np.mean(distances.argmin(axis=1) // 30 == np.arange(90) // 30) > 0.95


def test_the_same_seed_gives_the_same_points_and_another_one_another_sample() -> None:
    first, second = (project(groups(2), seed=2, limit=40) for _ in range(2))
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.rows, second.rows)
    assert not np.array_equal(first.rows, project(groups(2), seed=3, limit=40).rows)


def test_a_sample_is_no_larger_than_asked_for_and_in_order() -> None:
    rows, points, method = project(groups(4), seed=0, limit=20)
    assert len(rows) == len(points) == 20
    assert (np.diff(rows) > 0).all()
    assert "20 of 120" in method
    assert MAX_PRODUCTS >= 1000


@pytest.mark.parametrize("count", [0, 1, 2, 3, 29])
def test_a_few_rows_are_laid_out_without_neighborhoods(count: int) -> None:
    rows, points, method = project(groups(1)[:count], seed=0)
    assert points.shape == (count, 2)
    assert len(rows) == count
    assert np.isfinite(points).all()
    assert "t-SNE" not in method


@pytest.mark.parametrize(("count", "dimension"), [(2, 4), (50, 4), (50, 1)])
def test_equal_rows_are_one_point(count: int, dimension: int) -> None:
    points = project(np.ones((count, dimension), np.float32), seed=0).points
    assert np.array_equal(points, np.zeros((count, 2)))


def test_rows_on_a_line_and_rows_of_two_kinds_have_finite_points() -> None:
    line = np.arange(40, dtype=np.float32)[:, None]
    assert np.isfinite(project(line, seed=0).points).all()
    assert np.isfinite(project(line * np.ones((1, 5), np.float32), seed=0).points).all()
    assert np.isfinite(project(np.repeat(np.eye(2, dtype=np.float32), 30, axis=0), seed=0).points).all()


def test_every_product_is_on_the_map(shop: Shop, tmp_path: Path) -> None:
    shop.index(folder_of(tmp_path / "photos", various_colors(12)))
    laid_out = shop.map()
    assert [each.product_id for each in laid_out.products] == shop.product_ids()
    assert laid_out.of == 12
    assert laid_out.method == "principal components"
    assert len({(each.x, each.y) for each in laid_out.products}) == 12
    assert shop.map() == laid_out


def test_a_sample_is_laid_out_where_there_are_more(shop: Shop, tmp_path: Path) -> None:
    shop.index(folder_of(tmp_path / "photos", various_colors(12)))
    laid_out = shop.map(limit=5, seed=3)
    assert len(laid_out.products) == 5
    assert laid_out.of == 12


def test_an_empty_catalog_has_no_map(shop: Shop) -> None:
    with pytest.raises(EmptyCatalog):
        shop.map()
