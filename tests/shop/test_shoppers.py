"""What a shop recommends to people, on a small catalog of colors."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sartor
from sartor import Basis, Event, EventType, Person, Shop, errors
from tests.fakes import add, photo

DAY_S = 86_400.0

NOW_S = time.time()
NUMBERS = count()
COLORS = {
    f"{name}-{shade}": tuple(min(255, max(0, part + 12 * shade)) for part in color)
    for name, color in {"red": (200, 10, 10), "green": (10, 180, 20), "blue": (10, 20, 190)}.items()
    for shade in range(5)
}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    lines = ["id,image,title,tone,price"]
    for number, (name, color) in enumerate(COLORS.items()):
        (folder / f"{name}.png").write_bytes(photo(color))
        lines.append(f"{name},{name}.png,{name},{name.partition('-')[0]},{number}")
    (folder / "products.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture
def shop(tmp_path: Path, color_file: Path, catalog: Path) -> Iterator[Shop]:
    add(tmp_path / "home", color_file, "color")
    with sartor.open(tmp_path / "home") as shop:
        shop.index(catalog)
        yield shop


def did(person: str | Person, type_: EventType, product_id: str, *, days_ago: float = 0.0) -> Event:
    who = Person.user(person) if isinstance(person, str) else person
    at_s = NOW_S - days_ago * DAY_S
    return Event(id=f"e{next(NUMBERS)}", type=type_, person=who, at_s=at_s, product_id=product_id)


def tones(feed: object) -> list[str]:
    return [hit.product_id.partition("-")[0] for hit in feed]


def test_the_next_feed_knows_the_last_event(shop: Shop) -> None:
    shop.record(did("ann", EventType.LIKE, "red-2", days_ago=1))
    assert tones(shop.for_user("ann", k=2, diversity=0)) == ["red", "red"]

    shop.record(*(did("ann", EventType.PURCHASE, "blue-2") for _ in range(2)))
    feed = shop.for_user("ann", k=2, diversity=0)
    assert feed.based_on is Basis.HISTORY
    assert tones(feed)[0] == "blue"
    assert feed[0].reasons == ("because you bought blue-2",)


def test_several_interests_are_all_served(shop: Shop) -> None:
    shop.record(did("ann", EventType.LIKE, "red-2"), did("ann", EventType.LIKE, "green-2"))
    assert set(tones(shop.for_user("ann", k=4))) == {"red", "green"}


def test_what_is_disliked_never_comes_back_until_it_is_taken_back(shop: Shop) -> None:
    shop.record(did("ann", EventType.LIKE, "red-2"), did("ann", EventType.DISLIKE, "red-1"))
    everything = {"k": 50, "now_s": NOW_S + 900 * DAY_S}
    assert "red-1" not in {hit.product_id for hit in shop.for_user("ann", **everything)}

    assert shop.withdraw("ann", EventType.DISLIKE, "red-1") == 1
    assert "red-1" in {hit.product_id for hit in shop.for_user("ann", **everything)}


def test_somebody_who_dislikes_only_is_kept_from_it_too(shop: Shop) -> None:
    shop.record(did("ann", EventType.DISLIKE, "red-1"))
    feed = shop.for_user("ann", k=50)
    assert "red-1" not in {hit.product_id for hit in feed}
    assert len(feed) == len(COLORS) - 1


def test_what_was_bought_is_not_recommended_again(shop: Shop) -> None:
    shop.record(did("ann", EventType.PURCHASE, "red-2", days_ago=800), did("ann", EventType.VIEW, "red-3"))
    assert not {"red-2", "red-3"} & {hit.product_id for hit in shop.for_user("ann", k=50)}


def test_without_any_event_people_get_new_products_and_others_than_each_other(shop: Shop) -> None:
    feeds = {name: shop.for_user(name, k=5, now_s=NOW_S) for name in "abcdefgh"}
    assert {feed.based_on for feed in feeds.values()} == {Basis.NEWEST}
    assert len({tuple(hit.product_id for hit in feed) for feed in feeds.values()}) > 4
    assert list(feeds["a"]) == list(shop.for_user("a", k=5, now_s=NOW_S))


def test_a_context_comes_first_and_makes_other_lists(shop: Shop) -> None:
    red = shop.for_user("a", k=5, context={"tone": "red"}, now_s=NOW_S)
    blue = shop.for_user("a", k=5, context={"tone": "blue"}, now_s=NOW_S)
    assert (red.based_on, set(tones(red)), set(tones(blue))) == (Basis.CONTEXT, {"red"}, {"blue"})
    assert len(shop.for_user("a", k=8, context={"tone": "red"})) == 8


def test_what_others_like_comes_before_what_is_new(shop: Shop) -> None:
    shop.record(*(did(f"u{number}", EventType.LIKE, "green-0") for number in range(9)))
    feeds = [
        shop.for_user(f"stranger-{number}", k=3) for number in range(60)
    ]  # chance takes part in each, anew each day
    assert {feed.based_on for feed in feeds} == {Basis.TRENDING}
    seen = Counter(hit.product_id for feed in feeds for hit in feed)
    assert seen.most_common(1)[0][0] == "green-0"
    assert seen["green-0"] > len(feeds) / 2


def test_what_others_did_with_the_same_product_is_recommended(shop: Shop) -> None:
    for number in range(8):
        shop.record(did(f"u{number}", EventType.LIKE, "red-2"), did(f"u{number}", EventType.LIKE, "green-4"))
    shop.record(did("ann", EventType.LIKE, "red-2"))
    hits = {hit.product_id: hit for hit in shop.for_user("ann", k=6)}
    assert any(reason.startswith("chosen by others who") for reason in hits["green-4"].reasons)


def test_a_filter_holds_for_all_feeds(shop: Shop) -> None:
    shop.record(*(did(f"u{number}", EventType.PURCHASE, each) for number in range(3) for each in COLORS))
    where = {"tone": "green"}
    shop.record(did("ann", EventType.LIKE, "red-2"))
    for feed in (
        shop.for_user("ann", where=where), shop.for_user("nobody", where=where), shop.trending(where=where),
        shop.together("red-2", where=where),
    ):  # fmt: skip
        assert set(tones(feed)) == {"green"}
    with pytest.raises(errors.UnknownAttribute):
        shop.trending(where={"tune": "green"})


def test_trending_is_what_most_people_like_lately(shop: Shop) -> None:
    shop.record(*(did(f"u{number}", EventType.LIKE, "blue-1") for number in range(3)))
    shop.record(*(did("one", EventType.VIEW, "red-1") for _ in range(100)))
    shop.record(*(did(f"u{number}", EventType.LIKE, "green-1", days_ago=30) for number in range(9)))
    feed = shop.trending(k=5)
    assert [hit.product_id for hit in feed] == ["blue-1", "red-1"]
    assert "green-1" in {hit.product_id for hit in shop.trending(window_s=60 * DAY_S)}


def test_together_is_what_was_bought_or_seen_with_a_product(shop: Shop) -> None:
    for number in range(3):
        shop.record(
            did(f"u{number}", EventType.PURCHASE, "red-1"), did(f"u{number}", EventType.PURCHASE, "blue-1")
        )
        shop.record(did(f"u{number}", EventType.VIEW, "green-1"))
    assert [hit.product_id for hit in shop.together("red-1", by="bought")] == ["blue-1"]
    assert {hit.product_id for hit in shop.together("red-1")} == {"blue-1", "green-1"}
    with pytest.raises(errors.ProductNotFound):
        shop.together("nothing")


def test_a_visitor_becomes_a_user(shop: Shop) -> None:
    visitor = Person.visitor("v")
    shop.record(did(visitor, EventType.LIKE, "green-2"))
    assert shop.merge("v", into="ann") == 1
    assert set(tones(shop.for_user("ann", k=3))) == {"green"}
    shop.record(did(visitor, EventType.LIKE, "green-3"))
    record = shop.person("ann")
    assert (record.visitors, len(record.events), shop.person(visitor)) == (("v",), 2, record)


def test_who_is_forgotten_is_unknown(shop: Shop) -> None:
    shop.record(did("ann", EventType.LIKE, "red-2"))
    assert shop.forget("ann") == 1
    assert shop.for_user("ann").based_on is Basis.NEWEST
    for ask in (shop.person, shop.forget):
        with pytest.raises(errors.PersonNotFound):
            ask("ann")


def test_favorites_and_what_was_viewed_come_the_last_first(shop: Shop) -> None:
    shop.record(
        did("ann", EventType.LIKE, "red-1", days_ago=3), did("ann", EventType.LIKE, "red-2", days_ago=2),
        did("ann", EventType.DISLIKE, "red-1", days_ago=1), did("ann", EventType.VIEW, "blue-1", days_ago=1),
        did("ann", EventType.VIEW, "gone"), did("ann", EventType.LIKE, "red-3"),
    )  # fmt: skip
    assert [each.product.id for each in shop.favorites("ann")] == ["red-3", "red-2"]
    assert [each.product.id for each in shop.recently_viewed("ann")] == ["blue-1"]


def test_events_of_unknown_products_are_kept_and_count_once_the_catalog_has_them(
    shop: Shop, tmp_path: Path
) -> None:
    taken = shop.record(did("ann", EventType.LIKE, "violet"), did("ann", EventType.VIEW, "red-1"))
    assert (taken.added, taken.unknown_products, shop.event_counts().unknown_products) == (2, 1, 1)

    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "violet.png").write_bytes(photo((120, 10, 200)))
    shop.index(tmp_path / "more")
    assert shop.event_counts().unknown_products == 0
    assert "violet" in {each.product.id for each in shop.favorites("ann")}
    assert "blue" in tones(shop.for_user("ann", k=3))


deeds = st.lists(st.tuples(st.sampled_from(sorted(COLORS)), st.sampled_from(list(EventType)[:-1])), max_size=12)


@given(deeds, st.integers(1, 20), st.floats(0, 1))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_feed_has_distinct_products_that_are_neither_bought_nor_disliked(
    shop: Shop, done: list[tuple[str, EventType]], k: int, diversity: float
) -> None:
    name = f"user {next(NUMBERS)}"
    shop.record(
        *(did(name, type_, product_id, days_ago=-place / 99) for place, (product_id, type_) in enumerate(done))
    )
    feed = shop.for_user(name, k=k, diversity=diversity, now_s=NOW_S + DAY_S)
    hits = [hit.product_id for hit in feed]
    bought = {product_id for product_id, type_ in done if type_ is EventType.PURCHASE}
    disliked = {product_id for product_id, type_ in shop.opinions(name).items() if type_ is EventType.DISLIKE}

    assert len(set(hits)) == len(hits) <= k
    assert not {*hits, *(each for hit in feed for each in hit.variants)} & (bought | disliked)


def test_what_was_published_of_events_is_deleted_with_a_person(shop: Shop) -> None:
    files = shop._backends.learned

    def publish() -> None:
        files.upload("1-0-0", io.BytesIO(b"numbers of events"))
        assert list(files.names()) == ["1-0-0"]

    visitor = Person.visitor("v1")
    shop.record(did("ann", EventType.LIKE, "red-2"), did(visitor, EventType.VIEW, "red-1"))
    for erase in (
        lambda: shop.withdraw("ann", EventType.LIKE, "red-2"),
        lambda: shop.merge("v1", into="ann"),
        lambda: shop.forget("ann"),
    ):
        publish()
        erase()
        assert list(files.names()) == []


@pytest.mark.parametrize("text", ["undefined", "None", "nan", "", "[object Object]"])
def test_a_placeholder_is_nobody_in_python(catalog: Path, text: str) -> None:
    with sartor.open(catalog) as shop:
        before = shop.event_counts()
        for person in (Person.user(text), Person.visitor(text)):
            event = Event(id="e", type=EventType.LIKE, person=person, at_s=NOW_S, product_id="red-0")
            calls = [
                lambda person=person: shop.for_user(person),
                lambda event=event: shop.record(event),
                lambda person=person: shop.recently_viewed(person),
                lambda person=person: shop.favorites(person),
                lambda person=person: shop.opinions(person),
            ]
            for call in calls:
                with pytest.raises(errors.NoIdentity):
                    call()
        for call in (lambda: shop.merge(text, into="ann"), lambda: shop.merge("v", into=text)):
            with pytest.raises(errors.NoIdentity):
                call()
        assert shop.event_counts() == before
