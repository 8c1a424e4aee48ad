"""Ingest, through the shop that users open: idempotent, complete, and honest about what it could not use."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.errors import UnknownValue
from sartor.ingest.photos import Progress
from sartor.recommend.features import FeatureWeights
from sartor.shop import Shop
from tests.fakes import BLUE, GREEN, RED, folder_of, photo, various_colors
from tests.thumbnails import lose_thumbnails, thumbnails


def outcome(shop: Shop, source: Path, **options: object) -> tuple[int, int, int, int, int]:
    report = shop.index(source, **options)
    return report.added, report.updated, report.unchanged, report.deleted, report.embedded


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "photos", {"red": RED, "green": GREEN, "blue": BLUE})


def test_a_folder_of_photos_becomes_a_catalog(shop: Shop, photos: Path) -> None:
    report = shop.index(photos)
    assert (report.products, report.photos, report.added, report.embedded) == (3, 3, 3, 3)
    assert report.rejected == ()
    assert {hit.product_id for hit in shop.similar(photo((250, 5, 5)), k=9)} == {"red", "green", "blue"}
    assert shop.check() == ()


def test_doing_it_again_embeds_nothing(shop: Shop, photos: Path) -> None:
    shop.index(photos)
    assert outcome(shop, photos) == (0, 0, 3, 0, 0)


def test_a_changed_photo_replaces_the_former_one(shop: Shop, photos: Path) -> None:
    shop.index(photos)
    (photos / "red.png").write_bytes(photo((0, 250, 250)))
    assert outcome(shop, photos) == (0, 1, 2, 0, 1)
    assert shop.similar(photo((0, 251, 250)), k=1)[0].product_id == "red"
    assert shop.info().counts.photos == 3
    assert shop.check() == ()


def test_a_renamed_product_costs_no_inference(shop: Shop, photos: Path) -> None:
    shop.index(photos)
    (photos / "red.png").rename(photos / "scarlet.png")
    assert outcome(shop, photos, prune=True) == (1, 0, 2, 1, 0)
    assert [hit.product_id for hit in shop.similar(photo((250, 5, 5)), k=1)] == ["scarlet"]
    assert shop.check() == ()


def test_what_left_the_source_stays_unless_pruned(shop: Shop, photos: Path) -> None:
    shop.index(photos)
    (photos / "red.png").unlink()
    assert outcome(shop, photos) == (0, 0, 2, 0, 0)
    assert shop.info().counts.products == 3
    assert outcome(shop, photos, prune=True) == (0, 0, 2, 1, 0)
    assert "red" not in {hit.product_id for hit in shop.similar(photo(GREEN), k=9)}
    assert shop.check() == ()


def test_pruning_one_source_leaves_the_others_alone(shop: Shop, photos: Path, tmp_path: Path) -> None:
    shop.index(photos)
    other = folder_of(tmp_path / "other", {"pink": (255, 150, 150)})
    shop.index(other, prune=True)
    assert shop.info().counts.products == 4


def test_a_product_belongs_to_the_source_that_had_it_last(shop: Shop, photos: Path, tmp_path: Path) -> None:
    shop.index(photos)
    moved = photos.rename(tmp_path / "moved")
    assert outcome(shop, moved) == (0, 0, 3, 0, 0)
    (moved / "red.png").unlink()
    assert outcome(shop, moved, prune=True) == (0, 0, 2, 1, 0)


def test_the_source_can_be_moved_away_and_hits_still_be_shown(shop: Shop, photos: Path) -> None:
    shop.index(photos)
    original = (photos / "red.png").read_bytes()
    for file in photos.iterdir():
        file.unlink()
    (hit,) = shop.similar(photo((250, 5, 5)), k=1)
    assert shop.thumbnail(hit.photo).read_bytes() == original


def test_a_rejected_photo_is_told_with_its_product_and_row(shop: Shop, photos: Path) -> None:
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    rows = "id,image\na,red.png\nb,https://shop.example/b.png\nc,broken.png\nd,broken.png\n"
    (photos / "products.csv").write_text(rows)
    found = {(each.photo, each.product_id, each.location) for each in shop.index(photos).rejected}
    assert found >= {("https://shop.example/b.png", "b", "line 3"), ("broken.png", "c", "line 4")}


def test_other_writes_of_the_process_get_in_between_steps(shop: Shop, photos: Path) -> None:
    writing, got_in = shop.catalog._backends.writing, []

    def write() -> bool:
        got_in.append(writing.acquire(timeout=30))
        writing.release()
        return True

    def look(_: Progress) -> None:
        with ThreadPoolExecutor(1) as other:
            assert other.submit(write).result()

    shop.index(photos, on_progress=look)
    assert got_in == [True]


def test_a_rejected_photo_is_reported_and_the_rest_goes_on(shop: Shop, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"not an image")
    (photos / "empty.png").write_bytes(b"")
    (photos / "black.png").write_bytes(photo((0, 0, 0)))  # its mean color has no direction
    report = shop.index(photos)
    reasons = {rejection.photo: rejection.reason for rejection in report.rejected}
    assert report.added == 3
    assert set(reasons) == {"broken.jpg", "empty.png", "black.png"}
    assert "empty" in reasons["empty.png"]
    assert "no usable embedding" in reasons["black.png"]


def test_a_photo_that_breaks_later_does_not_take_the_good_one_away(shop: Shop, photos: Path) -> None:
    shop.index(photos)
    (photos / "red.png").write_bytes(b"broken")
    report = shop.index(photos)
    assert (report.unchanged, len(report.rejected)) == (3, 1)
    assert shop.similar(photo((250, 5, 5)), k=1)[0].product_id == "red"


def test_a_row_without_a_photo_is_kept_but_never_recommended(shop: Shop, tmp_path: Path) -> None:
    table = tmp_path / "products.csv"
    folder_of(tmp_path / "images", {"red": RED})
    table.write_text("id,image,color\nred,images/red.png,Red\nghost,images/ghost.png,White\n")
    report = shop.index(table)
    assert (report.products, report.photos) == (2, 1)
    assert shop.product("ghost").product.attributes["color"] == "White"
    assert {hit.product_id for hit in shop.similar(photo(GREEN), k=9)} == {"red"}


def test_changed_attributes_reach_the_filters_without_inference(shop: Shop, tmp_path: Path) -> None:
    table = tmp_path / "products.csv"
    folder_of(tmp_path / "images", {"red": RED})
    table.write_text("id,image,size\nred,images/red.png,S\n")
    shop.index(table)
    table.write_text("id,image,size\nred,images/red.png,M\n")
    assert outcome(shop, table) == (0, 1, 0, 0, 0)
    assert [hit.product_id for hit in shop.similar(photo(GREEN), where={"size": "M"})] == ["red"]
    with pytest.raises(UnknownValue, match="no product has size 'S'; there are: M"):
        shop.similar(photo(GREEN), where={"size": "S"})


def test_a_lost_thumbnail_is_made_again(shop: Shop, photos: Path) -> None:
    shop.index(photos)
    lose_thumbnails(shop.home, thumbnails(shop.home)[0])
    assert [problem.what for problem in shop.check()] == ["photos without a thumbnail"]
    shop.index(photos)
    assert shop.check() == ()


def test_one_photo_on_many_products_is_embedded_once(shop: Shop, tmp_path: Path) -> None:
    same = folder_of(tmp_path / "same", {f"p{number}": RED for number in range(20)})
    assert outcome(shop, same) == (20, 0, 0, 0, 1)
    assert len(shop.similar(photo((250, 5, 5)), k=50)) == 20


def test_a_photo_that_moves_between_products_of_different_steps_is_not_lost(shop: Shop, tmp_path: Path) -> None:
    colors = various_colors(400)
    folder = folder_of(tmp_path / "many", colors)
    shop.index(folder)
    first, last = folder / "p000.png", folder / "p399.png"
    moved = first.read_bytes()
    first.write_bytes(photo((1, 2, 250)))
    last.write_bytes(moved)
    shop.index(folder)
    assert shop.check() == ()
    assert len(shop.similar(photo(RED), k=500)) == 400


def test_the_first_products_are_taken_with_a_limit(shop: Shop, photos: Path) -> None:
    assert outcome(shop, photos, limit=2) == (2, 0, 0, 0, 2)
    assert outcome(shop, photos) == (1, 0, 2, 0, 1)


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": 3, "prune": True}])
def test_options_that_make_no_sense_are_refused(shop: Shop, photos: Path, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="limit must be at least 1"):
        shop.index(photos, **options)


def test_progress_tells_what_is_committed(shop: Shop, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "many", various_colors(300))
    steps: list[Progress] = []
    shop.index(folder, on_progress=steps.append)
    assert [step.products for step in steps] == [128, 256, 300]
    assert {product_id for step in steps for product_id in step.committed} == set(various_colors(300))
    assert steps[-1].total == 300


def test_an_ingest_that_is_interrupted_goes_on_where_it_stopped(shop: Shop, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "many", various_colors(300))

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.index(folder, on_progress=stop)
    assert all(problem.harmless for problem in shop.check())
    assert shop.info().counts.products == 128
    report = shop.index(folder)
    assert (report.added, report.unchanged, report.embedded) == (172, 128, 172)
    assert shop.check() == ()


def test_a_second_model_embeds_what_the_first_one_had(home: Path, photos: Path, color_file: Path) -> None:
    from sartor.choices import Scaling
    from sartor.config import Settings
    from sartor.encoders.add import ModelSpec
    from sartor.encoders.card import PixelScaling
    from sartor.shop.library import add_model

    with sartor.open(home) as shop:
        shop.index(photos)
    bright = ModelSpec(id="bright", scaling=PixelScaling.named(Scaling.RAW), output="embedding")
    add_model(Settings(home=home), color_file, bright)
    with sartor.open(home, model="bright") as shop:
        assert outcome(shop, photos) == (0, 0, 3, 0, 3)
        assert len(shop.similar(photo(RED), k=9)) == 2  # red itself is the query
    with sartor.open(home) as shop:
        assert shop.model.id == "color"
        assert shop.check() == ()


def test_a_zip_gives_what_its_folder_gives(home: Path, shop: Shop, photos: Path, tmp_path: Path) -> None:
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for file in photos.iterdir():
            opened.write(file, file.name)
    assert outcome(shop, archive) == (3, 0, 0, 0, 3)
    assert outcome(shop, photos) == (0, 0, 3, 0, 0)


@pytest.fixture
def big(shop: Shop, tmp_path: Path) -> Iterator[tuple[Shop, dict[str, tuple[int, int, int]]]]:
    colors = various_colors(200)
    shop.index(folder_of(tmp_path / "many", colors))
    return shop, colors


def test_neighbors_are_those_of_the_mean_colors(big: tuple[Shop, dict[str, tuple[int, int, int]]]) -> None:
    shop, colors = big
    names = list(colors)
    vectors = np.array([colors[name] for name in names], np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for row in range(0, 200, 20):
        expected = np.sort(vectors @ vectors[row])[::-1][1:6]
        found = shop.similar(product=names[row], exact=True, weights=FeatureWeights(style=1))
        assert np.allclose([hit.score for hit in found], expected, atol=1e-2)
        assert names[row] not in {hit.product_id for hit in found}
