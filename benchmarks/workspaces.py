"""Workspaces to measure on: with a model, and filled with a catalog where only its size matters."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import Write
    from sartor.types import Palette

    Vectors = Iterator[tuple[int, npt.NDArray[np.float32]]]

_STEP = 512
TENTH = "tenth"  # an attribute of products that a fill makes: a tenth of them have each of its values, "0" to "9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """How long a fill took: writing the store, bringing the index up to it, and building the graph."""

    store_s: float
    index_s: float
    graph_s: float


def add_mobilenet_v2(home: Path, network: Path) -> None:
    """Make a workspace with the MobileNetV2 of the data."""
    command = [sys.executable, "-m", "sartor", "models", "add", str(network), "--id", "mobilenet_v2"]
    subprocess.run([*command, "--scaling", "tf", "--home", str(home)], check=True, stdout=subprocess.DEVNULL)


def add_random_resnet50(home: Path, weights: Path) -> None:
    """Make a workspace with a ResNet50 of random weights, max-pooled, and write those weights for Keras.

    Imports TensorFlow, with settings that are not the tutorial's: call it in a process of its own.
    """
    from sartor.choices import Pooling

    add_random_keras(home, "resnet50", weights, pooling=Pooling.MAX.value)


def add_random_keras(home: Path, name: str, weights: Path, *, pooling: str = "avg") -> None:
    """Make a workspace with an ImageNet network of Keras with random weights, and write those weights for Keras.

    Imports TensorFlow, as ``add_random_resnet50`` does.
    """
    from sartor.choices import Pooling
    from sartor.config import Settings
    from sartor.encoders.networks import network
    from sartor.shop.library import export_model
    from tools.random_weights import save_random_weights

    save_random_weights(network(name), weights, rng=np.random.default_rng(0))
    export_model(Settings(home=home), name, pooling=Pooling(pooling), weights=weights, model_id=None)


def fill(home: Path, products: int, vectors: Callable[[int, int], Vectors] | None = None) -> Filled:
    """Fill a workspace with products whose embeddings are made, as if they had been indexed.

    Args:
        home: The workspace.
        products: How many.
        vectors: Gives so many embeddings of so many numbers, in pieces; without it they are random.
    """
    from sartor.config import Settings
    from sartor.ingest.writer import bring_up_to_date, catch_up
    from sartor.shop.library import choose_model, open_models
    from sartor.wiring import open_index, open_truth

    settings = Settings(home=home)
    card = choose_model(settings, open_models(settings))
    compose = composer(home)
    clock = [time.perf_counter()]
    fill_store(home, products, vectors)
    clock.append(time.perf_counter())
    with closing(open_truth(settings)) as truth, open_index(settings, truth, card, compose) as index:
        catch_up(truth.store, index, compose)
        clock.append(time.perf_counter())
        bring_up_to_date(truth.store, index, compose)
    clock.append(time.perf_counter())
    store_s, index_s, graph_s = np.diff(clock).tolist()
    return Filled(store_s=store_s, index_s=index_s, graph_s=graph_s)


def fill_store(home: Path, products: int, vectors: Callable[[int, int], Vectors] | None = None) -> None:
    """Write the products of ``fill`` to the store alone."""
    from sartor.config import Settings
    from sartor.shop.library import choose_model, open_models
    from sartor.store.sqlite.catalog import SqliteCatalogStore

    settings = Settings(home=home)
    card = choose_model(settings, open_models(settings))
    with closing(SqliteCatalogStore(home / "catalog.sqlite3")) as store:
        for start, piece in (vectors or random_vectors)(products, card.dimension):
            store.write(_write(start, piece, card.id))


def composer(home: Path) -> FeatureBuilder:
    """What makes the index's vectors of a workspace's embeddings."""
    from sartor.config import Settings
    from sartor.encoders.heads import Heads
    from sartor.recommend.features import FeatureBuilder
    from sartor.shop.library import choose_model, open_models

    settings = Settings(home=home)
    models = open_models(settings)
    card = choose_model(settings, models)
    return FeatureBuilder(card.id, Heads.read(models.folders().get(card.id), card))


def _write(start: int, vectors: npt.NDArray[np.float32], model: str) -> Write:
    from sartor.store.base import Write
    from sartor.types import Photo, Product, StoredProduct

    by_photo = {f"{row:064x}": vector for row, vector in enumerate(vectors, start)}
    stored = tuple(
        StoredProduct(
            product=Product(id=f"random-{row:08x}", attributes={TENTH: str(row % 10)}),
            photos=(Photo(sha256=sha256, name="", width_px=1, height_px=1, thumbnail=f"{sha256}.webp"),),
        )
        for row, sha256 in enumerate(by_photo, start)
    )
    return Write(products=stored, model=model, embeddings=by_photo, palettes=_palettes(by_photo))


def _palettes(photos: Mapping[str, object]) -> dict[str, Palette]:
    """Three colors for each photo, the same ones each time."""
    from sartor.types import Palette

    shares = np.array([0.6, 0.3, 0.1], np.float32)
    rng = np.random.default_rng(int(next(iter(photos)), 16))
    colors = rng.uniform((0.1, -0.1, -0.1), (0.9, 0.1, 0.1), size=(len(photos), 3, 3)).astype(np.float32)
    return {sha256: Palette(own, shares) for sha256, own in zip(photos, colors, strict=True)}


def random_vectors(count: int, dimension: int) -> Vectors:
    """Random unit vectors, the same ones each time, in pieces: where a piece starts, and ``(m, d)`` float32."""
    rng = np.random.default_rng(0)
    for start in range(0, count, _STEP):
        vectors = rng.normal(size=(min(_STEP, count - start), dimension)).astype(np.float32)
        yield start, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
