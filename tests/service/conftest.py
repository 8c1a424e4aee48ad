"""A service over a small catalog of photos of one color each."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from sartor.config import ServiceSettings, Settings
from sartor.ingest.put import ProductInput
from sartor.service.app import create_app
from sartor.service.security import Scope, create_key
from sartor.storefront import add_storefront
from sartor.types import Product
from sartor.wiring import open_shop, open_store
from tests.copies import copied
from tests.fakes import BLUE, GREEN, RED, photo

if TYPE_CHECKING:
    from collections.abc import Iterator

Serve = "Callable[..., TestClient]"

CATALOG = {
    "red": (RED, {"articleType": "Shirts", "color": "Red", "gender": "Men", "price": 10, "brand": "Acme"}),
    "crimson": ((220, 20, 60), {"articleType": "Shirts", "color": "Red", "gender": "Women", "price": 25}),
    "green": (GREEN, {"articleType": "Jeans", "color": "Green", "gender": "Men", "price": 40}),
    "blue": (BLUE, {"articleType": "Jeans", "color": "Blue", "gender": "Women", "price": 55.5}),
    "navy/1 & more": ((10, 10, 120), {"articleType": "Caps", "color": "Blue", "gender": "Unisex"}),
}


@contextmanager
def serving(home: Path, **settings: object) -> Iterator[TestClient]:
    """A client of a service that is ready."""
    workspace = Settings(home=home)
    options = ServiceSettings(**{"rate_per_minute": 0} | settings)
    with open_shop(workspace, many_callers=True) as shop, closing(open_store(workspace)) as store:
        app = create_app(shop, store, options, pages=add_storefront)
        with TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 5000)) as client:
            while client.get("/health/ready").status_code != 200:
                time.sleep(0.01)
            yield client


def key_of(home: Path, scope: Scope) -> dict[str, str]:
    """The header of a new API key."""
    with closing(open_store(Settings(home=home))) as store:
        return {"Authorization": f"Bearer {create_key(store, name='test', scope=scope)}"}


@pytest.fixture(scope="session")
def full_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``catalog`` is copied from."""
    home = copied(empty_home, tmp_path_factory.mktemp("full") / "home")
    with open_shop(Settings(home=home)) as shop:
        shop.put(
            *(
                ProductInput(
                    product=Product(id=name, title=f"A {name} thing", attributes=attributes),
                    photos=[photo(color)],
                )
                for name, (color, attributes) in CATALOG.items()
            )
        )
    return home


@pytest.fixture
def catalog(home: Path, full_home: Path) -> Path:
    """The workspace ``home`` with the catalog."""
    return copied(full_home, home)


@pytest.fixture
def client(catalog: Path) -> Iterator[TestClient]:
    """A client of a service over the catalog, without keys or limits."""
    with serving(catalog) as ready:
        yield ready
