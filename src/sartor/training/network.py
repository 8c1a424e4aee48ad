"""The encoder that is trained: a base network, pooled at three resolutions, one embedding, attributes on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.encoders.keras.backend import keras
from sartor.training.dataset import judges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.card import PixelScaling
    from sartor.training.dataset import Target
    from sartor.training.recipe import Recipe


_IMAGE_AXES = 4
_LEVELS = 3  # resolutions that are pooled: the last one and the two before it
_MOMENTUM = 0.99  # of batch norm at most; MobileNetV2 comes with 0.999, which takes thousands of steps to follow
_STEPS_TO_FOLLOW = 0.1  # of a training: in this share of it batch norm comes to know new statistics


EMBEDDING = "embedding"
FEATURES = "feature_map_"  # and the number of the map, from the finest
PHOTO = "photo"
NORM = "pooled_norm"
HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the encoder's layers are made for.

    Attributes:
        side_px: Height and width of a photo.
        dimension: Length of the embedding.
        attributes: Number of classes by attribute.
        multi_level: Whether earlier feature maps are pooled too.
        hidden: Units of the hidden layer before the embedding, 0 without one.
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
        """``classes`` is their number, ``scale`` multiplies the cosines."""
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
    """The features straight, and by a hidden layer that begins as nothing: a trained model can gain one."""
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
    """Let batch norm follow as fast as a training of so many steps needs."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(_MOMENTUM, 1 - 1 / max(_STEPS_TO_FOLLOW * steps, 2.0))


def freeze(model: keras.Model, *, until: str) -> None:
    """Keep the weights of all layers up to one, batch norm included.

    Raises:
        ValueError: There is no such layer.
    """
    names = [layer.name for layer in model.layers]
    for layer in model.layers[: names.index(until) + 1]:
        layer.trainable = False


def scaled_input(scaling: PixelScaling, side_px: int) -> tuple[Any, Any]:
    """An input for uint8 photos, and the same scaled as the base expects."""
    photo = keras.Input((side_px, side_px, 3), dtype="uint8", name=PHOTO)
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
    """A base network alone, as it embeds without any training: uint8 photos to pooled features of length 1."""
    photo, scaled = scaled_input(scaling, side_px)
    pooled = keras.layers.GlobalAveragePooling2D()(base(scaled))
    return keras.Model(photo, {EMBEDDING: UnitNorm()(pooled)})


PRODUCT = "product"
_FAR = -1e9


class Learner(keras.Model):  # type: ignore[misc]  # Keras has no types
    """An encoder together with its objective; the targets of a step are one dict.

    The dict has ``product``, ``(v,)`` int32, and for each attribute ``(v, c)`` float32: 1 for the classes that
    a product may have, and all 1 where nothing is known.
    """

    def set_objective(self, recipe: Recipe, targets: Sequence[Target]) -> None:
        """Choose what is minimized, how much each attribute counts, and in which ones products shall agree."""
        self._objective = recipe.objective
        self._weights = {target.name: target.weight for target in targets}
        self._judges = [name for name in judges(recipe, targets) if name in self._weights]

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """The loss of a step, a scalar."""
        loss = 0.0
        for name, weight in self._weights.items():
            smoothing = self._objective.label_smoothing
            loss = loss + weight * attribute_loss(y_pred[name], y[name], smoothing=smoothing)
        if self._objective.instance_weight:
            term = instance_loss(y_pred[EMBEDDING], y[PRODUCT], temperature=self._objective.temperature)
            loss = loss + self._objective.instance_weight * term
        if self._objective.agreement_weight and self._judges:
            allowed = [y[name] for name in self._judges]
            term = agreement_loss(y_pred[EMBEDDING], allowed, temperature=self._objective.agreement_temperature)
            loss = loss + self._objective.agreement_weight * term
        return loss


def attribute_loss(logits: Any, allowed: Any, *, smoothing: float) -> Any:
    """Mean of ``-log p(one of the allowed classes)`` over the views of which something is known.

    Args:
        logits: ``(v, c)``.
        allowed: ``(v, c)`` of 0 and 1.
        smoothing: Share of the target that all classes have; it bears wrong labels.
    """
    ops = keras.ops
    log_p = ops.log_softmax(logits, axis=-1)
    hit = -ops.logsumexp(ops.where(allowed > 0, log_p, _FAR), axis=-1)
    spread = -ops.mean(log_p, axis=-1)
    known = ops.cast(ops.min(allowed, axis=-1) < 1, "float32")
    losses = (1 - smoothing) * hit + smoothing * spread
    return ops.sum(losses * known) / ops.maximum(ops.sum(known), 1.0)


def instance_loss(embeddings: Any, products: Any, *, temperature: float) -> Any:
    """How hard it is to find a product's other view among the views of a step.

    Source: the supervised contrastive loss of Khosla et al. (NeurIPS 2020), with each product as a class.

    Args:
        embeddings: ``(v, d)`` with unit norm.
        products: ``(v,)``; views with the same number show the same product.
        temperature: Divides the cosines.
    """
    same = keras.ops.equal(products[:, None], products[None, :])
    return _contrastive(embeddings, same, same, temperature=temperature)


def agreement_loss(embeddings: Any, allowed: Sequence[Any], *, temperature: float) -> Any:
    """How hard it is to find, among the views of a step, those that agree in all attributes.

    Two views may agree if the first attribute is known of both and no attribute leaves them without a class in
    common; they do agree if all attributes are known of both. A view of which all is known looks for those that
    do agree, and those that only may neither help nor count against it. A view of which less is known, such as
    a person's photo without a color's name, looks for all that may.

    Source: as ``instance_loss``.

    Args:
        embeddings: ``(v, d)`` with unit norm.
        allowed: By attribute, ``(v, c)`` of 0 and 1: the classes that a view may have, all 1 if nothing is known.
        temperature: Divides the cosines.
    """
    ops = keras.ops
    known = [ops.min(classes, axis=-1) < 1 for classes in allowed]  # (v,) each
    may = _both(known[0])
    whole = known[0]
    for classes, is_known in zip(allowed, known, strict=True):
        may = ops.logical_and(may, ops.matmul(classes, ops.transpose(classes)) > 0)
        whole = ops.logical_and(whole, is_known)
    do = ops.logical_and(may, _both(whole))
    return _contrastive(embeddings, ops.where(whole[:, None], do, may), may, temperature=temperature)


def _both(flags: Any) -> Any:
    return keras.ops.logical_and(flags[:, None], flags[None, :])


def _contrastive(embeddings: Any, wanted: Any, alike: Any, *, temperature: float) -> Any:
    """Mean of ``-log p(wanted)`` among what is wanted and what is not alike, over the views that want any."""
    ops = keras.ops
    similarity = ops.matmul(embeddings, ops.transpose(embeddings)) / temperature
    other = ops.logical_not(ops.eye(ops.shape(similarity)[0], dtype="bool"))
    wanted = ops.logical_and(wanted, other)
    counted = ops.logical_and(other, ops.logical_or(wanted, ops.logical_not(alike)))
    log_p = ops.log_softmax(ops.where(counted, similarity, _FAR), axis=-1)
    count = ops.sum(ops.cast(wanted, "float32"), axis=-1)
    losses = -ops.sum(ops.where(wanted, log_p, 0.0), axis=-1) / ops.maximum(count, 1.0)
    has_any = ops.cast(count > 0, "float32")
    return ops.sum(losses * has_any) / ops.maximum(ops.sum(has_any), 1.0)
