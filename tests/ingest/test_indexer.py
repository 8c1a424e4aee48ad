"""Of the processes that could write a shared index, one does; the next one goes on where its lease ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from sartor.errors import IndexerReplaced
from sartor.index.edge import EdgeIndex
from sartor.ingest.indexer import LEASE, Indexer
from sartor.ingest.writer import write_changes
from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import Photo, Product, StoredProduct
from tests.fakes import COMPOSER, unit


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteCatalogStore]:
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    yield store
    store.close()


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[EdgeIndex]:
    with EdgeIndex(tmp_path / "index", model="m", dimension=COMPOSER.dimension(2)) as index:
        yield index


def put(store: SqliteCatalogStore, product_id: str, photo: int) -> None:
    sha256 = f"{photo:064x}"
    photos = (Photo(sha256=sha256, name="x", width_px=1, height_px=1, thumbnail=f"{sha256}.jpg"),)
    product = StoredProduct(product=Product(id=product_id), photos=photos)
    store.write(Write(products=(product,), model="m", embeddings={sha256: unit(1, photo)}))


def indexer(store: SqliteCatalogStore, edge: EdgeIndex, terms: list[int], *, lease_s: float = 60.0) -> Indexer:
    """An indexer whose writer refuses a term below one that was there before, as a shared engine does."""

    def open_writer(model: str, features: object, term: int) -> EdgeIndex:
        assert model == "m"
        if terms and term < max(terms):
            raise IndexerReplaced("the index", term=term, newer=max(terms))
        terms.append(term)
        return edge

    return Indexer(store, models=lambda: {"m": COMPOSER}, open_writer=open_writer, lease_s=lease_s)


def test_one_indexer_writes_and_the_other_takes_over_when_it_gives_the_lease_back(
    store: SqliteCatalogStore, edge: EdgeIndex
) -> None:
    terms: list[int] = []
    one, other = indexer(store, edge, terms), indexer(store, edge, terms)
    put(store, "a", 1)
    assert one.step()
    assert not other.step()
    assert edge.revision == store.revision == 1
    put(store, "b", 2)
    assert one.step()
    assert len(edge) == 2
    one.close()
    assert other.step()
    assert not one.step()
    assert terms == [1, 2]
    assert (one.term, other.term) == (None, 2)


def test_a_holder_that_was_paused_stops_before_its_next_page(store: SqliteCatalogStore, edge: EdgeIndex) -> None:
    terms: list[int] = []
    paused, other = indexer(store, edge, terms, lease_s=0.2), indexer(store, edge, terms)
    assert paused.step()
    put(store, "a", 1)
    Event().wait(0.25)
    assert other.step()
    put(store, "b", 2)
    assert not paused.step()
    assert edge.revision == 1
    assert (
        store.lease(LEASE, "a third one", hold_s=1) is None
    )  # the paused one did not give away what is not its own
    paused.close()
    assert store.lease(LEASE, "a third one", hold_s=1) is None
    assert other.step()
    assert edge.revision == 2


def test_an_index_that_has_seen_a_newer_term_ends_the_former_holder(
    store: SqliteCatalogStore, edge: EdgeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    former = indexer(store, edge, [5])
    put(store, "a", 1)
    assert not former.step()
    assert former.term is None
    assert len(edge) == 0
    assert "term 5" in caplog.text


def test_an_index_that_a_former_holder_finished_but_did_not_mark_is_put_in_its_place(
    store: SqliteCatalogStore, edge: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked: list[int] = []
    monkeypatch.setattr(edge, "mark", marked.append)
    put(store, "a", 1)
    write_changes(store, edge, COMPOSER)  # by one that ended just before it marked
    successor = indexer(store, edge, [])
    assert successor.step()
    assert marked == [1]
    assert successor.step()
    assert marked == [1]


def test_who_needs_an_index_up_to_date_writes_it_or_waits_for_the_holder(
    store: SqliteCatalogStore, edge: EdgeIndex
) -> None:
    terms: list[int] = []
    alone = indexer(store, edge, terms)
    put(store, "a", 1)
    assert alone.settle(1, wait_s=0.0, reached=lambda: edge.revision)
    put(store, "b", 2)
    other = indexer(store, edge, terms)
    assert not other.settle(2, wait_s=0.1, reached=lambda: edge.revision)  # the holder does nothing
    alone.start()
    assert other.settle(2, wait_s=20.0, reached=lambda: edge.revision)
    alone.close()
    assert other.step()  # the first one gave its lease back


def test_it_goes_on_after_a_failure(
    store: SqliteCatalogStore, edge: EdgeIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = Event()
    replace = EdgeIndex.replace

    def fail_once(*args: object, **options: object) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("full disk")
        replace(*args, **options)

    monkeypatch.setattr(EdgeIndex, "replace", fail_once)
    put(store, "a", 1)
    one = indexer(store, edge, [])
    one.start()
    for _ in range(200):
        if edge.revision == 1:
            break
        Event().wait(0.05)
    one.close()
    assert edge.revision == 1
    assert caplog.text.count("indexer: failed") == 1
