"""Honest numbers from held-out products: how sure an attribute is, and how well two products match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression

from sartor.encoders.card_parts import AttributeHead, MatchCalibration
from sartor.evaluation.agreement import nearest
from sartor.training.labels import values_of
from sartor.training.validation import embed_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.keras_backend import keras
    from sartor.training.dataset import Item
    from sartor.training.labels import Target
    from sartor.training.photo_cache import PhotoCache
    from sartor.training.recipe import LabelMap

    Matrix = npt.NDArray[np.float32]

_TEMPERATURES = np.geomspace(0.2, 5, 65)
_NEAR = 20  # neighbors of each product that a match is learned from
_FEWEST = 20


def attribute_heads(
    model: keras.Model,
    targets: Sequence[Target],
    held_out: Sequence[Item],
    maps: Sequence[LabelMap],
    cache: PhotoCache,
) -> tuple[AttributeHead, ...]:
    """What the network predicts, with the temperature and accuracy of each attribute on held-out products."""
    names = [target.name for target in targets]
    keys = [item.photos[0] for item in held_out]
    logits = embed_keys(model, keys, cache, side_px=model.input_shape[1], outputs=names)
    return tuple(
        _head(target, number, logits[target.name], values_of(held_out, target.name, maps))
        for number, target in enumerate(targets)
    )


def match_calibration(embeddings: Matrix, labels: Mapping[str, npt.NDArray[np.str_]]) -> MatchCalibration | None:
    """From the cosine of two products to how probably they agree in all attributes; none for too few products.

    Args:
        embeddings: Of held-out products, ``(n, d)``.
        labels: Their values by attribute, ``(n,)``.
    """
    if len(embeddings) < _FEWEST:
        return None
    near = nearest(embeddings, embeddings, k=_NEAR, own=np.arange(len(embeddings)))
    cosines = np.take_along_axis(embeddings @ embeddings.T, near, axis=1)
    agree = np.ones(near.shape, dtype=np.bool_)
    for values in labels.values():
        agree &= (values[near] == values[:, None]) & (values[:, None] != "")
    if agree.all() or not agree.any():
        return None
    fitted = LogisticRegression(C=1e6).fit(cosines.reshape(-1, 1), agree.ravel())
    return MatchCalibration(
        slope=float(fitted.coef_[0, 0]), intercept=float(fitted.intercept_[0]), attributes=tuple(labels)
    )


def _head(target: Target, number: int, logits: Matrix, values: npt.NDArray[np.str_]) -> AttributeHead:
    place = {name: index for index, name in enumerate(target.classes)}
    known = np.array([value in place for value in values], dtype=np.bool_)
    temperature, accuracy = 1.0, None
    if known.any():
        right = np.array([place[value] for value in values[known]])
        accuracy = float((logits[known].argmax(axis=1) == right).mean())
        temperature = _temperature(logits[known].astype(np.float64), right)
    return AttributeHead(
        name=target.name,
        output=f"attribute_{number}",
        classes=target.classes,
        temperature=temperature,
        accuracy=accuracy,
        describes=target.describes,
    )


def _temperature(logits: npt.NDArray[np.float64], right: npt.NDArray[np.int64]) -> float:
    """The temperature with the least cross-entropy.

    Source: Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
    """

    def cross_entropy(temperature: float) -> float:
        scaled = logits / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        log_p = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return float(-log_p[np.arange(len(right)), right].mean())

    return float(min(_TEMPERATURES, key=cross_entropy))
