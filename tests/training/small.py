"""A training that is over in seconds: few steps, small photos, and a network with few of MobileNetV2's blocks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sartor.choices import Scaling
from sartor.encoders.networks import NETWORKS, KerasNetwork
from sartor.training.recipe import Augmentation, Network, Recipe, Sampling, Schedule, Split

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDE_PX = 32
SMALL = KerasNetwork(
    name="small_mobilenet",
    class_name="SmallMobileNet",
    dimension=8,
    parameters=18_240,
    size_px=SIDE_PX,
    scaling=Scaling.TF,
    weights_url="",
    weights_hash=None,
    license="Apache-2.0",
    early_until="block_1_add",
)
CUT = "block_3_add"  # in the middle of its upper half, as block_12_add is in MobileNetV2

MILD = Augmentation(
    rotation_deg=5, min_crop=0.9, perspective=0.02, lighting=0.1, blur=0, jpeg=0, low_resolution=0, background=0,
    erase=0,
)  # fmt: skip


@contextmanager
def small_network() -> Iterator[KerasNetwork]:
    """The small network, known by its name to Keras and to Sartor."""
    from sartor.encoders.keras.backend import keras

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.applications, SMALL.class_name, _small_mobilenet, raising=False)
        patch.setitem(NETWORKS, SMALL.name, SMALL)
        yield SMALL


@contextmanager
def eager_steps() -> Iterator[None]:
    """Steps that TensorFlow runs as they come: to trace them as a graph takes longer than a dozen of them."""
    from sartor.encoders.keras.backend import tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def small_recipe(*, steps: int, validate_every: int | None = None, base: str = SMALL.name) -> Recipe:
    return Recipe(
        id="small",
        base=base,
        seed=3,
        foreground=False,
        split=Split(share=0.2, near_duplicates=False),
        network=Network(side_px=SIDE_PX, dimension=32, freeze_until=""),
        sampling=Sampling(views=32),
        augmentation=MILD,
        schedule=Schedule(
            steps=steps,
            learning_rate=4e-3,
            validate_every=validate_every or max(1, steps),
            averaging=0.9,
        ),
    )


def _small_mobilenet(*, include_top: bool, weights: None, input_shape: tuple[int, int, int], pooling: Any) -> Any:
    """As ``keras.applications.MobileNetV2`` builds its network: three resolutions, with and without a shortcut.

    Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (CVPR 2018).
    """
    from sartor.encoders.keras.backend import keras

    assert not include_top
    assert weights is None
    photo = keras.Input(input_shape)
    outputs = _normalized(photo, keras.layers.Conv2D(16, 3, 2, "same", use_bias=False, name="Conv1"))
    for number, (channels, stride) in enumerate([(16, 2), (16, 1), (24, 2), (24, 1)]):
        outputs = _inverted_residual(outputs, channels, stride, name=f"block_{number}")
    outputs = _normalized(outputs, keras.layers.Conv2D(SMALL.dimension, 1, use_bias=False, name="Conv_1"))
    if pooling == "avg":
        outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    return keras.Model(photo, outputs)


def _inverted_residual(inputs: Any, channels: int, stride: int, *, name: str) -> Any:
    from sartor.encoders.keras.backend import keras

    layers = keras.layers
    wide = 3 * inputs.shape[-1]
    outputs = _normalized(inputs, layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand"))
    depthwise = layers.DepthwiseConv2D(3, stride, "same", use_bias=False, name=f"{name}_depthwise")
    outputs = _normalized(outputs, depthwise)
    project = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")
    outputs = layers.BatchNormalization(name=f"{name}_project_BN", momentum=0.999)(project(outputs))
    return outputs if stride > 1 else layers.Add(name=f"{name}_add")([inputs, outputs])


def _normalized(inputs: Any, convolution: Any) -> Any:
    from sartor.encoders.keras.backend import keras

    outputs = keras.layers.BatchNormalization(name=f"{convolution.name}_BN", momentum=0.999)(convolution(inputs))
    return keras.layers.ReLU(6.0, name=f"{convolution.name}_relu")(outputs)
