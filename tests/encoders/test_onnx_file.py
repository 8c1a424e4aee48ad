"""What an ONNX file says of itself, and what follows for the runtime."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sartor.choices import RuntimeChoice, Scaling
from sartor.config import Settings
from sartor.encoders.add import ModelSpec, synthetic_photos
from sartor.encoders.card import PixelScaling
from sartor.encoders.onnx_file import NetworkHeader, header_of
from sartor.errors import UnusableModel
from sartor.shop import library
from sartor.shop.library import add_model, load_runtime, open_models
from tests.networks import SIDE_PX, color_network, resizing_network

SPEC = ModelSpec(id="small", scaling=PixelScaling.named(Scaling.UNIT))


def test_a_file_says_what_it_is_written_in(tmp_path: Path) -> None:
    assert header_of(color_network(tmp_path / "a.onnx")) == NetworkHeader(ir_version=9, opset=18)
    assert header_of(resizing_network(tmp_path / "b.onnx", opset=28, ir_version=14)) == NetworkHeader(
        ir_version=14, opset=28
    )


@pytest.mark.parametrize(
    ("attributes", "ignored"),
    [
        ({"antialias": 1}, ("antialias=1",)),
        ({"antialias": 0, "exclude_outside": 0}, ()),
        ({"antialias": 1, "exclude_outside": 1}, ("antialias=1", "exclude_outside=1")),
        ({"keep_aspect_ratio_policy": "stretch"}, ()),
        ({"keep_aspect_ratio_policy": "not_larger"}, ("keep_aspect_ratio_policy=not_larger",)),
    ],
)
def test_what_openvino_ignores_is_found(
    tmp_path: Path, attributes: dict[str, int | str], ignored: tuple[str, ...]
) -> None:
    assert header_of(resizing_network(tmp_path / "a.onnx", **attributes)).ignored == ignored


def test_it_is_found_in_branches_and_functions(tmp_path: Path) -> None:
    file = resizing_network(tmp_path / "a.onnx", antialias=1)
    model = onnx.load(file)
    resize = model.graph.node[0]
    branch = helper.make_graph(
        [resize], "then", [], [helper.make_tensor_value_info("small", TensorProto.FLOAT, None)]
    )
    model.graph.node.insert(0, helper.make_node("If", ["c"], ["small"], then_branch=branch, else_branch=branch))
    model.graph.node.remove(resize)
    onnx.save(model, tmp_path / "branch.onnx")
    del model.graph.node[0]
    opsets = [helper.make_opsetid("", 19)]
    model.functions.append(helper.make_function("own", "Small", ["photo", "scales"], ["small"], [resize], opsets))
    onnx.save(model, tmp_path / "function.onnx")
    for name in ("branch", "function"):
        assert header_of(tmp_path / f"{name}.onnx").ignored == ("antialias=1",)


def test_a_file_that_is_cut_or_empty_says_nothing_wrong(tmp_path: Path) -> None:
    content = resizing_network(tmp_path / "a.onnx", antialias=1).read_bytes()
    for number, part in enumerate((b"", b"\xff" * 50, *(content[:cut] for cut in range(1, len(content), 7)))):
        file = tmp_path / f"{number}.onnx"
        file.write_bytes(part)
        header_of(file)


def test_a_network_that_openvino_computes_otherwise_runs_with_onnx_runtime(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(home=tmp_path / "home")
    file = resizing_network(tmp_path / "a.onnx", antialias=1)
    with caplog.at_level(logging.WARNING):
        card = add_model(settings, file, SPEC)
    assert "ONNX Runtime instead of OpenVINO, which ignores antialias=1" in caplog.text
    runtime = load_runtime(settings, open_models(settings).file(card), card)
    assert runtime.description.startswith("onnxruntime")
    photos = synthetic_photos(SIDE_PX, SIDE_PX)
    exact = Settings(home=tmp_path / "home", runtime=RuntimeChoice.ONNXRUNTIME)
    np.testing.assert_array_equal(runtime.infer(photos), load_runtime(exact, file, card).infer(photos))


def test_openvino_still_computes_it_otherwise(tmp_path: Path) -> None:
    from sartor.encoders.openvino import OpenVinoRuntime

    settings = Settings(home=tmp_path / "home", runtime=RuntimeChoice.ONNXRUNTIME)
    file = resizing_network(tmp_path / "a.onnx", antialias=1)
    card = add_model(settings, file, SPEC)
    photos = synthetic_photos(SIDE_PX, SIDE_PX)
    told = load_runtime(settings, file, card).infer(photos)
    assert not np.allclose(OpenVinoRuntime(file, card, device="cpu").infer(photos), told, atol=1e-3)


def test_it_is_refused_where_only_openvino_may_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = resizing_network(tmp_path / "a.onnx", antialias=1)
    with pytest.raises(UnusableModel, match="antialias=1, which OpenVINO ignores.*SARTOR_RUNTIME=onnxruntime"):
        add_model(Settings(home=tmp_path / "home", runtime=RuntimeChoice.OPENVINO), file, SPEC)
    monkeypatch.setattr(library, "find_spec", lambda name: None if name == "onnxruntime" else name)
    with pytest.raises(UnusableModel, match=r"install ONNX Runtime.*pip install 'sartor\[onnxruntime\]'"):
        add_model(Settings(home=tmp_path / "home"), file, SPEC)


def test_a_network_too_new_for_onnx_runtime_is_told_when_it_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = resizing_network(tmp_path / "a.onnx", opset=28, ir_version=14)
    for case in ("installed", "missing"):
        if case == "missing":
            monkeypatch.setattr(library, "find_spec", lambda name: None if name == "onnxruntime" else name)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            add_model(Settings(home=tmp_path / case), file, SPEC)
        assert "does not read it (IR 14, opset 28)" in caplog.text
        assert "onnx.version_converter" in caplog.text
    caplog.clear()
    add_model(Settings(home=tmp_path / "old"), resizing_network(tmp_path / "old.onnx"), SPEC)
    assert caplog.text == ""


def test_onnx_runtime_says_the_way_out(tmp_path: Path) -> None:
    for opset, ir_version in ((19, 14), (28, 10)):
        file = resizing_network(tmp_path / "a.onnx", opset=opset, ir_version=ir_version)
        with pytest.raises(UnusableModel, match="onnx.version_converter"):
            add_model(Settings(home=tmp_path / "home", runtime=RuntimeChoice.ONNXRUNTIME), file, SPEC)
