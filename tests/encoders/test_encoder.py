from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from sartor.encoders.encoder import Encoder, unit_norm
from tests.fakes import COLOR_CARD, ColorRuntime, color_encoder


@given(arrays(np.float32, (5, 7), elements=st.floats(-1e6, 1e6, width=32)))
def test_unit_norm_makes_norms_one_or_rows_of_nan(vectors: np.ndarray) -> None:
    norms = np.linalg.norm(unit_norm(vectors), axis=1)
    usable = np.linalg.norm(vectors.astype(np.float64), axis=1) > 0
    assert np.allclose(norms[usable], 1, atol=1e-5)
    assert np.isnan(norms[~usable]).all()


def test_numbers_that_are_not_finite_make_a_row_of_nan() -> None:
    vectors = np.array([[1, np.inf], [np.nan, 1], [3, 4]], np.float32)
    assert np.isnan(unit_norm(vectors)[:2]).all()
    assert np.allclose(unit_norm(vectors)[2], [0.6, 0.8])


def test_photos_of_any_size_are_embedded() -> None:
    photos = [Image.new("RGB", size, (0, 90, 0)) for size in ((1, 1), (400, 30), (32, 32))]
    with color_encoder() as encoder:
        assert np.allclose(encoder.embed(photos), [[0, 1, 0]] * 3, atol=1e-6)


def test_no_photos_make_an_empty_matrix() -> None:
    with color_encoder() as encoder:
        assert encoder.embed([]).shape == (0, 3)


def test_an_unloaded_network_is_loaded_again_when_a_photo_comes() -> None:
    loaded = []

    def load() -> ColorRuntime:
        loaded.append(ColorRuntime())
        return loaded[-1]

    photo = Image.new("RGB", (9, 9), (0, 9, 0))
    with Encoder(COLOR_CARD, load) as encoder:
        assert loaded == []
        before = encoder.submit([encoder.prepare(photo)]).result()
        encoder.unload()
        assert np.array_equal(encoder.submit([encoder.prepare(photo)]).result(), before)
    assert len(loaded) == 2


def test_submitted_photos_give_what_embedding_them_gives() -> None:
    with Encoder(COLOR_CARD, ColorRuntime) as encoder:
        pixels = [encoder.prepare(Image.new("RGB", (9, 9), (number, 255, 0))) for number in range(10)]
        futures = [encoder.submit(pixels[start : start + 3]) for start in range(0, 10, 3)]
        assert np.array_equal(
            np.concatenate([future.result() for future in futures]), encoder.embed_pixels(pixels)
        )
