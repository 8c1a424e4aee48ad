"""What ``store/base.py`` promises of every catalog store and event store. A second one is added to these lists."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sartor.errors import BadCursor, VisitorTaken, WorkspaceUnusable, WriteConflict
from sartor.events.model import Event, EventType, Person, Taken
from sartor.store.base import ApiKey, Change, Write
from sartor.store.sqlite.events import SqliteEventStore
from sartor.types import AnyOf, FacetValue, ListingQuery, Palette, Photo, Product, Sort, StoredProduct, Where
from tests.fakes import unit
from tests.store.stores import CATALOG_STORES, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.store.base import CatalogStore, EventStore

EVENT_STORES = ["sqlite", pytest.param("mongodb", marks=pytest.mark.engines)]

PALETTE = Palette(np.array([[0.5, 0.1, -0.1]], np.float32), np.ones(1, np.float32))
RED = Where((AnyOf(attribute="color", values=("red",)),))
ANN, BOB, GUEST = Person.user("ann"), Person.user("bob"), Person.visitor("guest")


@pytest.fixture(params=CATALOG_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CatalogStore]:
    with opened(request, request.param, tmp_path) as place:
        store = place.open()
        yield store
        store.close()


@pytest.fixture(params=EVENT_STORES)
def events(request: pytest.FixtureRequest) -> EventStore:
    return request.getfixturevalue(f"{request.param}_events")


@pytest.fixture
def sqlite_events(tmp_path: Path) -> Iterator[EventStore]:
    store = SqliteEventStore(tmp_path / "events.sqlite3")
    yield store
    store.close()


@pytest.fixture
def mongodb_events(mongodb_address: str) -> Iterator[EventStore]:
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.events import MongoEventStore

    database = MongoDatabase(mongodb_address)
    yield MongoEventStore(database)
    database.close()


def product(
    product_id: str, *digests: str, title: str = "", source: str = "s", **attributes: object
) -> StoredProduct:
    photos = tuple(
        Photo(
            sha256=digest,
            name=f"{digest}.jpg",
            width_px=2,
            height_px=3,
            thumbnail=f"{digest}.jpg",
            fingerprint=b"f",
        )
        for digest in digests
    )
    return StoredProduct(
        product=Product(id=product_id, title=title, attributes=attributes), photos=photos, source=source
    )


def write(store: CatalogStore, *products: StoredProduct) -> None:
    digests = [photo.sha256 for one in products for photo in one.photos]
    embeddings, palettes = dict.fromkeys(digests, unit(1, 2)), dict.fromkeys(digests, PALETTE)
    store.write(Write(products=products, model="m", embeddings=embeddings, palettes=palettes))


def event(event_id: str, person: Person = ANN, *, at_s: float = 0.0, product_id: str = "p") -> Event:
    return Event(id=event_id, type=EventType.LIKE, person=person, at_s=at_s, product_id=product_id)


def test_an_empty_store_is_at_revision_0(store: CatalogStore) -> None:
    assert store.revision == 0
    assert store.changes(since=0, limit=10) == []
    assert store.damage() == []


def test_each_product_of_a_write_gets_the_next_revision(store: CatalogStore) -> None:
    write(store, product("a"), product("b"))
    write(store, product("a", title="new"))
    assert store.revision == 3
    assert store.changes(since=0, limit=10) == [
        Change(revision=2, product_id="b", deleted=False),
        Change(revision=3, product_id="a", deleted=False),
    ]
    assert store.changes(since=0, limit=1) == [Change(revision=2, product_id="b", deleted=False)]
    assert store.changes(since=3, limit=10) == []


def test_a_deletion_is_a_change_until_the_product_is_written_again(store: CatalogStore) -> None:
    write(store, product("a"))
    store.delete(["a", "unknown"])
    assert store.changes(since=1, limit=10) == [Change(revision=2, product_id="a", deleted=True)]
    write(store, product("a"))
    assert store.changes(since=1, limit=10) == [Change(revision=3, product_id="a", deleted=False)]


def test_a_write_replaces_the_whole_product(store: CatalogStore) -> None:
    write(store, product("a", "1", "2", title="Shirt", color="red"))
    replacement = product("a", "2", title="Coat", sizes=("S", "M"), price=9.5, source="t")
    write(store, replacement)
    assert store.products(["a"]) == {"a": replacement}
    assert store.product_ids(source="s") == []
    assert store.product_ids(source="t") == store.product_ids() == ["a"]
    assert store.attribute_names() == ("color", "price", "sizes")


def test_unknown_ids_and_digests_are_left_out(store: CatalogStore) -> None:
    write(store, product("a", "1"))
    assert list(store.products(["a", "x"])) == ["a"]
    assert store.known(["a", "x"]) == {"a"}
    assert store.products_with_photos(["1", "9"]) == {"a"}
    assert list(store.photos(["1", "9"])) == ["1"]
    assert list(store.palettes(["1", "9"])) == ["1"]
    assert store.embedded("m", ["1", "9"]) == {"1"}
    assert list(store.embeddings("m", ["1", "9"])) == ["1"]
    assert store.embeddings("other", ["1"]) == {}
    assert [photo.product_id for photo in store.embedded_photos("m", ["x", "a"])] == ["a"]


def test_photos_of_no_product_stay_until_they_are_dropped(store: CatalogStore) -> None:
    write(store, product("a", "1"), product("b", "2"))
    store.delete(["a"])
    assert store.embedded("m", ["1", "2"]) == {"1", "2"}
    store.drop_unused_photos()
    assert store.embedded("m", ["1", "2"]) == {"2"}
    assert store.thumbnails() == {"2.jpg"}
    assert store.embedded_keys("m") == {("b", "2")}
    counts = store.counts()
    assert (counts.products, counts.photos, counts.embeddings, counts.sources) == (1, 1, {"m": 1}, {"s": 1})


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        (Sort.NEWEST, ["d", "c", "b", "a"]),
        (Sort.RELEVANCE, ["d", "c", "b", "a"]),
        (Sort.TITLE, ["b", "c", "a", "d"]),
        (Sort.PRICE_UP, ["a", "c", "b", "d"]),
        (Sort.PRICE_DOWN, ["b", "c", "a", "d"]),
    ],
)
def test_pages_of_any_size_together_are_the_listing(store: CatalogStore, sort: Sort, ids: list[str]) -> None:
    write(store, product("a", title="Shoe", price=1), product("b", title="Coat", price=3))
    write(store, product("c", title="Hat", price=2), product("d"))
    whole = store.listing(ListingQuery(sort=sort))
    assert ([one.product.id for one in whole.products], whole.total, whole.next) == (ids, 4, None)
    paged, after = [], None
    while True:
        page = store.listing(ListingQuery(sort=sort, limit=1, after=after))
        paged += [one.product.id for one in page.products]
        if (after := page.next) is None:
            break
    assert paged == ids


def test_a_cursor_belongs_to_its_listing(store: CatalogStore) -> None:
    write(store, product("a"), product("b"))
    cursor = store.listing(ListingQuery(limit=1)).next
    for query in (ListingQuery(after="nonsense"), ListingQuery(after=cursor, where=RED)):
        with pytest.raises(BadCursor):
            store.listing(query)


def test_listings_and_facets_count_what_passes_the_filter_and_the_words(store: CatalogStore) -> None:
    write(store, product("a", title="Red shirt", color="red"), product("b", title="Blue shirt", color="blue"))
    write(store, product("c", title="Coat", color="red"))
    assert {one.product.id for one in store.listing(ListingQuery(where=RED)).products} == {"a", "c"}
    assert {one.product.id for one in store.listing(ListingQuery(words="shirt")).products} == {"a", "b"}
    assert [one.product.id for one in store.listing(ListingQuery(words="shirt", where=RED)).products] == ["a"]
    red, blue = FacetValue("red", 2), FacetValue("blue", 1)
    assert store.facets(["color", "none"], limit=5) == {"color": [red, blue], "none": []}
    assert store.facets(["color"], limit=1) == {"color": [red]}
    assert store.facets(["color"], words="shirt", limit=5) == {"color": [blue, FacetValue("red", 1)]}
    assert store.facets(["color"], where=Where((AnyOf(attribute="color", values=("blue",)),)), limit=5) == {
        "color": [blue]
    }


def test_a_product_that_is_deleted_and_added_again_is_the_newest(store: CatalogStore) -> None:
    write(store, product("a"), product("b"), product("c"))
    write(store, product("a", title="changed"))
    store.delete(["b"])
    write(store, product("d"), product("b"))
    listing = store.listing(ListingQuery(sort=Sort.NEWEST))
    assert [one.product.id for one in listing.products] == ["b", "d", "c", "a"]


def test_products_are_numbered_in_the_order_in_which_they_were_first_added(store: CatalogStore) -> None:
    write(store, product("b"), product("a"))
    write(store, product("b", title="changed"), product("c"))
    numbers = store.numbers(["a", "b", "c", "unknown"])
    assert sorted(numbers, key=numbers.get) == ["b", "a", "c"]
    assert min(numbers.values()) > 0
    store.delete(["a"])
    assert store.numbers(["a"]) == {}
    assert store.listed_revision in range(store.revision + 1)


def test_a_product_that_is_twice_in_a_write_takes_two_revisions(store: CatalogStore) -> None:
    write(store, product("a", title="first"), product("b"), product("a", title="last"))
    assert store.revision == 3
    assert store.products(["a"])["a"].product.title == "last"
    assert [change.product_id for change in store.changes(since=0, limit=9)] == ["b", "a"]


def test_attributes_keep_their_types_their_order_and_any_name(store: CatalogStore) -> None:
    stored = product(
        "a", **{"z": True, "a.b": 1, "$c": 1.0, "": "x", "list": ("1", "2"), "big": 10**30, "\0": "\ud800"}
    )
    plain = product("b", z=False, a=2**40, list=("1",), price=2.0)
    write(store, stored, plain)
    found = store.products(["a", "b"])
    for one in (stored, plain):
        attributes = found[one.product.id].product.attributes
        assert list(attributes.items()) == list(one.product.attributes.items())
        assert [type(value) for value in attributes.values()] == [
            type(value) for value in one.product.attributes.values()
        ]


def test_a_photo_has_an_embedding_of_each_model(store: CatalogStore) -> None:
    write(store, product("a", "1"))
    store.write(Write(products=(product("a", "1"),), model="n-1.5/x", embeddings={"1": unit(3, 4)}))
    assert store.embeddings("m", ["1"])["1"].tolist() == unit(1, 2).tolist()
    assert store.embeddings("n-1.5/x", ["1"])["1"].tolist() == unit(3, 4).tolist()
    assert store.counts().embeddings == {"m": 1, "n-1.5/x": 1}


def test_a_write_that_depends_on_what_was_changed_is_refused_whole(store: CatalogStore) -> None:
    write(store, product("a", "1"), product("b", "2"), product("c"))
    read_at = store.revision
    write(store, product("a", "1", title="changed"))
    store.delete(["b", "c"])
    store.drop_unused_photos()
    before = store.revision
    new = (product("d"), product("a", "2"), product("c"))
    with pytest.raises(WriteConflict) as changed:
        store.write(Write(products=new, model="m", embeddings={}, read_at=read_at))
    assert changed.value.product_ids == ("a", "c")
    with pytest.raises(WriteConflict) as gone:
        store.write(Write(products=new, model="m", embeddings={}, known=["2"]))
    assert gone.value.photos == ("2",)
    assert store.revision == before
    assert store.known(["a", "b", "c", "d"]) == {"a"}
    store.write(Write(products=(product("a", "1"),), model="m", embeddings={}, read_at=before, known=["1"]))


def test_it_says_once_that_something_has_changed(store: CatalogStore) -> None:
    assert store.has_changed()
    write(store, product("a"))
    assert store.has_changed()
    store.set_setting("a", "1")
    assert store.has_changed()
    store.has_changed()
    assert not store.has_changed()


def test_following_changes_nothing_where_nobody_else_wrote(store: CatalogStore) -> None:
    write(store, product("a"))
    store.follow()
    assert store.revision == 1
    assert store.away_since is None


def test_a_setting_is_claimed_once(store: CatalogStore) -> None:
    assert store.claim_setting("a", "1") == "1"
    assert store.claim_setting("a", "2") == "1"
    assert store.setting("a") == "1"


def test_a_lease_has_one_holder_and_a_higher_term_for_each(store: CatalogStore) -> None:
    assert store.lease("job", "one", hold_s=60) == 1
    assert store.lease("job", "two", hold_s=60) is None
    assert store.lease("job", "one", hold_s=60) == 1
    assert store.lease("other job", "two", hold_s=60) == 1
    assert store.lease("job", "one", hold_s=0) == 1
    assert store.lease("job", "two", hold_s=0.05) == 2
    deadline_s = time.monotonic() + 20
    while (term := store.lease("job", "three", hold_s=60)) is None:  # until the time of the second is over
        assert time.monotonic() < deadline_s
    assert term == 3
    assert store.lease("job", "one", hold_s=60) is None


def test_of_many_that_want_a_lease_at_once_one_gets_it(store: CatalogStore) -> None:
    terms: list[int | None] = []
    threads = [
        Thread(target=lambda holder: terms.append(store.lease("job", holder, hold_s=60)), args=(str(number),))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(terms, key=str) == [1, *[None] * 7]


def test_settings_are_set_and_deleted_together(store: CatalogStore) -> None:
    store.set_setting("a", "1")
    store.set_settings({"a": None, "b": "2"})
    assert (store.setting("a"), store.setting("b"), store.setting("c")) == (None, "2", None)
    assert store.settings() == {"b": "2"}


def test_keys_are_listed_oldest_first_and_known_once(store: CatalogStore) -> None:
    new, old = (
        ApiKey(id=name, name=name, scope="read", created_s=at_s) for name, at_s in (("n", 2.0), ("o", 1.0))
    )
    store.add_key(new, b"n")
    store.add_key(old, b"o")
    with pytest.raises(WorkspaceUnusable):
        store.add_key(ApiKey(id="n", name="", scope="read", created_s=3.0), b"x")
    assert store.keys() == (old, new)
    assert store.keys_with_digests() == ((b"o", old), (b"n", new))
    assert store.delete_key("o")
    assert not store.delete_key("o")


def test_an_event_that_is_added_twice_is_a_duplicate(events: EventStore) -> None:
    assert events.add([event("1"), event("2"), event("1")]) == Taken(added=2, duplicates=1)
    assert events.add([event("2")]) == Taken(duplicates=1)
    assert events.counts() == (2, 1)
    assert events.product_counts() == {"p": 2}


def test_a_history_is_in_the_order_of_time_and_recent_events_in_the_reverse(events: EventStore) -> None:
    events.add([event("2", at_s=2), event("1", at_s=1), event("3", at_s=3)])
    assert [one.id for one in events.history(ANN)] == ["1", "2", "3"]
    assert [one.id for one in events.recent(ANN, limit=2)] == ["3", "2"]
    assert [one.id for one in events.recent(ANN, limit=5, until_s=2)] == ["2", "1"]
    assert events.recent(ANN, limit=5, types=[EventType.ADD_TO_CART]) == []


def test_rows_go_on_after_the_last_arrival_number(events: EventStore) -> None:
    events.add([event("1"), event("2", BOB, product_id="q")])
    rows = events.after({}, limit=1)
    assert (len(rows), rows.product_ids) == (1, ("p",))
    rest = events.after(rows.position, limit=5)
    assert (len(rest), rest.product_ids) == (1, ("q",))
    assert len(events.after(rest.position, limit=5)) == 0


def test_a_merged_visitor_counts_as_the_user_before_and_after(events: EventStore) -> None:
    events.add([event("1", GUEST)])
    assert events.merge("guest", into="ann") == 1
    events.add([event("2", GUEST, product_id="q")])
    assert events.resolve(GUEST) == ANN
    assert events.visitors(ANN) == ("guest",)
    assert events.products_of(ANN, [EventType.LIKE]) == {"p", "q"}
    assert events.counts() == (2, 1)
    with pytest.raises(VisitorTaken):
        events.merge("guest", into="bob")


def test_withdrawing_and_forgetting_erase_and_say_how_many(events: EventStore) -> None:
    events.add([event("1"), event("2", product_id="q"), event("3", GUEST), event("4", BOB)])
    events.merge("guest", into="ann")
    before = events.erasures()
    assert events.withdraw(ANN, EventType.LIKE, "q") == 1
    assert events.forget(ANN) == 2
    assert events.erasures() != before
    assert not events.holds(ANN)
    assert not events.holds(GUEST)
    assert events.history(ANN) == []
    assert [one.id for one in events.history(BOB)] == ["4"]


def test_the_log_has_all_events_as_they_came_and_who_was_merged(events: EventStore) -> None:
    events.add(
        [
            event("1", GUEST),
            event("2", ANN),
            replace(event("3", GUEST), type=EventType.VIEW, recommendation_id="r", position=1),
        ]
    )
    events.merge("guest", into="ann")
    events.add([event("4", BOB)])
    first = events.log({}, limit=3)
    rest = events.log(first.position, limit=3)
    found = sorted((*first.events, *rest.events), key=lambda one: one.id)
    assert len(first.events) == 3
    assert [(one.id, one.person) for one in found] == [("1", GUEST), ("2", ANN), ("3", GUEST), ("4", BOB)]
    assert (found[2].recommendation_id, found[2].position) == ("r", 1)
    assert events.log(rest.position, limit=3).events == ()
    assert events.merges() == (("guest", "ann"),)
    events.forget(BOB)
    assert len(events.log({}, limit=9).events) == 3


def test_people_after_a_forgotten_one_are_not_taken_for_others(events: EventStore) -> None:
    events.add([event("1", BOB)])
    events.forget(BOB)
    events.merge("guest", into="ann")  # two new people, in the sequence that counted the erasure
    events.add([event("2", ANN), event("3", GUEST), event("4", Person.user("eve"))])
    rows = events.after({}, limit=9)
    assert rows.people.min() > 0
    assert len(set(rows.people.tolist())) == 2
    assert events.counts() == (3, 2)
    events.forget(ANN)
    assert events.counts() == (1, 1)
