from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.encoders.keras.export import in_eight_bits
from sartor.encoders.keras.model import build
from sartor.encoders.networks import network
from sartor.training.convert import round_weights, to_bf16
from sartor.training.network import EMBEDDING, Shape, encoder

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@given(st.floats(-(2.0**100), 2.0**100, width=32))
def test_a_rounded_number_is_near_and_stays_as_it_is(number: float) -> None:
    (rounded,) = to_bf16(np.array([number], np.float32))

    assert abs(rounded - np.float32(number)) <= abs(number) * 2**-8 + 1e-38
    assert to_bf16(np.array([rounded]))[0] == rounded


@pytest.mark.parametrize(
    ("number", "rounded"), [(1.0, 1.0), (1 + 2**-8, 1.0), (1 + 3 * 2**-8, 1 + 2**-6), (-0.0, 0.0)]
)
def test_ties_go_to_even(number: float, rounded: float) -> None:
    assert to_bf16(np.array([number], np.float32))[0] == rounded


def test_rounding_changes_little_and_what_the_norm_folds_is_exact() -> None:
    rng = np.random.default_rng(0)
    photos = [rng.uniform(-1, 1, (16, 32, 32, 3)).astype(np.float32)]
    model = encoder(
        build(network("mobilenet_v2"), pooling=None, side_px=32),
        Shape(side_px=32, dimension=8, attributes={}, hidden=16),
    )
    before = model.predict_on_batch(photos[0])[EMBEDDING]

    round_weights(model, photos)

    after = model.predict_on_batch(photos[0])[EMBEDDING]
    assert (before * after).sum(axis=1).min() > 0.98
    convolution, norm = model.get_layer("Conv1"), model.get_layer("bn_Conv1")
    scale = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    folded = np.asarray(convolution.kernel) * scale
    np.testing.assert_allclose(folded, to_bf16(folded), rtol=1e-6)
    hidden = np.asarray(model.get_layer("hidden").kernel)
    levels, factors = in_eight_bits(hidden)
    np.testing.assert_array_equal(levels * factors, hidden)
    np.testing.assert_array_equal(to_bf16(hidden), hidden)
