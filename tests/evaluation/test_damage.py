from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sartor.evaluation.backgrounds import border_color, on_background, plain, studio_background
from sartor.evaluation.robustness import DAMAGES, Perturbation

NAMES = [f"{damage.name}, {damage.level}" for damage in DAMAGES]
every_damage = pytest.mark.parametrize("damage", DAMAGES, ids=NAMES)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shirt(color: str = "navy", background: str = "white") -> Image.Image:
    image = Image.new("RGB", (120, 160), background)
    ImageDraw.Draw(image).rectangle((30, 40, 90, 120), fill=color)
    return image


def damage_named(name: str, level: str) -> Perturbation:
    (found,) = (damage for damage in DAMAGES if (damage.name, damage.level) == (name, level))
    return found


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


@every_damage
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 2), (1, 300), (90, 7)])
@pytest.mark.parametrize("color", ["white", "teal"])
def test_every_size_and_color_can_be_damaged(damage: Perturbation, size: tuple[int, int], color: str) -> None:
    damaged = damage.apply(Image.new("RGB", size, color), rng())

    assert damaged.mode == "RGB"
    assert min(damaged.size) >= 1


@every_damage
def test_the_same_generator_gives_the_same_damage_and_the_photo_stays(damage: Perturbation) -> None:
    photo = shirt()
    once, again = damage.apply(photo, rng(5)), damage.apply(photo, rng(5))

    assert once.tobytes() == again.tobytes()
    assert photo.tobytes() == shirt().tobytes()


@every_damage
def test_a_damage_changes_the_photo(damage: Perturbation) -> None:
    photo = Image.fromarray(rng().integers(0, 256, (100, 80, 3), np.uint8))

    damaged = damage.apply(photo, rng())

    assert damaged.size != photo.size or damaged.tobytes() != photo.tobytes()


def test_names_and_levels_are_distinct() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_a_crop_keeps_its_share_of_each_side_at_any_place() -> None:
    gradient = Image.fromarray(np.indices((100, 50)).astype(np.uint8)[[0, 1, 1]].transpose(1, 2, 0))
    crops = [damage_named("crop", "60 % of each side").apply(gradient, rng(seed)) for seed in range(30)]

    assert {crop.size for crop in crops} == {(30, 60)}
    corners = {crop.getpixel((0, 0))[:2] for crop in crops}
    assert len(corners) > 20
    assert all(top <= 40 and left <= 20 for top, left in corners)


def test_a_rotation_goes_both_ways_and_fills_with_the_border() -> None:
    turned = [damage_named("rotation", "±25°").apply(shirt("navy", "khaki"), rng(seed)) for seed in range(8)]

    assert len({image.tobytes() for image in turned}) == 2
    assert {image.getpixel((0, 0)) for image in turned} == {(240, 230, 140)}


def test_the_border_of_several_colors_is_white() -> None:
    stripes = Image.fromarray(np.repeat(rng().integers(0, 256, (1, 64, 3), np.uint8), 64, axis=0))

    assert border_color(stripes) == (255, 255, 255)
    assert border_color(shirt("navy", "khaki")) == (240, 230, 140)


def test_lighting_darkens_brightens_and_warms() -> None:
    gray = Image.new("RGB", (4, 4), (128, 128, 128))
    (dark, _, _), (bright, _, _), (red, green, blue) = (
        damage_named("lighting", level).apply(gray, rng()).getpixel((0, 0))
        for level in ("darker", "brighter", "warm")
    )

    assert (dark, bright) == (round(255 * (128 / 255) ** 1.8), round(255 * (128 / 255) ** 0.55))
    assert red > green > blue


def test_a_small_photo_has_64_pixels_and_a_smaller_one_stays() -> None:
    small = damage_named("small", "64 px")

    assert small.apply(shirt(), rng()).size == (48, 64)
    assert small.apply(Image.new("RGB", (30, 20)), rng()).size == (30, 20)


@pytest.mark.parametrize("level", ["plain color", "wood"])
def test_a_studios_background_is_exchanged_and_the_product_stays(level: str) -> None:
    damaged = damage_named("background", level).apply(shirt(), rng())

    assert damaged.size == (120, 160)
    assert damaged.getpixel((60, 80)) == (0, 0, 128)
    corners = [damaged.getpixel(place) for place in ((0, 0), (119, 0), (0, 159), (119, 159))]
    assert all(min(corner) < 225 for corner in corners)


def test_a_white_shirt_with_an_outline_is_not_background() -> None:
    photo = shirt("white")
    draw = ImageDraw.Draw(photo)
    draw.rectangle((30, 40, 90, 120), outline="gray", width=2)
    draw.line((58, 40, 59, 40), fill="white", width=3)  # a gap in it

    background = studio_background(np.asarray(photo))

    assert background is not None
    assert background[10, 10]
    assert not background[60:100, 45:75].any()


def test_what_the_edge_cannot_reach_is_product_and_what_it_can_between_legs_is_not() -> None:
    photo = Image.new("RGB", (100, 100), "white")
    draw = ImageDraw.Draw(photo)
    draw.rectangle((25, 20, 75, 99), fill="navy")
    draw.rectangle((40, 60, 60, 99), fill="white")  # between the legs, down to the edge
    draw.rectangle((40, 30, 60, 45), fill="white")  # a print

    background = studio_background(np.asarray(photo))

    assert background is not None
    assert background[80, 50]
    assert not background[38, 50]


@pytest.mark.parametrize("photo", [shirt("navy", "olive"), Image.new("RGB", (50, 50), "white")])
def test_a_photo_without_a_studios_background_is_framed(photo: Image.Image) -> None:
    framed = on_background(photo, plain, rng())

    assert studio_background(np.asarray(photo)) is None
    assert framed.size == photo.size
    assert framed.getpixel((0, 0)) == plain((1, 1), rng()).getpixel((0, 0))
    middle = (photo.width // 2, photo.height // 2)
    assert framed.getpixel(middle) == photo.getpixel(middle)


def test_blur_and_compression_grow_with_their_level() -> None:
    photo = Image.fromarray(rng().integers(0, 256, (100, 80, 3), np.uint8))

    def change(name: str, level: str) -> float:
        return float(np.abs(pixels(damage_named(name, level).apply(photo, rng())) - pixels(photo)).mean())

    assert change("blur", "radius 1 %") < change("blur", "radius 2 %")
    assert change("JPEG", "quality 30") < change("JPEG", "quality 10")
