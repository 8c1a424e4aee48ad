from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sartor.errors import PhotoRejected, ProductNotFound
from sartor.imaging import UrlPolicy
from sartor.recommend.query import EncodedPhotos, Part, QueryEncoder, parts_of
from tests.fakes import BLUE, RED, color_encoder, photo
from tests.recommend.small_catalog import FEATURES, SmallCatalog


def encoder_of(catalog: SmallCatalog) -> QueryEncoder:
    return QueryEncoder(catalog.store, color_encoder(), FEATURES, UrlPolicy())


def red_and_blue() -> bytes:
    """A photo whose left half is red and whose right half is blue."""
    image, stream = Image.new("RGB", (80, 40), RED), BytesIO()
    image.paste(BLUE, (40, 0, 80, 40))
    image.save(stream, "PNG")
    return stream.getvalue()


def test_a_photo_is_encoded_as_its_embedding_and_its_colors(catalog: SmallCatalog) -> None:
    query = encoder_of(catalog).encode(Part(photo=photo(RED), weight=2))

    assert query.features.style.tolist() == [1, 0, 0]
    assert np.linalg.norm(query.features.color) == pytest.approx(1)
    assert query.features.category.shape == (0,)
    assert (query.weight, query.seen.colors) == (2, ("red",))
    assert (query.products, query.groups) == (frozenset(), frozenset())


def test_a_region_of_a_photo_is_encoded_alone(catalog: SmallCatalog) -> None:
    encoder = encoder_of(catalog)
    right = Part(photo=red_and_blue(), box=(0.5, 0, 0.5, 1))

    assert encoder.decode(right).size == (40, 40)
    assert encoder.encode(right).features.style.tolist() == [0, 0, 1]


def test_a_photo_that_comes_again_is_not_computed_again(catalog: SmallCatalog) -> None:
    photos = EncodedPhotos(limit=1)
    encoders = [QueryEncoder(catalog.store, color_encoder(), FEATURES, UrlPolicy(), photos=photos) for _ in "ab"]
    whole, part = Part(photo=red_and_blue()), Part(photo=red_and_blue(), box=(0.5, 0, 0.5, 1), weight=2)
    first, again = (encoder.encode(whole) for encoder in encoders)
    assert again.features is first.features

    other = encoders[1].encode(part)
    assert (other.weight, other.features.style.tolist()) == (2, [0, 0, 1])
    assert encoders[0].encode(whole).features is not first.features  # there is room for one


def test_a_product_is_encoded_as_the_mean_of_its_photos(catalog: SmallCatalog) -> None:
    catalog.add("shirt", (1, 0, 0), (0, 1, 0), item_group_id="g", color="Red")
    query = encoder_of(catalog).encode(Part(product="shirt"))

    assert query.features.style == pytest.approx(np.array([1, 1, 0]) / 2**0.5)
    assert (query.products, query.groups) == ({"shirt"}, {"g"})
    assert query.seen.known == {"item_group_id": "g", "color": "Red"}


def test_a_product_that_is_not_there_or_has_no_photo_is_not_found(catalog: SmallCatalog) -> None:
    catalog.add("idea")
    with pytest.raises(ProductNotFound, match="hat"):
        encoder_of(catalog).encode(Part(product="hat"))
    with pytest.raises(ProductNotFound, match="has no photo to compare"):
        encoder_of(catalog).encode(Part(product="idea"))


def test_what_is_no_photo_is_rejected(catalog: SmallCatalog) -> None:
    with pytest.raises(PhotoRejected):
        encoder_of(catalog).encode(Part(photo=b"no photo"))
    with pytest.raises(ValueError, match="a photo or a product"):
        encoder_of(catalog).encode(Part())


def test_a_photo_is_read_once_to_be_used_several_times(catalog: SmallCatalog) -> None:
    encoder = encoder_of(catalog)
    read = encoder.read(photo(RED))

    assert encoder.read(read) is read
    assert encoder.encode(Part(photo=read)).features.style.tolist() == [1, 0, 0]


def test_photos_and_products_are_parts_of_one_query() -> None:
    heavy = Part(photo="a.jpg", weight=3)

    assert parts_of([heavy, "b.jpg"], ["shirt"]) == [heavy, Part(photo="b.jpg"), Part(product="shirt")]
