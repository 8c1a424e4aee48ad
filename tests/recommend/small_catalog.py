"""A small catalog in a real store, index and event log, with styles of three numbers that answers follow from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np

from sartor.events.model import Event, EventType, Person
from sartor.index.edge import EdgeIndex
from sartor.ingest.writer import catch_up
from sartor.recommend.base import Model
from sartor.recommend.candidates import CandidateSource, MainPhotos
from sartor.recommend.features import COLOR_DIMENSION, FeatureBuilder
from sartor.recommend.personal.for_you import ForYou
from sartor.recommend.personal.interactions import Interactions
from sartor.recommend.personal.signals import NewProducts
from sartor.recommend.weights import DAY_S
from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.store.sqlite.events import SqliteEventStore
from sartor.types import AttributeValue, Photo, Product, StoredProduct
from tests.fakes import NO_HEADS, unit

MODEL, DIMENSION = "m", 3
FEATURES = FeatureBuilder(MODEL, NO_HEADS)
NOW_S = 1_000 * DAY_S
_NUMBERS = count()


def photo_of(product_id: str, number: int = 0) -> Photo:
    digest = f"{product_id}-{number}".encode().hex().ljust(64, "0")
    return Photo(sha256=digest, name=f"{product_id}.jpg", width_px=1, height_px=1, thumbnail=f"{digest}.jpg")


class SmallCatalog:
    """Products, each with one photo or several, and what people did with them."""

    def __init__(self, store: SqliteCatalogStore, index: EdgeIndex, events: SqliteEventStore) -> None:
        self.store, self.index, self.events = store, index, events
        self.interactions = Interactions(events)

    def add(self, product_id: str, *styles: Sequence[float], **attributes: AttributeValue) -> None:
        """Write a product with a photo of each style."""
        photos = tuple(photo_of(product_id, number) for number in range(len(styles)))
        product = Product(id=product_id, title=product_id.title(), attributes=attributes)
        self.store.write(
            Write(
                products=(StoredProduct(product=product, photos=photos),),
                model=MODEL,
                embeddings={
                    photo.sha256: unit(*style).astype(np.float32)
                    for photo, style in zip(photos, styles, strict=True)
                },
            )
        )
        catch_up(self.store, self.index, FEATURES)

    def did(
        self, person: str, type_: EventType, *product_ids: str, days_ago: float = 0.0, basket: str = ""
    ) -> None:
        """Record the same event with several products."""
        self.events.add([
            Event(
                id=f"{next(_NUMBERS)}",
                type=type_,
                person=Person.user(person),
                at_s=NOW_S - days_ago * DAY_S,
                product_id=product_id,
                basket_id=basket,
            )
            for product_id in product_ids
        ])  # fmt: skip
        self.interactions.follow()

    def candidates(self) -> CandidateSource:
        return CandidateSource(
            index=self.index,
            photos=MainPhotos(self.index),
            catalog=self.store,
            model=Model(attributes=(), predicted=lambda vectors: [{} for _ in vectors], matching=None),
            sizes=(DIMENSION, COLOR_DIMENSION),
        )

    def for_you(self) -> ForYou:
        return ForYou(
            candidates=self.candidates(),
            events=self.events,
            interactions=self.interactions,
            newest=NewProducts(self.store),
        )


@contextmanager
def small_catalog(directory: Path) -> Iterator[SmallCatalog]:
    store = SqliteCatalogStore(directory / "catalog.sqlite3")
    events = SqliteEventStore(directory / "events.sqlite3")
    with EdgeIndex(directory / "index", model=MODEL, dimension=FEATURES.dimension(DIMENSION)) as index:
        yield SmallCatalog(store, index, events)
    events.close()
    store.close()
