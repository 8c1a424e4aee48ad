from __future__ import annotations

from sartor.recommend.candidates import MainPhotos
from sartor.types import EVERYTHING, AnyOf, Where
from tests.fakes import unit
from tests.recommend.small_catalog import FEATURES, SmallCatalog

WOMEN = Where((AnyOf(attribute="gender", values=("Women",)),))


def ids(neighbors: object) -> list[str]:
    return [neighbor.product_id for neighbor in neighbors]


def test_main_photos_come_in_the_order_asked_for_and_unknown_products_are_left_out(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0), (0, 0, 1))
    catalog.add("skirt", (0, 1, 0))
    photos = MainPhotos(catalog.index).of(["skirt", "hat", "shirt"])

    assert ids(photos) == ["skirt", "shirt"]
    assert photos[1].vector[:3].tolist() == [1, 0, 0]


def test_main_photos_are_read_again_when_the_index_changes(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0))
    photos = MainPhotos(catalog.index)
    photos.warm_up(["shirt", "hat"])
    catalog.add("hat", (0, 0, 1))
    catalog.store.delete(["shirt"])
    catalog.add("shoes", (0, 1, 0))

    assert ids(photos.of(["shirt", "hat", "shoes"])) == ["hat", "shoes"]


def test_the_nearest_products_of_several_queries_come_once_each(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0), (0.9, 0.1, 0))
    catalog.add("skirt", (0, 1, 0))
    query = FEATURES.of_style(unit(1, 0, 0)).joined()
    nearest = catalog.candidates().nearest(query[None].repeat(2, 0), k=2, where=EVERYTHING, without=())

    assert ids(nearest) == ["shirt"]


def test_candidates_pass_a_filter_in_their_order(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0), gender="Men")
    catalog.add("skirt", (0, 1, 0), gender="Women")
    catalog.add("dress", (0, 0, 1), gender="Women")
    candidates = catalog.candidates()

    assert ids(candidates.passing(["skirt", "shirt", "dress"], WOMEN)) == ["skirt", "dress"]
    assert ids(candidates.passing(["dress", "shirt"], EVERYTHING)) == ["dress", "shirt"]
    assert set(ids(candidates.some(WOMEN, limit=5))) == {"skirt", "dress"}


def test_item_groups_are_those_of_products_that_have_one(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0), item_group_id="g")
    catalog.add("skirt", (0, 1, 0))

    assert catalog.candidates().groups_of(["shirt", "skirt", "hat"]) == {"g"}
    assert catalog.candidates().groups_of([]) == frozenset()
