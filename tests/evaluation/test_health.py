"""What the health of small catalogs is, where it can be told by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sartor.encoders.card import AttributeHead
from sartor.encoders.heads import Heads
from sartor.evaluation.health import EXAMPLES, HUB_FACTOR, K, examine
from sartor.evaluation.results import HealthFinding
from sartor.recommend.features import FeatureBuilder
from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import Matrix, Palette, Photo, Product, StoredProduct
from tests.fakes import COMPOSER, unit

GRAY = Palette(np.array([[0.5, 0, 0]], np.float32), np.ones(1, np.float32))
ALWAYS_LISTED = [
    "products_without_photo",
    "missing_attribute",
    "duplicate_photos",
    "shared_photo",
    "small_photos",
    "unlike_their_category",
    "outliers",
    "hubs",
    "never_shown",
]


@dataclass
class Catalog:
    """A store to put products into, each with one photo; products of one photo number show the same file."""

    store: SqliteCatalogStore
    photos: int = 0
    vectors: dict[str, Matrix] = field(default_factory=dict)

    def add(self, product_id: str, vector: Matrix | None = None, **told: object) -> None:
        """``px`` and ``bits`` of its photo, ``sha256`` to share one, ``title``; the rest are attributes."""
        self.photos += 1
        number, px = f"{self.photos:064x}", told.pop("px", 300)
        sha256, bits = str(told.pop("sha256", number)), told.pop("bits", self.photos.to_bytes(128))
        photo = Photo(
            sha256=sha256, name="a.jpg", width_px=px, height_px=px, thumbnail=f"{sha256}.jpg", fingerprint=bits
        )
        product = Product(id=product_id, title=str(told.pop("title", "")), attributes=told)
        stored = StoredProduct(product=product, photos=() if vector is None else (photo,))
        known = {} if vector is None else {sha256: vector}
        self.store.write(
            Write(products=(stored,), model="m", embeddings=known, palettes=dict.fromkeys(known, GRAY))
        )

    def findings(self, name: str, composer: FeatureBuilder = COMPOSER) -> list[HealthFinding]:
        return [finding for finding in examine(self.store, composer).findings if finding.name == name]

    def finding(self, name: str, composer: FeatureBuilder = COMPOSER) -> HealthFinding:
        (found,) = self.findings(name, composer)
        return found


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    yield Catalog(store)
    store.close()


def composer_of(name: str, *classes: str) -> FeatureBuilder:
    """Predicts an attribute by the axis that an embedding is nearest to, surely if it lies on one."""
    head = AttributeHead(name=name, output=name, classes=classes)
    return FeatureBuilder("m", Heads((head,), {name: np.eye(3, dtype=np.float32)[:, : len(classes)]}, scale=8.0))


def test_an_empty_catalog_has_every_finding_and_no_case(catalog: Catalog) -> None:
    health = examine(catalog.store, COMPOSER)

    assert [finding.name for finding in health.findings] == ALWAYS_LISTED
    assert {(finding.count, finding.of, finding.examples) for finding in health.findings} == {(0, 0, ())}
    assert (health.products, health.photos, health.model, health.k) == (0, 0, "m", K)


def test_a_catalog_of_one_product_is_well(catalog: Catalog) -> None:
    catalog.add("a", unit(1, 0, 0), color="Red")

    health = examine(catalog.store, COMPOSER)

    assert [finding.name for finding in health.findings] == ALWAYS_LISTED
    assert {finding.name: finding.count for finding in health.findings if finding.count} == {"never_shown": 1}


def test_a_product_without_a_photo_is_told_with_its_title(catalog: Catalog) -> None:
    catalog.add("a", unit(1, 0, 0))
    catalog.add("b", title="Turtle Check Men Navy Blue Shirt")
    catalog.add("c")

    found = catalog.finding("products_without_photo")

    assert (found.count, found.of) == (2, 3)
    assert found.examples == ("b (Turtle Check Men Navy Blue Shirt)", "c")


def test_a_long_title_is_cut_and_examples_are_few(catalog: Catalog) -> None:
    for number in range(30):
        catalog.add(f"p{number:02}", title="A shirt " * 20)

    found = catalog.finding("products_without_photo")

    assert found.count == 30
    assert len(found.examples) == EXAMPLES
    assert found.examples[0].startswith("p00 (A shirt")
    assert found.examples[0].endswith("…)")
    assert len(found.examples[0]) < 60


def test_an_attribute_that_most_have_is_missed_where_it_lacks_or_is_empty(catalog: Catalog) -> None:
    for number, told in enumerate(
        ({"color": "Red", "brand": "X"}, {"color": "Red", "brand": " "}, {"color": "Red", "brand": "X"}, {}, {})
    ):
        catalog.add(f"p{number}", **told)

    (color,) = catalog.findings("missing_attribute")

    assert (color.what, color.count, color.of) == ("products without color", 2, 5)
    assert color.examples == ("p3", "p4")
    catalog.add("p1", color="Red", brand="X")
    brand, color = sorted(catalog.findings("missing_attribute"), key=lambda finding: finding.what)
    assert (brand.what, brand.count, color.count) == ("products without brand", 2, 2)


def test_photos_that_look_the_same_are_told_unless_they_are_of_variants(catalog: Catalog) -> None:
    bits = bytes(range(128))
    catalog.add("a", unit(1, 0, 0), bits=bits)
    catalog.add("b", unit(1, 0.01, 0), bits=bits, title="Shirt")
    catalog.add("c", unit(0, 1, 0))
    assert catalog.finding("duplicate_photos").count == 2
    assert catalog.finding("duplicate_photos").examples == ("a and b",)
    assert catalog.finding("shared_photo").count == 0

    catalog.add("a", unit(1, 0, 0), bits=bits, item_group_id="g")
    assert catalog.finding("duplicate_photos").count == 2
    catalog.add("b", unit(1, 0.01, 0), bits=bits, item_group_id="g")
    assert catalog.finding("duplicate_photos").count == 0


def test_one_file_on_several_products_is_a_shared_photo(catalog: Catalog) -> None:
    for product_id in "abcdef":
        catalog.add(product_id, unit(1, 0, 0), sha256="f" * 64)
    for product_id in "xy":
        catalog.add(product_id, unit(0, 1, 0), sha256="e" * 64, item_group_id="g")

    found = catalog.finding("shared_photo")

    assert (found.count, found.of) == (6, 8)
    assert found.examples == ("a and b, c, d and 2 more",)


def test_small_photos_are_told_once_the_smallest_first(catalog: Catalog) -> None:
    catalog.add("a", unit(1, 0, 0), px=127, title="Shirt")
    catalog.add("b", unit(0, 1, 0), px=128)
    catalog.add("c", unit(0, 0, 1), px=60, sha256="f" * 64)
    catalog.add("d", unit(0, 0, 1), px=60, sha256="f" * 64)

    found = catalog.finding("small_photos")

    assert (found.count, found.of) == (2, 3)
    assert found.examples == ("c, 60 x 60", "a (Shirt), 127 x 127")


def test_a_label_that_the_photo_belies_is_told_with_what_it_looks_like(catalog: Catalog) -> None:
    catalog.add("right", unit(1, 0, 0), articleType="Shirts")
    catalog.add("wrong", unit(1, 0, 0), articleType="Shoes", title="A shoe?")
    catalog.add("unsure", unit(1, 0.9, 0), articleType="Shoes")
    catalog.add("unknown to the model", unit(1, 0, 0), articleType="Tents")
    catalog.add("untold", unit(1, 0, 0))

    found = catalog.finding("unlike_their_category", composer_of("articleType", "Shirts", "Shoes"))

    assert found.what == "products that look unlike their articleType"
    assert (found.count, found.of) == (1, 3)
    assert found.examples == ("wrong (A shoe?): Shoes, looks like Shirts",)


def test_the_label_that_is_most_surely_wrong_comes_first(catalog: Catalog) -> None:
    catalog.add("a", unit(1, 0.1, 0), articleType="Shoes")
    catalog.add("b", unit(1, -0.5, 0), articleType="Shoes")

    found = catalog.finding("unlike_their_category", composer_of("articleType", "Shirts", "Shoes"))

    assert [example.split(":")[0] for example in found.examples] == ["b", "a"]


def test_names_of_one_color_and_unisex_contradict_nothing(catalog: Catalog) -> None:
    catalog.add("navy", unit(1, 0, 0), color="Navy Blue", gender="Unisex")
    catalog.add("red", unit(1, 0, 0), color="Red", gender="Women")

    colors = catalog.finding("unlike_their_category", composer_of("color", "Blue", "Navy Blue", "Red"))
    genders = catalog.finding("unlike_their_category", composer_of("gender", "Men", "Women", "Unisex"))

    assert colors.examples == ("red: Red, looks like Blue",)
    assert genders.examples == ("red: Women, looks like Men",)


def test_a_model_that_predicts_nothing_finds_no_wrong_label(catalog: Catalog) -> None:
    catalog.add("a", unit(1, 0, 0), articleType="Shoes")

    assert catalog.finding("unlike_their_category").of == 0


def cluster(count: int, *, spread: float = 0.2) -> Matrix:
    """Unit vectors around the first axis, ``(count, 8)``."""
    vectors = np.random.default_rng(3).normal(0, spread, (count, 8)).astype(np.float32)
    vectors[:, 0] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_product_far_from_all_others_is_an_outlier_and_never_shown(catalog: Catalog) -> None:
    for number, vector in enumerate(cluster(60)):
        catalog.add(f"p{number:02}", vector)
    catalog.add("odd", unit(-1, *[0] * 7), title="Odd one")

    assert catalog.finding("outliers").examples == ("odd (Odd one)",)
    assert catalog.finding("outliers").of == 61
    assert "odd (Odd one)" in catalog.finding("never_shown").examples


def test_copies_have_no_outlier(catalog: Catalog) -> None:
    for number in range(30):
        catalog.add(f"p{number:02}", unit(1, 0.0001 * (number % 3), 0))

    assert catalog.finding("outliers").count == 0


def test_the_middle_of_everything_is_a_hub(catalog: Catalog) -> None:
    axes = np.eye(200, dtype=np.float32)
    middle = np.full(200, 1 / np.sqrt(200), np.float32)
    for number, vector in enumerate(
        axes
    ):  # at 0 from each other, so that equals decide, and at 0.07 from the middle
        catalog.add(f"p{number:03}", vector)
    catalog.add("zz", middle)

    hubs = catalog.finding("hubs")

    assert "zz, in 200" in hubs.examples
    assert hubs.what == f"products in more than {HUB_FACTOR} times the expected number of top-{K} lists"


def test_every_finding_says_what_follows(catalog: Catalog) -> None:
    catalog.add("a", unit(1, 0, 0))

    for finding in examine(catalog.store, composer_of("color", "Red", "Blue")).findings:
        assert finding.meaning.endswith(".")
