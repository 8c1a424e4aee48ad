"""Detectors of garments: networks of the user's in ONNX, recognized by the names and shapes of their outputs.

Two families are read. A YOLO has one output: boxes with a score for each class, as ``(1, 4 + c, n)``, or with an
objectness as ``(1, n, 5 + c)``, or finished as ``(1, n, 6)``. A DETR has two: ``logits`` ``(1, n, c + 1)`` or
``(1, n, c)``, and boxes ``(1, n, 4)``.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sartor.choices import ResizePolicy, Scaling
from sartor.encoders.add import image_input, size_of
from sartor.encoders.card import ModelCard, PixelScaling
from sartor.encoders.encoder import prepare
from sartor.encoders.onnx_file import metadata_of
from sartor.encoders.registry import sha256_of
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from PIL import Image

    from sartor.encoders.add import ModelSpec
    from sartor.encoders.base import Port, Runtime, Signature

    Floats = npt.NDArray[np.float32]

DETECTOR_FILE = "detector.json"  # beside its network, in place of a model's card
_FINISHED = 6  # numbers of a box that needs no further choice: two corners, score, class
_SCALINGS = {True: Scaling.UNIT, False: Scaling.TORCH}  # of a YOLO, and of a DETR
_SAME = 0.5  # overlap from which two boxes of a class are one


class DetectorForm(StrEnum):
    """What the numbers of a detector mean."""

    YOLO = "yolo"  # center, width and height in pixels of the input, then a score for each class
    YOLO_OBJECTNESS = "yolo-objectness"  # the same, with the score of being anything before them
    YOLO_FINISHED = "yolo-finished"  # two corners in pixels, score and number of the class
    DETR = "detr"  # logits of each class and of nothing, and center, width and height as shares
    DETR_SIGMOID = "detr-sigmoid"  # logits of each class alone, and the same boxes


class DetectorCard(BaseModel):
    """The facts of a detector, as ``detector.json`` beside its network.

    Attributes:
        network: What running the network needs, as for an encoder; its ``output`` has boxes or logits.
        form: What its numbers mean.
        boxes: Name of the output with the boxes, of a DETR.
        classes: Names of its classes, in their order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: ModelCard
    form: DetectorForm
    boxes: str = ""
    classes: Annotated[tuple[str, ...], Field(min_length=1)]

    @classmethod
    def read(cls, path: Path) -> DetectorCard:
        """Read a card from its JSON file.

        Raises:
            UnusableModel: The file is missing or not a card.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise UnusableModel(path, reason="its card cannot be read; add the detector again") from error

    def write(self, path: Path) -> None:
        """Write the card as indented JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Something on a photo: left, top, width and height as shares of its sides, its class, and a probability."""

    box: tuple[float, float, float, float]
    name: str
    probability: float


class Detector:
    """Finds garments on photos with a network that is loaded when the first photo comes."""

    def __init__(self, card: DetectorCard, load: Callable[[], Runtime]) -> None:
        self.card, self._load = card, load

    @cached_property
    def _runtime(self) -> Runtime:
        return self._load()

    def detect(self, image: Image.Image, *, minimum: float, limit: int) -> tuple[Detection, ...]:
        """What is on an RGB photo, the surest first.

        Args:
            image: The photo.
            minimum: Probability from which a detection counts.
            limit: Number of detections.
        """
        card = self.card
        names = (card.network.output, *([card.boxes] if card.boxes else []))
        outputs = self._runtime.infer_outputs(prepare(image, card.network)[None], names)
        boxes, scores = _read(card, [outputs[name] for name in names])
        boxes = _on_photo(boxes, card.network, image.size)
        found: list[tuple[int, int]] = []  # rows and classes
        order = np.argsort(-scores, axis=None, kind="stable")
        for row, column in zip(*np.unravel_index(order, scores.shape), strict=True):
            if len(found) == limit or not scores[row, column] >= minimum:
                break
            if all(other != column or _overlap(boxes[row], boxes[kept]) < _SAME for kept, other in found):
                found.append((int(row), int(column)))
        return tuple(
            Detection(box=_shares(boxes[row]), name=card.classes[column], probability=float(scores[row, column]))
            for row, column in found
        )


def make_detector_card(
    file: Path,
    spec: ModelSpec,
    *,
    classes: Sequence[str],
    signature: Signature,
    load: Callable[[Path, ModelCard], Runtime],
) -> DetectorCard:
    """Make the card of a detector, and run it once.

    Args:
        file: The ONNX file.
        spec: The user's facts.
        classes: Names of its classes, in their order.
        signature: The file's inputs and outputs.
        load: Loads a runtime for a file and a card.

    Raises:
        UnusableModel: It is no detector of a family that is read, or does not say its classes.
    """
    names = tuple(classes)
    if not names:
        reason = "it does not say what its classes are; add --classes FILE, a text file with a name on each line"
        raise UnusableModel(file, reason=reason)
    photo, layout = image_input(file, signature, layout=spec.layout)
    form, output, boxes = _form_of(file, signature, classes=len(names))
    is_yolo = form in {DetectorForm.YOLO, DetectorForm.YOLO_OBJECTNESS, DetectorForm.YOLO_FINISHED}
    network = ModelCard(
        id=spec.id,
        sha256=sha256_of(file),
        size_px=size_of(file, photo, layout, size_px=spec.size_px),
        layout=layout,
        scaling=spec.scaling or PixelScaling.named(_SCALINGS[is_yolo]),
        resize=ResizePolicy.PAD if is_yolo else ResizePolicy.STRETCH,
        output=output,
        dimension=1,
        license=spec.license,
        origin=spec.origin,
    )
    card = DetectorCard(network=network, form=form, boxes=boxes, classes=names)
    _try_out(file, card, load(file, network))
    return card


def _form_of(file: Path, signature: Signature, *, classes: int) -> tuple[DetectorForm, str, str]:
    """The family of a detector, the output with boxes or logits, and the other one with boxes."""
    ports = {port.name: port.shape for port in signature.outputs}
    of_three = {name: shape for name, shape in ports.items() if len(shape) == 3}  # noqa: PLR2004 - (1, n, numbers)
    boxes = [name for name, shape in of_three.items() if shape[2] == 4]  # noqa: PLR2004
    boxes.sort(
        key=lambda name: "box" not in name
    )  # of three classes and nothing, the logits are four numbers, too
    for name, shape in of_three.items():
        if boxes and name != boxes[0] and shape[2] == classes + 1:
            return DetectorForm.DETR, name, boxes[0]
        if boxes and name != boxes[0] and shape[2] == classes:
            return DetectorForm.DETR_SIGMOID, name, boxes[0]
    for name, shape in of_three.items():
        if shape[1] == 4 + classes:
            return DetectorForm.YOLO, name, ""
        if shape[2] == 5 + classes:
            return DetectorForm.YOLO_OBJECTNESS, name, ""
        if shape[2] == _FINISHED:
            return DetectorForm.YOLO_FINISHED, name, ""
    told = ", ".join(f"{port.name} {_words(port)}" for port in signature.outputs)
    reason = (
        f"with {classes} classes its outputs are not those of a YOLO, (1, 4 + c, n), (1, n, 5 + c) or (1, n, 6), "
        f"nor of a DETR, (1, n, c + 1) and (1, n, 4); it has: {told}"
    )
    raise UnusableModel(file, reason=reason)


def _words(port: Port) -> str:
    return "(" + ", ".join("n" if axis is None else str(axis) for axis in port.shape) + ")"


def _read(card: DetectorCard, outputs: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Left, top, right and bottom of boxes as shares of the input, ``(n, 4)``, and scores, ``(n, c)``."""
    height_px, width_px = card.network.size_px
    numbers, count = outputs[0][0], len(card.classes)
    match card.form:
        case DetectorForm.YOLO:
            numbers = numbers.T  # (n, 4 + c)
            return _corners(numbers[:, :4] / (width_px, height_px, width_px, height_px)), numbers[:, 4:]
        case DetectorForm.YOLO_OBJECTNESS:
            boxes = _corners(numbers[:, :4] / (width_px, height_px, width_px, height_px))
            return boxes, numbers[:, 4:5] * numbers[:, 5:]
        case DetectorForm.YOLO_FINISHED:
            scores = np.zeros((len(numbers), count), np.float32)
            known = (numbers[:, 5] >= 0) & (numbers[:, 5] < count)
            scores[np.flatnonzero(known), numbers[known, 5].astype(int)] = numbers[known, 4]
            return numbers[:, :4] / np.array([width_px, height_px, width_px, height_px], np.float32), scores
        case DetectorForm.DETR:
            raised = np.exp(numbers - numbers.max(axis=1, keepdims=True))
            return _corners(outputs[1][0]), (raised / raised.sum(axis=1, keepdims=True))[:, :count]
        case DetectorForm.DETR_SIGMOID:
            return _corners(outputs[1][0]), 1 / (1 + np.exp(-numbers))


def _corners(boxes: Floats) -> Floats:
    """Center, width and height to left, top, right and bottom."""
    half = boxes[:, 2:] / 2
    return np.asarray(np.hstack([boxes[:, :2] - half, boxes[:, :2] + half]), np.float32)


def _on_photo(boxes: Floats, network: ModelCard, size: tuple[int, int]) -> Floats:
    """Boxes as shares of the input to shares of the photo, within it."""
    if network.resize is ResizePolicy.PAD:
        (height_px, width_px), (width, height) = network.size_px, size
        scale = min(width_px / width, height_px / height)
        part = np.array([width * scale / width_px, height * scale / height_px] * 2, np.float32)  # of the input
        boxes = np.asarray((boxes - (1 - part) / 2) / part, np.float32)
    return boxes.clip(0, 1)


def _shares(corners: Floats) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(each) for each in corners)
    return left, top, right - left, bottom - top


def _overlap(one: Floats, other: Floats) -> float:
    """Intersection over union of two boxes by their corners."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(np.prod(sides.clip(0)))
    return shared / max(float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - shared, 1e-9)


def classes_of(file: Path) -> tuple[str, ...]:
    """The names of a detector's classes in its file, or in the ``config.json`` beside it; empty if unknown."""
    return _classes_in(file) or _classes_beside(file)


def _classes_in(file: Path) -> tuple[str, ...]:
    """The names of the classes that YOLO's export writes into the file: ``{0: 'shirt', 1: 'skirt'}``."""
    try:
        names = ast.literal_eval(metadata_of(file).get("names", ""))
    except (SyntaxError, ValueError):
        return ()
    return tuple(str(names[number]) for number in sorted(names)) if isinstance(names, dict) else ()


def _classes_beside(file: Path) -> tuple[str, ...]:
    """The names of the classes in the ``config.json`` of Hugging Face beside the file, or above its folder."""
    for folder in (file.parent, file.parent.parent):
        try:
            names = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
            return tuple(str(names[number]) for number in sorted(names, key=int))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return ()


def _try_out(file: Path, card: DetectorCard, runtime: Runtime) -> None:
    """Run a detector once; raises UnusableModel if what comes out is not what its outputs promise."""
    photo = np.full((1, *card.network.size_px, 3), 128, np.uint8)
    names = (card.network.output, *([card.boxes] if card.boxes else []))
    outputs = runtime.infer_outputs(photo, names)
    boxes, scores = _read(card, [outputs[name] for name in names])
    if len(boxes) != len(scores) or scores.shape[1] != len(card.classes) or not np.isfinite(scores).all():
        raise UnusableModel(
            file, reason="it gives no usable boxes for a plain photo; check --scaling and --classes"
        )
    if scores.size and (scores.min() < 0 or scores.max() > 1 + 1e-3):
        raise UnusableModel(file, reason="its scores are not from 0 to 1; export it with a sigmoid at its end")
