"""The contract that every runtime keeps, on a network whose answers can be computed by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sartor.choices import ChannelOrder, Layout, Precision, Scaling
from sartor.encoders import onnxruntime as onnx_runtime
from sartor.encoders import openvino as openvino_runtime
from sartor.encoders.base import Runtime
from sartor.encoders.card import ModelCard, PixelScaling
from sartor.encoders.onnxruntime import OnnxRuntime
from sartor.encoders.openvino import OpenVinoRuntime
from sartor.errors import DeviceUnavailable, UnusableModel
from tests.fakes import COLOR_CARD
from tests.networks import SIDE_PX, color_network

RUNTIMES = [OpenVinoRuntime, OnnxRuntime]
MODULES = [openvino_runtime, onnx_runtime]


def one_color(*channels: int) -> np.ndarray:
    return np.full((1, SIDE_PX, SIDE_PX, 3), channels, np.uint8)


@pytest.fixture(params=RUNTIMES, ids=lambda runtime: runtime.__name__)
def runtime(request: pytest.FixtureRequest, color_file: Path) -> Runtime:
    return request.param(color_file, COLOR_CARD, precision=Precision.F32)


def test_the_network_runs_on_scaled_pixels(runtime: Runtime) -> None:
    assert np.allclose(runtime.infer(one_color(255, 51, 0)), [[1.0, 0.2, 0.0]], atol=1e-6)


@given(pixels=arrays(np.uint8, st.tuples(st.integers(1, 20), *map(st.just, (SIDE_PX, SIDE_PX, 3)))))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_embedding_does_not_depend_on_its_batch(runtime: Runtime, pixels: np.ndarray) -> None:
    together = runtime.infer(pixels)
    alone = np.concatenate([runtime.infer(pixels[row : row + 1]) for row in range(len(pixels))])
    assert np.allclose(together, alone, atol=1e-5)  # float32, summed in another order
    assert np.allclose(together, pixels.mean(axis=(1, 2)) / 255, atol=1e-3)


@pytest.mark.parametrize("load", RUNTIMES, ids=lambda runtime: runtime.__name__)
@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("scaling", list(Scaling))
def test_layout_channel_order_and_scaling_follow_the_card(
    tmp_path: Path, load: type[Runtime], layout: Layout, scaling: Scaling
) -> None:
    file = color_network(tmp_path / "network.onnx", layout=layout)
    chosen = PixelScaling.named(scaling)
    card = COLOR_CARD.model_copy(update={"layout": layout, "scaling": chosen})
    pixel = np.array([200.0, 100.0, 50.0])
    ordered = pixel[::-1] if chosen.channel_order is ChannelOrder.BGR else pixel
    expected = (ordered - np.array(chosen.mean)) / np.array(chosen.std)
    found = load(file, card, precision=Precision.F32).infer(one_color(200, 100, 50))
    assert np.allclose(found, [expected], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("load", RUNTIMES, ids=lambda runtime: runtime.__name__)
def test_many_threads_that_begin_at_once_get_their_own_answers(load: type[Runtime], color_file: Path) -> None:
    random = np.random.default_rng(3)
    asked = [random.integers(0, 256, (1 + number % 7, SIDE_PX, SIDE_PX, 3), np.uint8) for number in range(40)]
    for _ in range(4):  # each with a runtime that has compiled nothing yet
        runtime = load(color_file, COLOR_CARD, precision=Precision.F32)
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(runtime.infer, asked))
        for pixels, answer in zip(asked, answers, strict=True):
            assert np.allclose(answer, pixels.mean(axis=(1, 2)) / 255, atol=1e-3)


def test_both_runtimes_agree_in_float32(color_file: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, SIDE_PX, SIDE_PX, 3), np.uint8)
    first, second = (load(color_file, COLOR_CARD, precision=Precision.F32).infer(pixels) for load in RUNTIMES)
    assert np.allclose(first, second, atol=1e-5)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_signature_tells_names_and_shapes(module: object, color_file: Path) -> None:
    signature = module.signature(color_file)
    assert [(port.name, port.shape) for port in signature.inputs] == [("photo", (None, SIDE_PX, SIDE_PX, 3))]
    assert [port.name for port in signature.outputs] == ["embedding", "map"]
    assert signature.outputs[0].shape == (None, 3)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_file_that_is_no_network_is_unusable(module: object, tmp_path: Path) -> None:
    file = tmp_path / "not.onnx"
    file.write_text("hello")
    with pytest.raises(UnusableModel, match=r"not\.onnx cannot be used as a model"):
        module.signature(file)


@pytest.mark.parametrize("load", RUNTIMES, ids=lambda runtime: runtime.__name__)
def test_an_unknown_device_is_named_with_the_ones_there_are(load: type[Runtime], color_file: Path) -> None:
    with pytest.raises(DeviceUnavailable, match="no device 'abacus' here; there are: .*cpu"):
        load(color_file, COLOR_CARD, device="abacus")


def test_bf16_is_refused_where_the_runtime_has_none(color_file: Path) -> None:
    with pytest.raises(DeviceUnavailable, match="bf16"):
        OnnxRuntime(color_file, COLOR_CARD, precision=Precision.BF16)


@pytest.mark.parametrize(
    ("flags", "units"),
    [("avx512f avx512_bf16 amx_bf16 amx_tile", True), ("avx512f avx512_bf16", False), (None, False)],
)
def test_automatic_precision_is_bf16_only_where_the_processor_has_matrix_units(
    color_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str | None, units: bool
) -> None:
    import openvino

    told = tmp_path / "cpuinfo"
    if flags is not None:
        told.write_text(f"flags\t\t: fpu {flags}\n", encoding="utf-8")
    monkeypatch.setattr(openvino_runtime, "_PROCESSOR", told)
    fast = units and "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert OpenVinoRuntime(color_file, COLOR_CARD).description.endswith("bf16" if fast else "f32")


def test_a_network_of_a_fixed_batch_is_run_in_any_batch(tmp_path: Path) -> None:
    file = color_network(tmp_path / "fixed.onnx", batch=1)
    pixels = np.concatenate([one_color(255, 0, 0), one_color(0, 255, 0)])
    assert np.allclose(OpenVinoRuntime(file, COLOR_CARD).infer(pixels), [[1, 0, 0], [0, 1, 0]], atol=1e-2)


def test_onnx_runtime_says_so_when_a_network_cannot_take_the_batch(tmp_path: Path) -> None:
    file = color_network(tmp_path / "fixed.onnx", batch=1)
    card: ModelCard = COLOR_CARD
    with pytest.raises(UnusableModel, match="batch|dimension"):
        OnnxRuntime(file, card).infer(np.concatenate([one_color(255, 0, 0)] * 2))
