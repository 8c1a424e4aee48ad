"""Finding a product again by its damaged photo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from sartor.evaluation.backgrounds import Texture, border_color, on_background, plain, wood
from sartor.evaluation.examples import main_photos
from sartor.evaluation.intervals import intervals
from sartor.evaluation.metrics import measure
from sartor.evaluation.model_run import evaluation_matrices
from sartor.evaluation.relevance import SameProduct
from sartor.evaluation.results import Robustness
from sartor.imaging import decode
from sartor.imaging.color import palette_of
from sartor.ingest.embed import SeenPhoto
from sartor.ingest.photos import batched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sartor.evaluation.model_run import ModelRun
    from sartor.evaluation.task import EvaluationRequest


_LEVELS = np.arange(256) / 255
_WARM = (1.0, 0.87, 0.66)  # gains of red, green and blue: an incandescent lamp, not balanced out


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """Something that is done to a photo.

    Attributes:
        name: What, such as ``rotation``.
        level: How much, in words, such as ``±10°``.
        apply: Gives the damaged photo; the same generator gives the same one.
    """

    name: str
    level: str
    apply: Callable[[Image.Image, np.random.Generator], Image.Image]


def _crop(image: Image.Image, rng: np.random.Generator, *, share: float) -> Image.Image:
    width, height = (max(1, round(side_px * share)) for side_px in image.size)
    left = int(rng.integers(image.width - width + 1))
    top = int(rng.integers(image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


def _rotation(image: Image.Image, rng: np.random.Generator, *, angle_deg: float) -> Image.Image:
    """Turned by the angle, to either side; the frame stays, as that of a camera held askew."""
    turned_deg = angle_deg if rng.integers(2) else -angle_deg
    return image.rotate(turned_deg, Image.Resampling.BICUBIC, fillcolor=border_color(image))


def _blur(image: Image.Image, _rng: np.random.Generator, *, share: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(share * max(image.size)))


def _jpeg(image: Image.Image, _rng: np.random.Generator, *, quality: int) -> Image.Image:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality)
    with Image.open(stream) as compressed:
        return compressed.convert("RGB")


def _gamma(image: Image.Image, _rng: np.random.Generator, *, gamma: float) -> Image.Image:
    return image.point(np.rint(255 * _LEVELS**gamma).astype(np.uint8).tolist() * 3)


def _cast(image: Image.Image, _rng: np.random.Generator) -> Image.Image:
    levels = np.outer(_WARM, 255 * _LEVELS).clip(0, 255)  # (3, 256)
    return image.point(np.rint(levels).astype(np.uint8).ravel().tolist())


def _background(image: Image.Image, rng: np.random.Generator, *, texture: Texture) -> Image.Image:
    return on_background(image, texture, rng)


def _small(image: Image.Image, _rng: np.random.Generator, *, longer_px: int) -> Image.Image:
    scale = min(1.0, longer_px / max(image.size))
    width, height = (max(1, round(side_px * scale)) for side_px in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


DAMAGES: tuple[Perturbation, ...] = (
    Perturbation(name="crop", level="80 % of each side", apply=partial(_crop, share=0.8)),
    Perturbation(name="crop", level="60 % of each side", apply=partial(_crop, share=0.6)),
    Perturbation(name="rotation", level="±10°", apply=partial(_rotation, angle_deg=10)),
    Perturbation(name="rotation", level="±25°", apply=partial(_rotation, angle_deg=25)),
    Perturbation(name="blur", level="radius 1 %", apply=partial(_blur, share=0.01)),
    Perturbation(name="blur", level="radius 2 %", apply=partial(_blur, share=0.02)),
    Perturbation(name="JPEG", level="quality 30", apply=partial(_jpeg, quality=30)),
    Perturbation(name="JPEG", level="quality 10", apply=partial(_jpeg, quality=10)),
    Perturbation(name="lighting", level="darker", apply=partial(_gamma, gamma=1.8)),
    Perturbation(name="lighting", level="brighter", apply=partial(_gamma, gamma=0.55)),
    Perturbation(name="lighting", level="warm", apply=_cast),
    Perturbation(name="background", level="plain color", apply=partial(_background, texture=plain)),
    Perturbation(name="background", level="wood", apply=partial(_background, texture=wood)),
    Perturbation(name="small", level="64 px", apply=partial(_small, longer_px=64)),
)


_PRODUCTS = 300  # whose photos are damaged
_BATCH = 32
_KS = (1, 5)


def robustness(order: EvaluationRequest, sight: ModelRun) -> tuple[Robustness, ...]:
    """How often some products of the gallery, drawn at random, are found by their main photo after each damage."""
    chosen = np.random.default_rng(order.seed).permutation(len(sight.gallery.products))[:_PRODUCTS]
    wanted = {sight.gallery.products[place].id: int(place) for place in chosen}
    read = main_photos(order.gallery, wanted, limit=order.limit)
    photos = {wanted[product_id]: data for product_id, data in read.items()}
    return tuple(_after(damage, number, photos, order, sight) for number, damage in enumerate(DAMAGES))


def _after(
    damage: Perturbation, number: int, photos: Mapping[int, bytes], order: EvaluationRequest, sight: ModelRun
) -> Robustness:
    found = [
        (place, photo)
        for page in batched(sorted(photos), _BATCH)
        for place, photo in zip(page, _damaged(damage, number, page, photos, order, sight), strict=True)
        if not np.isnan(photo.vector[0])
    ]
    seen = [photo for _, photo in found]
    view = evaluation_matrices(
        sight.gallery, seen, sight.candidate_model.compose, as_recommended=order.as_recommended
    )
    targets = SameProduct(np.array([place for place, _ in found], np.int64))
    measured = measure(view.queries, view.gallery, [targets], own=np.full(len(found), -1), ks=_KS)
    hits = {name: values for name, values in measured.scores[0].items() if name.startswith("hit rate")}
    metrics = intervals(hits, rng=np.random.default_rng(order.seed))
    return Robustness(damage=damage.name, level=damage.level, metrics=metrics)


def _damaged(  # noqa: PLR0913, PLR0917
    damage: Perturbation,
    number: int,
    places: Sequence[int],
    photos: Mapping[int, bytes],
    order: EvaluationRequest,
    sight: ModelRun,
) -> Iterator[SeenPhoto]:
    images = [
        damage.apply(
            decode(photos[place], name=str(place)).image, np.random.default_rng([order.seed, number, place])
        )
        for place in places
    ]
    for image, vector in zip(images, sight.encoder.embed(images), strict=True):
        yield SeenPhoto(sha256="", vector=vector, palette=palette_of(image), fingerprint=b"")
