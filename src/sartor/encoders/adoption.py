"""Making a model of an ONNX file: what can be read is read, the rest is asked for, all is tried once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.encoders.card import MODEL_ID, ModelCard, PixelScaling
from sartor.encoders.choices import Layout, ResizePolicy
from sartor.encoders.encoder import unit_norm
from sartor.encoders.registry import sha256_of
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.encoders.runtime import LoadRuntime, Pixels, Port, Signature

_CHANNELS = 3
_IMAGE_AXES = 4
_EMBEDDING_AXES = 2
_SAME = 0.999  # cosine at which two embeddings are one and the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What a user says of an ONNX file; ``None`` is read from the file.

    Attributes:
        id: Id that the model shall have.
        scaling: From pixels to the network's input; cannot be read from a file.
        layout: Order of the input's axes.
        size_px: Height and width of the input.
        resize: How a photo becomes that size.
        output: Name of the output that holds the embedding.
        license: License of the weights.
        origin: Where the weights came from.
    """

    id: str
    scaling: PixelScaling
    layout: Layout | None = None
    size_px: tuple[int, int] | None = None
    resize: ResizePolicy = ResizePolicy.STRETCH
    output: str | None = None
    license: str = "unknown"
    origin: str = "unknown"


def adopt(file: Path, adoption: Adoption, *, signature: Signature, load: LoadRuntime) -> ModelCard:
    """Make the card of an ONNX file, and run the network on two made-up photos to check it.

    Args:
        file: The ONNX file.
        adoption: What the user says of it.
        signature: What the file says of itself.
        load: Loads a runtime for a file and a card.

    Raises:
        UnusableModel: The file is missing, contradicts what was said, or does not embed photos.
    """
    if not MODEL_ID.fullmatch(adoption.id):
        raise UnusableModel(
            file,
            reason=f"its id {adoption.id!r} must be of lower-case letters, digits, dot, dash and underscore",
        )
    photo = _only_input(file, signature)
    layout = adoption.layout or _layout(file, photo)
    draft = ModelCard(
        id=adoption.id,
        sha256=sha256_of(file),
        size_px=_size(file, photo, layout, said=adoption.size_px),
        layout=layout,
        scaling=adoption.scaling,
        resize=adoption.resize,
        output=_output(file, signature, said=adoption.output),
        dimension=1,
        license=adoption.license,
        origin=adoption.origin,
    )
    return draft.model_copy(update={"dimension": _try_out(file, draft, load)})


def _only_input(file: Path, signature: Signature) -> Port:
    if len(signature.inputs) != 1 or len(signature.inputs[0].shape) != _IMAGE_AXES:
        shapes = ", ".join(f"{port.name} {_words(port.shape)}" for port in signature.inputs)
        raise UnusableModel(file, reason=f"it must have one input of 4 axes, a batch of photos; it has: {shapes}")
    return signature.inputs[0]


def _layout(file: Path, photo: Port) -> Layout:
    fits = {Layout.NCHW: photo.shape[1] == _CHANNELS, Layout.NHWC: photo.shape[3] == _CHANNELS}
    if sum(fits.values()) != 1:
        raise UnusableModel(
            file,
            reason=f"its input {_words(photo.shape)} does not tell the layout; add --layout NHWC or NCHW",
        )
    return Layout.NCHW if fits[Layout.NCHW] else Layout.NHWC


def _size(file: Path, photo: Port, layout: Layout, *, said: tuple[int, int] | None) -> tuple[int, int]:
    height, width = (photo.shape[layout.value.index(axis)] for axis in "HW")
    if said is not None:
        contradicts = any(
            own is not None and own != given for own, given in zip((height, width), said, strict=True)
        )
        if contradicts:
            raise UnusableModel(
                file,
                reason=f"its input is {_words(photo.shape)}, which contradicts --size {said[0]}x{said[1]}",
            )
        return said
    if height is None or width is None:
        raise UnusableModel(file, reason=f"its input {_words(photo.shape)} does not tell the size; add --size 224")
    return height, width


def _output(file: Path, signature: Signature, *, said: str | None) -> str:
    names = [port.name for port in signature.outputs]
    if said is None and len(names) == 1:
        said = names[0]
    if said not in names:
        problem = f"it has no output {said!r}" if said else "it has several outputs"
        raise UnusableModel(file, reason=f"{problem}; add --output with one of: {', '.join(names)}")
    shape = signature.outputs[names.index(said)].shape
    if len(shape) != _EMBEDDING_AXES:
        raise UnusableModel(
            file,
            reason=f"its output {said!r} is {_words(shape)}, not (n, d); export the network with pooling",
        )
    return said


def _try_out(file: Path, card: ModelCard, load: LoadRuntime) -> int:
    photos = _made_up_photos(*card.size_px)
    runtime = load(file, card)
    together = unit_norm(runtime.infer(photos))  # (2, d)
    alone = unit_norm(runtime.infer(photos[:1]))  # (1, d)
    if np.isnan(together).any():
        raise UnusableModel(file, reason="it gives zeros or no numbers for a plain photo; check --scaling")
    if together[0] @ alone[0] < _SAME:
        raise UnusableModel(file, reason="its embedding of a photo depends on the other photos of the batch")
    if together[0] @ together[1] > 1 - 1e-6:
        raise UnusableModel(
            file, reason="it gives the same embedding for different photos; check --scaling and --output"
        )
    return int(together.shape[1])


def _made_up_photos(height_px: int, width_px: int) -> Pixels:
    """A gray gradient and a checkerboard of red and blue, ``(2, h, w, 3)`` uint8."""
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    gradient = np.repeat(((rows + columns) * 255 // (height_px + width_px))[..., None], _CHANNELS, axis=-1)
    even = ((rows // 8 + columns // 8) % 2 == 0)[..., None]
    board = np.where(even, (200, 40, 30), (20, 40, 120))
    return np.stack([gradient, board]).astype(np.uint8)


def _words(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("n" if axis is None else str(axis) for axis in shape) + ")"
