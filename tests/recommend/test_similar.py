from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sartor.encoders.encoder import unit_norm
from sartor.errors import UnknownAttribute
from sartor.recommend.similar import SimilarQuery, mean_direction, similar
from sartor.types import AnyOf, Neighbor, Photo, Product, StoredProduct, Where
from tests.fakes import unit

PHOTO = Photo(sha256="a" * 64, name="a.jpg", width_px=1, height_px=1, thumbnail="a.jpg")
OTHER = Photo(sha256="b" * 64, name="b.jpg", width_px=1, height_px=1, thumbnail="b.jpg")


class OneShirt:
    """An index and a catalog that hold one product of two photos, the second closer to everything."""

    def search(self, _vector: object, *, k: int, where: Where, without: object, exact: bool) -> list[Neighbor]:
        self.asked = (k, where, without, exact)
        return [Neighbor(product_id="shirt", sha256=OTHER.sha256, score=0.5)]

    def products(self, _ids: object) -> dict[str, StoredProduct]:
        product = Product(id="shirt", title="A shirt", attributes={"color": "Red"})
        return {"shirt": StoredProduct(product=product, photos=(PHOTO, OTHER))}

    def attribute_names(self) -> tuple[str, ...]:
        return ("color",)


def test_a_hit_shows_the_photo_that_was_found() -> None:
    shop = OneShirt()
    (hit,) = similar(SimilarQuery(vectors=(unit(1, 0),)), index=shop, catalog=shop)
    assert (hit.product_id, hit.score, hit.title, hit.photo) == ("shirt", 0.5, "A shirt", OTHER)
    assert hit.attributes == {"color": "Red"}


def test_the_query_is_handed_to_the_index_as_it_is() -> None:
    shop = OneShirt()
    where = Where((AnyOf(attribute="color", values=("Red",)),))
    query = SimilarQuery(vectors=(unit(1, 0),), k=7, where=where, without=frozenset({"skirt"}), exact=True)
    similar(query, index=shop, catalog=shop)
    assert shop.asked == (7, where, frozenset({"skirt"}), True)


def test_an_attribute_that_no_product_has_is_refused() -> None:
    shop = OneShirt()
    where = Where((AnyOf(attribute="colour", values=("Red",)),))
    with pytest.raises(UnknownAttribute, match="did you mean 'color'"):
        similar(SimilarQuery(vectors=(unit(1, 0),), where=where), index=shop, catalog=shop)


def test_k_below_one_is_refused() -> None:
    shop = OneShirt()
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        similar(SimilarQuery(vectors=(unit(1, 0),), k=0), index=shop, catalog=shop)


@given(arrays(np.float32, (4, 6), elements=st.floats(-1, 1, width=32)))
def test_the_mean_of_directions_has_norm_one(vectors: np.ndarray) -> None:
    unit_vectors = [vector for vector in unit_norm(vectors) if not np.isnan(vector[0])]
    if unit_vectors:
        assert np.isclose(np.linalg.norm(mean_direction(unit_vectors)), 1, atol=1e-5)


def test_the_mean_of_two_directions_lies_between_them() -> None:
    assert np.allclose(mean_direction([unit(1, 0), unit(0, 1)]), unit(1, 1))


def test_directions_that_cancel_out_leave_the_first() -> None:
    assert np.array_equal(mean_direction([unit(1, 0), unit(-1, 0)]), unit(1, 0))
