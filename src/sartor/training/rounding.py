"""Weights that bf16 holds exactly, so that a network says the same in bf16 as in float32.

Nearly all of what bf16 changes in an embedding is the rounding of the weights. So they are rounded once, here,
before anything is measured or exported; what that shifts in the pooled features, their batch norm takes back.
A runtime multiplies a convolution with the batch norm behind it before it rounds: it is the product that is
rounded here. The hidden layer may have a third of all weights; it is rounded to eight bits, which bf16 holds too
and which take half the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.encoders.keras_backend import keras
from sartor.encoders.onnx_small import in_eight_bits
from sartor.training.network import HIDDEN, NORM

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_KEPT_BITS = 16  # of the 32 of a float, what bf16 has
_LEAST_VARIANCE = 1e-8
_MOST_CHANGE = 2.0


def round_weights(encoder: keras.Model, batches: Sequence[Floats]) -> None:
    """Round an encoder's kernels to what bf16 holds, and let its pooled features keep their mean and spread.

    Args:
        encoder: The encoder.
        batches: Photos as it takes them, ``(n, side_px, side_px, 3)`` each.
    """
    norm = encoder.get_layer(NORM)
    pooled = keras.Model(encoder.inputs[0], norm.input)
    mean, variance = _moments(pooled, batches)
    for layer in encoder.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            _round(layer, _scale_behind(layer)[:, None])
        elif layer.name == HIDDEN:
            levels, factors = in_eight_bits(np.asarray(layer.kernel))
            layer.kernel.assign(levels * factors)
        elif isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            _round(layer, _scale_behind(layer))
    new_mean, new_variance = _moments(pooled, batches)
    change = (new_variance + _LEAST_VARIANCE) / (variance + _LEAST_VARIANCE)
    norm.moving_mean.assign(np.asarray(norm.moving_mean) + new_mean - mean)
    norm.moving_variance.assign(np.asarray(norm.moving_variance) * change.clip(1 / _MOST_CHANGE, _MOST_CHANGE))


def to_bf16(numbers: Floats) -> Floats:
    """The nearest numbers that bf16 holds, ties to even, as float32."""
    bits = numbers.astype(np.float32).view(np.uint32)
    odd = (bits >> _KEPT_BITS) & 1
    rounded = (bits + (1 << (_KEPT_BITS - 1)) - 1 + odd) >> _KEPT_BITS << _KEPT_BITS
    return rounded.astype(np.uint32).view(np.float32)


def _round(layer: Any, scale: Floats) -> None:
    usable = np.where(scale == 0, 1, scale)
    layer.kernel.assign(to_bf16(np.asarray(layer.kernel) * usable) / usable)


def _scale_behind(layer: Any) -> Floats:
    """What the batch norm behind a layer multiplies its channels with, ``(c,)``; 1 without one."""
    consumers = [node.operation for node in layer._outbound_nodes]  # noqa: SLF001 - Keras has no other way
    norms = [each for each in consumers if isinstance(each, keras.layers.BatchNormalization)]
    if len(norms) != 1 or len(consumers) != 1:
        return np.ones(1, np.float32)
    (norm,) = norms
    spread = np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    gamma = np.asarray(norm.gamma) if norm.scale else np.ones_like(spread)
    return np.asarray(gamma / spread, np.float32)


def _moments(pooled: keras.Model, batches: Sequence[Floats]) -> tuple[Floats, Floats]:
    found = np.concatenate([np.asarray(pooled.predict_on_batch(batch)) for batch in batches])
    return found.mean(axis=0), found.var(axis=0)
