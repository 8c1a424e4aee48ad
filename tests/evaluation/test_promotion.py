"""A model becomes the default when it is better on the workspace's own catalog, and the former one comes back."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import sartor
from sartor.choices import Layout
from sartor.encoders.registry import ModelRegistry, sha256_of
from sartor.errors import ModelNotFound, ModelReplaced, NoPreviousModel, NothingToCompare, PromotionRefused
from sartor.evaluation.promotion import held_out_split
from sartor.ingest.photos import STEP, Progress
from sartor.shop import Shop
from tests.copies import copied
from tests.evaluation.promoting_child import promote
from tests.fakes import COLOR_CARD, folder_of, photo, various_colors
from tests.ingest.killing import child
from tests.networks import color_network
from tests.promotions import PRODUCTS, add_models, labelled_photos
from tests.thumbnails import lose_thumbnails, thumbnails


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose default is ``blind``, with its photos beside it."""
    directory = tmp_path_factory.mktemp("indexed")
    add_models(directory / "home")
    with sartor.open(directory / "home", model="blind") as shop:
        shop.index(labelled_photos(directory / "photos"))
    return directory


@pytest.fixture
def home(indexed: Path, tmp_path: Path) -> Path:
    return copied(indexed / "home", tmp_path / "home")


def test_a_better_model_becomes_the_default_and_answers_at_once(home: Path) -> None:
    with sartor.open(home) as shop:
        red = shop.similar(photo((250, 20, 20)), k=3)
        report = shop.promote("seeing")
        assert (report.model, report.previous, report.embedded) == ("seeing", "blind", PRODUCTS)
        assert (report.reduced, report.rejected) == (0, ())
        assert report.comparison is not None
        assert report.comparison.labels == ("family",)
        assert report.comparison.new.mean > 0.9 > report.comparison.old.mean
        assert report.comparison.test.p_value < 0.05
        assert shop.model.id == "seeing"
        hits = shop.similar(photo((250, 20, 20)), k=3)
        assert {hit.attributes["family"] for hit in hits} == {"red"} != hits != red
        assert shop.check() == ()
    with sartor.open(home) as shop:
        assert shop.info().default_model == "seeing"
        assert shop.info().counts.embeddings == {"blind": PRODUCTS, "seeing": PRODUCTS}


def test_a_worse_model_is_refused_with_the_figures_and_nothing_changes(home: Path) -> None:
    with sartor.open(home) as shop:
        shop.promote("seeing")
        before = shop.similar(photo((10, 20, 200)))
        with pytest.raises(PromotionRefused) as refused:
            shop.promote("blind")
        message = str(refused.value)
        assert message.startswith("blind is not shown to be better than seeing on this catalog: 0.")
        for part in ("difference -0.", "95 % interval -0.", "p = 1.0000", "seeing stays the default", "--force"):
            assert part in message
        assert "\n" not in message
        assert shop.similar(photo((10, 20, 200))) == before
        assert shop.promote("blind", force=True).embedded == 0
        assert shop.model.id == "blind"


def test_the_same_network_is_no_better_than_itself(home: Path, tmp_path: Path) -> None:
    file = color_network(tmp_path / "twin.onnx")
    ModelRegistry(home / "models").add(
        file, COLOR_CARD.model_copy(update={"id": "twin", "sha256": sha256_of(file)})
    )
    with sartor.open(home) as shop:
        shop.promote("seeing")
        with pytest.raises(PromotionRefused, match=r"difference \+0\.000 .* p = 1\.0000"):
            shop.promote("twin")


def test_promoting_the_default_changes_nothing_and_forgets_no_previous_one(home: Path) -> None:
    with sartor.open(home) as shop:
        shop.promote("seeing")
        report = shop.promote("seeing")
        assert (report.model, report.previous, report.embedded) == ("seeing", "seeing", 0)
        assert report.comparison is None
        assert shop.rollback().model == "blind"


def test_a_rollback_brings_the_former_default_back_with_what_came_since(home: Path, tmp_path: Path) -> None:
    with sartor.open(home) as shop:
        before = shop.similar(photo((250, 20, 20)), k=5)
        with pytest.raises(NoPreviousModel, match="the workspace stays with blind"):
            shop.rollback()
        shop.promote("seeing")
    with sartor.open(home) as shop:
        shop.index(folder_of(tmp_path / "more", {"zz1": (1, 2, 3), "zz2": (3, 2, 1)}))
        report = shop.rollback()
        assert (report.model, report.previous, report.embedded) == ("blind", "seeing", 2)
        assert shop.similar(photo((250, 20, 20)), k=5) == before
        assert shop.check() == ()
        with pytest.raises(NoPreviousModel):
            shop.rollback()
    with sartor.open(home) as shop:
        assert shop.model.id == "blind"


def test_a_model_that_is_gone_cannot_come_back(home: Path) -> None:
    with sartor.open(home) as shop:
        shop.promote("seeing")
        shutil.rmtree(home / "models" / "blind")
        with pytest.raises(ModelNotFound, match="blind"):
            shop.rollback()
        assert shop.model.id == "seeing"


def test_an_interrupted_promotion_leaves_the_default_and_goes_on_where_it_was(home: Path) -> None:
    committed = 0

    def stop(step: Progress) -> None:
        nonlocal committed
        committed += len(step.committed)
        raise KeyboardInterrupt

    with sartor.open(home) as shop:
        before = shop.similar(photo((250, 20, 20)))
        with pytest.raises(KeyboardInterrupt):
            shop.promote("seeing", on_progress=stop)
        assert shop.similar(photo((250, 20, 20))) == before
    with sartor.open(home) as shop:
        assert shop.model.id == "blind"
        assert shop.check() == ()
        assert shop.promote("seeing").embedded == PRODUCTS - committed == PRODUCTS - STEP
        assert shop.check() == ()


@pytest.mark.parametrize("lines", [1, STEP + 1, PRODUCTS])
def test_a_kill_leaves_the_default_working_and_the_next_promotion_goes_on(home: Path, lines: int) -> None:
    with sartor.open(home) as shop:
        before = shop.similar(photo((250, 20, 20)))
    with child(promote, home, "seeing") as promoting:
        for _ in range(lines):
            promoting.stdout.readline()
        promoting.kill()
    with sartor.open(home, model="blind") as shop:
        assert shop.similar(photo((250, 20, 20))) == before
        assert [problem for problem in shop.check() if not problem.harmless] == []
        kept = shop.info().counts.embeddings["seeing"]
        assert kept >= min(PRODUCTS, STEP)
        assert shop.promote("seeing").embedded == PRODUCTS - kept
        assert shop.check() == ()


def test_a_small_catalog_cannot_tell_and_says_so_before_anything_is_embedded(tmp_path: Path) -> None:
    home = tmp_path / "home"
    add_models(home)
    with sartor.open(home, model="blind") as shop:
        shop.index(labelled_photos(tmp_path / "photos", 50))
        with pytest.raises(NothingToCompare, match=r"takes 20 held-out products .* --force promotes it anyway"):
            shop.promote("seeing")
        assert "seeing" not in shop.info().counts.embeddings
        report = shop.promote("seeing", force=True)
        assert (report.previous, report.comparison) == ("blind", None)
    with sartor.open(home) as shop:
        assert shop.model.id == "seeing"


def test_a_catalog_without_categories_cannot_tell(tmp_path: Path) -> None:
    home = tmp_path / "home"
    add_models(home)
    with sartor.open(home, model="blind") as shop:
        shop.index(folder_of(tmp_path / "photos", various_colors(PRODUCTS)))
        with pytest.raises(NothingToCompare, match="no attribute of its products is a category"):
            shop.promote("seeing")


def test_a_workspace_without_a_default_takes_a_model_by_force_only(tmp_path: Path) -> None:
    add_models(tmp_path / "home")
    with sartor.open(tmp_path / "home") as shop:
        with pytest.raises(NothingToCompare, match="has no default yet"):
            shop.promote("seeing")
        assert shop.promote("seeing", force=True).previous is None
        assert shop.model.id == "seeing"
        with pytest.raises(NoPreviousModel):
            shop.rollback()


def test_an_unknown_model_and_a_replaced_one_are_refused(home: Path, tmp_path: Path) -> None:
    with sartor.open(home) as shop:
        with pytest.raises(ModelNotFound, match="third"):
            shop.promote("third")
        shop.promote("seeing")
        shop.rollback()
    shutil.rmtree(home / "models" / "seeing")
    file = color_network(tmp_path / "other.onnx", layout="NCHW")
    card = COLOR_CARD.model_copy(update={"id": "seeing", "sha256": sha256_of(file), "layout": Layout.NCHW})
    ModelRegistry(home / "models").add(file, card)
    with sartor.open(home) as shop, pytest.raises(ModelReplaced):
        shop.promote("seeing")


def large_catalog(home: Path, folder: Path) -> Shop:
    """Photos larger than a thumbnail; the shop has to be closed."""
    add_models(home)
    folder.mkdir()
    for name, color in various_colors(6).items():
        (folder / f"{name}.png").write_bytes(photo(color, side_px=800))
    shop = sartor.open(home, model="blind")
    shop.index(folder)
    return shop


def test_large_photos_are_embedded_from_their_source(tmp_path: Path) -> None:
    with large_catalog(tmp_path / "home", tmp_path / "photos") as shop:
        report = shop.promote("seeing", force=True)
        assert (report.embedded, report.reduced) == (6, 0)


def test_thumbnails_stand_in_for_what_the_source_no_longer_has(tmp_path: Path) -> None:
    with large_catalog(tmp_path / "home", tmp_path / "photos") as shop:
        (tmp_path / "photos" / "p000.png").write_bytes(photo((1, 2, 3)))
        report = shop.promote("seeing", force=True)
        assert (report.embedded, report.reduced) == (6, 1)
        shutil.rmtree(tmp_path / "photos")
        assert shop.rollback().embedded == 0


def test_a_source_that_is_gone_stops_nothing_and_a_lost_photo_is_told(tmp_path: Path) -> None:
    with large_catalog(tmp_path / "home", tmp_path / "photos") as shop:
        shutil.rmtree(tmp_path / "photos")
        (first, *_) = thumbnails(tmp_path / "home")
        lose_thumbnails(tmp_path / "home", first)
        report = shop.promote("seeing", force=True)
        assert (report.embedded, report.reduced) == (5, 5)
        (rejection,) = report.rejected
        assert rejection.reason == "neither its source nor its thumbnail is there; index its source again"


def test_what_small_photos_embed_to_does_not_depend_on_the_way(home: Path, indexed: Path) -> None:
    with sartor.open(home) as shop:
        shop.promote("seeing")
        promoted = {entry.sha256: entry.vector for entry in entries(shop)}
    shutil.rmtree(home)
    add_models(home)
    with sartor.open(home, model="seeing") as shop:
        shop.index(indexed / "photos" / "products.csv")
        for entry in entries(shop):
            np.testing.assert_allclose(entry.vector, promoted[entry.sha256], atol=1e-6)


def entries(shop: Shop) -> list:
    return shop._backends.store.embedded_photos("seeing", shop.product_ids())


def test_a_photo_of_several_products_is_embedded_once(tmp_path: Path) -> None:
    add_models(tmp_path / "home")
    folder = folder_of(tmp_path / "photos", {"a": (9, 90, 9)})
    (folder / "products.csv").write_text("id,image\nx,a.png\ny,a.png\n")
    with sartor.open(tmp_path / "home", model="blind") as shop:
        shop.index(folder / "products.csv")
        assert shop.promote("seeing", force=True).embedded == 1
        assert shop.check() == ()


def test_the_split_is_that_of_the_models_training(home: Path) -> None:
    with sartor.open(home) as shop:
        plain = held_out_split(shop._backends.store, COLOR_CARD, embedded_by=["blind"])
        training = SimpleNamespace(split_seed=20, split_share=0.5)
        trained = held_out_split(
            shop._backends.store, SimpleNamespace(id="x", training=training), embedded_by=["blind"]
        )
    assert 20 <= len(plain.queries) < 60 < len(trained.queries)
    assert set(plain.queries) < set(trained.queries)


def test_progress_counts_products_and_ends_complete(home: Path) -> None:
    told: list[Progress] = []
    with sartor.open(home) as shop:
        shop.promote("seeing", on_progress=told.append)
    assert [step.products for step in told] == sorted(step.products for step in told)
    assert (told[-1].products, told[-1].total, told[-1].photos) == (PRODUCTS, PRODUCTS, PRODUCTS)
