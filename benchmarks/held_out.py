"""Products and people's photos that sartor-v1 has not learned from, as its queries see them."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks.data import PEOPLES_PHOTOS, PHOTOS_224, PHOTOS_SMALL, data_file, peoples_photos
from benchmarks.encoder_quality import RECIPE, Photos, read, split_of
from sartor.config import Settings
from sartor.encoders.card import MODEL_FILE
from sartor.encoders.encoder import Encoder
from sartor.encoders.foreground import Foreground
from sartor.encoders.heads import Heads
from sartor.evaluation.splits import split_key
from sartor.imaging import decode
from sartor.imaging.color import is_on_white, palette_of
from sartor.imaging.foreground import product_mask as mask_of
from sartor.imaging.pixels import apart, fingerprint
from sartor.ingest.photos import batched
from sartor.recommend.features import color_vector
from sartor.recommend.matching import resolution_of
from sartor.recommend.weights import SAME_COLOR, SAME_PICTURE, SAME_STYLE
from sartor.shop.library import load_runtime
from sartor.training.augment import as_a_person
from sartor.training.match_fit import Sample
from sartor.training.photos import product_mask
from sartor.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.card import ModelCard
    from sartor.training.dataset import Item
    from sartor.types import AttributeValue, Matrix, Vector

_TOLD = 2000  # training photos of each kind, by which the kinds are told apart
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
        sample: Products, people's photos, then products once more: in 60 x 80, and as people might take them.
        fingerprints: Of the photos.
        training: Embeddings of photos that the model was trained on, and which are people's.
    """

    sample: Sample
    fingerprints: tuple[bytes, ...]
    training: tuple[Matrix, npt.NDArray[np.bool_]]

    def pairs_in_two_sizes(self) -> tuple[Vector, Vector, npt.NDArray[np.bool_]]:
        """Closeness in style and color of small photos and all products, and whether they are the same picture."""
        sample = self.sample
        small = np.flatnonzero(~sample.people & (sample.shows >= 0))
        products = np.flatnonzero(~sample.people & (sample.shows < 0))
        style, color = (each[small] @ each[products].T for each in (sample.style, sample.color))
        same = sample.shows[small][:, None] == products
        ones, others = np.nonzero((style >= SAME_STYLE) & (color >= SAME_COLOR))
        prints = [[self.fingerprints[row] for row in rows] for rows in (small[ones], products[others])]
        same[ones, others] |= apart(*prints) <= SAME_PICTURE
        return style.ravel(), color.ravel(), same.ravel()


def held_out(folder: Path, card: ModelCard, *, data: Path, work: Path | None, limit: int | None = None) -> HeldOut:
    """Read, split and embed; ``limit`` takes fewer of each kind."""
    recipe, heads = Recipe.read(RECIPE), Heads.read(folder, card)
    items = split_of(data, work)
    archives = [read(data_file(data, name)) for name in (PHOTOS_224, PHOTOS_SMALL, PEOPLES_PHOTOS)]
    large, small, people = (_some(each, items, held_out=True, limit=limit) for each in archives)
    products = {**large, **{each: photo for each, photo in small.items() if each not in large}}
    again = [each for each in large if each in small]
    row_of = {each: row for row, each in enumerate(products)}
    ids = [*products, *people, *again, *large]
    seen = see(folder, card, [*products.values(), *people.values(), *(small[each] for each in again)])
    views = _views(folder, card, list(large.values()))
    shows = np.array([-1] * (len(products) + len(people)) + [row_of[each] for each in (*again, *large)])
    style = np.concatenate([seen.style, views.style])
    colors = {each.id: tuple(filter(None, (each.color, each.second))) for each in peoples_photos()}
    attributes = [_attributes(items[each]) for each in ids]
    possible = {
        name: [tuple(set(items[each].classes(name, recipe.maps)) - _SAYS_NOTHING) for each in ids]
        for name in recipe.match_by
    }
    possible["color"] = [colors.get(each, known) for each, known in zip(ids, possible["color"], strict=True)]
    told = [_some(each, items, held_out=False, limit=limit or _TOLD) for each in (archives[0], archives[2])]
    return HeldOut(
        sample=Sample(
            style=style,
            color=np.concatenate([seen.color, views.color]),
            probabilities=heads.probabilities(style),
            rows=attributes,
            possible=possible,
            people=np.array([each in people for each in ids[: -len(large)]] + [True] * len(large)),
            shows=shows,
            resolution=np.concatenate([seen.resolution, views.resolution]),
            familiarity=heads.familiarity(style),
            groups=tuple(split_key(each, items[each].attributes, group_by=recipe.split.group_by) for each in ids),
        ),
        fingerprints=(*seen.fingerprints, *views.fingerprints),
        training=(
            see(folder, card, [photo for each in told for photo in each.values()]).style,
            np.repeat([False, True], [len(each) for each in told]),
        ),
    )


def _views(folder: Path, card: ModelCard, photos: Sequence[bytes]) -> Seen:
    """The photos as people might take them, each otherwise."""
    taken = []
    for row, data in enumerate(photos):
        image = decode(data, name="photo", fit_px=max(card.size_px)).image
        rgb = np.asarray(image)
        stream = io.BytesIO()
        view = as_a_person(np.dstack([rgb, product_mask(rgb)]), row=row, side_px=max(card.size_px))
        Image.fromarray(view).save(stream, "PNG")
        taken.append(stream.getvalue())
    return see(folder, card, taken)


def see(folder: Path, card: ModelCard, photos: Sequence[bytes]) -> Seen:
    """Embed photos as queries are."""
    encoder = Encoder(card, lambda: load_runtime(Settings(home=Path("unused")), folder / MODEL_FILE, card))
    head, side_px = Foreground.read(folder, card), max(card.size_px)
    styles: list[Matrix] = []
    colors, resolutions, prints = [], [], []
    with encoder, ThreadPoolExecutor(2) as pool:
        decoded = pool.map(lambda data: decode(data, name="photo", fit_px=side_px), photos)
        for batch in batched(decoded, _BATCH):
            images = [photo.image for photo in batch]
            embeddings, maps = encoder.embed_with_maps([encoder.prepare(image) for image in images])
            styles.append(embeddings)
            for row, image in enumerate(images):
                mask = (
                    None
                    if head is None or is_on_white(image)
                    else mask_of(image, head.of([map_[row] for map_ in maps]))
                )
                colors.append(color_vector(palette_of(image, mask)))
                prints.append(fingerprint(image))
            resolutions += [resolution_of(photo.width_px, photo.height_px) for photo in batch]
    return Seen(
        style=np.concatenate(styles),
        color=np.stack(colors),
        resolution=np.array(resolutions, np.float32),
        fingerprints=tuple(prints),
    )


def _some(photos: Photos, items: Mapping[str, Item], *, held_out: bool, limit: int | None) -> dict[str, bytes]:
    chosen = (
        (each, data)
        for each, data in zip(photos.ids, photos.data, strict=True)
        if each in items and items[each].held_out == held_out
    )
    return dict(islice(chosen, limit))


def _attributes(item: Item) -> dict[str, AttributeValue]:
    return {name: value for name, value in item.attributes.items() if value not in _SAYS_NOTHING}
