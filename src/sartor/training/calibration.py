"""Calibration on held-out products: how sure a predicted attribute is, and how well two products match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from PIL import Image

from sartor.encoders.card import AttributeHead
from sartor.encoders.heads import Heads
from sartor.evaluation.splits import split_key
from sartor.imaging.color import palette_of
from sartor.recommend.features import color_vector
from sartor.recommend.matching import resolution_of
from sartor.training.augment import as_a_person, plain_view
from sartor.training.dataset import values_of
from sartor.training.loop import embed_keys, embed_views
from sartor.training.match_fit import Sample, calibrated
from sartor.training.network import EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.card import MatchCalibration
    from sartor.encoders.keras.backend import keras
    from sartor.evaluation.metrics import ReliabilityBin
    from sartor.training.dataset import Dataset, Item, Target
    from sartor.training.photos import PhotoCache
    from sartor.training.recipe import LabelMap, Recipe
    from sartor.types import QueryKind

    Matrix = npt.NDArray[np.float32]
    View = npt.NDArray[np.uint8]

_TEMPERATURES = np.geomspace(0.2, 5, 65)
_MIN_PRODUCTS, _MAX_PRODUCTS = 20, 4000
_MAX_TOLD = 2000  # training photos of each kind, by which the kinds are told apart
_MAX_SIMULATED = 1200  # products that are shown as people take them


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
        match: From what is known of a query and a product to the probability that they are similar.
        bins: Reliability diagram by kind of photo; each half was judged by the calibration of the other half.
    """

    match: MatchCalibration
    bins: Mapping[QueryKind, tuple[ReliabilityBin, ...]]


def match_calibration(
    model: keras.Model,
    heads: Sequence[AttributeHead],
    dataset: Dataset,
    recipe: Recipe,
    *,
    mask_of: Callable[[View], Matrix | None] | None = None,
) -> Calibrated | None:
    """How probably a shopper calls two products similar; None if there are too few products.

    Each held-out product is a query like an uploaded photo; its nearest among the others are the candidates. A
    product that has a column of the recipe's maps is a person's photo: a query, but no candidate. The training
    photos only help to tell the two kinds apart.

    Args:
        model: The network, which takes photos.
        heads: What it predicts.
        dataset: Products and their photos.
        recipe: How it was trained.
        mask_of: The mask of the product on a photo, by which queries read its colors; None for a photo without.
    """
    held_out, training, cache = dataset.held_out, dataset.training, dataset.photos
    products, people = _by_kind(held_out, recipe, limit=_MAX_PRODUCTS)
    if len(products) < _MIN_PRODUCTS:
        return None
    attributes = recipe.match_by or recipe.judge_by or tuple(head.name for head in heads)
    described = tuple(head for head in heads if head.describes)
    photos = Photographed.of(products, people, cache, side_px=model.input_shape[1])
    outputs = embed_views(model, photos.views, outputs=(EMBEDDING, *(head.name for head in described)))
    items = photos.items
    scale = recipe.objective.scale
    sample = Sample(
        style=outputs[EMBEDDING],
        color=np.stack(
            [
                color_vector(palette_of(Image.fromarray(view), None if mask_of is None else mask_of(view)))
                for view in photos.views
            ]
        ),
        probabilities={head.name: _probabilities(outputs[head.name], head) for head in described},
        rows=[item.attributes for item in items],
        possible={name: [item.classes(name, recipe.maps) for item in items] for name in attributes},
        people=photos.people,
        shows=photos.shows,
        resolution=photos.resolution,
        familiarity=_familiarity(outputs, described, scale=scale),
        groups=[split_key(item.id, item.attributes, group_by=recipe.split.group_by) for item in items],
    )
    more = None
    if people and training:
        known = _by_kind(training, recipe, limit=_MAX_TOLD)
        keys = [item.photos[0] for kind in known for item in kind]
        style = embed_keys(model, keys, cache, side_px=model.input_shape[1], outputs=(EMBEDDING,))[EMBEDDING]
        more = style, np.arange(len(keys)) >= len(known[0])
    found = calibrated(sample, Heads(described, {}, scale=scale), attributes, more=more)
    if found is None:
        return None
    match, judged = found
    return Calibrated(match=match, bins={kind: each.bins for kind, each in judged.items() if len(each.said)})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Photographed:
    """Held-out products and people's photos, and products once more: a second photo, and as people take them.

    Attributes:
        items: What each photo is of.
        views: The photos as the network takes them, ``(side_px, side_px, 3)`` each.
        people: Which are as people take them, ``(n,)``.
        shows: Row of the product that is shown once more, else -1, ``(n,)``.
        resolution: Of each photo, ``(n,)``.
    """

    items: Sequence[Item]
    views: Sequence[View]
    people: npt.NDArray[np.bool_]
    shows: npt.NDArray[np.int64]
    resolution: npt.NDArray[np.float32]

    @classmethod
    def of(cls, products: Sequence[Item], people: Sequence[Item], cache: PhotoCache, *, side_px: int) -> Self:
        """Read the photos; without people's photos, no product is shown as people take them."""
        several = [row for row, item in enumerate(products) if len(item.photos) > 1]
        simulated = range(min(len(products), _MAX_SIMULATED)) if people else range(0)
        keys = [item.photos[0] for item in (*products, *people)] + [products[row].photos[-1] for row in several]
        views = [plain_view(cache.pixels(key), side_px=side_px) for key in keys]
        views += [as_a_person(cache.pixels(keys[row]), row=row, side_px=side_px) for row in simulated]
        sizes = [cache.photos[key] for key in (*keys, *(keys[row] for row in simulated))]
        again = [*several, *simulated]
        of_people = (
            [False] * len(products) + [True] * len(people) + [False] * len(several) + [True] * len(simulated)
        )
        return cls(
            items=[*products, *people, *(products[row] for row in again)],
            views=views,
            people=np.array(of_people, np.bool_),
            shows=np.array([-1] * (len(products) + len(people)) + again, np.int64),
            resolution=np.array([resolution_of(each.width_px, each.height_px) for each in sizes], np.float32),
        )


def _by_kind(items: Sequence[Item], recipe: Recipe, *, limit: int) -> tuple[list[Item], list[Item]]:
    """Products, and people's photos, which have a column of the recipe's maps; at most ``limit`` of each."""
    columns = {mapping.column for mapping in recipe.maps}
    products = [item for item in items if columns.isdisjoint(item.attributes)]
    people = [item for item in items if not columns.isdisjoint(item.attributes)]
    return products[:limit], people[:limit]


def _probabilities(logits: Matrix, head: AttributeHead) -> Matrix:
    raised = np.exp((logits - logits.max(axis=1, keepdims=True)) / head.temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def _familiarity(outputs: Mapping[str, Matrix], heads: Sequence[AttributeHead], *, scale: float) -> Matrix:
    """Cosine with the nearest class of the first attribute, ``(n,)``; its logits are scaled cosines."""
    if not heads:
        return np.ones(len(outputs[EMBEDDING]), np.float32)
    return np.asarray(outputs[heads[0].name].max(axis=1) / scale, np.float32)


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
