"""Exporting an ImageNet network of ``keras.applications``: to one ONNX file and its card, once, on one machine.

Serving never imports Keras; what leaves here is all that it needs.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING

import numpy as np

from sartor.encoders.adoption import made_up_photos, try_out
from sartor.encoders.card import MODEL_FILE, MODEL_ID, ModelCard, PixelScaling
from sartor.encoders.choices import Layout, Pooling
from sartor.encoders.encoder import unit_norm
from sartor.encoders.keras_backend import keras
from sartor.encoders.keras_fetch import official_weights
from sartor.encoders.keras_model import Loaded, pooled, read
from sartor.encoders.keras_onnx import OUTPUT, to_onnx
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sartor.encoders.keras_networks import KerasNetwork
    from sartor.encoders.runtime import LoadRuntime, Runtime

_SAME = 0.9999  # least cosine between what Keras gives for a photo and what the exported network gives

logger = logging.getLogger(__name__)


def export(  # noqa: PLR0913 - each is one thing that a user says, or where it goes
    network: KerasNetwork,
    *,
    directory: Path,
    pooling: Pooling | None = None,
    weights: Path | None = None,
    model_id: str | None = None,
    runtime: LoadRuntime | None = None,
) -> ModelCard:
    """Write a network as ``model.onnx`` and return its card.

    The same weights give the same bytes again, with the same packages on the same kind of processor.

    Args:
        network: Which network.
        directory: An existing directory for the file.
        pooling: How the last feature map becomes the embedding, which is not normalized yet; without it as the
            weights file tells, else the average.
        weights: A Keras weights file; without it the official ImageNet weights, fetched if need be.
        model_id: Id of the model; without it the network's name, with ``-max`` for max pooling.
        runtime: Loads the exported network, to compare it with Keras on two made-up photos.

    Raises:
        WeightsUnavailable: The official weights are not here and cannot be fetched.
        UnusableModel: The weights file is missing or does not fit, the id is no id, or the exported network gives
            other embeddings than Keras.
    """
    _check(network, model_id or network.name)
    file = weights or official_weights(network)
    started = time.perf_counter()
    loaded = read(network, file)
    pooling = pooling or (loaded.told.pooling if weights else None) or Pooling.AVG
    model = pooled(network, loaded.model, pooling)
    content = to_onnx(model, name=network.name).SerializeToString()
    (directory / MODEL_FILE).write_bytes(content)
    card = ModelCard(
        id=model_id or network.model_id(pooling),
        sha256=hashlib.sha256(content).hexdigest(),
        size_px=(network.size_px, network.size_px),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(network.scaling),
        output=OUTPUT,
        dimension=model.output_shape[1],
        license=network.license if weights is None else "unknown",
        origin=_origin(network, file, loaded, is_official=weights is None),
    )
    if runtime is not None:
        _compare(model, card, file, runtime=lambda: runtime(directory / MODEL_FILE, card))
    logger.info("exported %s: %.1f MB in %.1f s", card.id, len(content) / 1e6, time.perf_counter() - started)
    return card


def _check(network: KerasNetwork, model_id: str) -> None:
    if not MODEL_ID.fullmatch(model_id):
        raise UnusableModel(
            network.name,
            reason=f"its id {model_id!r} must be of lower-case letters, digits, dot, dash and underscore",
        )
    if keras.config.backend() != "tensorflow":
        raise UnusableModel(
            network.name,
            reason=f"this process already uses Keras with {keras.config.backend()}; export from a new one",
        )


def _compare(model: keras.Model, card: ModelCard, file: Path, *, runtime: Callable[[], Runtime]) -> None:
    embeddings = try_out(runtime(), card, named=file)  # (2, d), norm 1
    scaled = card.scaling.applied(made_up_photos(*card.size_px))
    expected = unit_norm(np.asarray(keras.ops.convert_to_numpy(model(scaled, training=False))))
    cosines = (embeddings * expected).sum(axis=1)
    if cosines.min() < _SAME:
        raise UnusableModel(
            file, reason=f"exported, it gives other embeddings than Keras itself (cosine {cosines.min():.4f})"
        )


def _origin(network: KerasNetwork, file: Path, loaded: Loaded, *, is_official: bool) -> str:
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    kind = "ImageNet weights" if is_official else "weights from"
    without = f", without its {', '.join(loaded.told.left_out)}" if loaded.told.left_out else ""
    return f"keras.applications.{network.class_name}, {kind} {file.name} (sha256 {sha256}){without}"
