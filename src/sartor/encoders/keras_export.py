"""Exporting an ImageNet network of ``keras.applications``: to one ONNX file and its card, once, on one machine.

Serving never imports Keras; what leaves here is all that it needs.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING

from sartor.encoders.card import MODEL_FILE, MODEL_ID, ModelCard, PixelScaling
from sartor.encoders.choices import Layout, Pooling
from sartor.encoders.keras_backend import keras
from sartor.encoders.keras_fetch import official_weights
from sartor.encoders.keras_model import load
from sartor.encoders.keras_onnx import OUTPUT, to_onnx
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.encoders.keras_networks import KerasNetwork

logger = logging.getLogger(__name__)


def export(
    network: KerasNetwork,
    *,
    directory: Path,
    pooling: Pooling = Pooling.AVG,
    weights: Path | None = None,
    model_id: str | None = None,
) -> ModelCard:
    """Write a network as ``model.onnx`` and return its card.

    The same weights give the same bytes again, with the same packages on the same kind of processor.

    Args:
        network: Which network.
        directory: An existing directory for the file.
        pooling: How the last feature map becomes the embedding, which is not normalized yet.
        weights: A Keras weights file; without it the official ImageNet weights, fetched if need be.
        model_id: Id of the model; without it the network's name, with ``-max`` for max pooling.

    Raises:
        WeightsUnavailable: The official weights are not here and cannot be fetched.
        UnusableModel: The weights file is missing or does not fit, or the id is no id.
    """
    model_id = model_id or network.model_id(pooling)
    _check(network, model_id)
    file = weights or official_weights(network)
    started = time.perf_counter()
    model = load(network, file, pooling=pooling)
    content = to_onnx(model, name=network.name).SerializeToString()
    (directory / MODEL_FILE).write_bytes(content)
    logger.info("exported %s: %.1f MB in %.1f s", model_id, len(content) / 1e6, time.perf_counter() - started)
    return ModelCard(
        id=model_id,
        sha256=hashlib.sha256(content).hexdigest(),
        size_px=(network.size_px, network.size_px),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(network.scaling),
        output=OUTPUT,
        dimension=model.output_shape[1],
        license=network.license if weights is None else "unknown",
        origin=_origin(network, file, is_official=weights is None),
    )


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


def _origin(network: KerasNetwork, file: Path, *, is_official: bool) -> str:
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    kind = "ImageNet weights" if is_official else "weights from"
    return f"keras.applications.{network.class_name}, {kind} {file.name} (sha256 {sha256})"
