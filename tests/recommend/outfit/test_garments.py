from __future__ import annotations

import numpy as np
import pytest

from sartor.imaging.color import named_color, oklab
from sartor.recommend.outfit.garments import Garment, GarmentReader, price_of
from sartor.recommend.outfit.rules import Slot
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
