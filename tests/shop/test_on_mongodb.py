"""A shop whose catalog is in MongoDB answers exactly as one on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed: pip install 'sartor[mongodb]'")

import sartor
from sartor import Shop
from sartor.config import Settings
from sartor.encoders.heads import Heads, Regions
from sartor.imaging import UrlPolicy
from sartor.media.folder import FolderMediaStore
from sartor.shop import Workspace
from sartor.shop.backends import Backends, Lazy
from sartor.shop.library import choose_model, open_encoder, open_models
from sartor.store.mongo.catalog import MongoCatalogStore
from sartor.store.mongo.database import MongoDatabase
from sartor.store.sqlite.events import SqliteEventStore
from sartor.wiring import open_index
from tests.copies import copied
from tests.fakes import photo, various_colors

pytestmark = pytest.mark.engines


def open_on_mongodb(home: Path, database: MongoDatabase) -> Shop:
    settings = Settings(home=home)
    models, store = open_models(settings), MongoCatalogStore(database, home / "replicas")
    backends = Backends(
        home=home,
        store=store,
        events=Lazy(lambda: SqliteEventStore(home / "events.sqlite3")),
        has_events=(home / "events.sqlite3").exists,
        media=FolderMediaStore(home / "media"),
        urls=UrlPolicy(enabled=False),
        models=models,
        choose_model=lambda default: choose_model(settings, models, default=default),
        open_encoder=lambda card: open_encoder(settings, models, card),
        open_index=lambda card, features: open_index(settings, store, card, features),
        heads=lambda card: Heads.read(models.folders().get(card.id), card),
        regions=lambda card: Regions.read(models.folders().get(card.id), card),
    )
    return Shop(Workspace.of(backends))


@pytest.fixture
def database(mongodb_address: str) -> Iterator[MongoDatabase]:
    opened = MongoDatabase(mongodb_address)
    yield opened
    opened.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twenty products in a table, with their photos."""
    directory = tmp_path / "source"
    (directory / "images").mkdir(parents=True)
    rows = ["id,title,gender,price,color,sizes,image"]
    for number, (name, color) in enumerate(various_colors(20).items()):
        (directory / "images" / f"{name}.png").write_bytes(photo(color))
        gender, price = ("Women", "Men", "")[number % 3], number % 7 + 0.5
        shade = ("red", "blue", "dark green")[number % 3]
        title = f"{shade.title()} {('shirt', 'coat')[number % 2]} {number}"
        rows.append(f"{name},{title},{gender},{price},{shade},S|M,images/{name}.png")
    (directory / "products.csv").write_text("\n".join(rows) + "\n")
    return directory


def answers(shop: Shop) -> list[object]:
    """Whatever a shopper can ask for."""
    listings = [
        shop.listing(where=where, words=words, sort=sort, limit=7)
        for where in (None, {"gender": "Women"}, {"price": (2, 5), "color!": "red"})
        for words in ("", "shirt", "dark gr")
        for sort in ("relevance", "newest", "title", "price", "-price")
    ]
    ids = [stored.product.id for stored in shop.listing(limit=100).products]
    return [
        [(page.products, page.total) for page in listings],
        shop.facets(),
        shop.facets(["color", "gender"], where={"price": (2, 5)}, words="shirt"),
        [shop.similar(product=product_id, k=6) for product_id in ids],
        [shop.similar(product=product_id, k=4, where={"gender": "Women"}, diversity=0.5) for product_id in ids],
        shop.similar(color="navy", k=5),
        shop.counts(),
    ]


def test_the_same_catalog_gives_the_same_answers(
    database: MongoDatabase, empty_home: Path, source: Path, tmp_path: Path
) -> None:
    homes = [copied(empty_home, tmp_path / name) for name in ("sqlite", "mongodb")]
    with sartor.open(homes[0]) as embedded, open_on_mongodb(homes[1], database) as grown:
        shops = [embedded, grown]
        reports = [shop.index(source) for shop in shops]
        assert reports[0].products == reports[1].products == 20
        assert answers(embedded) == answers(grown)
        for shop in shops:
            assert shop.delete("p003")
            assert shop.delete("p011")
            assert shop.index(source, limit=12).embedded == 2
        assert answers(embedded) == answers(grown)
    with open_on_mongodb(homes[1], database) as again, sartor.open(homes[0]) as embedded:
        assert answers(embedded) == answers(again)


def test_two_shops_on_one_database_follow_each_other(
    database: MongoDatabase, empty_home: Path, source: Path, tmp_path: Path, mongodb_address: str
) -> None:
    other_database = MongoDatabase(mongodb_address)
    homes = [copied(empty_home, tmp_path / name) for name in ("one", "other")]
    with open_on_mongodb(homes[0], database) as one, open_on_mongodb(homes[1], other_database) as other:
        one.index(source)
        other.warm_up()
        assert [hit.product_id for hit in other.similar(product="p001", k=5)] == [
            hit.product_id for hit in one.similar(product="p001", k=5)
        ]
    other_database.close()
