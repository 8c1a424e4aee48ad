"""A mask made sharp by colors, and cut into boxes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sartor.imaging.color import in_full_light, is_on_white, palette_of, reduced_for_colors
from sartor.imaging.foreground import mask_boxes, product_mask, refined
from sartor.recommend.features import color_words

FLOOR, COAT = (150, 108, 72), (30, 90, 220)


def snapshot(*spots: tuple[int, int, int, int]) -> Image.Image:
    """Blue cloth in some places of a brown floor that is lit unevenly."""
    shade = np.linspace(0.5, 1.2, 64)[None, :, None] * np.ones((64, 1, 1))
    rgb = (np.array(FLOOR) * shade).clip(0, 255).astype(np.uint8)
    for left, top, right, bottom in spots:
        rgb[top:bottom, left:right] = COAT
    return Image.fromarray(rgb)


def coarse(*spots: tuple[int, int, int, int]) -> np.ndarray:
    """A mask that is unsure, and a few pixels off."""
    mask = np.full((64, 64), 0.15, np.float32)
    for left, top, right, bottom in spots:
        mask[top + 4 : bottom + 4, left + 4 : right + 4] = 0.75
    return mask


def test_colors_make_a_mask_end_where_the_cloth_ends() -> None:
    spot = (16, 10, 44, 50)
    true = np.zeros((64, 64), bool)
    true[10:50, 16:44] = True
    before, after = (mask > 0.5 for mask in (coarse(spot), refined(np.asarray(snapshot(spot)), coarse(spot))))

    def overlap(mask: np.ndarray) -> float:
        return float((mask & true).sum() / (mask | true).sum())

    assert overlap(before) < 0.7
    assert overlap(after) > overlap(before) + 0.08


def test_a_mask_of_any_size_is_brought_to_the_size_in_which_colors_are_counted() -> None:
    photo = snapshot((16, 10, 44, 50)).resize((300, 200))
    mask = product_mask(photo, coarse((16, 10, 44, 50))[::4, ::4])

    assert mask.shape == reduced_for_colors(photo).size[::-1] == (43, 64)
    assert 0 <= mask.min() <= mask.max() <= 1


def test_the_palette_of_a_snapshot_is_that_of_the_product_and_not_of_the_floor() -> None:
    photo = snapshot((28, 4, 60, 30))  # not in the middle

    assert color_words(palette_of(photo))[0] != "blue"
    assert color_words(palette_of(photo, product_mask(photo, coarse((28, 4, 60, 30))))) == ("blue",)


def test_a_mask_without_a_product_leaves_the_palette_as_it_is_without_one() -> None:
    photo = snapshot((28, 4, 60, 30))
    nothing = np.zeros((64, 64), np.float32)

    assert np.array_equal(palette_of(photo, nothing).colors, palette_of(photo).colors)


def test_a_color_is_named_as_a_person_would_in_that_light() -> None:
    bright = np.full((64, 64, 3), 240, np.uint8)
    bright[10:50, 16:44] = (225, 225, 225)
    dark = Image.fromarray((bright * 0.85).astype(np.uint8))
    cloth = palette_of(dark, coarse((16, 10, 44, 50)))

    assert color_words(cloth) == ("silver",)
    assert color_words(in_full_light(cloth, dark)) == ("white",)


def test_a_photo_in_full_light_is_named_as_it_is() -> None:
    photo = Image.new("RGB", (64, 64), "white")
    photo.paste(COAT, (20, 20, 40, 40))

    assert color_words(in_full_light(palette_of(photo), photo)) == color_words(palette_of(photo)) == ("blue",)


@pytest.mark.parametrize(
    ("behind", "expected"), [((255, 255, 255), True), ((246, 246, 246), True), (FLOOR, False)]
)
def test_a_studios_white_is_told_from_a_floor(behind: tuple[int, int, int], *, expected: bool) -> None:
    photo = Image.new("RGB", (90, 120), behind)
    photo.paste(COAT, (20, 20, 70, 100))

    assert is_on_white(photo) is expected


def test_an_empty_studio_needs_a_mask_as_little_as_it_has_a_product() -> None:
    assert not is_on_white(Image.new("RGB", (64, 64), "white"))


def test_what_stands_apart_gets_a_box_each_the_largest_first() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[4:24, 4:24] = 1
    mask[30:60, 32:60] = 1
    first, second = mask_boxes(mask)

    assert first == pytest.approx((32 / 64 - 0.02, 30 / 64 - 0.02, 28 / 64 + 0.04, 30 / 64 + 0.04))
    assert second == pytest.approx((4 / 64 - 0.02, 4 / 64 - 0.02, 20 / 64 + 0.04, 20 / 64 + 0.04))


def test_a_pair_of_shoes_is_one_box_and_a_crumb_is_none() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[20:50, 10:30] = mask[20:50, 32:52] = 1
    mask[0:3, 60:63] = 1

    assert len(mask_boxes(mask)) == 1
    assert mask_boxes(np.zeros((64, 64), np.float32)) == []
