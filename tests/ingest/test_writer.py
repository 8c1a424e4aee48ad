from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.index.edge import EdgeIndex
from sartor.ingest.maintenance import check_index
from sartor.ingest.writer import catch_up
from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import Photo, Product, StoredProduct
from tests.fakes import COMPOSER, unit


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteCatalogStore]:
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    yield store
    store.close()


def index_in(tmp_path: Path) -> EdgeIndex:
    return EdgeIndex(tmp_path / "index", model="m", dimension=COMPOSER.dimension(2))


def put(store: SqliteCatalogStore, product_id: str, photo: int, *, model: str = "m") -> None:
    sha256 = f"{photo:064x}"
    photos = (Photo(sha256=sha256, name="x", width_px=1, height_px=1, thumbnail=f"{sha256}.jpg"),)
    product = StoredProduct(product=Product(id=product_id), photos=photos)
    store.write(Write(products=(product,), model=model, embeddings={sha256: unit(1, photo)}))


def test_an_index_follows_writes_changes_and_deletions(store: SqliteCatalogStore, tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        put(store, "a", 1)
        put(store, "b", 2)
        catch_up(store, index, COMPOSER)
        put(store, "a", 3)
        store.delete(["b"])
        assert catch_up(store, index, COMPOSER) == 2
        assert index.entry_keys() == {("a", f"{3:064x}")}
        assert index.revision == store.revision
        assert catch_up(store, index, COMPOSER) == 0


def test_only_the_embeddings_of_the_model_are_indexed(store: SqliteCatalogStore, tmp_path: Path) -> None:
    put(store, "a", 1)
    put(store, "b", 2, model="other")
    with index_in(tmp_path) as index:
        catch_up(store, index, COMPOSER)
        assert {product_id for product_id, _ in index.entry_keys()} == {"a"}


def test_what_was_not_marked_is_done_again_without_harm(store: SqliteCatalogStore, tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        put(store, "a", 1)
        catch_up(store, index, COMPOSER)
        index.mark(0)
        assert catch_up(store, index, COMPOSER) == 1
        assert len(index) == 1


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcd"), st.integers(1, 5)),
        st.tuples(st.just("delete"), st.sampled_from("abcd"), st.just(0)),
        st.tuples(st.just("catch up"), st.just(""), st.just(0)),
        st.tuples(st.just("reopen"), st.just(""), st.just(0)),
    ),
    max_size=20,
)


@given(steps)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_store_and_index_agree_after_any_history(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, str, int]]
) -> None:
    home = tmp_path_factory.mktemp("home")
    store = SqliteCatalogStore(home / "catalog.sqlite3")
    index = index_in(home)
    for action, product_id, photo in history:
        match action:
            case "put":
                put(store, product_id, photo)
            case "delete":
                store.delete([product_id])
                store.drop_unused_photos()
            case "catch up":
                catch_up(store, index, COMPOSER)
            case "reopen":
                index.close()
                index = index_in(home)
    catch_up(store, index, COMPOSER)
    assert check_index(store, index, model="m") == []
    index.close()
    store.close()
