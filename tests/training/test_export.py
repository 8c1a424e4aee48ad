"""A trained encoder as files: rounded weights, and a network that another process writes if it has to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.encoders.card import MODEL_FILE, WEIGHTS_FILE
from sartor.encoders.keras.export import in_eight_bits
from sartor.encoders.keras.model import build
from sartor.encoders.networks import network
from sartor.errors import UnusableModel
from sartor.training.export import Plan, round_weights, to_bf16, write_elsewhere, write_onnx
from sartor.training.network import EMBEDDING, Shape, encoder
from sartor.training.start import keep_weights, rebuilt

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
PLAN = Plan(
    id="small",
    base="mobilenet_v2",
    shape=Shape(side_px=32, dimension=16, attributes={"color": 3}, hidden=8),
    outputs={"color": "attribute_0"},
)


def test_a_process_of_its_own_writes_the_same_network(tmp_path: Path) -> None:
    folders = [tmp_path / "here", tmp_path / "elsewhere"]
    for folder in folders:
        folder.mkdir()
    keep_weights(
        encoder(build(network("mobilenet_v2"), pooling=None, side_px=32), PLAN.shape), folders[0] / WEIGHTS_FILE
    )
    (folders[1] / WEIGHTS_FILE).write_bytes((folders[0] / WEIGHTS_FILE).read_bytes())

    write_onnx(rebuilt(PLAN.base, PLAN.shape, folders[0]), PLAN, folders[0])
    write_elsewhere(PLAN, folders[1])

    assert (folders[0] / MODEL_FILE).read_bytes() == (folders[1] / MODEL_FILE).read_bytes()
    assert {file.name for file in folders[1].iterdir()} == {MODEL_FILE, WEIGHTS_FILE}


def test_what_fails_there_is_told_here(tmp_path: Path) -> None:
    np.savez(tmp_path / WEIGHTS_FILE, nothing=np.zeros(1))
    (tmp_path / WEIGHTS_FILE).write_bytes(b"no weights")

    with pytest.raises(UnusableModel, match="cannot be read"):
        write_elsewhere(PLAN, tmp_path)


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
