"""The studio's pages, run by Streamlit's own harness over a small workspace of photos of one color each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="streamlit is not installed: pip install 'sartor[studio]'")

import streamlit as st
from streamlit.testing.v1 import AppTest

from sartor.config import Settings
from sartor.ingest.put import ProductInput
from sartor.studio.launch import SCRIPT
from sartor.types import Product
from sartor.wiring import open_shop
from tests.copies import copied
from tests.fakes import BLUE, GREEN, RED, photo

OpenPage = Callable[[str], AppTest]

CATALOG = {
    "red": (RED, {"articleType": "Shirts", "color": "Red", "gender": "Men"}),
    "crimson": ((220, 20, 60), {"articleType": "Shirts", "color": "Red", "gender": "Women"}),
    "green": (GREEN, {"articleType": "Jeans", "color": "Green", "gender": "Men"}),
    "blue": (BLUE, {"articleType": "Jeans", "color": "Blue", "gender": "Women"}),
}


@pytest.fixture(scope="session")
def full_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``catalog`` is copied from."""
    home = copied(empty_home, tmp_path_factory.mktemp("full") / "home")
    with open_shop(Settings(home=home)) as shop:
        shop.put(
            *(
                ProductInput(
                    product=Product(id=name, title=f"A {name} thing", attributes=attributes), photos=[photo(color)]
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
def open_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """Opens a page of the studio on the workspace ``home``."""
    monkeypatch.setenv("SARTOR_HOME", str(home))
    monkeypatch.setenv("SARTOR_STUDIO_API", "")

    def opened(name: str) -> AppTest:
        app = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
        return app if name == "search" else app.switch_page(f"views/{name}.py").run()

    yield opened
    st.cache_resource.clear()
    st.cache_data.clear()


def shown(app: AppTest) -> str:
    """All that the page has as HTML: the tiles."""
    return "".join(each.value for each in app.html)


def texts(app: AppTest) -> str:
    """All that the page says beside its tiles."""
    kinds = (app.error, app.warning, app.info, app.success, app.markdown, app.caption, app.subheader, app.code)
    return "\n".join(str(each.value) for kind in kinds for each in kind)
