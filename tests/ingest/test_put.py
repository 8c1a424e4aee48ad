from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sartor
from sartor.errors import EmptyCatalog, ProductNotFound
from sartor.ingest.put import ProductInput
from sartor.types import Product
from tests.fakes import BLUE, GREEN, RED, folder_of, photo
from tests.thumbnails import age_thumbnails, thumbnails

if TYPE_CHECKING:
    from sartor.shop import Shop


def item(product_id: str, *photos: bytes, title: str = "", keep: bool = False, **attributes: str) -> ProductInput:
    product = Product(id=product_id, title=title, attributes=attributes)
    return ProductInput(product=product, photos=None if keep else photos)


def nearest(shop: Shop, color: tuple[int, int, int]) -> list[str]:
    return [hit.product_id for hit in shop.similar(photo(color, side_px=30), k=5)]


def test_a_product_that_was_put_is_found_at_once_and_after_a_restart(home: Path) -> None:
    with sartor.open(home) as shop:
        (outcome,) = shop.put(item("a", photo(RED), title="A", brand="Acme"))
        assert outcome.created
        assert nearest(shop, RED) == ["a"]
    with sartor.open(home) as shop:
        assert shop.product("a").product == Product(id="a", title="A", attributes={"brand": "Acme"})
        assert nearest(shop, RED) == ["a"]
        assert not shop.check()


def test_putting_again_changes_nothing_and_says_that_it_was_there(shop: Shop) -> None:
    shop.put(item("a", photo(RED), title="A"))
    stored = shop.product("a")
    (outcome,) = shop.put(item("a", photo(RED), title="A"))

    assert not outcome.created
    assert shop.product("a") == stored


def test_without_photos_a_product_keeps_those_that_it_has(shop: Shop) -> None:
    shop.put(item("a", photo(RED), title="A"))
    shop.put(item("a", title="B", keep=True))

    assert shop.product("a").product.title == "B"
    assert nearest(shop, RED) == ["a"]


def test_new_photos_take_the_place_of_the_old_ones(shop: Shop) -> None:
    shop.put(item("a", photo(RED)), item("b", photo(GREEN)))
    shop.put(item("a", photo(BLUE)))

    assert nearest(shop, BLUE)[0] == "a"
    assert len(shop.product("a").photos) == 1


def test_a_product_with_a_bad_photo_stays_as_it_was_and_the_others_are_written(shop: Shop) -> None:
    shop.put(item("a", photo(RED), title="A"))
    outcomes = shop.put(
        item("a", photo(GREEN), b"no photo", title="X"), item("b", photo(BLUE)), item("c", b"no photo")
    )

    assert [outcome.stored is not None for outcome in outcomes] == [False, True, False]
    assert outcomes[0].rejected[0].photo == "photo 2 of a"
    assert outcomes[2].rejected
    assert shop.product("a").product.title == "A"
    assert nearest(shop, BLUE)[0] == "b"
    assert not shop.check()


def test_of_two_items_with_one_id_the_later_counts(shop: Shop) -> None:
    shop.put(item("a", photo(RED), title="first"), item("a", photo(BLUE), title="second"))

    assert shop.product("a").product.title == "second"
    assert nearest(shop, BLUE) == ["a"]


def test_a_deleted_product_is_gone_with_its_photos(home: Path, shop: Shop) -> None:
    shop.put(item("a", photo(RED)), item("b", photo(BLUE)))

    assert shop.delete("a")
    assert not shop.delete("a")
    assert nearest(shop, RED) == ["b"]
    with pytest.raises(ProductNotFound):
        shop.product("a")
    assert not shop.check()


def test_a_thumbnail_goes_with_its_product_unless_it_is_so_young_that_another_process_may_need_it(
    home: Path, shop: Shop
) -> None:
    shop.put(item("a", photo(RED)), item("b", photo(BLUE)))
    shop.delete("a")
    assert len(thumbnails(home)) == 2
    age_thumbnails(home)
    assert [problem.what for problem in shop.check()] == ["thumbnails of no photo"]
    assert not shop.check(repair=True)
    assert len(thumbnails(home)) == 1
    age_thumbnails(home)
    shop.delete("b")
    assert not thumbnails(home)


def test_a_photo_that_another_product_shows_stays(shop: Shop) -> None:
    shop.put(item("a", photo(RED)), item("b", photo(RED)))
    shop.delete("a")

    assert shop.thumbnail(shop.product("b").photos[0]).exists()
    assert nearest(shop, RED) == ["b"]


def test_an_ingested_catalog_takes_single_products_too(shop: Shop, tmp_path: Path) -> None:
    shop.index(folder_of(tmp_path / "photos", {"red": RED, "green": GREEN}))
    shop.put(item("new", photo(BLUE)))

    assert nearest(shop, BLUE)[0] == "new"
    shop.warm_up()
    assert nearest(shop, BLUE)[0] == "new"


def test_a_product_never_vanishes_while_it_is_written_again(shop: Shop) -> None:
    shop.put(item("a", photo(RED)), item("b", photo(GREEN)))
    done, missed = Event(), []

    def watch() -> None:
        while not done.is_set():
            missed.extend(1 for _ in range(5) if "a" not in nearest(shop, RED))

    watcher = Thread(target=watch)
    watcher.start()
    for number in range(40):
        shop.put(item("a", photo(RED), title=str(number)))
    done.set()
    watcher.join()

    assert not missed


def test_the_last_product_leaves_an_empty_catalog(shop: Shop) -> None:
    shop.put(item("a", photo(RED)))
    shop.delete("a")

    with pytest.raises(EmptyCatalog):
        shop.similar(photo(RED))


IDS = st.sampled_from(["a", "b", "c"])
COLORS = st.sampled_from([RED, GREEN, BLUE])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(IDS, st.one_of(st.none(), COLORS)), min_size=1, max_size=8))
def test_after_any_puts_and_deletions_the_index_has_what_the_store_has(
    shop: Shop, steps: list[tuple[str, tuple[int, int, int] | None]]
) -> None:
    for product_id in ("a", "b", "c"):
        shop.delete(product_id)
    expected = {}
    for product_id, color in steps:
        if color is None:
            deleted = shop.delete(product_id) is not None
            assert deleted == (expected.pop(product_id, None) is not None)
        else:
            shop.put(item(product_id, photo(color)))
            expected[product_id] = color

    assert shop.product_ids() == sorted(expected)
    assert not shop.check()


def test_many_variants_of_one_thing_do_not_push_the_others_out(shop: Shop) -> None:
    variants = [item(f"v{number:02}", photo((200, 40 + number, 40)), item_group_id="g") for number in range(40)]
    shop.put(*variants, item("green", photo(GREEN)), item("blue", photo(BLUE)))
    hits = shop.similar(photo((200, 40, 40), side_px=33), k=3)

    assert len(hits) == 3
    assert {hit.product_id for hit in hits} > {"green", "blue"}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_no_index_holds_is_refused_before_anything_is_written(shop: Shop, value: float) -> None:
    with pytest.raises(ValueError, match=f"price of product a is {value}; leave an attribute without a value out"):
        shop.put(ProductInput(product=Product(id="a", attributes={"price": value}), photos=(photo(RED),)))
    assert shop.product_ids() == []
    shop.put(item("b", photo(RED)))
    assert shop.product_ids() == ["b"]
