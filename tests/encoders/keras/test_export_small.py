from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper

from sartor.encoders.keras.export import in_eight_bits, with_small_weights


def network(weights: np.ndarray) -> onnx.ModelProto:
    """``y = x @ weights``."""
    rows, columns = weights.shape
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", columns])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    ort = pytest.importorskip("onnxruntime")
    (y,) = ort.InferenceSession(model.SerializeToString()).run(["y"], {"x": x})
    return y


def test_it_is_half_as_large_and_computes_the_same() -> None:
    rng = np.random.default_rng(0)
    whole = network(rng.normal(0, 1, (64, 64)).astype(np.float32))
    x = rng.normal(0, 1, (3, 64)).astype(np.float32)

    half = with_small_weights(whole)

    assert half.ByteSize() < 0.6 * whole.ByteSize()
    np.testing.assert_allclose(answer(half, x), answer(whole, x), atol=0.02)


@pytest.mark.parametrize("weights", [np.ones((4, 4), np.float32), np.full((64, 64), 1e6 + 1, np.float32)])
def test_small_weights_and_those_too_large_for_float16_stay(weights: np.ndarray) -> None:
    whole = network(weights)

    assert with_small_weights(whole) == whole


def test_the_given_network_is_left_as_it_is(tmp_path: Path) -> None:
    whole = network(np.ones((64, 64), np.float32))
    before = whole.SerializeToString()

    with_small_weights(whole)

    assert whole.SerializeToString() == before


def test_a_matrix_that_eight_bits_hold_takes_a_quarter_and_computes_exactly_the_same() -> None:
    rng = np.random.default_rng(0)
    levels, factors = in_eight_bits(rng.normal(0, 1, (64, 64)).astype(np.float32))
    whole = network(levels * factors)
    x = rng.normal(0, 1, (3, 64)).astype(np.float32)

    small = with_small_weights(whole)

    assert small.ByteSize() < 0.35 * whole.ByteSize()
    np.testing.assert_allclose(answer(small, x), answer(whole, x), rtol=1e-6)


@given(arrays(np.float32, (5, 3), elements=st.floats(-1000, 1000, width=32)))
def test_eight_bits_are_near_and_hold_what_they_say(matrix: np.ndarray) -> None:
    levels, factors = in_eight_bits(matrix)
    held = levels * factors

    assert np.all(np.abs(held - matrix) <= factors / 2)
    assert np.all(factors <= np.maximum(np.abs(matrix).max(axis=0) / 63, 2.0**-100))
    again, same = in_eight_bits(held)
    np.testing.assert_array_equal(again * same, held)
