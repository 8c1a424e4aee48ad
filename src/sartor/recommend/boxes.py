"""The garments on a photo: where each is, and what it is.

The mask of the product gives the regions that stand apart. A dressed person is one region, so windows where
clothes are worn on a body are tried, too. The model names all of them; of each part of a look the surest counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.imaging.color import reduced_for_colors, skin_of
from sartor.imaging.foreground import mask_boxes, product_mask
from sartor.limits import MAX_GARMENTS
from sartor.recommend.outfit.rules import Slot, clash, slot_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL import Image

    from sartor.encoders.detector import Detector
    from sartor.encoders.foreground import Foreground
    from sartor.recommend.base import PhotoEncoder
    from sartor.recommend.features import FeatureBuilder
    from sartor.recommend.similar import Recommendation

    Floats = npt.NDArray[np.float32]

Box: TypeAlias = tuple[float, float, float, float]  # left, top, width and height, as shares of a photo's sides

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
# Where clothes are on a standing person: the slots, and top and bottom of the window in shares of the person.
_WORN: tuple[tuple[frozenset[Slot], float, float], ...] = (
    (frozenset({Slot.HEADWEAR, Slot.EYEWEAR}), 0.0, 0.2),
    (frozenset({Slot.TOP, Slot.OUTERWEAR}), 0.0, 0.55),
    (frozenset({Slot.TOP, Slot.OUTERWEAR}), 0.1, 0.7),
    (frozenset({Slot.BOTTOM}), 0.4, 1.0),
    (frozenset({Slot.BOTTOM}), 0.6, 1.0),
    (frozenset({Slot.SHOES}), 0.82, 1.0),
)
_CLOTHES = frozenset({Slot.TOP, Slot.BOTTOM, Slot.ONE_PIECE, Slot.OUTERWEAR})
_MIN_SURE = 0.5  # probability of a slot from which a window counts
_MIN_SURE_BESIDE = 0.7  # of a part of a region that is something else as a whole
_UPPER = 0.45  # of a person's height, where a face and arms are
_MIN_SKIN, _MAX_SKIN = (
    0.006,
    0.5,
)  # of a region, and of its upper part: less is chance, more is cloth of that color
_MIN_HEIGHT_PX = 24  # of a window; a smaller one shows nothing
_SAME = 0.6  # overlap from which two boxes are one
_TINY = 1e-6
_MIN_DETECTED = 0.35  # probability from which a detection counts
_DETECTIONS = 50  # that are looked at; many may be no garments


@dataclass(frozen=True, slots=True, kw_only=True)
class GarmentBox:
    """A garment on a photo.

    Attributes:
        box: Its region: left, top, width and height as shares of the photo's sides.
        name: What it is, such as ``Tshirts``; empty if the model names nothing.
        probability: Of the name.
        slot: The part of a look that it is; None for what is in no look.
    """

    box: Box
    name: str = ""
    probability: float = 0.0
    slot: Slot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GarmentHits:
    """A garment on a photo, and what is similar to it.

    Attributes:
        garment: Where it is, and what it is.
        found: The products most similar to its region of the photo.
    """

    garment: GarmentBox
    found: Recommendation


@dataclass(frozen=True, slots=True)
class _Window:
    box: Box
    slots: frozenset[Slot]  # that it may show; empty for any
    is_part: bool  # of a larger region


@dataclass(frozen=True, slots=True)
class _Named:
    window: _Window
    slot: Slot | None
    sure: float  # probability of the slot
    name: str
    probability: float


class GarmentFinder:
    """Finds the garments on photos with one model."""

    def __init__(
        self,
        encoder: PhotoEncoder,
        features: FeatureBuilder,
        foreground: Foreground | None,
        *,
        detector: Detector | None = None,
    ) -> None:
        """What ``detector`` finds counts; without it, or where it finds nothing, ``foreground`` gives the regions.

        Without either, all of a photo is one region.
        """
        self._encoder, self._features, self._foreground = encoder, features, foreground
        self._detector = detector
        heads = features.heads.heads
        self._kinds = heads[0] if heads else None
        self._slots = [slot_of(name) for name in heads[0].classes] if heads else []

    def find(self, image: Image.Image, *, limit: int = MAX_GARMENTS) -> tuple[GarmentBox, ...]:
        """The garments on an RGB photo, those that are surely something first; at least one."""
        if self._detector is not None and (detected := self._detected(self._detector, image, limit)):
            return detected
        mask = self._mask(image)
        regions = mask_boxes(mask) or [WHOLE]
        windows = [_Window(box, frozenset(), is_part=False) for box in regions]
        if self._kinds is None:
            return tuple(GarmentBox(box=box) for box in regions[:limit])
        skin = skin_of(reduced_for_colors(image)) & (mask > 0.5)  # noqa: PLR2004 - more likely than not
        windows += [part for box in regions if _is_worn(skin, box) for part in _parts(box, image.height)]
        named = self._named(image, windows)
        return tuple(
            GarmentBox(box=each.window.box, name=each.name, probability=each.probability, slot=each.slot)
            for each in _chosen(named)[:limit]
        )

    def _detected(self, detector: Detector, image: Image.Image, limit: int) -> tuple[GarmentBox, ...]:
        """What a detector takes for garments; its other classes, such as a person, are left out."""
        found = detector.detect(image, minimum=_MIN_DETECTED, limit=_DETECTIONS)
        garments = [(each, slot) for each in found if (slot := slot_of(each.name)) is not None]
        return tuple(
            GarmentBox(box=each.box, name=each.name, probability=each.probability, slot=slot)
            for each, slot in garments[:limit]
        )

    def _mask(self, image: Image.Image) -> Floats:
        """How probably each pixel of ``reduced_for_colors`` shows a product, ``(h, w)``."""
        if self._foreground is None:
            width, height = reduced_for_colors(image).size
            return np.ones((height, width), np.float32)
        maps = self._encoder.feature_maps([self._encoder.prepare(image)])
        return product_mask(image, self._foreground.of([map_[0] for map_ in maps]))

    def _named(self, image: Image.Image, windows: Sequence[_Window]) -> list[_Named]:
        crops = [image.crop(pixels_of(window.box, image.size)) for window in windows]
        embeddings = np.nan_to_num(self._encoder.embed(crops))
        assert self._kinds is not None  # noqa: S101 - find has returned otherwise
        probabilities = self._features.heads.probabilities(embeddings)[self._kinds.name]
        return [self._best(window, row) for window, row in zip(windows, probabilities, strict=True)]

    def _best(self, window: _Window, probabilities: Floats) -> _Named:
        """The likeliest slot of a window among those that it may show, and its likeliest kind."""
        assert self._kinds is not None  # noqa: S101
        by_slot: dict[Slot | None, float] = {}
        for slot, probability in zip(self._slots, probabilities.tolist(), strict=True):
            by_slot[slot] = by_slot.get(slot, 0.0) + probability
        allowed = {slot: sure for slot, sure in by_slot.items() if not window.slots or slot in window.slots}
        slot = max(allowed, key=lambda each: allowed[each]) if allowed else None
        of_slot = np.array([own == slot for own in self._slots]) * probabilities
        kind = int(of_slot.argmax())
        return _Named(window, slot, allowed.get(slot, 0.0), self._kinds.classes[kind], float(of_slot[kind]))


def pixels_of(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A region as left, top, right and bottom in pixels, at least one wide and high."""
    (left, top, width, height), (wide, high) = box, size
    x, y = min(int(left * wide), wide - 1), min(int(top * high), high - 1)
    right = max(x + 1, min(round((left + width) * wide), wide))
    return x, y, right, max(y + 1, min(round((top + height) * high), high))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two regions."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def _is_worn(skin: npt.NDArray[np.bool_], box: Box) -> bool:
    """Whether somebody wears what is in a region: skin ``(h, w)`` is seen in its upper part, as a face or arms."""
    from scipy import ndimage  # here, since a query by a product needs none, and it takes long to import

    left, top, right, bottom = pixels_of(box, (skin.shape[1], skin.shape[0]))
    upper = skin[top : top + max(1, round(_UPPER * (bottom - top))), left:right]
    spots, _ = ndimage.label(upper)
    largest = int(np.bincount(spots.ravel())[1:].max(initial=0))
    return _MIN_SKIN * (bottom - top) * (right - left) <= largest <= _MAX_SKIN * upper.size


def _parts(box: Box, height_px: int) -> list[_Window]:
    left, top, width, height = box
    windows = [(slots, (left, top + begin * height, width, (end - begin) * height)) for slots, begin, end in _WORN]
    return [_Window(part, slots, is_part=True) for slots, part in windows if part[3] * height_px >= _MIN_HEIGHT_PX]


def _chosen(named: Sequence[_Named]) -> list[_Named]:
    """The garments: the regions, and parts of them that are surely another garment.

    If a region has another garment in it, the part that shows the region's own garment best stands for it.
    """
    regions = [each for each in named if not each.window.is_part]
    parts = sorted((each for each in named if each.window.is_part), key=lambda each: -each.sure)
    chosen = regions[:1]
    for each in sorted(regions[1:], key=lambda each: -each.sure):
        if each.sure >= _MIN_SURE and all(_are_two(each, other) for other in chosen):
            chosen.append(each)
    if not any(each.slot in _CLOTHES for each in chosen):
        parts = []
    beside: list[_Named] = []
    for each in parts:
        if each.sure >= _MIN_SURE_BESIDE and all(_are_two(each, other) for other in (*chosen, *beside)):
            beside.append(each)
    return [*(_own_part(each, parts) if beside else each for each in chosen), *beside]


def _own_part(region: _Named, parts: Sequence[_Named]) -> _Named:
    """The part of a region that shows its garment best; the region itself without one."""
    same = (part for part in parts if part.slot == region.slot and part.sure >= _MIN_SURE)
    return next((part for part in same if _within(part.window.box, region.window.box)), region)


def _are_two(one: _Named, other: _Named) -> bool:
    """Whether two regions can show two garments that are worn together."""
    if one.slot is None or other.slot is None:
        return False
    alike = overlap(one.window.box, other.window.box) >= _SAME
    return not clash(one.slot, other.slot) and not (alike and not (one.window.is_part or other.window.is_part))


def _within(part: Box, whole: Box) -> bool:
    return part[0] >= whole[0] - _TINY and part[1] >= whole[1] - _TINY and _ends_within(part, whole)


def _ends_within(part: Box, whole: Box) -> bool:
    return all(part[side] + part[side + 2] <= whole[side] + whole[side + 2] + _TINY for side in (0, 1))
