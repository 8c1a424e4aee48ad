from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import numpy as np
import pytest

from sartor.encoders.card import ModelCard
from sartor.encoders.encoder import BatchingEncoder
from tests.fakes import COLOR_CARD


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
