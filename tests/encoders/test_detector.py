"""Detectors of the user's: recognized by their outputs, and read into boxes on the photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from sartor.config import Settings
from sartor.encoders.add import ModelSpec
from sartor.encoders.detector import DetectorForm, classes_of
from sartor.errors import ModelDamaged, UnusableModel
from sartor.shop.library import add_detector, find_detector, open_detector, open_models

SIDE_PX = 64
CLASSES = ("person", "shirt", "trousers")


def detector(path: Path, *outputs: np.ndarray, names: tuple[str, ...] = ("output0", "pred_boxes")) -> Path:
    """A network that finds the same whatever the photo: ``(1, …)`` numbers for each output."""
    axes = helper.make_tensor("axes", TensorProto.INT64, [4], [0, 1, 2, 3])
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        *(
            helper.make_node("Add", [f"fixed_{name}", "nothing"], [name])
            for name, _ in zip(names, outputs, strict=False)
        ),
    ]
    pairs = list(zip(names, outputs, strict=False))
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE_PX, SIDE_PX])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(given.shape)) for name, given in pairs],
        [
            axes,
            zero,
            *(numpy_helper.from_array(given.astype(np.float32), f"fixed_{name}") for name, given in pairs),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save_model(model, path)
    return path


SHIRT, TROUSERS = (16, 8, 32, 24), (16, 32, 32, 32)  # left, top, width, height of 64


def center(box: tuple[int, int, int, int]) -> list[float]:
    left, top, width, height = box
    return [left + width / 2, top + height / 2, width, height]


def yolo() -> np.ndarray:
    """Two garments, one of them twice; a person; and background."""
    rows = [
        [*center(SHIRT), 0.1, 0.9, 0.0],
        [*center((17, 9, 32, 24)), 0.1, 0.8, 0.0],
        [*center(TROUSERS), 0.0, 0.1, 0.7],
        [*center((8, 0, 48, 64)), 0.95, 0.0, 0.0],
        [*center((0, 0, 5, 5)), 0.01, 0.02, 0.01],
        *([[0.0] * 7] * 12),
    ]
    return np.array(rows).T[None]  # (1, 4 + c, n)


def with_objectness() -> np.ndarray:
    rows = yolo()[0].T
    return np.hstack([rows[:, :4], np.full((len(rows), 1), 1.0), rows[:, 4:]])[None]


def finished() -> np.ndarray:
    def row(box: tuple[int, int, int, int], score: float, number: int) -> list[float]:
        return [box[0], box[1], box[0] + box[2], box[1] + box[3], score, number]

    return np.array([[row(SHIRT, 0.9, 1), row(TROUSERS, 0.7, 2), row((8, 0, 48, 64), 0.95, 0), [0] * 6]])


def detr(*, nothing: bool) -> tuple[np.ndarray, np.ndarray]:
    logits = np.array([[-4, 4, -4], [-4, -4, 3], [5, -4, -4], [-6, -6, -6]], float)
    if nothing:
        logits = np.hstack([logits, np.array([[-4], [-4], [-4], [4]])])
    boxes = np.array([center(SHIRT), center(TROUSERS), center((8, 0, 48, 64)), [1, 1, 1, 1]]) / SIDE_PX
    return logits[None], boxes[None]


def add(home: Path, network: Path, *, classes: tuple[str, ...] = CLASSES, **facts: object) -> DetectorForm:
    return add_detector(Settings(home=home), network, ModelSpec(id="finder", **facts), classes=classes).form  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outputs", "names", "form"),
    [
        ((yolo(),), ("output0",), DetectorForm.YOLO),
        ((with_objectness(),), ("output",), DetectorForm.YOLO_OBJECTNESS),
        ((finished(),), ("output0",), DetectorForm.YOLO_FINISHED),
        (detr(nothing=True), ("logits", "pred_boxes"), DetectorForm.DETR),
        (detr(nothing=False), ("logits", "pred_boxes"), DetectorForm.DETR_SIGMOID),
    ],
)
def test_each_family_is_recognized_and_finds_the_same_garments(
    tmp_path: Path, outputs: tuple[np.ndarray, ...], names: tuple[str, ...], form: DetectorForm
) -> None:
    assert add(tmp_path, detector(tmp_path / "finder.onnx", *outputs, names=names)) is form
    found = open_detector(Settings(home=tmp_path), open_models(Settings(home=tmp_path)))

    assert found is not None
    seen = found.detect(Image.new("RGB", (80, 80)), minimum=0.5, limit=9)
    assert [each.name for each in seen] == ["person", "shirt", "trousers"]
    assert seen[1].box == pytest.approx([share / SIDE_PX for share in SHIRT], abs=1e-3)
    assert [each.probability for each in seen] == sorted((each.probability for each in seen), reverse=True)
    assert [each.name for each in found.detect(Image.new("RGB", (80, 80)), minimum=0.5, limit=1)] == ["person"]


def test_boxes_of_a_padded_photo_are_those_of_the_photo(tmp_path: Path) -> None:
    add(tmp_path, detector(tmp_path / "finder.onnx", yolo()))
    found = open_detector(Settings(home=tmp_path), open_models(Settings(home=tmp_path)))

    assert found is not None
    shirt = found.detect(Image.new("RGB", (50, 100)), minimum=0.5, limit=9)[
        1
    ]  # it fills half of the input's width
    assert shirt.box == pytest.approx((0, 8 / 64, 1, 24 / 64), abs=1e-3)


def test_classes_come_from_the_file_or_from_beside_it(tmp_path: Path) -> None:
    network = detector(tmp_path / "finder.onnx", yolo())
    assert classes_of(network) == ()
    model = onnx.load_model(network)
    helper.set_model_props(model, {"names": "{0: 'person', 1: 'shirt', 2: 'trousers'}", "task": "detect"})
    onnx.save_model(model, network)
    assert classes_of(network) == CLASSES
    (tmp_path / "config.json").write_text('{"id2label": {"0": "a", "1": "b", "10": "d", "2": "c"}}')
    assert classes_of(detector(tmp_path / "other.onnx", yolo())) == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("outputs", "classes", "reason"),
    [
        ((yolo(),), (), "does not say what its classes are; add --classes FILE"),
        (
            (yolo(),),
            ("shirt", "skirt"),
            r"with 2 classes its outputs are not those of a YOLO.*it has: output0 \(1, 7, 17\)",
        ),
        ((np.zeros((1, 10)),), CLASSES, r"it has: output0 \(1, 10\)"),
        ((yolo() * 40,), CLASSES, "its scores are not from 0 to 1"),
        ((yolo() * np.nan,), CLASSES, "no usable boxes"),
        ((yolo(),), ("person", "dog", "car"), "none of its classes is a garment: person, dog, car"),
    ],
)
def test_what_is_no_detector_of_garments_is_refused_in_a_line(
    tmp_path: Path, outputs: tuple[np.ndarray, ...], classes: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(UnusableModel, match=reason):
        add(tmp_path, detector(tmp_path / "finder.onnx", *outputs), classes=classes)
    assert find_detector(open_models(Settings(home=tmp_path))) is None


def test_a_workspace_has_one_detector_and_adding_it_again_changes_nothing(tmp_path: Path) -> None:
    network = detector(tmp_path / "finder.onnx", yolo())
    assert add(tmp_path, network) is add(tmp_path, network)
    with pytest.raises(UnusableModel, match="there is the detector 'finder' already; to replace it, delete"):
        add(tmp_path, detector(tmp_path / "other.onnx", finished()))


def test_a_changed_file_is_not_run(tmp_path: Path) -> None:
    add(tmp_path, detector(tmp_path / "finder.onnx", yolo()))
    models = open_models(Settings(home=tmp_path))
    found = find_detector(models)
    assert found is not None
    (found[0] / "model.onnx").write_bytes(b"something else")
    with pytest.raises(ModelDamaged):
        open_detector(Settings(home=tmp_path), models)


def test_a_detector_is_no_model_to_embed_with(tmp_path: Path) -> None:
    add(tmp_path, detector(tmp_path / "finder.onnx", yolo()))

    assert "finder" not in [card.id for card in open_models(Settings(home=tmp_path)).cards()]
