"""Encoders: resizing, embedding, and batches of several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from sartor.choices import ResizePolicy
from sartor.encoders.card import ModelCard
from sartor.encoders.encoder import BatchingEncoder, Encoder, prepare, unit_norm
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


class Network:
    """A runtime that notes its batches; embeds to the photo's first pixel."""

    batch_size, streams, description = 4, 1, "a network of the test"

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.free = Event()
        self.free.set()

    def infer(self, pixels: np.ndarray) -> np.ndarray:
        self.free.wait(10)
        self.batches.append(len(pixels))
        if (pixels == 255).all(axis=(1, 2, 3)).any():
            raise RuntimeError("white")
        return pixels[:, 0, 0].astype(np.float32)


@pytest.fixture
def card() -> ModelCard:
    return COLOR_CARD


def photo(red: int) -> np.ndarray:
    return np.full((8, 8, 3), (red, 100, 50), np.uint8)


def test_a_photo_alone_is_embedded_at_once_and_as_by_any_encoder(card: ModelCard) -> None:
    network = Network()
    with BatchingEncoder(card, lambda: network, window_s=60) as encoder:  # type: ignore[arg-type]
        (found,) = encoder.embed_pixels([photo(10)])

    np.testing.assert_allclose(found, np.array([10, 100, 50]) / np.linalg.norm([10, 100, 50]), rtol=1e-6)
    assert network.batches == [1]


def test_photos_that_wait_together_share_a_batch_and_each_gets_its_own_embedding(card: ModelCard) -> None:
    network = Network()
    network.free.clear()
    together = Barrier(7)

    def ask(red: int) -> np.ndarray:
        together.wait(10)
        return encoder.embed_pixels([photo(red)])[0]

    with BatchingEncoder(card, lambda: network) as encoder, ThreadPoolExecutor(7) as pool:  # type: ignore[arg-type]
        asked = [pool.submit(ask, red) for red in range(6)]
        together.wait(10)
        network.free.set()
        found = [future.result(10) for future in asked]

    for red, vector in enumerate(found):
        np.testing.assert_allclose(vector, np.array([red, 100, 50]) / np.linalg.norm([red, 100, 50]), rtol=1e-6)
    assert sum(network.batches) == 6
    assert max(network.batches) <= network.batch_size


def test_a_failure_reaches_its_caller_and_the_next_photo_is_embedded(card: ModelCard) -> None:
    network = Network()
    with BatchingEncoder(card, lambda: network) as encoder:  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match="white"):
            encoder.embed_pixels([np.full((8, 8, 3), 255, np.uint8)])
        assert encoder.embed_pixels([photo(3)]).shape == (1, 3)


def test_a_closed_encoder_starts_again_when_it_is_asked(card: ModelCard) -> None:
    network = Network()
    encoder = BatchingEncoder(card, lambda: network)  # type: ignore[arg-type]
    encoder.embed_pixels([photo(1)])
    encoder.close()

    assert encoder.embed_pixels([photo(2)]).shape == (1, 3)
    encoder.close()


LEFT, RIGHT = (200, 0, 0), (0, 0, 200)


@pytest.fixture
def wide() -> Image.Image:
    """A photo of 120 x 40: a red third, a green third, a blue third."""
    image = Image.new("RGB", (120, 40), (0, 200, 0))
    image.paste(LEFT, (0, 0, 40, 40))
    image.paste(RIGHT, (80, 0, 120, 40))
    return image


def prepared(image: Image.Image, resize: ResizePolicy, size_px: tuple[int, int] = (30, 30)) -> np.ndarray:
    return prepare(image, COLOR_CARD.model_copy(update={"resize": resize, "size_px": size_px}))


@pytest.mark.parametrize("resize", list(ResizePolicy))
def test_every_policy_gives_the_height_and_width_of_the_card(wide: Image.Image, resize: ResizePolicy) -> None:
    pixels = prepared(wide, resize, size_px=(20, 50))
    assert pixels.shape == (20, 50, 3)
    assert pixels.dtype == np.uint8


def test_stretching_keeps_everything(wide: Image.Image) -> None:
    pixels = prepared(wide, ResizePolicy.STRETCH)
    assert tuple(pixels[15, 2]) == LEFT
    assert tuple(pixels[15, 27]) == RIGHT


def test_cropping_keeps_the_center(wide: Image.Image) -> None:
    pixels = prepared(wide, ResizePolicy.CROP)
    assert (pixels[:, 2:-2] == (0, 200, 0)).all()


def test_padding_adds_white_bars(wide: Image.Image) -> None:
    pixels = prepared(wide, ResizePolicy.PAD)
    assert (pixels[:8] == 255).all()
    assert (pixels[-8:] == 255).all()
    assert tuple(pixels[15, 2]) == LEFT


def test_a_photo_of_the_right_size_is_taken_as_it_is() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(prepare(Image.fromarray(noise), COLOR_CARD), noise)


class MapNetwork(Network):
    """The same with a map: the photo itself."""

    def infer_outputs(self, pixels: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        vectors = self.infer(pixels)
        return {name: pixels.astype(np.float32) if name == "map" else vectors for name in names}


def test_a_photo_with_its_maps_is_one_run_and_shares_a_batch_with_photos_without() -> None:
    network = MapNetwork()
    network.free.clear()
    together = Barrier(5)
    mapped = COLOR_CARD.model_copy(update={"feature_maps": ("map",)})

    def ask(red: int) -> tuple[np.ndarray, list[np.ndarray]]:
        together.wait(10)
        if red % 2:
            return encoder.embed_with_maps([photo(red)])
        return encoder.embed_pixels([photo(red)]), []

    with BatchingEncoder(mapped, lambda: network) as encoder, ThreadPoolExecutor(5) as pool:  # type: ignore[arg-type]
        asked = [pool.submit(ask, red) for red in range(4)]
        together.wait(10)
        network.free.set()
        found = [future.result(10) for future in asked]

    for red, (vectors, maps) in enumerate(found):
        np.testing.assert_array_equal(vectors, Encoder(mapped, lambda: network).embed_pixels([photo(red)]))  # type: ignore[arg-type]
        assert [map_.tolist() for map_ in maps] == ([[photo(red).tolist()]] if red % 2 else [])
    assert sum(network.batches[: -len(found)]) == 4  # each photo once


def test_several_photos_with_their_maps_are_one_batch() -> None:
    mapped = COLOR_CARD.model_copy(update={"feature_maps": ("map",)})
    for kind in (Encoder, BatchingEncoder):
        with kind(mapped, MapNetwork) as encoder:  # type: ignore[arg-type]
            vectors, maps = encoder.embed_with_maps([photo(red) for red in range(3)])
            assert (len(vectors), [len(map_) for map_ in maps]) == (3, [3])
