"""Garments on photos: by the mask, by where clothes are worn, by a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from sartor.encoders.card import AttributeHead, ModelCard
from sartor.encoders.detector import Detector, DetectorCard, DetectorForm
from sartor.encoders.encoder import Encoder
from sartor.encoders.foreground import FINER, Foreground
from sartor.encoders.heads import Heads
from sartor.recommend.boxes import GarmentFinder, overlap, pixels_of
from sartor.recommend.features import FeatureBuilder
from sartor.recommend.outfit.rules import Slot
from tests.fakes import COLOR_CARD, NO_HEADS, ColorRuntime

if TYPE_CHECKING:
    from collections.abc import Sequence

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
SKIN = (214, 160, 130)
HEADS = Heads(
    (AttributeHead(name="articleType", output="a", classes=("Tshirts", "Jeans", "Casual Shoes")),),
    {"articleType": np.eye(3, dtype=np.float32)},
    scale=20,
)
CARD = COLOR_CARD.model_copy(update={"feature_maps": ("map",)})
FEATURES = FeatureBuilder("color", HEADS)


class MapRuntime(ColorRuntime):
    """Gives a map of 8 x 8 mean colors, beside the mean color of all."""

    def infer_outputs(self, pixels: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        side = pixels.shape[1] // 8
        maps = pixels.reshape(len(pixels), 8, side, 8, side, 3).mean(axis=(2, 4)).astype(np.float32) / 255
        return {name: maps if name == "map" else self.infer(pixels) for name in names}


def colored() -> Foreground:
    """A head that takes for the product what is not white."""
    around, place = np.zeros((3, 3, 3, 3), np.float32), np.zeros((5, 3), np.float32)
    around[1, 1], place[0] = np.eye(3), 8
    return Foreground(
        {
            "level_0": -8 * np.eye(3, dtype=np.float32),
            "place": place,
            "around": around,
            "around_bias": np.zeros(3, np.float32),
            "out": np.ones((3, FINER**2), np.float32),
            "out_bias": np.full(FINER**2, -4, np.float32),
        }
    )


def photo(*spots: tuple[tuple[int, int, int], tuple[int, int, int, int]]) -> Image.Image:
    """Colors in places of a white photo of 160 by 160."""
    image = Image.new("RGB", (160, 160), WHITE)
    for color, box in spots:
        image.paste(color, box)
    return image


def dressed() -> Image.Image:
    """A person with a red top, green jeans and blue shoes."""
    clothes = ((RED, (50, 16, 110, 72)), (GREEN, (50, 72, 110, 132)), (BLUE, (50, 132, 110, 152)))
    return photo((SKIN, (66, 0, 94, 16)), *clothes)


def finder(*, detector: Detector | None = None) -> GarmentFinder:
    return GarmentFinder(Encoder(CARD, MapRuntime), FEATURES, colored(), detector=detector)


def test_one_garment_is_one_box_around_it_with_its_name() -> None:
    (found,) = finder().find(photo((RED, (20, 40, 100, 140))))

    assert (found.name, found.slot) == ("Tshirts", Slot.TOP)
    assert found.probability > 0.9
    assert overlap(found.box, (20 / 160, 40 / 160, 80 / 160, 100 / 160)) > 0.8


def test_garments_that_lie_apart_are_boxes_of_their_own_the_largest_first() -> None:
    found = finder().find(photo((RED, (0, 0, 60, 60)), (GREEN, (90, 20, 160, 160))))

    assert [each.name for each in found] == ["Jeans", "Tshirts"]
    assert found[0].box[0] > 0.45 > sum(found[1].box[::2])


def test_a_dressed_person_has_a_box_for_each_garment() -> None:
    person = photo(
        (SKIN, (70, 0, 90, 16)), (RED, (50, 16, 110, 72)), (GREEN, (50, 72, 110, 132)), (BLUE, (50, 132, 110, 152))
    )
    found = {each.name: each for each in finder().find(person)}

    assert set(found) == {"Tshirts", "Jeans", "Casual Shoes"}
    assert found["Tshirts"].box[1] < found["Jeans"].box[1] < found["Casual Shoes"].box[1]
    assert found["Casual Shoes"].box[3] < 0.25


def test_a_garment_that_nobody_wears_is_not_taken_apart() -> None:
    quilt = photo((RED, (50, 8, 110, 72)), (GREEN, (50, 72, 110, 132)), (BLUE, (50, 132, 110, 152)))

    assert len(finder().find(quilt)) == 1


def test_no_more_garments_are_given_than_are_asked_for() -> None:
    person = photo(
        (SKIN, (70, 0, 90, 16)), (RED, (50, 16, 110, 72)), (GREEN, (50, 72, 110, 132)), (BLUE, (50, 132, 110, 152))
    )

    assert len(finder().find(person, limit=1)) == 1


def test_a_photo_without_a_product_is_one_box_of_all_of_it() -> None:
    assert [each.box for each in finder().find(photo())] == [(0, 0, 1, 1)]


def test_without_a_foreground_and_without_names_all_of_a_photo_is_one_box() -> None:
    plain = GarmentFinder(Encoder(COLOR_CARD, ColorRuntime), FeatureBuilder("color", NO_HEADS), None)
    (found,) = plain.find(photo((RED, (20, 40, 100, 140))))

    assert (found.box, found.name, found.slot) == ((0, 0, 1, 1), "", None)


def detector_of(*rows: tuple[tuple[float, float, float, float], float, int]) -> Detector:
    """A detector that always gives these boxes, by corners in pixels of an input of 64, scores and classes."""
    numbers = np.array([[*corners, score, number] for corners, score, number in rows], np.float32)[None]

    class Fixed:
        description, streams, batch_size = "fixed", 1, 1

        def infer(self, pixels: np.ndarray) -> np.ndarray:
            return numbers

        def infer_outputs(self, pixels: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
            return dict.fromkeys(names, numbers)

    network = ModelCard(**COLOR_CARD.model_dump() | {"size_px": (64, 64), "output": "boxes"})
    card = DetectorCard(network=network, form=DetectorForm.YOLO_FINISHED, classes=("person", "skirt", "boots"))
    return Detector(card, Fixed)


def test_what_a_detector_finds_counts_instead_and_a_person_is_no_garment() -> None:
    detector = detector_of(((0, 0, 64, 64), 0.9, 0), ((8, 32, 40, 48), 0.8, 1), ((8, 48, 40, 64), 0.2, 2))
    (found,) = finder(detector=detector).find(photo((RED, (20, 40, 100, 140))))

    assert (found.name, found.slot) == ("skirt", Slot.BOTTOM)
    assert found.box == pytest.approx((8 / 64, 0.5, 0.5, 0.25))


def test_where_a_detector_finds_nothing_the_mask_counts() -> None:
    (found,) = finder(detector=detector_of(((0, 0, 64, 64), 0.9, 0))).find(photo((RED, (20, 40, 100, 140))))

    assert found.name == "Tshirts"


def test_a_region_in_pixels_is_never_empty() -> None:
    assert pixels_of((0.25, 0.5, 0.5, 0.5), (8, 4)) == (2, 2, 6, 4)
    assert pixels_of((0.999, 0.999, 0.001, 0.001), (8, 4)) == (7, 3, 8, 4)
