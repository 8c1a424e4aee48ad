from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sartor.evaluation.robustness import PERTURBATIONS, Perturbation

NAMES = [f"{each.name}, {each.level}" for each in PERTURBATIONS]
every_perturbation = pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=NAMES)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shirt(color: str = "navy", background: str = "white") -> Image.Image:
    image = Image.new("RGB", (120, 160), background)
    ImageDraw.Draw(image).rectangle((30, 40, 90, 120), fill=color)
    return image


def perturbation_named(name: str, level: str) -> Perturbation:
    (found,) = (each for each in PERTURBATIONS if (each.name, each.level) == (name, level))
    return found


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


@every_perturbation
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 2), (1, 300), (90, 7)])
@pytest.mark.parametrize("color", ["white", "teal"])
def test_every_size_and_color_can_be_damaged(
    perturbation: Perturbation, size: tuple[int, int], color: str
) -> None:
    damaged = perturbation.apply(Image.new("RGB", size, color), rng())

    assert damaged.mode == "RGB"
    assert min(damaged.size) >= 1


@every_perturbation
def test_the_same_generator_gives_the_same_damage_and_the_photo_stays(perturbation: Perturbation) -> None:
    photo = shirt()
    once, again = perturbation.apply(photo, rng(5)), perturbation.apply(photo, rng(5))

    assert once.tobytes() == again.tobytes()
    assert photo.tobytes() == shirt().tobytes()


@every_perturbation
def test_a_damage_changes_the_photo(perturbation: Perturbation) -> None:
    photo = Image.fromarray(rng().integers(0, 256, (100, 80, 3), np.uint8))

    damaged = perturbation.apply(photo, rng())

    assert damaged.size != photo.size or damaged.tobytes() != photo.tobytes()


def test_names_and_levels_are_distinct() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_a_crop_keeps_its_share_of_each_side_at_any_place() -> None:
    gradient = Image.fromarray(np.indices((100, 50)).astype(np.uint8)[[0, 1, 1]].transpose(1, 2, 0))
    crops = [perturbation_named("crop", "60 % of each side").apply(gradient, rng(seed)) for seed in range(30)]

    assert {crop.size for crop in crops} == {(30, 60)}
    corners = {crop.getpixel((0, 0))[:2] for crop in crops}
    assert len(corners) > 20
    assert all(top <= 40 and left <= 20 for top, left in corners)


def test_a_rotation_goes_both_ways_and_fills_with_the_border() -> None:
    turned = [perturbation_named("rotation", "±25°").apply(shirt("navy", "khaki"), rng(seed)) for seed in range(8)]

    assert len({image.tobytes() for image in turned}) == 2
    assert {image.getpixel((0, 0)) for image in turned} == {(240, 230, 140)}


def test_lighting_darkens_brightens_and_warms() -> None:
    gray = Image.new("RGB", (4, 4), (128, 128, 128))
    (dark, _, _), (bright, _, _), (red, green, blue) = (
        perturbation_named("lighting", level).apply(gray, rng()).getpixel((0, 0))
        for level in ("darker", "brighter", "warm")
    )

    assert (dark, bright) == (round(255 * (128 / 255) ** 1.8), round(255 * (128 / 255) ** 0.55))
    assert red > green > blue


def test_a_small_photo_has_64_pixels_and_a_smaller_one_stays() -> None:
    small = perturbation_named("small", "64 px")

    assert small.apply(shirt(), rng()).size == (48, 64)
    assert small.apply(Image.new("RGB", (30, 20)), rng()).size == (30, 20)


@pytest.mark.parametrize("level", ["plain color", "wood"])
def test_a_studios_background_is_exchanged_and_the_product_stays(level: str) -> None:
    damaged = perturbation_named("background", level).apply(shirt(), rng())

    assert damaged.size == (120, 160)
    assert damaged.getpixel((60, 80)) == (0, 0, 128)
    corners = [damaged.getpixel(place) for place in ((0, 0), (119, 0), (0, 159), (119, 159))]
    assert all(min(corner) < 225 for corner in corners)


def test_blur_and_compression_grow_with_their_level() -> None:
    photo = Image.fromarray(rng().integers(0, 256, (100, 80, 3), np.uint8))

    def change(name: str, level: str) -> float:
        return float(np.abs(pixels(perturbation_named(name, level).apply(photo, rng())) - pixels(photo)).mean())

    assert change("blur", "radius 1 %") < change("blur", "radius 2 %")
    assert change("JPEG", "quality 30") < change("JPEG", "quality 10")
