"""Random weights for the networks that tests and benchmarks run, in a file as Keras writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.choices import Pooling
from sartor.encoders.card import PixelScaling
from sartor.encoders.keras.backend import keras, plain_keras
from sartor.encoders.keras.model import build

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.networks import KerasNetwork


def save_random_weights(network: KerasNetwork, file: Path, *, rng: np.random.Generator) -> None:
    """Write a ``.weights.h5`` file in which every array affects the output.

    Keras starts many arrays at 0 or 1, and ConvNeXt's layer scale at 1e-6, so a test would not notice a network
    that ignores them. Here all are drawn, and batch normalization is fitted to color blocks, so that the signal of
    a photo neither vanishes nor explodes.
    """
    model = build(network, pooling=Pooling.AVG)
    for variable in model.variables:
        if "float" in variable.dtype:
            variable.assign(_draw(variable.name, variable.shape, rng))
    with plain_keras():
        _fit_batch_normalization(model, _color_blocks(network, rng))
        model.save_weights(file, overwrite=True)


def _draw(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    if len(shape) > 1:
        is_depthwise = shape[-1] == 1
        inputs = np.prod(shape[:2] if is_depthwise else shape[:-1])
        return rng.normal(0, np.sqrt(2 / inputs), shape)  # He et al. 2015
    if name in {"gamma", "variance"}:
        return rng.uniform(0.5, 1.5, shape)
    return rng.normal(0, 0.1, shape)


def _color_blocks(network: KerasNetwork, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    # Even noise would average out in the deep layers, and their statistics with it.
    cell_px = network.size_px // 8 + 1
    blocks = rng.uniform(0, 255, (2, 8, 8, 3)).repeat(cell_px, axis=1).repeat(cell_px, axis=2)
    scaling = PixelScaling.named(network.scaling)
    photos = blocks[:, : network.size_px, : network.size_px]
    return ((photos - scaling.mean) / scaling.std).astype(np.float32)


def _fit_batch_normalization(model: keras.Model, inputs: npt.NDArray[np.float32]) -> None:
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # so that one batch is enough
        elif isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers):
        model(inputs, training=True)
