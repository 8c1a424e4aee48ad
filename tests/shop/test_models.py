"""One workspace as several models see it."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor import errors
from tests.fakes import add, folder_of, various_colors


@pytest.fixture
def two_models(home: Path, color_file: Path, tmp_path: Path) -> Path:
    """A workspace of 12 products embedded by both of its models."""
    photos = folder_of(tmp_path / "photos", various_colors(12))
    with sartor.open(home) as shop:
        shop.index(photos)
    add(home, color_file, "other", scaling="tf")
    with sartor.open(home, model="other") as shop:
        shop.index(photos)
    return home


def test_two_models_answer_side_by_side(two_models: Path) -> None:
    with sartor.open(two_models, model="other") as alone:
        expected = [hit.score for hit in alone.similar(product="p000")]
    with sartor.open(two_models) as shop:
        other = shop.through("other")
        assert [hit.score for hit in other.similar(product="p000")] == pytest.approx(expected)
        assert other.model.id == "other"
        assert shop.through("other") is other
        assert other.through("color") is shop
        assert not shop.check()


def test_what_was_written_is_seen_when_asked_for_anew(two_models: Path) -> None:
    with sartor.open(two_models) as shop:
        assert "p001" in {hit.product_id for hit in shop.through("other").similar(product="p000", k=12)}
        shop.delete("p001")
        assert "p001" not in {hit.product_id for hit in shop.through("other").similar(product="p000", k=12)}


def test_a_promoted_model_is_the_shop_itself(two_models: Path) -> None:
    with sartor.open(two_models) as shop:
        shop.through("other").similar(product="p000")
        shop.promote("other", force=True)
        assert shop.through("other") is shop
        assert len(shop.similar(product="p000")) == 5
        assert not shop.check()


def test_a_model_that_has_embedded_nothing_says_so(home: Path, color_file: Path, tmp_path: Path) -> None:
    with sartor.open(home) as shop:
        shop.index(folder_of(tmp_path / "photos", various_colors(3)))
    add(home, color_file, "other", scaling="tf")
    with sartor.open(home) as shop:
        with pytest.raises(errors.ModelMismatch):
            shop.through("other").similar(product="p000")
        with pytest.raises(errors.ModelNotFound):
            shop.through("none")


def test_a_metric_changes_scores_and_no_order(two_models: Path) -> None:
    with sartor.open(two_models) as shop:
        cosine, euclidean = (shop.similar(product="p000", metric=metric) for metric in ("cosine", "euclidean"))
        assert [hit.product_id for hit in cosine] == [hit.product_id for hit in euclidean]
        assert all(hit.score <= 0 for hit in euclidean)
        assert [hit.score for hit in shop.similar(product="p000")] == [hit.score for hit in cosine]


def test_a_view_of_the_model_that_is_replaced_goes_on_answering(two_models: Path) -> None:
    with sartor.open(two_models) as shop:
        former = shop.through("color")
        expected = [hit.score for hit in shop.similar(product="p000")]
        opened = shop._models.in_use()
        shop.promote("other", force=True)
        assert former.model.id == "other"
        assert opened.index.revision == shop._backends.store.revision
        assert [hit.score for hit in shop.through("color").similar(product="p000")] == pytest.approx(expected)
        assert not shop.check()
