"""How good an encoder is at the products that it has not learned from, while it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.agreement import agreement, joint_agreement, nearest
from sartor.training.augment import plain_view
from sartor.training.labels import values_of
from sartor.training.network import EMBEDDING, embed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.encoders.keras_backend import keras
    from sartor.training.dataset import Item
    from sartor.training.photo_cache import PhotoCache
    from sartor.training.recipe import LabelMap

    Values = npt.NDArray[np.str_]

NEIGHBORS = 5
RETRIEVAL = "retrieval"  # the figure that decides: the mean over the attributes, and over all of them at once
SAME_PRODUCT = "same product"
_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Held-out products with one photo each as the gallery, and another photo of those that have two.

    Attributes:
        items: The products.
        labels: Value of each product by attribute, ``(n,)``, empty where unknown.
        photos: Key of the photo of each product that is compared, ``(n,)``.
        others: Place of a product, and key of its second photo.
    """

    items: tuple[Item, ...]
    labels: dict[str, Values]
    photos: tuple[str, ...]
    others: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, items: Sequence[Item], names: Sequence[str], maps: Sequence[LabelMap], *, at_most: int) -> HeldOut:
        """Choose at most so many products, those with two photos first."""
        chosen = tuple(sorted(items, key=lambda item: -len(item.photos))[:at_most])
        return cls(
            items=chosen,
            labels={name: values_of(chosen, name, maps) for name in names},
            photos=tuple(item.photos[0] for item in chosen),
            others=tuple((place, item.photos[-1]) for place, item in enumerate(chosen) if len(item.photos) > 1),
        )


def validate(model: keras.Model, held_out: HeldOut, cache: PhotoCache, *, side_px: int) -> dict[str, float]:
    """Figures by name, each from 0 to 1, for the products among themselves."""
    keys = [*held_out.photos, *(key for _, key in held_out.others)]
    outputs = (EMBEDDING, *held_out.labels)
    found = embed_keys(model, keys, cache, side_px=side_px, outputs=outputs)
    embeddings = found[EMBEDDING]
    count = len(held_out.photos)
    gallery, others = embeddings[:count], embeddings[count:]
    return retrieval_figures(gallery, held_out.labels) | same_product(others, gallery, held_out.others)


def retrieval_figures(gallery: npt.NDArray[np.float32], labels: dict[str, Values]) -> dict[str, float]:
    """Mean agreement of the nearest with each of ``(n, d)``, by attribute, of all at once, and their mean."""
    if len(gallery) < 2:  # noqa: PLR2004
        return {RETRIEVAL: 0.0}
    near = nearest(gallery, gallery, k=NEIGHBORS, own=np.arange(len(gallery)))
    figures = {name: _mean(agreement(near, values, values)) for name, values in labels.items()}
    figures["all at once"] = _mean(joint_agreement(near, list(labels.values()), list(labels.values())))
    return {**figures, RETRIEVAL: float(np.nanmean(list(figures.values())))}


def same_product(
    others: npt.NDArray[np.float32], gallery: npt.NDArray[np.float32], places: Sequence[tuple[int, str]]
) -> dict[str, float]:
    """How often a second photo's nearest of the gallery is its own product."""
    if not places:
        return {}
    near = nearest(others, gallery, k=1, own=np.full(len(others), -1))
    own = np.array([place for place, _ in places])
    return {SAME_PRODUCT: float((near[:, 0] == own).mean())}


def embed_keys(
    model: keras.Model, keys: Sequence[str], cache: PhotoCache, *, side_px: int, outputs: Sequence[str]
) -> dict[str, npt.NDArray[np.float32]]:
    """Outputs of a model for photos of the cache, unchanged but for their size; in batches of one size."""
    parts: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in outputs}
    for start in range(0, len(keys), _BATCH):
        batch = [plain_view(cache.pixels(key), side_px=side_px) for key in keys[start : start + _BATCH]]
        short = _BATCH - len(batch)
        found = embed(model, batch + [batch[-1]] * short, outputs=outputs)
        for name in outputs:
            parts[name].append(found[name][: len(batch)])
    return {name: np.concatenate(part) for name, part in parts.items()}


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")
