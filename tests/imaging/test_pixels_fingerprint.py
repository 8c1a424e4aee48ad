from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from sartor.imaging.pixels import apart, fingerprint

PRINTS = st.one_of(st.just(b""), st.binary(min_size=128, max_size=128))


@given(PRINTS, PRINTS)
def test_the_distance_is_the_share_of_bits_that_only_one_has(one: bytes, other: bytes) -> None:
    bits = [set(np.flatnonzero(np.unpackbits(np.frombuffer(each, np.uint8)))) for each in (one, other)]
    either, both = bits[0] | bits[1], bits[0] & bits[1]
    expected = len(either - both) / len(either) if either else 1

    assert apart([one, other], [other, one]).tolist() == [np.float32(expected)] * 2


def test_a_flat_photo_has_no_bits_and_a_drawn_one_has() -> None:
    flat = Image.new("RGB", (60, 80), "white")
    drawn = flat.copy()
    ImageDraw.Draw(drawn).ellipse((10, 10, 40, 60), fill="black")

    assert not any(fingerprint(flat))
    assert len(fingerprint(drawn)) == 128
    assert apart([fingerprint(drawn)], [fingerprint(drawn.resize((180, 240)))])[0] < 0.13


def test_no_pairs_have_no_distances() -> None:
    assert apart([], []).shape == (0,)
