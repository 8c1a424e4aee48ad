"""Finding a product again by its damaged photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.damage import DAMAGES
from sartor.evaluation.intervals import intervals
from sartor.evaluation.metrics import measure
from sartor.evaluation.relevance import SameProduct
from sartor.evaluation.results import Robustness
from sartor.imaging import decode
from sartor.imaging.palette import palette_of
from sartor.pipelines.evaluating.pictures import main_photos
from sartor.pipelines.evaluating.view import view_of
from sartor.pipelines.gather import SeenPhoto
from sartor.pipelines.photos import batched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sartor.evaluation.damage import Damage
    from sartor.pipelines.evaluating.order import EvaluationOrder
    from sartor.pipelines.evaluating.sight import Sight

_PRODUCTS = 300  # whose photos are damaged
_BATCH = 32
_KS = (1, 5)


def robustness(order: EvaluationOrder, sight: Sight) -> tuple[Robustness, ...]:
    """How often some products of the gallery, drawn at random, are found by their main photo after each damage."""
    chosen = np.random.default_rng(order.seed).permutation(len(sight.gallery.products))[:_PRODUCTS]
    wanted = {sight.gallery.products[place].id: int(place) for place in chosen}
    read = main_photos(order.gallery, wanted, limit=order.limit)
    photos = {wanted[product_id]: data for product_id, data in read.items()}
    return tuple(_after(damage, number, photos, order, sight) for number, damage in enumerate(DAMAGES))


def _after(
    damage: Damage, number: int, photos: Mapping[int, bytes], order: EvaluationOrder, sight: Sight
) -> Robustness:
    found = [
        (place, photo)
        for page in batched(sorted(photos), _BATCH)
        for place, photo in zip(page, _damaged(damage, number, page, photos, order, sight), strict=True)
        if not np.isnan(photo.vector[0])
    ]
    seen = [photo for _, photo in found]
    view = view_of(sight.gallery, seen, sight.contender.compose, as_recommended=order.as_recommended)
    targets = SameProduct(np.array([place for place, _ in found], np.int64))
    measured = measure(view.queries, view.gallery, [targets], own=np.full(len(found), -1), ks=_KS)
    hits = {name: values for name, values in measured.scores[0].items() if name.startswith("hit rate")}
    metrics = intervals(hits, rng=np.random.default_rng(order.seed))
    return Robustness(damage=damage.name, level=damage.level, metrics=metrics)


def _damaged(  # noqa: PLR0913, PLR0917
    damage: Damage,
    number: int,
    places: Sequence[int],
    photos: Mapping[int, bytes],
    order: EvaluationOrder,
    sight: Sight,
) -> Iterator[SeenPhoto]:
    images = [
        damage.apply(
            decode(photos[place], name=str(place)).image, np.random.default_rng([order.seed, number, place])
        )
        for place in places
    ]
    for image, vector in zip(images, sight.encoder.embed(images), strict=True):
        yield SeenPhoto(sha256="", vector=vector, palette=palette_of(image), fingerprint=b"")
