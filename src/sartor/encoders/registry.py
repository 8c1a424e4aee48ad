"""Models: those of a workspace (a folder each, with network and card), those known by name, and baselines."""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from sartor.choices import Layout, Scaling
from sartor.encoders.card import (
    CARD_FILE,
    FOREGROUND_FILE,
    MODEL_FILE,
    TEXT_FILE,
    WEIGHTS_FILE,
    ModelCard,
    PixelScaling,
)
from sartor.encoders.encoder import Encoder
from sartor.encoders.networks import NETWORKS
from sartor.errors import ModelBundled, ModelDamaged, ModelExists, ModelNotFound, NoNetwork, WorkspaceReadOnly
from sartor.footprint import is_writable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from sartor.encoders.base import Pixels
    from sartor.types import Matrix, Vector

DIRECTORY = Path(__file__).resolve().parents[1] / "bundled"  # {id}/model.onnx and {id}/card.json
DEFAULT_MODEL = "sartor-v1"  # of a workspace that has neither a default nor a model of its own

COLOR_HISTOGRAM, RANDOM = "color-histogram", "random"
BASELINES = (COLOR_HISTOGRAM, RANDOM)
_STAGING = ".staging-"
_DAY_S = 86_400
_BINS = 8  # of each channel
_SIDE_PX = 64
_RANDOM_DIMENSION = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model that Sartor knows by name.

    Attributes:
        name: Id of a bundled model, or the name that ``sartor models export`` takes.
        license: License of the weights, as an SPDX id.
        size_bytes: Size of the network's file; of one that is still to be exported, 4 bytes a weight.
        dimension: Length of an embedding.
        size_px: Height and width of the input.
        weights: Where the weights come from: ``bundled``, or the URL that Keras fetches.
    """

    name: str
    license: str
    size_bytes: int
    dimension: int
    size_px: tuple[int, int]
    weights: str


def list_models() -> tuple[KnownModel, ...]:
    """The models that can be used by name: those that come with Sartor, then the ImageNet networks to export.

    Example:
        >>> {model.name: model.dimension for model in sartor.list_models()}["resnet50"]
        2048
    """
    bundled = [
        KnownModel(
            name=card.id,
            license=card.license,
            size_bytes=(DIRECTORY / card.id / MODEL_FILE).stat().st_size,
            dimension=card.dimension,
            size_px=card.size_px,
            weights="bundled",
        )
        for card in ModelRegistry(DIRECTORY).cards()
    ]
    exportable = [
        KnownModel(
            name=network.name,
            license=network.license,
            size_bytes=4 * network.parameters,
            dimension=network.dimension,
            size_px=(network.size_px, network.size_px),
            weights=network.weights_url,
        )
        for network in NETWORKS.values()
    ]
    return (*bundled, *exportable)


class ModelRegistry:
    """Adds, lists and finds models below a directory: ``{id}/model.onnx`` and ``{id}/card.json``.

    Bundled models lie in another directory of the same form, which is only read. A workspace's own model wins over
    a bundled one of the same id, since it may be older than the bundled one.
    """

    def __init__(self, directory: Path, *, bundled: Path | None = None) -> None:
        self.directory = self._directory = directory
        self._bundled = bundled

    def cards(self) -> tuple[ModelCard, ...]:
        """Cards of all models, sorted by id.

        Raises:
            UnusableModel: A card cannot be read.
        """
        return tuple(ModelCard.read(folder / CARD_FILE) for _, folder in sorted(self.folders().items()))

    def is_bundled(self, model_id: str) -> bool:
        """Whether a model comes with Sartor rather than from the workspace."""
        folder = self.folders().get(model_id)
        return folder is not None and folder.parent != self._directory

    def card(self, model_id: str) -> ModelCard:
        """The card of one model.

        Raises:
            ModelNotFound: No model has this id.
            UnusableModel: Its card cannot be read.
        """
        known = [card.id for card in self.cards()]
        if model_id not in known:
            raise ModelNotFound(model_id, known=known)
        return ModelCard.read(self.folders()[model_id] / CARD_FILE)

    def file(self, card: ModelCard) -> Path:
        """The network of a card, checked against the card's SHA-256.

        Raises:
            ModelDamaged: The file is not the one that the card describes.
            NoNetwork: The card is of imported vectors.
        """
        if not card.network:
            raise NoNetwork(card.id)
        file = self.folders().get(card.id, self._directory / card.id) / MODEL_FILE
        actual = sha256_of(file)
        if actual != card.sha256:
            raise ModelDamaged(file, expected=card.sha256, actual=actual)
        return file

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A directory for a network before it is added; removed afterwards, also after an error.

        Those that killed processes left are removed when they are a day old.

        Raises:
            WorkspaceReadOnly: None can be made.
        """
        if not is_writable(self._directory):
            raise WorkspaceReadOnly(self._directory)
        self._directory.mkdir(parents=True, exist_ok=True)
        for left in self._directory.glob(f"{_STAGING}*"):
            if time.time() - left.stat().st_mtime > _DAY_S:
                shutil.rmtree(left, ignore_errors=True)
        with TemporaryDirectory(dir=self._directory, prefix=_STAGING) as directory:
            yield Path(directory)

    def add(self, network: Path | None, card: ModelCard) -> None:
        """Add a network with its card; adding the same model again changes nothing.

        Args:
            network: The ONNX file; it is copied, with the weights of a trained model beside it. None for a card of
                imported vectors.
            card: Its card, with the SHA-256 of the file.

        Raises:
            ModelExists: Another model of the workspace has this id.
            ModelBundled: A model that comes with Sartor has this id.
            ModelDamaged: Its foreground head or its text tower is not the one that the card describes.
        """
        if self.is_bundled(card.id):
            raise ModelBundled(card.id)
        target = self._directory / card.id
        if target.exists():
            if ModelCard.read(target / CARD_FILE) != card:
                raise ModelExists(card.id)
            return
        with self.staging() as staging:
            if network is not None:
                shutil.copyfile(network, staging / MODEL_FILE)
                if (weights := network.with_name(WEIGHTS_FILE)).is_file() and card.training is not None:
                    shutil.copyfile(weights, staging / WEIGHTS_FILE)
                if card.foreground_sha256 is not None:
                    _copy_checked(network.with_name(FOREGROUND_FILE), staging, expected=card.foreground_sha256)
                if card.text is not None:
                    _copy_checked(network.with_name(TEXT_FILE), staging, expected=card.text.sha256)
            card.write(staging / CARD_FILE)
            staging.rename(target)
            staging.mkdir()  # TemporaryDirectory expects to remove it

    def take_over(self, other: ModelRegistry) -> None:
        """Copy the models that were added to another registry; one that is here already stays."""
        if other._directory.resolve() == self._directory.resolve():
            return
        for folder in other._directory.glob("*/"):
            target = self._directory / folder.name
            if not target.exists():
                part = target.with_name(f"{target.name}.part")
                shutil.rmtree(part, ignore_errors=True)
                shutil.copytree(folder, part)
                part.replace(target)

    def clash_with(self, other: ModelRegistry) -> str | None:
        """Id of a model that was added to both, with another network in each; None if there is none."""
        own, others = ({card.id: card for card in each.cards()} for each in (self, other))
        common = [name for name in others if name in own and not other.is_bundled(name)]
        return next((name for name in common if own[name].sha256 != others[name].sha256), None)

    def folders(self) -> dict[str, Path]:
        """The models' folders by id."""
        folders: dict[str, Path] = {}
        for directory in (self._bundled, self._directory):
            if directory is not None:
                files = directory.glob(f"*/{CARD_FILE}")
                folders |= {file.parent.name: file.parent for file in files}
        return {name: folder for name, folder in folders.items() if not name.startswith(".")}


def _copy_checked(file: Path, directory: Path, *, expected: str) -> None:
    if (actual := sha256_of(file)) != expected:
        raise ModelDamaged(file, expected=expected, actual=actual)
    shutil.copyfile(file, directory / file.name)


def sha256_of(file: Path) -> str:
    """Hex digest of a file's bytes; that of no bytes if the file is missing."""
    if not file.is_file():
        return hashlib.sha256().hexdigest()
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def baseline(name: str) -> Encoder:
    """One of ``BASELINES`` as an encoder.

    Raises:
        KeyError: No baseline has this name.
    """
    vector, dimension = {
        COLOR_HISTOGRAM: (_color_histogram, _BINS**3),
        RANDOM: (_random_direction, _RANDOM_DIMENSION),
    }[name]
    return Encoder(_card(name, dimension), lambda: _FunctionRuntime(vector))


class _FunctionRuntime:
    """A runtime that computes each photo's vector with a function instead of a network."""

    description = "NumPy"
    streams = 1
    batch_size = 64

    def __init__(self, vector: Callable[[Pixels], Vector]) -> None:
        self._vector = vector

    def infer(self, pixels: Pixels) -> Matrix:
        """``(n, h, w, 3)`` to ``(n, d)``."""
        return np.stack([self._vector(photo) for photo in pixels])

    def infer_outputs(self, pixels: Pixels, names: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        return dict.fromkeys(names, self.infer(pixels))


def _color_histogram(pixels: Pixels) -> Vector:
    """Square roots of the numbers of pixels with each of 512 colors; the cosine is then the overlap of two photos.

    Source: M. Swain and D. Ballard, "Color indexing" (1991); A. Bhattacharyya (1943) for the roots.
    """
    red, green, blue = (pixels.reshape(-1, 3) // (256 // _BINS)).astype(np.int64).T
    counts = np.bincount((red * _BINS + green) * _BINS + blue, minlength=_BINS**3)
    return np.sqrt(counts).astype(np.float32)


def _random_direction(pixels: Pixels) -> Vector:
    """A random direction, the same one for the same pixels."""
    seed = int.from_bytes(hashlib.blake2b(pixels.tobytes(), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).normal(size=_RANDOM_DIMENSION).astype(np.float32)


def _card(name: str, dimension: int) -> ModelCard:
    return ModelCard(
        id=name,
        sha256="0" * 64,  # there is no file
        size_px=(_SIDE_PX, _SIDE_PX),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(Scaling.RAW),
        output="vector",
        dimension=dimension,
        origin="computed by Sartor, nothing is learned",
    )
