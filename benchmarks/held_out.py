"""Products and people's photos that sartor-v1 has not learned from, as its queries see them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.data import PEOPLES_PHOTOS, PHOTOS_224, PHOTOS_SMALL, data_file
from benchmarks.encoder_quality import RECIPE, Photos, read, split_of
from sartor.config import Settings
from sartor.encoders.card import MODEL_FILE
from sartor.encoders.encoder import prepare, unit_norm
from sartor.encoders.heads import Heads
from sartor.evaluation.splits import split_key
from sartor.imaging import decode
from sartor.imaging.color import palette_of
from sartor.imaging.pixels import fingerprint
from sartor.recommend.features import color_vector
from sartor.recommend.matching import resolution_of
from sartor.shop.library import load_runtime
from sartor.training.match_fit import Sample
from sartor.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.encoders.card import ModelCard
    from sartor.training.dataset import Item
    from sartor.types import AttributeValue, Matrix, Vector

COLORS = Path(__file__).parents[1] / "tests" / "evaluation" / "peoples_photos.json"
_BATCH = 16
_SAYS_NOTHING = frozenset({"", "NA"})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Seen:
    """What a model sees in photos, a row each."""

    style: Matrix
    color: Matrix
    resolution: Vector
    fingerprints: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HeldOut:
    """The sample, and what belongs to its rows.

    Attributes:
        sample: Products first, then people's photos.
        ids: Of the products and photos.
        groups: What is together on one side of a split.
        fingerprints: Of the photos.
        small: The photos of 60 x 80 of products that have a larger one, too, and their rows in the sample.
    """

    sample: Sample
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    fingerprints: tuple[bytes, ...]
    small: tuple[Seen, tuple[int, ...]]


def held_out(folder: Path, card: ModelCard, *, data: Path, work: Path | None, limit: int | None = None) -> HeldOut:
    """Read, split and embed; ``limit`` takes fewer of each kind."""
    recipe = Recipe.read(RECIPE)
    items = {each: item for each, item in split_of(data, work).items() if item.held_out}
    large, small, people = (
        _held(read(data_file(data, name)), items) for name in (PHOTOS_224, PHOTOS_SMALL, PEOPLES_PHOTOS)
    )
    products = dict(list(({**small, **large}).items())[:limit])
    people = dict(list(people.items())[:limit])
    both = [each for each in products if each in large and each in small]
    ids = (*products, *people)
    heads = Heads.read(folder, card)
    seen = see(folder, card, [*products.values(), *people.values()])
    colors = json.loads(COLORS.read_text(encoding="utf-8"))["photos"]
    attributes = [_attributes(items[each]) for each in ids]
    possible = {
        name: [
            items[each].classes(name, recipe.maps) if name in row or name == "articleType" else ()
            for each, row in zip(ids, attributes, strict=True)
        ]
        for name in recipe.match_by
    }
    possible["color"] = [
        _colors(colors.get(each), known) for each, known in zip(ids, possible["color"], strict=True)
    ]
    sample = Sample(
        style=seen.style,
        color=seen.color,
        probabilities=heads.probabilities(seen.style),
        rows=attributes,
        possible=possible,
        people=np.arange(len(ids)) >= len(products),
        resolution=seen.resolution,
        familiarity=heads.familiarity(seen.style),
    )
    return HeldOut(
        sample=sample,
        ids=ids,
        groups=tuple(split_key(each, items[each].attributes, group_by=recipe.split.group_by) for each in ids),
        fingerprints=seen.fingerprints,
        small=(see(folder, card, [small[each] for each in both]), tuple(ids.index(each) for each in both)),
    )


def see(folder: Path, card: ModelCard, photos: Sequence[bytes]) -> Seen:
    """Embed photos as queries are."""
    runtime = load_runtime(Settings(home=Path("unused")), folder / MODEL_FILE, card)
    side_px = max(card.size_px)
    styles: list[Matrix] = []
    colors, resolutions, prints = [], [], []
    with ThreadPoolExecutor(2) as pool:
        decoded = pool.map(lambda data: decode(data, name="photo", fit_px=side_px), photos)
        batch = []
        for photo in decoded:
            colors.append(color_vector(palette_of(photo.image)))
            resolutions.append(resolution_of(photo.width_px, photo.height_px))
            prints.append(fingerprint(photo.image))
            batch.append(prepare(photo.image, card))
            if len(batch) == _BATCH:
                styles.append(runtime.infer(np.stack(batch)))
                batch = []
        if batch:
            styles.append(runtime.infer(np.stack(batch)))
    return Seen(
        style=unit_norm(np.concatenate(styles)),
        color=np.stack(colors),
        resolution=np.array(resolutions, np.float32),
        fingerprints=tuple(prints),
    )


def _held(photos: Photos, items: Mapping[str, Item]) -> dict[str, bytes]:
    return {each: data for each, data in zip(photos.ids, photos.data, strict=True) if each in items}


def _attributes(item: Item) -> dict[str, AttributeValue]:
    return {name: value for name, value in item.attributes.items() if value not in _SAYS_NOTHING}


def _colors(labeled: Mapping[str, str | None] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The colors that a photo may have: as labeled by hand, else as the catalog says."""
    if labeled is None:
        return known
    return tuple(each for each in (labeled["color"], labeled["second"]) if each)
