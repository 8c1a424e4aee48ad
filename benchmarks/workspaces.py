"""Workspaces to measure on: with a model, and filled with a catalog where only its size matters."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

_STEP = 512


def add_mobilenet_v2(home: Path, network: Path) -> None:
    """Make a workspace with the MobileNetV2 of the data."""
    command = [sys.executable, "-m", "sartor", "models", "add", str(network), "--id", "mobilenet_v2"]
    subprocess.run([*command, "--scaling", "tf", "--home", str(home)], check=True, stdout=subprocess.DEVNULL)


def add_random_resnet50(home: Path, weights: Path) -> None:
    """Make a workspace with a ResNet50 of random weights, max-pooled, and write those weights for Keras.

    Imports TensorFlow, with settings that are not the tutorial's: call it in a process of its own.
    """
    from sartor.assembly import export_model
    from sartor.config import Settings
    from sartor.encoders.choices import Pooling
    from sartor.encoders.keras_networks import network
    from sartor.encoders.keras_random import save_random_weights

    save_random_weights(network("resnet50"), weights, rng=np.random.default_rng(0))
    export_model(Settings(home=home), "resnet50", pooling=Pooling.MAX, weights=weights, model_id=None)


def fill(home: Path, products: int) -> None:
    """Fill a workspace with products whose embeddings are random, as if they had been indexed."""
    from sartor.assembly import choose_model, open_index, open_models
    from sartor.config import Settings
    from sartor.pipelines.sync import catch_up
    from sartor.store.records import Write
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Photo, Product, StoredProduct

    settings = Settings(home=home)
    card = choose_model(settings, open_models(settings))
    store = SqliteStore(home / "catalog.sqlite3")
    for start, vectors in random_vectors(products, card.dimension):
        by_photo = {f"{start + row:064x}": vector for row, vector in enumerate(vectors)}
        stored = tuple(
            StoredProduct(
                product=Product(id=f"random-{sha256[-8:]}"),
                photos=(Photo(sha256=sha256, name="", width_px=1, height_px=1, thumbnail=f"{sha256}.webp"),),
            )
            for sha256 in by_photo
        )
        store.write(Write(products=stored, model=card.id, embeddings=by_photo))
    with open_index(settings, card) as index:
        catch_up(store, index, model=card.id)
        index.optimize()
        index.mark(store.revision)
    store.close()


def random_vectors(count: int, dimension: int) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Random unit vectors, the same ones each time, in pieces: where a piece starts, and ``(m, d)`` float32."""
    rng = np.random.default_rng(0)
    for start in range(0, count, _STEP):
        vectors = rng.normal(size=(min(_STEP, count - start), dimension)).astype(np.float32)
        yield start, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
