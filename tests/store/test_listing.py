"""Listings and facets."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.errors import BadCursor
from sartor.store.base import CatalogStore, Write
from sartor.types import (
    EVERYTHING,
    AnyOf,
    Between,
    FacetValue,
    Listing,
    ListingQuery,
    Not,
    Product,
    Sort,
    StoredProduct,
    Where,
)
from sartor.values import price_of, title_key, values_of
from tests.store.stores import BROWSED_STORES, Place, opened

ATTRIBUTES = ("color", 'si"ze', "it's", "price")


TEXTS = st.sampled_from(
    ["Red", "red", "Größe", "é", "Ünder Armour", "15", "15.00 USD", "9", "-3", "a b", "", "\0x", "日本"]
)


VALUES = st.one_of(
    TEXTS,
    st.integers(-20, 20),
    st.floats(-20, 20).map(lambda number: round(number, 1)),
    st.booleans(),
    st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
)


TITLES = st.lists(st.sampled_from(["Red", "Shirt", "shirts", "Élan", "elan", "T-Shirt", "日本", "9"]), max_size=3)


PRODUCTS = st.builds(
    lambda number, title, attributes: Product(id=f"p{number}", title=" ".join(title), attributes=attributes),
    st.integers(0, 40),
    TITLES,
    st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES),
)


BOUNDS = st.one_of(st.none(), st.integers(-20, 20).map(float))


POSITIVE = st.one_of(
    st.builds(
        AnyOf,
        attribute=st.sampled_from((*ATTRIBUTES, "none")),
        values=st.lists(st.one_of(TEXTS, st.just("true")), max_size=3).map(tuple),
    ),
    st.builds(Between, attribute=st.sampled_from(ATTRIBUTES), low=BOUNDS, high=BOUNDS),
)


WHERES = st.lists(st.one_of(POSITIVE, st.builds(Not, condition=POSITIVE)), max_size=3).map(
    lambda conditions: Where(tuple(conditions))
)


WORDS = st.sampled_from(
    ["", "", "red", "shirt", "SHIR", "elan", "Élan red", "日本", "grosse", "größe", "p7", "unde arm", "9"]
)


SLOW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=BROWSED_STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with opened(request, request.param, tmp_path) as place:
        yield place


@pytest.fixture
def store(place: Place) -> Iterator[CatalogStore]:
    store = place.open()
    yield store
    store.close()


def write(store: CatalogStore, *products: Product) -> None:
    stored = tuple(StoredProduct(product=product) for product in products)
    store.write(Write(products=stored, model="m", embeddings={}))


def catalog(store: CatalogStore, products: list[Product]) -> list[Product]:
    """Makes these all that the store holds; returns them in the order in which they were added."""
    store.delete(store.product_ids())
    write(store, *products)
    return list({product.id: product for product in products}.values())


def ids(listing: Listing) -> list[str]:
    return [stored.product.id for stored in listing.products]


def pages(store: CatalogStore, query: ListingQuery) -> list[Listing]:
    found = [store.listing(query)]
    while found[-1].next is not None:
        found.append(store.listing(_after(query, found[-1].next)))
    return found


def _after(query: ListingQuery, after: str | None) -> ListingQuery:
    return ListingQuery(where=query.where, words=query.words, sort=query.sort, limit=query.limit, after=after)


def plain(text: str) -> list[str]:
    """Words without accents, with ss for ß."""
    letters = unicodedata.normalize("NFD", text.lower().replace("ß", "ss"))
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return "".join(letter if letter.isalnum() else " " for letter in kept).split()


def has_words(product: Product, words: str) -> bool:
    wanted = plain(words)
    if not wanted or words.strip() == product.id:
        return True
    said = plain(product.title)
    for value in product.attributes.values():
        for item in value if isinstance(value, tuple) else (value,):
            said += [] if isinstance(item, bool) else plain(str(item))
    begins = [word == wanted[-1] or len(word) >= 4 for word in wanted[:-1]] + [True]
    return all(
        any(each.startswith(word) if begin else each == word for each in said)
        for word, begin in zip(wanted, begins, strict=True)
    )


def passes(product: Product, where: Where) -> bool:
    def holds(condition: AnyOf | Between | Not) -> bool:
        if isinstance(condition, Not):
            return not holds(condition.condition)
        own = [value for value in values_of(product) if value.attribute == condition.attribute]
        if isinstance(condition, AnyOf):
            return any(value.text in condition.values for value in own if value.text is not None)
        low = float("-inf") if condition.low is None else condition.low
        high = float("inf") if condition.high is None else condition.high
        return any(low <= value.number <= high for value in own if value.number is not None)

    return all(holds(condition) for condition in where.conditions)


def in_order(products: list[Product], sort: Sort) -> list[str]:
    """Ids of products, which come in the order in which they were added."""
    if sort is Sort.NEWEST:
        return [product.id for product in reversed(products)]
    key = (lambda product: title_key(product.title)) if sort is Sort.TITLE else price_of
    down = sort is Sort.PRICE_DOWN
    told = sorted([each for each in products if key(each) is not None], key=lambda each: (key(each), each.id))
    others = sorted([each for each in products if key(each) is None], key=lambda each: each.id)
    return [each.id for part in (told, others) for each in (reversed(part) if down else part)]


@SLOW
@given(st.lists(PRODUCTS, max_size=25, unique_by=lambda product: product.id), WHERES, WORDS, st.integers(1, 9))
def test_pages_are_those_of_a_plain_reading(
    store: CatalogStore, products: list[Product], where: Where, words: str, limit: int
) -> None:
    there = catalog(store, products)
    expected = [product for product in there if passes(product, where) and has_words(product, words)]
    for sort in Sort:
        found = pages(store, ListingQuery(where=where, words=words, sort=sort, limit=limit))
        listed = [product_id for page in found for product_id in ids(page)]
        assert {page.total for page in found} == {len(expected)}
        if sort is Sort.RELEVANCE:
            assert sorted(listed) == sorted(product.id for product in expected)
        else:
            assert listed == in_order(expected, sort)
        assert all(len(page.products) == limit for page in found[:-1])


@SLOW
@given(st.lists(PRODUCTS, max_size=25, unique_by=lambda product: product.id), WHERES, WORDS, st.integers(1, 9))
def test_facets_are_those_of_a_plain_reading(
    store: CatalogStore, products: list[Product], where: Where, words: str, limit: int
) -> None:
    there = catalog(store, products)
    found = store.facets((*ATTRIBUTES, "none"), where=where, words=words, limit=limit)
    passing = [product for product in there if passes(product, where) and has_words(product, words)]
    for name in (*ATTRIBUTES, "none"):
        counts: dict[str, int] = {}
        for product in passing:
            for text in {value.text for value in values_of(product) if value.attribute == name}:
                counts[text] = counts.get(text, 0) + 1
        ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:limit]
        assert found[name] == [FacetValue(text, count) for text, count in ranked]


@SLOW
@given(
    st.lists(PRODUCTS, min_size=8, max_size=25, unique_by=lambda product: product.id),
    st.lists(st.tuples(st.booleans(), PRODUCTS), max_size=6),
    st.sampled_from(list(Sort)),
    st.sampled_from(["", "shirt", "red"]),
)
def test_products_that_come_and_go_between_pages_move_nothing(
    store: CatalogStore,
    products: list[Product],
    changes: list[tuple[bool, Product]],
    sort: Sort,
    words: str,
) -> None:
    catalog(store, products)
    query = ListingQuery(sort=sort, words=words, limit=2)
    touched: set[str] = set()
    before = [product_id for page in pages(store, query) for product_id in ids(page)]
    page = store.listing(query)
    seen = ids(page)
    while page.next is not None:
        if changes:
            comes, product = changes.pop()
            touched.add(product.id)
            if comes:
                write(store, product)
            else:
                store.delete([product.id])
        page = store.listing(_after(query, page.next))
        seen += ids(page)
    stayed = [product_id for product_id in seen if product_id not in touched]
    assert stayed == [product_id for product_id in before if product_id not in touched]


@SLOW
@given(words=st.text(max_size=60))
def test_any_text_can_be_searched(store: CatalogStore, words: str) -> None:
    write(store, Product(id="a", title="Red shirt"))
    assert store.listing(ListingQuery(words=words)).total in {0, 1}


@pytest.mark.parametrize(
    "words",
    [
        *('"', '""" OR', "shirt AND", "NEAR(a b)", "*", "^red", "title:red", "{title}:", "-", "()", "+", "red*"),
        *("\0", "red\0shirt", "👗", "\ud800", "'; DROP TABLE products"),
        *("a" * 10_000, "a " * 5_000, "a-" * 5_000, "日" * 10_000),
    ],
)
def test_no_words_are_an_error(store: CatalogStore, words: str) -> None:
    write(store, Product(id="a", title="Red shirt"))
    for sort in Sort:
        assert store.listing(ListingQuery(words=words, sort=sort)).total in {0, 1}
    store.facets(
        ["color", "\ud800"], words=words, where=Where((AnyOf(attribute="\ud800", values=("\ud800",)),)), limit=3
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("red shirt", {"a", "b"}),
        ("SHIRT RÉD", {"a", "b"}),
        ("shirt re", {"a", "b"}),
        ("re shirt", set()),
        ("t-shirt", {"b"}),
        ("navy", {"c"}),
        ("ünder", {"c"}),
        ("example", set()),
        ("SKU-7", {"d"}),
        ("sku-7", set()),
        ("...", {"a", "b", "c", "d"}),
    ],
)
def test_words_find(store: CatalogStore, words: str, found: set[str]) -> None:
    write(
        store,
        Product(id="a", title="Red shirts"),
        Product(id="b", title="T-Shirt", attributes={"color": "Red"}),
        Product(
            id="c", title="Cap", attributes={"color": ("Navy", "Blue"), "brand": "Under", "link": "http://example"}
        ),
        Product(id="SKU-7", title="Belt"),
    )
    found = {"SKU-7" if each == "d" else each for each in found}
    assert set(ids(store.listing(ListingQuery(words=words)))) == found


FASHION = (
    ("bjorn", "Bjørn Borg boxers"),
    ("strasse", "Straße sneakers"),
    ("lodz", "Scarf of Łódź"),
    ("dress", "红色连衣裙"),
    ("tee", "Cotton T-Shirt"),
    ("tees", "Tshirt, plain"),
    ("green", "Kleid, grün"),
    ("night", "Nachthemd"),
    ("hat", "Œuvre hat by Þór"),
    ("jeans", "Levi's 501"),
    ("wan", "花柄ワンピース"),
    ("won", "꽃무늬원피스"),
    ("thai", "เสื้อยืดสีแดง"),
    ("full", "\uff26\uff35\uff2c\uff2c width"),
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("bjorn", ["bjorn"]),
        ("bjoern", ["bjorn"]),
        ("bjørn", ["bjorn"]),
        ("strasse", ["strasse"]),
        ("STRASSE snea", ["strasse"]),
        ("lodz", ["lodz"]),
        ("裙", ["dress"]),
        ("连衣裙", ["dress"]),
        ("红色 裙", ["dress"]),
        ("裙连", []),
        ("tshirt", ["tees", "tee"]),
        ("t-shirt", ["tee", "tees"]),
        ("gruen", ["green"]),
        ("grun kleid", ["green"]),
        ("oeuvre", ["hat"]),
        ("thor", ["hat"]),
        ("levis", ["jeans"]),
        ("ワンピ", ["wan"]),
        ("원피스", ["won"]),
        ("ยืด", ["thai"]),
        ("full", ["full"]),
    ],
)
def test_words_are_found_however_they_are_written(store: CatalogStore, words: str, found: list[str]) -> None:
    write(store, *(Product(id=product_id, title=title) for product_id, title in FASHION))
    listing = store.listing(ListingQuery(words=words))
    assert (ids(listing), listing.is_close) == (found, False)


def test_what_has_the_words_as_typed_comes_before_what_is_folded(store: CatalogStore) -> None:
    write(
        store,
        Product(id="typed", title="A long title in which somewhere a bjorn is said", attributes={"brand": "none"}),
        Product(id="folded", title="Bjørn"),
        Product(id="attribute", title="Boxers", attributes={"brand": "Bjørn"}),
    )
    query = ListingQuery(words="bjorn", limit=1)
    assert [product_id for page in pages(store, query) for product_id in ids(page)] == [
        "typed",
        "folded",
        "attribute",
    ]
    assert ids(store.listing(ListingQuery(words="bjørn")))[0] == "folded"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sneekers", {"strasse"}),
        ("snaekers", {"strasse"}),
        ("snekaers boots", set()),
        ("snaekres", {"strasse"}),
        ("hemd", {"night"}),
        ("baxers bjorn", {"bjorn"}),
        ("nachthemt", {"night"}),
        ("hut", set()),
        ("502", set()),
        ("xyzzy", set()),
    ],
)
def test_a_word_that_no_product_has_stands_for_the_closest_ones(
    store: CatalogStore, words: str, found: set[str]
) -> None:
    write(
        store,
        *(Product(id=product_id, title=title, attributes={"has": product_id}) for product_id, title in FASHION),
    )
    listing = store.listing(ListingQuery(words=words))
    assert (set(ids(listing)), listing.total, listing.is_close) == (found, len(found), bool(found))
    counts = store.facets(["has"], words=words, limit=9)["has"]
    assert {count.value for count in counts} == found
    where = Where((AnyOf(attribute="has", values=("nobody",)),))
    assert store.listing(ListingQuery(words=words, where=where)).total == 0


def test_a_word_that_some_product_has_is_never_another_word(store: CatalogStore) -> None:
    write(
        store,
        Product(id="short", title="Short", attributes={"color": "red"}),
        Product(id="shirt", title="Shirt", attributes={"color": "blue"}),
    )
    blue = Where((AnyOf(attribute="color", values=("blue",)),))
    assert store.listing(ListingQuery(words="short", where=blue)) == Listing(products=(), total=0, next=None)


def test_a_word_in_the_title_counts_more(store: CatalogStore) -> None:
    write(
        store,
        Product(id="title", title="Linen trousers"),
        *(Product(id=f"other{number}", title="Shirt") for number in range(5)),
        Product(id="attribute", title="Trousers", attributes={"material": "linen"}),
    )
    assert ids(store.listing(ListingQuery(words="linen"))) == ["title", "attribute"]


def test_the_product_with_the_id_comes_first(store: CatalogStore) -> None:
    write(store, Product(id="15970", title="Shirt"), Product(id="2", title="15970 15970"), Product(id="3"))
    assert ids(store.listing(ListingQuery(words=" 15970 "))) == ["15970", "2"]


def test_an_update_keeps_the_day_a_product_came(store: CatalogStore) -> None:
    write(store, Product(id="old"), Product(id="new"))
    write(store, Product(id="old", title="Changed"))
    assert ids(store.listing(ListingQuery(sort=Sort.NEWEST))) == ["new", "old"]
    store.delete(["old"])
    write(store, Product(id="old"))
    assert ids(store.listing(ListingQuery(sort=Sort.NEWEST))) == ["old", "new"]


def test_many_and_few_products_are_listed_alike(store: CatalogStore) -> None:
    write(
        store,
        *(
            Product(
                id=f"{number:04}",
                attributes={"price": number % 7 or "ask us", "even": number % 2 == 0, "eighth": number % 8 == 0},
            )
            for number in range(5000)
        ),
    )
    even, eighth = (Where((AnyOf(attribute=name, values=("true",)),)) for name in ("even", "eighth"))
    for where, total in ((EVERYTHING, 5000), (even, 2500), (eighth, 625)):
        step = 5000 // total
        for sort, key in (
            (Sort.PRICE_UP, lambda n: (n % 7 or 9, n)),
            (Sort.PRICE_DOWN, lambda n: (-(n % 7), -n)),
        ):
            found = pages(store, ListingQuery(where=where, sort=sort, limit=500))
            expected = [f"{number:04}" for number in sorted(range(0, 5000, step), key=key)]
            assert [product_id for page in found for product_id in ids(page)] == expected
            assert found[0].total == total


def test_no_products_are_no_page(store: CatalogStore) -> None:
    assert store.listing(ListingQuery()) == Listing(products=(), total=0, next=None)
    write(store, Product(id="a"))
    assert store.listing(ListingQuery(limit=0)) == Listing(products=(), total=1, next=None)
    assert store.listing(ListingQuery(limit=-5)).products == ()


def test_a_cursor_that_is_none_is_refused(store: CatalogStore) -> None:
    write(store, *(Product(id=str(number), title=f"t{number}") for number in range(5)))
    cursor = store.listing(ListingQuery(sort=Sort.TITLE, limit=2)).next
    digest = json.loads(base64.urlsafe_b64decode(cursor + "=="))[0]
    forged = [
        json.dumps(place)
        for place in (
            [],
            [digest],
            [digest, 1, "a"],
            [digest, "a", "\ud800"],
            [digest, "a", None],
            [digest, "a", 2**70],
            5,
        )
    ]
    broken = [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in (*forged, "[" * 100_000)]
    for after in ["", "x", "é", "\ud800", cursor[:-2], cursor + "!", *broken]:
        with pytest.raises(BadCursor, match="not from this listing"):
            store.listing(ListingQuery(sort=Sort.TITLE, after=after))


@pytest.mark.parametrize(
    "query",
    [
        ListingQuery(sort=Sort.NEWEST, limit=2),
        ListingQuery(sort=Sort.TITLE, words="x", limit=2),
        ListingQuery(sort=Sort.TITLE, where=Where((AnyOf(attribute="a", values=("b",)),)), limit=2),
    ],
)
def test_a_cursor_of_another_listing_is_refused(store: CatalogStore, query: ListingQuery) -> None:
    write(store, *(Product(id=str(number), title=f"t{number}") for number in range(5)))
    cursor = store.listing(ListingQuery(sort=Sort.TITLE, limit=2)).next
    assert ids(store.listing(ListingQuery(sort=Sort.TITLE, limit=3, after=cursor))) == ["2", "3", "4"]
    with pytest.raises(BadCursor):
        store.listing(_after(query, cursor))


def test_a_cursor_outlives_the_process(store: CatalogStore, place: Place) -> None:
    write(store, *(Product(id=str(number), title="Red shirt " * (1 + number % 3)) for number in range(9)))
    for sort in Sort:
        query = ListingQuery(words="red", sort=sort, limit=4)
        first, second, *_ = pages(store, query)
        again = place.open()
        assert again.listing(_after(query, first.next)) == second
        again.close()


def test_counts_follow_every_write(store: CatalogStore, place: Place) -> None:
    def colors() -> list[FacetValue]:
        return store.facets(["color"], limit=9)["color"]

    write(
        store, Product(id="a", attributes={"color": "Red"}), Product(id="b", attributes={"color": ("Red", "Blue")})
    )
    assert colors() == [FacetValue("Red", 2), FacetValue("Blue", 1)]
    write(store, Product(id="a", attributes={"color": "Blue"}))
    assert colors() == [FacetValue("Blue", 2), FacetValue("Red", 1)]
    other = place.open()
    other.delete(["b"])
    other.facets(["color"], limit=9)  # when it has the answer, all have it
    other.close()
    store.follow()
    assert colors() == [FacetValue("Blue", 1)]


def test_what_was_counted_can_be_changed_by_the_caller(store: CatalogStore) -> None:
    write(store, Product(id="a", attributes={"color": "Red"}))
    store.facets(["color"], limit=9)["color"].clear()
    assert store.facets(["color"], limit=9) == {"color": [FacetValue("Red", 1)]}


def test_few_and_many_are_counted_alike(store: CatalogStore) -> None:
    write(
        store,
        *(
            Product(
                id=str(number), attributes={"part": str(number % 40), "half": str(number % 2), "size": ("S", "M")}
            )
            for number in range(400)
        ),
    )
    for where, count in (({"part": "7"}, 10), ({"half": "1"}, 200)):
        ((name, value),) = where.items()
        found = store.facets(["half", "size"], where=Where((AnyOf(attribute=name, values=(value,)),)), limit=9)
        assert found == {
            "half": [FacetValue("1", count)],
            "size": [FacetValue("M", count), FacetValue("S", count)],
        }


def test_a_filter_bar_shows_what_many_products_have_in_few_values(store: CatalogStore) -> None:
    write(
        store,
        *(
            Product(
                id=str(number),
                attributes={
                    "gender": "WM"[number % 2],
                    "color": str(number % 7),
                    "sizes": ("S", str(number % 3)),
                    "brand": f"b{number % 201}",
                    "always": "x",
                    "item_group_id": str(number % 3),
                    "imageLink": f"file{number % 3}",
                    "page": f"https://example.org/{number % 3}",
                    "price": f"{number % 3} USD",
                    "Title": f"t{number % 3}",
                }
                | ({"season": str(number % 2)} if number < 201 else {})
                | ({"rare": str(number % 2)} if number < 60 else {}),
            )
            for number in range(402)
        ),
    )
    assert store.facet_names() == ("gender", "sizes", "color", "season")
    assert store.facet_names(limit=1) == ("gender",)


def test_an_empty_store_has_no_filter_bar(store: CatalogStore) -> None:
    assert store.facet_names() == ()
    assert store.facets(["color"], limit=9) == {"color": []}
