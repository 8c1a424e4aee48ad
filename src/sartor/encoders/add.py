"""Model cards for ONNX files: read from the file where possible, completed by a spec, and tried on two photos."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from sartor.choices import Layout, ResizePolicy
from sartor.encoders.card import MODEL_ID, ModelCard, PixelScaling
from sartor.encoders.encoder import unit_norm
from sartor.encoders.onnx_file import external_files
from sartor.encoders.registry import sha256_of
from sartor.errors import MissingExtra, UnusableModel

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.encoders.base import LoadRuntime, Pixels, Port, Runtime, Signature
    from sartor.encoders.card import Resizing
    from sartor.types import Matrix

NEEDS_SCALING = (
    "how its pixels are scaled cannot be read from it, and no preprocessor_config.json lies beside it; "
    "give --scaling, or --mean and --std"
)
_CHANNELS = 3
_IMAGE_AXES = 4
_EMBEDDING_AXES = 2
_TOKENS_AXES = 3
_PIXEL_VALUES = "pixel_values"  # Hugging Face's name of a batch of photos, channels first
_TEXT = "input_ids"
_EMBEDDINGS = ("image_embeds", "pooler_output")  # its names of an embedding, the better one first
_SAME = 0.999  # cosine from which two embeddings count as equal


def as_one_file(network: Path, directory: Path) -> Path:
    """The network itself if it has no external weights, else a copy in the directory with all its weights.

    Raises:
        MissingExtra: It has external weights, and the onnx package is not installed.
        UnusableModel: A file of weights is missing, or they are too large for one file.
    """
    files = external_files(network)
    if not files:
        return network
    missing = [name for name in files if not (network.parent / name).is_file()]
    if missing:
        raise UnusableModel(network, reason=f"its weights lie in {missing[0]}, which is not beside it")
    package = "onnx"
    if find_spec(package) is None:
        raise MissingExtra(package, extra="keras")
    import onnx

    whole = directory / network.name
    try:
        onnx.save_model(onnx.load_model(network), whole)
    except Exception as error:
        raise UnusableModel(
            network,
            reason=f"its weights in {files[0]} cannot be brought into one file, which holds 2 GB at most; "
            "export a smaller one, such as float16",
        ) from error
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """The user's facts of an ONNX file for its card (see ``ModelCard``); None is read from the file.

    The scaling cannot be read from the file itself.
    """

    id: str
    scaling: PixelScaling | None = None
    layout: Layout | None = None
    size_px: tuple[int, int] | None = None
    resize: ResizePolicy = ResizePolicy.STRETCH
    resizing: Resizing | None = None
    output: str | None = None
    license: str = "unknown"
    origin: str = "unknown"


def make_card(file: Path, spec: ModelSpec, *, signature: Signature, load: LoadRuntime) -> ModelCard:
    """Make the card of an ONNX file, and check the network on two synthetic photos.

    Args:
        file: The ONNX file.
        spec: The user's facts.
        signature: The file's inputs and outputs.
        load: Loads a runtime for a file and a card.

    Raises:
        UnusableModel: The file is missing, contradicts the spec, or does not embed photos.
    """
    if not MODEL_ID.fullmatch(spec.id):
        raise UnusableModel(
            file,
            reason=f"its id {spec.id!r} must be of lower-case letters, digits, dot, dash and underscore",
        )
    if spec.scaling is None:
        raise UnusableModel(file, reason=NEEDS_SCALING)
    photo, layout = image_input(file, signature, layout=spec.layout)
    draft = ModelCard(
        id=spec.id,
        sha256=sha256_of(file),
        size_px=size_of(file, photo, layout, size_px=spec.size_px),
        layout=layout,
        scaling=spec.scaling,
        resize=spec.resize,
        resizing=spec.resizing,
        output=_output(file, signature, output=spec.output),
        dimension=1,
        license=spec.license,
        origin=spec.origin,
    )
    embeddings = try_out(load(file, draft), draft, named=file)
    return draft.model_copy(update={"dimension": int(embeddings.shape[1])})


def image_input(file: Path, signature: Signature, *, layout: Layout | None) -> tuple[Port, Layout]:
    """The only input of a network, a batch of photos, and its layout if none is given.

    Raises:
        UnusableModel: It has other inputs, or does not tell the layout.
    """
    photo = _only_input(file, signature)
    return photo, layout or _layout(file, photo)


def _only_input(file: Path, signature: Signature) -> Port:
    if _TEXT in (port.name for port in signature.inputs):
        raise UnusableModel(
            file,
            reason=f"it also wants {_TEXT}, texts beside photos; give the image tower alone, vision_model.onnx",
        )
    if len(signature.inputs) != 1 or len(signature.inputs[0].shape) != _IMAGE_AXES:
        shapes = ", ".join(f"{port.name} {_words(port.shape)}" for port in signature.inputs)
        raise UnusableModel(file, reason=f"it must have one input of 4 axes, a batch of photos; it has: {shapes}")
    return signature.inputs[0]


def _layout(file: Path, photo: Port) -> Layout:
    if photo.name == _PIXEL_VALUES and photo.shape[1] is photo.shape[3] is None:
        return Layout.NCHW
    fits = {Layout.NCHW: photo.shape[1] == _CHANNELS, Layout.NHWC: photo.shape[3] == _CHANNELS}
    if sum(fits.values()) != 1:
        raise UnusableModel(
            file,
            reason=f"its input {_words(photo.shape)} does not tell the layout; add --layout NHWC or NCHW",
        )
    return Layout.NCHW if fits[Layout.NCHW] else Layout.NHWC


def size_of(file: Path, photo: Port, layout: Layout, *, size_px: tuple[int, int] | None) -> tuple[int, int]:
    """Height and width of an input, as the file or the user says.

    Raises:
        UnusableModel: Neither says it, or they contradict each other.
    """
    height, width = (photo.shape[layout.value.index(axis)] for axis in "HW")
    if size_px is not None:
        if any(own not in {None, side} for own, side in zip((height, width), size_px, strict=True)):
            size = f"{size_px[0]}x{size_px[1]}"
            raise UnusableModel(
                file, reason=f"its input is {_words(photo.shape)}, which contradicts the size {size}"
            )
        return size_px
    if height is None or width is None:
        raise UnusableModel(file, reason=f"its input {_words(photo.shape)} does not tell the size; add --size 224")
    return height, width


def _output(file: Path, signature: Signature, *, output: str | None) -> str:
    shapes = {port.name: port.shape for port in signature.outputs}
    vectors = [name for name, shape in shapes.items() if len(shape) == _EMBEDDING_AXES]
    if output is None:
        usual = [name for name in _EMBEDDINGS if name in vectors]
        candidates = usual[:1] or vectors or list(shapes)
        output = candidates[0] if len(candidates) == 1 else None
    if output not in shapes:
        problem = f"it has no output {output!r}" if output else "it has several outputs"
        raise UnusableModel(file, reason=f"{problem}; add --output with one of: {', '.join(shapes)}")
    shape = shapes[output]
    if len(shape) != _EMBEDDING_AXES:
        what = ", a vector for each part of a photo" if len(shape) == _TOKENS_AXES else ""
        remedy = f"add --output {vectors[0]}, or " if vectors else ""
        raise UnusableModel(
            file,
            reason=f"its output {output!r} is {_words(shape)}{what}, not (n, d); "
            f"{remedy}export the network with pooling",
        )
    return output


def try_out(runtime: Runtime, card: ModelCard, *, named: Path) -> Matrix:
    """Embed ``synthetic_photos``, to check that a network embeds photos.

    Returns:
        ``(2, d)`` float32 of norm 1.

    Raises:
        UnusableModel: It does not; the error names ``named``.
    """
    photos = synthetic_photos(*card.size_px)
    together = unit_norm(runtime.infer(photos))  # (2, d)
    alone = unit_norm(runtime.infer(photos[:1]))  # (1, d)
    if np.isnan(together).any():
        raise UnusableModel(named, reason="it gives zeros or no numbers for a plain photo; check --scaling")
    if together[0] @ alone[0] < _SAME:
        raise UnusableModel(named, reason="its embedding of a photo depends on the other photos of the batch")
    if together[0] @ together[1] > 1 - 1e-6:
        raise UnusableModel(
            named, reason="it gives the same embedding for different photos; check --scaling and --output"
        )
    return together


def synthetic_photos(height_px: int, width_px: int) -> Pixels:
    """A gray gradient and a checkerboard of red and blue, ``(2, h, w, 3)`` uint8."""
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    gradient = np.repeat(((rows + columns) * 255 // (height_px + width_px))[..., None], _CHANNELS, axis=-1)
    even = ((rows // 8 + columns // 8) % 2 == 0)[..., None]
    board = np.where(even, (200, 40, 30), (20, 40, 120))
    return np.stack([gradient, board]).astype(np.uint8)


def _words(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("n" if axis is None else str(axis) for axis in shape) + ")"
