"""The products that a training learns from: read from sources, split, with small photos, and their labels."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog import open_source
from sartor.errors import NothingToLearn
from sartor.evaluation.relevance import choose_labels
from sartor.evaluation.splits import is_held_out, split_key
from sartor.training.photos import EncodedSource, PhotoCache
from sartor.training.recipe import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.training.recipe import LabelMap, Recipe, Split
    from sartor.types import AttributeValue, SourceProduct


_MIN_CLASSES = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An attribute to learn.

    Attributes:
        name: The attribute.
        weight: How much it counts.
        describes: Whether products and photos are described by it later.
        classes: Its values, the most frequent first.
        allowed: ``(n, c)`` bool, which classes each product may have; all if nothing is known.
        known: ``(n,)`` bool, whether something is known.
    """

    name: str
    weight: float
    classes: tuple[str, ...]
    allowed: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]
    describes: bool = True


def targets_of(items: Sequence[Item], recipe: Recipe) -> tuple[Target, ...]:
    """The targets of the training products, in the recipe's order.

    Raises:
        NothingToLearn: No attribute has two classes.
    """
    targets = tuple(
        target
        for label in labels_of(items, recipe)
        if len((target := _target(items, label, recipe.maps)).classes) >= _MIN_CLASSES
    )
    if not targets:
        if recipe.labels:
            names = ", ".join(label.name for label in recipe.labels)
            raise NothingToLearn(reason=f"{names} has not two values; name other columns with --labels")
        raise NothingToLearn(
            reason="no column looks like a category, with two values or more that many products share each; "
            "name columns with --labels"
        )
    return targets


def unlearned(recipe: Recipe, targets: Sequence[Target]) -> tuple[str, ...]:
    """The recipe's labels that cannot be learned, since fewer than two values of them are known."""
    learned = {target.name for target in targets}
    return tuple(label.name for label in recipe.labels if label.name not in learned)


def judges(recipe: Recipe, targets: Sequence[Target]) -> tuple[str, ...]:
    """The attributes that decide whether an encoder is better."""
    return recipe.judge_by or tuple(target.name for target in targets)


def labels_of(items: Sequence[Item], recipe: Recipe) -> tuple[Label, ...]:
    """The recipe's labels, or those chosen by coverage and number of values."""
    if recipe.labels:
        return recipe.labels
    return tuple(Label(name=name) for name in choose_labels([item.attributes for item in items]))


def values_of(items: Sequence[Item], label: str, maps: Sequence[LabelMap] = ()) -> npt.NDArray[np.str_]:
    """The class of each product, ``(n,)``; empty if it has none or may have several."""
    possible = [item.classes(label, maps) for item in items]
    return np.array([classes[0] if len(classes) == 1 else "" for classes in possible], dtype=np.str_)


def _target(items: Sequence[Item], label: Label, maps: Sequence[LabelMap]) -> Target:
    possible = [item.classes(label.name, maps) for item in items]
    counts = Counter(own[0] for own in possible if len(own) == 1)
    classes = tuple(name for name, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    class_of = {name: number for number, name in enumerate(classes)}
    allowed = np.zeros((len(items), len(classes)), dtype=np.bool_)
    for row, own in enumerate(possible):
        allowed[row, [class_of[name] for name in own if name in class_of]] = True
    known = np.asarray(allowed.any(axis=1), dtype=np.bool_)
    allowed[~known] = True
    return Target(
        name=label.name,
        weight=label.weight,
        classes=classes,
        allowed=allowed,
        known=known,
        describes=label.describes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A product to learn from.

    Attributes:
        id: Its id in the catalog.
        attributes: From the catalog.
        photos: Keys of its photos in the cache, the largest first.
        held_out: Whether it is kept for validation.
    """

    id: str
    attributes: Mapping[str, AttributeValue]
    photos: tuple[str, ...]
    held_out: bool = False

    def classes(self, label: str, maps: Sequence[LabelMap] = ()) -> tuple[str, ...]:
        """The classes of a label that this product may have; empty if nothing is known."""
        value = self.attributes.get(label)
        if value not in {None, ""}:
            return (str(value),)
        for mapping in maps:
            if mapping.label == label and (known := self.attributes.get(mapping.column)) is not None:
                return mapping.classes.get(str(known), ())
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Products and their photos."""

    items: tuple[Item, ...]
    photos: PhotoCache

    @property
    def training(self) -> tuple[Item, ...]:
        """The products to learn from."""
        return tuple(item for item in self.items if not item.held_out)

    @property
    def held_out(self) -> tuple[Item, ...]:
        """The products for validation."""
        return tuple(item for item in self.items if item.held_out)


def read_dataset(
    sources: Sequence[Path],
    directory: Path,
    split: Split,
    *,
    side_px: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Dataset:
    """Read products from sources, and write their photos into a cache in a directory, if it is not there yet.

    A product id in several sources is one product, with the photos of all and the attributes of the first one that
    has them.

    Raises:
        SourceError: A source cannot be read.
        NothingToLearn: No product has a photo that can be used.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(open_source(path)) for path in sources]
        if not PhotoCache.is_complete(directory):
            directory.mkdir(parents=True, exist_ok=True)
            PhotoCache.build(directory, _photos(opened), side_px=side_px, on_progress=on_progress)
        cache = PhotoCache(directory)
        products = _merged(opened, cache)
    items = [
        Item(id=product_id, attributes=attributes, photos=tuple(sorted(photos, key=partial(_size, cache))))
        for product_id, (attributes, photos) in products.items()
        if photos
    ]
    if not items:
        raise NothingToLearn(reason="no product has a photo that can be used")
    logger.info("read %d products, %d photos, %d rejected", len(items), len(cache.photos), len(cache.rejected))
    return Dataset(items=_held_out(items, cache, split), photos=cache)


def photo_key(source: str, name: str) -> str:
    """A unique key of a photo, from its source and its name there."""
    return hashlib.sha256(f"{source}\0{name}".encode()).hexdigest()[:20]


def _photos(sources: Iterable[Iterable[SourceProduct]]) -> Iterator[EncodedSource]:
    for number, source in enumerate(sources):
        for offered in source:
            for photo in offered.photos:
                yield EncodedSource(key=photo_key(str(number), photo.name), name=photo.name, read=photo.read)


def _merged(
    sources: Iterable[Iterable[SourceProduct]], cache: PhotoCache
) -> dict[str, tuple[dict[str, AttributeValue], list[str]]]:
    products: dict[str, tuple[dict[str, AttributeValue], list[str]]] = {}
    for number, source in enumerate(sources):
        for offered in source:
            attributes, photos = products.setdefault(offered.product.id, ({}, []))
            for name, value in offered.product.attributes.items():
                attributes.setdefault(name, value)
            keys = (photo_key(str(number), photo.name) for photo in offered.photos)
            photos.extend(key for key in keys if key in cache.photos)
    return products


def _size(cache: PhotoCache, key: str) -> int:
    photo = cache.photos[key]
    return -photo.height_px * photo.width_px


def _held_out(items: Sequence[Item], cache: PhotoCache, split: Split) -> tuple[Item, ...]:
    """Mark what is held out: groups by their hash, and everything that looks the same as one of their products."""
    groups = [split_key(item.id, item.attributes, group_by=split.group_by) for item in items]
    held = {group for group in groups if is_held_out(group, seed=split.seed, share=split.share)}
    if split.near_duplicates:
        held = _spread(held, groups, [[cache.photos[key].fingerprint for key in item.photos] for item in items])
    return tuple(replace(item, held_out=group in held) for item, group in zip(items, groups, strict=True))


def _spread(held: set[str], groups: Sequence[str], fingerprints: Sequence[Sequence[str]]) -> set[str]:
    """Also hold out groups with a photo that looks the same as one that is held out, until none is added."""
    while True:
        seen = {look for group, looks in zip(groups, fingerprints, strict=True) if group in held for look in looks}
        more = {group for group, looks in zip(groups, fingerprints, strict=True) if not seen.isdisjoint(looks)}
        if more <= held:
            return held
        held = held | more
