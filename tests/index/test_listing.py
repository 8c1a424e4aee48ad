"""The listing's index in OpenSearch beyond what every catalog store promises: indexers, late writes, words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("opensearchpy", reason="opensearch-py is not installed; run: make test")

from sartor.errors import IndexAway, IndexerReplaced, IndexUnusable
from sartor.index.opensearch.connection import OpenSearch
from sartor.index.opensearch.documents import document_id
from sartor.index.opensearch.listed import listed_document, stored_of
from sartor.index.opensearch.listing import OpenSearchListing, OpenSearchListingWriter
from sartor.types import AnyOf, Between, ListedProduct, ListingQuery, Photo, Product, Sort, StoredProduct, Where

if TYPE_CHECKING:
    from sartor.types import Listing

engines = pytest.mark.engines


@pytest.fixture
def server(opensearch_address: str) -> Iterator[OpenSearch]:
    with closing(OpenSearch(opensearch_address)) as opened:
        yield opened


def listed(product_id: str, number: int, title: str = "", **attributes: object) -> ListedProduct:
    product = Product(id=product_id, title=title, attributes=attributes)
    return ListedProduct(stored=StoredProduct(product=product), number=number)


def writer(server: OpenSearch, term: int = 1) -> OpenSearchListingWriter:
    return OpenSearchListingWriter(server, workspace="w", term=term)


def write(
    writer: OpenSearchListingWriter, revision: int, *products: ListedProduct, deleted: tuple[str, ...] = ()
) -> None:
    writer.replace([*deleted, *(one.stored.product.id for one in products)], products, revision=revision)
    writer.advance(revision, changed=len(products))


def ids(listing: Listing) -> list[str]:
    return [stored.product.id for stored in listing.products]


def test_a_document_gives_the_product_back_as_it_was() -> None:
    photo = Photo(sha256="1", name="ü.jpg", width_px=2, height_px=3, thumbnail="1.jpg", fingerprint=b"\0f")
    attributes = {"z": True, "a.b": 1, "": "x", "list": ("1", "2"), "big": 10**30, "\0": "\ud800", "f": 1.0}
    product = Product(id="ü/1", title="Größe", attributes=attributes)
    stored = StoredProduct(product=product, photos=(photo,), source="s")
    document = json.loads(json.dumps(listed_document(ListedProduct(stored=stored, number=7))))
    back = stored_of({"fields": {"stored": [document["stored"]]}})
    assert back == stored
    assert [*map(type, back.product.attributes.values())] == [*map(type, attributes.values())]
    assert list(back.product.attributes) == list(attributes)


@engines
def test_a_former_indexer_brings_nothing_back(server: OpenSearch) -> None:
    former = writer(server)
    write(former, 5, listed("a", 1, "Shirt"), listed("b", 2, "Coat"))
    newer = writer(server, term=2)
    assert newer.revision == 5
    write(newer, 7, listed("a", 1, "Hat"), deleted=("b",))
    for call in (
        lambda: former.replace(["b"], [listed("b", 2, "Coat")], revision=9),
        lambda: former.advance(9, changed=1),
        lambda: former.mark(9),
    ):
        with pytest.raises(IndexerReplaced):
            call()
    (name,) = server.call("GET", f"/{server.options.prefix}-*/_alias")
    action = {"_id": document_id("b"), "version": 6, "version_type": "external_gte"}
    late = {**listed_document(listed("b", 2, "Coat")), "revision": 6, "term": 1}
    answer = server.call("POST", f"/{name}/_bulk", f"{json.dumps({'index': action})}\n{json.dumps(late)}\n")
    assert answer["items"][0]["index"]["status"] == 409
    newer.advance(8, changed=0)
    listing = OpenSearchListing(server, workspace="w")
    page = listing.listing(ListingQuery())
    assert (page.total, [one.product.title for one in page.products]) == (1, ["Hat"])
    assert listing.listed_revision == 8


@engines
def test_what_is_read_stays_until_another_index_has_caught_up(server: OpenSearch) -> None:
    first = writer(server)
    write(first, 3, listed("a", 1))
    listing = OpenSearchListing(server, workspace="w")
    assert ids(listing.listing(ListingQuery())) == ["a"]
    first.clear()
    write(first, 2, listed("b", 1))
    assert ids(listing.listing(ListingQuery())) == ["a"]
    first.mark(2)
    assert ids(listing.listing(ListingQuery())) == ["b"]
    assert listing.listed_revision == 2


@engines
def test_a_listing_that_nobody_has_written_says_so(server: OpenSearch) -> None:
    listing = OpenSearchListing(server, workspace="w")
    assert listing.listed_revision == 0
    for call in (
        lambda: listing.listing(ListingQuery()),
        lambda: listing.facets(["color"], limit=3),
    ):
        with pytest.raises(IndexAway, match="nobody has written the listing there yet; start an indexer"):
            call()
    writer(server)
    assert listing.listing(ListingQuery()).total == 0
    assert listing.facet_names() == ()


@engines
def test_a_listing_of_another_workspace_is_refused(server: OpenSearch) -> None:
    write(writer(server), 1, listed("a", 1))
    other = OpenSearchListing(server, workspace="x")
    with pytest.raises(IndexAway):
        other.listing(ListingQuery())
    server.call(
        "POST",
        "/_aliases",
        {
            "actions": [
                {
                    "add": {
                        "index": f"{server.options.prefix}-w-catalog_listing-1",
                        "alias": f"{server.options.prefix}-x-catalog_listing",
                    }
                }
            ]
        },
    )
    with pytest.raises(IndexUnusable, match="is another workspace's; choose another prefix"):
        other.listing(ListingQuery())


@engines
def test_more_products_than_one_search_returns_are_a_page(
    server: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sartor.index.opensearch.listing._MAX_RESULTS", 4)
    write(
        writer(server),
        9,
        *(listed(f"{number}", number, price=number % 2 or "on request") for number in range(1, 10)),
    )
    listing = OpenSearchListing(server, workspace="w")
    for limit in (3, 4, 5, 8, 9, 20):
        page = listing.listing(ListingQuery(sort=Sort.PRICE_UP, limit=limit))
        assert ids(page) == ["1", "3", "5", "7", "9", "2", "4", "6", "8"][:limit]
        assert (page.next is None) == (limit >= 9)


@engines
def test_the_score_of_a_product_does_not_depend_on_others(server: OpenSearch) -> None:
    writes = writer(server)
    write(writes, 2, listed("a", 1, "Red shirt"), listed("b", 2, "Long red shirt", color="red"))
    listing = OpenSearchListing(server, workspace="w")
    before = ids(listing.listing(ListingQuery(words="red")))
    first = listing.listing(ListingQuery(words="red", limit=1))
    write(writes, 40, *(listed(f"n{number}", number + 3, "Red") for number in range(30)))
    again = listing.listing(ListingQuery(words="red", limit=40, after=first.next))
    assert sorted(before) == ["a", "b"]
    assert ids(first) + [product_id for product_id in ids(again) if product_id in before] == before


@engines
def test_zero_below_zero_is_zero(server: OpenSearch) -> None:
    write(writer(server), 2, listed("minus", 1, price="-0"), listed("plus", 2, price=0))
    listing = OpenSearchListing(server, workspace="w")
    for low, high in ((0.0, None), (-0.0, None), (None, -0.0), (None, 0.0)):
        where = Where((Between(attribute="price", low=low, high=high),))
        assert listing.listing(ListingQuery(where=where)).total == 2
    assert ids(listing.listing(ListingQuery(sort=Sort.PRICE_UP))) == ["minus", "plus"]


@engines
def test_words_of_any_length_are_found_by_their_beginning(server: OpenSearch) -> None:
    write(
        writer(server), 1, listed("a", 1, "x" * 300), *(listed(f"{n}", n + 2, f"shirt{n:04}") for n in range(1500))
    )
    listing = OpenSearchListing(server, workspace="w")
    assert ids(listing.listing(ListingQuery(words="x" * 63))) == ["a"]
    assert ids(listing.listing(ListingQuery(words="x" * 500))) == ["a"]
    assert listing.listing(ListingQuery(words="x" * 64 + " shirt")).total == 0
    assert listing.listing(ListingQuery(words="shirt", limit=0)).total == 1500  # more than any list of expansions
    assert listing.listing(ListingQuery(words="s", where=Where((AnyOf(attribute="a", values=("b",)),)))).total == 0
