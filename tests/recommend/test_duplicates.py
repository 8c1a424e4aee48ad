from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from sartor.imaging.color import palette_of
from sartor.imaging.pixels import fingerprint
from sartor.recommend.duplicates import alike, near_duplicates
from sartor.recommend.features import color_vector

RED, BLUE = (190, 20, 30), (25, 45, 190)
STYLE = np.array([[1, 0]], np.float32)


def shirt(color: tuple[int, int, int], *, scale: float = 1.0, stripe: int = 60) -> Image.Image:
    image = Image.new("RGB", (180, 240), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 30, 140, 210), fill=color)
    draw.rectangle((40, stripe, 140, stripe + 25), fill=(240, 220, 60))
    return image.resize((round(180 * scale), round(240 * scale)))


def same(*photos: Image.Image, style: np.ndarray | None = None) -> np.ndarray:
    color = np.stack([color_vector(palette_of(photo)) for photo in photos])
    return alike(
        np.repeat(STYLE, len(photos), 0) if style is None else style, color, list(map(fingerprint, photos))
    )


def test_a_smaller_and_a_worse_copy_show_the_same() -> None:
    photo, worse = shirt(RED), BytesIO()
    photo.save(worse, "JPEG", quality=30)

    assert same(photo, shirt(RED, scale=0.4), Image.open(worse)).all()


def test_another_color_or_another_pattern_is_another_thing() -> None:
    assert same(shirt(RED), shirt(BLUE), shirt(RED, stripe=150)).tolist() == np.eye(3, dtype=bool).tolist()


def test_another_style_is_another_thing() -> None:
    assert not same(shirt(RED), shirt(RED), style=np.eye(2, dtype=np.float32))[0, 1]


def test_photos_without_a_fingerprint_are_like_no_other() -> None:
    blank = Image.new("RGB", (50, 50), RED)

    assert not same(blank, blank)[0, 1]
    assert not alike(np.repeat(STYLE, 2, 0), np.repeat(STYLE, 2, 0), [b"", b""])[0, 1]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
@settings(deadline=None)
def test_groups_are_the_same_pictures(pictures: list[int]) -> None:
    rng = np.random.default_rng(0)
    prints = [rng.bytes(128) for _ in range(5)]
    ones = np.repeat(STYLE, len(pictures), 0)
    groups = near_duplicates(ones, ones, [prints[picture] for picture in pictures])

    expected = {
        tuple(np.flatnonzero(np.array(pictures) == each)) for each in set(pictures) if pictures.count(each) > 1
    }
    assert set(map(tuple, groups)) == expected
    assert [len(group) for group in groups] == sorted(map(len, groups), reverse=True)


def test_a_catalog_without_photos_has_no_groups() -> None:
    assert near_duplicates(np.empty((0, 2), np.float32), np.empty((0, 2), np.float32), []) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (900, 700)])
def test_every_photo_has_a_fingerprint(size: tuple[int, int]) -> None:
    assert len(fingerprint(Image.new("RGB", size))) == 128
