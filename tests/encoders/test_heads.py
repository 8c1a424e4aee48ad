from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.encoders.heads import Regions

CHANNELS, UNITS, DIMENSION = (2, 3), 5, 4
FEATURES = sum(CHANNELS)


def weights(rng: np.random.Generator, *, hidden: bool) -> dict[str, np.ndarray]:
    made = {
        "pooled_norm/gamma": rng.normal(size=FEATURES),
        "pooled_norm/beta": rng.normal(size=FEATURES),
        "pooled_norm/moving_mean": rng.normal(size=FEATURES),
        "pooled_norm/moving_variance": rng.uniform(0.1, 2, FEATURES),
        "projection/kernel": rng.normal(size=(FEATURES, DIMENSION)),
    }
    if hidden:
        made |= {
            "hidden/kernel": rng.normal(size=(FEATURES, UNITS)),
            "hidden/bias": rng.normal(size=UNITS),
            "hidden_projection/kernel": rng.normal(size=(UNITS, DIMENSION)),
        }
    return {name: array.astype(np.float32) for name, array in made.items()}


def embedding(maps: list[np.ndarray], of: dict[str, np.ndarray]) -> np.ndarray:
    """The layers as the network computes them."""
    pooled = np.concatenate([each.mean(axis=(0, 1)) for each in maps])
    normed = (pooled - of["pooled_norm/moving_mean"]) / np.sqrt(of["pooled_norm/moving_variance"] + 1e-3)
    normed = normed * of["pooled_norm/gamma"] + of["pooled_norm/beta"]
    projected = normed @ of["projection/kernel"]
    if "hidden/kernel" in of:
        units = np.maximum(0, normed @ of["hidden/kernel"] + of["hidden/bias"])
        projected = projected + units @ of["hidden_projection/kernel"]
    return projected / np.linalg.norm(projected)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_what_the_places_add_is_the_cosine(seed: int, hidden: bool) -> None:
    rng = np.random.default_rng(seed)
    of = weights(rng, hidden=hidden)
    maps = [rng.normal(size=(4, 4, 2)).astype(np.float32), rng.normal(size=(2, 2, 3)).astype(np.float32)]
    other = rng.normal(size=DIMENSION).astype(np.float32)
    other /= np.linalg.norm(other)

    added = Regions(of).of(maps, other)

    assert added.shape == (4, 4)
    assert added.sum() == pytest.approx(float(embedding(maps, of) @ other), abs=2e-3)


def test_the_place_that_differs_adds_what_differs() -> None:
    rng = np.random.default_rng(0)
    of = weights(rng, hidden=False)
    maps = [np.ones((4, 4, 2), np.float32), np.ones((2, 2, 3), np.float32)]
    maps[0][1, 2] = 5
    added = Regions(of).of(maps, embedding(maps, of))

    common = added[0, 0]
    assert np.isclose(added, common).sum() == 15
    assert not np.isclose(added[1, 2], common)
