"""Fixtures that several rooms share."""

from __future__ import annotations

import sqlite3  # noqa: F401 - before TensorFlow, whose own SQLite has no full-text search and would take its place
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

import sartor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor import Shop
from tests.copies import copied
from tests.engines import (  # noqa: F401 - fixtures
    mongodb_address,
    mongodb_server,
    opensearch_address,
    opensearch_server,
    redis_server,
    s3_address,
    s3_key,
    s3_server,
)
from tests.networks import color_network

hypothesis.settings.register_profile("sartor", deadline=None)  # how long an example takes is no test
hypothesis.settings.load_profile("sartor")

# The files that take longest, which come first: else one worker is left alone with one of them at the end.
LONG = (
    "encoders/keras/test_export.py",
    "training/test_train.py",
    "training/test_loop.py",
    "browser/test_storefront.py",
    "browser/test_shopper.py",
    "ingest/test_ray.py",
    "shop/test_congruence.py",
    "store/test_listing.py",
    "test_footprint.py",
    "shop/test_on_shared_catalog.py",
    "ingest/test_pipeline_kill.py",
    "service/test_durability.py",
    "service/test_app.py",
    "service/test_fuzz.py",
    "encoders/keras/test_model_weights.py",
    "index/test_edge.py",
    "training/test_export.py",
)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # xdist would begin with the files that have many tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {Path(__file__).parent / name: index for index, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def color_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return color_network(tmp_path_factory.mktemp("networks") / "color.onnx")


@pytest.fixture(scope="session", autouse=True)
def nothing_bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For the fixtures that several tests share."""
    from sartor.encoders import registry as bundled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundled, "DIRECTORY", tmp_path_factory.mktemp("bundled"))
        yield


@pytest.fixture(autouse=True)
def bundled(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where bundled models lie: none, so that no test depends on what the package ships."""
    from sartor.encoders import registry as bundled

    directory = tmp_path_factory.mktemp("bundled")
    monkeypatch.setattr(bundled, "DIRECTORY", directory)
    return directory


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory, color_file: Path) -> Path:
    """What ``home`` is copied from: adding a model runs its network, which takes longer than most tests."""
    from tests.fakes import add

    directory = tmp_path_factory.mktemp("empty") / "home"
    add(directory, color_file, "color")
    return directory


@pytest.fixture
def home(tmp_path: Path, empty_home: Path) -> Path:
    """A workspace with one model, ``color``, whose embedding is a photo's mean color."""
    return copied(empty_home, tmp_path / "home")


@pytest.fixture
def shop(home: Path) -> Iterator[Shop]:
    with sartor.open(home) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real data is not here: {SHARED_DATA.name} beside the checkout")
    return SHARED_DATA
