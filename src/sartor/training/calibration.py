"""Calibration on held-out products: how sure a predicted attribute is, and how well two products match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression

from sartor.encoders.card import AttributeHead, MatchCalibration
from sartor.evaluation.calibration import color_families
from sartor.evaluation.metrics import ReliabilityBin, reliability
from sartor.evaluation.ranking import nearest
from sartor.imaging.color import palette_of
from sartor.recommend.features import category_of, color_vector
from sartor.recommend.rank import Matching
from sartor.training.dataset import values_of
from sartor.training.loop import embed_keys
from sartor.training.network import EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.encoders.keras.backend import keras
    from sartor.training.dataset import Item, Target
    from sartor.training.photos import PhotoCache
    from sartor.training.recipe import LabelMap, Recipe

    Matrix = npt.NDArray[np.float32]
    Flags = npt.NDArray[np.bool_]

_TEMPERATURES = np.geomspace(0.2, 5, 65)
_NEIGHBORS = 20  # of each product, which a match is learned from
_MIN_PRODUCTS, _MAX_PRODUCTS = 20, 4000
_COLORS = ("color", "colour")


def attribute_heads(
    model: keras.Model,
    targets: Sequence[Target],
    held_out: Sequence[Item],
    maps: Sequence[LabelMap],
    cache: PhotoCache,
) -> tuple[AttributeHead, ...]:
    """The predicted attributes, each with its temperature and accuracy on held-out products."""
    names = [target.name for target in targets]
    keys = [item.photos[0] for item in held_out]
    logits = embed_keys(model, keys, cache, side_px=model.input_shape[1], outputs=names)
    return tuple(
        _head(target, number, logits[target.name], values_of(held_out, target.name, maps))
        for number, target in enumerate(targets)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """A match calibration, and whether it comes true.

    Attributes:
        match: From closeness to the probability that two products agree.
        bins: Reliability diagram; each half of the products was judged by the calibration of the other half.
    """

    match: MatchCalibration
    bins: tuple[ReliabilityBin, ...]


def match_calibration(
    model: keras.Model,
    heads: Sequence[AttributeHead],
    held_out: Sequence[Item],
    recipe: Recipe,
    cache: PhotoCache,
) -> Calibrated | None:
    """From how close two products are to how probably they agree; None if there are too few products.

    Each held-out product is a query like an uploaded photo, described by what the model predicts; its nearest
    among the others are compared like products of a catalog, described by their attributes. Colors agree by their
    family.

    Args:
        model: The network, which takes photos.
        heads: What it predicts.
        held_out: Products that it was not trained on.
        recipe: How it was trained.
        cache: Their photos.
    """
    items = list(held_out[:_MAX_PRODUCTS])
    if len(items) < _MIN_PRODUCTS:
        return None
    keys = [item.photos[0] for item in items]
    style, predicted, known = _categories(model, heads, items, recipe, cache)
    color = np.stack([color_vector(palette_of(Image.fromarray(cache.pixels(key)[..., :3]))) for key in keys])
    near = nearest(style, style, k=_NEIGHBORS, own=np.arange(len(style)))
    pairs = (style, style), (color, color), (predicted, known)
    closeness = np.stack([np.einsum("nd,nkd->nk", own, others[near]) for own, others in pairs], axis=-1)
    attributes = recipe.match_by or recipe.judge_by or tuple(head.name for head in heads)
    agree = np.ones(near.shape, dtype=np.bool_)
    for name in attributes:
        values = values_of(items, name, recipe.maps)
        values = color_families(values) if name in _COLORS else values
        agree &= (values[near] == values[:, None]) & (values[:, None] != "")
    if agree.all() or not agree.any():
        return None
    weights, intercept = _fitted(closeness, agree)
    match = MatchCalibration(
        slope=weights[0], color=weights[1], category=weights[2], intercept=intercept, attributes=attributes
    )
    return Calibrated(match=match, bins=_checked(closeness, agree))


def _fitted(closeness: Matrix, agree: Flags) -> tuple[tuple[float, float, float], float]:
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(
        closeness.reshape(-1, closeness.shape[-1]), agree.ravel()
    )
    style, color, category = (float(each) for each in fitted.coef_[0])
    return (style, color, category), float(fitted.intercept_[0])


def _checked(closeness: Matrix, agree: Flags) -> tuple[ReliabilityBin, ...]:
    """Each half judged by the other half's calibration; empty if one half has only one answer."""
    halves = np.arange(len(agree)) % 2 == 0
    if any(agree[half].all() or not agree[half].any() for half in (halves, ~halves)):
        return ()
    said = np.empty(agree.shape)
    for half in (halves, ~halves):
        weights, intercept = _fitted(closeness[~half], agree[~half])
        said[half] = Matching(weights, intercept).of(closeness[half])
    return reliability(said.ravel(), agree.ravel().astype(np.float64))


def _categories(
    model: keras.Model, heads: Sequence[AttributeHead], items: Sequence[Item], recipe: Recipe, cache: PhotoCache
) -> tuple[Matrix, Matrix, Matrix]:
    """Embeddings of products, and their category features: as predicted, and as known from attributes."""
    described = [head for head in heads if head.describes][:1]
    keys = [item.photos[0] for item in items]
    names = [head.name for head in described]
    outputs = embed_keys(model, keys, cache, side_px=model.input_shape[1], outputs=(EMBEDDING, *names))
    if not described:
        return outputs[EMBEDDING], np.zeros((len(items), 1), np.float32), np.zeros((len(items), 1), np.float32)
    (head,) = described
    logits = outputs[head.name]
    raised = np.exp((logits - logits.max(axis=1, keepdims=True)) / head.temperature)
    predicted = raised / raised.sum(axis=1, keepdims=True)
    known = predicted.copy()
    class_of = {name: number for number, name in enumerate(head.classes)}
    for row, value in enumerate(values_of(items, head.name, recipe.maps)):
        if value in class_of:
            known[row] = np.eye(len(class_of))[class_of[value]]
    return outputs[EMBEDDING], category_of(predicted), category_of(known)


def _head(target: Target, number: int, logits: Matrix, values: npt.NDArray[np.str_]) -> AttributeHead:
    class_of = {name: index for index, name in enumerate(target.classes)}
    known = np.array([value in class_of for value in values], dtype=np.bool_)
    temperature, accuracy = 1.0, None
    if known.any():
        right = np.array([class_of[value] for value in values[known]])
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
    """The temperature with the lowest cross-entropy.

    Source: Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
    """

    def cross_entropy(temperature: float) -> float:
        scaled = logits / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        log_p = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return float(-log_p[np.arange(len(right)), right].mean())

    return float(min(_TEMPERATURES, key=cross_entropy))
