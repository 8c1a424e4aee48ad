"""Search by words: ids, texts and photos, what is understood, and what is said of the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sartor.encoders.text.tower import TextTower, TextWeights
from sartor.encoders.text.words import Vocabulary
from sartor.errors import UnknownAttribute
from sartor.recommend.filters import filter_text, where_of
from sartor.recommend.search import Found, Lists, WordSearch, WordsQuery
from sartor.recommend.understood import CatalogValues, read_query
from tests.recommend.small_catalog import DIMENSION, FEATURES, SmallCatalog

WORDS = ("floral", "plain", "leather")  # each is a direction of the photos


def tower() -> TextTower:
    """Knows three words, each of which is one direction; n-grams say nothing."""
    buckets = 4
    weights = TextWeights(
        words=WORDS,
        table=np.vstack([np.eye(DIMENSION), np.zeros((buckets, DIMENSION))]).astype(np.float32),
        straight=np.eye(DIMENSION, dtype=np.float32),
        hidden=np.zeros((DIMENSION, 1), np.float32),
        hidden_bias=np.zeros(1, np.float32),
        out=np.zeros((1, DIMENSION), np.float32),
        bias=np.zeros(DIMENSION, np.float32),
    )
    scale = np.full(len(weights.table), 1 / 127, np.float16)
    arrays = {
        "words": np.frombuffer("\n".join(WORDS).encode(), np.uint8),
        "table": np.rint(weights.table * 127).astype(np.int8),
        "scale": scale,
    }
    names = ("straight", "hidden", "hidden_bias", "out", "bias")
    return TextTower(arrays | {name: getattr(weights, name) for name in names}, Vocabulary.read())


@pytest.fixture
def dresses(catalog: SmallCatalog) -> SmallCatalog:
    catalog.add("rosa-7", [1, 0, 0], color="Red", type="Dresses", gender="Women", price=40)
    catalog.add("acme gown", [0, 1, 0], color="Red", type="Dresses", gender="Women", price=90)
    catalog.add("garden", [1, 0.2, 0], color="Blue", type="Dresses", gender="Women", price=45)
    catalog.add("shirt of acme", [0, 1, 0.1], color="White", type="Shirts", gender="Men", price=20)
    catalog.add("boot", [0, 0, 1], color="Black", type="Boots", gender="Men", price=120)
    return catalog


def search(
    catalog: SmallCatalog,
    words: str,
    *,
    tower_: TextTower | None = None,
    plain: tuple[str, ...] = (),
    **options: object,
) -> Found:
    values = CatalogValues(catalog.store, Vocabulary.read()).now()
    known = frozenset() if tower_ is None else tower_.known
    query = WordsQuery(understood=read_query(words, values, known=known, plain=plain), **{"k": 5} | options)
    candidates = catalog.candidates()
    model = replace(candidates.model, attributes=catalog.store.attribute_names())
    return WordSearch(replace(candidates, model=model), FEATURES, tower_, dimension=DIMENSION).find(query)


def ids(found: Found) -> list[str]:
    return [hit.product_id for hit in found]


def test_an_exact_id_comes_first(dresses: SmallCatalog) -> None:
    found = search(dresses, "rosa-7", tower_=tower())

    assert ids(found)[0] == "rosa-7"
    assert found[0].reasons == ("it has this id",)


def test_photos_are_found_by_what_they_show(dresses: SmallCatalog) -> None:
    found = search(dresses, "floral dress", tower_=tower())

    assert ids(found)[:2] == ["rosa-7", "garden"]
    assert found.by_looks
    assert found[0].style == pytest.approx(1, abs=0.01)
    assert "looks like: floral" in found[0].reasons


def test_words_that_are_values_are_filters(dresses: SmallCatalog) -> None:
    found = search(dresses, "women's red dress under 50", tower_=tower())

    assert ids(found) == ["rosa-7"]
    assert {filter_text(meaning.condition) for meaning in found.understood} == {
        "gender=Women", "color=Red", "type=Dresses", "price=..50",
    }  # fmt: skip


def test_a_filter_that_was_taken_back_does_not_hold(dresses: SmallCatalog) -> None:
    found = search(dresses, "red floral dress", tower_=tower(), plain=("red",))

    assert "garden" in ids(found)


def test_what_no_product_has_together_is_given_up_and_said(dresses: SmallCatalog) -> None:
    found = search(dresses, "red boots", tower_=tower())

    assert [meaning.typed for meaning in found.given_up] == ["red"]
    assert [meaning.typed for meaning in found.understood] == ["boots"]
    assert "boot" in ids(found)


def test_the_price_is_given_up_before_the_kind(dresses: SmallCatalog) -> None:
    found = search(dresses, "boots under 50", tower_=tower())

    assert [meaning.typed for meaning in found.given_up] == ["under 50"]
    assert ids(found) == ["boot"]


def test_texts_are_found_without_a_text_tower(dresses: SmallCatalog) -> None:
    found = search(dresses, "acme")

    assert sorted(ids(found)) == ["acme gown", "shirt of acme"]
    assert not found.by_looks


def test_texts_that_have_some_of_the_words_are_found_where_none_has_all(dresses: SmallCatalog) -> None:
    found = search(dresses, "acme zeppelin")

    assert sorted(ids(found)) == ["acme gown", "shirt of acme"]
    assert found.unknown == ("zeppelin",)
    assert found[0].reasons == ("its text has some of: acme zeppelin",)


def test_a_misspelled_word_is_read_as_another_and_that_is_said(dresses: SmallCatalog) -> None:
    found = search(dresses, "florl", tower_=tower())

    assert found.read_as == {"florl": "floral"}
    assert ids(found)[0] == "rosa-7"


def test_unknown_words_find_nothing_and_that_is_said(dresses: SmallCatalog) -> None:
    found = search(dresses, "xyzzy", tower_=tower())

    assert not found
    assert found.unknown == ("xyzzy",)


def test_a_filter_holds_for_every_hit(dresses: SmallCatalog) -> None:
    found = search(dresses, "acme", where=where_of({"gender": "Men"}), tower_=tower())

    assert ids(found) == ["shirt of acme"]
    with pytest.raises(UnknownAttribute):
        search(dresses, "acme", where=where_of({"sleeve": "long"}))


def test_some_products_are_left_out(dresses: SmallCatalog) -> None:
    assert ids(search(dresses, "acme", exclude=frozenset({"acme gown"}))) == ["shirt of acme"]


def test_values_are_counted_among_what_passes(dresses: SmallCatalog) -> None:
    found = search(dresses, "dress", facets=("color",), tower_=tower())

    assert {facet.value: facet.count for facet in found.facets["color"]} == {"Red": 2, "Blue": 1}


def test_ranks_are_fused(dresses: SmallCatalog) -> None:
    fused = Lists(exact=("c",), whole=("a", "b"), looks=("b", "d")).fused()

    assert max(fused, key=fused.__getitem__) == "c"
    assert fused["b"] > fused["d"]
    assert set(fused) == {"a", "b", "c", "d"}


def test_values_are_read_again_when_the_catalog_has_changed(dresses: SmallCatalog) -> None:
    values = CatalogValues(dresses.store, Vocabulary.read())
    assert not read_query("saree", values.now()).meanings

    dresses.add("silk", [0, 0, 1], color="Gold", type="Sarees", gender="Women")

    assert read_query("saree", values.now()).meanings
