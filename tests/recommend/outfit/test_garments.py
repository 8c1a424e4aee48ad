from __future__ import annotations

import numpy as np
import pytest

from sartor.imaging.color import named_color, oklab
from sartor.recommend.outfit.garments import Garment, GarmentReader, Tint, kind_of, price_of, tints_of
from sartor.recommend.outfit.rules import Slot
from sartor.types import AttributeValue, EmbeddedPhoto, Palette
from tests.recommend.small_catalog import FEATURES, SmallCatalog

BROWN = oklab(np.array(named_color("saddlebrown"), np.uint8))


def test_a_product_is_its_narrowest_kind_its_gender_and_the_family_of_its_color() -> None:
    told = {"category": "Apparel > Tops > Casual Shirts", "gender": "Male", "color": "Navy Blue"}

    assert Garment.of(told, BROWN) == Garment(Slot.TOP, "men", "casual shirts", "blue")


@pytest.mark.parametrize(("color", "family"), [(BROWN, "brown"), (None, "")])
def test_where_no_color_is_told_it_is_seen(color: np.ndarray | None, family: str) -> None:
    assert Garment.of({"articleType": "Heels"}, color) == Garment(Slot.SHOES, "", "heels", family)


def test_of_several_values_the_first_counts() -> None:
    found = Garment.of({"articleType": ("Heels", "Boots"), "color": ("Red", "Blue"), "gender": ()}, None)

    assert found == Garment(Slot.SHOES, "", "heels", "red")


def test_what_is_not_worn_is_no_garment() -> None:
    assert Garment.of({"articleType": "Perfume and Body Mist"}, BROWN) is None


@pytest.mark.parametrize(
    ("attributes", "price"),
    [
        ({"price": "40.00 USD", "sale_price": "30.00 USD"}, 30),
        ({"price": 40}, 40),
        ({"price": ("ask", "25")}, 25),
        ({"price": "ask"}, None),
        ({}, None),
    ],
)
def test_a_garment_costs_its_sale_price(attributes: dict[str, object], price: float | None) -> None:
    assert price_of(attributes) == price


def test_the_main_photo_is_the_first_that_is_embedded(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0), (0, 1, 0))
    photos = GarmentReader(catalog.store, FEATURES).main_photos(["shirt", "hat"])

    assert {product_id: photo.vector.tolist() for product_id, photo in photos.items()} == {"shirt": [1, 0, 0]}


def tint(*colors: str, title: str = "", **attributes: AttributeValue) -> Tint:
    """The tint of a product whose photo has these colors, the first of them most."""
    lab = np.stack([oklab(np.array(named_color(color), np.uint8)) for color in colors])
    shares = np.linspace(2, 1, len(colors), dtype=np.float32)
    photo = EmbeddedPhoto(
        product_id="1",
        sha256="0" * 64,
        vector=np.ones(1, np.float32),
        palette=Palette(lab, shares / shares.sum()),
        attributes=attributes,
        is_main=True,
    )
    (found,) = tints_of([photo], [attributes], {"1": title})
    return found


def test_the_color_on_a_photo_is_that_of_the_named_family() -> None:
    worn_with_jeans = tint("midnightblue", "crimson", color="Red")

    assert worn_with_jeans.name == "red"
    assert worn_with_jeans.vivid > 0.9
    assert np.allclose(worn_with_jeans.color, oklab(np.array(named_color("crimson"), np.uint8)))
    assert tint("midnightblue", "white", color="Red").vivid > 0.9  # as red cloth looks


def test_a_color_without_a_name_is_called_what_it_looks_like() -> None:
    assert tint("crimson").name == tint("crimson", color="NA").name == "red"


@pytest.mark.parametrize("color", ["Navy Blue", "Tan", "Gold", "Coffee Brown"])
def test_some_colors_are_worn_like_neutrals(color: str) -> None:
    assert tint("mediumblue", color=color).vivid < 0.5


def test_blue_denim_is_worn_like_a_neutral_and_purple_denim_is_not() -> None:
    assert tint("royalblue", color="Blue", articleType="Jeans").vivid < 0.5
    assert tint("royalblue", color="Blue", articleType="Shirts").vivid > 0.9
    assert tint("purple", articleType="Jeans").vivid > 0.9


def test_a_print_is_told_by_the_title_the_color_and_the_photo() -> None:
    assert tint("red", title="Red Shirt").print == 0
    assert tint("red", title="Check Red Shirt").print == 1
    assert 0 < tint("red", title="Striped Red Shirt").print < 1
    assert tint("red", color="Multi").print == 1
    assert tint("red", "green", "blue", "white").print > 0.9


def test_without_a_palette_a_product_has_the_name_of_its_color() -> None:
    bare = EmbeddedPhoto(
        product_id="1", sha256="0" * 64, vector=np.ones(1, np.float32), palette=None, attributes={}, is_main=True
    )

    assert tints_of([bare], [{"color": "Green"}], {})[0].name == "green"
    assert tints_of([], [], {}) == []


def test_the_narrowest_known_kind_decides_even_if_it_is_of_no_look() -> None:
    assert kind_of({"articleType": "Stockings", "subCategory": "Bottomwear"}) == "Stockings"
    assert kind_of({"articleType": "Things", "subCategory": "Bottomwear"}) == "Bottomwear"
    assert kind_of({"articleType": "Shirts", "subCategory": "Topwear"}, ["subCategory"]) == "Topwear"
    assert kind_of({}) == ""
