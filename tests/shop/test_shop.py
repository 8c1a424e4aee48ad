"""The front door, as a program uses it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

import sartor
from sartor import AnyOf, Product, ProductInput, Shop, Where, errors
from tests.fakes import BLUE, GREEN, RED, add, folder_of, photo

COLORS = {"red": RED, "green": GREEN, "blue": BLUE, "pink": (255, 120, 120)}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "photos", COLORS)


@pytest.fixture
def filled(shop: Shop, photos: Path) -> Shop:
    shop.index(photos)
    return shop


def test_a_photo_is_its_own_first_hit_unless_it_is_the_query(filled: Shop) -> None:
    nearly = photo((254, 1, 1))
    assert filled.similar(nearly, k=1)[0].product_id == "red"
    assert filled.similar(photo(RED), k=1)[0].product_id == "pink"


def test_paths_texts_and_bytes_are_the_same_query(filled: Shop, tmp_path: Path) -> None:
    file = tmp_path / "query.png"
    file.write_bytes(photo((200, 90, 90)))
    assert filled.similar(file) == filled.similar(str(file)) == filled.similar(file.read_bytes())


def test_a_photo_and_a_product_together_lie_between_them(filled: Shop) -> None:
    (first, *_) = filled.similar(photo((255, 200, 200)), product="red")
    assert first.product_id == "pink"


def test_k_above_the_catalog_gives_what_there_is(filled: Shop) -> None:
    assert len(filled.similar(photo((9, 9, 200)), k=1000)) == len(COLORS)


def test_where_can_be_given_ready_made(shop: Shop, photos: Path) -> None:
    (photos / "products.csv").write_text("id,image,size\na,red.png,S\nb,blue.png,M\n")
    shop.index(photos / "products.csv")
    ready = Where((AnyOf(attribute="size", values=("M",)),))
    assert shop.similar(photo(GREEN), where=ready) == shop.similar(photo(GREEN), where={"size": "M"})


def test_an_empty_query_and_an_empty_catalog_are_told_apart(shop: Shop) -> None:
    with pytest.raises(errors.EmptyQuery):
        shop.similar()
    with pytest.raises(errors.EmptyCatalog):
        shop.similar(photo(RED))


def test_a_query_photo_that_cannot_be_used_says_why(filled: Shop, tmp_path: Path) -> None:
    with pytest.raises(errors.PhotoRejected, match="is empty"):
        filled.similar(b"")
    with pytest.raises(errors.PhotoRejected, match=r"none\.jpg cannot be used: No such file"):
        filled.similar(tmp_path / "none.jpg")
    with pytest.raises(errors.PhotoRejected, match="no usable embedding"):
        filled.similar(photo((0, 0, 0)))


def test_a_product_without_a_photo_cannot_be_a_query(shop: Shop, photos: Path) -> None:
    (photos / "products.csv").write_text("id,image,size\na,red.png,S\nghost,none.png,M\n")
    shop.index(photos / "products.csv")
    with pytest.raises(errors.ProductNotFound, match="product 'ghost' has no photo to compare"):
        shop.similar(product="ghost")


def test_a_restart_changes_no_answer(home: Path, photos: Path) -> None:
    with sartor.open(home) as shop:
        shop.index(photos)
        before = shop.similar(photo((200, 90, 60)), k=9)
    with sartor.open(home) as shop:
        assert shop.similar(photo((200, 90, 60)), k=9) == before


def test_a_deleted_index_comes_back_without_embedding(home: Path, photos: Path) -> None:
    with sartor.open(home) as shop:
        shop.index(photos)
        before = shop.similar(photo((200, 90, 60)), k=9)
    shutil.rmtree(home / "index")
    with sartor.open(home) as shop:
        assert shop.similar(photo((200, 90, 60)), k=9) == before
        assert shop.index(photos).embedded == 0


def test_euclidean_scores_are_negated_distances(home: Path, photos: Path) -> None:
    with sartor.open(home) as shop:
        shop.index(photos)
    with sartor.open(home, metric="euclidean") as shop:
        (first, *_) = shop.similar(photo((0, 254, 0)))
        assert first.product_id == "green"
        assert -0.02 < first.score <= 0


def test_a_product_without_a_photo_is_followed_in_a_catalog_without_any(home: Path) -> None:
    with sartor.open(home) as one, sartor.open(home) as other:
        other.warm_up()
        (outcome,) = one.put(ProductInput(product=Product(id="a", title="A")))
        assert outcome.revision > 0
        deadline = time.monotonic() + 10
        while other.revision < outcome.revision:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_shop_that_is_open_twice_follows_what_the_other_one_writes(home: Path, photos: Path) -> None:
    with sartor.open(home) as one, sartor.open(home) as other:
        one.index(photos)
        assert other.similar(product="red", k=1)[0].product_id != "red"
        one.delete("green")
        deadline_s = time.monotonic() + 10
        while "green" in {hit.product_id for hit in other.similar(product="red", k=9)}:
            assert time.monotonic() < deadline_s
        assert not one.check()
        assert not other.check()


def test_a_workspace_without_a_model_opens_but_cannot_index(tmp_path: Path, photos: Path) -> None:
    with sartor.open(tmp_path / "new") as shop:
        assert shop.info().models == ()
        with pytest.raises(errors.NoModel, match="sartor models export mobilenet_v2"):
            shop.index(photos)


def test_of_several_models_one_has_to_be_chosen_until_one_has_indexed(
    home: Path, photos: Path, color_file: Path
) -> None:
    add(home, color_file, "second", scaling="raw")
    with sartor.open(home) as shop, pytest.raises(errors.ModelNotChosen, match=r"\(color, second\)"):
        shop.index(photos)
    with sartor.open(home, model="second") as shop:
        shop.index(photos)
    with sartor.open(home) as shop:
        assert shop.model.id == "second"
    with sartor.open(home, model="third") as shop, pytest.raises(errors.ModelNotFound, match="third"):
        shop.index(photos)


def test_a_model_cannot_take_the_place_of_the_one_that_embedded(home: Path, photos: Path, tmp_path: Path) -> None:
    from tests.networks import color_network

    with sartor.open(home) as shop:
        shop.index(photos)
    shutil.rmtree(home / "models" / "color")
    other = color_network(tmp_path / "other.onnx", layout="NCHW")
    add(home, other, "color")
    with sartor.open(home) as shop, pytest.raises(errors.ModelReplaced, match="another network named 'color'"):
        shop.similar(photo(RED))


@pytest.mark.parametrize("option", [{"metric": "manhattan"}, {"precision": "f8"}])
def test_an_option_without_such_a_value_is_a_value_error(tmp_path: Path, option: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        sartor.open(tmp_path / "home", **option)
    assert not (tmp_path / "home").exists()
