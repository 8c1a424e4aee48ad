"""Random weights of a network, with which a test or a benchmark does without the official ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.encoders.card import PixelScaling
from sartor.encoders.choices import Pooling
from sartor.encoders.keras_backend import keras, plain_keras
from sartor.encoders.keras_model import build

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.keras_networks import KerasNetwork


def save_random_weights(network: KerasNetwork, file: Path, *, rng: np.random.Generator) -> None:
    """Write a ``.weights.h5`` file in which every array takes part in the output.

    Keras starts many arrays at 0 or 1, and ConvNeXt's layer scale at 1e-6: a network that ignored them would
    not be found out. Here all are drawn, and batch normalization is fitted to color blocks, so that the
    signal of a photo neither dies nor explodes on its way.
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
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not normalizations:
        return
    for layer in normalizations:
        layer.momentum = 0.0  # so that one batch is enough

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return layer(*args, **kwargs, training=True) if layer in normalizations else layer(*args, **kwargs)

    keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)(inputs)
