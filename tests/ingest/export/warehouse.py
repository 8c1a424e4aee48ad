"""A store filled by hand, and products as Hypothesis draws them."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from sartor.catalog.cleaning import cleaned
from sartor.catalog.commerce import Offers
from sartor.catalog.source import Findings
from sartor.ingest.export.source import ExportSource
from sartor.media.folder import FolderMediaStore
from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import Photo, Product, StoredProduct
from tests.fakes import COLOR_CARD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.types import Attributes, Matrix

DIMENSION = 16
CARD = COLOR_CARD.model_copy(update={"id": "m", "dimension": DIMENSION})


def text(*, exclude: str = "") -> st.SearchStrategy[str]:
    """Texts that have no spaces around them, nor unseen characters in them, as an index holds them."""
    letters = st.characters(exclude_categories=["Cs"], exclude_characters=exclude)
    tricky = st.sampled_from(['"', ",", "\n", "\r\n", ";", "|", "\t", "'", "é", "日本", "\u2028", "a", "1", " "])
    drawn = st.lists(letters | tricky, min_size=1, max_size=12).map("".join)
    return drawn.map(cleaned).map(str.strip).filter(bool)


IDS = text(exclude="\0") | st.sampled_from(
    ["1163", "007", "a/b", "../x", "A", "a", "x_2", "x", ".hidden", "Ä" * 80]
)
NAMES = text() | st.sampled_from(
    ["price", "Brand", "base_colour", "colour", "photo", "sku", "image_link", "Title"]
)
VALUES = {
    str: text(exclude="\0"),
    int: st.integers(-(2**63) + 1, 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    tuple: st.lists(text(exclude="\0"), min_size=2, max_size=4).map(tuple),
}


@st.composite
def catalogs(draw: st.DrawFn) -> list[Product]:
    """Products whose attributes each have one type."""
    kinds = draw(st.dictionaries(NAMES, st.sampled_from(list(VALUES)), max_size=5))
    ids = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    optional = {name: VALUES[kind] for name, kind in kinds.items()}
    attributes = st.fixed_dictionaries({}, optional=optional)
    titles = st.just("") | text(exclude="\0")
    offers = Offers(mark=None, findings=Findings())  # a price of 00 is held as 0
    return [
        Product(id=each, title=draw(titles), attributes=offers.tidy(draw(attributes), "drawn")) for each in ids
    ]


def photo(name: str) -> Photo:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return Photo(sha256=sha256, name=name, width_px=1, height_px=1, thumbnail=f"{sha256}.jpg")


def stored(product: Product, *photos: str) -> StoredProduct:
    return StoredProduct(product=product, photos=tuple(photo(name) for name in photos), source="s")


def with_photos(products: Sequence[Product], *, each: int = 1) -> list[StoredProduct]:
    return [
        stored(product, *(f"images/{number}-{made}.jpg" for made in range(each)))
        for number, product in enumerate(products)
    ]


def unit_vectors(count: int, *, dimension: int = DIMENSION) -> Matrix:
    vectors = np.random.default_rng(7).normal(size=(count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Warehouse:
    """A source, and a made to write to."""

    directory: Path
    source: ExportSource

    @property
    def out(self) -> Path:
        made = self.directory / "out"
        made.mkdir(exist_ok=True)
        return made


@contextmanager
def warehouse(products: Sequence[StoredProduct], *, embedded: int | None = None) -> Iterator[Warehouse]:
    """The products in a store, the first ``embedded`` of their photos with embeddings."""
    photos = list(dict.fromkeys(each.sha256 for product in products for each in product.photos))[:embedded]
    vectors = unit_vectors(len(photos))
    with TemporaryDirectory() as name:
        directory = Path(name)
        store = SqliteCatalogStore(directory / "catalog.sqlite3")
        store.write(Write(products=tuple(products), model="m", embeddings=dict(zip(photos, vectors, strict=True))))
        yield Warehouse(
            directory,
            ExportSource(
                store=store,
                media=FolderMediaStore(directory / "media"),
                ids=store.product_ids(),
                on_progress=lambda _: None,
                model=CARD,
            ),
        )
        store.close()


def typed(attributes: Attributes) -> dict[str, tuple[type, object]]:
    """Attributes by name with their types, since Python takes ``True`` for 1."""
    return {name: (type(value), value) for name, value in attributes.items()}
