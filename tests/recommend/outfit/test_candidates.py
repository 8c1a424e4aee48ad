from __future__ import annotations

import numpy as np
import pytest

from sartor.encoders.card import AttributeHead
from sartor.encoders.heads import Heads
from sartor.errors import NotInALook, ProductNotFound
from sartor.recommend.features import FeatureBuilder
from sartor.recommend.outfit.candidates import CandidateFinder
from sartor.recommend.outfit.garments import GarmentReader
from sartor.recommend.outfit.rules import Occasion, Slot, Weather
from tests.recommend.small_catalog import MODEL, SmallCatalog


@pytest.fixture
def finder(catalog: SmallCatalog) -> CandidateFinder:
    """Of a model that sees shirts in the first direction of a style, and shoes in the second."""
    head = AttributeHead(name="articleType", classes=("Shirts", "Formal Shoes"), output="type")
    features = FeatureBuilder(MODEL, Heads((head,), {"articleType": np.eye(3, 2, dtype=np.float32)}, scale=10))
    catalog.add("oxfords", (0, 1, 0), articleType="Formal Shoes", usage="Formal", gender="Men", season="Winter")
    catalog.add("shirt sold as shoes", (1, 0, 0), articleType="Formal Shoes", gender="Men")
    catalog.add("kids shirt", (1, 0, 0), articleType="Shirts", gender="Men")
    catalog.add("perfume", (1, 0, 0), articleType="Perfume")
    return CandidateFinder(
        index=catalog.index,
        garments=GarmentReader(catalog.store, features),
        kinds={"articleType": {Slot.SHOES: ["Formal Shoes"], Slot.TOP: ["Shirts"]}},
        genders=("Men",),
        usages=("Formal",),
        seasons=("Winter",),
    )


def test_a_product_is_read_with_what_it_is_worn_for(finder: CandidateFinder) -> None:
    (oxfords,) = finder.read(["oxfords", "perfume", "gone"])

    assert oxfords.piece.slot is Slot.SHOES
    assert oxfords.piece.occasions[0] is Occasion.OFFICE
    assert oxfords.piece.weather[0] is Weather.COLD
    assert (oxfords.person, oxfords.is_mistaken) == ("men", False)


def test_a_photo_of_another_slot_is_a_mistake(finder: CandidateFinder) -> None:
    (shirt,) = finder.read(["shirt sold as shoes"])

    assert shirt.is_mistaken


def test_a_child_is_told_by_the_title(finder: CandidateFinder) -> None:
    (shirt,) = finder.given(["kids shirt"])

    assert shirt.person == "boys"


def test_what_cannot_be_given_is_refused(finder: CandidateFinder) -> None:
    with pytest.raises(NotInALook, match="perfume"):
        finder.given(["oxfords", "perfume"])
    with pytest.raises(ProductNotFound, match="no photo"):
        finder.given(["gone"])
