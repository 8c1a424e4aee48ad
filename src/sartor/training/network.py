"""The encoder that is trained: a base network, pooled at three resolutions, an embedding, and attribute logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.encoders.keras.backend import keras

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.card import PixelScaling


EMBEDDING = "embedding"
FEATURES = "feature_map_"  # and the number of the map, from the finest
NORM = "pooled_norm"
HIDDEN = "hidden"

_IMAGE_AXES = 4
_LEVELS = 3  # resolutions that are pooled: the last one and the two before it
_MAX_MOMENTUM = 0.99  # of batch norm; MobileNetV2 comes with 0.999, which takes thousands of steps to follow
_STEPS_TO_FOLLOW = 0.1  # share of a training in which batch norm follows new statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of the encoder's layers.

    Attributes:
        side_px: Height and width of a photo.
        dimension: Length of the embedding.
        attributes: Number of classes by attribute.
        multi_level: Whether earlier feature maps are pooled, too.
        hidden: Units of the hidden layer before the embedding; 0 for no such layer.
        dropout: Share of them that a step does not see.
        scale: Of the cosine between an embedding and a class.
    """

    side_px: int
    dimension: int
    attributes: Mapping[str, int]
    multi_level: bool = True
    hidden: int = 0
    dropout: float = 0.0
    scale: float = 20.0


class UnitNorm(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Vectors of length 1."""

    def call(self, inputs: Any) -> Any:
        """``(n, d)`` to ``(n, d)``."""
        return keras.ops.normalize(inputs, axis=-1, epsilon=1e-6)


class ClassVectors(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A unit vector for each class; its logit is the scaled cosine with the embedding.

    Source: the normalized softmax of Zhai and Wu, "Classification is a Strong Baseline for Deep Metric
    Learning" (BMVC 2019).
    """

    def __init__(self, classes: int, *, scale: float, **options: Any) -> None:
        """``classes`` is the number of classes, ``scale`` multiplies the cosines."""
        super().__init__(**options)
        self._classes, self._scale = classes, scale

    def build(self, input_shape: Any) -> None:
        """Make the vectors."""
        self.vectors = self.add_weight(
            name="vectors", shape=(input_shape[-1], self._classes), initializer="glorot_uniform"
        )

    def call(self, inputs: Any) -> Any:
        """``(n, d)`` unit vectors to ``(n, c)`` logits in [-scale, scale]."""
        return self._scale * keras.ops.matmul(inputs, keras.ops.normalize(self.vectors, axis=0, epsilon=1e-6))


def encoder(base: keras.Model, shape: Shape) -> keras.Model:
    """The encoder on a base network.

    Takes ``(n, side_px, side_px, 3)`` float32, scaled as the base expects; gives a dict with ``embedding``
    ``(n, d)``, the pooled maps ``feature_map_0`` … ``(n, h, w, c)``, the finest first, and the logits
    ``(n, classes)`` of each attribute.
    """
    maps = feature_maps(base)[-_LEVELS if shape.multi_level else -1 :]
    pooled = [keras.layers.GlobalAveragePooling2D(name=f"pool_{level}")(found) for level, found in enumerate(maps)]
    features = keras.layers.Concatenate(name="pooled")(pooled) if len(pooled) > 1 else pooled[0]
    features = keras.layers.BatchNormalization(name=NORM)(features)
    embedding = UnitNorm(name=EMBEDDING)(_projected(features, shape))
    outputs = {EMBEDDING: embedding} | {f"{FEATURES}{level}": found for level, found in enumerate(maps)}
    for number, (name, classes) in enumerate(shape.attributes.items()):
        outputs[name] = ClassVectors(classes, scale=shape.scale, name=f"attribute_{number}")(embedding)
    return keras.Model(base.inputs[0], outputs)


def _projected(features: Any, shape: Shape) -> Any:
    """A projection, plus one through a hidden layer that starts at 0, so that a trained model can gain it."""
    straight = keras.layers.Dense(shape.dimension, use_bias=False, name="projection")(features)
    if not shape.hidden:
        return straight
    hidden = keras.layers.Dense(shape.hidden, activation="relu", name=HIDDEN)(features)
    hidden = keras.layers.Dropout(shape.dropout, name="hidden_dropout")(hidden)
    bent = keras.layers.Dense(
        shape.dimension, use_bias=False, kernel_initializer="zeros", name="hidden_projection"
    )(hidden)
    return keras.layers.Add(name="projected")([straight, bent])


def feature_maps(base: keras.Model) -> list[Any]:
    """The last feature map of each resolution, from the finest to the coarsest."""
    last: dict[tuple[int, int], Any] = {}
    for layer in base.layers:
        shape = layer.output.shape
        if len(shape) == _IMAGE_AXES and not isinstance(layer, keras.layers.ZeroPadding2D):
            last[shape[1], shape[2]] = layer.output
    return list(last.values())


def follow_statistics(model: keras.Model, *, steps: int) -> None:
    """Set batch norm's momentum for a training of ``steps`` steps."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(_MAX_MOMENTUM, 1 - 1 / max(_STEPS_TO_FOLLOW * steps, 2.0))


def freeze(model: keras.Model, *, until: str) -> None:
    """Freeze the weights of all layers up to one, batch norm included.

    Raises:
        ValueError: There is no such layer.
    """
    names = [layer.name for layer in model.layers]
    for layer in model.layers[: names.index(until) + 1]:
        layer.trainable = False


def scaled_input(scaling: PixelScaling, side_px: int) -> tuple[Any, Any]:
    """An input for uint8 photos, and that input scaled as the base expects."""
    photo = keras.Input((side_px, side_px, 3), dtype="uint8", name="photo")
    mean, std = np.array(scaling.mean), np.array(scaling.std)
    floats = keras.ops.cast(photo, "float32")
    if scaling.channel_order == "BGR":
        floats = keras.ops.flip(floats, axis=-1)
    return photo, keras.layers.Rescaling(scale=(1 / std).tolist(), offset=(-mean / std).tolist())(floats)


def embed(
    model: keras.Model, photos: Sequence[npt.NDArray[np.uint8]], *, outputs: Sequence[str]
) -> dict[str, npt.NDArray[np.float32]]:
    """Outputs for photos, ``(n, …)`` float32 each."""
    found = model.predict_on_batch(np.stack(photos))
    return {name: np.asarray(found[name], dtype=np.float32) for name in outputs}


def pooled_base(base: keras.Model, scaling: PixelScaling, side_px: int) -> keras.Model:
    """A base network without any training: uint8 photos to pooled features of length 1."""
    photo, scaled = scaled_input(scaling, side_px)
    pooled = keras.layers.GlobalAveragePooling2D()(base(scaled))
    return keras.Model(photo, {EMBEDDING: UnitNorm()(pooled)})
