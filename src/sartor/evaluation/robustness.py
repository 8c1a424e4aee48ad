"""Finding a product again by its damaged photo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from sartor.evaluation.backgrounds import border_color, on_background, plain, wood
from sartor.evaluation.intervals import intervals
from sartor.evaluation.metrics import measure
from sartor.evaluation.model_run import evaluation_matrices
from sartor.evaluation.pictures import main_photos
from sartor.evaluation.relevance import SameProduct
from sartor.evaluation.results import Robustness
from sartor.imaging import decode
from sartor.imaging.color import palette_of
from sartor.ingest.embed import PhotoEmbedding
from sartor.ingest.photos import batched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sartor.evaluation.model_run import ModelRun
    from sartor.evaluation.task import EvaluationRequest

_PRODUCTS = 300  # whose photos are damaged
_BATCH = 32
_KS = (1, 5)
_LEVELS = np.arange(256) / 255
_WARM = (1.0, 0.87, 0.66)  # gains of red, green and blue: an incandescent lamp without white balance


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """A kind of damage to a photo.

    Attributes:
        name: Which, such as ``rotation``.
        level: How much, in words, such as ``±10°``.
        apply: Gives the damaged photo; the same generator gives the same one.
    """

    name: str
    level: str
    apply: Callable[[Image.Image, np.random.Generator], Image.Image]


def robustness(request: EvaluationRequest, run: ModelRun) -> tuple[Robustness, ...]:
    """How often randomly drawn products of the gallery are found by their main photo, for each perturbation."""
    chosen = np.random.default_rng(request.seed).permutation(len(run.gallery.products))[:_PRODUCTS]
    row_of = {run.gallery.products[row].id: int(row) for row in chosen}
    read = main_photos(request.gallery, row_of, limit=request.limit)
    photos = {row_of[product_id]: photo for product_id, photo in read.items()}
    return tuple(
        _measured(perturbation, number, photos, request, run) for number, perturbation in enumerate(PERTURBATIONS)
    )


def _measured(
    perturbation: Perturbation,
    number: int,
    photos: Mapping[int, bytes],
    request: EvaluationRequest,
    run: ModelRun,
) -> Robustness:
    embedded = [
        (row, photo)
        for page in batched(sorted(photos), _BATCH)
        for row, photo in zip(page, _damaged(perturbation, number, page, photos, request, run), strict=True)
        if not np.isnan(photo.vector[0])
    ]
    matrices = evaluation_matrices(
        run.gallery,
        [photo for _, photo in embedded],
        run.model.features,
        as_recommended=request.as_recommended,
    )
    targets = SameProduct(np.array([row for row, _ in embedded], np.int64))
    own = np.full(len(embedded), -1)
    measured = measure(matrices.queries, matrices.gallery, [targets], own=own, ks=_KS)
    hits = {name: values for name, values in measured.scores[0].items() if name.startswith("hit rate")}
    metrics = intervals(hits, rng=np.random.default_rng(request.seed))
    return Robustness(damage=perturbation.name, level=perturbation.level, metrics=metrics)


def _damaged(  # noqa: PLR0913, PLR0917
    perturbation: Perturbation,
    number: int,
    rows: Sequence[int],
    photos: Mapping[int, bytes],
    request: EvaluationRequest,
    run: ModelRun,
) -> Iterator[PhotoEmbedding]:
    images = [
        perturbation.apply(
            decode(photos[row], name=str(row)).image, np.random.default_rng([request.seed, number, row])
        )
        for row in rows
    ]
    for image, vector in zip(images, run.encoder.embed(images), strict=True):
        yield PhotoEmbedding(sha256="", vector=vector, palette=palette_of(image), fingerprint=b"")


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


def _small(image: Image.Image, _rng: np.random.Generator, *, longer_px: int) -> Image.Image:
    scale = min(1.0, longer_px / max(image.size))
    width, height = (max(1, round(side_px * scale)) for side_px in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _on_plain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return on_background(image, plain, rng)


def _on_wood(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return on_background(image, wood, rng)


PERTURBATIONS = (
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
    Perturbation(name="background", level="plain color", apply=_on_plain),
    Perturbation(name="background", level="wood", apply=_on_wood),
    Perturbation(name="small", level="64 px", apply=partial(_small, longer_px=64)),
)
